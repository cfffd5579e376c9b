"""The functions that an implementation can provide: NumPy arrays and plain Python values in and out.

Floating-point arrays are float32 and integer arrays int32, in and out, unless a function says otherwise. An
implementation declares the groups that it has. Claims that need another group are *unsupported*. So are claims that
need a function or a model in the optional attribute `unsupported`, such as `("ops.lstm", "models.rnn")`. A group with
such an exception does not count as one that the implementation has. Any other function that is missing in a declared
group makes claims fail. A function must neither change its arguments nor keep references to them: the caller may
reuse an array or a dictionary for other values after the call. An array may be a view that is transposed, sliced with
a step, broadcast or read-only: only its values count, not its memory layout.

Parameters are a dictionary from canonical names to arrays, in any order. The linear model has `dense/kernel`
[input_dim, units] and `dense/bias` [units]. The MLP has `dense1/...` and `dense2/...`. The CNN has `conv1/...` and
`conv2/...` before them, with kernels [window height, window width, input channels, filters]. The RNN has `cell/kernel`
[num_chars, 1024], `cell/recurrent_kernel` [256, 1024] and `cell/bias` [1024], in the layout of `lstm_cell`, before
`dense/...`. The Q-network has `dense1/...` to `dense3/...`.

The kernels of a new model are drawn with the Glorot-uniform initializer, and its biases are 0. The parameters of
`linear` are all 0. For the cell of `rnn` the document is silent: its recurrent kernel may be orthogonal or uniform,
and its bias 0, 1 at the forget gate, or uniform. `spec/claims/unspecified.toml` lists what is permitted.

A cell that adds two biases uses the contract's bias as the first and zeros as the second, and trains only the first.
Both have the same gradient, so if both were trained, Adam would change their sum by twice as much.

Every function with a seed is reproducible: the same arguments give the same result, also in another process. Different
seeds give different draws, even where they differ in one bit. This holds for `initial_parameters`, `dropout`,
`sample`, `glorot_uniform`, `fit`, `sample_batch`, `sample_windows`, `generate`, `act`, `collect` and the functions of
`environments`. A function does not change what another one draws.

The runner draws values freely, but shapes from a small pool, for frameworks that compile once for each shape. A run
reuses the document's shapes and, for each operation, a few dozen others. So a compiled function is worth keeping for
as long as the process lives.

Images are [batch, height, width, channels]. A window moves by `strides` (down, right). Padding `valid` keeps the
window inside the image. Padding `same` adds as many rows or columns as ceil(size / stride) windows need along an axis,
half of them before and half after. If their number is odd, the extra one comes after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from importlib import import_module
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, SupportsFloat, runtime_checkable

import numpy as np
from numpy.typing import NDArray

FLOAT = np.dtype(np.float32)
INT = np.dtype(np.int32)

Array = NDArray[Any]
Parameters = Mapping[str, Array]
Activation = Literal["relu", "tanh", "sigmoid"]
Padding = Literal["valid", "same"]
Pair = tuple[int, int]
ModelName = Literal["linear", "mlp", "cnn", "rnn", "q_network", "q_cnn"]
QModelName = Literal["q_network", "q_cnn"]
NetworkName = Literal["VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152", "MobileNet", "MobileNetV2", "InceptionV3"]

GROUPS = (
    "ops",
    "models",
    "training",
    "datasets",
    "applications",
    "flowers",
    "text",
    "environments",
    "agent",
    "keras",
)


@runtime_checkable
class Implementation(Protocol):
    """The object that `--implementation` names.

    Reading these attributes must not import a framework: the runner reads them before the tests start. A group is an
    attribute with the group's name, which is created when it is first used.

    """

    # Properties, as they are only read: an implementation may have tuples and properties of its own here.
    @property
    def name(self) -> str:
        """Name for people and for the ledger."""

    @property
    def version(self) -> str:
        """Version of the adapter, not of the framework."""

    @property
    def distributions(self) -> Sequence[str]:
        """Packages whose installed versions the ledger states.

        Alternatives are separated by a bar: `tensorflow|tensorflow-cpu`.
        """

    @property
    def groups(self) -> Sequence[str]:
        """Names of the groups that the implementation has, from `GROUPS`."""

    def start(self, device: str) -> str:
        """Prepare a device. This is called once in each process, before any group is used.

        An implementation that can limit its threads takes a second argument, `threads: int | None = None`: the number
        of threads that it may use in this process, or None if it has the machine to itself.

        Args:
            device: `cpu` or `gpu`.

        Returns:
            The device's name, for the ledger.

        Raises:
            RuntimeError: The device is not available.

        """


class Ops(Protocol):
    """Single operations, in evaluation mode."""

    def dense(
        self, inputs: Array, kernel: Array, bias: Array | None = None, activation: Activation | None = None
    ) -> Array:
        """f(inputs @ kernel + bias) over the last axis.

        Args:
            inputs: [..., input_dim], of rank 2 or more.
            kernel: [input_dim, units].
            bias: [units], or None for a layer without one.
            activation: Function f, or None for the identity.

        Returns:
            [..., units].

        """

    def relu(self, inputs: Array) -> Array:
        """max(x, 0) of every element; any shape, which is kept."""

    def tanh(self, inputs: Array) -> Array:
        """Hyperbolic tangent of every element; any shape, which is kept."""

    def sigmoid(self, inputs: Array) -> Array:
        """1 / (1 + exp(-x)) of every element; any shape, which is kept."""

    def softmax(self, logits: Array) -> Array:
        """exp(z_j) / sum_k exp(z_k) over the last axis; any shape of rank 1 or more, which is kept."""

    def flatten(self, inputs: Array) -> Array:
        """[batch, ...], of rank 1 or more, to [batch, product of the rest], the last axis varying fastest."""

    def reshape(self, inputs: Array, target_shape: Sequence[int]) -> Array:
        """Reshape `[batch, ...]` to `[batch, *target_shape]`, the last axis varying fastest in both."""

    def conv2d(
        self,
        inputs: Array,
        kernel: Array,
        bias: Array | None = None,
        *,
        strides: Pair = (1, 1),
        padding: Padding = "valid",
        activation: Activation | None = None,
    ) -> Array:
        """Sum each window times the kernel over window and channels, without flipping it, and add the bias.

        Args:
            inputs: [batch, height, width, channels].
            kernel: [window height, window width, channels, filters].
            bias: [filters], or None for a layer without one.
            strides: Strides of the window.
            padding: `same` adds zeros.
            activation: Function applied last, or None for the identity.

        Returns:
            [batch, rows, columns, filters].

        """

    def conv2d_gradients(
        self, inputs: Array, kernel: Array, bias: Array, upstream: Array, *, strides: Pair, padding: Padding
    ) -> tuple[Array, Array, Array]:
        """Gradients of sum(upstream * conv2d(...)), without activation, with respect to inputs, kernel and bias."""

    def max_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Largest value of each window, channel by channel: [batch, rows, columns, channels]."""

    def max_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Gradient of sum(upstream * max_pool2d(...)), in the shape of inputs."""

    def average_pool2d(self, inputs: Array, *, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """Mean of each window, channel by channel: [batch, rows, columns, channels].

        The framework decides whether the mean includes the zeros that `same` adds.
        """

    def average_pool2d_gradient(
        self, inputs: Array, upstream: Array, *, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """Gradient of sum(upstream * average_pool2d(...)), in the shape of inputs."""

    def batch_normalization(
        self,
        inputs: Array,
        gamma: Array,
        beta: Array,
        moving_mean: Array,
        moving_variance: Array,
        *,
        training: bool,
    ) -> tuple[Array, Array, Array]:
        """Normalise every channel, with momentum 0.99 and epsilon 0.001.

        Args:
            inputs: [..., channels], of rank 2 or 4.
            gamma: Scale, [channels], like the other three arrays.
            beta: Offset.
            moving_mean: Moving mean before the call.
            moving_variance: Moving variance before the call.
            training: Whether to use the statistics of the batch, and to update the moving ones.

        Returns:
            The shape of inputs; moving_mean and moving_variance after the call.

        """

    def batch_normalization_gradients(
        self,
        inputs: Array,
        gamma: Array,
        beta: Array,
        moving_mean: Array,
        moving_variance: Array,
        upstream: Array,
        *,
        training: bool,
    ) -> tuple[Array, Array, Array]:
        """Gradients of sum(upstream * batch_normalization(...)) with respect to inputs, gamma and beta."""

    def dropout(self, inputs: Array, rate: float, seed: int, *, training: bool) -> Array:
        """In training, set elements to 0 with probability `rate` and divide the rest by 1 - rate; else do nothing."""

    def simple_rnn_cell(
        self,
        inputs: Array,
        state: Array,
        kernel: Array,
        recurrent_kernel: Array,
        activation: Activation | None = "tanh",
    ) -> Array:
        """One step of the simple recurrence: f(inputs @ kernel + state @ recurrent_kernel), without a bias.

        Args:
            inputs: [batch, input_dim].
            state: State before the step, [batch, units].
            kernel: [input_dim, units].
            recurrent_kernel: [units, units].
            activation: Function f, or None for the identity.

        Returns:
            The state after the step, [batch, units].

        """

    def simple_rnn(
        self, inputs: Array, kernel: Array, recurrent_kernel: Array, activation: Activation | None = "tanh"
    ) -> Array:
        """Repeat `simple_rnn_cell` over time, from a state of zeros.

        Args:
            inputs: [batch, time, input_dim].
            kernel: [input_dim, units].
            recurrent_kernel: [units, units].
            activation: Function f, or None for the identity.

        Returns:
            The state after every step, [batch, time, units].

        """

    def lstm_cell(
        self, inputs: Array, hidden: Array, carry: Array, kernel: Array, recurrent_kernel: Array, bias: Array
    ) -> tuple[Array, Array]:
        """One step of the LSTM cell.

        The columns of kernels and bias belong, a quarter each, to input gate, forget gate, candidate and output gate,
        in this order. The gates' activation is the sigmoid, and that of candidate and carry is tanh.

        Args:
            inputs: [batch, input_dim].
            hidden: Last output of the cell, [batch, units].
            carry: Carry state before the step, [batch, units].
            kernel: [input_dim, 4 units].
            recurrent_kernel: [units, 4 units].
            bias: [4 units].

        Returns:
            Hidden and carry after the step.

        """

    def lstm(self, inputs: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array, Array]:
        """Repeat `lstm_cell` over time, from states of zeros.

        Args:
            inputs: [batch, time, input_dim].
            kernel: [input_dim, 4 units].
            recurrent_kernel: [units, 4 units].
            bias: [4 units].

        Returns:
            Hidden and carry after every step, each [batch, time, units].

        """

    def softmax_with_temperature(self, logits: Array, temperature: float) -> Array:
        """softmax(logits / temperature) over the last axis; any shape of rank 1 or more, which is kept.

        Raises:
            ValueError: The temperature is not a number above 0.

        """

    def sample(self, probabilities: Array, seed: int) -> Array:
        """Draw a class from each row of probabilities, [batch, classes] to int32 [batch].

        Each row adds up to 1, apart from rounding to float32.

        Raises:
            ValueError: A probability is NaN.

        """

    def one_hot(self, labels: Array, depth: int) -> Array:
        """Labels [...] of uint8, int32 or int64 to float32 [..., depth]: 1 at the label, 0 elsewhere."""

    def categorical_crossentropy(self, targets: Array, probabilities: Array) -> Array:
        """-sum_i targets_i ln(probabilities_i) of each example: two arrays [batch, classes] to [batch]."""

    def sparse_categorical_crossentropy(self, labels: Array, probabilities: Array) -> Array:
        """-ln of the label's probability: labels of uint8, int32 or int64 [batch] and [batch, classes] to [batch]."""

    def mean_squared_error(self, targets: Array, predictions: Array) -> Array:
        """Mean over all elements of (predictions - targets)^2: two arrays of one shape to a scalar."""

    def sgd_step(self, parameter: Array, gradient: Array, learning_rate: float) -> Array:
        """Return parameter - learning_rate * gradient; any shape, which is kept."""

    def adam_step(
        self,
        parameter: Array,
        gradient: Array,
        first_moment: Array,
        second_moment: Array,
        step: int,
        learning_rate: float,
    ) -> tuple[Array, Array, Array]:
        """One step of Adam with beta_1 0.9, beta_2 0.999 and epsilon 1e-7.

        Kingma and Ba, 2015: either algorithm 1, or the order of computation at the end of section 2, where epsilon
        (hat) is added to the square root of the second moment before bias correction.

        Args:
            parameter: Parameter of any shape; the other three arrays have the same shape.
            gradient: Gradient of the loss.
            first_moment: First moment before the step; zeros before the first step.
            second_moment: Second moment before the step; zeros before the first step.
            step: Number of the step, from 1.
            learning_rate: Learning rate, alpha.

        Returns:
            Parameter, first_moment, second_moment after the step.

        """

    def sparse_categorical_accuracy(self, batches: Sequence[tuple[Array, Array]]) -> Array:
        """Accumulate the accuracy of batches, starting with a new metric.

        Args:
            batches: Labels of uint8, int32 or int64 [batch] and predictions [batch, classes], of any batch sizes.

        Returns:
            [len(batches)]: the result after each update.

        """

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        """Draw a kernel of shape [fan_in, fan_out] with the Glorot-uniform initializer."""

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Make an array with the zeros initializer."""


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


class Trained(NamedTuple):
    """A model after training.

    Attributes:
        losses: [num_batches], the loss of each batch before its step.
        parameters: Parameters after the last step.

    """

    losses: Array
    parameters: Parameters


class Training(Protocol):
    """Whole training runs on real data."""

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
        """Build a model and train it on batches drawn with replacement.

        Args:
            model: `mlp` or `cnn`.
            images: [examples, 28, 28, 1].
            labels: Int32 [examples].
            num_batches: Number of steps.
            batch_size: Number of examples in a step.
            learning_rate: Learning rate of the optimizer.
            seed: Seed of the initial parameters and of the batches.

        """

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Return the accuracy over all examples, accumulated batch by batch."""


