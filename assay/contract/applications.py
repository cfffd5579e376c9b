"""The group `applications`: predefined networks."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from assay.contract.arrays import Array

NetworkName = Literal["VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152", "MobileNet", "MobileNetV2", "InceptionV3"]


class Architecture(NamedTuple):
    """Description of a network.

    Attributes:
        input_shape: Shape of one example, (height, width, channels), with None for an axis of any length.
        output_shape: Shape of the output for one example, in the same form.
        trainable_parameters: Number of trainable parameters.
        other_parameters: Number of other parameters: moving means and variances.

    """

    input_shape: tuple[int | None, ...]
    output_shape: tuple[int | None, ...]
    trainable_parameters: int
    other_parameters: int


class Applications(Protocol):
    """The predefined networks, by their names in Keras. A claim may use any of them."""

    def build(
        self,
        network: NetworkName,
        *,
        input_shape: tuple[int, int, int] | None = None,
        include_top: bool = True,
        weights: str | None = None,
        classes: int = 1000,
    ) -> Architecture:
        """Build a network and describe it.

        Args:
            network: Name of the network.
            input_shape: Shape of one example, (height, width, channels), or None for the network's own.
            include_top: Whether the network ends in its fully connected layers.
            weights: None for random weights, `imagenet` for weights trained on ImageNet.
            classes: Size of the output.

        Raises:
            ValueError: The arguments contradict each other, or the images are too small for the network.

        """

    def predict(
        self,
        network: NetworkName,
        images: Array,
        *,
        training: bool,
        seed: int,
        weights: str | None = None,
        classes: int = 1000,
    ) -> Array:
        """Run a new network on a batch.

        Args:
            network: Name of the network.
            images: [batch, height, width, 3]; the network is built for this shape.
            training: Whether to run in training mode.
            seed: Seed of the weights, if they are random.
            weights: Weights, as in `build`.
            classes: Number of classes, as in `build`.

        Returns:
            [batch, classes], probabilities.

        """

    def train(
        self, network: NetworkName, images: Array, labels: Array, *, classes: int, learning_rate: float, seed: int
    ) -> Array:
        """Train a new network without pre-trained weights by Adam on the mean sparse categorical cross-entropy.

        The derivative of ReLU is 0 at 0, as in TensorFlow: on black images, every hidden unit is 0.

        Args:
            network: Name of the network.
            images: [steps, batch, height, width, 3]; the network is built for this shape.
            labels: Int32 [steps, batch].
            classes: Size of the output.
            learning_rate: Learning rate of Adam.
            seed: Seed of the weights.

        Returns:
            [steps]: the loss of each batch before its step, in training mode.

        """
