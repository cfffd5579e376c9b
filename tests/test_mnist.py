"""The data of the MLP: lines 111 to 158 of the document."""

import hashlib
import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from assay.contract import INT
from assay.datasets.data import MNIST_SHA256
from assay.spec.error_bounds import rounding
from assay.spec.semantics import datasets as definition
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.strategies import seeds
from assay.testing.thresholds import FALSE_ALARM, chance_of_counts

raw_images = hnp.arrays(np.uint8, st.sampled_from([(1, 2, 3), (3, 4, 4)]))
# Five examples that are all different, each with its own label.
IMAGES = np.arange(5 * 2 * 2 * 1, dtype=np.float32).reshape(5, 2, 2, 1)
LABELS = np.array([10, 11, 12, 13, 14], np.int32)


def labels_for(images):
    """Return as many labels as there are images."""
    return np.arange(len(images), dtype=np.uint8)


def positions(images):
    """Tell which of `IMAGES` each image of a batch is, or -1 if none."""
    same = (images.reshape(len(images), 1, -1) == IMAGES.reshape(1, len(IMAGES), -1)).all(axis=-1)
    return np.where(same.any(axis=1), same.argmax(axis=1), -1)


@claim("mnist.modules")
@pytest.mark.parametrize("name", ["Model", "layers", "losses", "optimizers", "metrics", "datasets"])
def test_modules(keras, name):
    assert hasattr(keras.namespace, name), f"the namespace has no {name}"


@claim("mnist.ten-digits")
@pytest.mark.parametrize("part", ["y_train", "y_test"])
def test_ten_digits(mnist, part):
    assert np.unique(getattr(mnist, part)).tolist() == list(range(10))


@claim("mnist.loader")
def test_loader(keras):
    load_data = keras.namespace.datasets.mnist.load_data
    assert inspect.signature(load_data).parameters["path"].default == "mnist.npz"


@claim("mnist.two-parts")
def test_two_parts(mnist):
    parts = (mnist.x_train, mnist.y_train), (mnist.x_test, mnist.y_test)
    assert [len(images) == len(labels) for images, labels in parts] == [True, True]


@claim("mnist.raw-images")
@pytest.mark.parametrize("part", ["x_train", "x_test"])
def test_raw_images(mnist, part):
    images = getattr(mnist, part)
    assert (images.dtype, images.min(), images.max()) == (np.uint8, 0, 255)


@claim("mnist.raw-labels")
@pytest.mark.parametrize(("labels", "count"), [("y_train", 60_000), ("y_test", 10_000)])
def test_raw_labels(mnist, labels, count):
    assert_form(labels, getattr(mnist, labels), (count,), np.dtype(np.uint8))


@claim("mnist.scaled")
@given(images=raw_images)
def test_scaled(datasets, images):
    expected, _ = definition.preprocess(images, labels_for(images))
    scaled, _ = datasets.preprocess(images, labels_for(images))
    assert_within("the images", scaled, expected, rounding.quotient(expected))


@claim("mnist.scaled-range")
def test_scaled_range(datasets):
    images = np.array([[[0, 255]]], np.uint8)
    scaled, _ = datasets.preprocess(images, labels_for(images))
    assert_equal("0 and 255", scaled, np.array([[[[0.0], [1.0]]]]))


@claim("mnist.float32-images")
def test_float32_images(datasets):
    images = np.zeros((2, 3, 4), np.uint8)
    scaled, _ = datasets.preprocess(images, labels_for(images))
    assert scaled.dtype == np.float32, f"the images are {scaled.dtype}"


@claim("mnist.channel-axis")
@given(images=raw_images)
def test_channel_axis(datasets, images):
    scaled, _ = datasets.preprocess(images, labels_for(images))
    assert_form("the images", scaled, (*images.shape, 1))


@claim("mnist.pixels-stay")
@given(images=raw_images)
def test_pixels_stay(datasets, images):
    scaled, _ = datasets.preprocess(images, labels_for(images))
    # 255 levels are far apart: rounding to the nearest undoes the scaling.
    assert_equal("the images times 255", np.rint(scaled[..., 0] * 255), images)


@claim("mnist.train-shape")
def test_train_shape(datasets, mnist):
    images, _ = datasets.preprocess(mnist.x_train, mnist.y_train)
    assert_form("the training images", images, (60_000, 28, 28, 1))


@claim("mnist.test-shape")
def test_test_shape(datasets, mnist):
    images, _ = datasets.preprocess(mnist.x_test, mnist.y_test)
    assert_form("the test images", images, (10_000, 28, 28, 1))


@claim("mnist.train-labels")
def test_train_labels(datasets, mnist):
    _, labels = datasets.preprocess(mnist.x_train, mnist.y_train)
    assert_form("the training labels", labels, (60_000,), INT)


@claim("mnist.test-labels")
def test_test_labels(datasets, mnist):
    _, labels = datasets.preprocess(mnist.x_test, mnist.y_test)
    assert_form("the test labels", labels, (10_000,), INT)


@claim("mnist.labels-stay")
@given(labels=hnp.arrays(np.uint8, 5, elements=st.integers(0, 9)))
def test_labels_stay(datasets, labels):
    _, converted = datasets.preprocess(np.zeros((5, 2, 2), np.uint8), labels)
    assert_equal("the labels", converted, labels, INT)


