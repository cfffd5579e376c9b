"""Interface between an adapter and the kit: functions on tensors of the framework."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from assay.contract import Activation, Array, Padding, Pair

# A tensor of any framework, with `+`, `*`, `@`, `/`, `sum()` and slicing.
Tensor = Any
Tensors = Mapping[str, Tensor]
# Function from values by name and further tensors to a scalar.
ScalarFunction = Callable[..., Tensor]


class Optimizer(Protocol):
    """An optimizer with its state."""

    def step(self, values: Tensors, gradients: Tensors) -> Tensors:
        """Return the values after one step; the arguments are not used again."""


class Framework(ABC):
    """The operations of a framework, on tensors in the contract's layouts.

    The contract's `Ops` defines each operation. `assay.kit.operations.Operations` builds the group `ops` from them, and
    `assay.kit.models.Networks` builds the document's models.
    """

    @abstractmethod
    def to_tensor(self, array: Array) -> Tensor:
        """Copy an array, of any memory order, into a tensor of its dtype."""

    @abstractmethod
    def to_array(self, tensor: Tensor) -> Array:
        """Copy a tensor into an array of its dtype."""

    @abstractmethod
    def stack(self, tensors: Sequence[Tensor], axis: int) -> Tensor:
        """Join tensors of one shape along a new axis."""

    @abstractmethod
    def value_and_gradients(self, function: ScalarFunction, values: Tensors, *batch: Tensor) -> tuple[Tensor, Tensors]:
        """Differentiate `function(values, *batch)` for each of the values.

        The kit passes the same function for all batches of a model, so compiled code can be cached by function.
        """

    def evaluate(self, function: Callable[..., Any], values: Tensors, *batch: Tensor) -> Any:  # noqa: ANN401 - as `function` has it
        """Call `function(values, *batch)` without gradients; a framework may compile it."""
        return function(values, *batch)

    @abstractmethod
    def relu(self, inputs: Tensor) -> Tensor:
        """Return max(x, 0) of every element; the shape is kept."""

    @abstractmethod
    def tanh(self, inputs: Tensor) -> Tensor:
        """Return the hyperbolic tangent of every element; the shape is kept."""

    @abstractmethod
    def sigmoid(self, inputs: Tensor) -> Tensor:
        """Return 1 / (1 + exp(-x)) of every element; the shape is kept."""

    @abstractmethod
    def softmax(self, logits: Tensor) -> Tensor:
        """Return the softmax over the last axis; the shape is kept."""

    def activate(self, sums: Tensor, activation: Activation | None) -> Tensor:
        """Apply an activation."""
        return sums if activation is None else getattr(self, activation)(sums)

    @abstractmethod
    def dense(self, inputs: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        """Return inputs @ kernel + bias, without activation: [..., input_dim] to [..., units]."""

    @abstractmethod
    def conv2d(self, images: Tensor, kernel: Tensor, bias: Tensor | None, strides: Pair, padding: Padding) -> Tensor:
        """Convolve, without activation: [batch, height, width, channels] to [batch, rows, columns, filters]."""

    @abstractmethod
    def max_pool2d(self, images: Tensor, window: Pair, strides: Pair, padding: Padding) -> Tensor:
        """Return the largest value of each window: [batch, rows, columns, channels]."""

    @abstractmethod
    def average_pool2d(self, images: Tensor, window: Pair, strides: Pair, padding: Padding) -> Tensor:
        """Return the mean of each window: [batch, rows, columns, channels]."""

    @abstractmethod
    def batch_normalization(
        self, inputs: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, *, training: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Normalise every channel; return the outputs and the moving statistics after the call."""

    @abstractmethod
    def dropout(self, inputs: Tensor, rate: float, seed: int) -> Tensor:
        """Drop elements with probability `rate` and scale the others, as in training; the shape is kept."""

    def simple_rnn_cell(
        self, inputs: Tensor, state: Tensor, kernel: Tensor, recurrent_kernel: Tensor, activation: Activation | None
    ) -> Tensor:
        """Take one step; override this if the framework has such a cell."""
        return self.activate(inputs @ kernel + state @ recurrent_kernel, activation)

    @abstractmethod
    def lstm_cell(
        self, inputs: Tensor, hidden: Tensor, carry: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Take one step; return hidden and carry."""

    def lstm(
        self, inputs: Tensor, state: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Repeat `lstm_cell` over time.

        Args:
            inputs: [batch, time, input_dim].
            state: Zeros for hidden and carry before the first step, [batch, units].
            kernel: [input_dim, 4 units].
            recurrent_kernel: [units, 4 units].
            bias: [4 units].

        Returns:
            Hidden and carry after every step, each [batch, time, units].

        """
        hidden, carry, steps = state, state, []
        for time in range(inputs.shape[1]):
            hidden, carry = self.lstm_cell(inputs[:, time], hidden, carry, kernel, recurrent_kernel, bias)
            steps.append((hidden, carry))
        every_hidden, every_carry = zip(*steps, strict=True)
        return self.stack(every_hidden, 1), self.stack(every_carry, 1)

    @abstractmethod
    def sample(self, probabilities: Tensor, seed: int) -> Tensor:
        """Draw a class from each row: [batch, classes] to int32 [batch]."""

    @abstractmethod
    def one_hot(self, labels: Tensor, depth: int) -> Tensor:
        """Return float32 rows [..., depth] for int32 labels [...]."""

    @abstractmethod
    def categorical_crossentropy(self, targets: Tensor, probabilities: Tensor) -> Tensor:
        """Return the loss of each example: two arrays [batch, classes] to [batch]."""

    @abstractmethod
    def sparse_categorical_crossentropy(self, labels: Tensor, probabilities: Tensor) -> Tensor:
        """Return the loss of each example: int32 [batch] and [batch, classes] to [batch]."""

    @abstractmethod
    def crossentropy_of_logits(self, labels: Tensor, logits: Tensor) -> Tensor:
        """Return the mean loss of a batch: int32 [batch] and logits [batch, classes] to a scalar."""

    @abstractmethod
    def mean_squared_error(self, targets: Tensor, predictions: Tensor) -> Tensor:
        """Return the mean of squared differences over all elements, a scalar."""

    @abstractmethod
    def adam_step(
        self, parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor, step: int, learning_rate: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take one step of Adam; return the parameter and both moments after it."""

    @abstractmethod
    def make_optimizer(self, kind: Literal["sgd", "adam"], learning_rate: float) -> Optimizer:
        """Create an optimizer, with the defaults of the contract."""

    @abstractmethod
    def glorot_uniform(self, shape: tuple[int, ...], seed: int) -> Tensor:
        """Draw a kernel [..., fan_in, fan_out] with the Glorot-uniform initializer."""

    @abstractmethod
    def orthogonal(self, shape: tuple[int, int], seed: int) -> Tensor:
        """Draw a recurrent kernel [units, gates] with the orthogonal initializer."""

    @abstractmethod
    def zeros(self, shape: tuple[int, ...]) -> Tensor:
        """Create a float32 tensor of zeros."""
