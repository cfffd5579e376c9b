"""The group `text`: the loader of a text, and the network that writes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from assay.contract.arrays import Array, Parameters
from assay.contract.training import Trained


class EncodedText(NamedTuple):
    """A text as numbers.

    Attributes:
        char_indices: Number of every character that occurs, from 0, in the order of the characters.
        indices_char: Character by number.
        indices: Numbers of the text's characters, int32 [length].

    """

    char_indices: Mapping[str, int]
    indices_char: Mapping[int, str]
    indices: Array


class Text(Protocol):
    """The document's text loader, and its program: whole training runs on a text, and text generation."""

    def encode(self, content: bytes) -> EncodedText:
        """Decode a file as UTF-8, convert it to lower case, and number its characters.

        Args:
            content: Content of the file, which may be empty. As in Python, CR and CR LF are read as a line feed.

        Raises:
            ValueError: The content is not UTF-8.

        """

    def sample_windows(self, indices: Array, seq_length: int, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw windows with replacement, and the character after each.

        Args:
            indices: Indices of a text, int32 [length].
            seq_length: Length of a window.
            batch_size: Number of windows.
            seed: Seed of the draws.

        Returns:
            int32 [batch_size, seq_length] and int32 [batch_size].

        Raises:
            ValueError: The text has no character after its first window.

        """

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
        """Build an RNN and train it on windows drawn with replacement.

        Args:
            indices: Indices of a text, int32 [length].
            num_chars: Number of different characters.
            num_batches: Number of steps.
            batch_size: Number of windows in a step.
            seq_length: Length of a window.
            learning_rate: Learning rate of Adam.
            seed: Seed of the initial parameters and of the windows.

        """

    def generate(self, parameters: Parameters, window: Array, *, temperature: float, count: int, seed: int) -> Array:
        """Continue a text: draw a character, append it to the window, drop the window's first, and repeat.

        Args:
            parameters: Parameters of an RNN.
            window: Window from which the first character is predicted, int32 [seq_length].
            temperature: Temperature of the softmax.
            count: Number of characters.
            seed: Seed of the draws.

        Returns:
            int32 [count].

        Raises:
            ValueError: The temperature is not a number above 0.

        """
