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
from assay.spec.error_bounds.rounding import gamma
from assay.spec.semantics import datasets as definition
from assay.spec.semantics import layers, losses, optimizers
from assay.spec.vectors import read
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim, few_examples
from assay.testing.chances import chance_of_share
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.single_changes import assert_each_argument_counts
from assay.testing.stored_arrays import assert_results_stay
from assay.testing.thresholds import FALSE_ALARM, NORMAL, threshold
from assay.testing.training.network_training import train

PROGRAM = read("flowers")
NETWORK, CLASSES = PROGRAM["network"], PROGRAM["classes"]
BATCH_SIZE, SHUFFLE_BUFFER = PROGRAM["batch_size"], PROGRAM["shuffle_buffer"]


MOCK_EXAMPLES = 20


@pytest.fixture(scope="session")
def examples(flowers, compute_once):
    """Return mock examples of tf_flowers."""
    return compute_once("flowers-examples", lambda: flowers.examples(MOCK_EXAMPLES, mock=True))


@claim("flowers.flower-names")
def test_flower_names(flowers):
    assert list(flowers.info(mock=True).class_names) == PROGRAM["class_names"]


@claim("flowers.made-up-count")
def test_made_up_count(flowers):
    count = flowers.info(mock=True).num_examples
    assert count is None, f"the mock has {count} examples, expected None"


@claim("flowers.flower-count")
def test_flower_count(flowers, online):
    assert flowers.info(mock=False).num_examples == PROGRAM["num_examples"]


@claim("flowers.flower-images")
def test_flower_images(examples):
    images, _ = examples
    sizes = {np.shape(image)[:2] for image in images}
    for image in images:
        assert_form("an image", image, (*np.shape(image)[:2], 3), np.dtype(np.uint8))
    assert len(images) == MOCK_EXAMPLES, f"there are {len(images)} images, expected {MOCK_EXAMPLES}"
    assert len(sizes) > 1, f"all images have the size {sizes.pop()}, and should have their own"


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


# Number and size of batches of the split, a buffer smaller than all batches together, and the size of images.
SPLIT_BATCHES, SPLIT_BATCH, SPLIT_BUFFER, SPLIT_SIZE = 3, 20, 30, (3, 4)


@pytest.fixture(scope="session")
def split(flowers, compute_once):
    """Return the mock examples that can be in the batches: resized images, their error bounds, and labels."""
    count = SPLIT_BATCHES * SPLIT_BATCH + SPLIT_BUFFER
    images, labels = compute_once("flowers-split", lambda: flowers.examples(count, mock=True))
    pairs = [(definition.resize(image, SPLIT_SIZE), image_rounding.resize(image, SPLIT_SIZE)) for image in images]
    return (*map(np.stack, zip(*pairs, strict=True)), labels)


def run_split_pipeline(flowers, seed, buffer):
    """Run the pipeline on mock examples, and return all images and labels."""
    options = {"image_size": SPLIT_SIZE, "batch_size": SPLIT_BATCH, "mock": True}
    batches = flowers.batches(SPLIT_BATCHES, shuffle_buffer=buffer, seed=seed, **options)
    assert [len(labels) for _, labels in batches] == [SPLIT_BATCH] * SPLIT_BATCHES
    return tuple(np.concatenate(arrays) for arrays in zip(*batches, strict=True))


@claim("flowers.split-in-order")
def test_split_in_order(flowers, split, seed):
    expected, bounds, labels = (array[: SPLIT_BATCHES * SPLIT_BATCH] for array in split)
    images, found = run_split_pipeline(flowers, seed, buffer=1)
    assert_within("the images", images, expected, bounds)
    assert_equal("the labels", found, labels, INT)


