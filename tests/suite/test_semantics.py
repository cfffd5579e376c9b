"""The definitions, tested by the document's own values and by other ways to the same number."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import (
    cart_pole,
    convolution,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    normalization,
    optimizers,
    q_learning,
    recurrence,
    text,
)
from assay.spec.semantics.q_learning import Transitions
from assay.spec.semantics.recurrence import State
from assay.spec.vectors import read
from assay.testing import handcrafted_weights, problems
from assay.testing.chances import chance_of_samples
from assay.testing.thresholds import FALSE_ALARM

LINEAR = read("linear_model")
X, Y = np.array(LINEAR["X"]), np.array(LINEAR["y"])
ZEROS = {"dense/kernel": np.zeros((3, 1)), "dense/bias": np.zeros(1)}


def exact_linear_model(steps):
    """Train the linear model in rational numbers, with gradients written by hand."""
    rows = [[Fraction(int(x)) for x in row] for row in X]
    targets = [Fraction(int(y)) for y in Y[:, 0]]
    weights, bias, rate = [Fraction(0)] * 3, Fraction(0), Fraction(1, 100)
    for _ in range(steps):
        errors = [sum(map(Fraction.__mul__, row, weights)) + bias - y for row, y in zip(rows, targets, strict=True)]
        slopes = [sum(e * row[j] for e, row in zip(errors, rows, strict=True)) for j in range(3)]
        weights = [w - rate * slope for w, slope in zip(weights, slopes, strict=True)]
        bias -= rate * sum(errors)
    return [float(w) for w in weights], float(bias)


def test_linear_model_follows_the_documents_program():
    steps = LINEAR["steps"]
    batches = np.tile(X, (steps, 1, 1)), np.tile(Y, (steps, 1, 1))
    _, last = models.train("linear", ZEROS, *batches, LINEAR["learning_rate"])
    weights, bias = exact_linear_model(steps)
    assert [*last["dense/kernel"][:, 0], *last["dense/bias"]] == pytest.approx([*weights, bias], rel=1e-12)


def test_first_loss_is_the_mean_of_the_squared_targets():
    loss, _ = models.loss_and_gradients("linear", ZEROS, X, Y)
    assert loss == (10**2 + 20**2) / 2


@pytest.mark.parametrize(
    ("layer", "shape"), [("flatten", (50, 784)), ("dense1", (50, 100)), ("dense2", (50, 10)), ("softmax", (50, 10))]
)
def test_mlp_has_the_shapes_of_the_documents_comments(layer, shape):
    problem = problems.mlp(0, batch=read("mlp")["batch_size"])
    assert models.layer_outputs("mlp", problem.parameters, problem.inputs)[layer].shape == shape


def test_mlp_has_the_documents_number_of_parameters_in_its_second_layer():
    shapes = models.MODELS["mlp"].shapes
    assert sum(math.prod(shape) for name, shape in shapes.items() if name.startswith("dense2")) == 100 * 10 + 10


@pytest.mark.parametrize("activation", [None, "relu", "tanh", "sigmoid"])
def test_dense_is_a_sum_over_inputs_for_every_unit(activation):
    case = to_float64(problems.linear(0).parameters)
    inputs, kernel, bias = np.array([[1.0, -2.0, 0.5]]), case["dense/kernel"], case["dense/bias"]
    total = math.fsum([*(inputs[0] * kernel[:, 0]), bias[0]])
    by_hand = {
        None: total,
        "relu": max(total, 0),
        "tanh": math.tanh(total),
        "sigmoid": 1 / (1 + math.exp(-total)),
    }
    assert layers.dense(inputs, kernel, bias, activation)[0, 0] == pytest.approx(by_hand[activation], rel=1e-14)


def test_softmax_is_the_documents_formula():
    z = [1.0, 2.0, 4.0]
    formula = [math.exp(one) / sum(map(math.exp, z)) for one in z]
    assert layers.softmax(np.array([z]))[0] == pytest.approx(formula, rel=1e-15)


def test_flatten_and_one_hot_by_hand():
    assert layers.flatten(np.array([[[1, 2], [3, 4]]])).tolist() == [[1, 2, 3, 4]]
    assert layers.one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_both_cross_entropies_are_the_documents_formula():
    labels, probabilities = np.array([1]), np.array([[0.2, 0.5, 0.3]])
    formula = -sum(y * math.log(p) for y, p in zip([0, 1, 0], probabilities[0], strict=True))
    assert losses.sparse_categorical_crossentropy(labels, probabilities) == pytest.approx([formula])
    assert losses.categorical_crossentropy(layers.one_hot(labels, 3), probabilities) == pytest.approx([formula])


def test_class_of_target_0_adds_nothing_even_at_probability_0():
    assert losses.categorical_crossentropy(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]])) == [0]


@pytest.mark.parametrize("step", [1, 2, 100])
def test_adam_is_algorithm_1_with_its_corrected_moments(step):
    gradient, first, second = 0.3, 0.02, 0.005
    moved, *_ = optimizers.adam_step(*map(np.array, (0.5, gradient, first, second)), step, 0.001)
    m, v = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
    corrected_m, corrected_v = m / (1 - 0.9**step), v / (1 - 0.999**step)
    # The hat of epsilon: what is added to the corrected root is larger by the correction.
    epsilon = 1e-7 / math.sqrt(1 - 0.999**step)
    assert moved == pytest.approx(0.5 - 0.001 * corrected_m / (math.sqrt(corrected_v) + epsilon), rel=1e-14)


def test_sgd_goes_against_the_gradient():
    assert optimizers.sgd_step(np.array(1.0), np.array(2.0), 0.25) == 0.5


def test_accuracy_counts():
    metric = metrics.SparseCategoricalAccuracy()
    assert metric.result() == 0
    metric = metric.update(np.array([0, 1]), np.array([[1, 0], [1, 0]]))
    assert metric.update(np.array([1]), np.array([[0, 1]])).result() == 2 / 3


def test_glorot_limit_gives_the_variance_that_it_is_made_for():
    # An even distribution of half width a has a variance of a^2 / 3, and Glorot's is 2 / (fan_in + fan_out).
    assert initializers.glorot_limit(784, 100) ** 2 / 3 == pytest.approx(2 / 884)


def test_preprocessing_scales_and_adds_an_axis():
    images, labels = datasets.preprocess(np.array([[[0, 51, 255]]], np.uint8), np.array([7], np.uint8))
    assert (images.tolist(), labels.tolist()) == ([[[[0.0], [0.2], [1.0]]]], [7])


# Size, window and stride of an axis, and what `same` adds before and after.
SAME = [
    (7, 3, 1, (1, 1)),
    (28, 5, 1, (2, 2)),
    (7, 3, 2, (1, 1)),
    (8, 3, 2, (0, 1)),
    (7, 2, 2, (0, 1)),
    (5, 1, 3, (0, 0)),
]


@pytest.mark.parametrize(("size", "window", "stride", "added"), SAME)
def test_same_adds_the_odd_one_after(size, window, stride, added):
    assert convolution.pad_widths(size, window, stride, "same") == added
    assert convolution.output_size(size, window, stride, "same") == math.ceil(size / stride)


def visit_places(image, size, strides, padding):
    """Yield each place of a window over one image [height, width, channels], and the elements that it holds."""
    tops, lefts = (
        range(-before, length + after - window + 1, stride)
        for length, window, stride in zip(image.shape[:2], size, strides, strict=True)
        for before, after in [convolution.pad_widths(length, window, stride, padding)]
    )
    for (row, top), (column, left) in product(enumerate(tops), enumerate(lefts)):
        inside = {
            (i, j): image[top + i, left + j]
            for i, j in np.ndindex(*size)
            if 0 <= top + i < image.shape[0] and 0 <= left + j < image.shape[1]
        }
        yield (row, column), inside


WINDOWS = pytest.mark.parametrize("padding", ["valid", "same"])
STRIDES = pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
IMAGE = np.random.default_rng(0).integers(-9, 10, (6, 7, 2)).astype(float)


@WINDOWS
@STRIDES
def test_convolution_is_a_sum_over_window_and_channels(strides, padding):
    kernel = np.random.default_rng(1).integers(-9, 10, (3, 2, 2, 4)).astype(float)
    result = convolution.conv2d(IMAGE[None], kernel, np.arange(4.0), strides=strides, padding=padding)[0]
    by_hand = {
        place: sum(element @ kernel[at] for at, element in inside.items()) + np.arange(4)
        for place, inside in visit_places(IMAGE, (3, 2), strides, padding)
    }
    assert {place: result[place].tolist() for place in np.ndindex(*result.shape[:2])} == {
        place: value.tolist() for place, value in by_hand.items()
    }


@WINDOWS
@STRIDES
def test_pooling_takes_the_largest_and_the_mean_of_what_a_window_holds(strides, padding):
    largest = convolution.max_pool2d(IMAGE[None], (3, 2), strides, padding)[0]
    mean = convolution.average_pool2d(IMAGE[None], (3, 2), strides, padding)[0]
    for place, inside in visit_places(IMAGE, (3, 2), strides, padding):
        held = np.array([*inside.values()])
        assert largest[place].tolist() == held.max(axis=0).tolist()
        assert mean[place] == pytest.approx(held.mean(axis=0), rel=1e-15)


def test_convolution_gives_the_documents_matrix():
    example = read("convolution")
    image, kernel = (np.array(example[name], float) for name in ("image", "W"))
    result = convolution.conv2d(image[None, :, :, None], kernel[:, :, None, None], np.array(example["b"], float))
    assert result[0, :, :, 0].tolist() == example["A"]


def test_pooling_may_share_the_gradient_among_equals():
    image, upstream = np.array([[3.0, 3.0], [1.0, 3.0]]), np.array([[-2.0]])
    limits = convolution.max_pool2d_gradient_limits(image[None, ..., None], upstream[None, ..., None], (2, 2), (2, 2))
    assert [limit[0, ..., 0].tolist() for limit in limits] == [[[-2, -2], [0, -2]], [[0, 0], [0, 0]]]


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("conv1", (50, 28, 28, 32)),
        ("pool1", (50, 14, 14, 32)),
        ("conv2", (50, 14, 14, 64)),
        ("pool2", (50, 7, 7, 64)),
        ("flatten", (50, 7 * 7 * 64)),
        ("dense1", (50, 1024)),
        ("dense2", (50, 10)),
    ],
)
def test_cnn_has_the_shapes_of_the_documents_comments(layer, shape):
    problem = problems.cnn(0)
    images = np.zeros((50, 28, 28, 1), np.float32)
    assert models.layer_outputs("cnn", problem.parameters, images)[layer].shape == shape


def test_batch_normalization_by_hand():
    inputs, moving = np.array([[1.0], [2.0], [6.0]]), normalization.Statistics(np.array([5.0]), np.array([4.0]))
    gamma, beta = np.array([2.0]), np.array([-1.0])
    # The batch has a mean of 3 and deviations of -2, -1 and 3.
    variance = (4 + 1 + 9) / 3
    in_training = [2 * d / math.sqrt(variance + 0.001) - 1 for d in (-2, -1, 3)]
    in_inference = [2 * (x - 5) / math.sqrt(4 + 0.001) - 1 for x in (1, 2, 6)]
    for training, by_hand in ((True, in_training), (False, in_inference)):
        found = normalization.batch_normalization(inputs, gamma, beta, moving, training=training)
        assert found[:, 0] == pytest.approx(by_hand, rel=1e-14)
    biased, unbiased = normalization.update_moving_statistics(inputs, moving)
    assert biased.mean == unbiased.mean == pytest.approx([0.99 * 5 + 0.01 * 3])
    assert biased.variance == pytest.approx([0.99 * 4 + 0.01 * variance])
    assert unbiased.variance == pytest.approx([0.99 * 4 + 0.01 * (4 + 1 + 9) / 2])


def test_simple_recurrence_by_hand():
    # s_1 = tanh(1 * 2 + 0), s_2 = tanh(-1 * 2 + 3 s_1).
    inputs, u, w = np.array([[[1.0], [-1.0]]]), np.array([[2.0]]), np.array([[3.0]])
    first = math.tanh(2)
    assert recurrence.simple_rnn(inputs, u, w)[0, :, 0] == pytest.approx([first, math.tanh(-2 + 3 * first)], rel=1e-15)


def test_lstm_cell_by_hand():
    def gate(x):
        return 1 / (1 + math.exp(-x))

    kernel, recurrent_kernel, bias = (
        np.array([[0.1, 0.2, 0.3, 0.4]]),
        np.array([[1.0, 2, 3, 4]]),
        np.array([0.5, 0, -1, 2]),
    )
    found = recurrence.lstm_cell(
        np.array([[2.0]]), State(np.array([[0.5]]), np.array([[-0.25]])), kernel, recurrent_kernel, bias
    )
    carry = gate(0.2 + 0.5 + 0.5) * math.tanh(0.6 + 1.5 - 1) + gate(0.4 + 1 + 0) * -0.25
    assert found.carry == pytest.approx([carry], rel=1e-14)
    assert found.hidden == pytest.approx([gate(0.8 + 2 + 2) * math.tanh(carry)], rel=1e-14)


def test_lstm_repeats_its_step_from_zeros():
    generator = np.random.default_rng(0)
    inputs, *weights = (generator.standard_normal(shape) for shape in ((2, 3, 4), (4, 20), (5, 20), (20,)))
    state = State(np.zeros((2, 5)), np.zeros((2, 5)))
    for t in range(3):
        state = recurrence.lstm_cell(inputs[:, t], state, *weights)
    found = recurrence.lstm(inputs, *weights)
    assert [kind[:, -1].tolist() for kind in found] == [kind.tolist() for kind in state]


def test_text_is_encoded_by_hand():
    found = text.encode(b"Ba\r\nb")
    assert found.char_indices == {"\n": 0, "a": 1, "b": 2}
    assert found.indices_char == {0: "\n", 1: "a", 2: "b"}
    assert found.indices.tolist() == [2, 1, 0, 2]


def test_windows_by_hand():
    windows, targets = text.windows(np.array([5, 6, 7, 8]), np.array([1, 0]), 2)
    assert (windows.tolist(), targets.tolist()) == ([[6, 7], [5, 6]], [8, 7])
    assert text.windows_before(np.array([1, 2]), np.array([3, 4, 5])).tolist() == [[1, 2], [2, 3], [3, 4]]


def entropy_of_characters(indices, known):
    """Return the loss of the frequencies over all windows of their text."""
    return text.ngram_cross_entropy(indices, *text.windows(indices, np.arange(len(indices) - known), known))


def test_entropies_of_a_text_by_hand():
    # Three of four characters are 0; after a 0 comes a 0 or a 1, equally often, and after a 1 always a 0.
    indices = np.array([0, 0, 1] * 100 + [0])
    shares = np.array([201, 100]) / 301
    assert entropy_of_characters(indices, known=0) == pytest.approx(text.entropy(shares), rel=1e-12)
    assert text.entropy(shares) == pytest.approx(-sum(share * math.log(share) for share in shares), rel=1e-14)
    assert entropy_of_characters(indices, known=1) == pytest.approx(2 / 3 * math.log(2), rel=1e-12)
    assert entropy_of_characters(indices, known=2) == pytest.approx(0, abs=1e-12)


def test_frequencies_predict_the_windows_of_their_text():
    indices = np.array([0, 1, 0, 2] * 50 + [0])
    before, targets = text.windows(indices, np.array([0, 2]), 1)
    # After each 0 comes a 1 or a 2.
    assert text.ngram_cross_entropy(indices, before, targets) == pytest.approx(math.log(2), rel=1e-12)
    assert text.ngram_cross_entropy(indices, before, targets, known=0) == pytest.approx(math.log(201 / 50), rel=1e-12)


def test_temperature_divides_the_logits():
    logits = np.array([[1.0, 2.0, 4.0]])
    assert layers.softmax_with_temperature(logits, 0.5)[0] == pytest.approx(layers.softmax(2 * logits)[0], rel=1e-15)


def continue_text(parameters, window, count):
    """Continue a window with the most probable characters, by the definition."""
    characters = []
    for _ in range(count):
        logits = models.layer_outputs("rnn", parameters, window[None])["dense"]
        characters.append(int(logits.argmax()))
        window = np.append(window[1:], characters[-1])
    return characters


def test_networks_made_by_hand_write_what_they_are_made_for():
    window = np.random.default_rng(0).integers(0, models.NUM_CHARS, 5)
    assert (
        continue_text(to_float64(handcrafted_weights.first_of_the_window()), window, 7) == np.resize(window, 7).tolist()
    )
    counted = (window[-1] + 1 + np.arange(7)) % models.NUM_CHARS
    assert continue_text(to_float64(handcrafted_weights.successor_of_the_last()), window, 7) == counted.tolist()
    logits = np.random.default_rng(0).standard_normal(models.NUM_CHARS).astype(np.float32)
    indifferent = models.layer_outputs("rnn", handcrafted_weights.indifferent(logits), window[None])["dense"]
    assert indifferent.tolist() == [logits.tolist()]


@pytest.mark.parametrize("shape", [(3, 12), (12, 3), (4, 4)])
def test_orthogonal_rows_or_columns_are_at_right_angles(shape):
    drawn = initializers.orthogonal(shape, 0)
    products = drawn @ drawn.T if shape[0] <= shape[1] else drawn.T @ drawn
    assert products == pytest.approx(np.eye(min(shape)), abs=1e-14)


def test_no_episode_of_the_pole_is_shorter_than_the_shortest():
    shortest = cart_pole.shortest_length()
    corners = cart_pole.INITIAL * np.array([*product((-1, 1), repeat=4)])
    for actions in product((cart_pole.LEFT, cart_pole.RIGHT), repeat=shortest - 1):
        states = corners
        for action in actions:
            states = cart_pole.step(states, np.full(len(states), action))
        assert (cart_pole.margin(states) >= 0).all()
    assert cart_pole.random_lengths(100_000, 0).min() >= shortest


def test_dropout_divides_what_it_keeps():
    assert normalization.dropout(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]), 0.5).tolist() == [2, 0, 6]


def test_resizing_interpolates_between_the_centres_of_pixels():
    row = np.array([[[0.0], [255.0]]])
    # Four new centres lie at 1/8, 3/8, 5/8, 7/8 of the width, the two old ones at 1/4 and 3/4.
    assert datasets.resize(row, (1, 4))[0, :, 0].tolist() == [0, 0.25, 0.75, 1]
    assert datasets.resize(row, (3, 1))[:, 0, 0].tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("make", [problems.linear, problems.mlp, problems.cnn, problems.rnn])
def test_gradients_agree_with_finite_differences(make):
    problem = make(0)
    model = problem.model
    parameters, inputs, targets = map(to_float64, problem[1:])
    direction = {name: np.random.default_rng(1).standard_normal(value.shape) for name, value in parameters.items()}

    def along(t):
        return {name: value + t[0] * direction[name] for name, value in parameters.items()}

    def loss(t):
        return float(models.loss_and_gradients(model, along(t), inputs, targets)[0])

    def central(step):
        return (loss([step]) - loss([-step])) / (2 * step)

    _, gradients = models.loss_and_gradients(model, parameters, inputs, targets)
    slope = sum(float(np.sum(gradients[name] * direction[name])) for name in parameters)
    step = 2.0**-16
    # Halving the step takes three quarters of the truncation error away; the rest is the rounding of as many terms as
    # the longest sum has, over the step.
    truncation = abs(central(2 * step) - central(step))
    rounding = (
        sum(math.prod(value.shape[:1]) for value in parameters.values()) * np.finfo(float).eps * loss([0.0]) / step
    )
    assert abs(central(step) - slope) <= truncation + rounding


def energy(state):
    """Return the mechanical energy of cart and pole, from Lagrange's function and no equation of motion."""
    _, velocity, angle, turning = state
    mass, half = 0.1, 0.5
    # The pole is a thin rod, whose inertia about its middle is m (2 l)^2 / 12.
    middle = (velocity + half * turning * math.cos(angle), -half * turning * math.sin(angle))
    kinetic = 0.5 * velocity**2 + 0.5 * mass * (middle[0] ** 2 + middle[1] ** 2)
    return kinetic + 0.5 * mass * (2 * half) ** 2 / 12 * turning**2 + mass * 9.8 * half * math.cos(angle)


