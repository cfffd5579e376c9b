"""What a run shows on a terminal of 80 columns, and without one."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from assay.runner.lines import fold

from .conftest import ENVIRONMENT

COLUMNS = 80
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
# The claims of the toy that pass, fail, break its adapter and need a group that it lacks.
CLAIMS = ("dense.affine", "dense.relu", "dense.zeros", "dense.units", "dense.tanh")
EXPECTATION = """
[[expectation]]
claim = "dense.tanh"
reason = "its result is transposed"
link = "https://example.org/1"
"""


def run_on_a_terminal(folder: Path, *arguments: str) -> str:
    """Run `assay` on a pseudo-terminal, and return what it wrote."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    environment = {name: value for name, value in ENVIRONMENT.items() if name not in {"COLUMNS", "NO_COLOR", "CI"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", *arguments],
        cwd=folder,
        env=environment | {"TERM": "xterm-256color"},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            # Linux says so when nobody has the other end any more.
            break
        if not part:
            break
        written += part
    os.close(ours)
    process.wait()
    return written.decode()


def rows_of(written: str) -> list[str]:
    """Return what was written line by line, without colours; a line may have been written several times."""
    return [row for line in written.split("\n") for row in ESCAPES.sub("", line).split("\r")]


def test_a_run_with_five_outcomes_wraps_no_line(tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text(EXPECTATION)
    claims = [word for id_ in CLAIMS for word in ("--claim", id_)]
    toy = "doubles.badly_behaved:wrong_results"
    written = run_on_a_terminal(tmp_path, "run", toy, "-n", "0", "--expectations", "known.toml", *claims)
    rows = rows_of(written)
    assert [row for row in rows if len(row) > COLUMNS] == []
    [header] = [row for row in rows if row.startswith("claims ") and "seconds" in row]
    assert header.split() == ["claims", "pass", "unsup", "xfail", "fail", "error", "seconds"]
    [totals] = [row for row in rows if row.startswith("all ")]
    assert totals.split()[1:6] == ["1", "1", "1", "1", "1"]
    assert any(row.startswith("unsup, u: unsupported, needs a group") for row in rows)
    # Failures come before the table, and progress counts claims.
    assert [row for row in rows if row.startswith("FAIL dense.relu")] != []
    assert any(re.search(r"claims decided .*[0-5]/5", row) for row in rows)


def test_a_long_line_is_folded_between_words() -> None:
    words = "word " * 30
    assert max(map(len, fold(f"  {words}", COLUMNS).splitlines())) < COLUMNS
    assert fold(words, None) == words


def test_a_folded_command_is_still_one_command() -> None:
    line = "  replay: python -m assay run mine --seed 0 --claim 'a b' " + "--claim dense.affine " * 6
    folded = fold(line, COLUMNS)
    assert max(map(len, folded.splitlines())) < COLUMNS
    assert folded.replace(" \\\n", " ").split() == line.split()
