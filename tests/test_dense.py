"""The Dense layer: lines 79 to 106 of the document."""

from itertools import cycle

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.adapters.proxy import AdapterError
from assay.spec.error_bounds import rounding
from assay.spec.semantics import layers, precision
from assay.spec.semantics.initializers import glorot_limit
from assay.testing import cases
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.cases import ANY_SHAPE, ODD
from assay.testing.chances import chance_of_independent_draws
from assay.testing.draws import (
    chance_of_collisions,
    chance_of_repeats,
    chance_of_shares,
    mirrored_halves,
    share_reached,
)
from assay.testing.initial_parameters import assert_fine
from assay.testing.operations import (
    DENSE,
    RELU,
    SIGMOID,
    TANH,
    assert_any_memory_order,
    assert_calls_are_independent,
    assert_correct,
    one_by_one,
)
from assay.testing.precision import measure_precision
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import assert_results_are_new
from assay.testing.strategies import DENSE_SHAPES, LARGEST_EXPONENT, DenseCase, dense_cases, matrices
from assay.testing.thresholds import FALSE_ALARM


def assert_dense(ops, case, bias, activation=None):
    """Compare a Dense layer with its definition."""
    in_float64 = [None if array is None else array.astype(np.float64) for array in (case.inputs, case.kernel, bias)]
    assert_within(
        f"dense with activation {activation}",
        ops.dense(case.inputs, case.kernel, bias, activation),
        layers.dense(*in_float64, activation),
        rounding.dense(*in_float64, activation),
    )


# With inputs of 0 the result is the bias, and no rounding of products excuses an error in its last bits.
BIAS_ALONE = DenseCase(np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32), np.full(1, 1 + 2.0**-20, np.float32))


@claim("dense.affine")
@given(case=dense_cases())
@example(case=BIAS_ALONE)
def test_affine(ops, case):
    assert_dense(ops, case, case.bias)


@claim("dense.affine-not-linear")
def test_affine_not_linear(ops):
    inputs, kernel, bias = np.zeros((2, 3), np.float32), np.ones((3, 2), np.float32), np.array([1, -2], np.float32)
    assert_equal("with a bias", ops.dense(inputs, kernel, bias), np.array([[1, -2], [1, -2]]))
    assert_equal("without", ops.dense(inputs, kernel, None), np.zeros((2, 2)))


@claim("dense.activation-after-affine")
@given(case=dense_cases(limit=1.0))
def test_activation_is_applied_after_the_bias(ops, case):
    # A bias of -2 makes some positive products negative, where an activation before the bias gives a different result.
    assert_dense(ops, case, case.bias - 2, "relu")


@claim("dense.output-shape")
@pytest.mark.parametrize(("batch_size", "input_dim", "units"), DENSE_SHAPES)
def test_output_shape(ops, batch_size, input_dim, units):
    inputs, kernel = np.ones((batch_size, input_dim), np.float32), np.ones((input_dim, units), np.float32)
    assert_form("dense", ops.dense(inputs, kernel, np.ones(units, np.float32)), (batch_size, units))


@claim("dense.any-rank")
@given(case=st.integers(3, 4).flatmap(lambda rank: dense_cases(rank=rank)))
def test_any_rank(ops, case):
    assert_dense(ops, case, case.bias)


# Each of batch, input_dim and units is once above usual block sizes, once a multiple of them, once one more.
LARGE_SHAPES = ((4 * ODD, 3, 2), (ODD, 64, 17), (33, ODD, 64), (64, 128, ODD), (17, 17, 17), (16, 33, 65))
some_shape = pytest.mark.parametrize("shape", ANY_SHAPE, ids=str)


