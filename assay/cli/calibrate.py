"""`assay calibrate`: train with one seed after the other, and store the runs of a threshold."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from urllib.parse import quote

from tqdm import tqdm

from assay.adapters import loading
from assay.errors import ExitCode
from assay.files import lock, output
from assay.survey import engine
from assay.survey.calibration import REFERENCE, Calibration
from assay.testing import thresholds


def main(options: Namespace) -> int:
    """Calibrate one threshold, or list them all."""
    if options.name is None:
        for one in thresholds.names():
            print(one)  # noqa: T201 - what the command says
        return ExitCode.CONFORMANT
    stored, threshold_file = thresholds.content(options.name), thresholds.path(options.name)
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / f"{threshold_file.stem}-{quote(options.implementation, safe='')}.json"
    calibration = Calibration(file, stored, options.implementation, loading.probe(options.implementation))
    held = lock.acquire(output.check(file, "calibration"), "calibration")
    if not options.again:
        calibration.take_stored()
    calibration.resume()
    count = options.runs or max(1, len(stored["runs"]))
    done = sum(seed < count for seed in calibration.runs)
    if done < count:
        with (
            engine.connect(options.scheduler, options.processes or 1) as workers,
            tqdm(total=count, initial=done, desc=threshold_file.stem, unit="run", disable=None) as bar,
        ):
            calibration.go_on(count, workers, bar.update)
    if held is not None:
        held.release()
    if calibration.failed:
        for seed, why in sorted(calibration.failed.items()):
            print(f"seed {seed}: {why}")  # noqa: T201 - as above
        print(f"{len(calibration.failed)} runs are missing; the same command runs them")  # noqa: T201 - as above
        return ExitCode.INCOMPLETE
    return _finish(calibration, threshold_file)


def _finish(calibration: Calibration, threshold_file: Path) -> int:
    if calibration.implementation == REFERENCE or not calibration.threshold["runs"]:
        output.write(threshold_file, json.dumps(calibration.as_threshold(), indent=1) + "\n", "threshold")
        # The runs are in the threshold now.
        calibration.file.unlink(missing_ok=True)
        print(f"{threshold_file}: {len(calibration.runs)} runs")  # noqa: T201 - as above
        for what, limits in calibration.limits().items():
            numbers = ", ".join(f"{name} {value:.6g}" for name, value in limits.items())
            print(f"  {what}: {numbers}")  # noqa: T201 - as above
        return ExitCode.CONFORMANT
    print(f"{calibration.file}: {len(calibration.runs)} runs of {calibration.implementation}")  # noqa: T201 - as above
    for line in calibration.compare():
        print(f"  {line}")  # noqa: T201 - as above
    return ExitCode.CONFORMANT
