"""Effects of the seed of the agent's training on each of its draws, read from short trainings.

Trainings with different seeds differ in their networks, and so in all their losses. So comparing losses does not detect
a draw that is the same for every seed. These functions instead read from a training in which states its episodes began,
which actions it took, when it explored and which transitions its batches contained.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from assay.adapters.proxy import GroupProxy
from assay.contract import Array
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics.cart_pole import INITIAL
from assay.spec.semantics.models import Parameters
from assay.spec.semantics.q_learning import q_values
from assay.testing.training.agent_probes import (
    ALWAYS_EXPLORING,
    ALWAYS_GREEDY,
    LENGTH,
    MODEL,
    bias_trajectories,
    error_bounds,
    errors_of,
    probe,
)

# Number of seeds that are compared: four more than a state has numbers.
SEEDS = 8
# Distance of the seeds: a multiple of 2^19 and of 1,000, so that they are equal modulo these and smaller powers.
STRIDE = 2**16 * 1_000
# A learning rate so small that it changes only biases of 0: added to any other parameter, a step is lost in rounding.
TINY = 1e-20
# Number of steps that is small enough to try every sequence of actions.
STEPS = 4
# Number of random starts of the search for a common state, and number of steps of each.
STARTS, ITERATIONS = 20, 10


def seeds_apart(seed: int) -> list[int]:
    """Return seeds that are equal modulo powers of 2 and of 10."""
    return [(seed + STRIDE * number) % 2**31 for number in range(SEEDS)]


def first_values(agent: GroupProxy, seed: int, num_episodes: int) -> tuple[Array, Parameters]:
    """Return the largest value of each episode's first state, [num_episodes], and the parameters of the network.

    The values of new networks in such states are far below the reward of 1, so an error is 1 minus the value.
    """
    trained = probe(agent, seed, **ALWAYS_GREEDY, num_episodes=num_episodes, max_len_episode=1)
    return 1 - errors_of(trained["losses"], num_episodes, 1)[:, 0], trained["parameters"]


def distance_to_common_state(networks: Sequence[Parameters], values: Array) -> float:
    """Return how far networks are from having the given largest values in a common state.

    The values are piecewise linear, so a Gauss-Newton step of least squares is exact within a piece. A common state is
    found if it is near enough to one of the starts; if there is none, the distance is never near 0.

    Args:
        networks: Parameters of each network.
        values: Largest value of each network, [networks].

    Returns:
        The smallest root mean square of the differences.

    """
    layers = [[np.stack([to_float64(one[name]) for one in networks]) for name in names] for names in _LAYERS]
    states = np.random.default_rng(0).uniform(-INITIAL, INITIAL, (STARTS, 4))
    nearest = np.inf
    for _ in range(ITERATIONS):
        found, slopes = _largest_values(layers, states)
        nearest = min(nearest, float(np.sqrt(np.mean((found - values) ** 2, axis=1)).min()))
        # The least squares solution of each start: slopes (next - state) = values - found.
        states = states + (np.linalg.pinv(slopes) @ (values - found)[..., None])[..., 0]
    return nearest


_LAYERS = [(f"dense{number}/kernel", f"dense{number}/bias") for number in (1, 2, 3)]


def _largest_values(layers: Sequence[Sequence[Array]], states: Array) -> tuple[Array, Array]:
    """Return the largest value of every network in each state, [starts, networks], and its slopes, [..., 4]."""
    outputs = np.broadcast_to(states[:, None], (len(states), len(layers[0][0]), 4))
    slopes = np.broadcast_to(np.eye(4), (*outputs.shape[:2], 4, 4))
    for number, (kernels, biases) in enumerate(layers):
        outputs = np.einsum("sni,nio->sno", outputs, kernels) + biases
        slopes = np.einsum("snki,nio->snko", slopes, kernels)
        if number < len(layers) - 1:
            active = outputs > 0
            outputs, slopes = outputs * active, slopes * active[:, :, None]
    best = outputs.argmax(axis=-1)[..., None]
    return (
        np.take_along_axis(outputs, best, axis=-1)[..., 0],
        np.take_along_axis(slopes, best[:, :, None], axis=-1)[..., 0],
    )


def value_bound(parameters: Parameters, count: int) -> float:
    """Bound the effect of rounding on the root mean square of `count` values."""
    return float(np.sqrt(count) * error_bounds(parameters)["now"])


def ranks(values: Array, parameters: Parameters, states: Array) -> Array:
    """Return for each given value the share of the states whose largest value is smaller."""
    wide = to_float64(parameters)
    possible = np.sort(q_values(MODEL, wide, states).max(axis=1))
    return (possible.searchsorted(values) + 0.5) / (len(possible) + 1)


def random_actions(agent: GroupProxy, seed: int) -> Array:
    """Return the first actions of a training that always explores, int [STEPS].

    Each step of Adam changes the bias of the action that was taken by far more than the other.
    """
    trained = probe(agent, seed, **ALWAYS_EXPLORING, num_episodes=1, max_len_episode=STEPS, learning_rate=TINY)
    losses = errors_of(trained["losses"], 1, STEPS)[0] ** 2
    # Values are below the reward, so all gradients are negative: the first signs of each sequence.
    expected, _ = bias_trajectories(losses, TINY)
    of_sequences = expected[:: 2**STEPS]
    change = trained["parameters"]["dense3/bias"].astype(float)
    nearest = int(np.abs(of_sequences - change).max(axis=1).argmin())
    return np.array([nearest >> step & 1 for step in reversed(range(STEPS))])


def batches_of_one(agent: GroupProxy, seed: int) -> Array:
    """Return the index in the episode of the transition that each learning step draws, int [LENGTH]."""
    options = {**ALWAYS_GREEDY, "num_episodes": 1}
    # The second buffer is not full at the end.
    sizes = 1, 2 * LENGTH
    known, drawn = (errors_of(probe(agent, seed, **options, buffer_size=size)["losses"], 1)[0] for size in sizes)
    return np.array([np.abs(known[: step + 1] - drawn[step]).argmin() for step in range(LENGTH)])


def are_all_equal(arrays: Iterable[Array]) -> bool:
    """Whether all arrays are equal."""
    first, *others = arrays
    return all(np.array_equal(first, other) for other in others)
