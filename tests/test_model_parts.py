"""Layers, losses, optimizers, metrics and initializers of Keras: lines 5 to 11 and 19 of the document."""

from functools import partial

import numpy as np
import pytest

from assay.spec.error_bounds import image_rounding, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import convolution, layers, losses, optimizers
from assay.spec.semantics.initializers import fans, glorot_limit
from assay.spec.semantics.optimizers import Adam
from assay.testing.assertions import assert_equal, assert_form, assert_rejected, assert_within, claim
from assay.testing.chances import chance_of_draws
from assay.testing.thresholds import FALSE_ALARM

# All numbers are multiples of 1 / 16 between -4 and 4, so small sums of products are exact in float32.
GENERATOR = np.random.default_rng(0)


def numbers(*shape):
    """Draw multiples of 1 / 16 between -4 and 4."""
    return (GENERATOR.integers(-64, 64, shape) / 16).astype(np.float32)


def call_layer(keras, layer, inputs, *weights):
    """Call a layer; with weights, set them and call it again."""
    outputs = layer(keras.to_tensor(inputs))
    if weights:
        layer.set_weights(weights)
        outputs = layer(keras.to_tensor(inputs))
    return keras.to_numpy(outputs)


IMAGES, KERNEL, FILTER_BIAS = numbers(2, 7, 8, 2), numbers(3, 2, 2, 3), numbers(3)
CONVOLUTIONS = {
    "strides and same": {"strides": (2, 1), "padding": "same", "activation": "relu"},
    "one stride and tanh": {"strides": 2, "activation": "tanh"},
    "no bias": {"use_bias": False, "padding": "same"},
    "no bias and relu": {"use_bias": False, "activation": "relu"},
    "strides without padding": {"strides": (1, 3), "padding": "valid"},
}


@claim("model.convolution-options")
@pytest.mark.parametrize("options", [pytest.param(value, id=key) for key, value in CONVOLUTIONS.items()])
def test_convolution_options(keras, options):
    layer = keras.namespace.layers.Conv2D(3, (3, 2), **options)
    weights = [KERNEL, FILTER_BIAS][: 1 + options.get("use_bias", True)]
    strides = options.get("strides", (1, 1))
    meant = {
        "strides": (strides, strides) if isinstance(strides, int) else strides,
        "padding": options.get("padding", "valid"),
        "activation": options.get("activation"),
    }
    arguments = to_float64(IMAGES), *map(to_float64, weights), *[None] * (2 - len(weights))
    expected = convolution.conv2d(*arguments, **meant)
    assert_within(
        "the output", call_layer(keras, layer, IMAGES, *weights), expected, image_rounding.conv2d(*arguments, **meant)
    )


POOLINGS = pytest.mark.parametrize(
    ("options", "size", "strides", "padding"),
    [
        ({"pool_size": (2, 3), "strides": (1, 2), "padding": "same"}, (2, 3), (1, 2), "same"),
        ({"pool_size": 3, "padding": "same"}, (3, 3), (3, 3), "same"),
        ({"pool_size": (3, 2), "strides": 1}, (3, 2), (1, 1), "valid"),
    ],
    ids=["strides and same", "one size and same", "one stride"],
)


@claim("model.pooling-options")
@POOLINGS
def test_pooling_options(keras, options, size, strides, padding):
    # All pixels are negative, so zeros in the padding would be the largest.
    images = IMAGES - 5
    layer = keras.namespace.layers.MaxPool2D(**options)
    assert_equal("the output", call_layer(keras, layer, images), convolution.max_pool2d(images, size, strides, padding))


@claim("model.average-pooling-options")
@POOLINGS
def test_average_pooling_options(keras, permitted, options, size, strides, padding):
    found = call_layer(keras, keras.namespace.layers.AveragePooling2D(**options), IMAGES)
    arguments = to_float64(IMAGES), size, strides, padding

    def check(**zeros):
        expected = convolution.average_pool2d(*arguments, **zeros)
        assert_within("the output", found, expected, image_rounding.average_pool2d(*arguments, **zeros))

    permitted(
        {"without-zeros": partial(check, with_zeros=False), "with-zeros": partial(check, with_zeros=True)}, alike=True
    )


