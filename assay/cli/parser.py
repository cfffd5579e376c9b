"""The command line: `assay ...` or `python -m assay ...`."""

from __future__ import annotations

import argparse
import io
import math
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import NoReturn, TypeAlias

from assay import __version__
from assay.errors import ExitCode, UserError
from assay.runner.options import NAMED, add_options

EXIT_CODES = """exit codes:
  0  fully or partially conformant, or the command did what it was asked
  1  not conformant: a claim failed, the adapter broke, or a required group is missing; of `compare`: a regression
  2  interrupted
  3  the suite itself is broken
  4  the command cannot be carried out as given
  5  no test was collected
  6  no verdict: not every claim of the profile was decided, or nothing was tested
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors have the exit code that they have in pytest."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and how to learn more, in one line."""
        self.exit(ExitCode.USAGE, f"{self.prog}: {message} (see `{self.prog} --help`)\n")


def parser() -> Parser:
    """Make the parser of all commands."""
    top = Parser(
        prog="assay",
        description="Put an implementation to the claims of a handbook chapter on TensorFlow 2.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"assay {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    _add_survey(commands)
    _add_bench(commands)
    _add_new(commands)
    _add_smoke(commands)
    _add_claims(commands)
    _add_report(commands)
    _add_compare(commands)
    _add_merge(commands)
    _add_matrix(commands)
    _add_expect(commands)
    _add_fetch(commands)
    _add_calibrate(commands)
    return top


# argparse has no public name for it, and its class takes a parameter for type checkers alone.
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 - see above


def _add_run(commands: Commands) -> None:
    run = commands.add_parser("run", help="assay an implementation: write its ledger and a report")
    run.add_argument("implementation", help=NAMED)
    add_options(run.add_argument, leave_out=["implementation"])
    run.add_argument("--report", type=_report_file, help="the report, as .html, .md or .xml (default: assay-NAME.html)")
    run.add_argument("-n", "--processes", default="auto", type=_processes, help="as in pytest-xdist (default: auto)")
    run.set_defaults(command="run")


def _processes(text: str) -> str:
    if text not in {"auto", "logical"} and not text.isdecimal():
        msg = f"{text!r} is neither a whole number nor `auto` nor `logical`"
        raise argparse.ArgumentTypeError(msg)
    return text


def _add_survey(commands: Commands) -> None:
    survey = commands.add_parser(
        "survey",
        help="run implementations with many seeds, and find flaky claims",
        description="Run implementations with many seeds, on many processes or machines, and sum up what did not always"
        " pass. The same command goes on with a survey that was interrupted.",
    )
    survey.add_argument("implementations", nargs="+", metavar="IMPLEMENTATION", help=NAMED)
    survey.add_argument("--seeds", type=_count, default=10, metavar="N", help="run the seeds 0 to N - 1 (default: 10)")
    survey.add_argument(
        "--shards", type=_count, default=1, metavar="K", help="split each run into K tasks, about equally long"
    )
    add_options(survey.add_argument, leave_out=NOT_OF_SURVEYS)
    _add_workers(survey)
    folder = "folder of the results, which an interrupted survey goes on with (default: %(default)s)"
    survey.add_argument("-o", "--output", type=Path, default=Path("assay-survey"), metavar="FOLDER", help=folder)
    survey.add_argument("--json", action="store_true", help="print the findings as JSON")
    # Options that a run has and a survey has not.
    survey.set_defaults(
        command="survey",
        implementation=None,
        seed="0",
        shard=None,
        results=None,
        resume=False,
        replay=None,
        expectations=(),
        require=(),
    )


NOT_OF_SURVEYS = ("implementation", "seed", "shard", "results", "resume", "replay", "expectations", "require")


def _add_workers(command: argparse.ArgumentParser, default: str = "one for each core") -> None:
    command.add_argument(
        "--scheduler", metavar="ADDRESS", help="use the workers of this Dask scheduler, such as tcp://10.0.0.1:8786"
    )
    number = f"number of local processes (default: {default})"
    command.add_argument("-n", "--processes", type=_count, metavar="N", help=number)


def _add_bench(commands: Commands) -> None:
    bench = commands.add_parser(
        "bench",
        help="time implementations side by side",
        description="Time training, inference and acting of implementations side by side, round by round in turn.",
    )
    compared = "as for `assay run`; the first one is compared with the others"
    bench.add_argument("implementations", nargs="+", metavar="NAME", help=compared)
    bench.add_argument("--device", default="cpu", choices=("cpu", "gpu"), help="where to run (default: cpu)")
    bench.add_argument("--profile", default="core", choices=("core", "full"), help="full has MobileNetV2, too")
    selected = "select by name, as in pytest; the limit needs `product or stream`, too"
    bench.add_argument("-k", dest="keyword", default="", metavar="EXPRESSION", help=selected)
    launches = "number of process launches for each implementation (default: 5)"
    bench.add_argument("--launches", type=_count, default=5, metavar="N", help=launches)
    # The name that it had in version 0.1.
    bench.add_argument("--starts", dest="launches", type=_count, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    bench.add_argument("--rounds", type=_count, default=7, metavar="N", help="in each process (default: 7)")
    steps = "that the steps of a round take, about (default: 0.2)"
    bench.add_argument("--seconds", type=_duration, default=0.2, help=steps)
    stuck = "after which a process that is not done with a round is ended (default: 360)"
    bench.add_argument("--turn-seconds", type=_duration, default=360.0, metavar="SECONDS", help=stuck)
    kept = "the runs before it are kept (default: %(default)s)"
    bench.add_argument("-o", "--output", type=Path, default=Path("assay-bench.json"), metavar="FILE", help=kept)
    bench.set_defaults(command="bench")


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        msg = f"{text!r} is not a whole number from 1 on"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _add_new(commands: Commands) -> None:
    new = commands.add_parser("new", help="write an adapter to begin with, its tox environment and a CI workflow")
    new.add_argument("name", metavar="NAME", help="of the module: `assay run NAME` then runs it")
    new.add_argument("--subprocess", action="store_true", help="a program of its own: NAME.toml, for any language")
    new.add_argument("-o", "--output", type=Path, default=Path(), metavar="FOLDER", help="(default: this one)")
    source = "where tox gets Assay from (default: where it was installed from)"
    new.add_argument("--requirement", metavar="TEXT", help=source)
    new.set_defaults(command="new")


def _add_smoke(commands: Commands) -> None:
    smoke = commands.add_parser(
        "smoke",
        help="is the adapter sound, in under 10 s",
        description="Try an adapter step by step. The exit code is 0 if it is sound, 1 if it is broken.",
    )
    smoke.add_argument("implementation", help="as for `assay run`")
    smoke.add_argument("--device", default="cpu", choices=("cpu", "gpu"), help="where to start it (default: cpu)")
    seconds = "time limit of the whole check (default: 10 after the start, or twice the time of the start)"
    smoke.add_argument("--seconds", type=_seconds, help=seconds)
    smoke.set_defaults(command="smoke")


# No adapter is looked at in less.
FEWEST_SECONDS = 3


def _seconds(text: str) -> float:
    if not FEWEST_SECONDS <= (seconds := _number(text)) < math.inf:
        msg = f"{text!r} must be at least {FEWEST_SECONDS} seconds"
        raise argparse.ArgumentTypeError(msg)
    return seconds


def _duration(text: str) -> float:
    if not 0 < (seconds := _number(text)) < math.inf:
        msg = f"{text!r} must be a number of seconds above 0"
        raise argparse.ArgumentTypeError(msg)
    return seconds


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _add_claims(commands: Commands) -> None:
    claims = commands.add_parser("claims", help="look at what is specified")
    views = claims.add_subparsers(metavar="VIEW", required=True)
    listing = views.add_parser("list", help="every claim in a line")
    listing.add_argument("--section", help="of one section only")
    listing.add_argument("--errata", action="store_true", help="only where the document is wrong or out of date")
    unspecified = "only where the document leaves open what implementations do otherwise"
    listing.add_argument("--unspecified", action="store_true", help=unspecified)
    listing.set_defaults(command="list_")
    show = views.add_parser("show", help="one claim in full")
    show.add_argument("id")
    show.set_defaults(command="show")
    errata = views.add_parser("errata", help="where the document is wrong or out of date, as Markdown")
    errata.add_argument("--json", action="store_true", help="for other programs")
    language = "language of the page: en, by section, or zh (Chinese), by line (default: en)"
    errata.add_argument("--language", default="en", choices=("en", "zh"), help=language)
    errata.set_defaults(command="errata")
    coverage = views.add_parser("coverage", help="is every line accounted for, every claim tested")
    coverage.add_argument("--document", type=Path, help="check that this file is the document, too")
    coverage.set_defaults(command="coverage")


def _add_report(commands: Commands) -> None:
    report = commands.add_parser(
        "report", help="turn ledgers and benchmarks into a page, a summary in Markdown, or JUnit XML"
    )
    report.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a ledger, or what `assay bench` wrote")
    kinds = ".html, .md for a pull request, or .xml for a CI system (default: assay-report.html)"
    report.add_argument("-o", "--output", type=_report_file, metavar="FILE", help=kinds)
    site = "Folder for a site: the report, a page for each claim and, with --document, the document by line."
    report.add_argument("--site", type=Path, metavar="DIR", help=site)
    copy = "Copy of the document. The report shows the passage next to each claim, and the document by line."
    report.add_argument("--document", type=Path, metavar="FILE", help=copy)
    report.add_argument("--badge", type=Path, metavar="FILE", help="Badge (SVG) with the verdict on the one ledger.")
    report.set_defaults(command="report")


def _report_file(text: str) -> Path:
    if (path := Path(text)).suffix not in {".html", ".md", ".xml"}:
        msg = f"{text!r} ends neither with .html nor with .md nor with .xml"
        raise argparse.ArgumentTypeError(msg)
    return path


def _add_compare(commands: Commands) -> None:
    compare = commands.add_parser(
        "compare", help="what has changed between two ledgers, or benchmarks; exit code 1 for a regression"
    )
    before = "the ledger from before, or the benchmarks, all runs of the file"
    compare.add_argument("old", type=Path, metavar="OLD", help=before)
    compare.add_argument("new", type=Path, metavar="NEW", help="what is to be judged; of benchmarks the last run")
    compare.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it as Markdown, too")
    compare.set_defaults(command="compare")


def _add_merge(commands: Commands) -> None:
    merge = commands.add_parser("merge", help="join the ledgers of shards")
    merge.add_argument("ledgers", nargs="+", type=Path, metavar="LEDGER")
    merge.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the ledger of the whole")
    merge.set_defaults(command="merge")


def _add_matrix(commands: Commands) -> None:
    matrix = commands.add_parser("matrix", help="since when each claim holds, or fails, from version to version")
    sources = "the oldest version first; or the one FILE that --data wrote"
    matrix.add_argument("ledgers", nargs="+", metavar="NAME=LEDGER", help=sources)
    matrix.add_argument("-o", "--output", type=Path, default=Path("assay-matrix.html"), help="(default: %(default)s)")
    matrix.add_argument("--data", type=Path, metavar="FILE", help="write the matrix itself, too, as JSON")
    matrix.set_defaults(command="matrix")


def _add_expect(commands: Commands) -> None:
    expect = commands.add_parser("expect", help="write what fails in a ledger down as expected")
    expect.add_argument("ledger", type=Path, metavar="LEDGER")
    expect.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="made, or brought up to date")
    expect.add_argument("--link", type=_address, required=True, metavar="URL", help="of new entries: what is known")
    expect.add_argument("--expires", type=_day, metavar="DATE", help="of new entries: their last day, as in 2027-12-31")
    expect.set_defaults(command="expect")


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://\S+", text):
        msg = f"{text!r} is not a web address"
        raise argparse.ArgumentTypeError(msg)
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is not a date such as 2027-12-31"
        raise argparse.ArgumentTypeError(msg) from None


def _add_fetch(commands: Commands) -> None:
    fetch = commands.add_parser("fetch", help="get the data sets ahead of time")
    fetch.add_argument("names", nargs="*", metavar="NAME", help="mnist, nietzsche (default: all)")
    fetch.set_defaults(command="fetch")


def _add_calibrate(commands: Commands) -> None:
    calibrate = commands.add_parser(
        "calibrate",
        help="train with many seeds, and store the runs of a threshold",
        description="Train with many seeds, and store the runs of a threshold. Runs that are stored are not repeated."
        " Runs of another implementation than the reference are compared with those.",
    )
    calibrate.add_argument("name", nargs="?", help="name of the threshold, or its .json file (default: list them)")
    calibrate.add_argument("--runs", type=_count, metavar="N", help="number of runs (default: as many as are stored)")
    calibrate.add_argument(
        "--implementation", default="reference", metavar="NAME", help=f"{NAMED} (default: %(default)s)"
    )
    calibrate.add_argument("--again", action="store_true", help="do not take over the runs that the threshold has")
    _add_workers(calibrate, default="1")
    folder = "folder of the runs of an interrupted calibration (default: %(default)s)"
    calibrate.add_argument(
        "-o", "--output", type=Path, default=Path("assay-calibration"), metavar="FOLDER", help=folder
    )
    calibrate.set_defaults(command="calibrate")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit code."""
    return answered("assay", lambda: _carry_out(arguments))


def answered(program: str, work: Callable[[], int]) -> int:
    """Do what a command line asks for; what goes wrong is one message and an exit code.

    Args:
        program: its name, for the message.
        work: returns the exit code if nothing goes wrong.

    """
    try:
        _check_surroundings()
        _let_everything_be_written()
        try:
            return work()
        finally:
            # Now rather than when Python ends, where a reader that has gone would be an error.
            sys.stdout.flush()
    except UserError as error:
        return _complain(program, str(error))
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        _forget_output()
        return ExitCode.CONFORMANT
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except OSError as error:
        # A folder that is gone, a name that is too long, a device that is full: the message of the system says which.
        _forget_output()
        where = "" if error.filename is None else f": {error.filename!r}"
        return _complain(program, f"{error.strerror or error}{where}")
    except Exception as error:  # noqa: BLE001 - Python's own exit code for it, 1, would be a verdict
        sys.excepthook(type(error), error, error.__traceback__)
        return ExitCode.BROKEN


def _check_surroundings() -> None:
    if sys.stdout is None:
        msg = "standard output is closed"
        raise UserError(msg, "Let it lead somewhere, such as to /dev/null")
    try:
        Path.cwd()
    except OSError:
        msg = "the current folder does not exist any more"
        raise UserError(msg, "Change to one that does") from None


def _let_everything_be_written() -> None:
    """Write what the encoding of the terminal has not as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _complain(program: str, message: str) -> int:
    # There may be nowhere to write it.
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(f"{program}: {message}\n")
        sys.stderr.flush()
    return ExitCode.USAGE


def _forget_output() -> None:
    """Let what Python still holds for standard output go nowhere."""
    with suppress(AttributeError, OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _carry_out(arguments: Sequence[str] | None) -> int:
    options = parser().parse_args(arguments)
    # Each command imports what it needs: `assay --help` imports next to nothing.
    from assay.cli import commands  # noqa: PLC0415

    return int(getattr(commands, options.command)(options))


if __name__ == "__main__":
    sys.exit(main())
