"""The linear model: lines 43 to 78 of the document."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.contract import Array
from assay.spec import vectors
from assay.spec.error_bounds import measured_bounds, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import losses, optimizers
from assay.spec.semantics import models as definition
from assay.testing import cases as fixed
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_within, claim
from assay.testing.cases import ANY_SHAPE, ODD
from assay.testing.networks import gradients_of, reorder_arrays, train_model
from assay.testing.operations import (
    MEAN_SQUARED_ERROR,
    SGD_STEP,
    assert_any_memory_order,
    assert_calls_are_independent,
    assert_correct,
    assert_steps_continue,
    one_by_one,
)
from assay.testing.problems import Problem
from assay.testing.stored_arrays import assert_results_are_new
from assay.testing.strategies import arrays, same_shape

PROGRAM = vectors.read("linear_model")
X, Y = np.array(PROGRAM["X"], np.float32), np.array(PROGRAM["y"], np.float32)
LEARNING_RATE, STEPS = PROGRAM["learning_rate"], PROGRAM["steps"]
ZEROS = {"dense/kernel": np.zeros((3, 1), np.float32), "dense/bias": np.zeros(1, np.float32)}

BATCH_SIZES = (1, 2, 67)
INPUT_SHAPES = ((1, 3), (2, 1), (3, 17), (67, 3))
SEEDS = (0, 1, 2**31 - 1)


class Case(NamedTuple):
    """A batch for the linear model.

    Attributes:
        parameters: Kernel [features, 1] and bias [1].
        inputs: [batch, features].
        targets: [batch, 1].

    """

    parameters: dict[str, Array]
    inputs: Array
    targets: Array

    def in_float64(self):
        return tuple(map(to_float64, self))

    def bounds(self):
        """Return the bound of the loss, and those of the gradients by name."""
        parameters, inputs, targets = self.in_float64()
        loss, *gradients = rounding.linear_model(inputs, *parameters.values(), targets)
        return loss, dict(zip(parameters, gradients, strict=True))


# Numbers of features below and above the document's three.
FEATURES = (1, 2, 17, 65)


def exact_case(seed, features):
    """Draw parameters and a batch of two, all 1 or -1, so that all sums are exact."""
    shapes = ((features, 1), (1,), (2, features), (2, 1))
    generator = np.random.default_rng(seed)
    kernel, bias, inputs, targets = (generator.choice(np.float32([-1, 1]), shape) for shape in shapes)
    return Case({"dense/kernel": kernel, "dense/bias": bias}, inputs, targets)


@st.composite
def cases(draw):
    """Draw parameters and a batch."""
    batch, features = draw(st.sampled_from(INPUT_SHAPES))
    parameters = {"dense/kernel": draw(arrays((features, 1))), "dense/bias": draw(arrays((1,)))}
    return Case(parameters, draw(arrays((batch, features))), draw(arrays((batch, 1))))


def repeat_batch(steps):
    """Return X and y as the batch of every step."""
    return np.tile(X, (steps, 1, 1)), np.tile(Y, (steps, 1, 1))


def assert_training(what, run, evaluate):
    """Compare the result of `run` for the document's program with that of `evaluate`, its definition."""
    problem = ZEROS, *repeat_batch(STEPS)
    bounds = measured_bounds.bounds(evaluate, "linear", *problem, batch_axis=1)
    assert_close(what, run(*problem), evaluate(*map(to_float64, problem)), bounds)


