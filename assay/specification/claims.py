"""The claims: one TOML file per section of the document, read and checked."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from assay import spec
from assay.errors import ErrorKind, UserError
from assay.files import toml_file
from assay.specification.profiles import PROFILES

FOLDER = Path(spec.__file__).parent / "claims"


@dataclass(frozen=True)
class Translation:
    """An erratum in another language.

    Attributes:
        document: What the document says.
        holds: What is true instead: the claim's statement.
        evidence: Evidence for it.

    """

    document: str
    holds: str
    evidence: str


@dataclass(frozen=True)
class Erratum:
    """Where the document is wrong, imprecise or out of date.

    Attributes:
        document: What the document says.
        evidence: Evidence for what is true instead.
        since: Start of the error: `always`, or the release or the year that caused it, such as `Gym 0.26`.
        zh: The erratum in Chinese, the language of the document.

    """

    document: str
    evidence: str
    since: str
    zh: Translation


@dataclass(frozen=True)
class Permitted:
    """A result that is accepted where the document is silent.

    Attributes:
        key: Name in tests and ledgers.
        result: Observed behaviour of an implementation.
        seen: Frameworks, with versions, in which it was observed; empty if none.

    """

    key: str
    result: str
    seen: str = ""


@dataclass(frozen=True)
class Unspecified:
    """A question that the document leaves open, and on which implementations differ.

    Attributes:
        question: Question that the document leaves open.
        permitted: Permitted answers.

    """

    question: str
    permitted: tuple[Permitted, ...]


@dataclass(frozen=True)
class Claim:
    """A statement that an implementation either meets or fails.

    Attributes:
        id: Immutable; begins with the name of its section.
        statement: Statement of the claim.
        section: The section's name.
        lines: Lines of the document, from 1.
        kind: Exact, bound, trajectory, statistical, ordering, error or default.
        needs: Functions of the contract, as `group.function` or `group`.
        profile: Smallest profile that includes it: smoke, core or full.
        since: Version of the suite that introduced it.
        erratum: Erratum, if the document says something else.
        unspecified: Question that the document leaves open, if implementations differ.

    """

    id: str
    statement: str
    section: str
    lines: tuple[int, ...]
    kind: str
    needs: tuple[str, ...]
    profile: str
    since: str
    erratum: Erratum | None = None
    unspecified: Unspecified | None = None

    @property
    def is_fact(self) -> bool:
        """Whether it is a fact about the document, which does not depend on an implementation."""
        return not self.needs

    @property
    def groups(self) -> set[str]:
        """The groups of the contract that the claim needs."""
        return {need.partition(".")[0] for need in self.needs}

    @property
    def place(self) -> str:
        """The lines in the document as text: `81, 93-95`."""
        return format_lines(self.lines)


@dataclass(frozen=True)
class Section:
    """One section of the document.

    Attributes:
        name: Name, as in `spec/claims/NAME.toml` and `tests/test_NAME.py`.
        title: Title for display.
        lines: Its lines, from 1.
        silent: Lines without a claim, each with its kind.
        claims: Claims in the order of the file; empty while the section has no file.

    """

    name: str
    title: str
    lines: tuple[int, ...]
    silent: dict[int, str]
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Specification:
    """All sections, and the identity of the document.

    Attributes:
        document: SHA-256 of the document.
        sections: Sections in the document's order.

    """

    document: str
    sections: tuple[Section, ...]

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Every claim by its id, in the document's order."""
        return {claim.id: claim for section in self.sections for claim in section.claims}

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {id_: rank for rank, id_ in enumerate(self.claims)}

    def rank(self, id_: str) -> int:
        """Return the position of a claim in the document's order; unknown claims come last."""
        return self._ranks.get(id_, len(self._ranks))

    def place(self, claim: Claim) -> str:
        """Return the place of a claim in the document: `The Dense layer, line 81`."""
        title = next(section.title for section in self.sections if section.name == claim.section)
        return f"{title}, line {claim.place}"

    def of_profile(self, profile: str) -> dict[str, Claim]:
        """Return the claims of a profile by id: its own and those of every smaller one."""
        profiles = PROFILES[: PROFILES.index(profile) + 1]
        return {id_: claim for id_, claim in self.claims.items() if claim.profile in profiles}

    def claim(self, id_: str) -> Claim:
        """Return the claim of this id.

        Raises:
            UserError: The claim does not exist; the message suggests the nearest ids.

        """
        claims = self.claims
        if id_ not in claims:
            near = get_close_matches(id_, claims, n=3, cutoff=0.4)
            hint = f"Nearest: {', '.join(near)}" if near else "`assay claims list` prints them all"
            msg = f"unknown claim {id_!r}"
            raise UserError(ErrorKind.UNKNOWN_CLAIM, msg, hint)
        return claims[id_]


