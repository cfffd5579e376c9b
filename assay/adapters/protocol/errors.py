"""Errors of a peer."""

from __future__ import annotations

# pytest only exports its subclasses.
from _pytest.outcomes import OutcomeException


class PeerError(Exception):
    """The peer answered with an error, or with something that the contract does not allow."""


class InvalidArgumentError(PeerError, ValueError):
    """The peer rejected the arguments, as a Python implementation does with a ValueError."""


class PeerLostError(OutcomeException):
    """The peer is no longer usable, and the next call starts another one.

    Not an `Exception`, for the reasons of `TimeLimitError`: Hypothesis would otherwise start and lose one peer after
    the other to shrink its input.
    """


class CrashError(PeerLostError):
    """The peer's process ended."""


class ProtocolError(PeerLostError):
    """The peer violated the protocol."""
