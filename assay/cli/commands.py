"""What the commands of the command line do: each takes the parsed options and returns the exit code."""

from __future__ import annotations

import json
import sys
import tempfile
import textwrap
from argparse import Namespace
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.adapters.parentage import describe_end
from assay.cli import suggestions
from assay.contract import GROUPS
from assay.errors import ExitCode, UserError
from assay.files import output, text_file
from assay.ledger import ledger
from assay.ledger.ledger import Ledger
from assay.ledger.verdict import verdict
from assay.runner import launch
from assay.runner.options import RunOptions
from assay.specification import document, index
from assay.specification.claims import Claim, format_lines, specification

if TYPE_CHECKING:
    from assay.bench.results import Run
    from assay.reports.passages import Passages
    from assay.survey.summary import Survey


def run(options: Namespace) -> int:
    """Run the tests of the claims, and turn the ledger into a report."""
    asked = RunOptions.from_namespace(options)
    results, report_file = options.results, options.report
    if report_file is not None:
        _format_of(report_file, options.format)
    if not options.claim:
        # Single claims are run to look at a failure, not for a ledger.
        parts = [options.implementation, *([f"shard-{options.shard}"] if options.shard else [])]
        name = "".join(letter if letter.isalnum() else "-" for letter in "-".join(parts)).strip("-")
        results = results or Path(f"assay-{name}.json")
        report_file = report_file or results.with_suffix(f".{options.format or 'html'}")
    results = None if results is None else output.check(results, "ledger")
    if report_file is not None and str(report_file) != STDOUT:
        report_file = output.check(report_file, "report")
    more = ("-n", options.processes, "-rN", "-p", "assay.runner.terminal")
    if options.resume and results is not None and not output.is_regular(results):
        msg = f"--resume continues from a ledger in a file, which {results} is not"
        raise UserError(msg, "Name a file with --results")
    if results is None or output.is_regular(results):
        return _run(replace(asked, results=results), report_file, more, options)
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        # A pipe or a device takes the ledger once, when it is complete.
        regular = Path(folder) / "ledger.json"
        code = _run(replace(asked, results=regular), options.report and report_file, more, options)
        if regular.exists():
            output.write(results, regular.read_text(encoding="utf-8"), "ledger")
    return code


def _run(options: RunOptions, report_file: Path | None, more: Sequence[str], asked: Namespace) -> int:
    results = options.results
    before = None if results is None else _written(results)
    code = launch.run(launch.command(options, [index.tests_folder()], *more))
    if code < 0:
        lost = f"the only process of the run ended: {describe_end(code)}"
        print(f"{lost}. With `-n 1` or more, that costs one claim and no other", file=sys.stderr)  # noqa: T201
        code = ExitCode.INCOMPLETE
    if results is None or _written(results) == before:
        # The run ended before it began: an older ledger of this name stays as it is.
        return code
    if report_file is not None:
        _report(_read_files([results]), report_file, asked.format, options.claim)
    if asked.github:
        _tell_github([ledger.read(results)])
    # An implementation that ends or breaks the only process can choose the exit code, but not the ledger.
    if code in {ExitCode.CONFORMANT, ExitCode.NOT_CONFORMANT}:
        found = verdict(ledger.read(results), specification(), options.claim).code
        return found if found != ExitCode.CONFORMANT else code
    return code


def _written(path: Path) -> int:
    """Return when a file was written, in nanoseconds, and 0 if it does not exist."""
    return path.stat().st_mtime_ns if path.exists() else 0


def bench(options: Namespace) -> int:
    """Time implementations side by side."""
    from assay.cli.bench import bench as measure  # noqa: PLC0415 - loads NumPy, autograd and SciPy

    return measure(options)


def survey(options: Namespace) -> int:
    """Run implementations with many seeds, and sum up what did not always pass."""
    from assay.cli import survey as surveying  # noqa: PLC0415 - loads NumPy

    return surveying.main(options)


def new(options: Namespace) -> int:
    """Write an adapter to begin with, its tox environment and a CI workflow."""
    from assay.cli import scaffold  # noqa: PLC0415 - loads Jinja

    requirement = options.requirement or scaffold.requirement()
    paths = scaffold.write(
        options.name, options.output, requirement, subprocess=options.subprocess, frameworks=options.framework
    )
    for path in paths:
        print(path)  # noqa: T201 - what the command says
    if "file:" in requirement:
        print(f"tox.ini has {requirement!r}, which no CI reaches: name an address with --requirement")  # noqa: T201
    name = f"{options.name}.toml" if options.subprocess else options.name
    print(f"next, in {options.output.resolve()}: assay smoke {name}, then assay run {name}")  # noqa: T201 - as above
    return ExitCode.CONFORMANT


