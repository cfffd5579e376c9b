"""The text loader, and the program that learns to generate text."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from assay.alternatives.jax.models import MODELS, descend, initial, rnn_initializers, to_numpy
from assay.alternatives.jax.sampling import check_temperature
from assay.contract import Array, EncodedText, Parameters, Trained


class Text:
    """See `assay.contract.Text`."""

    def encode(self, content: bytes) -> EncodedText:
        """Number the characters in order."""
        text = re.sub("\r\n?", "\n", content.decode("utf-8")).lower()
        characters = sorted(set(text))
        numbers = {character: number for number, character in enumerate(characters)}
        return EncodedText(numbers, dict(enumerate(characters)), np.array([numbers[one] for one in text], np.int32))

    def sample_windows(self, indices: Array, seq_length: int, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw the starts of windows, and extract these."""
        starts = draw_starts(indices, seq_length, (batch_size,), seed)
        return windows((indices, np.arange(seq_length)), starts)

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
        """Draw the parameters with JAX, and the starts of every batch's windows with NumPy."""
        starts = draw_starts(indices, seq_length, (num_batches, batch_size), seed)
        parameters = initial(rnn_initializers(num_chars), jax.random.key(seed))
        data = indices, np.arange(seq_length)
        return Trained(*descend("rnn", parameters, (starts,), learning_rate, windows, data))

    def generate(self, parameters: Parameters, window: Array, *, temperature: float, count: int, seed: int) -> Array:
        """Run one compiled loop over the characters."""
        keys = jax.random.split(jax.random.key(seed), count)
        return to_numpy(continue_text(parameters, window, check_temperature(temperature), keys))


def draw_starts(indices: Array, seq_length: int, shape: tuple[int, ...], seed: int) -> Array:
    """Draw the starts of windows.

    Raises:
        ValueError: The text has no character after its first window.

    """
    places = len(indices) - seq_length
    if places < 1:
        msg = f"a text of {len(indices)} characters has none after a window of {seq_length}"
        raise ValueError(msg)
    return np.random.default_rng(seed).integers(0, places, shape)


def windows(data: tuple[Array, Array], starts: Array) -> tuple[Array, Array]:
    """Extract windows of a text, and the character after each."""
    indices, offsets = data
    return indices[starts[:, None] + offsets], indices[starts + len(offsets)]


@jax.jit
def continue_text(parameters: Parameters, window: jax.Array, temperature: jax.Array, keys: jax.Array) -> jax.Array:
    """Continue a window [seq_length] by one character for each key."""

    def step(window: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        logits = MODELS["rnn"].outputs(parameters, window[None])["dense"][0]
        # `categorical` takes logits.
        character = jax.random.categorical(key, logits / temperature).astype(jnp.int32)
        return jnp.append(window[1:], character), character

    return lax.scan(step, window, keys)[1]
