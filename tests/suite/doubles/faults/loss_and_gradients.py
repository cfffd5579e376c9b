"""Faults of the loss of models and of its gradients."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from assay.alternatives.numpy.activations import softmax
from assay.alternatives.numpy.layers import MaxPool2D
from assay.alternatives.numpy.models import MODELS, model_of
from assay.contract import Array, Parameters
from doubles.faulty import Fault
from doubles.memory_order import inputs_as_in_memory, kernels_as_in_memory
from doubles.model_calls import divide_large, of_model, repeated_after, with_inputs_of
from doubles.narrow_numbers import bytes_into


def bias_of_other_features_halved(loss_and_gradients, model, parameters, inputs, targets):
    """Halve the gradient of the linear model's bias, but for three features."""
    loss, found = loss_and_gradients(model, parameters, inputs, targets)
    if model == "linear" and inputs.shape[1] != 3:
        found = found | {"dense/bias": found["dense/bias"] * np.float32(0.5)}
    return loss, found


def rest_of_block_lost(size):
    """Return a wrong `loss_and_gradients` that leaves out what is left over beside blocks of examples."""

    def wrong(right, model, parameters, inputs, targets):
        count = len(inputs) // size * size or len(inputs)
        return right(model, parameters, inputs[:count], targets[:count])

    return wrong


def mean_over_50(loss_and_gradients, model, parameters, inputs, targets):
    """Divide by the document's batch size, where there are more examples."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    factor = np.float32(max(1, len(inputs) / 50))
    return loss * factor, {name: gradient * factor for name, gradient in gradients.items()}


def summed_loss(loss_and_gradients, model, parameters, inputs, targets):
    """Add the losses of the examples up."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    count = np.float32(len(inputs))
    return loss * count, {name: gradient * count for name, gradient in gradients.items()}


def gradient_of_bias_missing(loss_and_gradients, model, parameters, inputs, targets):
    """Leave the biases as they are."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    return loss, {name: gradient * np.float32(not name.endswith("bias")) for name, gradient in gradients.items()}


def leave_out_gradients_of_0(loss_and_gradients, *arguments):
    """Return no gradient for a parameter on which the loss does not depend."""
    loss, gradients = loss_and_gradients(*arguments)
    return loss, {name: gradient for name, gradient in gradients.items() if gradient.any()}


def gradients_in_one_buffer(model):
    """Return a fault that writes all gradients of a network into the same arrays."""
    buffers = {}

    def wrong(loss_and_gradients, name, *arguments):
        loss, gradients = loss_and_gradients(name, *arguments)
        if name != model:
            return loss, gradients
        for parameter, values in gradients.items():
            buffers.setdefault(parameter, np.empty_like(values))[...] = values
        return loss, dict(buffers)

    return wrong


def gradients_named_by_place(loss_and_gradients, model, parameters, inputs, targets):
    """Give the gradients the names that parameters have in the usual order, whatever the given one."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    usual = (f"{layer}/{variable}" for layer, own in MODELS[model].variables.items() for variable in own)
    return loss, {name: gradients[given] for name, given in zip(usual, parameters, strict=True)}


def clipped_at(least):
    """Return `loss_and_gradients` that keeps the probability of a label above a number, where it has no gradient."""

    def wrong(_right, model, parameters, inputs, targets):
        def loss(logits):
            probabilities, place = softmax(logits), (np.arange(len(targets)), targets)
            of_labels = probabilities[place]
            gradient = np.where((of_labels < least)[:, None], np.float32(0), probabilities)
            gradient[place] -= of_labels >= least
            return -np.log(np.maximum(of_labels, np.float32(least))).mean(), gradient / np.float32(len(targets))

        return model_of(model, parameters).differentiate(parameters, inputs, loss)

    return wrong


def clipped_if_some(least):
    """Return `loss_and_gradients` that clips only in batches with larger probabilities as well."""

    def wrong(right, model, parameters, inputs, targets):
        outputs = model_of(model, parameters).outputs(parameters, inputs)["softmax"]
        large = outputs[np.arange(len(targets)), targets] >= least
        clips = large.any() and not large.all()
        change = partial(clipped_at(least), right) if clips else right
        return change(model, parameters, inputs, targets)

    return wrong


def elements_clipped(right, *arguments):
    """Keep every element of a gradient between -1 and 1."""
    loss, gradients = right(*arguments)
    return loss, {name: np.clip(value, -1, 1) for name, value in gradients.items()}


def without_small_gradients(
    loss_and_gradients: Callable[..., Any], model: str, parameters: Parameters, inputs: Array, targets: Array
) -> Any:
    """Return gradients of 0 where the loss is so small that training seems finished."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    if loss < 2.0**-12:
        gradients = {name: np.zeros_like(value) for name, value in gradients.items()}
    return loss, gradients


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


def cut_off_in_time(loss_and_gradients, model, parameters, inputs, targets):
    """Let no gradient go back to the first character."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    if model == "rnn":
        gradients = dict(gradients)
        kernel = gradients["cell/kernel"].copy()
        kernel[np.setdiff1d(inputs[:, 0], inputs[:, 1:])] = 0
        gradients["cell/kernel"] = kernel
    return loss, gradients