def smoke(options: Namespace) -> int:
    """Say, step by step, whether an adapter is sound."""
    from assay.smoke import steps as trier  # noqa: PLC0415 - loads NumPy and pytest

    wrong = ""
    for step in trier.steps(options.implementation, options.device, options.seconds):
        lines = [f"{'✓' if step.sound else '✗'} {step.text}", *(f"    {line}" for line in step.details)]
        print("\n".join(lines), flush=True)  # noqa: T201 - what the command says
        wrong = wrong or ("" if step.sound else step.text)
    if wrong:
        print(f"the adapter is broken here: {wrong}")  # noqa: T201 - as above
        return ExitCode.NOT_CONFORMANT
    device = "" if options.device == "cpu" else f" --device {options.device}"
    print(f"it is sound, now assay it: assay run {options.implementation}{device}")  # noqa: T201 - as above
    return ExitCode.CONFORMANT


def report(options: Namespace) -> int:
    """Turn ledgers and benchmarks into one file, whose suffix says of which kind, a site, or a badge."""
    copy = document.read(options.document, specification()) if options.document else None
    found = _read_files(options.files)
    if options.output is None and options.site is None and options.badge is None:
        options.output = Path("assay-report.html")
    if options.output is not None:
        _report(found, options.output, options.format, copy=copy)
    if options.site is not None:
        _site(found, options.site, copy)
    if options.badge is not None:
        _badge(found, options.badge)
    if options.github:
        _tell_github(found.ledgers)
    return ExitCode.CONFORMANT


# The name that stands for standard output.
STDOUT = "-"
FORMATS = {".html": "html", ".md": "md", ".xml": "xml"}


def _format_of(path: Path, chosen: str | None) -> str:
    """Return the format of a report: the one that was chosen, or that of the suffix.

    Raises:
        UserError: Neither is there.

    """
    if found := chosen or FORMATS.get(path.suffix):
        return found
    msg = f"the name of the report, {str(path)!r}, ends neither with .html nor with .md nor with .xml"
    raise UserError(msg, "Name another file, or choose a --format")


def _tell_github(ledgers: Sequence[Ledger]) -> None:
    from assay.reports import github  # noqa: PLC0415 - nothing else needs it

    for line in github.annotate(ledgers):
        print(line)  # noqa: T201 - GitHub reads standard output
    github.add_summary(ledgers)


@dataclass(frozen=True)
class _Files:
    """The files that a report is made of, read; benchmarks and surveys also by their paths."""

    benchmarks: Sequence[Path]
    runs: Sequence[Run]
    of_surveys: Sequence[Path]
    surveys: Sequence[Survey]
    ledgers: Sequence[Ledger]


def _read_files(files: Sequence[Path]) -> _Files:
    from assay.bench import results  # noqa: PLC0415 - other commands need none
    from assay.survey import summary  # noqa: PLC0415 - as above

    benchmarks = [path for path in files if results.is_one(path)]
    runs = sorted((run for path in benchmarks for run in results.read(path)), key=lambda run: run.time)
    of_surveys = [path for path in files if summary.is_one(path)]
    surveys = [summary.read(path) for path in of_surveys]
    ledgers = [ledger.read(path) for path in files if path not in [*benchmarks, *of_surveys]]
    return _Files(benchmarks, runs, of_surveys, surveys, ledgers)


def _passages(copy: Sequence[str] | None) -> Passages | None:
    from assay.reports.passages import Passages  # noqa: PLC0415 - only pages have them

    return None if copy is None else Passages(copy, specification())


def _site(found: _Files, folder: Path, copy: Sequence[str] | None) -> None:
    from assay.reports import site  # noqa: PLC0415 - loads matplotlib

    if not found.ledgers:
        msg = "a site needs a ledger, and none is given"
        raise UserError(msg, "`assay run NAME` writes one")
    pages = site.write(folder, found.ledgers, runs=found.runs, surveys=found.surveys, passages=_passages(copy))
    print(f"site: {folder / 'index.html'} ({pages} pages)")  # noqa: T201 - what the command says


def _badge(found: _Files, path: Path) -> None:
    from assay.reports import badge  # noqa: PLC0415 - the others need none

    if len(found.ledgers) != 1:
        msg = f"a badge shows one ledger, and {len(found.ledgers)} are given"
        raise UserError(msg, "Call `assay report LEDGER --badge FILE` for each")
    text_file.write(path, badge.render(found.ledgers[0]), "badge")
    print(f"badge: {path}")  # noqa: T201 - what the command says


