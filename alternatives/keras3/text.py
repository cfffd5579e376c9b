"""The text loader, and the program that learns to generate text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

from assay.alternatives.keras3.backend import to_array, to_tensor
from assay.alternatives.keras3.models import initial_parameters, load_trainer
from assay.alternatives.keras3.ops import check_temperature
from assay.alternatives.keras3.training import draw_indices
from assay.contract import EncodedText, Trained

if TYPE_CHECKING:
    from assay.contract import Array, Parameters


class Text:
    """See `assay.contract.Text`."""

    def encode(self, content: bytes) -> EncodedText:
        """Read, convert to lower case, number the characters."""
        text = content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").lower()
        indices_char = dict(enumerate(sorted(set(text))))
        char_indices = {character: index for index, character in indices_char.items()}
        return EncodedText(char_indices, indices_char, np.array([char_indices[one] for one in text], np.int32))

    def sample_windows(self, indices: Array, seq_length: int, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw windows with replacement."""
        every = windows(indices, seq_length)
        some = every[draw_indices(len(every), (batch_size,), seed)]
        return some[:, :-1], some[:, -1]

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
        """Draw the starts of all batches' windows, and take a step with each batch."""
        every = windows(indices, seq_length)
        trainer = load_trainer("rnn", initial_parameters("rnn", seed, num_chars), learning_rate)
        batches = (every[starts] for starts in draw_indices(len(every), (num_batches, batch_size), seed))
        losses = trainer.train((batch[:, :-1], batch[:, -1]) for batch in batches)
        return Trained(losses, trainer.parameters())

    def generate(self, parameters: Parameters, window: Array, *, temperature: float, count: int, seed: int) -> Array:
        """Draw a random number for every character in advance, then draw the characters in turn.

        A single generator called repeatedly would not do: on PyTorch, Keras seeds it with the sum of the seed and the
        number of draws, so the next seed would draw the same numbers, shifted by one.
        """
        divisor = check_temperature(temperature)
        trainer = load_trainer("rnn", parameters)
        noise = to_array(keras.random.uniform((count,), seed=seed))
        text = np.concatenate([window, np.zeros(count, np.int32)])
        for number, end in zip(noise, range(len(window), len(text)), strict=True):
            logits = trainer.every_layer.predict_on_batch(text[None, end - len(window) : end])["dense"][0]
            ends = np.cumsum(to_array(keras.ops.softmax(to_tensor(logits) / divisor)), dtype=np.float64)
            text[end] = min(np.searchsorted(ends, number * ends[-1], side="right"), len(ends) - 1)
        return text[len(window) :]


def windows(indices: Array, seq_length: int) -> Array:
    """View every window of a text together with the character after it, [windows, seq_length + 1].

    Raises:
        ValueError: The text is too short for a window.

    """
    if len(indices) <= seq_length:
        msg = f"a text of {len(indices)} characters has none after a window of {seq_length}"
        raise ValueError(msg)
    return np.lib.stride_tricks.sliding_window_view(indices, seq_length + 1)