@pytest.mark.parametrize("force", [0.0, 10.0, -10.0])
@pytest.mark.parametrize("state", [(0, 0, 0.1, 0), (1, -0.5, -0.2, 1.5), (0, 2, 0.15, -3)])
def test_cart_and_pole_gain_the_work_that_is_done_on_them(state, force):
    _, velocity, angle, turning = state
    linear, angular = cart_pole.accelerations(force, math.sin(angle), math.cos(angle), turning)
    slopes = np.array([velocity, linear, turning, angular])
    step = 1e-5
    gained = (energy(state + step * slopes) - energy(state - step * slopes)) / (2 * step)
    assert gained == pytest.approx(force * velocity, abs=1e-7)


def test_a_step_of_cart_and_pole_by_hand():
    # From rest, upright, pushed to the left: no sine, a cosine of 1.
    angular = 10 / 1.1 / (0.5 * (4 / 3 - 0.1 / 1.1))
    linear = -10 / 1.1 - 0.05 * angular / 1.1
    found = cart_pole.step(np.zeros((1, 4)), np.array([cart_pole.LEFT]))
    assert found[0] == pytest.approx([0, 0.02 * linear, 0, 0.02 * angular])


def test_the_end_of_an_episode_is_where_the_bounds_are():
    states = np.array([[2.4, 9, 0, 9], [-2.5, 0, 0, 0], [0, 0, math.pi / 15, 0], [0, 0, -0.21, 0], [0, 0, 0, 0]])
    assert (cart_pole.margin(states) >= 0).tolist() == [True, False, True, False, True]


