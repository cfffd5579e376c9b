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
from assay.testing.chances import chance_of_counts
from assay.testing.counts import assert_few_in_common, assert_share
from assay.testing.draws import chance_of_sequence
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import (
    assert_reads_values,
    assert_results_are_new,
    assert_results_stay,
    memory_orders,
    swap_elements,
)
from assay.testing.strategies import seeds
from assay.testing.thresholds import FALSE_ALARM

raw_images = hnp.arrays(np.uint8, st.sampled_from([(1, 2, 3), (3, 4, 4)]))
# Five distinct examples with distinct labels.
IMAGES = np.arange(5 * 2 * 2 * 1, dtype=np.float32).reshape(5, 2, 2, 1)
LABELS = np.array([10, 11, 12, 13, 14], np.int32)


def labels_for(images):
    """Return as many labels as there are images."""
    return np.arange(len(images), dtype=np.uint8)


def positions(images):
    """Return the index in `IMAGES` of each image of a batch, or -1 if there is none."""
    equal = (images.reshape(len(images), 1, -1) == IMAGES.reshape(1, len(IMAGES), -1)).all(axis=-1)
    return np.where(equal.any(axis=1), equal.argmax(axis=1), -1)


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


@claim("mnist.every-grey-level")
def test_every_grey_level(datasets):
    # The images are not square, and their number differs from their height and width.
    images = np.arange(3 * 2 * 256).reshape(6, 16, 16)[:, :, ::-1].reshape(6, 8, 32).astype(np.uint8)
    labels = np.array([0, 127, 128, 200, 254, 255], np.uint8)
    scaled, classes = datasets.preprocess(images, labels)
    expected, _ = definition.preprocess(images, labels)
    assert_within("the images", scaled, expected, rounding.quotient(expected))
    assert_equal("labels above 127", classes, labels, INT)


@claim("mnist.one-image")
def test_one_image(datasets):
    for value in (0, 1, 255):
        images = np.full((1, 28, 28), value, np.uint8)
        scaled, classes = datasets.preprocess(images, np.array([7], np.uint8))
        expected = np.full((1, 28, 28, 1), value / 255)
        assert_within(f"one image of {value}", scaled, expected, rounding.quotient(expected))
        assert_equal("its label", classes, np.array([7]), INT)


