"""Whole trainings on a text, for tests and for stored runs."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.datasets import data
from assay.errors import ErrorKind, UserError
from assay.spec.semantics import losses, models
from assay.spec.semantics import text as definition
from assay.spec.vectors import read
from assay.testing import thresholds
from assay.testing.assertions import assert_form

# Number of windows, spread evenly over the text, whose mean loss takes about a second.
EVALUATED = 2_000
# Number of texts of the document's length that are generated to count their words.
TEXTS = 5


class Corpus(NamedTuple):
    """A text, encoded by the definition.

    Attributes:
        text: Text in lower case.
        indices: Int32 [length].
        characters: Character of every number.
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
        """Number of different characters."""
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
    """Train by a recipe, check the form of the result, and return losses and parameters.

    Raises:
        NonConformanceError: A parameter is missing, or a shape or dtype differs.

    """
    options = {name: value for name, value in recipe.items() if name != "model"}
    curve, found = text.fit(known.indices, known.num_chars, seed=seed, **options)
    shapes = models.rnn_shapes(known.num_chars)
    if absent := [name for name in shapes if name not in found]:
        msg = f"the trained RNN has no parameter {absent[0]!r}, only {list(found)}"
        raise NonConformanceError(msg)
    parameters = {name: assert_form(name, found[name], shape) for name, shape in shapes.items()}
    return {"losses": assert_form("the losses", curve, (recipe["num_batches"],)), "parameters": parameters}


def extract_evaluation(known: Corpus, seq_length: int) -> tuple[Array, Array]:
    """Extract the windows for an evaluation, each with the character after it."""
    starts = np.linspace(0, len(known.indices) - seq_length - 1, EVALUATED).astype(np.int32)
    return definition.windows(known.indices, starts, seq_length)


def mean_loss(parameters: dict[str, Array], windows: Array, targets: Array) -> float:
    """Return the mean cross entropy of windows by the definition, in float32, which is precise enough for a mean."""
    parts = np.array_split(np.arange(len(windows)), max(1, len(windows) // 500))
    probabilities = [models.layer_outputs("rnn", parameters, windows[part])["softmax"] for part in parts]
    return float(losses.sparse_categorical_crossentropy(targets, np.concatenate(probabilities)).mean(dtype=np.float64))


def share_of_words(texts: list[str], known: Corpus) -> float:
    """Return the share of the words of texts that occur in the corpus; the first and the last may be cut off."""
    vocabulary = set(words(known.text))
    found = [word in vocabulary for text in texts for word in words(text)[1:-1]]
    return float(np.mean(found))


def words(text: str) -> list[str]:
    """Return the words of a lower-case text: sequences of letters."""
    return re.findall("[a-z]+", text)


class Runs:
    """Trainings of an implementation whose results are stored."""

    def __init__(self, implementation: Any) -> None:  # noqa: ANN401 - it declares the groups that it has
        """Read the text once for all of them.

        Raises:
            UserError: The text is not the document's.

        """
        self._text = implementation.text
        self._corpus = corpus(data.nietzsche())
        if not self._corpus.is_nietzsche:
            msg = f"the Nietzsche text is missing; there is {self._corpus.source}"
            raise UserError(ErrorKind.MISSING_DATA, msg, f"Set {data.NAMED}=<folder with nietzsche.txt>")

    def run(self, recipe: dict[str, Any], seed: int) -> dict[str, float]:
        """Train once, and return the results to store: losses, and the share of generated words in the text."""
        trained = train(self._text, recipe, self._corpus, seed)
        window, count = self._corpus.indices[: recipe["seq_length"]], read("rnn")["generated"]
        texts = [
            self._text.generate(trained["parameters"], window, temperature=1.0, count=count, seed=TEXTS * seed + each)
            for each in range(TEXTS)
        ]
        return {
            "first_loss": float(trained["losses"][0]),
            "loss": mean_loss(trained["parameters"], *extract_evaluation(self._corpus, recipe["seq_length"])),
            "words": share_of_words([self._corpus.decode(text) for text in texts], self._corpus),
            **dict(zip(thresholds.QUARTERS, thresholds.quarters(trained["losses"]), strict=True)),
        }
