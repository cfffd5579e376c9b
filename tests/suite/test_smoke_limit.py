"""`assay smoke` adapts its limit to how long an implementation takes to start."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from assay.errors import ExitCode
from assay.smoke import process
from assay.smoke.process import Limit
from assay.specification.signatures import functions

ADAPTER = """
import time
import numpy as np

class Ops:
    def relu(self, inputs):
        time.sleep({claim})
        return np.maximum(inputs, 0)

class Mine:
    name, version, distributions, groups = "mine", "1", (), ("ops",)
    unsupported = {unsupported}
    ops = Ops()
    def start(self, device):
        time.sleep({start})
        return "CPU"

implementation = Mine()
"""


@pytest.mark.parametrize(
    ("limit", "started", "expected"),
    [
        (Limit(10), 4, 10),  # As the user says.
        (Limit(120, 10), 1, 11),
        (Limit(120, 10), 5, 15),
        (Limit(120, 10), 20, 60),  # Ten times as slow as usual: 40 s for what takes 4 s elsewhere.
    ],
)
def test_a_slow_start_gives_more_time_for_what_follows(limit, started, expected):
    assert limit.extend(started) == expected


def sleeper(tmp_path, before, after):
    """Write a program that ends start(), and itself, after so many seconds."""
    script = f"""
import json, sys, time
time.sleep({before})
with open(sys.argv[1], "a") as file:
    file.write(json.dumps({{"ended": "start()"}}) + "\\n")
time.sleep({after})
"""
    (tmp_path / "program.py").write_text(script, encoding="utf-8")
    return [sys.executable, "program.py", "journal"]


def wait(command, folder, limit):
    running = subprocess.Popen(command, cwd=folder)
    try:
        return process._wait(running, folder / "journal", limit)  # noqa: SLF001 - what the limit does
    except subprocess.TimeoutExpired:
        return None
    finally:
        running.kill()
        running.wait()


def test_the_time_after_the_start_is_counted_from_its_end(tmp_path):
    command = sleeper(tmp_path, before=1.0, after=0.8)
    # All of it takes longer than either part may, and neither part does.
    assert wait(command, tmp_path, Limit(60, 0.1)) == 0


def test_what_hangs_after_the_start_is_ended(tmp_path):
    command = sleeper(tmp_path, before=0, after=60)
    began = time.monotonic()
    assert wait(command, tmp_path, Limit(100, 0.5)) is None
    assert time.monotonic() - began < 30


def test_a_start_that_hangs_is_ended(tmp_path):
    assert wait(sleeper(tmp_path, before=60, after=0), tmp_path, Limit(0.5, 10)) is None


def test_a_start_longer_than_the_limit_of_claims_is_sound(shell):

    others = [f"ops.{name}" for name in functions("ops") if name != "relu"]
    text = ADAPTER.format(claim=0, start=12, unsupported=others)
    (shell.folder / "mine.py").write_text(text, encoding="utf-8")
    ended = shell.assay("smoke", "mine")
    assert ended.code == ExitCode.CONFORMANT, ended.output
