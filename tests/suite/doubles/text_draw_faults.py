"""Faults of the loader of characters, of the draws of windows, and of the program that writes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy.models import rnn
from assay.contract import EncodedText
from doubles.faulty import Fault


def encode_as(read: Callable[[bytes], str], key: Callable[[str], Any] = ord) -> Callable[..., EncodedText]:
    """Return a loader that reads and orders characters in another way."""

    def wrong(_encode: Callable[..., EncodedText], content: bytes) -> EncodedText:
        text = read(content)
        characters = sorted(set(text), key=key)
        numbers = {one: number for number, one in enumerate(characters)}
        return EncodedText(numbers, dict(enumerate(characters)), np.array([numbers[one] for one in text], np.int32))

    return wrong


def newlines(text: str) -> str:
    """Read newlines as Python does."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def newlines_by_blocks(text: str) -> str:
    """Read newlines in blocks of 8,192 characters."""
    return "".join(newlines(text[start : start + 2**13]) for start in range(0, len(text), 2**13))


def composed(text: str) -> str:
    """Make one character of a letter and its accent."""
    return unicodedata.normalize("NFC", text)


def narrow(dtype: type) -> Callable[..., EncodedText]:
    """Return a loader whose numbers go through a narrower type."""

    def wrong(encode: Callable[..., EncodedText], content: bytes) -> EncodedText:
        found = encode(content)
        return found._replace(indices=found.indices.astype(dtype).astype(np.int32))

    return wrong


def utf_16(character: str) -> list[int]:
    """Order by units of 16 bits, as JavaScript does."""
    return [*np.frombuffer(character.encode("utf-16-le"), "<u2").tolist()]


Starts = Callable[[int, int, int], np.ndarray]


