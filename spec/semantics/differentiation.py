"""Gradients of a definition, by differentiating it."""

from __future__ import annotations

from collections.abc import Callable

from autograd import make_vjp

from assay.spec.semantics.layers import Array


def vjp(function: Callable[..., Array], upstream: Array, *arguments: Array) -> tuple[Array, ...]:
    """Return the gradients of sum(upstream * function(*arguments)), one for each argument and of its shape."""
    pulled, _ = make_vjp(lambda given: function(*given))(tuple(arguments))
    return tuple(pulled(upstream))
