"""The group `models`: the document's networks as functions of their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from assay.contract.arrays import Array, Parameters

ModelName = Literal["linear", "mlp", "cnn", "rnn", "q_network", "q_cnn"]


class Models(Protocol):
    """The document's models as stateless functions: parameters in, parameters out.

    `linear` is one Dense layer of one unit, trained by SGD on the mean squared error. `mlp` is Flatten, Dense of
    100 with ReLU, Dense of 10 and softmax, trained by Adam on the mean sparse categorical cross-entropy. `cnn` adds two
    pairs of a convolution (5x5, `same`, ReLU; 32 and 64 filters) and max pooling (2x2, stride 2) in front, and has a
    Dense of 1024 with ReLU in place of that of 100. `rnn` passes the one-hot characters of a window through an LSTM
    cell of 256 units from a state of zeros, and the cell's last output through Dense of num_chars and softmax. It is
    trained like the other two. Its num_chars is the size of `dense/bias`, and a window may have any length.

    `q_network` is Dense of 24 with ReLU, twice, and Dense of 2. `q_cnn` sees pixels: a convolution of 16 filters (8x8,
    stride 4), one of 32 (4x4, stride 2), both `valid` with ReLU, Flatten, Dense of 256 with ReLU and Dense of 4. The
    loss of these two, and their training, are in the group `agent`.
    """

    def initial_parameters(self, model: ModelName, seed: int) -> Parameters:
        """Build the model (`linear` for inputs of 3 features, `rnn` for 57 characters) and return its parameters."""

    def layer_outputs(self, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
        """Run the model on a batch.

        Args:
            model: Name of the model.
            parameters: Parameters of the model.
            inputs: `linear` [batch, input_dim], `mlp` and `cnn` [batch, 28, 28, 1], `rnn` int32 [batch, seq_length],
                `q_network` [batch, 4], `q_cnn` [batch, 84, 84, 4].

        Returns:
            `linear`: dense [batch, 1]. `mlp`: flatten [batch, 784], dense1 [batch, 100], dense2 [batch, 10] and
            softmax [batch, 10]. `cnn`: conv1 [batch, 28, 28, 32], pool1 [batch, 14, 14, 32], conv2
            [batch, 14, 14, 64], pool2 [batch, 7, 7, 64], flatten [batch, 3136], dense1 [batch, 1024], dense2
            [batch, 10] and softmax [batch, 10]. `rnn`: one_hot [batch, seq_length, num_chars], cell [batch, 256], dense
            and softmax [batch, num_chars]. `q_network`: dense1 [batch, 24], dense2 [batch, 24] and dense3 [batch, 2].
            `q_cnn`: conv1 [batch, 20, 20, 16], conv2 [batch, 9, 9, 32], flatten [batch, 2592], dense1 [batch, 256] and
            dense2 [batch, 4]. The dictionary has this order.

        """

    def loss_and_gradients(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array
    ) -> tuple[Array, Parameters]:
        """Differentiate the mean loss of a batch.

        Args:
            model: Any model except `q_network` and `q_cnn`.
            parameters: Parameters of the model.
            inputs: Inputs, as in `layer_outputs`.
            targets: `linear` float32 [batch, 1], the others int32 [batch].

        Returns:
            The loss, a scalar, and its gradient for every parameter.

        """

    def train(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
    ) -> tuple[Array, Parameters]:
        """Train with a new optimizer on given batches, in their order.

        Args:
            model: Any model except `q_network` and `q_cnn`.
            parameters: Parameters before the first step.
            inputs: [steps, ...], each as in `layer_outputs`.
            targets: [steps, ...], each as in `loss_and_gradients`.
            learning_rate: Learning rate of the optimizer.

        Returns:
            [steps]: the loss of each batch before its step; the parameters after the last.

        """