@claim("model.activations")
@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "linear"])
@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 2, 5)], ids=["rank-3", "rank-4"])
def test_activations(keras, name, by_name, shape):
    inputs, kernel, bias = numbers(*shape), numbers(5, 4), numbers(4)
    activation = name if by_name else getattr(keras.namespace.activations, name)
    meant = None if name == "linear" else name
    for use_bias in (True, False):
        layer = keras.namespace.layers.Dense(4, activation, use_bias=use_bias)
        weights = (kernel, bias) if use_bias else (kernel,)
        arguments = *map(to_float64, (inputs, kernel)), to_float64(bias) if use_bias else None, meant
        found = call_layer(keras, layer, inputs, *weights)
        what = f"Dense with {name} and use_bias={use_bias}"
        assert_within(what, found, layers.dense(*arguments), rounding.dense(*arguments))


@claim("model.activations")
@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_activations_of_any_size(keras, name):
    # Exponentials of the largest overflow, and the smallest are lost when added to 1.
    sizes = np.array([0, 1e-30, 1e-6, 0.01, 1, 9, 20, 50, 100, 1e4, 1e30], np.float32)
    inputs = np.concatenate([sizes, -sizes])
    expected = layers.ACTIVATIONS[name](to_float64(inputs))
    for form, apply in (
        ("the function", getattr(keras.namespace.activations, name)),
        ("the layer", keras.namespace.layers.Activation(name)),
    ):
        found = keras.to_numpy(apply(keras.to_tensor(inputs)))
        assert_within(f"{form} {name}", found, expected, rounding.ELEMENTWISE[name](expected))


@claim("model.softmax-of-any-rank")
@pytest.mark.parametrize("form", ["the layer", "the activation", "the function"])
def test_softmax_of_any_rank(keras, form):
    # Logits near 0, and logits whose exponentials overflow float32.
    logits = np.concatenate([numbers(2, 3, 5), 1000 * numbers(2, 3, 5)])
    namespace = keras.namespace
    apply = {
        "the layer": namespace.layers.Softmax(),
        "the activation": namespace.layers.Activation("softmax"),
        "the function": namespace.activations.softmax,
    }[form]
    found = keras.to_numpy(apply(keras.to_tensor(logits)))
    assert_within(form, found, layers.softmax(to_float64(logits)), rounding.softmax(to_float64(logits)))


@claim("model.reshaping")
@pytest.mark.parametrize("batch", [1, 3])
def test_reshaping(keras, batch):
    found, inputs = keras.namespace.layers, numbers(batch, 2, 3, 4)
    for layer, shape in (
        (found.Flatten(), (24,)),
        (found.Reshape((4, 6)), (4, 6)),
        (found.Reshape(target_shape=[-1, 8]), (3, 8)),
    ):
        assert_equal(f"the output of shape {shape}", call_layer(keras, layer, inputs), inputs.reshape(batch, *shape))
    vector = numbers(batch)
    assert_equal("Flatten of a vector", call_layer(keras, found.Flatten(), vector), vector[:, None])


@claim("model.one-layer-many-calls")
def test_one_layer_many_calls(keras):
    layer, all_inputs = keras.namespace.layers.Dense(1, kernel_initializer="ones"), [numbers(4, 3) for _ in range(3)]
    outputs = [layer(keras.to_tensor(inputs)) for inputs in all_inputs]
    for number, (output, inputs) in enumerate(zip(outputs, all_inputs, strict=True), 1):
        assert_equal(f"output {number}", keras.to_numpy(output), inputs.sum(axis=1, keepdims=True))


