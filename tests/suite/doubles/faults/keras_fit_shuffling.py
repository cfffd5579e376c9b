"""Faults of the order in which fit takes examples."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import with_methods


def one_order_for_all_epochs(namespace):
    """Shuffle once, before the first epoch."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, *, shuffle=True, epochs=1, **options):
            if shuffle and epochs > 1 and isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
                order = np.random.default_rng().permutation(len(x))
                x, y, shuffle = x[order], y[order], False
            return super().fit(x, y, batch_size, shuffle=shuffle, epochs=epochs, **options)

    return with_methods(namespace, Methods)


def never_shuffled(namespace):
    """Take the examples in their order when nothing is said of it."""

    class Methods:
        def fit(self, *args, shuffle=False, **options):
            return super().fit(*args, shuffle=shuffle, **options)

    return with_methods(namespace, Methods)


def by_orders(order):
    """Return a fault that trains each epoch in an order of its own.

    Args:
        order: Function from the epoch, the number of examples, the batch size, a generator and the orders of earlier
            epochs to the order of inputs, or to those of inputs and targets.

    """

    def wrong(namespace):
        class Methods:
            def fit(self, x, y=None, batch_size=32, *, shuffle=True, epochs=1, **options):
                if not shuffle or not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray) or epochs < 2:
                    return super().fit(x, y, batch_size=batch_size, shuffle=shuffle, epochs=epochs, **options)
                generator, earlier, losses = np.random.default_rng(), [], []
                for epoch in range(epochs):
                    found = order(epoch, len(x), batch_size, generator, earlier)
                    inputs, targets = found if isinstance(found, tuple) else (found, found)
                    earlier.append(inputs)
                    history = super().fit(x[inputs], y[targets], batch_size=batch_size, shuffle=False, **options)
                    losses += history.history["loss"]
                history.history["loss"] = losses
                return history

        return with_methods(namespace, Methods)

    return wrong


def order_by_the_epoch(epoch, count, _size, _generator, _earlier):
    """Draw the order from the number of the epoch."""
    return np.random.default_rng(epoch).permutation(count)


def batches_shuffled(namespace):
    """Put batches into another order, and leave the examples in them together."""

    class Methods:
        def fit(self, x, y=None, batch_size=32, *, shuffle=True, epochs=1, **options):
            if not (shuffle and isinstance(x, np.ndarray) and isinstance(y, np.ndarray)) or batch_size < 2:
                return super().fit(x, y, batch_size=batch_size, shuffle=shuffle, epochs=epochs, **options)
            for _ in range(epochs):
                blocks = np.array_split(np.arange(len(x)), range(batch_size, len(x), batch_size))
                whole = [blocks[place] for place in np.random.default_rng().permutation(len(blocks) - 1)]
                order = np.concatenate([*whole, blocks[-1]])
                history = super().fit(x[order], y[order], batch_size=batch_size, shuffle=False, **options)
            return history

    return with_methods(namespace, Methods)


def repeat_the_second_last(epoch, count, _size, generator, earlier):
    """Take turns with two orders."""
    return earlier[epoch - 2] if epoch > 1 else generator.permutation(count)


def reverse_the_last(epoch, count, _size, generator, earlier):
    """Reverse the order in every second epoch."""
    return earlier[-1][::-1] if epoch % 2 else generator.permutation(count)


def shuffle_two_batches(_epoch, count, size, generator, _earlier):
    """Shuffle the examples of two batches at a time."""
    return np.concatenate(
        [generator.permutation(part) for part in np.split(np.arange(count), range(0, count, 2 * size))]
    )


def shuffle_even_and_odd(_epoch, count, _size, generator, _earlier):
    """Shuffle the examples with even numbers, and those with odd numbers, and begin with either."""
    return np.concatenate([generator.permutation(np.arange(first, count, 2)) for first in generator.permutation(2)])