def test_random_play_has_the_lengths_that_one_episode_after_the_other_has():
    generator = np.random.default_rng(1)
    lengths = []
    for _ in range(400):
        state, length = generator.uniform(-0.05, 0.05, (1, 4)), 0
        while cart_pole.margin(state) >= 0:
            state, length = cart_pole.step(state, generator.integers(0, 2, 1)), length + 1
        lengths.append(length)
    assert chance_of_samples(np.array(lengths), cart_pole.random_lengths(5_000, 0)) > FALSE_ALARM


def test_epsilon_takes_the_documents_values():
    recipe = read("q_learning")
    schedule = {name: recipe[name] for name in ("num_exploration_episodes", "initial_epsilon", "final_epsilon")}
    found = [q_learning.epsilon(episode, **schedule) for episode in range(recipe["num_episodes"])]
    printed = [f"{max(1 * (100 - episode) / 100, 0.01):.4f}" for episode in range(500)]
    assert [f"{epsilon:.4f}" for epsilon in found] == printed


def two_transitions():
    """Return parameters that value the actions at 3 and 5 in every state, and two transitions."""
    parameters = {name: np.zeros(shape) for name, shape in models.MODELS["q_network"].shapes.items()}
    parameters["dense3/bias"] = np.array([3.0, 5.0])
    states = np.ones((2, 4))
    return parameters, Transitions(states, np.array([0, 1]), np.array([1.0, -10.0]), states, np.array([0.0, 1.0]))


