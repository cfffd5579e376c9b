"""`assay bench`: compare the speed of several implementations."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from assay.adapters import loading
from assay.bench import results
from assay.bench.scheduler import Plan, run_benchmarks
from assay.bench.workloads import IDS
from assay.cli.command import Command
from assay.cli.options import IMPLEMENTATION_IS, device, implementation, rename
from assay.cli.progress import ProgressDisplay
from assay.cli.suggestions import nearest
from assay.cli.values import PATH, Choice, parse_duration, whole_number
from assay.datasets import data
from assay.errors import ErrorKind, ExitCode, UserError
from assay.reports import bench_tables


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
    help="Expression that selects benchmarks, as in pytest. The limit of the machine needs `product or stream`, too.",
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
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg, "Name each implementation once")
    if output.exists():
        results.read(output)
    plan = Plan(names, device, profile, keyword, launches, rounds, seconds, turn_seconds)
    run = results.begin(plan, {name: loading.probe(name) for name in names})
    for fetch in (data.mnist, data.nietzsche):
        with suppress(data.AbsentError):
            fetch()
    try:
        with ProgressDisplay("turns") as display:
            for event in run_benchmarks(plan):
                display.advance(f"launch {event.start + 1}/{plan.starts}: {event.work} of {event.implementation}")
                run.take(event)
    except KeyboardInterrupt:
        # Results of minutes are kept on an interrupt.
        if run.starts:
            results.append(output, run)
        raise
    if not run.starts and not run.broken:
        msg = f"no benchmark has a name with {keyword!r}"
        raise UserError(
            ErrorKind.INVALID_ARGUMENT,
            msg,
            ". ".join(filter(None, [nearest(keyword, IDS), f"Names: {', '.join(IDS)}"])),
        )
    results.append(output, run)
    print(bench_tables.as_text(run))
    print(f"benchmarks: {output}")
    return ExitCode.INCOMPLETE if run.lost else ExitCode.CONFORMANT