def _report(
    found: _Files,
    output: Path,
    chosen: str | None = None,
    claims: Collection[str] = (),
    copy: Sequence[str] | None = None,
) -> None:
    kind = _format_of(output, chosen)
    if copy is not None and kind != "html":
        msg = f"--document shows passages in a page, and {output} is not one"
        raise UserError(msg, "Name a file that ends in .html, or leave --document out")
    if found.surveys and kind != "html":
        msg = f"{found.of_surveys[0]} has the findings of a survey, which only a page shows"
        raise UserError(msg, "Name a file that ends in .html")
    if found.runs and kind == "xml":
        msg = f"{found.benchmarks[0]} has benchmarks, of which there is no JUnit XML"
        raise UserError(msg, "Name a file that ends in .html or .md")
    match kind:
        case "md":
            from assay.reports import pull_request  # noqa: PLC0415 - the others load what this does not need

            text = pull_request.render(found.ledgers, runs=found.runs)
        case "xml":
            from assay.reports import junit  # noqa: PLC0415 - as above

            places = index.places(index.read(index.tests_folder()))
            text = junit.render(found.ledgers, places=places, only=claims)
        case _:
            from assay.reports import html as report_page  # noqa: PLC0415 - loads matplotlib

            text = report_page.render(found.ledgers, runs=found.runs, surveys=found.surveys, passages=_passages(copy))
    if str(output) == STDOUT:
        print(text)  # noqa: T201 - what the command says
        return
    text_file.write(output, text, "report")
    print(f"report: {output}")  # noqa: T201 - what the command says


def compare(options: Namespace) -> int:
    """Say what has changed from one file to another, and whether any of it is a regression."""
    from assay.bench import results  # noqa: PLC0415 - other commands need none
    from assay.reports import compare as comparing  # noqa: PLC0415 - as above

    if results.is_one(options.old) or results.is_one(options.new):
        from assay.bench import regression  # noqa: PLC0415 - loads SciPy
        from assay.reports import bench_comparison  # noqa: PLC0415 - only benchmarks need it

        ratios = regression.compare(results.read(options.old), results.read(options.new)[-1])
        if options.output is not None:
            text_file.write(options.output, bench_comparison.as_markdown(ratios), "comparison")
        print(bench_comparison.as_text(ratios))  # noqa: T201 - what the command says
        return ratios.code
    comparison = comparing.compare(ledger.read(options.old), ledger.read(options.new))
    if options.output is not None:
        text_file.write(options.output, comparing.as_markdown(comparison), "comparison")
    print(comparing.as_text(comparison))  # noqa: T201 - what the command says
    return comparison.code


def merge(options: Namespace) -> int:
    """Join the ledgers of shards."""
    from assay.ledger.merge import merge as merge_ledgers  # noqa: PLC0415 - no other command needs it

    whole = merge_ledgers([(path, ledger.read(path)) for path in options.ledgers], specification())
    ledger.write(options.output, whole.ledger)
    found = verdict(whole.ledger, specification())
    name = whole.ledger.implementation.name
    print("\n".join([f"ledger: {options.output}", *whole.missing, f"{name}: {found.sentence}"]))  # noqa: T201 - as above
    return found.code


def matrix(options: Namespace) -> int:
    """Turn ledgers of several versions into data and a page that say since when each claim holds."""
    from assay.reports import matrix as maker  # noqa: PLC0415 - loads Jinja

    named = [source.partition("=") for source in options.ledgers]
    if [separator for _, separator, _ in named] == [""]:
        made = maker.read(Path(options.ledgers[0]))
    else:
        made = maker.make(_named_ledgers(named))
    if options.data is not None:
        text_file.write(options.data, maker.as_json(made), "matrix")
        print(f"matrix: {options.data}")  # noqa: T201 - what the command says
    text_file.write(options.output, maker.as_page(made), "page")
    print(f"page: {options.output}")  # noqa: T201 - as above
    return ExitCode.CONFORMANT


def _named_ledgers(named: list[tuple[str, str, str]]) -> dict[str, Ledger]:
    ledgers: dict[str, Ledger] = {}
    for name, separator, path in named:
        if not (name and separator and path):
            msg = f"{name + separator + path!r} is not NAME=LEDGER"
            raise UserError(msg, "Give each ledger the name of its version, as in tensorflow-2.18=ledger.json")
        if name in ledgers:
            msg = f"two ledgers have the name {name!r}"
            raise UserError(msg, "Give each version a name of its own")
        ledgers[name] = ledger.read(Path(path))
    return ledgers


def expect(options: Namespace) -> int:
    """Write what fails in a ledger down as expected."""
    from assay.ledger import expect as writer  # noqa: PLC0415 - loads what writes TOML
    from assay.ledger import expectations  # noqa: PLC0415 - as above

    before = expectations.read(options.output) if options.output.exists() else ()
    after = writer.updated(before, ledger.read(options.ledger), options.link, options.expires)
    writer.write(options.output, after)
    old, new = ({expectation.claim for expectation in each} for each in (before, after))
    print(f"{options.output}: {len(new)} expectations, {len(new - old)} of them new; {len(old - new)} removed")  # noqa: T201
    return ExitCode.CONFORMANT


