"""Validation with weights and over several epochs: lines 822 to 834 of the document."""

import numpy as np

from assay.testing.assertions import assert_equal, claim
from assay.testing.one_weight import fit, one_weight_model

# The model predicts 1, so the squared errors are 1, 0, 1 and 4. Their weighted mean over a batch of four is 2.
INPUTS = np.ones((4, 1), np.float32)
TARGETS = np.array([[0], [1], [2], [3]], np.float32)
WEIGHTS = np.array([0, 5, 4, 1], np.float32)


@claim("compile_fit.validation-is-evaluate")
def test_validation_has_weights(keras):
    model = one_weight_model(keras, start="ones", rate=0.0)
    history = fit(model, epochs=2, validation_data=(INPUTS, TARGETS, WEIGHTS))
    assert_equal("the weighted losses of the validation", np.float32(history["val_loss"]), np.array([2.0, 2.0]))
    history = fit(model, epochs=2, validation_data=(INPUTS, TARGETS))
    assert_equal("the losses without weights", np.float32(history["val_loss"]), np.array([1.5, 1.5]))
