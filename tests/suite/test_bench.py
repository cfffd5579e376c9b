"""Benchmarks: what is timed is what was done, ratios carry their noise, and the gate tells a slower step alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from doubles import paced

from assay.adapters.loading import Description
from assay.bench import flops, results
from assay.bench.ratios import LIMIT, ratios
from assay.bench.regression import FALSE_ALARMS, compare
from assay.bench.results import Run, Start
from assay.bench.scheduler import Plan
from assay.bench.workloads import COSTS, FOOTPRINTS, IDS, STEPS
from assay.errors import ErrorKind, ExitCode, UserError
from assay.spec.semantics.models import MODELS

from .conftest import read_kind

if TYPE_CHECKING:
    from .conftest import Ended, Shell

PLAN = Plan(("ours", "theirs"), "cpu", "core", "", 3, 3, 0.2, 360.0)
NOBODY = Description("nobody", "1.0", {}, ())


def run_of(ours: float, theirs: float, noise: float, generator: np.random.Generator, starts: int = 3) -> Run:
    """Make up a run in which the cost of a step varies from start to start by a share of it."""
    run = results.begin(PLAN, {"ours": NOBODY, "theirs": NOBODY})
    for name, step in (("ours", ours), ("theirs", theirs)):
        run.starts.setdefault("mlp", {})[name] = {
            number: Start(
                1.0, 100, 1.0, [(1, 0.1)], [(101, 0.1 + 100 * step * np.exp(noise * generator.normal()))], [2.0]
            )
            for number in range(starts)
        }
    return run


# What a step costs at least


def test_a_dense_layer_multiplies_each_input_with_each_weight() -> None:
    products = [product.terms for product in flops.list_products("mlp")]
    assert products == [784 * 100, 100 * 10]


def test_what_a_convolution_adds_as_padding_is_no_term() -> None:
    first, second, *_ = flops.list_products("cnn")
    # Of the 5 rows that a window has, 2 hang out at the first and the last place, and 1 at those beside them.
    taps = {side: (5 * side - 2 * (2 + 1)) ** 2 for side in (28, 14)}
    assert (first.terms, second.terms) == (taps[28] * 32, taps[14] * 32 * 64)


def test_training_takes_the_products_of_both_gradients_but_that_of_the_first_inputs() -> None:
    assert flops.training("mlp", 50).operations == 2 * 50 * (2 * 784 * 100 + 3 * 100 * 10)


def test_adam_reads_and_writes_a_parameter_and_its_moments() -> None:
    parameters = sum(int(np.prod(shape)) for shape in MODELS["mlp"].shapes.values())
    assert flops.training("mlp", 50).bytes == 2 * 3 * 4 * parameters


def test_a_one_hot_vector_and_a_state_of_zeros_multiply_nothing() -> None:
    assert flops.inference("rnn", 1, seq_length=40).operations == 2 * (39 * 256 * 1024 + 256 * 57)


# Ratios and the gate


def test_a_step_is_what_a_loop_takes_longer_than_a_call() -> None:
    start = Start(calls=[(1, 0.8), (1, 0.6), (1, 0.7)], loops=[(11, 1.6), (21, 2.6)])
    np.testing.assert_allclose(start.steps, [0.1, 0.1])


def test_the_ratio_is_how_many_times_as_long_the_other_takes() -> None:
    run = run_of(0.001, 0.003, 0.0, np.random.default_rng(0))
    (ratio,) = ratios(run)
    assert ratio.peer == "theirs"
    assert ratio.value == pytest.approx(3.0)


def test_the_limit_is_the_longer_of_arithmetic_and_memory() -> None:
    run = run_of(0.001, 0.003, 0.0, np.random.default_rng(0))
    product, stream = 2 * 1000**3 / 1e9, 2 * FOOTPRINTS[0] / 1e12
    for name, step in (("product_1000", product), (f"stream_{FOOTPRINTS[0]}", stream)):
        run.starts[name] = {"ours": {number: Start(calls=[(1, step)], loops=[(2, 2 * step)]) for number in range(3)}}
    limit = next(ratio for ratio in ratios(run) if ratio.peer == LIMIT)
    assert limit.value == pytest.approx(COSTS["mlp"].operations / 1e9 / 0.001)


def test_no_change_is_told_no_more_often_than_stated() -> None:
    generator, comparisons = np.random.default_rng(0), 1000
    alarms = sum(
        compare([run_of(0.001, 0.003, 0.05, generator)], run_of(0.001, 0.003, 0.05, generator)).code
        is not ExitCode.CONFORMANT
        for _ in range(comparisons)
    )
    # As many as a fair gate exceeds once in a thousand times, by the normal approximation.
    assert alarms <= FALSE_ALARMS * comparisons + 3.1 * (FALSE_ALARMS * comparisons) ** 0.5


def test_half_as_long_again_is_told() -> None:
    generator = np.random.default_rng(0)
    found = [
        compare([run_of(0.001, 0.003, 0.02, generator)], run_of(0.0015, 0.003, 0.02, generator)) for _ in range(100)
    ]
    assert {comparison.code for comparison in found} == {ExitCode.NOT_CONFORMANT}


def test_what_has_become_faster_is_no_regression() -> None:
    generator = np.random.default_rng(0)
    assert compare([run_of(0.0015, 0.003, 0.0, generator)], run_of(0.001, 0.003, 0.0, generator)).fallen == []


def test_runs_from_before_make_the_gate_tell_more() -> None:
    generator = np.random.default_rng(0)
    *history, new = (run_of(0.001, 0.003, 0.05, generator) for _ in range(5))
    allowed = [compare(history[:count], new).changes[0].allowed for count in (1, 2, 4)]
    assert allowed == sorted(allowed, reverse=True)


def test_runs_under_other_conditions_are_left_out() -> None:
    generator = np.random.default_rng(0)
    other, old, new = (run_of(0.001, 0.003, 0.05, generator) for _ in range(3))
    other.machine = other.machine | {"processor": "another"}
    assert compare([other, old], new) == compare([old], new)


def test_one_start_cannot_be_compared() -> None:
    run = run_of(0.001, 0.003, 0.0, np.random.default_rng(0), starts=1)
    with pytest.raises(UserError) as raised:
        compare([run], run)
    assert raised.value.kind == ErrorKind.TOO_FEW_LAUNCHES


# Files


def test_a_file_keeps_every_run(tmp_path: Path) -> None:
    path, generator = tmp_path / "bench.json", np.random.default_rng(0)
    runs = [run_of(0.001, 0.003, 0.1, generator) for _ in range(2)]
    for run in runs:
        results.append(path, run)
    assert results.read(path) == runs


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", ErrorKind.INVALID_SYNTAX),
        ("{}", ErrorKind.INVALID_FORMAT),
        ('{"format": 1, "runs": []}', ErrorKind.INVALID_FORMAT),
        ('{"format": 2, "runs": [{}]}', ErrorKind.INVALID_FORMAT),
    ],
)
def test_a_damaged_file_is_one_message(tmp_path: Path, text: str, kind: ErrorKind) -> None:
    (path := tmp_path / "bench.json").write_text(text)
    with pytest.raises(UserError) as raised:
        results.read(path)
    assert (raised.value.kind, str(path) in str(raised.value)) == (kind, True)


def test_a_page_of_benchmarks_needs_no_ledger(shell: Shell) -> None:
    generator = np.random.default_rng(0)
    for _ in range(2):
        results.append(shell.folder / "bench.json", run_of(0.001, 0.003, 0.1, generator))
    ended = shell.assay("report", "bench.json", "-o", "bench.html")
    page = (shell.folder / "bench.html").read_text()
    assert (ended.code, page.count("<svg"), page.count("theirs") > 1) == (0, 2, True)


# What is run


def bench(shell: Shell, *names: str, output: str = "bench.json", starts: int = 2) -> Ended:
    options = ["-k", "linear", "--launches", starts, "--rounds", 2, "--seconds", 0.02, "--turn-seconds", 10]
    return shell.assay("bench", *(f"doubles.paced:{name}" for name in names), *options, "-o", output)


def test_the_gate_tells_a_step_that_takes_half_as_long_again(shell: Shell) -> None:
    for name in ("steady", "slower"):
        bench(shell, name, "other", output=f"{name}.json", starts=3)
    codes = [shell.assay("compare", "steady.json", name).code for name in ("steady.json", "slower.json")]
    assert codes == [ExitCode.CONFORMANT, ExitCode.NOT_CONFORMANT]


def test_what_gives_no_result_takes_nothing_else_along(shell: Shell) -> None:
    expected = {
        "raising": ("error", "RuntimeError: out of patience"),
        "lazy": ("fail", "1 steps of training gave losses of shape (0,): []"),
        "undefined": ("fail", "1 steps of training gave losses of shape (1,): [nan]"),
        "crashing": ("crash", "its process ended with exit code 0"),
        "hanging": ("timeout", "not finished after 10 s"),
    }
    ended = bench(shell, "steady", *expected)
    run = results.read(shell.folder / "bench.json")[-1]
    found = {one.implementation: (one.outcome, one.reason.partition("\n")[0]) for one in run.broken}
    assert (ended.code, found) == (
        ExitCode.INCOMPLETE,
        {f"doubles.paced:{name}": how for name, how in expected.items()},
    )
    loops = [loop for start in run.starts["linear"]["doubles.paced:steady"].values() for loop in start.loops]
    assert len(loops) == 2 * 2
    assert all(seconds >= steps * paced.STEP for steps, seconds in loops)


@pytest.mark.parametrize(
    ("arguments", "kind", "named"),
    [
        (["doubles.paced:steady", "doubles.paced:steady"], ErrorKind.INVALID_ARGUMENT, "twice"),
        (["doubles.paced:nobody"], ErrorKind.UNKNOWN_IMPLEMENTATION, "'nobody'"),
        (["doubles.paced:steady", "-k", "nothing"], ErrorKind.INVALID_ARGUMENT, "'nothing'"),
        (["doubles.paced:steady", "--launches", "0"], ErrorKind.INVALID_ARGUMENT, "--launches: '0'"),
    ],
)
def test_what_cannot_be_run_is_one_message(shell: Shell, arguments: list[str], kind: ErrorKind, named: str) -> None:
    ended = shell.assay("bench", *arguments)
    assert (ended.code, read_kind(ended.output)) == (ExitCode.USAGE, kind), ended.output
    assert (named in ended.output, "Traceback" in ended.output) == (True, False), ended.output


def test_every_work_has_a_name_of_its_own() -> None:
    assert len(set(IDS)) == len(IDS)
    assert set(COSTS) <= {work.name for work in STEPS}
