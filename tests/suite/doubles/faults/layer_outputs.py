"""Faults of the outputs of the layers of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from assay.alternatives.numpy.models import MODELS
from assay.contract import Array, ModelName, Parameters
from doubles.faulty import Fault
from doubles.memory_order import inputs_as_in_memory, kernels_as_in_memory
from doubles.model_calls import adds_up_to_1, of_model, repeated_after
from doubles.narrow_numbers import bytes_into

Function = Callable[..., Any]
NETWORK = "q_network"
CNN = "q_cnn"


def single_feature_alone(layer_outputs, model, parameters, inputs):
    """Drop the last axis of the linear model's prediction from a single feature."""
    outputs = layer_outputs(model, parameters, inputs)
    alone = model == "linear" and inputs.shape[1] == 1
    return {"dense": outputs["dense"][:, 0]} if alone else outputs


def take_three_features(right, model, parameters, inputs):
    """Take the first three features alone."""
    if model != "linear":
        return right(model, parameters, inputs)
    return right(model, {name: value[:3] for name, value in parameters.items()}, inputs[:, :3])


def border_ignored(layer_outputs, model, parameters, inputs):
    """Cut off three pixels on each side of an image."""
    if model == "mlp":
        inner = np.zeros_like(inputs)
        inner[:, 3:-3, 3:-3] = inputs[:, 3:-3, 3:-3]
        inputs = inner
    return layer_outputs(model, parameters, inputs)


def unscaled_pixels_clipped(layer_outputs, model, parameters, inputs):
    """Clip the MLP's pixels to 0 and 1."""
    return layer_outputs(model, parameters, np.clip(inputs, 0, 1) if model == "mlp" else inputs)


