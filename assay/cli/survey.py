"""`assay survey`: implementations, seeds and shards on many processes or machines."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing
from dataclasses import replace

from tqdm import tqdm

from assay.adapters import loading
from assay.errors import ExitCode, UserError
from assay.files import text_file
from assay.runner.options import RunOptions
from assay.specification.claims import specification
from assay.survey import engine, summary, survey, text
from assay.survey.plan import Plan
from assay.survey.store import Store

RESULT, REPORT = "survey.json", "survey.html"


def main(options: Namespace) -> int:
    """Run a survey, or the rest of one, and print what it found.

    Raises:
        UserError: Something is wrong with the options, or with the folder.

    """
    processes = options.processes or engine.cores()
    plan = _plan(options, processes)
    with closing(Store(options.output, plan)) as store:
        progress = survey.begin(plan, store)
        interrupted = not _run(plan, store, progress, options.scheduler, processes)
        found = survey.conclude(plan, store, progress)
    summary.write(options.output / RESULT, found)
    from assay.reports import html  # noqa: PLC0415 - loads matplotlib

    text_file.write(options.output / REPORT, html.render([], surveys=[found]), "report")
    print(summary.as_json(found) if options.json else text.as_text(found))  # noqa: T201 - what the command says
    where = sys.stderr if options.json else sys.stdout
    print(f"results: {options.output / RESULT}, {options.output / REPORT}", file=where)
    if interrupted:
        return ExitCode.INTERRUPTED
    if any(subject.findings for subject in found.subjects):
        return ExitCode.NOT_CONFORMANT
    return ExitCode.INCOMPLETE if found.missing else ExitCode.CONFORMANT


def _run(plan: Plan, store: Store, progress: survey.Progress, scheduler: str | None, processes: int) -> bool:
    """Run what is missing, and return whether the user let it come to its end."""
    if not progress.missing:
        return True
    try:
        with (
            engine.connect(scheduler, processes) as workers,
            tqdm(total=len(progress.trials), initial=len(progress.stored), unit="run", disable=None) as bar,
        ):
            survey.go_on(plan, store, progress, workers, lambda _: bar.update())
    except KeyboardInterrupt:
        return False
    return True


def _plan(options: Namespace, processes: int) -> Plan:
    asked = RunOptions.from_namespace(options)
    names = options.implementations
    if len(set(names)) < len(names):
        msg = "an implementation is named twice"
        raise UserError(msg, "Name each of them once")
    if options.shards > 1 and asked.claim:
        msg = "--shards and --claim both say what to run"
        raise UserError(msg, "Leave one of them out")
    claims = tuple(dict.fromkeys(specification().claim(id_).id for id_ in asked.claim))
    threads = asked.threads or (1 if options.scheduler else max(1, engine.cores() // processes))
    described = {name: loading.probe(name) for name in names}
    return Plan(described, range(options.seeds), options.shards, replace(asked, claim=claims, threads=threads))
