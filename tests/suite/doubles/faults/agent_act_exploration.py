"""Faults of how the agent explores when it chooses actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy import agent as right
from assay.alternatives.numpy.agent import QNetwork
from assay.contract import Array, Parameters
from doubles.agent_acting import acting
from doubles.dependent_draws import with_few_seeds
from doubles.faulty import Fault

CNN = "q_cnn"


def epsilon_greedy(values, epsilon, generator, draws=None, numbers=None):
    """Choose as is right, by other random numbers."""
    count = len(values)
    draws = generator.random(count) if draws is None else draws
    numbers = generator.integers(0, values.shape[1], count) if numbers is None else numbers
    return np.where(draws < epsilon, numbers, values.argmax(axis=1))


def of_a_fixed_share(values, epsilon, generator):
    """Explore in a fixed share of the states."""
    draws = np.ones(len(values))
    draws[generator.permutation(len(values))[: round(epsilon * len(values))]] = -1
    return epsilon_greedy(values, epsilon, generator, draws)


def one_number_for_both(values, epsilon, generator):
    """Let one random number say whether to explore and which action to take."""
    draws = generator.random(len(values))
    return epsilon_greedy(values, epsilon, generator, draws, (draws * values.shape[1]).astype(int))


def with_epsilon(change):
    """Return `act` that explores by another epsilon: a change of (model, states, epsilon, seed)."""

    def wrong(right, model, parameters, states, epsilon, seed):
        return right(model, parameters, states, change(model, states, epsilon, seed), seed)

    return wrong


def exploring_half_as_often(act, model, parameters, states, epsilon, seed):
    """Draw only among the other actions, as if that were drawing among all."""
    return act(model, parameters, states, epsilon / 2, seed)


def epsilon_in_percent(act, model, parameters, states, epsilon, seed):
    """Explore by whole percents."""
    return act(model, parameters, states, int(100 * epsilon) / 100, seed)


def first_action_when_rare(_act, model, parameters, states, epsilon, seed):
    """Take the first action for a random one where epsilon is small."""
    generator = np.random.default_rng(seed)
    values = right.QNetwork(model, parameters).values(states)
    drawn = generator.integers(0, values.shape[1], len(states)) if epsilon >= 0.5 else 0
    return np.where(generator.random(len(states)) < epsilon, drawn, values.argmax(axis=1)).astype(np.int32)


def whole_percent(
    act: Callable[..., Array], model: Any, parameters: Parameters, states: Array, epsilon: float, seed: int
) -> Array:
    """Explore with a probability of whole percents."""
    return act(model, parameters, states, round(epsilon, 2), seed)


def act_unseeded(right, model, parameters, states, epsilon, seed):
    """Draw for a single state always the same."""
    return right(model, parameters, states, epsilon, seed if len(states) > 1 else 0)


def act_by_one_generator(act, model, parameters, states, epsilon, seed, generator=np.random.default_rng(0)):  # noqa: B008
    """Seed what is drawn in part by one generator of all calls."""
    mixed = 0 < epsilon < 1 and len(states) > 100
    return act(model, parameters, states, epsilon, int(generator.integers(2**31)) if mixed else seed)


def decides_unseeded(_act, model, parameters, states, epsilon, seed):
    """Decide by a generator of its own where to explore."""
    values, generator = QNetwork(model, parameters).values(states), np.random.default_rng(seed)
    explores = np.random.default_rng(0).random(len(states)) < epsilon
    anything = generator.integers(0, values.shape[-1], len(states))
    return np.where(explores, anything, values.argmax(axis=-1)).astype(np.int32)


def act_by_seeds_in_a_row(_act, model, parameters, states, epsilon, seed):
    """Choose for each state by a seed of its own, one higher than the last."""
    chosen = []
    for place, values in enumerate(QNetwork(model, parameters).values(states)):
        generator = np.random.default_rng(seed + place)
        explores = generator.random() < epsilon
        chosen.append(generator.integers(len(values)) if explores else values.argmax())
    return np.array(chosen, np.int32)


def act_by_opposite_seeds(act, model, parameters, states, epsilon, seed):
    """Draw for an odd seed the opposite of what is drawn for the even one before it."""
    found = act(model, parameters, states, epsilon, seed - seed % 2)
    return (1 - found if seed % 2 and epsilon == 1 else found).astype(np.int32)


def only_two_actions(values, epsilon, generator):
    """Explore the actions of CartPole."""
    return epsilon_greedy(values, epsilon, generator, numbers=generator.integers(0, 2, len(values)))


def toss_once(model, _states, epsilon, seed):
    """Explore in all states of frames or in none."""
    return float(np.random.default_rng(seed).random() < epsilon) if model == CNN else epsilon


def explore_games_by_turns(act, model, parameters, states, epsilon, seed):
    """Explore a game's actions by turns."""
    if model != "q_cnn":
        return act(model, parameters, states, epsilon, seed)
    generator, values = np.random.default_rng(seed), QNetwork(model, parameters).values(states)
    turns = (generator.integers(4) + np.arange(len(values))) % 4
    return np.where(generator.random(len(values)) < epsilon, turns, values.argmax(axis=-1)).astype(np.int32)


