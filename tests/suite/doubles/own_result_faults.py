"""Faults of steps that recognize their own result of an earlier call, and continue with what they have kept of it."""

import numpy as np

from doubles.faulty import Fault


class Own:
    """What is kept of a result, found again by its bytes."""

    def __init__(self):
        """Start with nothing."""
        self._kept = {}

    def of(self, array, default=None):
        """Return what is kept of an earlier result with these elements."""
        return self._kept.get((array.shape, array.tobytes()), default)

    def keep(self, array, value):
        """Keep something of a result."""
        self._kept[array.shape, array.tobytes()] = value


class Momentum:
    """Gradient descent with a momentum of each parameter that it has returned."""

    def __init__(self):
        """Start with nothing."""
        self._own = Own()

    def __call__(self, right, parameter, gradient, learning_rate):
        """Add nine tenths of the last step of this parameter."""
        step = right(np.zeros_like(parameter), gradient, learning_rate)
        step = step + np.float32(0.9) * self._own.of(parameter, np.float32(0))
        self._own.keep(parameter + step, step)
        return parameter + step


class LargestMoment:
    """AMSGrad: Adam divides by the largest second moment that a parameter has had."""

    def __init__(self):
        """Start with nothing."""
        self._own = Own()

    def __call__(self, right, parameter, gradient, first, second, step, learning_rate):
        """Shorten the step where the second moment was larger before."""
        after, first, second = right(parameter, gradient, first, second, step, learning_rate)
        largest = np.maximum(self._own.of(parameter, np.float32(0)), second)
        after = parameter + (after - parameter) * np.sqrt(second / np.maximum(largest, np.float32(1e-30)))
        self._own.keep(after, largest)
        return after, first, second


class Masked:
    """A cell with recurrent dropout, whose mask is there from the second step on."""

    def __init__(self):
        """Start with nothing."""
        self._own = Own()

    def __call__(self, right, inputs, state, *rest):
        """Drop the first unit of a state that this cell has returned."""
        if self._own.of(state):
            state = state * (np.arange(state.shape[-1], dtype=np.float32) > 0)
        result = right(inputs, state, *rest)
        self._own.keep(result[0] if isinstance(result, tuple) else result, value=True)
        return result


OWN_RESULT_FAULTS = {
    "momentum_of_own_parameter": Fault(
        "ops.sgd_step", "linear_model.sgd-calls-are-independent", "step 2 of 3", Momentum()
    ),
    "largest_moment_of_own_parameter": Fault(
        "ops.adam_step", "training.adam-calls-are-independent", "of 3, each from the last", LargestMoment()
    ),
    "cell_masks_own_state": Fault("ops.simple_rnn_cell", "recurrence.calls-are-independent", "step 2 of 3", Masked()),
    "lstm_cell_masks_own_state": Fault(
        "ops.lstm_cell", "recurrence.lstm-calls-are-independent", "step 2 of 3", Masked()
    ),
}
