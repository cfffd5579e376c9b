"""Losses, gradients and steps with given batches, and a training on MNIST: lines 195 to 228 of the document."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import losses
from assay.spec.semantics import models as definition
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import cache_by_precision
from assay.testing import problems, silent_networks
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_within, claim, few_examples
from assay.testing.networks import (
    assert_any_pixels,
    assert_solved_in_any_order,
    case,
    either_adam,
    gradients_of,
    loss_and_gradients,
    solve,
    solve_training,
    train_model,
    trajectory,
)
from assay.testing.silent_networks import CONFIDENT, extreme_probabilities
from assay.testing.stored_arrays import are_equal, assert_results_stay, swap_elements
from assay.testing.strategies import seeds
from assay.testing.thresholds import quarters, threshold
from assay.testing.training.assertions import assert_losses_not_above

STEPS = 5

# A prime number above the usual lengths of unrolled loops.
MANY_STEPS = 131

# Not a multiple of usual block sizes up to 256.
LARGE_BATCH = 259


def gradients_case(seed):
    """Return a problem, its loss and gradients by the definition, and their bounds."""
    return case(problems.mlp, loss_and_gradients, seed)


@cache_by_precision
def trajectory_case(seed, *, adam=Adam.BEFORE_CORRECTION):
    """Return a problem of several batches, losses and final parameters by the definition, and their bounds."""
    problem = problems.mlp(seed, steps=STEPS, adam=adam)
    return solve(problem, trajectory, adam=adam)


@claim("training.num-epochs")
def test_num_epochs(mnist):
    assert len(mnist.x_train) // 50 * 5 == threshold("mlp_five_epochs").recipe["num_batches"] == 6_000


@claim("training.batch-size")
def test_batch_size(models, seed):
    problem = problems.mlp(seed, batch=50, steps=2)
    assert_form("the losses of two batches of 50", train_model(models, problem)["losses"], (2,))


@claim("training.loss-is-mean")
@few_examples(8)
@given(seed=seeds())
def test_loss_is_mean(models, seed):
    problem, _, bounds = gradients_case(seed)
    outputs = definition.layer_outputs("mlp", to_float64(problem.parameters), to_float64(problem.inputs))
    per_example = losses.sparse_categorical_crossentropy(problem.targets, outputs["softmax"])
    actual, _ = models.loss_and_gradients(*problem)
    assert_within("the loss", actual, per_example.mean(), bounds["loss"])


@claim("training.loss-is-scalar")
@few_examples(8)
@given(seed=seeds())
def test_loss_is_scalar(models, seed):
    assert_form("the loss", models.loss_and_gradients(*problems.mlp(seed))[0], ())


@claim("training.all-zero-model")
@few_examples(8)
@given(seed=seeds())
def test_all_zero_model(models, seed):
    problem = problems.mlp(seed)
    zeros = {name: np.zeros_like(value) for name, value in problem.parameters.items()}
    actual, _ = models.loss_and_gradients(*problem._replace(parameters=zeros))
    # The bound covers the rounding of the probabilities of 1 / 10, and of the mean over 8 examples.
    even = np.full((1, 10), 0.1, np.float32).astype(np.float64)
    bound = rounding.crossentropy(np.ones((1, 1)), even)[0] + rounding.gamma(8 + rounding.DIVIDE) * math.log(10)
    assert_within("the loss", actual, math.log(10), bound + 10 * rounding.softmax(np.zeros((1, 10)))[0, 0])


@claim("training.gradients")
@few_examples(8)
@given(seed=seeds())
def test_gradients(models, seed):
    problem, expected, bounds = gradients_case(seed)
    assert_close("loss_and_gradients", gradients_of(models, problem), expected, bounds)


@claim("training.any-pixels")
def test_any_pixels(models, seed):
    assert_any_pixels(models, gradients_case(seed), "dense1/kernel")


@claim("training.gradient-for-every-variable")
@few_examples(8)
@given(seed=seeds())
def test_gradient_for_every_variable(models, seed):
    _, found = models.loss_and_gradients(*problems.mlp(seed))
    shapes = {name: np.shape(gradient) for name, gradient in found.items()}
    assert shapes == definition.MODELS["mlp"].shapes


@claim("training.gradient-is-averaged")
@few_examples(8)
@given(seed=seeds())
def test_gradient_is_averaged(models, seed):
    problem, expected, bounds = gradients_case(seed)
    twice = problem._replace(inputs=np.tile(problem.inputs, (2, 1, 1, 1)), targets=np.tile(problem.targets, 2))
    assert_close("loss_and_gradients of every example twice", gradients_of(models, twice), expected, bounds)


@claim("training.unused-pixels")
@few_examples(8)
@given(seed=seeds())
def test_unused_pixels(models, seed):
    used = np.random.default_rng(seed).random((28, 28, 1)) < 1 / 2
    problem = problems.mlp(seed)
    _, found = models.loss_and_gradients(*problem._replace(inputs=problem.inputs * used.astype(np.float32)))
    unused = ~used.ravel()
    assert_equal("the gradient of their weights", found["dense1/kernel"][unused], np.zeros((unused.sum(), 100)))


@claim("training.trajectory")
@few_examples(8)
@given(seed=seeds())
def test_trajectory(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        parameters = {name: expected[name] for name in problem.parameters}
        assert_close(f"train, after {STEPS} steps", train_model(models, problem), parameters, bounds)

    permitted(either_adam(check))


@claim("training.trajectory-losses")
@few_examples(8)
@given(seed=seeds())
def test_trajectory_losses(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        assert_close("train", train_model(models, problem), {"losses": expected["losses"]}, bounds)

    permitted(either_adam(check))


@claim("training.loss-before-step")
@few_examples(8)
@given(seed=seeds())
def test_loss_before_step(models, seed):
    problem, expected, bounds = trajectory_case(seed)
    first = problem._replace(inputs=problem.inputs[:1], targets=problem.targets[:1])
    actual = assert_form("the losses", train_model(models, first)["losses"], (1,))
    assert_within("the first loss", actual[0], expected["losses"][0], bounds["losses"])


@claim("training.order-of-batches")
@few_examples(8)
@given(seed=seeds())
def test_order_of_batches(models, permitted, seed):
    def check(adam):
        problem = trajectory_case(seed, adam=adam).problem
        reverse = problem._replace(inputs=problem.inputs[::-1].copy(), targets=problem.targets[::-1].copy())
        problem, expected, bounds = solve(reverse, trajectory, adam=adam)
        assert_close("train on the batches in reverse order", train_model(models, problem), expected, bounds)

    permitted(either_adam(check))


@claim("training.new-optimizer")
@few_examples(8)
@given(seed=seeds())
def test_new_optimizer(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        train_model(models, problem)
        assert_close("train, for the second time", train_model(models, problem), expected, bounds)

    permitted(either_adam(check))


@claim("training.other-learning-rates")
@pytest.mark.parametrize(("learning_rate", "steps"), [(0.0001, STEPS), (0.003, STEPS), (0.03, 1)])
def test_other_learning_rates(models, permitted, seed, learning_rate, steps):
    def check(*, adam):
        options = {"learning_rate": learning_rate, "adam": adam}
        # Several large steps would lead to probabilities that some implementations clip.
        problem = problems.mlp(seed, steps=steps, **options)
        _, expected, bounds = solve_training(problem, **options)
        what = f"train, learning rate {learning_rate}"
        assert_close(what, train_model(models, problem, learning_rate), expected, bounds)

    permitted(either_adam(check))


@claim("training.other-learning-rates")
def test_learning_rate_zero(models, seed):
    # With constant parameters, the losses show the order of the batches.
    problem = problems.mlp(seed, steps=STEPS, learning_rate=0.0)
    _, expected, bounds = solve_training(problem, 0.0)
    found = train_model(models, problem, 0.0)
    assert_close("train, learning rate 0", found, {"losses": expected["losses"]}, bounds)
    for name, value in problem.parameters.items():
        assert_equal(f"{name} after training with learning rate 0", found[name], value)


@claim("training.document-batches")
def test_document_batches(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = solve(problems.mlp(seed, batch=50, steps=2, adam=adam), trajectory, adam=adam)
        assert_close("train on two batches of 50", train_model(models, problem), expected, bounds)

    permitted(either_adam(check))


@claim("training.many-steps")
def test_many_steps(models, seed):
    silent_networks.assert_steps(models, "mlp", seed, MANY_STEPS)
    silent_networks.assert_steps(models, "mlp", seed, 3, confidence=CONFIDENT)


@claim("training.large-batches")
def test_large_batches(models, seed):
    silent_networks.assert_batch(models, "mlp", seed, LARGE_BATCH)
    silent_networks.assert_steps(models, "mlp", seed, 2, batch=LARGE_BATCH)


# Shape of one input of each network; the RNN takes whole numbers.
INPUTS = {
    "linear": (3,),
    "mlp": (28, 28, 1),
    "cnn": (28, 28, 1),
    "rnn": (3,),
    "q_network": (4,),
    "q_cnn": (84, 84, 4),
}
TRAINED = ("linear", "mlp", "cnn", "rnn")


def draw_apart(generator, low, high, shape):
    """Draw float32 numbers no two of which are so near that rounding hides an exchange of them."""
    count = math.prod(shape)
    # Each number is in the middle half of a part of its own.
    places = (generator.permutation(count) + generator.uniform(1 / 4, 3 / 4, count)) / count
    return (low + (high - low) * places).astype(np.float32).reshape(shape)


def drawn_problem(model, seed, *leading):
    """Draw parameters and inputs of a network, with targets, without regard to rounding."""
    generator = np.random.default_rng((seed, *leading))
    shapes = definition.MODELS[model].shapes
    parameters = {name: draw_apart(generator, -0.1, 0.1, shape) for name, shape in shapes.items()}
    shape = *leading, *INPUTS[model]
    inputs = (
        generator.integers(0, definition.NUM_CHARS, shape, np.int32)
        if model == "rnn"
        else draw_apart(generator, 0.0, 1.0, shape)
    )
    targets = (
        generator.random((*leading, 1), np.float32)
        if model == "linear"
        else generator.integers(0, 10, leading, np.int32)
    )
    return model, parameters, inputs, targets


@claim("training.outputs-stay")
@pytest.mark.parametrize("model", INPUTS)
def test_outputs_stay(models, seed, model):
    calls = [drawn_problem(model, seed + number, 1)[:3] for number in range(2)]
    assert_results_stay(f"layer_outputs of {model}", models.layer_outputs, *calls)


@claim("training.results-stay")
@pytest.mark.parametrize("model", TRAINED)
def test_results_stay(models, seed, model):
    calls = [drawn_problem(model, seed + number, 3) for number in range(2)]
    assert_results_stay(f"loss_and_gradients of {model}", models.loss_and_gradients, *calls)
    trainings = [(*drawn_problem(model, seed + number, 2, 1), 0.02) for number in range(2)]
    assert_results_stay(f"train of {model}", models.train, *trainings)


def assert_every_element_counts(what, function, *arguments):
    """Check that all results together change with two elements of an argument; equal elements change nothing."""
    first = function(*arguments)
    for others in swap_elements(arguments):
        if not are_equal(others, arguments):
            assert not are_equal(function(*others), first), f"{what} is the same with two elements swapped"


@claim("training.every-example-counts")
@pytest.mark.parametrize("model", INPUTS)
def test_every_input_counts(models, seed, model):
    _, parameters, inputs, _ = drawn_problem(model, seed, 3)
    assert_every_element_counts(
        f"layer_outputs of {model}", lambda one: models.layer_outputs(model, parameters, one), inputs
    )


@claim("training.every-example-counts")
@pytest.mark.parametrize("model", TRAINED)
def test_every_target_counts(models, seed, model):
    _, parameters, inputs, targets = drawn_problem(model, seed, 3)
    different = np.arange(3, dtype=targets.dtype).reshape(targets.shape)
    assert_every_element_counts(
        f"loss_and_gradients of {model}",
        lambda *batch: models.loss_and_gradients(model, parameters, *batch),
        *(inputs, different),
    )


@claim("training.every-example-counts")
@pytest.mark.parametrize("model", ["linear", "mlp"])
def test_every_step_counts(models, seed, model):
    _, parameters, inputs, targets = drawn_problem(model, seed, 2, 1)
    different = np.arange(2, dtype=targets.dtype).reshape(targets.shape)
    # After a large step, a probability may be less than 1e-7. Where it is limited to that, the second step is 0.
    assert_every_element_counts(
        f"train of {model}",
        lambda *training: models.train(model, *training, 1e-4),
        *(parameters, inputs, different),
    )


@claim("training.memory-order")
def test_memory_order(models, permitted, seed):
    assert_solved_in_any_order(gradients_case(seed), partial(gradients_of, models))
    permitted(
        either_adam(
            lambda adam: assert_solved_in_any_order(trajectory_case(seed, adam=adam), partial(train_model, models))
        )
    )


@claim("training.confident-and-wrong")
@extreme_probabilities
def test_confident_and_wrong(models, seed, probability):
    silent_networks.assert_doubted(models, "mlp", seed, probability)


@claim("training.after-other-trainings")
def test_after_other_trainings(models, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        # Earlier trainings use another model, other parameters and batches, and a higher learning rate.
        train_model(models, problems.linear(seed, steps=2), 0.1)
        train_model(models, problems.mlp(seed, batch=50, steps=2), 0.01)
        train_model(models, trajectory_case(seed + 1, adam=adam).problem)
        assert_close("train after other trainings", train_model(models, problem), expected, bounds)

    permitted(either_adam(check))


@claim("training.every-parameter-moves")
@few_examples(8)
@given(seed=seeds())
def test_every_parameter_moves(models, seed):
    problem = problems.mlp(seed, steps=1)
    after = train_model(models, problem)
    unchanged = [name for name, value in problem.parameters.items() if (after[name] == value).all()]
    assert not unchanged, f"the step does not change {unchanged}"


@claim("training.number-of-losses")
def test_number_of_losses(one_epoch):
    curve = assert_form("the losses", one_epoch["losses"], (1_200,))
    assert np.isfinite(curve).all(), f"{int((~np.isfinite(curve)).sum())} losses are not finite"


@claim("training.loss-curve")
def test_loss_curve(one_epoch, evidence):
    assert_losses_not_above("mlp_one_epoch", one_epoch, evidence, classes=10)


@claim("training.loss-falls")
def test_loss_falls(one_epoch):
    means = quarters(np.asarray(one_epoch["losses"]))
    # The last quarter may be above the third by chance: of 100 runs of the reference, the drop of the mean loss between
    # them is four standard deviations. That from the second to the last is nine.
    first, second, third, last = means
    assert first > second > max(third, last), f"the mean losses of the four quarters are {means}"


@claim("training.beats-guessing")
def test_beats_guessing(one_epoch):
    last = quarters(np.asarray(one_epoch["losses"]))[-1]
    assert last < math.log(10), f"the mean loss of the last quarter is {last:.3f}, that of guessing {math.log(10):.3f}"
