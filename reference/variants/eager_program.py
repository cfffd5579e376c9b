"""Eager training as in the chapter: each step draws a batch, records a tape and calls a Keras optimizer.

Nothing is compiled. Everything without training is the reference's.
"""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from assay.contract import Learnt, Trained, Transitions
from assay.reference import agent, applications, models, text, training
from assay.reference.agent import epsilon_greedy, exploration_rate, greedy_return, transitions_of
from assay.reference.environments import make
from assay.reference.models import RECIPES, Trainer
from assay.reference.ops import check_temperature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.contract import Array, ModelName, NetworkName, Parameters, QModelName


class RNN(tf.keras.Model):
    """A cell, applied character by character: int32 [batch, seq_length] to [batch, num_chars] (528 to 546)."""

    def __init__(self, num_chars: int) -> None:
        """Create the layers."""
        super().__init__()
        self.num_chars = num_chars
        self.cell = tf.keras.layers.LSTMCell(units=256, name="cell")
        self.dense = tf.keras.layers.Dense(units=num_chars, name="dense")

    def call(self, inputs: tf.Tensor, *, from_logits: bool = False) -> tf.Tensor:
        """Return the probabilities, or their logits."""
        inputs = tf.one_hot(inputs, depth=self.num_chars)
        state = [tf.zeros([inputs.shape[0], self.cell.units])] * 2
        for t in range(inputs.shape[1]):
            output, state = self.cell(inputs[:, t, :], state)
        logits = self.dense(output)
        return logits if from_logits else tf.nn.softmax(logits)

    def sample(self, inputs: Array, temperature: float, generator: np.random.Generator) -> Array:
        """Draw the next character of each window, int32 [batch] (lines 585 to 590)."""
        logits = self(inputs, from_logits=True)
        probabilities = tf.nn.softmax(logits / temperature).numpy().astype(np.float64)
        # NumPy's check of the sum requires float64.
        probabilities /= probabilities.sum(axis=-1, keepdims=True)
        return np.array([generator.choice(self.num_chars, p=row) for row in probabilities], np.int32)


class Program(Trainer):
    """A model and an optimizer, created as in the chapter's programs.

    Attributes:
        optimizer: Optimizer of Keras.

    """

    optimizer: Any

    def __init__(self, name: ModelName, input_shape: tuple[int, ...], learning_rate: float = 0.0) -> None:
        """Build the model for examples of a shape, without the reference's compiled functions."""
        if name == "rnn":
            self.model = RNN(num_chars=input_shape[-1])
            self.model(tf.zeros([1, 1], tf.int32))
        else:
            self.model = RECIPES[name].build(input_shape)
        self.recipe = RECIPES[name]
        self.variables = self.model.trainable_variables
        kind = tf.keras.optimizers.SGD if name == "linear" else tf.keras.optimizers.Adam
        self.optimizer = kind(learning_rate=learning_rate)

    def load(self, parameters: Parameters) -> None:
        """Set every variable."""
        self.assign(parameters)

    def step(self, inputs: Array, targets: Any) -> tf.Tensor:
        """Take one step of the optimizer, and return the loss before it (lines 222 to 228)."""
        loss, grads = self.loss_and_gradients(inputs, targets)
        self.optimizer.apply_gradients(zip(grads, self.variables, strict=True))
        return loss

    def train(self, batches: Iterable[tuple[Array, Array]]) -> Array:
        """Take a step with every batch, and return the losses."""
        return np.array([self.step(*batch).numpy() for batch in batches], np.float32)

    def act(self, state: Array) -> int:
        """Return the action of the highest value (lines 713 to 715)."""
        return int(tf.argmax(self.model(np.expand_dims(state, axis=0)), axis=-1).numpy()[0])

    def learn(self, transitions: Transitions, gamma: float) -> float:
        """Take one step with a batch of transitions, and return the loss before it (lines 755 to 764)."""
        q_value = self.model(transitions.next_states)
        y = transitions.rewards + gamma * tf.reduce_max(q_value, axis=1) * (1 - transitions.dones)
        return float(self.step(transitions.states, (y, transitions.actions)))


def start_program(name: ModelName, input_shape: tuple[int, ...], learning_rate: float, seed: int) -> Program:
    """Return a program with new parameters."""
    program = Program(name, input_shape, learning_rate)
    program.load(models.initial_parameters(name, input_shape, seed))
    return program


def load_program(
    name: ModelName, parameters: Parameters, input_shape: tuple[int, ...], learning_rate: float = 0.0
) -> Program:
    """Return a program with these parameters."""
    program = Program(name, models.shape_for(name, parameters, input_shape), learning_rate)
    program.load(parameters)
    return program


class Models(models.Models):
    """See `assay.contract.Models`."""

    def train(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
    ) -> tuple[Array, Parameters]:
        """Take a step with every batch."""
        program = load_program(model, parameters, inputs.shape[2:], learning_rate)
        return program.train(zip(inputs, targets, strict=True)), program.parameters()


