"""Single batches of a training, and what one batch has in common with a later one: lines 207 to 221 of the document."""

from itertools import islice, product

import numpy as np
import pytest

from assay.testing.assertions import claim
from assay.testing.counts import assert_share
from assay.testing.draws import chance_of_shares, disjoint_pairs
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training import designed_training
from assay.testing.training.designed_training import OF_THE_DOCUMENT, SMALL, Examples, Sizes

# Number of trainings. The batches of one are uncertain if two of them have nearly the same loss, as in one of thirty
# trainings. So others are tried, up to a number that are all uncertain with a probability of 10^-12.
TRAININGS, ATTEMPTS = 2, 8
# Distances of batches that are compared, and many batches of few examples.
LAGS = (1, 2, 3)
LONG = Sizes(SMALL.num_examples, 100, SMALL.batch_size)


def decode(training, seed, sizes, examples, kinds):
    """Train with a learning rate of 0, and read each batch from its loss.

    Args:
        training: Group of the implementation.
        seed: Seed of the training.
        sizes: Sizes of the training.
        examples: Training set.
        kinds: The different examples in it.

    """
    run = designed_training.fit(training, "mlp", sizes, examples, learning_rate=0.0, seed=seed)
    known = designed_training.losses_of_examples(run.parameters, kinds, sizes.batch_size)
    return designed_training.decode(run.losses, known, sizes.batch_size)


def read_batches(training, seed, sizes, examples, kinds):
    """Return how often each batch holds each kind of example, in the first trainings whose batches are certain."""
    decoded = (decode(training, seed + each, sizes, examples, kinds) for each in range(ATTEMPTS))
    found = [*islice((one for one in decoded if one.is_certain), TRAININGS)]
    return [one.counts for one in designed_training.certain(found)]


@pytest.fixture(scope="module")
def batches_of_fifty(training, seed):
    """Return how often each batch of 50 holds each of two examples, which alternate among 60."""
    two = Examples(*(values[:2] for values in designed_training.seven_examples(seed)))
    return read_batches(training, seed, OF_THE_DOCUMENT, designed_training.alternate(two, OF_THE_DOCUMENT), two)


@pytest.fixture(scope="module")
def batches_of_three(training, seed):
    """Return how often each batch of 3 holds each of seven examples."""
    seven = designed_training.seven_examples(seed)
    return read_batches(training, seed, LONG, seven, seven)


@claim("training.fit-each-batch")
def test_each_batch(batches_of_fifty):
    # A batch of one example, or of copies of one, holds one kind only.
    counts = np.concatenate(batches_of_fifty)[:, 0]
    probability = chance_of_shares(counts, OF_THE_DOCUMENT.batch_size, 0.5)
    assert probability > FALSE_ALARM, (
        f"batches of {OF_THE_DOCUMENT.batch_size} hold the first of two kinds of examples {counts.tolist()} times:"
        f" so extreme a batch has a probability of {probability:.3g}"
    )


def share_without_common_example(num_examples, batch_size):
    """Return the probability that two batches of independent draws have no example in common."""
    distinct = np.array([len(set(batch)) for batch in product(range(num_examples), repeat=batch_size)])
    return float(np.mean((1 - distinct / num_examples) ** batch_size))


@claim("training.fit-new-draws")
@pytest.mark.parametrize("lag", LAGS)
def test_batches_have_no_example_in_common(batches_of_three, lag):
    apart = []
    for counts in batches_of_three:
        first = disjoint_pairs(LONG.num_batches, lag)
        apart += ((counts[first] == 0) | (counts[first + lag] == 0)).all(axis=1).tolist()
    what = f"batches of 3 of 7 examples that have no example in common with the batch {lag} later"
    share = share_without_common_example(SMALL.num_examples, SMALL.batch_size)
    assert_share(what, sum(apart), len(apart), share, decisions=len(LAGS))


# One more example than a block of 256, and so many draws that each example is drawn 20 times on average.
BLOCK = Sizes(257, 20, 259)


@claim("training.fit-even-draws")
@pytest.mark.parametrize("place", [0, -1], ids=["first", "last"])
def test_first_and_last_of_many(training, trainings_of_seven, seed, place):
    # All examples are one image, and one of them has another label. The losses of both labels are far apart, as a batch
    # is large.
    image = designed_training.seven_examples(seed).images[[0, 0]]
    two = designed_training.label_apart(trainings_of_seven[0].parameters, image)
    kinds = np.full(BLOCK.num_examples, two.labels[0])
    kinds[place] = two.labels[1]
    examples = Examples(np.broadcast_to(image[0], (BLOCK.num_examples, 28, 28, 1)), kinds)
    found = decode(training, seed, BLOCK, examples, two)
    total = BLOCK.num_batches * BLOCK.batch_size
    what = f"draws of one of {BLOCK.num_examples} examples, the one at {place}"
    assert_share(what, int(found.counts[:, 1].sum()), total, 1 / BLOCK.num_examples, decisions=2)
