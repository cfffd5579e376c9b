"""Faults of relu, sigmoid and tanh."""

import numpy as np

from doubles.faulty import Fault
from doubles.kept_results import keep_first_answer
from doubles.lost_remainders import leave_remainder
from doubles.memory_order import ignoring_gaps, read_raw_memory
from doubles.sigmoids import half_beyond_88, limited_sigmoid

FLOAT = np.float32


def times_its_sign(_relu, inputs):
    """Multiply by 0 what is not positive, and minus infinity too."""
    with np.errstate(invalid="ignore"):
        return (inputs * (inputs > 0)).astype(FLOAT)


def capped(relu, inputs):
    """Stay within float16."""
    return np.minimum(relu(inputs), FLOAT(65504))


def sigmoid_limits_its_inputs(_sigmoid, inputs):
    """Keep the inputs between -15 and 15."""
    return limited_sigmoid(inputs)


def double_precision(tanh, inputs):
    """Return float64."""
    return np.tanh(inputs.astype(np.float64))


def quotient_of_exponentials(_tanh, inputs):
    """Take tanh's formula at its word."""
    with np.errstate(over="ignore", invalid="ignore"):
        squared = np.exp(2 * inputs)
        return ((squared - 1) / (squared + 1)).astype(FLOAT)


FAULTS = {
    "relu_over_a_block_left": Fault("ops.relu", "dense.relu-of-any-number", "differ", leave_remainder(1024)),
    "times_its_sign": Fault("ops.relu", "dense.relu-of-any-number", "actual nan", times_its_sign),
    "capped": Fault("ops.relu", "dense.relu-of-any-number", "actual 65504", capped),
    "sigmoid_of_the_first_call": Fault(
        "ops.sigmoid", "dense.activation-calls-are-independent", "call 2 of", keep_first_answer()
    ),
    "sigmoid_limits_its_inputs": Fault(
        "ops.sigmoid", "dense.sigmoid-of-any-number", "expected 0", sigmoid_limits_its_inputs
    ),
    "half_beyond_88": Fault("ops.sigmoid", "dense.sigmoid-of-any-number", "actual 0.5", half_beyond_88),
    "tanh_of_rows_ignores_gaps": Fault(
        "ops.tanh", "dense.activation-memory-order", "arrays cropped from larger ones", ignoring_gaps(0, rank=2)
    ),
    "tanh_reads_raw_memory": Fault("ops.tanh", "dense.activation-memory-order", "transposed", read_raw_memory),
    "double_precision": Fault("ops.tanh", "dense.tanh", "has dtype float64", double_precision),
    "quotient_of_exponentials": Fault("ops.tanh", "dense.tanh-of-any-number", "actual nan", quotient_of_exponentials),
}
