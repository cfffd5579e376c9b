"""Writing a text: lines 580 to 629 of the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.contract import INT
from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import layers
from assay.spec.semantics import models as definition
from assay.spec.semantics.layers import softmax_with_temperature
from assay.spec.semantics.models import NUM_CHARS
from assay.spec.semantics.text import entropy, windows_before
from assay.spec.vectors import read
from assay.testing import cases, handcrafted_weights, problems
from assay.testing.assertions import assert_equal, assert_form, assert_rejected, assert_within, claim
from assay.testing.cases import ODD
from assay.testing.chances import chance_of_draws, chance_of_share
from assay.testing.counts import assert_few_in_common, assert_share
from assay.testing.draws import (
    NEIGHBOURS,
    chance_of_categories,
    chance_of_coarseness,
    chance_of_each_count,
    chance_of_evenness,
    chance_of_lags,
    chance_of_repeats,
    chance_of_sequence,
    mirrored_halves,
    normal_quantiles,
)
from assay.testing.operations import (
    SOFTMAX_WITH_TEMPERATURE,
    assert_any_memory_order,
    assert_calls_are_independent,
    assert_correct,
)
from assay.testing.problems import SEQ_LENGTH
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, confusable_seeds, with_known_seeds
from assay.testing.stored_arrays import assert_reads_values, reverse_names
from assay.testing.strategies import LARGEST_EXPONENT, distinct_rows, matrices, seeds
from assay.testing.thresholds import FALSE_ALARM, threshold
from assay.testing.training.assertions import entropies
from assay.testing.training.text_training import evaluated, share_of_words, words

DOCUMENT = read("rnn")
TEMPERATURES = DOCUMENT["temperatures"]
COUNT = DOCUMENT["generated"]
each_temperature = pytest.mark.parametrize("temperature", TEMPERATURES)


def drawn_from(seed, scale=3.0):
    """Make logits of all characters, as a network that is sure of a few would give."""
    return (scale * np.random.default_rng(seed).standard_normal(NUM_CHARS)).astype(np.float32)


def logits_in_order(seed, deviation):
    """Return logits of all characters that lie as normal ones do, in an order drawn by the seed."""
    return (deviation * np.random.default_rng(seed).permutation(normal_quantiles(NUM_CHARS))).astype(np.float32)


@claim("generation.temperature")
@each_temperature
@given(scaled=matrices(LARGEST_EXPONENT))
def test_temperature(ops, temperature, scaled):
    # Once they are divided, no two logits are so far apart that some implementations make 0 of the smaller one.
    logits = scaled * np.float32(temperature)
    exact = to_float64(logits), temperature
    assert_within(
        "softmax_with_temperature",
        ops.softmax_with_temperature(logits, temperature),
        softmax_with_temperature(*exact),
        rounding.softmax_with_temperature(*exact),
    )


@claim("generation.temperature-1")
@given(logits=matrices(LARGEST_EXPONENT))
def test_temperature_1(ops, logits):
    exact = to_float64(logits)
    assert_within(
        "softmax_with_temperature",
        ops.softmax_with_temperature(logits, 1.0),
        layers.softmax(exact),
        rounding.softmax_with_temperature(exact, 1.0),
    )


@claim("generation.any-temperature")
@pytest.mark.parametrize("temperature", [1e-5, 1e-3, 0.01, 0.05, 0.3, 0.7, 2, 3.5, 10.0, 100.0, 1e4])
def test_any_temperature(ops, seed, temperature):
    # Once they are divided, logits lie a few units apart; before, up to tens of thousands. In the last row two are the
    # largest alike.
    (scaled,) = cases.normal(seed, (5, NUM_CHARS), scale=3.0)
    scaled[-1, :2] = scaled[-1].max()
    logits = scaled * np.float32(temperature)
    assert_correct(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, logits, temperature)


@claim("generation.temperature-any-shape")
@pytest.mark.parametrize("shape", [(5,), (10, 10), (ODD, 10), (67, ODD), (2, 3, 4), (2, 3, 1, 5)], ids=str)
def test_temperature_any_shape(ops, seed, shape):
    (logits,) = cases.normal(seed, shape, scale=0.4 * cases.LOGITS)
    assert_correct(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, logits, 0.4)


@claim("generation.temperature-large-logits")
def test_temperature_large_logits(ops):
    logits = np.array([[1e4, 9999.0], [-1e4, -9999.0], [300.0, 299.75], [100.0, 0.0], [-3.0, -2.0]], np.float32)
    for temperature in (0.25, 1.0):
        assert_correct(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, logits, temperature)
    huge = np.array([[3e37, 0.0], [-3e37, 3e37], [0.0, -3e37]], np.float32)
    found = ops.softmax_with_temperature(huge, 0.25)
    assert_equal("softmax_with_temperature of huge logits", found, np.array([[1, 0], [0, 1], [1, 0]]))


@claim("generation.temperature-calls-are-independent")
def test_temperature_calls_are_independent(ops, seed):
    first, second, larger = cases.normal(seed, (5, NUM_CHARS), (5, NUM_CHARS), (67, ODD))
    calls = (first, 0.5), (second, 0.5), (first, 1.2), (first, 1.0), (larger, 0.2)
    assert_calls_are_independent(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, *calls)


@claim("generation.temperature-memory-order")
def test_temperature_memory_order(ops, seed):
    (logits,) = cases.normal(seed, (3, 5, 10))
    assert_any_memory_order(SOFTMAX_WITH_TEMPERATURE, ops.softmax_with_temperature, logits, 0.5)


@claim("generation.cold")
@given(logits=distinct_rows())
def test_cold(ops, logits):
    # The logits lie 1 apart: exp(-128) is less than half of float32's smallest number.
    expected = layers.one_hot(logits.argmax(axis=-1), logits.shape[-1])
    assert_equal("softmax_with_temperature", ops.softmax_with_temperature(logits, 1 / 128), expected)


@claim("generation.hot")
@given(logits=matrices(LARGEST_EXPONENT), temperature=st.sampled_from([1e3, 1e6]))
def test_hot(ops, logits, temperature):
    even = np.full(logits.shape, 1 / logits.shape[-1])
    # Logits that are twice the largest apart lead to probabilities whose ratio is exp of that by the temperature.
    apart = even * np.expm1(2 * LARGEST_EXPONENT / temperature)
    bound = apart + rounding.softmax_with_temperature(to_float64(logits), temperature)
    assert_within("softmax_with_temperature", ops.softmax_with_temperature(logits, temperature), even, bound)


def at_each(ops, logits):
    """Return the probabilities at the four temperatures, in float64."""
    return [
        to_float64(assert_form("softmax_with_temperature", ops.softmax_with_temperature(logits, one), logits.shape))
        for one in TEMPERATURES
    ]


@claim("generation.entropy")
@given(logits=distinct_rows())
def test_entropy(ops, logits):
    entropies = np.array([entropy(each) for each in at_each(ops, logits)])
    assert (np.diff(entropies, axis=0) > 0).all(), f"the entropies are {entropies.tolist()}"


@claim("generation.range")
@given(logits=distinct_rows())
def test_range(ops, logits):
    ranges = np.array([np.ptp(each, axis=-1) for each in at_each(ops, logits)])
    assert (np.diff(ranges, axis=0) < 0).all(), f"the largest and the smallest are {ranges.tolist()} apart"


@claim("generation.order-kept")
@given(logits=distinct_rows())
def test_order_kept(ops, logits):
    for temperature, found in zip(TEMPERATURES, at_each(ops, logits), strict=True):
        assert_equal(f"the order at {temperature}", found.argsort(axis=-1), logits.argsort(axis=-1), np.dtype(np.int64))


IMPOSSIBLE = pytest.mark.parametrize("temperature", [0.0, -0.5, float("nan")])


@claim("generation.temperature-above-0")
@IMPOSSIBLE
def test_softmax_at_temperature_above_0(ops, temperature):
    assert_rejected(
        f"temperature={temperature}", lambda: ops.softmax_with_temperature(np.ones((1, 2), np.float32), temperature)
    )


@claim("generation.temperature-above-0")
@IMPOSSIBLE
def test_generate_at_temperature_above_0(text, temperature):
    assert_rejected(
        f"temperature={temperature}",
        lambda: write(text, handcrafted_weights.successor_of_the_last(), 0, temperature=temperature),
    )


@claim("generation.temperature-above-0")
@IMPOSSIBLE
def test_write_nothing_at_temperature_above_0(text, temperature):
    network, window = handcrafted_weights.successor_of_the_last(), window_of(0, SHORT)
    assert_rejected(
        f"temperature={temperature} for a text without characters",
        lambda: text.generate(network, window, temperature=temperature, count=0, seed=0),
    )


@claim("generation.certain")
@given(seed=seeds(), labels=st.lists(st.integers(0, 9), min_size=5, max_size=5))
def test_certain(ops, seed, labels):
    probabilities = layers.one_hot(labels, 10).astype(np.float32)
    assert_equal("sample", ops.sample(probabilities, seed), np.array(labels), INT)


@claim("generation.certain-any-size")
@pytest.mark.parametrize(("rows", "classes"), [(ODD, 10), (1, 10), (4, 1), (5, 300), (3, 70_000)])
def test_certain_any_size(ops, seed, rows, classes):
    expected = cases.labels(seed, rows, classes)
    expected[0] = 0 if rows > 1 else classes - 1
    probabilities = (expected[:, None] == np.arange(classes)).astype(np.float32)
    assert_equal("sample", ops.sample(probabilities, seed), expected, INT)


@claim("generation.sample-seed")
def test_sample_seed(ops, seed):
    probabilities = np.full((40, 8), 1 / 8, np.float32)
    # 0 and the largest are seeds like any other; of 40 draws all are alike with a probability of 8^-40.
    for one in (0, seed, 2**31 - 2):
        first, other, again = (ops.sample(probabilities, number) for number in (one, one + 1, one))
        assert_equal(f"what the seed {one} draws after another one", again, first, INT)
        assert not np.array_equal(other, first), f"the seeds {one} and {one + 1} draw the same"
    assert_told_apart("classes", confusable_seeds(seed), lambda one: ops.sample(probabilities, one))


# As many as show a generator's period of 2^12, and every one of LEVELS classes but for one time in 10^11.
ROWS, LEVELS, WORD = 2**12 + 104, 256, 8
# How many rows apart draws are compared: next to each other, by powers of 2, and by half of them.
LAGS = [*range(1, 65), *(2**power for power in range(7, 12)), ROWS // 2]


@pytest.fixture(scope="module")
def even_draws(ops, seed):
    """Return draws from even probabilities, one from each row, by two seeds that follow each other."""
    probabilities = np.full((ROWS, LEVELS), 1 / LEVELS, np.float32)
    return [assert_form("sample", ops.sample(probabilities, one), (ROWS,), INT) for one in (seed, seed + 1)]


@claim("generation.rows-are-independent")
def test_rows_are_independent(even_draws):
    # The first half of the rows, and the second half from its end, whose draws may be the opposite ones.
    halves = [half for draws in even_draws for half in mirrored_halves(draws)]
    mirrored = [LEVELS - 1 - half for half in halves]
    chances = [chance_of_repeats(*some, classes=LEVELS, length=WORD) for some in (even_draws, [*halves, *mirrored])]
    probability = len(chances) * min(chances)
    assert probability > FALSE_ALARM, (
        f"draws repeat others, {WORD} rows in a row: with a probability of {probability:.3g}"
    )
    for draws in even_draws:
        probability = chance_of_lags(draws, LEVELS, LAGS)
        assert probability > FALSE_ALARM, (
            f"rows some places apart are equal, or mirrored, as often with a probability of {probability:.3g}"
        )


# So many rows and classes that hardly any class is drawn by two seeds, but where these draw by the same numbers.
FEW_ROWS, MANY_CLASSES = 64, 2**12


@claim("generation.rows-are-independent")
def test_next_seed_draws_by_other_numbers(ops, seed):
    probabilities = np.full((FEW_ROWS, MANY_CLASSES), 1 / MANY_CLASSES, np.float32)
    one, other = (assert_form("sample", ops.sample(probabilities, each), (FEW_ROWS,), INT) for each in (seed, seed + 1))
    assert_few_in_common("classes", one, other, MANY_CLASSES)


@claim("generation.every-class")
def test_every_class(even_draws):
    counts = np.bincount(np.concatenate(even_draws), minlength=LEVELS)
    absent = np.flatnonzero(counts == 0)
    assert not absent.size, f"of {LEVELS} equally probable classes {absent.size} are never drawn, such as {absent[0]}"
    for what, probability in (
        ("uneven", chance_of_categories(counts, np.full(LEVELS, 1 / LEVELS))),
        ("even", chance_of_evenness(counts)),
    ):
        assert probability > FALSE_ALARM, f"counts are as {what} with a probability of {probability:.3g}"


@claim("generation.sample-resolution")
def test_sample_resolution(ops, seed):
    # Random numbers of 16 bits point to at most half of so many classes.
    classes, rows = 2**17, 28
    drawn = ops.sample(np.full((rows, classes), 1 / classes, np.float32), seed)
    drawn = assert_form("sample", drawn, (rows,), INT)
    known = (drawn >= 0) & (drawn < classes)
    assert known.all(), f"drawn is {drawn[~known][0]} of {classes} classes"
    probability = chance_of_coarseness(drawn, classes)
    assert probability > FALSE_ALARM, (
        f"all {rows} draws from {classes} classes are where numbers of 16 bits or fewer point, such as {drawn[:4]}: "
        f"with a probability of {probability:.3g}"
    )


# How many draws a test of frequencies takes.
DRAWS = 20_000


def sampled(ops, probabilities, seed):
    """Draw from one distribution over and over, and count."""
    drawn = ops.sample(np.tile(probabilities, (DRAWS, 1)), seed)
    drawn = assert_form("sample", drawn, (DRAWS,), INT)
    assert (drawn >= 0).all(), f"drawn is {drawn.min()}"
    assert (drawn < len(probabilities)).all(), f"drawn is {drawn.max()} of {len(probabilities)}"
    return np.bincount(drawn, minlength=len(probabilities))


@claim("generation.never-impossible")
@pytest.mark.parametrize("place", [0, 3, 6])
def test_never_impossible(ops, seed, place):
    probabilities = np.full(7, 1 / 6, np.float32)
    probabilities[place] = 0
    count = sampled(ops, probabilities, seed)[place]
    assert count == 0, f"it is drawn {count} times"


@claim("generation.frequencies")
def test_frequencies(ops, seed):
    probabilities = layers.softmax(logits_in_order(seed, 1.5))
    counts = sampled(ops, probabilities, seed)
    probability = chance_of_categories(counts, to_float64(probabilities))
    assert probability > FALSE_ALARM, f"such draws are as far off as {counts} with a probability of {probability:.3g}"


@claim("generation.frequencies")
def test_frequency_of_the_other_class(ops, seed):
    # One class is all but certain, and not quite.
    probable = np.float32(0.97)
    count = int(sampled(ops, np.array([probable, 1 - probable], np.float32), seed)[1])
    assert_share("draws of a class of probability 0.03", count, DRAWS, 1 - float(probable))


@claim("generation.frequencies")
def test_frequency_of_many_rare_classes(ops, seed):
    # One class in two draws, and 5,000 others as rare as 1 in 10,000 each.
    rare, rows = 5_000, 200
    probabilities = np.full((rows, rare + 1), 0.5 / rare, np.float32)
    first = seed % (rare + 1)
    probabilities[:, first] = 0.5
    drawn = assert_form("sample", ops.sample(probabilities, seed), (rows,), INT)
    assert_share("draws of a class of probability 1/2 among rare ones", int((drawn == first).sum()), rows, 1 / 2)


@claim("generation.float32-sums")
def test_float32_sums(ops, seed):
    probabilities = layers.softmax(np.random.default_rng(seed).standard_normal((50, NUM_CHARS)).astype(np.float32))
    off = np.abs(to_float64(probabilities).sum(axis=-1) - 1)
    assert (off > 0).any()
    assert_form("sample", ops.sample(probabilities, seed), (50,), INT)


@claim("generation.nan")
@pytest.mark.parametrize("place", [(0, 0), (0, 3), (1, 2), (2, 3)], ids=str)
def test_nan(ops, place):
    probabilities = np.full((3, 4), 0.25, np.float32)
    probabilities[place] = np.nan
    assert_rejected(f"a probability of NaN at {list(place)}", lambda: ops.sample(probabilities, 0))


def window_of(seed, length=SEQ_LENGTH):
    """Draw a window."""
    return np.random.default_rng(seed).integers(0, NUM_CHARS, length, np.int32)


def assert_text(written, num_chars):
    """Check the form of what was written, and that all of it is characters."""
    written = assert_form("the text", written, (COUNT,), INT)
    known = (written >= 0) & (written < num_chars)
    assert known.all(), f"written is {written[~known][0]} of {num_chars} characters"
    return written


def write(text, parameters, seed, *, temperature=1.0, length=SEQ_LENGTH):
    """Continue a window that the seed draws, and check the form of what is written."""
    window = window_of(seed, length)
    written = text.generate(parameters, window, temperature=temperature, count=COUNT, seed=seed)
    return window, assert_text(written, NUM_CHARS)


@claim("generation.count")
@each_temperature
def test_count(text, seed, temperature):
    write(text, problems.rnn(seed).parameters, seed, temperature=temperature)


@claim("generation.window-moves")
def test_window_moves(text, seed):
    window, written = write(text, handcrafted_weights.first_of_the_window(), seed)
    assert_equal("the text", written, np.resize(window, COUNT), INT)


@claim("generation.window-length")
def test_window_length(text, seed):
    window, written = write(text, handcrafted_weights.first_of_the_window(), seed, length=7)
    assert_equal("the text", written, np.resize(window, COUNT), INT)


@claim("generation.appended")
def test_appended(text, seed):
    window, written = write(text, handcrafted_weights.successor_of_the_last(), seed)
    assert_equal("the text", written, (window[-1] + 1 + np.arange(COUNT)) % NUM_CHARS, INT)


@claim("generation.first-window")
def test_first_window(text, seed):
    window, written = write(text, handcrafted_weights.successor_of_the_last(), seed)
    assert_equal("the first character", written[:1], (window[-1:] + 1) % NUM_CHARS, INT)
    assert_equal("the window", window, window_of(seed), INT)


@claim("generation.not-argmax")
def test_not_argmax(text, seed):
    # One character is as probable as all others together: 400 draws give it each time with a probability of 2^-400.
    logits = np.zeros(NUM_CHARS, np.float32)
    logits[seed % NUM_CHARS] = np.log(NUM_CHARS - 1)
    _, written = write(text, handcrafted_weights.indifferent(logits), seed, length=SHORT)
    assert len(np.unique(written)) > 1, f"all {COUNT} characters are {written[0]}"


# Where the window makes no difference, a short one takes the least time.
SHORT = 3


@claim("generation.by-temperature")
@each_temperature
@with_known_seeds(17, 18)
def test_by_temperature(text, seed, temperature, known):
    seed = seed if known is None else known
    logits = drawn_from(seed, scale=0.5)
    network = handcrafted_weights.indifferent(logits)
    texts = [write(text, network, 3 * seed + i, temperature=temperature, length=SHORT)[1] for i in range(3)]
    drawn, probabilities = np.concatenate(texts), softmax_with_temperature(to_float64(logits), temperature)
    counts = np.bincount(drawn, minlength=NUM_CHARS).tolist()
    # Ranked by their probability, as cutting off the rare ones shows in these together.
    ranks = (-logits).argsort(kind="stable")
    points = rosenblatt(probabilities[ranks], ranks.argsort()[drawn])
    probability = 3 * min(
        chance_of_each_count(counts, probabilities),
        chance_of_categories(np.array(counts), probabilities),
        chance_of_draws(points, 0.0, 1.0),
    )
    assert probability > FALSE_ALARM, f"such draws are as far off as {counts} with a probability of {probability:.3g}"


# How many characters tell temperatures from others that are two times as high or low.
FEW = 40
# One logit is above all others, by as much as gives it a tenth to nine tenths of the probability.
LEADS = {0.001: 0.006, 0.05: 0.3, 5.0: 20.0, 100.0: 400.0}


@claim("generation.by-temperature")
@pytest.mark.parametrize("temperature", LEADS)
def test_by_other_temperatures(text, seed, temperature):
    logits, first = np.zeros(NUM_CHARS, np.float32), seed % NUM_CHARS
    logits[first] = LEADS[temperature]
    network, window = handcrafted_weights.indifferent(logits), window_of(seed, SHORT)
    written = text.generate(network, window, temperature=temperature, count=FEW, seed=seed)
    expected = softmax_with_temperature(to_float64(logits), temperature)[first]
    count = int((assert_form("the text", written, (FEW,), INT) == first).sum())
    assert_share(f"the most probable character at {temperature}", count, FEW, expected)


@claim("generation.not-argmax")
def test_first_is_not_argmax(text, seed):
    # One character is as probable as all others together, in the first place of a text, too.
    logits, first = np.zeros(NUM_CHARS, np.float32), seed % NUM_CHARS
    logits[first] = np.log(NUM_CHARS - 1)
    network, window = handcrafted_weights.indifferent(logits), window_of(seed, SHORT)
    texts = [text.generate(network, window, temperature=1.0, count=1, seed=seed + each) for each in range(FEW)]
    count = sum(int(written[0] == first) for written in texts)
    assert_share("first characters that are the most probable one", count, FEW, 1 / 2)


@claim("generation.not-argmax")
def test_rare_are_drawn(text, seed):
    # Of 20 characters one is among 199 that are as rare as 1 in 4,000 each.
    logits, first = np.zeros(MANY_CHARS, np.float32), seed % MANY_CHARS
    logits[first] = np.log(19 * (MANY_CHARS - 1))
    network, window = handcrafted_weights.indifferent(logits), window_of(seed, SHORT)
    written = text.generate(network, window, temperature=1.0, count=COUNT, seed=seed)
    count = int((assert_form("the text", written, (COUNT,), INT) != first).sum())
    assert_share("characters that are not the most probable one", count, COUNT, 1 / 20)


@claim("generation.by-temperature")
@pytest.mark.parametrize("level", [-1_000, 1_000])
def test_large_logits(text, seed, level):
    # Far from 0 all of them, two of them by 1 above the others, one of these by 1 above the other.
    logits = np.full(NUM_CHARS, level - handcrafted_weights.CERTAIN, np.float32)
    first, second = seed % NUM_CHARS, (seed + 1) % NUM_CHARS
    logits[[first, second]] = level + 1, level
    network, window = handcrafted_weights.indifferent(logits), window_of(seed, SHORT)
    written = text.generate(network, window, temperature=1.0, count=FEW, seed=seed)
    counts = np.bincount(assert_form("the text", written, (FEW,), INT), minlength=NUM_CHARS)
    assert counts[first] + counts[second] == FEW, "impossible characters are written"
    expected = softmax_with_temperature(np.array([1.0, 0.0]), 1.0)[0]
    assert_share(f"the more probable of two with logits of about {level}", int(counts[first]), FEW, expected)


@claim("generation.memory-order")
def test_memory_order(text, seed):
    # No sum of several numbers decides what is written.
    network, window = handcrafted_weights.successor_of_the_last(), window_of(seed, SHORT)

    def generate(network, window):
        return text.generate(network, window, temperature=1.0, count=10, seed=seed)

    assert_equal(
        "the text by parameters in reverse order",
        generate(reverse_names(network), window),
        generate(network, window),
        INT,
    )
    assert_reads_values("generate", lambda window: generate(network, window), window)
    assert_reads_values(
        "generate",
        lambda weights: generate(network | weights, window),
        {name: value for name, value in network.items() if value.any()},
    )


# Four characters are equally probable, the others impossible.
EQUAL = 4
FOUR_EQUAL = np.where(np.arange(NUM_CHARS) < EQUAL, 0, -handcrafted_weights.CERTAIN).astype(np.float32)


@claim("generation.independent")
def test_independent(text, seed):
    # More than a pool of 1,000 random numbers or fewer has.
    network, window, count = handcrafted_weights.indifferent(FOUR_EQUAL), window_of(seed, 1), 1_100
    written = text.generate(network, window, temperature=1.0, count=count, seed=seed)
    written = assert_form("the text", written, (count,), INT)
    counts = np.bincount(written, minlength=NUM_CHARS).tolist()
    assert sum(counts[EQUAL:]) == 0, f"impossible characters are written {sum(counts[EQUAL:])} times"
    probability = chance_of_sequence(written, EQUAL)
    assert probability > FALSE_ALARM, (
        f"draws depend on each other as those of {written.tolist()} with a probability of {probability:.3g}"
    )


@claim("generation.independent-seeds")
def test_independent_seeds(text, seed):
    network = handcrafted_weights.indifferent(FOUR_EQUAL)
    one, other = (write(text, network, each, length=SHORT)[1] for each in (seed, seed + 1))
    # Beside each other, and one or the other some places ahead.
    places = range(-NEIGHBOURS, NEIGHBOURS + 1)
    pairs = [(one[max(lag, 0) : COUNT + min(lag, 0)], other[max(-lag, 0) : COUNT + min(-lag, 0)]) for lag in places]
    tests = [(int((left == right).sum()), len(left)) for left, right in pairs]
    probability = len(tests) * min(chance_of_share(*test, 1 / EQUAL) for test in tests)
    assert probability > FALSE_ALARM, (
        f"the texts of the seeds {seed} and {seed + 1} match at {dict(zip(places, tests, strict=True))}, by number of"
        f" places that one is ahead, with a probability of {probability:.3g}"
    )


@claim("generation.any-count")
@pytest.mark.parametrize("count", [0, 1])
def test_any_count(text, seed, count):
    window = window_of(seed, SHORT)
    network = handcrafted_weights.successor_of_the_last()
    written = text.generate(network, window, temperature=1.0, count=count, seed=seed)
    assert_equal("the text", written, (window[-1:] + 1 + np.arange(count, dtype=np.int32)) % NUM_CHARS, INT)


# More characters than int8 has numbers for, and windows longer than the usual blocks.
MANY_CHARS, LONG, FURTHER = 200, 67, 80


@claim("generation.any-size")
@pytest.mark.parametrize("temperature", [0.2, 1.2])
def test_any_size(text, seed, temperature):
    window = np.random.default_rng(seed).integers(0, MANY_CHARS, LONG, np.int32)
    options = {"temperature": temperature, "count": FURTHER, "seed": seed}
    repeated = text.generate(handcrafted_weights.first_of_the_window(MANY_CHARS), window, **options)
    assert_equal("the text of a network that names the first", repeated, np.resize(window, FURTHER), INT)
    counted = text.generate(handcrafted_weights.successor_of_the_last(MANY_CHARS), window, **options)
    expected = (window[-1] + 1 + np.arange(FURTHER)) % MANY_CHARS
    assert_equal("the text of a network that counts", counted, expected, INT)


@claim("generation.any-size")
def test_many_characters(text, seed):
    # More characters than a byte has numbers for, of which the window and the text hold the even ones.
    many, window = 300, np.array([250, 252], np.int32)
    network = handcrafted_weights.successor_of_the_last(many, step=2)
    written = text.generate(network, window, temperature=1.0, count=FEW, seed=seed)
    assert_equal("the text of a network that counts by twos", written, (254 + 2 * np.arange(FEW)) % many, INT)


@claim("generation.any-size")
def test_window_of_one(text, seed):
    window, count = window_of(seed, 1), LONG
    written = text.generate(
        handcrafted_weights.successor_of_the_last(), window, temperature=1.0, count=count, seed=seed
    )
    assert_equal("the text", written, (window[0] + 1 + np.arange(count)) % NUM_CHARS, INT)


@claim("generation.begins-anew")
def test_begins_anew(text, seed):
    network = handcrafted_weights.first_of_the_window()
    for number in range(3):
        window, written = write(text, network, seed + number, length=7)
        assert_equal(f"text {number}", written, np.resize(window, COUNT), INT)


def rosenblatt(probabilities, drawn):
    """Turn draws into points that lie evenly between 0 and 1 if, and only if, they were drawn by these probabilities.

    A draw falls into its part of the probabilities laid end to end, and a point is drawn evenly from that part
    (Rosenblatt, "Remarks on a multivariate transformation", 1952).

    Args:
        probabilities: Probabilities of all draws, [classes], or of each, [n, classes].
        drawn: Draws, [n].

    """
    each = np.broadcast_to(probabilities, (len(drawn), probabilities.shape[-1]))
    place = np.arange(len(drawn)), drawn
    # From a stream of its own, which what is tested does not draw from.
    point = np.random.default_rng([*b"Rosenblatt"]).random(len(drawn))
    return np.cumsum(each, axis=-1)[place] - point * each[place]


def assert_by_the_network(parameters, window, written, temperature):
    """Check that what was written follows the definition's probabilities for each of its windows."""
    # In float32, as its rounding is nothing beside what a test of draws can tell.
    logits = definition.layer_outputs("rnn", parameters, windows_before(window, written))["dense"]
    points = rosenblatt(softmax_with_temperature(to_float64(logits), temperature), written)
    probability = chance_of_draws(points, 0.0, 1.0)
    assert probability > FALSE_ALARM, f"the network writes such characters with a probability of {probability:.3g}"


