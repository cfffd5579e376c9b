"""Windows of characters, and the text that an implementation generates from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.adapters.proxy import GroupProxy, NonConformanceError
from assay.contract import INT, Array
from assay.spec.semantics.models import NUM_CHARS, Parameters
from assay.spec.vectors import read
from assay.testing.assertions import assert_form
from assay.testing.problems import SEQ_LENGTH

# Number of characters that the document generates.
COUNT: int = read("rnn")["generated"]
# Length of a window for networks whose output does not depend on it; a short one saves time.
SHORT = 3


def draw_window(seed: int, length: int = SEQ_LENGTH) -> Array:
    """Draw a window of characters, int32 [length]."""
    return np.random.default_rng(seed).integers(0, NUM_CHARS, length, np.int32)


def assert_text(generated: Any, num_chars: int) -> Array:  # noqa: ANN401 - whatever an implementation returned
    """Check the form of a generated text, and that it contains only valid characters.

    Args:
        generated: The text.
        num_chars: Number of characters to choose from.

    Returns:
        The text, int32 [COUNT].

    Raises:
        NonConformanceError: The form is wrong, or the text contains a number that is not that of a character.

    """
    __tracebackhide__ = True
    generated = assert_form("the text", generated, (COUNT,), INT)
    known = (generated >= 0) & (generated < num_chars)
    if not known.all():
        msg = f"the text contains character {generated[~known][0]} of {num_chars}"
        raise NonConformanceError(msg)
    return generated


def generate(
    text: GroupProxy, parameters: Parameters, seed: int, *, temperature: float = 1.0, length: int = SEQ_LENGTH
) -> tuple[Array, Array]:
    """Draw a window, generate text from it, and check its form.

    Args:
        text: Implementation of the group `text`.
        parameters: Parameters of the network.
        seed: Seed of the window and of the text.
        temperature: Temperature of the softmax.
        length: Length of the window.

    Returns:
        The window, and the text after it.

    """
    window = draw_window(seed, length)
    generated = text.generate(parameters, window, temperature=temperature, count=COUNT, seed=seed)
    return window, assert_text(generated, NUM_CHARS)
