"""`assay new`: write a template of an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from assay.cli import scaffold
from assay.cli.command import Command
from assay.cli.values import PATH
from assay.errors import ExitCode


@click.command(
    cls=Command,
    help="Write an adapter to begin with, its tox environment and a CI workflow.\n\n"
    "NAME is the name of its module: `assay run NAME` then tests it.",
)
@click.argument("name")
@click.option(
    "--subprocess", is_flag=True, help="Write a program in a process of its own, for any language, and its NAME.toml."
)
@click.option(
    "-o",
    "--output",
    type=PATH,
    default=Path(),
    metavar="FOLDER",
    help="Folder of the files (default: the current one).",
)
@click.option(
    "--framework",
    "frameworks",
    multiple=True,
    metavar="REQUIREMENT",
    help="Requirement of the adapter, such as torch>=2.4, for tox and for the versions in the ledger; repeatable.",
)
@click.option(
    "--requirement", metavar="TEXT", help="Requirement that installs Assay (default: where it was installed from)."
)
def new(name: str, output: Path, frameworks: Sequence[str], requirement: str | None, *, subprocess: bool) -> int:
    """Write the files, and say what to do next."""
    requirement = requirement or scaffold.requirement()
    for path in scaffold.write(name, output, requirement, subprocess=subprocess, frameworks=frameworks):
        print(path)
    if "file:" in requirement:
        print(f"tox.ini has {requirement!r}, which no CI can reach: give a public address with --requirement")
    called = f"{name}.toml" if subprocess else name
    print(f"next, in {output.resolve()}: assay smoke {called}, then assay run {called}")
    return ExitCode.CONFORMANT
