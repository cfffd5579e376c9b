"""The chapter's programs: `python -m assay.reference NAME`."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING

from assay.cli.parser import Parser, answered
from assay.errors import ExitCode
from assay.reference.programs import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "python -m assay.reference"
EXIT_CODES = f"""exit codes:
  {ExitCode.CONFORMANT:d}  the program came to its end
  {ExitCode.INTERRUPTED:d}  interrupted
  {ExitCode.USAGE:d}  the program cannot be run as given
"""


def parser() -> Parser:
    """Make the parser of all programs."""
    programs = "\n".join(f"  {name:12} {program.summary}" for name, program in PROGRAMS.items())
    top = Parser(
        prog=NAME,
        usage=f"{NAME} [-h] PROGRAM ...",
        description=f"Run one of the chapter's programs:\n\n{programs}\n\nEach has its options: {NAME} mlp --help",
        epilog=EXIT_CODES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    top.set_defaults(run=lambda _: top.print_help())
    commands = top.add_subparsers(prog=NAME, metavar="PROGRAM", help=SUPPRESS)
    for name, program in PROGRAMS.items():
        one = commands.add_parser(name, description=program.summary)
        program.add_options(one)
        one.set_defaults(run=program.run)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one program and return its exit code."""
    return answered(NAME, lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    options = parser().parse_args(arguments)
    options.run(options)
    return ExitCode.CONFORMANT


if __name__ == "__main__":
    sys.exit(main())