def parse_lines(text: str) -> tuple[int, ...]:
    """Read `81, 93-95` as (81, 93, 94, 95)."""
    numbers: list[int] = []
    for part in text.split(", "):
        first, _, last = part.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return tuple(numbers)


def format_lines(lines: tuple[int, ...]) -> str:
    """Write (81, 93, 94, 95) as `81, 93-95`."""
    parts: list[str] = []
    start = previous = None
    for line in (*sorted(lines), None):
        if start is not None and previous is not None and (line is None or line > previous + 1):
            parts.append(str(start) if start == previous else f"{start}-{previous}")
            start = line
        start = line if start is None else start
        previous = line
    return ", ".join(parts)


@cache
def specification() -> Specification:
    """Read the suite's own specification without checking it, since a test checks it and a run must be fast."""
    return _read(FOLDER)


def load(folder: Path) -> Specification:
    """Check the files in a folder against their schemas, and read the claims.

    Raises:
        UserError: A file is not TOML, breaks the schema, repeats an id, names a line outside its section, or has
            no section in `document.toml`; the message names the file and the entry.

    """
    for path in sorted(folder.glob("*.toml")):
        if path.stem == "unspecified":
            _check_questions(path, _read_toml(path))
        elif path.stem != "document":
            _check_schema(path, _read_toml(path))
    return _read(folder)


def _read(folder: Path) -> Specification:
    document = _read_toml(folder / "document.toml")
    questions = _read_questions(folder / "unspecified.toml")
    others = {"document", "unspecified"}
    files = {path.stem: path for path in sorted(folder.glob("*.toml")) if path.stem not in others}
    if unlisted := files.keys() - document["sections"].keys():
        name = min(unlisted)
        msg = f"{files[name].name}: document.toml has no section {name!r}"
        raise UserError(ErrorKind.INVALID_SPECIFICATION, msg, "Add the section with its lines, or rename the file")
    sections = tuple(
        _read_section(name, entry["title"], parse_lines(entry["lines"]), files.get(name), questions)
        for name, entry in document["sections"].items()
    )
    _check_unique(sections)
    return Specification(document["sha256"], sections)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"{path} is missing"
        raise UserError(ErrorKind.MISSING_FILE, msg, "Is the installation whole?") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path.name} is not TOML: {error}"
        raise UserError(ErrorKind.INVALID_SYNTAX, msg) from None


def _read_questions(path: Path) -> dict[str, Unspecified]:
    """Read the questions that the document leaves open."""
    content = _read_toml(path) if path.exists() else {}
    questions = {}
    for name, entry in content.items():
        permitted = tuple(Permitted(**result) for result in entry["permitted"])
        if len({result.key for result in permitted}) < len(permitted):
            msg = f"{path.name}, {name}: two results have one key"
            raise UserError(ErrorKind.INVALID_SPECIFICATION, msg)
        questions[name] = Unspecified(entry["question"], permitted)
    return questions


