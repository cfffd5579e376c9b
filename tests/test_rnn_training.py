"""The training of the recurrent network: lines 548 to 579 of the document."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given

from assay.spec.error_bounds.measured_bounds import bounds_of_parts, compare_to_bound, to_float64
from assay.spec.semantics.models import MODELS, NUM_CHARS, UNITS, rnn_shapes
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import cache_by_precision
from assay.spec.semantics.text import ngram_cross_entropy
from assay.spec.vectors import read
from assay.testing import initial_rnn, problems, silent_networks
from assay.testing.assertions import assert_close, assert_equal, assert_form, claim, few_examples
from assay.testing.counts import assert_share
from assay.testing.decisions import note
from assay.testing.initial_parameters import assert_unrelated_to
from assay.testing.networks import (
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
from assay.testing.problems import SEQ_LENGTH
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, confusable_seeds, with_known_seeds
from assay.testing.silent_networks import CONFIDENT, extreme_probabilities
from assay.testing.stored_arrays import assert_results_stay, memory_orders
from assay.testing.strategies import seeds
from assay.testing.thresholds import FALSE_ALARM, QUARTERS, quarters, threshold
from assay.testing.training.assertions import assert_goes_on, assert_last_parameters, assert_losses_not_above
from assay.testing.training.known_batches import (
    ONE_WINDOW,
    TWO_WINDOWS,
    Recipe,
    chance_of_batches,
    chance_of_equals,
    chance_of_periods,
    characters_apart,
    count_second,
    count_windows,
    fit,
    fit_two_windows,
    known_problem,
)
from assay.testing.training.text_training import extract_evaluation, mean_loss

DOCUMENT = read("rnn")
SHAPES = MODELS["rnn"].shapes
STEPS = 2
# A prime number above the usual lengths of unrolled loops.
MANY_STEPS = 19
# A batch that is not a multiple of usual block sizes up to 64, and the number of a step after the first five.
LARGE_BATCH, LATER = 67, 6
# More characters than a byte has values.
MANY_CHARS = 300
# Initial bias of the forget gate in the runs from which the thresholds of trainings were measured.
FORGET_BIAS = 1


@claim("rnn_training.recipe")
def test_recipe():
    numbers = ("num_batches", "batch_size", "seq_length", "learning_rate")
    assert threshold("rnn_1000_batches").recipe == {"model": "rnn"} | {name: DOCUMENT[name] for name in numbers}


@claim("rnn_training.windows-seen")
def test_windows_seen():
    draws = DOCUMENT["num_batches"] * DOCUMENT["batch_size"]
    places = DOCUMENT["length"] - DOCUMENT["seq_length"]
    assert (draws, round(draws / places, 3)) == (50_000, 0.083)


@pytest.fixture(scope="session")
def two_windows(text, seed, compute_once):
    """Return recipe, losses and parameters of a training with learning rate 0 on a text with two windows."""
    return compute_once("two_windows", lambda: fit_two_windows(text, seed))


@pytest.fixture(scope="session")
def one_window(text, seed, compute_once):
    """Return losses and parameters of a training with learning rate 0 on the text with one window."""
    return compute_once("one_window", lambda: fit(text, ONE_WINDOW, 0.0, seed))


@claim("rnn_training.form")
def test_form(two_windows, one_window):
    assert np.isfinite(two_windows[1]).all()
    assert np.isfinite(one_window[0]).all()


@claim("rnn_training.batches")
def test_batches(two_windows):
    count_windows(*two_windows)


@claim("rnn_training.batches")
def test_batches_of_one_window(one_window):
    count_windows(ONE_WINDOW, *one_window)


@claim("rnn_training.steps")
def test_steps(text, permitted, seed, two_windows):
    counts = count_windows(*two_windows)
    assert_training(text, permitted, seed, 0.003, two_windows[0], two_windows[2], counts)


@claim("rnn_training.one-window")
def test_one_window(text, permitted, seed, one_window):
    counts = np.zeros(ONE_WINDOW.num_batches, int)
    # A training with these sizes and this learning rate must not go on from another one.
    fit(text, ONE_WINDOW, 0.02, seed + 1)
    assert_training(text, permitted, seed, 0.02, ONE_WINDOW, one_window[1], counts)


@claim("rnn_training.one-window")
def test_goes_on(text, seed):
    # With this learning rate the loss falls to the smallest numbers of float32.
    recipe = TWO_WINDOWS._replace(indices=np.array([3, 0, 2], np.int32), num_batches=12, batch_size=1)
    assert_goes_on(fit(text, recipe, 0.01, seed)[0])


def assert_training(text, permitted, seed, learning_rate, recipe, initial, counts):
    """Compare losses and parameters of a training whose batches are known with the definition."""
    curve, last = fit(text, recipe, learning_rate, seed)
    problem = known_problem(recipe, initial, counts)

    def check(adam):
        one = solve_training(problem, learning_rate, permutations=2, adam=adam)
        what = f"fit with learning rate {learning_rate}, after {recipe.num_batches} steps"
        assert_close(what, {"losses": curve, **last}, one.expected, one.bounds)

    permitted(either_adam(check))


@claim("rnn_training.initial-kernels")
@pytest.mark.parametrize("name", ["cell/kernel", "dense/kernel"])
def test_initial_kernels(two_windows, name):
    initial_rnn.assert_glorot_uniform(name, two_windows[2][name])
    initial_rnn.assert_fully_resolved(name, two_windows[2][name])


@claim("rnn_training.initial-recurrent-kernel")
def test_initial_recurrent_kernel(two_windows, permitted):
    name = "cell/recurrent_kernel"
    initial_rnn.assert_fully_resolved(name, two_windows[2][name])
    permitted(initial_rnn.check_recurrent_kernel(name, two_windows[2][name]))


@claim("rnn_training.initial-biases")
def test_initial_biases(two_windows, permitted):
    initial = two_windows[2]
    assert_equal("dense/bias", initial["dense/bias"], np.zeros(TWO_WINDOWS.num_chars))
    permitted(initial_rnn.check_bias("cell/bias", initial["cell/bias"]))


@claim("rnn_training.even-draws")
def test_even_draws(two_windows):
    counts = count_windows(*two_windows)
    probability = chance_of_batches(counts, TWO_WINDOWS.batch_size)
    assert probability > FALSE_ALARM, (
        f"batches of {TWO_WINDOWS.batch_size} windows contain the second of two {counts.tolist()} times; for draws"
        f" with replacement and equal probabilities, counts are this far off with a probability of {probability:.3g}"
    )


# A window in the first two thirds contains only one character, as does its target, and one in the last third only
# another one. The few windows that contain both are hardly ever drawn.
LONG_TEXT = np.repeat([0, 0, 1], 2**16)


@claim("rnn_training.even-draws")
def test_even_draws_of_a_long_text(text, seed, two_windows):
    # Initial parameters depend only on the seed and the number of characters.
    kinds = characters_apart(two_windows[2])
    recipe = Recipe(kinds[LONG_TEXT], TWO_WINDOWS.num_chars, num_batches=8, batch_size=50, seq_length=2)
    curve, initial = fit(text, recipe, 0.0, seed)
    counts = count_second(curve, initial, np.stack([kinds, kinds], axis=1), kinds, recipe.batch_size)
    total = recipe.num_batches * recipe.batch_size
    assert_share("windows of the last third of a text", int(counts.sum()), total, 1 / 3)


@claim("rnn_training.new-draws")
def test_new_draws(two_windows):
    counts = count_windows(*two_windows)
    # With a lag of 3 there are only 5 pairs of batches, which are all equal by chance with a probability of 3e-6.
    lags = (1, 2)
    note(chance_of_periods(TWO_WINDOWS, lags))
    periods = [lag for lag in lags if (counts[lag:] == counts[:-lag]).all()]
    assert not periods, f"the batches repeat after {periods}: they contain the second window {counts.tolist()} times"


@claim("rnn_training.new-draws")
def test_new_draws_by_the_next_seed(text, seed, two_windows):
    recipe, _, initial = two_windows
    curve, next_initial = fit(text, recipe, 0.0, seed + 1)
    assert_unrelated_to(initial, next_initial)
    one, other = count_windows(*two_windows), count_windows(recipe, curve, next_initial)
    pairs = {
        lag: (one[max(lag, 0) : len(one) + min(lag, 0)], other[max(-lag, 0) : len(one) - max(lag, 0)])
        for lag in (-1, 0, 1)
    }
    # The two batches of a pair are equal with the same probability in each pair, and a lag uses each batch once.
    note(sum(chance_of_equals(recipe) ** len(first) for first, _ in pairs.values()))
    alike = [lag for lag, (first, second) in pairs.items() if (first == second).all()]
    assert not alike, (
        f"the batches with the seeds {seed} and {seed + 1} contain the second window {one.tolist()} and"
        f" {other.tolist()} times: the same counts, shifted by {alike[0]}"
    )


@claim("rnn_training.same-seed")
def test_same_seed(text, seed, two_windows):
    recipe, first, initial = two_windows
    curve, again = fit(text, recipe, 0.0, seed)
    for name, value in initial.items():
        assert_equal(f"{name} with the same seed", again[name], value)
    counts, expected = (count_windows(recipe, one, again) for one in (curve, first))
    assert_equal("the counts of the second window", counts, expected, counts.dtype)


def gradients_case(seed):
    """Return a problem, the definition's loss and gradients, and their bounds."""
    return case(problems.rnn, loss_and_gradients, seed)


