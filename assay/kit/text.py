"""Encoding of a text as numbers, and its windows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from assay.contract import Array, EncodedText


def encode(content: bytes) -> EncodedText:
    """Read a file as Python reads text, in lower case, and number its characters in their order.

    Raises:
        ValueError: The content is not UTF-8.

    """
    text = content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").lower()
    indices_char = dict(enumerate(sorted(set(text))))
    char_indices = {character: index for index, character in indices_char.items()}
    return EncodedText(char_indices, indices_char, np.array([char_indices[one] for one in text], np.int32))


def view_windows(indices: Array, seq_length: int) -> tuple[Array, Array]:
    """View every window of a text, and the character after each: [windows, seq_length] and [windows].

    Raises:
        ValueError: The text has no character after its first window.

    """
    if len(indices) <= seq_length:
        msg = f"a text of {len(indices)} characters has none after a window of {seq_length}"
        raise ValueError(msg)
    every = sliding_window_view(indices, seq_length + 1)
    return every[:, :-1], every[:, -1]


def slide(window: Array, count: int) -> Iterator[tuple[Array, Array]]:
    """Yield the window from which each character is predicted, and the place for that character.

    Args:
        window: The first window, int32 [seq_length].
        count: Number of characters to generate.

    Yields:
        The window, a view of [seq_length], and a view of [1] to write the next character into.

    """
    text = np.empty(len(window) + count, np.int32)
    text[: len(window)] = window
    for start in range(count):
        end = start + len(window)
        yield text[start:end], text[end : end + 1]
