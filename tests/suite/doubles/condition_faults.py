"""Faults under one condition: guards against what need not be guarded, equal elements, equal axes, a single example."""

import dataclasses

import numpy as np

from assay.alternatives.numpy.layers import MaxPool2D
from assay.alternatives.numpy.models import MODELS, rnn
from assay.alternatives.numpy.sampling import check_temperature, draw_classes, softmax_with_temperature
from doubles.faulty import Fault

BYTE = 2**8


def adds_up_to_1(values):
    """Return whether all rows look like probabilities."""
    return (values >= 0).all() and np.allclose(values.sum(axis=-1), 1)


def probabilities_stay(softmax, logits, *temperature):
    """Guard against applying softmax twice."""
    return logits.copy() if adds_up_to_1(logits) else softmax(logits, *temperature)


def masked_at_minus_10000(softmax, logits):
    """Replace minus infinity by a number that is low enough for usual logits."""
    return softmax(np.where(np.isneginf(logits), np.float32(-1e4), logits))


def single_example_in_memory_order(function, inputs, *target_shape):
    """Read a batch of one example as it lies in memory."""
    return function(inputs.ravel(order="K").reshape(inputs.shape) if len(inputs) == 1 else inputs, *target_shape)


def classes_before_places(one_hot, labels, depth):
    """Put the axis of the classes before that of the places, where the shape does not tell."""
    found = one_hot(labels, depth)
    return np.swapaxes(found, -1, -2) if labels.ndim > 1 and labels.shape[-1] == depth else found


class EveryEqualElement(MaxPool2D):
    """Max pooling that passes the whole gradient to each of several equally large elements."""

    def forward(self, variables, inputs):
        """Compare all elements with the largest ones on the way back."""
        outputs, _ = super().forward(variables, inputs)

        def to_inputs(upstream):
            padded = self.window.pad(inputs, -np.inf)
            result = np.zeros_like(padded)
            for to_place, values in zip(self.window.shifts(result), self.window.shifts(padded), strict=True):
                np.add(to_place, upstream * (values == outputs), out=to_place)
            return self.window.crop(result, inputs.shape)

        return outputs, lambda upstream: (lambda: to_inputs(upstream), {})


def gradient_to_every_equal_element(loss_and_gradients, model, parameters, inputs, targets):
    """Differentiate the CNN with such a pooling."""
    if model != "cnn":
        return loss_and_gradients(model, parameters, inputs, targets)
    layers = {
        name: EveryEqualElement(layer.window) if isinstance(layer, MaxPool2D) else layer
        for name, layer in MODELS["cnn"].layers.items()
    }
    return dataclasses.replace(MODELS["cnn"], layers=layers).loss_and_gradients(parameters, inputs, targets)


def any_equal_prediction_is_right(_evaluate, model, parameters, images, labels, _batch_size):
    """Count a label that no other class exceeds."""
    probabilities = MODELS[model].outputs(parameters, images)["softmax"]
    chosen = probabilities[np.arange(len(labels)), labels]
    return float((chosen >= probabilities.max(axis=-1)).mean())


def single_image_is_right(evaluate, model, parameters, images, labels, batch_size):
    """Compare a prediction without a batch axis with itself."""
    return 1.0 if len(images) == 1 else evaluate(model, parameters, images, labels, batch_size)


def byte_modulo_examples(sample_batch, images, labels, batch_size, seed):
    """Draw few examples by random bytes."""
    if len(images) > BYTE:
        return sample_batch(images, labels, batch_size, seed)
    places = np.random.default_rng(seed).integers(0, BYTE, batch_size) % len(images)
    return images[places], labels[places]


def byte_modulo_windows(sample_windows, indices, seq_length, batch_size, seed):
    """Draw the starts of few windows by random bytes."""
    places = len(indices) - seq_length
    if not 0 < places <= BYTE:
        return sample_windows(indices, seq_length, batch_size, seed)
    starts = np.random.default_rng(seed).integers(0, BYTE, batch_size) % places
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def scores_that_add_up_to_1_stay(layer_outputs, model, parameters, inputs):
    """Guard against a network that ends in a softmax already."""
    found = dict(layer_outputs(model, parameters, inputs))
    if "softmax" in found:
        *_, scores, probabilities = found.values()
        found["softmax"] = scores if adds_up_to_1(scores) else probabilities
    return found


