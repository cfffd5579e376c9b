"""Recurrent networks whose weights are set by hand, so that what they write is known without calculating.

A unit holds 1 in its carry or 0, a gate is open or shut, and a character is certain or all but impossible.
"""

from __future__ import annotations

import math

import numpy as np

from assay.contract import Array
from assay.spec.semantics.models import NUM_CHARS, UNITS, Parameters, rnn_shapes

# A sigmoid at 40 differs from 1, and at -40 from 0, by 4e-18, which float32 does not see beside 1; tanh at 40 is 1.
OPEN = 40.0
# What a unit puts out whose carry is 1.
ON = math.tanh(1)
# The lead in logits of the next character: at the document's temperatures all others together have a chance of 1e-70.
CERTAIN = 200.0


def successor_of_the_last(num_chars: int = NUM_CHARS, step: int = 1) -> Parameters:
    """Make a network whose next character is the one after the last of its window, in the order of the numbers.

    Args:
        num_chars: Number of characters, a multiple of the step.
        step: Distance of the characters that occur, from 0 on. There are fewer of them than units.

    """
    made, gates, occurring = _empty(num_chars), _gates(), np.arange(0, num_chars, step)
    # Written at every step: the unit of the character that stands there is on, and no other.
    made["cell/kernel"][occurring, gates["candidate"][: len(occurring)]] = OPEN
    _set_gates(made, write=OPEN, keep=-OPEN)
    return _says(made, np.roll(occurring, -1))


def first_of_the_window(num_chars: int = NUM_CHARS) -> Parameters:
    """Make a network whose next character is the first of its window, however long that is.

    Args:
        num_chars: Number of characters, below the number of units.

    """
    made, gates = _empty(num_chars), _gates()
    made["cell/kernel"][np.arange(num_chars), gates["candidate"][:num_chars]] = OPEN
    # One more unit goes on at the first step, and shuts all input gates for the rest.
    made["cell/bias"][gates["candidate"][num_chars]] = OPEN
    made["cell/recurrent_kernel"][num_chars, gates["write"]] = -2 * OPEN / ON
    _set_gates(made, write=OPEN, keep=OPEN)
    return _says(made, np.arange(num_chars))


def indifferent(logits: Array) -> Parameters:
    """Make a network that gives every character these logits, [num_chars], whatever its window."""
    made = _empty(len(logits))
    made["dense/bias"][:] = logits
    return made


def _empty(num_chars: int) -> Parameters:
    return {name: np.zeros(shape, np.float32) for name, shape in rnn_shapes(num_chars).items()}


def _gates() -> dict[str, Array]:
    """Return the columns of every gate."""
    return dict(zip(("write", "keep", "candidate", "read"), np.arange(4 * UNITS).reshape(4, UNITS), strict=True))


def _set_gates(made: Parameters, *, write: float, keep: float) -> None:
    gates = _gates()
    for gate, bias in (("write", write), ("keep", keep), ("read", OPEN)):
        made["cell/bias"][gates[gate]] = bias


def _says(made: Parameters, next_characters: Array) -> Parameters:
    """Let the unit of every character make another one certain."""
    made["dense/kernel"][np.arange(len(next_characters)), next_characters] = CERTAIN / ON
    return made
