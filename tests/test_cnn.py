"""The convolutional network, its layers and its parameters: lines 287 to 331 of the document."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.adapters.proxy import AdapterError
from assay.spec.error_bounds import image_rounding, measured_bounds, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.error_bounds.products import input_rounding_bound
from assay.spec.semantics import convolution, layers
from assay.spec.vectors import read
from assay.testing import initial_parameters
from assay.testing.assertions import (
    assert_close,
    assert_equal,
    assert_form,
    assert_within,
    claim,
    few_examples,
)
from assay.testing.cnn_problems import NAMES, SHAPES, logits, places_of, problem_of, resize_batch, run
from assay.testing.image_cases import reverse_inside
from assay.testing.networks import (
    assert_certain,
    assert_dense,
    assert_parameters,
    case,
    layer_outputs,
    oppose_outputs,
)
from assay.testing.stored_arrays import assert_reads_values, assert_results_are_new, assert_results_stay
from assay.testing.strategies import seeds

DOCUMENT = read("cnn")
SAME = {"padding": "same", "activation": "relu"}
POOL = (tuple(DOCUMENT["pool_size"]), (DOCUMENT["strides"],) * 2)


def variables_of(problem, layer):
    """Return kernel and bias of a layer, in float64."""
    return [to_float64(problem.parameters[f"{layer}/{variable}"]) for variable in ("kernel", "bias")]


@claim("cnn.layer-order")
@few_examples(2)
@given(seed=seeds())
def test_layer_order(models, seed):
    found = list(run(models, problem_of(seed)))
    assert found == NAMES, f"the layers are in the order {', '.join(found)}, expected {', '.join(NAMES)}"


BATCHES = (1, 3, 7, 50)
any_batch = pytest.mark.parametrize("batch", BATCHES)


@cache
def outputs_of_batch(models, seed, batch):
    """Return the outputs for a problem's four images, repeated to this number."""
    return run(models, resize_batch(problem_of(seed), batch))


def assert_shape(models, seed, layer, batch):
    """Compare the shape of a layer's output with the document's comment."""
    assert_form(layer, outputs_of_batch(models, seed, batch)[layer], (batch, *DOCUMENT["output_shapes"][layer]))


@claim("cnn.outputs-of-any-batch")
@pytest.mark.parametrize("batch", [*BATCHES, 131])
def test_outputs_of_any_batch(models, seed, batch):
    _, known, bounds = case(problem_of, layer_outputs, seed)
    expected = {name: value[places_of(batch)] for name, value in known.items()}
    # An image with a share of more than a quarter of the batch, and so of the mean square.
    share = np.bincount(places_of(batch)).max() / batch
    wider = {name: math.sqrt(4 * share) * bound for name, bound in bounds.items()}
    assert_close(f"layer_outputs of {batch} images", outputs_of_batch(models, seed, batch), expected, wider)


@claim("cnn.conv1-shape")
@any_batch
def test_conv1_shape(models, seed, batch):
    assert_shape(models, seed, "conv1", batch)


@claim("cnn.pool1-shape")
@any_batch
def test_pool1_shape(models, seed, batch):
    assert_shape(models, seed, "pool1", batch)


@claim("cnn.conv2-shape")
@any_batch
def test_conv2_shape(models, seed, batch):
    assert_shape(models, seed, "conv2", batch)


@claim("cnn.pool2-shape")
@any_batch
def test_pool2_shape(models, seed, batch):
    assert_shape(models, seed, "pool2", batch)


@claim("cnn.flatten-shape")
@any_batch
def test_flatten_shape(models, seed, batch):
    assert_shape(models, seed, "flatten", batch)


@claim("cnn.dense1-shape")
@any_batch
def test_dense1_shape(models, seed, batch):
    assert_shape(models, seed, "dense1", batch)


@claim("cnn.dense2-shape")
@any_batch
def test_dense2_shape(models, seed, batch):
    assert_shape(models, seed, "dense2", batch)


def assert_convolution(outputs, problem, layer, inputs):
    """Compare a convolution of the model with its definition, on the layer's own input."""
    arguments = (to_float64(inputs), *variables_of(problem, layer))
    bound = image_rounding.conv2d(*arguments, **SAME)
    assert_within(layer, outputs[layer], convolution.conv2d(*arguments, **SAME), bound)


@claim("cnn.conv1-output")
@few_examples(2)
@given(seed=seeds())
def test_conv1_output(models, seed):
    problem = problem_of(seed)
    assert_convolution(run(models, problem), problem, "conv1", problem.inputs)


