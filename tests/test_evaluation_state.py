"""Evaluations of the CNN one after another: lines 252 to 259 of the document."""

from itertools import product

import numpy as np

from assay.spec.semantics.models import MODELS
from assay.testing.assertions import assert_accuracy, claim
from assay.testing.silent_networks import last_bias

# Examples of one class, which is all that the network predicts, and how many of them have this label by turns.
EXAMPLES, PREDICTED = 5, 3
RIGHT = (EXAMPLES, 0, 3)


@claim("evaluation.starts-anew")
def test_cnn_evaluation_starts_anew(training):
    parameters = {name: np.zeros(shape, np.float32) for name, shape in MODELS["cnn"].shapes.items()}
    parameters[last_bias("cnn")][PREDICTED] = 1
    images = np.zeros((EXAMPLES, 28, 28, 1), np.float32)
    # In one batch, and in several.
    for batch_size, right in product((EXAMPLES, 2), RIGHT):
        labels = np.where(np.arange(EXAMPLES) < right, PREDICTED, PREDICTED + 1).astype(np.int32)
        accuracy = training.evaluate("cnn", parameters, images, labels, batch_size)
        expected = right / EXAMPLES
        what = f"the accuracy of the CNN with {right} of {EXAMPLES} right, after other evaluations"
        assert_accuracy(what, accuracy, expected)
