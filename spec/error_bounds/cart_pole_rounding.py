"""Bounds on the float32 error of a cart-pole step: see `rounding`.

An implementation may compute in float64, as Gymnasium does, and round the state that it returns, or compute in float32
throughout. The bound is for the latter: every operation adds its own error to those of its operands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.spec.error_bounds.rounding import DIVIDE, TINY, gamma
from assay.spec.semantics import cart_pole
from assay.spec.semantics.cart_pole import State
from assay.spec.semantics.layers import Array

# From the OpenCL C specification, as are the constants of `rounding`.
SIN = COS = 2 * 4.0


@dataclass(frozen=True)
class Rounded:
    """Numbers with a bound on their float32 error. A plain number as an operand counts as rounded once.

    Attributes:
        value: Value in float64.
        error: Bound on the error of the value, in float64.

    """

    value: Array
    error: Array

    def __add__(self, other: Rounded | float) -> Rounded:
        """Add the errors."""
        operand = _to_rounded(other)
        return _after(self.value + operand.value, self.error + operand.error, 1)

    def __sub__(self, other: Rounded | float) -> Rounded:
        """Add the errors."""
        operand = _to_rounded(other)
        return _after(self.value - operand.value, self.error + operand.error, 1)

    def __mul__(self, other: Rounded | float) -> Rounded:
        """With errors e and g of two factors, the product is off by |x| g + |y| e + e g."""
        operand = _to_rounded(other)
        error = np.abs(self.value) * operand.error + np.abs(operand.value) * self.error + self.error * operand.error
        return _after(self.value * operand.value, error, 1)

    def __truediv__(self, other: Rounded | float) -> Rounded:
        """With errors e and g, the quotient q is off by (e + |q| g) / (|y| - g)."""
        operand = _to_rounded(other)
        quotient = self.value / operand.value
        error = (self.error + np.abs(quotient) * operand.error) / (np.abs(operand.value) - operand.error)
        return _after(quotient, error, DIVIDE)

    def __radd__(self, other: float) -> Rounded:
        """Add."""
        return self + other

    def __rsub__(self, other: float) -> Rounded:
        """Subtract."""
        return _to_rounded(other) - self

    def __rmul__(self, other: float) -> Rounded:
        """Multiply."""
        return self * other


def _to_rounded(number: Rounded | float) -> Rounded:
    return number if isinstance(number, Rounded) else Rounded(np.asarray(number), gamma(1) * np.abs(number))


def _after(value: Array, error: Array, roundings: float) -> Rounded:
    return Rounded(value, error + gamma(roundings) * (np.abs(value) + error) + TINY)


def step(states: Array, actions: Array) -> Array:
    """Bound the error of the state after each state [n, 4], which may be rounded itself, as in a sequence of steps."""
    state = State(*(Rounded(part, gamma(1) * np.abs(part)) for part in cart_pole.parts(states)))
    angle = state.angle
    # The slopes of sine and cosine are at most 1.
    sine, cosine = (
        Rounded(values, angle.error + gamma(SIN) * np.abs(values) + TINY)
        for values in (np.sin(angle.value), np.cos(angle.value))
    )
    force = Rounded(cart_pole.forces(actions), np.zeros(len(actions)))
    return np.stack([part.error for part in cart_pole.euler_step(state, force, sine, cosine)], axis=-1)