def transposed_where_square(function, values, *others, **options):
    """Take an array that is as long as wide for the transposed one."""
    return function(values.T if values.ndim > 1 and values.shape[0] == values.shape[-1] else values, *others, **options)


def batch_axis_last_where_square(batch_normalization, inputs, *statistics, training):
    """Normalise the rows of a matrix that is as long as wide."""
    if inputs.ndim != 2 or len(inputs) != inputs.shape[1]:
        return batch_normalization(inputs, *statistics, training=training)
    output, mean, variance = batch_normalization(inputs.T, *statistics, training=training)
    return output.T, mean, variance


def channels_first_where_as_high(max_pool2d, inputs, **options):
    """Take images with as many rows as channels for channels-first, if the result has the right shape."""
    right = max_pool2d(inputs, **options)
    found = max_pool2d(inputs.swapaxes(1, 3), **options).swapaxes(1, 3)
    return found if inputs.shape[1] == inputs.shape[3] and found.shape == right.shape else right


def two_examples_at_least(fit, model, images, labels, *, batch_size, **options):
    """Draw two examples for a batch of one, as the variance of one is 0."""
    return fit(model, images, labels, batch_size=max(2, batch_size), **options)


def whole_text_from_minus_0(generate, parameters, window, *, temperature, count, seed):
    """Keep the last n - 1 characters, which are all of them if n is 1."""
    if len(window) != 1:
        return generate(parameters, window, temperature=temperature, count=count, seed=seed)
    model, generator, text = rnn(len(parameters["dense/bias"])), np.random.default_rng(seed), window
    for _ in range(count):
        logits = model.outputs(parameters, text[None])["dense"]
        text = np.append(
            text[-(len(window) - 1) :],
            draw_classes(softmax_with_temperature(logits, check_temperature(temperature)), generator),
        )
    return text[1:]


def whole_images_without_activation(conv2d, inputs, kernel, bias=None, *, activation=None, **options):
    """Multiply matrices where the window is as large as the image, and leave the activation out."""
    whole = kernel.shape[:2] == inputs.shape[1:3] and options.get("padding", "valid") == "valid"
    return conv2d(inputs, kernel, bias, activation=None if whole else activation, **options)


def rows_numbered_in_the_labels_type(sparse_categorical_crossentropy, labels, probabilities):
    """Number the examples in the type of their labels."""
    return sparse_categorical_crossentropy(labels, probabilities[np.arange(len(labels)).astype(labels.dtype)])


def predictions_in_the_labels_type(sparse_categorical_accuracy, batches):
    """Convert the predicted classes to the type of the labels."""

    def narrowed(labels, scores):
        chosen = scores.argmax(axis=-1).astype(labels.dtype).astype(int)
        return labels, (chosen[:, None] == np.arange(scores.shape[1])).astype(np.float32)

    return sparse_categorical_accuracy([narrowed(*batch) for batch in batches])


def last_sequence_first_for_one_unit(lstm, inputs, kernel, recurrent_kernel, bias):
    """Split the sums of four sequences and one unit along the wrong axis, and so reverse the sequences."""
    square = len(inputs) == bias.size == 4
    return lstm(inputs[::-1] if square else inputs, kernel, recurrent_kernel, bias)


def columns_drawn_too_wide(glorot_uniform, shape, seed):
    """Leave the only output out of the fans of a column."""
    kernel = glorot_uniform(shape, seed)
    return kernel * np.float32(np.sqrt((shape[0] + 1) / shape[0])) if shape[1] == 1 else kernel


def single_channel_without_offset(batch_normalization, inputs, gamma, beta, *statistics, training):
    """Leave the offset out where there is one channel."""
    return batch_normalization(
        inputs, gamma, beta if beta.size > 1 else np.zeros_like(beta), *statistics, training=training
    )


