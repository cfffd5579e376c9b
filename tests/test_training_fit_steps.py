"""Steps and losses of trainings on designed examples: lines 195 to 228 of the document."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import models as definition
from assay.testing.assertions import assert_close, assert_equal, claim
from assay.testing.networks import (
    either_adam,
    solve_training,
)
from assay.testing.training import designed_training
from assay.testing.training.assertions import assert_goes_on, assert_last_parameters
from assay.testing.training.designed_training import OF_THE_DOCUMENT, SMALL, decode, fit, losses_of_examples
from assay.testing.training.label_training import (
    HIGH_RATES,
    assert_learns_labels,
    black_examples,
    passes_gradients_at_0,
)
from assay.testing.training.mnist_training import Examples

LEARNING_RATE = 0.001

# A prime number above the usual lengths of unrolled loops.
MANY_STEPS = 131


@claim("training.fit-labels")
def test_fit_labels(training, trainings_of_seven, seed):
    labels, others = np.random.default_rng(seed).permutation(10)[:4].reshape(2, 2).tolist()
    # A training must not go on from another one of the same images with other labels.
    one_batch = SMALL._replace(num_batches=1)
    fit(training, "mlp", one_batch, black_examples(SMALL, *others), learning_rate=HIGH_RATES["mlp"], seed=seed)
    run = fit(training, "mlp", SMALL, black_examples(SMALL, *labels), learning_rate=HIGH_RATES["mlp"], seed=seed)
    assert_learns_labels("mlp", run, SMALL, tuple(labels), HIGH_RATES["mlp"])
    # Black pixels leave the first kernel as it is, and units at 0 the second.
    still = ["dense1/kernel"] if passes_gradients_at_0("mlp", run) else ["dense1/kernel", "dense2/kernel"]
    for name, value in trainings_of_seven[0].parameters.items():
        if name in still:
            assert_equal(f"{name} after a training on black images", run.parameters[name], to_float64(value))


@claim("training.fit-labels")
def test_fit_labels_of_single_examples(training, seed):
    # Each batch is one of two examples, and never the mean of both.
    sizes, labels = SMALL._replace(num_examples=2, batch_size=1), (seed % 10, (seed + 1) % 10)
    run = fit(training, "mlp", sizes, black_examples(sizes, *labels), learning_rate=HIGH_RATES["mlp"], seed=seed)
    assert_learns_labels("mlp", run, sizes, labels, HIGH_RATES["mlp"])


@claim("training.fit-labels")
def test_fit_labels_of_many_steps(training, seed):
    sizes, label = OF_THE_DOCUMENT._replace(num_batches=MANY_STEPS), seed % 10
    run = fit(training, "mlp", sizes, black_examples(sizes, label, label), learning_rate=0.01, seed=seed)
    assert_learns_labels("mlp", run, sizes, (label, label), 0.01)


# Number of batches of a training. Their losses hardly ever fall from each batch to the next.
FALLING = 12


@claim("training.fit-last-parameters")
def test_fit_last_parameters(training, seed):
    examples = designed_training.seven_examples(seed)

    def train(num_batches):
        sizes = SMALL._replace(num_batches=num_batches)
        return fit(training, "mlp", sizes, examples, learning_rate=LEARNING_RATE, seed=seed)

    assert_last_parameters("batches", train(FALLING).losses, lambda number: train(number).parameters)


# Sizes and learning rates of trainings that are compared with the definition.
TRAININGS_OF_COPIES = [(SMALL, 0.001), (SMALL, 0.01), (OF_THE_DOCUMENT, 0.0003)]


@pytest.fixture(scope="session")
def trainings_of_copies(training, trainings_of_seven, seed, compute_once):
    """Return trainings on copies of one example, each as a problem and the result of `fit`."""

    def train():
        for sizes, learning_rate in TRAININGS_OF_COPIES:
            problem = designed_training.copies_of_one(
                "mlp", trainings_of_seven[0].parameters, sizes, learning_rate, seed
            )
            examples = designed_training.examples_of(problem, sizes)
            yield problem, fit(training, "mlp", sizes, examples, learning_rate=learning_rate, seed=seed)

    return compute_once("followed", lambda: [*train()])


@pytest.fixture(scope="session")
def assert_trainings_of_copies(trainings_of_copies, compute_once):
    """Return a function that compares losses or parameters of these trainings with the definition."""

    def check(names, *, adam):
        for number, ((sizes, learning_rate), (problem, found)) in enumerate(
            zip(TRAININGS_OF_COPIES, trainings_of_copies, strict=True)
        ):
            solve = partial(solve_training, problem, learning_rate, adam=adam)
            _, expected, bounds = compute_once(f"followed-{number}-{adam.value}", solve)
            what = f"fit, {sizes.num_batches} batches of {sizes.batch_size}, learning rate {learning_rate}"
            actual = {"losses": found.losses, **found.parameters}
            assert_close(what, actual, {name: expected[name] for name in names}, bounds)

    return check


@claim("training.fit-trajectory")
def test_fit_trajectory(assert_trainings_of_copies, permitted):
    permitted(either_adam(partial(assert_trainings_of_copies, [*definition.MODELS["mlp"].shapes])))


@claim("training.fit-moves-every-parameter")
def test_fit_moves_every_parameter(trainings_of_copies):
    for problem, found in trainings_of_copies:
        unchanged = [name for name, value in problem.parameters.items() if (found.parameters[name] == value).all()]
        assert not unchanged, f"the training does not change {', '.join(unchanged)}"


@claim("training.fit-losses")
def test_fit_losses(assert_trainings_of_copies, permitted):
    permitted(either_adam(partial(assert_trainings_of_copies, ["losses"])))


# Numbers of trainings and of steps. Other batches fit all of them with a probability below 10^-6.
SEEDS_OF_STEPS, FIRST_STEPS = 3, 4
# In one of forty trainings, two batches have nearly the same loss. If they have in all, others are tried.
ATTEMPTS = 8


@claim("training.fit-losses")
def test_fit_losses_of_the_batches_trained_on(training, seed):
    # Each example has pixels of its own, so the weights that change show which examples a step uses.
    examples = designed_training.separate_examples(seed)
    own = examples.images.reshape(SMALL.num_examples, -1) > 0
    decoded = 0
    for each in range(ATTEMPTS):
        if decoded and each >= SEEDS_OF_STEPS:
            break
        runs = [
            fit(
                training,
                "mlp",
                SMALL._replace(num_batches=number or 1),
                examples,
                learning_rate=LEARNING_RATE if number else 0.0,
                seed=seed + each,
            )
            for number in range(FIRST_STEPS + 1)
        ]
        initial, drawn = runs[0].parameters["dense1/kernel"], np.zeros(SMALL.num_examples, bool)
        for number, (before, run) in enumerate(pairwise(runs), start=1):
            known = losses_of_examples(before.parameters, examples, SMALL.batch_size)
            batch = decode(run.losses[-1:], known, SMALL.batch_size)
            if not batch.is_certain:
                break
            drawn |= batch.counts[0] > 0
            changed = (run.parameters["dense1/kernel"] != initial).any(axis=-1)
            trained_on = (own & changed).any(axis=-1)
            assert (trained_on == drawn).all(), (
                f"the losses of {number} batches are those of the examples {np.flatnonzero(drawn).tolist()}, but the"
                f" steps use {np.flatnonzero(trained_on).tolist()}"
            )
            decoded += 1
    assert decoded, f"in {ATTEMPTS} trainings the loss of no batch is that of some of the examples"


@claim("training.fit-losses")
def test_fit_goes_on(training, seed):
    # All examples are equal. With this learning rate the loss falls to the smallest numbers of float32.
    one = designed_training.separate_examples(seed)
    examples = Examples(*(np.broadcast_to(values[0], (SMALL.num_examples, *values.shape[1:])) for values in one))
    curve = fit(training, "mlp", SMALL, examples, learning_rate=0.005, seed=seed).losses
    assert_goes_on(curve)