UNFIT = {
    "a vector for Dense": (lambda layers: layers.Dense(2), None, (3,)),
    "other features for Dense": (lambda layers: layers.Dense(2), (2, 3), (2, 4)),
    "an image without channels for Conv2D": (lambda layers: layers.Conv2D(2, 3), None, (1, 5, 5)),
    "other channels for Conv2D": (lambda layers: layers.Conv2D(2, 3), (1, 5, 5, 2), (1, 5, 5, 3)),
    # 12 elements are three rows of 4, but there are two examples.
    "other elements for Reshape": (lambda layers: layers.Reshape((4,)), None, (2, 6)),
    "a matrix for MaxPool2D": (lambda layers: layers.MaxPool2D(), None, (4, 4)),
    "other channels for BatchNormalization": (lambda layers: layers.BatchNormalization(), (2, 3), (2, 4)),
}


@claim("model.unfit-inputs")
@pytest.mark.parametrize("what", UNFIT)
def test_unfit_inputs(keras, what):
    make, first, shape = UNFIT[what]
    layer = make(keras.namespace.layers)
    if first:
        layer(keras.to_tensor(np.ones(first, np.float32)))
    assert_rejected(what, lambda: layer(keras.to_tensor(np.ones(shape, np.float32))))


@claim("model.kernels-are-drawn-evenly")
@pytest.mark.parametrize("make", ["Dense", "Conv2D", "GlorotUniform"])
def test_kernels_are_drawn_evenly(keras, make):
    found = keras.namespace.layers
    if make == "GlorotUniform":
        # The initializer by itself, for a matrix that is not square.
        kernel = keras.to_numpy(keras.namespace.initializers.GlorotUniform()(shape=(20, 150)))
    else:
        layer, shape = (found.Dense(60), (1, 50)) if make == "Dense" else (found.Conv2D(30, 5), (1, 8, 8, 4))
        layer(keras.to_tensor(np.zeros(shape, np.float32)))
        kernel = keras.to_numpy(layer.kernel)
    limit = glorot_limit(*fans(kernel.shape))
    largest = np.abs(kernel).max()
    assert largest <= limit * (1 + rounding.gamma(rounding.SQRT)), (
        f"a weight of {make} is {largest}, but the limit for a kernel of {kernel.shape} is {limit}"
    )
    chance = chance_of_draws(kernel.ravel(), -limit, limit)
    assert chance > FALSE_ALARM, f"uniform draws look as uneven as those of {make} with probability {chance:.2g}"
    # float32 has millions of values between the limits, so few of some thousand draws are equal.
    assert len(np.unique(kernel)) > kernel.size / 2


@claim("model.kernels-differ")
def test_kernels_differ(keras):
    same = [keras.namespace.layers.Dense(4) for _ in range(3)]
    model = keras.namespace.Sequential(same)
    model(keras.to_tensor(np.ones((1, 4), np.float32)))
    kernels = [keras.to_numpy(layer.kernel) for layer in same]
    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels), f"the kernels are {kernels}"


@claim("model.initializers")
@pytest.mark.parametrize(
    ("name", "options", "value"), [("Zeros", {}, 0), ("Ones", {}, 1), ("Constant", {"value": 0.75}, 0.75)]
)
def test_initializers(keras, name, options, value):
    drawn = getattr(keras.namespace.initializers, name)(**options)(shape=(2, 3))
    assert_equal(f"{name}()", keras.to_numpy(drawn), np.full((2, 3), value))


@claim("model.initializer-seed")
def test_initializer_seed(keras):
    make = keras.namespace.initializers.GlorotUniform
    kernels = [assert_form("the kernel", keras.to_numpy(make(seed=seed)(shape=(5, 7))), (5, 7)) for seed in (1, 1, 2)]
    assert_equal("the kernel with the same seed", kernels[1], kernels[0])
    assert not np.array_equal(kernels[0], kernels[2]), "two seeds draw the same kernel"


LABELS, LOGITS = np.array([2, 0, 4, 1], np.int32), numbers(4, 5)
PROBABILITIES = layers.softmax(to_float64(LOGITS)).astype(np.float32)
ONE_HOT = np.eye(5, dtype=np.float32)[LABELS]
WEIGHTS = np.array([1, 0, 3, 2], np.float32)


