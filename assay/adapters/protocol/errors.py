"""What goes wrong with a peer."""

from __future__ import annotations

# pytest publishes its subclasses only.
from _pytest.outcomes import OutcomeException


class PeerError(Exception):
    """The peer answered that it cannot do what it was asked, or with something else than the contract has."""


class InvalidArgumentError(PeerError, ValueError):
    """The peer rejected the arguments: what a Python implementation says with a ValueError."""


class PeerLostError(OutcomeException):
    """The peer cannot be used any more, and the next call starts another one.

    Not an `Exception`, for the reasons of `TimeLimitError`: Hypothesis would lose, and start, one after
    the other to shrink its input.
    """


class CrashError(PeerLostError):
    """The peer's process ended."""


class ProtocolError(PeerLostError):
    """The peer said something that is not of the protocol."""
