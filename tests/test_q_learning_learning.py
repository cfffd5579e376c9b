"""Targets, losses, gradients and whole trainings: lines 681 to 764 of the document."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import cart_pole, q_learning
from assay.spec.semantics import models as definition
from assay.spec.semantics.cart_pole import MAX_EPISODE_STEPS
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import cache_by_precision
from assay.spec.semantics.q_learning import FAILURE_REWARD, Transitions
from assay.spec.vectors import read
from assay.testing import problems
from assay.testing.assertions import (
    assert_close,
    assert_equal,
    assert_form,
    assert_within,
    claim,
    few_examples,
)
from assay.testing.handcrafted_values import BALANCING, CREEPING, constant_values, linear_values
from assay.testing.networks import either_adam
from assay.testing.problems import GAMMA
from assay.testing.q_networks import (
    gradients_of,
    learn_batches,
    loss_and_gradients,
    q_network_problem,
    solve,
    solve_training,
    targets,
)
from assay.testing.strategies import arrays, seeds
from assay.testing.thresholds import threshold
from assay.testing.training import agent_training
from assay.testing.training.agent_probes import count_learning_steps
from assay.testing.training.agent_training import assert_learns, best_stretch

MODEL = "q_network"
DOCUMENT = read("q_learning")
BATCH = DOCUMENT["batch_size"]
SHAPES = definition.MODELS[MODEL].shapes


def assert_targets(agent, problem, gamma=GAMMA):
    """Compare y with the definition."""
    _, expected, bounds = solve(problem, targets(MODEL, gamma))
    assert_close("targets", {"y": agent.targets(*problem, gamma)}, expected, bounds)


def with_transitions(problem, **changes):
    """Return the problem with other values for some elements of its transitions."""
    return problem._replace(transitions=problem.transitions._replace(**changes))


@claim("q_learning.target")
@few_examples(8)
@given(seed=seeds())
def test_target(agent, seed):
    problem = q_network_problem(seed)
    assert_targets(agent, with_transitions(problem, dones=np.zeros_like(problem.transitions.dones)))


@claim("q_learning.target-of-failure")
@few_examples(8)
@given(seed=seeds())
def test_target_of_failure(agent, seed):
    # In a batch drawn at random, no transition ends in failure with a probability of 1e-4.
    dones = np.arange(BATCH, dtype=np.float32) % 2
    rewards = np.where(dones == 1, FAILURE_REWARD, 1).astype(np.float32)
    problem = with_transitions(q_network_problem(seed), rewards=rewards, dones=dones)
    found = assert_form("targets", agent.targets(*problem, GAMMA), (BATCH,))
    failed = problem.transitions.dones == 1
    assert_equal("y of failures", found[failed], problem.transitions.rewards[failed])


@claim("q_learning.target-of-each")
@few_examples(8)
@given(seed=seeds())
def test_target_of_each(agent, seed):
    # With as many transitions as actions, a maximum over the wrong axis has the right shape.
    problem = q_network_problem(seed)
    two = Transitions(*(values[:2] for values in problem.transitions))._replace(dones=np.zeros(2, np.float32))
    assert_targets(agent, problem._replace(transitions=two))


@claim("q_learning.target-discount")
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
@few_examples(8)
@given(seed=seeds())
def test_target_discount(agent, gamma, seed):
    assert_targets(agent, q_network_problem(seed), gamma)


@claim("q_learning.target-without-discount")
def test_target_without_discount(agent, seed):
    # The better action has the value 7 in every state, and sums of such numbers are exact.
    transitions = with_transitions(q_network_problem(seed), dones=np.zeros(BATCH, np.float32)).transitions
    found = agent.targets(MODEL, constant_values(-3, 7), transitions, GAMMA)
    assert_equal("y", found, transitions.rewards + 7)


@claim("q_learning.target-is-float32")
def test_target_is_float32(agent, seed):
    assert_form("y", agent.targets(*q_network_problem(seed), GAMMA), (BATCH,))


@claim("q_learning.one-hot-selects")
@given(values=arrays((BATCH, 2)), number=seeds())
def test_one_hot_selects(ops, values, number):
    actions = np.random.default_rng(number).integers(0, 2, BATCH, np.int32)
    found = (values * ops.one_hot(actions, 2)).sum(axis=1)
    assert_equal("the selected values", found, values[np.arange(BATCH), actions])


@claim("q_learning.loss")
@few_examples(8)
@given(seed=seeds())
def test_loss(agent, seed):
    problem, expected, bounds = solve(q_network_problem(seed), loss_and_gradients(MODEL))
    assert_close("loss_and_gradients", gradients_of(agent, problem), {"loss": expected["loss"]}, bounds)


@claim("q_learning.loss-reduces-the-batch")
@given(pair=st.tuples(arrays((5,)), arrays((5,))))
def test_loss_reduces_the_batch(keras, pair):
    y_true, y_pred = map(keras.to_tensor, pair)
    loss = keras.namespace.losses.get("mean_squared_error")
    found = keras.to_numpy(loss(y_true=y_true, y_pred=y_pred))
    exact = tuple(map(to_float64, pair))
    expected = np.mean((exact[0] - exact[1]) ** 2)
    assert_within("mean_squared_error", found, expected, rounding.mean_squared_error(*exact))


@claim("q_learning.loss-ignores-other-actions")
@few_examples(8)
@given(seed=seeds())
def test_loss_ignores_other_actions(agent, seed):
    # All transitions take the first action and fail, so the value of the second action must not matter.
    transitions = q_network_problem(seed).transitions._replace(
        actions=np.zeros(BATCH, np.int32), dones=np.ones(BATCH, np.float32), rewards=np.full(BATCH, -10, np.float32)
    )
    losses = [agent.loss_and_gradients(MODEL, constant_values(2, other), transitions, GAMMA)[0] for other in (-50, 50)]
    assert_equal("the losses", np.array(losses), np.full(2, 144.0))


@claim("q_learning.gradients")
@few_examples(8)
@given(seed=seeds())
def test_gradients(agent, seed):
    problem, expected, bounds = solve(q_network_problem(seed), loss_and_gradients(MODEL))
    assert_close("loss_and_gradients", gradients_of(agent, problem), {name: expected[name] for name in SHAPES}, bounds)


@claim("q_learning.gradient-of-taken")
@pytest.mark.parametrize("action", [0, 1])
def test_gradient_of_taken(agent, seed, action):
    problem = with_transitions(q_network_problem(seed), actions=np.full(BATCH, action, np.int32))
    found = gradients_of(agent, problem)
    for name in ("dense3/kernel", "dense3/bias"):
        other = assert_form(name, found[name], SHAPES[name])[..., 1 - action]
        assert_equal(f"the gradient for {name} of the other action", other, np.zeros_like(other))


def self_chasing_problem(seed, steps=None):
    """Return a problem in which each greedy action leads back to its state, so that y is the action's value plus 1.

    If the gradient flowed through y, the two values would cancel and nothing would be learnt.
    """
    problem = problems.q_learning_of(MODEL, seed, steps=steps)
    states = problem.transitions.states if steps is None else np.repeat(problem.transitions.states[:1], steps, axis=0)
    flat = to_float64(states.reshape(-1, 4))
    actions = q_learning.greedy(MODEL, to_float64(problem.parameters), flat).reshape(states.shape[:-1]).astype(np.int32)
    ones = np.ones(actions.shape, np.float32)
    return problem._replace(transitions=Transitions(states, actions, ones, states.copy(), 0 * ones))


@claim("q_learning.target-held-fixed")
@few_examples(8)
@given(seed=seeds())
def test_target_held_fixed(agent, seed):
    problem, expected, bounds = solve(self_chasing_problem(seed), loss_and_gradients(MODEL))
    # Each value is 1 below its y, so the gradient of a bias is -2 times the share of its action.
    shares = np.bincount(problem.transitions.actions, minlength=2) / BATCH
    assert np.allclose(expected["dense3/bias"], -2 * shares)
    assert_close("loss_and_gradients", gradients_of(agent, problem), {name: expected[name] for name in SHAPES}, bounds)


@claim("q_learning.gradient-is-averaged")
@few_examples(8)
@given(seed=seeds())
def test_gradient_is_averaged(agent, seed):
    problem, expected, bounds = solve(q_network_problem(seed), loss_and_gradients(MODEL))
    twice = problem._replace(transitions=Transitions(*(np.concatenate([one, one]) for one in problem.transitions)))
    assert_close("loss_and_gradients of every transition twice", gradients_of(agent, twice), expected, bounds)


@cache_by_precision
def trajectory_case(seed, *, adam=Adam.BEFORE_CORRECTION):
    """Return a problem of five batches and its solution."""
    problem = problems.q_learning_of(MODEL, seed, steps=5, adam=adam)
    return solve_training(problem, adam=adam)


@claim("q_learning.trajectory")
@few_examples(2)
@given(seed=seeds())
def test_trajectory(agent, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        assert_close(
            "learn, after 5 steps", learn_batches(agent, problem), {name: expected[name] for name in SHAPES}, bounds
        )

    permitted(either_adam(check))


@claim("q_learning.trajectory-losses")
@few_examples(2)
@given(seed=seeds())
def test_trajectory_losses(agent, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        assert_close("learn", learn_batches(agent, problem), {"losses": expected["losses"]}, bounds)

    # Beside losses of about 100, the effect of Adam's epsilon is too small to see.
    permitted(either_adam(check), alike=True)


@claim("q_learning.target-moves")
@few_examples(2)
@given(seed=seeds())
def test_target_moves(agent, permitted, seed):
    # However the values change, y stays 1 above them. A target that were computed only once would be reached.
    def check(adam):
        problem, expected, bounds = solve_training(self_chasing_problem(seed, steps=5), adam=adam)
        assert_close("learn", learn_batches(agent, problem), {"losses": expected["losses"]}, bounds)

    permitted(either_adam(check), alike=True)


@claim("q_learning.every-parameter-learns")
def test_every_parameter_learns(agent, seed):
    problem, *_ = trajectory_case(seed)
    last = learn_batches(agent, problem)
    assert [name for name in SHAPES if (last[name] == problem.parameters[name]).all()] == []


@claim("q_learning.learning-lowers-the-loss")
def test_learning_lowers_the_loss(agent, seed):
    transitions = q_network_problem(seed).transitions._replace(
        rewards=np.full(BATCH, FAILURE_REWARD, np.float32), dones=np.ones(BATCH, np.float32)
    )
    again = Transitions(*(np.repeat(values[None], 100, axis=0) for values in transitions))
    losses = learn_batches(agent, q_network_problem(seed)._replace(transitions=again))["losses"]
    assert losses[-1] < losses[0], f"100 steps change the loss from {losses[0]} to {losses[-1]}"


# Number of episodes of a short training.
SHORT_TRAINING = 12
SHORTEST = cart_pole.shortest_length()


def fit(agent, seed, **changes):
    """Train for a few episodes with the document's hyperparameters."""
    return agent_training.train(agent, threshold("agent").recipe | {"num_episodes": SHORT_TRAINING} | changes, seed)


