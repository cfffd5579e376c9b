"""The command line: what each command prints, and what it says to whoever started it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, TypeAlias

import pytest

from assay import __version__
from assay.cli.main import SUMMARIES, main
from assay.errors import ErrorKind, ExitCode
from assay.specification import document, index
from assay.specification.claims import specification

from .conftest import read_kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.specification.claims import Claim

    from .conftest import Shell

COMMANDS = (
    *("run", "survey", "bench", "new", "smoke"),
    *("claims", "claims list", "claims show", "claims errata", "claims coverage"),
    *("report", "compare", "merge", "matrix", "expect", "fetch", "calibrate"),
)
Says: TypeAlias = "Callable[..., tuple[int, str, str]]"


@pytest.fixture
def assay(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Says:
    """Return a function that carries out a command in an empty folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def carry_out(*arguments: str) -> tuple[int, str, str]:
        return main(arguments), *capsys.readouterr()

    return carry_out


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, assay: Says) -> None:
    code, output, errors = assay(*command.split(), "--help")
    assert (code, output.startswith(f"Usage: assay {command} "), errors) == (ExitCode.CONFORMANT, True, "")


def test_the_help_names_every_command(assay: Says) -> None:
    _, output, _ = assay("--help")
    named = re.findall(r"^  (\w+)\b", output.partition("Commands:\n")[2].partition("\n\n")[0], re.MULTILINE)
    assert named == [*dict.fromkeys(command.split()[0] for command in COMMANDS)]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_written_in_sentences(command: str, assay: Says) -> None:
    # An option and its help, which may begin on a line of its own and continues on lines that are as far to the right.
    _, output, _ = assay(*command.split(), "--help")
    options = output.partition("Options:\n")[2].partition("\n\n")[0]
    texts = [
        re.split(r"\s{2,}", text, maxsplit=1)[1] for text in re.split(r"^  (?=-)", options, flags=re.MULTILINE)[1:]
    ]
    assert [
        text for text in texts if not (text[0].isupper() and text.rstrip().removesuffix("  [required]").endswith("."))
    ] == []


@pytest.mark.parametrize("command", SUMMARIES)
def test_the_help_of_a_command_begins_with_its_summary(command: str, assay: Says) -> None:
    _, output, _ = assay(command, "--help")
    assert " ".join(output.split("\n\n")[1].split()).startswith(SUMMARIES[command])


def test_the_help_documents_every_exit_code(assay: Says) -> None:
    _, output, _ = assay("--help")
    documented = re.findall(r"^  (\d)  \w", output.partition("Exit codes:\n")[2], re.MULTILINE)
    assert documented == [str(code.value) for code in ExitCode]


def test_the_version_is_the_suites(assay: Says) -> None:
    assert assay("--version") == (ExitCode.CONFORMANT, f"assay {__version__}\n", "")


def test_the_help_is_there_at_once(shell: Shell, seconds_of: Callable[[Callable[[], object]], float]) -> None:
    script = """if True:
        import sys
        from assay.cli.main import main
        main(["--help"])
        heavy = {"numpy", "scipy", "pytest", "jsonschema", "hypothesis", "matplotlib", "jinja2", "rich", "msgspec"}
        commands = {name for name in sys.modules if name.startswith("assay.cli.commands.")}
        print("imported:", *sorted(heavy & sys.modules.keys() | commands))
    """
    outputs: list[str] = []
    # The shortest of three: other work on the machine makes processes slower.
    seconds = min(seconds_of(lambda: outputs.append(shell.python("-c", script).output)) for _ in range(3))
    assert (outputs[0].endswith("imported:\n"), seconds < 0.2) == (True, True), (seconds, outputs)


# What cannot be carried out


