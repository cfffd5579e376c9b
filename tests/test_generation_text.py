"""Generated text, character by character: lines 580 to 625 of the document."""

import numpy as np
import pytest

from assay.contract import INT
from assay.spec.semantics.models import NUM_CHARS
from assay.spec.vectors import read
from assay.testing import handcrafted_weights, problems
from assay.testing.assertions import assert_equal, assert_rejected, claim
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import assert_reads_values, reverse_names
from assay.testing.text_generation import COUNT, SHORT, draw_window, generate
from assay.testing.thresholds import threshold

DOCUMENT = read("rnn")
TEMPERATURES = DOCUMENT["temperatures"]

each_temperature = pytest.mark.parametrize("temperature", TEMPERATURES)

invalid_temperatures = pytest.mark.parametrize("temperature", [0.0, -0.5, float("nan")])


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
    many, count, window = 300, 40, np.array([250, 252], np.int32)
    network = handcrafted_weights.successor_of_the_last(many, step=2)
    generated = text.generate(network, window, temperature=1.0, count=count, seed=seed)
    assert_equal("the text of a network that counts by twos", generated, (254 + 2 * np.arange(count)) % many, INT)


@claim("generation.any-size")
def test_window_of_one(text, seed):
    window = draw_window(seed, 1)
    # A window that grows keeps its first character.
    networks = (handcrafted_weights.successor_of_the_last(), LONG), (handcrafted_weights.successor_of_the_first(), 10)
    for network, count in networks:
        generated = text.generate(network, window, temperature=1.0, count=count, seed=seed)
        assert_equal("the text", generated, (window[0] + 1 + np.arange(count)) % NUM_CHARS, INT)


@claim("generation.begins-anew")
def test_begins_anew(text, seed):
    network = handcrafted_weights.first_of_the_window()
    for number in range(3):
        window, generated = generate(text, network, seed + number, length=7)
        assert_equal(f"text {number}", generated, np.resize(window, COUNT), INT)


@claim("generation.begins-anew")
@invalid_temperatures
def test_begins_anew_after_a_refusal(text, seed, temperature):
    # The characters depend on the temperature, as none is certain.
    logits = np.random.default_rng(seed).standard_normal(NUM_CHARS).astype(np.float32)
    network, window = handcrafted_weights.indifferent(logits), draw_window(seed, SHORT)

    def write(temperature):
        return text.generate(network, window, temperature=temperature, count=12, seed=seed)

    before = write(0.2)
    assert_rejected(f"temperature={temperature}", lambda: write(temperature))
    assert_equal("the text after a refused temperature", write(0.2), before, INT)


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


@claim("generation.seed")
def test_generate_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("text.generate", implementation, results_elsewhere, seed)


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
