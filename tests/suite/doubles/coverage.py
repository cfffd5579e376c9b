"""What the functions of the contract are tested with, recorded from the running tests.

`python -m doubles.coverage` in `tests/suite` writes `docs/coverage.md`.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from assay.contract import GROUPS, PROTOCOLS
from assay.specification.claims import specification
from assay.specification.index import tests_folder
from assay.specification.signatures import functions

PAGE = Path(__file__).parents[3] / "docs" / "coverage.md"
# Groups that NumPy does not have; the others need no framework.
WITH_FRAMEWORK = {"keras", "applications", "flowers"}
# Whole trainings take minutes, and one of each says nothing more about their arguments.
SLOW = {"training.fit", "text.fit", "agent.fit"}

COLUMNS = ("ranks", "sizes", "values", "arguments", "seeds", "sequences", "memory orders")
# What is recorded of a column, by function.
Facts = dict[str, dict[str, list[Any]]]

TINY, LARGE = 1e-4, 1e4

# Why a cell is empty, or an argument has one value: (function, column or argument) to the reason.
NETWORKS_TAKE_SECONDS = "one call a test, as each builds a network"
NEEDS_NETWORK = "the real images need a network connection"
REASONS: dict[tuple[str, str], str] = {
    ("applications.build", "sequences"): NETWORKS_TAKE_SECONDS,
    ("applications.predict", "sequences"): NETWORKS_TAKE_SECONDS,
    ("applications.train", "sequences"): NETWORKS_TAKE_SECONDS,
    ("applications.train", "classes"): "the document's five; `applications.build` takes others",
    ("flowers.info", "mock"): NEEDS_NETWORK,
    ("flowers.examples", "mock"): NEEDS_NETWORK,
    ("flowers.batches", "mock"): NEEDS_NETWORK,
    ("flowers.info", "sequences"): "takes no other argument",
    ("flowers.examples", "sequences"): "one call serves all tests",
    ("environments.has_breakout", "sequences"): "takes no argument",
    ("environments.breakout_actions", "sequences"): "takes no argument",
    **{("environments.breakout", column): "needs the game" for column in COLUMNS},
    ("applications.train", "seeds"): "one network serves all tests, as a step takes seconds",
    ("keras.to_tensor", "memory orders"): "the namespace gets contiguous arrays",
    ("keras.dataset", "memory orders"): "the namespace gets contiguous arrays",
}


class Recording:
    """The facts about every function that was called."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.facts: dict[str, dict[str, set[Any]]] = defaultdict(lambda: defaultdict(set))
        self.values: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._calls: dict[str, int] = {}
        self._name = ""

    def begin_test(self) -> None:
        """Reset the counts."""
        self._calls = defaultdict(int)

    def add(self, name: str, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> None:
        """Note a call of a function."""
        self._name = name
        group, function = name.split(".")
        call = _signature(group, function).bind(*arguments, **options)
        call.apply_defaults()
        facts = self.facts[name]
        for parameter, value in call.arguments.items():
            arrays = [*_arrays(value)]
            for array in arrays:
                facts["ranks"].add(array.ndim)
                facts["sizes"] |= set(array.shape)
                facts["values"] |= _kinds(array)
            if parameter == "seed":
                facts["seeds"].add(int(value))
            elif not _is_array(_signature(group, function).parameters[parameter]):
                self.values[name][parameter].add(repr(value))
        self._calls[name] = self._calls.get(name, 0) + 1
        facts["sequences"].add(self._calls[name])

    def add_order(self, array: np.ndarray[Any, Any]) -> None:
        """Note how an array that is handed over lies in memory."""
        if self._name:
            self.facts[self._name]["memory orders"].add(_order(array))

    def end_call(self) -> None:
        """Leave the function whose arrays are noted."""
        self._name = ""

    def to_json(self) -> Facts:
        """Return the facts as lists."""
        found: Facts = {}
        for name, facts in self.facts.items():
            found[name] = {column: sorted(values) for column, values in facts.items()}
            found[name]["arguments"] = sorted([key, len(values)] for key, values in self.values[name].items())
        return found


@functools.cache
def _signature(group: str, function: str) -> inspect.Signature:
    declared = inspect.signature(getattr(PROTOCOLS[group], function))
    return declared.replace(parameters=[*declared.parameters.values()][1:])


def _arrays(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(value, np.ndarray | np.generic):
        yield np.asarray(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _arrays(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _arrays(one)


def _kinds(array: np.ndarray[Any, Any]) -> set[str]:
    """Name what is among the elements of an array."""
    found = {str(array.dtype)}
    if array.dtype.kind not in "fiu" or not array.size:
        return found
    with np.errstate(invalid="ignore"):
        size = np.abs(array.astype(np.float64))
        tests = {
            "0": array == 0,
            "negative": array < 0,
            "tiny": (size > 0) & (size < TINY),
            "large": (size > LARGE) & np.isfinite(size),
            "infinite": np.isinf(size),
            "NaN": np.isnan(size),
        }
    return found | {name for name, where in tests.items() if where.any()}


def _order(array: np.ndarray[Any, Any]) -> str:
    if not array.flags.writeable:
        return "broadcast" if 0 in array.strides else "read-only"
    if array.flags.c_contiguous:
        return "C"
    return "transposed" if array.flags.f_contiguous else "sliced"


def record(folder: Path, implementation: str, *options: str) -> dict[str, Any]:
    """Run claims with the plugin that records, and return its tests and the facts about functions."""
    path = folder / "calls.json"
    command = [sys.executable, "-m", "pytest", str(tests_folder()), "-q", "-n", "0", "--import-mode=importlib"]
    command += ["-p", "assay.runner.plugin", "-p", "doubles.calls", "-p", "no:cacheprovider"]
    places = [str(Path(__file__).parents[1]), str(Path(__file__).resolve().parents[3])]
    subprocess.run(
        [*command, "--implementation", implementation, *options],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(places), "CALLS": str(path)},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    recorded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return recorded


def record_core(folder: Path, implementation: str) -> dict[str, Any]:
    """Run the claims of core that `implementation` is the quicker one for, but for whole trainings."""
    return record(folder, implementation, *(part for id_ in needs(implementation) for part in ("--claim", id_)))


def needs(implementation: str) -> dict[str, set[str]]:
    """Return the functions that each of those claims needs."""
    every = {id_: set(claim.needs) for id_, claim in specification().of_profile("core").items()}
    with_framework = implementation != "numpy"
    return {
        id_: names
        for id_, names in every.items()
        if names and not SLOW & names and with_framework == bool(WITH_FRAMEWORK & groups(names))
    }


def groups(names: set[str]) -> set[str]:
    """Return the groups of functions."""
    return {name.partition(".")[0] for name in names}


def contract_functions() -> list[str]:
    """Return every function of the contract that is called with arguments and is not a whole training."""
    names = [f"{group}.{function}" for group in GROUPS for function in functions(group)]
    return [name for name in names if name not in SLOW | {"keras.namespace", "keras.operations"}]


def cells(name: str, facts: Mapping[str, list[Any]]) -> dict[str, str]:
    """Return the text of each column for a function, empty where nothing was recorded."""
    parameters = _signature(*name.split(".")).parameters
    takes_arrays = bool(facts.get("ranks"))
    found = {
        "ranks": ", ".join(map(str, facts.get("ranks", []))),
        "sizes": f"{min(sizes):,} to {max(sizes):,}" if (sizes := facts.get("sizes")) else "",
        "values": ", ".join(facts.get("values", [])),
        "arguments": ", ".join(f"{key}: {count}" for key, count in facts.get("arguments", []) if count > 1),
        "seeds": str(len(seeds)) if len(seeds := facts.get("seeds", [])) > 1 else "",
        "sequences": f"up to {max(facts['sequences'])} calls" if max(facts.get("sequences", [0])) > 1 else "",
        "memory orders": ", ".join(facts.get("memory orders", [])),
    }
    alone = [key for key, count in facts.get("arguments", []) if count == 1]
    if reasons := [f"{key}: {REASONS[name, key]}" for key in alone if (name, key) in REASONS]:
        found["arguments"] = "; ".join(filter(None, [found["arguments"], *reasons]))
    if len(reasons) < len(alone):
        found["arguments"] = ""
    if not takes_arrays and not any(_is_array(one) for one in parameters.values()):
        found |= dict.fromkeys(("ranks", "sizes", "values", "memory orders"), "no array")
    if "seed" not in parameters:
        found["seeds"] = "no seed"
    if not parameters:
        found["arguments"] = "no argument"
    elif facts and not facts.get("arguments"):
        found["arguments"] = "arrays and seeds alone"
    return {column: text or REASONS.get((name, column), "") for column, text in found.items()}


def _is_array(parameter: inspect.Parameter) -> bool:
    text = str(parameter.annotation)
    return any(kind in text for kind in ("Array", "Parameters", "Transitions"))


def table(facts: Mapping[str, Mapping[str, list[Any]]]) -> dict[str, dict[str, str]]:
    """Return the cells of every function of the contract."""
    return {name: cells(name, facts.get(name, {})) for name in contract_functions()}


def page(rows: Mapping[str, Mapping[str, str]]) -> str:
    """Return the page of the documentation."""
    lines = [
        "# What the functions are tested with",
        "",
        "The table is recorded from the tests of core while they run with one example each: from NumPy, and from the",
        "reference for the groups `keras`, `applications` and `flowers`. An ordinary run tries more. `arguments`",
        "counts the different values of each argument that is neither an array nor a seed; `sequences` is the largest",
        "number of calls in one test. Numbers below 1e-4 in magnitude are tiny, and above 1e4 large. Whole trainings",
        "(`training.fit`, `text.fit`, `agent.fit`) are left out. This command records the table again:",
        "",
        "```text",
        "cd tests/suite && python -m doubles.coverage",
        "```",
        "",
        f"| function | {' | '.join(COLUMNS)} |",
        f"|{' --- |' * (len(COLUMNS) + 1)}",
    ]
    lines += [f"| `{name}` | {' | '.join(row[column] for column in COLUMNS)} |" for name, row in rows.items()]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Carry out the command."""
    facts: Facts = {}
    for implementation in ("numpy", "reference"):
        with tempfile.TemporaryDirectory() as folder:
            recorded = record_core(Path(folder), implementation)["functions"]
        with_framework = implementation != "numpy"
        facts |= {
            name: one for name, one in recorded.items() if with_framework == bool(WITH_FRAMEWORK & groups({name}))
        }
    rows = table(facts)
    PAGE.write_text(page(rows), encoding="utf-8")
    empty = [f"{name}: {column}" for name, row in rows.items() for column, text in row.items() if not text]
    print("\n".join([f"{len(rows)} functions, {len(empty)} empty cells", *empty]))
    return 1 if empty else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main())
