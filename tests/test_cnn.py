"""The convolutional network: lines 287 to 337 of the document."""

import math
from functools import cache, partial
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.adapters.proxy import AdapterError
from assay.spec.error_bounds import image_rounding, measured_bounds, rounding
from assay.spec.error_bounds.measured_bounds import compare_to_bound, root_mean_square, to_float64
from assay.spec.error_bounds.products import input_rounding_bound
from assay.spec.semantics import convolution, layers, normalization
from assay.spec.semantics import models as definition
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import cache_by_precision
from assay.spec.vectors import read
from assay.testing import initial_parameters, problems, silent_networks
from assay.testing.assertions import (
    assert_close,
    assert_equal,
    assert_form,
    assert_rejected,
    assert_within,
    claim,
    few_examples,
)
from assay.testing.chances import chance_of_share
from assay.testing.draws import chance_of_shares
from assay.testing.image_cases import reverse_inside
from assay.testing.masks import (
    WORD,
    chance_of_agreement,
    chance_of_all,
    chance_of_neighbours,
    chance_of_spread,
    count_repetitions,
)
from assay.testing.networks import (
    assert_dense,
    assert_parameters,
    assert_solved_in_any_order,
    case,
    either_adam,
    gradients_of,
    layer_outputs,
    loss_and_gradients,
    outputs_of,
    solved,
    trained,
    trajectory,
)
from assay.testing.problems import LEARNING_RATE, Problem
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.stored_arrays import assert_results_are_new
from assay.testing.strategies import matrices, seeds
from assay.testing.thresholds import FALSE_ALARM, limits, quarters, threshold
from assay.testing.training.assertions import (
    assert_losses_not_above,
    assert_not_above,
    assert_not_below,
    encoded,
    pictures,
)
from assay.testing.training.designed_training import Sizes, fit
from assay.testing.training.label_training import HIGH_RATES, assert_learns_labels, black_examples
from assay.testing.training.mnist_training import Examples
from assay.testing.training.reported_accuracy import assert_reported

DOCUMENT = read("cnn")
NAMES = [*DOCUMENT["output_shapes"], "softmax"]
SHAPES = definition.MODELS["cnn"].shapes
SAME = {"padding": "same", "activation": "relu"}
POOL = (tuple(DOCUMENT["pool_size"]), (DOCUMENT["strides"],) * 2)
BATCH_SIZE = read("mlp")["batch_size"]
PRINTED = DOCUMENT["test_accuracy"]

# Every problem stays in memory for the tests that share it.
problem_of = cache(problems.cnn)


def run(models, problem):
    """Run the model of a problem, and check that it has the layers that the document names."""
    return outputs_of(models, problem, NAMES)


def variables_of(problem, layer):
    """Return kernel and bias of a layer, in float64."""
    return [to_float64(problem.parameters[f"{layer}/{variable}"]) for variable in ("kernel", "bias")]


@claim("cnn.layer-order")
@few_examples(2)
@given(seed=seeds())
def test_layer_order(models, seed):
    assert list(run(models, problem_of(seed))) == NAMES


BATCHES = (1, 3, 7, 50)
any_batch = pytest.mark.parametrize("batch", BATCHES)


@cache
def places_of(batch):
    """Return the indices of four examples in a batch: first each of them, then in an order without a period."""
    return np.concatenate([np.arange(4), np.random.default_rng(0).integers(0, 4, batch)])[:batch]


def resized(problem, batch):
    """Repeat the examples of a problem, or omit some."""
    inputs, targets = (values[places_of(batch)] for values in problem[2:])
    return problem._replace(inputs=inputs, targets=targets)


@cache
def outputs_of_batch(models, seed, batch):
    """Return the outputs for a problem's four images, repeated to this number."""
    return run(models, resized(problem_of(seed), batch))


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
    result = assert_form("dense2", run(models, problem_of(seed))["dense2"], (4, 10))
    assert result.min() < 0 < result.max(), f"the outputs of dense2 lie between {result.min()} and {result.max()}"


