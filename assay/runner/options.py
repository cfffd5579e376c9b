"""The options of a run, declared once for the command line, for pytest, and for child processes."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from assay.spec.semantics.precision import GRADES

DEFAULT_IMPLEMENTATION = "reference"
NAMED = "package.module[:attribute], an entry point such as `reference`, or the .toml file of a peer"


@dataclass(frozen=True)
class Option:
    """An option of a run.

    Attributes:
        name: Name of the field in `RunOptions`.
        default: Value without the option. An option whose default is False takes no value, and one whose default is
            an empty tuple can be repeated.
        text: Help text.
        metavar: Placeholder of the value in the help; None for the default one.
        type: Type of a value.
        choices: Permitted values; None for any.

    """

    name: str
    default: Any
    text: str
    metavar: str | None = None
    type: type = str
    choices: tuple[str, ...] | None = None

    @property
    def flag(self) -> str:
        """The name on a command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def is_switch(self) -> bool:
        """Whether the option takes no value."""
        return self.default is False

    @property
    def is_repeatable(self) -> bool:
        """Whether the option can be repeated."""
        return self.default == ()


def _option(default: Any, text: str, **settings: Any) -> Any:  # noqa: ANN401 - as `dataclasses.field` has it
    return field(default=default, metadata={"text": text} | settings)


@dataclass(frozen=True)
class RunOptions:
    """Options of a run as given by the user; `list_options` returns their declarations.

    Values are as on the command line. They are checked when a run begins, so that all messages are in one place.
    """

    implementation: str | None = _option(
        None, f"Implementation to test: {NAMED} (default: {DEFAULT_IMPLEMENTATION}).", metavar="NAME"
    )
    profile: str = _option("core", "Claims to test: smoke, core or full (default: core).", metavar="NAME")
    shard: str | None = _option(None, "Run the I-th of N parts of the profile, about equally long.", metavar="I/N")
    results: Path | None = _option(None, "File to write the ledger to.", metavar="FILE", type=Path)  # noqa: RUF009
    seed: str = _option("0", "Seed for all random draws: a number, or `random` (default: 0).", metavar="SEED")
    device: str = _option("cpu", "Device to run on (default: cpu).", choices=("cpu", "gpu"))
    precision: str = _option(
        "float32", "Format that factors of products may be rounded to (default: float32).", choices=tuple(GRADES)
    )
    claim: Sequence[str] = _option((), "Run this claim alone; repeatable.", metavar="ID")
    replay: str | None = _option(None, "With --claim: run the one case that a failure named.", metavar="CODE")
    expectations: Sequence[Path] = _option((), "Known failures, in TOML; repeatable.", metavar="FILE", type=Path)
    resume: bool = _option(default=False, text="Continue a run that did not finish, from its ledger.")
    require: Sequence[str] = _option(
        (),
        "Fail unless the implementation declares this group; repeatable. `all` stands for every group.",
        metavar="GROUP",
    )
    no_fetch: bool = _option(default=False, text="Look for data sets on this machine only.")
    claim_timeout: float | None = _option(
        None, "Time limit for each test of a claim (default: the profile's).", metavar="SECONDS", type=float
    )
    threads: int | None = _option(
        None,
        "Number of threads that the implementation may use in each process (default: the cores shared out).",
        metavar="N",
        type=int,
    )
    isolated: bool = _option(
        default=False, text="Run a Python adapter in a process of its own, without the group keras."
    )

    @classmethod
    def from_namespace(cls, values: argparse.Namespace) -> RunOptions:
        """Read parsed options."""
        return cls(**{each.name: getattr(values, each.name) for each in fields(cls)})

    def arguments(self) -> list[str]:
        """Return equivalent arguments for another process; defaults are omitted."""
        # An option and its value are one word. Otherwise pytest would take a file after its option for tests to
        # collect, and a value that begins with a dash for another option.
        return ["=".join(words) for each in fields(self) for words in _words(self, each.name, each.default)]

    def replay_command(self, claims: Iterable[str], code: str = "") -> str:
        """Return the command line that repeats these claims, or one case of them, with this run's options.

        Args:
            claims: Ids of the claims.
            code: Hypothesis's code for the case; empty without one.

        """
        again = replace(self, claim=tuple(claims), replay=code or None)
        named = ("seed", "device", "precision", "isolated", "claim", "replay")
        options = [
            word
            for each in fields(again)
            if each.name in named
            # The seed is always given, as the default may change.
            for words in _words(again, each.name, None if each.name == "seed" else each.default)
            for word in words
        ]
        return shlex.join(["python", "-m", "assay", "run", again.implementation or DEFAULT_IMPLEMENTATION, *options])


def _words(options: RunOptions, name: str, default: object) -> list[list[str]]:
    value, flag = getattr(options, name), f"--{name.replace('_', '-')}"
    if isinstance(value, list | tuple):
        return [[flag, str(one)] for one in value]
    if value == default:
        return []
    return [[flag]] if value is True else [[flag, str(value)]]


def list_options(leave_out: Iterable[str] = ()) -> Iterator[Option]:
    """Return the options.

    Args:
        leave_out: Names of options that are declared elsewhere.

    """
    for each in fields(RunOptions):
        if each.name not in leave_out:
            yield Option(each.name, each.default, **each.metadata)


def add_options(add: Callable[..., object]) -> None:
    """Declare the options to pytest.

    Args:
        add: `addoption` of a group of options.

    """
    for option in list_options():
        if option.is_switch:
            add(option.flag, action="store_true", default=False, help=option.text)
        else:
            add(
                option.flag,
                # argparse appends to the default list itself.
                **{"action": "append", "default": []} if option.is_repeatable else {"default": option.default},
                type=option.type,
                choices=option.choices,
                metavar=option.metavar,
                help=option.text,
            )
    add("--grade", action=_Grade, choices=tuple(GRADES), default=argparse.SUPPRESS, help=argparse.SUPPRESS)


class _Grade(argparse.Action):
    """The old name of `--precision`, from version 0.1."""

    def __call__(self, _parser: object, namespace: argparse.Namespace, values: object, *_: object) -> None:
        # Workers parse the command line again and must not repeat the warning.
        if "PYTEST_XDIST_WORKER" not in os.environ:
            sys.stderr.write("--grade is deprecated: it is called --precision\n")
        namespace.precision = values