@claim("cnn.conv1-output")
def test_conv1_of_any_numbers(models, seed):
    # Unscaled pixels and negative pixels.
    problem = problem_of(seed)
    problem = problem._replace(inputs=255 * problem.inputs - 100)
    assert_convolution(run(models, problem), problem, "conv1", problem.inputs)


@claim("cnn.conv2-output")
@few_examples(2)
@given(seed=seeds())
def test_conv2_output(models, seed):
    problem = problem_of(seed)
    outputs = run(models, problem)
    assert_convolution(outputs, problem, "conv2", outputs["pool1"])


@claim("cnn.same-padding")
@pytest.mark.parametrize(("layer", "size", "channels"), [("conv1", 28, 1), ("conv2", 14, 32)])
def test_same_padding(models, seed, layer, size, channels):
    problem = problem_of(seed)
    parameters = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    # A single weight in the centre of conv1's window passes an image of ones to conv2 without counting elements itself.
    parameters["conv1/kernel"][2, 2] = 1
    parameters[f"{layer}/kernel"][:] = 1
    ones = np.ones((1, 28, 28, 1), np.float32)
    along = np.array([3, 4, *[5] * (size - 4), 4, 3])
    counts = channels * np.outer(along, along)
    expected = np.repeat(counts[None, :, :, None], SHAPES[f"{layer}/bias"][0], axis=-1)
    outputs = run(models, problem._replace(parameters=parameters, inputs=ones))
    # Whole numbers, except for the error of a fast convolution, here and in the layer before.
    lost = 2 * image_rounding.fast_conv2d(np.ones((1, size, size, channels)), np.ones((5, 5, channels, 1))).max()
    assert_within(f"{layer} of ones", outputs[layer], expected, lost)


@claim("cnn.receptive-field")
@few_examples(2)
@given(row=st.integers(2, 25), column=st.integers(2, 25))
def test_receptive_field(models, seed, row, column):
    problem = problem_of(seed)
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[0, row, column] = 1
    kernel, bias = variables_of(problem, "conv1")
    linear = np.tile(bias, (1, 28, 28, 1))
    linear[0, row - 2 : row + 3, column - 2 : column + 3] += kernel[::-1, ::-1, 0]
    expected = layers.relu(linear)
    outputs = run(models, problem._replace(inputs=image))
    # Apart from zeros, only a weight and a bias are added, with one rounding.
    bound = rounding.gamma(1) * expected + input_rounding_bound(np.multiply, linear - bias, np.ones(1))
    bound += image_rounding.fast_conv2d(to_float64(image), kernel)
    assert_within("conv1 of a lone pixel", outputs["conv1"], expected, bound)


@claim("cnn.receptive-field-of-conv2")
@pytest.mark.parametrize("pixel", [(13, 14), (0, 27)])
def test_receptive_field_of_conv2(models, pixel):
    # Whole numbers: an output that does not depend on the pixel is 0, except for the error of a fast convolution.
    parameters = problem_of(0).parameters
    constant = {name: np.full_like(value, name.endswith("kernel")) for name, value in parameters.items()}
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[(0, *pixel)] = 1
    seen = models.layer_outputs("cnn", constant, image)["conv2"][0, ..., 0] > 1 / 2
    # Five rows of pool1 around row i are rows 2i - 4 to 2i + 5 of conv1, whose windows reach two more on both sides.
    rows, columns = ([2 * i - 6 <= place <= 2 * i + 7 for i in range(14)] for place in pixel)
    assert np.array_equal(seen, np.outer(rows, columns)), f"conv2 of a pixel at {pixel} is\n{seen.astype(int)}"


@claim("cnn.rectified")
@pytest.mark.parametrize("layer", ["conv1", "conv2", "dense1"])
@few_examples(2)
@given(seed=seeds())
def test_rectified(models, seed, layer):
    outputs = run(models, problem_of(seed))
    result = assert_form(layer, outputs[layer], (4, *DOCUMENT["output_shapes"][layer]))
    assert result.min() == 0, f"the smallest output of {layer} is {result.min()}"


@claim("cnn.pool1-output")
@few_examples(2)
@given(seed=seeds())
def test_pool1_output(models, seed):
    outputs = run(models, problem_of(seed))
    assert_equal("pool1", outputs["pool1"], convolution.max_pool2d(outputs["conv1"], *POOL))


@claim("cnn.pool2-output")
@few_examples(2)
@given(seed=seeds())
def test_pool2_output(models, seed):
    outputs = run(models, problem_of(seed))
    assert_equal("pool2", outputs["pool2"], convolution.max_pool2d(outputs["conv2"], *POOL))


