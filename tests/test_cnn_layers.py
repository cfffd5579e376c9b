"""The layers of the convolutional network as Keras classes: lines 297 to 317 of the document."""

import numpy as np
import pytest

from assay.spec.error_bounds import measured_bounds
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import convolution
from assay.testing.assertions import (
    assert_close,
    assert_equal,
    assert_rejected,
    claim,
)
from assay.testing.cnn_problems import SHAPES, logits, problem_of


@claim("cnn.subclass")
def test_subclass(keras, seed):
    problem = problem_of(seed, batch=1)

    class CNN(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.conv1 = keras.namespace.layers.Conv2D(
                filters=32, kernel_size=[5, 5], padding="same", activation="relu"
            )
            self.pool1 = keras.namespace.layers.MaxPool2D(pool_size=[2, 2], strides=2)
            self.conv2 = keras.namespace.layers.Conv2D(
                filters=64, kernel_size=[5, 5], padding="same", activation="relu"
            )
            self.pool2 = keras.namespace.layers.MaxPool2D(pool_size=[2, 2], strides=2)
            self.flatten = keras.namespace.layers.Reshape(target_shape=(7 * 7 * 64,))
            self.dense1 = keras.namespace.layers.Dense(units=1024, activation="relu")
            self.dense2 = keras.namespace.layers.Dense(units=10)

        def call(self, inputs):
            x = self.pool1(self.conv1(inputs))
            x = self.pool2(self.conv2(x))
            return self.dense2(self.dense1(self.flatten(x)))

    model = CNN()
    model(keras.to_tensor(problem.inputs))
    model.set_weights([problem.parameters[name] for name in SHAPES])
    found = {"dense2": keras.to_numpy(model(keras.to_tensor(problem.inputs)))}
    assert_close("the model", found, logits(*map(to_float64, problem[1:])), measured_bounds.bounds(logits, *problem))


@claim("cnn.structure-may-change")
def test_structure_may_change(keras):
    found = keras.namespace.layers
    model = keras.namespace.Sequential(
        [
            found.Conv2D(filters=32, kernel_size=[5, 5], padding="same", activation="relu"),
            found.MaxPool2D(pool_size=[2, 2], strides=2),
            found.Reshape(target_shape=(14 * 14 * 32,)),
            found.Dense(units=10),
        ]
    )
    model(keras.to_tensor(np.zeros((1, 28, 28, 1), np.float32)))
    shapes = [np.shape(value) for value in model.get_weights()]
    assert shapes == [(5, 5, 1, 32), (32,), (6_272, 10), (10,)]


@claim("cnn.reshape-layer")
@pytest.mark.parametrize("shape", [(36,), (6, 6), (3, 12), (2, 3, 6)], ids=str)
def test_reshape_layer(keras, shape):
    inputs = np.arange(2 * 36, dtype=np.float32).reshape(2, 3, 4, 3)
    layer = keras.namespace.layers.Reshape(target_shape=shape)
    assert_equal("Reshape", keras.to_numpy(layer(keras.to_tensor(inputs))), inputs.reshape(2, *shape))


@claim("cnn.kernel-size")
@pytest.mark.parametrize("kernel_size", [[3, 5], (3, 5)])
def test_kernel_size(keras, kernel_size):
    layer = keras.namespace.layers.Conv2D(filters=2, kernel_size=kernel_size)
    layer.build((None, 28, 28, 1))
    assert tuple(layer.kernel.shape) == (3, 5, 1, 2)


@claim("cnn.padding-names")
@pytest.mark.parametrize("padding", ["vaild", "zeros"])
def test_padding_names(keras, padding):
    def build():
        keras.namespace.layers.Conv2D(filters=2, kernel_size=[5, 5], padding=padding)

    assert_rejected(f"padding={padding!r}", build)


@claim("cnn.pool-strides")
def test_pool_strides(keras, seed):
    # A window of 3, because with the document's 2 the layer moves by 2 even by default.
    images = np.random.default_rng(seed).random((1, 7, 9, 2), np.float32)
    layer = keras.namespace.layers.MaxPool2D(pool_size=[3, 3], strides=2)
    expected = convolution.max_pool2d(images, (3, 3), (2, 2))
    assert_equal("MaxPool2D", keras.to_numpy(layer(keras.to_tensor(images))), expected)
