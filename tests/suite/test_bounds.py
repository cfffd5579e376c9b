"""The bounds in both directions: correct float32 stays within them, and less than float32 does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import cart_pole_rounding, image_rounding, measured_bounds, recurrence_rounding, rounding
from assay.spec.error_bounds.measured_bounds import compare_to_bound, to_float64
from assay.spec.semantics import cart_pole, convolution, datasets, layers, losses, normalization, optimizers, recurrence
from assay.spec.semantics.differentiation import vjp
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.products import round_to_format
from assay.spec.semantics.q_learning import Transitions
from assay.spec.semantics.recurrence import State
from assay.testing import problems, q_networks
from assay.testing.assertions import assert_close
from assay.testing.networks import layer_outputs, loss_and_gradients, solve, trajectory
from assay.testing.strategies import LARGEST_EXPONENT, dense_cases, labelled_distributions, matrices, same_shape

FLOAT32 = np.float32


def sequential_dense(case, order):
    """Compute a Dense layer in float32, one product after the other in the given order of the inputs."""
    total = np.zeros((len(case.inputs), case.kernel.shape[1]), FLOAT32)
    for i in order:
        total += case.inputs[:, i : i + 1] * case.kernel[i]
    return total + case.bias


def assert_inside(actual, expected, bound):
    assert (np.abs(actual.astype(np.float64) - expected) <= bound).all()


@given(case=dense_cases(), data=st.data())
def test_dense_in_any_order_is_inside(case, data):
    order = data.draw(st.permutations(range(case.kernel.shape[0])))
    expected, bound = layers.dense(*map(to_float64, case)), rounding.dense(*map(to_float64, case), None)
    assert_inside(sequential_dense(case, order), expected, bound)


@pytest.mark.parametrize("format_", ["tf32", "bfloat16"])
def test_dense_of_fewer_bits_is_outside(format_):
    problem = problems.mlp(0)
    inputs, kernel = layers.flatten(problem.inputs), problem.parameters["dense1/kernel"]
    expected, bound = (
        layers.dense(to_float64(inputs), to_float64(kernel)),
        rounding.dense(to_float64(inputs), to_float64(kernel), None, None),
    )
    assert (np.abs(round_to_format(inputs, format_) @ round_to_format(kernel, format_) - expected) > bound).any()


@given(logits=matrices(LARGEST_EXPONENT))
def test_softmax_without_and_with_shift_is_inside(logits):
    exponentials = np.exp(logits)
    plain = exponentials / exponentials.sum(axis=-1, keepdims=True)
    expected, bound = layers.softmax(to_float64(logits)), rounding.softmax(to_float64(logits))
    assert_inside(plain, expected, bound)
    assert_inside(layers.softmax(logits), expected, bound)


@given(logits=matrices(LARGEST_EXPONENT), temperature=st.sampled_from([0.2, 0.5, 1.0, 1.2, 1000.0]))
def test_both_ways_to_take_a_temperature_are_inside(logits, temperature):
    expected, bound = (
        layers.softmax_with_temperature(to_float64(logits), temperature),
        rounding.softmax_with_temperature(to_float64(logits), temperature),
    )
    assert_inside(layers.softmax_with_temperature(logits, temperature), expected, bound)
    assert_inside(layers.softmax(logits * FLOAT32(1 / FLOAT32(temperature))), expected, bound)


def test_softmax_at_a_temperature_with_fewer_bits_is_outside():
    logits = IMAGES.standard_normal((5, 10)).astype(FLOAT32)
    expected, bound = (
        layers.softmax_with_temperature(to_float64(logits), 0.2),
        rounding.softmax_with_temperature(to_float64(logits), 0.2),
    )
    assert (np.abs(layers.softmax_with_temperature(round_to_format(logits, "tf32"), 0.2) - expected) > bound).any()


@given(values=matrices(LARGEST_EXPONENT))
def test_both_ways_to_write_sigmoid_are_inside(values):
    expected = layers.sigmoid(to_float64(values))
    bound = rounding.sigmoid(expected)
    assert_inside(1 / (1 + np.exp(-values)), expected, bound)
    assert_inside(layers.sigmoid(values), expected, bound)


@given(case=labelled_distributions())
def test_both_ways_to_write_cross_entropy_are_inside(case):
    targets = layers.one_hot(case.labels, case.probabilities.shape[-1])
    expected = losses.categorical_crossentropy(targets, to_float64(case.probabilities))
    bound = rounding.crossentropy(targets, to_float64(case.probabilities))
    normalised = case.probabilities / case.probabilities.sum(axis=-1, keepdims=True)
    logarithms = np.log(case.probabilities)
    through_logits = np.log(np.exp(logarithms).sum(axis=-1)) - logarithms[np.arange(len(case.labels)), case.labels]
    assert_inside(losses.sparse_categorical_crossentropy(case.labels, case.probabilities), expected, bound)
    assert_inside(losses.sparse_categorical_crossentropy(case.labels, normalised), expected, bound)
    assert_inside(through_logits, expected, bound)


@given(case=same_shape(4, limit=1.0), step=st.sampled_from([1, 2, 10, 1000]))
def test_adam_in_float32_is_inside(case, step):
    arguments = (*case[:3], np.abs(case[3]))
    actual = optimizers.adam_step(*arguments, step, 0.001)
    expected = optimizers.adam_step(*map(to_float64, arguments), step, 0.001)
    bound = rounding.adam_step(*map(to_float64, arguments), step, 0.001)
    for one in zip(actual, expected, bound, strict=True):
        assert_inside(*one)


IMAGES = np.random.default_rng(0)
CONVOLUTION = tuple(IMAGES.standard_normal(shape).astype(FLOAT32) for shape in ((2, 6, 7, 3), (3, 2, 3, 4), (4,)))
PADDINGS = pytest.mark.parametrize("padding", ["valid", "same"])


@PADDINGS
def test_convolution_in_float32_is_inside_and_with_fewer_bits_outside(padding):
    exact = tuple(map(to_float64, CONVOLUTION))
    expected = convolution.conv2d(*exact, padding=padding)
    bound = image_rounding.conv2d(*exact, padding=padding)
    assert_inside(convolution.conv2d(*CONVOLUTION, padding=padding), expected, bound)
    coarse = convolution.conv2d(*(round_to_format(value, "tf32") for value in CONVOLUTION), padding=padding)
    assert (np.abs(coarse - expected) > bound).any()


@PADDINGS
def test_gradients_of_convolution_in_float32_are_inside_and_with_fewer_bits_outside(padding):
    def convolve(*arguments):
        return convolution.conv2d(*arguments, strides=(1, 2), padding=padding)

    upstream = IMAGES.standard_normal(convolve(*CONVOLUTION).shape).astype(FLOAT32)
    exact = tuple(map(to_float64, CONVOLUTION))
    expected = vjp(convolve, to_float64(upstream), *exact)
    bounds = image_rounding.conv2d_gradients(*exact, to_float64(upstream), strides=(1, 2), padding=padding)
    for found, *limits in zip(vjp(convolve, upstream, *CONVOLUTION), expected, bounds, strict=True):
        assert_inside(found, *limits)
    coarse = vjp(
        convolve, round_to_format(upstream, "tf32"), *(round_to_format(value, "tf32") for value in CONVOLUTION)
    )
    for found, value, bound in zip(coarse, expected, bounds, strict=True):
        assert (np.abs(found - value) > bound).any()


@PADDINGS
def test_average_pooling_in_float32_is_inside(padding):
    images, places = CONVOLUTION[0], ((3, 2), (2, 2), padding)
    expected = convolution.average_pool2d(to_float64(images), *places)
    assert_inside(convolution.average_pool2d(images, *places), expected, image_rounding.average_pool2d(images, *places))
    upstream = IMAGES.standard_normal(expected.shape).astype(FLOAT32)

    def pool(given):
        return convolution.average_pool2d(given, *places)

    bound = image_rounding.average_pool2d_gradient(images, upstream, *places)
    expected = vjp(pool, to_float64(upstream), to_float64(images))[0]
    assert_inside(vjp(pool, upstream, images)[0], expected, bound)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_both_ways_to_write_batch_normalization_are_inside(training, offset):
    inputs = CONVOLUTION[0] + FLOAT32(offset)
    gamma, beta = np.array([1, -2, 3], FLOAT32), np.array([0, 5, -1], FLOAT32)
    moving = normalization.Statistics(FLOAT32(offset) + np.zeros(3, FLOAT32), np.array([0.5, 1, 2], FLOAT32))
    exact = normalization.Statistics(*map(to_float64, moving))
    expected = normalization.batch_normalization(
        to_float64(inputs), to_float64(gamma), to_float64(beta), exact, training=training
    )
    bound = image_rounding.batch_normalization(
        to_float64(inputs), to_float64(gamma), to_float64(beta), exact, training=training
    )
    assert_inside(normalization.batch_normalization(inputs, gamma, beta, moving, training=training), expected, bound)
    mean = inputs.mean(axis=(0, 1, 2)) if training else moving.mean
    square = (inputs**2).mean(axis=(0, 1, 2))
    variance = np.maximum(square - mean**2, 0) if training else moving.variance
    scale = gamma / np.sqrt(variance + FLOAT32(normalization.EPSILON))
    assert_inside(inputs * scale + (beta - mean * scale), expected, bound)


def test_steps_of_recurrences_in_float32_are_inside_and_with_fewer_bits_outside():
    shapes = ((3, 4), (3, 5), (3, 5), (4, 20), (5, 20), (20,))
    inputs, hidden, carry, *weights = (IMAGES.uniform(-1, 1, shape).astype(FLOAT32) for shape in shapes)

    def step(inputs, hidden, carry, kernel, recurrent_kernel, bias):
        simple = recurrence.simple_rnn_cell(inputs, hidden, kernel[:, :5], recurrent_kernel[:, :5])
        return simple, *recurrence.lstm_cell(inputs, State(hidden, carry), kernel, recurrent_kernel, bias)

    exact = tuple(map(to_float64, (inputs, hidden, carry, *weights)))
    kernel, recurrent_kernel, bias = exact[3:]
    bounds = (
        recurrence_rounding.simple_rnn_cell(*exact[:2], kernel[:, :5], recurrent_kernel[:, :5]),
        *recurrence_rounding.lstm_cell(exact[0], State(*exact[1:3]), kernel, recurrent_kernel, bias),
    )
    coarse = step(*(round_to_format(value, "tf32") for value in (inputs, hidden, carry, *weights)))
    for found, few, expected, bound in zip(
        step(inputs, hidden, carry, *weights), coarse, step(*exact), bounds, strict=True
    ):
        assert_inside(found, expected, bound)
        assert (np.abs(few - expected) > bound).any()


def test_resizing_in_float32_is_inside_and_nearest_neighbours_are_outside():
    image = IMAGES.integers(0, 256, (7, 5, 3)).astype(np.uint8)
    expected, bound = datasets.resize(image, (11, 3)), image_rounding.resize(image, (11, 3))
    single = image.astype(FLOAT32)
    for axis, length in enumerate((11, 3)):
        before, after, share = datasets.neighbours(image.shape[axis], length)
        shares = share.astype(FLOAT32).reshape((-1, 1, 1) if axis == 0 else (-1, 1))
        single = np.take(single, before, axis) * (1 - shares) + np.take(single, after, axis) * shares
    assert_inside(single / FLOAT32(255), expected, bound)
    nearest = image[np.arange(11) * 7 // 11][:, np.arange(3) * 5 // 3] / FLOAT32(255)
    assert (np.abs(nearest - expected) > bound).any()


def test_a_step_of_cart_and_pole_in_float32_is_inside_and_with_fewer_bits_or_another_method_outside():
    states = IMAGES.uniform(-1, 1, (200, 4)) * [2.4, 3, 0.2, 3]
    states, actions = states.astype(FLOAT32), IMAGES.integers(0, 2, 200)
    expected, bound = cart_pole.step(to_float64(states), actions), cart_pole_rounding.step(to_float64(states), actions)

    def single(states):
        position, velocity, angle, turning = states.T
        force = np.where(actions == 1, FLOAT32(10), FLOAT32(-10))
        sine, cosine = np.sin(angle), np.cos(angle)
        # As Gymnasium writes it, in float32 throughout.
        pushed = (force + FLOAT32(0.05) * np.square(turning) * sine) / FLOAT32(1.1)
        inertia = FLOAT32(0.5) * (FLOAT32(4 / 3) - FLOAT32(0.1) * np.square(cosine) / FLOAT32(1.1))
        angular = (FLOAT32(9.8) * sine - cosine * pushed) / inertia
        linear = pushed - FLOAT32(0.05) * angular * cosine / FLOAT32(1.1)
        tau = FLOAT32(0.02)
        after = (position + tau * velocity, velocity + tau * linear, angle + tau * turning, turning + tau * angular)
        return np.stack(after, axis=-1)

    found = single(states)
    assert found.dtype == FLOAT32
    assert_inside(found, expected, bound)
    assert_inside(expected.astype(FLOAT32), expected, bound)
    assert (np.abs(single(round_to_format(states, "tf32")) - expected) > bound).any(axis=0).all()
    semi_implicit = states[:, [0, 2]] + 0.02 * expected[:, [1, 3]]
    assert (np.abs(semi_implicit - expected[:, [0, 2]]) > bound[:, [0, 2]]).all()


def learning_case(model, steps):
    """Return a problem of a Q-network with its solution, and what is evaluated on it: gradients, or a trajectory."""
    batch = 32 if model == "q_network" else 2
    problem = problems.q_learning_of(model, 1, batch=batch, steps=steps)
    return learning_solution(problem), (q_networks.loss_and_gradients if steps is None else q_networks.trajectory)(
        model
    )


def learning_solution(problem):
    """Solve a problem of a Q-network: a trajectory where it has several batches."""
    if problem.transitions.actions.ndim == 2:
        return q_networks.solve_training(problem)
    return q_networks.solve(problem, q_networks.loss_and_gradients(problem.model))


LEARNING = pytest.mark.parametrize(("model", "steps"), [("q_network", None), ("q_network", 5), ("q_cnn", None)])


@LEARNING
def test_learning_in_other_orders_is_inside_and_the_same(model, steps):
    (problem, expected, _), evaluate = learning_case(model, steps)
    for parameters, *elements in problem.permutations(3, seed=1):
        one = learning_solution(problem._replace(parameters=parameters, transitions=Transitions(*elements)))
        assert_close("the definition in float32", evaluate(parameters, *elements), one.expected, one.bounds)
        last = "loss" if steps is None else "losses"
        assert one.expected[last] == pytest.approx(expected[last], rel=1e-9)


@LEARNING
@pytest.mark.parametrize("format_", ["tf32", "bfloat16"])
def test_learning_with_fewer_bits_is_outside(model, steps, format_):
    (problem, expected, bounds), evaluate = learning_case(model, steps)
    parameters, states, actions, rewards, next_states, dones = problem.flat
    coarse = {name: round_to_format(value, format_) for name, value in parameters.items()}
    actual = evaluate(
        coarse, round_to_format(states, format_), actions, rewards, round_to_format(next_states, format_), dones
    )
    assert_all_outside(actual, expected, bounds)


def assert_all_outside(actual, expected, bounds):
    """Check that every tensor exceeds its bound."""
    ratios = {name: compare_to_bound(actual[name] - value, bounds[name]) for name, value in expected.items()}
    assert {name: ratio for name, ratio in ratios.items() if ratio <= 1} == {}


def mlp_trajectory(seed):
    return problems.mlp(seed, steps=5)


def cnn_trajectory(seed):
    return problems.cnn(seed, batch=2, steps=3)


def rnn_trajectory(seed):
    return problems.rnn(seed, batch=2, steps=3)


WHOLE_NETWORKS = pytest.mark.parametrize(
    ("evaluate", "make"),
    [
        (layer_outputs, problems.mlp),
        (loss_and_gradients, problems.mlp),
        (trajectory, mlp_trajectory),
        (layer_outputs, problems.cnn),
        (loss_and_gradients, problems.cnn),
        (trajectory, cnn_trajectory),
        (layer_outputs, problems.rnn),
        (loss_and_gradients, problems.rnn),
        (trajectory, rnn_trajectory),
    ],
    ids=lambda value: value.__name__,
)


def axis_of(make):
    """Return which axis of the inputs runs over the examples of a batch."""
    return int(make in {mlp_trajectory, cnn_trajectory, rnn_trajectory})


@WHOLE_NETWORKS
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_network_in_other_orders_is_inside(evaluate, make, seed):
    problem = make(seed)
    # The seed is another than that of the orders which the bound is measured in.
    for one in measured_bounds.permutations(*problem, batch_axis=axis_of(make), count=3, seed=1):
        _, expected, bounds = solve(problems.Problem(problem.model, *one), evaluate)
        assert_close("the definition in float32", evaluate(problem.model)(*one), expected, bounds)


@WHOLE_NETWORKS
def test_other_orders_are_the_same_network(evaluate, make):
    problem, axis = make(1), axis_of(make)
    reordered = next(measured_bounds.permutations(*problem, batch_axis=axis, count=1, seed=1))
    expected, found = (evaluate(problem.model)(*map(to_float64, one)) for one in (problem[1:], reordered))
    last = "softmax" if evaluate is layer_outputs else next(name for name in expected if name.startswith("loss"))
    # The outputs of the examples come in another order; beyond that, float64 leaves its own rounding.
    assert np.sort(found[last], axis=None) == pytest.approx(np.sort(expected[last], axis=None), rel=1e-9)


@WHOLE_NETWORKS
@pytest.mark.parametrize("format_", ["tf32", "bfloat16"])
def test_network_of_fewer_bits_is_outside(evaluate, make, format_):
    problem, expected, bounds = solve(make(1), evaluate)
    coarse = {name: round_to_format(value, format_) for name, value in problem.parameters.items()}
    # Characters are whole numbers, which every format holds.
    inputs = problem.inputs if problem.inputs.dtype == np.int32 else round_to_format(problem.inputs, format_)
    actual = evaluate(problem.model)(coarse, inputs, problem.targets)
    # One-hot vectors are exact in every format.
    assert_all_outside(actual, {name: value for name, value in expected.items() if name != "one_hot"}, bounds)


@pytest.mark.parametrize("adam", Adam)
def test_a_trajectory_with_another_epsilon_is_outside(monkeypatch, adam):
    """The default of most frameworks is 1e-8; where it is added after the correction, the first step tells it."""
    one = solve(problems.rnn(1, batch=2, steps=1), trajectory, adam=adam)
    monkeypatch.setattr(optimizers, "EPSILON", 1e-8)
    actual = trajectory("rnn", adam=adam)(*one.problem[1:])
    ratios = {name: compare_to_bound(actual[name] - value, one.bounds[name]) for name, value in one.expected.items()}
    assert max(ratios.values()) > 1


def test_network_whose_unit_is_at_its_edge_is_not_decided():
    problem = problems.mlp(0)
    assert measured_bounds.is_well_conditioned(*problem)
    # A bias that makes the first unit 0 for the first image, but for rounding.
    hidden = layers.flatten(to_float64(problem.inputs[:1])) @ to_float64(problem.parameters["dense1/kernel"])
    bias = problem.parameters["dense1/bias"].copy()
    bias[0] = -hidden[0, 0]
    assert not measured_bounds.is_well_conditioned(
        "mlp", problem.parameters | {"dense1/bias": bias}, problem.inputs, problem.targets
    )


def test_network_with_two_largest_in_a_window_is_not_decided():
    problem = problems.cnn(0)
    # Where an image is even, so is what a convolution makes of it.
    images = problem.inputs.copy()
    images[0, :12, :12] = 1
    assert not measured_bounds.is_well_conditioned("cnn", problem.parameters, images, problem.targets)