@claim("generation.by-the-network")
@each_temperature
def test_by_the_network(text, seed, temperature):
    parameters = problems.rnn(seed).parameters
    # Three times as sure of what comes next, so that temperatures make a difference.
    parameters["dense/kernel"] *= 3
    window, written = write(text, parameters, seed, temperature=temperature)
    assert_by_the_network(parameters, window, written, temperature)


@claim("generation.seed")
def test_seed(text, seed):
    parameters = problems.rnn(seed).parameters
    window = window_of(seed)
    first, again, other = (
        text.generate(parameters, window, temperature=1.0, count=COUNT, seed=one) for one in (seed, seed, seed + 1)
    )
    assert_equal("the text", again, first, INT)
    assert (other != first).any(), f"the seeds {seed} and {seed + 1} write the same text"


@claim("generation.seed")
def test_confusable_seeds(text, seed):
    network, window = handcrafted_weights.indifferent(np.zeros(NUM_CHARS, np.float32)), window_of(seed, SHORT)
    # Two texts of that many agree with a probability of NUM_CHARS^-12.
    assert_told_apart(
        "texts",
        confusable_seeds(seed),
        lambda one: text.generate(network, window, temperature=1.0, count=12, seed=one),
    )


@claim("generation.own-predict")
def test_own_predict(keras):
    class RNN(keras.namespace.Model):
        def predict(self, inputs, temperature=1.0):
            return inputs, temperature

    assert RNN().predict("a window", 0.5) == ("a window", 0.5)


