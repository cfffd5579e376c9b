"""The document's models as pure functions of their parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from assay.alternatives.numpy import chain
from assay.alternatives.numpy.activations import softmax
from assay.alternatives.numpy.chain import Loss
from assay.alternatives.numpy.initializers import Draw, convolution, dense, draw_parameters, lstm, zeros
from assay.alternatives.numpy.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, OneHot
from assay.alternatives.numpy.losses import crossentropy, mean_squared_error
from assay.alternatives.numpy.optimizers import SGD, Adam, Optimizer
from assay.alternatives.numpy.recurrence import LSTM
from assay.alternatives.numpy.windows import Window
from assay.contract import Array, ModelName, Parameters


@dataclass(frozen=True)
class Model:
    """How a model is built and trained.

    Attributes:
        layers: Layers in their order, by name.
        variables: Distributions of a new model's variables, by layer.
        loss: Function from (targets, last outputs) to the mean loss and its gradient; that of Q-networks is in `agent`.
        optimizer: Function from a learning rate to a new optimizer.
        is_classifier: Whether a softmax follows the layers, which the loss includes.
        shares: Number of threads among which a batch is divided.

    """

    layers: Mapping[str, Layer]
    variables: Mapping[str, Mapping[str, Draw]]
    loss: Callable[[Array, Array], tuple[Array, Array]] | None = None
    optimizer: Callable[[float], Optimizer] = Adam
    is_classifier: bool = False
    shares: int = 1

    def initial(self, generator: np.random.Generator) -> dict[str, Array]:
        """Draw new parameters."""
        return draw_parameters(self.variables, generator)

    def outputs(self, parameters: Parameters, inputs: Array) -> dict[str, Array]:
        """Return the output of every layer by name, in order."""
        found = chain.outputs(self.layers, parameters, inputs)
        if self.is_classifier:
            *_, logits = found.values()
            found["softmax"] = softmax(logits)
        return found

    def differentiate(self, parameters: Parameters, inputs: Array, loss: Loss) -> tuple[Array, dict[str, Array]]:
        """Return a loss of the last layer's outputs, and its gradient for every parameter."""
        return chain.loss_and_gradients(self.layers, parameters, inputs, loss)

    def loss_and_gradients(
        self, parameters: Parameters, inputs: Array, targets: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return the mean loss of a batch and its gradient for every parameter."""
        loss = self.loss
        assert loss is not None  # noqa: S101 - for mypy: the Q-networks' loss is in `agent`

        def of_share(share: Array) -> tuple[Array, dict[str, Array]]:
            return self.differentiate(parameters, inputs[share], lambda outputs: loss(targets[share], outputs))

        shares = np.array_split(np.arange(len(inputs)), min(self.shares, len(inputs)))
        if len(shares) == 1:
            return of_share(shares[0])
        # NumPy releases the GIL while it computes.
        with ThreadPoolExecutor(len(shares)) as pool:
            losses, gradients = zip(*pool.map(of_share, shares), strict=True)
        weights = np.array([len(share) for share in shares], np.float32) / np.float32(len(inputs))
        return np.dot(weights, losses), {
            name: sum(map(np.multiply, weights, [one[name] for one in gradients])) for name in gradients[0]
        }


def rnn(num_chars: int) -> Model:
    """Return the RNN for a number of characters."""
    return Model(
        layers={"one_hot": OneHot(num_chars), "cell": LSTM(), "dense": Dense()},
        variables={"cell": lstm(num_chars, 256), "dense": dense(256, num_chars)},
        loss=crossentropy,
        is_classifier=True,
    )


POOL = Window(size=(2, 2), strides=(2, 2), padding="valid")
MODELS = {
    "linear": Model(
        layers={"dense": Dense()},
        variables={"dense": dense(3, 1, kernel=zeros)},
        loss=mean_squared_error,
        optimizer=SGD,
    ),
    "mlp": Model(
        layers={"flatten": Flatten(), "dense1": Dense("relu"), "dense2": Dense()},
        variables={"dense1": dense(784, 100), "dense2": dense(100, 10)},
        loss=crossentropy,
        is_classifier=True,
    ),
    "cnn": Model(
        layers={
            "conv1": Conv2D(padding="same", activation="relu"),
            "pool1": MaxPool2D(POOL),
            "conv2": Conv2D(padding="same", activation="relu"),
            "pool2": MaxPool2D(POOL),
            "flatten": Flatten(),
            "dense1": Dense("relu"),
            "dense2": Dense(),
        },
        variables={
            "conv1": convolution(5, 1, 32),
            "conv2": convolution(5, 32, 64),
            "dense1": dense(7 * 7 * 64, 1024),
            "dense2": dense(1024, 10),
        },
        loss=crossentropy,
        is_classifier=True,
        shares=2,
    ),
    "rnn": rnn(57),
    "q_network": Model(
        layers={"dense1": Dense("relu"), "dense2": Dense("relu"), "dense3": Dense()},
        variables={"dense1": dense(4, 24), "dense2": dense(24, 24), "dense3": dense(24, 2)},
    ),
    "q_cnn": Model(
        layers={
            "conv1": Conv2D(strides=(4, 4), activation="relu"),
            "conv2": Conv2D(strides=(2, 2), activation="relu"),
            "flatten": Flatten(),
            "dense1": Dense("relu"),
            "dense2": Dense(),
        },
        variables={
            "conv1": convolution(8, 4, 16),
            "conv2": convolution(4, 16, 32),
            "dense1": dense(9 * 9 * 32, 256),
            "dense2": dense(256, 4),
        },
    ),
}


def model_of(name: ModelName, parameters: Parameters) -> Model:
    """Return a model for these parameters; the number of characters of the RNN may vary."""
    return rnn(len(parameters["dense/bias"])) if name == "rnn" else MODELS[name]


def descend(
    model: Model, parameters: Parameters, batches: Iterable[tuple[Array, Array]], learning_rate: float
) -> tuple[Array, dict[str, Array]]:
    """Take one step with a new optimizer for each batch.

    Returns:
        The loss of each batch before its step; the parameters after the last step.

    """
    parameters, optimizer, losses = copy_parameters(parameters), model.optimizer(learning_rate), []
    for inputs, targets in batches:
        loss, gradients = model.loss_and_gradients(parameters, inputs, targets)
        optimizer.step(parameters, gradients)
        losses.append(loss)
    return np.array(losses, np.float32), parameters


def copy_parameters(parameters: Parameters) -> dict[str, Array]:
    """Return copies of parameters that an optimizer may change."""
    return {name: value.copy() for name, value in parameters.items()}


class Models:
    """See `assay.contract.Models`."""

    def initial_parameters(self, model: ModelName, seed: int) -> Parameters:
        """Draw new parameters."""
        return MODELS[model].initial(np.random.default_rng(seed))

    def layer_outputs(self, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
        """Apply the layers to the batch in turn."""
        return model_of(model, parameters).outputs(parameters, inputs)

    def loss_and_gradients(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array
    ) -> tuple[Array, Parameters]:
        """Run one forward and one backward pass."""
        return model_of(model, parameters).loss_and_gradients(parameters, inputs, targets)

    def train(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
    ) -> tuple[Array, Parameters]:
        """Take a step with every batch."""
        return descend(model_of(model, parameters), parameters, zip(inputs, targets, strict=True), learning_rate)
