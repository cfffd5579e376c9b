"""Faults that show where axes are equal or of length 1, with arguments that rarely occur, and in draws from many."""

from __future__ import annotations

import numpy as np

from doubles.faulty import Fault


def square_kernel_transposed(dense, inputs, kernel, bias=None, activation=None):
    """Read a square kernel that is not contiguous in the order of its memory."""
    by_columns = kernel.shape[0] == kernel.shape[1] and not kernel.flags.c_contiguous
    return dense(inputs, kernel.T if by_columns else kernel, bias, activation)


def square_gradient_transposed(adam_step, parameter, gradient, *others):
    """Read a square gradient that is not contiguous in the order of its memory."""
    square = gradient.ndim == 2 and gradient.shape[0] == gradient.shape[1]
    return adam_step(parameter, gradient.T if square and not gradient.flags.c_contiguous else gradient, *others)


def reshape_to_square(reshape, inputs, target_shape):
    """Write a square by columns."""
    outputs = reshape(inputs, target_shape)
    square = len(target_shape) == 2 and target_shape[0] == target_shape[1]
    return outputs.swapaxes(1, 2) if square else outputs


def reshape_to_same(reshape, inputs, target_shape):
    """Reverse the batch where there is nothing to reshape."""
    return inputs[::-1].copy() if tuple(target_shape) == inputs.shape[1:] else reshape(inputs, target_shape)


def column_of_labels(one_hot, labels, depth):
    """Drop the axis of a column of labels."""
    return one_hot(labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels, depth)


def cube_of_labels(one_hot, labels, depth):
    """Swap the first two axes of labels that are as many along each."""
    outputs = one_hot(labels, depth)
    cube = labels.ndim == 3 and labels.shape[0] == labels.shape[1]
    return outputs.swapaxes(0, 1) if cube else outputs


def coarse_with_many_channels(conv2d, inputs, kernel, bias=None, **options):
    """Cut the factors to bfloat16 where there are many channels."""
    if inputs.shape[-1] < 8:
        return conv2d(inputs, kernel, bias, **options)
    return conv2d(cut(inputs), cut(kernel), bias, **options)


