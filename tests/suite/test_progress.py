"""How far a long command is: on a terminal of 80 columns, and without one."""

import io
import re

import pytest
from rich.console import Console

from assay.cli import progress
from assay.cli.progress import ProgressDisplay


def test_a_terminal_shows_a_bar_that_fits(monkeypatch):
    written = io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=written, force_terminal=True, width=80))
    with ProgressDisplay("runs of a threshold with a name that is far too long", 12, done=2) as display:
        display.advance()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue())
    lines = [line for part in plain.splitlines() for line in part.split("\r")]
    assert any(" 3/12 " in line for line in lines)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (12, ["runs: 3 of 12 after 0 s, 0 s left", "others: 4 of 12 after 0 s, 0 s left"]),
        (None, ["runs: 3 done after 0 s", "others: 4 done after 0 s"]),
    ],
)
def test_without_a_terminal_a_line_appears_from_time_to_time(total, said, monkeypatch, capsys):
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    with ProgressDisplay("runs", total, done=2) as display:
        display.advance()
        display.advance("others")
    assert capsys.readouterr() == ("", "".join(f"{line}\n" for line in said))


def test_without_a_terminal_a_short_command_says_nothing(capsys):
    with ProgressDisplay("runs", 12) as display:
        display.advance()
    assert capsys.readouterr() == ("", "")


def test_the_time_that_is_left_is_that_of_the_runs_of_this_call(monkeypatch, capsys):
    clock = iter([0.0, 60.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with ProgressDisplay("runs", 12, done=9) as display:
        display.advance()
    assert capsys.readouterr().err == "runs: 10 of 12 after 60 s, 120 s left\n"
