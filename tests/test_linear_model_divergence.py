"""Results that are not numbers: lines 69 to 75 of the document."""

import numpy as np
import pytest

from assay.testing import problems
from assay.testing.assertions import assert_form, claim
from assay.testing.cases import normal

# Shapes of any rank, and places in them.
LOSSES = (((5,), (0,)), ((5,), (-1,)), ((3, 4), (1, 2)), ((2, 3, 4), (1, 2, 3)), ((67, 31), (66, 0)))
STEPS, FIRST = 4, 1


@claim("linear_model.not-a-number")
@pytest.mark.parametrize(("shape", "place"), LOSSES, ids=str)
@pytest.mark.parametrize("argument", ["targets", "predictions"])
def test_loss_is_not_a_number(ops, seed, shape, place, argument):
    arrays = dict(zip(("targets", "predictions"), normal(seed, shape, shape), strict=True))
    arrays[argument][place] = np.nan
    loss = assert_form("the loss", ops.mean_squared_error(**arrays), ())
    assert np.isnan(loss), f"one of the {argument} of shape {shape} is NaN, and the loss is {loss}, expected NaN"


@claim("linear_model.not-a-number")
def test_training_is_not_continued(models, seed):
    problem = problems.linear(seed, batch=2, steps=STEPS)
    inputs = problem.inputs.copy()
    inputs[FIRST, -1, -1] = np.nan
    losses, parameters = models.train("linear", problem.parameters, inputs, problem.targets, 0.1)
    losses = assert_form("the losses", losses, (STEPS,))
    expected = np.arange(STEPS) >= FIRST
    assert (np.isnan(losses) == expected).all(), (
        f"an input of batch {FIRST} is NaN, and the losses are {losses.tolist()}: expected NaN from this batch on"
    )
    for name, value in problem.parameters.items():
        found = assert_form(name, parameters[name], value.shape)
        assert np.isnan(found).all(), f"an input of batch {FIRST} is NaN, and {name} is {found.tolist()} at the end"
