"""Gradients and trainings of the convolutional network: lines 332 to 336 of the document."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given

from assay.spec.error_bounds import measured_bounds, rounding
from assay.spec.error_bounds.measured_bounds import compare_to_bound, root_mean_square, to_float64
from assay.spec.semantics import models as definition
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import cache_by_precision
from assay.spec.vectors import read
from assay.testing import initial_parameters, silent_networks
from assay.testing.assertions import (
    assert_accuracy,
    assert_close,
    assert_form,
    assert_within,
    claim,
    few_examples,
)
from assay.testing.cnn_problems import SHAPES, logits, problem_of, resize_batch, run
from assay.testing.networks import (
    assert_any_pixels,
    assert_solved_in_any_order,
    case,
    either_adam,
    gradients_of,
    layer_outputs,
    loss_and_gradients,
    solve,
    train_model,
    trajectory,
)
from assay.testing.problems import LEARNING_RATE, Problem
from assay.testing.strategies import seeds
from assay.testing.thresholds import limits, quarters, threshold
from assay.testing.training.assertions import (
    assert_losses_not_above,
    assert_not_above,
    assert_not_below,
    encode_images,
    pictures,
)
from assay.testing.training.designed_training import Sizes, fit
from assay.testing.training.label_training import HIGH_RATES, assert_learns_labels, black_examples
from assay.testing.training.mnist_training import Examples
from assay.testing.training.reported_accuracy import assert_reported

DOCUMENT = read("cnn")
BATCH_SIZE = read("mlp")["batch_size"]
PRINTED = DOCUMENT["test_accuracy"]


def gradients_case(seed):
    """Return a problem, the definition's loss and gradients, and their bounds."""
    return case(problem_of, loss_and_gradients, seed)


@claim("cnn.loss")
@few_examples(2)
@given(seed=seeds())
def test_loss(models, seed):
    problem, expected, bounds = gradients_case(seed)
    assert_close("loss_and_gradients", gradients_of(models, problem), {"loss": expected["loss"]}, bounds)


def assert_gradients(models, seed, layer):
    """Compare the gradients of a layer with the definition's."""
    problem, expected, bounds = gradients_case(seed)
    of_layer = {name: expected[name] for name in (f"{layer}/kernel", f"{layer}/bias")}
    assert_close("loss_and_gradients", gradients_of(models, problem), of_layer, bounds)


@claim("cnn.conv1-gradients")
@few_examples(2)
@given(seed=seeds())
def test_conv1_gradients(models, seed):
    assert_gradients(models, seed, "conv1")


@claim("cnn.any-pixels")
def test_any_pixels(models, seed):
    assert_any_pixels(models, gradients_case(seed), "conv1/kernel")


# Places of the outputs of the second pooling, and pixels of its inputs.
PLACES, PIXELS = 7 * 7, 14 * 14


def equal_elements(seed):
    """Make a problem in which all elements of each window of pooling are equal, and no ReLU gives 0.

    The first convolution has no weights, and the second weights one pixel alone: each has equal outputs everywhere.
    """
    generator = np.random.default_rng(seed)
    parameters = {name: generator.uniform(0.5, 1, shape).astype(np.float32) for name, shape in SHAPES.items()}
    filters = len(parameters["conv2/bias"])
    parameters["conv1/kernel"][:] = 0
    parameters["conv2/kernel"][np.arange(25).reshape(5, 5) != 12] = 0
    # Every place has the same weights. They are so small that no probability is near 0 or 1.
    parameters["dense1/kernel"] = np.tile(parameters["dense1/kernel"][:filters] / np.float32(2**20), (PLACES, 1))
    parameters["dense2/kernel"] /= np.float32(2**5)
    return Problem("cnn", parameters, generator.random((1, 28, 28, 1), np.float32), np.array([3], np.int32))


