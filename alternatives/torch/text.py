"""The text loader, and the program that learns to generate text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from assay.alternatives.torch.device import to_array, to_tensor, use_seed
from assay.alternatives.torch.models import load_network, new, parameters_of
from assay.alternatives.torch.ops import check_temperature
from assay.contract import EncodedText, Trained

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.alternatives.torch.models import Trainer
    from assay.contract import Array, Parameters


class Text:
    """See `assay.contract.Text`."""

    def __init__(self, trainer: Callable[..., Trainer]) -> None:
        """Store the function that creates a network's trainer."""
        self.trainer = trainer

    def encode(self, content: bytes) -> EncodedText:
        """Read, convert to lower case, number the characters."""
        text = content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").lower()
        indices_char = dict(enumerate(sorted(set(text))))
        char_indices = {character: index for index, character in indices_char.items()}
        indices = torch.tensor([char_indices[character] for character in text], dtype=torch.int32)
        return EncodedText(char_indices, indices_char, to_array(indices))

    def sample_windows(self, indices: Array, seq_length: int, batch_size: int, seed: int) -> tuple[Array, Array]:
        """Draw windows with replacement."""
        every = windows(indices, seq_length)
        with use_seed(seed):
            drawn = every[torch.randint(len(every), (batch_size,))]
        return to_array(drawn[:, :-1]), to_array(drawn[:, -1])

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
        network = new("rnn", seed, num_chars)
        with use_seed(seed):
            starts = torch.randint(len(every), (num_batches, batch_size))
        batches = (every[start] for start in starts)
        losses = self.trainer("rnn", network, learning_rate).train((batch[:, :-1], batch[:, -1]) for batch in batches)
        return Trained(losses, parameters_of(network))

    @torch.no_grad()
    def generate(self, parameters: Parameters, window: Array, *, temperature: float, count: int, seed: int) -> Array:
        """Draw the characters in turn."""
        divisor = check_temperature(temperature)
        logits_of = load_network("rnn", parameters)[:-1]
        text = torch.empty(len(window) + count, dtype=torch.int32)
        text[: len(window)] = to_tensor(window)
        with use_seed(seed):
            for end in range(len(window), len(text)):
                logits = logits_of(text[None, end - len(window) : end])[0]
                text[end] = torch.multinomial(torch.softmax(logits / divisor, -1), 1)[0]
        return to_array(text[len(window) :])


def windows(indices: Array, seq_length: int) -> torch.Tensor:
    """View every window of a text together with the character after it, [windows, seq_length + 1].

    Raises:
        ValueError: The text is too short for a window.

    """
    if len(indices) <= seq_length:
        msg = f"a text of {len(indices)} characters has none after a window of {seq_length}"
        raise ValueError(msg)
    return to_tensor(indices).unfold(0, seq_length + 1, 1)
