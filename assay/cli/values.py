"""Types of the values of options and arguments."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click

from assay.cli.suggestions import nearest

# A file or folder, completed by the shell. It is checked on use.
PATH = click.Path(path_type=Path)
DEVICES = ("cpu", "gpu")
# Shortest time in which an adapter can be tested.
FEWEST_SECONDS = 3


class Choice(click.Choice[str]):
    """A choice of words, with a suggestion of the nearest one."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check a word."""
        if value not in self.choices:
            near = nearest(value, self.choices)
            self.fail(f"{value!r} is not one of {', '.join(self.choices)}{f'. {near}' if near else ''}", param, ctx)
        return value


def whole_number(least: int, most: int | None = None) -> Callable[[str | int], int]:
    """Return the type of whole numbers in a range.

    Args:
        least: Smallest permitted number.
        most: Largest permitted number; None for no limit.

    """

    def parse(value: str | int) -> int:
        # click converts defaults too.
        text = str(value)
        if text.isdecimal() and least <= int(text) and (most is None or int(text) <= most):
            return int(text)
        upward = "on" if most is None else f"to {most}"
        msg = f"{text!r} is not a whole number from {least} {upward}"
        raise click.BadParameter(msg)

    return parse


def parse_seconds(text: str) -> float:
    """Parse a time that is long enough to try an adapter."""
    if not FEWEST_SECONDS <= (seconds := _number(text)) < math.inf:
        msg = f"{text!r} must be at least {FEWEST_SECONDS} seconds"
        raise click.BadParameter(msg)
    return seconds


def parse_duration(text: str) -> float:
    """Parse a time above 0."""
    if not 0 < (seconds := _number(text)) < math.inf:
        msg = f"{text!r} must be a number of seconds above 0"
        raise click.BadParameter(msg)
    return seconds


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def parse_processes(text: str) -> str:
    """Check a number of processes in pytest-xdist's format."""
    if text not in {"auto", "logical"} and not text.isdecimal():
        msg = f"{text!r} is neither a whole number nor `auto` nor `logical`"
        raise click.BadParameter(msg)
    return text


def parse_address(text: str) -> str:
    """Check a web address."""
    if not re.fullmatch(r"https?://\S+", text):
        msg = f"{text!r} is not a web address"
        raise click.BadParameter(msg)
    return text


def parse_date(text: str) -> date:
    """Parse a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is not a date such as 2027-12-31"
        raise click.BadParameter(msg) from None