def starting_at(starts: Starts) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Return a sampler that draws where windows begin in another way."""

    def wrong(
        sample: Callable[..., Any], indices: np.ndarray, seq_length: int, batch_size: int, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        places = len(indices) - seq_length
        if places < 1:
            return sample(indices, seq_length, batch_size, seed)
        begin = starts(places, batch_size, seed)
        return indices[begin[:, None] + np.arange(seq_length)], indices[begin + seq_length]

    return wrong


def shuffled(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Shuffle all places, over and over."""
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.permutation(places) for _ in range(-(-batch_size // places))])[:batch_size]


def recycled(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Use a buffer of 100 draws over and over."""
    return np.resize(np.random.default_rng(seed).integers(0, places, 100), batch_size)


def stepping(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Draw the first place, and go on from there."""
    return (np.random.default_rng(seed).integers(0, places) + np.arange(batch_size)) % places


def sorted_starts(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Sort the draws."""
    return np.sort(np.random.default_rng(seed).integers(0, places, batch_size))


def without_seed(places: int, batch_size: int, _seed: int) -> np.ndarray:
    """Draw by the time of day."""
    return np.random.default_rng().integers(0, places, batch_size)


def of_16_bits(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Draw 16 bits."""
    return np.random.default_rng(seed).integers(0, min(places, 2**16), batch_size)


def near_the_beginning(places: int, batch_size: int, seed: int) -> np.ndarray:
    """Draw from the first nine tenths of a long text."""
    return np.random.default_rng(seed).integers(0, places * 9 // 10 if places > 100 else places, batch_size)


def one_short(sample: Callable[..., Any], indices: np.ndarray, seq_length: int, batch_size: int, seed: int) -> Any:
    """Cut windows off after 64 characters."""
    windows, targets = sample(indices, seq_length, batch_size, seed)
    return np.concatenate([windows[:, :64], np.repeat(windows[:, 64:65], max(0, seq_length - 64), axis=1)], 1), targets


class Writer:
    """A correct program that writes, whose parts can be exchanged.

    Attributes:
        shown: (window, text so far, number of characters) to what the network sees.
        draw: (probabilities, generator, number of draws) to a character.
        temperature: (temperature, number of draws) to that of this draw.
        seeds: Seed to that of the generator.

    """

    def __init__(
        self,
        shown: Callable[[np.ndarray], np.ndarray] = lambda window: window,
        draw: Callable[[np.ndarray, np.random.Generator, int], int] | None = None,
        temperature: Callable[[float, int], float] = lambda temperature, _number: temperature,
        generator: Callable[[int], np.random.Generator] = np.random.default_rng,
        roll: Callable[[np.ndarray, int, int], np.ndarray] = lambda window, one, _number: np.append(window[1:], one),
    ) -> None:
        """Take the parts."""
        self.shown, self.temperature, self.generator, self.roll = shown, temperature, generator, roll
        self.draw = draw or (lambda probabilities, generator, _number: pick(probabilities, generator.random()))

    def __call__(
        self,
        generate: Callable[..., np.ndarray],
        parameters: dict[str, np.ndarray],
        window: np.ndarray,
        *,
        temperature: float,
        count: int,
        seed: int,
    ) -> np.ndarray:
        """Write; what is refused is left to the right program."""
        if not temperature > 0:
            return generate(parameters, window, temperature=temperature, count=count, seed=seed)
        model, generator, text = rnn(len(parameters["dense/bias"])), self.generator(seed), []
        for number in range(count):
            logits = model.outputs(parameters, self.shown(window)[None])["dense"][0].astype(np.float64)
            scaled = logits / self.temperature(temperature, number)
            probabilities = np.exp(scaled - scaled.max())
            text.append(self.draw(probabilities / probabilities.sum(), generator, number))
            window = self.roll(window, text[-1], number).astype(np.int32)
        return np.array(text, np.int32)


def pick(probabilities: np.ndarray, point: float) -> int:
    """Return the character whose part of the probabilities a point falls into."""
    return int(min(np.searchsorted(np.cumsum(probabilities), point, side="right"), len(probabilities) - 1))


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


def of_16_values(probabilities: np.ndarray, generator: np.random.Generator, _number: int) -> int:
    """Draw with four bits."""
    return pick(probabilities, generator.integers(0, 16) / 16)


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


def at_least_one(generate: Callable[..., np.ndarray], parameters: Any, window: np.ndarray, **options: Any) -> Any:
    """Draw a character before looking whether there is to be one."""
    return generate(parameters, window, **options | {"count": max(1, options["count"])})


def one_stream(seed: int) -> np.random.Generator:
    """Draw the same numbers for all seeds, but from another place on."""
    generator = np.random.default_rng(0)
    generator.random(seed % 1000)
    return generator


TEXT_DRAW_FAULTS = {
    name: Fault(function, claim, tells, wrong)
    for name, (function, claim, tells, wrong) in {
        "lines_split_at_every_separator": (
            "text.encode",
            "text.other-separators",
            "",
            encode_as(lambda content: "".join(f"{line}\n" for line in content.decode().lower().splitlines())),
        ),
        "carriage_returns_kept": (
            "text.encode",
            "text.newlines",
            "",
            encode_as(lambda content: content.decode().lower()),
        ),
        "newlines_by_blocks": (
            "text.encode",
            "text.newlines",
            "items differ first at index",
            encode_as(lambda content: newlines_by_blocks(content.decode()).lower()),
        ),
        "carriage_returns_dropped": (
            "text.encode",
            "text.newlines",
            "",
            encode_as(lambda content: content.decode().replace("\r", "").lower()),
        ),
        "text_stripped": (
            "text.encode",
            "text.kept",
            "",
            encode_as(lambda content: newlines(content.decode()).lower().strip()),
        ),
        "mark_dropped": (
            "text.encode",
            "text.kept",
            "",
            encode_as(lambda content: newlines(content.decode("utf-8-sig")).lower()),
        ),
        "accents_composed": (
            "text.encode",
            "text.kept",
            "",
            encode_as(lambda content: composed(newlines(content.decode()).lower())),
        ),
        "control_characters_dropped": (
            "text.encode",
            "text.kept",
            "",
            encode_as(lambda content: newlines(content.decode()).lower().replace("\0", "")),
        ),
        "case_folded": (
            "text.encode",
            "text.lower-case",
            "",
            encode_as(lambda content: newlines(content.decode()).casefold()),
        ),
        "letters_lowered_one_by_one": (
            "text.encode",
            "text.lower-case",
            "",
            encode_as(lambda content: "".join(one.lower()[0] for one in newlines(content.decode()))),
        ),
        "only_ascii_lowered": (
            "text.encode",
            "text.lower-case",
            "",
            encode_as(lambda content: newlines(content.lower().decode())),
        ),
        "errors_replaced": (
            "text.encode",
            "text.not-utf8",
            "is accepted",
            encode_as(lambda content: newlines(content.decode(errors="replace")).lower()),
        ),
        "halves_of_pairs_accepted": (
            "text.encode",
            "text.not-utf8",
            "is accepted",
            encode_as(lambda content: newlines(content.decode(errors="surrogatepass")).lower()),
        ),
        "ordered_by_16_bits": (
            "text.encode",
            "text.characters",
            "",
            encode_as(lambda content: newlines(content.decode()).lower(), utf_16),
        ),
        "numbers_of_8_bits": ("text.encode", "text.many-characters", "the numbers of the text", narrow(np.uint8)),
        "numbers_of_16_bits": ("text.encode", "text.many-characters", "the numbers of the text", narrow(np.int16)),
        "windows_shuffled": ("text.sample_windows", "text.independent-draws", "depend", starting_at(shuffled)),
        "windows_recycled": ("text.sample_windows", "text.independent-draws", "depend", starting_at(recycled)),
        "windows_in_order": ("text.sample_windows", "text.independent-draws", "depend", starting_at(stepping)),
        "windows_sorted": ("text.sample_windows", "text.independent-draws", "depend", starting_at(sorted_starts)),
        "windows_without_seed": ("text.sample_windows", "text.same-seed", "the windows", starting_at(without_seed)),
        "starts_of_16_bits": ("text.sample_windows", "text.whole-text", "window begins after", starting_at(of_16_bits)),
        "end_of_the_text_left_out": (
            "text.sample_windows",
            "text.whole-text",
            "window begins after",
            starting_at(near_the_beginning),
        ),
        "windows_of_64_at_most": ("text.sample_windows", "text.whole-text", "the windows", one_short),
        "random_numbers_recycled": (
            "text.generate",
            "generation.independent",
            "depend",
            Writer(draw=from_a_buffer(128)),
        ),
        "one_random_number": ("text.generate", "generation.independent", "depend", Writer(draw=from_a_buffer(1))),
        "random_numbers_stratified": ("text.generate", "generation.independent", "depend", Writer(draw=stratified)),
        "no_character_twice": (
            "text.generate",
            "generation.independent",
            "depend",
            Writer(draw=never_the_same_again()),
        ),
        "rare_characters_left_out": ("text.generate", "generation.by-temperature", "as far off", Writer(draw=nucleus)),
        "temperature_falling_within_a_text": (
            "text.generate",
            "generation.by-temperature",
            "in the second half",
            Writer(temperature=lambda temperature, number: temperature * 0.999**number),
        ),
        "ten_characters": ("text.generate", "generation.by-temperature", "as far off", Writer(draw=the_first_ten)),
        "sometimes_the_most_probable": (
            "text.generate",
            "generation.by-temperature",
            "as far off",
            Writer(draw=sometimes_argmax),
        ),
        "random_numbers_of_4_bits": (
            "text.generate",
            "generation.by-temperature",
            "as far off",
            Writer(draw=of_16_values),
        ),
        "temperature_at_first_alone": (
            "text.generate",
            "generation.by-temperature",
            "as far off",
            Writer(temperature=lambda temperature, number: temperature if number == 0 else 1.0),
        ),
        "temperature_rises": (
            "text.generate",
            "generation.by-temperature",
            "as far off",
            Writer(temperature=lambda temperature, number: temperature * (1 + number / 100)),
        ),
        "seeds_share_a_stream": (
            "text.generate",
            "generation.independent-seeds",
            "",
            Writer(generator=one_stream),
        ),
        "text_remembered": ("text.generate", "generation.begins-anew", "text 1", Remembering()),
        "one_character_at_least": ("text.generate", "generation.any-count", "the text", at_least_one),
        "window_of_64_at_most": (
            "text.generate",
            "generation.any-size",
            "repeats the window",
            Writer(shown=lambda window: window[-64:]),
        ),
        "window_grows": (
            "text.generate",
            "generation.window-length",
            "the text",
            Writer(roll=lambda window, one, _number: np.append(window, one)),
        ),
        "drawn_put_in_front": (
            "text.generate",
            "generation.appended",
            "the text",
            Writer(roll=lambda window, one, _number: np.append(one, window[:-1])),
        ),
        "first_never_dropped": (
            "text.generate",
            "generation.window-moves",
            "the text",
            Writer(roll=lambda window, one, _number: np.append(window[:-1], one)),
        ),
        "drawn_appended_from_the_second_on": (
            "text.generate",
            "generation.appended",
            "the text",
            Writer(roll=lambda window, one, number: np.append(window[1:], one) if number else window),
        ),
    }.items()
}
