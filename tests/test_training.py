"""The training of the MLP: lines 191 to 229 of the document."""

import math
from functools import cache, partial

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import losses, optimizers
from assay.spec.semantics import models as definition
from assay.testing import problems
from assay.testing.assertions import assert_close, assert_equal, assert_form, assert_within, claim, fewer
from assay.testing.networks import case, either_adam, gradients_of, loss_and_gradients, solved, trained, trajectory
from assay.testing.strategies import arrays, same_shape, seeds
from assay.testing.thresholds import FALSE_ALARM, NORMAL, quarters, threshold
from assay.testing.training.assertions import assert_losses_not_above

LEARNING_RATE = 0.001
STEPS = 5
steps = st.sampled_from([1, 2, 10, 1000])


def gradients_case(seed):
    """Return a problem, the definition's loss and gradients, and their bounds."""
    return case(problems.mlp, loss_and_gradients, seed)


@cache
def trajectory_case(seed, *, after_correction=False):
    """Return a problem of several batches, the definition's losses and last parameters, and their bounds."""
    problem = problems.mlp(seed, steps=STEPS, after_correction=after_correction)
    return solved(problem, trajectory, after_correction=after_correction)


def adam_case():
    """Draw parameter, gradient and both moments of one shape; no second moment is negative."""
    return same_shape(4, limit=1.0).map(lambda four: (*four[:3], np.abs(four[3])))


# A second moment as small as the square of epsilon, which tells where epsilon is added.
EPSILON_COUNTS = (
    np.zeros((1, 1), np.float32),
    np.full((1, 1), optimizers.EPSILON, np.float32),
    np.zeros((1, 1), np.float32),
    np.zeros((1, 1), np.float32),
)


def assert_adam(ops, case, step, result, learning_rate=LEARNING_RATE, *, after_correction=False):
    """Compare one of the three results of a step of Adam with its definition."""
    arguments = (*map(to_float64, case), step, learning_rate)
    position = ("parameter", "first_moment", "second_moment").index(result)
    actual = ops.adam_step(*case, step, learning_rate)[position]
    assert_within(
        f"the {result} after step {step}",
        actual,
        optimizers.adam_step(*arguments, after_correction=after_correction)[position],
        rounding.adam_step(*arguments, after_correction=after_correction)[position],
    )


@claim("training.num-epochs")
def test_num_epochs(mnist):
    assert len(mnist.x_train) // 50 * 5 == threshold("mlp_five_epochs").recipe["num_batches"] == 6_000


@claim("training.epoch-is-no-pass")
def test_epoch_is_no_pass(datasets, seed):
    # The images are their own numbers: how many different ones are among n draws from n? The number of empty cells
    # is asymptotically normal with this mean and variance (Feller, "An introduction to probability theory", IV.2).
    n = 60_000
    numbers = np.arange(n, dtype=np.float32).reshape(n, 1, 1, 1)
    drawn, _ = datasets.sample_batch(numbers, np.zeros(n, np.int32), n, seed)
    mean, deviation = n * (1 - math.exp(-1)), math.sqrt(n * (math.exp(-1) - 2 * math.exp(-2)))
    distinct = len(np.unique(drawn))
    assert abs(distinct - mean) < NORMAL.inv_cdf(1 - FALSE_ALARM / 2) * deviation, f"{distinct / n:.4f} of the images"


@claim("training.batch-size")
def test_batch_size(models, seed):
    problem = problems.mlp(seed, batch=50, steps=2)
    assert_form("the losses of two batches of 50", trained(models, problem)["losses"], (2,))


@claim("training.learning-rate")
@given(case=adam_case(), step=steps, learning_rate=st.sampled_from([0.1, 0.01, 0.001]))
@example(case=EPSILON_COUNTS, step=1, learning_rate=0.1)
def test_learning_rate(ops, permitted, case, step, learning_rate):
    permitted(either_adam(partial(assert_adam, ops, case, step, "parameter", learning_rate)), alike=True)


@claim("training.optimizers-module")
def test_optimizers_module(keras):
    assert callable(keras.namespace.optimizers.Adam)


@claim("training.adam-learning-rate")
def test_adam_learning_rate(keras):
    optimizer = keras.namespace.optimizers.Adam(learning_rate=0.25)
    assert float(keras.to_numpy(optimizer.learning_rate)) == 0.25


@claim("training.adam-default-rate")
def test_adam_default_rate(keras):
    rate = float(keras.to_numpy(keras.namespace.optimizers.Adam().learning_rate))
    assert rate == np.float32(LEARNING_RATE), f"the learning rate is {rate}"


@claim("training.adam-defaults")
def test_adam_defaults(keras):
    configuration = keras.namespace.optimizers.Adam().get_config()
    found = [configuration[name] for name in ("beta_1", "beta_2", "epsilon")]
    assert found == [optimizers.BETA_1, optimizers.BETA_2, optimizers.EPSILON]


