"""Index of claims and tests, read from the tests' source without importing it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import assay
from assay.errors import ErrorKind, UserError
from assay.specification.claims import Claim, Specification
from assay.specification.document import digest


@dataclass(frozen=True)
class ExecutableClaim:
    """One test function and the claims that it names.

    Attributes:
        file: Name of the file.
        function: Name of the test.
        claims: Ids of the claims.
        source: Source of the function, with its decorators.
        line: Line of the file where the function begins.
        records_results: Whether it records which permitted result it observes.

    """

    file: str
    function: str
    claims: tuple[str, ...]
    source: str = ""
    records_results: bool = False
    line: int = 0


def tests_folder() -> Path:
    """Return the folder of the executable claims."""
    return Path(assay.__file__).parent / "tests"


def read(folder: Path) -> tuple[ExecutableClaim, ...]:
    """Read every `test_*.py` directly in a folder."""
    return tuple(test for path in sorted(folder.glob("test_*.py")) for test in _read_file(path))


def _read_file(path: Path) -> Iterator[ExecutableClaim]:
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    for node in ast.parse(text, str(path)).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            records = any(argument.arg == "permitted" for argument in node.args.args)
            yield ExecutableClaim(path.name, node.name, _claims(node), _source(node, lines), records, node.lineno)


def _source(function: ast.FunctionDef, lines: list[str]) -> str:
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return "\n".join(lines[first - 1 : function.end_lineno])


def places(tests: tuple[ExecutableClaim, ...]) -> dict[str, tuple[str, int]]:
    """Return file and line of the first test of every claim: `("tests/test_dense.py", 57)`."""
    return {id_: (f"tests/{test.file}", test.line) for test in reversed(tests) for id_ in test.claims}


def digests(specification: Specification, tests: tuple[ExecutableClaim, ...]) -> dict[str, str]:
    """Return the digest of each claim, which changes with what is tested, but not with the wording.

    The digest covers what the claim asks for (kind, needs, the permitted results) and the code of its tests without
    comments and docstrings.

    Args:
        specification: The claims.
        tests: Tests of the claims.

    """
    parts = {id_: _terms(claim) for id_, claim in specification.claims.items()}
    for test in tests:
        for id_ in test.claims:
            parts[id_].append(strip_prose(test.source))
    return {id_: digest("\n".join(part)) for id_, part in parts.items()}


def _terms(claim: Claim) -> list[str]:
    permitted = claim.unspecified.permitted if claim.unspecified else ()
    return [claim.kind, *sorted(claim.needs), *(result.key for result in permitted)]


def strip_prose(source: str) -> str:
    """Return the source of a function without its comments, docstrings and blank lines."""
    lines = source.split("\n")
    # Sources without prose are not parsed, since parsing all tests takes a second.
    for token in tokenize.generate_tokens(io.StringIO(source).readline) if "#" in source else ():
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)) if '"""' in source else ():
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            for row in range(text.lineno - 1, text.end_lineno or text.lineno):
                lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


def read_demonstrations(folder: Path) -> dict[str, str]:
    """Return the tests that demonstrate errata, by claim. They are in the repository, but not in a wheel."""
    return {
        id_: f"tests/suite/errata/{path.name}::{node.name}"
        for path in sorted((folder / "suite" / "errata").glob("test_*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body
        if isinstance(node, ast.FunctionDef)
        for id_ in _claims(node, "erratum")
    }


def _claims(function: ast.FunctionDef, mark: str = "claim") -> tuple[str, ...]:
    return tuple(
        argument.value
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == mark
        for argument in decorator.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )


def gaps(specification: Specification, tests: tuple[ExecutableClaim, ...]) -> list[str]:
    """Return descriptions of claims without tests and of tests without claims."""
    claims = specification.claims
    named = {id_ for test in tests for id_ in test.claims}
    return [
        *(f"{claim.section}.toml: claim {id_} has no test" for id_, claim in claims.items() if id_ not in named),
        *(f"{test.file}: {test.function} names no claim" for test in tests if not test.claims),
        *(
            f"{test.file}: {test.function} names {id_}, which is not a claim"
            for test in tests
            for id_ in test.claims
            if id_ not in claims
        ),
        *_gaps_of_results(claims, tests),
    ]


def _gaps_of_results(claims: Mapping[str, Claim], tests: tuple[ExecutableClaim, ...]) -> Iterator[str]:
    """Yield claims with permitted results that no test records, and tests that record results of other claims."""
    recorded = {id_ for test in tests if test.records_results for id_ in test.claims}
    for id_, claim in claims.items():
        if claim.unspecified and id_ not in recorded:
            yield f"{claim.section}.toml: no test records which of the permitted results of {id_} it sees"
    for test in tests:
        if test.records_results and [bool(id_ in claims and claims[id_].unspecified) for id_ in test.claims] != [True]:
            yield f"{test.file}: {test.function} records a result, but its claim lists no permitted results"


def check(specification: Specification, tests: tuple[ExecutableClaim, ...]) -> None:
    """Check that claims and tests match.

    Raises:
        UserError: A gap was found; the message names the first and counts the others.

    """
    found = gaps(specification, tests)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        msg = f"{found[0]}{more}"
        raise UserError(ErrorKind.COVERAGE_GAP, msg, "`assay claims coverage` lists them all")
