"""Options and arguments shared by several commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import click

from assay.cli import completion
from assay.cli.values import DEVICES, PATH, Choice, whole_number
from assay.runner.options import NAMED, Option, list_options

Function = Callable[..., Any]
Decorator = Callable[[Function], Function]

IMPLEMENTATION_IS = f"IMPLEMENTATION is {NAMED}."
TYPES: dict[type, click.ParamType[Any]] = {str: click.STRING, int: click.INT, float: click.FLOAT, Path: PATH}
COMPLETIONS = {"claim": completion.claims, "profile": completion.profiles, "require": completion.requirements}
# Names of options in version 0.1.
RUN_NAMES = {"grade": "precision"}


def rename(names: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of a command that make it accept deprecated names of options.

    Args:
        names: Current names by deprecated name, without dashes.

    """

    def normalize(name: str) -> str:
        if name not in names:
            return name
        sys.stderr.write(f"--{name} is deprecated: it is called --{names[name]}\n")
        return names[name]

    return {"token_normalize_func": normalize}


def run_options(leave_out: Collection[str] = ("implementation",)) -> Decorator:
    """Return a decorator that adds the options of a run to a command.

    Args:
        leave_out: Names of options that the command declares itself or lacks.

    """

    def add(function: Function) -> Function:
        # The last decorator is the first in the help.
        for option in reversed([*list_options(leave_out)]):
            function = _as_click(option)(function)
        return function

    return add


def _as_click(option: Option) -> Decorator:
    if option.is_switch:
        return click.option(option.flag, is_flag=True, help=option.text)
    return click.option(
        option.flag,
        default=option.default,
        multiple=option.is_repeatable,
        type=Choice(option.choices) if option.choices else TYPES[option.type],
        metavar=option.metavar,
        help=option.text,
        shell_complete=COMPLETIONS.get(option.name),
    )


def implementation(name: str = "implementation", *, several: bool = False) -> Decorator:
    """Return a decorator that adds an argument for an implementation, or for several."""
    settings: dict[str, Any] = {"nargs": -1, "required": True} if several else {}
    return click.argument(
        name, metavar="IMPLEMENTATION" + "..." * several, **settings, shell_complete=completion.adapters
    )


def device(text: str = "Device to run on (default: cpu).") -> Decorator:
    """Return a decorator that adds the option for the device."""
    return click.option("--device", type=Choice(DEVICES), default="cpu", help=text)


def report_format(function: Function) -> Function:
    """Add the options for the format of a report."""
    kinds = click.option(
        "--format",
        "kind",
        type=Choice(("html", "md", "xml")),
        help="Format of the report (default: that of the file's suffix).",
    )
    github = click.option(
        "--github",
        is_flag=True,
        help="Print annotations for GitHub Actions, and add the report to the summary of the job.",
    )
    return kinds(github(function))


def workers(default: str) -> Decorator:
    """Return a decorator that adds the options for the processes of Dask.

    Args:
        default: Number of local processes without the option, in words.

    """

    def add(function: Function) -> Function:
        scheduler = click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Dask scheduler whose workers are used, such as tcp://10.0.0.1:8786.",
        )
        number = f"Number of local processes (default: {default})."
        processes = click.option("-n", "--processes", type=whole_number(1), metavar="N", help=number)
        return scheduler(processes(function))

    return add
