"""Evaluations of predictions that are equal or close to each other: lines 253 to 259 of the document."""

import numpy as np
import pytest

from assay.spec.semantics.models import MODELS
from assay.testing.assertions import assert_accuracy, claim
from assay.testing.silent_networks import last_bias

# float16 and bfloat16 have no number between this one and the next that is so near.
LOGIT, DISTANCE = 32.0, 2.0**-6


@claim("evaluation.close-predictions")
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_one_prediction(training, model):
    # Whichever class is chosen among equal probabilities, it is right for one of ten labels.
    parameters = {name: np.zeros(shape, np.float32) for name, shape in MODELS[model].shapes.items()}
    images, labels = np.zeros((10, 28, 28, 1), np.float32), np.arange(10, dtype=np.int32)
    accuracy = training.evaluate(model, parameters, images, labels, 4)
    assert_accuracy("the accuracy of equal probabilities", accuracy, 1 / 10)


@claim("evaluation.close-predictions")
@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("largest", [1, 9])
def test_close_predictions(training, model, largest):
    parameters = {name: np.zeros(shape, np.float32) for name, shape in MODELS[model].shapes.items()}
    parameters[last_bias(model)][:] = LOGIT
    parameters[last_bias(model)][largest] += DISTANCE
    images, labels = np.zeros((3, 28, 28, 1), np.float32), np.array([largest, 0, largest], np.int32)
    accuracy = training.evaluate(model, parameters, images, labels, 2)
    assert_accuracy("the accuracy", accuracy, 2 / 3)
