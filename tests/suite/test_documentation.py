"""What the documentation says is true: its commands run, its tables and numbers are those of the code."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import assay
from assay.bench import results
from assay.cli import main
from assay.errors import ErrorKind, ExitCode
from assay.ledger.outcomes import Outcome
from assay.reports import bench_tables, markdown
from assay.specification import document
from assay.specification.claims import specification
from assay.specification.profiles import CLAIM_SECONDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE_README = (ROOT / "README.zh.md").read_text(encoding="utf-8")
# Pages that include another file, or a generated one, have no text of their own.
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# The README first, whose adapter the commands of the pages use.
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
# What the commands of the README need to have been run before, or install, is run by `.ci/run` itself.
IN_CI = ("python3 -m venv", "pip install", "assay run reference", "pytest")


def blocks(language, text=TEXT):
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def rows(header):
    """Return the rows of the table whose header starts like this."""
    table = re.search(rf"^\| {header} \|.*?\n\| ---.*?\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table[1].strip().splitlines()]


# A block whose first line is a comment with a name is a file, which the commands use.
FILES = {
    name: block
    for language in ("python", "toml")
    for block in blocks(language)
    for name in re.findall(r"\A# (\w+\.(?:py|toml))$", block, re.MULTILINE)
}
COMMANDS = [line for block in blocks("sh") for line in block.strip().splitlines()]


def run(command, folder):
    """Run a command of the documentation in a folder, with this interpreter's scripts first on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        shlex.split(command, comments=True),
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the README's adapter in it, already assayed, and its ledger under the reference's name."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "mine.py").write_text(blocks("python")[0], encoding="utf-8")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "reference" / "results").mkdir(parents=True)
    shutil.copy(ROOT / "reference" / "results" / "versions.json", folder / "reference" / "results")
    run("assay run mine --results assay-reference.json --report mine.html", folder)
    return folder


@pytest.mark.parametrize("block", blocks("sh"))
def test_commands_of_a_block_work_one_after_the_other(block, folder):
    for command in block.strip().splitlines():
        if not command.startswith(IN_CI):
            result = run(command, folder)
            # A command that is meant to fail says so: `# exit code 1`.
            code = int(re.findall(r"# exit code (\d)$", command)[0]) if "# exit" in command else ExitCode.CONFORMANT
            assert (command, result.returncode, result.stderr) == (command, code, "")


def test_excerpt_of_an_error_is_what_it_says(folder):
    [excerpt] = [block for block in blocks("text") if block.startswith("$ assay claims show")]
    command, *lines = excerpt.splitlines()
    assert run(command.removeprefix("$ "), folder).stderr.splitlines() == lines


def test_adapter_of_the_readme_passes_what_it_declares(folder):
    result = run("assay run mine", folder)
    counted = [claim for claim in specification().of_profile("core").values() if not claim.is_fact]
    needed = [claim for claim in counted if claim.groups <= {"datasets"}]
    assert f"mine: conforms in 1 of 10 groups: {len(needed)} of {len(counted)} " in result.stdout, result.stdout


def test_excerpt_of_smoke_is_what_it_says(folder):
    [excerpt] = [block for block in blocks("text") if block.startswith("$ assay smoke")]
    command, *lines = excerpt.splitlines()
    assert run(command.removeprefix("$ ") + " --seconds 60", folder).stdout.splitlines() == lines


