"""The exit codes, and the error that a user can act on."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """What the process says to whoever started it; 2 to 5 mean what they mean in pytest."""

    CONFORMANT = 0
    NOT_CONFORMANT = 1
    INTERRUPTED = 2
    BROKEN = 3
    USAGE = 4
    NOTHING_COLLECTED = 5
    INCOMPLETE = 6


class ErrorKind(StrEnum):
    """Kinds of errors, for programs; `docs/reference.md` has the meaning and the remedy of each."""

    # The command line
    INVALID_ARGUMENT = "invalid-argument"
    CONFLICTING_OPTIONS = "conflicting-options"
    UNSUITABLE_FORMAT = "unsuitable-format"
    UNKNOWN_CLAIM = "unknown-claim"
    # The implementation
    UNKNOWN_IMPLEMENTATION = "unknown-implementation"
    MISSING_PACKAGE = "missing-package"
    INVALID_ADAPTER = "invalid-adapter"
    BROKEN_ADAPTER = "broken-adapter"
    UNAVAILABLE_DEVICE = "unavailable-device"
    TOO_LITTLE_TIME = "too-little-time"
    # Files
    MISSING_FILE = "missing-file"
    UNREADABLE_FILE = "unreadable-file"
    UNWRITABLE_FILE = "unwritable-file"
    EXISTING_FILE = "existing-file"
    FILE_IN_USE = "file-in-use"
    INVALID_SYNTAX = "invalid-syntax"
    INVALID_FORMAT = "invalid-format"
    # Expectations, ledgers and results
    INVALID_EXPECTATIONS = "invalid-expectations"
    STALE_EXPECTATION = "stale-expectation"
    INCOMPLETE_LEDGER = "incomplete-ledger"
    MISMATCHED_SHARDS = "mismatched-shards"
    MISMATCHED_RESULTS = "mismatched-results"
    CHANGED_CONDITIONS = "changed-conditions"
    TOO_FEW_LAUNCHES = "too-few-launches"
    # Data, the document and the specification
    MISSING_DATA = "missing-data"
    DAMAGED_DATA = "damaged-data"
    DIFFERENT_DOCUMENT = "different-document"
    INVALID_SPECIFICATION = "invalid-specification"
    COVERAGE_GAP = "coverage-gap"
    # The machine
    UNREACHABLE_WORKERS = "unreachable-workers"
    SYSTEM_ERROR = "system-error"


class UserError(Exception):
    """Something that the user can put right.

    Attributes:
        kind: Kind of the error. The message is for people, and its wording may change.
        problem: Problem, in one line.
        hint: Remedy, in one line; empty if there is none.

    """

    def __init__(self, kind: ErrorKind, problem: str, hint: str = "") -> None:
        """Make the message.

        Args:
            kind: Kind of the error.
            problem: Problem, in one line.
            hint: Remedy, in one line.

        """
        super().__init__(kind, problem, hint)
        self.kind = kind
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        """Return the message."""
        return f"{self.problem}. {self.hint}" if self.hint else self.problem

    def describe(self) -> str:
        """Return the message with the kind, as commands print it."""
        return label(self.kind, str(self))


def label(kind: ErrorKind, message: str) -> str:
    """Add the kind of an error to its message."""
    return f"{message} [{kind}]"
