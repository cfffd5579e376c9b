"""Who may import what, read from the source: packages in layers, without cycles between packages or files."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib import metadata
from pathlib import Path

import pytest

from assay.specification.index import tests_folder

ROOT = Path(__file__).resolve().parents[2]
FRAMEWORKS = {"tensorflow", "keras", "torch", "jax", "tf_keras", "gymnasium", "gym", "ale_py", "flax", "optax", "mlx"}
FRAMEWORKS |= {"paddle", "tinygrad", "onnx", "onnxruntime"}
# The packages and modules of `assay`, the lower ones first: one imports only from itself and from what stands before.
LAYERS = (
    ("__init__", "contract", "errors", "spec"),
    ("files", "kit"),
    ("datasets", "specification"),
    ("adapters", "ledger"),
    ("testing",),
    ("runner",),
    ("bench", "survey"),
    ("smoke", "reports"),
    ("cli",),
    ("__main__",),
)
LEVELS = {name: level for level, names in enumerate(LAYERS) for name in names}
# Links to these folders of the repository make them packages of `assay`.
LINKED = ("spec", "reference", "alternatives", "tests")
# The programs of the reference are for people: they find data and report errors as the command line does.
OF_THE_PROGRAMS = {"assay.cli.command", "assay.cli.group", "assay.cli.program", "assay.cli.values"}
OF_THE_PROGRAMS |= {"assay.datasets.connectivity", "assay.datasets.data", "assay.errors"}


def path_of(module):
    """Return the file of a module of `assay`; None for what is not one."""
    place = ROOT.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def find_imports(path):
    """Return the modules that a file imports anywhere, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if path_of(name) else node.module for name in names)


def ours(path):
    """Return the modules of `assay` that a file imports."""
    return {name for name in find_imports(path) if name.split(".")[0] == "assay"}


def tops(path):
    """Return the packages that a file imports, except those of Python."""
    return {name.partition(".")[0] for name in find_imports(path)} - set(sys.stdlib_module_names)


def modules(*folders):
    """Return the modules in folders of the repository, by name."""
    found = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if folder == "assay" and parts[1] in LINKED:
                continue
            name = ".".join(("assay", *parts) if folder in LINKED else parts).removesuffix(".__init__")
            found[name] = path
    return found


def each(*folders):
    """Return a parametrization over the files of folders of the repository."""
    found = modules(*folders)
    return pytest.mark.parametrize("path", found.values(), ids=found)


def package(module):
    """Return the package of `assay` that a module belongs to, or the module itself where it has none."""
    return [*module.split("."), "__init__"][1]


@pytest.mark.parametrize("module", [*modules("assay", "spec")])
def test_a_package_imports_only_from_lower_layers(module):
    here = package(module)
    upward = {name for name in ours(path_of(module)) if package(name) != here and LEVELS[package(name)] >= LEVELS[here]}
    assert upward == set()


def test_no_files_import_each_other_in_a_circle():
    found = modules("assay", "spec", "reference", "alternatives")
    graph = {name: ours(path) - {name, "assay"} for name, path in found.items()}
    # Raises CycleError with the circle.
    assert {*TopologicalSorter(graph).static_order()} >= {*found} - {"assay"}


def test_no_packages_import_each_other_in_a_circle():
    graph = {}
    for name, path in modules("assay", "spec").items():
        graph.setdefault(package(name), set()).update(map(package, ours(path)))
    assert {*TopologicalSorter({name: used - {name} for name, used in graph.items()}).static_order()} == {*LEVELS}


@each("spec")
def test_the_specification_depends_on_nothing_else(path):
    assert tops(path) <= {"numpy", "autograd", "assay"}
    assert {package(name) for name in ours(path)} <= {"spec"}


@each("spec/semantics")
def test_definitions_know_nothing_of_error_bounds(path):
    assert {name for name in ours(path) if name.startswith("assay.spec.error_bounds")} == set()


@each("assay/kit")
def test_the_kit_needs_numpy_and_the_contract_alone(path):
    assert tops(path) <= {"assay", "numpy"}
    assert {package(name) for name in ours(path)} <= {"contract", "kit"}