@claim("mnist.order-kept")
def test_order_kept(datasets):
    # More images than usual block sizes, and not a multiple of them. The pixels of an image encode its position.
    indices = np.arange(1031)
    images = np.stack([indices // 256, indices % 256], axis=-1).astype(np.uint8)[:, :, None]
    scaled, classes = datasets.preprocess(images, (indices % 251).astype(np.uint8))
    pixels = np.rint(assert_form("the images", scaled, (1031, 2, 1, 1)) * 255).astype(int)
    assert_equal("the position of each image", 256 * pixels[:, 0, 0, 0] + pixels[:, 1, 0, 0], indices, np.dtype(int))
    expected = images[..., None] / 255
    assert_within("the images", scaled, expected, rounding.quotient(expected))
    assert_equal("the labels", classes, indices % 251, INT)


@claim("mnist.preprocess-memory-order")
def test_preprocess_memory_order(datasets):
    images = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(4, 5, 6)
    sliced = images.transpose(2, 1, 0)[::2]
    scaled, _ = datasets.preprocess(sliced, labels_for(sliced))
    expected, _ = definition.preprocess(sliced, labels_for(sliced))
    assert_within("transposed and sliced images", scaled, expected, rounding.quotient(expected))
    for order, (viewed, labels), _ in memory_orders(images, np.uint8([7, 9, 0, 255])):
        scaled, classes = datasets.preprocess(viewed, labels)
        assert_within(f"images {order}", scaled, viewed[..., None] / 255, rounding.quotient(viewed[..., None] / 255))
        assert_equal(f"labels {order}", classes, labels, INT)


@claim("mnist.pixels-stay")
@given(images=raw_images)
def test_pixels_stay(datasets, images):
    scaled, _ = datasets.preprocess(images, labels_for(images))
    # Rounding to the nearest of 256 levels reverses the scaling exactly.
    assert_equal("the images times 255", np.rint(scaled[..., 0] * 255), images)


@claim("mnist.pixels-stay")
@pytest.mark.parametrize("shape", [(14, 56), (56, 14), (1, 784)])
def test_pixels_stay_in_other_shapes(datasets, shape):
    # Images with as many pixels as those of MNIST, but different heights and widths.
    images = (np.arange(3 * 784) % 251).astype(np.uint8).reshape(3, *shape)
    scaled, _ = datasets.preprocess(images, labels_for(images))
    expected, _ = definition.preprocess(images, labels_for(images))
    assert_within("the images", scaled, expected, rounding.quotient(expected))


@claim("mnist.results-stay")
def test_results_stay(datasets, seed):
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    image_calls = (images, labels_for(images)), (images[::-1].copy(), np.uint8([7, 9]))
    batch_calls = [(IMAGES, LABELS, DRAWS, seed + number) for number in range(2)]
    for check in (assert_results_stay, assert_results_are_new):
        check("preprocess", datasets.preprocess, *image_calls)
        check("sample_batch", datasets.sample_batch, *batch_calls)


@claim("mnist.no-memory")
def test_no_memory(datasets, seed):
    raw = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4), np.uint8([7, 9])
    for images, labels in (raw, *swap_elements(raw)):
        scaled, classes = datasets.preprocess(images, labels)
        assert_within("the images", scaled, images[..., None] / 255, rounding.quotient(images[..., None] / 255))
        assert_equal("the labels", classes, labels, INT)
    for images, labels in ((IMAGES, LABELS), *swap_elements((IMAGES, LABELS))):
        drawn, numbers = datasets.sample_batch(images, labels, DRAWS, seed)
        right = (drawn[:, None] == images).all(axis=(2, 3, 4)) & (numbers[:, None] == labels)
        assert right.any(axis=1).all(), "an example of a batch is not in the data set, or has another label there"


@claim("mnist.batch-memory-order")
def test_batch_memory_order(datasets, seed):
    images = np.arange(5 * 3 * 4 * 2, dtype=np.float32).reshape(5, 3, 4, 2)
    for count in (5, 1):
        assert_reads_values("sample_batch", datasets.sample_batch, images[:count], LABELS[:count], 20, seed)


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
    arrays = (
        *datasets.preprocess(np.zeros((5, 2, 2), np.uint8), LABELS.astype(np.uint8)),
        *datasets.sample_batch(IMAGES, LABELS, 5, 0),
    )
    assert [type(array) for array in arrays] == [np.ndarray] * 4


@claim("mnist.batch-size")
@given(batch_size=st.sampled_from([1, 5, 50]), seed=seeds())
def test_batch_size(datasets, batch_size, seed):
    images, labels = datasets.sample_batch(IMAGES, LABELS, batch_size, seed)
    assert_form(f"the images of a batch of {batch_size}", images, (batch_size, *IMAGES.shape[1:]))
    assert_form(f"the labels of a batch of {batch_size}", labels, (batch_size,), INT)


@claim("mnist.batch-from-data")
@given(seed=seeds())
def test_batch_from_data(datasets, seed):
    images, _ = datasets.sample_batch(IMAGES, LABELS, 5, seed)
    assert (positions(images) >= 0).all(), f"an image of the batch is not in the data set: {images}"


@claim("mnist.batch-pairs")
@pytest.mark.parametrize("batch_size", [5, 150])
@given(seed=seeds())
def test_batch_pairs(datasets, batch_size, seed):
    images, labels = datasets.sample_batch(IMAGES, LABELS, batch_size, seed)
    assert_equal("the labels of the batch", labels, LABELS[positions(images)], INT)


@claim("mnist.batch-form")
@given(seed=seeds())
def test_batch_form(datasets, seed):
    images, labels = datasets.sample_batch(IMAGES, LABELS, 3, seed)
    assert_form("the images of a batch of 3", images, (3, *IMAGES.shape[1:]))
    assert_form("the labels of a batch of 3", labels, (3,), INT)


# Number of draws that omit one of five examples with a probability of at most FALSE_ALARM: 5 (4/5)^n.
DRAWS = int(np.ceil(np.log(FALSE_ALARM / 5) / np.log(4 / 5)))


@claim("mnist.every-index")
def test_every_index(datasets, seed):
    images, _ = datasets.sample_batch(IMAGES, LABELS, DRAWS, seed)
    drawn = np.unique(positions(images)).tolist()
    assert drawn == list(range(5)), f"the drawn examples are {drawn}, expected all of 0 to 4"


@claim("mnist.uniform-draws")
def test_uniform_draws(datasets, seed):
    images, _ = datasets.sample_batch(IMAGES, LABELS, 5000, seed)
    counts = [int((positions(images) == one).sum()) for one in range(5)]
    probability = chance_of_counts(counts)
    assert probability > FALSE_ALARM, f"uniform draws are as uneven as {counts} with probability {probability:.3g}"


@claim("mnist.uniform-draws")
def test_labels_do_not_count(datasets, seed):
    # Only one of five examples has the label 1.
    labels = np.array([0, 0, 0, 0, 1], np.int32)
    _, drawn = datasets.sample_batch(IMAGES, labels, 1_000, seed)
    assert_share("draws of the only example with its label", int(np.sum(drawn == 1)), 1_000, 1 / 5)


@claim("mnist.with-replacement")
@given(seed=seeds())
def test_with_replacement(datasets, seed):
    images, _ = datasets.sample_batch(IMAGES, LABELS, 2 * len(IMAGES), seed)
    assert_form("a batch of twice as many images as there are", images, (2 * len(IMAGES), *IMAGES.shape[1:]))


@claim("mnist.batches-differ")
def test_batches_differ(datasets, seed):
    # Two batches of this size agree in every draw with a probability of 5^-n, far below FALSE_ALARM.
    assert_told_apart(
        "batches",
        [*confusable_seeds(seed), (seed + 1) % 2**31],
        lambda one: positions(datasets.sample_batch(IMAGES, LABELS, DRAWS, one)[0]),
    )


# Number of calls that distinguish a probability of 1/3 from 0, 1/2 and 1.
CALLS = 150


@claim("mnist.small-batches-repeat")
def test_small_batches_repeat(datasets, seed):
    # Batches of 2 of 3 examples, then of 50 of 60.
    three = IMAGES[:3], LABELS[:3]
    batches = [positions(datasets.sample_batch(*three, 2, seed + each)[0]) for each in range(CALLS)]
    same = sum(bool(one == other) for one, other in batches)
    assert_share("batches of two equal examples of three", same, CALLS, 1 / 3)
    numbers = np.arange(60, dtype=np.float32).reshape(60, 1, 1, 1)
    distinct = [
        len(np.unique(datasets.sample_batch(numbers, np.zeros(60, np.int32), 50, seed + each)[0])) for each in range(10)
    ]
    # A batch of 50 distinct examples of 60 has a probability of 3e-14.
    assert max(distinct) < 50, f"batches of 50 of 60 examples hold {distinct} distinct examples, expected repeats"
    # A batch of 250 distinct examples of 2,000 has a probability of 1e-7, three of them 1e-21.
    many = np.arange(2_000, dtype=np.float32).reshape(-1, 1, 1, 1), np.zeros(2_000, np.int32)
    distinct = [len(np.unique(datasets.sample_batch(*many, 250, seed + each)[0])) for each in range(3)]
    assert min(distinct) < 250, f"batches of 250 of 2,000 examples hold {distinct} distinct examples, expected repeats"


@claim("mnist.ends-are-drawn")
def test_ends_are_drawn(datasets, seed):
    # As many examples as the training set, so that a position overflows 16 bits.
    numbers = np.arange(60_000, dtype=np.float32).reshape(-1, 1, 1, 1)
    drawn = datasets.sample_batch(numbers, np.arange(60_000, dtype=np.int32), 60_000, seed)[0].ravel().astype(int)
    twelfths = np.bincount(drawn // 5_000, minlength=12)
    for twelfth, count in enumerate(twelfths):
        assert_share(f"draws of twelfth {twelfth} of 60,000 examples", int(count), 60_000, 1 / 12, decisions=14)
    for end in (0, 2):
        images, _ = datasets.sample_batch(IMAGES[:3], LABELS[:3], 1_000, seed + end)
        count = int((positions(images) == end).sum())
        assert_share(f"draws of example {end} of 3", count, 1_000, 1 / 3, decisions=14)


@claim("mnist.draws-are-independent")
def test_draws_are_independent(datasets, seed):
    drawn = positions(datasets.sample_batch(IMAGES, LABELS, 5_000, seed)[0])
    for lag in (1, 2, 5, len(drawn) // 2):
        firsts = np.arange(len(drawn) - lag)
        firsts = firsts[firsts // lag % 2 == 0]
        equal = int((drawn[firsts] == drawn[firsts + lag]).sum())
        assert_share(f"draws that are the same as those {lag} draws later", equal, len(firsts), 1 / 5, decisions=5)
    # One draw for each of many consecutive seeds.
    first = np.concatenate(
        [positions(datasets.sample_batch(IMAGES, LABELS, 1, seed + each)[0]) for each in range(CALLS)]
    )
    equal = int((first[::2] == first[1::2]).sum())
    assert_share("first draws that are the same for the next seed", equal, len(first[::2]), 1 / 5, decisions=5)


@claim("mnist.draws-are-independent")
def test_draws_are_no_opposites(datasets, seed):
    drawn = positions(datasets.sample_batch(IMAGES, LABELS, 400, seed)[0])
    probability = chance_of_sequence(drawn, len(IMAGES))
    assert probability > FALSE_ALARM, (
        f"independent draws look as dependent as {drawn.tolist()} with probability {probability:.3g}"
    )


@claim("mnist.draws-are-independent")
def test_next_seed_draws_by_other_numbers(datasets, seed):
    count = 60_000
    numbers, labels = np.arange(count, dtype=np.float32).reshape(-1, 1, 1, 1), np.zeros(count, np.int32)
    one, other = (datasets.sample_batch(numbers, labels, 50, each)[0].ravel() for each in (seed, seed + 1))
    assert_few_in_common("examples", one, other, count)


@claim("mnist.batch-seed")
def test_batch_seed(datasets, seed):
    first, *others, repeated = (
        positions(datasets.sample_batch(IMAGES, LABELS, DRAWS, one % 2**31)[0])
        for one in (seed, seed + 1, seed + 2**8, seed + 2**16, seed + 2**24, seed + 2**30, seed)
    )
    assert (first == repeated).all(), f"two calls with the seed {seed} draw different batches"
    for step, other in zip((1, 2**8, 2**16, 2**24, 2**30), others, strict=True):
        assert (first != other).any(), f"the seeds {seed} and {(seed + step) % 2**31} draw the same batch"


@claim("mnist.images-as-they-are")
def test_images_as_they_are(datasets, seed):
    images = np.random.default_rng(seed).standard_normal((7, 3, 4, 2)).astype(np.float32)
    labels = np.array([0, 9, 200, -1, 70_000, 3, 2**31 - 1], np.int32)
    drawn, classes = datasets.sample_batch(images[:, ::-1].transpose(0, 2, 1, 3), labels, 20, seed)
    indices = [np.flatnonzero(labels == label).tolist() for label in np.asarray(classes)]
    assert all(indices), f"the batch has the labels {classes}, the data set {labels}"
    expected = np.stack([images[index, ::-1].transpose(1, 0, 2) for (index,) in indices])
    assert_equal("the images of the batch", drawn, expected)


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
    assert np.argwhere(scaled).tolist() == [[1, 3, 5, 0]], (
        f"the pixel is at {np.argwhere(scaled).tolist()}, expected [[1, 3, 5, 0]]"
    )


@claim("mnist.channels-last")
def test_channels_last(keras):
    assert keras.namespace.backend.image_data_format() == "channels_last"


@claim("mnist.grey-has-one")
def test_grey_has_one(datasets):
    images = np.zeros((2, 28, 28), np.uint8)
    scaled, _ = datasets.preprocess(images, labels_for(images))
    assert scaled.shape[-1] == 1, f"expected 1 channel, got {scaled.shape[-1]}"


@claim("mnist.colour-has-three")
def test_colour_has_three(keras):
    layer = keras.namespace.layers.Conv2D(filters=2, kernel_size=1)
    layer(keras.to_tensor(np.zeros((1, 4, 4, 3), np.float32)))
    assert_form("the kernel for colour images", keras.to_numpy(layer.kernel), (1, 1, 3, 2))


@claim("mnist.batch-seed")
def test_sample_batch_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("datasets.sample_batch", implementation, results_elsewhere, seed)
