"""The house stays one-directional: who may import what, read from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from assay.spec import toml
from assay.specification.index import tests_folder

ROOT = Path(__file__).resolve().parents[2]
OURS = {"alternatives", "assay", "reference", "spec", "tests"}
FRAMEWORKS = {"tensorflow", "keras", "torch", "jax", "tf_keras", "gymnasium", "gym", "ale_py"}
# The chapter's programs are for people: they find their data, and say what is wrong, as the command line does.
OF_THE_PROGRAMS = {
    "assay.cli.parser.Parser",
    "assay.cli.parser.answered",
    "assay.datasets.data.mnist",
    "assay.datasets.data.nietzsche",
    "assay.errors.ExitCode",
    "assay.errors.UserError",
    "assay.datasets.connectivity.reachable",
}


def imported(path):
    """Return the modules that a file imports anywhere, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(folder):
    """Return the Python files of a folder of the project, for parametrization."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    return pytest.mark.parametrize("path", paths, ids=[str(path.relative_to(ROOT)) for path in paths])


def tops(path):
    """Return the packages that a file imports, but for those of Python."""
    return {name.partition(".")[0] for name in imported(path)} - set(sys.stdlib_module_names)


@files("spec")
def test_the_specification_knows_nobody(path):
    assert tops(path) <= {"numpy", "autograd", "spec", "tomli"}


@files("assay")
def test_the_runner_imports_no_framework_and_no_implementation(path):
    # How fast a machine is, a benchmark asks the framework of the implementation, which is there.
    frameworks = set() if path == ROOT / "assay" / "bench" / "rates.py" else FRAMEWORKS
    assert not tops(path) & (frameworks | {"reference", "tests"})


@files("reference")
def test_the_reference_knows_the_contract_and_nothing_else_of_ours(path):
    ours = {name for name in imported(path) if name.partition(".")[0] in {"assay", "spec", "tests"}}
    others = {name for name in ours if not name.startswith("assay.contract") and name != "assay.contract"}
    is_program = path.name == "__main__.py" or path.parent.name == "programs"
    assert others <= {"assay.__version__"} | (OF_THE_PROGRAMS if is_program else set())


@files("alternatives")
def test_an_alternative_knows_the_contract_and_itself_and_no_tensorflow(path):
    folder, *_ = path.relative_to(ROOT / "alternatives").parts
    itself = f"alternatives.{folder}"
    ours = {name for name in imported(path) if name.partition(".")[0] in OURS}
    assert {name for name in ours if not f"{name}.".startswith(("assay.contract.", f"{itself}."))} == set()
    assert not tops(path) & {"tensorflow", "tf_keras"}


PROJECT = toml.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize(("name", "value"), PROJECT["entry-points"]["assay.implementations"].items())
def test_importing_an_implementation_loads_no_framework(name, value):
    code = "import sys; from assay.adapters.loading import load; print(load(sys.argv[1]).name, *sys.modules)"
    found = subprocess.run([sys.executable, "-c", code, value], capture_output=True, check=True, text=True, cwd=ROOT)
    said, *modules = found.stdout.split()
    assert said == name
    assert set(modules) & FRAMEWORKS == set()


@pytest.mark.parametrize("path", sorted(tests_folder().glob("*.py")), ids=lambda path: Path(path).name)
def test_the_executable_claims_import_no_framework(path):
    assert not tops(path) & (FRAMEWORKS | {"reference"})


@pytest.mark.parametrize("path", sorted(tests_folder().glob("test_*.py")), ids=lambda path: Path(path).name)
def test_every_file_of_tests_begins_with_the_name_of_its_section(path):
    sections = {claims.stem for claims in (ROOT / "spec" / "claims").glob("*.toml")}
    assert any(f"{path.stem}_".startswith(f"test_{section}_") for section in sections)
