"""The program that a failure prints shows the fault on its own."""

from __future__ import annotations

import inspect
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from doubles.catalogue import run_faults
from doubles.faults import FAULTS, remembered_arguments
from doubles.faulty import base_of

from assay.adapters.calls import Call, CallLog
from assay.adapters.proxy import Comparison
from assay.runner import snippet
from assay.runner.shown_values import MOST_ELEMENTS, Writer, describe
from assay.specification.shards import COSTS
from assay.testing.stored_arrays import MEMORY_ORDERS

HERE = Path(__file__).parent
SAMPLE = 30
# Claims that take longer than this, in seconds, are about trainings.
CHEAP = 0.3
# Runs programs one after the other, each in a process that starts as a copy of this one, which has the imports.
RUNNER = """
import json, os, sys, traceback
import numpy, pytest, assay.adapters.loading, assay.adapters.proxy, doubles.faults
from assay.adapters import process_state
from importlib import import_module
programs = json.load(sys.stdin)
for name in sorted({line.split()[-1] for text in programs for line in text.splitlines()
                    if line.startswith("from assay.tests import ")}):
    import_module(f"assay.tests.{name}")
for text in programs:
    sys.stdout.flush()
    child = os.fork()
    if not child:
        # Assay ends copies of its process, which only an implementation makes elsewhere.
        process_state._process = os.getpid()
        sys.stdout = open(os.devnull, "w")
        code = 0
        try:
            exec(compile(text, "snippet", "exec"), {"__name__": "__main__"})
        except SystemExit as end:
            code = int(end.code or 0)
        except (AssertionError, assay.adapters.proxy.AdapterError, pytest.fail.Exception):
            code = 1
        except BaseException:
            traceback.print_exc()
            code = 2
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def run_programs(programs: list[str]) -> list[int]:
    """Run programs, each in its own process, and return their exit codes."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUNNER],
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
    )
    assert ended.stderr == ""
    return [int(line) for line in ended.stdout.split()]


def test_what_snippets_import_exists() -> None:
    imports = re.findall(r'"(from assay[\w.]* import \w+)"', inspect.getsource(snippet))
    assert imports
    for line in imports:
        exec(line, {})  # noqa: S102 - an import that the source above contains


def test_the_snippets_of_thirty_faults_show_them() -> None:
    seconds = json.loads(COSTS.read_text(encoding="utf-8"))["core"]["seconds"]
    cheap = [
        name
        for name, fault in sorted(FAULTS.items())
        # A snippet makes one call, with arrays that nobody has seen before.
        if seconds.get(fault.claim, CHEAP) < CHEAP
        and base_of(fault) == "numpy"
        and name not in remembered_arguments.FAULTS
    ]
    names = random.Random(0).sample(cheap, SAMPLE)  # noqa: S311 - no secret
    rows = {name: found[FAULTS[name].claim] for name, found in run_faults(names).items()}
    programs = {name: rows[name].get("failure", {}).get("snippet", "") for name in names}
    assert [name for name, text in programs.items() if not text] == []
    # Where the fault is not, they show none.
    sound = [text.replace(f"doubles.faults:with_fault.{name}", "numpy") for name, text in programs.items()]
    codes = run_programs([*programs.values(), *sound])
    assert {name: code for name, code in zip(names, codes[:SAMPLE], strict=True) if code != 1} == {}
    # Few of them compare with what the definition makes of a wrong state that the fault returned.
    assert codes[SAMPLE:].count(0) >= SAMPLE - 3


@pytest.mark.parametrize("order", ["transposed in memory", "sliced with a step", "cropped from larger ones"])
def test_a_written_array_has_its_memory_order(order: str) -> None:
    array = MEMORY_ORDERS[order](np.arange(12, dtype=np.float32).reshape(3, 4))
    written = eval(Writer().write(array), {"np": np})  # noqa: S307 - an expression that the line above wrote
    assert (written.tolist(), written.strides) == (array.tolist(), array.strides)


def test_a_result_is_found_in_the_last_call_that_returned_it() -> None:
    kernel, other = np.ones(3, np.float32), np.ones(3, np.float32)
    calls = [Call("models", "train", (), {}), Call("models", "train", (), {})]
    calls[0].result, calls[1].result = {"kernel": other}, (0, {"kernel": kernel})
    assert snippet.find_result(calls, kernel) == (1, "[1]['kernel']")
    assert snippet.find_result(calls, other) == (0, "['kernel']")
    assert snippet.find_result(calls, kernel.copy()) is None


def test_a_new_case_forgets_the_calls_of_the_last_one() -> None:
    log = CallLog()
    log.add(Call("ops", "relu", (1,), {}))
    log.start_case({"case": 2})
    assert ([*log.calls], log.case, log.total) == ([], {"case": 2}, 0)


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1.5, np.nan], [-np.inf, -0.0]], np.float32),
        np.arange(6, dtype=np.int32).reshape(2, 3),
        np.zeros((0, 3), np.float32),
        np.float32(0.1),
        np.array(2.5),
        np.array([True, False]),
        np.asfortranarray(np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)),
        {"a": [1, (2,), None, "text", b"bytes"], "b": (1.5, float("inf"))},
    ],
    ids=describe,
)
def test_what_is_written_is_the_value(value: object) -> None:
    writer = Writer()
    text = writer.write(value)
    again = eval(text, {"np": np, "inf": np.inf, "nan": np.nan})  # noqa: S307 - this is what is tested
    np.testing.assert_equal(again, value)
    if isinstance(value, np.ndarray):
        assert (again.dtype, again.flags.f_contiguous) == (value.dtype, value.flags.f_contiguous)


def test_large_arrays_are_summarised_and_stored() -> None:
    large = np.arange(MOST_ELEMENTS + 1, dtype=np.float32)
    writer = Writer()
    assert (writer.write(large), [*writer.arrays]) == ('arrays["array_0"]', ["array_0"])
    assert describe(large) == "float32[65] from 0 to 64, mean 32"


def test_what_cannot_be_written_has_no_snippet() -> None:
    call = Call("ops", "relu", (object(),), {})
    call.result = np.ones(1, np.float32)
    compared = Comparison(call.result, np.zeros(1), 0.0, (np.dtype(np.float32), (1,)))
    assert snippet.compare_result(snippet.Target("numpy", "cpu", 0), [call], (0, ""), compared) is None


def test_a_result_that_is_compared_with_another_result_has_a_name() -> None:
    calls = [Call("ops", "relu", (np.full(1, number, np.float32),), {}) for number in (1, 2)]
    for call in calls:
        call.result = call.args[0] + 0
    compared = Comparison(calls[0].result, calls[1].result, 0.0, (np.dtype(np.float32), (1,)))
    written = snippet.compare_result(snippet.Target("numpy", "cpu", 0), calls, (0, ""), compared)
    assert written is not None
    assert run_programs([written.text]) == [1]
