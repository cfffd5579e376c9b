"""Text generation: lines 580 to 629 of the document."""

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


def random_logits(seed, scale=3.0):
    """Draw logits of all characters, with a standard deviation of `scale`."""
    return (scale * np.random.default_rng(seed).standard_normal(NUM_CHARS)).astype(np.float32)


def normal_logits(seed, deviation):
    """Return logits of all characters that are quantiles of a normal distribution, in random order."""
    return (deviation * np.random.default_rng(seed).permutation(normal_quantiles(NUM_CHARS))).astype(np.float32)


@claim("generation.temperature")
@each_temperature
@given(scaled=matrices(LARGEST_EXPONENT))
def test_temperature(ops, temperature, scaled):
    # The differences of divided logits stay so small that no probability underflows to 0.
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
    # Divided logits are a few units apart, and the logits themselves up to tens of thousands. In the last row, two
    # logits are equal and the largest.
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
    # The logits are 1 apart, and exp(-128) is less than half of the smallest positive number of float32.
    expected = layers.one_hot(logits.argmax(axis=-1), logits.shape[-1])
    assert_equal("softmax_with_temperature", ops.softmax_with_temperature(logits, 1 / 128), expected)


@claim("generation.hot")
@given(logits=matrices(LARGEST_EXPONENT), temperature=st.sampled_from([1e3, 1e6]))
def test_hot(ops, logits, temperature):
    even = np.full(logits.shape, 1 / logits.shape[-1])
    # Logits differ by at most 2 * LARGEST_EXPONENT, so the ratio of two probabilities is at most exp of that / T.
    deviation = even * np.expm1(2 * LARGEST_EXPONENT / temperature)
    bound = deviation + rounding.softmax_with_temperature(to_float64(logits), temperature)
    assert_within("softmax_with_temperature", ops.softmax_with_temperature(logits, temperature), even, bound)


def probabilities_by_temperature(ops, logits):
    """Return the probabilities at the four temperatures of the document, in float64."""
    return [
        to_float64(assert_form("softmax_with_temperature", ops.softmax_with_temperature(logits, one), logits.shape))
        for one in TEMPERATURES
    ]


@claim("generation.entropy")
@given(logits=distinct_rows())
def test_entropy(ops, logits):
    entropies = np.array([entropy(each) for each in probabilities_by_temperature(ops, logits)])
    assert (np.diff(entropies, axis=0) > 0).all(), (
        f"the entropies are {entropies.tolist()}, expected to rise with the temperature"
    )


@claim("generation.range")
@given(logits=distinct_rows())
def test_range(ops, logits):
    ranges = np.array([np.ptp(each, axis=-1) for each in probabilities_by_temperature(ops, logits)])
    assert (np.diff(ranges, axis=0) < 0).all(), (
        f"the ranges are {ranges.tolist()}, expected to fall with the temperature"
    )


@claim("generation.order-kept")
@given(logits=distinct_rows())
def test_order_kept(ops, logits):
    for temperature, found in zip(TEMPERATURES, probabilities_by_temperature(ops, logits), strict=True):
        assert_equal(f"the order at {temperature}", found.argsort(axis=-1), logits.argsort(axis=-1), np.dtype(np.int64))


invalid_temperatures = pytest.mark.parametrize("temperature", [0.0, -0.5, float("nan")])


@claim("generation.temperature-above-0")
@invalid_temperatures
def test_softmax_at_temperature_above_0(ops, temperature):
    assert_rejected(
        f"temperature={temperature}", lambda: ops.softmax_with_temperature(np.ones((1, 2), np.float32), temperature)
    )


@claim("generation.temperature-above-0")
@invalid_temperatures
def test_generate_at_temperature_above_0(text, temperature):
    assert_rejected(
        f"temperature={temperature}",
        lambda: generate(text, handcrafted_weights.successor_of_the_last(), 0, temperature=temperature),
    )


