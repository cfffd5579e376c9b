"""Faults of the training of models on given batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy.models import MODELS, copy_parameters, descend, model_of
from assay.alternatives.numpy.optimizers import Adam
from assay.contract import Array, Parameters
from doubles.faulty import Fault
from doubles.memory_order import inputs_as_in_memory
from doubles.model_calls import of_model, repeated_after, with_inputs_of
from doubles.narrow_numbers import bytes_into
from doubles.training_loops import descended


def train_without_nan(
    _train: Callable[..., Any],
    model: Any,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    learning_rate: float,
) -> tuple[Array, Parameters]:
    """Leave out steps whose loss is not finite."""
    network, current, losses = model_of(model, parameters), copy_parameters(parameters), []
    optimizer = network.optimizer(learning_rate)
    for batch in zip(inputs, targets, strict=True):
        loss, gradients = network.loss_and_gradients(current, *batch)
        losses.append(loss)
        if np.isfinite(loss):
            optimizer.step(current, gradients)
    return np.array(losses, np.float32), current


def rate_fixed(train, model, parameters, inputs, targets, _learning_rate):
    """Train with the document's learning rate, whichever was asked for."""
    return train(model, parameters, inputs, targets, 0.01 if model == "linear" else 0.001)


def clip(images):
    """Limit pixels to the range from 0 to 1."""
    return np.clip(images, 0, 1)


def optimizer_not_renewed(train, model, parameters, inputs, targets, learning_rate):
    """Go on with an optimizer that has already made a round."""
    _, warm = train(model, parameters, inputs, targets, learning_rate)
    losses, cold = train(model, warm, inputs, targets, learning_rate)
    return losses, cold


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


def rest_of_steps_left_out(length):
    """Return `train` that runs loops of so many steps, and leaves out those that they leave over but for the losses."""

    def wrong(right, model, parameters, inputs, targets, learning_rate):
        rest = len(inputs) % length
        if len(inputs) < length or not rest:
            return right(model, parameters, inputs, targets, learning_rate)
        losses, last = right(model, parameters, inputs[:-rest], targets[:-rest], learning_rate)
        one = model_of(model, last)
        more = [
            one.loss_and_gradients(copy_parameters(last), *each)[0]
            for each in zip(inputs[-rest:], targets[-rest:], strict=True)
        ]
        return np.concatenate([losses, np.array(more, np.float32)]), last

    return wrong


def training_with(**options):
    """Return a fault of classifiers' trainings."""

    def wrong(train, model, parameters, inputs, targets, learning_rate):
        if model == "linear":
            return train(model, parameters, inputs, targets, learning_rate)
        batches = zip(inputs, targets, strict=True)
        return descended(model_of(model, parameters), parameters, batches, learning_rate, **options)

    return wrong


def trained_on_32(train, model, parameters, inputs, targets, learning_rate):
    """Take at most 32 examples of a batch."""
    return train(model, parameters, inputs[:, :32], targets[:, :32], learning_rate)


def rate_of_the_first_call(train, model, parameters, inputs, targets, learning_rate, kept={}):  # noqa: B006 - as above
    """Go on with the optimizer of the first call, and its rate."""
    return train(model, parameters, inputs, targets, kept.setdefault(model, learning_rate))


def optimizer_kept(_train, model, parameters, inputs, targets, learning_rate, kept={}):  # noqa: B006 - as above
    """Go on with the optimizer of the calls before."""
    network = MODELS[model]
    optimizer = kept.setdefault(model, network.optimizer(learning_rate))
    optimizer.learning_rate = learning_rate
    current, curve = copy_parameters(parameters), []
    for batch in zip(inputs, targets, strict=True):
        loss, gradients = network.loss_and_gradients(current, *batch)
        optimizer.step(current, gradients)
        curve.append(loss)
    return np.array(curve, np.float32), current


def rate_of_the_first_training():
    """Return `train` that keeps the learning rate of the first training of a shape."""
    known = {}

    def wrong(right, model, parameters, inputs, targets, learning_rate):
        return right(model, parameters, inputs, targets, known.setdefault(inputs.shape, learning_rate))

    return wrong


class FallingRate(Adam):
    """Adam whose learning rate falls every ten steps."""

    def step(self, parameters, gradients):
        """Take a step, and lower the rate after every tenth."""
        super().step(parameters, gradients)
        if self.steps % 10 == 0:
            self.learning_rate *= 0.5


def rate_of_the_cnn_falls(train, model, parameters, inputs, targets, learning_rate):
    """Lower the learning rate of the CNN."""
    if model != "cnn":
        return train(model, parameters, inputs, targets, learning_rate)
    network = dataclasses.replace(MODELS["cnn"], optimizer=FallingRate)
    return descend(network, parameters, zip(inputs, targets, strict=True), learning_rate)


def frozen_after(steps, layer):
    """Return `train` that leaves a layer as it is after so many steps."""

    def wrong(right, model, parameters, inputs, targets, learning_rate):
        losses, last = right(model, parameters, inputs, targets, learning_rate)
        _, early = right(model, parameters, inputs[:steps], targets[:steps], learning_rate)
        return losses, {name: early[name] if name.startswith(layer) else value for name, value in last.items()}

    return wrong