def assert_gradients(models, seed, layer):
    """Compare the gradients of a layer with the definition."""
    one = gradients_case(seed)
    expected = {name: value for name, value in one.expected.items() if name.startswith(layer)}
    assert_close("loss_and_gradients", gradients_of(models, one.problem), expected, one.bounds)


@claim("rnn_training.loss")
@few_examples(2)
@given(seed=seeds())
def test_loss(models, seed):
    one = gradients_case(seed)
    assert_close("loss_and_gradients", gradients_of(models, one.problem), {"loss": one.expected["loss"]}, one.bounds)


@claim("rnn_training.cell-gradients")
@few_examples(2)
@given(seed=seeds())
def test_cell_gradients(models, seed):
    assert_gradients(models, seed, "cell")


@claim("rnn_training.dense-gradients")
@few_examples(2)
@given(seed=seeds())
def test_dense_gradients(models, seed):
    assert_gradients(models, seed, "dense")


@claim("rnn_training.first-character-gradient")
def test_first_character_gradient(models, seed):
    problem = problems.rnn(seed)
    first = problem.inputs[0, 0]
    windows = np.where(problem.inputs == first, (first + 1) % NUM_CHARS, problem.inputs)
    windows[0, 0] = first

    def row(model):
        return lambda *arguments: {"its row": loss_and_gradients(model)(*arguments)["cell/kernel"][first]}

    one = solve(problem._replace(inputs=windows), row)
    found = gradients_of(models, one.problem)["cell/kernel"]
    row_found = assert_form("the gradient for cell/kernel", found, SHAPES["cell/kernel"])[first]
    assert_close("the gradient for cell/kernel", {"its row": row_found}, one.expected, one.bounds)