@pytest.fixture(scope="module")
def few_episodes(agent, seed, compute_once):
    """Return scores, losses and parameters of a training of a few episodes."""
    return compute_once("few_episodes", lambda: fit(agent, seed))


@claim("q_learning.training-moves-every-parameter")
def test_training_moves_every_parameter(agent, seed, few_episodes):
    short = fit(agent, seed, num_episodes=1, max_len_episode=SHORTEST)
    assert len(short["losses"]) == 0, f"a learning step takes place after {SHORTEST} transitions, fewer than a batch"
    unmoved = [name for name in SHAPES if (short["parameters"][name] == few_episodes["parameters"][name]).all()]
    assert unmoved == [], f"training does not change {unmoved}"


@claim("q_learning.score-per-episode")
def test_score_per_episode(few_episodes):
    scores = few_episodes["scores"]
    # No sequence of actions makes the pole fall in fewer steps. The printed number of the first step is 0.
    assert scores.min() >= SHORTEST - 1, f"an episode has a score of {scores.min()}"


@claim("q_learning.one-step-per-transition", "q_learning.printed-score", "q_learning.end-is-not-learnt-at-once")
def test_one_step_per_transition(few_episodes):
    scores, losses = few_episodes["scores"], few_episodes["losses"]
    # Episodes end by failure or by the limit of CartPole, never by that of the training loop.
    steps = count_learning_steps(scores, BATCH, MAX_EPISODE_STEPS + 1)
    assert len(losses) == steps, f"there are {len(losses)} losses, expected {steps} by the scores {scores.tolist()}"


