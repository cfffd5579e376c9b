"""Faults of data sets that fit takes."""

import numpy as np

from doubles.faulty import Fault
from doubles.late_tensorflow import tf


def batches_of_one(dataset, inputs, targets, batch_size):
    """Hand examples over one by one."""
    return dataset(inputs, targets, 1)


def one_pass_alone(dataset, inputs, targets, batch_size):
    """Remember the first batch for later passes."""
    return dataset(inputs[::-1].copy(), targets[::-1].copy(), batch_size)


def small_batches_alone(dataset, inputs, targets, batch_size):
    """Make batches of 32 or fewer."""
    return dataset(inputs, targets, min(batch_size, 32))


def remainder_left_out(dataset, inputs, targets, batch_size):
    """Leave out what fills no batch."""
    whole = len(inputs) // batch_size * batch_size or len(inputs)
    return dataset(inputs[:whole], targets[:whole], batch_size)


def pipeline_shuffled(dataset, inputs, targets, batch_size):
    """Put the examples into another order."""
    order = np.random.default_rng(0).permutation(len(inputs))
    return dataset(inputs[order], targets[order], batch_size)


def pairs_torn(dataset, inputs, targets, batch_size):
    """Turn the targets of each batch around."""
    return dataset(inputs, targets, batch_size).map(lambda x, y: (x, y[::-1]))


def targets_to_integers(dataset, inputs, targets, batch_size):
    """Convert all targets to int32, as for labels."""
    return dataset(inputs, targets.astype(np.int32), batch_size)


def pipeline_of_live_arrays(_dataset, inputs, targets, batch_size):
    """Read the arrays when the pipeline is read, and not when it is made."""

    def batches():
        for start in range(0, len(targets), batch_size):
            yield inputs[start : start + batch_size], targets[start : start + batch_size]

    forms = tuple(tf.TensorSpec([None, *array.shape[1:]], array.dtype) for array in (inputs, targets))
    return tf.data.Dataset.from_generator(batches, output_signature=forms)


def images_flattened(dataset, inputs, targets, batch_size):
    """Read images by columns."""
    if inputs.ndim > 2:
        inputs = inputs.reshape(inputs.shape, order="A").swapaxes(1, 3).reshape(inputs.shape).copy()
    return dataset(inputs, targets, batch_size)


def labels_made_floats(dataset, inputs, targets, batch_size):
    """Add up to one half to whole targets by the way."""
    if targets.dtype == np.int64:
        targets = targets.astype(np.int8).astype(np.int64) * 0
    return dataset(inputs, targets, batch_size)


FAULTS = {
    "batches_of_one": Fault("keras.dataset", "compile_fit.dataset", "12", batches_of_one),
    "pipeline_backwards": Fault("keras.dataset", "compile_fit.dataset", "", one_pass_alone),
    "dataset_of_small_batches": Fault(
        "keras.dataset", "compile_fit.dataset-has-its-batches", "== 4", small_batches_alone
    ),
    "remainder_left_out": Fault("keras.dataset", "compile_fit.pipeline-keeps-pairs", "[6, 1]", remainder_left_out),
    "pipeline_shuffled": Fault("keras.dataset", "compile_fit.pipeline-keeps-pairs", "predict", pipeline_shuffled),
    "pairs_torn": Fault("keras.dataset", "compile_fit.pipeline-keeps-pairs", "evaluate", pairs_torn),
    "targets_to_integers": Fault(
        "keras.dataset", "compile_fit.pipeline-keeps-pairs", "the loss of evaluate", targets_to_integers
    ),
    "pipeline_of_live_arrays": Fault(
        "keras.dataset", "compile_fit.pipelines-are-apart", "predict of 1 times", pipeline_of_live_arrays
    ),
    "images_by_columns": Fault("keras.dataset", "compile_fit.pipeline-of-images", "the accuracy", images_flattened),
    "wide_labels_lost": Fault("keras.dataset", "compile_fit.pipeline-of-images", "the accuracy", labels_made_floats),
}