class Training(training.Training):
    """See `assay.contract.Training`."""

    def fit(
        self,
        model: ModelName,
        images: Array,
        labels: Array,
        *,
        num_batches: int,
        batch_size: int,
        learning_rate: float,
        seed: int,
    ) -> Trained:
        """Draw a batch for each step (lines 216 to 228)."""
        program, generator = start_program(model, images.shape[1:], learning_rate, seed), np.random.default_rng(seed)
        places = (generator.integers(0, len(images), batch_size) for _ in range(num_batches))
        return Trained(program.train((images[index], labels[index]) for index in places), program.parameters())

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Update a metric with every batch (lines 253 to 259)."""
        program = load_program(model, parameters, images.shape[1:])
        metric = tf.keras.metrics.SparseCategoricalAccuracy()
        for start in range(0, len(images), batch_size):
            batch = slice(start, start + batch_size)
            metric.update_state(y_true=labels[batch], y_pred=program.model.predict(images[batch], verbose=0))
        return float(metric.result())


class Text(text.Text):
    """See `assay.contract.Text`."""

    def fit(
        self,
        indices: Array,
        num_chars: int,
        *,
        num_batches: int,
        batch_size: int,
        seq_length: int,
        learning_rate: float,
        seed: int,
    ) -> Trained:
        """Draw windows for each step (lines 565 to 577)."""
        generator = np.random.default_rng(seed)
        program = start_program("rnn", (seq_length, num_chars), learning_rate, seed)

        def batch() -> tuple[Array, Array]:
            starts = text.draw_starts(indices, seq_length, (batch_size,), generator)
            return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]

        return Trained(program.train(batch() for _ in range(num_batches)), program.parameters())

    def generate(self, parameters: Parameters, window: Array, *, temperature: float, count: int, seed: int) -> Array:
        """Draw a character, append it to the window, and drop the window's first (lines 594 to 602)."""
        divisor, generator = check_temperature(temperature), np.random.default_rng(seed)
        model = load_program("rnn", parameters, window.shape).model
        inputs, written = window[None], []
        for _ in range(count):
            written.append(model.sample(inputs, divisor, generator))
            inputs = np.concatenate([inputs[:, 1:], written[-1][:, None]], axis=-1)
        return np.concatenate(written) if written else np.zeros(0, np.int32)


class Agent(agent.Agent):
    """See `assay.contract.Agent`."""

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Choose an action for each state in turn (lines 732 to 736)."""
        program, generator = load_program(model, parameters, states.shape[1:]), np.random.default_rng(seed)
        num_actions = program.variables[-1].shape[0]
        chosen = [
            epsilon_greedy(state, epsilon, generator, program.act, lambda: generator.integers(num_actions))
            for state in states
        ]
        return np.array(chosen, np.int32)

    def learn(
        self,
        model: QModelName,
        parameters: Parameters,
        transitions: Transitions,
        *,
        learning_rate: float,
        gamma: float,
    ) -> tuple[Array, Parameters]:
        """Take a learning step with every batch."""
        program = load_program(model, parameters, np.shape(transitions[0])[2:], learning_rate)
        batches = (Transitions(*batch) for batch in zip(*transitions, strict=True))
        return np.array([program.learn(batch, gamma) for batch in batches], np.float32), program.parameters()

    def fit(
        self,
        *,
        num_episodes: int,
        max_len_episode: int,
        buffer_size: int,
        batch_size: int,
        learning_rate: float,
        gamma: float,
        seed: int,
        **schedule: Any,
    ) -> Learnt:
        """Play and learn (lines 718 to 764)."""
        program, environment = start_program("q_network", (4,), learning_rate, seed), make()
        environment.seed(seed)
        generator, drawing = np.random.default_rng(seed), random.Random(seed)  # noqa: S311 - draws a batch, no secret
        replay_buffer: deque[tuple[Any, ...]] = deque(maxlen=buffer_size)
        scores, losses = [], []
        for episode in range(num_episodes):
            epsilon = exploration_rate(episode, **schedule)

            def choose(state: Array, epsilon: float = epsilon) -> int:
                return epsilon_greedy(state, epsilon, generator, program.act, environment.sample)

            scores.append(-1)
            for transition, over in transitions_of(environment, choose, max_len_episode):
                scores[-1] += 1
                replay_buffer.append(transition)
                if not over and len(replay_buffer) >= batch_size:
                    columns = zip(*drawing.sample(replay_buffer, batch_size), strict=True)
                    losses.append(program.learn(Transitions(*(np.array(column) for column in columns)), gamma))
        return Learnt(np.array(scores, np.int32), np.array(losses, np.float32), program.parameters())

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Take the greedy action in every state."""
        program, environment = load_program("q_network", parameters, (4,)), make()
        environment.seed(seed)
        return np.array([greedy_return(environment, program.act) for _ in range(num_episodes)], np.float32)


class Applications(applications.Applications):
    """See `assay.contract.Applications`."""

    def train(
        self, network: NetworkName, images: Array, labels: Array, *, classes: int, learning_rate: float, seed: int
    ) -> Array:
        """Take one step with every batch (lines 376 to 387)."""
        model = applications.new(network, images.shape[2:], None, classes, seed)
        optimizer = tf.keras.optimizers.Adam(learning_rate=learning_rate)
        losses = []
        for batch, targets in zip(images, labels, strict=True):
            with tf.GradientTape() as tape:
                loss = models.crossentropy(targets, model(batch, training=True))
            grads = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
            losses.append(loss.numpy())
        return np.array(losses, np.float32)
