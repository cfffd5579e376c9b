"""Faults of the text that is generated: its length, and the window that it goes on from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy.activations import softmax
from assay.alternatives.numpy.models import model_of, rnn
from assay.alternatives.numpy.sampling import check_temperature, draw_classes, softmax_with_temperature
from assay.contract import Array, Parameters
from doubles.faulty import Fault
from doubles.kept_results import temperature_of_1_after_a_refusal
from doubles.memory_order import in_memory_order, reading, without_strides
from doubles.text_writing import Writer


def window_one_short(generate, parameters, window, *, temperature, count, seed):
    """Predict from all but the first character of the window."""
    return generate(parameters, window[1:].copy(), temperature=temperature, count=count, seed=seed)


def window_never_moved(generate, parameters, window, *, temperature, count, seed):
    """Draw every character from the first window."""
    drawn = [generate(parameters, window, temperature=temperature, count=count, seed=seed + i)[0] for i in range(8)]
    return np.resize(np.array(drawn, np.int32), count)


def at_least_one(generate: Callable[..., np.ndarray], parameters: Any, window: np.ndarray, **options: Any) -> Any:
    """Draw a character before looking whether there is to be one."""
    return generate(parameters, window, **options | {"count": max(1, options["count"])})


def one_character_repeated(generate, parameters, window, **options):
    """Let a text begin with its window, if that is a single character."""
    written = generate(parameters, window, **options)
    return np.concatenate([window, written])[: len(written)].astype(np.int32) if len(window) == 1 else written


def whole_text_from_minus_0(generate, parameters, window, *, temperature, count, seed):
    """Keep the last n - 1 characters, which are all of them if n is 1."""
    if len(window) != 1:
        return generate(parameters, window, temperature=temperature, count=count, seed=seed)
    model, generator, text = rnn(len(parameters["dense/bias"])), np.random.default_rng(seed), window
    for _ in range(count):
        logits = model.outputs(parameters, text[None])["dense"]
        text = np.append(
            text[-(len(window) - 1) :],
            draw_classes(softmax_with_temperature(logits, check_temperature(temperature)), generator),
        )
    return text[1:]


def text_of_bytes(_generate, parameters, window, *, temperature, count, seed):
    """Keep the window in bytes."""
    model, generator, divisor = model_of("rnn", parameters), np.random.default_rng(seed), check_temperature(temperature)
    text = window.astype(np.uint8)
    for _ in range(count):
        logits = model.outputs(parameters, text[None, -len(window) :].astype(np.int32))["dense"]
        text = np.append(text, draw_classes(softmax(logits / divisor), generator).astype(np.uint8))
    return text[len(window) :].astype(np.int32)


def found_by_the_last_characters():
    """Return a fault that takes a window for an earlier one with the same last 8 characters."""
    known = {}

    def wrong(generate, parameters, window, **options):
        return generate(parameters, known.setdefault((len(window), window[-8:].tobytes()), window.copy()), **options)

    return wrong


def texts_continued() -> Callable[..., Array]:
    """Return a function that continues its last text if the same window comes with another temperature."""
    texts: dict[tuple[bytes, int], tuple[float, Array]] = {}

    def wrong(
        generate: Callable[..., Array],
        parameters: Parameters,
        window: Array,
        *,
        temperature: float,
        count: int,
        seed: int,
    ) -> Array:
        key, begin = (window.tobytes(), seed), window
        if key in texts and texts[key][0] != temperature:
            begin = texts[key][1]
        found = generate(parameters, begin, temperature=temperature, count=count, seed=seed)
        texts[key] = temperature, np.concatenate([window, found])[-len(window) :]
        return found

    return wrong


class Remembering:
    """Put what was shown before in front of each new window."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.before: np.ndarray | None = None

    def __call__(self, generate: Callable[..., np.ndarray], parameters: Any, window: np.ndarray, **options: Any) -> Any:
        """Write with the first window of the text before in front."""
        before, self.before = self.before, window
        if before is None or before.shape != window.shape:
            return generate(parameters, window, **options)
        return Writer(shown=lambda shown: np.concatenate([before, shown]))(generate, parameters, window, **options)


FAULTS = {
    "first_never_dropped": Fault(
        "text.generate",
        "generation.window-moves",
        "the text",
        Writer(roll=lambda window, one, _number: np.append(window[:-1], one)),
    ),
    "window_one_short": Fault("text.generate", "generation.window-moves", "the text", window_one_short),
    "window_grows": Fault(
        "text.generate",
        "generation.window-length",
        "the text",
        Writer(roll=lambda window, one, _number: np.append(window, one)),
    ),
    "drawn_put_in_front": Fault(
        "text.generate",
        "generation.appended",
        "the text",
        Writer(roll=lambda window, one, _number: np.append(one, window[:-1])),
    ),
    "drawn_appended_from_the_second_on": Fault(
        "text.generate",
        "generation.appended",
        "the text",
        Writer(roll=lambda window, one, number: np.append(window[1:], one) if number else window),
    ),
    "window_never_moved": Fault("text.generate", "generation.appended", "the text", window_never_moved),
    "one_character_at_least": Fault("text.generate", "generation.any-count", "the text", at_least_one),
    "generate_without_strides": Fault(
        "text.generate", "generation.memory-order", "sliced", reading(without_strides, 1)
    ),
    "generate_from_memory": Fault(
        "text.generate", "generation.memory-order", "transposed", reading(in_memory_order, 0)
    ),
    "one_character_repeated": Fault("text.generate", "generation.any-size", "the text", one_character_repeated),
    "whole_text_from_minus_0": Fault("text.generate", "generation.any-size", "the text", whole_text_from_minus_0),
    "text_of_bytes": Fault("text.generate", "generation.any-size", "counts by twos", text_of_bytes),
    "window_of_64_at_most": Fault(
        "text.generate", "generation.any-size", "repeats the window", Writer(shown=lambda window: window[-64:])
    ),
    "window_found_by_its_last_characters": Fault(
        "text.generate", "generation.begins-anew", "in place 0", found_by_the_last_characters()
    ),
    "text_at_1_after_a_refusal": Fault(
        "text.generate",
        "generation.begins-anew",
        "the text after a refused temperature",
        temperature_of_1_after_a_refusal(),
    ),
    "texts_continue_each_other": Fault(
        "text.generate", "generation.begins-anew", "after other texts", texts_continued()
    ),
    "text_remembered": Fault("text.generate", "generation.begins-anew", "text 1", Remembering()),
}
