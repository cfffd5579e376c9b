"""The group `keras`: the Keras interface of a framework."""

from __future__ import annotations

from typing import Any, Protocol

from assay.contract.arrays import Array


class Keras(Protocol):
    """A namespace with the interface of Keras, for the claims about that interface.

    Attributes:
        namespace: Module or object with `Model`, `Sequential`, `Input`, `layers`, `models`, `activations`, `losses`,
            `optimizers`, `metrics`, `initializers`, `datasets`, `applications` and `backend`, as in `tf.keras`.
        operations: Functions for custom layers, losses and metrics, on the framework's tensors and variables, with
            TensorFlow's names: `argmax`, `cast`, `equal` (of one dtype), `matmul`, `reduce_mean`,
            `reduce_sum`, `shape` and `square`; and `InvalidArgumentError`, which they raise for operands that do not
            match. Dtypes are given by name.

    """

    namespace: Any
    operations: Any

    def to_tensor(self, array: Array) -> Any:  # noqa: ANN401 - a tensor of whatever framework it is
        """Convert an array to a tensor of the framework with the same dtype."""

    def to_numpy(self, tensor: Any) -> Array:  # noqa: ANN401
        """Convert a tensor or a variable of the framework to an array."""

    def linear_layer(self, units: int, **options: Any) -> Any:  # noqa: ANN401 - a layer of the framework
        """Make a custom layer that computes the same as Dense without an activation.

        Args:
            units: Length of the output's last axis.
            options: `kernel_initializer` and `bias_initializer` (default: those of Dense), and the options common to
                all layers, such as `name`.

        Raises:
            ValueError: The argument units is not a positive integer.

        """

    def mean_squared_error(self, **options: Any) -> Any:  # noqa: ANN401 - a loss of the framework
        """Make a custom loss: the mean squared error over the last axis, one value for each example.

        Args:
            options: Options common to all losses: `reduction` and `name`.

        """

    def sparse_categorical_accuracy(self, **options: Any) -> Any:  # noqa: ANN401 - a metric of the framework
        """Make a custom metric: the share of examples whose largest prediction is the label.

        Args:
            options: Options common to all metrics, such as `name`.

        """

    def dataset(self, inputs: Array, targets: Array, batch_size: int) -> Any:  # noqa: ANN401
        """Make a data pipeline for `fit`, such as a `tf.data.Dataset`, with batches in the given order."""
