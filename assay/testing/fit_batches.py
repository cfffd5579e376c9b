"""Which examples each batch of Keras's `fit` holds, read from the weights after the training."""

from __future__ import annotations

import numpy as np

from assay.adapters.proxy import GroupProxy


def read_batches(keras: GroupProxy, count: int, batch_size: int, epochs: int) -> list[list[frozenset[int]]]:
    """Train with the default order of examples, and return the examples of each batch in each epoch.

    There is one weight for each example. A step divides all weights by a base, and adds a digit to those whose examples
    are in the batch. So the digits of a weight show its batches.

    Args:
        keras: Group `keras` of the implementation.
        count: Number of examples.
        batch_size: Number of examples in a batch. The last batch of an epoch may have half as many.
        epochs: Number of epochs. A float32 number has 24 binary digits: one for each step, or two if the last batch is
            smaller, and those of the batch size.

    """
    is_whole = count % batch_size == 0
    base, batches = (2 if is_whole else 4), -(-count // batch_size)
    steps = epochs * batches
    # A power of 2, by which the mean over the outputs can be divided exactly.
    units = 2 ** int(np.ceil(np.log2(count)))
    layer = keras.namespace.layers.Dense(units, use_bias=False, kernel_initializer="zeros")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    optimizer = keras.namespace.optimizers.SGD(learning_rate=units * (base - 1) / (2 * base))
    model.compile(optimizer=optimizer, loss="mean_squared_error", run_eagerly=True)
    targets = batch_size * np.eye(count, units, dtype=np.float32)
    model.fit(np.ones((count, 1), np.float32), targets, batch_size=batch_size, epochs=epochs, verbose=0)
    weights = keras.to_numpy(layer.kernel)[0].astype(np.float64)
    numbers = np.round(weights * float(base) ** steps / (base - 1)).astype(np.int64)
    found = [frozenset(np.flatnonzero(numbers // base**step % base)[:count].tolist()) for step in range(steps)]
    return [found[start : start + batches] for start in range(0, steps, batches)]
