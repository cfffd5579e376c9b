"""Faults that show under two conditions at once, in results that their caller changes, and beside the next seed."""

from functools import lru_cache

import numpy as np

from assay.alternatives.numpy.activations import softmax
from assay.alternatives.numpy.models import MODELS, copy_parameters, rnn
from assay.contract import Trained
from doubles.faulty import Fault

BLOCK, ROWS = 8, 128


def in_float16(array):
    """Round numbers to float16."""
    return array.astype(np.float16).astype(np.float32)


def dense_activates_whole_blocks_of_rows(dense, inputs, kernel, bias=None, activation=None):
    """Leave out the activation of the rows after the last whole block of 128."""
    outputs = np.array(dense(inputs, kernel, bias, activation))
    rows, linear = (array.reshape(-1, array.shape[-1]) for array in (outputs, dense(inputs, kernel, bias)))
    if whole := len(rows) // ROWS * ROWS:
        rows[whole:] = linear[whole:]
    return outputs


def pointwise_strides_begin_in_the_middle(conv2d, inputs, kernel, *bias, strides=(1, 1), **options):
    """Begin in the middle of the first stride where the window is a single pixel and both strides are alike."""
    if kernel.shape[:2] == (1, 1) and strides[0] == strides[1]:
        begins = [min(strides[0] // 2, (length - 1) % strides[0]) for length in inputs.shape[1:3]]
        inputs = np.roll(inputs, [-begin for begin in begins], axis=(1, 2))
    return conv2d(inputs, kernel, *bias, strides=strides, **options)


def conv2d_activates_32_filters(conv2d, *arguments, activation=None, **options):
    """Leave out the activation of the filters after the first 32."""
    outputs = np.array(conv2d(*arguments, activation=activation, **options))
    outputs[..., 32:] = conv2d(*arguments, **options)[..., 32:]
    return outputs


def conv2d_of_blocks_in_float16(conv2d, inputs, kernel, *bias, **options):
    """Multiply float16 where channels and filters are multiples of 8."""
    if inputs.shape[-1] % BLOCK == kernel.shape[-1] % BLOCK == 0:
        inputs, kernel = in_float16(inputs), in_float16(kernel)
    return conv2d(inputs, kernel, *bias, **options)


def gradients_of_blocks_in_float16(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Multiply float16 where channels and filters are multiples of 8."""
    if inputs.shape[-1] % BLOCK == kernel.shape[-1] % BLOCK == 0:
        inputs, kernel = in_float16(inputs), in_float16(kernel)
    return conv2d_gradients(inputs, kernel, bias, upstream, **options)


def recurrent_kernel_in_float16(place):
    """Return a fault that rounds the recurrent kernel, an argument, to float16 where its units are a multiple of 8."""

    def wrong(function, *arguments):
        kernel = arguments[place]
        rounded = kernel if len(kernel) % BLOCK else in_float16(kernel)
        return function(*arguments[:place], rounded, *arguments[place + 1 :])

    return wrong


def cell_activates_64_units(simple_rnn_cell, inputs, state, kernel, recurrent_kernel, activation="tanh"):
    """Apply tanh to the units after the first 64, whatever the activation."""
    outputs = np.array(simple_rnn_cell(inputs, state, kernel, recurrent_kernel, activation))
    outputs[:, 64:] = simple_rnn_cell(inputs, state, kernel, recurrent_kernel)[:, 64:]
    return outputs


def accuracy_of_labels_in_float16(accuracy, batches):
    """Keep labels in float16."""
    return accuracy([(labels.astype(np.float16).astype(np.int32), scores) for labels, scores in batches])


def loss_of_labels_in_float16(crossentropy, labels, probabilities):
    """Keep labels in float16."""
    return crossentropy(
        np.minimum(labels.astype(np.float16), probabilities.shape[-1] - 1).astype(np.int32), probabilities
    )


def softmax_of_2048_classes(_softmax, logits):
    """Add up the first 2,048 exponentials alone."""
    some = softmax(logits[..., :2048])
    return some if logits.shape[-1] <= 2048 else np.concatenate([some, np.zeros_like(logits[..., 2048:])], axis=-1)


@lru_cache
def returned_again(function, *arguments):
    """Return the same arrays for the same arguments, whoever has changed them."""
    return function(*arguments)


def batches_returned_again(sample_batch, images, labels, batch_size, seed):
    """Return the same arrays for the same sizes and seed, if they were drawn from the same examples."""
    return _drawn_again(sample_batch, images.tobytes(), labels.tobytes(), images.shape, batch_size, seed)


@lru_cache
def _drawn_again(sample_batch, images, labels, shape, batch_size, seed):
    images = np.frombuffer(images, np.float32).reshape(shape)
    return sample_batch(images, np.frombuffer(labels, np.int32), batch_size, seed)


def initial_of(model):
    """Return a fault that builds one model once for each seed."""

    def wrong(initial_parameters, name, seed):
        return returned_again(initial_parameters, name, seed) if name == model else initial_parameters(name, seed)

    return wrong


def evaluation_known_by_its_first_kernel():
    """Return a fault that loads parameters again only where the first kernel is another."""
    loaded = {}

    def wrong(evaluate, model, parameters, *others):
        first = parameters[next(iter(parameters))].tobytes()
        return evaluate(model, loaded.setdefault((model, first), copy_parameters(parameters)), *others)

    return wrong


def trained(model, seed, learning_rate, batches):
    """Train a new model on batches."""
    parameters, optimizer = copy_parameters(model.initial(np.random.default_rng(seed))), model.optimizer(learning_rate)
    losses = []
    for batch in batches:
        loss, gradients = model.loss_and_gradients(parameters, *batch)
        optimizer.step(parameters, gradients)
        losses.append(loss)
    return Trained(np.array(losses, np.float32), parameters)


def fit_adds_steps_to_the_seed(_fit, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
    """Draw each batch with a generator of its own, of the seed plus the number of the step."""
    draws = (np.random.default_rng(seed + step).integers(0, len(images), batch_size) for step in range(num_batches))
    return trained(MODELS[model], seed, learning_rate, ((images[some], labels[some]) for some in draws))


def text_fit_adds_steps_to_the_seed(
    _fit, indices, num_chars, *, num_batches, batch_size, seq_length, learning_rate, seed
):
    """Draw each batch with a generator of its own, of the seed plus the number of the step."""
    places = len(indices) - seq_length
    draws = (np.random.default_rng(seed + step).integers(0, places, batch_size) for step in range(num_batches))
    batches = ((indices[some[:, None] + np.arange(seq_length)], indices[some + seq_length]) for some in draws)
    return trained(rnn(num_chars), seed, learning_rate, batches)


def gradients_named_by_place(loss_and_gradients, model, parameters, inputs, targets):
    """Give the gradients the names that parameters have in the usual order, whatever the given one."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    usual = (f"{layer}/{variable}" for layer, own in MODELS[model].variables.items() for variable in own)
    return loss, {name: gradients[given] for name, given in zip(usual, parameters, strict=True)}


def normalization_begins_with_the_first_batch(
    batch_normalization, inputs, gamma, beta, moving_mean, moving_variance, *, training
):
    """Take the first batch's statistics as the moving ones of a new layer."""
    outputs, mean, variance = batch_normalization(inputs, gamma, beta, moving_mean, moving_variance, training=training)
    if training and not moving_mean.any() and (moving_variance == 1).all():
        axes = tuple(range(inputs.ndim - 1))
        mean, variance = inputs.mean(axis=axes), inputs.var(axis=axes)
    return outputs, mean, variance


def gradient_for_gamma_from_outputs(batch_normalization_gradients, inputs, gamma, *others, training):
    """Divide the outputs by the scale to get the normalised inputs, and leave out where it is 0."""
    to_inputs, to_gamma, to_beta = batch_normalization_gradients(inputs, gamma, *others, training=training)
    return to_inputs, np.where(gamma == 0, np.float32(0), to_gamma), to_beta


def temperature_1_is_left_out(softmax_with_temperature, logits, temperature):
    """Take exponentials of the logits themselves at a temperature of 1."""
    if temperature != 1:
        return softmax_with_temperature(logits, temperature)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        exponentials = np.exp(logits)
        return exponentials / exponentials.sum(axis=-1, keepdims=True)


def glorot_repeats_2048_columns(glorot_uniform, shape, seed):
    """Repeat the first 2,048 columns of a wider kernel."""
    kernel = glorot_uniform(shape, seed)
    return kernel[:, np.arange(shape[1]) % 2048]


def evaluation_scales_bright_images(evaluate, model, parameters, images, *others):
    """Divide images by 255 where one of their pixels is above 1."""
    return evaluate(model, parameters, images / np.float32(255) if images.max() > 1 else images, *others)


INITIAL = "models.initial_parameters"
CHANGED = "after its result was changed"
# The function, its claim, and the place of the recurrent kernel.
OF_BLOCKS = {
    "simple_rnn_cell": ("recurrence.cell-any-size", 3),
    "simple_rnn": ("recurrence.sequence-any-size", 2),
    "lstm_cell": ("recurrence.lstm-any-size", 4),
    "lstm": ("recurrence.lstm-sequence-any-size", 2),
}
MODELS_BUILT_ONCE = {
    "linear": "linear_model.kernel-zeros",
    "mlp": "mlp.initial-seed",
    "cnn": "cnn.initial-seed",
    "rnn": "rnn.initial-draws",
    "q_network": "q_learning.initial-seed",
    "q_cnn": "pixels.cnn-initial-seed",
}

COMBINATION_FAULTS = {
    "dense_activates_whole_blocks_of_rows": Fault(
        "ops.dense", "dense.any-size", "[4124, 3]", dense_activates_whole_blocks_of_rows
    ),
    "pointwise_strides_begin_in_the_middle": Fault(
        "ops.conv2d", "convolution.every-size", "window [1, 1, 3, 2]", pointwise_strides_begin_in_the_middle
    ),
    "conv2d_activates_32_filters": Fault(
        "ops.conv2d", "convolution.every-activation", "with activation relu", conv2d_activates_32_filters
    ),
    "conv2d_of_blocks_in_float16": Fault(
        "ops.conv2d", "convolution.full-float32", "differ", conv2d_of_blocks_in_float16
    ),
    "gradients_of_blocks_in_float16": Fault(
        "ops.conv2d_gradients",
        "convolution.full-float32-gradients",
        "the gradient for inputs",
        gradients_of_blocks_in_float16,
    ),
    **{
        f"{name}_of_blocks_in_float16": Fault(f"ops.{name}", claim, "64", recurrent_kernel_in_float16(place))
        for name, (claim, place) in OF_BLOCKS.items()
    },
    "cell_activates_64_units": Fault(
        "ops.simple_rnn_cell", "recurrence.cell-any-size", "float32[5, 300]", cell_activates_64_units
    ),
    "accuracy_of_labels_in_float16": Fault(
        "ops.sparse_categorical_accuracy", "evaluation.any-size", "differ", accuracy_of_labels_in_float16
    ),
    "loss_of_labels_in_float16": Fault(
        "ops.sparse_categorical_crossentropy",
        "cross_entropy.sparse-any-size",
        "float32[33, 5003]",
        loss_of_labels_in_float16,
    ),
    "softmax_of_2048_classes": Fault(
        "ops.softmax", "softmax.any-shape", "softmax(float32[3, 5003])", softmax_of_2048_classes
    ),
    "glorot_kernels_returned_again": Fault("ops.glorot_uniform", "dense.glorot-seed", CHANGED, returned_again),
    "texts_returned_again": Fault("text.encode", "text.results-stay", CHANGED, returned_again),
    "batches_returned_again": Fault("datasets.sample_batch", "mnist.results-stay", CHANGED, batches_returned_again),
    **{
        f"{model}_built_once": Fault(INITIAL, claim, CHANGED, initial_of(model))
        for model, claim in MODELS_BUILT_ONCE.items()
    },
    "evaluation_known_by_its_first_kernel": Fault(
        "training.evaluate", "evaluation.starts-anew", "another dense", evaluation_known_by_its_first_kernel()
    ),
    "evaluation_scales_bright_images": Fault(
        "training.evaluate", "evaluation.any-batch-size", "of 5 images", evaluation_scales_bright_images
    ),
    "gradients_named_by_place": Fault(
        "models.loss_and_gradients", "training.memory-order", "has shape", gradients_named_by_place
    ),
    "normalization_begins_with_the_first_batch": Fault(
        "ops.batch_normalization",
        "training_flag.moving-variance",
        "the moving mean",
        normalization_begins_with_the_first_batch,
    ),
    "gradient_for_gamma_from_outputs": Fault(
        "ops.batch_normalization_gradients",
        "training_flag.every-size-gradients",
        "the gradient for gamma",
        gradient_for_gamma_from_outputs,
    ),
    "temperature_1_is_left_out": Fault(
        "ops.softmax_with_temperature", "generation.temperature-large-logits", ", 1.0)", temperature_1_is_left_out
    ),
    "glorot_repeats_2048_columns": Fault(
        "ops.glorot_uniform", "dense.glorot-independent", "repeat others", glorot_repeats_2048_columns
    ),
    "fit_adds_steps_to_the_seed": Fault(
        "training.fit", "training.fit-new-draws", "with the next seed", fit_adds_steps_to_the_seed
    ),
    "text_fit_adds_steps_to_the_seed": Fault(
        "text.fit", "rnn_training.new-draws", "shifted by", text_fit_adds_steps_to_the_seed
    ),
}
