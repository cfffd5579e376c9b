"""Faults of single operations, of models and of the data loader that stand for the most common mistakes."""

from __future__ import annotations

import numpy as np

from doubles.faulty import Fault


def bias_added_to_rows(dense, inputs, kernel, bias=None, activation=None):
    """Add element i of the bias to row i, where the shape lets it."""
    if bias is None or inputs.ndim != 2 or len(inputs) != len(bias):
        return dense(inputs, kernel, bias, activation)
    return dense(inputs, kernel, None) + bias[:, None]


def activation_before_bias(dense, inputs, kernel, bias=None, activation=None):
    """Apply the activation to the product and then add the bias."""
    return dense(inputs, kernel, None, activation) + (0 if bias is None else bias)


def float16_inside(dense, inputs, kernel, bias=None, activation=None):
    """Multiply numbers rounded to float16."""
    rounded = [np.clip(array, -6e4, 6e4).astype(np.float16).astype(np.float32) for array in (inputs, kernel)]
    return dense(*rounded, bias, activation)


def softmax_over_batch(softmax, logits):
    """Normalise over the first axis."""
    return np.moveaxis(softmax(np.moveaxis(logits, 0, -1).copy()), -1, 0)


def softmax_without_shift(softmax, logits):
    """Take the formula at its word."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def log_to_base_2(loss, labels, probabilities):
    """Measure in bits."""
    return loss(labels, probabilities) / np.float32(np.log(2))


def labels_off_by_one(loss, labels, probabilities):
    """Count classes from 1."""
    return loss((labels + 1) % probabilities.shape[-1], probabilities)


def flatten_by_columns(flatten, inputs):
    """Join the axes with the first one fastest."""
    return inputs.reshape(len(inputs), -1, order="F")


def summed_loss(loss_and_gradients, model, parameters, inputs, targets):
    """Add the losses of the examples up."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    count = np.float32(len(inputs))
    return loss * count, {name: gradient * count for name, gradient in gradients.items()}


