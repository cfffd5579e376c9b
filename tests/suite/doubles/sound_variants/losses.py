"""Sound losses, optimizers and metrics that compute otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Variant = Callable[..., Any]
f32 = np.float32


class DoubleAdam:
    """Adam or SGD on float64."""

    def __init__(self, learning_rate, *, adam=True):
        """Create the state."""
        self.learning_rate, self.adam, self.steps, self.moments = learning_rate, adam, 0, {}

    def moved(self, parameters, gradients):
        """Return the parameters after a step."""
        self.steps += 1
        result = {}
        for name, gradient in gradients.items():
            if not self.adam:
                result[name] = parameters[name] - self.learning_rate * gradient
                continue
            first, second = self.moments.get(name, (0.0, 0.0))
            first, second = self.moments[name] = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            root = np.sqrt(second / (1 - 0.999**self.steps)) + 1e-7
            result[name] = parameters[name] - self.learning_rate * first / (1 - 0.9**self.steps) / root
        return result


def one_hot_gather(right, labels, depth):
    """Gather rows of the identity."""
    return np.eye(depth, dtype=f32)[labels]


def one_hot_scatter(right, labels, depth):
    """Write ones at the labels."""
    result = np.zeros((*labels.shape, depth), f32)
    np.put_along_axis(result, labels[..., None].astype(np.int64), 1, axis=-1)
    return result


def one_hot_transposed(right, labels, depth):
    """Compare with the classes on the first axis, and return a transposed view."""
    return np.moveaxis(np.equal.outer(np.arange(depth), labels).astype(f32), 0, -1)


def categorical_crossentropy_double(right, targets, probabilities):
    """Compute in float64."""
    logarithms = np.log(np.where(targets == 0, 1, probabilities).astype(float))
    return -np.einsum("nc,nc->n", targets, logarithms).astype(f32)


def categorical_crossentropy_columns(right, targets, probabilities):
    """Add the classes one by one."""
    total = np.zeros(len(targets), f32)
    for target, probability in zip(targets.T, probabilities.T, strict=True):
        total -= np.where(target == 0, 0, target * np.log(np.where(target == 0, 1, probability)))
    return total


def clipped(probabilities):
    """Keep probabilities away from 0 and 1, as Keras does."""
    return np.clip(probabilities, f32(1e-7), f32(1 - 1e-7))


def categorical_crossentropy_clipped(right, targets, probabilities):
    """Normalise and clip, as Keras does."""
    return right(targets, clipped(probabilities / probabilities.sum(axis=-1, keepdims=True)))


def sparse_clipped(right, labels, probabilities):
    """Clip, as Keras does."""
    return right(labels, clipped(probabilities))


def sparse_log_first(right, labels, probabilities):
    """Take all logarithms, and pick those of the labels."""
    with np.errstate(divide="ignore"):
        logarithms = np.log(probabilities)
    return -np.take_along_axis(logarithms, labels[:, None].astype(np.int64), axis=1)[:, 0]


def sparse_one_hot(right, labels, probabilities):
    """Select the label's probability by a product with one-hot vectors."""
    picked = np.einsum("nc,nc->n", np.eye(probabilities.shape[1], dtype=f32)[labels], probabilities)
    with np.errstate(divide="ignore"):
        return np.log(f32(1) / picked)


def sparse_double(right, labels, probabilities):
    """Take the logarithm to base 2 in float64."""
    with np.errstate(divide="ignore"):
        picked = np.log2(probabilities[range(len(labels)), labels].astype(float))
    return (-math.log(2) * picked).astype(f32)


def mean_squared_error_dot(right, targets, predictions):
    """Use a dot product, and return an array without axes."""
    errors = np.subtract(predictions, targets).ravel()
    return np.array(np.dot(errors, errors) / f32(errors.size))


