"""Errata of convolutional networks and predefined ones: lines 287 to 479 of the document."""

import functools
import inspect

import numpy as np
import pytest

from assay.spec.vectors import read
from assay.testing.thresholds import threshold

from .marks import agrees, differs, erratum

IMAGE = np.arange(49, dtype=np.float32).reshape(1, 7, 7, 1)


def convolve(tf, image, window, padding="valid", strides=1, filters=1, **options):
    """Return what a convolution of ones gives."""
    layer = tf.keras.layers.Conv2D(
        filters, window, padding=padding, strides=strides, kernel_initializer="ones", **options
    )
    return layer(image).numpy()


@erratum("cnn.receptive-field-of-conv2")
def test_receptive_field_of_conv2(tf):
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.Conv2D(1, 5, padding="same", kernel_initializer="ones"),
            layers.MaxPool2D(2),
            layers.Conv2D(1, 5, padding="same", kernel_initializer="ones"),
        ]
    )
    image = np.zeros((1, 56, 56, 1), np.float32)
    image[0, 28, 28] = 1
    # An output that sees the pixel is not 0, and its row tells the extent of the field.
    rows = np.flatnonzero(model(image).numpy()[0, :, :, 0].any(axis=1))
    printed, holds = 5, 14
    reached = len(rows) * 2
    assert reached > printed + 1
    assert reached == holds


@erratum("cnn.padding-names")
def test_padding_names(tf):
    printed = "vaild"
    with pytest.raises(ValueError):  # noqa: PT011 - its words depend on the release
        tf.keras.layers.Conv2D(1, 3, padding=printed)
    assert tf.keras.layers.Conv2D(1, 3, padding="valid")


@erratum("cnn.dropout-trains-nothing")
def test_dropout_trains_nothing(tf, keras3):
    model = tf.keras.Sequential([tf.keras.layers.Dropout(0.5), tf.keras.layers.Dense(1)])
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_sum(model(np.ones((2, 3), np.float32), training=True))
    variables = [getattr(one, "value", one) for one in model.variables]
    printed = tape.gradient(loss, variables)
    assert None in printed
    assert None not in tape.gradient(loss, model.trainable_variables)
    assert len(model.trainable_variables) == 2


@erratum("cnn.dropout-default-mode")
def test_dropout_default_mode(tf):
    layer, ones = tf.keras.layers.Dropout(0.5), np.ones((10, 10), np.float32)
    printed = layer(ones, training=True).numpy()
    assert differs(printed, layer(ones))
    assert agrees(ones, layer(ones))


@erratum("cnn.printed-accuracy")
def test_printed_accuracy():
    printed = 0.9881
    one, five = threshold("cnn_one_epoch").limits(), threshold("cnn_five_epochs").limits()
    assert printed < five.mean
    assert one.lower <= printed <= one.upper


@erratum("applications.resnet-names")
def test_resnet_names(tf):
    printed = "ResNet"
    assert not hasattr(tf.keras.applications, printed)
    assert all(hasattr(tf.keras.applications, f"ResNet{depth}") for depth in (50, 101, 152))


@erratum("applications.input-shape-default")
def test_input_shape_default(tf):
    printed = (224, 224, 3)
    default = inspect.signature(tf.keras.applications.MobileNetV2).parameters["input_shape"].default
    assert default != printed
    assert default is None
    assert tf.keras.applications.MobileNetV2(weights=None).input_shape == (None, *printed)


def is_accepted(network, size):
    """Whether a network takes images of a size."""
    try:
        network(weights=None, include_top=False, input_shape=(*size, 3))
    except ValueError:
        return False
    return True


@erratum("applications.smallest-size")
def test_smallest_size(tf):
    # Read as it is printed, the least height is 32 and the least width 3275.
    printed = (32, 3275)
    assert is_accepted(tf.keras.applications.MobileNet, (32, 32))
    assert printed[1] > 32
    assert not is_accepted(tf.keras.applications.InceptionV3, (32, 32))
    assert is_accepted(tf.keras.applications.InceptionV3, (75, 75))


@erratum("applications.other-smallest-size")
def test_other_smallest_size(tf):
    printed = 32
    assert not is_accepted(tf.keras.applications.Xception, (printed, printed))
    assert not is_accepted(tf.keras.applications.Xception, (70, 71))
    assert is_accepted(tf.keras.applications.Xception, (71, 71))


@erratum("applications.imagenet-size")
def test_imagenet_size(tf):
    printed = (64, 64, 3)
    with pytest.raises(ValueError):  # noqa: PT011 - its words depend on the release
        tf.keras.applications.VGG16(weights="imagenet", input_shape=printed)
    assert tf.keras.applications.MobileNet(weights=None, input_shape=printed).input_shape == (None, *printed)


@erratum("applications.classes-without-top")
def test_classes_without_top(tf):
    # The document asks for include_top=True wherever classes is given.
    printed = {"include_top": False, "classes": 5}
    make = functools.partial(tf.keras.applications.MobileNet, weights=None, input_shape=(32, 32, 3))
    assert make(**printed).output_shape == (None, 1, 1, 1024)
    assert make(include_top=False).output_shape == (None, 1, 1, 1024)
    assert make(classes=printed["classes"]).output_shape == (None, 5)


