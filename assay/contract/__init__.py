"""The functions that an implementation can provide: NumPy arrays and plain Python values in and out.

Floating-point arrays are float32 and integer arrays int32, in and out, unless a function says otherwise. An
implementation declares the groups that it has. Claims that need another group are *unsupported*. So are claims that
need a function or a model in the optional attribute `unsupported`, such as `("ops.lstm", "models.rnn")`. A group with
such an exception does not count as one that the implementation has. Any other function that is missing in a declared
group makes claims fail. A function must neither change its arguments nor keep references to them: the caller may
reuse an array or a dictionary for other values after the call. An array may be a view that is transposed, sliced with
a step, broadcast or read-only: only its values count, not its memory layout. Arrays whose shapes do not fit together
are an error, and any exception will do.

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

from assay.contract.agent import Agent, Learnt, QModelName, Transitions
from assay.contract.applications import Applications, Architecture, NetworkName
from assay.contract.arrays import FLOAT, INT, Activation, Array, Padding, Pair, Parameters
from assay.contract.datasets import Datasets
from assay.contract.environments import CartPole, Environments, Episode
from assay.contract.flowers import Flowers, FlowersInfo
from assay.contract.implementation import GROUPS, PROTOCOLS, Implementation, LazyImplementation
from assay.contract.keras import Keras
from assay.contract.models import ModelName, Models
from assay.contract.ops import Ops
from assay.contract.text import EncodedText, Text
from assay.contract.training import Trained, Training

__all__ = [
    "FLOAT",
    "GROUPS",
    "INT",
    "PROTOCOLS",
    "Activation",
    "Agent",
    "Applications",
    "Architecture",
    "Array",
    "CartPole",
    "Datasets",
    "EncodedText",
    "Environments",
    "Episode",
    "Flowers",
    "FlowersInfo",
    "Implementation",
    "Keras",
    "LazyImplementation",
    "Learnt",
    "ModelName",
    "Models",
    "NetworkName",
    "Ops",
    "Padding",
    "Pair",
    "Parameters",
    "QModelName",
    "Text",
    "Trained",
    "Training",
    "Transitions",
]
