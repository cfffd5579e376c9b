"""Validation with weights, and epochs that bring no progress: lines 822 to 834 of the document."""

import numpy as np

from assay.testing.assertions import assert_equal, claim
from assay.testing.one_weight import assert_means, fit, one_weight_model, steps_of, train_by_hand, weight_of

# The model predicts 1, so the squared errors are 1, 0, 1 and 4. Their weighted mean over a batch of four is 2.
INPUTS = np.ones((4, 1), np.float32)
TARGETS = np.array([[0], [1], [2], [3]], np.float32)
WEIGHTS = np.array([0, 5, 4, 1], np.float32)
EPOCHS = 4


@claim("compile_fit.validation-is-evaluate")
def test_validation_has_weights(keras):
    model = one_weight_model(keras, start="ones", rate=0.0)
    history = fit(model, epochs=2, validation_data=(INPUTS, TARGETS, WEIGHTS))
    assert_equal("the weighted losses of the validation", np.float32(history["val_loss"]), np.array([2.0, 2.0]))


@claim("compile_fit.validation-after-each-epoch")
def test_losses_of_the_validation_rise(keras):
    # The weight rises towards 2/3, and its distance from the validation's targets of 0 with it.
    model, inputs = one_weight_model(keras), np.ones((3, 1), np.float32)
    history = fit(model, epochs=EPOCHS, validation_data=(inputs, 0 * inputs))
    weights = np.array([train_by_hand(epochs)[0] for epochs in range(1, EPOCHS + 1)])
    assert_means("the losses of the validation", history["val_loss"], weights**2)
    assert weight_of(keras, model) == weights[-1], "the weight is not the one after the last epoch"


@claim("compile_fit.history")
def test_history_of_a_later_fit(keras):
    model = one_weight_model(keras)
    fit(model, epochs=1)
    history = fit(model, epochs=EPOCHS, initial_epoch=1)
    assert_means("the losses of the later epochs", history["loss"], train_by_hand(EPOCHS)[1][1:])


@claim("compile_fit.epochs")
def test_losses_that_do_not_fall(keras):
    # With a learning rate of 0 no epoch is better than the first one.
    model, epochs = one_weight_model(keras, rate=0.0), 12
    history = fit(model, np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), epochs=epochs)
    assert history["loss"] == [1.0] * epochs
    assert steps_of(keras, model) == epochs
