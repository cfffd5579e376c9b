"""`assay bench`: several implementations side by side."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

import click
from tqdm import tqdm

from assay.adapters import loading
from assay.bench import results
from assay.bench.scheduler import Plan, conduct
from assay.bench.workloads import IDS
from assay.cli.command import Command
from assay.cli.options import IMPLEMENTATION_IS, device, implementation, rename
from assay.cli.suggestions import nearest
from assay.cli.values import PATH, Choice, parse_duration, whole_number
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
            print(text, file=sys.stderr, flush=True)


@click.command(
    cls=Command,
    help="Time implementations side by side. They take turns, round by round, at training, inference and acting.\n\n"
    f"{IMPLEMENTATION_IS} The first one is compared with the others.",
    context_settings=rename({"starts": "launches"}),
)
@implementation("names", several=True)
@device()
@click.option(
    "--profile",
    type=Choice(("core", "full")),
    default="core",
    help="Benchmarks to run: core, or full, which adds MobileNetV2 (default: core).",
)
@click.option(
    "-k",
    "keyword",
    default="",
    metavar="EXPRESSION",
    help="Benchmarks to run by name, as in pytest; the limit needs `product or stream`, too.",
)
@click.option(
    "--launches",
    type=whole_number(1),
    default=5,
    metavar="N",
    help="Number of process launches for each implementation (default: 5).",
)
@click.option(
    "--rounds", type=whole_number(1), default=7, metavar="N", help="Number of rounds in each process (default: 7)."
)
@click.option(
    "--seconds",
    type=parse_duration,
    default=0.2,
    metavar="SECONDS",
    help="Approximate time that the steps of a round take (default: 0.2).",
)
@click.option(
    "--turn-seconds",
    type=parse_duration,
    default=360.0,
    metavar="SECONDS",
    help="Time after which a process that has not finished a round is ended (default: 360).",
)
@click.option(
    "-o",
    "--output",
    type=PATH,
    default=Path("assay-bench.json"),
    metavar="FILE",
    help="File to add the run to; earlier runs are kept (default: assay-bench.json).",
)
def bench(
    names: tuple[str, ...],
    device: str,
    profile: str,
    keyword: str,
    launches: int,
    rounds: int,
    seconds: float,
    turn_seconds: float,
    output: Path,
) -> int:
    """Measure, print the table, and add the run to a file.

    Raises:
        UserError: Nothing can be measured, or the file cannot be written.

    """
    if len(set(names)) < len(names):
        msg = "an implementation is named twice"
        raise UserError(msg, "Its ratio to itself is 1")
    if output.exists():
        results.read(output)
    plan = Plan(names, device, profile, keyword, launches, rounds, seconds, turn_seconds)
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
            results.append(output, run)
        raise
    if not run.starts and not run.broken:
        msg = f"no benchmark has a name with {keyword!r}"
        raise UserError(msg, ". ".join(filter(None, [nearest(keyword, IDS), f"Names: {', '.join(IDS)}"])))
    results.append(output, run)
    print(bench_tables.as_text(run))
    print(f"benchmarks: {output}")
    return ExitCode.INCOMPLETE if run.lost else ExitCode.CONFORMANT