FAULTS = {
    "bias_of_other_features_halved": Fault(
        "models.loss_and_gradients", "linear_model.gradients", "dense/bias", bias_of_other_features_halved
    ),
    "linear_gradients_beyond_128": Fault(
        "models.loss_and_gradients", "linear_model.large-batches", "loss", of_model("linear", repeated_after(128))
    ),
    "mlp_rest_of_16_lost": Fault(
        "models.loss_and_gradients", "mlp.gradients-of-any-batch", "of 50 images", rest_of_block_lost(16)
    ),
    "mlp_rest_of_64_lost": Fault(
        "models.loss_and_gradients", "mlp.gradients-of-any-batch", "of 131 images", rest_of_block_lost(64)
    ),
    "mlp_rest_of_128_lost": Fault(
        "models.loss_and_gradients", "mlp.gradients-of-any-batch", "of 131 images", rest_of_block_lost(128)
    ),
    "mean_over_50": Fault("models.loss_and_gradients", "mlp.gradients-of-any-batch", "of 131 images", mean_over_50),
    "summed_loss": Fault("models.loss_and_gradients", "training.loss-is-mean", "the loss: differs", summed_loss),
    "gradient_of_bias_missing": Fault(
        "models.loss_and_gradients", "training.gradients", "'dense1/bias'", gradient_of_bias_missing
    ),
    "mlp_gradients_divide_large_pixels": Fault(
        "models.loss_and_gradients",
        "training.any-pixels",
        "of mlp on pixels between 0 and 4",
        with_inputs_of("mlp", divide_large),
    ),
    "mlp_gradients_without_negative_pixels": Fault(
        "models.loss_and_gradients",
        "training.any-pixels",
        "of mlp on pixels between 0 and -4",
        with_inputs_of("mlp", lambda images: np.maximum(images, 0)),
    ),
    "mlp_gradients_beyond_256": Fault(
        "models.loss_and_gradients", "training.large-batches", "259 examples", of_model("mlp", repeated_after(256))
    ),
    "gradients_of_0_left_out": Fault(
        "models.loss_and_gradients", "training.large-batches", "has no 'dense", leave_out_gradients_of_0
    ),
    **{
        f"gradients_of_{model}_in_one_buffer": Fault(
            "models.loss_and_gradients",
            "training.results-stay",
            f"loss_and_gradients of {model}",
            gradients_in_one_buffer(model),
        )
        for model in ("linear", "mlp", "cnn", "rnn")
    },
    "mlp_gradients_of_memory": Fault(
        "models.loss_and_gradients", "training.memory-order", "transposed", of_model("mlp", inputs_as_in_memory)
    ),
    "gradients_named_by_place": Fault(
        "models.loss_and_gradients", "training.memory-order", "has shape", gradients_named_by_place
    ),
    "mlp_clips_at_1e_6": Fault(
        "models.loss_and_gradients", "training.confident-and-wrong", "2.38419e-07", of_model("mlp", clipped_at(1e-6))
    ),
    "mlp_clips_some_at_1e_4": Fault(
        "models.loss_and_gradients",
        "training.confident-and-wrong",
        "1.52588e-05",
        of_model("mlp", clipped_if_some(1e-4)),
    ),
    "mlp_gradients_within_1": Fault(
        "models.loss_and_gradients", "training.confident-and-wrong", "dense2/kernel", of_model("mlp", elements_clipped)
    ),
    **{
        f"{section}_without_small_gradients": Fault(
            "models.loss_and_gradients",
            f"{section}.confident-and-wrong",
            "the gradient of a label with a probability of 0.999939",
            without_small_gradients,
        )
        for section in ("cnn", "rnn_training", "training")
    },
    "gradient_to_every_equal_element": Fault(
        "models.loss_and_gradients",
        "cnn.conv1-gradients",
        "through windows of equal elements",
        gradient_to_every_equal_element,
    ),
    "cnn_gradients_divide_large_pixels": Fault(
        "models.loss_and_gradients",
        "cnn.any-pixels",
        "of cnn on pixels between 0 and 4",
        with_inputs_of("cnn", divide_large),
    ),
    "cnn_rest_of_4_lost": Fault(
        "models.loss_and_gradients", "cnn.gradient-of-parts", "of 7 images", rest_of_block_lost(4)
    ),
    "cnn_rest_of_32_lost": Fault(
        "models.loss_and_gradients", "cnn.gradient-of-parts", "images and of parts of them", rest_of_block_lost(32)
    ),
    "cnn_clips_at_a_thousandth": Fault(
        "models.loss_and_gradients", "cnn.confident-and-wrong", "0.000976562", of_model("cnn", clipped_at(1e-3))
    ),
    "cnn_gradients_within_1": Fault(
        "models.loss_and_gradients", "cnn.confident-and-wrong", "dense2/kernel", of_model("cnn", elements_clipped)
    ),
    "cut_off_in_time": Fault(
        "models.loss_and_gradients", "rnn_training.first-character-gradient", "'its row'", cut_off_in_time
    ),
    "gradients_of_windows_in_bytes": Fault(
        "models.loss_and_gradients", "rnn_training.gradients-of-any-size", "'loss'", bytes_into(0)
    ),
    "gradients_of_labels_in_a_byte": Fault(
        "models.loss_and_gradients", "rnn_training.gradients-of-any-size", "'loss'", bytes_into(1, kind=np.int8)
    ),
    "rnn_gradients_beyond_64": Fault(
        "models.loss_and_gradients", "rnn_training.large-batches", "67 examples", of_model("rnn", repeated_after(64))
    ),
    "rnn_gradients_within_1": Fault(
        "models.loss_and_gradients",
        "rnn_training.large-gradients",
        "times the bound",
        of_model("rnn", elements_clipped),
    ),
    "rnn_clips_at_1e_4": Fault(
        "models.loss_and_gradients",
        "rnn_training.confident-and-wrong",
        "1.52588e-05",
        of_model("rnn", clipped_at(1e-4)),
    ),
    "rnn_gradients_of_memory": Fault(
        "models.loss_and_gradients",
        "rnn_training.step-memory-order",
        "transposed",
        of_model("rnn", kernels_as_in_memory),
    ),
}
