"""An LSTM over one-hot inputs with a hand-written gradient; Keras's takes half as long again.

The product of one-hot vectors and the kernel is a look-up of rows. The loop over time saves the gates. The backward
loop omits what can be done for all times together afterwards: both kernels' gradients are one product or sum of rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

# sigmoid(x) is tanh(x / 2) / 2 + 1/2, so a single tanh computes all four gates: input, forget, candidate, output.
SCALE = np.array([0.5, 0.5, 1, 0.5], np.float32)
OFFSET = np.array([0.5, 0.5, 0, 0.5], np.float32)


def scale_gates(weights: tf.Tensor) -> tf.Tensor:
    """Prepare kernels or biases, [..., 4 units], for `step`."""
    return weights * np.repeat(SCALE, weights.shape[-1] // 4)


def step(sums: tf.Tensor, carry: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Compute a step of the cell from the sums of products.

    Args:
        sums: Sums of products with scaled kernels, [batch, 4 units].
        carry: Carry before the step, [batch, units].

    Returns:
        Hidden and carry after the step, and the four gates, concatenated.

    """
    units = carry.shape[-1]
    gates = tf.tanh(sums) * np.repeat(SCALE, units) + np.repeat(OFFSET, units)
    write, keep, candidate, read = tf.split(gates, 4, axis=-1)
    carry = keep * carry + write * candidate
    return read * tf.tanh(carry), carry, gates


@tf.custom_gradient
def last_output(tokens: tf.Tensor, kernel: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor) -> Any:
    """Run the cell over a batch, starting from a state of zeros.

    Args:
        tokens: Index of the 1 in each one-hot vector, int32 [batch, time].
        kernel: [input_dim, 4 units].
        recurrent_kernel: [units, 4 units].
        bias: [4 units].

    Returns:
        The last hidden state, [batch, units], and the function that backpropagates its gradient.

    """
    known, units = tokens.shape, recurrent_kernel.shape[0]
    # Python numbers if known, because XLA needs them.
    batch, time = (tf.shape(tokens)[axis] if size is None else size for axis, size in enumerate(known))
    tokens = tf.transpose(tokens)
    rows, weights = scale_gates(kernel + bias), scale_gates(recurrent_kernel)

    # Tensors, as loop variables must be.
    def forward(t: Any, hidden: Any, carry: Any, gates: Any, carries: Any) -> tuple[Any, ...]:
        hidden, carry, gate = step(tf.gather(rows, tokens[t]) + tf.matmul(hidden, weights), carry)
        return t + 1, hidden, carry, gates.write(t, gate), carries.write(t, carry)

    def array(size: int) -> tf.TensorArray:
        return tf.TensorArray(tf.float32, time, element_shape=[known[0], size])

    zeros = tf.zeros([batch, units])
    start = (0, zeros, zeros, array(4 * units), array(units))
    _, hidden, _, gates, carries = tf.while_loop(lambda t, *_: t < time, forward, start)
    gates, carries = gates.stack(), carries.stack()

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        write, keep, candidate, read = tf.split(gates, 4, axis=2)
        squashed = tf.tanh(carries)
        first = tf.zeros([1, batch, units])
        hidden_before, carry_before = (tf.concat([first, states[:-1]], 0) for states in (read * squashed, carries))
        by_carry = [candidate * write * (1 - write), carry_before * keep * (1 - keep), write * (1 - candidate**2)]
        factors = tf.concat([*by_carry, squashed * read * (1 - read)], 2)
        through = read * (1 - squashed**2)
        # Transposed once, since transposing within each product would cost as much as the product.
        transposed = tf.transpose(recurrent_kernel)

        def backward(t: Any, to_hidden: Any, to_carry: Any, sums: Any) -> tuple[Any, ...]:
            to_carry = to_carry + to_hidden * through[t]
            to_sums = tf.concat([to_carry, to_carry, to_carry, to_hidden], 1) * factors[t]
            return t - 1, tf.matmul(to_sums, transposed), to_carry * keep[t], sums.write(t, to_sums)

        start = (time - 1, upstream, tf.zeros_like(upstream), array(4 * units))
        *_, sums = tf.while_loop(lambda t, *_: t >= 0, backward, start)
        flat = tf.reshape(sums.stack(), [-1, 4 * units])
        to_kernel = tf.math.unsorted_segment_sum(flat, tf.reshape(tokens, [-1]), kernel.shape[0])
        # In two halves, which XLA computes in parallel; it parallelises a single product less well.
        halves = tf.split(tf.reshape(hidden_before, [-1, units]), 2, axis=1)
        to_recurrent = tf.concat([tf.matmul(half, flat, transpose_a=True) for half in halves], 0)
        return None, to_kernel, to_recurrent, tf.reduce_sum(to_kernel, 0)

    return hidden, gradient
