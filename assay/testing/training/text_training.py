"""Whole trainings on a text: what a test and a stored run are both made of."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.datasets import data
from assay.errors import UserError
from assay.spec.semantics import losses, models
from assay.spec.semantics import text as definition
from assay.spec.vectors import read
from assay.testing import thresholds
from assay.testing.assertions import assert_form

# As many windows, spread evenly over the text, as a mean over which can be had in a second.
EVALUATED = 2_000
# How often the document's number of characters is written, where the words of that are counted.
TEXTS = 5


class Corpus(NamedTuple):
    """A text, encoded by the definition.

    Attributes:
        text: Text in lower case.
        indices: Int32 [length].
        characters: The character of every number.
        source: Origin of the data, for people.
        is_nietzsche: Whether it is the document's text, which the stored runs were trained on.

    """

    text: str
    indices: Array
    characters: str
    source: str
    is_nietzsche: bool

    @property
    def num_chars(self) -> int:
        """How many different characters there are."""
        return len(self.characters)

    def decode(self, indices: Array) -> str:
        """Turn numbers into text."""
        return "".join(self.characters[index] for index in indices)


def corpus(found: data.Text) -> Corpus:
    """Encode a text."""
    encoded = definition.encode(found.text.encode())
    characters = "".join(encoded.indices_char.values())
    text = "".join(encoded.indices_char[index] for index in encoded.indices.tolist())
    return Corpus(text, encoded.indices, characters, found.source, found.is_nietzsche)


def train(text: Any, recipe: dict[str, Any], known: Corpus, seed: int) -> dict[str, Any]:  # noqa: ANN401 - a group or its proxy
    """Train by a recipe, check the form of what comes of it, and return losses and parameters.

    Raises:
        NonConformanceError: It has another form.

    """
    options = {name: value for name, value in recipe.items() if name != "model"}
    curve, found = text.fit(known.indices, known.num_chars, seed=seed, **options)
    shapes = models.rnn_shapes(known.num_chars)
    if absent := [name for name in shapes if name not in found]:
        msg = f"the trained RNN has no {absent[0]!r}, only {list(found)}"
        raise NonConformanceError(msg)
    parameters = {name: assert_form(name, found[name], shape) for name, shape in shapes.items()}
    return {"losses": assert_form("the losses", curve, (recipe["num_batches"],)), "parameters": parameters}


def evaluated(known: Corpus, seq_length: int) -> tuple[Array, Array]:
    """Cut out the windows that are evaluated, each with the character after it."""
    starts = np.linspace(0, len(known.indices) - seq_length - 1, EVALUATED).astype(np.int32)
    return definition.windows(known.indices, starts, seq_length)


def mean_loss(parameters: dict[str, Array], windows: Array, targets: Array) -> float:
    """Return the mean cross entropy of windows by the definition, in float32: no more is needed for a mean."""
    parts = np.array_split(np.arange(len(windows)), max(1, len(windows) // 500))
    probabilities = [models.layer_outputs("rnn", parameters, windows[part])["softmax"] for part in parts]
    return float(losses.sparse_categorical_crossentropy(targets, np.concatenate(probabilities)).mean(dtype=np.float64))


def share_of_words(texts: list[str], known: Corpus) -> float:
    """Return how many of the words of some texts occur in the corpus; the first and the last may be cut off."""
    vocabulary = set(words(known.text))
    found = [word in vocabulary for text in texts for word in words(text)[1:-1]]
    return float(np.mean(found))


def words(text: str) -> list[str]:
    """Return the words of a text in lower case: what lies between anything but letters."""
    return re.findall("[a-z]+", text)


class Runs:
    """Trainings of an implementation whose results are stored."""

    def __init__(self, implementation: Any) -> None:  # noqa: ANN401 - it declares the groups that it has
        """Read the text once for all of them.

        Raises:
            UserError: Another file is in its place.

        """
        self._text = implementation.text
        self._corpus = corpus(data.nietzsche())
        if not self._corpus.is_nietzsche:
            msg = f"the Nietzsche text is missing; there is {self._corpus.source}"
            raise UserError(msg, f"Set {data.NAMED}=<folder with nietzsche.txt>")

    def run(self, recipe: dict[str, Any], seed: int) -> dict[str, float]:
        """Return what is stored of one: its losses, and how many words of what it writes occur in the text."""
        trained = train(self._text, recipe, self._corpus, seed)
        window, count = self._corpus.indices[: recipe["seq_length"]], read("rnn")["generated"]
        texts = [
            self._text.generate(trained["parameters"], window, temperature=1.0, count=count, seed=TEXTS * seed + each)
            for each in range(TEXTS)
        ]
        return {
            "first_loss": float(trained["losses"][0]),
            "loss": mean_loss(trained["parameters"], *evaluated(self._corpus, recipe["seq_length"])),
            "words": share_of_words([self._corpus.decode(text) for text in texts], self._corpus),
            **dict(zip(thresholds.QUARTERS, thresholds.quarters(trained["losses"]), strict=True)),
        }