@claim("flowers.split-shuffled")
def test_split_shuffled(flowers, split, seed):
    expected, bounds, labels = split
    images, found = run_split_pipeline(flowers, seed, buffer=SPLIT_BUFFER)
    # Images are identified by their pixels.
    order = [int(np.abs(expected - image).sum(axis=(1, 2, 3)).argmin()) for image in images]
    assert_within("the images", images, expected[order], bounds[order])
    assert_equal("the labels", found, labels[order], INT)
    assert len(set(order)) == len(order), "an image occurs twice"
    assert order != sorted(order), "the images are in the order of the split"
    early = np.array(order) - np.arange(len(order))
    assert early.max() < SPLIT_BUFFER, "an image came before the buffer had reached it"
    # While no draw takes one of the latest k in the buffer, they all stay there. A draw avoids them with 1 - k / size.
    probability = ((early.max() + 1) / SPLIT_BUFFER) ** len(order)
    assert probability > FALSE_ALARM, (
        f"of a buffer of {SPLIT_BUFFER}, only the first {early.max() + 1} are drawn, with a probability of"
        f" {probability:.3g}"
    )
    # Later images enter the buffer one by one. With this probability, none of them is drawn.
    taken = SPLIT_BATCHES * SPLIT_BATCH
    assert math.factorial(SPLIT_BUFFER) / SPLIT_BUFFER**SPLIT_BUFFER < FALSE_ALARM
    assert max(order) >= taken, f"only the first {taken} examples of the whole split are shuffled"
    again, other = (run_split_pipeline(flowers, number, buffer=SPLIT_BUFFER)[0] for number in (seed, seed + 1))
    assert_equal("the images of the same seed", again, images)
    assert (other != images).any(), f"the seeds {seed} and {seed + 1} give the same order"


def resize_in_pipeline(flowers, images, image_size, batch_size):
    """Run the pipeline on images without shuffling, and return all resized images."""
    labels = np.arange(len(images), dtype=np.int32)
    options = {"shuffle_buffer": 1, "batch_size": batch_size, "epochs": 1, "seed": 0}
    batches = flowers.image_batches(images, labels, image_size=image_size, **options)
    found = np.concatenate([found for found, _ in batches])
    return assert_form("the images", found, (len(images), *image_size, images[0].shape[-1]))


def assert_resized(flowers, images, image_size, expected=None, batch_size=1):
    """Compare images resized by the pipeline with the definition, or with an expected image."""
    resized = resize_in_pipeline(flowers, images, image_size, batch_size)
    for position, (image, found) in enumerate(zip(images, resized, strict=True)):
        exact = definition.resize(image, image_size) if expected is None else expected
        assert_within(f"image {position}", found, exact, image_rounding.resize(image, image_size))


IMAGE_SIZES = ((1, 1), (3, 2), (7, 5), (8, 9))
raw_images = st.sampled_from([(1, 1, 3), (2, 3, 3), (7, 5, 3)]).flatmap(lambda shape: hnp.arrays(np.uint8, shape))


@claim("flowers.resize")
@few_examples(8)
@given(images=st.lists(raw_images, min_size=3, max_size=3), image_size=st.sampled_from(IMAGE_SIZES))
def test_resize(flowers, images, image_size):
    assert_resized(flowers, images, image_size)


@claim("flowers.resize")
def test_resize_to_squares(flowers, seed):
    generator = np.random.default_rng(seed)
    images = [generator.integers(0, 256, (*shape, 3), np.uint8) for shape in ((5, 7), (4, 4), (3, 9))]
    assert_resized(flowers, images, (4, 4))


@claim("flowers.resize")
@pytest.mark.parametrize("channels", [1, 4, 7])
def test_resize_channels(flowers, seed, channels):
    images = np.random.default_rng(seed).integers(0, 256, (2, 5, 4, channels), np.uint8)
    assert_resized(flowers, [*images], (3, 6))