def take_two_halves_in_order(_epoch, count, _size, generator, _earlier):
    """Draw half of the examples, and take them and then the others in their order."""
    order = generator.permutation(count)
    return np.concatenate([np.sort(order[: count // 2]), np.sort(order[count // 2 :])])


def leave_the_first(_epoch, count, _size, generator, _earlier):
    """Leave the first example in its place."""
    return np.concatenate([[0], 1 + generator.permutation(count - 1)])


def leave_the_rest(_epoch, count, size, generator, _earlier):
    """Shuffle the whole batches only."""
    whole = count - count % size
    return np.concatenate([generator.permutation(whole), np.arange(whole, count)])


def inputs_shuffled_apart(namespace):
    """Put each of several inputs into an order of its own."""

    class Methods:
        def fit(self, x, *args, shuffle=True, **options):
            if shuffle and isinstance(x, list | tuple) and len(x) > 1:
                x = [array[np.random.default_rng().permutation(len(array))] for array in x]
            elif shuffle and isinstance(x, dict):
                x = {name: array[np.random.default_rng().permutation(len(array))] for name, array in x.items()}
            return super().fit(x, *args, shuffle=shuffle, **options)

    return with_methods(namespace, Methods)


def targets_shuffled_apart(namespace):
    """Shuffle the inputs, and leave the targets where they are."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, *, shuffle=True, **options):
            if shuffle and isinstance(x, list):
                order = np.random.default_rng().permutation(len(x[0]))
                x = [array[order] for array in x]
            return super().fit(x, y, batch_size, shuffle=shuffle, **options)

    return with_methods(namespace, Methods)


def move_the_last_targets(epoch, count, _size, generator, _earlier):
    """Take the targets of other examples from the third epoch on."""
    order = generator.permutation(count)
    return order, np.roll(order, int(epoch > 1))


def first_batches_of_pipelines(namespace):
    """Evaluate the first eight batches of a pipeline."""

    class Methods:
        def evaluate(self, x, y=None, **options):
            return super().evaluate(x.take(8) if hasattr(x, "take") and y is None else x, y, **options)

    return with_methods(namespace, Methods)


FAULTS = {
    "one_order_for_all_epochs": Fault("keras.namespace", "compile_fit.shuffles", " != [", one_order_for_all_epochs),
    "never_shuffled": Fault("keras.namespace", "compile_fit.shuffles", "[0, 1, 2", never_shuffled),
    "order_of_the_epoch": Fault(
        "keras.namespace", "compile_fit.shuffles", "two trainings have the same orders", by_orders(order_by_the_epoch)
    ),
    "batches_shuffled": Fault(
        "keras.namespace", "compile_fit.examples-are-shuffled", "only whole batches are shuffled", batches_shuffled
    ),
    "orders_by_turns": Fault(
        "keras.namespace",
        "compile_fit.examples-are-shuffled",
        "have the same batches",
        by_orders(repeat_the_second_last),
    ),
    "order_and_its_reverse": Fault(
        "keras.namespace", "compile_fit.examples-are-shuffled", "in reverse order", by_orders(reverse_the_last)
    ),
    "two_batches_shuffled": Fault(
        "keras.namespace",
        "compile_fit.examples-are-shuffled",
        "examples in the first half",
        by_orders(shuffle_two_batches),
    ),
    "even_and_odd_shuffled_apart": Fault(
        "keras.namespace", "compile_fit.examples-are-shuffled", "with an even number", by_orders(shuffle_even_and_odd)
    ),
    "two_halves_in_order": Fault(
        "keras.namespace",
        "compile_fit.examples-are-shuffled",
        "before all of the next batch",
        by_orders(take_two_halves_in_order),
    ),
    "first_example_stays_first": Fault(
        "keras.namespace", "compile_fit.examples-are-shuffled", "are at their own places", by_orders(leave_the_first)
    ),
    "rest_stays_last": Fault(
        "keras.namespace",
        "compile_fit.examples-are-shuffled",
        "always has the examples [8, 9]",
        by_orders(leave_the_rest),
    ),
    "inputs_shuffled_apart": Fault(
        "keras.namespace",
        "compile_fit.inputs-are-shuffled-together",
        "matching inputs and targets",
        inputs_shuffled_apart,
    ),
    "targets_shuffled_apart": Fault(
        "keras.namespace",
        "compile_fit.inputs-are-shuffled-together",
        "matching inputs and targets",
        targets_shuffled_apart,
    ),
    "targets_moved_later": Fault(
        "keras.namespace", "compile_fit.inputs-are-shuffled-together", "== [0.0, 0.0,", by_orders(move_the_last_targets)
    ),
    "first_batches_of_pipelines": Fault(
        "keras.namespace", "compile_fit.pipeline-keeps-pairs", "the loss of evaluate", first_batches_of_pipelines
    ),
}
