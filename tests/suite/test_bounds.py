"""The bounds in both directions: correct float32 stays within them, and less than float32 does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import problems
from assay.precision import FRACTION_BITS
from assay.strategies import LARGEST_EXPONENT, classified, dense_cases, matrices, same_shape
from spec.semantics import layers, losses, models, optimizers, rounding, spread
from spec.semantics.spread import wide

FLOAT32 = np.float32


def rounded(array, format_):
    """Round float32 numbers to a format of fewer bits."""
    dropped = np.uint32(FRACTION_BITS["float32"] - FRACTION_BITS[format_])
    bits = np.ascontiguousarray(array).view(np.uint32) + (np.uint32(1) << (dropped - np.uint32(1)))
    return ((bits >> dropped) << dropped).view(FLOAT32)


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
    expected, bound = layers.dense(*map(wide, case)), rounding.dense(*map(wide, case), None)
    assert_inside(sequential_dense(case, order), expected, bound)


@pytest.mark.parametrize("format_", ["tf32", "bfloat16"])
def test_dense_of_fewer_bits_is_outside(format_):
    problem = problems.mlp(0)
    inputs, kernel = layers.flatten(problem.inputs), problem.parameters["dense1/kernel"]
    expected, bound = layers.dense(wide(inputs), wide(kernel)), rounding.dense(wide(inputs), wide(kernel), None, None)
    assert (np.abs(rounded(inputs, format_) @ rounded(kernel, format_) - expected) > bound).any()


@given(logits=matrices(LARGEST_EXPONENT))
def test_softmax_without_and_with_shift_is_inside(logits):
    exponentials = np.exp(logits)
    plain = exponentials / exponentials.sum(axis=-1, keepdims=True)
    expected, bound = layers.softmax(wide(logits)), rounding.softmax(wide(logits))
    assert_inside(plain, expected, bound)
    assert_inside(layers.softmax(logits), expected, bound)


@given(values=matrices(LARGEST_EXPONENT))
def test_both_ways_to_write_sigmoid_are_inside(values):
    expected = layers.sigmoid(wide(values))
    bound = rounding.sigmoid(expected)
    assert_inside(1 / (1 + np.exp(-values)), expected, bound)
    assert_inside(layers.sigmoid(values), expected, bound)


@given(case=classified())
def test_both_ways_to_write_cross_entropy_are_inside(case):
    targets = layers.one_hot(case.labels, case.probabilities.shape[-1])
    expected = losses.categorical_crossentropy(targets, wide(case.probabilities))
    bound = rounding.crossentropy(targets, wide(case.probabilities))
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
    expected = optimizers.adam_step(*map(wide, arguments), step, 0.001)
    bound = rounding.adam_step(*map(wide, arguments), step, 0.001)
    for one in zip(actual, expected, bound, strict=True):
        assert_inside(*one)


def trajectory(parameters, inputs, targets):
    curve, last = models.train("mlp", parameters, inputs, targets, 0.001)
    return {"losses": curve, **last}


def gradients(parameters, inputs, targets):
    loss, found = models.loss_and_gradients("mlp", parameters, inputs, targets)
    return {"loss": loss, **found}


def outputs(parameters, inputs, _targets):
    return models.layer_outputs("mlp", parameters, inputs)


WHOLE_NETWORKS = pytest.mark.parametrize(
    ("evaluate", "steps"), [(outputs, None), (gradients, None), (trajectory, 5)], ids=["outputs", "gradients", "train"]
)


@WHOLE_NETWORKS
@pytest.mark.parametrize("seed", range(5))
def test_network_in_other_orders_is_inside(evaluate, steps, seed):
    problem = problems.mlp(seed, steps=steps)
    axis = 0 if steps is None else 1
    bounds = spread.bounds(evaluate, *problem, batch_axis=axis)
    # The seed is another than that of the orders which the bound was measured in.
    for one in spread.reorderings(*problem, batch_axis=axis, count=3, seed=1):
        found = spread.deviations(evaluate, *one)
        assert {name: found[name] <= bounds[name] for name in bounds} == dict.fromkeys(bounds, True)


@WHOLE_NETWORKS
@pytest.mark.parametrize("format_", ["tf32", "bfloat16"])
def test_network_of_fewer_bits_is_outside(evaluate, steps, format_):
    problem = problems.mlp(0, steps=steps)
    bounds = spread.bounds(evaluate, *problem, batch_axis=0 if steps is None else 1)
    coarse = {name: rounded(value, format_) for name, value in problem.parameters.items()}
    actual = evaluate(coarse, rounded(problem.inputs, format_), problem.targets)
    expected = evaluate(*map(wide, problem[1:]))
    deviations = {name: spread.root_mean_square(actual[name] - expected[name]) for name in expected}
    assert {name: deviations[name] > bounds[name] for name in bounds} == dict.fromkeys(bounds, True)