def test_excerpt_of_a_failure_is_what_it_says(folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests" / "suite")]))
    [excerpt] = [block for block in blocks("text", README) if block.startswith("FAIL ")]
    command = excerpt.rpartition("replay: ")[2]
    assert excerpt in run(f"{command.strip()} --no-fetch -n 0", folder).stdout


@pytest.mark.parametrize("command", ["assay run reference", "pytest", "pip install -e '.[reference]'"])
def test_ci_runs_the_commands_of_the_readme(command):
    assert command in COMMANDS
    assert command.split(" -e")[0] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_verdict_in_the_readme_has_the_true_numbers():
    counted = [claim for claim in specification().of_profile("core").values() if not claim.is_fact]
    passing = sum(claim.groups <= {"datasets"} for claim in counted)
    rest = len(counted) - passing
    scope = f"1 of 10 groups: {passing} of {len(counted)} claims pass, {rest} need groups it does not declare"
    assert scope in README


def test_the_readme_is_a_front_door():
    assert len(README.splitlines()) <= 150


def test_the_readme_shows_a_picture_of_the_report():
    [picture] = re.findall(r"^!\[.+\]\((.+)\)$", README, re.MULTILINE)
    assert (ROOT / picture).stat().st_size < 300_000
    assert f"]({picture})" in CHINESE_README


def test_the_chinese_readme_has_the_commands_of_the_english_one():
    assert set(blocks("sh", README)) <= set(blocks("sh", CHINESE_README))


def test_the_chinese_readme_counts_the_errata():
    errata = sum(claim.erratum is not None for claim in specification().claims.values())
    assert f"{errata} 处" in CHINESE_README


@pytest.mark.parametrize("text", [README, CHINESE_README], ids=["English", "Chinese"])
def test_the_readme_names_the_document(text):
    known = document.identity()
    assert f"[{known.original_title}]({known.address})" in text
    assert known.original_book in text
    assert known.book in text
    # Either spelling of a name is enough in its own language.
    names = [re.fullmatch(r"(.+) \((.+)\)", author).groups() for author in known.authors]
    assert [name for name in names if name[text is CHINESE_README] not in text] == []


def test_the_readme_names_every_implementation():
    names = {point.name for point in metadata.entry_points(group="assay.implementations")}
    # Variants of the reference, which docs/benchmarks.md describes.
    variants = {"tensorflow-eager", "keras-fit", "compiled-agent"}
    assert {name for name in names - variants if f"`{name}`" not in README} == set()


def test_changelog_is_in_the_format_of_keep_a_changelog():
    kinds = set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert re.findall(r"^## \[(.+)\]", CHANGELOG, re.MULTILINE)[0] == "Unreleased"


def test_citation_names_the_version_of_the_package():
    assert f"\nversion: {assay.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_links_between_pages_lead_somewhere():
    links = [
        (page, link) for page in PAGES for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    ]
    # Generated pages exist once the site is built, where links to them are checked.
    written = [(page, link) for page, link in links if not link.startswith("generated/")]
    assert [(page.name, link) for page, link in written if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_contents_of_the_site():
    contents = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").splitlines()
    assert [page.stem for page in PAGES[1:] if page.stem != "index" and page.stem not in contents] == []


def test_changelog_counts_the_claims():
    assert f"- {len(specification().claims):,} claims" in CHANGELOG


def test_exit_codes_are_those_of_the_code():
    assert {int(code) for code, _ in rows("code")} == {int(code) for code in ExitCode}


@pytest.mark.parametrize(("code", "meaning"), rows("code"))
def test_exit_codes_read_as_in_the_help(code, meaning):
    assert main.EXIT_CODES[int(code)] == meaning


def test_kinds_of_errors_are_those_of_the_code():
    assert [kind for kind, *_ in rows(r"kind \| meaning \| remedy")] == [f"`{kind}`" for kind in ErrorKind]


def test_every_kind_of_error_occurs():
    files = [path for package in ("assay", "reference") for path in (ROOT / package).rglob("*.py")]
    names = {name for path in files for name in re.findall(r"\bErrorKind\.(\w+)", path.read_text(encoding="utf-8"))}
    assert names == {*ErrorKind.__members__}


def test_outcomes_are_those_of_the_ledger():
    assert {name.strip("`") for name, _ in rows("outcome")} == {outcome.value for outcome in Outcome}


@pytest.mark.parametrize("option", [re.split("[ =]", option.strip("`"))[0] for option, _ in rows("option")])
def test_options_are_those_of_the_plugin(option, pytestconfig):
    assert option.lstrip("-").replace("-", "_") in vars(pytestconfig.option)


def test_default_limits_are_those_of_the_plugin():
    meaning = dict(rows("option"))["`--claim-timeout SECONDS`"]
    assert [float(number) for number in re.findall(r"\d+", meaning)] == [CLAIM_SECONDS["core"], CLAIM_SECONDS["full"]]


@pytest.mark.parametrize(
    "name",
    [
        *(str(page.relative_to(ROOT)) for page in PAGES),
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "README.zh.md",
        "spec/README.md",
        "assay/adapters/protocol/README.md",
    ],
)
def test_files_that_are_named_exist(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    base = ROOT / "spec" if name.startswith("spec/") else ROOT
    named = {path for path in re.findall(r"`([\w./-]+/[\w.-]+)`", text) if "NAME" not in path}
    assert [path for path in sorted(named) if not (base / path).exists() and not (ROOT / path).exists()] == []


def test_tables_of_benchmarks_are_those_of_the_stored_runs():
    for run in results.read(ROOT / "reference" / "results" / "benchmarks.json"):
        header, *found = bench_tables.steps(run)
        assert "\n".join(markdown.table(header, found)) in TEXT
