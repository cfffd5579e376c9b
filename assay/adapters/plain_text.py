"""Text of an implementation, made fit for every process, file and terminal that it goes to."""

from __future__ import annotations

import re

# Of these a terminal would make what it likes, and XML nothing at all.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
# Lines of an error's message that are kept at its beginning and end.
FIRST_LINES = 4
LAST_LINES = 12


def plain(text: object) -> str:
    """Return a plain string: half surrogate pairs and control characters are written as escapes.

    Args:
        text: A string, or what has one; whatever its class makes of that counts for nothing.

    """
    try:
        shown = str.encode(str(text), "utf-8", "backslashreplace").decode()
    except BaseException as error:  # noqa: BLE001 - `str` runs code of the implementation
        return f"(it cannot be shown: str() raised {type(error).__name__})"
    return CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", shown)


def encodable(text: str) -> str:
    """Return a string that UTF-8 can encode, with all else in it as it was."""
    return text.encode("utf-8", "backslashreplace").decode()


def without_middle(text: str) -> str:
    """Leave the middle of a long text out.

    TensorFlow writes hundreds of lines of its stack between what failed and why.
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
    """Whether others can make text of an exception."""
    try:
        str.encode(str(error), "utf-8")
    except BaseException:  # noqa: BLE001
        return False
    return True