@claim("mnist.counts")
def test_counts(mnist):
    assert (mnist.x_train.shape, mnist.x_test.shape) == ((60_000, 28, 28), (10_000, 28, 28))


@claim("mnist.numpy-arrays")
def test_numpy_arrays(datasets):
    made = (
        *datasets.preprocess(np.zeros((5, 2, 2), np.uint8), LABELS.astype(np.uint8)),
        *datasets.sample_batch(IMAGES, LABELS, 5, 0),
    )
    assert [type(array) for array in made] == [np.ndarray] * 4


@claim("mnist.batch-size")
@given(batch_size=st.sampled_from([1, 5, 50]), seed=seeds())
def test_batch_size(datasets, batch_size, seed):
    images, labels = datasets.sample_batch(IMAGES, LABELS, batch_size, seed)
    assert (len(images), len(labels)) == (batch_size, batch_size)


@claim("mnist.batch-from-data")
@given(seed=seeds())
def test_batch_from_data(datasets, seed):
    images, _ = datasets.sample_batch(IMAGES, LABELS, 5, seed)
    assert (positions(images) >= 0).all(), f"an image of the batch is none of the data set: {images}"


@claim("mnist.batch-pairs")
@given(seed=seeds())
def test_batch_pairs(datasets, seed):
    images, labels = datasets.sample_batch(IMAGES, LABELS, 5, seed)
    assert_equal("the labels of the batch", labels, LABELS[positions(images)], INT)


@claim("mnist.batch-form")
@given(seed=seeds())
def test_batch_form(datasets, seed):
    images, labels = datasets.sample_batch(IMAGES, LABELS, 3, seed)
    assert_form("the images of a batch of 3", images, (3, *IMAGES.shape[1:]))
    assert_form("the labels of a batch of 3", labels, (3,), INT)


# How many draws leave out one of five examples with a probability of at most FALSE_ALARM: 5 (4/5)^n.
DRAWS = int(np.ceil(np.log(FALSE_ALARM / 5) / np.log(4 / 5)))


@claim("mnist.every-index")
def test_every_index(datasets, seed):
    images, _ = datasets.sample_batch(IMAGES, LABELS, DRAWS, seed)
    drawn = np.unique(positions(images)).tolist()
    assert drawn == list(range(5)), f"drawn are the examples {drawn} of 0 to 4"


@claim("mnist.uniform-draws")
def test_uniform_draws(datasets, seed):
    images, _ = datasets.sample_batch(IMAGES, LABELS, 5000, seed)
    counts = [int((positions(images) == one).sum()) for one in range(5)]
    probability = chance_of_counts(counts)
    assert probability > FALSE_ALARM, f"even draws are as uneven as {counts} with a probability of {probability:.3g}"


@claim("mnist.with-replacement")
@given(seed=seeds())
def test_with_replacement(datasets, seed):
    images, _ = datasets.sample_batch(IMAGES, LABELS, 2 * len(IMAGES), seed)
    assert_form("a batch of twice as many images as there are", images, (2 * len(IMAGES), *IMAGES.shape[1:]))


@claim("mnist.batches-differ")
def test_batches_differ(datasets, seed):
    # Two batches of that many agree in every draw with a probability of 5^-n, far below the false alarm's.
    first, second = (positions(datasets.sample_batch(IMAGES, LABELS, DRAWS, one)[0]) for one in (seed, seed + 1))
    assert (first != second).any(), f"the seeds {seed} and {seed + 1} draw the same batch"


@claim("mnist.data-unchanged")
@given(seed=seeds())
def test_data_unchanged(datasets, seed):
    images, labels = IMAGES.copy(), LABELS.copy()
    datasets.sample_batch(images, labels, 5, seed)
    assert_equal("the images", images, IMAGES)
    assert_equal("the labels", labels, LABELS, INT)


@claim("mnist.archive-content")
def test_archive_content(mnist):
    content = b"".join(array.tobytes() for array in (mnist.x_train, mnist.y_train, mnist.x_test, mnist.y_test))
    assert hashlib.sha256(content).hexdigest() == MNIST_SHA256


@claim("mnist.cache-folder")
def test_cache_folder(keras):
    get_file = keras.namespace.utils.get_file
    assert inspect.signature(get_file).parameters["cache_subdir"].default == "datasets"


@claim("mnist.image-axes")
def test_image_axes(datasets):
    images = np.zeros((2, 28, 28), np.uint8)
    images[1, 3, 5] = 255
    scaled, _ = datasets.preprocess(images, labels_for(images))
    assert np.argwhere(scaled).tolist() == [[1, 3, 5, 0]], f"the pixel is at {np.argwhere(scaled).tolist()}"


@claim("mnist.channels-last")
def test_channels_last(keras):
    assert keras.namespace.backend.image_data_format() == "channels_last"


@claim("mnist.grey-has-one")
def test_grey_has_one(datasets):
    images = np.zeros((2, 28, 28), np.uint8)
    scaled, _ = datasets.preprocess(images, labels_for(images))
    assert scaled.shape[-1] == 1, f"there are {scaled.shape[-1]} channels"


@claim("mnist.colour-has-three")
def test_colour_has_three(keras):
    layer = keras.namespace.layers.Conv2D(filters=2, kernel_size=1)
    layer(keras.to_tensor(np.zeros((1, 4, 4, 3), np.float32)))
    assert_form("the kernel for colour images", keras.to_numpy(layer.kernel), (1, 1, 3, 2))
