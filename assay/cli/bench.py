"""`assay bench`: several implementations side by side."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from contextlib import suppress

from tqdm import tqdm

from assay.adapters import loading
from assay.bench import results
from assay.bench.scheduler import Plan, conduct
from assay.bench.workloads import IDS
from assay.cli.suggestions import nearest
from assay.datasets import data
from assay.errors import ExitCode, UserError
from assay.reports import bench_tables

# Without a terminal, a line appears this often, in seconds.
QUIET_SECONDS = 30.0


class OccasionalLine:
    """Says from time to time how far a command is, where no terminal shows a bar."""

    def __init__(self) -> None:
        """Start the clock."""
        self._last = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line if the last one was long ago."""
        now = time.monotonic()
        if not sys.stderr.isatty() and now - self._last >= QUIET_SECONDS:
            self._last = now
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - what the command says


def bench(options: Namespace) -> int:
    """Measure, say it, and put it into a file.

    Raises:
        UserError: there is nothing to measure, or the file cannot hold it.

    """
    names = options.implementations
    if len(set(names)) < len(names):
        msg = "an implementation is named twice"
        raise UserError(msg, "Its ratio to itself is 1")
    if options.output.exists():
        results.read(options.output)
    plan = Plan(
        names,
        options.device,
        options.profile,
        options.keyword,
        options.launches,
        options.rounds,
        options.seconds,
        options.turn_seconds,
    )
    run = results.begun(plan, {name: loading.probe(name) for name in names})
    for fetch in (data.mnist, data.nietzsche):
        with suppress(data.AbsentError):
            fetch()
    quiet = OccasionalLine()
    try:
        with tqdm(unit=" turns", leave=False, disable=None) as bar:
            for event in conduct(plan):
                bar.set_description(
                    f"launch {event.start + 1} of {plan.starts}: {event.work} of {event.implementation}"
                )
                bar.update()
                quiet.say(f"start {event.start + 1} of {plan.starts}: {event.work} of {event.implementation}")
                run.take(event)
    except KeyboardInterrupt:
        # Whoever has waited for minutes keeps what they have brought.
        if run.starts:
            results.append(options.output, run)
        raise
    if not run.starts and not run.broken:
        msg = f"no benchmark has a name with {options.keyword!r}"
        raise UserError(msg, ". ".join(filter(None, [nearest(options.keyword, IDS), f"Names: {', '.join(IDS)}"])))
    results.append(options.output, run)
    print(bench_tables.as_text(run))  # noqa: T201 - what the command says
    print(f"benchmarks: {options.output}")  # noqa: T201 - as above
    return ExitCode.INCOMPLETE if run.lost else ExitCode.CONFORMANT