def alphabet_of_57(right, model, parameters, windows, targets, learning_rate):
    """Read the characters after the 57th as that."""
    return right(model, parameters, np.minimum(windows, 56), np.minimum(targets, 56), learning_rate)


def last_64_characters(train, model, parameters, inputs, targets, learning_rate):
    """Train on the last 64 characters of a window."""
    return train(model, parameters, inputs[:, :, -64:] if model == "rnn" else inputs, targets, learning_rate)


FAULTS = {
    "training_without_nan": Fault(
        "models.train", "linear_model.not-a-number", "expected NaN from this batch on", train_without_nan
    ),
    "linear_rate_fixed": Fault("models.train", "linear_model.step", "after a step", rate_fixed),
    "mlp_training_clips_pixels": Fault(
        "models.train",
        "training.any-pixels",
        "the loss in a training of mlp on pixels between 0 and 4",
        with_inputs_of("mlp", clip),
    ),
    "optimizer_not_renewed": Fault("models.train", "training.trajectory", "times the bound", optimizer_not_renewed),
    "rate_at_most": Fault("models.train", "training.other-learning-rates", "0.03", rate_at_most),
    "rate_of_zero_replaced": Fault(
        "models.train", "training.other-learning-rates", "learning rate 0", rate_of_zero_replaced
    ),
    "later_batches_reversed": Fault("models.train", "training.other-learning-rates", "losses", later_batches_reversed),
    "rate_fixed": Fault("models.train", "training.other-learning-rates", "learning rate 0.0001", rate_fixed),
    "mlp_leaves_out_the_last_steps": Fault(
        "models.train", "training.many-steps", "131 steps", of_model("mlp", rest_of_steps_left_out(16))
    ),
    "rate_lower_after_100_steps": Fault("models.train", "training.many-steps", "131 steps", training_with(decay=0.96)),
    "trained_until_99_9_percent": Fault("models.train", "training.many-steps", "3 steps", training_with(least=1e-3)),
    "mlp_trained_on_128": Fault(
        "models.train", "training.large-batches", "2 steps of 259", of_model("mlp", repeated_after(128, axis=1))
    ),
    "mlp_trained_on_memory": Fault(
        "models.train", "training.memory-order", "transposed", of_model("mlp", inputs_as_in_memory)
    ),
    "trained_on_32": Fault("models.train", "training.document-batches", "batches of 50", trained_on_32),
    "rate_of_the_first_call": Fault(
        "models.train", "training.after-other-trainings", "other trainings", rate_of_the_first_call
    ),
    "optimizer_kept": Fault("models.train", "training.after-other-trainings", "other trainings", optimizer_kept),
    "cnn_training_clips_pixels": Fault(
        "models.train",
        "cnn.any-pixels",
        "the loss in a training of cnn on pixels between 0 and 4",
        with_inputs_of("cnn", clip),
    ),
    "cnn_keeps_its_learning_rate": Fault(
        "models.train",
        "cnn.other-learning-rates",
        "a learning rate of 0.3",
        of_model("cnn", rate_of_the_first_training()),
    ),
    "rate_of_the_cnn_falls": Fault("models.train", "cnn.other-learning-rates", "11 steps of 1", rate_of_the_cnn_falls),
    "cnn_trained_on_16": Fault(
        "models.train", "cnn.document-batches", "2 steps of 50", of_model("cnn", repeated_after(16, axis=1))
    ),
    "cnn_keeps_conv1_in_the_end": Fault(
        "models.train", "cnn.every-step", "conv1/kernel", of_model("cnn", frozen_after(3, "conv1"))
    ),
    "rnn_keeps_its_learning_rate": Fault(
        "models.train",
        "rnn_training.other-learning-rates",
        "times the bound",
        of_model("rnn", rate_of_the_first_training()),
    ),
    "rnn_leaves_out_the_last_steps": Fault(
        "models.train", "rnn_training.many-steps", "19 steps", of_model("rnn", rest_of_steps_left_out(16))
    ),
    "rnn_trained_on_32": Fault(
        "models.train", "rnn_training.large-batches", "2 steps of 67", of_model("rnn", repeated_after(32, axis=1))
    ),
    "rnn_keeps_its_cell_in_the_end": Fault(
        "models.train", "rnn_training.every-step", "step 6", of_model("rnn", frozen_after(4, "cell"))
    ),
    "rnn_trained_on_57_characters": Fault(
        "models.train", "rnn_training.every-step", "cell/kernel", of_model("rnn", alphabet_of_57)
    ),
    "trained_on_windows_in_bytes": Fault("models.train", "rnn_training.every-step", "cell/kernel", bytes_into(0)),
    "trained_on_labels_in_bytes": Fault("models.train", "rnn_training.every-step", "for a label of 299", bytes_into(1)),
    "trained_on_the_last_64_characters": Fault(
        "models.train", "rnn_training.every-step", "does not change the rows", last_64_characters
    ),
    "rnn_trained_on_memory": Fault(
        "models.train", "rnn_training.step-memory-order", "transposed", of_model("rnn", inputs_as_in_memory)
    ),
}
