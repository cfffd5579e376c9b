"""How Assay's own work grows with claims and with ledgers: `python tests/benchmarks/scaling.py`.

The implementation has nothing to offer, so that what is left of a run is the runner's. Seconds are those that
processors worked, the least of several rounds, so that other work on the machine changes little. A straight line is
laid through what was measured; how far the worst point is from it says whether the growth is one.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SHARDS = (10, 4, 2, 1)
LEDGERS = (1, 2, 4, 8)
ROUNDS = 3
NOTHING = """
class Nothing:
    name, version, distributions, groups = "nothing", "1.0", (), ()

    def start(self, device):
        return device


implementation = Nothing()
"""


def seconds(*arguments: object) -> float:
    """Return how long processors worked for a command of `assay`."""
    return min(_seconds([sys.executable, "-m", "assay", *map(str, arguments)]) for _ in range(ROUNDS))


def _seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(ended.stdout + ended.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def line(what: str, unit: str, found: dict[int, float]) -> str:
    """Lay a straight line through seconds by size."""
    sizes, values = (np.array([*each]) for each in (found, found.values()))
    each, constant = np.polyfit(sizes, values, 1)
    off = np.abs(values - (constant + each * sizes)).max() / values.max()
    points = ", ".join(f"{size}: {value:.2f}" for size, value in found.items())
    return f"{what:8}{constant:6.2f} s, and {1000 * each:7.2f} ms a {unit}; {off:3.0%} off at most ({points})"


def main() -> None:
    """Measure all of it, in a folder of its own."""
    runs, reports, comparisons = {}, {}, {}
    for shards in SHARDS:
        took = seconds("run", "nothing", "-n", 0, "--shard", f"1/{shards}", "--results", "ledger.json")
        content = json.loads(Path("ledger.json").read_text())
        count = len(content["claims"])
        runs[count] = took
        reports[count] = seconds("report", "ledger.json", "-o", "report.html")
        # As if this were the whole profile: shards get no verdict.
        del content["shard"]
        Path("ledger.json").write_text(json.dumps(content))
        comparisons[count] = seconds("compare", "ledger.json", "ledger.json")
    several = {count: ["ledger.json"] * count for count in LEDGERS}
    pages = {count: seconds("report", *each, "-o", "report.html") for count, each in several.items()}
    named = {count: [f"version-{n}={path}" for n, path in enumerate(each)] for count, each in several.items()}
    matrices = {count: seconds("matrix", *each, "-o", "matrix.html") for count, each in named.items()}
    print(line("run", "claim", runs))
    print(line("report", "claim", reports))
    print(line("compare", "claim", comparisons))
    print(line("report", "ledger", pages))
    print(line("matrix", "ledger", matrices))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("nothing.py").write_text(NOTHING)
        main()
