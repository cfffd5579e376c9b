"""The text loader, and the program that learns to generate text."""

from __future__ import annotations

import numpy as np

from assay.alternatives.numpy.models import descend, model_of, rnn
from assay.alternatives.numpy.sampling import check_temperature, draw_classes, softmax_with_temperature
from assay.contract import Array, EncodedText, Parameters, Trained


class Text:
    """See `assay.contract.Text`."""

    def encode(self, content: bytes) -> EncodedText:
        """Number the characters by their code points."""
        text = content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").lower()
        points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        occurring, indices = np.unique(points, return_inverse=True)
        characters = [*map(chr, occurring.tolist())]
        numbers = {character: number for number, character in enumerate(characters)}
        return EncodedText(numbers, dict(enumerate(characters)), indices.astype(np.int32))

    def sample_windows(self, indices: Array, seq_length: int, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw the starts of windows, and extract these."""
        return draw_windows(indices, seq_length, batch_size, np.random.default_rng(seed))

    def fit(
        self,
        indices: Array,
        num_chars: int,
        *,
        num_batches: int,
        batch_size: int,
        seq_length: int,
        learning_rate: float,
        seed: int,
    ) -> Trained:
        """Draw new parameters, then train on drawn batches."""
        generator, model = np.random.default_rng(seed), rnn(num_chars)
        initial = model.initial(generator)
        batches = (draw_windows(indices, seq_length, batch_size, generator) for _ in range(num_batches))
        return Trained(*descend(model, initial, batches, learning_rate))

    def generate(self, parameters: Parameters, window: Array, *, temperature: float, count: int, seed: int) -> Array:
        """Run the network on the last window for each new character."""
        divisor = check_temperature(temperature)
        model, generator = model_of("rnn", parameters), np.random.default_rng(seed)
        text = window
        for _ in range(count):
            logits = model.outputs(parameters, text[None, -len(window) :])["dense"]
            text = np.append(text, draw_classes(softmax_with_temperature(logits, divisor), generator))
        return text[len(window) :]


def draw_windows(
    indices: Array, seq_length: int, batch_size: int, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Draw windows of a text, and the character after each.

    Raises:
        ValueError: The text has no character after its first window.

    """
    places = len(indices) - seq_length
    if places < 1:
        msg = f"a text of {len(indices)} characters has none after a window of {seq_length}"
        raise ValueError(msg)
    starts = generator.integers(0, places, batch_size)
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]
