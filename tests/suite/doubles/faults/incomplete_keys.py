"""Faults of functions that keep results, and look them up by a part of their arguments."""

import numpy as np

from assay.testing.stored_arrays import map_arrays
from doubles.faulty import Fault
from doubles.kept_results import key_of

SWAPPED = "two elements swapped"


def found_by(choose, *left_out):
    """Return a fault that returns the result of an earlier call in which the chosen part of the arguments was equal.

    Args:
        choose: Function of the arguments to the part of them that the key includes.
        left_out: Names of options that it leaves out.

    """
    known = {}

    def wrong(right, *args, **options):
        key = (
            key_of(choose(*args)),
            key_of(sorted((name, one) for name, one in options.items() if name not in left_out)),
        )
        if key not in known:
            known[key] = map_arrays(np.array, right(*args, **options))
        return map_arrays(np.array, known[key])

    return wrong


def first_of(array):
    """Return the first element along the first axis, and the shape."""
    return array[:1], array.shape


CHOSEN = {
    "dense_by_first_row": (
        "ops.dense",
        "dense.calls-are-independent",
        "in turn",
        lambda inputs, *rest: (first_of(inputs), rest),
    ),
    "lstm_by_last_step": (
        "ops.lstm",
        "recurrence.lstm-calls-are-independent",
        "in turn",
        lambda inputs, *weights: (inputs.shape, inputs[:, -1], weights),
    ),
    "lstm_by_first_sequence": (
        "ops.lstm",
        "recurrence.lstm-calls-are-independent",
        "in turn",
        lambda inputs, *weights: (first_of(inputs), weights),
    ),
    "losses_by_first_distribution": (
        "ops.sparse_categorical_crossentropy",
        "cross_entropy.calls-are-independent",
        "in turn",
        lambda labels, probabilities: (labels, first_of(probabilities)),
    ),
    "accuracy_by_first_batch": (
        "ops.sparse_categorical_accuracy",
        "evaluation.calls-are-independent",
        "in turn",
        lambda batches: (batches[0], [len(labels) for labels, _ in batches]),
    ),
    "convolution_gradients_by_first_upstream": (
        "ops.conv2d_gradients",
        "convolution.gradients-have-no-memory",
        SWAPPED,
        lambda inputs, kernel, bias, upstream: (inputs, kernel, bias, first_of(upstream)),
    ),
    "max_gradient_by_first_upstream": (
        "ops.max_pool2d_gradient",
        "convolution.max-gradient-has-no-memory",
        "other arguments",
        lambda inputs, upstream: (inputs, first_of(upstream)),
    ),
    "average_gradient_by_first_upstream": (
        "ops.average_pool2d_gradient",
        "convolution.average-gradient-has-no-memory",
        "other arguments",
        lambda inputs, upstream: (inputs, first_of(upstream)),
    ),
    "normalization_without_beta_in_key": (
        "ops.batch_normalization",
        "training_flag.no-memory",
        "two elements of one argument swapped",
        lambda inputs, gamma, _beta, *moving: (inputs, gamma, moving),
    ),
    "normalization_gradients_without_gamma_in_key": (
        "ops.batch_normalization_gradients",
        "training_flag.gradients-have-no-memory",
        "two elements of one argument swapped",
        lambda inputs, _gamma, *rest: (inputs, rest),
    ),
    "outputs_by_first_input": (
        "models.layer_outputs",
        "training.every-example-counts",
        "layer_outputs of linear",
        lambda model, parameters, inputs: (model, parameters, first_of(inputs)),
    ),
    "gradients_without_targets_in_key": (
        "models.loss_and_gradients",
        "training.every-example-counts",
        "loss_and_gradients of linear",
        lambda model, parameters, inputs, _targets: (model, parameters, inputs),
    ),
    "training_by_first_batch": (
        "models.train",
        "training.every-example-counts",
        "train of linear",
        lambda model, parameters, inputs, targets, rate: (model, parameters, first_of(inputs), targets[0], rate),
    ),
    "accuracy_by_first_image": (
        "training.evaluate",
        "evaluation.starts-anew",
        "the last has changed",
        lambda model, parameters, images, *rest: (model, parameters, first_of(images), rest),
    ),
    "images_by_first_image": (
        "datasets.preprocess",
        "mnist.no-memory",
        "the images",
        lambda images, labels: (first_of(images), labels),
    ),
    "batches_by_images": (
        "datasets.sample_batch",
        "mnist.no-memory",
        "has another label there",
        lambda images, _labels, *rest: (images, rest),
    ),
    "average_gradient_by_upstream": (
        "ops.average_pool2d_gradient",
        "convolution.average-gradient-has-no-memory",
        "has shape",
        lambda _inputs, upstream: upstream,
    ),
    "convolution_gradients_without_strides_in_key": (
        "ops.conv2d_gradients",
        "convolution.gradients-have-no-memory",
        "other strides",
        lambda *arrays: arrays,
        "strides",
    ),
    "text_without_cell_in_key": (
        "text.generate",
        "generation.begins-anew",
        "the text of another network",
        lambda parameters, window: (parameters["dense/kernel"], parameters["dense/bias"], window),
    ),
    "texts_by_their_characters": (
        "text.encode",
        "text.no-memory",
        "stand for",
        lambda content: (len(content), sorted({*content})),
    ),
}


FAULTS = {
    name: Fault(function, claim, tells, found_by(choose, *left_out))
    for name, (function, claim, tells, choose, *left_out) in CHOSEN.items()
}