@each("assay")
def test_the_runner_imports_no_framework_and_no_implementation(path):
    # A benchmark asks the framework of an implementation, where it is installed, how fast the machine is.
    frameworks = set() if path == ROOT / "assay" / "bench" / "peak_rates.py" else FRAMEWORKS
    assert not tops(path) & frameworks
    assert not {package(name) for name in ours(path)} & {"reference", "alternatives", "tests"}


@each("reference")
def test_the_reference_depends_on_the_contract_alone(path):
    is_program = path.name == "__main__.py" or path.parent.name == "programs"
    others = {name for name in ours(path) if package(name) not in {"__init__", "contract", "reference"}}
    assert others <= (OF_THE_PROGRAMS if is_program else set())


@each("alternatives")
def test_an_alternative_depends_on_the_contract_and_the_kit_alone_and_not_on_tensorflow(path):
    folder, *_ = path.relative_to(ROOT / "alternatives").parts
    allowed = ("assay.contract.", "assay.kit.", f"assay.alternatives.{Path(folder).stem}.")
    assert {name for name in ours(path) if not f"{name}.".startswith(allowed)} == set()
    assert not tops(path) & {"tensorflow", "tf_keras"}


@each("assay", "spec", "reference", "alternatives", "tests")
def test_no_file_imports_a_package_by_a_name_that_a_user_may_have(path):
    assert not tops(path) & {*LINKED}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def canonical(distribution):
    """Return the name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_every_package_that_is_imported_is_declared():
    extras = (requirement for extra in PROJECT["optional-dependencies"].values() for requirement in extra)
    requirements = (*PROJECT["dependencies"], *extras)
    declared = {canonical(re.match(r"[\w.-]+", requirement)[0]) for requirement in requirements}
    paths = modules("assay", "spec", "reference", "alternatives").values()
    # Gym is what Gymnasium was called; only old environments have it.
    packages = set().union(*map(tops, paths)) - {"assay", "gym"}
    # A package that is not installed has the name of its distribution, but for these.
    known = {"paddle": ["paddlepaddle"]} | metadata.packages_distributions()
    found = {package: {canonical(each) for each in known.get(package, [package])} for package in packages}
    assert {package for package, names in found.items() if not names & declared} == set()


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


# Names that functions, classes and files had in earlier versions, by the folders in which they may not come back. Some
# are right elsewhere: text has windows, and a claim permits results.
EVERYWHERE = ("assay", "spec", "reference", "alternatives", "tests")
OLD_NAMES = {
    EVERYWHERE: {
        *("after_correction", "all_decided", "conductor", "covers", "error_of_taken", "experience", "feed_back", "few"),
        *("fewer", "grade", "guard", "Guarded", "handmade", "held_to", "hold_to", "keeper", "loss_of_frequencies"),
        *(
            "lstm_step",
            "padded",
            "Places",
            "promise",
            "pull_back",
            "remember",
            "simple_step",
            "softmax_at",
            "soundness",
        ),
        *("spread", "trial", "undecided", "wide", "works", "worth"),
    },
    ("assay/bench", "assay/cli"): {"against", "gate", "limit", "products", "rates", "starts", "turns"},
    ("assay", "spec"): {"allowed", "kept", "moved", "once", "seen"},
    ("assay/testing", "spec"): {"decided", "excess", "forms", "orders"},
    ("assay",): {"conduct", "go_on", "in_bounds", "is_users", "owned", "strangers", "text_file"},
    ("reference",): {"begun", "continued", "evaluated", "handed_over", "listed", "loaded", "remembered", "unpacked"},
}


@each(*EVERYWHERE)
def test_nothing_has_a_name_of_an_earlier_version(path):
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    named = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    named |= {node.arg for node in nodes if isinstance(node, ast.arg | ast.keyword)} & {"after_correction", "held_to"}
    place = path.relative_to(ROOT).as_posix()
    old = {
        name
        for folders, names in OLD_NAMES.items()
        if place.startswith(tuple(f"{folder}/" for folder in folders))
        for name in names
    }
    assert {name.lstrip("_") for name in named | {path.stem}} & old == set()


@pytest.mark.parametrize("path", sorted(tests_folder().glob("test_*.py")), ids=lambda path: Path(path).name)
def test_every_file_of_tests_begins_with_the_name_of_its_section(path):
    sections = {claims.stem for claims in (ROOT / "spec" / "claims").glob("*.toml")}
    assert any(f"{path.stem}_".startswith(f"test_{section}_") for section in sections)