def linear_model(keras):
    """Return an instance of the document's class after a call on X."""
    zeros = keras.namespace.initializers.Zeros()

    class Linear(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.namespace.layers.Dense(
                units=1, activation=None, kernel_initializer=zeros, bias_initializer=zeros
            )

        def call(self, input):
            return self.dense(input)

    model = Linear()
    model(keras.to_tensor(X))
    return model


def take_step(keras, learning_rate, pairs):
    """Take one step of a new SGD optimizer with pairs of a gradient, as an array, and a variable."""
    gradients, variables = zip(*pairs, strict=True)
    optimizer = keras.namespace.optimizers.SGD(learning_rate=learning_rate)
    tensors = [keras.to_tensor(np.array(gradient, np.float32)) for gradient in gradients]
    optimizer.apply_gradients(grads_and_vars=zip(tensors, variables, strict=True))


def model_after_step(keras):
    """Return the model after an exact step, with the kernel [1, 2, 4] and the bias 0.5."""
    model = linear_model(keras)
    take_step(keras, 0.5, [([[-2], [-4], [-8]], model.dense.kernel), ([-1], model.dense.bias)])
    return model


@claim("linear_model.prediction")
@given(case=cases())
def test_prediction(models, case):
    parameters, inputs, _ = case.in_float64()
    assert_within(
        "the prediction",
        models.layer_outputs("linear", case.parameters, case.inputs)["dense"],
        definition.layer_outputs("linear", parameters, inputs)["dense"],
        rounding.dense(inputs, *parameters.values(), None),
    )


@claim("linear_model.prediction")
@pytest.mark.parametrize("features", FEATURES)
def test_prediction_of_many_features(models, seed, features):
    case = exact_case(seed, features)
    parameters, inputs, _ = case.in_float64()
    expected = definition.layer_outputs("linear", parameters, inputs)["dense"]
    assert_equal("the prediction", models.layer_outputs("linear", case.parameters, case.inputs)["dense"], expected)


@claim("linear_model.inputs")
def test_inputs(keras):
    tensor = keras.to_numpy(keras.to_tensor(X))
    assert_equal("X", tensor, np.array([[1, 2, 3], [4, 5, 6]]))


@claim("linear_model.targets")
def test_targets(keras):
    tensor = keras.to_numpy(keras.to_tensor(Y))
    assert_equal("y", tensor, np.array([[10], [20]]))


@claim("linear_model.class")
def test_class(keras):
    predictions = linear_model(keras)(keras.to_tensor(X))
    assert_equal("the new model's prediction", keras.to_numpy(predictions), np.zeros((2, 1)))


@claim("linear_model.call-uses-layer")
def test_call_uses_layer(keras):
    model, inputs = model_after_step(keras), keras.to_tensor(X)
    assert_equal("the prediction", keras.to_numpy(model(inputs)), keras.to_numpy(model.dense(inputs)))


@claim("linear_model.one-unit")
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_one_unit(models, batch_size):
    outputs = models.layer_outputs("linear", ZEROS, np.ones((batch_size, 3), np.float32))
    assert_form("the prediction", outputs["dense"], (batch_size, 1))


@claim("linear_model.no-activation")
@pytest.mark.parametrize("factor", [-1000, -1, 1000])
def test_no_activation(models, factor):
    ones = {name: np.ones_like(value) for name, value in ZEROS.items()}
    outputs = models.layer_outputs("linear", ones, factor * X)
    assert_equal("the prediction", outputs["dense"], factor * np.array([[6], [15]]) + 1)


@claim("linear_model.parameters")
def test_parameters(models, seed):
    shapes = {name: value.shape for name, value in models.initial_parameters("linear", seed).items()}
    assert shapes == {"dense/kernel": (3, 1), "dense/bias": (1,)}, f"the shapes of the parameters are {shapes}"


@claim("linear_model.kernel-zeros")
@pytest.mark.parametrize("number", SEEDS)
def test_kernel_zeros(models, number):
    assert_equal("the kernel", models.initial_parameters("linear", number)["dense/kernel"], np.zeros((3, 1)))
    assert_results_are_new("initial_parameters", models.initial_parameters, ("linear", number))


@claim("linear_model.bias-zeros")
@pytest.mark.parametrize("number", SEEDS)
def test_bias_zeros(models, number):
    assert_equal("the bias", models.initial_parameters("linear", number)["dense/bias"], np.zeros(1))


@claim("linear_model.first-prediction")
def test_first_prediction(models, seed):
    outputs = models.layer_outputs("linear", models.initial_parameters("linear", seed), X)
    assert_equal("the prediction", outputs["dense"], np.zeros((2, 1)))


@claim("linear_model.undeclared-variables")
def test_undeclared_variables(keras):
    shapes = [tuple(variable.shape) for variable in linear_model(keras).variables]
    assert shapes == [(3, 1), (1,)], f"the shapes of the variables are {shapes}"


@claim("linear_model.variables-order")
def test_variables_order(keras):
    names = [variable.name.split("/")[-1].split(":")[0] for variable in linear_model(keras).variables]
    assert names == ["kernel", "bias"], f"the variables are {names}"


@claim("linear_model.learning-rate")
def test_learning_rate(keras):
    optimizer = keras.namespace.optimizers.SGD(learning_rate=LEARNING_RATE)
    assert_equal("the learning rate", keras.to_numpy(optimizer.learning_rate), np.float32(LEARNING_RATE))


@claim("linear_model.sgd-step")
@given(arguments=same_shape(2), learning_rate=st.sampled_from([LEARNING_RATE, 0.5, 1.0]))
def test_sgd_step(ops, arguments, learning_rate):
    in_float64 = [array.astype(np.float64) for array in arguments]
    assert_within(
        "the parameter after a step",
        ops.sgd_step(*arguments, learning_rate),
        optimizers.sgd_step(*in_float64, learning_rate),
        rounding.sgd_step(*in_float64, learning_rate),
    )


any_shape = pytest.mark.parametrize("shape", ANY_SHAPE, ids=str)


@claim("linear_model.sgd-any-shape")
@any_shape
def test_sgd_any_shape(ops, seed, shape):
    assert_correct(SGD_STEP, ops.sgd_step, *fixed.normal(seed, shape, shape), 0.3)


@claim("linear_model.sgd-any-rate")
@pytest.mark.parametrize("learning_rate", [0.0, 1e-6, 1e-3, 0.05, 0.9, 2.0, 100.0])
@pytest.mark.parametrize("magnitude", [1e-20, 1.0, 1e20])
def test_sgd_any_rate(ops, seed, learning_rate, magnitude):
    arrays = fixed.normal(seed, (5, 7), (5, 7), scale=magnitude)
    assert_correct(SGD_STEP, ops.sgd_step, *arrays, learning_rate)


@claim("linear_model.sgd-calls-are-independent")
def test_sgd_calls_are_independent(ops, seed):
    first, second = ((*fixed.normal(seed + i, (5, 7), (5, 7)), rate) for i, rate in enumerate((0.1, 0.02)))
    # The first step is taken twice in a row, where momentum would change the result.
    calls = (first, *one_by_one(first, second), (*fixed.normal(seed, (ODD,), (ODD,)), 0.5))
    assert_calls_are_independent(SGD_STEP, ops.sgd_step, *calls)
    assert_steps_continue(SGD_STEP, ops.sgd_step, first, lambda moved, arguments: (moved, *arguments[1:]))


@claim("linear_model.sgd-memory-order")
def test_sgd_memory_order(ops, seed):
    for shape in ((5, 7), (3, 5, 7)):
        assert_any_memory_order(SGD_STEP, ops.sgd_step, *fixed.normal(seed, shape, shape), 0.1)


@claim("linear_model.sgd-momentum")
def test_sgd_momentum(keras):
    bias, gradient = linear_model(keras).dense.bias, keras.to_tensor(np.array([-2], np.float32))
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.5)
    for steps in (1, 2, 3):
        optimizer.apply_gradients(grads_and_vars=[(gradient, bias)])
        assert_equal(f"the bias after {steps} steps of 1", keras.to_numpy(bias), np.array([steps]))