@claim("q_learning.left-is-not-ended", "q_learning.first-transitions")
def test_left_is_not_ended(agent, seed):
    # No episode can end in failure so early.
    length = SHORTEST - 1
    found = fit(agent, seed, max_len_episode=length)
    assert found["scores"].tolist() == [length - 1] * SHORT_TRAINING, f"the scores are {found['scores'].tolist()}"
    steps = SHORT_TRAINING * length - (BATCH - 1)
    assert len(found["losses"]) == steps, (
        f"after {SHORT_TRAINING * length} transitions there are {len(found['losses'])} losses, expected {steps}"
    )


@claim("q_learning.limit-comes-first")
def test_limit_comes_first(environments):
    limit = environments.cart_pole()[3]
    assert limit == MAX_EPISODE_STEPS < DOCUMENT["max_len_episode"], f"the limit is {limit}"


@claim("q_learning.new-agents-differ")
def test_new_agents_differ(agent, seed, few_episodes):
    other = fit(agent, seed + 1)["scores"].tolist()
    assert few_episodes["scores"].tolist() != other, f"the seeds {seed} and {seed + 1} give the same scores"


@claim("q_learning.greedy-play")
def test_greedy_play(agent, seed):
    # A second episode that went on from the last state of the first would end within 320 steps.
    returns = agent.play(linear_values(CREEPING, offset=0.5), 2, seed)
    assert_equal("the returns", returns, np.full(2, MAX_EPISODE_STEPS))