@claim("cnn.flatten-order")
@few_examples(2)
@given(seed=seeds())
def test_flatten_order(models, seed):
    outputs = run(models, problem_of(seed))
    assert_equal("flatten", outputs["flatten"], layers.flatten(outputs["pool2"]))


@claim("cnn.dense1-output")
@few_examples(2)
@given(seed=seeds())
def test_dense1_output(models, seed):
    problem = problem_of(seed)
    assert_dense(run(models, problem), problem, "dense1", "flatten", "relu")


@claim("cnn.dense2-output")
@few_examples(2)
@given(seed=seeds())
def test_dense2_output(models, seed):
    problem = problem_of(seed)
    assert_dense(run(models, problem), problem, "dense2", "dense1")


@claim("cnn.dense2-is-linear")
@few_examples(2)
@given(seed=seeds())
def test_dense2_is_linear(models, seed):
    problem = oppose_outputs(problem_of(seed), "dense2")
    result = assert_form("dense2", run(models, problem)["dense2"], (4, 10))
    assert result.min() < 0 < result.max(), f"the outputs of dense2 lie between {result.min()} and {result.max()}"


@claim("cnn.softmax-output")
@few_examples(2)
@given(seed=seeds())
def test_softmax_output(models, seed):
    outputs = run(models, problem_of(seed))
    scores = to_float64(outputs["dense2"])
    assert_within("softmax", outputs["softmax"], layers.softmax(scores), rounding.softmax(scores))


@claim("cnn.softmax-output")
def test_certain_output(models, seed):
    assert_certain(models, "cnn", "dense2/bias", problem_of(seed))


@claim("cnn.output-is-a-distribution")
@few_examples(2)
@given(seed=seeds())
def test_output_is_a_distribution(models, seed):
    outputs = run(models, problem_of(seed))
    result = assert_form("the output", outputs["softmax"], (4, 10))
    assert (result >= 0).all(), f"there are negative probabilities, down to {result.min()}"
    bound = rounding.softmax(to_float64(outputs["dense2"])).sum(axis=-1)
    assert_within(
        "the sum of ten probabilities", to_float64(result).sum(axis=-1), np.ones(4), bound, np.dtype(np.float64)
    )


@claim("cnn.whole-network")
@few_examples(2)
@given(seed=seeds())
def test_whole_network(models, seed):
    problem, expected, bounds = case(problem_of, layer_outputs, seed)
    assert_close("layer_outputs", run(models, problem), expected, bounds)


@claim("cnn.images-are-independent")
@few_examples(2)
@given(seed=seeds())
def test_images_are_independent(models, seed):
    problem = problem_of(seed)
    first = problem._replace(inputs=problem.inputs[:1], targets=problem.targets[:1])
    together, alone = (run(models, one)["dense2"] for one in (problem, first))
    # The root mean square over four images is at least half of that over one of them.
    bound = 2 * measured_bounds.bounds(logits, *problem)["dense2"] + measured_bounds.bounds(logits, *first)["dense2"]
    expected = {"dense2": to_float64(together[:1])}
    assert_close("layer_outputs of an image alone", {"dense2": alone}, expected, {"dense2": bound})


@claim("cnn.other-image-sizes")
def test_other_image_sizes(models, seed):
    larger = problem_of(seed)._replace(inputs=np.ones((1, 56, 56, 1), np.float32))
    with pytest.raises(AdapterError):
        run(models, larger)


@cache
def new_parameters(models, seed):
    """Return the parameters of a new model."""
    return models.initial_parameters("cnn", seed)


@claim("cnn.parameter-names")
def test_parameter_names(models, seed):
    assert sorted(new_parameters(models, seed)) == sorted(SHAPES)


@claim("cnn.conv1-parameters")
def test_conv1_parameters(models, seed):
    assert_parameters(new_parameters(models, seed), "cnn", "conv1", 832)


@claim("cnn.conv2-parameters")
def test_conv2_parameters(models, seed):
    assert_parameters(new_parameters(models, seed), "cnn", "conv2", 51_264)


@claim("cnn.dense1-parameters")
def test_dense1_parameters(models, seed):
    assert_parameters(new_parameters(models, seed), "cnn", "dense1", 3_212_288)


@claim("cnn.dense2-parameters")
def test_dense2_parameters(models, seed):
    assert_parameters(new_parameters(models, seed), "cnn", "dense2", 10_250)


@claim("cnn.parameter-count")
def test_parameter_count(models, seed):
    assert sum(value.size for value in new_parameters(models, seed).values()) == 3_274_634


@claim("cnn.initial-kernels")
@pytest.mark.parametrize("name", ["conv1/kernel", "conv2/kernel", "dense1/kernel", "dense2/kernel"])
def test_initial_kernels(models, seed, name):
    initial_parameters.assert_glorot(name, new_parameters(models, seed)[name], SHAPES[name])