class Datasets(Protocol):
    """The document's data loader."""

    def preprocess(self, images: Array, labels: Array) -> tuple[Array, Array]:
        """Convert raw images and labels to the inputs and targets of a model.

        Args:
            images: Uint8 [examples, height, width].
            labels: Uint8 [examples].

        Returns:
            float32 [examples, height, width, 1] between 0 and 1, int32 [examples].

        """

    def sample_batch(self, images: Array, labels: Array, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw `batch_size` examples with replacement: [batch_size, ...] and [batch_size]."""


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


class FlowersInfo(NamedTuple):
    """Facts about tf_flowers without its images.

    Attributes:
        class_names: Names in the order of their labels.
        num_examples: Number of examples of the only split, `train`; None for the mock.

    """

    class_names: Sequence[str]
    num_examples: int | None


class Flowers(Protocol):
    """The data set tf_flowers of TensorFlow Datasets, and the pipeline from images of any size to batches.

    With `mock` the library makes up images and labels of the correct form, without a network. The code that reads them
    is the same.
    """

    def image_batches(
        self,
        images: Sequence[Array],
        labels: Array,
        *,
        image_size: Pair,
        shuffle_buffer: int,
        batch_size: int,
        epochs: int,
        seed: int,
    ) -> Sequence[tuple[Array, Array]]:
        """Resize, scale, shuffle and batch.

        Args:
            images: Images of any size, each uint8 [height, width, channels].
            labels: Int32 [examples].
            image_size: Height and width after resizing, which is bilinear between the centres of pixels.
            shuffle_buffer: Size of the buffer from which each next example is drawn; the following example refills it.
            batch_size: Number of examples in a batch; the last batch of an epoch has the remaining ones.
            epochs: Number of passes over the images, each shuffled again.
            seed: Seed of the shuffling.

        Returns:
            Every batch in order: float32 `[batch, *image_size, channels]` between 0 and 1, int32 [batch].

        """

    def info(self, *, mock: bool) -> FlowersInfo:
        """Describe the data set."""

    def examples(self, count: int, *, mock: bool) -> tuple[Sequence[Array], Array]:
        """Return the first images, each uint8 [height, width, 3] in its own size, and their labels, int32 [count]."""

    def batches(
        self, count: int, *, image_size: Pair, shuffle_buffer: int, batch_size: int, seed: int, mock: bool
    ) -> Sequence[tuple[Array, Array]]:
        """Return the first batches of `image_batches` on the whole split."""


class EncodedText(NamedTuple):
    """A text as numbers.

    Attributes:
        char_indices: Number of every character that occurs, from 0, in the order of the characters.
        indices_char: Character by number.
        indices: Numbers of the text's characters, int32 [length].

    """

    char_indices: Mapping[str, int]
    indices_char: Mapping[int, str]
    indices: Array


class Text(Protocol):
    """The document's text loader, and its program: whole training runs on a text, and text generation."""

    def encode(self, content: bytes) -> EncodedText:
        """Decode a file as UTF-8, convert it to lower case, and number its characters.

        Args:
            content: Content of the file, which may be empty. As in Python, CR and CR LF are read as a line feed.

        Raises:
            ValueError: The content is not UTF-8.

        """

    def sample_windows(self, indices: Array, seq_length: int, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw windows with replacement, and the character after each.

        Args:
            indices: Indices of a text, int32 [length].
            seq_length: Length of a window.
            batch_size: Number of windows.
            seed: Seed of the draws.

        Returns:
            int32 [batch_size, seq_length] and int32 [batch_size].

        Raises:
            ValueError: The text has no character after its first window.

        """

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
        """Build an RNN and train it on windows drawn with replacement.

        Args:
            indices: Indices of a text, int32 [length].
            num_chars: Number of different characters.
            num_batches: Number of steps.
            batch_size: Number of windows in a step.
            seq_length: Length of a window.
            learning_rate: Learning rate of Adam.
            seed: Seed of the initial parameters and of the windows.

        """

    def generate(self, parameters: Parameters, window: Array, *, temperature: float, count: int, seed: int) -> Array:
        """Continue a text: draw a character, append it to the window, drop the window's first, and repeat.

        Args:
            parameters: Parameters of an RNN.
            window: Window from which the first character is predicted, int32 [seq_length].
            temperature: Temperature of the softmax.
            count: Number of characters.
            seed: Seed of the draws.

        Returns:
            int32 [count].

        Raises:
            ValueError: The temperature is not a number above 0.

        """


class CartPole(NamedTuple):
    """Facts about the environment.

    Attributes:
        lowest: Smallest value of each number of a state, [4].
        highest: Largest value of each number of a state, [4].
        num_actions: Number of actions, which are numbered from 0.
        max_episode_steps: Number of steps after which an episode is cut off.

    """

    lowest: Array
    highest: Array
    num_actions: int
    max_episode_steps: int


class Episode(NamedTuple):
    """The steps of an episode from its start, up to its end or earlier.

    Attributes:
        states: Initial state, and the state after each step, [steps + 1, ...].
        rewards: Reward of each step, [steps].
        terminated: Whether the episode ended by itself in the step, bool [steps].
        truncated: Whether the limit of steps cut the episode off after the step, bool [steps].

    """

    states: Array
    rewards: Array
    terminated: Array
    truncated: Array

    @classmethod
    def record(
        cls,
        initial: Array,
        step: Callable[[int], tuple[Array, SupportsFloat, bool, bool]],
        choose: Callable[[Array], int | None],
    ) -> Episode:
        """Take steps until the actions or the episode end, for adapters of Gymnasium and similar libraries.

        Args:
            initial: First state, from `reset`.
            step: Function from an action to state, reward, terminated and truncated.
            choose: Function from a state to an action, or to None, which ends the recording.

        """
        states, taken = [initial], []
        while (action := choose(states[-1])) is not None:
            state, *rest = step(action)
            states.append(state)
            taken.append(rest)
            if any(rest[1:]):
                break
        rewards, terminated, truncated = np.array(taken, np.float32).reshape(-1, 3).T
        return cls(np.stack(states), rewards, terminated.astype(bool), truncated.astype(bool))


class Environments(Protocol):
    """CartPole-v1, and the game Breakout.

    A state of CartPole is position, velocity, angle and angular velocity. Action 0 pushes the cart to the left, where
    its position decreases, and action 1 to the right. At a positive angle the pole leans to the right.
    """

    def cart_pole(self) -> CartPole:
        """Describe CartPole."""

    def initial_states(self, count: int, seed: int) -> Array:
        """Reset one environment `count` times, the first time with the seed, and return its states: [count, 4]."""

    def steps(self, states: Array, actions: Array) -> tuple[Array, Array, Array]:
        """Take one step from each state, as the first step of an episode.

        Args:
            states: [n, 4], inside the bounds that end an episode.
            actions: Int32 [n].

        Returns:
            The next states [n, 4], the rewards [n], and whether the step ended the episode: bool [n].

        """

    def play(self, actions: Array, seed: int) -> Episode:
        """Reset with a seed, and take these actions, int32 [n], until the actions or the episode end."""

    def run_linear_policy(self, weights: Array, seed: int) -> Episode:
        """Reset with a seed and play to the end: push right if weights @ state is positive, else left.

        Args:
            weights: [4].
            seed: Seed of the reset.

        """

    def frames(self, actions: Array, seed: int) -> Array:
        """Play as `play` does, and render every state off screen: uint8 [steps + 1, height, width, 3]."""

    def sample_actions(self, count: int, seed: int) -> Array:
        """Sample actions from the environment's action space: int32 [count]."""

    def has_breakout(self) -> bool:
        """Whether the game is installed. If not, the next two functions are not called."""

    def breakout_actions(self) -> Sequence[str]:
        """Return the names of the game's actions, in their order."""

    def breakout(self, actions: Array, seed: int) -> Episode:
        """Play the game as `play` does CartPole; the states are frames, uint8 [steps + 1, height, width, 3]."""


class Transitions(NamedTuple):
    """Steps of an environment, from which an agent learns.

    Attributes:
        states: States before the steps, [n, ...].
        actions: Actions taken, int32 [n].
        rewards: Rewards, [n].
        next_states: States after the steps, [n, ...].
        dones: 1 if the step ended its episode by failure, else 0, [n].

    """

    states: Array
    actions: Array
    rewards: Array
    next_states: Array
    dones: Array


class Learnt(NamedTuple):
    """An agent after training.

    Attributes:
        scores: Number of each episode's last step, from 0, as the document's program prints it, int32 [num_episodes].
        losses: Loss of each batch before its step, [learning steps].
        parameters: Parameters after the last step.

    """

    scores: Array
    losses: Array
    parameters: Parameters


class Agent(Protocol):
    """Deep Q-learning: `q_network` on CartPole, and `q_cnn` on states made of frames.

    Arguments of the type `Transitions` may be plain tuples with its elements.
    """

    def epsilon(
        self, episode: int, *, num_exploration_episodes: int, initial_epsilon: float, final_epsilon: float
    ) -> float:
        """Return the probability of a random action in an episode, counted from 0."""

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Choose an action for each state, random with probability epsilon, else greedy: int32 [n]."""

    def replay(self, buffer_size: int, transitions: Transitions) -> Transitions:
        """Append transitions one by one to a new replay buffer, and return its content, the oldest first."""

    def sample(self, transitions: Transitions, batch_size: int, seed: int) -> Transitions:
        """Draw a batch without replacement from a replay buffer with these transitions."""

    def targets(self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float) -> Array:
        """Return the target y of each transition: [n]."""

    def loss_and_gradients(
        self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float
    ) -> tuple[Array, Parameters]:
        """Differentiate the mean squared difference between y and the value of the action that was taken."""

    def learn(
        self,
        model: QModelName,
        parameters: Parameters,
        transitions: Transitions,
        *,
        learning_rate: float,
        gamma: float,
    ) -> tuple[Array, Parameters]:
        """Learn from given batches, in their order, with a new Adam.

        Args:
            model: Name of the model.
            parameters: Parameters before the first step.
            transitions: Batches of transitions; each element is [steps, batch, ...].
            learning_rate: Learning rate of Adam.
            gamma: Discount factor.

        Returns:
            [steps]: the loss of each batch before its step; the parameters after the last.

        """

    def collect(self, parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Transitions:
        """Play CartPole with the Q-network, without learning.

        Returns:
            The transitions for the replay buffer, in order. Rewards are the environment's, but -10 for a failure.

        """

    def fit(
        self,
        *,
        num_episodes: int,
        num_exploration_episodes: int,
        initial_epsilon: float,
        final_epsilon: float,
        max_len_episode: int,
        buffer_size: int,
        batch_size: int,
        learning_rate: float,
        gamma: float,
        seed: int,
    ) -> Learnt:
        """Train a new Q-network on CartPole.

        Args:
            num_episodes: Number of episodes.
            num_exploration_episodes: Number of episodes in which epsilon decreases, as in `epsilon`.
            initial_epsilon: Epsilon of the first episode.
            final_epsilon: Smallest epsilon.
            max_len_episode: Number of steps after which an episode is left. This does not count as its end.
            buffer_size: Size of the replay buffer.
            batch_size: Number of transitions in a learning step. The agent does not learn while the buffer holds fewer,
                or after the end of an episode.
            learning_rate: Learning rate of Adam.
            gamma: Discount factor.
            seed: Seed of all random draws.

        """

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Play CartPole with the greedy policy, and return the sum of rewards of each episode: [num_episodes]."""

    def stack_frames(self, frames: Array, image_size: Pair) -> Array:
        """Combine frames into a state.

        Args:
            frames: Frames, the oldest first, uint8 [n, height, width, 3].
            image_size: Height and width after resizing, which is bilinear between the centres of pixels.

        Returns:
            `[*image_size, n]` between 0 and 1: the luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, of each frame.

        """


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


PROTOCOLS: dict[str, type] = {
    "ops": Ops,
    "models": Models,
    "training": Training,
    "datasets": Datasets,
    "applications": Applications,
    "flowers": Flowers,
    "text": Text,
    "environments": Environments,
    "agent": Agent,
    "keras": Keras,
}


class LazyImplementation:
    """An implementation that loads the module of a group when the group is first used.

    A subclass sets `modules`, which defines `groups` and an attribute for each group. In its module, the class of a
    group has the same name as the protocol here: `Ops` for `ops`.

    Attributes:
        modules: Full name of the module of each group.

    """

    modules: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        """Add to a class that sets `modules` an attribute for each of its groups that it does not define."""
        super().__init_subclass__()
        for group in cls.__dict__.get("modules", {}).keys() - cls.__dict__.keys():
            attribute = cached_property(partial(cls._load, group=group))
            attribute.__set_name__(cls, group)
            setattr(cls, group, attribute)

    @property
    def groups(self) -> Sequence[str]:
        """Names of the groups that the implementation has, from `GROUPS`."""
        return tuple(self.modules)

    def make(self, group: str, kind: Callable[..., Any]) -> Any:  # noqa: ANN401 - an object of the group's protocol
        """Make a group. A subclass overrides this if the group's class takes arguments.

        Args:
            group: Name of the group.
            kind: Class of the group.

        """
        del group
        return kind()

    def _load(self, *, group: str) -> Any:  # noqa: ANN401 - an object of the group's protocol
        return self.make(group, getattr(import_module(self.modules[group]), PROTOCOLS[group].__name__))
