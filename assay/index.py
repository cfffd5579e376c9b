"""Which test speaks of which claim: read from the tests' source, so that nothing has to be imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import assay
from assay.claims import Specification
from assay.document import digest
from assay.errors import UserError


@dataclass(frozen=True)
class ExecutableClaim:
    """One test function and the claims that it names.

    Attributes:
        file: the file's name.
        function: the test's name.
        claims: ids.
        source: of the function, with its decorators.

    """

    file: str
    function: str
    claims: tuple[str, ...]
    source: str = ""


def tests_folder() -> Path:
    """Where the executable claims are: beside the package in a checkout, inside it in a wheel."""
    package = Path(assay.__file__).parent
    inside = package / "tests"
    return inside if inside.is_dir() else package.parent / "tests"


def read(folder: Path) -> tuple[ExecutableClaim, ...]:
    """Read every `test_*.py` directly in a folder."""
    return tuple(test for path in sorted(folder.glob("test_*.py")) for test in _read_file(path))


def _read_file(path: Path) -> Iterator[ExecutableClaim]:
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    for node in ast.parse(text, str(path)).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield ExecutableClaim(path.name, node.name, _claims(node), _source(node, lines))


def _source(function: ast.FunctionDef, lines: list[str]) -> str:
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return "\n".join(lines[first - 1 : function.end_lineno])


def digests(specification: Specification, tests: tuple[ExecutableClaim, ...]) -> dict[str, str]:
    """Return for each claim a digest of its statement and of its tests' own source, which tells when either changed."""
    sources: dict[str, list[str]] = {id_: [claim.statement] for id_, claim in specification.claims.items()}
    for test in tests:
        for id_ in test.claims:
            sources[id_].append(test.source)
    return {id_: digest("\n".join(parts)) for id_, parts in sources.items()}


def _claims(function: ast.FunctionDef) -> tuple[str, ...]:
    return tuple(
        argument.value
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "claim"
        for argument in decorator.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )


def gaps(specification: Specification, tests: tuple[ExecutableClaim, ...]) -> list[str]:
    """Say what is missing between claims and tests, in either direction; empty where nothing is."""
    claims = specification.claims
    named = {id_ for test in tests for id_ in test.claims}
    return [
        *(f"{claim.section}.toml: claim {id_} has no test" for id_, claim in claims.items() if id_ not in named),
        *(f"{test.file}: {test.function} names no claim" for test in tests if not test.claims),
        *(
            f"{test.file}: {test.function} names {id_}, which is no claim"
            for test in tests
            for id_ in test.claims
            if id_ not in claims
        ),
    ]


def check(specification: Specification, tests: tuple[ExecutableClaim, ...]) -> None:
    """Make sure that claims and tests belong together.

    Raises:
        UserError: they do not; the message names the first gap and counts the others.

    """
    found = gaps(specification, tests)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        msg = f"{found[0]}{more}"
        raise UserError(msg, "`assay claims coverage` lists them all")