@erratum("applications.classes-with-file")
def test_classes_with_file(tf, tmp_path):
    # The document asks for weights=None wherever classes is given, and knows no weights but ImageNet's.
    file = str(tmp_path / "five.weights.h5")
    options = {"input_shape": (32, 32, 3), "classes": 5}
    tf.keras.applications.MobileNet(weights=None, **options).save_weights(file)
    printed = {None, "imagenet"}
    assert file not in printed
    assert tf.keras.applications.MobileNet(weights=file, **options).output_shape == (None, 5)


@erratum("training_flag.frozen-layer")
def test_frozen_layer(tf):
    layer = tf.keras.layers.BatchNormalization(trainable=False)
    inputs = np.arange(6, dtype=np.float32).reshape(3, 2)
    found = layer(inputs, training=True).numpy()
    printed = tf.keras.layers.BatchNormalization()(inputs, training=True).numpy()
    assert differs(printed, found)
    assert agrees(layer(inputs, training=False), found)


@erratum("training_flag.fit-trains")
def test_fit_trains(tf):
    model = tf.keras.Sequential([tf.keras.layers.BatchNormalization()])
    model.compile("sgd", "mse")
    inputs = np.ones((4, 2), np.float32)
    # Nobody has set a training state.
    printed = np.zeros(2)
    model.fit(inputs, inputs, epochs=1, verbose=0)
    assert differs(printed, model.layers[0].moving_mean)
    assert agrees(np.full(2, 0.01), model.layers[0].moving_mean)


@erratum("training_flag.no-learning-phase")
def test_no_learning_phase(tf, keras3):
    printed = "set_learning_phase"
    assert not hasattr(tf.keras.backend, printed)
    layer, inputs = tf.keras.layers.BatchNormalization(), np.arange(6, dtype=np.float32).reshape(3, 2)
    assert differs(layer(inputs, training=True), layer(inputs, training=False))


@erratum("flowers.shuffle-window")
def test_shuffle_window(tf):
    count, buffer = 3670, 1024
    order = np.array([*tf.data.Dataset.range(count).shuffle(buffer, seed=0).as_numpy_iterator()])
    early = (order - np.arange(count)).max()
    printed = count - 1
    assert early < printed / 2
    assert early < buffer


@erratum("convolution.second-output")
def test_second_output():
    example = read("convolution")
    image, weights, bias = (np.array(example[name]) for name in ("image", "W", "b"))
    window = image[0:3, 1:4] * weights
    holds = (window.sum() + bias).item()
    printed = (window.sum() + bias - window[2, 2] + 1 * weights[2, 2]).item()
    assert printed != holds
    assert holds == example["A"][0][1] == 5


@erratum("convolution.not-flipped")
def test_not_flipped(tf):
    image = np.zeros((1, 3, 3, 1), np.float32)
    image[0, 0, 0] = 1
    kernel = np.arange(9, dtype=np.float32).reshape(3, 3, 1, 1)
    found = tf.nn.conv2d(image, kernel, 1, "VALID").numpy().item()
    printed = kernel[::-1, ::-1][0, 0].item()
    assert found != printed
    assert found == kernel[0, 0].item()


@erratum("convolution.axes")
def test_axes(tf):
    image = np.ones((1, 2, 3, 1), np.float32)
    found = convolve(tf, image, (1, 3)).shape
    printed = (1, *np.array([2, 3]) - np.array([3, 1]) + 1, 1)
    assert found != tuple(printed)
    assert found == (1, 2, 1, 1)


@erratum("convolution.kernel-initializer")
def test_kernel_initializer(tf):
    printed = np.array([read("convolution")["W"]], np.float32)
    asked = []

    def record(shape, dtype=None, **_options):
        asked.append(tuple(shape))
        return tf.reshape(tf.constant(printed), shape)

    tf.keras.layers.Conv2D(1, [3, 3], kernel_initializer=record)(IMAGE)
    assert printed.shape not in asked
    assert asked == [(3, 3, 1, 1)]


@erratum("convolution.one-bias-for-all-channels")
def test_one_bias_for_all_channels(tf):
    black = np.zeros((1, 3, 3, 3), np.float32)
    found = convolve(tf, black, 3, bias_initializer="ones").item()
    printed = 3
    assert found != printed
    assert found == 1


@erratum("convolution.valid-size")
def test_valid_size(tf):
    printed = 5
    assert convolve(tf, IMAGE, 5).shape[1] != printed
    sizes = {window: convolve(tf, IMAGE, window).shape[1] for window in (1, 2, 3, 5)}
    assert sizes == {1: 7, 2: 6, 3: printed, 5: 3}


@erratum("convolution.same-size-with-strides")
def test_same_size_with_strides(tf):
    printed = IMAGE.shape
    assert convolve(tf, IMAGE, 3, "same", 2).shape != printed
    assert convolve(tf, IMAGE, 3, "same", 2).shape == (1, 4, 4, 1)
    assert convolve(tf, IMAGE, 3, "same").shape == printed


@erratum("convolution.pooling-without-downsampling")
def test_pooling_without_downsampling(tf):
    images = np.ones((1, 16, 16, 3), np.float32)
    layers = tf.keras.layers
    printed = layers.MaxPool2D(2)(images).shape
    found = layers.MaxPool2D(2, strides=1, padding="same")(images).shape
    assert found != printed
    assert found == images.shape
