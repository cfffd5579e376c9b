"""`assay calibrate`: train with many seeds, and store the runs of a threshold."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click

from assay.adapters import loading
from assay.cli import completion
from assay.cli.command import Command
from assay.cli.options import workers
from assay.cli.progress import ProgressDisplay
from assay.cli.values import PATH, whole_number
from assay.errors import ExitCode
from assay.files import json_file, lock, output_file
from assay.runner.options import NAMED
from assay.survey import engine
from assay.survey.calibration import REFERENCE, Calibration
from assay.testing import thresholds


@click.command(
    cls=Command,
    help="Train with many seeds, and store the runs of a threshold. Runs that are stored are not repeated. Runs of an"
    " implementation other than the reference are compared with those.\n\n"
    "NAME is the name of a threshold, or its .json file; without one, all thresholds are listed.",
)
@click.argument("name", required=False, shell_complete=completion.thresholds)
@click.option("--runs", type=whole_number(1), metavar="N", help="Number of runs (default: as many as are stored).")
@click.option(
    "--implementation",
    default=REFERENCE,
    metavar="NAME",
    shell_complete=completion.adapters,
    help=f"Implementation to train: {NAMED} (default: {REFERENCE}).",
)
@click.option("--again", is_flag=True, help="Repeat the runs that the threshold has.")
@workers("1")
@click.option(
    "-o",
    "--output",
    "folder",
    type=PATH,
    default=Path("assay-calibration"),
    metavar="FOLDER",
    help="Folder of the runs of an interrupted calibration (default: assay-calibration).",
)
def calibrate(
    name: str | None,
    runs: int | None,
    implementation: str,
    scheduler: str | None,
    processes: int | None,
    folder: Path,
    *,
    again: bool,
) -> int:
    """Calibrate one threshold, or list them all."""
    if name is None:
        for one in thresholds.names():
            print(one)
        return ExitCode.CONFORMANT
    stored, threshold_file = thresholds.content(name), thresholds.path(name)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{threshold_file.stem}-{quote(implementation, safe='')}.json"
    calibration = Calibration(file, stored, implementation, loading.probe(implementation))
    file_lock = lock.acquire(output_file.check(file, "calibration"), "calibration")
    if not again:
        calibration.take_stored()
    calibration.resume()
    count = runs or max(1, len(stored["runs"]))
    done = sum(seed < count for seed in calibration.runs)
    if done < count:
        with (
            engine.connect(scheduler, processes or 1) as connected,
            ProgressDisplay(f"runs of {threshold_file.stem}", count, done) as display,
        ):
            calibration.run_missing(count, connected, display.advance)
    if file_lock is not None:
        file_lock.release()
    if calibration.failed:
        for seed, why in sorted(calibration.failed.items()):
            print(f"seed {seed}: {why}")
        print(f"{len(calibration.failed)} runs are missing; the same command runs them")
        return ExitCode.INCOMPLETE
    return _finish(calibration, threshold_file)


def _finish(calibration: Calibration, threshold_file: Path) -> int:
    if calibration.implementation == REFERENCE or not calibration.threshold["runs"]:
        json_file.write(threshold_file, calibration.as_threshold(), "threshold")
        # The runs are now in the threshold's file.
        calibration.file.unlink(missing_ok=True)
        print(f"{threshold_file}: {len(calibration.runs)} runs")
        for what, limits in calibration.limits().items():
            numbers = ", ".join(f"{name} {value:.6g}" for name, value in limits.items())
            print(f"  {what}: {numbers}")
        return ExitCode.CONFORMANT
    print(f"{calibration.file}: {len(calibration.runs)} runs of {calibration.implementation}")
    for line in calibration.compare():
        print(f"  {line}")
    return ExitCode.CONFORMANT
