"""Faults between calls: what an earlier call, another seed or a smaller part of the data decides."""

from importlib import import_module

import numpy as np

from doubles.faulty import Fault
from doubles.keras_faults import namespace_fault, with_layers, with_methods


def first_batch_size_kept(namespace):
    """Fit with the batch size of the first fit."""

    class Methods:
        def fit(self, *args, batch_size=None, **options):
            batch_size = self.__dict__.setdefault("_batch_size", batch_size)
            return super().fit(*args, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def weights_of_the_first_prediction(namespace):
    """Predict with the weights that there were at the first prediction since the last fit."""

    class Methods:
        def fit(self, *args, **options):
            self.__dict__["_known"] = None
            return super().fit(*args, **options)

        def predict(self, *args, **options):
            now = self.get_weights()
            if self.__dict__.get("_known") is None:
                self.__dict__["_known"] = now
            self.set_weights(self.__dict__["_known"])
            found = super().predict(*args, **options)
            self.set_weights(now)
            return found

    return with_methods(namespace, Methods)


def arrays_of_predict_remembered(namespace):
    """Predict for what an array held when it was first handed over."""

    class Methods:
        def predict(self, x, *args, **options):
            known, copy = self.__dict__.get("_known", (None, None))
            if known is not x:
                copy = np.array(x)
                self.__dict__["_known"] = x, copy
            return super().predict(copy, *args, **options)

    return with_methods(namespace, Methods)


def arrays_of_fit_remembered(namespace):
    """Fit to what arrays held when they were first handed over."""

    class Methods:
        def fit(self, x, y, **options):
            known = self.__dict__.get("_data")
            if known is None or known[0] is not x or known[1] is not y:
                known = self.__dict__["_data"] = x, y, np.array(x), np.array(y)
            return super().fit(*known[2:], **options)

    return with_methods(namespace, Methods)


def predictions_in_one_buffer(namespace):
    """Put predictions of one shape where the last ones were."""

    class Methods:
        def predict(self, *args, **options):
            found = super().predict(*args, **options)
            kept = self.__dict__.setdefault("_kept", {}).setdefault(found.shape, found)
            kept[...] = found
            return kept

    return with_methods(namespace, Methods)


def weights_in_one_list(namespace):
    """Return the same arrays whenever the weights are asked for."""

    class Methods:
        def get_weights(self):
            found = [np.array(one) for one in super().get_weights()]
            kept = self.__dict__.setdefault("_kept", found)
            for array, values in zip(kept, found, strict=True):
                array[...] = values
            return kept

    return with_methods(namespace, Methods)


def one_history(namespace):
    """Return the same history from every fit."""

    class Methods:
        def fit(self, *args, **options):
            found = super().fit(*args, **options)
            kept = self.__dict__.setdefault("_kept", found)
            kept.history = found.history
            return kept

    return with_methods(namespace, Methods)


def smaller_last_batch_in_training_mode(namespace):
    """Leave Dropout on for what is left of the examples after whole batches."""

    class Methods:
        def predict(self, x, batch_size=32, **options):
            found = super().predict(x, batch_size=batch_size, **options)
            rest = len(x) % batch_size
            if len(x) > batch_size and rest:
                found[-rest:] = self(x[-rest:], training=True)
            return found

    return with_methods(namespace, Methods)


def bias_always_zeros(namespace):
    """Start the bias of Dense from 0."""

    class Dense(namespace.layers.Dense):
        def __init__(self, *args, bias_initializer="zeros", **options):
            super().__init__(*args, bias_initializer="zeros", **options)

    return with_layers(namespace, Dense=Dense)


def last_state_first(namespace):
    """Begin with the state that the last call of the cell left."""

    class LSTMCell(namespace.layers.LSTMCell):
        def call(self, inputs, states, **options):
            output, new = super().call(inputs, states, **options)
            self.__dict__["_left"] = new
            return output, new

        def get_initial_state(self, batch_size=None):
            return self.__dict__.get("_left") or super().get_initial_state(batch_size)

    return with_layers(namespace, LSTMCell=LSTMCell)


def _drawn(count, buffer, generator):
    """Draw an order of examples, each from a buffer that the next one refills."""
    held, order = [*range(min(buffer, count))], []
    for position in range(count):
        order.append(held.pop(int(generator.integers(len(held)))))
        if position + buffer < count:
            held.append(position + buffer)
    return order


def epochs_seeded_in_a_row(batches, images, labels, *, shuffle_buffer, batch_size, epochs, seed, **options):
    """Shuffle each epoch by the seed of the one before and 1."""
    ready = batches(images, labels, shuffle_buffer=1, batch_size=len(images), epochs=1, seed=seed, **options)[0]
    found = []
    for epoch in range(epochs):
        order = np.array(_drawn(len(images), shuffle_buffer, np.random.default_rng(seed + epoch)))
        places = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        found += [tuple(array[place] for array in ready) for place in places]
    return found


def seed_of_16_bits(batches, *args, seed, **options):
    """Look at the lower bits of a seed."""
    return batches(*args, seed=seed % 2**16, **options)


def three_channels_at_most(batches, images, labels, **options):
    """Drop what comes after red, green and blue."""
    found = batches([image[..., :3] for image in images], labels, **options)
    more = images[0].shape[-1] - 3
    return [(np.pad(one, [(0, 0)] * 3 + [(0, max(more, 0))]), its) for one, its in found]


def only_what_is_asked_for(_, count, *, image_size, shuffle_buffer, batch_size, seed, mock):
    """Shuffle as many examples as are asked for, and not the whole split."""
    # It loads TensorFlow, which most faults do without.
    reference = import_module("assay.reference.flowers")
    with reference.source(mock=mock):
        asked = reference.load().take(count * batch_size)
        return [*reference.arrays(reference.pipeline(asked, image_size, shuffle_buffer, batch_size, seed))]


def in_one_buffer():
    """Return a fault that puts batches of one shape where the last ones were."""
    kept = {}

    def wrong(batches, *args, **options):
        found = batches(*args, **options)
        for number, pair in enumerate(found):
            for which, array in enumerate(pair):
                kept.setdefault((number, which, array.shape), np.array(array))[...] = array
        return [
            tuple(kept[number, which, array.shape] for which, array in enumerate(pair))
            for number, pair in enumerate(found)
        ]

    return wrong


def frames_of_the_next_seed(frames, actions, seed):
    """Draw the episode of another seed."""
    return frames(actions, seed + 1)


NUMBERS, SPLIT = "flowers.image_batches", "flowers.batches"
ARRAYS, STAY = "compile_fit.arrays-as-they-are", "compile_fit.results-stay"
CALL_STATE_FAULTS = {
    "first_batch_size_kept": namespace_fault("compile_fit.steps", "in batches of 5", first_batch_size_kept),
    "weights_of_the_first_prediction": namespace_fault(
        "compile_fit.weights-as-they-are", "predict with a weight of 2", weights_of_the_first_prediction
    ),
    "arrays_of_predict_remembered": namespace_fault(ARRAYS, "predict of an array", arrays_of_predict_remembered),
    "arrays_of_fit_remembered": namespace_fault(ARRAYS, "loss of arrays", arrays_of_fit_remembered),
    "predictions_in_one_buffer": namespace_fault(STAY, "predict: what call 1", predictions_in_one_buffer),
    "weights_in_one_list": namespace_fault(STAY, "get_weights: what call 1", weights_in_one_list),
    "one_history": namespace_fault(STAY, "a second fit changes", one_history),
    "smaller_last_batch_in_training_mode": namespace_fault(
        "training_flag.evaluate-infers", "in batches of two", smaller_last_batch_in_training_mode
    ),
    "bias_always_zeros": namespace_fault("dense.initializers", "the bias", bias_always_zeros),
    "last_state_first": namespace_fault("rnn.get-initial-state", "after a call", last_state_first),
    "epochs_seeded_in_a_row": Fault(NUMBERS, "flowers.shuffle-seed", "epochs in common", epochs_seeded_in_a_row),
    "orders_by_seeds_of_16_bits": Fault(NUMBERS, "flowers.shuffle-seed", "draw the same orders", seed_of_16_bits),
    "three_channels_at_most": Fault(NUMBERS, "flowers.resize", "image", three_channels_at_most),
    "batches_in_one_buffer": Fault(NUMBERS, "flowers.results-stay", "image_batches: what call 1", in_one_buffer()),
    "batches_of_the_split_in_one_buffer": Fault(SPLIT, "flowers.results-stay", "batches: what call 1", in_one_buffer()),
    "only_what_is_asked_for": Fault(SPLIT, "flowers.split-shuffled", "of the whole split are", only_what_is_asked_for),
    "frames_of_the_next_seed": Fault(
        "environments.frames", "cartpole.frames-show-their-states", "the cart", frames_of_the_next_seed
    ),
}