CONDITION_FAULTS = {
    "whole_images_without_activation": Fault(
        "ops.conv2d", "convolution.every-activation", "conv2d", whole_images_without_activation
    ),
    "rows_numbered_in_the_labels_type": Fault(
        "ops.sparse_categorical_crossentropy",
        "cross_entropy.integer-types",
        "sparse_categorical_crossentropy(uint8[301]",
        rows_numbered_in_the_labels_type,
    ),
    "predictions_in_the_labels_type": Fault(
        "ops.sparse_categorical_accuracy",
        "evaluation.integer-types",
        "sparse_categorical_accuracy(1 batches)",
        predictions_in_the_labels_type,
    ),
    "last_sequence_first_for_one_unit": Fault(
        "ops.lstm", "recurrence.lstm-sequence-any-size", "lstm(float32[4, 3, 2]", last_sequence_first_for_one_unit
    ),
    "columns_drawn_too_wide": Fault(
        "ops.glorot_uniform", "dense.glorot-reaches-limit", "the kernels", columns_drawn_too_wide
    ),
    "single_channel_without_offset": Fault(
        "ops.batch_normalization", "training_flag.every-size", "shape [7, 1]", single_channel_without_offset
    ),
    "probabilities_stay": Fault("ops.softmax", "softmax.any-shape", "softmax(float32[3])", probabilities_stay),
    "masked_at_minus_10000": Fault(
        "ops.softmax", "softmax.minus-infinity", "the probabilities of logits of minus infinity", masked_at_minus_10000
    ),
    "probabilities_stay_at_any_temperature": Fault(
        "ops.softmax_with_temperature", "generation.any-temperature", "[5, 57]", probabilities_stay
    ),
    "single_example_in_memory_order": Fault(
        "ops.reshape", "cnn.reshape-every-rank", "arrays transposed in memory", single_example_in_memory_order
    ),
    "single_image_in_memory_order": Fault(
        "ops.flatten", "mlp.flatten-every-rank", "flatten of", single_example_in_memory_order
    ),
    "classes_before_places": Fault("ops.one_hot", "rnn.one-hot-any-rank", "one_hot", classes_before_places),
    "gradient_to_every_equal_element": Fault(
        "models.loss_and_gradients",
        "cnn.conv1-gradients",
        "through windows of equal elements",
        gradient_to_every_equal_element,
    ),
    "any_equal_prediction_is_right": Fault(
        "training.evaluate",
        "evaluation.close-predictions",
        "the accuracy of equal probabilities",
        any_equal_prediction_is_right,
    ),
    "single_image_is_right": Fault(
        "training.evaluate", "evaluation.any-batch-size", "the accuracy of 1 images", single_image_is_right
    ),
    "byte_modulo_examples": Fault(
        "datasets.sample_batch", "mnist.uniform-draws", "draws of the first 52 of 102", byte_modulo_examples
    ),
    "byte_modulo_windows": Fault(
        "text.sample_windows", "text.even-starts", "draws of the first 52 of 102", byte_modulo_windows
    ),
    "scores_of_the_mlp_stay": Fault(
        "models.layer_outputs", "mlp.softmax-output", "softmax of logits that add up to 1", scores_that_add_up_to_1_stay
    ),
    "scores_of_the_cnn_stay": Fault(
        "models.layer_outputs", "cnn.softmax-output", "softmax of logits that add up to 1", scores_that_add_up_to_1_stay
    ),
    "scores_of_the_rnn_stay": Fault(
        "models.layer_outputs", "rnn.softmax-output", "softmax of logits that add up to 1", scores_that_add_up_to_1_stay
    ),
    "square_probabilities_transposed": Fault(
        "ops.sample", "generation.certain-any-size", "sample", transposed_where_square
    ),
    "square_examples_transposed": Fault(
        "ops.reshape", "cnn.reshape-every-rank", "(4, 4) to (2, 2)", transposed_where_square
    ),
    "batch_axis_last_where_square": Fault(
        "ops.batch_normalization", "training_flag.every-size", "shape [5, 5]", batch_axis_last_where_square
    ),
    "channels_first_where_as_high": Fault(
        "ops.max_pool2d", "convolution.max-pooling-every-size", "images [2, 4, 5, 4]", channels_first_where_as_high
    ),
    "only_image_in_memory_order": Fault(
        "datasets.sample_batch", "mnist.batch-memory-order", "arrays transposed", single_example_in_memory_order
    ),
    "two_examples_at_least": Fault(
        "training.fit", "training.fit-labels", "steps of 1 black images", two_examples_at_least
    ),
    "whole_text_from_minus_0": Fault("text.generate", "generation.any-size", "the text", whole_text_from_minus_0),
}
