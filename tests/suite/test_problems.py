"""The problems that tests are made of: every element of theirs has a part in some result."""

from functools import partial

import autograd.numpy as np
import pytest
from autograd import grad

from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import models
from assay.testing import problems

MODELS = {
    "linear": problems.linear,
    "mlp": problems.mlp,
    "cnn": problems.cnn,
    "rnn": problems.rnn,
    "q_network": lambda seed: problems.q_learning_of("q_network", seed).on_states,
    "q_cnn": lambda seed: problems.q_learning_of("q_cnn", seed, batch=2).on_states,
}
# A unit may be 0 for all examples of one problem, but hardly of so many.
DRAWS = 25
LARGE = 300_000


def weighted_outputs(problem, weights, parameters, inputs):
    """Add up the last layer's outputs with weights that let none of them cancel another one."""
    *_, last = models.layer_outputs(problem.model, parameters, inputs).values()
    return np.sum(last * weights)


def derivatives(problem):
    """Differentiate the outputs with respect to every parameter, and to the inputs if they are numbers."""
    parameters, inputs = to_float64(problem.parameters), to_float64(problem.inputs)
    *_, last = models.layer_outputs(problem.model, parameters, inputs).values()
    function = partial(weighted_outputs, problem, np.random.default_rng(0).random(last.shape))
    found = grad(function, 0)(parameters, inputs)
    return found if problem.model == "rnn" else found | {"inputs": grad(function, 1)(parameters, inputs)}


def parts(derivative):
    """Return what is asked of a parameter: each element, and of a large kernel behind a ReLU each row and column.

    Of millions of weights some have an input or a unit that is 0 in all draws.
    """
    if derivative.size < LARGE:
        return derivative
    sums = [np.abs(derivative).sum(axis=tuple({*range(derivative.ndim)} - {axis})) for axis in range(derivative.ndim)]
    return np.concatenate(sums)


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_and_input_counts(model):
    without = {}
    for seed in range(DRAWS):
        found = {name: parts(value) for name, value in derivatives(MODELS[model](seed)).items()}
        without = {name: without.get(name, True) & (value == 0) for name, value in found.items()}
        if not any(map(np.any, without.values())):
            return
    pytest.fail(f"elements without effect: { {name: int(np.sum(mask)) for name, mask in without.items()} }")


def test_every_character_of_a_window_counts():
    problem = problems.rnn(0, batch=1)
    parameters, count = to_float64(problem.parameters), models.NUM_CHARS
    # One window for each place, with another character there.
    others = problem.inputs + np.eye(problems.SEQ_LENGTH, dtype=np.int32)
    outputs = models.layer_outputs("rnn", parameters, np.concatenate([problem.inputs, others % count]))["dense"]
    assert (outputs[1:] != outputs[0]).all()


@pytest.mark.parametrize("model", ["mlp", "cnn", "rnn"])
def test_every_label_is_drawn(model):
    classes = models.MODELS[model].shapes["dense/bias" if model == "rnn" else "dense2/bias"][0]
    make = problems.rnn if model == "rnn" else problems.mlp
    labels = {int(label) for seed in range(20) for label in make(seed, batch=50).targets}
    assert labels == set(range(classes))


@pytest.mark.parametrize("seed", range(3))
def test_no_step_of_a_training_comes_near_probabilities_that_are_clipped(seed):
    # At this rate most trainings do.
    problem = problems.mlp(seed, steps=5, learning_rate=0.01)
    exact = [to_float64(values) for values in problem[1:]]
    before = [exact[0], *(step.parameters for step in models.steps("mlp", *exact, 0.01))]
    for parameters, images, labels in zip(before, problem.inputs, problem.targets, strict=False):
        *_, probabilities = models.layer_outputs("mlp", parameters, to_float64(images)).values()
        assert probabilities[np.arange(len(labels)), labels].min() > 1e-6