def cut(array):
    """Cut the last 16 bits of float32 off."""
    bits = np.ascontiguousarray(array, dtype=np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


def one_by_one_without_gaps(conv2d_gradients, inputs, kernel, bias, upstream, *, strides, padding):
    """Give the pixels that a window of one never sees the gradient of a neighbour."""
    to_inputs, *others = conv2d_gradients(inputs, kernel, bias, upstream, strides=strides, padding=padding)
    if kernel.shape[:2] == (1, 1):
        seen = to_inputs[:, :: strides[0], :: strides[1]]
        to_inputs = np.repeat(np.repeat(seen, strides[0], 1), strides[1], 2)[:, : inputs.shape[1], : inputs.shape[2]]
    return to_inputs, *others


def one_step_alone(lstm, inputs, *weights):
    """Drop the time axis of a single step."""
    states = lstm(inputs, *weights)
    return tuple(state[:, 0] for state in states) if inputs.shape[1] == 1 else states


def over_the_batch(lstm, inputs, *weights):
    """Go through the sequences instead of through time, where there are as many of both."""
    if inputs.shape[0] != inputs.shape[1]:
        return lstm(inputs, *weights)
    return tuple(states.swapaxes(0, 1) for states in lstm(inputs.swapaxes(0, 1).copy(), *weights))


def sure_classes_always(sample, probabilities, seed):
    """Take a class whose probability is above 0.95 without drawing."""
    sure = probabilities.max(axis=-1) > 0.95
    return np.where(sure, probabilities.argmax(axis=-1), sample(probabilities, seed)).astype(np.int32)


def distinct_where_many(sample_batch, images, labels, batch_size, seed):
    """Draw without replacement from much more than the batch takes."""
    if batch_size > len(images) // 8:
        return sample_batch(images, labels, batch_size, seed)
    places = np.random.default_rng(seed).choice(len(images), batch_size, replace=False)
    return images[places], labels[places]


def large_batches_mislabelled(sample_batch, images, labels, batch_size, seed):
    """Reverse the labels of a large batch."""
    found, classes = sample_batch(images, labels, batch_size, seed)
    return found, classes if batch_size < 100 else classes[::-1].copy()


def single_example_alone(sample_batch, images, labels, batch_size, seed):
    """Drop the axis of a batch of one."""
    found, classes = sample_batch(images, labels, batch_size, seed)
    return (found[0], classes[0]) if batch_size == 1 else (found, classes)


def balanced_classes(sample_batch, images, labels, batch_size, seed):
    """Draw a label first, and then an example that has it."""
    generator, classes = np.random.default_rng(seed), np.unique(labels)
    if len(classes) != 2:
        return sample_batch(images, labels, batch_size, seed)
    places = [generator.choice(np.flatnonzero(labels == one)) for one in generator.choice(classes, batch_size)]
    return images[places], labels[places]


def windows_distinct(sample_windows, indices, seq_length, batch_size, seed):
    """Draw without replacement from a text that is long beside the batch."""
    places = len(indices) - seq_length
    if places < 8 * batch_size or places > 10_000:
        return sample_windows(indices, seq_length, batch_size, seed)
    starts = np.random.default_rng(seed).choice(places, batch_size, replace=False)
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def windows_in_even_places(sample_windows, indices, seq_length, batch_size, seed):
    """Begin windows of a long text in even places alone."""
    places = len(indices) - seq_length
    if places < 1_000:
        return sample_windows(indices, seq_length, batch_size, seed)
    starts = 2 * np.random.default_rng(seed).integers(0, (places + 1) // 2, batch_size)
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def errors_after_a_block(encode, content):
    """Let bytes that are not UTF-8 be, beyond the first of them."""
    head, rest = content[:64], content[64:]
    head.decode("utf-8", "ignore")
    return encode(head + rest.decode("utf-8", "replace").encode()) if len(content) > 2**16 else encode(content)


def hot_texts_cooled(generate, parameters, window, *, temperature, count, seed):
    """Take no temperature above 2."""
    cooled = min(temperature, 2.0) if temperature > 0 else temperature
    return generate(parameters, window, temperature=cooled, count=count, seed=seed)


def cold_texts_warmed(generate, parameters, window, *, temperature, count, seed):
    """Take no temperature below 0.1."""
    warmed = max(temperature, 0.1) if temperature > 0 else temperature
    return generate(parameters, window, temperature=warmed, count=count, seed=seed)


def one_character_repeated(generate, parameters, window, **options):
    """Let a text begin with its window, if that is a single character."""
    written = generate(parameters, window, **options)
    return np.concatenate([window, written])[: len(written)].astype(np.int32) if len(window) == 1 else written


def certain_first_character(generate, parameters, window, *, temperature, count, seed):
    """Take the most probable character first."""
    cold = 0.01 if temperature > 0 else temperature
    first = generate(parameters, window, temperature=cold, count=min(count, 1), seed=seed)
    following = np.append(window[1:], first).astype(np.int32)
    if count < 2:
        return first
    rest = generate(parameters, following, temperature=temperature, count=count - 1, seed=seed)
    return np.concatenate([first, rest])


def single_image_alone(layer_outputs, model, parameters, inputs):
    """Drop the axis of a batch of one from the CNN's probabilities."""
    outputs = layer_outputs(model, parameters, inputs)
    alone = model == "cnn" and len(inputs) == 1
    return {name: value[0] if alone and name == "softmax" else value for name, value in outputs.items()}


def unscaled_pixels_scaled(layer_outputs, model, parameters, inputs):
    """Divide pixels above 1 by 255."""
    scaled = model == "q_cnn" and inputs.max() > 1
    return layer_outputs(model, parameters, inputs / np.float32(255) if scaled else inputs)


def unscaled_pixels_clipped(layer_outputs, model, parameters, inputs):
    """Clip the MLP's pixels to 0 and 1."""
    return layer_outputs(model, parameters, np.clip(inputs, 0, 1) if model == "mlp" else inputs)


def single_feature_alone(layer_outputs, model, parameters, inputs):
    """Drop the last axis of the linear model's prediction from a single feature."""
    outputs = layer_outputs(model, parameters, inputs)
    alone = model == "linear" and inputs.shape[1] == 1
    return {"dense": outputs["dense"][:, 0]} if alone else outputs


def bias_of_other_features_halved(loss_and_gradients, model, parameters, inputs, targets):
    """Halve the gradient of the linear model's bias, but for three features."""
    loss, found = loss_and_gradients(model, parameters, inputs, targets)
    if model == "linear" and inputs.shape[1] != 3:
        found = found | {"dense/bias": found["dense/bias"] * np.float32(0.5)}
    return loss, found


def rate_at_most(train, model, parameters, inputs, targets, learning_rate):
    """Take no learning rate above 0.01."""
    return train(model, parameters, inputs, targets, learning_rate if model == "linear" else min(learning_rate, 0.01))


def rate_of_zero_replaced(train, model, parameters, inputs, targets, learning_rate):
    """Take the default for a learning rate of 0."""
    return train(model, parameters, inputs, targets, learning_rate or 0.001)


def later_batches_reversed(train, model, parameters, inputs, targets, learning_rate):
    """Take the batches from the third on in reverse."""
    order = np.concatenate([np.arange(len(inputs))[:2], np.arange(len(inputs))[2:][::-1]])
    return train(model, parameters, inputs[order], targets[order], learning_rate)


def right_ones_in_half(evaluate, model, parameters, images, labels, batch_size):
    """Count in float16, which has no odd numbers above 2,048."""
    accuracy = evaluate(model, parameters, images, labels, batch_size)
    return min(round(accuracy * len(images)), 2_048) / len(images)


def percent_of_all(evaluate, *arguments):
    """Return 100 for an accuracy of 1."""
    accuracy = evaluate(*arguments)
    return 100.0 if accuracy == 1 else accuracy


def no_more_than_there_are(fit, model, images, labels, *, batch_size, **options):
    """Draw no more examples for a batch than there are."""
    return fit(model, images, labels, batch_size=min(batch_size, len(images)), **options)


def frames_of_one_seed(frames, actions, _seed):
    """Draw the episode of the seed 0."""
    return frames(actions, 0)


AXIS_FAULTS = {
    "frames_of_one_seed": Fault(
        "environments.frames", "cartpole.rendered-states-differ", "eight seeds", frames_of_one_seed
    ),
    "no_more_than_there_are": Fault(
        "training.fit", "training.fit-batches", "a training set of 2", no_more_than_there_are
    ),
    "square_kernel_transposed": Fault("ops.dense", "dense.memory-order", "transposed", square_kernel_transposed),
    "square_gradient_transposed": Fault(
        "ops.adam_step", "training.adam-memory-order", "transposed", square_gradient_transposed
    ),
    "reshape_to_square": Fault("ops.reshape", "cnn.reshape-every-rank", "to (4, 4)", reshape_to_square),
    "reshape_to_same": Fault("ops.reshape", "cnn.reshape-every-rank", "to (4, 4)", reshape_to_same),
    "column_of_labels": Fault("ops.one_hot", "rnn.one-hot-any-rank", "[3, 5]", column_of_labels),
    "cube_of_labels": Fault("ops.one_hot", "rnn.one-hot-any-rank", "one_hot", cube_of_labels),
    "coarse_with_many_channels": Fault("ops.conv2d", "convolution.full-float32", "off", coarse_with_many_channels),
    "one_by_one_without_gaps": Fault(
        "ops.conv2d_gradients", "convolution.every-size-gradients", "window [1, 1", one_by_one_without_gaps
    ),
    "one_step_alone": Fault("ops.lstm", "recurrence.lstm-sequence-any-size", "[1, 4]", one_step_alone),
    "over_the_batch": Fault("ops.lstm", "recurrence.lstm-sequence-any-size", "from the states before", over_the_batch),
    "sure_classes_always": Fault("ops.sample", "generation.frequencies", "0.03", sure_classes_always),
    "distinct_where_many": Fault(
        "datasets.sample_batch", "mnist.small-batches-repeat", "250 of 2,000", distinct_where_many
    ),
    "large_batches_mislabelled": Fault(
        "datasets.sample_batch", "mnist.batch-pairs", "labels", large_batches_mislabelled
    ),
    "single_example_alone": Fault("datasets.sample_batch", "mnist.batch-size", "batch of 1", single_example_alone),
    "balanced_classes": Fault("datasets.sample_batch", "mnist.uniform-draws", "its label", balanced_classes),
    "windows_distinct": Fault("text.sample_windows", "text.with-replacement", "2,000 positions", windows_distinct),
    "windows_in_even_places": Fault("text.sample_windows", "text.whole-text", "even position", windows_in_even_places),
    "errors_after_a_block": Fault("text.encode", "text.not-utf8", "65538 bytes", errors_after_a_block),
    "hot_texts_cooled": Fault("text.generate", "generation.by-temperature", "at 5.0", hot_texts_cooled),
    "cold_texts_warmed": Fault("text.generate", "generation.by-temperature", "at 0.001", cold_texts_warmed),
    "one_character_repeated": Fault("text.generate", "generation.any-size", "the text", one_character_repeated),
    "certain_first_character": Fault(
        "text.generate", "generation.not-argmax", "first characters", certain_first_character
    ),
    "single_image_alone": Fault("models.layer_outputs", "cnn.outputs-of-any-batch", "softmax", single_image_alone),
    "unscaled_pixels_scaled": Fault("models.layer_outputs", "pixels.cnn-output", "conv1", unscaled_pixels_scaled),
    "unscaled_pixels_clipped": Fault("models.layer_outputs", "mlp.dense1-output", "flatten", unscaled_pixels_clipped),
    "single_feature_alone": Fault(
        "models.layer_outputs", "linear_model.prediction", "the prediction", single_feature_alone
    ),
    "bias_of_other_features_halved": Fault(
        "models.loss_and_gradients", "linear_model.gradients", "dense/bias", bias_of_other_features_halved
    ),
    "rate_at_most": Fault("models.train", "training.other-learning-rates", "0.03", rate_at_most),
    "rate_of_zero_replaced": Fault(
        "models.train", "training.other-learning-rates", "learning rate 0", rate_of_zero_replaced
    ),
    "later_batches_reversed": Fault("models.train", "training.other-learning-rates", "losses", later_batches_reversed),
    "right_ones_in_half": Fault("training.evaluate", "evaluation.any-batch-size", "of 10007", right_ones_in_half),
    "percent_of_all": Fault("training.evaluate", "evaluation.any-batch-size", "0 of 10007", percent_of_all),
}
