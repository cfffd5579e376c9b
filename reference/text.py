"""The text loader, and the program that learns to generate text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from assay.contract import EncodedText, Trained
from assay.reference.generation import continue_text
from assay.reference.models import start_training
from assay.reference.ops import check_temperature

if TYPE_CHECKING:
    from assay.contract import Array, Parameters


class Text:
    """See `assay.contract.Text`."""

    def encode(self, content: bytes) -> EncodedText:
        """Read, convert to lower case, number the characters."""
        text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8").read().lower()
        indices_char = dict(enumerate(sorted(set(text))))
        char_indices = {character: index for index, character in indices_char.items()}
        return EncodedText(char_indices, indices_char, np.array([char_indices[one] for one in text], np.int32))

    def sample_windows(self, indices: Array, seq_length: int, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw the starts of windows, and extract these."""
        starts = draw_starts(indices, seq_length, (batch_size,), np.random.default_rng(seed))
        return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]

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
        """Draw all windows in advance, and run the whole training as one compiled loop."""
        starts = draw_starts(indices, seq_length, (num_batches, batch_size), np.random.default_rng(seed))
        trainer = start_training("rnn", (seq_length, num_chars), learning_rate, seed)
        losses = trainer.train_on_text(tf.constant(indices), tf.constant(starts), tf.range(seq_length + 1))
        return Trained(losses.numpy(), trainer.parameters())

    def generate(self, parameters: Parameters, window: Array, *, temperature: float, count: int, seed: int) -> Array:
        """Draw the random numbers in advance, and run one compiled loop over the characters."""
        divisor = check_temperature(temperature)
        if not count:  # A compiled loop cannot handle an empty text.
            return np.zeros(0, np.int32)
        noise = np.random.default_rng(seed).random(count)
        tensors = {name: tf.constant(value) for name, value in parameters.items()}
        return continue_text(tensors, tf.constant(window), tf.constant(divisor), tf.constant(noise)).numpy()


def draw_starts(indices: Array, seq_length: int, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """Draw the starts of windows from all positions with a character after the window.

    Raises:
        ValueError: The position is outside the text.

    """
    places = len(indices) - seq_length
    if places < 1:
        msg = f"a text of {len(indices)} characters has none after a window of {seq_length}"
        raise ValueError(msg)
    return generator.integers(0, places, shape, np.int32)