def crossentropy(*, from_logits):
    """Return the loss of each example by the definition, from logits or from probabilities, and its bound."""
    probabilities = layers.softmax(to_float64(LOGITS)) if from_logits else to_float64(PROBABILITIES)
    error = rounding.softmax(to_float64(LOGITS)) / probabilities if from_logits else np.zeros_like(probabilities)
    bound = rounding.crossentropy(to_float64(ONE_HOT), probabilities) + np.sum(ONE_HOT * error, axis=-1)
    return losses.categorical_crossentropy(to_float64(ONE_HOT), probabilities), bound


KINDS = {"categorical_crossentropy": ONE_HOT, "sparse_categorical_crossentropy": LABELS}
CLASSES = {"CategoricalCrossentropy": ONE_HOT, "SparseCategoricalCrossentropy": LABELS}


@claim("model.losses-from-logits")
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("from_logits", [False, True])
def test_losses_from_logits(keras, name, from_logits):
    predictions = keras.to_tensor(LOGITS if from_logits else PROBABILITIES)
    loss = getattr(keras.namespace.losses, name)
    options = {"from_logits": True} if from_logits else {}
    found = keras.to_numpy(loss(keras.to_tensor(KINDS[name]), predictions, **options))
    assert_within(f"{name} of each example", found, *crossentropy(from_logits=from_logits))


@claim("model.loss-objects")
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("from_logits", [False, True])
def test_loss_objects(keras, name, from_logits):
    predictions, targets = keras.to_tensor(LOGITS if from_logits else PROBABILITIES), keras.to_tensor(CLASSES[name])
    make, options = getattr(keras.namespace.losses, name), {"from_logits": True} if from_logits else {}
    expected, bound = crossentropy(from_logits=from_logits)
    count = len(LABELS)
    added = rounding.gamma(count + 1 + rounding.DIVIDE)

    def check(what, loss, values, divisor):
        total = np.sum(values * expected) / divisor
        assert_within(what, keras.to_numpy(loss), total, np.sum(values * bound) / divisor + added * np.abs(total))

    check("the mean", make(**options)(targets, predictions), np.ones(count), count)
    check("the sum", make(reduction="sum", **options)(targets, predictions), np.ones(count), 1)
    weighted = make(**options)(targets, predictions, sample_weight=keras.to_tensor(WEIGHTS))
    check("the weighted mean", weighted, WEIGHTS, count)
    each = keras.to_numpy(make(reduction="none", **options)(targets, predictions))
    assert_within("the loss of each example", each, expected, bound)


@claim("model.many-classes")
@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_many_classes(keras, dtype):
    labels = np.array([299, 256, 128, 0], np.int32)
    probabilities = np.full((4, 300), 2.0**-10, np.float32)
    probabilities[np.arange(4), labels] = 1 - 299 * 2.0**-10
    loss = keras.namespace.losses.sparse_categorical_crossentropy
    found = keras.to_numpy(loss(keras.to_tensor(labels.astype(dtype)), keras.to_tensor(probabilities)))
    targets = np.eye(300)[labels]
    expected = losses.categorical_crossentropy(targets, to_float64(probabilities))
    assert_within("the loss", found, expected, rounding.crossentropy(targets, to_float64(probabilities)))
    # The last label is 43 = 299 - 256, but the prediction is 299.
    labels, scores = np.append(labels, 43).astype(dtype), np.vstack([probabilities, probabilities[:1]])
    arguments = keras.to_tensor(labels), keras.to_tensor(scores)
    right = keras.namespace.metrics.sparse_categorical_accuracy(*arguments)
    assert_equal("the metric of each example", keras.to_numpy(right), np.array([1, 1, 1, 1, 0]))
    metric = keras.namespace.metrics.SparseCategoricalAccuracy()
    metric.update_state(*arguments)
    assert_within("the metric", np.float32(keras.to_numpy(metric.result())), 4 / 5, rounding.quotient(4 / 5))


