"""Faults of one-hot vectors."""

import numpy as np

from doubles.faulty import Fault
from doubles.kept_results import keep_argument
from doubles.narrow_numbers import read_labels_as


def depth_of_256(one_hot, labels, depth):
    """Leave the columns from 256 on empty."""
    encoded = np.array(one_hot(labels, depth))
    encoded[..., 256:] = 0
    return encoded


def column_of_labels(one_hot, labels, depth):
    """Drop the axis of a column of labels."""
    return one_hot(labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels, depth)


def cube_of_labels(one_hot, labels, depth):
    """Swap the first two axes of labels that are as many along each."""
    outputs = one_hot(labels, depth)
    cube = labels.ndim == 3 and labels.shape[0] == labels.shape[1]
    return outputs.swapaxes(0, 1) if cube else outputs


def classes_before_places(one_hot, labels, depth):
    """Put the axis of the classes before that of the places, where the shape does not tell."""
    found = one_hot(labels, depth)
    return np.swapaxes(found, -1, -2) if labels.ndim > 1 and labels.shape[-1] == depth else found


FAULTS = {
    "labels_of_8_bits_encoded": Fault(
        "ops.one_hot", "cross_entropy.one-hot-any-depth", "differ", read_labels_as(np.uint8)
    ),
    "labels_of_16_bits_encoded": Fault(
        "ops.one_hot", "cross_entropy.one-hot-any-depth", "differ", read_labels_as(np.uint16)
    ),
    "depth_of_256": Fault("ops.one_hot", "cross_entropy.one-hot-any-depth", "actual 0, expected 1", depth_of_256),
    "depth_of_the_first_call": Fault(
        "ops.one_hot", "cross_entropy.one-hot-calls-are-independent", "has shape", keep_argument(1)
    ),
    "column_of_labels": Fault("ops.one_hot", "rnn.one-hot-any-rank", "[3, 5]", column_of_labels),
    "cube_of_labels": Fault("ops.one_hot", "rnn.one-hot-any-rank", "one_hot", cube_of_labels),
    "classes_before_places": Fault("ops.one_hot", "rnn.one-hot-any-rank", "one_hot", classes_before_places),
}
