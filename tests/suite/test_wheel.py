"""The wheel: all that a run needs is in it, and another repository's adapter is assayed with it alone."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.cli import scaffold
from assay.errors import ExitCode
from assay.kit.implementation import GROUPS
from assay.ledger import ledger
from assay.ledger.outcomes import Outcome
from assay.specification.claims import specification

ROOT = Path(__file__).resolve().parents[2]
# The folders of the repository that are packages of `assay` on a user's machine.
LINKED = ("spec", "reference", "alternatives", "tests")
# A framework that is not there, whose name the folder around the environment has too.
FRAMEWORK = "framework"
BACKEND = "hatchling"
# What an adapter for five groups may take, written with the kit.
KIT_LINES = 250
# Where the packages are that this very test runs with: as folders on the path of another environment they bring no
# `.pth` file along, and so not this checkout.
LIBRARIES = list(dict.fromkeys(map(sysconfig.get_path, ("purelib", "platlib"))))
PROJECT = f"""
[build-system]
requires = ["{BACKEND}"]
build-backend = "{BACKEND}.build"

[project]
name = "their-network"
version = "1.0"

[project.entry-points."assay.implementations"]
theirs = "their_network.adapter:implementation"
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        python: Its interpreter.

    """

    python: Path

    def run(self, *arguments: object, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python in a folder, and with nothing on its path but what the environment has."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
        return subprocess.run(
            [self.python, *map(str, arguments)],
            cwd=folder,
            env=kept | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def build(self, project: Path, folder: Path) -> Path:
        """Build the wheel of a project into a folder, with the backend that is here, or else one from the index."""
        command = ["-m", "pip", "wheel", project, "--no-deps", "--wheel-dir", "."]
        if importlib.util.find_spec(BACKEND) is not None:
            ended = self.run(*command, "--no-build-isolation", folder=folder, PYTHONPATH=os.pathsep.join(LIBRARIES))
        else:
            ended = self.run(*command, folder=folder)
            if f"No matching distribution found for {BACKEND}" in ended.stderr:
                pytest.skip(f"{BACKEND} is neither here nor to be had from an index")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        [wheel] = folder.glob("*.whl")
        return wheel

    def install(self, wheel: Path) -> None:
        """Install a wheel, and nothing that it needs."""
        ended = self.run("-m", "pip", "install", wheel, "--no-deps", folder=wheel.parent)
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return a new environment, in a folder that has the name of a framework."""
    folder = tmp_path_factory.mktemp("environment") / FRAMEWORK / ".venv"
    venv.create(folder, with_pip=True, symlinks=True)
    return Environment(folder / "bin" / "python")