def clip_probabilities(right: Function, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
    """Keep the probabilities away from 0 and 1, as losses do."""
    outputs = dict(right(model, parameters, inputs))
    if "softmax" in outputs:
        outputs["softmax"] = np.clip(outputs["softmax"], np.float32(1e-7), np.float32(1 - 1e-7))
    return outputs


def scores_that_add_up_to_1_stay(layer_outputs, model, parameters, inputs):
    """Guard against a network that ends in a softmax already."""
    found = dict(layer_outputs(model, parameters, inputs))
    if "softmax" in found:
        *_, scores, probabilities = found.values()
        found["softmax"] = scores if adds_up_to_1(scores) else probabilities
    return found


def rest_of_block_stays_zero(layer_outputs, model, parameters, inputs):
    """Compute whole blocks of 32 images only."""
    outputs = {name: np.array(value) for name, value in layer_outputs(model, parameters, inputs).items()}
    for value in outputs.values():
        value[len(inputs) // 32 * 32 or len(inputs) :] = 0
    return outputs


def first_parameters_kept(layer_outputs, model, parameters, inputs, kept={}):  # noqa: B006 - which is the fault
    """Go on with the parameters of the first call for a model."""
    return layer_outputs(model, kept.setdefault(model, parameters), inputs)


def outputs_in_one_buffer(model):
    """Return a fault that writes all outputs of a network into the same arrays."""
    buffers = {}

    def wrong(layer_outputs, name, parameters, inputs):
        found = dict(layer_outputs(name, parameters, inputs))
        if name == model:
            for layer, values in found.items():
                buffer = buffers.setdefault((layer, values.shape), np.empty_like(values))
                buffer[...] = values
                found[layer] = buffer
        return found

    return wrong


def single_image_alone(layer_outputs, model, parameters, inputs):
    """Drop the axis of a batch of one from the CNN's probabilities."""
    outputs = layer_outputs(model, parameters, inputs)
    alone = model == "cnn" and len(inputs) == 1
    return {name: value[0] if alone and name == "softmax" else value for name, value in outputs.items()}


def inputs_limited(low, high):
    """Return `layer_outputs` that limits the inputs."""

    def wrong(right, model, parameters, inputs):
        return right(model, parameters, np.clip(inputs, np.float32(low), np.float32(high)))

    return wrong


def convolution_without_relu(layer_outputs, model, parameters, inputs):
    """Leave what is negative in the first convolution."""
    outputs = dict(layer_outputs(model, parameters, inputs))
    if model == "cnn":
        outputs["conv1"] = np.where(outputs["conv1"] == 0, np.float32(-1), outputs["conv1"])
    return outputs


def first_output_used(layer_outputs, model, parameters, inputs):
    """Take the output after the first character for that after the last."""
    outputs = layer_outputs(model, parameters, inputs)
    if model == "rnn":
        outputs = {**layer_outputs(model, parameters, inputs[:, :1].copy()), "one_hot": outputs["one_hot"]}
    return outputs


def state_reset_at_every_step(layer_outputs, model, parameters, inputs):
    """Forget everything but the last character."""
    outputs = layer_outputs(model, parameters, inputs)
    if model == "rnn":
        outputs = {**layer_outputs(model, parameters, inputs[:, -1:].copy()), "one_hot": outputs["one_hot"]}
    return outputs


class StateLeaking:
    """Go on from the state that the batch before has left."""

    def __init__(self):
        """Begin with nothing."""
        self.before = None

    def __call__(self, layer_outputs, model, parameters, inputs):
        """Put the batch before in front, where it has the same size."""
        outputs = layer_outputs(model, parameters, inputs)
        before, self.before = self.before, inputs
        if model != "rnn" or before is None or before.shape != inputs.shape:
            return outputs
        longer = np.concatenate([before, inputs], axis=1)
        return {**layer_outputs(model, parameters, longer), "one_hot": outputs["one_hot"]}


def clip_states(right, model, parameters, inputs):
    """Clip the numbers of states."""
    return right(model, parameters, np.clip(inputs, -5, 5) if model == NETWORK else inputs)


def value_one_block(right, model, parameters, inputs):
    """Leave out what is after the first 64 states."""
    found = dict(right(model, parameters, inputs))
    if model == NETWORK:
        found["dense3"] = np.where(np.arange(len(inputs))[:, None] < 64, found["dense3"], 0).astype(np.float32)
    return found


def unscaled_pixels_scaled(layer_outputs, model, parameters, inputs):
    """Divide pixels above 1 by 255."""
    scaled = model == "q_cnn" and inputs.max() > 1
    return layer_outputs(model, parameters, inputs / np.float32(255) if scaled else inputs)


def reverse_others(right, model, parameters, inputs):
    """Give the outputs of all frames but the first in reverse."""
    found = right(model, parameters, inputs)
    return {name: np.concatenate([of[:1], of[1:][::-1]]) if model == CNN else of for name, of in found.items()}


FAULTS = {
    "single_feature_alone": Fault(
        "models.layer_outputs", "linear_model.prediction", "the prediction", single_feature_alone
    ),
    "three_features": Fault("models.layer_outputs", "linear_model.prediction", "the prediction", take_three_features),
    "linear_beyond_a_thousand": Fault(
        "models.layer_outputs", "linear_model.large-batches", "prediction", of_model("linear", repeated_after(1000))
    ),
    "linear_inputs_as_in_memory": Fault(
        "models.layer_outputs", "linear_model.memory-order", "transposed", of_model("linear", inputs_as_in_memory)
    ),
    "border_ignored": Fault("models.layer_outputs", "mlp.flatten-is-exact", "flatten", border_ignored),
    "unscaled_pixels_clipped": Fault("models.layer_outputs", "mlp.dense1-output", "flatten", unscaled_pixels_clipped),
    "mlp_probabilities_clipped": Fault(
        "models.layer_outputs", "mlp.softmax-output", "softmax of logits of which one is 200", clip_probabilities
    ),
    "scores_of_the_mlp_stay": Fault(
        "models.layer_outputs", "mlp.softmax-output", "softmax of logits that add up to 1", scores_that_add_up_to_1_stay
    ),
    "mlp_rest_of_32_zero": Fault(
        "models.layer_outputs", "mlp.outputs-of-any-batch", "of 50 images", rest_of_block_stays_zero
    ),
    "first_parameters_kept": Fault(
        "models.layer_outputs", "mlp.own-parameters", "layer_outputs", first_parameters_kept
    ),
    **{
        f"outputs_of_{model}_in_one_buffer": Fault(
            "models.layer_outputs", "training.outputs-stay", f"layer_outputs of {model}", outputs_in_one_buffer(model)
        )
        for model in MODELS
    },
    "single_image_alone": Fault("models.layer_outputs", "cnn.outputs-of-any-batch", "softmax", single_image_alone),
    "cnn_outputs_beyond_32": Fault(
        "models.layer_outputs", "cnn.outputs-of-any-batch", "50 images", of_model("cnn", repeated_after(32))
    ),
    "cnn_rest_of_32_zero": Fault(
        "models.layer_outputs", "cnn.outputs-of-any-batch", "of 50 images", rest_of_block_stays_zero
    ),
    "cnn_limits_pixels": Fault(
        "models.layer_outputs", "cnn.conv1-output", "conv1", of_model("cnn", inputs_limited(0, 1))
    ),
    "convolution_without_relu": Fault("models.layer_outputs", "cnn.rectified", "conv1", convolution_without_relu),
    "scores_of_the_cnn_stay": Fault(
        "models.layer_outputs", "cnn.softmax-output", "softmax of logits that add up to 1", scores_that_add_up_to_1_stay
    ),
    "cnn_kernels_as_in_memory": Fault(
        "models.layer_outputs", "cnn.memory-order", "transposed", of_model("cnn", kernels_as_in_memory)
    ),
    "rnn_probabilities_clipped": Fault(
        "models.layer_outputs", "rnn.softmax-output", "softmax of logits of which one is 200", clip_probabilities
    ),
    "scores_of_the_rnn_stay": Fault(
        "models.layer_outputs", "rnn.softmax-output", "softmax of logits that add up to 1", scores_that_add_up_to_1_stay
    ),
    "rnn_windows_as_in_memory": Fault(
        "models.layer_outputs", "rnn.memory-order", "transposed", of_model("rnn", inputs_as_in_memory)
    ),
    "first_output_used": Fault(
        "models.layer_outputs", "rnn.last-output-is-used", "the most probable characters", first_output_used
    ),
    "state_reset_at_every_step": Fault(
        "models.layer_outputs", "rnn.remembers", "the most probable characters", state_reset_at_every_step
    ),
    "state_leaking": Fault("models.layer_outputs", "rnn.begins-anew", "after another batch", StateLeaking()),
    "rnn_outputs_beyond_64": Fault(
        "models.layer_outputs",
        "rnn.any-batch-size",
        "the most probable characters",
        of_model("rnn", repeated_after(64)),
    ),
    "windows_in_bytes": Fault("models.layer_outputs", "rnn.any-size", "one_hot", bytes_into(0)),
    "network_clips_states": Fault("models.layer_outputs", "q_learning.values-of-any-batch", "dense3", clip_states),
    "network_values_one_block": Fault(
        "models.layer_outputs", "q_learning.values-of-any-batch", "dense3", value_one_block
    ),
    "q_network_limits_states": Fault(
        "models.layer_outputs",
        "q_learning.values-of-any-batch",
        "dense3",
        of_model("q_network", inputs_limited(-50, 50)),
    ),
    "q_network_states_as_in_memory": Fault(
        "models.layer_outputs",
        "q_learning.network-memory-order",
        "transposed",
        of_model("q_network", inputs_as_in_memory),
    ),
    "unscaled_pixels_scaled": Fault("models.layer_outputs", "pixels.cnn-output", "conv1", unscaled_pixels_scaled),
    "q_cnn_states_as_in_memory": Fault(
        "models.layer_outputs", "pixels.cnn-memory-order", "transposed", of_model("q_cnn", inputs_as_in_memory)
    ),
    "cnn_reverses_batch": Fault(
        "models.layer_outputs", "pixels.cnn-values-each-state", "largest values", reverse_others
    ),
    "q_cnn_outputs_beyond_32": Fault(
        "models.layer_outputs",
        "pixels.cnn-values-each-state",
        "the actions with the largest values",
        of_model("q_cnn", repeated_after(32)),
    ),
}