@claim("dense.any-size")
@pytest.mark.parametrize(
    ("batch", "input_dim", "units", "activation"),
    [(*shape, activation) for shape, activation in zip(LARGE_SHAPES, cycle(["relu", "tanh", "sigmoid"]))],
)
def test_any_size(ops, seed, batch, input_dim, units, activation):
    drawn = cases.dense(seed, (batch,), input_dim, units)
    assert_correct(DENSE, ops.dense, *drawn, activation)
    assert_correct(DENSE, ops.dense, *drawn)
    # Without cancellation, the bound is small relative to the result, so that sums in lower precision fail.
    assert_correct(DENSE, ops.dense, *map(np.abs, drawn))


@claim("dense.any-option")
@pytest.mark.parametrize("activation", [None, "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("leading", [(3,), (4, 3), (5, 67), (2, 1, 3), (2, 3, 1, 2)], ids=str)
def test_any_option(ops, seed, leading, activation):
    # Where units equals the last leading axis, a bias added along that axis has the right shape.
    inputs, kernel, bias = cases.dense(seed, leading, 5, 3)
    assert_correct(DENSE, ops.dense, inputs, kernel, bias, activation)
    assert_correct(DENSE, ops.dense, inputs, kernel, None, activation)


@claim("dense.any-magnitude")
@pytest.mark.parametrize(("input_scale", "kernel_scale"), [(1e15, 1e15), (1e-15, 1e-15), (1e30, 1e-30), (1e-30, 1e30)])
def test_any_magnitude(ops, seed, input_scale, kernel_scale):
    # The required format of products may have a smaller range than float32.
    largest = precision.GRADES[precision.current_precision()].largest / 2**8
    inputs, kernel, _ = cases.dense(seed, (5,), 7, 3)
    input_scale, kernel_scale = (np.float32(min(one, largest)) for one in (input_scale, kernel_scale))
    assert_correct(DENSE, ops.dense, input_scale * inputs, kernel_scale * kernel)


@claim("dense.saturated")
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_saturated(ops, activation):
    # Without infinities, since 0 times infinity is NaN.
    sums = cases.EDGES[np.isfinite(cases.EDGES)]
    one, zero = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
    representable = np.abs(sums) <= precision.GRADES[precision.current_precision()].largest
    assert_correct(DENSE, ops.dense, sums[representable][:, None], one, None, activation)
    assert_correct(DENSE, ops.dense, zero, np.ones((1, len(sums)), np.float32), sums, activation)


@claim("dense.calls-are-independent")
def test_calls_are_independent(ops, seed):
    first, second = (cases.dense(one, (5,), 7, 3) for one in (seed, seed + 1))
    larger = cases.dense(seed, (16,), 33, 65)
    calls = one_by_one((*first, "tanh"), (*second, "relu"))
    assert_calls_are_independent(DENSE, ops.dense, *calls, (*larger, None), (*first[:2], None, "relu"))


@claim("dense.activation-calls-are-independent")
@pytest.mark.parametrize("operation", [RELU, TANH, SIGMOID], ids=lambda operation: operation.name)
def test_activation_calls_are_independent(ops, seed, operation):
    first, second, larger = cases.normal(seed, (2, 3, 4), (2, 3, 4), (ODD,))
    calls = ((first,), (second,), (larger,))
    assert_calls_are_independent(operation, getattr(ops, operation.name), *calls)


@claim("dense.memory-order")
def test_memory_order(ops, seed):
    assert_any_memory_order(DENSE, ops.dense, *cases.dense(seed, (4, 5), 7, 3), "relu")
    # If the kernel is square, its transpose has the right shape, too.
    assert_any_memory_order(DENSE, ops.dense, *cases.dense(seed, (5,), 5, 5), "relu")


@claim("dense.activation-memory-order")
@pytest.mark.parametrize("operation", [RELU, TANH, SIGMOID], ids=lambda operation: operation.name)
def test_activation_memory_order(ops, seed, operation):
    for shape in ((5, 7), (4, 5, 7)):
        assert_any_memory_order(operation, getattr(ops, operation.name), *cases.normal(seed, shape))


@claim("dense.rows-are-independent")
@given(case=dense_cases())
def test_rows_are_independent(ops, case):
    alone = np.concatenate([ops.dense(row[None], case.kernel, case.bias) for row in case.inputs])
    in_float64 = [array.astype(np.float64) for array in case]
    assert_within("the rows one by one", alone, layers.dense(*in_float64), rounding.dense(*in_float64, None))


@claim("dense.variables-are-trainable")
def test_variables_are_trainable(keras):
    layer = keras.namespace.layers.Dense(4)
    layer.build((None, 3))
    assert [variable.name.split("/")[-1].split(":")[0] for variable in layer.trainable_variables] == [
        "kernel",
        "bias",
    ]
    assert len(layer.variables) == 2


@claim("dense.full-float32")
def test_full_float32(ops, evidence):
    measured = measure_precision(ops)
    evidence(precision=measured)
    assert precision.at_least_as_precise(measured, precision.current_precision()), (
        f"products are computed in {measured}, expected {precision.current_precision()}"
    )


@claim("dense.wrong-input-dim")
def test_wrong_input_dim(ops):
    with pytest.raises(AdapterError):
        ops.dense(np.ones((2, 4), np.float32), np.ones((3, 5), np.float32), np.ones(5, np.float32))


@claim("dense.units")
def test_units_of_any_rank(keras):
    # Small whole numbers, whose sums are exact.
    inputs = np.arange(30, dtype=np.float32).reshape(2, 3, 5) % 7 - 3
    kernel = np.arange(20, dtype=np.float32).reshape(5, 4) % 7 - 3
    layer = keras.namespace.layers.Dense(units=4)
    layer(keras.to_tensor(inputs))
    layer.set_weights([kernel, np.arange(4, dtype=np.float32)])
    assert_equal("the output", keras.to_numpy(layer(keras.to_tensor(inputs))), inputs @ kernel + np.arange(4))


@claim("dense.units")
def test_units(keras):
    layer = keras.namespace.layers.Dense(units=4)
    output = layer(keras.to_tensor(np.ones((2, 3), np.float32)))
    assert_form("the output", keras.to_numpy(output), (2, 4))


@claim("dense.activation-default")
def test_activation_default(keras):
    layer = keras.namespace.layers.Dense(4)
    values = np.linspace(-3, 3, 7, dtype=np.float32)
    assert_equal("the default activation", keras.to_numpy(layer.activation(keras.to_tensor(values))), values)


@claim("dense.activation-none")
@given(case=dense_cases())
def test_activation_none(ops, case):
    assert_equal("activation=None", ops.dense(*case, activation=None), ops.dense(case.inputs, case.kernel, case.bias))


@claim("dense.relu")
@given(inputs=matrices())
def test_relu(ops, inputs):
    assert_equal("relu", ops.relu(inputs), layers.relu(inputs))


@claim("dense.tanh")
@given(inputs=matrices())
def test_tanh(ops, inputs):
    expected = layers.tanh(inputs.astype(np.float64))
    assert_within("tanh", ops.tanh(inputs), expected, rounding.tanh(expected))


@claim("dense.sigmoid")
@given(inputs=matrices(LARGEST_EXPONENT))
def test_sigmoid(ops, inputs):
    expected = layers.sigmoid(inputs.astype(np.float64))
    assert_within("sigmoid", ops.sigmoid(inputs), expected, rounding.sigmoid(expected))


@claim("dense.relu-of-any-number")
@some_shape
def test_relu_of_any_number(ops, seed, shape):
    assert_correct(RELU, ops.relu, cases.edges(seed, shape))


@claim("dense.tanh-of-any-number")
@some_shape
def test_tanh_of_any_number(ops, seed, shape):
    assert_correct(TANH, ops.tanh, cases.edges(seed, shape))


@claim("dense.sigmoid-of-any-number")
@some_shape
def test_sigmoid_of_any_number(ops, seed, shape):
    assert_correct(SIGMOID, ops.sigmoid, cases.edges(seed, shape))


@claim("dense.activation-relu")
@given(case=dense_cases())
def test_activation_relu(ops, case):
    assert_dense(ops, case, case.bias, "relu")


@claim("dense.activation-tanh")
@given(case=dense_cases(limit=1.0))
def test_activation_tanh(ops, case):
    assert_dense(ops, case, case.bias, "tanh")


@claim("dense.activation-sigmoid")
@given(case=dense_cases(limit=1.0))
def test_activation_sigmoid(ops, case):
    assert_dense(ops, case, case.bias, "sigmoid")


@claim("dense.use-bias-default")
def test_use_bias_default(keras):
    assert keras.namespace.layers.Dense(4).use_bias is True


@claim("dense.without-bias")
@given(case=dense_cases())
def test_without_bias(ops, case):
    assert_dense(ops, case, None)


# A default must not depend on the activation.
any_activation = pytest.mark.parametrize("activation", [None, "relu", "tanh", "sigmoid"])


@claim("dense.without-bias-variable")
@any_activation
def test_without_bias_variable(keras, activation):
    layer = keras.namespace.layers.Dense(4, activation=activation, use_bias=False)
    layer.build((None, 3))
    assert [tuple(variable.shape) for variable in layer.variables] == [(3, 4)]


@claim("dense.kernel-initializer-default")
@any_activation
def test_kernel_initializer_default(keras, activation):
    initializer = keras.namespace.layers.Dense(4, activation=activation).kernel_initializer
    assert isinstance(initializer, keras.namespace.initializers.GlorotUniform)


@claim("dense.bias-initializer-default")
@any_activation
def test_bias_initializer_default(keras, activation):
    layer = keras.namespace.layers.Dense(4, activation=activation)
    layer.build((None, 3))
    assert_equal("the bias of a new layer", keras.to_numpy(layer.bias), np.zeros(4))


@claim("dense.zeros-initializer")
def test_zeros_initializer(keras):
    zeros = keras.namespace.initializers.Zeros()
    layer = keras.namespace.layers.Dense(4, kernel_initializer=zeros, bias_initializer=zeros)
    layer.build((None, 3))
    assert_equal("the kernel", keras.to_numpy(layer.kernel), np.zeros((3, 4)))
    assert_equal("the bias", keras.to_numpy(layer.bias), np.zeros(4))


@claim("dense.initializers")
@any_activation
def test_initializers(keras, activation):
    found, constant = keras.namespace.initializers, keras.namespace.initializers.Constant
    for kernel, bias, values in ((constant(0.5), constant(-2.0), (0.5, -2)), ("zeros", found.Ones(), (0, 1))):
        layer = keras.namespace.layers.Dense(4, activation, kernel_initializer=kernel, bias_initializer=bias)
        layer.build((None, 3))
        assert_equal("the kernel", keras.to_numpy(layer.kernel), np.full((3, 4), values[0]))
        assert_equal("the bias", keras.to_numpy(layer.bias), np.full(4, values[1]))


@claim("dense.zeros")
@pytest.mark.parametrize("shape", [(1,), (3, 4), (2, 3, 4)])
def test_zeros(ops, shape):
    assert_equal("zeros", ops.zeros(shape), np.zeros(shape))


@claim("dense.zeros-of-any-shape")
@pytest.mark.parametrize("shape", [*ANY_SHAPE, (3, 3, 64, 65)], ids=str)
def test_zeros_of_any_shape(ops, shape):
    first = ops.zeros(shape)
    assert_equal("zeros", first, np.zeros(shape))
    if np.ndim(first) and first.flags.writeable:
        # Training a variable in place must not change variables that are created later.
        first += 1
    assert_equal("zeros after the first array has changed", ops.zeros(shape), np.zeros(shape))


@claim("dense.kernel-shape")
def test_kernel_shape(keras):
    layer = keras.namespace.layers.Dense(4)
    layer.build((None, 3))
    assert tuple(layer.kernel.shape) == (3, 4)


@claim("dense.bias-shape")
def test_bias_shape(keras):
    layer = keras.namespace.layers.Dense(4)
    layer.build((None, 3))
    assert tuple(layer.bias.shape) == (4,)


@claim("dense.glorot-name")
def test_glorot_name(keras):
    initializers = keras.namespace.initializers
    assert isinstance(initializers.get("glorot_uniform"), initializers.GlorotUniform)


@claim("dense.glorot-limit")
@pytest.mark.parametrize(("fan_in", "fan_out"), [(784, 100), (100, 10), (1, 1)])
def test_glorot_limit(ops, seed, fan_in, fan_out):
    kernel = assert_form("the kernel", ops.glorot_uniform((fan_in, fan_out), seed), (fan_in, fan_out))
    limit = glorot_limit(fan_in, fan_out)
    assert_within("the kernel", kernel, np.zeros_like(kernel), limit * (1 + rounding.gamma(rounding.SQRT)))


@claim("dense.glorot-distribution")
def test_glorot_distribution(ops, seed):
    limit = glorot_limit(784, 100)
    draws = assert_form("the kernel", ops.glorot_uniform((784, 100), seed), (784, 100)).ravel()
    probability = chance_of_independent_draws(draws, -limit, limit)
    assert probability > FALSE_ALARM, (
        f"independent uniform draws are as uneven, or as even, with a probability of {probability:.3g}"
    )


@claim("dense.glorot-distribution")
def test_glorot_rows_and_columns(ops, seed):
    kernel, limit = draw_kernel(ops, seed), glorot_limit(784, 100)
    halves = {"positive": kernel > 0, "large": np.abs(kernel) > limit / 2}
    chances = {
        f"{what} weights of {lines}": chance_of_shares(half.sum(axis=axis), half.shape[axis], 1 / 2)
        for what, half in halves.items()
        for axis, lines in enumerate(("columns", "rows"))
    }
    what, least = min(chances.items(), key=lambda item: item[1])
    probability = len(chances) * least
    assert probability > FALSE_ALARM, f"the number of {what} is too far from half: it has probability {probability:.3g}"


def draw_kernel(ops, seed, shape=(784, 100)):
    """Draw a kernel and check its form."""
    return assert_form("the kernel", ops.glorot_uniform(shape, seed), shape)


def assert_reaches_limit(draws, shape):
    """Check that the draws of all weights of kernels of a shape come near both ends of their interval."""
    share = share_reached(draws.size, FALSE_ALARM)
    for sign, furthest in (("largest", draws.max()), ("smallest", -draws.min())):
        reached = furthest / glorot_limit(*shape)
        assert reached > share, f"the {sign} of {draws.size} draws is {reached:.6f} of the limit, not above {share:.6f}"


@claim("dense.glorot-reaches-limit")
@pytest.mark.parametrize("shape", [(784, 100), (10, 3000)])
def test_glorot_reaches_limit(ops, seed, shape):
    assert_reaches_limit(draw_kernel(ops, seed, shape), shape)


@claim("dense.glorot-reaches-limit")
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1)])
def test_glorot_limit_of_small_kernels(ops, seed, shape):
    kernels = np.stack([draw_kernel(ops, (seed + number) % 2**31, shape) for number in range(40)])
    assert_within(
        "the kernels", kernels, np.zeros_like(kernels), glorot_limit(*shape) * (1 + rounding.gamma(rounding.SQRT))
    )
    assert_reaches_limit(kernels, shape)


