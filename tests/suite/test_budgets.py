"""The budgets of time: what a ledger says of its run, and what is made of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from doubles.ledgers import ledger, typed

from assay.cli import budgets
from assay.errors import ErrorKind, ExitCode, UserError
from assay.specification import profiles
from assay.specification.shards import Shard

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Shell

BUDGET = profiles.SECONDS["core"]
ROOM = budgets.MARGIN * profiles.CORES * BUDGET


def make_ledger(wall: float, processor: float, **options: Any) -> dict[str, Any]:
    """Return the ledger of a run of core that took so long."""
    return ledger(relu="pass", **options) | {"time": {"wall": wall, "processor": processor}}


@pytest.mark.parametrize(
    ("wall", "processor", "end", "code"),
    [
        pytest.param(BUDGET, ROOM, "within the budget", ExitCode.CONFORMANT, id="as long as allowed"),
        pytest.param(BUDGET / 4, ROOM, "within the budget", ExitCode.CONFORMANT, id="on many cores"),
        pytest.param(BUDGET + 1, ROOM, "waited for each other", ExitCode.CONFORMANT, id="on a busy machine"),
        pytest.param(BUDGET + 1, ROOM + 1, "too slow", ExitCode.NOT_CONFORMANT, id="too slow"),
        pytest.param(BUDGET / 4, ROOM + 1, "too slow", ExitCode.NOT_CONFORMANT, id="too slow on many cores"),
    ],
)
def test_a_run_is_too_slow_if_its_processors_could_not_have_been_faster(
    wall: float, processor: float, end: str, code: ExitCode
) -> None:
    said, found = budgets.judge(typed(make_ledger(wall, processor)))
    assert (said.endswith(end), found) == (True, code), said


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(ledger(relu="pass"), id="no time"),
        pytest.param(make_ledger(1, 1, undecided=("zeros",)), id="incomplete"),
        pytest.param(make_ledger(1, 1, shard=Shard(1, 2)), id="a shard"),
    ],
)
def test_what_is_no_whole_run_has_no_budget(content: dict[str, Any]) -> None:
    with pytest.raises(UserError) as raised:
        budgets.judge(typed(content))
    assert raised.value.kind == ErrorKind.INCOMPLETE_LEDGER


def test_the_time_of_a_run_is_that_of_all_its_processes(shell: Shell) -> None:
    alone, shared = (shell.dense("good", processes=processes).ledger["time"] for processes in (0, 2))
    # Each of the two workers loads again what the first process has.
    assert shared["processor"] > alone["processor"] > 0 < min(alone["wall"], shared["wall"])


def test_smoke_of_the_reference_is_within_its_budget(
    shell: Shell, seconds_of: Callable[[Callable[[], object]], float]
) -> None:
    ended = shell.assay("run", "reference", "--profile", "smoke", "--results", "ledger.json")
    assert ended.code == ExitCode.CONFORMANT, ended.output
    # The budget begins after the import, which each of two workers does, and takes as long as the machine takes.
    imports = 2 * seconds_of(lambda: shell.python("-c", "import tensorflow; tensorflow.keras.layers"))
    time = ended.ledger["time"]
    rest = {**time, "processor": max(0.0, time["processor"] - imports)}
    said, code = budgets.judge(typed(ended.ledger | {"time": rest}))
    assert code == ExitCode.CONFORMANT, said
