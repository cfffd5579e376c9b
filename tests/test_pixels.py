"""Learning from pixels: lines 766 to 775 of the document."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from assay.spec.error_bounds import image_rounding, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import convolution, layers, q_learning
from assay.spec.semantics import models as definition
from assay.spec.semantics.q_learning import Transitions
from assay.testing import initial_parameters, problems
from assay.testing.assertions import (
    assert_close,
    assert_equal,
    assert_form,
    assert_has,
    assert_within,
    claim,
    few_examples,
)
from assay.testing.counts import assert_share
from assay.testing.draws import chance_of_each_count, chance_of_lags
from assay.testing.handcrafted_values import constant_values, values_of_brightness
from assay.testing.networks import assert_dense, either_adam, outputs_of, reorder_arrays
from assay.testing.problems import GAMMA, LEARNING_RATE, Problem
from assay.testing.q_networks import learn_batches, solve_training
from assay.testing.seeds import assert_told_apart, confusable_seeds, similar_seeds
from assay.testing.stored_arrays import assert_results_are_new, map_arrays, reverse_names
from assay.testing.strategies import seeds
from assay.testing.thresholds import FALSE_ALARM

MODEL = "q_cnn"
NAMES = ["conv1", "conv2", "flatten", "dense1", "dense2"]
SHAPES = definition.MODELS[MODEL].shapes
BYTE, INT = np.dtype(np.uint8), np.dtype(np.int32)
# Sizes of the game's frames and of the network's inputs, and the number of frames of a state.
SCREEN, SIZE, FRAMES = (210, 160), (84, 84), 4
# Sizes of small frames, and of the resized ones: smaller, larger, the same, and with only one side of the same length.
SIZES = (((7, 5), (4, 3)), ((4, 6), (9, 8)), ((5, 5), (5, 5)), ((4, 7), (4, 5)), ((6, 3), (9, 3)))
# Both colours have the same luma, since 299 * 252 + 114 * 235 = 587 * 174.
MAGENTA, GREEN = (252, 0, 235), (0, 174, 0)
BRICK, BALL, PADDLE = (200, 72, 72), (236, 236, 236), (66, 158, 130)


@st.composite
def cases(draw):
    """Draw frames, uint8 [3, height, width, 3], and a size."""
    old, new = draw(st.sampled_from(SIZES))
    return draw(hnp.arrays(np.uint8, (3, *old, 3))), new


def stack_frames(agent, frames, size):
    """Stack frames to a state, and check its form."""
    return assert_form("stack_frames", agent.stack_frames(frames, size), (*size, len(frames)))


def state_bound(frames, size):
    """Bound the rounding errors of a state: those of the luma, of resizing and of scaling."""
    return rounding.gamma(6) + image_rounding.resize(q_learning.luma(frames), size)


def assert_stacked(agent, frames, size):
    """Compare a state with the definition."""
    expected = q_learning.stack_frames(frames, size)
    assert_within("stack_frames", stack_frames(agent, frames, size), expected, state_bound(frames, size))


@claim("pixels.grey")
@given(frames=hnp.arrays(np.uint8, (2, 3, 4, 3)))
def test_grey(agent, frames):
    assert_stacked(agent, frames, (3, 4))


@claim("pixels.colour-is-removed")
def test_colour_is_removed(agent):
    frames = np.empty((2, 4, 4, 3), np.uint8)
    frames[:] = np.reshape([MAGENTA, GREEN], (2, 1, 1, 3))
    found = stack_frames(agent, frames, (4, 4))
    assert_within("the green frame", found[..., 1], to_float64(found[..., 0]), 2 * state_bound(frames, (4, 4))[..., 0])


@claim("pixels.grey-stays")
@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_grey_stays(agent, value):
    frames = np.full((1, *SCREEN, 3), value, np.uint8)
    found = stack_frames(agent, frames, SCREEN)
    assert_within("a grey frame", found, np.full((*SCREEN, 1), value / 255), state_bound(frames, SCREEN))


@claim("pixels.stack-shape")
@pytest.mark.parametrize("count", [1, FRAMES])
@pytest.mark.parametrize("size", [SCREEN, SIZE])
def test_stack_shape(agent, count, size):
    stack_frames(agent, np.zeros((count, *SCREEN, 3), np.uint8), size)


@claim("pixels.stack-order")
@given(case=cases())
def test_stack_order(agent, case):
    frames, size = case
    together, bound = stack_frames(agent, frames, size), state_bound(frames, size)
    for number, frame in enumerate(frames):
        alone = to_float64(stack_frames(agent, frame[None], size)[..., 0])
        assert_within(f"channel {number}", together[..., number], alone, 2 * bound[..., number])


@claim("pixels.stack-order")
def test_stack_order_of_many(agent, seed):
    frames = np.random.default_rng(seed).integers(0, 256, (11, 7, 5, 3), np.uint8)
    assert_stacked(agent, frames, (4, 3))


def ball_at(*columns):
    """Return a frame with a ball for each of these columns."""
    frames = np.zeros((len(columns), *SCREEN, 3), np.uint8)
    for frame, column in zip(frames, columns, strict=True):
        frame[100:104, column : column + 2] = BALL
    return frames


FROM_LEFT, FROM_RIGHT = ball_at(70, 75, 80), ball_at(90, 85, 80)


@claim("pixels.motion-is-lost-in-one-frame")
def test_motion_is_lost_in_one_frame(agent):
    left, right = (stack_frames(agent, frames[-1:], SIZE) for frames in (FROM_LEFT, FROM_RIGHT))
    assert_equal("the state of the ball from the right", right, left)


@claim("pixels.motion-is-seen-in-several")
def test_motion_is_seen_in_several(agent):
    left, right = (stack_frames(agent, frames, SIZE) for frames in (FROM_LEFT, FROM_RIGHT))
    assert (left != right).any(), "both states are the same"


@claim("pixels.resized")
@given(case=cases())
def test_resized(agent, case):
    assert_stacked(agent, *case)


@claim("pixels.resized-screen")
@pytest.mark.parametrize("size", [SIZE, (110, 84), (42, 20)], ids=["84x84", "110x84", "42x20"])
def test_resized_screen(agent, seed, size):
    frames = np.random.default_rng(seed).integers(0, 256, (2, *SCREEN, 3), np.uint8)
    assert_stacked(agent, frames, size)


@claim("pixels.resized-even")
@given(value=st.integers(0, 255), size=st.sampled_from([(1, 1), (3, 8), SIZE]))
def test_resized_even(agent, value, size):
    frames = np.full((1, 7, 5, 3), value, np.uint8)
    found = stack_frames(agent, frames, size)
    assert_within("a frame of one colour", found, np.full((*size, 1), value / 255), state_bound(frames, size))


@claim("pixels.objects-survive")
@pytest.mark.parametrize(
    ("rows", "columns", "colour"),
    [((57, 63), (8, 16), BRICK), ((100, 104), (80, 82), BALL), ((189, 193), (70, 86), PADDLE)],
    ids=["brick", "ball", "paddle"],
)
def test_objects_survive(agent, rows, columns, colour):
    frames = np.zeros((1, *SCREEN, 3), np.uint8)
    frames[:, slice(*rows), slice(*columns)] = colour
    assert stack_frames(agent, frames, SIZE).max() > 0, "the object has disappeared"


# Cached, since several tests share a problem.
problem_of = cache(lambda seed: problems.q_learning_of(MODEL, seed, batch=1))


def run(models, problem):
    """Run the network on the states of a problem, and check the names of its layers."""
    return outputs_of(models, problem.on_states, NAMES)


@claim("pixels.cnn-layers")
def test_cnn_layers(models, seed):
    assert list(run(models, problem_of(seed))) == NAMES


@claim("pixels.cnn-value-per-action")
def test_cnn_value_per_action(models, seed):
    assert_form("dense2", run(models, problem_of(seed))["dense2"], (1, 4))


KERNEL_BIAS = ("kernel", "bias")


@claim("pixels.cnn-output")
@few_examples(2)
@given(seed=seeds())
def test_cnn_output(models, seed):
    problem = problem_of(seed).on_states
    found = {"states": problem.inputs, **outputs_of(models, problem, NAMES)}
    for name, before in (("conv1", "states"), ("conv2", "conv1")):
        variables = (to_float64(problem.parameters[f"{name}/{variable}"]) for variable in KERNEL_BIAS)
        arguments = (to_float64(found[before]), *variables)
        places = {"strides": definition.Q_CNN_STRIDES[name], "activation": "relu"}
        bound = image_rounding.conv2d(*arguments, **places, padding="valid")
        assert_within(name, found[name], convolution.conv2d(*arguments, **places), bound)
    assert_equal("flatten", found["flatten"], layers.flatten(found["conv2"]))
    assert_dense(found, problem, "dense1", "flatten", "relu")
    assert_dense(found, problem, "dense2", "dense1")


@claim("pixels.cnn-output")
def test_cnn_output_of_any_numbers(models, seed):
    # Pixels that are not scaled, and negative ones.
    problem = problem_of(seed).on_states
    problem = problem._replace(inputs=255 * problem.inputs - 100)
    arguments = [to_float64(problem.inputs), *(to_float64(problem.parameters[f"conv1/{one}"]) for one in KERNEL_BIAS)]
    places = {"strides": definition.Q_CNN_STRIDES["conv1"], "activation": "relu", "padding": "valid"}
    found = outputs_of(models, problem, NAMES)["conv1"]
    assert_within("conv1", found, convolution.conv2d(*arguments, **places), image_rounding.conv2d(*arguments, **places))


@claim("pixels.cnn-sees-motion")
def test_cnn_sees_motion(models, agent, seed):
    parameters = models.initial_parameters(MODEL, seed)
    forwards = ball_at(60, 70, 80, 90)
    states = np.stack([stack_frames(agent, frames, SIZE) for frames in (forwards, forwards[::-1].copy())])
    one, other = models.layer_outputs(MODEL, parameters, states)["dense2"]
    assert (one != other).any(), f"both states have the values {one.tolist()}"


@claim("pixels.cnn-parameters")
def test_cnn_parameters(models, seed):
    initial = models.initial_parameters(MODEL, seed)
    assert {name: values.shape for name, values in initial.items()} == SHAPES


@cache
def new_parameters(models, seed):
    """Return the parameters of a new network."""
    return models.initial_parameters(MODEL, seed)


@claim("pixels.cnn-initial-parameters")
def test_cnn_initial_parameters(models, seed):
    initial_parameters.assert_new(MODEL, new_parameters(models, seed))


@claim("pixels.cnn-initial-seed")
def test_cnn_initial_seed(models, seed):
    again = models.initial_parameters(MODEL, seed)
    for name, value in new_parameters(models, seed).items():
        assert_equal(f"{name} of a second network with the same seed", again[name], value)
    assert_results_are_new("initial_parameters", models.initial_parameters, (MODEL, seed))
    pair = seed, seed + 1
    initial_parameters.assert_all_differ(*(new_parameters(models, one) for one in pair), pair)
    assert_told_apart("kernels", confusable_seeds(seed), lambda one: new_parameters(models, one)["conv1/kernel"])


@claim("pixels.cnn-initial-weights-differ")
def test_cnn_initial_weights_differ(models, seed):
    initial_parameters.assert_fine(new_parameters(models, seed))
    initial_parameters.assert_distinct(new_parameters(models, seed))
    initial_parameters.assert_unrelated(new_parameters(models, seed))
    initial_parameters.assert_unrelated_to(new_parameters(models, seed), new_parameters(models, seed + 1))


@claim("pixels.cnn-greedy")
@pytest.mark.parametrize("best", range(4))
def test_cnn_greedy(agent, seed, best):
    parameters = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    parameters["dense2/bias"][best] = 1
    found = agent.act(MODEL, parameters, problem_of(seed).transitions.states, 0.0, seed)
    assert_equal("the greedy action", found, np.array([best]), INT)


def in_both_orders(*arguments):
    """Yield arguments as they are, and with parameters in reverse order and arrays transposed in memory."""
    yield "parameters and arrays in their usual order", arguments
    yield (
        "parameters in reverse order, arrays transposed in memory",
        [reverse_names(map_arrays(np.asfortranarray, one)) for one in arguments],
    )


class Bests(NamedTuple):
    """Best actions of each kind of state, and of given states."""

    order: np.ndarray
    of_states: np.ndarray


# Brightness of the frames of each kind of state, in any order. The means are 0, 1 / 3, 2 / 3 and 1.
BRIGHTNESS = np.array([[0, 0, 0, 0], [0, 0, 1 / 3, 1], [0, 2 / 3, 1, 1], [1, 1, 1, 1]], np.float32)


def grey_states(seed):
    """Return states of uniformly grey frames, of four kinds, each with a different best action."""
    generator = np.random.default_rng(seed)
    order, kinds = generator.permutation(4), np.concatenate([generator.permutation(4), generator.integers(0, 4, 63)])
    frames = generator.permuted(BRIGHTNESS[kinds], axis=1)
    states = np.broadcast_to(frames[:, None, None], (len(kinds), *SIZE, FRAMES)).copy()
    return states, Bests(order, order[kinds])


@claim("pixels.cnn-greedy-of-each")
def test_cnn_greedy_of_each(agent, seed):
    states, bests = grey_states(seed)
    for order, arguments in in_both_orders(values_of_brightness(bests.order), states):
        found = agent.act(MODEL, *arguments, 0.0, seed)
        assert_equal(f"the greedy actions, {order}", found, bests.of_states, INT)


@claim("pixels.cnn-explores")
def test_cnn_explores(agent, seed):
    count, states = 128, np.zeros((128, *SIZE, FRAMES), np.float32)
    parameters = constant_values(0, 0, 0, 1)
    actions = agent.act(MODEL, parameters, states, 1.0, seed)
    counts = np.bincount(assert_form("act", actions, (count,), INT), minlength=4).tolist()
    probability = chance_of_each_count(counts, np.ones(4))
    assert probability > FALSE_ALARM, f"four actions are drawn {counts} times: a probability of {probability:.3g}"
    probability = chance_of_lags(actions, 4, range(1, 8))
    assert probability > FALSE_ALARM, f"actions depend on earlier ones: a probability of {probability:.3g}"
    others = (agent.act(MODEL, parameters, states, 0.5, seed) < 3).sum()
    assert_share("actions, with an epsilon of 0.5, are not the greedy one", others, count, 3 / 8)


@claim("pixels.cnn-explores-by-seed")
def test_cnn_explores_by_seed(agent, seed):
    # Two such sequences are equal with a probability of 4^-24.
    states, parameters = np.zeros((24, *SIZE, FRAMES), np.float32), constant_values(0, 0, 0, 1)

    def act(number):
        return agent.act(MODEL, parameters, states, 1.0, number)

    assert_equal("the actions with the same seed", act(seed), act(seed), INT)
    assert_told_apart("actions", similar_seeds(seed), act)


@claim("pixels.cnn-values-each-state")
def test_cnn_values_each_state(models, seed):
    states, bests = grey_states(seed)
    found = models.layer_outputs(MODEL, values_of_brightness(bests.order), states)["dense2"]
    assert_equal("the actions with the largest values", found.argmax(axis=-1), bests.of_states, np.dtype(np.int64))


# Fraction of a kernel's elements that are 1 or -1; the others are 0. With the biases, no input of a ReLU is 0.
SHARES = {"conv1": 1 / 16, "conv2": 1 / 16, "dense1": 1 / 256, "dense2": 1 / 4}
GAMMA_OF_EXACT = 0.5
BIASES = {"conv1": 1 / 2, "conv2": 1 / 4, "dense1": 1 / 8, "dense2": 0}


@cache
def exact_problem(seed):
    """Return parameters and transitions with so few significant bits that no operation rounds."""
    generator, count = np.random.default_rng(seed), 4
    parameters = {name: np.full(shape, BIASES[name.split("/")[0]], np.float32) for name, shape in SHAPES.items()}
    for layer, share in SHARES.items():
        kernel = generator.choice([-1, 0, 1], SHAPES[f"{layer}/kernel"], p=[share / 2, 1 - share, share / 2])
        parameters[f"{layer}/kernel"] = kernel.astype(np.float32)
    states, next_states = generator.integers(0, 2, (2, count, *SIZE, FRAMES)).astype(np.float32)
    actions, dones = generator.permutation(4).astype(np.int32), np.array([0, 1, 0, 0], np.float32)
    errors = generator.permutation([-1, -1 / 2, 1 / 2, 1])
    exact = {name: to_float64(value) for name, value in parameters.items()}
    values, ahead = (q_learning.q_values(MODEL, exact, to_float64(of)) for of in (states, next_states))
    rewards = values[np.arange(count), actions] - errors - GAMMA_OF_EXACT * ahead.max(axis=-1) * (1 - dones)
    return parameters, Transitions(states, actions, rewards.astype(np.float32), next_states, dones)


def to_exact(problem):
    """Return the parameters and transitions of a problem in float64."""
    parameters, transitions = problem
    return {name: to_float64(value) for name, value in parameters.items()}, Transitions(*map(to_float64, transitions))


@claim("pixels.cnn-target")
def test_cnn_target(agent, seed):
    problem = exact_problem(seed)
    expected = q_learning.targets(MODEL, *to_exact(problem), GAMMA_OF_EXACT)
    for order, arguments in in_both_orders(*problem):
        assert_equal(f"y, {order}", agent.targets(MODEL, *arguments, GAMMA_OF_EXACT), expected)


@claim("pixels.cnn-gradients")
def test_cnn_gradients(agent, seed):
    problem = exact_problem(seed)
    expected, slopes = q_learning.loss_and_gradients(MODEL, *to_exact(problem), GAMMA_OF_EXACT)
    for order, arguments in in_both_orders(*problem):
        loss, gradients = agent.loss_and_gradients(MODEL, *arguments, GAMMA_OF_EXACT)
        assert_equal(f"the loss, {order}", np.asarray(loss), np.asarray(expected))
        assert_has(f"loss_and_gradients, {order},", gradients, slopes)
        for name, expected_gradient in slopes.items():
            assert_equal(f"the gradient for {name}, {order}", gradients[name], expected_gradient)


@claim("pixels.cnn-memory-order")
def test_cnn_memory_order(models, seed):
    # All sums are exact, whatever the order of summation.
    parameters, transitions = exact_problem(seed)
    expected = to_float64(models.layer_outputs(MODEL, parameters, transitions.states)["dense2"])
    for order, one in reorder_arrays(Problem(MODEL, parameters, transitions.states, transitions.rewards)):
        found = models.layer_outputs(MODEL, one.parameters, one.inputs)["dense2"]
        assert_equal(f"dense2, arrays {order}", found, expected)


@claim("pixels.cnn-loss-of-each-action")
@pytest.mark.parametrize("best", range(4))
def test_cnn_loss_of_each_action(agent, seed, best):
    # All numbers have so few significant bits that no operation rounds.
    generator, count = np.random.default_rng(seed), 8
    states = np.ones((count, *SIZE, FRAMES), np.float32)
    actions, dones = generator.permutation(count).astype(np.int32) % 4, np.arange(count, dtype=np.float32) % 2
    rewards = generator.integers(-10, 10, count).astype(np.float32)
    values = np.roll([3.0, -2.0, 0.5, 1.0], best)
    problem = constant_values(*values), Transitions(states, actions, rewards, states, dones)
    y = rewards + 0.5 * values[best] * (1 - dones)
    errors = values[actions] - y
    assert_equal("y", agent.targets(MODEL, *problem, 0.5), y)
    loss, gradients = agent.loss_and_gradients(MODEL, *problem, 0.5)
    assert_equal("the loss", np.asarray(loss), np.mean(errors**2))
    expected = np.bincount(actions, 2 * errors / count, minlength=4)
    assert_equal("the gradient for dense2/bias", gradients["dense2/bias"], expected)


@claim("pixels.cnn-every-parameter-learns")
def test_cnn_every_parameter_learns(agent, seed):
    generator, shape = np.random.default_rng(seed), (1, 2)
    states, next_states = (generator.random((*shape, *SIZE, FRAMES), np.float32) for _ in range(2))
    actions, dones = np.array([[0, 3]], np.int32), np.ones(shape, np.float32)
    transitions = Transitions(states, actions, np.full(shape, -10, np.float32), next_states, dones)
    before = problems.parameters(MODEL, generator)
    _, last = agent.learn(MODEL, before, transitions, learning_rate=LEARNING_RATE, gamma=GAMMA)
    assert [name for name in SHAPES if (last[name] == before[name]).all()] == []


@claim("pixels.cnn-learns")
def test_cnn_learns(agent, permitted, seed):
    problem = problems.q_learning_of(MODEL, seed, batch=2, steps=1)

    def check(adam):
        _, expected, bounds = solve_training(problem, adam=adam)
        assert_close("learn", learn_batches(agent, problem), expected, bounds)

    permitted(either_adam(check))


# Number of steps, enough for the ball to move after it is served.
PLAYED = 40
FIRE = 1


@pytest.fixture(scope="module")
def game(environments, seed):
    """Return an episode of Breakout in which the ball is served and the paddle moves at random."""
    if not environments.has_breakout():
        pytest.skip("not run: ale-py, which has the game, is not installed")
    actions = np.random.default_rng(seed).integers(0, 4, PLAYED, np.int32)
    actions[0] = FIRE
    return actions, environments.breakout(actions, seed)


@claim("pixels.breakout-frames")
def test_breakout_frames(game):
    frames = assert_form("the frames", game[1][0], (PLAYED + 1, *SCREEN, 3), BYTE)
    assert frames.max() > frames.min()
    # The upper bricks and the paddle are red.
    red = (frames == BRICK).all(axis=-1).any(axis=(1, 2))
    assert red.all(), f"{(~red).sum()} of {len(frames)} frames have no pixel of {BRICK}, the red of the upper bricks"


@claim("pixels.breakout-actions")
def test_breakout_actions(environments, game):
    assert list(environments.breakout_actions()) == ["NOOP", "FIRE", "RIGHT", "LEFT"]


@claim("pixels.frames-change")
def test_frames_change(game):
    frames = game[1][0]
    assert (frames[1:] != frames[:-1]).any(axis=(1, 2, 3)).mean() > 1 / 2, "most frames equal the one before"


@claim("pixels.plays-the-game")
def test_plays_the_game(agent, models, game, seed):
    actions, (frames, rewards, terminated, _) = game
    states = np.stack([stack_frames(agent, frames[end - FRAMES : end], SIZE) for end in range(FRAMES, PLAYED + 2)])
    parameters = models.initial_parameters(MODEL, seed)
    chosen = assert_form("act", agent.act(MODEL, parameters, states, 0.5, seed), (len(states),), INT)
    assert set(chosen.tolist()) <= set(range(4))
    taken = slice(FRAMES - 1, None)
    transitions = Transitions(states[:-1], actions[taken], rewards[taken], states[1:], terminated[taken].astype("f4"))
    batches = Transitions(*(values[None, :2] for values in transitions))
    losses, last = agent.learn(MODEL, parameters, batches, learning_rate=LEARNING_RATE, gamma=GAMMA)
    assert_form("the losses", losses, (1,))
    assert [name for name in SHAPES if not np.isfinite(last[name]).all()] == []
    assert (last["dense2/bias"] != parameters["dense2/bias"]).any(), "the output biases have not changed"