# Number of float32 values between consecutive powers of 2, which is the resolution of the coarsest usual generators.
FRACTION = 2**23


@claim("dense.glorot-resolution")
def test_glorot_resolution(ops, seed):
    draws = draw_kernel(ops, seed).ravel()
    probability = chance_of_collisions(draws, FRACTION)
    assert probability > FALSE_ALARM, (
        f"{draws.size} draws have only {len(np.unique(draws))} distinct values, which has probability "
        f"{probability:.3g} for draws from 2^23 values"
    )


@claim("dense.glorot-resolution")
@pytest.mark.parametrize("shape", [(5, 7), (13, 11)], ids=str)
def test_glorot_resolution_of_small_kernels(ops, seed, shape):
    # Elements that do not fill a block must be drawn too, and must not repeat others.
    assert_fine({f"kernel {list(shape)}": assert_form("glorot_uniform", ops.glorot_uniform(shape, seed), shape)})


# Number of levels to which draws are rounded, and number of consecutive draws in a word.
LEVELS, WORD = 256, 8
# Number of draws from either end that reveals a sequence whose second half mirrors its first.
MIRRORED = 2**12


@claim("dense.glorot-independent")
def test_glorot_independent(ops, seed):
    # A wide kernel has rows longer than usual blocks.
    kernels = [*(draw_kernel(ops, one) for one in (seed, seed + 1)), draw_kernel(ops, seed + 2, (10, 3000))]
    shares = [kernel / (2 * glorot_limit(*kernel.shape)) + 0.5 for kernel in kernels]
    levels = [np.clip(share * LEVELS, 0, LEVELS - 1).astype(np.int32) for share in shares]
    # The elements of each kernel by rows and by columns, and their negatives.
    lines = [one.ravel() for level in levels for one in (level, level.T, LEVELS - 1 - level, LEVELS - 1 - level.T)]
    # The start of each sequence, and its end reversed.
    halves = [half[:MIRRORED] for line in lines for half in mirrored_halves(line)]
    chances = [chance_of_repeats(*some, classes=LEVELS, length=WORD) for some in (lines, halves)]
    probability = len(chances) * min(chances)
    assert probability > FALSE_ALARM, (
        f"rows or columns of kernels repeat others over {WORD} draws in a row, which has probability {probability:.3g}"
    )


