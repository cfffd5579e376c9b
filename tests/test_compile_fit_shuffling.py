"""How fit shuffles examples, over several epochs and several trainings: lines 820 to 830 of the document."""

import math
from itertools import combinations

import numpy as np
import pytest

from assay.testing.assertions import claim
from assay.testing.fit_batches import read_batches
from assay.testing.thresholds import FALSE_ALARM

# Four batches in each of five epochs.
COUNT, BATCH_SIZE, EPOCHS = 32, 8, 5
BATCHES = COUNT // BATCH_SIZE


@pytest.fixture(scope="module")
def epochs(keras):
    """Return the examples of each batch in five epochs."""
    found = read_batches(keras, COUNT, BATCH_SIZE, EPOCHS)
    for epoch in found:
        assert sorted(example for batch in epoch for example in batch) == [*range(COUNT)], f"an epoch has {epoch}"
    return found


@claim("compile_fit.examples-are-shuffled")
def test_no_epoch_repeats_another(epochs):
    ways = math.factorial(COUNT) / math.factorial(BATCH_SIZE) ** BATCHES
    assert 2 * math.comb(EPOCHS, 2) / ways < FALSE_ALARM
    for (one, first), (other, second) in combinations(enumerate(epochs), 2):
        assert first != second, f"epochs {one} and {other} have the same batches"
        assert first != second[::-1], f"epochs {one} and {other} have the same batches, in reverse order"


@claim("compile_fit.examples-are-shuffled")
def test_batches_are_no_neighbours(epochs):
    # A batch is one of 32 runs of examples, if the last one is followed by the first. Two batches of an epoch are runs
    # with at most this probability: the second one has the remaining examples.
    runs = [frozenset((start + np.arange(BATCH_SIZE)) % COUNT) for start in range(COUNT)]
    probability = COUNT**2 / (math.comb(COUNT, BATCH_SIZE) * math.comb(COUNT - BATCH_SIZE, BATCH_SIZE))
    assert math.comb(EPOCHS * BATCHES, 2) * probability < FALSE_ALARM
    found = sum(batch in runs for epoch in epochs for batch in epoch[:2])
    assert found < 2, f"the first two batches of {EPOCHS} epochs have the examples in their order, {found} of them"


@claim("compile_fit.examples-are-shuffled")
@pytest.mark.parametrize(
    ("which", "chosen"), [("in the first half", range(COUNT // 2)), ("with an even number", range(0, COUNT, 2))]
)
def test_halves_are_mixed(epochs, which, chosen):
    # The number of these examples in the first half of an epoch is hypergeometric, and half of them is expected.
    half = COUNT // 2
    once = np.zeros((half // 2) ** 2 + 1)
    for number in range(half + 1):
        once[(number - half // 2) ** 2] += math.comb(half, number) ** 2 / math.comb(COUNT, half)
    squares = np.ones(1)
    for _ in range(EPOCHS):
        squares = np.convolve(squares, once)
    found = [sum(len(batch & {*chosen}) for batch in epoch[: BATCHES // 2]) for epoch in epochs]
    probability = squares[sum((number - half // 2) ** 2 for number in found) :].sum()
    assert probability > FALSE_ALARM / 2, (
        f"of the {half} examples {which}, {found} are in the first half of an epoch: the probability is"
        f" {probability:.3g}"
    )


@claim("compile_fit.examples-are-shuffled")
def test_batches_do_not_rise(epochs):
    # All examples of a batch come before all of the next one, in the order of the data.
    pairs = [pair for epoch in epochs for pair in zip(epoch[::2], epoch[1::2], strict=True)]
    limit = 3
    probability = math.comb(len(pairs), limit) / math.comb(2 * BATCH_SIZE, BATCH_SIZE) ** limit
    assert 2 * probability < FALSE_ALARM
    for what, found in (
        ("before", sum(max(one) < min(other) for one, other in pairs)),
        ("after", sum(min(one) > max(other) for one, other in pairs)),
    ):
        assert found < limit, f"{found} of {len(pairs)} batches have examples {what} all of the next batch"


@claim("compile_fit.inputs-are-shuffled-together")
def test_targets_stay_with_inputs(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.0)
    model.compile(optimizer=optimizer, loss="mean_squared_error", run_eagerly=True)
    numbers = np.arange(BATCHES, dtype=np.float32)[:, None] ** 2
    history = model.fit(numbers, numbers, batch_size=BATCHES // 2, epochs=EPOCHS, verbose=0).history
    assert history["loss"] == [0.0] * EPOCHS


# Trainings on few examples, one at a time: together, their epochs show a place that is not shuffled.
FEW, FEW_EPOCHS, TRAININGS = 4, 6, 2


@pytest.fixture(scope="module")
def orders(keras):
    """Return the order of examples in each epoch of each training: int [trainings, epochs, examples]."""
    trainings = [read_batches(keras, FEW, 1, FEW_EPOCHS) for _ in range(TRAININGS)]
    return np.array([[[*map(min, epoch)] for epoch in epochs] for epochs in trainings])


@claim("compile_fit.examples-are-shuffled")
def test_every_place_is_shuffled(orders):
    assert FEW * (1 / FEW) ** (FEW_EPOCHS * TRAININGS) < FALSE_ALARM
    stays = np.flatnonzero((orders == np.arange(FEW)).all(axis=(0, 1))).tolist()
    assert not stays, f"examples {stays} are at their own places in all epochs"


@claim("compile_fit.shuffles")
def test_trainings_have_other_orders(orders):
    assert 1 / math.factorial(FEW) ** FEW_EPOCHS < FALSE_ALARM
    one, other = orders
    assert (one != other).any(), f"two trainings have the same orders {one.tolist()}"


# Two batches of four, and a last one of two.
ODD, ODD_BATCH_SIZE, ODD_EPOCHS = 10, 4, 3


@claim("compile_fit.examples-are-shuffled")
def test_last_batch_is_shuffled(keras):
    last = [epoch[-1] for _ in range(TRAININGS) for epoch in read_batches(keras, ODD, ODD_BATCH_SIZE, ODD_EPOCHS)]
    assert [*map(len, last)] == [ODD % ODD_BATCH_SIZE] * len(last), f"the last batches are {last}"
    assert (1 / math.comb(ODD, ODD % ODD_BATCH_SIZE)) ** (len(last) - 1) < FALSE_ALARM
    assert len({*last}) > 1, f"the last batch of {len(last)} epochs always has the examples {sorted(last[0])}"
