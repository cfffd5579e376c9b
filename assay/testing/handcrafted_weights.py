"""Recurrent networks with handcrafted weights, so that the text that they generate is known without computing it.

The carry of a unit is 1 or 0, a gate is open or closed, and a character is certain or almost impossible.
"""

from __future__ import annotations

import math

import numpy as np

from assay.contract import Array
from assay.spec.semantics.models import NUM_CHARS, UNITS, Parameters, rnn_shapes

# The sigmoid of 40 differs from 1, and that of -40 from 0, by 4e-18, which vanishes beside 1 in float32. tanh(40) is 1.
OPEN = 40.0
# Output of a unit whose carry is 1.
ON = math.tanh(1)
# Lead of the next character's logit. At the document's temperatures all others together have a probability of 1e-70.
CERTAIN = 200.0


def successor_of_the_last(num_chars: int = NUM_CHARS, step: int = 1) -> Parameters:
    """Make a network that predicts the successor of the window's last character, in the order of their numbers.

    Args:
        num_chars: Number of characters, a multiple of the step.
        step: Distance between the characters that occur, from 0. There are fewer of them than units.

    """
    parameters, gates, occurring = _zeros(num_chars), _gates(), np.arange(0, num_chars, step)
    # Every step overwrites all units: only the unit of the current character is on.
    parameters["cell/kernel"][occurring, gates["candidate"][: len(occurring)]] = OPEN
    _set_gates(parameters, write=OPEN, keep=-OPEN)
    return _set_output_layer(parameters, np.roll(occurring, -1))


def first_of_the_window(num_chars: int = NUM_CHARS) -> Parameters:
    """Make a network that predicts the first character of its window, whatever the window's length.

    Args:
        num_chars: Number of characters, below the number of units.

    """
    parameters, gates = _zeros(num_chars), _gates()
    parameters["cell/kernel"][np.arange(num_chars), gates["candidate"][:num_chars]] = OPEN
    # One more unit turns on at the first step, and closes all input gates from then on.
    parameters["cell/bias"][gates["candidate"][num_chars]] = OPEN
    parameters["cell/recurrent_kernel"][num_chars, gates["write"]] = -2 * OPEN / ON
    _set_gates(parameters, write=OPEN, keep=OPEN)
    return _set_output_layer(parameters, np.arange(num_chars))


def successor_of_the_first(num_chars: int = NUM_CHARS) -> Parameters:
    """Make a network that predicts the successor of the first character of its window, whatever the window's length.

    Args:
        num_chars: Number of characters, below the number of units.

    """
    parameters = first_of_the_window(num_chars)
    return {**parameters, "dense/kernel": np.roll(parameters["dense/kernel"], 1, axis=1)}


def indifferent(logits: Array) -> Parameters:
    """Make a network that gives every character these logits, [num_chars], whatever its window."""
    parameters = _zeros(len(logits))
    parameters["dense/bias"][:] = logits
    return parameters


def _zeros(num_chars: int) -> Parameters:
    return {name: np.zeros(shape, np.float32) for name, shape in rnn_shapes(num_chars).items()}


def _gates() -> dict[str, Array]:
    """Return the columns of every gate."""
    return dict(zip(("write", "keep", "candidate", "read"), np.arange(4 * UNITS).reshape(4, UNITS), strict=True))


def _set_gates(parameters: Parameters, *, write: float, keep: float) -> None:
    gates = _gates()
    for gate, bias in (("write", write), ("keep", keep), ("read", OPEN)):
        parameters["cell/bias"][gates[gate]] = bias


def _set_output_layer(parameters: Parameters, next_characters: Array) -> Parameters:
    """Set the output layer so that the unit of each character makes another character certain."""
    parameters["dense/kernel"][np.arange(len(next_characters)), next_characters] = CERTAIN / ON
    return parameters
