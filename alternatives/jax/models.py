"""The document's models: functions of parameters and inputs, and the loop that trains them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from assay.alternatives.jax.layers import conv2d, dense, flatten, lstm, max_pool2d
from assay.alternatives.jax.losses import crossentropy, mean_squared_error
from assay.alternatives.jax.optimizers import ADAM, SGD, Optimizer
from assay.contract import Array, ModelName, Parameters

# Outputs of the layers by name, in order.
Outputs = dict[str, jax.Array]
# Initializer of a parameter, a function of key and shape, and the shape.
Initializer = tuple[Callable[..., jax.Array], tuple[int, ...]]
# Initializers of the parameters by name.
Initializers = dict[str, Initializer]
# Function from the data and the description of a batch to its inputs and targets.
Take = Callable[..., tuple[Any, ...]]

glorot_uniform = jax.nn.initializers.glorot_uniform()
orthogonal = jax.nn.initializers.orthogonal()
zeros = jax.nn.initializers.zeros


def forget_gate_open(_key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Initialise the biases of a cell with 1 at the forget gate (Jozefowicz and others, 2015), and 0 elsewhere."""
    return jnp.repeat(jnp.array([0.0, 1.0, 0.0, 0.0]), shape[0] // 4)


def of(parameters: Parameters, layer: str) -> dict[str, Any]:
    """Return the parameters of a layer, by their short names."""
    start = f"{layer}/"
    return {name.removeprefix(start): value for name, value in parameters.items() if name.startswith(start)}


def linear(parameters: Parameters, inputs: jax.Array) -> Outputs:
    """One Dense layer."""
    return {"dense": dense(inputs, **of(parameters, "dense"))}


def mlp(parameters: Parameters, inputs: jax.Array) -> Outputs:
    """Two Dense layers."""
    found = {"flatten": flatten(inputs)}
    found["dense1"] = dense(found["flatten"], **of(parameters, "dense1"), activation="relu")
    found["dense2"] = dense(found["dense1"], **of(parameters, "dense2"))
    return found | {"softmax": jax.nn.softmax(found["dense2"])}


def cnn(parameters: Parameters, inputs: jax.Array) -> Outputs:
    """Two convolutions with pooling before two Dense layers."""
    found = {"conv1": conv2d(inputs, **of(parameters, "conv1"), padding="same", activation="relu")}
    found["pool1"] = max_pool2d(found["conv1"])
    found["conv2"] = conv2d(found["pool1"], **of(parameters, "conv2"), padding="same", activation="relu")
    found["pool2"] = max_pool2d(found["conv2"])
    return found | mlp(parameters, found["pool2"])


def rnn(parameters: Parameters, inputs: jax.Array) -> Outputs:
    """An LSTM over one-hot vectors before a Dense layer."""
    found = {"one_hot": jax.nn.one_hot(inputs, len(parameters["dense/bias"]))}
    hidden, _ = lstm(found["one_hot"], **of(parameters, "cell"))
    found["cell"] = hidden[:, -1]
    found["dense"] = dense(found["cell"], **of(parameters, "dense"))
    return found | {"softmax": jax.nn.softmax(found["dense"])}


def q_network(parameters: Parameters, inputs: jax.Array) -> Outputs:
    """Three Dense layers."""
    found = {"dense1": dense(inputs, **of(parameters, "dense1"), activation="relu")}
    found["dense2"] = dense(found["dense1"], **of(parameters, "dense2"), activation="relu")
    found["dense3"] = dense(found["dense2"], **of(parameters, "dense3"))
    return found


def q_cnn(parameters: Parameters, inputs: jax.Array) -> Outputs:
    """Two convolutions before two Dense layers."""
    found = {"conv1": conv2d(inputs, **of(parameters, "conv1"), strides=(4, 4), activation="relu")}
    found["conv2"] = conv2d(found["conv1"], **of(parameters, "conv2"), strides=(2, 2), activation="relu")
    found["flatten"] = flatten(found["conv2"])
    found["dense1"] = dense(found["flatten"], **of(parameters, "dense1"), activation="relu")
    found["dense2"] = dense(found["dense1"], **of(parameters, "dense2"))
    return found


@dataclass(frozen=True)
class Model:
    """How a model is built and trained.

    Attributes:
        outputs: Function from (parameters, inputs) to the output of every layer.
        last: Layer whose outputs enter the loss.
        initializers: Initializers of its parameters.
        loss: Function from (targets, last layer's outputs) to the mean loss; that of Q-networks is in `agent`.
        optimizer: Optimizer of its training.

    """

    outputs: Callable[[Parameters, jax.Array], Outputs]
    last: str
    initializers: Initializers
    loss: Callable[[jax.Array, jax.Array], jax.Array] | None = None
    optimizer: Optimizer = ADAM


def initial(initializers: Initializers, key: jax.Array) -> Parameters:
    """Draw new parameters."""
    return draw_parameters(tuple(initializers.items()), key)


@partial(jax.jit, static_argnums=0)
def draw_parameters(initializers: tuple[tuple[str, Initializer], ...], key: jax.Array) -> dict[str, jax.Array]:
    """Draw all parameters in one compiled function."""
    keys = jax.random.split(key, len(initializers))
    return {name: draw(one, shape) for one, (name, (draw, shape)) in zip(keys, initializers, strict=True)}


def variables(layer: str, *kernel: int, draw: Callable[..., jax.Array] = glorot_uniform) -> Initializers:
    """Return the initializers of a layer whose kernel has this shape."""
    return {f"{layer}/kernel": (draw, kernel), f"{layer}/bias": (zeros, kernel[-1:])}


def rnn_initializers(num_chars: int, units: int = 256) -> Initializers:
    """Return the initializers of the RNN for a number of characters."""
    return {
        "cell/kernel": (glorot_uniform, (num_chars, 4 * units)),
        "cell/recurrent_kernel": (orthogonal, (units, 4 * units)),
        "cell/bias": (forget_gate_open, (4 * units,)),
        **variables("dense", units, num_chars),
    }


MODELS = {
    "linear": Model(linear, "dense", variables("dense", 3, 1, draw=zeros), mean_squared_error, SGD),
    "mlp": Model(mlp, "dense2", variables("dense1", 784, 100) | variables("dense2", 100, 10), crossentropy),
    "cnn": Model(
        cnn,
        "dense2",
        variables("conv1", 5, 5, 1, 32)
        | variables("conv2", 5, 5, 32, 64)
        | variables("dense1", 7 * 7 * 64, 1024)
        | variables("dense2", 1024, 10),
        crossentropy,
    ),
    "rnn": Model(rnn, "dense", rnn_initializers(57), crossentropy),
    "q_network": Model(
        q_network, "dense3", variables("dense1", 4, 24) | variables("dense2", 24, 24) | variables("dense3", 24, 2)
    ),
    "q_cnn": Model(
        q_cnn,
        "dense2",
        variables("conv1", 8, 8, 4, 16)
        | variables("conv2", 4, 4, 16, 32)
        | variables("dense1", 9 * 9 * 32, 256)
        | variables("dense2", 256, 4),
    ),
}

CONVOLUTIONAL = {"cnn", "q_cnn"}


@partial(jax.jit, static_argnames="model")
def outputs(model: ModelName, parameters: Parameters, inputs: jax.Array) -> Outputs:
    """Return the output of every layer; in a plain dictionary, JAX would sort the names."""
    return OrderedDict(MODELS[model].outputs(parameters, inputs))


@partial(jax.jit, static_argnames="model")
def loss_and_gradients(
    model: ModelName, parameters: Parameters, inputs: jax.Array, targets: jax.Array
) -> tuple[jax.Array, Parameters]:
    """Differentiate the mean loss of a batch."""
    known = MODELS[model]
    loss = known.loss
    assert loss is not None  # noqa: S101 - for mypy: the Q-networks' loss is in `agent`
    return jax.value_and_grad(lambda some: loss(targets, known.outputs(some, inputs)[known.last]))(parameters)


# The arguments of a step are not needed after it, so their memory is reused for the results.
@partial(jax.jit, static_argnames="model", donate_argnames=("parameters", "gathered"))
def step(
    model: ModelName,
    parameters: Parameters,
    gathered: Any,
    inputs: jax.Array,
    targets: jax.Array,
    learning_rate: float,
) -> tuple[jax.Array, Parameters, Any]:
    """Return the loss of a batch, and the parameters and the optimizer's state after a step."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    return loss, *MODELS[model].optimizer.step(parameters, gradients, gathered, learning_rate)


@partial(jax.jit, static_argnames=("model", "take"))
def steps(
    model: ModelName, take: Take, parameters: Parameters, data: Any, batches: Any, learning_rate: float
) -> tuple[jax.Array, Parameters]:
    """Take all steps of `descend` in one compiled loop."""

    def advance(state: tuple[Parameters, Any], batch: Any) -> tuple[tuple[Parameters, Any], jax.Array]:
        loss, *state = step(model, *state, *take(data, *batch), learning_rate)
        return tuple(state), loss

    (parameters, _), losses = lax.scan(advance, (parameters, MODELS[model].optimizer.begin(parameters)), batches)
    return losses, parameters


def descend(
    model: ModelName,
    parameters: Parameters,
    batches: tuple[Array, ...],
    learning_rate: float,
    take: Take,
    data: Any = None,
) -> tuple[Array, Parameters]:
    """Take one step with a new optimizer for each batch.

    Args:
        model: Name of the model.
        parameters: Parameters before the first step.
        batches: Arrays that `take` picks each batch from, each [steps, ...].
        learning_rate: Learning rate of the optimizer.
        take: Function from (data, description of a batch) to its inputs and targets.
        data: Data from which the batches are taken.

    Returns:
        The loss of each batch before its step; the parameters after the last step.

    """
    if loops(model):
        return to_numpy(steps(model, take, parameters, data, batches, learning_rate))
    parameters, losses = jax.tree.map(jnp.array, parameters), []
    gathered = MODELS[model].optimizer.begin(parameters)
    for batch in zip(*batches, strict=True):
        loss, parameters, gathered = step(model, parameters, gathered, *take(data, *batch), learning_rate)
        losses.append(loss)
    return np.array(jax.device_get(losses), np.float32), to_numpy(parameters)


def loops(model: ModelName) -> bool:
    """Whether a compiled loop is fastest: on a CPU, XLA has no fast convolutions inside a loop.

    There, a step of the CNN takes seven times as long as in a Python loop.
    """
    return not (model in CONVOLUTIONAL and jax.default_backend() == "cpu")


def to_numpy(tree: Any) -> Any:
    """Convert every array to NumPy."""
    return jax.tree.map(np.asarray, tree)


class Models:
    """See `assay.contract.Models`."""

    def initial_parameters(self, model: ModelName, seed: int) -> Parameters:
        """Draw new parameters."""
        return to_numpy(initial(MODELS[model].initializers, jax.random.key(seed)))

    def layer_outputs(self, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
        """Apply the model to the batch."""
        return to_numpy(outputs(model, parameters, inputs))

    def loss_and_gradients(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array
    ) -> tuple[Array, Parameters]:
        """Differentiate the loss."""
        return to_numpy(loss_and_gradients(model, parameters, inputs, targets))

    def train(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
    ) -> tuple[Array, Parameters]:
        """Take a step with every batch."""
        return descend(model, parameters, (inputs, targets), learning_rate, take_batch)


def take_batch(_: None, *batch: Array) -> tuple[Array, ...]:
    """Return a batch unchanged."""
    return batch