@claim("rnn_training.unread-characters")
@few_examples(2)
@given(seed=seeds())
def test_unread_characters(models, seed):
    problem = problems.rnn(seed)
    # The windows contain only characters from the first half of the alphabet.
    half = NUM_CHARS // 2
    found = gradients_of(models, problem._replace(inputs=problem.inputs % half))["cell/kernel"]
    unread = assert_form("the gradient for cell/kernel", found, SHAPES["cell/kernel"])[half:]
    assert_equal("the gradient for the rows of unread characters", unread, np.zeros(unread.shape))


@claim("rnn_training.gradient-is-averaged")
@few_examples(2)
@given(seed=seeds())
def test_gradient_is_averaged(models, seed):
    one = gradients_case(seed)
    inputs, targets = np.tile(one.problem.inputs, (2, 1)), np.tile(one.problem.targets, 2)
    found = gradients_of(models, one.problem._replace(inputs=inputs, targets=targets))
    assert_close("loss_and_gradients of every window twice", found, one.expected, one.bounds)


@claim("rnn_training.gradients-of-parts")
def test_gradients_of_parts(models, seed):
    generator, one = np.random.default_rng(seed), gradients_case(seed)
    windows = generator.integers(0, NUM_CHARS, (50, SEQ_LENGTH), np.int32)
    targets = generator.integers(0, NUM_CHARS, 50, np.int32)
    whole, first, others = (
        gradients_of(models, one.problem._replace(inputs=windows[part].copy(), targets=targets[part].copy()))
        for part in (slice(None), slice(3), slice(3, None))
    )
    together = {name: (3 * to_float64(first[name]) + 47 * to_float64(others[name])) / 50 for name in one.bounds}
    limits = bounds_of_parts(one.bounds, 4, (3, 47))
    assert_close("loss_and_gradients of 50 windows", whole, together, limits)


