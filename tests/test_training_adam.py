"""Optimizers, and steps of Adam: lines 191 to 228 of the document."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import optimizers
from assay.spec.semantics.optimizers import Adam
from assay.testing import cases
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.cases import ANY_SHAPE, ODD
from assay.testing.networks import (
    either_adam,
)
from assay.testing.operations import (
    adam_step,
    assert_any_memory_order,
    assert_calls_are_independent,
    assert_correct,
    assert_steps_continue,
    one_by_one,
)
from assay.testing.strategies import arrays, same_shape

LEARNING_RATE = 0.001

steps = st.sampled_from([1, 2, 10, 1000])


def adam_case():
    """Draw parameter, gradient and both moments of one shape, with non-negative second moments."""
    return same_shape(4, limit=1.0).map(lambda four: (*four[:3], np.abs(four[3])))


# A gradient as small as epsilon, with which the step shows where epsilon is added.
CASE_NEAR_EPSILON = (
    np.zeros((1, 1), np.float32),
    np.full((1, 1), optimizers.EPSILON, np.float32),
    np.zeros((1, 1), np.float32),
    np.zeros((1, 1), np.float32),
)


def assert_adam(ops, case, step, result, learning_rate=LEARNING_RATE, *, adam=Adam.BEFORE_CORRECTION):
    """Compare one of the three results of a step of Adam with its definition."""
    arguments = (*map(to_float64, case), step, learning_rate)
    position = ("parameter", "first_moment", "second_moment").index(result)
    actual = ops.adam_step(*case, step, learning_rate)[position]
    assert_within(
        f"the {result} after step {step}",
        actual,
        optimizers.adam_step(*arguments, adam=adam)[position],
        rounding.adam_step(*arguments, adam=adam)[position],
    )


# Each of the two steps rounds the learning rate, a product and quotients; all else is the same in both.
RATE_ERROR = 2 * rounding.gamma(rounding.SQRT + 2 * rounding.DIVIDE + 4)


@claim("training.learning-rate")
@pytest.mark.parametrize("learning_rate", [1e-5, 1e-3, 0.02, 0.1, 10.0])
@pytest.mark.parametrize("step", [1, 7, 2000])
def test_learning_rate(ops, seed, step, learning_rate):
    # The parameter is 0, so the step is not rounded by a subtraction.
    _, *others = adam_arrays(seed, (2, 3))
    parameter = np.zeros((2, 3), np.float32)
    once, scaled = (to_float64(ops.adam_step(parameter, *others, step, rate)[0]) for rate in (0.01, learning_rate))
    expected = once * (learning_rate / 0.01)
    found = scaled.astype(np.float32)
    assert_within(
        f"the step with a learning rate of {learning_rate}, scaled from that with 0.01,",
        found,
        expected,
        RATE_ERROR * np.abs(expected),
    )


@claim("training.optimizers-module")
def test_optimizers_module(keras):
    assert callable(keras.namespace.optimizers.Adam)


@claim("training.adam-learning-rate")
def test_adam_learning_rate(keras):
    optimizer = keras.namespace.optimizers.Adam(learning_rate=0.25)
    assert float(keras.to_numpy(optimizer.learning_rate)) == 0.25


@claim("training.adam-default-rate")
def test_adam_default_rate(keras):
    rate = float(keras.to_numpy(keras.namespace.optimizers.Adam().learning_rate))
    assert rate == np.float32(LEARNING_RATE), f"the learning rate is {rate}"


@claim("training.adam-defaults")
def test_adam_defaults(keras):
    configuration = keras.namespace.optimizers.Adam().get_config()
    found = [configuration[name] for name in ("beta_1", "beta_2", "epsilon")]
    assert found == [optimizers.BETA_1, optimizers.BETA_2, optimizers.EPSILON]


@claim("training.adam-parameter")
@given(case=adam_case(), step=steps)
@example(case=CASE_NEAR_EPSILON, step=1)
def test_adam_parameter(ops, permitted, case, step):
    permitted(either_adam(partial(assert_adam, ops, case, step, "parameter")), alike=True)


def adam_arrays(seed, shape, scale=1.0):
    """Draw parameter, gradient and both moments; `scale` is the magnitude of gradients."""
    parameter, gradient, first, root = cases.normal(seed, shape, shape, shape, shape)
    return parameter, np.float32(scale) * gradient, np.float32(scale) * first, np.square(np.float32(scale) * root)


def assert_adam_steps(ops, permitted, calls):
    """Compare steps with the definition, with the same place of epsilon in all of them."""

    def check(adam):
        for arguments in calls:
            assert_correct(adam_step(adam=adam), ops.adam_step, *arguments)

    permitted(either_adam(check), alike=True)


@claim("training.adam-any-shape")
@pytest.mark.parametrize("shape", ANY_SHAPE, ids=str)
def test_adam_any_shape(ops, permitted, seed, shape):
    assert_adam_steps(ops, permitted, [(*adam_arrays(seed, shape), 3, LEARNING_RATE)])


@claim("training.adam-any-step")
def test_adam_any_step(ops, permitted, seed):
    numbers = (1, 2, 3, 9, 10, 11, 64, 99, 100, 101, 255, 256, 500, 999, 1000, 1001, 1024, 2000, 5000, 10_001, 100_000)
    arrays = adam_arrays(seed, (5, 7))
    assert_adam_steps(ops, permitted, [(*arrays, step, 0.1) for step in numbers])


@claim("training.adam-any-rate")
def test_adam_any_rate(ops, permitted, seed):
    arrays = adam_arrays(seed, (5, 7))
    assert_adam_steps(ops, permitted, [(*arrays, 3, rate) for rate in (0.0, 1e-6, 1e-4, 2e-3, 0.03, 0.5, 1.0, 10.0)])


@claim("training.adam-any-gradient")
@pytest.mark.parametrize("scale", [1e-12, 1e-4, 1e4, 1e15])
def test_adam_any_gradient(ops, permitted, seed, scale):
    parameter, gradient, *moments = adam_arrays(seed, (5, 7), scale)
    zeros = np.zeros_like(gradient)
    calls = [(parameter, gradient, *moments), (parameter, gradient, zeros, zeros), (parameter, zeros, *moments)]
    assert_adam_steps(ops, permitted, [(*arrays, step, 0.1) for arrays in calls for step in (1, 50)])


@claim("training.adam-epsilon-place")
def test_adam_epsilon_place(ops, permitted, seed):
    # With gradients near epsilon, the step depends on the place of epsilon.
    calls = [
        (*adam_arrays(seed, shape, scale), step, rate)
        for shape in ((5, 7), (ODD,))
        for scale in (1e-8, 1e-7, 1e-6)
        for step, rate in ((1, 0.1), (2, 0.001), (10, 0.1), (100, 0.001), (1000, 0.1), (1001, 0.1), (5000, 0.001))
    ]
    assert_adam_steps(ops, permitted, calls)


def next_adam_step(after, arguments):
    """Return the arguments of the step after this one, for a gradient of half the size."""
    parameter, *moments = after
    _, gradient, _, _, step, learning_rate = arguments
    return parameter, np.float32(0.5) * gradient, *moments, step + 1, learning_rate


@claim("training.adam-calls-are-independent")
def test_adam_calls_are_independent(ops, permitted, seed):
    first = *adam_arrays(seed, (5, 7)), 1, 0.1
    second = *adam_arrays(seed + 1, (5, 7)), 2, 0.02
    calls = *one_by_one(first, second), (*adam_arrays(seed, (ODD,)), 7, 0.1)

    def check(adam):
        assert_calls_are_independent(adam_step(adam=adam), ops.adam_step, *calls)
        assert_steps_continue(adam_step(adam=adam), ops.adam_step, first, next_adam_step)

    permitted(either_adam(check), alike=True)


@claim("training.adam-memory-order")
def test_adam_memory_order(ops, permitted, seed):
    def check(adam):
        for shape in ((3, 5, 7), (5, 5)):
            assert_any_memory_order(adam_step(adam=adam), ops.adam_step, *adam_arrays(seed, shape), 3, 0.1)

    permitted(either_adam(check), alike=True)


@claim("training.adam-first-moment")
@given(case=adam_case(), step=steps)
def test_adam_first_moment(ops, case, step):
    assert_adam(ops, case, step, "first_moment")


@claim("training.adam-second-moment")
@given(case=adam_case(), step=steps)
def test_adam_second_moment(ops, case, step):
    assert_adam(ops, case, step, "second_moment")


def first_step(ops, gradient):
    """Return the first step of Adam from parameters of 0."""
    zeros = np.zeros_like(gradient)
    return ops.adam_step(zeros, gradient, zeros, zeros, 1, LEARNING_RATE)[0]


def first_step_bound(gradient):
    """Bound the rounding errors of the first step, and the effect of epsilon on its length."""
    zeros = np.zeros(gradient.shape)
    bound, *_ = rounding.adam_step(zeros, to_float64(gradient), zeros, zeros, 1, LEARNING_RATE)
    root = np.abs(to_float64(gradient)) * math.sqrt(1 - optimizers.BETA_2)
    return bound + LEARNING_RATE * optimizers.EPSILON / (root + optimizers.EPSILON)


# Gradients far above epsilon, so that epsilon hardly shortens the step.
gradients = arrays((2, 3)).map(lambda values: np.where(np.abs(values) < 1, np.float32(1), values))


@claim("training.adam-bias-correction")
@given(gradient=gradients)
def test_adam_bias_correction(ops, gradient):
    length = np.abs(assert_form("the first step", first_step(ops, gradient), gradient.shape))
    expected = np.full(gradient.shape, LEARNING_RATE)
    assert_within("the length of the first step", length, expected, first_step_bound(gradient))


@claim("training.adam-gradient-scale")
@given(gradient=gradients)
def test_adam_gradient_scale(ops, gradient):
    step, larger = first_step(ops, gradient), first_step(ops, np.float32(1000) * gradient)
    bound = first_step_bound(gradient) + first_step_bound(np.float32(1000) * gradient)
    assert_within("the first step for 1,000 times the gradient", larger, to_float64(step), bound)


@claim("training.adam-against-gradient")
@given(gradient=gradients)
def test_adam_against_gradient(ops, gradient):
    signs = np.sign(first_step(ops, gradient))
    assert (signs == -np.sign(gradient)).all(), f"for gradients {gradient} the steps have the signs {signs}"


@claim("training.adam-zero-gradient")
@given(parameter=arrays((2, 3)), step=steps)
def test_adam_zero_gradient(ops, parameter, step):
    zeros = np.zeros_like(parameter)
    moved, *_ = ops.adam_step(parameter, zeros, zeros, zeros, step, LEARNING_RATE)
    assert_equal("the parameter", moved, parameter)


def apply_gradients(keras, pairs):
    """Apply gradients of 1 to a variable [1, 2] with SGD and a learning rate of 0.5; return its new value."""
    layer = keras.namespace.layers.Dense(1, use_bias=False)
    layer.build((None, 2))
    layer.set_weights([np.array([[1.0], [2.0]], np.float32)])
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.5)
    optimizer.apply_gradients(grads_and_vars=pairs([keras.to_tensor(np.ones((2, 1), np.float32))], layer.variables))
    return keras.to_numpy(layer.kernel)


@claim("training.apply-gradients")
def test_apply_gradients(keras):
    # Halves are exact in float32.
    changed = apply_gradients(keras, lambda gradients, variables: list(zip(gradients, variables, strict=True)))
    assert_equal("the variable", changed, np.array([[0.5], [1.5]]))


@claim("training.apply-gradients")
@pytest.mark.filterwarnings("ignore:.*radients do not exist")
def test_apply_missing_gradients(keras):
    # tape.gradient returns None for a variable that the loss does not depend on.
    one, other = (keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones") for _ in range(2))
    for layer in (one, other):
        layer.build((None, 1))
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.5)
    gradient = keras.to_tensor(np.ones((1, 1), np.float32))
    optimizer.apply_gradients([(None, one.kernel), (gradient, other.kernel)])
    assert_equal("the variable without a gradient", keras.to_numpy(one.kernel), np.array([[1.0]]))
    assert_equal("the other variable", keras.to_numpy(other.kernel), np.array([[0.5]]))


@claim("training.apply-gradients-zip")
def test_apply_gradients_zip(keras):
    assert_equal("the variable", apply_gradients(keras, zip), np.array([[0.5], [1.5]]))
