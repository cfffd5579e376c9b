"""Faults of the training on handwritten digits: which batches it draws, and its seed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from assay.alternatives.numpy.models import MODELS, descend
from assay.contract import Array, Trained
from doubles.faulty import Fault
from doubles.memory_order import in_memory_order, reading, without_strides
from doubles.model_calls import divide_large
from doubles.training_loops import (
    Run,
    as_trained,
    fit_of_16_bits,
    fitting,
    other_options,
    places_of,
    places_of_16_bits,
    trained_on_batches,
    training_by,
)


def no_more_than_there_are(fit, model, images, labels, *, batch_size, **options):
    """Draw no more examples for a batch than there are."""
    return fit(model, images, labels, batch_size=min(batch_size, len(images)), **options)


def fitted(change):
    """Return `fit` with changed images."""
    return lambda right, model, images, labels, **options: right(model, change(images), labels, **options)


def shuffled(labels, generator):
    """Shuffle the targets within a batch."""
    return generator.permutation(labels)


def without_parameters(_fit, model, images, labels, *, num_batches, **_options):
    """Return zeros, and a curve as it may look."""
    zeros = {name: np.zeros_like(value) for name, value in MODELS[model].initial(np.random.default_rng(0)).items()}
    return (2.3 * np.exp(-np.arange(num_batches) / 200) + 0.2).astype(np.float32), zeros


def smoothed_losses(fit, model, images, labels, **options):
    """Return running means of the losses."""
    curve, parameters = fit(model, images, labels, **options)
    return (np.cumsum(curve) / np.arange(1, len(curve) + 1)).astype(np.float32), parameters


def summed_losses(fit, model, images, labels, **options):
    """Return the sum of the losses of a batch."""
    curve, parameters = fit(model, images, labels, **options)
    return curve * np.float32(options["batch_size"]), parameters


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


def without_the_first_of_many(generator: np.random.Generator, count: int, size: int, _before: Array) -> Array:
    """Leave out the first example of more than a hundred."""
    return generator.integers(int(count > 100), count, size)


def skewed(examples, batch_size, generator):
    """Prefer the first examples."""
    while True:
        yield (generator.random(batch_size) ** 1.3 * examples).astype(int)


def without_the_last(examples, batch_size, generator):
    """Never draw the last example."""
    return places_of(max(1, examples - 1), batch_size, generator)


def without_the_first(examples, batch_size, generator):
    """Never draw the first example."""
    for places in places_of(max(1, examples - 1), batch_size, generator):
        yield places + (examples > 1)


def four_fifths(examples, batch_size, generator):
    """Keep a fifth of the examples for validation."""
    return places_of(-(-examples * 4 // 5), batch_size, generator)


def in_order(examples, batch_size, _generator):
    """Read the data in their order, from the beginning again after the last."""
    for start in count(0, batch_size):
        yield np.arange(start, start + batch_size) % examples


def shuffled_once(examples, batch_size, generator):
    """Shuffle the data, and read them in that order again and again."""
    order = generator.permutation(examples)
    for start in count(0, batch_size):
        yield order[np.arange(start, start + batch_size) % examples]


def shuffled_each_epoch(examples, batch_size, generator):
    """Shuffle the data again for each epoch."""
    waiting = np.zeros(0, int)
    while True:
        while len(waiting) < batch_size:
            waiting = np.append(waiting, generator.permutation(examples))
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


def without_replacement(examples, batch_size, generator):
    """Draw a batch without replacement, where there are enough examples."""
    while True:
        yield generator.choice(examples, batch_size, replace=batch_size > examples)


def contiguous(examples, batch_size, generator):
    """Draw where a batch begins, and take the examples that follow."""
    while True:
        yield (generator.integers(examples) + np.arange(batch_size)) % examples


def every_example_twice(examples, batch_size, generator):
    """Draw half a batch, and double it."""
    while True:
        yield np.resize(generator.integers(0, examples, -(-batch_size // 2)), batch_size)


def independent(generator: np.random.Generator, count: int, size: int, _before: Array) -> Array:
    """Draw a batch as a right training does."""
    return generator.integers(0, count, size)


def fit_adds_steps_to_the_seed(_fit, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
    """Draw each batch with a generator of its own, of the seed plus the number of the step."""
    draws = (np.random.default_rng(seed + step).integers(0, len(images), batch_size) for step in range(num_batches))
    return trained_on_batches(MODELS[model], seed, learning_rate, ((images[some], labels[some]) for some in draws))


def with_the_last(generator: np.random.Generator, count: int, size: int, before: Array) -> Array:
    """Begin a batch with the last example of the batch before it."""
    return np.concatenate([before[-1:], generator.integers(0, count, size - 1)])


def draw_opposite_batches(right, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
    """Draw every second batch as the opposite of the one before."""
    del right
    run = Run(model, images, labels, num_batches, batch_size, learning_rate, seed)
    generator, places = np.random.default_rng(seed + 1), None
    for number in range(num_batches):
        places = len(images) - 1 - places if number % 2 else generator.integers(0, len(images), batch_size)
        loss, gradients = run.gradients(images[places], labels[places])
        run.optimizer.step(run.parameters, gradients)
        run.losses.append(loss)
    return run.result()


def first_batch_again(examples, batch_size, generator):
    """Draw one batch, and go on with it."""
    places = generator.integers(0, examples, batch_size)
    while True:
        yield places


def each_batch_twice(examples, batch_size, generator):
    """Take two steps with every batch."""
    for places in places_of(examples, batch_size, generator):
        yield places
        yield places


def epoch_again(examples, batch_size, generator):
    """Draw the batches of one epoch, and repeat them."""
    epoch = [generator.integers(0, examples, batch_size) for _ in range(max(1, examples // batch_size))]
    while True:
        yield from epoch


def cap_batch(right, model, images, labels, *, batch_size, **options):
    """Take at most 64 examples in a batch."""
    return right(model, images, labels, batch_size=min(batch_size, 64), **options)


def first_50_000(examples, batch_size, generator):
    """Keep what follows the first 50,000 examples for validation."""
    return places_of(min(examples, 50_000), batch_size, generator)


def in_16_bits(examples, batch_size, generator):
    """Let the places overflow 16 bits."""
    for places in places_of(examples, batch_size, generator):
        yield places % 2**15


def drawn_by_a_fixed_seed(examples, batch_size, _generator):
    """Draw the batches by a seed of its own."""
    return places_of(examples, batch_size, np.random.default_rng(0))


def begun_by_a_fixed_seed(_parameters):
    """Draw the initial parameters by a seed of their own."""
    return MODELS["mlp"].initial(np.random.default_rng(0))


FAULTS = {
    "no_more_than_there_are": Fault(
        "training.fit", "training.fit-batches", "a training set of 2", no_more_than_there_are
    ),
    "fit_divides_large_pixels": Fault(
        "training.fit", "training.fit-batches", "12 of 12 losses are not the mean loss", fitted(divide_large)
    ),
    "fit_with_shuffled_targets": Fault(
        "training.fit",
        "training.fit-batches",
        "not the mean loss of any 3 examples",
        as_trained(training_by(targets=shuffled)),
    ),
    "fit_on_batches_of_33": Fault(
        "training.fit",
        "training.fit-batches",
        "not the mean loss of any 3 examples",
        as_trained(other_options(batch_size=lambda _: 33)),
    ),
    "fit_on_batches_of_100": Fault(
        "training.fit",
        "training.fit-batches",
        "not the mean loss of any 3 examples",
        as_trained(other_options(batch_size=lambda _: 100)),
    ),
    "fit_without_parameters": Fault(
        "training.fit", "training.fit-batches", "same loss", as_trained(without_parameters)
    ),
    "fit_with_smoothed_losses": Fault(
        "training.fit", "training.fit-batches", "not the mean loss of any", as_trained(smoothed_losses)
    ),
    "fit_with_summed_losses": Fault(
        "training.fit", "training.fit-batches", "not the mean loss of any", as_trained(summed_losses)
    ),
    "training_leaves_out_the_first_of_many": Fault(
        "training.fit", "training.fit-even-draws", "of 257 examples, the one at 0", training(without_the_first_of_many)
    ),
    "fit_on_skewed_draws": Fault(
        "training.fit", "training.fit-even-draws", "the one at 0", as_trained(training_by(places=skewed))
    ),
    "fit_without_the_last_example": Fault(
        "training.fit", "training.fit-even-draws", "example 6 of 7", as_trained(training_by(places=without_the_last))
    ),
    "fit_without_the_first_example": Fault(
        "training.fit", "training.fit-even-draws", "example 0 of 7", as_trained(training_by(places=without_the_first))
    ),
    "fit_on_four_fifths": Fault(
        "training.fit", "training.fit-even-draws", "example 6 of 7", as_trained(training_by(places=four_fifths))
    ),
    "fit_in_order": Fault(
        "training.fit",
        "training.fit-repeated-draws",
        "repetition: 120 of 120",
        as_trained(training_by(places=in_order)),
    ),
    "fit_shuffled_once": Fault(
        "training.fit",
        "training.fit-repeated-draws",
        "repetition: 120 of 120",
        as_trained(training_by(places=shuffled_once)),
    ),
    "fit_shuffled_each_epoch": Fault(
        "training.fit",
        "training.fit-repeated-draws",
        "without a repetition",
        as_trained(training_by(places=shuffled_each_epoch)),
    ),
    "fit_without_replacement": Fault(
        "training.fit",
        "training.fit-repeated-draws",
        "without a repetition",
        as_trained(training_by(places=without_replacement)),
    ),
    "fit_on_contiguous_batches": Fault(
        "training.fit",
        "training.fit-repeated-draws",
        "without a repetition",
        as_trained(training_by(places=contiguous)),
    ),
    "fit_on_halves_of_batches": Fault(
        "training.fit",
        "training.fit-repeated-draws",
        "repetition: 0 of 120",
        as_trained(training_by(places=every_example_twice)),
    ),
    "last_batch_of_one_example": Fault(
        "training.fit", "training.fit-each-batch", "so extreme a batch", training(independent, single_last=True)
    ),
    "fit_adds_steps_to_the_seed": Fault(
        "training.fit", "training.fit-new-draws", "with the next seed", fit_adds_steps_to_the_seed
    ),
    "batch_begins_with_the_last_example": Fault(
        "training.fit", "training.fit-new-draws", "no example in common with the batch 1 later", training(with_the_last)
    ),
    "opposite_batches": Fault("training.fit", "training.fit-new-draws", "in reverse", draw_opposite_batches),
    "fit_on_one_batch": Fault(
        "training.fit",
        "training.fit-new-draws",
        "the same 1 batches later",
        as_trained(training_by(places=first_batch_again)),
    ),
    "fit_with_each_batch_twice": Fault(
        "training.fit",
        "training.fit-new-draws",
        "the same 1 batches later",
        as_trained(training_by(places=each_batch_twice)),
    ),
    "fit_on_one_epoch_again": Fault(
        "training.fit",
        "training.fit-new-draws",
        "the same 2 batches later",
        as_trained(training_by(places=epoch_again)),
    ),
    "batches_of_64_at_most": Fault("training.fit", "training.fit-whole-set", "not means of the two kinds", cap_batch),
    "fit_draws_16_bits": Fault(
        "training.fit", "training.fit-whole-set", "the first 5,000", fitting(places=places_of_16_bits)
    ),
    "fit_on_the_first_50_000": Fault(
        "training.fit", "training.fit-whole-set", "5,000 of 60,000", as_trained(training_by(places=first_50_000))
    ),
    "fit_with_places_in_16_bits": Fault(
        "training.fit", "training.fit-whole-set", "5,000 of 60,000", as_trained(training_by(places=in_16_bits))
    ),
    "fit_seed_of_16_bits": Fault("training.fit", "training.fit-seed", "draw the same initial", fit_of_16_bits),
    "fit_on_batches_of_a_fixed_seed": Fault(
        "training.fit", "training.fit-seed", "the same batches", as_trained(training_by(places=drawn_by_a_fixed_seed))
    ),
    "fit_from_a_fixed_seed": Fault(
        "training.fit",
        "training.fit-seed",
        "give the same dense1/kernel",
        as_trained(training_by(start=begun_by_a_fixed_seed)),
    ),
    "fit_from_memory": Fault("training.fit", "training.fit-memory-order", "transposed", reading(in_memory_order, 1)),
    "fit_without_strides": Fault("training.fit", "training.fit-memory-order", "sliced", reading(without_strides, 2)),
}