@claim("cnn.conv1-gradients")
def test_gradients_through_equal_elements(models, seed):
    problem = equal_elements(seed)
    found = gradients_of(models, problem)
    to_places = PLACES * to_float64(found["dense1/bias"])
    weights = to_float64({name: value for name, value in problem.parameters.items() if name.endswith("kernel")})
    # Whichever element of a window gets its gradient, or in parts, it arrives once. Sums over pixels add rounding.
    for name, upstream, kernel in (
        ("conv2/bias", to_places, weights["dense1/kernel"][: len(found["conv2/bias"])]),
        ("conv1/bias", to_float64(found["conv2/bias"]), weights["conv2/kernel"][2, 2]),
    ):
        sums, sizes = upstream @ kernel.T, np.abs(upstream) @ kernel.T
        bound = rounding.dense(upstream[None], kernel.T, None, None)[0]
        bound += rounding.gamma(2 * PIXELS + rounding.DIVIDE) * sizes
        assert_within(f"the gradient for {name} through windows of equal elements", found[name], sums, bound)


@claim("cnn.conv2-gradients")
@few_examples(2)
@given(seed=seeds())
def test_conv2_gradients(models, seed):
    assert_gradients(models, seed, "conv2")


@claim("cnn.dense1-gradients")
@few_examples(2)
@given(seed=seeds())
def test_dense1_gradients(models, seed):
    assert_gradients(models, seed, "dense1")


@claim("cnn.dense2-gradients")
@few_examples(2)
@given(seed=seeds())
def test_dense2_gradients(models, seed):
    assert_gradients(models, seed, "dense2")


@claim("cnn.gradient-is-averaged")
@few_examples(2)
@given(seed=seeds())
def test_gradient_is_averaged(models, seed):
    problem, expected, bounds = gradients_case(seed)
    twice = problem._replace(inputs=np.tile(problem.inputs, (2, 1, 1, 1)), targets=np.tile(problem.targets, 2))
    assert_close("loss_and_gradients of every image twice", gradients_of(models, twice), expected, bounds)


@claim("cnn.gradient-of-parts")
def test_gradient_of_parts(models, seed):
    four, _, bounds = gradients_case(seed)
    parts = {size: gradients_of(models, resize_batch(four, size)) for size in (3, 4)}
    for threes, fours in ((1, 1), (2, 11)):
        batch = 3 * threes + 4 * fours
        # The first three images and all four images, repeated this number of times.
        order = np.array([*range(3)] * threes + [*range(4)] * fours)
        whole = gradients_of(models, four._replace(inputs=four.inputs[order], targets=four.targets[order]))
        expected = {name: (3 * threes * parts[3][name] + 4 * fours * parts[4][name]) / batch for name in bounds}
        limits = measured_bounds.bounds_of_parts(bounds, 4, [3] * threes + [4] * fours)
        assert_close(f"loss_and_gradients of {batch} images and of parts of them", whole, expected, limits)


@cache_by_precision
def trajectory_case(seed, *, adam=Adam.BEFORE_CORRECTION):
    """Return a problem of two batches, the definition's losses and last parameters, and their bounds."""
    problem = problem_of(seed, batch=2, steps=2, adam=adam)
    return solve(problem, trajectory, adam=adam)