@pytest.mark.parametrize(
    ("arguments", "program", "named"),
    [
        ([], "assay", "COMMAND"),
        (["melt"], "assay", "'melt'"),
        (["claims"], "assay claims", "COMMAND"),
        (["run"], "assay run", "IMPLEMENTATION"),
        (["run", "toy", "--device", "tpu"], "assay run", "--device: 'tpu'"),
        (["run", "toy", "--seed"], "assay run", "--seed"),
        (["run", "toy", "--isolated=yes"], "assay run", "--isolated"),
        (["run", "toy", "other"], "assay run", "other"),
        (["run", "toy", "-n", "few"], "assay run", "--processes: 'few'"),
        (["run", "toy", "--claim-timeout", "soon"], "assay run", "--claim-timeout: 'soon'"),
        (["survey"], "assay survey", "IMPLEMENTATION"),
        (["merge", "a.json"], "assay merge", "--output"),
        (["expect", "a.json", "-o", "b", "--link", "none"], "assay expect", "--link: 'none'"),
        (["smoke", "toy", "--seconds", "nan"], "assay smoke", "--seconds: 'nan'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_invalid_command_line_is_answered_in_one_line(
    arguments: list[str], program: str, named: str, assay: Says
) -> None:
    code, output, errors = assay(*arguments)
    assert (code, output, read_kind(errors)) == (ExitCode.USAGE, "", ErrorKind.INVALID_ARGUMENT)
    problem, hint, _ = errors.partition(f" (see `{program} --help`) [")
    assert (problem.startswith(f"{program}: "), named in problem, hint != "") == (True, True, True), errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "kind", "named"),
    [
        (["new", "my-net"], ErrorKind.INVALID_ARGUMENT, "my-net"),
        (["claims", "list", "--section", "none"], ErrorKind.INVALID_ARGUMENT, "none"),
        (["claims", "show", "dense.reul"], ErrorKind.UNKNOWN_CLAIM, "dense.reul"),
        (["claims", "coverage", "--document", "none"], ErrorKind.MISSING_FILE, "none"),
        (["report", "none.json"], ErrorKind.MISSING_FILE, "none.json"),
        (["report", "."], ErrorKind.UNREADABLE_FILE, "."),
        (["report", "a.json", "-o", "a.pdf"], ErrorKind.UNSUITABLE_FORMAT, "a.pdf"),
        (["run", "toy", "--report", "toy"], ErrorKind.UNSUITABLE_FORMAT, "toy"),
        (["compare", "none.json", "none.json"], ErrorKind.MISSING_FILE, "none.json"),
        (["merge", "none.json", "-o", "all.json"], ErrorKind.MISSING_FILE, "none.json"),
        (["fetch", "flowers"], ErrorKind.INVALID_ARGUMENT, "flowers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_carried_out_is_answered_in_one_line(
    arguments: list[str], kind: ErrorKind, named: str, assay: Says
) -> None:
    code, output, errors = assay(*arguments)
    assert (code, output, read_kind(errors)) == (ExitCode.USAGE, "", kind)
    assert (errors.startswith("assay: "), named in errors, errors.count("\n")) == (True, True, 1), errors


def test_what_goes_wrong_in_the_suite_itself_is_no_verdict(assay: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(index, "gaps")
    code, _, errors = assay("claims", "coverage")
    assert (code, errors.splitlines()[-1].startswith("AttributeError: ")) == (ExitCode.BROKEN, True)


def test_a_damaged_ledger_gives_no_report(assay: Says, tmp_path: Path) -> None:
    (tmp_path / "ledger.json").write_text("{")
    code, _, errors = assay("report", "ledger.json", "-o", "report.html")
    assert (code, read_kind(errors), "ledger.json" in errors) == (ExitCode.USAGE, ErrorKind.INVALID_SYNTAX, True)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("command", ["claims list", "claims show dense.relu", "--help"])
def test_a_reader_that_goes_away_is_no_error(command: str, shell: Shell) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    arguments = [sys.executable, "-m", "assay", *command.split()]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ended = subprocess.run(
        arguments, stdout=writing, stderr=subprocess.PIPE, cwd=shell.folder, env=environment, check=False
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (ExitCode.CONFORMANT, b"")


# Names that options had


@pytest.mark.parametrize(
    ("arguments", "renamed"),
    [
        (["run", "nowhere", "--grade", "half"], "--precision"),
        (["bench", "nowhere", "--starts", "0"], "--launches"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_deprecated_option_still_works_and_names_the_new_one(arguments: list[str], renamed: str, assay: Says) -> None:
    code, _, errors = assay(*arguments)
    warning, error = errors.splitlines()
    assert (code, warning, read_kind(error), error.startswith(f"assay {arguments[0]}: {renamed}: ")) == (
        ExitCode.USAGE,
        f"{arguments[2]} is deprecated: it is called {renamed}",
        ErrorKind.INVALID_ARGUMENT,
        True,
    )


# Completion


def ask(folder: Path, instruction: str, **variables: str) -> str:
    """Return the answer to a shell in a folder."""
    ended = subprocess.run(
        [sys.executable, "-m", "assay"],
        cwd=folder,
        env=os.environ | {"_ASSAY_COMPLETE": instruction} | variables,
        capture_output=True,
        check=True,
        text=True,
    )
    assert ended.stderr == ""
    return ended.stdout


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        (["assay", "re"], ["report"]),
        (["assay", "claims", "s"], ["show"]),
        (["assay", "claims", "show", "dense.relu"], ["dense.relu", "dense.relu-of-any-number"]),
        (["assay", "run", "keras-t"], ["keras-t", "keras-torch"]),
        (["assay", "run", "toy", "--prec"], ["--precision"]),
        (["assay", "run", "toy", "--precision", "b"], ["bfloat16"]),
        (["assay", "run", "toy", "--claim", "dense.relu"], ["dense.relu", "dense.relu-of-any-number"]),
        (["assay", "run", "toy", "--profile", "s"], ["smoke"]),
        (["assay", "run", "toy", "--require", "a"], ["all", "applications", "agent"]),
        (["assay", "claims", "list", "--section", "den"], ["dense"]),
        (["assay", "claims", "list", "--kind", "ex"], ["exact"]),
        (["assay", "fetch", "n"], ["nietzsche"]),
    ],
    ids=lambda value: " ".join(value[1:]) if value[0] == "assay" else "",
)
def test_a_shell_completes_words(words: list[str], completions: list[str], tmp_path: Path) -> None:
    answer = ask(tmp_path, "bash_complete", COMP_WORDS=" ".join(words), COMP_CWORD=str(len(words) - 1))
    assert [line.partition(",")[2] for line in answer.splitlines()] == completions


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(name: str, tmp_path: Path) -> None:
    script = ask(tmp_path, f"{name}_source")
    assert f"_ASSAY_COMPLETE={name}_complete" in script
    assert "_assay_completion" in script


# Looking at the claims


def test_the_list_has_every_claim_in_a_line(assay: Says) -> None:
    code, output, _ = assay("claims", "list")
    assert (code, [line.split()[0] for line in output.splitlines()]) == (0, list(specification().claims))


def test_the_list_of_a_section_has_that_sections_claims(assay: Says) -> None:
    _, output, _ = assay("claims", "list", "--section", "dense")
    sections = {section.name: section for section in specification().sections}
    assert len(output.splitlines()) == len(sections["dense"].claims)


def test_the_list_of_errata_has_what_the_document_has_wrong(assay: Says) -> None:
    _, output, _ = assay("claims", "list", "--errata")
    errata = [claim.id for claim in specification().claims.values() if claim.erratum]
    assert [line.split()[0] for line in output.splitlines()] == errata


def list_claims(assay: Says, *filters: str) -> set[str]:
    """Return the ids that `assay claims list` prints with filters, which it prints as JSON, too."""
    code, output, errors = assay("claims", "list", *filters)
    assert (code, errors) == (ExitCode.CONFORMANT, "")
    ids = {line.split()[0] for line in output.splitlines()}
    assert ids == {claim["id"] for claim in json.loads(assay("claims", "list", "--json", *filters)[1])}
    return ids


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        (["--line", "81"], lambda claim: 81 in claim.lines),
        (["--group", "agent"], lambda claim: "agent" in claim.groups),
        (["--kind", "exact"], lambda claim: claim.kind == "exact"),
        (["--text", "SOFTMAX"], lambda claim: "softmax" in f"{claim.id} {claim.statement}".casefold()),
        (
            ["--section", "dense", "--kind", "exact", "--line", "89"],
            lambda claim: claim.section == "dense" and claim.kind == "exact" and 89 in claim.lines,
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_list_has_the_claims_that_pass_every_filter(
    filters: list[str], kept: Callable[[Claim], bool], assay: Says
) -> None:
    expected = {claim.id for claim in specification().claims.values() if kept(claim)}
    assert expected
    assert list_claims(assay, *filters) == expected


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["rnu"], "Nearest: run"),
        (["run", "toy", "--sede", "1"], "Nearest: --seed"),
        (["claims", "lsit"], "Nearest: list"),
        (["claims", "list", "--section", "dens"], "Nearest: dense"),
        (["claims", "list", "--group", "agnet"], "Nearest: agent"),
        (["run", "toy", "--device", "gpus"], "Nearest: gpu"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_nearest_name_is_suggested(arguments: list[str], suggestion: str, assay: Says) -> None:
    code, _, errors = assay(*arguments)
    assert (code, suggestion in errors, errors.count("\n")) == (ExitCode.USAGE, True, 1), errors


def test_a_claim_is_shown_in_full(assay: Says) -> None:
    _, output, _ = assay("claims", "show", "dense.units")
    for test in index.read(index.tests_folder()):
        # Long paths are continued on the next line.
        output = re.sub(rf"\s+\S*{test.file}:{test.line}\s+", " FILE:LINE ", output)
    output, source = output.split("source:      ")
    identity = document.identity()
    assert " ".join(source.split()) == f"{identity.citation}; {identity.address}"
    assert (
        output
        == """\
claim:       dense.units
statement:   units is the length of the output's last axis.
document:    The Dense layer (Keras 的全连接层:线性变换 + 激活函数), line 87
kind:        exact
profile:     core
needs:       keras.namespace, keras.to_numpy, keras.to_tensor
since:       0.1
tests: FILE:LINE test_units_of_any_rank, FILE:LINE test_units
says:        units is the dimension of the output tensor.
evidence:    A layer with 4 units turns [2, 3] into [2, 4], a tensor of rank 2, not 4.
wrong since: always
"""
    )


def test_the_coverage_has_a_line_for_each_section(assay: Says) -> None:
    _, output, _ = assay("claims", "coverage")
    titles = [re.split(r"\s{2,}", line)[0] for line in output.splitlines()]
    assert titles[: len(specification().sections) + 1] == [
        "section",
        *(section.title for section in specification().sections),
    ]


def test_the_coverage_names_gaps_and_says_so(assay: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "gaps", lambda *_: ["dense.toml: claim dense.units has no test"])
    code, output, _ = assay("claims", "coverage")
    assert (code, output.splitlines()[-1]) == (
        ExitCode.NOT_CONFORMANT,
        "dense.toml: claim dense.units has no test",
    )


# A run


def test_a_run_writes_ledger_and_report(shell: Shell) -> None:
    name = "doubles.badly_behaved:without_groups"
    ended = shell.assay("run", name, "--profile", "smoke", "-n", 0, "--results", "ledger.json")
    decided = {row["id"] for row in ended.ledger["claims"]}
    page = (shell.folder / "ledger.html").read_text()
    assert (ended.code, ended.ledger["complete"], decided, "toy" in page) == (
        # None of it was tested, so the verdict is missing.
        ExitCode.INCOMPLETE,
        True,
        set(specification().of_profile("smoke")),
        True,
    )


def test_a_run_of_single_claims_writes_nothing(shell: Shell) -> None:
    ended = shell.assay("run", "doubles.badly_behaved:good", "--claim", "dense.zeros", "-n", 0)
    assert (ended.code, list(shell.folder.glob("assay-*"))) == (ExitCode.CONFORMANT, [])


def test_a_run_of_what_is_no_implementation_writes_nothing(shell: Shell) -> None:
    ended = shell.assay("run", "nowhere", "-n", 0)
    assert (ended.code, list(shell.folder.glob("assay-*"))) == (ExitCode.USAGE, [])


def test_a_run_that_cannot_begin_leaves_an_older_ledger_alone(shell: Shell) -> None:
    (shell.folder / "old.json").write_text("old")
    ended = shell.assay("run", "nowhere", "-n", 0, "--results", "old.json")
    assert (ended.code, (shell.folder / "old.json").read_text()) == (ExitCode.USAGE, "old")