@claim("cnn.initial-biases")
@pytest.mark.parametrize("name", ["conv1/bias", "conv2/bias", "dense1/bias", "dense2/bias"])
def test_initial_biases(models, seed, name):
    assert_equal(name, new_parameters(models, seed)[name], np.zeros(SHAPES[name]))


@claim("cnn.new-models-differ")
def test_new_models_differ(models, seed):
    pair = seed, seed + 1
    initial_parameters.assert_all_differ(*(new_parameters(models, one) for one in pair), pair)


@claim("cnn.initial-resolution")
def test_initial_resolution(models, seed):
    initial_parameters.assert_fine(new_parameters(models, seed))


@claim("cnn.initial-filters-differ")
def test_initial_filters_differ(models, seed):
    initial_parameters.assert_distinct(new_parameters(models, seed))


@claim("cnn.initial-layers-unrelated")
def test_initial_layers_unrelated(models, seed):
    initial_parameters.assert_unrelated(new_parameters(models, seed))
    initial_parameters.assert_unrelated_to(new_parameters(models, seed), models.initial_parameters("cnn", seed + 1))


@claim("cnn.initial-seed")
def test_initial_seed(models, seed):
    again = models.initial_parameters("cnn", seed)
    for name, value in new_parameters(models, seed).items():
        assert np.array_equal(again[name], value), f"a second model with the seed {seed} has another {name}"
    assert_results_are_new("initial_parameters", models.initial_parameters, ("cnn", seed))


@claim("cnn.reshape-keeps-the-batch")
def test_reshape_keeps_the_batch(ops):
    with pytest.raises(AdapterError):
        ops.reshape(np.ones((2, 3, 4), np.float32), (6,))


# Batches of one image and of many, from every rank to every rank.
RESHAPED = (
    *(((1, 6), (6,)), ((1, 3, 4), (2, 6)), ((1, 24), (1, 4, 3, 2)), ((5, 2, 3, 4), (24,)), ((33, 65), (5, 13))),
    # Examples of a single number, with axes and without.
    *(((5, 1, 1), ()), ((5,), (1, 1)), ((5, 1), (1, 1, 1))),
)
LONG = (
    ((1031, 6), (3, 2)),
    ((3, 4, 4), (4, 4)),
    # As many examples as the last axis is long.
    ((4, 4), (2, 2)),
    ((3, 4, 3), (2, 6)),
    ((3, 16), (4, 4)),
    ((2, 7, 7, 64), (7 * 7 * 64,)),
    ((3, 2, 3, 2, 2), (4, 6)),
    # Images to images with more channels, or fewer.
    ((2, 4, 6, 2), (2, 6, 4)),
    ((3, 2, 3, 4), (4, 6, 1)),
)


def any_numbers(seed, *shape):
    """Draw numbers of any magnitude and sign, which a reshape must not change."""
    numbers = np.random.default_rng((seed, *shape)).standard_normal(shape, np.float32)
    numbers.flat[:4] = [-0.0, np.inf, np.finfo(np.float32).max, -np.inf]
    return numbers


def assert_same_bits(what, actual, expected):
    """Compare arrays bit by bit, as -0.0 is equal to 0.0."""
    assert_equal(what, actual, expected)
    assert np.array_equal(np.signbit(actual), np.signbit(expected)), f"{what}: a sign of a zero is lost"


@claim("cnn.reshape-every-rank")
@pytest.mark.parametrize(("before", "after"), [*RESHAPED, *LONG], ids=str)
def test_reshape_every_rank(ops, seed, before, after):
    inputs = any_numbers(seed, *before)
    assert_same_bits(f"{before} to {after}", ops.reshape(inputs, after), inputs.reshape(len(inputs), *after))
    assert_reads_values(f"{before} to {after}: reshape", ops.reshape, inputs, after)


@claim("cnn.reshape-has-no-memory")
def test_reshape_has_no_memory(ops, seed):
    inputs = any_numbers(seed, 2, 3, 4)
    for what, values, shape in (
        ("the first call", inputs, (2, 6)),
        ("other numbers", reverse_inside(inputs), (2, 6)),
        ("another shape", inputs, (6, 2)),
        ("one example after two", inputs[:1], (2, 6)),
        ("the first call once more", inputs, (2, 6)),
    ):
        assert_same_bits(what, ops.reshape(values, shape), values.reshape(len(values), *shape))
    assert_results_stay("reshape", ops.reshape, (inputs, (2, 6)), (reverse_inside(inputs), (2, 6)))