@claim("model.many-classes")
def test_labels_of_bytes(keras):
    labels = np.array([255, 200, 128, 127], np.uint8)
    probabilities = np.full((4, 300), 2.0**-10, np.float32)
    probabilities[np.arange(4), labels] = 1 - 299 * 2.0**-10
    targets = np.eye(300)[labels]
    arguments = keras.to_tensor(labels), keras.to_tensor(probabilities)
    loss = keras.to_numpy(keras.namespace.losses.sparse_categorical_crossentropy(*arguments))
    expected = losses.categorical_crossentropy(targets, to_float64(probabilities))
    assert_within("the loss", loss, expected, rounding.crossentropy(targets, to_float64(probabilities)))
    right = keras.namespace.metrics.sparse_categorical_accuracy(*arguments)
    assert_equal("the metric of each example", keras.to_numpy(right), np.ones(4))


@claim("model.loss-of-sequences")
def test_loss_targets(keras):
    found, predictions = keras.namespace.losses, keras.to_tensor(PROBABILITIES)
    column = found.sparse_categorical_crossentropy(keras.to_tensor(LABELS[:, None]), predictions)
    expected, bound = crossentropy(from_logits=False)
    assert_within("the loss of labels in a column", keras.to_numpy(column), expected, bound)
    # Targets that are any distribution, not one-hot.
    soft = PROBABILITIES[::-1].copy()
    loss = keras.to_numpy(found.categorical_crossentropy(keras.to_tensor(soft), predictions))
    arguments = to_float64(soft), to_float64(PROBABILITIES)
    expected, bound = losses.categorical_crossentropy(*arguments), rounding.crossentropy(*arguments)
    assert_within("the loss of soft targets", loss, expected, bound)


@claim("model.loss-of-sequences")
def test_loss_of_sequences(keras):
    expected, bound = crossentropy(from_logits=False)
    predictions = keras.to_tensor(PROBABILITIES.reshape(2, 2, 5))
    for name, targets in KINDS.items():
        shape = (2, 2, *targets.shape[1:])
        loss = getattr(keras.namespace.losses, name)(keras.to_tensor(targets.reshape(shape)), predictions)
        assert_within(name, keras.to_numpy(loss), expected.reshape(2, 2), bound.reshape(2, 2))
    added = rounding.gamma(expected.size + rounding.DIVIDE) * expected.mean()
    for name, targets in CLASSES.items():
        shape = (2, 2, *targets.shape[1:])
        loss = getattr(keras.namespace.losses, name)()(keras.to_tensor(targets.reshape(shape)), predictions)
        assert_within(f"the mean of {name}", keras.to_numpy(loss), expected.mean(), bound.mean() + added)


@claim("model.squares-of-each-example")
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 2)])
def test_squares_of_each_example(keras, shape):
    targets, predictions = numbers(*shape), numbers(*shape)
    # By name, since Keras 3 does not export this function from the module.
    loss = keras.namespace.losses.get("mean_squared_error")
    found = loss(keras.to_tensor(targets), keras.to_tensor(predictions))
    expected = ((to_float64(predictions) - to_float64(targets)) ** 2).mean(axis=-1)
    assert_within(
        "the loss", keras.to_numpy(found), expected, rounding.gamma(shape[-1] + 2 + rounding.DIVIDE) * expected
    )


@claim("model.squares-of-each-example")
def test_squares_of_whole_targets(keras):
    # Integer targets and fractional predictions. All results are exact.
    whole, between = np.array([[1], [-3], [2], [0]], np.int32), np.array([[1.5], [-1], [2.25], [0.5]], np.float32)
    loss = keras.namespace.losses.MeanSquaredError()(keras.to_tensor(whole), keras.to_tensor(between))
    assert_equal("the loss", keras.to_numpy(loss), np.mean((to_float64(between) - whole) ** 2))


