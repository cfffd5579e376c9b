"""Each argument of the agent's functions on its own: lines 690 to 764 of the document."""

import numpy as np
import pytest

from assay.spec.semantics.q_learning import Transitions
from assay.testing import problems
from assay.testing.assertions import claim
from assay.testing.handcrafted_values import constant_values
from assay.testing.single_changes import assert_each_argument_counts
from assay.testing.training.agent_probes import ALWAYS_GREEDY, probe

MODEL = "q_network"
# Names of the elements on which y depends.
VALUED = ("rewards", "next_states", "dones")
EPISODES = 10


@pytest.fixture(scope="module")
def given(seed):
    """Return the elements of seven transitions by name, some of which end in failure."""
    generator, count = np.random.default_rng(seed), 7
    states, next_states = generator.uniform(-1, 1, (2, count, 4)).astype(np.float32)
    dones = np.arange(count, dtype=np.float32) % 2
    rewards = generator.uniform(-20, 20, count).astype(np.float32)
    return Transitions(states, dones.astype(np.int32), rewards, next_states, dones)._asdict()


@pytest.fixture(scope="module")
def others(given):
    """Return another value of each element."""
    return {name: 1 - values for name, values in given.items()}


def parameters(seed):
    """Draw parameters of a network."""
    return problems.parameters(MODEL, np.random.default_rng(seed))


def of_elements(function, *before):
    """Return a function of the elements of transitions, by name, and of the arguments after them."""

    def call(states, actions, rewards, next_states, dones, **after):
        return function(*before, Transitions(states, actions, rewards, next_states, dones), **after)

    return call


def on_parameters(function):
    """Return a function of parameters, of the elements of transitions, and of the arguments after them, by name."""
    return lambda parameters, **others: of_elements(function, MODEL, parameters)(**others)


@claim("q_learning.buffer-in-order")
def test_each_argument_of_replay(agent, given, others):
    def replay(size, **elements):
        return agent.replay(size, Transitions(**elements))

    assert_each_argument_counts("replay", replay, {"size": 3, **given}, {"size": 4, **others})


@claim("q_learning.sample-keeps-transitions-whole")
def test_each_argument_of_sample(agent, given, others, seed):
    options = {"batch_size": 4, "seed": seed}
    assert_each_argument_counts("sample", of_elements(agent.sample), {**given, **options}, {"batch_size": 5, **others})


@claim("q_learning.targets-by-the-parameters")
def test_each_argument_of_targets(agent, given, others, seed):
    changes = {"parameters": parameters(seed + 1), "gamma": 0.25, **{name: others[name] for name in VALUED}}
    assert_each_argument_counts(
        "targets", on_parameters(agent.targets), {"parameters": parameters(seed), **given, "gamma": 0.75}, changes
    )


@claim("q_learning.gradients-of-any-batch")
def test_each_argument_of_gradients(agent, given, others, seed):
    assert_each_argument_counts(
        "loss_and_gradients",
        on_parameters(agent.loss_and_gradients),
        {"parameters": parameters(seed), **given, "gamma": 0.75},
        {"parameters": constant_values(1, 2), "gamma": 0.25, **others},
    )


@claim("q_learning.learns-by-its-arguments")
def test_each_argument_of_learn(agent, given, others, seed):
    one, other = ({name: values[None] for name, values in elements.items()} for elements in (given, others))
    assert_each_argument_counts(
        "learn",
        on_parameters(agent.learn),
        {"parameters": parameters(seed), **one, "learning_rate": 0.01, "gamma": 0.75},
        {"parameters": constant_values(1, 2), **other, "learning_rate": 0.02, "gamma": 0.25},
    )


@claim("q_learning.training-explores-by-schedule")
def test_each_argument_of_the_schedule(agent, seed):
    # Epsilon falls to 0 in ten episodes. Two such schedules lead to the same actions with a probability below 10^-7.
    options = {**ALWAYS_GREEDY, "num_episodes": EPISODES}
    assert_each_argument_counts(
        "fit",
        lambda **schedule: probe(agent, seed, **options | schedule)["losses"],
        {"num_exploration_episodes": EPISODES, "initial_epsilon": 1.0, "final_epsilon": 0.0},
        {"num_exploration_episodes": 1, "initial_epsilon": 0.0, "final_epsilon": 1.0},
    )
