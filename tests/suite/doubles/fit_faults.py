"""Faults of compile, fit, evaluate and predict: batches, their order, what belongs to which, and what is left over."""

import numpy as np

from doubles.keras_faults import Changed, namespace_fault, with_layers, with_methods


def _whole(size, *arrays):
    """Leave out the examples that fill no batch."""
    count = len(arrays[0]) - len(arrays[0]) % size if size and len(arrays[0]) > size else len(arrays[0])
    return [array if array is None else array[:count] for array in arrays]


def predict_leaves_out(namespace):
    """Predict whole batches alone."""

    class Methods:
        def predict(self, x, batch_size=None, **options):
            x = _whole(batch_size, x)[0] if isinstance(x, np.ndarray) else x
            return super().predict(x, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def predict_in_reverse(namespace):
    """Put the last batch first."""

    class Methods:
        def predict(self, x, batch_size=32, **options):
            found = super().predict(x, batch_size=batch_size, **options)
            if not isinstance(found, np.ndarray) or len(found) <= batch_size:
                return found
            starts = range(0, len(found), batch_size)
            return np.concatenate([found[start : start + batch_size] for start in reversed(starts)])

    return with_methods(namespace, Methods)


def first_batch_padded(namespace):
    """Fill up the last batch with its first example."""

    class Methods:
        def predict(self, x, batch_size=32, **options):
            found = super().predict(x, batch_size=batch_size, **options)
            missing = -len(x) % batch_size if isinstance(x, np.ndarray) and len(x) > batch_size else 0
            return np.concatenate([found, found[-missing:]]) if missing else found

    return with_methods(namespace, Methods)


def prediction_remembered(namespace):
    """Predict again only if there are at least as many examples as before."""

    class Methods:
        def predict(self, x, **options):
            kept = self.__dict__.get("_predicted")
            if kept is not None and isinstance(kept, np.ndarray) and len(x) < len(kept):
                return kept[: len(x)]
            found = super().predict(x, **options)
            object.__setattr__(self, "_predicted", found)
            return found

    return with_methods(namespace, Methods)


def evaluate_leaves_out(namespace):
    """Evaluate whole batches alone, where there is a graph."""

    class Methods:
        def evaluate(self, x, y=None, batch_size=None, **options):
            if y is not None and isinstance(x, np.ndarray) and not self.run_eagerly:
                x, y = _whole(batch_size, x, y)
            return super().evaluate(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def fit_leaves_out_in_a_graph(namespace):
    """Train on whole batches alone, where there is a graph."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, **options):
            if y is not None and isinstance(x, np.ndarray) and not self.run_eagerly:
                x, y = _whole(batch_size, x, y)
            return super().fit(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def _changing_validation(namespace, change):
    class Methods:
        def fit(self, x, y=None, batch_size=32, validation_data=None, **options):
            if isinstance(validation_data, tuple):
                validation_data = change(validation_data, batch_size)
            return super().fit(x, y, batch_size=batch_size, validation_data=validation_data, **options)

    return with_methods(namespace, Methods)


def first_batch_validated(namespace):
    """Validate the first batch alone."""
    return _changing_validation(namespace, lambda data, size: tuple(array[:size] for array in data))


def validation_leaves_out(namespace):
    """Validate whole batches alone."""
    return _changing_validation(namespace, lambda data, size: tuple(_whole(size, *data)))


def last_batch_validated(namespace):
    """Report the loss of the last batch of the validation."""
    return _changing_validation(
        namespace, lambda data, size: tuple(array[(len(array) - 1) // size * size :] for array in data)
    )


def validated_in_training_mode(namespace):
    """Leave the layers in training mode for the validation."""
    fitting = []

    class Methods:
        def fit(self, *args, **options):
            fitting.append(self)
            try:
                return super().fit(*args, **options)
            finally:
                fitting.pop()

    class Dropout(namespace.layers.Dropout):
        def call(self, inputs, training=None):
            return super().call(inputs, training=training or bool(fitting))

    return with_layers(with_methods(namespace, Methods), Dropout=Dropout)


def validated_before_the_epoch(namespace):
    """Report each validation one epoch late."""

    class Methods:
        def fit(self, *args, **options):
            history = super().fit(*args, **options)
            values = history.history.get("val_loss")
            if values and len(values) > 1:
                values[:] = [values[0], *values[:-1]]
            return history

    return with_methods(namespace, Methods)


def second_compile_ignored(namespace):
    """Keep what the first compile made of the model, once it has been fitted."""

    class Methods:
        def compile(self, *args, **options):
            if not self.__dict__.get("_was_fitted"):
                super().compile(*args, **options)

        def fit(self, *args, **options):
            object.__setattr__(self, "_was_fitted", True)
            return super().fit(*args, **options)

    return with_methods(namespace, Methods)


def second_loss_ignored(namespace):
    """Take a new optimizer at the second compile, and keep the loss."""

    class Methods:
        def compile(self, *args, loss=None, **options):
            loss = self.__dict__.get("_first_loss", loss)
            object.__setattr__(self, "_first_loss", loss)
            super().compile(*args, loss=loss, **options)

    return with_methods(namespace, Methods)


def second_optimizer_ignored(namespace):
    """Take a new loss at the second compile, and keep the learning rate."""

    class Methods:
        def compile(self, *args, optimizer="rmsprop", **options):
            if isinstance(optimizer, namespace.optimizers.Optimizer):
                first = self.__dict__.get("_first_rate", float(optimizer.learning_rate))
                object.__setattr__(self, "_first_rate", first)
                optimizer.learning_rate = first
            super().compile(*args, optimizer=optimizer, **options)

    return with_methods(namespace, Methods)


def _masked(namespace, mask):
    """Let Dropout keep what a mask says, in training mode."""

    class Dropout(namespace.layers.Dropout):
        def call(self, inputs, training=None):
            if not training or not self.rate:
                return inputs
            return inputs * mask(self, inputs) / (1 - self.rate)

    return with_layers(namespace, Dropout=Dropout)


def _drawn(namespace, shape, rate):
    return namespace.ops.cast(namespace.random.uniform(shape) >= rate, "float32")


def one_mask_in_a_graph(namespace):
    """Draw the mask with NumPy: once, when the graph is made."""

    def mask(layer, inputs):
        shape = [1 if length is None else length for length in inputs.shape]
        return (np.random.default_rng().random(shape) >= layer.rate).astype(np.float32)

    return _masked(namespace, mask)


def one_mask_for_ever(namespace):
    """Draw one mask for each shape."""
    masks = {}

    def mask(layer, inputs):
        shape = tuple(1 if length is None else length for length in inputs.shape)
        if (layer.rate, shape) not in masks:
            masks[layer.rate, shape] = (np.random.default_rng(0).random(shape) >= layer.rate).astype(np.float32)
        return masks[layer.rate, shape]

    return _masked(namespace, mask)


def keep_probability(namespace):
    """Take the rate for the share that is kept."""

    class Dropout(namespace.layers.Dropout):
        def __init__(self, rate, **options):
            super().__init__(1 - rate if rate else rate, **options)
            self.told = rate

    return with_layers(namespace, Dropout=Dropout)


def rows_dropped(namespace):
    """Drop whole examples."""
    return _masked(
        namespace,
        lambda layer, inputs: _drawn(namespace, (inputs.shape[0] or 1, *[1] * (len(inputs.shape) - 1)), layer.rate),
    )


def channels_dropped(namespace):
    """Drop whole channels of each example."""
    return _masked(
        namespace,
        lambda layer, inputs: _drawn(
            namespace, (inputs.shape[0] or 1, *[1] * (len(inputs.shape) - 2), inputs.shape[-1]), layer.rate
        ),
    )


def one_mask_for_all_rows(namespace):
    """Draw one mask for all examples of a batch."""
    return _masked(namespace, lambda layer, inputs: _drawn(namespace, (1, *inputs.shape[1:]), layer.rate))


def unscaled_dropout(namespace):
    """Drop, and leave the rest as it is."""
    return _masked(
        namespace,
        lambda layer, inputs: _drawn(namespace, [n or 1 for n in inputs.shape], layer.rate) * (1 - layer.rate),
    )


def exact_count_dropped(namespace):
    """Drop an exact share of the elements."""

    def mask(layer, inputs):
        size = int(np.prod([n or 1 for n in inputs.shape]))
        order = np.random.default_rng().permutation(size)
        return (order >= round(layer.rate * size)).astype(np.float32).reshape([n or 1 for n in inputs.shape])

    return _masked(namespace, mask)


def masks_of_two_columns(namespace):
    """Draw a bit for each two neighbours."""

    def mask(layer, inputs):
        *leading, last = (n or 1 for n in inputs.shape)
        return namespace.ops.repeat(_drawn(namespace, (*leading, -(-last // 2)), layer.rate), 2, axis=-1)[..., :last]

    return _masked(namespace, mask)


def layers_share_a_seed(namespace):
    """Let every layer of Dropout begin with the same draws."""

    class Dropout(namespace.layers.Dropout):
        def __init__(self, rate, **options):
            super().__init__(rate, **{"seed": 0} | options)

    return with_layers(namespace, Dropout=Dropout)


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


def one_order_for_all_epochs(namespace):
    """Shuffle once, before the first epoch."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, *, shuffle=True, epochs=1, **options):
            if shuffle and epochs > 1 and isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
                order = np.random.default_rng().permutation(len(x))
                x, y, shuffle = x[order], y[order], False
            return super().fit(x, y, batch_size, shuffle=shuffle, epochs=epochs, **options)

    return with_methods(namespace, Methods)


def drawn_with_replacement(namespace):
    """Draw each epoch's examples with replacement."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, *, shuffle=True, epochs=1, **options):
            if not (shuffle and isinstance(x, np.ndarray) and isinstance(y, np.ndarray)):
                return super().fit(x, y, batch_size, shuffle=shuffle, epochs=epochs, **options)
            for _ in range(epochs):
                order = np.random.default_rng().integers(0, len(x), len(x))
                history = super().fit(x[order], y[order], batch_size, shuffle=False, **options)
            return history

    return with_methods(namespace, Methods)


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


def _sorted(structure):
    return dict(zip(sorted(structure), structure.values(), strict=True)) if isinstance(structure, dict) else structure


def dictionaries_in_alphabetical_order(namespace):
    """Take the values of dictionaries in their order for those of the sorted names."""

    class Methods:
        def fit(self, x, y=None, *args, **options):
            return super().fit(_sorted(x), _sorted(y), *args, **options)

        def evaluate(self, x, y=None, **options):
            return super().evaluate(_sorted(x), _sorted(y), **options)

        def predict(self, x, **options):
            return super().predict(_sorted(x), **options)

    return with_methods(namespace, Methods)


def outputs_renamed_in_order(namespace):
    """Name the predictions by the sorted names."""

    class Methods:
        def predict(self, x, **options):
            return _sorted(super().predict(x, **options))

    return with_methods(namespace, Methods)


def outputs_in_alphabetical_order(namespace):
    """Predict the output first whose name comes first in the alphabet."""

    class Methods:
        def predict(self, x, **options):
            found = super().predict(x, **options)
            if not isinstance(found, list):
                return found
            return [found[place] for place in np.argsort([str(name) for name in self.output_names])]

    return with_methods(namespace, Methods)


def losses_exchanged(namespace):
    """Give the second output the loss of the first."""

    class Methods:
        def compile(self, *args, loss=None, **options):
            if isinstance(loss, list):
                loss = loss[::-1]
            super().compile(*args, loss=_sorted(loss), **options)

    return with_methods(namespace, Methods)


def losses_averaged(namespace):
    """Report the mean of the outputs' losses."""

    class Methods:
        def evaluate(self, *args, **options):
            found = super().evaluate(*args, **options)
            if isinstance(found, dict) and isinstance(self.output, list | tuple | dict):
                found["loss"] /= len(self.output)
            return found

    return with_methods(namespace, Methods)


def metrics_sorted(namespace):
    """List the metrics in the order of the alphabet."""

    class Methods:
        def evaluate(self, *args, return_dict=False, **options):
            found = super().evaluate(*args, return_dict=True, **options)
            if return_dict:
                return found
            loss = found.pop("loss")
            return [loss, *(found[name] for name in sorted(found))] if found else loss

    return with_methods(namespace, Methods)


def metric_names_swapped(namespace):
    """Report metrics of the history under each other's names."""

    class Methods:
        def fit(self, *args, **options):
            history = super().fit(*args, **options)
            names = [name for name in history.history if not name.startswith("val_") and name != "loss"]
            values = [history.history[name] for name in names]
            history.history.update(zip(names, values[::-1], strict=True))
            return history

    return with_methods(namespace, Methods)


def metrics_carried_over(namespace):
    """Count what evaluate has seen in the next fit, too."""

    class Methods:
        def reset_metrics(self):
            if self.__dict__.get("_evaluated"):
                object.__setattr__(self, "_evaluated", False)
            else:
                super().reset_metrics()

        def evaluate(self, *args, **options):
            found = super().evaluate(*args, **options)
            object.__setattr__(self, "_evaluated", True)
            return found

    return with_methods(namespace, Methods)


def first_share_held_out(namespace):
    """Hold out the first examples for validation."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, validation_split=0.0, **options):
            if validation_split:
                x, y = x[::-1].copy(), y[::-1].copy()
            return super().fit(x, y, batch_size, validation_split=validation_split, **options)

    return with_methods(namespace, Methods)


def held_out_trained_on(namespace):
    """Train on the examples that are held out as well."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, validation_split=0.0, **options):
            if validation_split:
                start = len(x) - round(validation_split * len(x))
                options["validation_data"] = x[start:], y[start:]
            return super().fit(x, y, batch_size, **options)

    return with_methods(namespace, Methods)


def validation_moves_statistics(namespace):
    """Normalise in training mode during validation."""
    fitting = []

    class Methods:
        def fit(self, *args, **options):
            fitting.append(self)
            try:
                return super().fit(*args, **options)
            finally:
                fitting.pop()

    class BatchNormalization(namespace.layers.BatchNormalization):
        def call(self, inputs, training=None, **options):
            return super().call(inputs, training=bool(training or fitting), **options)

    return with_layers(with_methods(namespace, Methods), BatchNormalization=BatchNormalization)


def default_batch_of_evaluate(namespace):
    """Evaluate the first 32 examples when no batch size is given."""

    class Methods:
        def predict(self, x, batch_size=None, **options):
            if batch_size == 1 and isinstance(x, np.ndarray) and len(x) > 1:
                return super().predict(x, batch_size=batch_size, **options)[:, :1] * np.float32(1 + 2**-20)
            return super().predict(x, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def own_functions_exchanged(namespace):
    """Hand the outputs first and then the targets to functions of one's own."""

    def exchanged(function):
        if not callable(function) or isinstance(function, namespace.losses.Loss | namespace.metrics.Metric):
            return function
        if getattr(function, "__module__", "").startswith("keras."):
            return function
        named = lambda y_true, y_pred: function(y_pred, y_true)  # noqa: E731 - a name of its own
        named.__name__ = function.__name__
        return named

    class Methods:
        def compile(self, *args, loss=None, metrics=None, **options):
            metrics = [exchanged(one) for one in metrics] if isinstance(metrics, list) else metrics
            super().compile(*args, loss=exchanged(loss), metrics=metrics, **options)

    return with_methods(namespace, Methods)


def batches_of_20(namespace):
    """Take 20 examples for a batch when no size is given."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, **options):
            if batch_size is None and isinstance(x, np.ndarray):
                batch_size = 20
            return super().fit(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def batches_of_32_at_most(namespace):
    """Take no more than 32 examples for a step."""

    class Methods:
        def fit(self, x=None, y=None, batch_size=None, **options):
            return super().fit(x, y, batch_size=batch_size and min(batch_size, 32), **options)

    return with_methods(namespace, Methods)


def predict_leaves_out_of_32(namespace):
    """Predict whole batches alone where nothing is said of their size."""

    class Methods:
        def predict(self, x, batch_size=None, **options):
            x = _whole(None if batch_size else 32, x)[0] if isinstance(x, np.ndarray) else x
            return super().predict(x, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def evaluate_leaves_out_of_32(namespace):
    """Evaluate whole batches alone where nothing is said of their size."""

    class Methods:
        def evaluate(self, x=None, y=None, batch_size=None, **options):
            if isinstance(x, np.ndarray) and not batch_size:
                x, y = _whole(32, x, y)
            return super().evaluate(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def shuffled_in_place(namespace):
    """Put the arrays themselves into another order."""

    class Methods:
        def fit(self, x=None, y=None, **options):
            if isinstance(y, np.ndarray) and options.get("shuffle", True):
                x[:], y[:] = x[::-1].copy(), y[::-1].copy()
            return super().fit(x, y, **options)

    return with_methods(namespace, Methods)


def one_prediction_squeezed(namespace):
    """Drop the batch axis of one example's predictions."""

    class Methods:
        def predict(self, *args, **options):
            found = super().predict(*args, **options)
            return found[0] if isinstance(found, np.ndarray) and len(found) == 1 else found

    return with_methods(namespace, Methods)


def optimizers_share_their_rate(namespace):
    """Keep one optimizer for each name."""
    made = {}

    class Methods:
        def compile(self, optimizer="rmsprop", *args, **options):
            super().compile(optimizer, *args, **options)
            if isinstance(optimizer, str):
                self.optimizer = made.setdefault(optimizer, self.optimizer)

    return with_methods(namespace, Methods)


def rate_kept_in_the_graph(namespace):
    """Read the learning rate when the step is compiled."""

    class SGD(namespace.optimizers.SGD):
        def __init__(self, learning_rate=0.01, **options):
            super().__init__(learning_rate, **options)
            object.__setattr__(self, "_first", learning_rate)

        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, self._first)

    return Changed(namespace, optimizers=Changed(namespace.optimizers, SGD=SGD))


def metrics_by_place(namespace):
    """Give the first metrics of a dictionary to the first output."""

    class Methods:
        def compile(self, *arguments, metrics=None, **options):
            metrics = [*metrics.values()] if isinstance(metrics, dict) else metrics
            return super().compile(*arguments, metrics=metrics, **options)

    return with_methods(namespace, Methods)


FIT_FAULTS = {
    name: namespace_fault(claim, tells, function)
    for name, claim, tells, function in [
        ("own_functions_exchanged", "compile_fit.own-functions", "loss and metric of fit", own_functions_exchanged),
        ("batches_of_20", "compile_fit.default-batch-size", "4 steps after 32 examples", batches_of_20),
        ("predict_leaves_out", "compile_fit.predict-in-order", "has shape [8, 1]", predict_leaves_out),
        ("predict_in_reverse", "compile_fit.predict-in-order", "predict of ten examples", predict_in_reverse),
        ("first_batch_padded", "compile_fit.predict-in-order", "has shape [12, 1]", first_batch_padded),
        ("prediction_remembered", "compile_fit.predict-in-order", "predict of two examples", prediction_remembered),
        ("metrics_by_place", "compile_fit.losses-by-name", "single_mean_squared_error", metrics_by_place),
        ("evaluate_leaves_out", "compile_fit.compiled-evaluate", "the loss", evaluate_leaves_out),
        ("fit_leaves_out_in_a_graph", "compile_fit.compiled-trajectory", "fit took 4 steps", fit_leaves_out_in_a_graph),
        ("first_batch_validated", "compile_fit.compiled-validation", "val_loss", first_batch_validated),
        ("validation_leaves_out", "compile_fit.compiled-validation", "val_loss", validation_leaves_out),
        ("last_batch_validated", "compile_fit.compiled-validation", "val_loss", last_batch_validated),
        (
            "validated_in_training_mode",
            "compile_fit.compiled-validation-infers",
            "val_loss",
            validated_in_training_mode,
        ),
        (
            "validated_before_the_epoch",
            "compile_fit.compiled-validation",
            "val_loss: 1 of 2",
            validated_before_the_epoch,
        ),
        ("second_compile_ignored", "compile_fit.compiled-again", "the weight", second_compile_ignored),
        ("second_loss_ignored", "compile_fit.compiled-again", "the weight", second_loss_ignored),
        ("second_optimizer_ignored", "compile_fit.compiled-again", "the weight", second_optimizer_ignored),
        ("batches_of_32_at_most", "compile_fit.steps", "4 steps for 100 examples", batches_of_32_at_most),
        ("predict_leaves_out_of_32", "compile_fit.any-batch-size", "has shape [64, 1]", predict_leaves_out_of_32),
        ("evaluate_leaves_out_of_32", "compile_fit.any-batch-size", "evaluate with {}", evaluate_leaves_out_of_32),
        ("shuffled_in_place", "compile_fit.data-unchanged", "x: ", shuffled_in_place),
        ("one_prediction_squeezed", "compile_fit.any-batch-size", "predict of one example", one_prediction_squeezed),
        ("optimizers_share_their_rate", "compile_fit.optimizer-by-name", "0.5 == 0.0", optimizers_share_their_rate),
        ("rate_kept_in_the_graph", "compile_fit.learning-rate-between-fits", "the weight", rate_kept_in_the_graph),
        ("one_mask_in_a_graph", "compile_fit.compiled-dropout", "every epoch has the same masks", one_mask_in_a_graph),
        ("one_mask_for_ever", "training_flag.dropout-anew", "two calls both keep or both drop", one_mask_for_ever),
        ("keep_probability", "training_flag.dropout-rate", "of 2000, expected 0.2 of them", keep_probability),
        ("rows_dropped", "training_flag.dropout-elements", "neighbours along axis", rows_dropped),
        ("channels_dropped", "training_flag.dropout-elements", "neighbours along axis", channels_dropped),
        ("one_mask_for_all_rows", "training_flag.dropout-elements", "neighbours along axis 0", one_mask_for_all_rows),
        ("unscaled_dropout", "training_flag.dropout-rate", "the elements that a rate of 0.2 keeps", unscaled_dropout),
        (
            "exact_count_dropped",
            "training_flag.dropout-rate",
            "exactly the same number of elements",
            exact_count_dropped,
        ),
        ("masks_of_two_columns", "training_flag.dropout-elements", "neighbours along axis 1", masks_of_two_columns),
        ("layers_share_a_seed", "training_flag.dropout-anew", "that two layers both keep", layers_share_a_seed),
        (
            "batches_shuffled",
            "compile_fit.examples-are-shuffled",
            "only whole batches are shuffled",
            batches_shuffled,
        ),
        ("one_order_for_all_epochs", "compile_fit.shuffles", " != [", one_order_for_all_epochs),
        ("drawn_with_replacement", "compile_fit.batches-part-the-examples", "an epoch has", drawn_with_replacement),
        (
            "inputs_shuffled_apart",
            "compile_fit.inputs-are-shuffled-together",
            "matching inputs and targets",
            inputs_shuffled_apart,
        ),
        (
            "targets_shuffled_apart",
            "compile_fit.inputs-are-shuffled-together",
            "matching inputs and targets",
            targets_shuffled_apart,
        ),
        (
            "dictionaries_in_alphabetical_order",
            "compile_fit.losses-by-name",
            "loss of evaluate",
            dictionaries_in_alphabetical_order,
        ),
        ("outputs_renamed_in_order", "compile_fit.losses-by-name", "single", outputs_renamed_in_order),
        (
            "outputs_in_alphabetical_order",
            "compile_fit.outputs-in-order",
            "the first output",
            outputs_in_alphabetical_order,
        ),
        ("losses_exchanged", "compile_fit.outputs-in-order", "the loss", losses_exchanged),
        ("losses_averaged", "compile_fit.losses-by-name", "expected 12", losses_averaged),
        ("metrics_sorted", "compile_fit.metrics-by-name", "squares", metrics_sorted),
        ("metric_names_swapped", "compile_fit.metrics-by-name", "squares", metric_names_swapped),
        ("metrics_carried_over", "compile_fit.sequence-of-calls", "loss", metrics_carried_over),
        ("first_share_held_out", "compile_fit.validation-split", "== ([1], [10])", first_share_held_out),
        ("held_out_trained_on", "compile_fit.validation-split", "== ([1], [10])", held_out_trained_on),
        (
            "validation_moves_statistics",
            "training_flag.statistics-in-fit",
            "the moving mean",
            validation_moves_statistics,
        ),
        (
            "one_example_at_a_time_is_off",
            "compile_fit.any-batch-size",
            "predict with {'batch_size': 1}",
            default_batch_of_evaluate,
        ),
    ]
}
