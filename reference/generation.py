"""Text generation, character by character, in one compiled function.

A drawn character is the next one of all windows that contain it, as many as a window is long. So one step of the cell
for a batch of these windows replaces running each window from its start, which would take that many steps. The window
that a character completes predicts the next character, and makes room for one that begins there.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from assay.reference.layers import UNITS
from assay.reference.recurrence import scale_gates, step

# From this product of the lengths of text and window on, XLA is used, which compiles once for each length.
XLA_FROM = 3_000


def continue_text(
    parameters: dict[str, tf.Tensor], window: tf.Tensor, temperature: tf.Tensor, noise: tf.Tensor
) -> tf.Tensor:
    """Continue a text.

    Args:
        parameters: Parameters of the RNN.
        window: int32 [seq_length].
        temperature: Temperature, above 0.
        noise: Float64 [count], drawn evenly from [0, 1).

    Returns:
        int32 [count].

    """
    if len(window) * len(noise) >= XLA_FROM:
        return _compiled(parameters, window, temperature, noise)
    return _traced(parameters, window, temperature, noise)


def _continue(
    parameters: dict[str, tf.Tensor], window: tf.Tensor, temperature: tf.Tensor, noise: tf.Tensor
) -> tf.Tensor:
    # Python numbers if known, because XLA needs them.
    length, count = (tf.shape(each)[0] if each.shape[0] is None else each.shape[0] for each in (window, noise))
    rows = scale_gates(parameters["cell/kernel"] + parameters["cell/bias"])
    recurrent_kernel = scale_gates(parameters["cell/recurrent_kernel"])
    # One row for each unfinished window.
    zeros = tf.zeros([length, recurrent_kernel.shape[0]])

    # Tensors, as loop variables must be.
    def advance(t: Any, character: Any, hidden: Any, carry: Any, text: Any) -> tuple[Any, ...]:
        begins = (tf.range(length) == t % length)[:, None]
        hidden, carry = (tf.where(begins, 0.0, state) for state in (hidden, carry))
        hidden, carry, _ = step(rows[character] + tf.matmul(hidden, recurrent_kernel), carry)
        # The row that has seen a whole window starts again.
        logits = tf.linalg.matvec(parameters["dense/kernel"], hidden[(t + 1) % length], transpose_a=True)
        drawn = _draw((logits + parameters["dense/bias"]) / temperature, noise[tf.maximum(t + 1 - length, 0)])
        # Until the first window is complete, drawn characters are overwritten.
        text = text.write(tf.maximum(t + 1 - length, 0), drawn)
        return t + 1, tf.where(t + 1 < length, window[tf.minimum(t + 1, length - 1)], drawn), hidden, carry, text

    start = (0, window[0], zeros, zeros, tf.TensorArray(tf.int32, count, element_shape=[]))
    *_, text = tf.while_loop(lambda t, *_: t < length - 1 + count, advance, start)
    return text.stack()


def _draw(logits: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Return the class by inverting the cumulative distribution at the random number."""
    ends = tf.cumsum(tf.nn.softmax(tf.cast(logits, tf.float64)))
    passed = tf.reduce_sum(tf.cast(ends <= noise * ends[-1], tf.int32))
    return tf.minimum(passed, tf.shape(logits)[0] - 1)


_compiled = tf.function(_continue, jit_compile=True)
# Traced once for all lengths and numbers of characters.
_traced = tf.function(
    _continue,
    input_signature=[
        {
            "cell/kernel": tf.TensorSpec([None, 4 * UNITS]),
            "cell/recurrent_kernel": tf.TensorSpec([UNITS, 4 * UNITS]),
            "cell/bias": tf.TensorSpec([4 * UNITS]),
            "dense/kernel": tf.TensorSpec([UNITS, None]),
            "dense/bias": tf.TensorSpec([None]),
        },
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([]),
        tf.TensorSpec([None], tf.float64),
    ],
)