@claim("rnn_training.gradients-of-any-size")
def test_gradients_of_any_size(models, seed):
    problem = problems.rnn(seed, batch=3, num_chars=MANY_CHARS, seq_length=67)
    # Stored in a byte, the first target would become 43; in a signed byte, the other two would be negative.
    one = solve(problem._replace(targets=np.array([MANY_CHARS - 1, 255, 128], np.int32)), loss_and_gradients)
    assert_close("loss_and_gradients", gradients_of(models, one.problem), one.expected, one.bounds)


@cache_by_precision
def trajectory_case(seed, *, adam=Adam.BEFORE_CORRECTION):
    """Return a problem of several batches, losses and final parameters by the definition, and their bounds."""
    problem = problems.rnn(seed, batch=2, steps=STEPS)
    return solve(problem, trajectory, adam=adam)


@claim("rnn_training.trainable-variables")
def test_trainable_variables(keras):
    states = [keras.to_tensor(np.zeros((1, UNITS), np.float32))] * 2

    class OneStep(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.cell = keras.namespace.layers.LSTMCell(units=UNITS)
            self.dense = keras.namespace.layers.Dense(units=NUM_CHARS)

        def call(self, inputs):
            return self.dense(self.cell(inputs, states)[0])

    model = OneStep()
    model(keras.to_tensor(np.ones((1, NUM_CHARS), np.float32)))
    assert [tuple(variable.shape) for variable in model.trainable_variables] == [*rnn_shapes(NUM_CHARS).values()]


@claim("rnn_training.trajectory")
@with_known_seeds(0, 1, 3, 5, 14)
def test_trajectory(models, permitted, seed, known):
    def check(adam):
        one = trajectory_case(seed if known is None else known, adam=adam)
        parameters = {name: one.expected[name] for name in SHAPES}
        assert_close(f"train, after {STEPS} steps", train_model(models, one.problem), parameters, one.bounds)

    permitted(either_adam(check))


@claim("rnn_training.trajectory-losses")
def test_trajectory_losses(models, permitted, seed):
    def check(adam):
        one = trajectory_case(seed, adam=adam)
        assert_close("train", train_model(models, one.problem), {"losses": one.expected["losses"]}, one.bounds)

    permitted(either_adam(check))


@claim("rnn_training.other-learning-rates")
def test_other_learning_rates(models, seed):
    silent_networks.assert_rates(models, "rnn", seed)


@claim("rnn_training.many-steps")
def test_many_steps(models, seed):
    silent_networks.assert_steps(models, "rnn", seed, MANY_STEPS)
    silent_networks.assert_steps(models, "rnn", seed, 3, confidence=CONFIDENT)


@claim("rnn_training.confident-and-wrong")
@extreme_probabilities
def test_confident_and_wrong(models, seed, probability):
    silent_networks.assert_doubted(models, "rnn", seed, probability)


@claim("rnn_training.large-batches")
def test_large_batches(models, seed):
    silent_networks.assert_batch(models, "rnn", seed, LARGE_BATCH)
    silent_networks.assert_steps(models, "rnn", seed, 2, batch=LARGE_BATCH)


@claim("rnn_training.large-gradients")
def test_large_gradients(models, seed):
    # The cell returns 0, so a large kernel of the last layer gives small logits but large gradients.
    problem = problems.rnn(seed, batch=2, seq_length=3)
    parameters = {name: value * np.float32(name == "dense/bias") for name, value in problem.parameters.items()}
    parameters["dense/kernel"] = np.float32(1000) * problem.parameters["dense/kernel"]
    one = solve(problem._replace(parameters=parameters), loss_and_gradients)
    assert_close("loss_and_gradients", gradients_of(models, one.problem), one.expected, one.bounds)


@claim("rnn_training.every-step")
def test_every_step(models, seed):
    # One more step must change every row of the kernels, except the rows of characters that have not occurred.
    problem = problems.rnn(seed, batch=1, steps=LATER, num_chars=MANY_CHARS, seq_length=3)
    # This character occurs in the last step only.
    problem.inputs[problem.inputs == MANY_CHARS - 1] = 0
    problem.inputs[-1, 0, 0] = MANY_CHARS - 1
    before = train_model(models, problem._replace(inputs=problem.inputs[:-1], targets=problem.targets[:-1]))
    after = train_model(models, problem)
    for name in SHAPES:
        rows = np.unique(problem.inputs) if name == "cell/kernel" else ...
        changed = (after[name] != before[name])[rows].any(axis=-1)
        assert changed.all(), f"step {LATER} does not change all of {name}"


@claim("rnn_training.every-step")
@pytest.mark.parametrize("label", [MANY_CHARS - 1, 128])
def test_first_step(models, seed, label):
    # The window is long, and its first characters must learn, too. Among the output biases, only the label's rises.
    problem = problems.rnn(seed, batch=1, steps=1, num_chars=MANY_CHARS, seq_length=67)
    problem.inputs[0, 0, :2] = MANY_CHARS - 1, MANY_CHARS - 2
    before, after = problem.parameters, train_model(models, problem._replace(targets=np.full((1, 1), label, np.int32)))
    changed = (after["cell/kernel"] != before["cell/kernel"])[problem.inputs[0, 0]].any(axis=-1)
    assert changed.all(), f"the first step does not change the rows of the characters {problem.inputs[0, 0][~changed]}"
    rising = np.flatnonzero(after["dense/bias"] > before["dense/bias"]).tolist()
    assert rising == [label], f"for a label of {label} the first step raises the biases of {rising}"


@claim("rnn_training.step-memory-order")
def test_step_memory_order(models, permitted, seed):
    assert_solved_in_any_order(gradients_case(seed), partial(gradients_of, models), ["transposed in memory"])

    def check(adam):
        one = trajectory_case(seed, adam=adam)
        assert_solved_in_any_order(one, partial(train_model, models), ["transposed in memory"])

    permitted(either_adam(check))


@claim("rnn_training.order-of-batches")
def test_order_of_batches(models, seed):
    one = trajectory_case(seed)
    backwards = one.problem._replace(inputs=one.problem.inputs[::-1].copy(), targets=one.problem.targets[::-1].copy())
    forth, back = train_model(models, one.problem), train_model(models, backwards)
    # Each of the two results has its own rounding errors.
    same = [name for name in SHAPES if compare_to_bound(forth[name] - back[name], one.bounds[name]) <= 2]
    assert not same, f"batches in reverse order lead to the same {same}"


@claim("rnn_training.first-loss")
def test_first_loss(rnn_100_batches, corpus):
    # Texts differ in their number of characters. The distance of a new network from uniform guessing does not.
    limits, guess = threshold("rnn_100_batches").limits("first_loss"), math.log(NUM_CHARS)
    furthest = max(limits.upper - guess, guess - limits.lower)
    first = float(rnn_100_batches["losses"][0])
    assert abs(first - math.log(corpus.num_chars)) <= furthest, f"the first loss is {first:.4f}"


@claim("rnn_training.seeds")
def test_seeds(text, seed, two_windows):
    other = fit_two_windows(text, seed + 1)
    assert (other[1] != two_windows[1]).any(), f"trainings with the seeds {seed} and {seed + 1} have equal losses"
    same = [name for name in ("cell/kernel", "cell/recurrent_kernel") if (other[2][name] == two_windows[2][name]).all()]
    assert not same, f"the seeds {seed} and {seed + 1} begin with the same {same}"
    counts = [count_windows(*one).tolist() for one in (two_windows, other)]
    assert counts[0] != counts[1], f"the seeds {seed} and {seed + 1} draw the same windows"


@claim("rnn_training.seeds")
def test_confusable_seeds(text, seed):
    assert_told_apart(
        "initial kernels", confusable_seeds(seed), lambda one: fit(text, ONE_WINDOW, 0.0, one)[1]["cell/kernel"]
    )


@claim("rnn_training.memory-order")
def test_memory_order(text, seed, two_windows):
    recipe, first, _ = two_windows
    for order, (indices,), _ in memory_orders(recipe.indices):
        # Other orders keep the layout of one axis, or make all windows equal.
        if "sliced" not in order:
            continue
        curve, initial = fit(text, recipe._replace(indices=indices), 0.0, seed)
        counts, expected = (count_windows(recipe, one, initial) for one in (curve, first))
        assert_equal(f"the counts of the second window, arrays {order}", counts, expected, counts.dtype)


@claim("rnn_training.results-stay")
def test_results_stay(text, seed):
    assert_results_stay("fit", lambda number: fit(text, ONE_WINDOW, 0.001, number), (seed,), (seed + 1,))


@claim("rnn_training.last-parameters")
def test_last_parameters(text, seed, two_windows):
    recipe = two_windows[0]

    def train(num_batches):
        return fit(text, recipe._replace(num_batches=num_batches), 0.001, seed)

    assert_last_parameters("batches", train(recipe.num_batches)[0], lambda number: train(number)[1])


@claim("rnn_training.loss-falls")
def test_loss_falls(rnn_100_batches):
    first, *_, last = quarters(rnn_100_batches["losses"])
    assert last < first, f"the mean loss changes from {first:.3f} to {last:.3f}"


def quarters_to_judge(result):
    """Return the quarters of a training to which the thresholds apply.

    The thresholds were measured in runs that begin with an open forget gate. A gate that begins at one half is
    permitted, too. Such a training starts to learn a few batches later, and catches up within the first quarter.
    """
    units = len(result["parameters"]["cell/recurrent_kernel"])
    begins_open = result["parameters"]["cell/bias"][units : 2 * units].mean() > FORGET_BIAS / 2
    return QUARTERS if begins_open else QUARTERS[1:]


@claim("rnn_training.early-curve")
def test_early_curve(rnn_100_batches, nietzsche, evidence):
    judged = quarters_to_judge(rnn_100_batches)
    assert_losses_not_above("rnn_100_batches", rnn_100_batches, evidence, nietzsche.num_chars, judged)


@pytest.fixture(scope="session")
def windows(corpus):
    """Return the windows of the text that are evaluated, and the character after each window."""
    return extract_evaluation(corpus, SEQ_LENGTH)


@claim("rnn_training.not-too-good")
def test_not_too_good(rnn_100_batches, nietzsche):
    last, limits = quarters(rnn_100_batches["losses"])[-1], threshold("rnn_100_batches").limits("loss_4")
    assert last >= limits.lower, f"the mean loss of the last quarter is {last:.3f}, below {limits.lower:.3f}"


@claim("rnn_training.curve")
def test_curve(rnn_1000_batches, nietzsche, evidence):
    judged = quarters_to_judge(rnn_1000_batches)
    assert_losses_not_above("rnn_1000_batches", rnn_1000_batches, evidence, nietzsche.num_chars, judged)


@claim("rnn_training.falls-on")
def test_falls_on(rnn_1000_batches):
    means = quarters(rnn_1000_batches["losses"])
    assert all(np.diff(means) < 0), f"the mean losses of the four quarters are {means}"


@pytest.fixture(scope="session")
def loss_after_1000(rnn_1000_batches, windows, compute_once):
    """Return the mean loss after 1,000 batches, computed once in a run."""
    return compute_once("loss_after_1000", lambda: mean_loss(rnn_1000_batches["parameters"], *windows))


@claim("rnn_training.beats-frequencies")
def test_beats_frequencies(loss_after_1000, windows, corpus, evidence):
    blind = ngram_cross_entropy(corpus.indices, *windows, known=0)
    evidence(corpus=corpus.source)
    assert loss_after_1000 < blind, f"the loss is {loss_after_1000:.3f}, and that of character frequencies {blind:.3f}"


@claim("rnn_training.loss-after")
def test_loss_after(loss_after_1000, nietzsche):
    limits = threshold("rnn_1000_batches").limits("loss")
    assert loss_after_1000 <= limits.upper, f"the loss is {loss_after_1000:.3f}, above {limits.upper:.3f}"


@claim("rnn_training.beats-pairs")
def test_beats_pairs(nietzsche, windows):
    limits = threshold("rnn_1000_batches").limits("loss")
    lead = ngram_cross_entropy(nietzsche.indices, *windows, known=1) - limits.mean
    assert 0 < lead < limits.deviation, f"the lead is {lead:.4f}, and the deviation {limits.deviation:.4f}"


@claim("rnn_training.same-seed")
def test_fit_rnn_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("text.fit", implementation, results_elsewhere, seed)
