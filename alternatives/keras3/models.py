"""The document's models as pure functions of their parameters."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import layers

from assay.alternatives.keras3.backend import compile_function, to_array, to_tensor, value_and_gradients

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from assay.contract import Array, ModelName, Parameters


class OneHot(layers.Layer):
    """Maps numbers to one-hot vectors: int32 [...] to [..., depth]."""

    def __init__(self, depth: int, **options: Any) -> None:
        """Set the length of the vectors."""
        super().__init__(**options)
        self.depth = depth

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the vectors."""
        return keras.ops.one_hot(inputs, self.depth)


def linear(features: int = 3) -> keras.Model:
    """Return one Dense layer of one unit, initialised with zeros."""
    return keras.Sequential([keras.Input((features,)), layers.Dense(1, kernel_initializer="zeros", name="dense")])


def mlp() -> keras.Model:
    """Return two Dense layers."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(name="flatten"),
            layers.Dense(100, activation="relu", name="dense1"),
            layers.Dense(10, name="dense2"),
            layers.Softmax(name="softmax"),
        ]
    )


def cnn() -> keras.Model:
    """Return two convolutions with pooling and two Dense layers."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 5, padding="same", activation="relu", name="conv1"),
            layers.MaxPool2D(2, name="pool1"),
            layers.Conv2D(64, 5, padding="same", activation="relu", name="conv2"),
            layers.MaxPool2D(2, name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dense(1024, activation="relu", name="dense1"),
            layers.Dense(10, name="dense2"),
            layers.Softmax(name="softmax"),
        ]
    )


def rnn(num_chars: int = 57) -> keras.Model:
    """Return an LSTM and a Dense layer over characters."""
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            OneHot(num_chars, name="one_hot"),
            layers.LSTM(256, name="cell"),
            layers.Dense(num_chars, name="dense"),
            layers.Softmax(name="softmax"),
        ]
    )


def q_network() -> keras.Model:
    """Return three Dense layers, from a state to the values of two actions."""
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(24, activation="relu", name="dense1"),
            layers.Dense(24, activation="relu", name="dense2"),
            layers.Dense(2, name="dense3"),
        ]
    )


def q_cnn() -> keras.Model:
    """Return two convolutions and two Dense layers, from frames to the values of four actions."""
    return keras.Sequential(
        [
            keras.Input((84, 84, 4)),
            layers.Conv2D(16, 8, strides=4, activation="relu", name="conv1"),
            layers.Conv2D(32, 4, strides=2, activation="relu", name="conv2"),
            layers.Flatten(name="flatten"),
            layers.Dense(256, activation="relu", name="dense1"),
            layers.Dense(4, name="dense2"),
        ]
    )


NETWORKS = {"linear": linear, "mlp": mlp, "cnn": cnn, "rnn": rnn, "q_network": q_network, "q_cnn": q_cnn}
# Parameters whose first axis determines the size of a model.
SIZES = {"linear": "dense/kernel", "rnn": "dense/bias"}


def parameter_names(network: keras.Model) -> list[str]:
    """Return the canonical name of every parameter: layer and parameter."""
    return [f"{layer.name}/{one.name}" for layer in network.layers for one in layer.trainable_variables]


def name_parameters(network: keras.Model, values: Iterable[Any]) -> Parameters:
    """Convert values to arrays, one for each parameter."""
    return {name: to_array(value) for name, value in zip(parameter_names(network), values, strict=True)}


class Trainer:
    """A model with its optimizer, and the functions that the backend compiles.

    Compiling takes longer than most calls, so one trainer serves all models of its size: `load` sets its parameters and
    resets the optimizer.
    """

    def __init__(self, model: ModelName, *size: int) -> None:
        """Build the model, with random parameters."""
        self.model = NETWORKS[model](*size)
        self.every_layer = keras.Model(self.model.inputs[0], {layer.name: layer.output for layer in self.model.layers})
        self.optimizer = keras.optimizers.SGD() if model == "linear" else keras.optimizers.Adam()
        self.optimizer.build(self.model.trainable_variables)
        self.loss = keras.losses.get("mse" if model == "linear" else "sparse_categorical_crossentropy")
        self.model.compile(self.optimizer, self.loss)
        self.differentiate = compile_function(self._differentiate)

    def parameters(self) -> Parameters:
        """Return every parameter."""
        return name_parameters(self.model, self.model.trainable_variables)

    def load(self, parameters: Parameters, learning_rate: float = 0.0) -> Trainer:
        """Set every parameter, and reset the optimizer."""
        for name, variable in zip(parameter_names(self.model), self.model.trainable_variables, strict=True):
            variable.assign(parameters[name])
        for variable in self.optimizer.variables:
            variable.assign(keras.ops.zeros(variable.shape))
        self.optimizer.learning_rate = learning_rate
        return self

    def train(self, batches: Iterable[tuple[Array, Array]]) -> Array:
        """Take a step of Keras with every batch, and return the losses."""
        return np.array([self.model.train_on_batch(*batch) for batch in batches], np.float32)

    def loss_and_gradients(self, inputs: Array, targets: Array) -> tuple[Array, Parameters]:
        """Differentiate the mean loss of a batch for every parameter."""
        state = [
            [variable.value for variable in variables]
            for variables in (self.model.trainable_variables, self.model.non_trainable_variables)
        ]
        loss, gradients = self.differentiate(*state, to_tensor(inputs), to_tensor(targets))
        return to_array(loss), name_parameters(self.model, gradients)

    def _differentiate(self, trainable: list[Any], others: list[Any], inputs: Any, targets: Any) -> tuple[Any, Any]:
        def loss(*values: Any) -> Any:
            outputs, _ = self.model.stateless_call(values, others, inputs)
            return keras.ops.mean(self.loss(targets, outputs))

        return value_and_gradients(loss, *trainable)


reused = cache(Trainer)


def load_trainer(model: ModelName, parameters: Parameters, learning_rate: float = 0.0) -> Trainer:
    """Return a trainer of a model with these parameters."""
    size = [len(parameters[SIZES[model]])] if model in SIZES else []
    return reused(model, *size).load(parameters, learning_rate)


def initial_parameters(model: ModelName, seed: int, *size: int) -> Parameters:
    """Build a new model, and return its parameters."""
    keras.utils.set_random_seed(seed)
    return Trainer(model, *size).parameters()


class Models:
    """See `assay.contract.Models`."""

    def initial_parameters(self, model: ModelName, seed: int) -> Parameters:
        """Build a new model, and return its parameters."""
        return initial_parameters(model, seed)

    def layer_outputs(self, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
        """Run a model with the same layers that returns the outputs of all."""
        trainer = load_trainer(model, parameters)
        outputs = trainer.every_layer.predict_on_batch(inputs)
        # In the order of the layers, since a model sorts its outputs by name.
        return {layer.name: outputs[layer.name] for layer in trainer.model.layers}

    def loss_and_gradients(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array
    ) -> tuple[Array, Parameters]:
        """Differentiate the mean loss of a batch."""
        return load_trainer(model, parameters).loss_and_gradients(inputs, targets)

    def train(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
    ) -> tuple[Array, Parameters]:
        """Take a step with every batch."""
        trainer = load_trainer(model, parameters, learning_rate)
        losses = trainer.train(zip(inputs, targets, strict=True))
        return losses, trainer.parameters()