def test_target_loss_and_gradients_by_hand():
    parameters, transitions = two_transitions()
    assert q_learning.targets("q_network", parameters, transitions, 0.5).tolist() == [1 + 0.5 * 5, -10]
    loss, gradients = q_learning.loss_and_gradients("q_network", parameters, transitions, 0.5)
    assert loss == ((3 - 3.5) ** 2 + (5 + 10) ** 2) / 2
    # y is a constant, so that each value has the gradient of its own square.
    assert gradients["dense3/bias"].tolist() == [3 - 3.5, 5 + 10]
    assert q_learning.greedy("q_network", parameters, transitions.states).tolist() == [1, 1]


def test_a_learning_step_is_one_of_adam_on_these_gradients():
    parameters, transitions = two_transitions()
    _, gradients = q_learning.loss_and_gradients("q_network", parameters, transitions, 1.0)
    twice = Transitions(*(np.stack([values, values]) for values in transitions))
    losses, _ = q_learning.learn("q_network", parameters, twice, 0.001, 1.0)
    zeros = np.zeros(2)
    bias, *_ = optimizers.adam_step(parameters["dense3/bias"], gradients["dense3/bias"], zeros, zeros, 1, 0.001)
    moved = parameters | {"dense3/bias": bias}
    expected = [q_learning.loss_and_gradients("q_network", one, transitions, 1.0)[0] for one in (parameters, moved)]
    assert losses.tolist() == pytest.approx(expected, rel=1e-12)


def test_a_state_of_frames_by_hand():
    frames = np.zeros((2, 2, 2, 3), np.uint8)
    frames[0, :, :, 0], frames[1] = 255, 51
    found = q_learning.stack_frames(frames, (1, 1))
    assert found.tolist() == [[[pytest.approx(0.299), pytest.approx(0.2)]]]


@pytest.mark.parametrize(("layer", "shape"), [("conv1", (20, 20, 16)), ("conv2", (9, 9, 32)), ("flatten", (2592,))])
def test_the_network_that_sees_pixels_has_the_shapes_of_its_paper(layer, shape):
    problem = problems.q_learning_of("q_cnn", 0, batch=1)
    outputs = models.layer_outputs("q_cnn", problem.parameters, problem.transitions.states)
    assert outputs[layer].shape == (1, *shape)
