"""Faults of how arrays lie in memory, of results that later calls change, and of parameters that are not the last."""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from assay.alternatives.numpy.models import MODELS, copy_parameters, rnn
from assay.alternatives.numpy.optimizers import Adam
from assay.alternatives.numpy.text import draw_windows
from assay.contract import Trained
from assay.testing.stored_arrays import map_arrays
from doubles.faulty import Fault


def in_memory_order(array):
    """Return the elements as they lie in memory, in the shape of the array."""
    return array.ravel(order="K").reshape(array.shape)


def without_strides(array):
    """Read from the first element on, as code does that takes a pointer and a length."""
    return as_strided(array, (array.size,), (array.itemsize,)).copy().reshape(array.shape)


def reading(change, *places):
    """Return a function that reads some of its arguments in another order."""

    def wrong(right, *args, **options):
        changed = [map_arrays(change, arg) if place in places else arg for place, arg in enumerate(args)]
        return right(*changed, **options)

    return wrong


def into_a_buffer():
    """Return a function that writes its results into arrays that it keeps, one for each place and form."""
    kept = {}

    def wrong(right, *args, **options):
        places = iter(range(1_000))

        def write(array):
            out = kept.setdefault((next(places), array.shape, array.dtype), np.empty_like(array))
            out[...] = array
            return out

        return map_arrays(write, right(*args, **options))

    return wrong


def best_of(model, batches, parameters, learning_rate):
    """Train, and return the parameters after the step of the lowest loss."""
    optimizer, losses, best = Adam(learning_rate), [], parameters
    for batch in batches:
        loss, gradients = model.loss_and_gradients(parameters, *batch)
        optimizer.step(parameters, gradients)
        if not losses or loss <= min(losses):
            best = copy_parameters(parameters)
        losses.append(loss)
    return Trained(np.array(losses, np.float32), best)


def fit_to_the_best(_fit, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
    """Keep the parameters of the lowest loss."""
    generator = np.random.default_rng(seed)
    initial = MODELS[model].initial(generator)
    places = (generator.integers(0, len(images), batch_size) for _ in range(num_batches))
    return best_of(MODELS[model], ((images[some], labels[some]) for some in places), initial, learning_rate)


def fit_text_to_the_best(_fit, indices, num_chars, *, num_batches, batch_size, seq_length, learning_rate, seed):
    """Keep the parameters of the lowest loss."""
    generator, model = np.random.default_rng(seed), rnn(num_chars)
    initial = model.initial(generator)
    batches = (draw_windows(indices, seq_length, batch_size, generator) for _ in range(num_batches))
    return best_of(model, batches, initial, learning_rate)


def predictions_kept():
    """Return `evaluate` that keeps what it has predicted, by the model's parameters and the number of images."""
    kept = {}

    def wrong(_evaluate, model, parameters, images, labels, _batch_size):
        key = model, len(images), *(float(values.sum()) for values in parameters.values())
        if key not in kept:
            kept[key] = MODELS[model].outputs(parameters, images)["softmax"].argmax(axis=-1)
        return float((kept[key] == labels).mean())

    return wrong


def rows_and_columns_of_mnist(preprocess, images, labels):
    """Take every image of 784 pixels for one of 28 rows."""
    scaled, classes = preprocess(images, labels)
    return (scaled.reshape(-1, 28, 28, 1) if scaled[0].size == 784 else scaled), classes


MEMORY = [
    # Name, function, claim, words of the failure, how the arguments are read, and which.
    ("batch_of_memory", "datasets.sample_batch", "mnist.batch-memory-order", "transposed", in_memory_order, 0),
    ("batch_without_strides", "datasets.sample_batch", "mnist.batch-memory-order", "sliced", without_strides, 1),
    ("windows_without_strides", "text.sample_windows", "text.memory-order", "sliced", without_strides, 0),
    ("text_fit_without_strides", "text.fit", "rnn_training.memory-order", "is not the mean", without_strides, 0),
    ("generate_without_strides", "text.generate", "generation.memory-order", "sliced", without_strides, 1),
    ("generate_from_memory", "text.generate", "generation.memory-order", "transposed", in_memory_order, 0),
    ("fit_from_memory", "training.fit", "training.fit-memory-order", "transposed", in_memory_order, 1),
    ("fit_without_strides", "training.fit", "training.fit-memory-order", "sliced", without_strides, 2),
    ("evaluate_memory", "training.evaluate", "evaluation.examples-memory-order", "transposed", in_memory_order, 2),
    ("evaluate_weights", "training.evaluate", "evaluation.examples-memory-order", "transposed", in_memory_order, 1),
    ("evaluate_strides", "training.evaluate", "evaluation.examples-memory-order", "sliced", without_strides, 3),
    ("steps_without_strides", "environments.steps", "cartpole.memory-order", "sliced", without_strides, 1),
    ("play_without_strides", "environments.play", "cartpole.memory-order", "sliced", without_strides, 0),
    ("frames_without_strides", "environments.frames", "cartpole.memory-order", "the frames", without_strides, 0),
    (
        "policy_without_strides",
        "environments.run_linear_policy",
        "cartpole.memory-order",
        "sliced",
        without_strides,
        0,
    ),
    ("act_from_memory", "agent.act", "q_learning.memory-order", "act returns something else", in_memory_order, 2),
    ("act_by_memory", "agent.act", "q_learning.memory-order", "the greedy actions, parameters", in_memory_order, 1),
    ("collect_by_memory", "agent.collect", "q_learning.memory-order", "actions, parameters", in_memory_order, 0),
    ("play_by_memory", "agent.play", "q_learning.memory-order", "the pole falls after", in_memory_order, 0),
    ("sample_without_strides", "agent.sample", "q_learning.memory-order", "sample returns", without_strides, 0),
    ("learn_by_memory", "agent.learn", "q_learning.memory-order", "learn, arrays transposed", in_memory_order, 1),
]
STAYING = {
    "datasets.preprocess": "mnist.results-stay",
    "datasets.sample_batch": "mnist.results-stay",
    "text.encode": "text.results-stay",
    "text.sample_windows": "text.results-stay",
    "text.fit": "rnn_training.results-stay",
    "agent.replay": "q_learning.results-stay",
    "agent.targets": "q_learning.results-stay",
    "agent.loss_and_gradients": "q_learning.results-stay",
    "agent.learn": "q_learning.results-stay",
}

ARRAY_FAULTS = (
    {
        name: Fault(function, claim, tells, reading(change, place))
        for name, function, claim, tells, change, place in MEMORY
    }
    | {
        f"{function.replace('.', '_')}_into_a_buffer": Fault(
            function, claim, "returned is changed by a later one", into_a_buffer()
        )
        for function, claim in STAYING.items()
    }
    | {
        "fit_to_the_best": Fault(
            "training.fit", "training.fit-last-parameters", "the last of which is not the best", fit_to_the_best
        ),
        "fit_text_to_the_best": Fault(
            "text.fit", "rnn_training.last-parameters", "the last of which is not the best", fit_text_to_the_best
        ),
        "predictions_kept": Fault(
            "training.evaluate", "evaluation.starts-anew", "the accuracy of other images", predictions_kept()
        ),
        "rows_of_mnist": Fault(
            "datasets.preprocess", "mnist.pixels-stay", "expected [3, 14, 56, 1]", rows_and_columns_of_mnist
        ),
    }
)
