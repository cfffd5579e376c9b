"""Deep Q-learning on CartPole of Gymnasium: the kit's agent, with networks and Adam of Keras."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import gymnasium
import keras
import numpy as np

from assay.alternatives.keras3.backend import record, to_array, to_tensor, value_and_gradients
from assay.alternatives.keras3.models import NETWORKS, initial_parameters, name_parameters, parameter_names
from assay.kit import groups
from assay.kit.episodes import Gymnasium

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.contract import Array, ModelName, Pair, Parameters

# Weights of red, green and blue in the luma of ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class QFunctions:
    """The functions of a Q-network, pure in its parameters, which the backend records.

    Other arguments are NumPy arrays, which are faster to pass to a recorded function in JAX.
    """

    def __init__(self, model: ModelName) -> None:
        """Build the network and its optimizer. Their variables only provide the shapes."""
        self.network = NETWORKS[model]()
        self.optimizer = keras.optimizers.Adam()
        self.optimizer.build(self.network.trainable_variables)
        self.predict = record(self._predict)
        self.differentiate = record(self._differentiate)
        self.step = record(self._step)

    def new_state(self, learning_rate: float) -> list[Any]:
        """Return the variables of a new Adam."""
        first = {id(self.optimizer.learning_rate): np.asarray(learning_rate)}
        return [
            to_tensor(first.get(id(one), np.zeros(one.shape)).astype(one.dtype)) for one in self.optimizer.variables
        ]

    def _predict(self, weights: list[Any], states: Any) -> Any:
        outputs, _ = self.network.stateless_call(weights, [], keras.ops.convert_to_tensor(states))
        return outputs

    def _differentiate(self, weights: list[Any], states: Any, actions: Any, targets: Any) -> tuple[Any, Any]:
        def loss(*weights: Any) -> Any:
            index = keras.ops.convert_to_tensor(actions)[:, None]
            taken = keras.ops.take_along_axis(self._predict([*weights], states), index, axis=-1)
            return keras.ops.mean(keras.ops.square(keras.ops.convert_to_tensor(targets) - taken[:, 0]))

        return value_and_gradients(loss, *weights)

    def _step(self, weights: list[Any], state: list[Any], *batch: Any) -> tuple[Any, list[Any], list[Any]]:
        loss, gradients = self._differentiate(weights, *batch)
        weights, state = self.optimizer.stateless_apply(state, [*gradients], weights)
        return loss, weights, state


functions = cache(QFunctions)


class QNetwork:
    """A Q-network with its own parameters and Adam: see `assay.kit.groups.Network`."""

    def __init__(self, model: ModelName, parameters: Parameters, learning_rate: float) -> None:
        """Start from these parameters with a new optimizer."""
        self.functions = functions(model)
        self.weights = [to_tensor(parameters[name]) for name in parameter_names(self.functions.network)]
        self.state = self.functions.new_state(learning_rate)

    def parameters(self) -> Parameters:
        """Return every parameter."""
        return name_parameters(self.functions.network, self.weights)

    def outputs(self, inputs: Array) -> Mapping[str, Array]:
        """Return the values of all actions, under the name of their layer."""
        return {self.functions.network.layers[-1].name: self.predict(inputs)}

    def predict(self, inputs: Array) -> Array:
        """Return the values of all actions."""
        return to_array(self.functions.predict(self.weights, inputs))

    def gradients(self, inputs: Array, *targets: Array) -> tuple[Array, Parameters]:
        """Differentiate the loss of a batch."""
        loss, gradients = self.functions.differentiate(self.weights, inputs, *targets)
        return to_array(loss), name_parameters(self.functions.network, gradients)

    def step(self, inputs: Array, *targets: Array) -> Array:
        """Learn from a batch."""
        loss, self.weights, self.state = self.functions.step(self.weights, self.state, inputs, *targets)
        return to_array(loss)


class QNetworks:
    """Factory of Q-networks: see `assay.kit.groups.Backend`."""

    def build(self, model: ModelName, seed: int, *, num_chars: int = 0, learning_rate: float = 0.0) -> QNetwork:
        """Build a new network with parameters drawn from a seed; `num_chars` is ignored."""
        del num_chars
        return self.load(model, initial_parameters(model, seed), learning_rate=learning_rate)

    def load(self, model: ModelName, parameters: Parameters, *, learning_rate: float = 0.0) -> QNetwork:
        """Build a network with these parameters."""
        return QNetwork(model, parameters, learning_rate)


class Agent(groups.Agent):
    """See `assay.contract.Agent`."""

    def __init__(self) -> None:
        """Initialise the kit's agent with these networks."""
        super().__init__(QNetworks(), lambda seed: Gymnasium(gymnasium.make("CartPole-v1"), seed))

    def stack_frames(self, frames: Array, image_size: Pair) -> Array:
        """Convert to grey, resize with Keras, and stack the frames as channels."""
        grey = keras.ops.matmul(keras.ops.cast(to_tensor(frames), "float32"), to_tensor(LUMA / 255))
        resized = keras.ops.image.resize(grey[..., None], image_size, interpolation="bilinear", antialias=False)
        return to_array(keras.ops.transpose(resized[..., 0], (1, 2, 0)))
