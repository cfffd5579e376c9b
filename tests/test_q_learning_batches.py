"""Batches of the replay buffer, and learning steps with given batches: lines 751 to 764 of the document."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import PERMUTATIONS, bounds_over, root_mean_square, to_float64
from assay.spec.semantics import models as definition
from assay.spec.semantics import optimizers, q_learning
from assay.spec.semantics.q_learning import Transitions
from assay.testing import problems
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_has, assert_within, claim
from assay.testing.counts import assert_share
from assay.testing.draws import chance_of_each_count
from assay.testing.handcrafted_values import BALANCING, constant_values, linear_values
from assay.testing.q_networks import learn_batches, solve_training
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import assert_reads_values, assert_results_stay, memory_orders, reverse_names
from assay.testing.thresholds import FALSE_ALARM

MODEL = "q_network"
SHAPES = definition.MODELS[MODEL].shapes
# Larger than the usual block sizes, and not a multiple of them.
ODD = 131


def numbered_transitions(count):
    """Return transitions with the rewards 0, 1 and so on."""
    number = np.arange(count, dtype=np.float32)
    states = np.tile(number[:, None], 4)
    return Transitions(states, number.astype(np.int32) % 2, number, states, number % 2)


@claim("q_learning.sample-pairs-evenly")
def test_sample_pairs_evenly(agent, seed):
    # The buffer is so small that every pair can be counted. Consecutive seeds must draw all pairs equally often.
    count, batches = 8, 600
    given = numbered_transitions(count)
    pairs = [*combinations(range(count), 2)]
    drawn = (agent.sample(given, 2, batches * seed + number)[2] for number in range(batches))
    found = [tuple(sorted(batch.astype(int).tolist())) for batch in drawn]
    counts = [found.count(pair) for pair in pairs]
    assert sum(counts) == batches, "a batch has a transition twice"
    probability = chance_of_each_count(counts, np.ones(len(pairs)))
    assert probability > FALSE_ALARM, (
        f"pairs of {count} transitions are drawn as unevenly as {dict(zip(pairs, counts, strict=True))} with a"
        f" probability of {probability:.3g}"
    )


@claim("q_learning.sample-pairs-evenly")
def test_sample_neighbours_evenly(agent, seed):
    # A sampler that replaces a repeated number by the next free one draws neighbours together too often. Of the 120
    # subsets of seven out of a ring of ten, 10 consist of neighbours. With such a rule, a quarter of all batches do.
    count, taken, batches = 10, 7, 200
    given = numbered_transitions(count)
    rings = [{(first + step) % count for step in range(taken)} for first in range(count)]
    drawn = (agent.sample(given, taken, batches * seed + number)[2] for number in range(batches))
    found = sum({*batch.astype(int).tolist()} in rings for batch in drawn)
    assert_share("batches of seven out of ten are neighbours", found, batches, count / comb(count, taken))


@claim("q_learning.sample-by-seed")
def test_sample_by_seed(agent, seed):
    one, again = (agent.sample(numbered_transitions(100), 32, seed)[2] for _ in range(2))
    assert_equal("the batch with the same seed", again, one)
    assert_told_apart(
        "batches", confusable_seeds(seed), lambda number: agent.sample(numbered_transitions(100), 32, number)[2]
    )


def frame_transitions(seed, count):
    """Draw transitions whose states are stacks of frames."""
    generator, shape = np.random.default_rng(seed), (3, 2, 4)
    return Transitions(
        generator.random((count, *shape), np.float32),
        # Distinct numbers, by which a transition is identified. Other environments have many actions.
        generator.choice(1_000, count, replace=False).astype(np.int32),
        generator.normal(size=count).astype(np.float32),
        generator.random((count, *shape), np.float32),
        generator.integers(0, 2, count).astype(np.float32),
    )


@claim("q_learning.sample-of-frames")
def test_sample_of_frames(agent, seed):
    given = frame_transitions(seed, 40)
    batch = Transitions(*agent.sample(given, 9, seed))
    drawn = [int(np.flatnonzero(given.actions == action)[0]) for action in batch.actions if action in given.actions]
    assert len(set(drawn)) == 9, f"the actions {batch.actions.tolist()} are not those of nine transitions"
    for name, values, whole in zip(Transitions._fields, batch, given, strict=True):
        assert_equal(f"{name} of frames", values, whole[drawn], whole.dtype)


@claim("q_learning.replay-of-frames")
def test_replay_of_frames(agent, seed):
    size, given = 3, frame_transitions(seed, 7)
    for name, values, whole in zip(Transitions._fields, agent.replay(size, given), given, strict=True):
        assert_equal(f"{name} of frames", values, whole[-size:], whole.dtype)


def arbitrary_problem(seed, count):
    """Draw transitions with unrelated rewards and done flags, and parameters whose best values have both signs."""
    problem = problems.q_learning_of(MODEL, seed, batch=count)
    generator = np.random.default_rng(seed)
    changed = problem.transitions._replace(
        rewards=generator.uniform(-20, 20, count).astype(np.float32),
        dones=generator.integers(0, 2, count).astype(np.float32),
    )
    return problem._replace(transitions=changed)


@claim("q_learning.targets-of-any-batch")
@pytest.mark.parametrize("count", [1, 7, ODD])
def test_targets_of_any_batch(agent, seed, count):
    transitions = arbitrary_problem(seed, count).transitions
    # Opposite states have different best actions. Seven states drawn independently have the same one in 1 of 64 runs.
    transitions.next_states[1:2] = -transitions.next_states[:1]
    # Values near -5, where each action is the best one in about half of the states.
    parameters, gamma = linear_values([1, 2, 10, 3], -5.0), 0.75
    problem = problems.QProblem(MODEL, parameters, transitions)

    def targets(parameters, *elements):
        return {"y": q_learning.targets(MODEL, parameters, Transitions(*elements), gamma)}

    best = q_learning.greedy(MODEL, to_float64(parameters), to_float64(transitions.next_states))
    assert count == 1 or 0 < best.sum() < count, "all states have the same best action"
    expected, bounds = targets(*map(to_float64, problem.flat)), bounds_over(targets, problem.permutations())
    # A single sum may be nearly exact in every order that is measured. Seven operations round, other than by 0 and 1.
    terms = np.abs(transitions.rewards) + gamma * (np.abs(transitions.next_states) @ [1, 2, 10, 3] + 5)
    bounds["y"] = max(bounds["y"], rounding.gamma(8) * root_mean_square(terms))
    assert_close("targets", {"y": agent.targets(*problem, gamma)}, expected, bounds)


@claim("q_learning.targets-by-the-parameters")
def test_targets_by_the_parameters(agent, seed):
    transitions = arbitrary_problem(seed, 7).transitions._replace(rewards=np.zeros(7, np.float32))
    for best in (3.0, -2.0, 3.0):
        found = agent.targets(MODEL, constant_values(best, best - 1), transitions, 0.5)
        assert_equal("y", found, best / 2 * (1 - transitions.dones))


@claim("q_learning.gradients-of-any-batch")
@pytest.mark.parametrize(
    ("count", "scale", "done"),
    [(7, 1, None), (ODD, 1, None), (7, 100, None), (7, 1, 0), (7, 1, 1), (1, 1, 0)],
    ids=["7", "131", "large", "none-ends", "all-end", "1"],
)
def test_gradients_of_any_batch(agent, seed, count, scale, done):
    problem, gamma = arbitrary_problem(seed, count), 0.75
    transitions = problem.transitions
    dones = transitions.dones if done is None else np.full(count, done, np.float32)
    problem = problem._replace(
        transitions=transitions._replace(rewards=scale * transitions.rewards, dones=dones),
    )

    def loss_and_gradients(parameters, *elements):
        loss, gradients = q_learning.loss_and_gradients(MODEL, parameters, Transitions(*elements), gamma)
        return {"loss": loss, **gradients}

    expected = loss_and_gradients(*map(to_float64, problem.flat))
    # A single error may be nearly exact in a few orders.
    bounds = bounds_over(loss_and_gradients, problem.permutations(PERMUTATIONS if count > 1 else 8 * PERMUTATIONS))
    loss, gradients = agent.loss_and_gradients(*problem, gamma)
    assert_close("loss_and_gradients", {"loss": loss, **gradients}, expected, bounds)


def assert_gradient_of_every_parameter(agent, seed, model, *values):
    """Check that no gradient is absent if all hidden units are 0, so that only that of the last bias is not 0."""
    generator, count = np.random.default_rng(seed), 5
    states = generator.random((count, *problems.Q_STATES[model]), np.float32)
    actions, ones = np.arange(count, dtype=np.int32) % len(values), np.ones(count, np.float32)
    transitions = Transitions(states, actions, -10 * ones, states, ones)
    gradients = agent.loss_and_gradients(model, constant_values(*values), transitions, 0.5)[1]
    shapes = definition.MODELS[model].shapes
    assert_has("loss_and_gradients", gradients, shapes)
    for name, shape in [*shapes.items()][:-1]:
        assert_equal(f"the gradient for {name} of units that are 0", gradients[name], np.zeros(shape))


@claim("q_learning.gradients")
def test_gradient_of_every_parameter(agent, seed):
    assert_gradient_of_every_parameter(agent, seed, MODEL, -2.0, 3.0)


@claim("pixels.cnn-gradients")
def test_cnn_gradient_of_every_parameter(agent, seed):
    assert_gradient_of_every_parameter(agent, seed, "q_cnn", -2.0, 1.0, 0.0, 3.0)


def constant_learning(values, batches, learning_rate, gamma):
    """Learn by the definition with values that are equal in all states, so that only the output biases learn.

    Returns:
        Losses, their bounds, biases after the last step, and the bound of the biases.

    """
    count, biases = len(values), np.array(values, float)
    first, second, bound = np.zeros((3, count))
    losses, limits = [], []
    for number, (actions, rewards, dones) in enumerate(zip(*map(to_float64, batches), strict=True), 1):
        errors = biases[actions] - (rewards + gamma * biases.max() * (1 - dones))
        losses.append(np.mean(errors**2))
        off = 2 * bound.max() + rounding.gamma(4) * (np.abs(rewards).max() + 2 * np.abs(biases).max())
        limits.append(np.mean(off * (2 * np.abs(errors) + off)) + rounding.gamma(len(errors) + 8) * losses[-1])
        gradient = 2 * np.bincount(actions, errors, minlength=count) / len(errors)
        arguments = biases, gradient, first, second, number, learning_rate
        # The factor 2 covers errors of the moments from earlier steps, and of the gradient from the biases.
        bound = bound + 2 * rounding.adam_step(*arguments)[0]
        biases, first, second = optimizers.adam_step(*arguments)
    return np.array(losses), np.array(limits), biases, bound


def assert_learns_constants(agent, seed, model, values, states, learning_rate, gamma):
    """Compare learning with constant values with the definition.

    Args:
        agent: The agent.
        seed: Seed of the rewards.
        model: Name of the model.
        values: Initial value of each action.
        states: States and next states, [2, steps, batch, ...].
        learning_rate: Learning rate.
        gamma: Discount factor.

    """
    _, steps, batch = states.shape[:3]
    # All actions occur in every batch. Rewards lie far below the values, so no gradient is near 0.
    actions = np.tile(np.arange(batch, dtype=np.int32) % len(values), (steps, 1))
    rewards = np.random.default_rng(seed).uniform(-20, -10, (steps, batch)).astype(np.float32)
    dones = np.tile(np.arange(batch) % 3 == 0, (steps, 1)).astype(np.float32)
    given = Transitions(states[0], actions, rewards, states[1], dones)
    # Names identify the parameters, so their order does not matter.
    reverse = reverse_names(constant_values(*values))
    losses, last = agent.learn(model, reverse, given, learning_rate=learning_rate, gamma=gamma)
    expected, limits, biases, bound = constant_learning(values, (actions, rewards, dones), learning_rate, gamma)
    assert_within("the losses", losses, expected, limits)
    shapes = definition.MODELS[model].shapes
    assert_has("learn", last, shapes)
    *_, output_bias = shapes
    assert_within(output_bias, last[output_bias], biases, bound)
    for name in sorted(set(shapes) - {output_bias}):
        assert_equal(name, last[name], np.zeros(shapes[name]))


@claim("q_learning.learns-by-its-arguments")
@pytest.mark.parametrize(
    ("learning_rate", "gamma"),
    [(0.1, 1.0), (0.0003, 0.0), (0.02, 0.5), (0.0, 0.5)],
    ids=["0.1-1", "0.0003-0", "0.02-0.5", "0-0.5"],
)
def test_learns_by_its_arguments(agent, seed, learning_rate, gamma):
    states = np.random.default_rng(seed).uniform(-1, 1, (2, 37, 7, 4)).astype(np.float32)
    assert_learns_constants(agent, seed, MODEL, (-2.0, 3.0), states, learning_rate, gamma)


@claim("q_learning.learns-from-each-batch")
@pytest.mark.parametrize("batch", [1, 7])
def test_learns_from_each_batch(agent, seed, batch):
    # The rewards of the first batch equal the values, so its gradient is 0. Adam counts the step nevertheless.
    values, steps, rate = (-2.0, 3.0), 3, 0.02
    generator = np.random.default_rng(seed)
    states = generator.uniform(-1, 1, (steps, batch, 4)).astype(np.float32)
    actions = np.tile(np.arange(batch, dtype=np.int32) % 2, (steps, 1))
    rewards = generator.uniform(-20, -10, (steps, batch)).astype(np.float32)
    rewards[0] = np.array(values)[actions[0]]
    dones = np.ones((steps, batch), np.float32)
    given = Transitions(states, actions, rewards, states, dones)
    losses, last = agent.learn(MODEL, constant_values(*values), given, learning_rate=rate, gamma=1.0)
    expected, limits, biases, bound = constant_learning(values, (actions, rewards, dones), rate, 1.0)
    assert_within("the losses", losses, expected, limits)
    assert_within("dense3/bias", last["dense3/bias"], biases, bound)


@claim("pixels.cnn-learns-by-its-arguments")
def test_cnn_learns_by_its_arguments(agent, seed):
    states = np.ones((2, 5, 5, *problems.Q_STATES["q_cnn"]), np.float32)
    assert_learns_constants(agent, seed, "q_cnn", (-2.0, 1.0, 0.0, 3.0), states, 0.02, 0.5)


@claim("q_learning.learns-anew")
def test_learns_anew(agent, seed):
    given = problems.q_learning_of(MODEL, seed, steps=5)
    other = given._replace(parameters=constant_values(1, 2))
    results = []
    for problem in (given, other, given):
        losses, last = agent.learn(*problem, learning_rate=0.01, gamma=0.5)
        results.append({"losses": assert_form("the losses", losses, (5,)), **last})
    for name, expected in results[0].items():
        assert_equal(f"{name} of the same learning steps once more", results[2][name], expected)


@claim("q_learning.memory-order")
def test_memory_order_of_transitions(agent, seed):
    assert_reads_values("sample", agent.sample, numbered_transitions(100), 32, seed)
    assert_reads_values("replay", agent.replay, 3, numbered_transitions(5))


@claim("q_learning.memory-order")
def test_memory_order_of_learning(agent, seed):
    problem = problems.q_learning_of(MODEL, seed, steps=5)
    bounds = solve_training(problem).bounds
    for order, views, plain in memory_orders(*problem):
        found, expected = (learn_batches(agent, problems.QProblem(*arguments)) for arguments in (views, plain))
        # Each of the two results has its own rounding errors. Broadcast parameters are equal for all units.
        if "broadcast" not in order:
            assert_close(
                f"learn, arrays {order}", found, to_float64(expected), {name: 2 * bounds[name] for name in bounds}
            )


@claim("q_learning.memory-order")
def test_memory_order_of_gradients(agent, seed):
    # All numbers are small multiples of 1 / 4, so no operation rounds, in whatever order.
    generator, count = np.random.default_rng(seed), 8
    states, next_states = generator.integers(-3, 4, (2, count, 4)).astype(np.float32)
    rewards, dones = generator.integers(-20, 20, count), np.arange(count) % 2
    given = Transitions(
        states, dones.astype(np.int32), *(one.astype(np.float32) for one in (rewards, next_states, dones))
    )
    for name in ("targets", "loss_and_gradients"):
        assert_reads_values(name, getattr(agent, name), MODEL, linear_values(BALANCING, -5.0), given, 0.5)


@claim("q_learning.results-stay")
def test_results_stay(agent, seed):
    one, other = (arbitrary_problem(seed + number, 7) for number in range(2))
    assert_results_stay("replay", agent.replay, (3, one.transitions), (3, other.transitions))
    assert_results_stay("targets", agent.targets, (*one, 0.5), (*other, 0.5))
    assert_results_stay("loss_and_gradients", agent.loss_and_gradients, (*one, 0.5), (*other, 0.5))


@claim("q_learning.results-stay")
def test_results_of_learning_stay(agent, seed):
    calls = [problems.q_learning_of(MODEL, seed + number, steps=5) for number in range(2)]
    assert_results_stay("learn", lambda *problem: learn_batches(agent, problems.QProblem(*problem)), *calls)
