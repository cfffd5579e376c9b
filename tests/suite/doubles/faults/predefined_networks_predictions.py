"""Faults of the predictions of the predefined networks."""

from importlib import import_module

import numpy as np

from doubles.faulty import Fault


def mobilenet_v2_for_all(predict, network, images, **options):
    """Know a single network."""
    return predict("MobileNetV2", images, **options)


def logits(predict, network, images, **options):
    """Leave out the softmax."""
    return np.log(predict(network, images, **options))


def half_precision(predict, network, images, **options):
    """Compute the softmax in 16 bits."""
    return predict(network, images, **options).astype(np.float16).astype(np.float32)


def shifted(predict, network, images, **options):
    """Take images for numbers between 0 and 2."""
    return predict(network, images - np.float32(1), **options)


LAST_MODEL = {}


def keep_last_network(_predict, network, images, *, training, seed, classes=1000, **_options):
    """Call the last network, with the moving statistics that it has by now, as long as its arguments are the same."""
    key = network, images.shape[1:], classes, seed
    if key not in LAST_MODEL:
        LAST_MODEL.clear()
        # TensorFlow loads for seconds, and most faults do without it.
        reference = import_module("assay.reference.applications")
        LAST_MODEL[key] = reference.new(network, images.shape[1:], None, classes, seed)
    return LAST_MODEL[key](images, training=training).numpy()


def always_training(predict, network, images, *, training, **options):
    """Predict in training mode, whatever is asked for."""
    return predict(network, images, training=True, **options)


def ten_classes(predict, network, images, *, classes=10, **options):
    """Have ten classes by default."""
    return predict(network, images, classes=classes, **options)


def batch_filled_up(predict, network, images, **options):
    """Fill up a batch with black images to a multiple of four."""
    black = np.zeros((-len(images) % 4, *images.shape[1:]), np.float32)
    return predict(network, np.concatenate([images, black]), **options)[: len(images)]


def rows_reversed(predict, network, images, **options):
    """Return the predictions in reverse."""
    return predict(network, images, **options)[::-1].copy()


def standardized(predict, network, images, **options):
    """Subtract the mean of each image, and divide by its deviation."""
    mean, deviation = (function(axis=(1, 2, 3), keepdims=True) for function in (images.mean, images.std))
    return predict(network, (images - mean) / np.maximum(deviation, np.float32(1e-3)), **options)


def first_image_for_all(predict, network, images, **options):
    """Look at the first image alone."""
    return np.repeat(predict(network, images, **options)[:1], len(images), axis=0)


def clipped(predict, network, images, **options):
    """Cut off what is brighter than 1."""
    return predict(network, np.clip(images, 0, 1), **options)


LAST = {}


def seed_of_the_last_network(predict, network, images, *, seed, **options):
    """Keep the weights of the last network, as long as nothing but the seed changes."""
    key = network, images.shape[1:], options.get("classes")
    if key not in LAST:
        LAST.clear()
        LAST[key] = seed
    return predict(network, images, seed=LAST[key], **options)


def one_seed(predict, network, images, *, seed, **options):
    """Draw the same weights by every seed."""
    return predict(network, images, seed=0, **options)


def weights_of_no_use(predict, network, images, *, weights=None, **options):
    """Draw the weights, whatever is asked for."""
    return predict(network, images, **options)


def always_inference(predict, network, images, *, training, **options):
    """Predict in inference mode, whatever is asked for."""
    return predict(network, images, training=False, **options)


def sorted_predictions(predict, network, images, **options):
    """Sort each row, the most probable class first."""
    return -np.sort(-predict(network, images, **options), axis=-1)


def another_seed(predict, network, images, *, seed, **options):
    """Draw other weights than the training does."""
    return predict(network, images, seed=seed + 1000, **options)


def scaled_again(predict, network, images, **options):
    """Divide by 255 what is between 0 and 1."""
    return predict(network, images / np.float32(255), **options)


def mirrored(predict, network, images, **options):
    """Read the columns from the right."""
    return predict(network, images[:, :, ::-1].copy(), **options)


def blue_first(predict, network, images, **options):
    """Read the channels as OpenCV stores them."""
    return predict(network, images[..., ::-1].copy(), **options)


def image_by_image(predict, network, images, **options):
    """Normalise each image of a batch by itself."""
    return np.concatenate([predict(network, image[None], **options) for image in images])


def in_halves(predict, network, images, **options):
    """Work on two halves of a batch, one after the other."""
    return np.concatenate([predict(network, half, **options) for half in np.array_split(images, 2) if len(half)])


FAULTS = {
    "mobilenet_v2_for_all": Fault(
        "applications.predict", "applications.too-small-images", "is accepted", mobilenet_v2_for_all
    ),
    "logits": Fault("applications.predict", "applications.top-gives-a-distribution", "negative probabilities", logits),
    "half_precision": Fault(
        "applications.predict", "applications.top-gives-a-distribution", "the sums", half_precision
    ),
    "shifted": Fault("applications.predict", "applications.black-image", "VGG16", shifted),
    "keep_last_network": Fault(
        "applications.predict",
        "applications.inference-needs-no-batch",
        "after a call in training mode",
        keep_last_network,
    ),
    "always_training": Fault(
        "applications.predict", "applications.inference-needs-no-batch", "MobileNet", always_training
    ),
    "ten_classes": Fault("applications.predict", "applications.inference-needs-no-batch", "[3, 10]", ten_classes),
    "batch_filled_up": Fault(
        "applications.predict", "applications.training-on-equal-images", "the logits of equal images", batch_filled_up
    ),
    "rows_reversed": Fault("applications.predict", "applications.brightness", "twice as bright", rows_reversed),
    "standardized": Fault("applications.predict", "applications.brightness", "twice as bright", standardized),
    "first_image_for_all": Fault(
        "applications.predict", "applications.image-by-image", "same predictions", first_image_for_all
    ),
    "clipped": Fault("applications.predict", "applications.image-by-image", "same predictions", clipped),
    "seed_of_the_last_network": Fault(
        "applications.predict", "applications.weights-none", "give the same predictions", seed_of_the_last_network
    ),
    "one_seed": Fault("applications.predict", "applications.weights-none", "the same predictions", one_seed),
    "weights_of_no_use": Fault(
        "applications.predict", "applications.predictions-with-imagenet", "is accepted", weights_of_no_use
    ),
    "always_inference": Fault(
        "applications.predict", "flowers.first-loss", "the loss of the first batch", always_inference
    ),
    "sorted_predictions": Fault(
        "applications.predict", "flowers.first-loss", "the loss of the first batch", sorted_predictions
    ),
    "another_seed": Fault("applications.predict", "flowers.first-loss", "the loss of the first batch", another_seed),
    "scaled_again": Fault("applications.predict", "flowers.first-loss", "the loss of the first batch", scaled_again),
    "mirrored": Fault("applications.predict", "flowers.first-loss", "the loss of the first batch", mirrored),
    "blue_first": Fault("applications.predict", "flowers.first-loss", "the loss of the first batch", blue_first),
    "image_by_image": Fault(
        "applications.predict", "flowers.first-loss", "the loss of the first batch", image_by_image
    ),
    "in_halves": Fault("applications.predict", "flowers.first-loss", "the loss of the first batch", in_halves),
}
