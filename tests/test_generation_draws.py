"""Random draws of generated text: lines 580 to 625 of the document."""

import numpy as np
import pytest

from assay.contract import INT
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import models as definition
from assay.spec.semantics.layers import softmax_with_temperature
from assay.spec.semantics.models import NUM_CHARS
from assay.spec.semantics.text import windows_before
from assay.spec.vectors import read
from assay.testing import handcrafted_weights, problems
from assay.testing.assertions import assert_form, claim
from assay.testing.chances import chance_of_draws, chance_of_share
from assay.testing.counts import assert_share
from assay.testing.draws import (
    NEIGHBOURS,
    chance_of_categories,
    chance_of_coarseness,
    chance_of_each_count,
    chance_of_sequence,
)
from assay.testing.problems import SEQ_LENGTH
from assay.testing.seeds import with_known_seeds
from assay.testing.text_generation import COUNT, SHORT, assert_text, draw_window, generate
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training.assertions import entropies
from assay.testing.training.text_training import extract_evaluation, share_of_words, words

DOCUMENT = read("rnn")
TEMPERATURES = DOCUMENT["temperatures"]

each_temperature = pytest.mark.parametrize("temperature", TEMPERATURES)


def random_logits(seed, scale=3.0):
    """Draw logits of all characters, with a standard deviation of `scale`."""
    return (scale * np.random.default_rng(seed).standard_normal(NUM_CHARS)).astype(np.float32)


@claim("generation.not-argmax", "generation.by-temperature")
def test_not_argmax(text, seed):
    # One character has a probability of 1 / 2, so it is drawn 400 times in a row with a probability of 2^-400.
    logits, first = np.zeros(NUM_CHARS, np.float32), seed % NUM_CHARS
    logits[first] = np.log(NUM_CHARS - 1)
    _, generated = generate(text, handcrafted_weights.indifferent(logits), seed, length=SHORT)
    assert len(np.unique(generated)) > 1, f"all {COUNT} characters are {generated[0]}"
    # The probability stays the same from the first character to the last.
    for half, chars in zip(("first", "second"), np.split(generated, 2), strict=True):
        count = int((chars == first).sum())
        assert_share(f"the most probable character in the {half} half", count, len(chars), 1 / 2, FALSE_ALARM / 2)


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
LEADS = {0.001: 0.004, 0.05: 0.2, 5.0: 20.0, 100.0: 400.0}


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
    many = 200
    logits, first = np.zeros(many, np.float32), seed % many
    logits[first] = np.log(19 * (many - 1))
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


@pytest.fixture(scope="session")
def generated_texts(text, rnn_1000_batches, corpus, seed, compute_once):
    """Return a window, and the text that the trained RNN generates from it at each temperature, once in a run."""
    window = corpus.indices[:SEQ_LENGTH].copy()

    def generate_all():
        parameters = rnn_1000_batches["parameters"]
        return [
            text.generate(parameters, window, temperature=one, count=COUNT, seed=seed + number)
            for number, one in enumerate(TEMPERATURES)
        ]

    return window, [assert_text(found, corpus.num_chars) for found in compute_once("written", generate_all)]


@claim("generation.trained")
@pytest.mark.parametrize("place", range(len(TEMPERATURES)), ids=map(str, TEMPERATURES))
def test_trained(rnn_1000_batches, generated_texts, place):
    window, texts = generated_texts
    assert_follows_network(rnn_1000_batches["parameters"], window, texts[place], TEMPERATURES[place])


@claim("generation.words")
def test_words(rnn_1000_batches, generated_texts, corpus, evidence):
    texts = [corpus.decode(found) for found in generated_texts[1]]
    some, _ = extract_evaluation(corpus, SEQ_LENGTH)
    logits = definition.layer_outputs("rnn", to_float64(rnn_1000_batches["parameters"]), some[::10])["dense"]
    samples = {"temperatures": TEMPERATURES, "texts": texts}
    evidence(samples=samples, entropy=entropies(logits, TEMPERATURES), corpus=corpus.source)
    coldest, *_, hottest = (share_of_words([found], corpus) if words(found)[1:-1] else 0.0 for found in texts)
    assert coldest > hottest, (
        f"{coldest:.0%} of the words at a temperature of 0.2 are in the corpus, and {hottest:.0%} at 1.2"
    )


# Random numbers of 11 bits reach half of so many characters, and those of float16 three quarters.
MANY_CHARS, MANY_DRAWS = 2**12, 90


@claim("generation.text-resolution")
def test_text_resolution(text, seed):
    network = handcrafted_weights.indifferent(np.zeros(MANY_CHARS, np.float32))
    generated = text.generate(network, np.zeros(1, np.int32), temperature=1.0, count=MANY_DRAWS, seed=seed)
    generated = assert_form("the text", generated, (MANY_DRAWS,), INT)
    probability = chance_of_coarseness(generated, MANY_CHARS)
    assert probability > FALSE_ALARM, (
        f"all {MANY_DRAWS} characters of {MANY_CHARS} are within reach of numbers of 11 bits or fewer, or of float16: a"
        f" probability of {probability:.3g}"
    )
