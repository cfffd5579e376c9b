"""The document's models over a framework: one forward pass, which the framework differentiates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from assay.contract import Array, ModelName, Parameters
from assay.kit import networks, sampling
from assay.kit.framework import Framework, Tensor, Tensors
from assay.kit.networks import Layer


class FrameworkNetwork:
    """A model with parameters and a new optimizer: see `assay.kit.groups.Network`."""

    def __init__(self, passes: Passes, framework: Framework, parameters: Parameters, learning_rate: float) -> None:
        """Store the functions of the model and the framework."""
        self._passes, self._framework = passes, framework
        self._values: Tensors = {name: framework.to_tensor(array) for name, array in parameters.items()}
        self._optimizer = framework.make_optimizer("sgd" if passes.model == "linear" else "adam", learning_rate)

    def parameters(self) -> Parameters:
        """Return every parameter by its canonical name."""
        return {name: self._framework.to_array(value) for name, value in self._values.items()}

    def outputs(self, inputs: Array) -> Mapping[str, Array]:
        """Return the output of every layer by name, in order."""
        found = self._framework.evaluate(self._passes.outputs, self._values, *self._batch(inputs))
        # A compiled function may sort the names.
        return {layer.name: self._framework.to_array(found[layer.name]) for layer in self._passes.layers}

    def predict(self, inputs: Array) -> Array:
        """Return the output of the last layer."""
        return self._framework.to_array(
            self._framework.evaluate(self._passes.predict, self._values, *self._batch(inputs))
        )

    def gradients(self, inputs: Array, *targets: Array) -> tuple[Array, Parameters]:
        """Return the mean loss of a batch, and its gradient for every parameter."""
        loss, gradients = self._differentiate(inputs, *targets)
        to_array = self._framework.to_array
        return to_array(loss), {name: to_array(gradients[name]) for name in self._values}

    def step(self, inputs: Array, *targets: Array) -> Array:
        """Take one step of the optimizer, and return the loss before it."""
        loss, gradients = self._differentiate(inputs, *targets)
        self._values = self._optimizer.step(self._values, gradients)
        return self._framework.to_array(loss)

    def _differentiate(self, *batch: Array) -> tuple[Tensor, Tensors]:
        return self._framework.value_and_gradients(self._passes.loss, self._values, *self._batch(*batch))

    def _batch(self, inputs: Array, *targets: Array) -> tuple[Tensor, ...]:
        """Return the tensors of a batch, and the zero state of a recurrent layer."""
        state = np.zeros((len(inputs), networks.LSTM_UNITS), np.float32)
        return tuple(map(self._framework.to_tensor, (inputs, state, *targets)))


class Passes:
    """The passes of a model, as functions of its parameters.

    Attributes:
        model: Name of the model.
        layers: Its layers.

    """

    def __init__(self, framework: Framework, model: ModelName, layers: Sequence[Layer]) -> None:
        """Store the framework and the layers."""
        self.model, self.layers = model, layers
        self._framework = framework
        # The loss takes logits.
        self._scores = layers[-2 if networks.is_classifier(model) else -1].name
        # Bound once, so that a framework can cache compiled code by function.
        self.outputs: Callable[..., dict[str, Tensor]] = self._outputs
        self.predict: Callable[..., Tensor] = self._predict
        self.loss: Callable[..., Tensor] = self._q_loss if model in {"q_network", "q_cnn"} else self._loss

    def _outputs(self, values: Tensors, inputs: Tensor, state: Tensor) -> dict[str, Tensor]:
        outputs = {}
        for layer in self.layers:
            weights = [values[f"{layer.name}/{name}"] for name in layer.shapes]
            inputs = outputs[layer.name] = self._run(layer, weights, inputs, state)
        return outputs

    def _predict(self, values: Tensors, inputs: Tensor, state: Tensor) -> Tensor:
        return self._outputs(values, inputs, state)[self.layers[-1].name]

    def _loss(self, values: Tensors, inputs: Tensor, state: Tensor, targets: Tensor) -> Tensor:
        scores = self._outputs(values, inputs, state)[self._scores]
        compare = self._framework.mean_squared_error
        return (compare if self.model == "linear" else self._framework.crossentropy_of_logits)(targets, scores)

    def _q_loss(self, values: Tensors, states: Tensor, state: Tensor, actions: Tensor, targets: Tensor) -> Tensor:
        scores = self._outputs(values, states, state)[self._scores]
        taken = (scores * self._framework.one_hot(actions, scores.shape[1])).sum(1)
        return self._framework.mean_squared_error(targets, taken)

    def _run(self, layer: Layer, weights: Sequence[Tensor], inputs: Tensor, state: Tensor) -> Tensor:
        framework = self._framework
        match layer.kind:
            case "flatten":
                return inputs.reshape((inputs.shape[0], int(np.prod(inputs.shape[1:]))))
            case "dense":
                outputs = framework.dense(inputs, *weights)
            case "conv2d":
                kernel, bias = weights
                outputs = framework.conv2d(inputs, kernel, bias, (layer.stride, layer.stride), layer.padding)
            case "max_pool2d":
                window, strides = (layer.window, layer.window), (layer.stride, layer.stride)
                return framework.max_pool2d(inputs, window, strides, layer.padding)
            case "one_hot":
                return framework.one_hot(inputs, layer.units)
            case "lstm":
                return framework.lstm(inputs, state, *weights)[0][:, -1]
            case "softmax":
                return framework.softmax(inputs)
        return framework.relu(outputs) if layer.relu else outputs


class Networks:
    """Factory of networks in a framework: see `assay.kit.groups.Backend`."""

    def __init__(self, framework: Framework) -> None:
        """Store the framework."""
        self._framework = framework
        self._passes = cache(self._make_passes)

    def build(
        self, model: ModelName, seed: int, *, num_chars: int = networks.NUM_CHARS, learning_rate: float = 0.0
    ) -> FrameworkNetwork:
        """Build a new model with parameters drawn from a seed."""
        framework = self._framework
        seeds = iter(sampling.derive_seeds(seed, len(networks.parameter_shapes(model, num_chars))))

        def draw(name: str, shape: tuple[int, ...]) -> Array:
            one = next(seeds)
            match name, shape:
                case "kernel", _:
                    return framework.to_array(framework.glorot_uniform(shape, one))
                case "recurrent_kernel", (units, gates):
                    return framework.to_array(framework.orthogonal((units, gates), one))
            return framework.to_array(framework.zeros(shape))

        return self.load(model, networks.draw_parameters(model, num_chars, draw), learning_rate=learning_rate)

    def load(self, model: ModelName, parameters: Parameters, *, learning_rate: float = 0.0) -> FrameworkNetwork:
        """Build a model with these parameters."""
        layers = networks.layers_for(model, parameters)
        return FrameworkNetwork(self._passes(model, layers), self._framework, parameters, learning_rate)

    def _make_passes(self, model: ModelName, layers: tuple[Layer, ...]) -> Passes:
        return Passes(self._framework, model, layers)