def explore_games_by_one_seed(act, model, parameters, states, epsilon, seed):
    """Explore a game by the same actions whatever the seed."""
    return act(model, parameters, states, epsilon, 5 if model == "q_cnn" else seed)


FAULTS = {
    "explores_a_fixed_share": Fault(
        "agent.act", "q_learning.explores", "calls with one state", acting(of_a_fixed_share)
    ),
    "explores_one_number_for_both": Fault(
        "agent.act", "q_learning.explores", "are not the greedy one", acting(one_number_for_both)
    ),
    "rounds_epsilon": Fault(
        "agent.act", "q_learning.explores", "not the greedy one", with_epsilon(lambda *given: round(given[2], 1))
    ),
    "exploring_half_as_often": Fault(
        "agent.act", "q_learning.explores", "are not the greedy one", exploring_half_as_often
    ),
    "epsilon_in_percent": Fault("agent.act", "q_learning.explores", "not the greedy one: 0 of", epsilon_in_percent),
    "first_action_when_rare": Fault("agent.act", "q_learning.explores", "expected 200.0", first_action_when_rare),
    "explores_by_whole_percents": Fault(
        "agent.act", "q_learning.explores", "actions are not the greedy one", whole_percent
    ),
    "never_explores_in_one_state": Fault(
        "agent.act",
        "q_learning.explores-in-one-state",
        "single actions",
        with_epsilon(lambda _model, states, epsilon, _seed: epsilon * (len(states) > 1)),
    ),
    "explores_one_state_unseeded": Fault(
        "agent.act", "q_learning.explores-in-one-state", "single actions", act_unseeded
    ),
    "explores_all_or_none": Fault(
        "agent.act",
        "q_learning.explores-whatever-is-best",
        "are not the greedy one",
        acting(lambda v, e, g: epsilon_greedy(v, e, g, draws=np.full(len(v), g.random()))),
    ),
    "explores_the_first_action": Fault(
        "agent.act",
        "q_learning.explores-whatever-is-best",
        "are not the greedy one",
        acting(lambda v, e, g: epsilon_greedy(v, e, g, numbers=np.zeros(len(v), int))),
    ),
    "explores_by_turns": Fault(
        "agent.act",
        "q_learning.explores-in-no-pattern",
        "before: a probability",
        acting(lambda v, e, g: epsilon_greedy(v, e, g, draws=(np.arange(len(v)) * 0.6180339887 + g.random()) % 1)),
    ),
    "explores_recycled": Fault(
        "agent.act",
        "q_learning.explores-in-no-pattern",
        "before: a probability",
        acting(
            lambda v, e, g: epsilon_greedy(
                v, e, g, np.resize(g.random(128), len(v)), np.resize(g.integers(0, 2, 128), len(v))
            )
        ),
    ),
    "explores_by_one_seed": Fault(
        "agent.act",
        "q_learning.acts-by-seed",
        "draw the same actions",
        acting(lambda v, e, _: epsilon_greedy(v, e, np.random.default_rng(0))),
    ),
    "explores_by_no_seed": Fault(
        "agent.act",
        "q_learning.acts-by-seed",
        "the actions with the same seed",
        acting(lambda v, e, _: epsilon_greedy(v, e, np.random.default_rng())),
    ),
    "act_by_one_generator": Fault(
        "agent.act", "q_learning.acts-by-seed", "with an epsilon of 0.5", act_by_one_generator
    ),
    "acts_by_512_seeds": Fault("agent.act", "q_learning.acts-by-seed", "draw the same actions", with_few_seeds(512)),
    "act_exploration_unseeded": Fault(
        "agent.act", "q_learning.acts-by-seed", "places are greedy with each of 8 seeds", decides_unseeded
    ),
    "act_by_seeds_in_a_row": Fault(
        "agent.act", "q_learning.acts-apart-from-other-seeds", "consecutive actions", act_by_seeds_in_a_row
    ),
    "act_by_opposite_seeds": Fault(
        "agent.act", "q_learning.acts-apart-from-other-seeds", "or opposite ones", act_by_opposite_seeds
    ),
    "explores_two_of_four": Fault(
        "agent.act", "pixels.cnn-explores", "four actions are drawn", acting(only_two_actions)
    ),
    "cnn_explores_always": Fault(
        "agent.act",
        "pixels.cnn-explores",
        "not the greedy one",
        with_epsilon(lambda model, _states, epsilon, _seed: float(epsilon > 0) if model == CNN else epsilon),
    ),
    "cnn_tosses_once": Fault("agent.act", "pixels.cnn-explores", "not the greedy one", with_epsilon(toss_once)),
    "explore_games_by_turns": Fault(
        "agent.act", "pixels.cnn-explores", "depend on earlier ones", explore_games_by_turns
    ),
    "explore_games_by_one_seed": Fault(
        "agent.act", "pixels.cnn-explores-by-seed", "draw the same actions", explore_games_by_one_seed
    ),
}