def fetch(options: Namespace) -> int:
    """Get data sets ahead of time."""
    from assay.datasets import data  # noqa: PLC0415 - loads NumPy

    for name, source in data.fetch(options.names or data.DATASETS):
        print(f"{name}: {source}")  # noqa: T201 - what the command says
    return ExitCode.CONFORMANT


def calibrate(options: Namespace) -> int:
    """Train with many seeds, and store the runs of a threshold."""
    from assay.cli import calibrate as calibrating  # noqa: PLC0415 - loads SciPy

    return calibrating.main(options)


def list_(options: Namespace) -> int:
    """Print the claims that were asked for, each in a line."""
    claims = [*specification().claims.values()]
    sections = [section.name for section in specification().sections]
    _check_name("section", options.section, sections)
    _check_name("group", options.group, GROUPS)
    _check_name("kind", options.kind, sorted({claim.kind for claim in claims}))
    text = (options.text or "").casefold()
    asked = [
        claim
        for claim in claims
        if (claim.erratum or not options.errata)
        and (claim.unspecified or not options.unspecified)
        and options.section in {None, claim.section}
        and options.kind in {None, claim.kind}
        and (options.line is None or options.line in claim.lines)
        and (options.group is None or options.group in claim.groups)
        and (text in claim.id.casefold() or text in claim.statement.casefold())
    ]
    if options.json:
        print(json.dumps([_as_json(claim) for claim in asked], indent=1, ensure_ascii=False))  # noqa: T201 - as above
        return ExitCode.CONFORMANT
    for claim in asked:
        print(f"{claim.id:40} {claim.kind:12} {claim.profile:6} {claim.statement}")  # noqa: T201 - as above
    return ExitCode.CONFORMANT


def _check_name(what: str, name: str | None, names: Sequence[str]) -> None:
    """Refuse a name that does not exist.

    Raises:
        UserError: There is none; the message has the nearest one, and all of them.

    """
    if name is not None and name not in names:
        msg = f"there is no {what} {name!r}"
        hints = [suggestions.nearest(name, names), f"{what.capitalize()}s: {', '.join(names)}"]
        raise UserError(msg, ". ".join(filter(None, hints)))


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


def show(options: Namespace) -> int:
    """Print one claim in full."""
    claim = specification().claim(options.id)
    tests = [test for test in index.read(index.tests_folder()) if claim.id in test.claims]
    for name, value in _fields(claim, tests).items():
        print(textwrap.fill(value, 110, initial_indent=f"{name + ': ':13}", subsequent_indent=" " * 13))  # noqa: T201
    return ExitCode.CONFORMANT


def _path_of(test: index.ExecutableClaim) -> str:
    """Return the path of a test as it can be opened from here."""
    path = (index.tests_folder() / test.file).resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _fields(claim: Claim, tests: list[index.ExecutableClaim]) -> dict[str, str]:
    fields = {
        "claim": claim.id,
        "statement": claim.statement,
        "document": document.identity().place(claim, specification()),
        "kind": claim.kind,
        "profile": claim.profile,
        "needs": ", ".join(claim.needs) or "nothing of the implementation",
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


def errata(options: Namespace) -> int:
    """Print where the document is wrong, imprecise or out of date."""
    from assay.specification import errata as list_  # noqa: PLC0415 - as the command has its name

    folder = index.tests_folder()
    found = list_.findings(specification(), index.read(folder), index.read_demonstrations(folder))
    if options.json:
        text = json.dumps(list_.as_json(found), indent=1, ensure_ascii=False)
    else:
        text = list_.as_chinese_markdown(found) if options.language == "zh" else list_.as_markdown(found)
    print(text)  # noqa: T201 - what the command says
    return ExitCode.CONFORMANT


def coverage(options: Namespace) -> int:
    """Print how the lines of the document are accounted for, and what is missing between claims and tests."""
    if options.document is not None:
        document.read(options.document, specification())
    print(f"{'section':38}{'lines':>12}{'claims':>8}{'claimed':>9}{'silent':>8}  open")  # noqa: T201
    unfinished = False
    for found in document.coverage(specification()):
        section = found.section
        still_open = format_lines(tuple(found.open)) if section.claims else "all: no claims yet"
        unfinished |= bool(section.claims and found.open)
        place = f"{section.lines[0]}-{section.lines[-1]}"
        counts = f"{len(section.claims):8}{len(found.claimed):9}{len(found.silent):8}"
        print(f"{section.title:38}{place:>12}{counts}  {still_open or '-'}")  # noqa: T201
    gaps = index.gaps(specification(), index.read(index.tests_folder()))
    for gap in gaps:
        print(gap)  # noqa: T201
    return ExitCode.NOT_CONFORMANT if gaps or unfinished else ExitCode.CONFORMANT
