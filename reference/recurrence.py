"""An LSTM over one-hot inputs whose gradient is written by hand: what Keras differentiates takes half as long again.

One-hot times kernel is a look-up of rows. The loop over time saves what the gates do to a gradient while they are at
hand, one array for each factor, so that the loop back reads whole blocks of memory and has little to do beside its
product. The gradients of both kernels are products and sums of rows over all times together, after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Sequence

# sigmoid(x) is tanh(x / 2) / 2 + 1/2, and so one tanh serves all four gates: input, forget, candidate, output.
SCALE, OFFSET = np.float32([0.5, 0.5, 1, 0.5]), np.float32([0.5, 0.5, 0, 0.5])


def scaled(weights: tf.Tensor) -> tf.Tensor:
    """Prepare kernels or biases, [..., 4 units], for `step`."""
    return weights * np.repeat(SCALE, weights.shape[-1] // 4)


class Gates(NamedTuple):
    """The gates of a step, each [batch, units]."""

    write: tf.Tensor
    keep: tf.Tensor
    candidate: tf.Tensor
    read: tf.Tensor


def step(sums: tf.Tensor, carry: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, Gates]:
    """Do what follows the products of a cell.

    Args:
        sums: [batch, 4 units], of products with scaled kernels.
        carry: [batch, units].

    Returns:
        tanh of the carry after the step, which the read gate makes the hidden state of; that carry; and the gates.

    """
    units = carry.shape[-1]
    gates = tf.tanh(sums) * np.repeat(SCALE, units) + np.repeat(OFFSET, units)
    write, keep, candidate, read = tf.split(gates, 4, axis=-1)
    carry = keep * carry + write * candidate
    return tf.tanh(carry), carry, Gates(write, keep, candidate, read)


@tf.custom_gradient
def last_output(tokens: tf.Tensor, kernel: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor) -> Any:
    """Run the cell over a batch from a state of zeros.

    Args:
        tokens: int32 [batch, time]: which element of each one-hot vector is 1.
        kernel: [input_dim, 4 units].
        recurrent_kernel: [units, 4 units].
        bias: [4 units].

    Returns:
        The last hidden state, [batch, units], and the function that takes its gradient back.

    """
    (batch, time), units = tokens.shape, recurrent_kernel.shape[0]
    tokens = tf.transpose(tokens)
    rows, weights = scaled(kernel + bias), scaled(recurrent_kernel)
    zeros = tf.zeros([batch, units])

    def arrays(count: int) -> list[tf.TensorArray]:
        return [tf.TensorArray(tf.float32, time, element_shape=[batch, units]) for _ in range(count)]

    def write(into: Sequence[tf.TensorArray], t: tf.Tensor, values: Sequence[tf.Tensor]) -> list[tf.TensorArray]:
        return [array.write(t, value) for array, value in zip(into, values, strict=True)]

    def forward(t, hidden, carry, saved):  # noqa: ANN001, ANN202 - tensors, as the loop below hands them over
        sums = tf.gather(rows, tokens[t]) + tf.matmul(hidden, weights)
        squashed, following, gate = step(sums, carry)
        by_sums = (
            gate.candidate * gate.write * (1 - gate.write),
            carry * gate.keep * (1 - gate.keep),
            gate.write * (1 - gate.candidate**2),
            squashed * gate.read * (1 - gate.read),
        )
        saved = write(saved, t, (hidden, gate.keep, gate.read * (1 - squashed**2), *by_sums))
        return t + 1, gate.read * squashed, following, saved

    _, hidden, _, saved = tf.while_loop(lambda t, *_: t < time, forward, (0, zeros, zeros, arrays(7)))
    hidden_before, keep, through, *by_sums = (array.stack() for array in saved)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        # Transposed once: as part of each product it would cost as much as the product.
        transposed = tf.transpose(recurrent_kernel)

        def backward(t, to_hidden, to_carry, saved):  # noqa: ANN001, ANN202 - likewise
            to_carry = to_carry + to_hidden * through[t]
            to_sums = [to * by[t] for to, by in zip((to_carry, to_carry, to_carry, to_hidden), by_sums, strict=True)]
            return t - 1, tf.matmul(tf.concat(to_sums, 1), transposed), to_carry * keep[t], write(saved, t, to_sums)

        start = (time - 1, upstream, zeros, arrays(4))
        *_, saved = tf.while_loop(lambda t, *_: t >= 0, backward, start)
        to_sums = [tf.reshape(array.stack(), [time * batch, units]) for array in saved]
        which, before = tf.reshape(tokens, [-1]), tf.reshape(hidden_before, [time * batch, units])
        # One product for each gate: XLA shares these out better than the rows of one.
        to_kernel = tf.concat([tf.math.unsorted_segment_sum(to, which, kernel.shape[0]) for to in to_sums], 1)
        to_recurrent = tf.concat([tf.matmul(before, to, transpose_a=True) for to in to_sums], 1)
        return None, to_kernel, to_recurrent, tf.reduce_sum(to_kernel, 0)

    return hidden, gradient