def mean_squared_error_kahan(right, targets, predictions):
    """Sum with compensation, from the last element."""
    total = lost = f32(0)
    for square in np.square(targets - predictions).ravel()[::-1]:
        term = square - lost
        new = total + term
        lost, total = (new - total) - term, new
    return total / f32(targets.size)


def mean_squared_error_by_row(right, targets, predictions):
    """Average each row, then the rows, as Keras does."""
    return np.square(np.atleast_1d(predictions - targets)).mean(axis=-1, dtype=f32).mean(dtype=f32)


def mean_squared_error_float(right, targets, predictions):
    """Return a Python float of a float64 mean."""
    return float(np.square(predictions.astype(float) - targets).mean())


def sgd_step_fused(right, parameter, gradient, learning_rate):
    """Round once, as a fused multiply-add does."""
    return (parameter.astype(float) - float(f32(learning_rate)) * gradient.astype(float)).astype(f32)


def sgd_step_double(right, parameter, gradient, learning_rate):
    """Keep the learning rate in float64."""
    return (parameter - np.multiply(learning_rate, gradient, dtype=float)).astype(f32)


def sgd_step_negated(right, parameter, gradient, learning_rate):
    """Add the negative step to a copy in place."""
    moved = parameter.copy()
    moved += f32(-learning_rate) * gradient
    return moved


def adam_step_first(right, parameter, gradient, first_moment, second_moment, step, learning_rate):
    """Correct both moments (algorithm 1), and move them by differences."""
    first = first_moment + (gradient - first_moment) * f32(1 - 0.9)
    second = second_moment + (gradient * gradient - second_moment) * f32(1 - 0.999)
    root = np.sqrt(second / f32(1 - 0.999**step))
    return parameter - f32(learning_rate) * (first / f32(1 - 0.9**step)) / (root + f32(1e-7)), first, second


def adam_step_pytorch(right, parameter, gradient, first_moment, second_moment, step, learning_rate):
    """Correct the root of the second moment, as PyTorch does."""
    first = f32(0.9) * first_moment + f32(0.1) * gradient
    second = second_moment * f32(0.999) + (f32(0.001) * gradient) * gradient
    denominator = np.sqrt(second) / f32(math.sqrt(1 - 0.999**step)) + f32(1e-7)
    return parameter + f32(-learning_rate / (1 - 0.9**step)) * (first / denominator), first, second


def adam_step_powers(right, parameter, gradient, first_moment, second_moment, step, learning_rate):
    """Keep the powers of both betas in float32, as TensorFlow does."""
    first_power, second_power = np.power(f32(0.9), f32(step)), np.power(f32(0.999), f32(step))
    rate = f32(learning_rate) * np.sqrt(f32(1) - second_power) / (f32(1) - first_power)
    first = first_moment + (gradient - first_moment) * (f32(1) - f32(0.9))
    second = second_moment + (gradient * gradient - second_moment) * (f32(1) - f32(0.999))
    return parameter - (first * rate) / (np.sqrt(second) + f32(1e-7)), first, second


def adam_step_accumulated(right, parameter, gradient, first_moment, second_moment, step, learning_rate):
    """Multiply the powers of both betas up in float32."""
    first_power = second_power = f32(1)
    for _ in range(step):
        first_power, second_power = first_power * f32(0.9), second_power * f32(0.999)
    rate = f32(learning_rate) * np.sqrt(f32(1) - second_power) / (f32(1) - first_power)
    first = f32(0.9) * first_moment + (f32(1) - f32(0.9)) * gradient
    second = f32(0.999) * second_moment + (f32(1) - f32(0.999)) * gradient * gradient
    return parameter - rate * first / (np.sqrt(second) + f32(1e-7)), first, second


