"""Explanation of a failure besides its message: the call, the case, the place in the tests, and a program."""

from __future__ import annotations

import inspect
import os
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from assay.adapters import proxy
from assay.adapters.calls import Call, CallLog
from assay.adapters.proxy import Comparison
from assay.contract import PROTOCOLS
from assay.runner import snippet
from assay.runner.failure import InconsistentAnswerError
from assay.runner.shown_values import MOST_ELEMENTS, describe
from assay.runner.snippet import Snippet, Target
from assay.specification.index import tests_folder

# Prefix of a temporary folder for arrays, if there is no ledger.
ARRAYS_PREFIX = "assay-arrays-"
stored_key = pytest.StashKey[set[tuple[str, str]]]()


@dataclass(frozen=True)
class Explanation:
    """The parts of a failure besides its message.

    Attributes:
        file: File of the test, such as `tests/test_dense.py`.
        line: Line of the test that failed.
        test: Name of the test.
        case: Parameters of the test, such as `batch=33, units=64`; empty for a test without parameters.
        call: Lines that show the failing call; empty if the test made no call.
        snippet: Program that reproduces the failure; empty if none can be written.

    """

    file: str
    line: int
    test: str
    case: str
    call: tuple[str, ...] = ()
    snippet: str = ""

    def as_row(self) -> dict[str, Any]:
        """Return the parts that the ledger keeps, as plain values."""
        cases = {"cases": [self.case]} if self.case else {}
        return {"file": self.file, "line": self.line, "test": self.test, **cases, "snippet": self.snippet}


def explain(
    item: pytest.Item, error: BaseException, claim: str, log: CallLog | None, target: Target, results: Path | None
) -> Explanation:
    """Explain a failure of a test.

    Args:
        item: Test.
        error: Exception that the test raised.
        claim: Id of the claim.
        log: Calls of the case; None if the implementation has not started.
        target: Implementation, for the snippet.
        results: Path of the ledger, next to which large arrays are stored; None for a temporary folder.

    """
    file, line = _place(item, error)
    bare = Explanation(file, line, getattr(item, "originalname", item.name), name_case(item))
    if log is None:
        return bare
    held = isinstance(error, InconsistentAnswerError)
    calls, comparison = log.failed if held else [*log.calls], getattr(error, "comparison", None)
    found = snippet.find_result(calls, comparison.actual) if comparison is not None else None
    # A result of an implementation may have any class, whose code may do anything when it is inspected.
    with suppress(Exception):
        bare = replace(bare, call=(*_show_call(calls, log.total, found, comparison),))
    if held:
        with suppress(Exception):
            bare = replace(bare, call=(*bare.call, *_show_second_answer(calls, [*log.calls], found)))
        return bare
    stored = item.config.stash.setdefault(stored_key, set())
    # If a test fails for several parameters, only the program for the first is kept.
    if (bare.file, bare.test) not in stored:
        with suppress(Exception):
            program = _program(item, error, claim, log, target, found)
            if program is not None:
                stored.add((bare.file, bare.test))
                return replace(bare, snippet=_store(program, claim, item.nodeid, results))
    return bare


def _place(item: pytest.Item, error: BaseException) -> tuple[str, int]:
    """Return file and line of the last statement of a test that led to an error."""
    folder, path, line = tests_folder().resolve(), item.path, (item.location[1] or 0) + 1
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).resolve().parent == folder and frame.lineno and "conftest" not in frame.filename:
            path, line = Path(frame.filename), frame.lineno
    return f"tests/{path.name}", line


def name_case(item: pytest.Item) -> str:
    """Return the parameters of a test as text, such as `batch=33, units=64`."""
    spec = getattr(item, "callspec", None)
    if spec is None:
        return ""
    shown = {name: _show_parameter(value) for name, value in spec.params.items()}
    if None in shown.values():
        return str(spec.id)
    return ", ".join(f"{name}={text}" for name, text in shown.items())


def _show_parameter(value: object) -> str | None:
    """Return a parameter as text; None for an object, for which pytest's id is better."""
    if isinstance(value, tuple | list) and all(_show_parameter(one) is not None for one in value):
        return repr(value)
    name = getattr(value, "name", None)
    if isinstance(name, str):
        return name
    return repr(value) if isinstance(value, bool | int | float | str | type(None)) else None


