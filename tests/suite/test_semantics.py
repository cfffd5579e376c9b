"""The definitions, tested by the document's own values and by other ways to the same number."""

import math
from fractions import Fraction

import numpy as np
import pytest

from assay import problems
from spec.semantics import datasets, initializers, layers, losses, metrics, models, optimizers
from spec.semantics.spread import wide
from spec.vectors import read

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
    case = wide(problems.linear(0).parameters)
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


@pytest.mark.parametrize("make", [problems.linear, problems.mlp])
def test_gradients_agree_with_finite_differences(make):
    problem = make(0)
    model, parameters, inputs, targets = problem.model, *map(wide, problem[1:])
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
