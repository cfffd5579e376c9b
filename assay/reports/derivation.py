"""How a claim is decided: its tests, and the definitions, bounds and limits that they use, read from the source."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import assay
from assay.specification.claims import FOLDER, Claim
from assay.specification.index import ExecutableClaim

PACKAGE = Path(assay.__file__).parent
DEFINITIONS, BOUNDS, TESTING = "assay.spec.semantics", "assay.spec.error_bounds", "assay.testing"
THRESHOLDS = f"{TESTING}.thresholds"
STATISTICS = (THRESHOLDS, f"{TESTING}.chances", f"{TESTING}.counts")
# How a test decides, by the kind of its claim.
KINDS = {
    "exact": "The result must equal the expected one, value for value.",
    "bound": "The result must lie within a bound of the float64 definition, derived for correct float32 arithmetic.",
    "trajectory": "A whole training must follow that of the float64 definition, within a bound at every step.",
    "statistical": "A statistic must lie within a limit that correct runs exceed with a stated probability.",
    "ordering": "Results must stand in a stated order.",
    "error": "The call must be rejected with an error.",
    "default": "The result without an argument must equal the result with the stated default.",
}


@dataclass(frozen=True)
class Rule:
    """A function of the specification that a test uses.

    Attributes:
        name: Module and function.
        signature: Arguments.
        text: Its docstring, which has the derivation of a bound.
        place: File and line in the repository.
        source: Its source.

    """

    name: str
    signature: str
    text: str
    place: str
    source: str


@dataclass(frozen=True)
class Limit:
    """Stored runs that a statistical limit follows from."""

    name: str
    what: str
    runs: int
    rule: str


@dataclass(frozen=True)
class TestSource:
    """A test of a claim."""

    place: str
    function: str
    source: str


@dataclass
class Derivation:
    """How a claim is decided.

    Attributes:
        how: Meaning of the claim's kind.
        tests: Tests of the claim.
        definitions: Float64 definitions that the tests compare with.
        bounds: Error bounds that the tests allow.
        statistics: Rules of statistical limits.
        limits: Stored runs from which limits are computed.

    """

    how: str
    tests: list[TestSource] = field(default_factory=list)
    definitions: list[Rule] = field(default_factory=list)
    bounds: list[Rule] = field(default_factory=list)
    statistics: list[Rule] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)


@dataclass(frozen=True)
class _Module:
    """A parsed file: its functions, and the origins of its imported names."""

    name: str
    lines: Sequence[str]
    functions: dict[str, ast.FunctionDef]
    imports: dict[str, str]

    def source(self, function: ast.FunctionDef) -> str:
        first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
        return "\n".join(self.lines[first - 1 : function.end_lineno])

    def place(self, function: ast.FunctionDef) -> str:
        return f"{'/'.join(self.name.split('.')).removeprefix('assay/')}.py:{function.lineno}"


@cache
def _module(name: str) -> _Module | None:
    """Parse a module of the package by its dotted name; None if it has no file."""
    path = PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py")
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    body = ast.parse(text).body
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    imports = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return _Module(name, text.split("\n"), functions, imports)


def derive(claim: Claim, tests: Sequence[ExecutableClaim]) -> Derivation:
    """Collect how a claim is decided.

    Args:
        claim: The claim.
        tests: All tests of claims.

    """
    found = Derivation(KINDS[claim.kind])
    seen: set[str] = set()
    for test in tests:
        if claim.id not in test.claims:
            continue
        module = _module(f"assay.tests.{test.file.removesuffix('.py')}")
        if module is None or test.function not in module.functions:
            continue
        function = module.functions[test.function]
        found.tests.append(TestSource(module.place(function), test.function, module.source(function)))
        for name in _find_definitions(module, function, seen):
            _sort(found, name)
        for name in _thresholds(module, function):
            found.limits += [limit for limit in _limit(name) if limit not in found.limits]
    return found


def _find_definitions(module: _Module, function: ast.FunctionDef, seen: set[str]) -> Iterator[str]:
    """Yield the dotted names of the specification's functions that a test uses directly or through helpers."""
    for name in _find_names(module, function):
        if name in seen:
            continue
        seen.add(name)
        if name.startswith((DEFINITIONS, BOUNDS, *STATISTICS)):
            yield name
        elif name.startswith(("assay.tests.", TESTING)):
            owner, _, attribute = name.rpartition(".")
            inside = _module(owner)
            if inside and attribute in inside.functions:
                yield from _find_definitions(inside, inside.functions[attribute], seen)


def _find_names(module: _Module, function: ast.FunctionDef) -> Iterator[str]:
    """Yield the dotted names that a function uses, from this module and others."""
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            if node.id in module.functions:
                yield f"{module.name}.{node.id}"
            elif node.id in module.imports:
                yield module.imports[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in module.imports:
            yield f"{module.imports[node.value.id]}.{node.attr}"


def _thresholds(module: _Module, function: ast.FunctionDef) -> Iterator[str]:
    """Yield the names of the stored runs that a test, or a helper in its file, uses."""
    names = [node.id for node in ast.walk(function) if isinstance(node, ast.Name)]
    local = [function, *(module.functions[name] for name in names if name in module.functions)]
    for each in local:
        for node in ast.walk(each):
            match node:
                case ast.Call(func=ast.Name(id="threshold"), args=[ast.Constant(value=str(name))]):
                    yield name


def _sort(found: Derivation, name: str) -> None:
    kinds = (
        (DEFINITIONS, found.definitions),
        (BOUNDS, found.bounds),
        *((module, found.statistics) for module in STATISTICS),
    )
    for package, rules in kinds:
        if name.startswith(package) and (rule := _rule(name, package)):
            rules.append(rule)


@cache
def _rule(name: str, package: str) -> Rule | None:
    owner, _, attribute = name.rpartition(".")
    module = _module(owner)
    if module is None or attribute not in module.functions:
        return None
    function = module.functions[attribute]
    text = inspect.cleandoc(ast.get_docstring(function) or "")
    short = attribute if package in STATISTICS else name.removeprefix(f"{package}.")
    return Rule(short, f"({ast.unparse(function.args)})", text, module.place(function), module.source(function))


@cache
def _limit(name: str) -> tuple[Limit, ...]:
    path = FOLDER.parent / "thresholds" / f"{name}.json"
    if not path.is_file():
        return ()
    content = json.loads(path.read_text(encoding="utf-8"))
    # Runs are normal unless the file says otherwise.
    rule = "limits" if content.get("distribution", "normal") == "normal" else "worst"
    module = _module(THRESHOLDS)
    text = ast.get_docstring(module.functions[rule]) if module else None
    return (Limit(name, content["what"], len(content["runs"]), text or ""),)
