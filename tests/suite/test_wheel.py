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
from assay.ledger import ledger
from assay.specification.claims import specification

ROOT = Path(__file__).resolve().parents[2]
# Of the folders that travel, those that are there.
PACKAGES = [name for name in ("assay", "spec", "reference", "alternatives") if (ROOT / name).is_dir()]
BACKEND = "hatchling"
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
        python: its interpreter.

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
    """Return a new environment."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True, symlinks=True)
    return Environment(folder / "bin" / "python")


@pytest.fixture(scope="module")
def wheel(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    return environment.build(ROOT, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_what_a_run_needs_and_nothing_else(wheel: Path) -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES, "tests"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    files = {name for name in listed if not name.startswith("tests/suite/") and (ROOT / name).exists()}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    # The tests of the claims are inside of the runner.
    assert names == {f"assay/{name}" if name.startswith("tests/") else name for name in files}


def test_another_repository_assays_its_own_adapter(environment: Environment, wheel: Path, tmp_path: Path) -> None:
    environment.install(wheel)
    [site_packages] = environment.python.parent.parent.glob("lib/python*/site-packages")
    (site_packages / "libraries.pth").write_text("\n".join(LIBRARIES) + "\n", encoding="utf-8")
    script = "import assay, spec, reference; print(*(each.__file__ for each in (assay, spec, reference)), sep='\\n')"
    found = environment.run("-c", script, folder=tmp_path).stdout.splitlines()
    assert found == [str(site_packages / name / "__init__.py") for name in ("assay", "spec", "reference")]

    # By the name of a module in the folder.
    ended = environment.run("-m", "assay", "new", "adapter", "-o", "their_network", folder=tmp_path)
    assert ended.returncode == ExitCode.CONFORMANT, ended.stderr
    assert verdict(environment, "their_network.adapter", "core", tmp_path) == conformant("core")

    # By an entry point, from anywhere.
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "their_network" / "__init__.py").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment.install(environment.build(tmp_path, elsewhere))
    assert verdict(environment, "theirs", "smoke", elsewhere) == conformant("smoke")


def verdict(environment: Environment, name: str, profile: str, folder: Path) -> tuple[int, bool, set[str]]:
    """Return the exit code of a run, whether its ledger is complete, and which claims hold."""
    options = ["--profile", profile, "--results", "ledger.json", "-n", "0"]
    ended = environment.run("-m", "assay", "run", name, *options, folder=folder)
    assert ended.stderr == ""
    content = ledger.as_json(ledger.read(folder / "ledger.json"))
    return ended.returncode, content["complete"], {row["id"] for row in content["claims"] if row["outcome"] == "pass"}


def conformant(profile: str) -> tuple[int, bool, set[str]]:
    """Return what `verdict` has to return of the adapter that `assay new` writes."""
    claims = specification().of_profile(profile)
    return ExitCode.CONFORMANT, True, {id_ for id_, claim in claims.items() if claim.groups <= {scaffold.WRITTEN}}