def _show_call(
    calls: Sequence[Call], total: int, found: tuple[int, str] | None, comparison: Comparison | None
) -> Iterator[str]:
    """Yield the lines that show the call whose result was compared, or the last call."""
    if not calls:
        return
    number, path = found or (len(calls) - 1, "")
    call, before = calls[number], total - len(calls)
    arguments = name_arguments(call)
    which = f"  (number {before + number + 1} of {total} in this case)" if total > 1 else ""
    yield f"call: {call.name}({', '.join(arguments)}){which}"
    yield from (f"  {name}: {_indent(describe(value))}" for name, value in arguments.items())
    if call.returned:
        part = f", of which {path} is compared" if path else ""
        yield f"returned{part}: {_indent(describe(call.result))}"
    if (
        found
        and comparison is not None
        and comparison.expected is not None
        and comparison.expected.size > MOST_ELEMENTS
    ):
        yield f"expected: {describe(comparison.expected)}"


def _show_second_answer(calls: Sequence[Call], again: Sequence[Call], found: tuple[int, str] | None) -> Iterator[str]:
    """Yield the line that shows the result of the call when the case was repeated."""
    number = found[0] if found else len(calls) - 1
    if [call.name for call in calls] == [call.name for call in again]:
        yield f"returned when it was called again: {_indent(describe(again[number].result))}"


def _indent(text: str) -> str:
    return text.replace("\n", "\n      ")


def name_arguments(call: Call) -> dict[str, Any]:
    """Return the arguments of a call by their names in the contract."""
    declared = getattr(PROTOCOLS[call.group], call.function)
    try:
        bound = inspect.signature(declared).bind(None, *call.args, **call.kwargs)
    except TypeError:
        return {f"argument {place}": value for place, value in enumerate(call.args, 1)} | call.kwargs
    _, *arguments = bound.arguments.items()
    return dict(arguments)


def _program(
    item: pytest.Item, error: BaseException, claim: str, log: CallLog, target: Target, found: tuple[int, str] | None
) -> Snippet | None:
    calls, comparison = [*log.calls], getattr(error, "comparison", None)
    if calls and _is_raised_in_call(error):
        return snippet.make_last_call(target, calls)
    program = None
    if found is not None and comparison is not None:
        program = snippet.compare_result(target, calls, found, comparison)
    function, module = getattr(item, "obj", None), getattr(item, "module", None)
    if program is None and function is not None and module is not None:
        fixtures = {name: found[-1].func for name, found in item._fixtureinfo.name2fixturedefs.items()}  # type: ignore[attr-defined]  # noqa: SLF001 - pytest has no public name
        program = snippet.repeat_test(target, function, module, log.case, fixtures, claim)
    return program


def _is_raised_in_call(error: BaseException) -> bool:
    """Whether a call of the implementation raised, hung or changed its arguments, as opposed to a failed comparison."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.filename == proxy.__file__ and frame.name == "_call" for frame in frames)


def _store(program: Snippet, claim: str, nodeid: str, results: Path | None) -> str:
    """Store the arrays of a program, and return its text."""
    if not program.arrays:
        return program.text
    if results is None:
        folder = Path(tempfile.mkdtemp(prefix=ARRAYS_PREFIX))
    else:
        folder = arrays_folder(results)
        folder.mkdir(exist_ok=True)
    path = folder / f"{claim}-{crc32(nodeid.encode()):08x}.npz"
    np.savez(path, **program.arrays)
    shown = os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path)
    return program.text.replace("{arrays}", repr(shown), 1)


def arrays_folder(results: Path) -> Path:
    """Return the folder next to a ledger for the arrays of its failures."""
    return results.with_name(f"{results.stem}-arrays")


def remove_unused_arrays(results: Path, snippets: Sequence[str]) -> None:
    """Remove the arrays of failures that a ledger no longer has.

    Args:
        results: Path of the ledger.
        snippets: Programs of the ledger's rows.

    """
    folder = arrays_folder(results)
    with suppress(OSError):
        for path in folder.glob("*.npz"):
            if not any(path.name in text for text in snippets):
                path.unlink()
        folder.rmdir()
