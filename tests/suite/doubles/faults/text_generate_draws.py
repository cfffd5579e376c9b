"""Faults of the characters that a text draws: their distribution, and the seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy.activations import softmax
from assay.alternatives.numpy.models import model_of
from assay.alternatives.numpy.sampling import check_temperature, draw_classes, softmax_with_temperature
from assay.contract import Array, Parameters
from doubles.dependent_draws import classes_at, opposites
from doubles.faulty import Fault
from doubles.text_writing import Writer, pick


def write_nothing_unchecked(right, parameters, window, *, count, **options):
    """Check the temperature only for a text with characters."""
    return right(parameters, window, count=count, **options) if count else np.zeros(0, np.int32)


def certain_first_character(generate, parameters, window, *, temperature, count, seed):
    """Take the most probable character first."""
    cold = 0.01 if temperature > 0 else temperature
    first = generate(parameters, window, temperature=cold, count=min(count, 1), seed=seed)
    following = np.append(window[1:], first).astype(np.int32)
    if count < 2:
        return first
    rest = generate(parameters, following, temperature=temperature, count=count - 1, seed=seed)
    return np.concatenate([first, rest])


def generating(choose):
    """Return `generate` that draws from changed logits: (logits, temperature) to probabilities."""

    def wrong(_generate, parameters, window, *, temperature, count, seed):
        model, generator, divisor = (
            model_of("rnn", parameters),
            np.random.default_rng(seed),
            check_temperature(temperature),
        )
        text = window
        for _ in range(count):
            logits = model.outputs(parameters, text[None, -len(window) :])["dense"]
            text = np.append(text, draw_classes(choose(logits, divisor), generator))
        return text[len(window) :]

    return wrong


def without_the_rare(logits, temperature):
    """Leave out characters below 1 in 1,000."""
    found = softmax_with_temperature(logits, temperature)
    found = np.where(found < 1e-3, 0, found)
    return found / found.sum(axis=-1, keepdims=True)


def written_by_argmax(generate, parameters, window, *, temperature, count, seed):
    """Take the most probable character always."""
    return generate(parameters, window, temperature=temperature / 1e6, count=count, seed=seed)


def hot_texts_cooled(generate, parameters, window, *, temperature, count, seed):
    """Take no temperature above 2."""
    cooled = min(temperature, 2.0) if temperature > 0 else temperature
    return generate(parameters, window, temperature=cooled, count=count, seed=seed)


def cold_texts_warmed(generate, parameters, window, *, temperature, count, seed):
    """Take no temperature below 0.1."""
    warmed = max(temperature, 0.1) if temperature > 0 else temperature
    return generate(parameters, window, temperature=warmed, count=count, seed=seed)


def greedy_if_cold(generate: Callable[..., Array], *arguments: Any, temperature: float, **options: Any) -> Array:
    """Write the most probable characters at low temperatures."""
    cold = 0 < temperature < 0.1
    return generate(*arguments, temperature=min(temperature, 1e-4) if cold else temperature, **options)


def of_the_50_likeliest(_generate, parameters, window, *, temperature, count, seed):
    """Draw from the 50 most probable characters, as some libraries do by default."""
    model, generator, divisor = model_of("rnn", parameters), np.random.default_rng(seed), check_temperature(temperature)
    text = window
    for _ in range(count):
        scaled = model.outputs(parameters, text[None, -len(window) :])["dense"] / divisor
        least = np.sort(scaled, axis=-1)[:, -50:][:, :1]
        probabilities = softmax(np.where(scaled < least, np.float32(-np.inf), scaled))
        text = np.append(text, draw_classes(probabilities, generator))
    return text[len(window) :]


def clipped(logits, temperature):
    """Keep logits where exp does not overflow."""
    exponentials = np.exp(np.clip(logits / temperature, -80, 80))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def nucleus(probabilities: np.ndarray, generator: np.random.Generator, _number: int) -> int:
    """Leave out the rare characters, which have a probability of a fifth together."""
    order = (-probabilities).argsort()
    kept = order[: np.searchsorted(np.cumsum(probabilities[order]), 0.8) + 1]
    return int(kept[pick(probabilities[kept] / probabilities[kept].sum(), generator.random())])


def the_first_ten(probabilities: np.ndarray, generator: np.random.Generator, _number: int) -> int:
    """Draw from the ten most probable characters."""
    kept = (-probabilities).argsort()[:10]
    return int(kept[pick(probabilities[kept] / probabilities[kept].sum(), generator.random())])


def sometimes_argmax(probabilities: np.ndarray, generator: np.random.Generator, number: int) -> int:
    """Take the most probable one in a tenth of the draws."""
    if generator.random() < 0.1:
        return int(probabilities.argmax())
    return pick(probabilities, generator.random())


def of_16_values(probabilities: np.ndarray, generator: np.random.Generator, _number: int) -> int:
    """Draw with four bits."""
    return pick(probabilities, generator.integers(0, 16) / 16)


def written_at_the_reciprocal(generate, parameters, window, *, temperature, count, seed):
    """Multiply by the temperature."""
    return generate(parameters, window, temperature=1 / (temperature or 1e-9), count=count, seed=seed)


def writing(numbers: Callable[[np.random.Generator, int], Array]) -> Callable[..., Array]:
    """Return a function that draws the characters of a text with these random numbers."""

    def wrong(
        _generate: Callable[..., Array],
        parameters: Parameters,
        window: Array,
        *,
        temperature: float,
        count: int,
        seed: int,
    ) -> Array:
        model, text = model_of("rnn", parameters), window
        for number in numbers(np.random.default_rng(seed), count):
            logits = model.outputs(parameters, text[None, -len(window) :])["dense"].astype(np.float64) / temperature
            weights = np.exp(logits - logits.max())
            text = np.append(text, classes_at(weights, number[None]))
        return text[len(window) :]

    return wrong


def strata(generator: np.random.Generator, count: int) -> Array:
    """Draw one number from each of `count` equal parts of the interval from 0 to 1, in random order."""
    return (generator.permutation(count) + generator.random(count)) / count


def drawn_from_a_pool(_generate, parameters, window, *, temperature, count, seed):
    """Use 512 random numbers again and again."""
    model, pool, divisor = (
        model_of("rnn", parameters),
        np.random.default_rng(seed).random(512),
        check_temperature(temperature),
    )
    text = window
    for place in range(count):
        (probabilities,) = softmax(model.outputs(parameters, text[None, -len(window) :])["dense"] / divisor)
        ends = np.cumsum(probabilities, dtype=np.float64)
        text = np.append(text, np.int32((ends <= pool[place % len(pool)] * ends[-1]).sum()))
    return text[len(window) :]


def from_a_buffer(size: int) -> Callable[[np.ndarray, np.random.Generator, int], int]:
    """Return what uses a buffer of random numbers over and over."""
    kept: dict[int, np.ndarray] = {}

    def draw(probabilities: np.ndarray, generator: np.random.Generator, number: int) -> int:
        if number == 0:
            kept[0] = generator.random(size)
        return pick(probabilities, kept[0][number % size])

    return draw


def stratified(probabilities: np.ndarray, generator: np.random.Generator, number: int) -> int:
    """Share draws out over the four quarters in turn."""
    return pick(probabilities, (number % 4 + generator.random()) / 4)


def never_the_same_again() -> Callable[[np.ndarray, np.random.Generator, int], int]:
    """Return what draws no character twice in a row."""
    last = [-1]

    def draw(probabilities: np.ndarray, generator: np.random.Generator, number: int) -> int:
        others = probabilities.copy()
        if number and (others > 1e-9).sum() > 1:
            others[last[0]] = 0
        last[0] = pick(others / others.sum(), generator.random())
        return last[0]

    return draw


def one_stream(seed: int) -> np.random.Generator:
    """Draw the same numbers for all seeds, but from another place on."""
    generator = np.random.default_rng(0)
    generator.random(seed % 1000)
    return generator


FAULTS = {
    "nothing_written_unchecked": Fault(
        "text.generate", "generation.temperature-above-0", "a text without characters", write_nothing_unchecked
    ),
    "certain_first_character": Fault(
        "text.generate", "generation.not-argmax", "first characters", certain_first_character
    ),
    "characters_below_a_thousandth": Fault(
        "text.generate", "generation.not-argmax", "0 of 400, expected 20.0", generating(without_the_rare)
    ),
    "written_by_argmax": Fault("text.generate", "generation.not-argmax", "all 400 characters", written_by_argmax),
    "hot_texts_cooled": Fault("text.generate", "generation.by-temperature", "at 5.0", hot_texts_cooled),
    "cold_texts_warmed": Fault("text.generate", "generation.by-temperature", "at 0.001", cold_texts_warmed),
    "greedy_if_cold": Fault(
        "text.generate", "generation.by-temperature", "the most probable character at 0.001", greedy_if_cold
    ),
    "of_the_50_likeliest": Fault(
        "text.generate", "generation.by-temperature", "draws are as far off", of_the_50_likeliest
    ),
    "large_logits_clipped": Fault(
        "text.generate", "generation.by-temperature", "characters of probability 0", generating(clipped)
    ),
    "rare_characters_left_out": Fault("text.generate", "generation.by-temperature", "as far off", Writer(draw=nucleus)),
    "temperature_falling_within_a_text": Fault(
        "text.generate",
        "generation.by-temperature",
        "in the second half",
        Writer(temperature=lambda temperature, number: temperature * 0.999**number),
    ),
    "ten_characters": Fault("text.generate", "generation.by-temperature", "as far off", Writer(draw=the_first_ten)),
    "sometimes_the_most_probable": Fault(
        "text.generate", "generation.by-temperature", "as far off", Writer(draw=sometimes_argmax)
    ),
    "random_numbers_of_4_bits": Fault(
        "text.generate", "generation.by-temperature", "as far off", Writer(draw=of_16_values)
    ),
    "temperature_at_first_alone": Fault(
        "text.generate",
        "generation.by-temperature",
        "as far off",
        Writer(temperature=lambda temperature, number: temperature if number == 0 else 1.0),
    ),
    "temperature_rises": Fault(
        "text.generate",
        "generation.by-temperature",
        "as far off",
        Writer(temperature=lambda temperature, number: temperature * (1 + number / 100)),
    ),
    "written_at_the_reciprocal": Fault(
        "text.generate", "generation.by-temperature", "as far off", written_at_the_reciprocal
    ),
    "text_of_shuffled_opposites": Fault(
        "text.generate", "generation.independent", "as often as their opposites", writing(opposites)
    ),
    "text_of_shuffled_strata": Fault("text.generate", "generation.independent", "occur as evenly", writing(strata)),
    "drawn_from_a_pool": Fault("text.generate", "generation.independent", "are as dependent as", drawn_from_a_pool),
    "random_numbers_recycled": Fault(
        "text.generate", "generation.independent", "depend", Writer(draw=from_a_buffer(128))
    ),
    "one_random_number": Fault("text.generate", "generation.independent", "depend", Writer(draw=from_a_buffer(1))),
    "random_numbers_stratified": Fault("text.generate", "generation.independent", "depend", Writer(draw=stratified)),
    "no_character_twice": Fault(
        "text.generate", "generation.independent", "depend", Writer(draw=never_the_same_again())
    ),
    "seeds_share_a_stream": Fault("text.generate", "generation.independent-seeds", "", Writer(generator=one_stream)),
    "written_by_float16": Fault(
        "text.generate",
        "generation.text-resolution",
        "within reach",
        writing(
            lambda generator, count: (np.float16(0.99951171875) * generator.random(count).astype(np.float16)).astype(
                np.float64
            )
        ),
    ),
    "written_by_10_bits": Fault(
        "text.generate",
        "generation.text-resolution",
        "within reach",
        writing(lambda generator, count: generator.integers(0, 2**10, count) / 2**10),
    ),
    "written_by_bytes": Fault(
        "text.generate",
        "generation.text-resolution",
        "within reach",
        writing(lambda generator, count: generator.integers(0, 2**8, count) / (2**8 - 1)),
    ),
}
