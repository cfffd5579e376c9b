"""Conversion of axes, gates and biases between a framework's layouts and the contract's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assay.contract import Array

# The contract's order of an LSTM's gates: input, forget, candidate (g) and output.
GATES = "ifgo"


@dataclass(frozen=True)
class Layout:
    """How a framework stores a parameter.

    Attributes:
        to_framework: Converts an array of the contract.
        to_contract: Converts back.

    """

    to_framework: Callable[[Array], Array]
    to_contract: Callable[[Array], Array]

    def then(self, other: Layout) -> Layout:
        """Return the layout of a parameter to which a second conversion applies after this one."""
        return Layout(
            lambda array: other.to_framework(self.to_framework(array)),
            lambda array: self.to_contract(other.to_contract(array)),
        )


def permute_axes(*axes: int) -> Layout:
    """Return the layout whose axis `n` is axis `axes[n]` of the contract.

    >>> permute_axes(3, 2, 0, 1).to_framework(np.zeros((5, 4, 3, 2))).shape
    (2, 3, 5, 4)
    """
    return Layout(
        lambda array: np.ascontiguousarray(array.transpose(axes)),
        lambda array: np.ascontiguousarray(array.transpose(np.argsort(axes))),
    )


def order_gates(gates: str, axis: int = -1) -> Layout:
    """Return the layout whose gates have another order along an axis.

    Args:
        gates: The framework's order, in the letters of `GATES`, such as "iofg" for ONNX.
        axis: The axis of the gates in the contract's array.

    Raises:
        ValueError: `gates` does not have every gate once.

    """
    if sorted(gates) != sorted(GATES):
        msg = f"the gates are the letters of {GATES!r} in any order, got {gates!r}"
        raise ValueError(msg)

    def reorder(array: Array, before: str, after: str) -> Array:
        parts = dict(zip(before, np.split(array, len(GATES), axis), strict=True))
        return np.concatenate([parts[gate] for gate in after], axis)

    return Layout(lambda array: reorder(array, GATES, gates), lambda array: reorder(array, gates, GATES))


def split_bias(bias: Array) -> tuple[Array, Array]:
    """Return the two biases of a cell that adds two: the contract's bias, and zeros.

    Train only the first. Both have the same gradient, so Adam would move each by the step of the contract's bias, and
    their sum twice as far.
    """
    return bias, np.zeros_like(bias)


def join_biases(first: Array, second: Array) -> Array:
    """Return the contract's bias of a cell that adds two."""
    return first + second


SAME = Layout(lambda array: array, lambda array: array)
# A Dense kernel [inputs, units].
OI = permute_axes(1, 0)
# A convolution's kernel [window height, window width, channels, filters].
OIHW = permute_axes(3, 2, 0, 1)
OHWI = permute_axes(3, 0, 1, 2)
# Images [batch, height, width, channels].
NCHW = permute_axes(0, 3, 1, 2)
