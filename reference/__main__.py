"""The chapter's programs: `python -m assay.reference NAME`."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from assay.cli.command import Command
from assay.cli.group import Group
from assay.cli.program import execute
from assay.errors import ExitCode
from assay.reference.programs import PROGRAMS, Program

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "python -m assay.reference"
EXIT_CODES = {
    ExitCode.CONFORMANT: "the program came to its end",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.USAGE: "the program cannot be run as given",
}
# Both say how long a training takes.
LENGTHS = ("epochs", "batches")


@click.group(cls=Group, exit_codes=EXIT_CODES, invoke_without_command=True)
@click.pass_context
def programs(context: click.Context) -> int:
    """Run one of the chapter's programs, each with its own options."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
    return ExitCode.CONFORMANT


def _command(name: str, program: Program) -> click.Command:
    """Return the command of a program."""

    @click.pass_context
    def run(context: click.Context, /, **values: Any) -> int:
        if all(context.get_parameter_source(each) is ParameterSource.COMMANDLINE for each in LENGTHS):
            msg = "--epochs and --batches both say how long to train. Leave one of them out"
            raise click.UsageError(msg, context)
        PROGRAMS[name].run(SimpleNamespace(**values))
        return ExitCode.CONFORMANT

    return Command(name, params=[*program.options], callback=run, help=program.summary)


for _name, _program in PROGRAMS.items():
    programs.add_command(_command(_name, _program))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one program and return its exit code."""
    return execute(programs, NAME, arguments)


if __name__ == "__main__":
    sys.exit(main())