@claim("linear_model.mean-of-squares")
@given(arguments=same_shape(2))
def test_mean_of_squares(ops, arguments):
    in_float64 = [array.astype(np.float64) for array in arguments]
    assert_within(
        "the loss",
        ops.mean_squared_error(*arguments),
        losses.mean_squared_error(*in_float64),
        rounding.mean_squared_error(*in_float64),
    )


@claim("linear_model.mean-of-any-shape")
@any_shape
def test_mean_of_any_shape(ops, seed, shape):
    assert_correct(MEAN_SQUARED_ERROR, ops.mean_squared_error, *fixed.normal(seed, shape, shape))


@claim("linear_model.every-square-counts")
@pytest.mark.parametrize("position", [0, 15, 16, 511, 1024, -7, -1])
def test_every_square_counts(ops, seed, position):
    # With a single difference, the bound does not hide a sum that omits elements which do not fill a block.
    (targets,) = fixed.normal(seed, (5, ODD))
    predictions = targets.copy()
    predictions.ravel()[position] += 3
    assert_correct(MEAN_SQUARED_ERROR, ops.mean_squared_error, targets, predictions)


@claim("linear_model.mean-of-any-magnitude")
@pytest.mark.parametrize("magnitude", [1e-15, 1e15])
def test_mean_of_any_magnitude(ops, seed, magnitude):
    assert_correct(MEAN_SQUARED_ERROR, ops.mean_squared_error, *fixed.normal(seed, (5, 7), (5, 7), scale=magnitude))


