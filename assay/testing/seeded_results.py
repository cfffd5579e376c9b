"""Results of every function with a seed, small enough to compute once more in another process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from assay.adapters.proxy import ImplementationProxy, NonConformanceError
from assay.contract import Array, Transitions
from assay.testing.handcrafted_values import LEANING, LEAVING, constant_values, linear_values

# Rounding changes a loss of at most a few units by less, and another example changes it by more.
RESOLUTION = 2.0**-12
Results = dict[str, Array]


def _kernel(ops: Any, seed: int) -> Results:  # noqa: ANN401 - a group or its proxy, here and below
    return {"kernel": ops.glorot_uniform((6, 5), seed)}


def _dropout(ops: Any, seed: int) -> Results:  # noqa: ANN401
    return {"outputs": ops.dropout(np.ones((8, 9), np.float32), 0.5, seed, training=True)}


def _classes(ops: Any, seed: int) -> Results:  # noqa: ANN401
    return {"classes": ops.sample(np.full((40, 4), 0.25, np.float32), seed)}


def _parameters(models: Any, seed: int) -> Results:  # noqa: ANN401
    return dict(models.initial_parameters("mlp", seed))


def _batch(datasets: Any, seed: int) -> Results:  # noqa: ANN401
    numbers = np.arange(50, dtype=np.int32)
    images = np.zeros((50, 28, 28, 1), np.float32)
    return {"labels": datasets.sample_batch(images, numbers, 40, seed)[1]}


def _training(training: Any, seed: int) -> Results:  # noqa: ANN401
    images = np.repeat(np.eye(2, dtype=np.float32), 28 * 14, axis=1).reshape(2, 28, 28, 1)
    labels = np.array([3, 7], np.int32)
    run = training.fit("mlp", images, labels, num_batches=20, batch_size=1, learning_rate=0.0, seed=seed)
    return {**run.parameters, "losses": run.losses}


def _windows(text: Any, seed: int) -> Results:  # noqa: ANN401
    windows, targets = text.sample_windows(np.arange(50, dtype=np.int32), 4, 40, seed)
    return {"windows": windows, "targets": targets}


def _text_training(text: Any, seed: int) -> Results:  # noqa: ANN401
    indices = np.random.default_rng(seed).integers(0, 5, 40).astype(np.int32)
    run = text.fit(indices, 5, num_batches=20, batch_size=1, seq_length=3, learning_rate=0.0, seed=seed)
    return {"dense/kernel": run.parameters["dense/kernel"], "losses": run.losses}


def _write(text: Any, seed: int) -> Results:  # noqa: ANN401
    shapes = {"kernel": (4, 1024), "recurrent_kernel": (256, 1024), "bias": (1024,)}
    cell = {f"cell/{name}": np.zeros(shape, np.float32) for name, shape in shapes.items()}
    parameters = cell | {"dense/kernel": np.zeros((256, 4), np.float32), "dense/bias": np.zeros(4, np.float32)}
    window = np.zeros(3, np.int32)
    return {"characters": text.generate(parameters, window, temperature=1.0, count=40, seed=seed)}


def _actions(agent: Any, seed: int) -> Results:  # noqa: ANN401
    return {"actions": agent.act("q_network", constant_values(0, 1), np.zeros((40, 4), np.float32), 1.0, seed)}


def _collect(agent: Any, seed: int) -> Results:  # noqa: ANN401
    collected = agent.collect(constant_values(0, 1), 1.0, 2, seed)
    return {"states": collected.states, "actions": collected.actions}


def _sample(agent: Any, seed: int) -> Results:  # noqa: ANN401
    states, ones = np.arange(40, dtype=np.float32)[:, None].repeat(4, axis=1), np.ones(40, np.float32)
    transitions = Transitions(states, np.zeros(40, np.int32), ones, states, ones)
    return {"states": agent.sample(transitions, 8, seed).states}


def _play(agent: Any, seed: int) -> Results:  # noqa: ANN401
    return {"sums of rewards": agent.play(linear_values(LEAVING), 8, seed)}


def _learn(agent: Any, seed: int) -> Results:  # noqa: ANN401
    learnt = agent.fit(
        num_episodes=6,
        num_exploration_episodes=6,
        initial_epsilon=1.0,
        final_epsilon=1.0,
        max_len_episode=100,
        buffer_size=1_000,
        batch_size=1_000,
        learning_rate=0.0,
        gamma=1.0,
        seed=seed,
    )
    return {"scores": learnt.scores, "kernel": learnt.parameters["dense1/kernel"]}


def _episode(environments: Any, seed: int) -> Results:  # noqa: ANN401
    return {"states": environments.run_linear_policy(LEANING, seed).states}


def _sample_actions(environments: Any, seed: int) -> Results:  # noqa: ANN401
    return {"actions": environments.sample_actions(40, seed)}


# A call of each function with a seed.
SEEDED: Mapping[str, Callable[[Any, int], Results]] = {
    "ops.glorot_uniform": _kernel,
    "ops.dropout": _dropout,
    "ops.sample": _classes,
    "models.initial_parameters": _parameters,
    "datasets.sample_batch": _batch,
    "training.fit": _training,
    "text.sample_windows": _windows,
    "text.fit": _text_training,
    "text.generate": _write,
    "agent.act": _actions,
    "agent.collect": _collect,
    "agent.sample": _sample,
    "agent.play": _play,
    "agent.fit": _learn,
    "environments.run_linear_policy": _episode,
    "environments.sample_actions": _sample_actions,
}


def assert_same_elsewhere(
    name: str, implementation: ImplementationProxy, results_elsewhere: Callable[[str], Any], seed: int
) -> None:
    """Check that a function with a seed returns the same in another process.

    Args:
        name: Name of the function, as in `SEEDED`.
        implementation: The implementation in this process.
        results_elsewhere: Function that returns the results in another process, or the failure that it raised there.
        seed: Seed of the draws.

    Raises:
        NonConformanceError: A result differs.

    """
    __tracebackhide__ = True
    elsewhere = results_elsewhere(name)
    if isinstance(elsewhere, BaseException):
        raise elsewhere
    group, _, _ = name.partition(".")
    for part, value in SEEDED[name](implementation.group(group), seed).items():
        other = elsewhere[part]
        same = np.abs(value - other).max() <= RESOLUTION if part == "losses" else np.array_equal(value, other)
        if not same:
            msg = f"{name} with the seed {seed} returns other {part} in a new process"
            raise NonConformanceError(msg)