@claim("q_learning.opposite-play")
def test_opposite_play(agent, seed):
    returns = assert_form("the returns", agent.play(linear_values(-BALANCING), 5, seed), (5,))
    assert (returns < 1 / cart_pole.TIME_STEP).all(), f"the returns are {returns.tolist()}"


def train_by_recipe(agent, compute_once, name, seed):
    """Train by the recipe of a threshold; each training runs once in a run of the suite."""
    return compute_once(f"{name}-{seed}", lambda: agent_training.train(agent, threshold(name).recipe, seed))


@claim("q_learning.learns-soon")
def test_learns_soon(agent, seed, evidence, compute_once):
    assert_learns("agent_short", partial(train_by_recipe, agent, compute_once, "agent_short"), seed, evidence)


@claim("q_learning.random-play-does-not-pass")
@pytest.mark.parametrize("name", ["agent_short", "agent"])
def test_random_play_does_not_pass(seed, name):
    known = threshold(name)
    trainings = 100
    lengths = cart_pole.random_lengths(trainings * known.recipe["num_episodes"], seed).reshape(trainings, -1)
    best = max(best_stretch(one - 1) for one in lengths)
    lower = known.worst("best_stretch").lower
    assert best < lower, (
        f"the best of {trainings} trainings by random play reaches {best}, and the threshold is {lower}"
    )


@claim("q_learning.learns")
def test_learns(agent, seed, evidence, compute_once):
    assert_learns("agent", partial(train_by_recipe, agent, compute_once, "agent"), seed, evidence)