@claim("model.accuracy-of-each-example")
def test_accuracy_of_each_example(keras):
    scores = np.array([[[4, 1, 0], [0, 1, 4]], [[1, 4, 0], [4, 0, 1]]], np.float32)
    labels, right = np.array([[0, 1], [1, 0]], np.int32), np.array([[1, 0], [1, 1]])
    metric = keras.namespace.metrics.sparse_categorical_accuracy
    column = metric(keras.to_tensor(labels.reshape(4, 1)), keras.to_tensor(scores.reshape(4, 3)))
    assert_equal("the metric of labels in a column", keras.to_numpy(column).ravel(), right.ravel())
    # As many steps as classes: the largest along the wrong axis has the right shape, too.
    square = np.array([[[2, 8, 1], [3, 4, 9], [5, 6, 7]]], np.float32)
    found = metric(keras.to_tensor(np.array([[1, 2, 0]], np.int32)), keras.to_tensor(square))
    assert_equal("the metric of as many steps as classes", keras.to_numpy(found), np.array([[1, 1, 0]]))
    for rows in ((0,), (1,), (slice(None),)):
        found = metric(keras.to_tensor(labels[rows]), keras.to_tensor(scores[rows]))
        assert_equal("the metric of each example", keras.to_numpy(found), right[rows])


@claim("model.metric-object-accumulates")
def test_metric_object_accumulates(keras):
    metric = keras.namespace.metrics.SparseCategoricalAccuracy()
    scores, labels = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]], np.array([0, 1, 2, 1, 2, 2], np.int32)
    found = []
    for batch in (slice(3), slice(3, 5), slice(5, 6)):
        metric.update_state(keras.to_tensor(labels[batch]), keras.to_tensor(scores[batch]))
        found.append(np.float32(keras.to_numpy(metric.result())))
    expected = np.array([3 / 3, 3 / 5, 4 / 6])
    assert_within("the metric after each batch", np.array(found), expected, rounding.quotient(expected))


@claim("model.metric-objects-are-apart")
def test_metric_objects_are_apart(keras):
    scores = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    one, other = (keras.namespace.metrics.SparseCategoricalAccuracy() for _ in range(2))

    def results(metric, labels):
        """Update one of the two metrics, and return the results of both."""
        metric.update_state(keras.to_tensor(np.array(labels, np.int32)), keras.to_tensor(scores))
        return [float(keras.to_numpy(each.result())) for each in (one, other)]

    assert results(one, [0, 1, 2, 1]) == [0.75, 0]
    assert results(other, [0, 0, 0, 0]) == [0.75, 0.5]
    one.reset_state()
    assert results(one, [1, 1, 1, 1]) == [0.25, 0.5]


@claim("model.one-prediction")
def test_one_prediction(keras):
    # If all scores are equal, any class may be the prediction. It is right for exactly one of five labels.
    arguments = keras.to_tensor(np.arange(5, dtype=np.int32)), keras.to_tensor(np.ones((5, 5), np.float32))
    right = keras.to_numpy(keras.namespace.metrics.sparse_categorical_accuracy(*arguments))
    assert_equal("the number of correct predictions", right.sum(), np.ones(()))
    metric = keras.namespace.metrics.SparseCategoricalAccuracy()
    metric.update_state(*arguments)
    assert_within("the accuracy", np.float32(keras.to_numpy(metric.result())), 1 / 5, rounding.quotient(1 / 5))


def create_variables(keras, *values):
    """Create variables with these values, each in a layer of its own."""
    made = []
    for value in values:
        layer = keras.namespace.layers.Dense(value.shape[1], use_bias=False)
        layer.build((None, len(value)))
        layer.set_weights([value])
        made.append(layer.kernel)
    return made