def _read_section(
    name: str, title: str, lines: tuple[int, ...], path: Path | None, questions: Mapping[str, Unspecified]
) -> Section:
    if path is None:
        return Section(name, title, lines, {}, ())
    content = _read_toml(path)
    _check_ranges(path, "[silent]", content["silent"].values())
    silent = {line: what for what, text in content["silent"].items() for line in parse_lines(text)}
    for entry in content["claim"]:
        _check_ranges(path, f"claim {entry['id']}", [entry["lines"]])
        if (question := entry.get("unspecified")) not in {None, *questions}:
            msg = f"{path.name}, claim {entry['id']}: unspecified.toml has no question {question!r}"
            raise UserError(ErrorKind.INVALID_SPECIFICATION, msg)
    claims = tuple(_read_claim(name, entry, questions) for entry in content["claim"])
    for claim in claims:
        _check_claim(path, claim, lines)
    if outside := silent.keys() - set(lines):
        msg = f"{path.name}, [silent]: line {min(outside)} is outside the section's {format_lines(lines)}"
        raise UserError(ErrorKind.INVALID_SPECIFICATION, msg)
    return Section(name, title, lines, silent, claims)


def _read_claim(section: str, entry: dict[str, Any], questions: Mapping[str, Unspecified]) -> Claim:
    return Claim(
        id=entry["id"],
        statement=entry["statement"],
        section=section,
        lines=parse_lines(entry["lines"]),
        kind=entry["kind"],
        needs=tuple(entry["needs"]),
        profile=entry["profile"],
        since=entry["since"],
        erratum=_read_erratum(entry["erratum"]) if "erratum" in entry else None,
        unspecified=questions[entry["unspecified"]] if "unspecified" in entry else None,
    )


def _read_erratum(entry: Mapping[str, Any]) -> Erratum:
    return Erratum(entry["document"], entry["evidence"], entry["since"], Translation(**entry["zh"]))


@cache
def _validator(name: str) -> Any:  # noqa: ANN401 - jsonschema's validator classes are made at run time
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, and rarely needed

    return Draft202012Validator(json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")))


def _check_questions(path: Path, content: dict[str, Any]) -> None:
    if error := next(_validator("unspecified").iter_errors(content), None):
        msg = f"{path.name}, {'.'.join(map(str, error.absolute_path)) or 'the file'}: {error.message}"
        raise UserError(ErrorKind.INVALID_SPECIFICATION, msg)


def _check_schema(path: Path, content: dict[str, Any]) -> None:
    error = next(_validator("claims").iter_errors(content), None)
    if error is None:
        return
    where = toml_file.name_place([*error.absolute_path], content, "claim", "claim", "id")
    msg = f"{path.name}, {where}: {error.message}"
    raise UserError(ErrorKind.INVALID_SPECIFICATION, msg)


def _check_ranges(path: Path, entry: str, texts: Iterable[str]) -> None:
    for part in ", ".join(texts).split(", "):
        first, _, last = part.partition("-")
        if last and int(last) < int(first):
            msg = f"{path.name}, {entry}: the range {part} is empty"
            raise UserError(ErrorKind.INVALID_SPECIFICATION, msg)


def _check_claim(path: Path, claim: Claim, lines: tuple[int, ...]) -> None:
    if not claim.id.startswith(f"{path.stem}."):
        msg = f"{path.name}, claim {claim.id}: the id must begin with {path.stem + '.'!r}"
        raise UserError(ErrorKind.INVALID_SPECIFICATION, msg)
    if outside := set(claim.lines) - set(lines):
        msg = f"{path.name}, claim {claim.id}: line {min(outside)} is outside the section's {format_lines(lines)}"
        raise UserError(ErrorKind.INVALID_SPECIFICATION, msg)


def _check_unique(sections: tuple[Section, ...]) -> None:
    seen: dict[str, str] = {}
    for section in sections:
        for claim in section.claims:
            if claim.id in seen:
                msg = f"{section.name}.toml, claim {claim.id}: the id is already taken in {seen[claim.id]}.toml"
                raise UserError(
                    ErrorKind.INVALID_SPECIFICATION,
                    msg,
                    "Ids are unique and never change: give the new claim another one",
                )
            seen[claim.id] = section.name
