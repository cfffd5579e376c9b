"""The document's models as pure functions of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from assay.reference.layers import CNN, MLP, QCNN, RNN, Linear, QNetwork
from assay.reference.optimizers import SGD, Adam, Optimizer
from assay.reference.seeding import use_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.contract import Array, ModelName, Parameters


@dataclass(frozen=True)
class Recipe:
    """How a model is built and trained.

    Attributes:
        build: Function that builds the model and its variables for examples of a shape.
        input_shape: Default shape of an example; for the RNN, after one-hot encoding.
        loss: Mean loss as a function of targets and outputs.
        optimizer: Function that creates an optimizer of variables.
        xla_from: Number of input elements in a training from which on XLA compiles it. Compiling takes as long as
            hundreds of steps for every new shape. None for oneDNN, whose convolutions are faster.

    """

    build: Callable[[tuple[int, ...]], tf.keras.Model]
    input_shape: tuple[int, ...]
    loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    optimizer: Callable[[list[tf.Variable]], Optimizer]
    xla_from: int | None


def _mean_squared_error(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(outputs - targets))


def crossentropy(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Average the sparse categorical cross-entropy over a batch."""
    return tf.reduce_mean(tf.keras.losses.sparse_categorical_crossentropy(y_true=targets, y_pred=outputs))


def _q_loss(targets: tuple[tf.Tensor, tf.Tensor], outputs: tf.Tensor) -> tf.Tensor:
    """Return the loss of the taken actions' values, with y and the actions as targets (lines 759 to 762)."""
    y, actions = targets
    return _mean_squared_error(y, tf.reduce_sum(outputs * tf.one_hot(actions, outputs.shape[-1]), axis=1))


def _build(kind: type[tf.keras.Model], input_shape: tuple[int, ...]) -> tf.keras.Model:
    model = kind()
    shape = (None, *input_shape)
    # Layer by layer: to build the model as a whole, Keras would also trace and call it.
    for layer in model.layers:
        layer.build(shape)
        shape = layer.compute_output_shape(shape)
    model.built = True
    return model


def _rnn(input_shape: tuple[int, ...]) -> RNN:
    model = RNN(num_chars=input_shape[-1])
    model.build((None, None))
    return model


RECIPES = {
    "linear": Recipe(partial(_build, Linear), (3,), _mean_squared_error, SGD, xla_from=3_000),
    "mlp": Recipe(partial(_build, MLP), (28, 28, 1), crossentropy, Adam, xla_from=2_000_000),
    "cnn": Recipe(partial(_build, CNN), (28, 28, 1), crossentropy, Adam, xla_from=None),
    "rnn": Recipe(_rnn, (40, 57), crossentropy, Adam, xla_from=3_000),
    "q_network": Recipe(partial(_build, QNetwork), (4,), _q_loss, Adam, xla_from=30_000),
    "q_cnn": Recipe(partial(_build, QCNN), (84, 84, 4), _q_loss, Adam, xla_from=None),
}


class TrainingLoop:
    """A loop over batches, compiled by XLA if it is long enough.

    TensorFlow traces it once for all numbers and sizes of batches. XLA makes the loop several times as fast, but
    compiles it for each new shape, which takes as long as hundreds of steps.
    """

    def __init__(self, loop: Callable[..., tf.Tensor], axes: tuple[int, ...], xla_from: int | None) -> None:
        """Store a loop, which is compiled on its first run.

        Args:
            loop: Function that trains on every batch, and returns the losses.
            axes: Number of leading axes of each argument whose length may vary between runs.
            xla_from: Number of input elements of all steps from which on XLA compiles it; None for never.

        """
        self._axes = axes
        self._xla_from = xla_from
        self._traced = tf.function(loop)
        self._compiled = tf.function(loop, jit_compile=True)

    def run(self, *arguments: tf.Tensor, elements: int) -> tf.Tensor:
        """Run the loop; `elements` is the number of input elements of all steps."""
        if self._xla_from is not None and elements >= self._xla_from:
            return self._compiled(*arguments)
        specs = [
            tf.TensorSpec([None] * axes + argument.shape[axes:], argument.dtype)
            for argument, axes in zip(arguments, self._axes, strict=True)
        ]
        return self._traced.get_concrete_function(*specs)(*arguments)