@claim("cnn.trajectory")
def test_trajectory(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        parameters = {name: expected[name] for name in problem.parameters}
        assert_close("train, after 2 steps", train_model(models, problem), parameters, bounds)

    permitted(either_adam(check))


@claim("cnn.trajectory-losses")
def test_trajectory_losses(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        assert_close("train", train_model(models, problem), {"losses": expected["losses"]}, bounds)

    permitted(either_adam(check))


@claim("cnn.other-learning-rates")
def test_other_learning_rates(models, seed):
    silent_networks.assert_rates(models, "cnn", seed)


@claim("cnn.other-learning-rates")
def test_constant_learning_rate(models, seed):
    # The rate does not fall, neither after ten steps nor where a label is almost certain.
    silent_networks.assert_steps(models, "cnn", seed, 11, confidence=silent_networks.CONFIDENT)


@claim("cnn.confident-and-wrong")
@pytest.mark.parametrize("probability", [2.0**-10, 2.0**-22, 1 - 2.0**-14])
def test_confident_and_wrong(models, seed, probability):
    silent_networks.assert_doubted(models, "cnn", seed, probability)


@claim("cnn.document-batches")
def test_document_batches(models, seed):
    silent_networks.assert_steps(models, "cnn", seed, 2, batch=BATCH_SIZE)


@claim("cnn.every-step")
def test_every_step(models, seed):
    # Each of the four images is a batch.
    problem = problem_of(seed)
    before, after = (
        train_model(
            models, problem._replace(inputs=problem.inputs[:steps, None], targets=problem.targets[:steps, None])
        )
        for steps in (3, 4)
    )
    still = [name for name in SHAPES if (after[name] == before[name]).all()]
    assert not still, f"the fourth step does not move {still}"


@claim("cnn.memory-order")
def test_memory_order(models, seed):
    assert_solved_in_any_order(case(problem_of, layer_outputs, seed), partial(run, models))
    assert_solved_in_any_order(gradients_case(seed), partial(gradients_of, models))


@claim("cnn.order-of-batches")
def test_order_of_batches(models, seed):
    problem, expected, bounds = trajectory_case(seed)
    backwards = problem._replace(inputs=problem.inputs[::-1].copy(), targets=problem.targets[::-1].copy())
    one, other = train_model(models, problem), train_model(models, backwards)
    _, reverse = definition.train("cnn", *map(to_float64, backwards[1:]), LEARNING_RATE)
    # Each of the two has its own rounding error. With coarse products, that may hide the effect of the order.
    told = [name for name in SHAPES if compare_to_bound(expected[name] - reverse[name], bounds[name]) > 4]
    same = [name for name in told if compare_to_bound(one[name] - other[name], bounds[name]) <= 2]
    assert told, "products are too coarse to tell"
    assert not same, f"batches in reverse lead to the same {same}"


@claim("cnn.same-recipe")
def test_same_recipe(mnist):
    program = read("mlp")
    num_batches = len(mnist.x_train) // BATCH_SIZE * program["num_epochs"]
    common = {name: program[name] for name in ("batch_size", "learning_rate")}
    assert threshold("cnn_five_epochs").recipe == {"model": "cnn", "num_batches": num_batches, **common}


# An epoch has a single batch, and a rest.
FITTED = Sizes(num_examples=3, num_batches=2, batch_size=2)
# More steps than Adam's first moment remembers.
LABELLED = FITTED._replace(num_batches=12)


@pytest.fixture(scope="session")
def fitted(training, seed, compute_once):
    """Return a training on copies of one image, and one with a learning rate of 0."""
    problem = problem_of(seed, batch=1)
    examples = Examples(*(np.repeat(values, FITTED.num_examples, axis=0) for values in problem[2:]))

    def train():
        return [fit(training, "cnn", FITTED, examples, learning_rate=rate, seed=seed) for rate in (LEARNING_RATE, 0.0)]

    return compute_once("cnn-fitted", train)


@claim("cnn.replaces-mlp")
def test_replaces_mlp(fitted):
    assert_form("the losses of 2 batches", fitted[0].losses, (2,))
    assert {name: np.shape(value) for name, value in fitted[0].parameters.items()} == SHAPES


@claim("cnn.fit-initial-parameters")
def test_fit_initial_parameters(fitted):
    _, start = fitted
    initial_parameters.assert_new("cnn", start.parameters)
    initial_parameters.assert_unrelated(start.parameters)


@claim("cnn.fit-labels")
def test_fit_labels(training, fitted, seed):
    labels, others = np.random.default_rng(seed).permutation(10)[:4].reshape(2, 2).tolist()
    examples = black_examples(LABELLED, *labels)
    # A training must not go on from another one of the same images with other labels.
    one_batch = LABELLED._replace(num_batches=1)
    fit(training, "cnn", one_batch, black_examples(LABELLED, *others), learning_rate=HIGH_RATES["cnn"], seed=seed)
    run = fit(training, "cnn", LABELLED, examples, learning_rate=HIGH_RATES["cnn"], seed=seed + 1)
    assert_learns_labels("cnn", run, LABELLED, tuple(labels), HIGH_RATES["cnn"])
    initial_parameters.assert_all_differ(fitted[1].parameters, run.parameters, (seed, seed + 1))


@claim("cnn.fit-trajectory")
def test_fit_trajectory(models, fitted, seed):
    found, start = fitted
    image, label = problem_of(seed, batch=1)[2:]
    batches = np.tile(image, (2, 2, 1, 1, 1)), np.tile(label, (2, 2))
    expected = train_model(models, Problem("cnn", start.parameters, *batches))
    # Each of the two may be off by as much as another training of this size, with other ill-conditioned elements.
    bounds = {name: 2 * root_mean_square(np.asarray(bound)) for name, bound in trajectory_case(seed).bounds.items()}
    actual = {"losses": found.losses, **found.parameters}
    assert_close("fit on copies of one image, beside train", actual, to_float64(expected), bounds)


@claim("cnn.evaluate")
@few_examples(2)
@given(seed=seeds())
def test_evaluate(training, seed):
    # Only the last of four images has the right label, and batches of three leave it for a smaller batch.
    problem = problem_of(seed)
    scores = logits(*map(to_float64, problem[1:]))["dense2"]
    best, second = -np.sort(-scores, axis=-1)[:, :2].T
    # Where two logits are nearly equal, rounding may choose either. So the right label has the largest lead of the four
    # images, and the wrong ones are the least likely labels.
    order = np.argsort(best - second)
    labels = np.where(np.arange(4) < 3, scores[order].argmin(axis=-1), scores[order].argmax(axis=-1))
    accuracy = training.evaluate("cnn", problem.parameters, problem.inputs[order], labels.astype(np.int32), 3)
    assert_accuracy("the accuracy", accuracy, 1 / 4)


@claim("cnn.printed-accuracy")
def test_printed_accuracy():
    one = threshold("cnn_one_epoch").limits()
    assert one.lower <= PRINTED <= one.upper
    assert threshold("cnn_five_epochs").limits().mean > PRINTED


@claim("cnn.every-run-beats-mlp")
def test_every_run_beats_mlp():
    cnn, mlp = (threshold(f"{model}_five_epochs").values("accuracy") for model in ("cnn", "mlp"))
    assert min(cnn) > max(mlp)


@claim("cnn.five-epochs")
def test_five_epochs(cnn_five_epochs, evidence):
    assert_not_below("cnn_five_epochs", cnn_five_epochs, PRINTED, evidence)


@claim("cnn.too-good")
def test_too_good(cnn_five_epochs):
    assert_not_above("cnn_five_epochs", cnn_five_epochs)


@claim("cnn.loss-curve")
def test_loss_curve(cnn_five_epochs, evidence):
    assert_losses_not_above("cnn_five_epochs", cnn_five_epochs, evidence, classes=10)


@claim("cnn.loss-falls")
def test_loss_falls(cnn_five_epochs):
    first, second, *later = means = quarters(cnn_five_epochs["losses"])
    # The last two are not compared with each other: from run to run, their distance varies by a fifth of itself.
    assert first > second > max(later), f"the mean losses of the four quarters are {means}"


# Number of images among which misclassified digits for the report are sought.
EVALUATED = 2_000


@claim("cnn.reported-accuracy")
def test_reported_accuracy(training, cnn_five_epochs, test_set, evidence):
    parameters, some = cnn_five_epochs["parameters"], Examples(*(values[:EVALUATED] for values in test_set))
    parts = np.split(to_float64(some.images), EVALUATED // BATCH_SIZE)
    scores = np.concatenate([logits(to_float64(parameters), part, None)["dense2"] for part in parts])
    kernels = np.moveaxis(parameters["conv1/kernel"][:, :, 0], -1, 0)
    evidence(filters=encode_images(kernels.astype(np.float32)), **pictures(scores, some))
    bounds = measured_bounds.bounds(logits, "cnn", parameters, some.images[:BATCH_SIZE], some.labels[:BATCH_SIZE])
    accuracy = training.evaluate("cnn", parameters, *some, BATCH_SIZE)
    assert_reported(accuracy, scores, 2 * bounds["dense2"], some.labels)


@claim("cnn.beats-mlp")
def test_beats_mlp(cnn_five_epochs, five_epochs):
    cnn, mlp = cnn_five_epochs["accuracy"], five_epochs["accuracy"]
    assert cnn > mlp, f"the CNN has an accuracy of {cnn:.4f}, and the MLP {mlp:.4f}"


@claim("cnn.overfits")
def test_overfits(cnn_five_epochs):
    stored = threshold("cnn_five_epochs")
    lead = cnn_five_epochs["train_accuracy"] - cnn_five_epochs["accuracy"]
    known = limits(np.subtract(stored.values("train_accuracy"), stored.values("accuracy")).tolist())
    assert lead >= known.lower, (
        f"known images are read {lead:.4f} better than new ones; the stored runs had {known.mean:.4f} with a deviation"
        f" of {known.deviation:.4f}"
    )
