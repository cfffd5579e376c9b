"""Sigmoids that faults are made of."""

import numpy as np

from assay.alternatives.numpy.activations import sigmoid

FLOAT = np.float32


def limited_sigmoid(values):
    """Keep what a sigmoid is taken of between -15 and 15."""
    return sigmoid(np.clip(values, -15, 15)).astype(np.float32)


def sigmoid_of(values):
    """Compute the sigmoid as a sound implementation does."""
    small = np.exp(-np.abs(values))
    return (np.where(values >= 0, 1, small) / (1 + small)).astype(FLOAT)


def half_beyond_88(sigmoid, inputs):
    """Give up where exp overflows."""
    return np.where(np.abs(inputs) > 88, FLOAT(0.5), sigmoid(inputs)).astype(FLOAT)
