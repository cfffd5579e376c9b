"""The model of the MLP: lines 159 to 176 of the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import layers
from assay.spec.semantics import models as definition
from assay.testing import initial_parameters, problems
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_within, claim
from assay.testing.networks import (
    assert_certain,
    assert_dense,
    assert_parameters,
    case,
    gradients_of,
    layer_outputs,
    loss_and_gradients,
    oppose_outputs,
    outputs_of,
    solve,
)
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.stored_arrays import assert_reads_values, assert_results_are_new, assert_results_stay
from assay.testing.strategies import arrays, seeds

NAMES = ["flatten", "dense1", "dense2", "softmax"]


def run(models, problem):
    """Run the model of a problem, and check that it has the layers that the document names."""
    return outputs_of(models, problem, NAMES)


@claim("mlp.input-is-a-vector")
@given(seed=seeds())
def test_input_is_a_vector(models, seed):
    assert_form("the input of dense1", run(models, problems.mlp(seed))["flatten"], (8, 784))


@claim("mlp.output-is-ten")
@given(seed=seeds())
def test_output_is_ten(models, seed):
    assert_form("the output", run(models, problems.mlp(seed))["softmax"], (8, 10))


@claim("mlp.output-is-a-distribution")
@given(seed=seeds())
def test_output_is_a_distribution(models, seed):
    outputs = run(models, problems.mlp(seed))
    result = assert_form("the output", outputs["softmax"], (8, 10))
    assert (result >= 0).all(), f"expected no negative probabilities, got {result.min()}"
    bound = rounding.softmax(to_float64(outputs["dense2"])).sum(axis=-1)
    assert_within(
        "the sum of ten probabilities", to_float64(result).sum(axis=-1), np.ones(8), bound, np.dtype(np.float64)
    )


@claim("mlp.layer-order")
@given(seed=seeds())
def test_layer_order(models, seed):
    found = list(run(models, problems.mlp(seed)))
    assert found == NAMES, f"the layers are in the order {', '.join(found)}, expected {', '.join(NAMES)}"


@claim("mlp.flatten-keeps-batch")
@given(seed=seeds(), batch=st.sampled_from([1, 8]))
def test_flatten_keeps_batch(models, seed, batch):
    assert_form("flatten", run(models, problems.mlp(seed, batch=batch))["flatten"], (batch, 784))


@claim("mlp.flatten-order")
def test_flatten_order(ops):
    inputs = np.arange(2 * 3 * 4 * 2, dtype=np.float32).reshape(2, 3, 4, 2)
    assert_equal("flatten", ops.flatten(inputs), np.arange(48).reshape(2, 24))


@claim("mlp.flatten-any-shape")
@given(inputs=st.sampled_from([(2, 3), (2, 3, 4), (1, 2, 3, 2)]).flatmap(arrays))
def test_flatten_any_shape(ops, inputs):
    assert_equal("flatten", ops.flatten(inputs), layers.flatten(inputs))


FLATTENED = (
    *((1, 6), (5, 3), (1, 2, 3), (3, 4, 5), (2, 33, 65), (1, 7, 7, 64), (1031, 3, 2)),
    # Examples of a single number, with axes and without.
    *((2, 3, 4, 5), (1, 1, 1, 7), (5, 2, 3, 2, 2), (1, 6), (5, 1, 1), (5,)),
)


@claim("mlp.flatten-every-rank")
def test_flatten_every_rank(ops, seed):
    for number, shape in enumerate(FLATTENED):
        inputs = np.random.default_rng((seed, number)).standard_normal(shape, np.float32)
        inputs.flat[:4] = [-0.0, np.inf, np.finfo(np.float32).max, -np.inf]
        found, expected = ops.flatten(inputs), inputs.reshape(len(inputs), -1)
        assert_equal(f"flatten of {list(shape)}", found, expected)
        # 0 and -0 compare equal, so signs are compared separately.
        assert np.array_equal(np.signbit(found), np.signbit(expected)), f"flatten of {list(shape)} loses a sign"
        assert_reads_values(f"flatten of {list(shape)}", ops.flatten, inputs)
        assert_results_stay(f"flatten of {list(shape)}", ops.flatten, (inputs,), (-inputs,))


@claim("mlp.flatten-is-exact")
@given(seed=seeds())
def test_flatten_is_exact(models, seed):
    problem = problems.mlp(seed)
    assert_equal("flatten", run(models, problem)["flatten"], layers.flatten(problem.inputs))


@claim("mlp.dense1-shape")
@given(seed=seeds())
def test_dense1_shape(models, seed):
    assert_form("dense1", run(models, problems.mlp(seed))["dense1"], (8, 100))


@claim("mlp.dense1-output")
@given(seed=seeds())
def test_dense1_output(models, seed):
    problem = problems.mlp(seed)
    assert_dense(run(models, problem), problem, "dense1", "flatten", "relu")


@claim("mlp.dense1-output")
def test_dense1_of_any_numbers(models, seed):
    # Unscaled pixels and negative pixels.
    problem = problems.mlp(seed)
    problem = problem._replace(inputs=255 * problem.inputs - 100)
    found = run(models, problem)
    assert_equal("flatten", found["flatten"], layers.flatten(problem.inputs))
    assert_dense(found, problem, "dense1", "flatten", "relu")


@claim("mlp.dense1-is-rectified")
@given(seed=seeds())
def test_dense1_is_rectified(models, seed):
    result = assert_form("dense1", run(models, problems.mlp(seed))["dense1"], (8, 100))
    assert result.min() == 0, f"the smallest output of dense1 is {result.min()}, expected 0"


@claim("mlp.dense2-shape")
@given(seed=seeds())
def test_dense2_shape(models, seed):
    assert_form("dense2", run(models, problems.mlp(seed))["dense2"], (8, 10))


@claim("mlp.dense2-output")
@given(seed=seeds())
def test_dense2_output(models, seed):
    problem = problems.mlp(seed)
    assert_dense(run(models, problem), problem, "dense2", "dense1")


@claim("mlp.dense2-is-linear")
@given(seed=seeds())
def test_dense2_is_linear(models, seed):
    problem = oppose_outputs(problems.mlp(seed), "dense2")
    result = assert_form("dense2", run(models, problem)["dense2"], (8, 10))
    assert result.min() < 0 < result.max(), (
        f"expected outputs of dense2 of both signs, got {result.min()} to {result.max()}"
    )


@claim("mlp.softmax-output")
@given(seed=seeds())
def test_softmax_output(models, seed):
    outputs = run(models, problems.mlp(seed))
    logits = to_float64(outputs["dense2"])
    assert_within("softmax", outputs["softmax"], layers.softmax(logits), rounding.softmax(logits))


@claim("mlp.softmax-output")
def test_certain_output(models, seed):
    assert_certain(models, "mlp", "dense2/bias", problems.mlp(seed))


@claim("mlp.is-not-linear")
@given(seed=seeds())
def test_is_not_linear(models, seed):
    problem = problems.mlp(seed)
    # For negated inputs, a linear map without biases returns the negated outputs, exactly, since rounding is symmetric.
    unbiased = {name: value * name.endswith("kernel") for name, value in problem.parameters.items()}
    positive, negative = (
        run(models, problem._replace(parameters=unbiased, inputs=sign * problem.inputs))["dense2"]
        for sign in (np.float32(1), np.float32(-1))
    )
    assert (positive != -negative).any(), "the logits of the negated images are the negated logits"


@claim("mlp.any-batch-size")
@pytest.mark.parametrize("batch", [1, 7, 50])
def test_any_batch_size(models, seed, batch):
    assert_form("the output", run(models, problems.mlp(seed, batch=batch))["softmax"], (batch, 10))


# Small and odd sizes, that of the document, and one that is not a multiple of blocks of 16, 32, 64 and 128.
BATCHES = (3, 7, 50, 131)


@claim("mlp.outputs-of-any-batch")
@pytest.mark.parametrize("batch", BATCHES)
def test_outputs_of_any_batch(models, seed, batch):
    problem, expected, bounds = case(problems.mlp, layer_outputs, seed, batch=batch)
    assert_close(f"layer_outputs of {batch} images", run(models, problem), expected, bounds)


@claim("mlp.gradients-of-any-batch")
@pytest.mark.parametrize("batch", BATCHES)
def test_gradients_of_any_batch(models, seed, batch):
    problem, expected, bounds = case(problems.mlp, loss_and_gradients, seed, batch=batch)
    assert_close(f"loss_and_gradients of {batch} images", gradients_of(models, problem), expected, bounds)


@claim("mlp.memory-order")
def test_memory_order(models, seed):
    problem, expected, bounds = case(problems.mlp, layer_outputs, seed)
    parameters = {name: np.asfortranarray(value) for name, value in problem.parameters.items()}
    # A view of every second image of a larger array, with the pixels stored by columns.
    images = np.repeat(problem.inputs, 2, axis=0).transpose(0, 2, 1, 3).copy().transpose(0, 2, 1, 3)[::2]
    images.flags.writeable = False
    found = run(models, problem._replace(parameters=parameters, inputs=images))
    assert_close("layer_outputs of arrays in a different memory order", found, expected, bounds)


@claim("mlp.own-parameters")
def test_own_parameters(models, seed):
    one, other = (case(problems.mlp, layer_outputs, each) for each in (seed, seed + 1))
    for problem, expected, bounds in (one, other, one):
        assert_close("layer_outputs", run(models, problem), expected, bounds)
    swapped = solve(one.problem._replace(parameters=other.problem.parameters), layer_outputs)
    assert_close("layer_outputs with other parameters", run(models, swapped.problem), *swapped[1:])


@claim("mlp.images-are-independent")
@given(seed=seeds())
def test_images_are_independent(models, seed):
    problem = problems.mlp(seed)
    together = run(models, problem)["dense2"]
    alone = run(models, problem._replace(inputs=problem.inputs[:1]))
    # Each of the two runs may be off by the rounding errors of two layers.
    hidden = [to_float64(problem.parameters[f"dense1/{variable}"]) for variable in ("kernel", "bias")]
    last = [to_float64(problem.parameters[f"dense2/{variable}"]) for variable in ("kernel", "bias")]
    error = rounding.dense(to_float64(alone["flatten"]), *hidden, "relu") @ np.abs(last[0])
    bound = 2 * (error + rounding.dense(to_float64(alone["dense1"]), *last, None))
    assert_within("the logits of an image alone", alone["dense2"], to_float64(together[:1]), bound)


@claim("mlp.parameter-names")
def test_parameter_names(models, seed):
    assert sorted(models.initial_parameters("mlp", seed)) == sorted(definition.MODELS["mlp"].shapes)


@claim("mlp.dense1-parameters")
def test_dense1_parameters(models, seed):
    assert_parameters(models.initial_parameters("mlp", seed), "mlp", "dense1", 78_500)


@claim("mlp.dense2-parameters")
def test_dense2_parameters(models, seed):
    assert_parameters(models.initial_parameters("mlp", seed), "mlp", "dense2", 1_010)


@claim("mlp.parameter-count")
def test_parameter_count(models, seed):
    assert sum(value.size for value in models.initial_parameters("mlp", seed).values()) == 79_510


# Steps to the next seed, and to seeds that agree in the last 8, 16 or 24 bits or in the last six decimal digits.
SEED_STEPS = (1, 2**8, 2**16, 2**24, 10**6)


@claim("mlp.initial-kernels")
@pytest.mark.parametrize("name", ["dense1/kernel", "dense2/kernel"])
def test_initial_kernels(models, seed, name):
    shape = definition.MODELS["mlp"].shapes[name]
    initial_parameters.assert_glorot(name, models.initial_parameters("mlp", seed)[name], shape)


@claim("mlp.initial-biases")
@pytest.mark.parametrize("name", ["dense1/bias", "dense2/bias"])
def test_initial_biases(models, seed, name):
    shape = definition.MODELS["mlp"].shapes[name]
    assert_equal(name, models.initial_parameters("mlp", seed)[name], np.zeros(shape))


@claim("mlp.new-models-differ")
@pytest.mark.parametrize("step", SEED_STEPS)
def test_new_models_differ(models, seed, step):
    pair = seed, (seed + step) % 2**31
    initial_parameters.assert_all_differ(*(models.initial_parameters("mlp", one) for one in pair), pair)


@claim("mlp.initial-resolution")
def test_initial_resolution(models, seed):
    initial_parameters.assert_fine(models.initial_parameters("mlp", seed))


@claim("mlp.initial-units-differ")
def test_initial_units_differ(models, seed):
    initial_parameters.assert_distinct(models.initial_parameters("mlp", seed))


@claim("mlp.initial-layers-unrelated")
def test_initial_layers_unrelated(models, seed):
    one, other = (models.initial_parameters("mlp", each) for each in (seed, seed + 1))
    initial_parameters.assert_unrelated(one)
    initial_parameters.assert_unrelated_to(one, other)


@claim("mlp.initial-seed")
def test_initial_seed(models, seed):
    first, _, repeated = (models.initial_parameters("mlp", one) for one in (seed, seed + 1, seed))
    for name, value in first.items():
        assert np.array_equal(repeated[name], value), f"a second model with the seed {seed} has another {name}"
    # Training a model in place must not change models that are built later.
    assert_results_are_new("initial_parameters", models.initial_parameters, ("mlp", seed))


@claim("mlp.flatten-layer")
@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 4), (3, 3, 3)], ids=str)
def test_flatten_layer(keras, shape):
    inputs = np.arange(2 * np.prod(shape), dtype=np.float32).reshape(2, *shape)
    found = keras.to_numpy(keras.namespace.layers.Flatten()(keras.to_tensor(inputs)))
    assert_equal("Flatten", found, inputs.reshape(2, -1))


@claim("mlp.subclass")
@given(seed=seeds())
def test_subclass(keras, seed):
    problem = problems.mlp(seed, batch=1)

    class MLP(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.flatten = keras.namespace.layers.Flatten()
            self.dense1 = keras.namespace.layers.Dense(100, activation="relu")
            self.dense2 = keras.namespace.layers.Dense(10)

        def call(self, inputs):
            return self.dense2(self.dense1(self.flatten(inputs)))

    model = MLP()
    model(keras.to_tensor(problem.inputs))
    model.set_weights([problem.parameters[name] for name in definition.MODELS["mlp"].shapes])
    logits = keras.to_numpy(model(keras.to_tensor(problem.inputs)))
    hidden = to_float64(layers.flatten(problem.inputs))
    values = [to_float64(problem.parameters[name]) for name in definition.MODELS["mlp"].shapes]
    error = rounding.dense(hidden, *values[:2], "relu") @ np.abs(values[2])
    hidden = layers.dense(hidden, *values[:2], "relu")
    expected = layers.dense(hidden, *values[2:])
    assert_within("the logits", logits, expected, error + rounding.dense(hidden + error.max(), *values[2:], None))


@claim("mlp.initial-seed")
def test_initial_parameters_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("models.initial_parameters", implementation, results_elsewhere, seed)
