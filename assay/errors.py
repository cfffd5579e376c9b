"""The exit codes, and the error that a user can act on."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to whoever started it; 2 to 5 mean what they mean in pytest."""

    CONFORMANT = 0
    NOT_CONFORMANT = 1
    INTERRUPTED = 2
    BROKEN = 3
    USAGE = 4
    NOTHING_COLLECTED = 5
    INCOMPLETE = 6


class UserError(Exception):
    """Something that the user can put right."""

    def __init__(self, problem: str, hint: str = "") -> None:
        """Make the message.

        Args:
            problem: Problem, in one line.
            hint: Remedy, in one line.

        """
        super().__init__(f"{problem}. {hint}" if hint else problem)