@pytest.fixture(scope="module")
def wheel(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    return environment.build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(environment: Environment, wheel: Path) -> Path:
    """Install the wheel, and return the folder that it is in."""
    environment.install(wheel)
    [site_packages] = environment.python.parent.parent.glob("lib/python*/site-packages")
    (site_packages / "libraries.pth").write_text("\n".join(LIBRARIES) + "\n", encoding="utf-8")
    return site_packages


def sources() -> list[str]:
    """Return the files of the packages: what Git knows, or in an archive everything."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "assay", *LINKED]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    files = [path for folder in ("assay", *LINKED) for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [str(path.relative_to(ROOT)) for path in files if not {"__pycache__", "node_modules"} & {*path.parts}]


def test_the_wheel_has_what_a_run_needs_and_nothing_else(wheel: Path) -> None:
    files = {name for name in sources() if not name.startswith("tests/suite/") and (ROOT / name).is_file()}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {name if name.startswith("assay/") else f"assay/{name}" for name in files}


def test_the_wheel_installs_one_package(environment: Environment, installed: Path, tmp_path: Path) -> None:
    script = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n)])"
    found = environment.run("-c", script, "assay", *LINKED, folder=tmp_path).stdout.split()
    assert found == ["assay"]
    script = "import assay, assay.spec, assay.reference; print(assay.__file__, assay.spec.__file__, sep='\\n')"
    found = environment.run("-c", script, folder=tmp_path).stdout.splitlines()
    assert found == [str(installed / "assay" / "__init__.py"), str(installed / "assay" / "spec" / "__init__.py")]


def test_another_repository_tests_its_own_adapter(environment: Environment, installed: Path, tmp_path: Path) -> None:
    # By the name of a module in the folder.
    ended = environment.run("-m", "assay", "new", "adapter", "-o", "their_network", folder=tmp_path)
    assert ended.returncode == ExitCode.CONFORMANT, ended.stderr
    assert passing(environment, "their_network.adapter", "core", tmp_path) == expect_passing("core", tmp_path)

    # By an entry point, from anywhere.
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "their_network" / "__init__.py").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment.install(environment.build(tmp_path, elsewhere))
    assert passing(environment, "theirs", "smoke", elsewhere) == expect_passing("smoke", elsewhere)


# The groups of an adapter on the kit, and a claim on each.
OF_THE_KIT = (
    "convolution.window-as-large-as-image",
    "mlp.layer-order",
    "training.fit-seed",
    "mnist.one-image",
    "text.numbering",
)


def test_an_adapter_on_the_kit_runs_from_its_own_folder(
    environment: Environment, installed: Path, tmp_path: Path
) -> None:
    # Copied from the wheel as a user copies it, under a name of its own.
    source = installed / "assay" / "alternatives" / "autograd"
    files = sorted(source.glob("*.py"))
    assert sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files) <= KIT_LINES
    copied = tmp_path / "their_autograd"
    copied.mkdir()
    for file in files:
        text = file.read_text(encoding="utf-8")
        (copied / file.name).write_text(text.replace('"autograd", "0.1.0"', '"theirs", "0.1.0"'), encoding="utf-8")
    claims = [part for id_ in OF_THE_KIT for part in ("--claim", id_)]
    options = (*claims, "--results", "ledger.json", "-n", "0", "--no-fetch")
    ended = environment.run("-m", "assay", "run", "their_autograd", *options, folder=tmp_path)
    assert ended.returncode == ExitCode.CONFORMANT, ended.stdout + ended.stderr
    found = ledger.read(tmp_path / "ledger.json")
    assert (found.implementation.name, found.implementation.groups) == ("theirs", GROUPS)
    assert {row.id: row.outcome for row in found.claims} == dict.fromkeys(OF_THE_KIT, Outcome.PASS)


ADAPTER = f"""
import numpy as np


class Ops:
    def relu(self, inputs):
        import {FRAMEWORK}.core
        return np.maximum(inputs, {FRAMEWORK}.core.ZERO)


class Mine:
    name, version, distributions, groups = "mine", "1", (), ("ops",)

    def __init__(self):
        self.ops = Ops()

    def start(self, device):
        return "CPU"


implementation = Mine()
"""
RELU = ("run", "mine", "--claim", "dense.relu", "--results", "ledger.json")


@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.parametrize("where", ["wheel", "checkout"])
def test_folders_of_a_user_shadow_nothing(
    environment: Environment, installed: Path, tmp_path: Path, where: str, processes: int
) -> None:
    # The user's own packages have the names of folders of this repository.
    for name in LINKED:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError(__file__)\n", encoding="utf-8")
    (tmp_path / "mine.py").write_text(ADAPTER, encoding="utf-8")
    # The framework is installed, and a folder without Python files has its name, too.
    (tmp_path / FRAMEWORK).mkdir()
    libraries = tmp_path / "libraries"
    (libraries / FRAMEWORK).mkdir(parents=True)
    (libraries / FRAMEWORK / "__init__.py").touch()
    (libraries / FRAMEWORK / "core.py").write_text("ZERO = 0\n", encoding="utf-8")
    path = {"wheel": [libraries], "checkout": [libraries, ROOT]}[where]
    variables = {"PYTHONPATH": os.pathsep.join(map(str, path))}
    ended = environment.run("-m", "assay", *RELU, "-n", processes, folder=tmp_path, **variables)
    assert ended.returncode == ExitCode.CONFORMANT, ended.stdout + ended.stderr


def passing(environment: Environment, name: str, profile: str, folder: Path) -> tuple[int, bool, set[str]]:
    """Return the exit code of a run, whether its ledger is complete, and which claims hold."""
    options = ["--profile", profile, "--results", "ledger.json", "-n", "0"]
    ended = environment.run("-m", "assay", "run", name, *options, folder=folder)
    assert ended.stderr == ""
    found = ledger.read(folder / "ledger.json")
    return ended.returncode, found.complete, {row.id for row in found.claims if row.outcome is Outcome.PASS}


def expect_passing(profile: str, folder: Path) -> tuple[int, bool, set[str]]:
    """Return what `passing` must return of the adapter that `assay new` writes, where some data may be missing."""
    skipped = {row.id for row in ledger.read(folder / "ledger.json").claims if row.outcome is Outcome.SKIPPED}
    claims = specification().of_profile(profile)
    assert all(claims[id_].is_fact or "mnist" in id_ for id_ in skipped)
    holds = {id_ for id_, claim in claims.items() if claim.groups <= {scaffold.WRITTEN}}
    return ExitCode.CONFORMANT, True, holds - skipped
