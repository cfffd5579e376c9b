"""Deliberate faults in draws that depend on other draws: opposites, strata, shared examples, and ends left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy.models import MODELS, descend, model_of
from assay.contract import Array, Parameters, Trained
from doubles.agent_training import Training, instead
from doubles.faulty import Fault


def opposites(generator: np.random.Generator, count: int) -> Array:
    """Draw numbers between 0 and 1, every second of which is the opposite of another one, in random order."""
    half = generator.random((count + 1) // 2)
    return generator.permutation(np.concatenate([half, 1 - half])[:count])


def strata(generator: np.random.Generator, count: int) -> Array:
    """Draw one number from each of `count` equal parts of the interval from 0 to 1, in random order."""
    return (generator.permutation(count) + generator.random(count)) / count


def classes_at(probabilities: Array, numbers: Array) -> Array:
    """Return the class of each row at a number between 0 and 1: int32 [batch]."""
    ends = np.cumsum(probabilities, axis=-1, dtype=np.float64)
    found = (ends <= numbers[:, None] * ends[:, -1:]).sum(axis=-1, dtype=np.int32)
    return np.minimum(found, np.int32(probabilities.shape[-1] - 1))


def rows_as_opposites(sample: Callable[..., Array], probabilities: Array, seed: int) -> Array:
    """Draw every second row as the opposite of another one."""
    sample(probabilities, seed)
    return classes_at(probabilities, opposites(np.random.default_rng(seed), len(probabilities)))


def rows_of_four_digits(sample: Callable[..., Array], probabilities: Array, seed: int) -> Array:
    """Draw each row by a number of four decimal digits."""
    sample(probabilities, seed)
    numbers = np.random.default_rng(seed).integers(0, 10**4, len(probabilities)) / 10**4
    return classes_at(probabilities, numbers)


def windows_as_opposites(sample_windows: Callable[..., Any], indices: Array, length: int, count: int, seed: int) -> Any:
    """Draw every second window as far from the end as another one from the start."""
    places = len(indices) - length
    if places < 1:
        return sample_windows(indices, length, count, seed)
    starts = (opposites(np.random.default_rng(seed), count) * places).astype(int)
    return indices[starts[:, None] + np.arange(length)], indices[starts + length]


def examples_as_opposites(
    _sample_batch: Callable[..., Any], images: Array, labels: Array, count: int, seed: int
) -> Any:
    """Draw every second example as far from the end as another one from the start."""
    index = (opposites(np.random.default_rng(seed), count) * len(images)).astype(int)
    return images[index], labels[index]


def writing(numbers: Callable[[np.random.Generator, int], Array]) -> Callable[..., Array]:
    """Return a function that draws the characters of a text with these random numbers."""

    def wrong(
        _generate: Callable[..., Array],
        parameters: Parameters,
        window: Array,
        *,
        temperature: float,
        count: int,
        seed: int,
    ) -> Array:
        model, text = model_of("rnn", parameters), window
        for number in numbers(np.random.default_rng(seed), count):
            logits = model.outputs(parameters, text[None, -len(window) :])["dense"].astype(np.float64) / temperature
            weights = np.exp(logits - logits.max())
            text = np.append(text, classes_at(weights, number[None]))
        return text[len(window) :]

    return wrong


def training(choose: Callable[..., Array], *, single_last: bool = False) -> Callable[..., Trained]:
    """Return a training that chooses the examples of each batch.

    Args:
        choose: Function from a generator, the number of examples, the batch size and the batch before to indices.
        single_last: Whether the last batch has only one example.

    """

    def wrong(
        _fit: Callable[..., Trained],
        model: Any,
        images: Array,
        labels: Array,
        *,
        num_batches: int,
        batch_size: int,
        learning_rate: float,
        seed: int,
    ) -> Trained:
        generator = np.random.default_rng(seed)
        initial = MODELS[model].initial(generator)
        chosen, before = [], np.zeros(1, int)
        for _ in range(num_batches):
            before = choose(generator, len(images), batch_size, before)
            chosen.append(before)
        if single_last:
            chosen[-1] = chosen[-1][:1]
        batches = ((images[some], labels[some]) for some in chosen)
        return Trained(*descend(MODELS[model], initial, batches, learning_rate))

    return wrong


def independent(generator: np.random.Generator, count: int, size: int, _before: Array) -> Array:
    """Draw a batch as a right training does."""
    return generator.integers(0, count, size)


def with_the_last(generator: np.random.Generator, count: int, size: int, before: Array) -> Array:
    """Begin a batch with the last example of the batch before it."""
    return np.concatenate([before[-1:], generator.integers(0, count, size - 1)])


def without_the_first(generator: np.random.Generator, count: int, size: int, _before: Array) -> Array:
    """Leave out the first example of more than a hundred."""
    return generator.integers(int(count > 100), count, size)


class Neighbours(Training):
    """Learn from transitions in a row."""

    def places(self) -> Array:
        """Draw the place of the first one."""
        return (self.generator.integers(0, len(self.buffer)) + np.arange(self.batch_size)) % len(self.buffer)


class ByTwos(Training):
    """Decide for two steps whether to explore, and by which action."""

    steps = 0

    def act(self, state: Array) -> int:
        """Keep what the step before has decided, in every second step."""
        if self.steps % 2 == 0:
            self.decided = self.explore() if self.generator.random() < self.epsilon() else None
        self.steps += 1
        return self.learner.greedy(state) if self.decided is None else self.decided


INDEPENDENCE_FAULTS = {
    name: Fault(function, claim, tells, wrong)
    for name, (function, claim, tells, wrong) in {
        "rows_as_shuffled_opposites": (
            "ops.sample",
            "generation.rows-are-independent",
            "as often as its opposite",
            rows_as_opposites,
        ),
        "rows_of_four_digits": (
            "ops.sample",
            "generation.sample-resolution",
            "within reach of 16 random bits or fewer",
            rows_of_four_digits,
        ),
        "windows_as_shuffled_opposites": (
            "text.sample_windows",
            "text.independent-draws",
            "the opposite of another",
            windows_as_opposites,
        ),
        "examples_as_shuffled_opposites": (
            "datasets.sample_batch",
            "mnist.draws-are-independent",
            "were the opposite of another",
            examples_as_opposites,
        ),
        "text_of_shuffled_opposites": (
            "text.generate",
            "generation.independent",
            "as often as their opposites",
            writing(opposites),
        ),
        "text_of_shuffled_strata": ("text.generate", "generation.independent", "occur as evenly", writing(strata)),
        "agent_learns_from_neighbours": (
            "agent.fit",
            "q_learning.training-draws-evenly",
            "are two transitions in a row",
            instead(Neighbours),
        ),
        "agent_explores_by_twos": (
            "agent.fit",
            "q_learning.training-explores-in-no-pattern",
            "have two actions that are not greedy",
            instead(ByTwos),
        ),
        "last_batch_of_one_example": (
            "training.fit",
            "training.fit-each-batch",
            "so extreme a batch",
            training(independent, single_last=True),
        ),
        "batch_begins_with_the_last_example": (
            "training.fit",
            "training.fit-new-draws",
            "no example in common with the batch 1 later",
            training(with_the_last),
        ),
        "training_leaves_out_the_first_of_many": (
            "training.fit",
            "training.fit-even-draws",
            "of 257 examples, the one at 0",
            training(without_the_first),
        ),
    }.items()
}