@claim("training.adam-parameter")
@given(case=adam_case(), step=steps)
@example(case=EPSILON_COUNTS, step=1)
def test_adam_parameter(ops, permitted, case, step):
    permitted(either_adam(partial(assert_adam, ops, case, step, "parameter")), alike=True)


@claim("training.adam-first-moment")
@given(case=adam_case(), step=steps)
def test_adam_first_moment(ops, case, step):
    assert_adam(ops, case, step, "first_moment")


@claim("training.adam-second-moment")
@given(case=adam_case(), step=steps)
def test_adam_second_moment(ops, case, step):
    assert_adam(ops, case, step, "second_moment")


def first_step(ops, gradient):
    """Return how far the first step of Adam moves parameters of 0."""
    zeros = np.zeros_like(gradient)
    return ops.adam_step(zeros, gradient, zeros, zeros, 1, LEARNING_RATE)[0]


def first_step_bound(gradient):
    """Bound the rounding of the first step, and what epsilon takes from its length."""
    zeros = np.zeros(gradient.shape)
    bound, *_ = rounding.adam_step(zeros, to_float64(gradient), zeros, zeros, 1, LEARNING_RATE)
    root = np.abs(to_float64(gradient)) * math.sqrt(1 - optimizers.BETA_2)
    return bound + LEARNING_RATE * optimizers.EPSILON / (root + optimizers.EPSILON)


# Gradients well above epsilon, which would shorten the step.
gradients = arrays((2, 3)).map(lambda values: np.where(np.abs(values) < 1, np.float32(1), values))


@claim("training.adam-bias-correction")
@given(gradient=gradients)
def test_adam_bias_correction(ops, gradient):
    length = np.abs(assert_form("the first step", first_step(ops, gradient), gradient.shape))
    expected = np.full(gradient.shape, LEARNING_RATE)
    assert_within("the length of the first step", length, expected, first_step_bound(gradient))


@claim("training.adam-gradient-scale")
@given(gradient=gradients)
def test_adam_gradient_scale(ops, gradient):
    compute_once, larger = first_step(ops, gradient), first_step(ops, np.float32(1000) * gradient)
    bound = first_step_bound(gradient) + first_step_bound(np.float32(1000) * gradient)
    assert_within("the first step for 1,000 times the gradient", larger, to_float64(compute_once), bound)


@claim("training.adam-against-gradient")
@given(gradient=gradients)
def test_adam_against_gradient(ops, gradient):
    signs = np.sign(first_step(ops, gradient))
    assert (signs == -np.sign(gradient)).all(), f"for gradients {gradient} the step goes {signs}"


@claim("training.adam-zero-gradient")
@given(parameter=arrays((2, 3)), step=steps)
def test_adam_zero_gradient(ops, parameter, step):
    zeros = np.zeros_like(parameter)
    moved, *_ = ops.adam_step(parameter, zeros, zeros, zeros, step, LEARNING_RATE)
    assert_equal("the parameter", moved, parameter)


@claim("training.random-batches")
def test_random_batches(training, train_set, seed):
    # As many as a training of a few batches meets; all of them would take longer to hand over than to learn from.
    some = [values[:1_000] for values in train_set]
    curves = [
        training.fit("mlp", *some, num_batches=STEPS, batch_size=50, learning_rate=LEARNING_RATE, seed=one)[0]
        for one in (seed, seed + 1)
    ]
    assert (np.asarray(curves[0]) != np.asarray(curves[1])).any(), f"both seeds have the losses {curves[0]}"


@claim("training.loss-is-mean")
@fewer
@given(seed=seeds())
def test_loss_is_mean(models, seed):
    problem, _, bounds = gradients_case(seed)
    outputs = definition.layer_outputs("mlp", to_float64(problem.parameters), to_float64(problem.inputs))
    per_example = losses.sparse_categorical_crossentropy(problem.targets, outputs["softmax"])
    actual, _ = models.loss_and_gradients(*problem)
    assert_within("the loss", actual, per_example.mean(), bounds["loss"])


@claim("training.loss-is-scalar")
@fewer
@given(seed=seeds())
def test_loss_is_scalar(models, seed):
    assert_form("the loss", models.loss_and_gradients(*problems.mlp(seed))[0], ())


@claim("training.all-zero-model")
@fewer
@given(seed=seeds())
def test_all_zero_model(models, seed):
    problem = problems.mlp(seed)
    zeros = {name: np.zeros_like(value) for name, value in problem.parameters.items()}
    actual, _ = models.loss_and_gradients(*problem._replace(parameters=zeros))
    # Probabilities of 1/10 each come out of softmax rounded; a mean over 8 examples rounds 8 times more.
    even = np.full((1, 10), 0.1, np.float32).astype(np.float64)
    bound = rounding.crossentropy(np.ones((1, 1)), even)[0] + rounding.gamma(8 + rounding.DIVIDE) * math.log(10)
    assert_within("the loss", actual, math.log(10), bound + 10 * rounding.softmax(np.zeros((1, 10)))[0, 0])


