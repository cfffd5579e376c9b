"""Encoding of a text by the document's loader, and baselines for predicting characters without a network."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np

from assay.spec.semantics.layers import Array


class EncodedText(NamedTuple):
    """A text as numbers.

    Attributes:
        char_indices: Number by character.
        indices_char: Character by number.
        indices: Number of every character of the text, in order, int32 [length].

    """

    char_indices: dict[str, int]
    indices_char: dict[int, str]
    indices: Array


def encode(content: bytes) -> EncodedText:
    """Read a file as text in lower case, and number its distinct characters in sorted order (lines 500 to 505).

    Args:
        content: Content of the file, in UTF-8. As usual for text, CR and CR LF are read as a line feed.

    Raises:
        UnicodeDecodeError: The content is not UTF-8.

    """
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8").read().lower()
    characters = sorted(set(text))
    char_indices = {character: index for index, character in enumerate(characters)}
    indices = np.array([char_indices[character] for character in text], np.int32)
    return EncodedText(char_indices, dict(enumerate(characters)), indices)


def windows(indices: Array, starts: Array, seq_length: int) -> tuple[Array, Array]:
    """Extract windows of a text, and the character after each (lines 512 and 513).

    Args:
        indices: [length].
        starts: [batch], from 0 to length - seq_length - 1.
        seq_length: Length of a window.

    Returns:
        [batch, seq_length] and [batch].

    """
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def windows_before(window: Array, generated: Array) -> Array:
    """Return the window from which each character was generated (lines 595 to 600).

    Args:
        window: First window, [seq_length].
        generated: [count].

    Returns:
        [count, seq_length]: each window drops the first character of the one before and appends the generated one.

    """
    text = np.concatenate([window, generated])
    return np.lib.stride_tricks.sliding_window_view(text, len(window))[: len(generated)]


def entropy(probabilities: Array) -> Array:
    """-sum_i p_i ln p_i over the last axis, in nats."""
    return -np.sum(probabilities * np.log(np.where(probabilities == 0, 1, probabilities)), axis=-1)


def ngram_cross_entropy(indices: Array, before: Array, targets: Array, known: int | None = None) -> float:
    """Return the mean cross-entropy, in nats, of a predictor that counts what follows `known` characters in a text.

    Over all windows of the text, this is the entropy of a character given the `known` ones before it. No predictor that
    sees only these can be below it (Cover and Thomas, "Elements of information theory", 2006, theorem 2.6.5).

    Args:
        indices: Indices of the text, [length].
        before: Windows of the text, [n, seq_length].
        targets: The character after each, [n].
        known: Number of characters that the predictor sees, from the end of a window (default: all).

    """
    known = before.shape[1] if known is None else known
    base = np.int64(indices.max() + 1)
    places = base ** np.arange(known, -1, -1)
    counted = np.lib.stride_tricks.sliding_window_view(indices, known + 1) @ places
    asked = np.column_stack([before[:, before.shape[1] - known :], targets]) @ places
    together, alone = _counts(counted, asked), _counts(counted // base, asked // base)
    return float(np.mean(np.log(alone) - np.log(together)))


def _counts(counted: Array, asked: Array) -> Array:
    """Return how often each number in `asked` occurs in `counted`."""
    numbers, counts = np.unique(counted, return_counts=True)
    return counts[np.searchsorted(numbers, asked)]