@claim("generation.printed-words")
def test_printed_words():
    printed = DOCUMENT["printed"]
    shares = np.divide(printed["known_words"], printed["words"])
    assert (np.diff(shares) < 0).all(), shares


@claim("generation.printed-is-better")
def test_printed_is_better():
    printed = {name: dict(zip(TEMPERATURES, values, strict=True)) for name, values in DOCUMENT["printed"].items()}
    assert printed["known_words"][1.0] / printed["words"][1.0] > threshold("rnn_1000_batches").limits("words").upper


@pytest.fixture(scope="session")
def written(text, rnn_1000_batches, corpus, seed, compute_once):
    """Return what the trained RNN writes at each temperature, from one window, once in a run."""
    window = corpus.indices[:SEQ_LENGTH].copy()

    def work():
        parameters = rnn_1000_batches["parameters"]
        return [
            text.generate(parameters, window, temperature=one, count=COUNT, seed=seed + number)
            for number, one in enumerate(TEMPERATURES)
        ]

    return window, [assert_text(found, corpus.num_chars) for found in compute_once("written", work)]


@claim("generation.trained")
@pytest.mark.parametrize("place", range(len(TEMPERATURES)), ids=map(str, TEMPERATURES))
def test_trained(rnn_1000_batches, written, place):
    window, texts = written
    assert_by_the_network(rnn_1000_batches["parameters"], window, texts[place], TEMPERATURES[place])


@claim("generation.words")
def test_words(rnn_1000_batches, written, corpus, evidence):
    texts = [corpus.decode(found) for found in written[1]]
    some, _ = evaluated(corpus, SEQ_LENGTH)
    logits = definition.layer_outputs("rnn", to_float64(rnn_1000_batches["parameters"]), some[::10])["dense"]
    samples = {"temperatures": TEMPERATURES, "texts": texts}
    evidence(samples=samples, entropy=entropies(logits, TEMPERATURES), corpus=corpus.source)
    coldest, *_, hottest = (share_of_words([found], corpus) if words(found)[1:-1] else 0.0 for found in texts)
    assert coldest > hottest, f"{coldest:.0%} of the words at 0.2 are in the corpus, and {hottest:.0%} at 1.2"


@claim("generation.sample-seed")
def test_sample_classes_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("ops.sample", implementation, results_elsewhere, seed)


@claim("generation.seed")
def test_generate_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("text.generate", implementation, results_elsewhere, seed)