@claim("cnn.softmax-output")
@few_examples(2)
@given(seed=seeds())
def test_softmax_output(models, seed):
    outputs = run(models, problem_of(seed))
    scores = to_float64(outputs["dense2"])
    assert_within("softmax", outputs["softmax"], layers.softmax(scores), rounding.softmax(scores))


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


def logits(parameters, inputs, _targets):
    """Return the definition's logits of the CNN, by name."""
    return {"dense2": definition.layer_outputs("cnn", parameters, inputs)["dense2"]}


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
    ((3, 16), (4, 4)),
    ((2, 7, 7, 64), (7 * 7 * 64,)),
    ((3, 2, 3, 2, 2), (4, 6)),
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


def gradients_case(seed):
    """Return a problem, the definition's loss and gradients, and their bounds."""
    return case(problem_of, loss_and_gradients, seed)


@claim("cnn.loss")
@few_examples(2)
@given(seed=seeds())
def test_loss(models, seed):
    problem, expected, bounds = gradients_case(seed)
    assert_close("loss_and_gradients", gradients_of(models, problem), {"loss": expected["loss"]}, bounds)


def assert_gradients(models, seed, layer):
    """Compare the gradients of a layer with the definition's."""
    problem, expected, bounds = gradients_case(seed)
    of_layer = {name: expected[name] for name in (f"{layer}/kernel", f"{layer}/bias")}
    assert_close("loss_and_gradients", gradients_of(models, problem), of_layer, bounds)


@claim("cnn.conv1-gradients")
@few_examples(2)
@given(seed=seeds())
def test_conv1_gradients(models, seed):
    assert_gradients(models, seed, "conv1")


@claim("cnn.conv2-gradients")
@few_examples(2)
@given(seed=seeds())
def test_conv2_gradients(models, seed):
    assert_gradients(models, seed, "conv2")


@claim("cnn.dense1-gradients")
@few_examples(2)
@given(seed=seeds())
def test_dense1_gradients(models, seed):
    assert_gradients(models, seed, "dense1")


@claim("cnn.dense2-gradients")
@few_examples(2)
@given(seed=seeds())
def test_dense2_gradients(models, seed):
    assert_gradients(models, seed, "dense2")


@claim("cnn.gradient-is-averaged")
@few_examples(2)
@given(seed=seeds())
def test_gradient_is_averaged(models, seed):
    problem, expected, bounds = gradients_case(seed)
    twice = problem._replace(inputs=np.tile(problem.inputs, (2, 1, 1, 1)), targets=np.tile(problem.targets, 2))
    assert_close("loss_and_gradients of every image twice", gradients_of(models, twice), expected, bounds)


@claim("cnn.gradient-of-parts")
def test_gradient_of_parts(models, seed):
    four, _, bounds = gradients_case(seed)
    parts = {size: gradients_of(models, resized(four, size)) for size in (3, 4)}
    for threes, fours in ((1, 1), (2, 11)):
        batch = 3 * threes + 4 * fours
        # The first three images and all four images, repeated this number of times.
        order = np.array([*range(3)] * threes + [*range(4)] * fours)
        whole = gradients_of(models, four._replace(inputs=four.inputs[order], targets=four.targets[order]))
        expected = {name: (3 * threes * parts[3][name] + 4 * fours * parts[4][name]) / batch for name in bounds}
        limits = measured_bounds.bounds_of_parts(bounds, 4, [3] * threes + [4] * fours)
        assert_close(f"loss_and_gradients of {batch} images and of parts of them", whole, expected, limits)


@cache_by_precision
def trajectory_case(seed, *, adam=Adam.BEFORE_CORRECTION):
    """Return a problem of two batches, the definition's losses and last parameters, and their bounds."""
    problem = problem_of(seed, batch=2, steps=2, adam=adam)
    return solved(problem, trajectory, adam=adam)


