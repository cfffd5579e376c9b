"""Faults of how fit shuffles over several epochs, of masks of Dropout that are opposites, and of validation weights."""

import numpy as np

from doubles.keras_faults import namespace_fault, with_layers, with_methods


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


def move_the_last_targets(epoch, count, _size, generator, _earlier):
    """Take the targets of other examples from the third epoch on."""
    order = generator.permutation(count)
    return order, np.roll(order, int(epoch > 1))


def leave_the_first(_epoch, count, _size, generator, _earlier):
    """Leave the first example in its place."""
    return np.concatenate([[0], 1 + generator.permutation(count - 1)])


def leave_the_rest(_epoch, count, size, generator, _earlier):
    """Shuffle the whole batches only."""
    whole = count - count % size
    return np.concatenate([generator.permutation(whole), np.arange(whole, count)])


def order_by_the_epoch(epoch, count, _size, _generator, _earlier):
    """Draw the order from the number of the epoch."""
    return np.random.default_rng(epoch).permutation(count)


def opposite_masks(namespace):
    """Drop an example's elements by the opposites of the numbers of another one, half a batch before."""

    class Dropout(namespace.layers.Dropout):
        def call(self, inputs, training=None):
            if not training or not self.rate or None in inputs.shape:
                return super().call(inputs, training=training)
            half = np.random.default_rng().random((-(-inputs.shape[0] // 2), *inputs.shape[1:]))
            numbers = np.concatenate([half, 1 - half])[: inputs.shape[0]]
            return inputs * (numbers >= self.rate).astype(np.float32) / (1 - self.rate)

    return with_layers(namespace, Dropout=Dropout)


def validation_without_weights(namespace):
    """Leave out the weights of validation data."""

    class Methods:
        def fit(self, *args, validation_data=None, **options):
            if isinstance(validation_data, tuple):
                validation_data = validation_data[:2]
            return super().fit(*args, validation_data=validation_data, **options)

    return with_methods(namespace, Methods)


def best_weights_restored(namespace):
    """Go back to the weights of the epoch with the best validation."""

    class Methods:
        def fit(self, *args, validation_data=None, epochs=1, initial_epoch=0, **options):
            if not isinstance(validation_data, tuple) or initial_epoch or epochs < 2:
                options |= {"epochs": epochs, "initial_epoch": initial_epoch}
                return super().fit(*args, validation_data=validation_data, **options)
            found, best = {}, None
            for _ in range(epochs):
                history = super().fit(*args, validation_data=validation_data, **options)
                for name, values in history.history.items():
                    found.setdefault(name, []).extend(values)
                if found["val_loss"][-1] == min(found["val_loss"]):
                    best = self.get_weights()
            self.set_weights(best)
            history.history = found
            return history

    return with_methods(namespace, Methods)


def optimizer_of_a_name_kept(namespace):
    """Keep the optimizer if compile names the same again."""

    class Methods:
        def compile(self, optimizer="rmsprop", **options):
            current = getattr(self, "optimizer", None)
            if isinstance(optimizer, str) and type(current) is type(namespace.optimizers.get(optimizer)):
                optimizer = current
            super().compile(optimizer=optimizer, **options)

    return with_methods(namespace, Methods)


def optimizer_begins_anew(namespace):
    """Let an optimizer count its steps from 0 in every compile."""

    class Methods:
        def compile(self, *args, **options):
            super().compile(*args, **options)
            self.optimizer.iterations.assign(0)

    return with_methods(namespace, Methods)


def first_weights_predict(namespace):
    """Predict with the weights of the first prediction, unless the model is compiled."""

    class Methods:
        def predict(self, *args, **options):
            if self.compiled or not self.built:
                return super().predict(*args, **options)
            current = self.get_weights()
            first = self.__dict__.get("_first_weights", current)
            object.__setattr__(self, "_first_weights", first)
            self.set_weights(first)
            try:
                return super().predict(*args, **options)
            finally:
                self.set_weights(current)

    return with_methods(namespace, Methods)


def stopped_early(namespace):
    """Stop when the loss has not fallen for three epochs."""

    class Methods:
        def fit(self, *args, callbacks=None, **options):
            stop = namespace.callbacks.EarlyStopping(monitor="loss", patience=3)
            return super().fit(*args, callbacks=[*(callbacks or []), stop], **options)

    return with_methods(namespace, Methods)


def first_validation_repeated(namespace):
    """Report the first validation again for all epochs but the last."""

    class Methods:
        def fit(self, *args, **options):
            history = super().fit(*args, **options)
            for name, values in history.history.items():
                if name.startswith("val_") and len(values) > 2:
                    values[1:-1] = values[:1] * (len(values) - 2)
            return history

    return with_methods(namespace, Methods)


def history_continued(namespace):
    """Put the history of an earlier fit before that of one that begins at a later epoch."""

    class Methods:
        def fit(self, *args, initial_epoch=0, **options):
            history = super().fit(*args, initial_epoch=initial_epoch, **options)
            earlier = self.__dict__.get("_earlier", {})
            if initial_epoch:
                for name, values in history.history.items():
                    values[:0] = earlier.get(name, [])
            object.__setattr__(self, "_earlier", {name: [*values] for name, values in history.history.items()})
            return history

    return with_methods(namespace, Methods)


SHUFFLE_FAULTS = {
    name: namespace_fault(claim, tells, wrong)
    for name, claim, tells, wrong in [
        (
            "orders_by_turns",
            "compile_fit.examples-are-shuffled",
            "have the same batches",
            by_orders(repeat_the_second_last),
        ),
        ("order_and_its_reverse", "compile_fit.examples-are-shuffled", "in reverse order", by_orders(reverse_the_last)),
        (
            "two_batches_shuffled",
            "compile_fit.examples-are-shuffled",
            "examples in the first half",
            by_orders(shuffle_two_batches),
        ),
        (
            "even_and_odd_shuffled_apart",
            "compile_fit.examples-are-shuffled",
            "with an even number",
            by_orders(shuffle_even_and_odd),
        ),
        (
            "two_halves_in_order",
            "compile_fit.examples-are-shuffled",
            "before all of the next batch",
            by_orders(take_two_halves_in_order),
        ),
        (
            "targets_moved_later",
            "compile_fit.inputs-are-shuffled-together",
            "== [0.0, 0.0,",
            by_orders(move_the_last_targets),
        ),
        (
            "first_example_stays_first",
            "compile_fit.examples-are-shuffled",
            "are at their own places",
            by_orders(leave_the_first),
        ),
        (
            "rest_stays_last",
            "compile_fit.examples-are-shuffled",
            "always has the examples [8, 9]",
            by_orders(leave_the_rest),
        ),
        (
            "order_of_the_epoch",
            "compile_fit.shuffles",
            "two trainings have the same orders",
            by_orders(order_by_the_epoch),
        ),
        (
            "masks_of_opposites",
            "training_flag.dropout-elements",
            "half the axis away",
            opposite_masks,
        ),
        (
            "validation_without_weights",
            "compile_fit.validation-is-evaluate",
            "the weighted losses of the validation",
            validation_without_weights,
        ),
        (
            "best_weights_restored",
            "compile_fit.validation-after-each-epoch",
            "not the one after the last epoch",
            best_weights_restored,
        ),
        (
            "first_validation_repeated",
            "compile_fit.validation-after-each-epoch",
            "the losses of the validation",
            first_validation_repeated,
        ),
        (
            "first_weights_predict",
            "compile_fit.weights-as-they-are",
            "predict with a weight of 2",
            first_weights_predict,
        ),
        (
            "optimizer_of_a_name_kept",
            "compile_fit.optimizer-by-name",
            "the optimizer of the first training",
            optimizer_of_a_name_kept,
        ),
        (
            "optimizer_begins_anew",
            "compile_fit.optimizer-object",
            "the optimizer loses its steps",
            optimizer_begins_anew,
        ),
        ("stopped_early", "compile_fit.epochs", "== [1.0, 1.0,", stopped_early),
        ("history_continued", "compile_fit.history", "the losses of the later epochs", history_continued),
    ]
}