@claim("dense.glorot-seed")
def test_glorot_seed(ops, seed):
    # A seed of 0 must not be taken for a missing seed.
    for one in (0, seed):
        kernel = assert_form("the kernel", ops.glorot_uniform((3, 4), one), (3, 4))
        assert_equal(f"the kernel of the same seed, {one},", ops.glorot_uniform((3, 4), one), kernel)
        assert not np.array_equal(ops.glorot_uniform((3, 4), one + 1), kernel)
    assert_told_apart("kernels", confusable_seeds(seed), lambda one: ops.glorot_uniform((3, 4), one))
    assert_results_are_new("glorot_uniform", ops.glorot_uniform, ((3, 4), seed))


@claim("dense.glorot-is-common")
@pytest.mark.parametrize("layer", ["Conv2D", "SimpleRNN", "LSTM", "GRU"])
def test_glorot_is_common(keras, layer):
    arguments = {"filters": 2, "kernel_size": 3} if layer == "Conv2D" else {"units": 2}
    initializer = getattr(keras.namespace.layers, layer)(**arguments).kernel_initializer
    assert isinstance(initializer, keras.namespace.initializers.GlorotUniform)


@claim("dense.bias-broadcasts")
@pytest.mark.parametrize(("batch_size", "units"), [(2, 3), (3, 3)])
def test_bias_broadcasts(ops, batch_size, units):
    # If the output is square, a bias added along the wrong axis has the right shape, too.
    bias = np.arange(1, units + 1, dtype=np.float32)
    outputs = ops.dense(np.zeros((batch_size, 2), np.float32), np.ones((2, units), np.float32), bias)
    assert_equal("dense of zeros, whose rows are the bias", outputs, np.tile(bias, (batch_size, 1)))


@claim("dense.product-shape")
@pytest.mark.parametrize(("batch_size", "input_dim", "units"), DENSE_SHAPES)
def test_product_shape(ops, batch_size, input_dim, units):
    inputs, kernel = np.ones((batch_size, input_dim), np.float32), np.ones((input_dim, units), np.float32)
    assert_form("dense without bias", ops.dense(inputs, kernel), (batch_size, units))


@claim("dense.glorot-seed")
def test_glorot_uniform_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("ops.glorot_uniform", implementation, results_elsewhere, seed)
