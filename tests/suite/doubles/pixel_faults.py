"""Faults that take pixels beyond 1, or below 0, for unscaled ones."""

import numpy as np

from doubles.faulty import Fault


def divide_large(images):
    """Divide pixels by 255, unless all of them are at most 1."""
    return images / np.float32(255) if images.max() > 1 else images


def clip(images):
    """Limit pixels to the range from 0 to 1."""
    return np.clip(images, 0, 1)


def fitted(change):
    """Return `fit` with changed images."""
    return lambda right, model, images, labels, **options: right(model, change(images), labels, **options)


def of_model(name, change):
    """Return a function of a model, its parameters and its inputs, which changes the inputs of one model."""

    def wrong(right, model, parameters, inputs, *rest):
        return right(model, parameters, change(inputs) if model == name else inputs, *rest)

    return wrong


GRADIENTS, TRAIN = "models.loss_and_gradients", "models.train"
PIXEL_FAULTS = {
    "fit_divides_large_pixels": Fault(
        "training.fit", "training.fit-batches", "12 of 12 losses are not the mean loss", fitted(divide_large)
    ),
    "mlp_gradients_divide_large_pixels": Fault(
        GRADIENTS, "training.any-pixels", "of mlp on pixels between 0 and 4", of_model("mlp", divide_large)
    ),
    "mlp_gradients_without_negative_pixels": Fault(
        GRADIENTS,
        "training.any-pixels",
        "of mlp on pixels between 0 and -4",
        of_model("mlp", lambda images: np.maximum(images, 0)),
    ),
    "cnn_gradients_divide_large_pixels": Fault(
        GRADIENTS, "cnn.any-pixels", "of cnn on pixels between 0 and 4", of_model("cnn", divide_large)
    ),
    "mlp_training_clips_pixels": Fault(
        TRAIN, "training.any-pixels", "the loss in a training of mlp on pixels between 0 and 4", of_model("mlp", clip)
    ),
    "cnn_training_clips_pixels": Fault(
        TRAIN, "cnn.any-pixels", "the loss in a training of cnn on pixels between 0 and 4", of_model("cnn", clip)
    ),
}
