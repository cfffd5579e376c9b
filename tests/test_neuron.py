"""The neuron: lines 267 to 286 of the document."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.error_bounds.products import input_rounding_bound
from assay.spec.semantics import layers
from assay.testing import problems
from assay.testing.assertions import assert_form, assert_within, claim, few_examples
from assay.testing.strategies import dense_cases, seeds

UNITS = range(10)


def compute_unit(inputs, weights, bias):
    """Compute one unit as the document describes it: the sum of the weighted inputs and the bias, for each example."""
    return np.array([math.fsum([*(to_float64(row) * weights).tolist(), float(bias)]) for row in inputs])


def compute_by_units(case):
    """Compute a layer unit by unit."""
    kernel, bias = to_float64(case.kernel), to_float64(case.bias)
    return np.stack([compute_unit(case.inputs, kernel[:, k], bias[k]) for k in range(kernel.shape[1])], axis=-1)


def dense_bound(case, activation=None):
    """Bound the rounding errors of a Dense layer."""
    return rounding.dense(*map(to_float64, case), activation)


@claim("neuron.weights")
@pytest.mark.parametrize("k", UNITS)
def test_weights(models, seed, k):
    assert_form(f"column {k}", models.initial_parameters("mlp", seed)["dense2/kernel"][:, k], (100,))


@claim("neuron.bias")
@pytest.mark.parametrize("k", UNITS)
def test_bias(models, seed, k):
    assert_form(f"element {k}", models.initial_parameters("mlp", seed)["dense2/bias"][k], ())


@claim("neuron.number-of-units")
def test_number_of_units(models, seed):
    assert models.initial_parameters("mlp", seed)["dense2/kernel"].shape[-1] == len(UNITS)


@claim("neuron.inputs")
@few_examples(8)
@given(seed=seeds())
def test_inputs(models, seed):
    # With weights of 1 and no bias, each unit returns the sum of its inputs.
    problem = problems.mlp(seed)
    ones = {"dense2/kernel": np.ones((100, 10), np.float32), "dense2/bias": np.zeros(10, np.float32)}
    outputs = models.layer_outputs("mlp", problem.parameters | ones, problem.inputs)
    sums = to_float64(outputs["dense1"]).sum(axis=-1, keepdims=True)
    bound = rounding.dense(to_float64(outputs["dense1"]), np.ones((100, 10)), None, None)
    assert_within("dense2 with weights of 1", outputs["dense2"], np.tile(sums, (1, 10)), bound)


@claim("neuron.weighted-sum")
@given(case=dense_cases())
def test_weighted_sum(ops, case):
    alone = ops.dense(case.inputs, case.kernel[:, :1], case.bias[:1])
    expected = compute_unit(case.inputs, to_float64(case.kernel[:, 0]), case.bias[0])[:, None]
    assert_within("one unit", alone, expected, dense_bound(case)[:, :1])


@claim("neuron.activation")
@given(case=dense_cases(limit=1.0), activation=st.sampled_from(["relu", "tanh", "sigmoid"]))
def test_activation(ops, case, activation):
    alone = ops.dense(case.inputs, case.kernel[:, :1], case.bias[:1], activation)
    total = compute_unit(case.inputs, to_float64(case.kernel[:, 0]), case.bias[0])[:, None]
    expected = layers.ACTIVATIONS[activation](total)
    assert_within(f"one unit with {activation}", alone, expected, dense_bound(case, activation)[:, :1])


@claim("neuron.second-layer-activation")
@few_examples(8)
@given(seed=seeds())
def test_second_layer_activation(models, seed):
    problem = problems.mlp(seed)
    changed = problem.parameters["dense2/bias"] + np.eye(10, dtype=np.float32)[0]
    before = models.layer_outputs(*problem[:3])["softmax"]
    after = models.layer_outputs("mlp", problem.parameters | {"dense2/bias": changed}, problem.inputs)["softmax"]
    assert (after != before).all(), "the bias of one unit does not change the probabilities of others"
    assert (after[:, 0] > before[:, 0]).all(), "a larger bias does not raise the probability of its unit"


@claim("neuron.own-weights")
@given(case=dense_cases())
def test_own_weights(ops, case):
    kernel, bias = case.kernel.copy(), case.bias.copy()
    kernel[:, -1] += 1
    bias[-1] += 1
    others, changed = (ops.dense(case.inputs, *one)[:, :-1] for one in ((case.kernel, case.bias), (kernel, bias)))
    assert_within("the outputs of the other units", changed, to_float64(others), 2 * dense_bound(case)[:, :-1])


@claim("neuron.one-weight")
@given(case=dense_cases(), data=st.data())
def test_one_weight(ops, case, data):
    input_dim, units = case.kernel.shape
    i, k = data.draw(st.integers(0, input_dim - 1)), data.draw(st.integers(0, units - 1))
    kernel = np.zeros_like(case.kernel)
    kernel[i, k] = 1
    outputs = ops.dense(case.inputs, kernel, np.zeros_like(case.bias))
    expected = to_float64(case.inputs[:, i])
    bound = input_rounding_bound(np.multiply, expected, np.ones(1))
    assert_within(f"the output of unit {k} with weight {i} alone", outputs[:, k], expected, bound)


@claim("neuron.parameter-count")
def test_parameter_count(models, seed):
    initial = models.initial_parameters("mlp", seed)
    assert initial["dense2/kernel"].size + initial["dense2/bias"].size == 100 * 10 + 10


@claim("neuron.variable-shapes")
def test_variable_shapes(models, seed):
    initial = models.initial_parameters("mlp", seed)
    assert_form("the kernel", initial["dense2/kernel"], (100, 10))
    assert_form("the bias", initial["dense2/bias"], (10,))


@claim("neuron.same-as-matrices")
@given(case=dense_cases())
def test_same_as_matrices(ops, case):
    assert_within("the layer", ops.dense(*case), compute_by_units(case), dense_bound(case))
