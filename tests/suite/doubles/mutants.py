"""Mutate a module of the definitions or of an implementation, and see whether the claims of some groups notice.

`python -m doubles.mutants assay.alternatives.numpy.agent --group agent` in `tests/suite` prints the score and the
mutants that survived. The module can be one of a framework: `keras.src.layers.core.dense --implementation reference
--group keras`. Cosmic Ray makes the mutants; it is not among the requirements: `pip install cosmic-ray`.

Cosmic Ray's own runner starts a process for each mutant, which takes longer than the tests. Here all run in one: the
code of the module's functions is exchanged, and the tests of the claims run until one does not pass.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import gc
import importlib
import io
import linecache
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import click
import numpy as np
import pytest

from assay.cli.command import Command
from assay.cli.program import execute
from assay.cli.values import whole_number
from assay.runner.stash import run_key
from assay.specification.claims import specification
from assay.specification.index import tests_folder
from doubles.coverage import SLOW

# Operators on bits are errors for numbers that are not whole. Replacing an annotation changes nothing that runs.
SKIPPED_OPERATORS = ("Bit", "Shift", "Decorator", "VariableReplacer", "VariableInserter")
PASSED = {"pass", "skip"}
CACHE = type(functools.cache(len))


@dataclass(frozen=True)
class Mutant:
    """One change of a module.

    Attributes:
        operator: Name of Cosmic Ray's operator.
        source: Changed source text.
        change: Line before and after.
        line: Number of the first changed line.

    """

    operator: str
    source: str
    change: str
    line: int = 1


def mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a source text."""
    # It is needed for this alone.
    mutating, plugins = map(importlib.import_module, ("cosmic_ray.mutating", "cosmic_ray.plugins"))
    for name in sorted(plugins.operator_names()):
        if any(part in name for part in SKIPPED_OPERATORS):
            continue
        operator, occurrence = plugins.get_operator(name)(), 0
        while (changed := mutating.mutate_code(source, operator, occurrence)) is not None:
            yield Mutant(name, changed, _change(source, changed), _line(source, changed))
            occurrence += 1


def _line(before: str, after: str) -> int:
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    return next(number for number, (one, other) in enumerate(lines, start=1) if one != other)