def adam_step_double(right, parameter, gradient, first_moment, second_moment, step, learning_rate):
    """Compute in float64."""
    arrays = (array.astype(float) for array in (parameter, gradient, first_moment, second_moment))
    parameter, gradient, first, second = arrays
    first = 0.9 * first + 0.1 * gradient
    second = 0.999 * second + 0.001 * gradient**2
    moved = parameter - learning_rate * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-7)
    return moved.astype(f32), first.astype(f32), second.astype(f32)


def accuracy_running(right, batches):
    """Keep a running mean in float32."""
    accuracy, seen, results = f32(0), 0, []
    for labels, scores in batches:
        seen += len(labels)
        if len(labels):
            hits = (np.argmax(scores, axis=1) == labels).astype(f32)
            accuracy += (hits.mean() - accuracy) * f32(len(labels)) / f32(seen)
        results.append(accuracy)
    return np.array(results, f32)


def accuracy_float_counts(right, batches):
    """Count in float32, as Keras does."""
    total = count = f32(0)
    results = []
    for labels, scores in batches:
        total += (np.argmax(scores, axis=-1).astype(f32) == labels.astype(f32)).sum(dtype=f32)
        count += f32(len(labels))
        results.append(total / count if count else f32(0))
    return np.array(results, f32)


def zeros_broadcast(right, shape):
    """Broadcast one 0: a read-only view."""
    return np.broadcast_to(f32(0), shape)


def zeros_fortran(right, shape):
    """Fill an array in Fortran order."""
    return np.full(shape, 0, f32, order="F")


VARIANTS: dict[str, dict[str, Variant]] = {
    "one_hot/gather": {"ops.one_hot": one_hot_gather},
    "one_hot/scatter": {"ops.one_hot": one_hot_scatter},
    "one_hot/transposed": {"ops.one_hot": one_hot_transposed},
    "categorical_crossentropy/float64": {"ops.categorical_crossentropy": categorical_crossentropy_double},
    "categorical_crossentropy/class by class": {"ops.categorical_crossentropy": categorical_crossentropy_columns},
    "categorical_crossentropy/clipped": {"ops.categorical_crossentropy": categorical_crossentropy_clipped},
    "sparse_categorical_crossentropy/clipped": {"ops.sparse_categorical_crossentropy": sparse_clipped},
    "sparse_categorical_crossentropy/logarithms first": {"ops.sparse_categorical_crossentropy": sparse_log_first},
    "sparse_categorical_crossentropy/one-hot": {"ops.sparse_categorical_crossentropy": sparse_one_hot},
    "sparse_categorical_crossentropy/float64": {"ops.sparse_categorical_crossentropy": sparse_double},
    "mean_squared_error/dot": {"ops.mean_squared_error": mean_squared_error_dot},
    "mean_squared_error/Kahan": {"ops.mean_squared_error": mean_squared_error_kahan},
    "mean_squared_error/row by row": {"ops.mean_squared_error": mean_squared_error_by_row},
    "mean_squared_error/Python float": {"ops.mean_squared_error": mean_squared_error_float},
    "sgd_step/fused": {"ops.sgd_step": sgd_step_fused},
    "sgd_step/rate in float64": {"ops.sgd_step": sgd_step_double},
    "sgd_step/negated": {"ops.sgd_step": sgd_step_negated},
    "adam_step/algorithm 1": {"ops.adam_step": adam_step_first},
    "adam_step/PyTorch": {"ops.adam_step": adam_step_pytorch},
    "adam_step/float32 powers": {"ops.adam_step": adam_step_powers},
    "adam_step/accumulated powers": {"ops.adam_step": adam_step_accumulated},
    "adam_step/float64": {"ops.adam_step": adam_step_double},
    "sparse_categorical_accuracy/running mean": {"ops.sparse_categorical_accuracy": accuracy_running},
    "sparse_categorical_accuracy/float32 counts": {"ops.sparse_categorical_accuracy": accuracy_float_counts},
    "zeros/broadcast": {"ops.zeros": zeros_broadcast},
    "zeros/Fortran order": {"ops.zeros": zeros_fortran},
}
