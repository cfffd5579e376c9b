"""`assay smoke`: check whether an adapter works."""

from __future__ import annotations

import click

from assay.cli.command import Command
from assay.cli.options import IMPLEMENTATION_IS, device, implementation
from assay.cli.values import parse_seconds
from assay.errors import ExitCode
from assay.smoke.steps import steps


@click.command(
    cls=Command,
    help="Check in under 10 seconds whether an adapter works. The exit code is 0 if it works, and 1 if it is broken."
    f"\n\n{IMPLEMENTATION_IS}",
)
@implementation("name")
@device("Device to start it on (default: cpu).")
@click.option(
    "--seconds",
    type=parse_seconds,
    metavar="SECONDS",
    help="Time for everything (default: 10 after the start, or twice as long as the start takes).",
)
def smoke(name: str, device: str, seconds: float | None) -> int:
    """Print, step by step, whether an adapter works."""
    wrong = ""
    for step in steps(name, device, seconds):
        lines = [f"{'✓' if step.ok else '✗'} {step.text}", *(f"    {line}" for line in step.details)]
        print("\n".join(lines), flush=True)
        wrong = wrong or ("" if step.ok else step.text)
    if wrong:
        print(f"adapter broken: {wrong}")
        return ExitCode.NOT_CONFORMANT
    where = "" if device == "cpu" else f" --device {device}"
    print(f"adapter OK. Next: assay run {name}{where}")
    return ExitCode.CONFORMANT