def _change(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return " -> ".join(line[1:].strip() for line in lines if line[:1] in "+-" and line[:3] not in {"+++", "---"})


@dataclass(frozen=True)
class Change:
    """What a mutant changes in a module that is loaded.

    Attributes:
        codes: Code of a function to its new code.
        constants: Numbers of the module that have another value.
        source: Changed source text.

    """

    codes: dict[CodeType, CodeType]
    constants: dict[str, Any]
    source: str


def change_of(module: ModuleType, mutant: Mutant) -> Change:
    """Compare a module with a mutant of it.

    Raises:
        Exception: The mutant cannot be imported, of whatever kind that is.

    """
    path = str(module.__file__)
    before, after = (compile(source, path, "exec", dont_inherit=True) for source in (_source(module), mutant.source))
    pairs = zip(_codes(before), _codes(after), strict=True)
    other = ModuleType(module.__name__)
    other.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    # Dataclasses look their module up.
    sys.modules[module.__name__] = other
    try:
        exec(after, other.__dict__)  # noqa: S102 - the module's own source
    finally:
        sys.modules[module.__name__] = module
    numbers = {name: value for name, value in module.__dict__.items() if isinstance(value, int | float)}
    return Change(
        {old: new for old, new in pairs if old != new},
        {name: other.__dict__[name] for name, value in numbers.items() if other.__dict__[name] != value},
        mutant.source,
    )


def _source(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text(encoding="utf-8")


def _codes(code: CodeType) -> list[CodeType]:
    """Return the code of every function in a module's code, also of those inside others."""
    inside = [one for one in code.co_consts if isinstance(one, CodeType)]
    return [*inside, *(further for one in inside for further in _codes(one))]


@contextlib.contextmanager
def mutated(module: ModuleType, change: Change) -> Iterator[None]:
    """Let a module have other code and numbers for a while."""
    # The runner freezes what is loaded, and frozen objects are not listed.
    gc.unfreeze()
    objects = [one for one in gc.get_objects() if isinstance(one, FunctionType) and one.__globals__ is module.__dict__]
    changed = [(function, function.__code__) for function in objects if function.__code__ in change.codes]
    numbers = {name: module.__dict__[name] for name in change.constants}
    for function, code in changed:
        function.__code__ = change.codes[code]
    module.__dict__.update(change.constants)
    path = str(module.__file__)
    # TensorFlow's AutoGraph reads the source. An entry without a time is not compared with the file.
    linecache.cache[path] = len(change.source), None, change.source.splitlines(keepends=True), path
    _clear_caches()
    try:
        yield
    finally:
        for function, code in changed:
            function.__code__ = code
        module.__dict__.update(numbers)
        del linecache.cache[path]
        _clear_caches()


def _clear_caches() -> None:
    """Forget what was computed before: expected results are computed by the definitions."""
    for one in gc.get_objects():
        if isinstance(one, CACHE) and not (one.__module__ or "").startswith(("jax", "numpy", "tensorflow", "keras")):
            one.cache_clear()


class MutantLoop:
    """A pytest plugin that runs the collected tests once for each mutant, until one does not pass."""

    def __init__(self, module: ModuleType, changes: dict[Mutant, Change], sample: int, *, reached: bool) -> None:
        """Take the mutants of a module, and say how many of them to run.

        Args:
            module: Module that is mutated.
            changes: What each mutant changes, in the order in which they run.
            sample: Number of mutants to run.
            reached: Whether to leave out the mutants of lines that the tests do not reach.

        """
        self._module, self._changes, self._sample, self._reached = module, changes, sample, reached
        self.outcomes: dict[Mutant, str] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests against each mutant."""
        run = session.config.stash[run_key]
        candidates = [*self._changes]
        if self._reached:
            lines = self._reached_lines(session)
            candidates = [mutant for mutant in candidates if mutant.line in lines]
        for mutant in candidates[: self._sample]:
            with (
                tempfile.TemporaryDirectory() as folder,
                mutated(self._module, self._changes[mutant]),
            ):
                session.config.stash[run_key] = dataclasses.replace(run, folder=folder)
                self.outcomes[mutant] = self._run_tests(session)
            print(f"{self.outcomes[mutant] or 'survived':8s} line {mutant.line}, {mutant.change}", file=sys.__stderr__)
        session.config.stash[run_key] = run
        return True

    def _reached_lines(self, session: pytest.Session) -> set[int]:
        """Run all tests, and return the lines of the module's functions that they reach."""
        path = str(self._module.__file__)
        # Named by its folder, as installed packages are left out by default.
        source = [str(Path(path).parent)]
        recorder = importlib.import_module("coverage").Coverage(data_file=None, source=source, config_file=False)
        with recorder.collect():
            for item in session.items:
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return {*(recorder.get_data().lines(path) or ())}

    def _run_tests(self, session: pytest.Session) -> str:
        """Run the tests until one does not pass, and return its outcome; empty if all pass."""
        self._outcome = ""
        for item in session.items:
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            if self._outcome:
                # What noticed one mutant of the module is likely to notice the next one.
                session.items.remove(item)
                session.items.insert(0, item)
                break
        return self._outcome

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a claim that does not pass."""
        row: dict[str, Any] | None = getattr(report, "assay_row", None)
        if row and row["outcome"] not in PASSED:
            self._outcome = row["outcome"]


@click.command(
    cls=Command,
    help="Mutate a module of the definitions or of an implementation, and see whether the claims of some groups notice."
    "\n\nMODULE is the full name of the module, such as `assay.spec.semantics.layers`.",
)
@click.argument("name", metavar="MODULE")
@click.option("--sample", type=whole_number(1), default=20, metavar="N", help="Number of mutants to run (default: 20).")
@click.option("--seed", type=whole_number(0), default=0, metavar="N", help="Seed of the sample (default: 0).")
@click.option(
    "--group",
    "groups",
    multiple=True,
    default=["ops"],
    metavar="NAME",
    help="Group whose claims are run; can be repeated (default: ops).",
)
@click.option(
    "--claim",
    "sections",
    multiple=True,
    metavar="PREFIX",
    help="Run only claims whose names begin so, such as compile_fit; can be repeated.",
)
@click.option("--implementation", default="numpy", metavar="NAME", help="Implementation that runs (default: numpy).")
@click.option("--trainings", is_flag=True, help="Run the claims about whole trainings as well.")
@click.option("--reached", is_flag=True, help="Leave out the mutants of lines that no test reaches.")
def main(
    *,
    name: str,
    sample: int,
    seed: int,
    groups: tuple[str, ...],
    sections: tuple[str, ...],
    implementation: str,
    trainings: bool,
    reached: bool,
) -> int:
    """Carry out the command."""
    module = importlib.import_module(name)
    left_out = set() if trainings else SLOW
    every = [*mutants(_source(module))]
    changes: dict[Mutant, Change] = {}
    for place in np.random.default_rng(seed).permutation(len(every)):
        # Others cannot be imported, or change what has been computed already, such as a default.
        with contextlib.suppress(Exception):
            change = change_of(module, every[place])
            if change.codes or change.constants:
                changes[every[place]] = change
        if len(changes) == sample and not reached:
            break
    core = specification().of_profile("core").values()
    asked = [
        part
        for claim in core
        if claim.needs and not left_out & {*claim.needs} and {*claim.groups} <= {*groups}
        if claim.id.startswith(sections or "")
        for part in ("--claim", claim.id)
    ]
    loop = MutantLoop(module, changes, sample, reached=reached)
    arguments = ["-p", "assay.runner.plugin", "-p", "no:cacheprovider", "--import-mode=importlib", "-n", "0", "-q"]
    with contextlib.redirect_stdout(io.StringIO()) as output:
        pytest.main([str(tests_folder()), *arguments, "--implementation", implementation, *asked], plugins=[loop])
    if not loop.outcomes:
        sys.exit(f"no mutant ran:\n{output.getvalue()}")
    survived = [mutant for mutant, outcome in loop.outcomes.items() if not outcome]
    print(f"{name}: {len(loop.outcomes) - len(survived)} of {len(loop.outcomes)} mutants killed, {len(every)} possible")
    for mutant in survived:
        print(f"  survived: line {mutant.line}, {mutant.operator.removeprefix('core/')}: {mutant.change}")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(execute(main, "python -m doubles.mutants"))