@claim("linear_model.differences-first")
def test_differences_first(ops, seed):
    # The difference of the squares of such numbers would consist of rounding errors only.
    targets, predictions = (np.float32(1e4) + one for one in fixed.normal(seed, (5, 7), (5, 7)))
    assert_correct(MEAN_SQUARED_ERROR, ops.mean_squared_error, targets, predictions)


@claim("linear_model.mean-calls-are-independent")
def test_mean_calls_are_independent(ops, seed):
    first, second = (fixed.normal(seed + i, (5, 7), (5, 7)) for i in range(2))
    calls = (*one_by_one((*first,), (*second,)), (*fixed.normal(seed, (ODD,), (ODD,)),))
    assert_calls_are_independent(MEAN_SQUARED_ERROR, ops.mean_squared_error, *calls)


@claim("linear_model.mean-memory-order")
def test_mean_memory_order(ops, seed):
    for shape in ((5, 7), (3, 5, 7)):
        assert_any_memory_order(MEAN_SQUARED_ERROR, ops.mean_squared_error, *fixed.normal(seed, shape, shape))


@claim("linear_model.loss")
@given(case=cases())
def test_loss(models, case):
    loss, _ = models.loss_and_gradients("linear", *case)
    expected, _ = definition.loss_and_gradients("linear", *case.in_float64())
    assert_within("the loss", loss, expected, case.bounds()[0])


@claim("linear_model.first-loss")
def test_first_loss(models):
    loss, _ = models.loss_and_gradients("linear", ZEROS, X, Y)
    assert_equal("the loss", loss, np.array(250))


@claim("linear_model.gradients")
@given(case=cases())
def test_gradients(models, case):
    _, gradients = models.loss_and_gradients("linear", *case)
    _, expected = definition.loss_and_gradients("linear", *case.in_float64())
    _, bounds = case.bounds()
    for name in expected:
        assert_within(f"the gradient for {name}", gradients[name], expected[name], bounds[name])


@claim("linear_model.gradients")
@pytest.mark.parametrize("features", FEATURES)
def test_gradients_of_many_features(models, seed, features):
    case = exact_case(seed, features)
    loss, gradients = models.loss_and_gradients("linear", *case)
    expected, expected_gradients = definition.loss_and_gradients("linear", *case.in_float64())
    assert_equal("the loss", loss, np.asarray(expected))
    for name, expected_gradient in expected_gradients.items():
        assert_equal(f"the gradient for {name}", gradients[name], expected_gradient)


@claim("linear_model.gradient-shapes")
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_gradient_shapes(models, batch_size):
    inputs, targets = np.ones((batch_size, 3), np.float32), np.ones((batch_size, 1), np.float32)
    _, gradients = models.loss_and_gradients("linear", ZEROS, inputs, targets)
    shapes = {name: gradient.shape for name, gradient in gradients.items()}
    assert shapes == {"dense/kernel": (3, 1), "dense/bias": (1,)}, f"the shapes of the gradients are {shapes}"