@claim("generation.temperature-above-0")
@invalid_temperatures
def test_write_nothing_at_temperature_above_0(text, temperature):
    network, window = handcrafted_weights.successor_of_the_last(), draw_window(0, SHORT)
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
    # Including 0 and the largest pair of seeds. Two seeds draw the same 40 classes with a probability of 8^-40.
    for one in (0, seed, 2**31 - 2):
        first, other, again = (ops.sample(probabilities, number) for number in (one, one + 1, one))
        assert_equal(f"the draws with the seed {one} after another seed", again, first, INT)
        assert not np.array_equal(other, first), f"the seeds {one} and {one + 1} draw the same"
    assert_told_apart("classes", confusable_seeds(seed), lambda one: ops.sample(probabilities, one))


# Enough rows to show a period of 2^12. A class is never drawn with a probability of 10^-11.
ROWS, LEVELS, WORD = 2**12 + 104, 256, 8
# Distances between the rows that are compared: small ones, powers of 2, and half the number of rows.
LAGS = [*range(1, 65), *(2**power for power in range(7, 12)), ROWS // 2]


@pytest.fixture(scope="module")
def even_draws(ops, seed):
    """Return draws from uniform probabilities, one for each row, with two consecutive seeds."""
    probabilities = np.full((ROWS, LEVELS), 1 / LEVELS, np.float32)
    return [assert_form("sample", ops.sample(probabilities, one), (ROWS,), INT) for one in (seed, seed + 1)]


@claim("generation.rows-are-independent")
def test_rows_are_independent(even_draws):
    # The first half of the rows, the second half in reverse order, and the mirrored classes of both.
    halves = [half for draws in even_draws for half in mirrored_halves(draws)]
    mirrored = [LEVELS - 1 - half for half in halves]
    chances = [chance_of_repeats(*some, classes=LEVELS, length=WORD) for some in (even_draws, [*halves, *mirrored])]
    probability = len(chances) * min(chances)
    assert probability > FALSE_ALARM, (
        f"the draws of {WORD} consecutive rows repeat, with a probability of {probability:.3g}"
    )
    for draws in even_draws:
        probability = chance_of_lags(draws, LEVELS, LAGS)
        assert probability > FALSE_ALARM, (
            f"draws at a fixed distance are equal, or mirrored, this often with a probability of {probability:.3g}"
        )


# With so few rows and so many classes, two seeds hardly ever draw the same class.
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
    assert not absent.size, f"{absent.size} of {LEVELS} equally probable classes are never drawn, such as {absent[0]}"
    for what, probability in (
        ("uneven", chance_of_categories(counts, np.full(LEVELS, 1 / LEVELS))),
        ("even", chance_of_evenness(counts)),
    ):
        assert probability > FALSE_ALARM, f"counts are as {what} with a probability of {probability:.3g}"


@claim("generation.sample-resolution")
def test_sample_resolution(ops, seed):
    # Random numbers of 16 bits reach at most half of so many classes.
    classes, rows = 2**17, 28
    drawn = ops.sample(np.full((rows, classes), 1 / classes, np.float32), seed)
    drawn = assert_form("sample", drawn, (rows,), INT)
    known = (drawn >= 0) & (drawn < classes)
    assert known.all(), f"class {drawn[~known][0]} of {classes} is drawn"
    probability = chance_of_coarseness(drawn, classes)
    assert probability > FALSE_ALARM, (
        f"all {rows} draws from {classes} classes are within reach of 16 random bits or fewer, such as {drawn[:4]}: "
        f"a probability of {probability:.3g}"
    )


# Number of draws of a test of frequencies.
DRAWS = 20_000


def count_samples(ops, probabilities, seed):
    """Draw from one distribution in every row, and count the draws of each class."""
    drawn = ops.sample(np.tile(probabilities, (DRAWS, 1)), seed)
    drawn = assert_form("sample", drawn, (DRAWS,), INT)
    assert (drawn >= 0).all(), f"class {drawn.min()} is drawn"
    assert (drawn < len(probabilities)).all(), f"class {drawn.max()} of {len(probabilities)} is drawn"
    return np.bincount(drawn, minlength=len(probabilities))


@claim("generation.never-impossible")
@pytest.mark.parametrize("place", [0, 3, 6])
def test_never_impossible(ops, seed, place):
    probabilities = np.full(7, 1 / 6, np.float32)
    probabilities[place] = 0
    count = count_samples(ops, probabilities, seed)[place]
    assert count == 0, f"a class of probability 0 is drawn {count} times"


@claim("generation.frequencies")
def test_frequencies(ops, seed):
    probabilities = layers.softmax(normal_logits(seed, 1.5))
    counts = count_samples(ops, probabilities, seed)
    probability = chance_of_categories(counts, to_float64(probabilities))
    assert probability > FALSE_ALARM, (
        f"correct draws are as far off as {counts} with a probability of {probability:.3g}"
    )


@claim("generation.frequencies")
def test_frequency_of_the_other_class(ops, seed):
    # One class is nearly certain.
    probable = np.float32(0.97)
    count = int(count_samples(ops, np.array([probable, 1 - probable], np.float32), seed)[1])
    assert_share("draws of a class of probability 0.03", count, DRAWS, 1 - float(probable))


@claim("generation.frequencies")
def test_frequency_of_many_rare_classes(ops, seed):
    # One class has a probability of 1 / 2, and each of 5,000 others one of 1 / 10,000.
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


def draw_window(seed, length=SEQ_LENGTH):
    """Draw a window of characters."""
    return np.random.default_rng(seed).integers(0, NUM_CHARS, length, np.int32)


def assert_text(generated, num_chars):
    """Check the form of a generated text, and that it contains only valid characters."""
    generated = assert_form("the text", generated, (COUNT,), INT)
    known = (generated >= 0) & (generated < num_chars)
    assert known.all(), f"the text contains character {generated[~known][0]} of {num_chars}"
    return generated


def generate(text, parameters, seed, *, temperature=1.0, length=SEQ_LENGTH):
    """Draw a window, generate text from it, and check its form; return both."""
    window = draw_window(seed, length)
    generated = text.generate(parameters, window, temperature=temperature, count=COUNT, seed=seed)
    return window, assert_text(generated, NUM_CHARS)


@claim("generation.count")
@each_temperature
def test_count(text, seed, temperature):
    generate(text, problems.rnn(seed).parameters, seed, temperature=temperature)


@claim("generation.window-moves")
def test_window_moves(text, seed):
    window, generated = generate(text, handcrafted_weights.first_of_the_window(), seed)
    assert_equal("the text", generated, np.resize(window, COUNT), INT)


@claim("generation.window-length")
def test_window_length(text, seed):
    window, generated = generate(text, handcrafted_weights.first_of_the_window(), seed, length=7)
    assert_equal("the text", generated, np.resize(window, COUNT), INT)


@claim("generation.appended")
def test_appended(text, seed):
    window, generated = generate(text, handcrafted_weights.successor_of_the_last(), seed)
    assert_equal("the text", generated, (window[-1] + 1 + np.arange(COUNT)) % NUM_CHARS, INT)


@claim("generation.first-window")
def test_first_window(text, seed):
    window, generated = generate(text, handcrafted_weights.successor_of_the_last(), seed)
    assert_equal("the first character", generated[:1], (window[-1:] + 1) % NUM_CHARS, INT)
    assert_equal("the window", window, draw_window(seed), INT)


@claim("generation.not-argmax")
def test_not_argmax(text, seed):
    # One character has a probability of 1 / 2, so it is drawn 400 times in a row with a probability of 2^-400.
    logits = np.zeros(NUM_CHARS, np.float32)
    logits[seed % NUM_CHARS] = np.log(NUM_CHARS - 1)
    _, generated = generate(text, handcrafted_weights.indifferent(logits), seed, length=SHORT)
    assert len(np.unique(generated)) > 1, f"all {COUNT} characters are {generated[0]}"


# Length of a window for networks whose output does not depend on it; a short one saves time.
SHORT = 3


@claim("generation.by-temperature")
@each_temperature
@with_known_seeds(17, 18)
def test_by_temperature(text, seed, temperature, known):
    seed = seed if known is None else known
    logits = random_logits(seed, scale=0.5)
    network = handcrafted_weights.indifferent(logits)
    texts = [generate(text, network, 3 * seed + i, temperature=temperature, length=SHORT)[1] for i in range(3)]
    drawn, probabilities = np.concatenate(texts), softmax_with_temperature(to_float64(logits), temperature)
    counts = np.bincount(drawn, minlength=NUM_CHARS).tolist()
    # Sorted by probability, so that all rare characters together show whether they are cut off.
    ranks = (-logits).argsort(kind="stable")
    points = rosenblatt_transform(probabilities[ranks], ranks.argsort()[drawn])
    probability = 3 * min(
        chance_of_each_count(counts, probabilities),
        chance_of_categories(np.array(counts), probabilities),
        chance_of_draws(points, 0.0, 1.0),
    )
    assert probability > FALSE_ALARM, (
        f"correct draws are as far off as {counts} with a probability of {probability:.3g}"
    )


# Number of characters by which a temperature differs detectably from half and from twice that temperature.
FEW = 40
# By temperature, the lead of one logit that gives its character a probability between 0.1 and 0.9.
LEADS = {0.001: 0.006, 0.05: 0.3, 5.0: 20.0, 100.0: 400.0}


@claim("generation.by-temperature")
@pytest.mark.parametrize("temperature", LEADS)
def test_by_other_temperatures(text, seed, temperature):
    logits, first = np.zeros(NUM_CHARS, np.float32), seed % NUM_CHARS
    logits[first] = LEADS[temperature]
    network, window = handcrafted_weights.indifferent(logits), draw_window(seed, SHORT)
    generated = text.generate(network, window, temperature=temperature, count=FEW, seed=seed)
    expected = softmax_with_temperature(to_float64(logits), temperature)[first]
    count = int((assert_form("the text", generated, (FEW,), INT) == first).sum())
    assert_share(f"the most probable character at {temperature}", count, FEW, expected)


@claim("generation.not-argmax")
def test_first_is_not_argmax(text, seed):
    # One character has a probability of 1 / 2, for the first character of a text, too.
    logits, first = np.zeros(NUM_CHARS, np.float32), seed % NUM_CHARS
    logits[first] = np.log(NUM_CHARS - 1)
    network, window = handcrafted_weights.indifferent(logits), draw_window(seed, SHORT)
    texts = [text.generate(network, window, temperature=1.0, count=1, seed=seed + each) for each in range(FEW)]
    count = sum(int(generated[0] == first) for generated in texts)
    assert_share("first characters that are the most probable one", count, FEW, 1 / 2)


@claim("generation.not-argmax")
def test_rare_are_drawn(text, seed):
    # Each of 199 rare characters has a probability of about 1 / 4,000, and all of them together 1 / 20.
    logits, first = np.zeros(MANY_CHARS, np.float32), seed % MANY_CHARS
    logits[first] = np.log(19 * (MANY_CHARS - 1))
    network, window = handcrafted_weights.indifferent(logits), draw_window(seed, SHORT)
    generated = text.generate(network, window, temperature=1.0, count=COUNT, seed=seed)
    count = int((assert_form("the text", generated, (COUNT,), INT) != first).sum())
    assert_share("characters that are not the most probable one", count, COUNT, 1 / 20)


@claim("generation.by-temperature")
@pytest.mark.parametrize("level", [-1_000, 1_000])
def test_large_logits(text, seed, level):
    # All logits are far from 0. Two characters are possible, and their logits differ by 1.
    logits = np.full(NUM_CHARS, level - handcrafted_weights.CERTAIN, np.float32)
    first, second = seed % NUM_CHARS, (seed + 1) % NUM_CHARS
    logits[[first, second]] = level + 1, level
    network, window = handcrafted_weights.indifferent(logits), draw_window(seed, SHORT)
    generated = text.generate(network, window, temperature=1.0, count=FEW, seed=seed)
    counts = np.bincount(assert_form("the text", generated, (FEW,), INT), minlength=NUM_CHARS)
    assert counts[first] + counts[second] == FEW, "the text contains characters of probability 0"
    expected = softmax_with_temperature(np.array([1.0, 0.0]), 1.0)[0]
    assert_share(f"the more probable of two characters with logits of about {level}", int(counts[first]), FEW, expected)


@claim("generation.memory-order")
def test_memory_order(text, seed):
    # The predicted character does not depend on rounding: no sum of several numbers decides it.
    network, window = handcrafted_weights.successor_of_the_last(), draw_window(seed, SHORT)

    def generate(network, window):
        return text.generate(network, window, temperature=1.0, count=10, seed=seed)

    assert_equal(
        "the text with parameters in reverse order",
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


# Four characters have equal probabilities, and all others a probability of 0.
EQUAL = 4
FOUR_EQUAL = np.where(np.arange(NUM_CHARS) < EQUAL, 0, -handcrafted_weights.CERTAIN).astype(np.float32)


@claim("generation.independent")
def test_independent(text, seed):
    # Enough characters to detect a repeated pool of up to 1,000 random numbers.
    network, window, count = handcrafted_weights.indifferent(FOUR_EQUAL), draw_window(seed, 1), 1_100
    generated = text.generate(network, window, temperature=1.0, count=count, seed=seed)
    generated = assert_form("the text", generated, (count,), INT)
    counts = np.bincount(generated, minlength=NUM_CHARS).tolist()
    assert sum(counts[EQUAL:]) == 0, f"characters of probability 0 occur {sum(counts[EQUAL:])} times"
    probability = chance_of_sequence(generated, EQUAL)
    assert probability > FALSE_ALARM, (
        f"independent draws are as dependent as {generated.tolist()} with a probability of {probability:.3g}"
    )


@claim("generation.independent-seeds")
def test_independent_seeds(text, seed):
    network = handcrafted_weights.indifferent(FOUR_EQUAL)
    one, other = (generate(text, network, each, length=SHORT)[1] for each in (seed, seed + 1))
    # At the same place, and with either text a few places ahead.
    places = range(-NEIGHBOURS, NEIGHBOURS + 1)
    pairs = [(one[max(lag, 0) : COUNT + min(lag, 0)], other[max(-lag, 0) : COUNT + min(-lag, 0)]) for lag in places]
    tests = [(int((left == right).sum()), len(left)) for left, right in pairs]
    probability = len(tests) * min(chance_of_share(*test, 1 / EQUAL) for test in tests)
    assert probability > FALSE_ALARM, (
        f"the texts with the seeds {seed} and {seed + 1} agree in {dict(zip(places, tests, strict=True))}, by the"
        f" number of places that one is ahead, with a probability of {probability:.3g}"
    )


@claim("generation.any-count")
@pytest.mark.parametrize("count", [0, 1])
def test_any_count(text, seed, count):
    window = draw_window(seed, SHORT)
    network = handcrafted_weights.successor_of_the_last()
    generated = text.generate(network, window, temperature=1.0, count=count, seed=seed)
    assert_equal("the text", generated, (window[-1:] + 1 + np.arange(count, dtype=np.int32)) % NUM_CHARS, INT)


# More characters than int8 can number, and windows longer than the usual block sizes.
MANY_CHARS, LONG, FURTHER = 200, 67, 80


@claim("generation.any-size")
@pytest.mark.parametrize("temperature", [0.2, 1.2])
def test_any_size(text, seed, temperature):
    window = np.random.default_rng(seed).integers(0, MANY_CHARS, LONG, np.int32)
    options = {"temperature": temperature, "count": FURTHER, "seed": seed}
    repeated = text.generate(handcrafted_weights.first_of_the_window(MANY_CHARS), window, **options)
    assert_equal(
        "the text of a network that repeats the window's first character", repeated, np.resize(window, FURTHER), INT
    )
    counted = text.generate(handcrafted_weights.successor_of_the_last(MANY_CHARS), window, **options)
    expected = (window[-1] + 1 + np.arange(FURTHER)) % MANY_CHARS
    assert_equal("the text of a network that counts", counted, expected, INT)


@claim("generation.any-size")
def test_many_characters(text, seed):
    # More characters than a byte has values. Only those with even numbers occur.
    many, window = 300, np.array([250, 252], np.int32)
    network = handcrafted_weights.successor_of_the_last(many, step=2)
    generated = text.generate(network, window, temperature=1.0, count=FEW, seed=seed)
    assert_equal("the text of a network that counts by twos", generated, (254 + 2 * np.arange(FEW)) % many, INT)


@claim("generation.any-size")
def test_window_of_one(text, seed):
    window, count = draw_window(seed, 1), LONG
    generated = text.generate(
        handcrafted_weights.successor_of_the_last(), window, temperature=1.0, count=count, seed=seed
    )
    assert_equal("the text", generated, (window[0] + 1 + np.arange(count)) % NUM_CHARS, INT)


@claim("generation.begins-anew")
def test_begins_anew(text, seed):
    network = handcrafted_weights.first_of_the_window()
    for number in range(3):
        window, generated = generate(text, network, seed + number, length=7)
        assert_equal(f"text {number}", generated, np.resize(window, COUNT), INT)


def rosenblatt_transform(probabilities, drawn):
    """Turn draws into points that are uniform between 0 and 1 if, and only if, the draws have these probabilities.

    The cumulative probabilities divide the interval from 0 to 1 into parts. Each draw becomes a uniform point in the
    part of its class (Rosenblatt, "Remarks on a multivariate transformation", 1952).

    Args:
        probabilities: Probabilities of the classes, [classes], or of the classes in each draw, [n, classes].
        drawn: Draws, [n].

    """
    each = np.broadcast_to(probabilities, (len(drawn), probabilities.shape[-1]))
    place = np.arange(len(drawn)), drawn
    # A seed of its own, so that the points are independent of the draws.
    point = np.random.default_rng([*b"Rosenblatt"]).random(len(drawn))
    return np.cumsum(each, axis=-1)[place] - point * each[place]


def assert_follows_network(parameters, window, generated, temperature):
    """Check that each character follows the probabilities of the definition for its window."""
    # float32 suffices, since its rounding errors are far smaller than what a test of draws can detect.
    logits = definition.layer_outputs("rnn", parameters, windows_before(window, generated))["dense"]
    points = rosenblatt_transform(softmax_with_temperature(to_float64(logits), temperature), generated)
    probability = chance_of_draws(points, 0.0, 1.0)
    assert probability > FALSE_ALARM, (
        f"draws by the network are as far off as this text with a probability of {probability:.3g}"
    )


@claim("generation.by-the-network")
@each_temperature
def test_by_the_network(text, seed, temperature):
    parameters = problems.rnn(seed).parameters
    # Three times the logits, so that the temperature makes a difference.
    parameters["dense/kernel"] *= 3
    window, generated = generate(text, parameters, seed, temperature=temperature)
    assert_follows_network(parameters, window, generated, temperature)


@claim("generation.seed")
def test_seed(text, seed):
    parameters = problems.rnn(seed).parameters
    window = draw_window(seed)
    first, again, other = (
        text.generate(parameters, window, temperature=1.0, count=COUNT, seed=one) for one in (seed, seed, seed + 1)
    )
    assert_equal("the text", again, first, INT)
    assert (other != first).any(), f"the seeds {seed} and {seed + 1} generate the same text"


@claim("generation.seed")
def test_confusable_seeds(text, seed):
    network, window = handcrafted_weights.indifferent(np.zeros(NUM_CHARS, np.float32)), draw_window(seed, SHORT)
    # Two texts of 12 characters are equal with a probability of NUM_CHARS^-12.
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
def generated(text, rnn_1000_batches, corpus, seed, compute_once):
    """Return a window, and the text that the trained RNN generates from it at each temperature, once in a run."""
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
def test_trained(rnn_1000_batches, generated, place):
    window, texts = generated
    assert_follows_network(rnn_1000_batches["parameters"], window, texts[place], TEMPERATURES[place])


@claim("generation.words")
def test_words(rnn_1000_batches, generated, corpus, evidence):
    texts = [corpus.decode(found) for found in generated[1]]
    some, _ = evaluated(corpus, SEQ_LENGTH)
    logits = definition.layer_outputs("rnn", to_float64(rnn_1000_batches["parameters"]), some[::10])["dense"]
    samples = {"temperatures": TEMPERATURES, "texts": texts}
    evidence(samples=samples, entropy=entropies(logits, TEMPERATURES), corpus=corpus.source)
    coldest, *_, hottest = (share_of_words([found], corpus) if words(found)[1:-1] else 0.0 for found in texts)
    assert coldest > hottest, (
        f"{coldest:.0%} of the words at a temperature of 0.2 are in the corpus, and {hottest:.0%} at 1.2"
    )


@claim("generation.sample-seed")
def test_sample_classes_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("ops.sample", implementation, results_elsewhere, seed)


@claim("generation.seed")
def test_generate_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("text.generate", implementation, results_elsewhere, seed)