@claim("cnn.trajectory")
def test_trajectory(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        parameters = {name: expected[name] for name in problem.parameters}
        assert_close("train, after 2 steps", trained(models, problem), parameters, bounds)

    permitted(either_adam(check))


@claim("cnn.trajectory-losses")
def test_trajectory_losses(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        assert_close("train", trained(models, problem), {"losses": expected["losses"]}, bounds)

    permitted(either_adam(check))


@claim("cnn.other-learning-rates")
def test_other_learning_rates(models, seed):
    silent_networks.assert_rates(models, "cnn", seed)


@claim("cnn.confident-and-wrong")
@pytest.mark.parametrize("probability", [2.0**-10, 2.0**-22, 1 - 2.0**-14])
def test_confident_and_wrong(models, seed, probability):
    silent_networks.assert_doubted(models, "cnn", seed, probability)


@claim("cnn.document-batches")
def test_document_batches(models, seed):
    silent_networks.assert_steps(models, "cnn", seed, 2, batch=BATCH_SIZE)


@claim("cnn.every-step")
def test_every_step(models, seed):
    # Each of the four images is a batch.
    problem = problem_of(seed)
    before, after = (
        trained(models, problem._replace(inputs=problem.inputs[:steps, None], targets=problem.targets[:steps, None]))
        for steps in (3, 4)
    )
    still = [name for name in SHAPES if (after[name] == before[name]).all()]
    assert not still, f"the fourth step does not move {still}"


@claim("cnn.memory-order")
def test_memory_order(models, seed):
    assert_solved_in_any_order(case(problem_of, layer_outputs, seed), partial(run, models))
    assert_solved_in_any_order(gradients_case(seed), partial(gradients_of, models))


@claim("cnn.order-of-batches")
def test_order_of_batches(models, seed):
    problem, expected, bounds = trajectory_case(seed)
    backwards = problem._replace(inputs=problem.inputs[::-1].copy(), targets=problem.targets[::-1].copy())
    one, other = trained(models, problem), trained(models, backwards)
    _, reverse = definition.train("cnn", *map(to_float64, backwards[1:]), LEARNING_RATE)
    # Each of the two has its own rounding error. With coarse products, that may hide the effect of the order.
    told = [name for name in SHAPES if compare_to_bound(expected[name] - reverse[name], bounds[name]) > 4]
    same = [name for name in told if compare_to_bound(one[name] - other[name], bounds[name]) <= 2]
    assert told, "products are too coarse to tell"
    assert not same, f"batches in reverse lead to the same {same}"


@claim("cnn.same-recipe")
def test_same_recipe(mnist):
    program = read("mlp")
    num_batches = len(mnist.x_train) // BATCH_SIZE * program["num_epochs"]
    common = {name: program[name] for name in ("batch_size", "learning_rate")}
    assert threshold("cnn_five_epochs").recipe == {"model": "cnn", "num_batches": num_batches, **common}


# An epoch has a single batch, and a rest.
FITTED = Sizes(num_examples=3, num_batches=2, batch_size=2)
# More steps than Adam's first moment remembers.
LABELLED = FITTED._replace(num_batches=12)


@pytest.fixture(scope="session")
def fitted(training, seed, compute_once):
    """Return a training on copies of one image, and one with a learning rate of 0."""
    problem = problem_of(seed, batch=1)
    examples = Examples(*(np.repeat(values, FITTED.num_examples, axis=0) for values in problem[2:]))

    def train():
        return [fit(training, "cnn", FITTED, examples, learning_rate=rate, seed=seed) for rate in (LEARNING_RATE, 0.0)]

    return compute_once("cnn-fitted", train)


@claim("cnn.replaces-mlp")
def test_replaces_mlp(fitted):
    assert_form("the losses of 2 batches", fitted[0].losses, (2,))
    assert {name: np.shape(value) for name, value in fitted[0].parameters.items()} == SHAPES


@claim("cnn.fit-initial-parameters")
def test_fit_initial_parameters(fitted):
    _, start = fitted
    initial_parameters.assert_new("cnn", start.parameters)
    initial_parameters.assert_unrelated(start.parameters)


@claim("cnn.fit-labels")
def test_fit_labels(training, fitted, seed):
    labels = tuple(np.random.default_rng(seed).permutation(10)[:2].tolist())
    examples = black_examples(LABELLED, *labels)
    run = fit(training, "cnn", LABELLED, examples, learning_rate=HIGH_RATES["cnn"], seed=seed + 1)
    assert_learns_labels("cnn", run, LABELLED, labels, HIGH_RATES["cnn"])
    initial_parameters.assert_all_differ(fitted[1].parameters, run.parameters, (seed, seed + 1))


@claim("cnn.fit-trajectory")
def test_fit_trajectory(models, fitted, seed):
    found, start = fitted
    image, label = problem_of(seed, batch=1)[2:]
    batches = np.tile(image, (2, 2, 1, 1, 1)), np.tile(label, (2, 2))
    expected = trained(models, Problem("cnn", start.parameters, *batches))
    # Each of the two may be off by as much as another training of this size, with other ill-conditioned elements.
    bounds = {name: 2 * root_mean_square(np.asarray(bound)) for name, bound in trajectory_case(seed).bounds.items()}
    actual = {"losses": found.losses, **found.parameters}
    assert_close("fit on copies of one image, beside train", actual, to_float64(expected), bounds)


@claim("cnn.evaluate")
@few_examples(2)
@given(seed=seeds())
def test_evaluate(training, seed):
    # Only the last of four images has the right label, and batches of three leave it for a smaller batch.
    problem = problem_of(seed)
    scores = logits(*map(to_float64, problem[1:]))["dense2"]
    labels = (scores.argmax(axis=-1) + (np.arange(4) < 3)) % 10
    accuracy = training.evaluate("cnn", problem.parameters, problem.inputs, labels.astype(np.int32), 3)
    assert_within("the accuracy", accuracy, 1 / 4, rounding.quotient(1 / 4))


@claim("cnn.subclass")
def test_subclass(keras, seed):
    problem = problem_of(seed, batch=1)

    class CNN(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.conv1 = keras.namespace.layers.Conv2D(
                filters=32, kernel_size=[5, 5], padding="same", activation="relu"
            )
            self.pool1 = keras.namespace.layers.MaxPool2D(pool_size=[2, 2], strides=2)
            self.conv2 = keras.namespace.layers.Conv2D(
                filters=64, kernel_size=[5, 5], padding="same", activation="relu"
            )
            self.pool2 = keras.namespace.layers.MaxPool2D(pool_size=[2, 2], strides=2)
            self.flatten = keras.namespace.layers.Reshape(target_shape=(7 * 7 * 64,))
            self.dense1 = keras.namespace.layers.Dense(units=1024, activation="relu")
            self.dense2 = keras.namespace.layers.Dense(units=10)

        def call(self, inputs):
            x = self.pool1(self.conv1(inputs))
            x = self.pool2(self.conv2(x))
            return self.dense2(self.dense1(self.flatten(x)))

    model = CNN()
    model(keras.to_tensor(problem.inputs))
    model.set_weights([problem.parameters[name] for name in SHAPES])
    found = {"dense2": keras.to_numpy(model(keras.to_tensor(problem.inputs)))}
    assert_close("the model", found, logits(*map(to_float64, problem[1:])), measured_bounds.bounds(logits, *problem))


@claim("cnn.structure-may-change")
def test_structure_may_change(keras):
    found = keras.namespace.layers
    model = keras.namespace.Sequential(
        [
            found.Conv2D(filters=32, kernel_size=[5, 5], padding="same", activation="relu"),
            found.MaxPool2D(pool_size=[2, 2], strides=2),
            found.Reshape(target_shape=(14 * 14 * 32,)),
            found.Dense(units=10),
        ]
    )
    model(keras.to_tensor(np.zeros((1, 28, 28, 1), np.float32)))
    shapes = [np.shape(value) for value in model.get_weights()]
    assert shapes == [(5, 5, 1, 32), (32,), (6_272, 10), (10,)]


@claim("cnn.reshape-layer")
@pytest.mark.parametrize("shape", [(36,), (6, 6), (3, 12), (2, 3, 6)], ids=str)
def test_reshape_layer(keras, shape):
    inputs = np.arange(2 * 36, dtype=np.float32).reshape(2, 3, 4, 3)
    layer = keras.namespace.layers.Reshape(target_shape=shape)
    assert_equal("Reshape", keras.to_numpy(layer(keras.to_tensor(inputs))), inputs.reshape(2, *shape))


@claim("cnn.kernel-size")
@pytest.mark.parametrize("kernel_size", [[3, 5], (3, 5)])
def test_kernel_size(keras, kernel_size):
    layer = keras.namespace.layers.Conv2D(filters=2, kernel_size=kernel_size)
    layer.build((None, 28, 28, 1))
    assert tuple(layer.kernel.shape) == (3, 5, 1, 2)


@claim("cnn.padding-names")
@pytest.mark.parametrize("padding", ["vaild", "zeros"])
def test_padding_names(keras, padding):
    def build():
        keras.namespace.layers.Conv2D(filters=2, kernel_size=[5, 5], padding=padding)

    assert_rejected(f"padding={padding!r}", build)


@claim("cnn.pool-strides")
def test_pool_strides(keras, seed):
    # A window of 3, because with the document's 2 the layer moves by 2 even by default.
    images = np.random.default_rng(seed).random((1, 7, 9, 2), np.float32)
    layer = keras.namespace.layers.MaxPool2D(pool_size=[3, 3], strides=2)
    expected = convolution.max_pool2d(images, (3, 3), (2, 2))
    assert_equal("MaxPool2D", keras.to_numpy(layer(keras.to_tensor(images))), expected)


rates = st.sampled_from([0.25, 0.5, 0.75])
some_rates = pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
ONES = np.ones((100, 100), np.float32)


def dropped(ops, inputs, rate, number):
    """Drop elements as in training, and check the form of the result."""
    return assert_form("dropout in training", ops.dropout(inputs, rate, number, training=True), inputs.shape)


@claim("cnn.dropout-inference")
@given(inputs=matrices(), rate=rates, number=seeds())
def test_dropout_inference(ops, inputs, rate, number):
    assert_equal("dropout in inference", ops.dropout(inputs, rate, number, training=False), inputs)


@claim("cnn.dropout-training")
@given(inputs=matrices(), rate=rates, number=seeds())
def test_dropout_training(ops, inputs, rate, number):
    result = dropped(ops, inputs, rate, number)
    expected = normalization.dropout(to_float64(inputs), result != 0, rate)
    assert_within("what dropout left", result, expected, image_rounding.dropout(expected))


@claim("cnn.dropout-rate")
@some_rates
def test_dropout_rate(ops, seed, rate):
    zeros = int((dropped(ops, ONES, rate, seed) == 0).sum())
    probability = chance_of_share(zeros, ONES.size, rate)
    assert probability > FALSE_ALARM, f"{zeros} of {ONES.size} are 0, which has a probability of {probability:.3g}"


@claim("cnn.dropout-elements")
@pytest.mark.parametrize("axis", [0, 1])
def test_dropout_elements(ops, seed, axis):
    counts = (dropped(ops, ONES, 0.5, seed) == 0).sum(axis=axis)
    chance = chance_of_spread(counts, ONES.shape[axis], 0.5)
    assert chance > FALSE_ALARM, f"as many zeros as {counts.tolist()} have a probability of {chance:.3g}"


# With this number of masks, an element is never or always dropped with a probability of 2^-47.
MANY_MASKS = 48


@claim("cnn.dropout-elements")
@pytest.mark.parametrize("shape", [(7,), (13, 11)], ids=str)
def test_dropout_each_element(ops, seed, shape):
    # With few elements, each is tested: those that do not fill a block, and the last of all.
    counts = np.sum([mask_of(ops, shape, (seed + each) % 2**31) for each in range(MANY_MASKS)], axis=0)
    assert_chance(f"{counts.tolist()} zeros of {MANY_MASKS}", chance_of_shares(counts.ravel(), MANY_MASKS, 0.5))


@claim("cnn.dropout-mean")
@some_rates
def test_dropout_mean(ops, seed, rate):
    inputs = np.random.default_rng(seed).random((100, 100), np.float32)
    before, after = (to_float64(array).mean() for array in (inputs, dropped(ops, inputs, rate, seed)))
    # Hoeffding's inequality, as every element of the result is between 0 and x / (1 - rate).
    widths = to_float64(inputs) / (1 - rate)
    off = math.sqrt(math.log(2 / FALSE_ALARM) / 2 * np.sum(widths**2)) / inputs.size
    assert abs(after - before) < off, (
        f"the mean goes from {before:.4f} to {after:.4f}, and chance moves it by {off:.4f}"
    )


@claim("cnn.dropout-rate-0")
@given(inputs=matrices(), number=seeds())
def test_dropout_rate_0(ops, inputs, number):
    assert_equal("dropout at rate 0", ops.dropout(inputs, 0.0, number, training=True), inputs)


@claim("cnn.dropout-seed")
def test_dropout_seed(ops, seed):
    one, other = (dropped(ops, ONES, 0.5, number) for number in (seed, seed + 1))
    assert ((one == 0) != (other == 0)).any(), f"the seeds {seed} and {seed + 1} drop the same elements"


# Shapes of every rank, not multiples of a power of two. The second ones are large enough for statistics.
RANKS = ((7,), (5, 33), (3, 7, 11), (3, 5, 7, 9))
MASKS = ((40_001,), (331, 453), (33, 35, 37), (17, 19, 11, 13))
every_rank = pytest.mark.parametrize("shape", RANKS, ids=str)


def mask_of(ops, shape, number, rate=0.5):
    """Return which elements are dropped."""
    return dropped(ops, np.ones(shape, np.float32), rate, number) == 0


def assert_chance(what, chance):
    """Check that the probability of an observation is not too small."""
    assert chance > FALSE_ALARM, f"{what} have a probability of {chance:.3g}"


@claim("cnn.dropout-every-rank")
@every_rank
@some_rates
def test_dropout_every_rank(ops, seed, shape, rate):
    # No element is 0, so that dropped elements can be recognized.
    inputs = np.random.default_rng(seed).permutation(np.arange(1, np.prod(shape) + 1)).reshape(shape).astype(np.float32)
    result = dropped(ops, inputs, rate, seed)
    expected = normalization.dropout(to_float64(inputs), result != 0, rate)
    assert_within(f"what dropout at {rate} left", result, expected, image_rounding.dropout(expected))
    assert_equal("dropout at rate 0", ops.dropout(inputs, 0.0, seed, training=True), inputs)
    assert_equal("dropout in inference", ops.dropout(inputs, rate, seed, training=False), inputs)


@claim("cnn.dropout-repeats")
@every_rank
def test_dropout_repeats(ops, seed, shape):
    first = mask_of(ops, shape, seed)
    # Earlier draws, and those in between, must not matter.
    mask_of(ops, shape, seed + 1)
    assert np.array_equal(mask_of(ops, shape, seed), first), f"with the seed {seed} two masks are drawn"


@claim("cnn.dropout-independent")
@pytest.mark.parametrize("shape", MASKS, ids=str)
def test_dropout_independent(ops, seed, shape):
    mask = mask_of(ops, shape, seed)
    assert_chance("neighbours that are dropped alike as often", chance_of_neighbours(mask))
    assert not (count := count_repetitions(mask)), f"{count} times are {WORD} elements in a row dropped as before"


@claim("cnn.dropout-parts")
@pytest.mark.parametrize("shape", MASKS[1:], ids=str)
def test_dropout_parts(ops, seed, shape):
    mask = mask_of(ops, shape, seed)
    axes = range(len(shape))
    counts = [mask.sum(axis=tuple(other for other in axes if other != axis)) for axis in axes]
    chances = [chance_of_spread(of_axis, mask.size // len(of_axis), 0.5) for of_axis in counts]
    least, most = [*map(min, counts)], [*map(max, counts)]
    assert_chance(f"{least} to {most} zeros in each part along the axes", chance_of_all(*chances))


@claim("cnn.dropout-groups")
def test_dropout_groups(ops, seed):
    # All elements of a row of three are dropped nearly half of the time.
    rate, shape = 0.9, (2_003, 3)
    rows = np.bincount(mask_of(ops, shape, seed, rate).sum(axis=-1), minlength=4)
    chances = [math.comb(3, lost) * rate**lost * (1 - rate) ** (3 - lost) for lost in range(4)]
    found = [chance_of_share(int(count), shape[0], chance) for count, chance in zip(rows, chances, strict=True)]
    assert_chance(f"{rows.tolist()} rows that lose 0 to 3 elements", chance_of_all(*found))


@claim("cnn.dropout-resolution")
@pytest.mark.parametrize("rare", [False, True])
def test_dropout_resolution(ops, seed, rare):
    # Half way between two rates that random numbers of 12 bits can give.
    step, shape = 1.5 / 2**12, (1031, 1301)
    dropped_ones = int(mask_of(ops, shape, seed, step if rare else 1 - step).sum())
    count = dropped_ones if rare else math.prod(shape) - dropped_ones
    what = "dropped" if rare else "kept"
    assert_chance(f"{count} {what} elements of {math.prod(shape)}", chance_of_share(count, math.prod(shape), step))


@claim("cnn.dropout-values")
def test_dropout_values(ops, seed):
    inputs = np.random.default_rng(seed).standard_normal((101, 103), np.float32)
    zeros = dropped(ops, inputs, 0.5, seed) == 0
    parts = {
        "positive": inputs > 0,
        "negative": inputs < 0,
        "large": np.abs(inputs) > 1,
        "small": np.abs(inputs) < 0.5,
        "above the next": inputs[:, :-1] > inputs[:, 1:],
    }
    shares = {
        what: (int((zeros[:, : which.shape[1]] & which).sum()), int(which.sum())) for what, which in parts.items()
    }
    chances = [chance_of_share(*share, 0.5) for share in shares.values()]
    assert_chance(f"zeros among elements that are {shares}", chance_of_all(*chances))


# Seeds that differ in one bit, high or low, are different seeds. As float32, the last two would be equal.
BITS = (0, 1, 2, 3, 8, 10, 16, 24, 30)
SEEDS = (*(2**bit for bit in BITS), 1000, 2**30 + 1, 0, 3, 5, 6, 7)


@claim("cnn.dropout-seeds")
def test_dropout_seeds(ops, seed):
    numbers = sorted({(seed + number) % 2**31 for number in SEEDS})
    masks = [mask_of(ops, (13, 11), number) for number in numbers]
    alike = [
        (one, other)
        for (one, first), (other, second) in combinations(zip(numbers, masks, strict=True), 2)
        if np.array_equal(first, second)
    ]
    assert not alike, f"the seeds {alike[0]} drop the same elements"
    assert_chance(
        "masks of different seeds that agree as often",
        chance_of_agreement(np.array(masks[1:]), np.array(masks[:-1])),
    )
    counts = np.array([mask.sum() for mask in masks])
    chance = chance_of_spread(counts, masks[0].size, 0.5)
    assert_chance(f"{counts.tolist()} zeros of {masks[0].size}, with as many seeds,", chance)


@claim("cnn.dropout-seeds")
def test_dropout_next_seed(ops, seed):
    # If an element is drawn by the sum or XOR of seed and index, masks of other seeds are shifted or permuted.
    one, other = (mask_of(ops, MASKS[0], (seed + each) % 2**31) for each in (0, 1))
    count = 2**15
    places = np.arange(count)
    agreements = [chance_of_agreement(one[places], other[places ^ bits]) for bits in range(8)]
    for lag in range(1, 8):
        agreements += [chance_of_agreement(*pair) for pair in ((one[lag:], other[:-lag]), (other[lag:], one[:-lag]))]
    assert_chance("masks of a seed and of the next that agree as often", chance_of_all(*agreements))


@claim("cnn.dropout-trains-nothing")
def test_dropout_trains_nothing(keras):
    layers = keras.namespace.layers
    model = keras.namespace.Sequential([layers.Dropout(0.5), layers.Dense(2)])
    model(keras.to_tensor(np.ones((1, 3), np.float32)))
    assert [tuple(variable.shape) for variable in model.trainable_variables] == [(3, 2), (2,)]


@claim("cnn.dropout-default-mode")
@given(inputs=matrices())
def test_dropout_default_mode(keras, inputs):
    layer = keras.namespace.layers.Dropout(rate=0.5)
    assert_equal("Dropout without a mode", keras.to_numpy(layer(keras.to_tensor(inputs))), inputs)


@claim("cnn.printed-accuracy")
def test_printed_accuracy():
    one = threshold("cnn_one_epoch").limits()
    assert one.lower <= PRINTED <= one.upper
    assert threshold("cnn_five_epochs").limits().mean > PRINTED


@claim("cnn.every-run-beats-mlp")
def test_every_run_beats_mlp():
    cnn, mlp = (threshold(f"{model}_five_epochs").values("accuracy") for model in ("cnn", "mlp"))
    assert min(cnn) > max(mlp)


@claim("cnn.five-epochs")
def test_five_epochs(cnn_five_epochs, evidence):
    assert_not_below("cnn_five_epochs", cnn_five_epochs, PRINTED, evidence)


@claim("cnn.too-good")
def test_too_good(cnn_five_epochs):
    assert_not_above("cnn_five_epochs", cnn_five_epochs)


@claim("cnn.loss-curve")
def test_loss_curve(cnn_five_epochs, evidence):
    assert_losses_not_above("cnn_five_epochs", cnn_five_epochs, evidence, classes=10)


@claim("cnn.loss-falls")
def test_loss_falls(cnn_five_epochs):
    means = quarters(cnn_five_epochs["losses"])
    assert all(np.diff(means) < 0), f"the mean losses of the four quarters are {means}"


# Number of images among which misclassified digits for the report are sought.
EVALUATED = 2_000


@claim("cnn.reported-accuracy")
def test_reported_accuracy(training, cnn_five_epochs, test_set, evidence):
    parameters, some = cnn_five_epochs["parameters"], Examples(*(values[:EVALUATED] for values in test_set))
    parts = np.split(to_float64(some.images), EVALUATED // BATCH_SIZE)
    scores = np.concatenate([logits(to_float64(parameters), part, None)["dense2"] for part in parts])
    kernels = np.moveaxis(parameters["conv1/kernel"][:, :, 0], -1, 0)
    evidence(filters=encoded(kernels.astype(np.float32)), **pictures(scores, some))
    bounds = measured_bounds.bounds(logits, "cnn", parameters, some.images[:BATCH_SIZE], some.labels[:BATCH_SIZE])
    accuracy = training.evaluate("cnn", parameters, *some, BATCH_SIZE)
    assert_reported(accuracy, scores, 2 * bounds["dense2"], some.labels)


@claim("cnn.beats-mlp")
def test_beats_mlp(cnn_five_epochs, five_epochs):
    cnn, mlp = cnn_five_epochs["accuracy"], five_epochs["accuracy"]
    assert cnn > mlp, f"the CNN has an accuracy of {cnn:.4f}, and the MLP {mlp:.4f}"


@claim("cnn.overfits")
def test_overfits(cnn_five_epochs):
    stored = threshold("cnn_five_epochs")
    lead = cnn_five_epochs["train_accuracy"] - cnn_five_epochs["accuracy"]
    known = limits(np.subtract(stored.values("train_accuracy"), stored.values("accuracy")).tolist())
    assert lead >= known.lower, (
        f"known images are read {lead:.4f} better than new ones; the stored runs had {known.mean:.4f} with a deviation"
        f" of {known.deviation:.4f}"
    )


@claim("cnn.dropout-repeats")
def test_dropout_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("ops.dropout", implementation, results_elsewhere, seed)