def length(tensor: tf.Tensor) -> Any:
    """Return the length of the first axis: a Python number if known, because XLA needs it."""
    return tf.shape(tensor)[0] if tensor.shape[0] is None else tensor.shape[0]


class Trainer:
    """A model with its optimizer and its compiled functions.

    Compiling takes longer than training, so one trainer serves every call for models of its shape: `load` sets its
    parameters and resets the optimizer.
    """

    def __init__(self, recipe: Recipe, input_shape: tuple[int, ...]) -> None:
        """Build the model for examples of a shape."""
        self.recipe = recipe
        self.model = recipe.build(input_shape)
        self.variables = self.model.trainable_variables
        self.optimizer = recipe.optimizer(self.variables)
        self.predict = tf.function(self.model)
        signature = [tf.TensorSpec([None, *input_shape]), tf.TensorSpec([], tf.int32)]
        self.predict_in_batches = tf.function(self._predict_in_batches, input_signature=signature)
        self._through_layers = tf.function(self._layer_outputs)
        self._on_batches = TrainingLoop(self._train_on, (2, 2), recipe.xla_from)
        self._on_examples = TrainingLoop(self._train_from, (1, 1, 2), recipe.xla_from)
        self._on_text = TrainingLoop(self._train_on_text, (1, 2, 1), recipe.xla_from)

    def names(self) -> list[str]:
        """Return the canonical name of every variable."""
        return [*_name_variables(self.model)]

    def assign(self, parameters: Parameters) -> None:
        """Set every variable."""
        for name, variable in zip(self.names(), self.variables, strict=True):
            variable.assign(parameters[name])

    def load(self, parameters: Parameters) -> None:
        """Set every variable, and reset the optimizer."""
        self.assign(parameters)
        self.optimizer.reset()

    def parameters(self) -> Parameters:
        """Read every variable."""
        return _parameters(self.model)

    def loss_and_gradients(self, inputs: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Differentiate the mean loss of a batch."""
        with tf.GradientTape() as tape:
            loss = self.recipe.loss(targets, self.model(inputs))
        return loss, tape.gradient(loss, self.variables)

    def step(self, inputs: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Take one step of the optimizer and return the loss before it."""
        loss, gradients = self.loss_and_gradients(inputs, targets)
        self.optimizer.apply(gradients)
        return loss

    def _predict_in_batches(self, inputs: tf.Tensor, batch_size: tf.Tensor) -> tf.Tensor:
        """Return the outputs of batches, computed in one compiled loop; the last batch may be smaller."""
        outputs = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False)
        for start in tf.range(0, len(inputs), batch_size):
            outputs = outputs.write(start // batch_size, self.model(inputs[start : start + batch_size]))
        return outputs.concat()

    def layer_outputs(self, inputs: tf.Tensor) -> list[tuple[str, tf.Tensor]]:
        """Apply the layers to a batch in turn; return the output of each, by its name."""
        # Traced for any batch size and, for windows, any length. Only windows consist of whole numbers.
        shape = [None, None] if inputs.dtype.is_integer else [None, *inputs.shape[1:]]
        outputs = self._through_layers.get_concrete_function(tf.TensorSpec(shape, inputs.dtype))(inputs)
        return [(layer.name, output) for layer, output in zip(self.model.layers, outputs, strict=True)]

    def _layer_outputs(self, inputs: tf.Tensor) -> list[tf.Tensor]:
        outputs = []
        for layer in self.model.layers:
            inputs = layer(inputs)
            outputs.append(inputs)
        return outputs

    def train_on(self, inputs: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Train on given batches, [steps, batch, ...], in one compiled loop; return the losses."""
        return self._on_batches.run(inputs, targets, elements=inputs.shape.num_elements())

    def _train_on(self, inputs: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        return self.loop(length(inputs), lambda i: (inputs[i], targets[i]))

    def train_from(self, examples: tf.Tensor, targets: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
        """Train on the batches selected by `indices`, [steps, batch], in one compiled loop; return the losses."""
        elements = indices.shape.num_elements() * examples.shape[1:].num_elements()
        return self._on_examples.run(examples, targets, indices, elements=elements)

    def _train_from(self, examples: tf.Tensor, targets: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
        return self.loop(length(indices), lambda i: (tf.gather(examples, indices[i]), tf.gather(targets, indices[i])))

    def train_on_text(self, text: tf.Tensor, starts: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
        """Train on windows of a text that begin at `starts`, [steps, batch]; the next character is the target."""
        elements = starts.shape.num_elements() * (len(offsets) - 1)
        return self._on_text.run(text, starts, offsets, elements=elements)

    def _train_on_text(self, text: tf.Tensor, starts: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
        def batch(i: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            places = starts[i][:, None] + offsets
            return tf.gather(text, places[:, :-1]), tf.gather(text, places[:, -1])

        return self.loop(length(starts), batch)

    def loop(self, steps: Any, batch: Callable[[tf.Tensor], tuple[tf.Tensor, Any]]) -> tf.Tensor:
        """Train on every batch, inside a function that is being traced; return the losses."""
        losses = tf.TensorArray(tf.float32, steps)
        for i in tf.range(steps):
            losses = losses.write(i, self.step(*batch(i)))
        return losses.stack()


def _name_variables(model: tf.keras.Model) -> dict[str, tf.Variable]:
    """Return every variable by its canonical name: its layer's and its own."""
    return {
        f"{layer.name}/{variable.name.split('/')[-1].split(':')[0]}": variable
        for layer in model.layers
        for variable in layer.trainable_variables
    }


def _parameters(model: tf.keras.Model) -> Parameters:
    return {name: variable.numpy() for name, variable in _name_variables(model).items()}


@cache
def get_trainer(model: ModelName, input_shape: tuple[int, ...]) -> Trainer:
    """Return the cached trainer of a model for examples of a shape."""
    return Trainer(RECIPES[model], input_shape)


def initial_parameters(model: ModelName, input_shape: tuple[int, ...], seed: int) -> Parameters:
    """Build a new model, and return its parameters."""
    with use_seed(seed):
        return _parameters(RECIPES[model].build(input_shape))


def start_training(model: ModelName, input_shape: tuple[int, ...], learning_rate: float, seed: int) -> Trainer:
    """Return the trainer of a model, ready for a training from new parameters."""
    trainer = get_trainer(model, input_shape)
    trainer.load(initial_parameters(model, input_shape, seed))
    trainer.optimizer.learning_rate.assign(learning_rate)
    return trainer


class Models:
    """See `assay.contract.Models`."""

    def initial_parameters(self, model: ModelName, seed: int) -> Parameters:
        """Build a new model, and return its parameters."""
        return initial_parameters(model, RECIPES[model].input_shape, seed)

    def layer_outputs(self, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
        """Apply the layers to the batch in turn."""
        found = _load_trainer(model, parameters, inputs.shape[1:]).layer_outputs(tf.constant(inputs))
        return {name: output.numpy() for name, output in found}

    def loss_and_gradients(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array
    ) -> tuple[Array, Parameters]:
        """Record the loss on a tape, and compute the gradients."""
        trainer = _load_trainer(model, parameters, inputs.shape[1:])
        loss, gradients = trainer.loss_and_gradients(tf.constant(inputs), tf.constant(targets))
        named = zip(trainer.names(), gradients, strict=True)
        return loss.numpy(), {name: gradient.numpy() for name, gradient in named}

    def train(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
    ) -> tuple[Array, Parameters]:
        """Run the compiled loop over the batches."""
        trainer = get_trainer(model, shape_for(model, parameters, inputs.shape[2:]))
        trainer.load(parameters)
        trainer.optimizer.learning_rate.assign(learning_rate)
        losses = trainer.train_on(tf.constant(inputs), tf.constant(targets))
        return losses.numpy(), trainer.parameters()


def shape_for(model: ModelName, parameters: Parameters, input_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of an example for a model with these parameters; for the RNN, after one-hot encoding."""
    return (*input_shape, len(parameters["dense/bias"])) if model == "rnn" else input_shape


def _load_trainer(model: ModelName, parameters: Parameters, input_shape: tuple[int, ...]) -> Trainer:
    """Return the trainer of a model with these parameters, for functions without training."""
    trainer = get_trainer(model, shape_for(model, parameters, input_shape))
    trainer.assign(parameters)
    return trainer
