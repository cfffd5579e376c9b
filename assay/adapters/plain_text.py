"""Sanitising of texts from an implementation for processes, files and terminals."""

from __future__ import annotations

import re

# Control characters, which change a terminal's state and are invalid in XML.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
# Number of lines kept at the beginning and the end of an error message.
FIRST_LINES = 4
LAST_LINES = 12


def plain(text: object) -> str:
    """Return a plain string, with lone surrogates and control characters escaped.

    Args:
        text: A string, or an object to convert; methods of a subclass of `str` are bypassed.

    """
    try:
        shown = str.encode(str(text), "utf-8", "backslashreplace").decode()
    except BaseException as error:  # noqa: BLE001 - `str` runs code of the implementation
        return f"(it cannot be shown: str() raised {type(error).__name__})"
    return CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", shown)


def encodable(text: str) -> str:
    """Return a string that UTF-8 can encode, otherwise unchanged."""
    return text.encode("utf-8", "backslashreplace").decode()


def without_middle(text: str) -> str:
    """Omit the middle of a long text.

    TensorFlow prints hundreds of stack lines between the failed operation and the reason.
    """
    lines = text.split("\n")
    left_out = len(lines) - FIRST_LINES - LAST_LINES
    if left_out <= 0:
        return text
    return "\n".join([*lines[:FIRST_LINES], f"... ({left_out} lines)", *lines[-LAST_LINES:]])


def describe_error(error: BaseException) -> str:
    """Return class and message of an exception, even of one whose message cannot be shown."""
    return f"{plain(type(error).__name__)}: {without_middle(plain(error))}"


def is_printable(error: BaseException) -> bool:
    """Whether an exception can be converted to text."""
    try:
        str.encode(str(error), "utf-8")
    except BaseException:  # noqa: BLE001
        return False
    return True