@claim("training.gradients")
@fewer
@given(seed=seeds())
def test_gradients(models, seed):
    problem, expected, bounds = gradients_case(seed)
    assert_close("loss_and_gradients", gradients_of(models, problem), expected, bounds)


@claim("training.gradient-for-every-variable")
@fewer
@given(seed=seeds())
def test_gradient_for_every_variable(models, seed):
    _, found = models.loss_and_gradients(*problems.mlp(seed))
    shapes = {name: np.shape(gradient) for name, gradient in found.items()}
    assert shapes == definition.MODELS["mlp"].shapes


@claim("training.gradient-is-averaged")
@fewer
@given(seed=seeds())
def test_gradient_is_averaged(models, seed):
    problem, expected, bounds = gradients_case(seed)
    twice = problem._replace(inputs=np.tile(problem.inputs, (2, 1, 1, 1)), targets=np.tile(problem.targets, 2))
    assert_close("loss_and_gradients of every example twice", gradients_of(models, twice), expected, bounds)


@claim("training.unused-pixels")
@fewer
@given(seed=seeds())
def test_unused_pixels(models, seed):
    problem = problems.mlp(seed)
    _, found = models.loss_and_gradients(*problem)
    unused = (problem.inputs == 0).all(axis=0).ravel()
    assert_equal("the gradient of their weights", found["dense1/kernel"][unused], np.zeros((unused.sum(), 100)))


@claim("training.trajectory")
@fewer
@given(seed=seeds())
def test_trajectory(models, permitted, seed):
    def check(**way):
        problem, expected, bounds = trajectory_case(seed, **way)
        parameters = {name: expected[name] for name in problem.parameters}
        assert_close(f"train, after {STEPS} steps", trained(models, problem), parameters, bounds)

    permitted(either_adam(check))


@claim("training.trajectory-losses")
@fewer
@given(seed=seeds())
def test_trajectory_losses(models, permitted, seed):
    def check(**way):
        problem, expected, bounds = trajectory_case(seed, **way)
        assert_close("train", trained(models, problem), {"losses": expected["losses"]}, bounds)

    permitted(either_adam(check))


@claim("training.loss-before-step")
@fewer
@given(seed=seeds())
def test_loss_before_step(models, seed):
    problem, expected, bounds = trajectory_case(seed)
    first = problem._replace(inputs=problem.inputs[:1], targets=problem.targets[:1])
    actual = assert_form("the losses", trained(models, first)["losses"], (1,))
    assert_within("the first loss", actual[0], expected["losses"][0], bounds["losses"])


@claim("training.order-of-batches")
@fewer
@given(seed=seeds())
def test_order_of_batches(models, permitted, seed):
    def check(**way):
        problem = trajectory_case(seed, **way).problem
        reverse = problem._replace(inputs=problem.inputs[::-1].copy(), targets=problem.targets[::-1].copy())
        problem, expected, bounds = solved(reverse, trajectory, **way)
        assert_close("train on the batches in reverse", trained(models, problem), expected, bounds)

    permitted(either_adam(check))


@claim("training.new-optimizer")
@fewer
@given(seed=seeds())
def test_new_optimizer(models, permitted, seed):
    def check(**way):
        problem, expected, bounds = trajectory_case(seed, **way)
        trained(models, problem)
        assert_close("train, for the second time", trained(models, problem), expected, bounds)

    permitted(either_adam(check))


@claim("training.every-parameter-moves")
@fewer
@given(seed=seeds())
def test_every_parameter_moves(models, seed):
    problem = problems.mlp(seed, steps=1)
    after = trained(models, problem)
    still = [name for name, value in problem.parameters.items() if (after[name] == value).all()]
    assert not still, f"the step did not move {still}"


def applied(keras, pairs):
    """Let an SGD optimizer apply gradients to one variable that holds 1, 2, and return what it holds then."""
    layer = keras.namespace.layers.Dense(1, use_bias=False)
    layer.build((None, 2))
    layer.set_weights([np.array([[1.0], [2.0]], np.float32)])
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.5)
    optimizer.apply_gradients(grads_and_vars=pairs([keras.to_tensor(np.ones((2, 1), np.float32))], layer.variables))
    return keras.to_numpy(layer.kernel)


@claim("training.apply-gradients")
def test_apply_gradients(keras):
    # Halves are exact in float32.
    changed = applied(keras, lambda gradients, variables: list(zip(gradients, variables, strict=True)))
    assert_equal("the variable", changed, np.array([[0.5], [1.5]]))


@claim("training.apply-gradients-zip")
def test_apply_gradients_zip(keras):
    assert_equal("the variable", applied(keras, zip), np.array([[0.5], [1.5]]))


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
    assert all(np.diff(means) < 0), f"the mean losses of the four quarters are {means}"


@claim("training.beats-guessing")
def test_beats_guessing(one_epoch):
    last = quarters(np.asarray(one_epoch["losses"]))[-1]
    assert last < math.log(10), f"the mean loss of the last quarter is {last:.3f}, that of guessing {math.log(10):.3f}"
