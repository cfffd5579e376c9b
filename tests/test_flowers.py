"""The program on tf_flowers: lines 366 to 391 of the document."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from assay.contract import INT
from assay.spec.error_bounds import image_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import datasets as definition
from assay.spec.semantics import losses
from assay.spec.vectors import read
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim, fewer
from assay.testing.thresholds import FALSE_ALARM, NORMAL

PROGRAM = read("flowers")
NETWORK, CLASSES = PROGRAM["network"], PROGRAM["classes"]
BATCH_SIZE, SHUFFLE_BUFFER = PROGRAM["batch_size"], PROGRAM["shuffle_buffer"]


MOCK_EXAMPLES = 20


@pytest.fixture(scope="session")
def examples(flowers, compute_once):
    """Return some examples of tf_flowers, made up."""
    return compute_once("flowers-examples", lambda: flowers.examples(MOCK_EXAMPLES, mock=True))


@claim("flowers.flower-names")
def test_flower_names(flowers):
    assert list(flowers.info(mock=True).class_names) == PROGRAM["class_names"]


@claim("flowers.flower-count")
def test_flower_count(flowers, online):
    assert flowers.info(mock=False).num_examples == PROGRAM["num_examples"]


@claim("flowers.flower-images")
def test_flower_images(examples):
    images, _ = examples
    sizes = {np.shape(image)[:2] for image in images}
    for image in images:
        assert_form("an image", image, (*np.shape(image)[:2], 3), np.dtype(np.uint8))
    assert (len(images), len(sizes) > 1) == (MOCK_EXAMPLES, True)


@claim("flowers.flower-labels")
def test_flower_labels(examples):
    labels = assert_form("the labels", examples[1], (MOCK_EXAMPLES,), INT)
    assert set(labels.tolist()) <= set(range(CLASSES)), f"the labels are {labels}"


@claim("flowers.flower-batches")
def test_flower_batches(flowers, seed):
    options = {"shuffle_buffer": SHUFFLE_BUFFER, "batch_size": BATCH_SIZE, "seed": seed, "mock": True}
    batches = flowers.batches(2, image_size=(8, 12), **options)
    assert len(batches) == 2
    white = np.full((1, 1, 3), 255, np.uint8)
    for images, labels in batches:
        assert_form("the labels", labels, (BATCH_SIZE,), INT)
        assert_form("the images", images, (BATCH_SIZE, 8, 12, 3))
        assert_within("the images", images, np.clip(images, 0, 1), image_rounding.resize(white, (1, 1)).max())


def in_order(flowers, images, image_size):
    """Put images through the pipeline one by one, without shuffling."""
    labels = np.arange(len(images), dtype=np.int32)
    options = {"shuffle_buffer": 1, "batch_size": 1, "epochs": 1, "seed": 0}
    batches = flowers.image_batches(images, labels, image_size=image_size, **options)
    assert len(batches) == len(images)
    return [assert_form("the images", found, (1, *image_size, images[0].shape[-1]))[0] for found, _ in batches]


def assert_resized(flowers, images, image_size, expected=None):
    """Compare what the pipeline makes of images with the definition, or with what is said to follow from it."""
    for position, (image, found) in enumerate(zip(images, in_order(flowers, images, image_size), strict=True)):
        exact = definition.resize(image, image_size) if expected is None else expected
        assert_within(f"image {position}", found, exact, image_rounding.resize(image, image_size))


IMAGE_SIZES = ((1, 1), (3, 2), (7, 5), (8, 9))
raw_images = st.sampled_from([(1, 1, 3), (2, 3, 3), (7, 5, 3)]).flatmap(lambda shape: hnp.arrays(np.uint8, shape))


@claim("flowers.resize")
@fewer
@given(images=st.lists(raw_images, min_size=3, max_size=3), image_size=st.sampled_from(IMAGE_SIZES))
def test_resize(flowers, images, image_size):
    assert_resized(flowers, images, image_size)


@claim("flowers.resize-averages-nothing")
def test_resize_averages_nothing(flowers):
    image = np.full((9, 9, 3), 255, np.uint8)
    image[1::3, 1::3] = 0
    assert_resized(flowers, [image], (3, 3), np.zeros((3, 3, 3)))


@claim("flowers.resize-keeps-fractions")
def test_resize_keeps_fractions(flowers):
    image = np.array([0, 1], np.uint8).reshape(2, 1, 1)
    assert_resized(flowers, [image], (4, 1), np.array([0, 0.25, 0.75, 1]).reshape(4, 1, 1) / 255)


@claim("flowers.scaled-to-1")
def test_scaled_to_1(flowers):
    image = np.array([0, 255], np.uint8).reshape(2, 1, 1)
    assert_resized(flowers, [image], (2, 1), np.array([0.0, 1.0]).reshape(2, 1, 1))


# Of the shuffled images: the last batch of an epoch has 4.
COUNT, BUFFER, BATCH, EPOCHS = 60, 16, 7, 3


def numbered(count):
    """Return images whose two channels tell their positions."""
    return [np.array(divmod(position, 256), np.uint8).reshape(1, 1, 2) for position in range(count)]


def positions(images):
    """Read the positions out of a batch of numbered images: levels are far apart, so rounding undoes the scaling."""
    high, low = np.rint(to_float64(images).reshape(-1, 2) * 255).astype(int).T
    return 256 * high + low


# Every image has a label of its own, and not its position.
LABELS = (7 * np.arange(COUNT, dtype=np.int32) + 3) % COUNT


def shuffle(flowers, seed, *, count=COUNT, buffer=BUFFER, batch_size=BATCH, epochs=EPOCHS, labels=LABELS):
    """Put numbered images through the pipeline."""
    options = {"image_size": (1, 1), "shuffle_buffer": buffer, "batch_size": batch_size, "epochs": epochs, "seed": seed}
    return flowers.image_batches(numbered(count), labels, **options)


def orders_of(batches, count=COUNT):
    """Return the positions of the images in each epoch: [epochs, count]."""
    return np.concatenate([positions(images) for images, _ in batches]).reshape(-1, count)


@pytest.fixture(scope="session")
def shuffled(flowers, compute_once, seed):
    """Return the batches of some epochs of numbered images."""
    return compute_once("shuffled", lambda: shuffle(flowers, seed))


@claim("flowers.batch-form")
def test_batch_form(shuffled):
    images, labels = shuffled[0]
    assert_form("the images", images, (BATCH, 1, 1, 2))
    assert_form("the labels", labels, (BATCH,), INT)


@claim("flowers.labels-stay")
def test_labels_stay(shuffled):
    for images, labels in shuffled:
        assert_equal("the labels", labels, LABELS.take(positions(images), mode="clip"), INT)


@claim("flowers.every-image-once")
def test_every_image_once(shuffled):
    assert np.sort(orders_of(shuffled), axis=1).tolist() == [[*range(COUNT)]] * EPOCHS


@claim("flowers.shuffled")
def test_shuffled(shuffled):
    assert (orders_of(shuffled) != np.arange(COUNT)).any(axis=1).all(), "an epoch has the order of the data set"


@claim("flowers.shuffled-anew")
def test_shuffled_anew(shuffled):
    assert len({tuple(order) for order in orders_of(shuffled).tolist()}) == EPOCHS


@claim("flowers.shuffle-seed")
def test_shuffle_seed(flowers, shuffled, seed):
    first, again, other = (orders_of(one) for one in (shuffled, shuffle(flowers, seed), shuffle(flowers, seed + 1)))
    assert ((again == first).all(), (other != first).any()) == (True, True)


@claim("flowers.shuffle-window")
def test_shuffle_window(shuffled):
    assert (orders_of(shuffled) < np.arange(COUNT) + BUFFER).all(), "an image came before the buffer had reached it"


@claim("flowers.shuffle-of-one")
def test_shuffle_of_one(flowers, seed):
    order = orders_of(shuffle(flowers, seed, buffer=1, epochs=1))
    assert order.tolist() == [[*range(COUNT)]]


@claim("flowers.shuffle-of-all")
def test_shuffle_of_all(flowers, seed):
    count = 500
    batches = shuffle(flowers, seed, count=count, buffer=count, epochs=1, labels=np.zeros(count, np.int32))
    correlation = np.corrcoef(np.arange(count), orders_of(batches, count)[0])[0, 1]
    # Over all orders it has mean 0 and variance 1 / (n - 1), and is asymptotically normal (Kendall, "Rank correlation
    # methods", section 5).
    limit = NORMAL.inv_cdf(1 - FALSE_ALARM / 2) / math.sqrt(count - 1)
    assert abs(correlation) < limit, f"the old and the new positions have a correlation of {correlation:.3f}"


@claim("flowers.shuffled-before-batched")
def test_shuffled_before_batched(shuffled):
    # Whole batches that were shuffled leave every image but the first of a batch behind its neighbour.
    behind = (np.diff(orders_of(shuffled)) == 1).sum(axis=1)
    assert (behind < COUNT / 2).all(), f"{behind.max()} of {COUNT} images follow their neighbour"


@claim("flowers.last-batch")
def test_last_batch(shuffled):
    whole, rest = divmod(COUNT, BATCH)
    assert [len(labels) for _, labels in shuffled] == [*[BATCH] * whole, rest] * EPOCHS


@pytest.fixture(scope="session")
def epoch(flowers, compute_once, seed):
    """Return the batches of an epoch of as many numbered images as tf_flowers has, as the program makes them."""
    count = PROGRAM["num_examples"]
    options = {"count": count, "buffer": SHUFFLE_BUFFER, "batch_size": BATCH_SIZE, "epochs": 1}
    return compute_once("epoch", lambda: shuffle(flowers, seed, **options, labels=np.zeros(count, np.int32)))


@claim("flowers.batches-of-an-epoch")
def test_batches_of_an_epoch(epoch):
    assert [len(labels) for _, labels in epoch] == [*[50] * 73, 20]
    assert PROGRAM["num_epochs"] * len(epoch) == 370


@claim("flowers.first-batch")
def test_first_batch(epoch):
    images, _ = epoch[0]
    assert positions(images).max() < SHUFFLE_BUFFER + BATCH_SIZE - 1


# The program


@claim("flowers.trainable-variables")
def test_trainable_variables(keras):
    layer = keras.namespace.layers.BatchNormalization()
    layer.build((None, 3))
    trainable, other = (
        [variable.name.split("/")[-1].split(":")[0] for variable in variables]
        for variables in (layer.trainable_variables, layer.non_trainable_variables)
    )
    assert (trainable, other) == (["gamma", "beta"], ["moving_mean", "moving_variance"])


STEPS = 5


def entropy(labels):
    """Return the least loss that the same prediction for every image can have: its own share for each class (Gibbs)."""
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(-(shares * np.log(shares)).sum())


def train(applications, batch, seed, *, steps=STEPS, learning_rate=PROGRAM["learning_rate"]):
    """Train a new MobileNetV2 on one batch, over and over."""
    images, labels = (np.stack([array] * steps) for array in batch)
    found = applications.train(NETWORK, images, labels, classes=CLASSES, learning_rate=learning_rate, seed=seed)
    return assert_form("the losses", found, (steps,))


@pytest.fixture(scope="session")
def curve(applications, compute_once, seed, batch):
    """Return the losses of a training on small images."""
    return compute_once("mobilenet-losses", lambda: train(applications, batch, seed))


def assert_learned(curve, labels):
    """Check that the last loss is below what can be had without looking at the images."""
    blind = entropy(labels)
    assert curve[-1] < blind, f"the losses are {curve}, and the best blind guess has {blind:.4f}"


@claim("flowers.losses")
def test_losses(curve):
    assert np.isfinite(curve).all(), f"the losses are {curve}"


@claim("flowers.first-loss")
def test_first_loss(curve, predict, batch):
    training, inference = (
        losses.sparse_categorical_crossentropy(batch.labels, to_float64(predict(training=mode))).mean()
        for mode in (True, False)
    )
    # Two programs of a network that nobody defines in float64 have no bound: the nearer mode is the right one.
    assert abs(curve[0] - training) < abs(curve[0] - inference), (
        f"it is {curve[0]}, and that of the predictions {training} in training mode, {inference} in inference mode"
    )


@claim("flowers.learns")
def test_learns(curve, batch):
    # A hundred runs of the reference ended between 0.006 and 0.08, and the best blind guess has 1.6.
    assert_learned(curve, batch.labels)


@claim("flowers.learning-rate")
def test_learning_rate(applications, batch, seed):
    found = train(applications, batch, seed, steps=3, learning_rate=0.0)
    assert_equal("the losses", found, np.full(3, found[0]))


@claim("flowers.program")
def test_program(applications, flowers, reachable, seed, evidence):
    evidence(source="tf_flowers" if reachable else "images of TensorFlow Datasets' own making")
    options = {"image_size": tuple(PROGRAM["image_size"]), "shuffle_buffer": SHUFFLE_BUFFER, "batch_size": BATCH_SIZE}
    [(images, labels)] = flowers.batches(1, **options, seed=seed, mock=not reachable)
    assert_form("the images", images, (BATCH_SIZE, *options["image_size"], 3))
    assert_form("the labels", labels, (BATCH_SIZE,), INT)
    assert_learned(train(applications, (images, labels), seed), labels)
