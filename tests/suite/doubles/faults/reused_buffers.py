"""Faults of functions that return results in an array that their next call changes."""

import numpy as np

from assay.testing.stored_arrays import map_arrays
from doubles.faulty import Fault


def results_in_one_buffer():
    """Return a fault that writes all results of a shape into the same array."""
    buffers = {}

    def store(place, result):
        if isinstance(result, tuple):
            return tuple(store(number, one) for number, one in enumerate(result))
        buffer = buffers.setdefault((place, result.shape), np.empty_like(result))
        buffer[...] = result
        return buffer

    return lambda function, *arguments, **options: store(0, function(*arguments, **options))


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


FAULTS = {
    **{
        f"{function}_in_one_buffer": Fault(
            f"ops.{function}", claim, "is changed by a later one", results_in_one_buffer()
        )
        for function, claim in (
            ("flatten", "mlp.flatten-every-rank"),
            ("reshape", "cnn.reshape-has-no-memory"),
            ("conv2d_gradients", "convolution.gradients-have-no-memory"),
            ("max_pool2d_gradient", "convolution.max-gradient-has-no-memory"),
            ("average_pool2d_gradient", "convolution.average-gradient-has-no-memory"),
            ("batch_normalization_gradients", "training_flag.gradients-have-no-memory"),
        )
    },
    **{
        f"{function.replace('.', '_')}_into_a_buffer": Fault(
            function, claim, "returned is changed by a later one", into_a_buffer()
        )
        for function, claim in STAYING.items()
    },
}