@claim("linear_model.first-gradients")
def test_first_gradients(models):
    _, gradients = models.loss_and_gradients("linear", ZEROS, X, Y)
    assert_equal("the gradient for the kernel", gradients["dense/kernel"], np.array([[-90], [-120], [-150]]))
    assert_equal("the gradient for the bias", gradients["dense/bias"], np.array([-30]))


@claim("linear_model.all-trainable")
def test_all_trainable(keras):
    model = linear_model(keras)
    shapes = [tuple(variable.shape) for variable in model.trainable_variables]
    assert shapes == [(3, 1), (1,)], f"the shapes of the trainable variables are {shapes}"


@claim("linear_model.trainable-variables")
def test_trainable_variables(keras):
    class Shifted(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.trained = keras.namespace.layers.Dense(1)
            self.fixed = keras.namespace.layers.Dense(1, trainable=False)

        def call(self, inputs):
            return self.trained(inputs) + self.fixed(inputs)

    model = Shifted()
    model(keras.to_tensor(X))
    actual = {id(variable) for variable in model.trainable_variables}
    expected = {id(variable) for variable in (model.trained.kernel, model.trained.bias)}
    assert actual == expected, f"the trainable variables are {model.trainable_variables}"


@claim("linear_model.apply-gradients")
def test_apply_gradients(keras):
    model = linear_model(keras)
    gradients = [np.array([[-90.0], [-120.0], [-150.0]]), np.array([-30.0])]
    take_step(keras, LEARNING_RATE, zip(gradients, model.variables, strict=True))
    for what, variable, gradient in zip(("kernel", "bias"), model.variables, gradients, strict=True):
        start = np.zeros_like(gradient)
        expected = optimizers.sgd_step(start, gradient, LEARNING_RATE)
        bound = rounding.sgd_step(start, gradient, LEARNING_RATE)
        assert_within(f"the {what}", keras.to_numpy(variable), expected, bound)


@claim("linear_model.pairs")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_pairs(keras, order):
    layer = keras.namespace.layers.Dense(1, kernel_initializer="zeros")
    layer.build((None, 1))
    pairs = [([[-2]], layer.kernel), ([-4], layer.bias)]
    take_step(keras, 0.5, [pairs[index] for index in order])
    assert_equal("the kernel", keras.to_numpy(layer.kernel), np.array([[1]]))
    assert_equal("the bias", keras.to_numpy(layer.bias), np.array([2]))


@claim("linear_model.in-place")
def test_in_place(keras):
    predictions = model_after_step(keras)(keras.to_tensor(X))
    assert_equal("the prediction", keras.to_numpy(predictions), np.array([[17.5], [38.5]]))


@claim("linear_model.large-batches")
def test_large_batches(models, seed):
    inputs, targets, kernel = fixed.normal(seed, (ODD, 3), (ODD, 1), (3, 1))
    case = Case({"dense/kernel": kernel, "dense/bias": np.ones(1, np.float32)}, inputs, targets)
    exact = case.in_float64()
    outputs = models.layer_outputs("linear", case.parameters, inputs)
    bound = rounding.dense(exact[1], *exact[0].values(), None)
    assert_within("the prediction", outputs["dense"], definition.layer_outputs("linear", *exact[:2])["dense"], bound)
    (loss, gradients), (expected, expected_gradients) = (
        models.loss_and_gradients("linear", *case),
        definition.loss_and_gradients("linear", *exact),
    )
    loss_bound, bounds = case.bounds()
    assert_within("the loss", loss, expected, loss_bound)
    for name, expected_gradient in expected_gradients.items():
        assert_within(f"the gradient for {name}", gradients[name], expected_gradient, bounds[name])


@claim("linear_model.step")
@given(case=cases(), learning_rate=st.sampled_from([LEARNING_RATE, 0.125, 0.001]))
def test_step(models, case, learning_rate):
    batch = case.inputs[None], case.targets[None]
    _, after = models.train("linear", case.parameters, *batch, learning_rate)
    parameters, *batches = case.in_float64()
    _, gradients = definition.loss_and_gradients("linear", parameters, *batches)
    _, bounds = case.bounds()
    for name, gradient in gradients.items():
        expected = optimizers.sgd_step(parameters[name], gradient, learning_rate)
        largest = np.abs(gradient) + bounds[name]
        bound = learning_rate * bounds[name] + rounding.sgd_step(parameters[name], largest, learning_rate)
        assert_within(f"{name} after a step", after[name], expected, bound)


@claim("linear_model.memory-order")
def test_memory_order(models):
    # Small whole numbers and halves, so that all results are exact.
    parameters = {"dense/kernel": np.array([[1], [-2], [4]], np.float32), "dense/bias": np.array([0.5], np.float32)}
    problem = Problem("linear", parameters, X, Y)
    exact = [to_float64(values) for values in (parameters, X, Y)]
    loss, gradients = definition.loss_and_gradients("linear", *exact)
    for order, one in reorder_arrays(problem):
        outputs = models.layer_outputs("linear", one.parameters, one.inputs)
        assert_equal(f"the prediction, arrays {order}", outputs["dense"], X @ parameters["dense/kernel"] + 0.5)
        found = gradients_of(models, one)
        assert_equal(f"the loss, arrays {order}", found["loss"], np.asarray(loss))
        batches = one._replace(inputs=one.inputs[None], targets=one.targets[None])
        after = train_model(models, batches, 0.5)
        for name, gradient in gradients.items():
            assert_equal(f"the gradient for {name}, arrays {order}", found[name], gradient)
            assert_equal(f"{name} after a step, arrays {order}", after[name], parameters[name] - 0.5 * gradient)


@claim("linear_model.losses")
def test_losses(models):
    def run(train):
        return lambda *problem: {"losses": train("linear", *problem, LEARNING_RATE)[0]}

    assert_training("training", run(models.train), run(definition.train))


@claim("linear_model.trained-parameters")
def test_trained_parameters(models):
    def run(train):
        return lambda *problem: train("linear", *problem, LEARNING_RATE)[1]

    assert_training("training", run(models.train), run(definition.train))


@claim("linear_model.trained-prediction")
def test_trained_prediction(models):
    def run(source):
        return lambda parameters, inputs, targets: source.layer_outputs(
            "linear", source.train("linear", parameters, inputs, targets, LEARNING_RATE)[1], inputs[0]
        )

    assert_training("the prediction", run(models), run(definition))


@claim("linear_model.loss-falls")
def test_loss_falls(models):
    found_losses, _ = models.train("linear", ZEROS, *repeat_batch(STEPS), LEARNING_RATE)
    rises = np.flatnonzero(np.diff(found_losses) >= 0)
    assert len(found_losses) == STEPS, f"expected {STEPS} losses, got {len(found_losses)}"
    assert not rises.size, f"the loss does not fall at step {rises[0] + 1}: {found_losses[rises[0] : rises[0] + 2]}"


@claim("linear_model.limit")
def test_limit(models):
    # A step multiplies the distance to the limit by at most `rate`, the factor of the slowest direction. The start lies
    # mostly in the fast direction, so that half of the bound remains, twenty times the rounding error.
    steps = 10 * STEPS
    _, last = models.train("linear", ZEROS, *repeat_batch(steps), LEARNING_RATE)
    extended = np.hstack([X, np.ones_like(Y)]).astype(np.float64)
    rate = 1 - LEARNING_RATE * 2 / len(X) * np.linalg.eigvalsh(extended @ extended.T).min()
    limit = {"dense/kernel": np.array([[0], [10 / 9], [20 / 9]]), "dense/bias": np.array([10 / 9])}
    start = np.linalg.norm(np.concatenate([value.ravel() for value in limit.values()]))
    bound = rate**steps * start
    assert_close("training", last, limit, {name: bound / np.sqrt(limit[name].size) for name in limit})


@claim("linear_model.print")
def test_print(keras):
    printed = repr(model_after_step(keras).variables)
    missing = [piece for piece in ("kernel", "(3, 1)", "1.", "2.", "4.", "bias", "(1,)", "0.5") if piece not in printed]
    assert not missing, f"{missing[0]!r} is missing in {printed}"