def gradient_of_bias_missing(loss_and_gradients, model, parameters, inputs, targets):
    """Leave the biases as they are."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    return loss, {name: gradient * np.float32(not name.endswith("bias")) for name, gradient in gradients.items()}


def no_bias_correction(_adam_step, parameter, gradient, first_moment, second_moment, step, learning_rate):
    """Use the moments of Adam as they are."""
    first = (0.9 * first_moment + 0.1 * gradient).astype(np.float32)
    second = (0.999 * second_moment + 0.001 * gradient**2).astype(np.float32)
    moved = parameter - learning_rate * first / (np.sqrt(second) + 1e-7)
    return moved.astype(np.float32), first, second


def large_epsilon(adam_step, parameter, gradient, first_moment, second_moment, step, learning_rate):
    """Add 1e-3 to the root instead of 1e-7."""
    before, first, second = adam_step(parameter, gradient, first_moment, second_moment, step, learning_rate)
    root = np.sqrt(second)
    moved = parameter + (before - parameter) * (root + 1e-7) / (root + 1e-3)
    return moved.astype(np.float32), first, second


def uphill(sgd_step, parameter, gradient, learning_rate):
    """Follow the gradient."""
    return sgd_step(parameter, -gradient, learning_rate)


def optimizer_not_renewed(train, model, parameters, inputs, targets, learning_rate):
    """Go on with an optimizer that has already made a round."""
    _, warm = train(model, parameters, inputs, targets, learning_rate)
    losses, cold = train(model, warm, inputs, targets, learning_rate)
    return losses, cold


def metric_not_accumulating(accuracy, batches):
    """Return the accuracy of each batch alone."""
    return np.array([accuracy([batch])[0] for batch in batches], np.float32)


def mean_of_batch_means(accuracy, batches):
    """Let every batch weigh the same."""
    alone = metric_not_accumulating(accuracy, batches)
    return (np.cumsum(alone) / np.arange(1, len(alone) + 1)).astype(np.float32)


def divided_by_256(preprocess, images, labels):
    """Scale by the number of grey levels instead of the largest one."""
    scaled, classes = preprocess(images, labels)
    return scaled * np.float32(255 / 256), classes


def rows_and_columns_swapped(preprocess, images, labels):
    """Transpose every image."""
    return preprocess(images.swapaxes(1, 2), labels)


def last_example_never_drawn(sample_batch, images, labels, batch_size, seed):
    """Take the upper bound of the random index for inclusive and subtract 1."""
    return sample_batch(images[:-1], labels[:-1], batch_size, seed)


def labels_drawn_apart(sample_batch, images, labels, batch_size, seed):
    """Draw one index for the images and another one for the labels."""
    drawn, _ = sample_batch(images, labels, batch_size, seed)
    _, others = sample_batch(images, labels, batch_size, seed + 1)
    return drawn, others


def normal_instead_of_uniform(glorot_uniform, shape, seed):
    """Draw Glorot-normal: the same deviation, another distribution."""
    deviation = np.sqrt(2 / sum(shape))
    return np.random.default_rng(seed).normal(0, deviation, shape).astype(np.float32)


def last_batch_dropped(evaluate, model, parameters, images, labels, batch_size):
    """Evaluate whole batches only."""
    count = len(images) // batch_size * batch_size
    return evaluate(model, parameters, images[:count], labels[:count], batch_size)


def double_precision(tanh, inputs):
    """Return float64."""
    return np.tanh(inputs.astype(np.float64))


def recurrent_kernel_transposed(simple_rnn_cell, inputs, state, kernel, recurrent_kernel, activation="tanh"):
    """Multiply the state from the other side."""
    return simple_rnn_cell(inputs, state, kernel, recurrent_kernel.T.copy(), activation)


def started_from_ones(simple_rnn, inputs, kernel, recurrent_kernel, activation="tanh"):
    """Start from the state that follows an input of ones."""
    before = np.ones_like(inputs[:, :1])
    return simple_rnn(np.concatenate([before, inputs], axis=1), kernel, recurrent_kernel, activation)[:, 1:]


def run_backwards(simple_rnn, inputs, kernel, recurrent_kernel, activation="tanh"):
    """Begin with the last input."""
    return simple_rnn(inputs[:, ::-1].copy(), kernel, recurrent_kernel, activation)[:, ::-1]


def gates_in_another_order(lstm_cell, inputs, hidden, carry, *weights):
    """Take the forget gate for the input gate."""
    units = hidden.shape[-1]
    order = [*range(units, 2 * units), *range(units), *range(2 * units, 4 * units)]
    return lstm_cell(inputs, hidden, carry, *(weight[..., order].copy() for weight in weights))


BASIC_FAULTS = {
    "bias_added_to_rows": Fault("ops.dense", "dense.bias-broadcasts", "whose rows are the bias", bias_added_to_rows),
    "activation_before_bias": Fault(
        "ops.dense", "dense.activation-after-affine", "actual -2, expected 0", activation_before_bias
    ),
    "float16_inside": Fault("ops.dense", "dense.full-float32", "computed in float16", float16_inside),
    "double_precision": Fault("ops.tanh", "dense.tanh", "has dtype float64", double_precision),
    "normal_instead_of_uniform": Fault(
        "ops.glorot_uniform", "dense.glorot-distribution", "as uneven, or as even", normal_instead_of_uniform
    ),
    "softmax_over_batch": Fault("ops.softmax", "softmax.sums-to-1", "the sum of each row", softmax_over_batch),
    "softmax_without_shift": Fault("ops.softmax", "softmax.large-logits", "actual nan", softmax_without_shift),
    "log_to_base_2": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.uniform-prediction", "actual 1,", log_to_base_2
    ),
    "labels_off_by_one": Fault(
        "ops.sparse_categorical_crossentropy",
        "cross_entropy.sparse-definition",
        "sparse_categorical_crossentropy: differs",
        labels_off_by_one,
    ),
    "flatten_by_columns": Fault("ops.flatten", "mlp.flatten-order", "actual   =", flatten_by_columns),
    "summed_loss": Fault("models.loss_and_gradients", "training.loss-is-mean", "the loss: differs", summed_loss),
    "gradient_of_bias_missing": Fault(
        "models.loss_and_gradients", "training.gradients", "'dense1/bias'", gradient_of_bias_missing
    ),
    "no_bias_correction": Fault(
        "ops.adam_step", "training.adam-bias-correction", "the length of the first step", no_bias_correction
    ),
    "large_epsilon": Fault("ops.adam_step", "training.adam-parameter", "the parameter after step", large_epsilon),
    "uphill": Fault("ops.sgd_step", "linear_model.sgd-step", "actual", uphill),
    "optimizer_not_renewed": Fault("models.train", "training.trajectory", "times the bound", optimizer_not_renewed),
    "metric_not_accumulating": Fault(
        "ops.sparse_categorical_accuracy",
        "evaluation.accumulates",
        "after each update",
        metric_not_accumulating,
    ),
    "mean_of_batch_means": Fault(
        "ops.sparse_categorical_accuracy",
        "evaluation.counts-examples",
        "expected 0.8333",
        mean_of_batch_means,
    ),
    "last_batch_dropped": Fault("training.evaluate", "evaluation.remainder", "the accuracy", last_batch_dropped),
    "divided_by_256": Fault("datasets.preprocess", "mnist.scaled-range", "actual 0.996", divided_by_256),
    "rows_and_columns_swapped": Fault(
        "datasets.preprocess", "mnist.image-axes", "[[1, 5, 3, 0]]", rows_and_columns_swapped
    ),
    "last_example_never_drawn": Fault(
        "datasets.sample_batch", "mnist.every-index", "[0, 1, 2, 3], expected all", last_example_never_drawn
    ),
    "labels_drawn_apart": Fault(
        "datasets.sample_batch", "mnist.batch-pairs", "the labels of the batch", labels_drawn_apart
    ),
}

BASIC_FAULTS |= {
    "recurrent_kernel_transposed": Fault(
        "ops.simple_rnn_cell", "recurrence.state-transform", "the state", recurrent_kernel_transposed
    ),
    "started_from_ones": Fault("ops.simple_rnn", "recurrence.initial-state", "the state at 0", started_from_ones),
    "run_backwards": Fault("ops.simple_rnn", "recurrence.looks-back-only", "before the last", run_backwards),
    "gates_in_another_order": Fault("ops.lstm_cell", "recurrence.lstm-cell", "hidden", gates_in_another_order),
}