@claim("model.sgd-momentum")
@pytest.mark.parametrize(
    ("momentum", "rates"),
    [
        pytest.param(0.5, (0.25, 0.25, 0.25), id="momentum"),
        # Without momentum, since a velocity may or may not include the learning rate.
        pytest.param(0.0, (0.25, 2.0, 0.5), id="other learning rates"),
    ],
)
def test_sgd_momentum(keras, momentum, rates):
    # Two of the variables have the same shape, but velocities of their own.
    gradients = numbers(2, 3), numbers(3, 1), numbers(2, 3)
    variables = create_variables(keras, *map(np.zeros_like, gradients))
    optimizer = keras.namespace.optimizers.SGD(rates[0], momentum=momentum)
    expected, velocity = ([np.zeros_like(to_float64(one)) for one in gradients] for _ in range(2))
    for step, (rate, factor) in enumerate(zip(rates, (1, -0.5, 0.25), strict=True), 1):
        if step > 1:
            optimizer.learning_rate = rate
        tensors = [keras.to_tensor(gradient * np.float32(factor)) for gradient in gradients]
        pairs = list(zip(tensors, variables, strict=True))
        # The order changes from step to step: a velocity belongs to a variable, not to a position.
        optimizer.apply_gradients(pairs if step % 2 else pairs[::-1])
        for which, gradient in enumerate(gradients):
            velocity[which] = momentum * velocity[which] - rate * factor * gradient
            expected[which] += velocity[which]
            assert_equal(f"variable {which} after step {step}", keras.to_numpy(variables[which]), expected[which])
    assert int(keras.to_numpy(optimizer.iterations)) == len(rates)


def two_adam_steps(parameter, gradients, before, rates):
    """Take two steps of Adam by the definition, from moments of 0, and bound the float32 errors.

    The errors of the first step's moments enter the second step. Its gradient is 0 or has the same sign, so nothing
    cancels, and the relative errors of the update add up at most.
    """
    zeros = np.zeros_like(parameter)
    arguments = parameter, gradients[0], zeros, zeros, before + 1, rates[0]
    first, (bound, moment_error, square_error) = optimizers.adam_step(*arguments), rounding.adam_step(*arguments)
    # Either place of epsilon is accepted.
    after = optimizers.adam_step(*arguments, adam=Adam.AFTER_CORRECTION)
    after = optimizers.adam_step(after[0], gradients[1], *after[1:], before + 2, rates[1], adam=Adam.AFTER_CORRECTION)
    arguments = first[0], gradients[1], *first[1:], before + 2, rates[1]
    second = optimizers.adam_step(*arguments)
    inherited = optimizers.BETA_1 * moment_error / np.abs(second[1]) + optimizers.BETA_2 * square_error / second[2]
    bound += rounding.adam_step(*arguments)[0] + inherited * np.abs(second[0] - first[0])
    return second[0], bound + np.abs(after[0] - second[0])


@claim("model.adam-of-any-step")
@pytest.mark.parametrize("before", [0, 1, 1_500])
@pytest.mark.parametrize("rate", [0.001, 0.5])
def test_adam_of_any_step(keras, before, rate):
    # The shape is larger than the usual block sizes, and the gradients have all magnitudes and signs.
    shape = 23, 47
    sizes = [np.exp2(GENERATOR.integers(-6, 7, shape)).astype(np.float32) for _ in range(2)]
    sign, parameter = np.where(numbers(*shape) < 0, np.float32(-1), np.float32(1)), numbers(*shape)
    gradients = [sign * size for size in sizes]
    # Without a gradient in the second step, an element goes on moving, and its moments shrink.
    gradients[1][:, ::3] = 0
    # A second variable has the same shape, but other gradients.
    others = [-gradient[::-1, ::-1] for gradient in gradients]
    variables = create_variables(keras, parameter, parameter)
    optimizer = keras.namespace.optimizers.Adam(learning_rate=rate)
    optimizer.build(variables)
    optimizer.iterations.assign(before)
    rates = rate, 4 * rate
    for step, pair in enumerate(zip(gradients, others, strict=True)):
        if step:
            optimizer.learning_rate = rates[step]
        pairs = list(zip(map(keras.to_tensor, pair), variables, strict=True))
        # The order changes in the second step: moments belong to a variable, not to a position.
        optimizer.apply_gradients(pairs[::-1] if step else pairs)
    for which, variable, own in zip(("first", "second"), variables, (gradients, others), strict=True):
        expected, bound = two_adam_steps(to_float64(parameter), list(map(to_float64, own)), before, rates)
        assert_within(f"the {which} variable after two steps", keras.to_numpy(variable), expected, bound)
