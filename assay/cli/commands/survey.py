"""`assay survey`: implementations, seeds and shards on many processes or machines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from assay.adapters import loading
from assay.cli.command import Command
from assay.cli.options import IMPLEMENTATION_IS, RUN_NAMES, implementation, rename, run_options, workers
from assay.cli.progress import ProgressDisplay
from assay.cli.values import PATH, whole_number
from assay.errors import ErrorKind, ExitCode, UserError
from assay.files import output_file
from assay.ledger.environment import available_cores
from assay.runner.options import RunOptions
from assay.specification.claims import specification
from assay.survey import engine, summary, text
from assay.survey.plan import Plan
from assay.survey.store import Store
from assay.survey.survey import Progress, begin, conclude, run_missing

RESULT, REPORT = "survey.json", "survey.html"


NOT_OF_SURVEYS = ("implementation", "seed", "shard", "results", "resume", "replay", "expectations", "require")


@click.command(
    cls=Command,
    help="Run implementations with many seeds, and find flaky claims. Runs may share many processes or machines. The"
    f" same command continues a survey that was interrupted.\n\n{IMPLEMENTATION_IS}",
    context_settings=rename(RUN_NAMES),
)
@implementation("names", several=True)
@click.option(
    "--seeds", type=whole_number(1), default=10, metavar="N", help="Number of seeds, from 0 to N - 1 (default: 10)."
)
@click.option(
    "--shards",
    type=whole_number(1),
    default=1,
    metavar="K",
    help="Number of tasks that each run is split into, about equally long (default: 1).",
)
@run_options(leave_out=NOT_OF_SURVEYS)
@workers("one for each core")
@click.option(
    "-o",
    "--output",
    "folder",
    type=PATH,
    default=Path("assay-survey"),
    metavar="FOLDER",
    help="Folder of the results, from which an interrupted survey is continued (default: assay-survey).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def survey(
    names: Sequence[str],
    seeds: int,
    shards: int,
    scheduler: str | None,
    processes: int | None,
    folder: Path,
    *,
    as_json: bool,
    **values: Any,  # noqa: ANN401 - the fields of RunOptions
) -> int:
    """Run or resume a survey, and print its findings."""
    local = processes or available_cores()
    asked = RunOptions(**values)
    threads = asked.threads or (1 if scheduler else max(1, available_cores() // local))
    plan = _plan(names, range(seeds), shards, replace(asked, threads=threads))
    with closing(Store(folder, plan)) as store:
        progress = begin(plan, store)
        interrupted = not _run(plan, store, progress, scheduler, local)
        found = conclude(plan, store, progress)
    summary.write(folder / RESULT, found)
    from assay.reports import html  # noqa: PLC0415 - loads matplotlib

    output_file.write(folder / REPORT, html.render([], surveys=[found]), "report")
    print(summary.as_json(found) if as_json else text.as_text(found))
    where = sys.stderr if as_json else sys.stdout
    print(f"results: {folder / RESULT}, {folder / REPORT}", file=where)
    if interrupted:
        return ExitCode.INTERRUPTED
    if any(subject.findings for subject in found.subjects):
        return ExitCode.NOT_CONFORMANT
    return ExitCode.INCOMPLETE if found.missing else ExitCode.CONFORMANT


def _run(plan: Plan, store: Store, progress: Progress, scheduler: str | None, processes: int) -> bool:
    """Run the missing trials, and return whether they finished without an interrupt."""
    if not progress.missing:
        return True
    try:
        with (
            engine.connect(scheduler, processes) as connected,
            ProgressDisplay("runs", len(progress.trials), len(progress.stored)) as display,
        ):
            run_missing(plan, store, progress, connected, lambda _: display.advance())
    except KeyboardInterrupt:
        return False
    return True


def _plan(names: Sequence[str], seeds: range, shards: int, asked: RunOptions) -> Plan:
    """Return the plan of a survey.

    Raises:
        UserError: The options contradict each other.

    """
    if len(set(names)) < len(names):
        msg = "an implementation is named twice"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg, "Name each implementation once")
    if shards > 1 and asked.claim:
        msg = "--shards and --claim both say what to run"
        raise UserError(ErrorKind.CONFLICTING_OPTIONS, msg, "Leave one of them out")
    claims = tuple(dict.fromkeys(specification().claim(id_).id for id_ in asked.claim))
    described = {name: loading.probe(name) for name in names}
    return Plan(described, seeds, shards, replace(asked, claim=claims))