@claim("flowers.resize-each")
def test_resize_each(flowers, seed):
    generator = np.random.default_rng(seed)
    # Larger, smaller, wide and high images, one of the final size, and one larger than usual block sizes.
    shapes = [(17, 11, 3), (40, 30, 3), (5, 64, 3), (64, 5, 3), (1, 1, 3), (33, 1030, 3)]
    images = [generator.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
    assert_resized(flowers, images, (17, 11), batch_size=4)


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


# Shuffling 60 images, of which the last batch of an epoch has 4.
COUNT, BUFFER, BATCH, EPOCHS = 60, 16, 7, 3


def numbered_images(count):
    """Return images whose two channels encode their position in the data."""
    return [np.array(divmod(position, 256), np.uint8).reshape(1, 1, 2) for position in range(count)]


def read_positions(images):
    """Decode the positions from a batch of numbered images. Rounding reverses the scaling exactly."""
    high, low = np.rint(to_float64(images).reshape(-1, 2) * 255).astype(int).T
    return 256 * high + low


# Distinct labels that differ from the positions and need more than 16 bits.
LABELS = 70_001 * np.arange(COUNT, dtype=np.int32) - 2_000_000


def shuffle(flowers, seed, *, count=COUNT, buffer=BUFFER, batch_size=BATCH, epochs=EPOCHS, labels=LABELS):
    """Run the pipeline on numbered images, and return its batches."""
    options = {"image_size": (1, 1), "shuffle_buffer": buffer, "batch_size": batch_size, "epochs": epochs, "seed": seed}
    return flowers.image_batches(numbered_images(count), labels, **options)


def orders_of(batches, count=COUNT):
    """Return the positions of the images in each epoch: [epochs, count]."""
    found = np.concatenate([read_positions(images) for images, _ in batches])
    assert len(found) % count == 0, f"expected epochs of {count} images, got {len(found)} images in total"
    return found.reshape(-1, count)


@pytest.fixture(scope="session")
def shuffled_batches(flowers, compute_once, seed):
    """Return the batches of several epochs of numbered images."""
    return compute_once("shuffled", lambda: shuffle(flowers, seed))


@claim("flowers.batch-form")
def test_batch_form(shuffled_batches):
    images, labels = shuffled_batches[0]
    assert_form("the images", images, (BATCH, 1, 1, 2))
    assert_form("the labels", labels, (BATCH,), INT)


@claim("flowers.labels-stay")
def test_labels_stay(shuffled_batches):
    for images, labels in shuffled_batches:
        assert_equal("the labels", labels, LABELS.take(read_positions(images), mode="clip"), INT)


@claim("flowers.every-image-once")
def test_every_image_once(shuffled_batches):
    for epoch, order in enumerate(orders_of(shuffled_batches).tolist()):
        assert sorted(order) == [*range(COUNT)], f"epoch {epoch} of {COUNT} images has the images {order}"


@claim("flowers.shuffled")
def test_shuffled(shuffled_batches):
    assert (orders_of(shuffled_batches) != np.arange(COUNT)).any(axis=1).all(), "an epoch has the order of the data set"


@claim("flowers.shuffled-anew")
def test_shuffled_anew(shuffled_batches):
    different = len({tuple(order) for order in orders_of(shuffled_batches).tolist()})
    assert different == EPOCHS, f"of {EPOCHS} epochs, only {different} have an order of their own"


@claim("flowers.shuffle-seed")
def test_shuffle_seed(flowers, shuffled_batches, seed):
    first, repeated, other = (
        orders_of(one) for one in (shuffled_batches, shuffle(flowers, seed), shuffle(flowers, seed + 1))
    )
    assert (repeated == first).all(), f"two calls with the seed {seed} give different orders"
    # Compare different epochs, too: the next epoch must not have the order of the next seed.
    common = {*map(tuple, first.tolist())} & {*map(tuple, other.tolist())}
    assert not common, f"the seeds {seed} and {seed + 1} have {len(common)} of {EPOCHS} epochs in common"


@claim("flowers.shuffle-seed")
def test_shuffle_confusable_seeds(flowers, seed):
    small = {"count": BUFFER, "batch_size": BUFFER, "epochs": 1, "labels": LABELS[:BUFFER]}
    assert_told_apart("orders", confusable_seeds(seed), lambda one: orders_of(shuffle(flowers, one, **small), BUFFER))


@claim("flowers.results-stay")
def test_each_argument(flowers, seed):
    # A buffer for all 12 images leaves them in their order with a probability of 2e-9.
    images, labels = numbered_images(12), LABELS[:12]
    options = {"image_size": (1, 2), "shuffle_buffer": 1, "batch_size": 5, "epochs": 1, "seed": seed}
    changes = {"image_size": (2, 1), "shuffle_buffer": 12, "batch_size": 6, "epochs": 2}
    assert_each_argument_counts(
        "image_batches",
        flowers.image_batches,
        {"images": images, "labels": labels, **options},
        {"images": images[::-1], "labels": -labels, **changes},
    )


@claim("flowers.results-stay")
def test_results_stay(flowers, seed):
    assert_results_stay("image_batches", lambda one: shuffle(flowers, one), (seed,), (seed + 1,))
    options = {"image_size": SPLIT_SIZE, "shuffle_buffer": 5, "batch_size": 5, "mock": True}
    assert_results_stay("batches", lambda one: flowers.batches(1, seed=one, **options), (seed,), (seed + 1,))


@claim("flowers.shuffle-window")
def test_shuffle_window(shuffled_batches):
    assert (orders_of(shuffled_batches) < np.arange(COUNT) + BUFFER).all(), (
        "an image came before the buffer had reached it"
    )


def ranks_of(order, buffer):
    """Return the rank of each drawn image among the images in the buffer, while it is full."""
    content, ranks = list(range(buffer)), []
    for position, image in enumerate(order[: len(order) - buffer + 1].tolist()):
        assert image in content, f"image {image} is drawn while the buffer holds {content}"
        ranks.append(content.index(image))
        content.remove(image)
        content.append(position + buffer)
    return np.array(ranks)


@claim("flowers.shuffle-evenly")
def test_shuffle_evenly(flowers, seed):
    count = 500
    batches = shuffle(flowers, seed, count=count, batch_size=count, epochs=2, labels=np.zeros(count, np.int32))
    first, second = (ranks_of(order, BUFFER) for order in orders_of(batches, count))
    both = np.concatenate([first, second])
    # If every image of the buffer is equally likely, these events are independent of each other and of earlier ranks.
    draws = {
        "of the newer half": (both >= BUFFER // 2, 1 / 2),
        "of the newest": (both == BUFFER - 1, 1 / BUFFER),
        "of every other place": (both % 2 == 1, 1 / 2),
        "of the same place as before": (np.diff(first) == 0, 1 / BUFFER),
        "of the same place as in the other epoch": (first == second, 1 / BUFFER),
    }
    for which, (events, probability) in draws.items():
        chance = chance_of_share(int(events.sum()), len(events), probability)
        assert chance > FALSE_ALARM / len(draws), (
            f"{events.sum()} of {len(events)} draws are {which}, each with a probability of {probability:.4g}"
        )


@claim("flowers.batches-of-few")
@pytest.mark.parametrize(
    ("count", "batch_size", "expected"), [(5, 8, [5]), (8, 4, [4, 4]), (1, 1, [1]), (9, 4, [4, 4, 1])]
)
def test_batches_of_few(flowers, seed, count, batch_size, expected):
    options = {"count": count, "buffer": 2 * count, "batch_size": batch_size, "epochs": 2}
    batches = shuffle(flowers, seed, **options, labels=LABELS[:count])
    sizes = [len(labels) for _, labels in batches]
    assert sizes == 2 * expected, f"two epochs have batches of {sizes} images, expected {2 * expected}"
    for order in orders_of(batches, count).tolist():
        assert sorted(order) == [*range(count)], f"an epoch of {count} images has the images {order}"


@claim("flowers.shuffle-of-one")
def test_shuffle_of_one(flowers, seed):
    order = orders_of(shuffle(flowers, seed, buffer=1, epochs=1))
    assert order.tolist() == [[*range(COUNT)]]


@claim("flowers.shuffle-of-all")
def test_shuffle_of_all(flowers, seed):
    count = 500
    batches = shuffle(flowers, seed, count=count, buffer=count, epochs=1, labels=np.zeros(count, np.int32))
    correlation = np.corrcoef(np.arange(count), orders_of(batches, count)[0])[0, 1]
    # Over all orders, the correlation has mean 0 and variance 1 / (n - 1), and is asymptotically normal (Kendall, "Rank
    # correlation methods", section 5).
    limit = NORMAL.inv_cdf(1 - FALSE_ALARM / 2) / math.sqrt(count - 1)
    assert abs(correlation) < limit, (
        f"the correlation of old and new positions is {correlation:.3f}, beyond {limit:.3f}"
    )


@claim("flowers.shuffled-before-batched")
def test_shuffled_before_batched(shuffled_batches):
    # If whole batches were shuffled, every image except the first of a batch would follow its predecessor.
    behind = (np.diff(orders_of(shuffled_batches)) == 1).sum(axis=1)
    assert (behind < COUNT / 2).all(), f"{behind.max()} of {COUNT} images follow their predecessor"


@claim("flowers.last-batch")
def test_last_batch(shuffled_batches):
    whole, rest = divmod(COUNT, BATCH)
    sizes, expected = [len(labels) for _, labels in shuffled_batches], [*[BATCH] * whole, rest] * EPOCHS
    assert sizes == expected, f"{EPOCHS} epochs have batches of {sizes} images, expected {expected}"


@pytest.fixture(scope="session")
def document_epoch(flowers, compute_once, seed):
    """Return the batches of an epoch of the document's program, with as many numbered images as tf_flowers has."""
    count = PROGRAM["num_examples"]
    options = {"count": count, "buffer": SHUFFLE_BUFFER, "batch_size": BATCH_SIZE, "epochs": 1}
    return compute_once("epoch", lambda: shuffle(flowers, seed, **options, labels=np.zeros(count, np.int32)))


@claim("flowers.batches-of-an-epoch")
def test_batches_of_an_epoch(document_epoch):
    assert [len(labels) for _, labels in document_epoch] == [*[50] * 73, 20]
    assert PROGRAM["num_epochs"] * len(document_epoch) == 370


@claim("flowers.printed-predictions")
def test_printed_predictions(document_epoch, predict):
    # The program prints the predictions for the last batch after an epoch.
    _, last = document_epoch[-1]
    assert predict(training=True)[: len(last)].shape == (20, 5)


@claim("flowers.first-batch")
def test_first_batch(document_epoch):
    images, _ = document_epoch[0]
    assert read_positions(images).max() < SHUFFLE_BUFFER + BATCH_SIZE - 1


# The program of the document


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
    """Return the least loss of a constant prediction, that of the class frequencies (Gibbs' inequality)."""
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(-(shares * np.log(shares)).sum())


@pytest.fixture(scope="session")
def training_losses(applications, compute_once, seed, batch):
    """Return the losses of a training on small images."""
    options = {"steps": STEPS, "learning_rate": PROGRAM["learning_rate"]}
    return compute_once("mobilenet-losses", lambda: train(applications, batch, seed, **options))


@pytest.fixture(scope="session")
def step_losses(applications, compute_once, seed, batch):
    """Return the losses before and after a step so small that every parameter contributes to the decrease."""
    recipe = threshold("mobilenet_v2_step").recipe
    options = {"steps": recipe["steps"], "learning_rate": recipe["learning_rate"]}
    return compute_once("mobilenet-step", lambda: train(applications, batch, seed, **options))


def assert_learned(training_losses, labels):
    """Check that the last loss is below that of the best constant prediction."""
    constant = entropy(labels)
    assert training_losses[-1] < constant, (
        f"the losses are {training_losses}, and that of the best constant prediction is {constant:.4f}"
    )


@claim("flowers.losses")
def test_losses(training_losses):
    assert np.isfinite(training_losses).all(), f"expected finite losses, got {training_losses}"


# The network has no definition in float64 and so no error bound. TensorFlow's eager and compiled programs differ by
# 2e-6. A different mode, scale, order or batch size changes the loss by at least 1e-2.
TOLERANCE = 1e-3


@claim("flowers.first-loss")
def test_first_loss(step_losses, training_losses, predict, batch):
    predicted = losses.sparse_categorical_crossentropy(batch.labels, to_float64(predict(training=True)))
    # Each training begins with a new network, although both have the same seed.
    for what, found in {"a training of two steps": step_losses, f"one of {STEPS}": training_losses}.items():
        assert_within(f"the loss of the first batch, in {what}", found[0], predicted.mean(), TOLERANCE)


@claim("flowers.first-step")
def test_first_step(step_losses):
    fall, limits = float(step_losses[0]) - float(step_losses[1]), threshold("mobilenet_v2_step").limits("fall")
    assert limits.lower < fall < limits.upper, (
        f"the loss falls by {fall:.4g} in a step of {threshold('mobilenet_v2_step').recipe['learning_rate']}; "
        f"if every parameter is trained, it falls by {limits.lower:.4g} to {limits.upper:.4g}"
    )


# Labels of each step on black images, with a different combination in every step. The last class has no example.
BLACK_LABELS = np.array([[0, 0, 0, 1], [2, 2, 3, 0], [3, 1, 1, 1]], np.int32)


def bias_losses(labels, learning_rate):
    """Train only the biases of the last layer, from 0, and return the loss before each step."""
    bias, moments, found = np.zeros(CLASSES), (np.zeros(CLASSES), np.zeros(CLASSES)), []
    for step, batch in enumerate(labels, start=1):
        probabilities = np.broadcast_to(layers.softmax(bias), (len(batch), CLASSES))
        found.append(losses.sparse_categorical_crossentropy(batch, probabilities).mean())
        gradient = (probabilities - np.eye(CLASSES)[batch]).mean(axis=0)
        bias, *moments = optimizers.adam_step(bias, gradient, *moments, step, learning_rate)
    return np.array(found)


@claim("flowers.black-images")
def test_black_images(applications, seed):
    learning_rate = 0.02
    images = np.zeros((*BLACK_LABELS.shape, 32, 32, 3), np.float32)
    options = {"classes": CLASSES, "learning_rate": learning_rate, "seed": seed}
    found = applications.train("VGG16", images, BLACK_LABELS, **options)
    expected = bias_losses(BLACK_LABELS, learning_rate)
    # A step of Adam rounds about thirty times, and so does a loss. The absolute value of a logit is at most that of all
    # steps together.
    bound = gamma(32) * (2 * learning_rate * np.arange(len(expected)) + expected)
    assert_within("the losses", found, expected, bound)


@claim("flowers.learns")
def test_learns(training_losses, batch):
    # The last losses of a hundred runs of the reference were 0.006 to 0.08. The best constant prediction has 1.6.
    assert_learned(training_losses, batch.labels)


@claim("flowers.learning-rate")
def test_learning_rate(applications, batch, seed):
    found = train(applications, batch, seed, steps=3, learning_rate=0.0)
    assert_equal("the losses", found, np.full(3, found[0]))


@claim("flowers.program")
def test_program(applications, flowers, reachable, seed, evidence):
    evidence(source="tf_flowers" if reachable else "mock images of TensorFlow Datasets")
    options = {"image_size": tuple(PROGRAM["image_size"]), "shuffle_buffer": SHUFFLE_BUFFER, "batch_size": BATCH_SIZE}
    [(images, labels)] = flowers.batches(1, **options, seed=seed, mock=not reachable)
    assert_form("the images", images, (BATCH_SIZE, *options["image_size"], 3))
    assert_form("the labels", labels, (BATCH_SIZE,), INT)
    training = {"steps": STEPS, "learning_rate": PROGRAM["learning_rate"]}
    assert_learned(train(applications, (images, labels), seed, **training), labels)
