"""`assay claims`: list and show claims."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from assay.cli import completion
from assay.cli.group import Group
from assay.cli.suggestions import nearest
from assay.cli.values import PATH, Choice, whole_number
from assay.contract import GROUPS
from assay.errors import ErrorKind, ExitCode, UserError
from assay.specification import document, index
from assay.specification import errata as all_errata
from assay.specification.claims import Claim, format_lines, specification


@click.group(cls=Group)
def claims() -> None:
    """List and show claims, errata and coverage."""


@claims.command(
    "list",
    help="List claims, each in a line. Several filters keep the claims that pass all of them.",
    short_help="List claims, each in a line.",
)
@click.option("--section", metavar="NAME", shell_complete=completion.sections, help="Claims of one section only.")
@click.option("--line", type=whole_number(1), metavar="N", help="Claims about this line of the document only.")
@click.option("--group", metavar="NAME", shell_complete=completion.groups, help="Claims that need this group only.")
@click.option("--kind", metavar="NAME", shell_complete=completion.kinds, help="Claims of one kind only, such as exact.")
@click.option("--text", default="", metavar="TEXT", help="Claims with this text in their id or statement only.")
@click.option("--json", "as_json", is_flag=True, help="Print the claims as JSON.")
@click.option("--errata", is_flag=True, help="Claims where the document is wrong or out of date only.")
@click.option(
    "--unspecified", is_flag=True, help="Claims where the document is silent and implementations differ only."
)
def list_(
    section: str | None,
    line: int | None,
    group: str | None,
    kind: str | None,
    text: str,
    *,
    as_json: bool,
    errata: bool,
    unspecified: bool,
) -> int:
    """Print the selected claims."""
    every = [*specification().claims.values()]
    sections = [section.name for section in specification().sections]
    _check_name("section", section, sections)
    _check_name("group", group, GROUPS)
    _check_name("kind", kind, sorted({claim.kind for claim in every}))
    words = text.casefold()
    asked = [
        claim
        for claim in every
        if (claim.erratum or not errata)
        and (claim.unspecified or not unspecified)
        and section in {None, claim.section}
        and kind in {None, claim.kind}
        and (line is None or line in claim.lines)
        and (group is None or group in claim.groups)
        and (words in claim.id.casefold() or words in claim.statement.casefold())
    ]
    if as_json:
        print(json.dumps([_as_json(claim) for claim in asked], indent=1, ensure_ascii=False))
        return ExitCode.CONFORMANT
    for claim in asked:
        print(f"{claim.id:40} {claim.kind:12} {claim.profile:6} {claim.statement}")
    return ExitCode.CONFORMANT


def _check_name(what: str, name: str | None, names: Sequence[str]) -> None:
    """Reject a name that does not exist.

    Raises:
        UserError: The name is unknown; the message suggests the nearest one and lists all.

    """
    if name is not None and name not in names:
        msg = f"unknown {what} {name!r}"
        hints = [nearest(name, names), f"{what.capitalize()}s: {', '.join(names)}"]
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg, ". ".join(filter(None, hints)))


def _as_json(claim: Claim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "section": claim.section,
        "statement": claim.statement,
        "lines": [*claim.lines],
        "kind": claim.kind,
        "profile": claim.profile,
        "needs": [*claim.needs],
        "since": claim.since,
        "erratum": claim.erratum is not None,
        "unspecified": claim.unspecified is not None,
    }


@claims.command(
    help="Show one claim in full.\n\nID is the id of the claim, such as dense.relu.",
    short_help="Show one claim in full.",
)
@click.argument("id_", metavar="ID", shell_complete=completion.claims)
def show(id_: str) -> int:
    """Print a claim, its tests and its place in the document."""
    claim = specification().claim(id_)
    tests = [test for test in index.read(index.tests_folder()) if claim.id in test.claims]
    for name, value in _fields(claim, tests).items():
        # Not wrapped, as paths may be long and contain hyphens.
        wrapper = textwrap.TextWrapper(110, break_long_words=False, break_on_hyphens=False, subsequent_indent=" " * 13)
        wrapper.initial_indent = f"{name + ': ':13}"
        print(wrapper.fill(value))
    return ExitCode.CONFORMANT


def _path_of(test: index.ExecutableClaim) -> str:
    """Return the path of a test, relative to the current folder if possible."""
    path = (index.tests_folder() / test.file).resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _fields(claim: Claim, tests: list[index.ExecutableClaim]) -> dict[str, str]:
    fields = {
        "claim": claim.id,
        "statement": claim.statement,
        "document": document.identity().place(claim, specification()),
        "kind": claim.kind,
        "profile": claim.profile,
        "needs": ", ".join(claim.needs) or "nothing from the implementation",
        "since": claim.since,
        "tests": ", ".join(f"{_path_of(test)}:{test.line} {test.function}" for test in tests),
    }
    if claim.erratum:
        fields |= {
            "says": claim.erratum.document,
            "evidence": claim.erratum.evidence,
            "wrong since": claim.erratum.since,
        }
    if claim.unspecified:
        fields["unspecified"] = claim.unspecified.question
        for permitted in claim.unspecified.permitted:
            fields[f"  {permitted.key}"] = f"{permitted.result} Seen: {permitted.seen or 'nowhere yet'}."
    return fields | {"source": f"{document.identity().citation}; {document.identity().address}"}


@claims.command(
    help="Print where the document is wrong, imprecise or out of date, as Markdown.", short_help="List the errata."
)
@click.option("--json", "as_json", is_flag=True, help="Print the errata as JSON.")
@click.option(
    "--language",
    type=Choice(("en", "zh")),
    default="en",
    help="Language of the page: en, by section, or zh (Chinese), by line (default: en).",
)
def errata(language: str, *, as_json: bool) -> int:
    """Print where the document is wrong, imprecise or out of date."""
    folder = index.tests_folder()
    found = all_errata.findings(specification(), index.read(folder), index.read_demonstrations(folder))
    if as_json:
        text = json.dumps(all_errata.as_json(found), indent=1, ensure_ascii=False)
    else:
        text = all_errata.as_chinese_markdown(found) if language == "zh" else all_errata.as_markdown(found)
    print(text)
    return ExitCode.CONFORMANT


@claims.command(help="Check that every line is accounted for and every claim tested.")
@click.option("--document", "copy", type=PATH, metavar="FILE", help="Copy of the document to check, too.")
def coverage(copy: Path | None) -> int:
    """Print the coverage of the document's lines, and gaps between claims and tests."""
    if copy is not None:
        document.read(copy, specification())
    print(f"{'section':38}{'lines':>12}{'claims':>8}{'claimed':>9}{'silent':>8}  open")
    unfinished = False
    for found in document.coverage(specification()):
        section = found.section
        still_open = format_lines(tuple(found.open)) if section.claims else "all: no claims yet"
        unfinished |= bool(section.claims and found.open)
        place = f"{section.lines[0]}-{section.lines[-1]}"
        counts = f"{len(section.claims):8}{len(found.claimed):9}{len(found.silent):8}"
        print(f"{section.title:38}{place:>12}{counts}  {still_open or '-'}")
    gaps = index.gaps(specification(), index.read(index.tests_folder()))
    for gap in gaps:
        print(gap)
    return ExitCode.NOT_CONFORMANT if gaps or unfinished else ExitCode.CONFORMANT
