"""The tools for a new adapter: what `assay new` writes works as it is, and `assay smoke` tells broken from sound."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import psutil
import pytest

from assay import __version__
from assay.adapters.loading import load
from assay.adapters.proxy import describe_missing
from assay.adapters.return_types import matches
from assay.cli import scaffold
from assay.contract import GROUPS, PROTOCOLS, Architecture, FlowersInfo, LazyImplementation, Trained
from assay.errors import ErrorKind, ExitCode, UserError
from assay.smoke import process, steps
from assay.specification.claims import specification
from assay.specification.signatures import find_dependent_claims, functions, signature

from .conftest import read_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Shell

# On a busy machine; an adapter that is sound or broken at once needs two of them.
SECONDS = 90
ARRAY = np.zeros(2, np.float32)
# The scaffold's adapter, put out of order in one place.
TOYS = """
import os, subprocess, time
from pathlib import Path
import numpy as np
from mine import Adapter, Datasets
from doubles.badly_behaved import end_process, hang_in_c, raise_error, read_address_zero, sleep

def having(**attributes):
    return type("Having", (Adapter,), attributes)()

def loading(**functions):
    return having(datasets=type("Loading", (Datasets,), functions)())

def doubled(self, images, labels):
    return images[..., None] / 255, labels.astype(np.int32)

def with_text(self, *given):
    return list(Datasets.sample_batch(self, *given)[:1]), "batch"

def noisy(self, *given):
    print("chatter " * 1_250_000)
    return Datasets.sample_batch(self, *given)

def leaving_something(self, device):
    Path("pid").write_text(str(subprocess.Popen(["sleep", "1000"]).pid))
    return device

start_raises = having(start=raise_error)
start_ends = having(start=end_process)
start_sleeps = having(start=sleep)
start_leaves_something = having(start=leaving_something)
group_raises = having(datasets=property(raise_error))
without_groups = having(groups=())
without_preprocess = having(datasets=type("Half", (), {"sample_batch": Datasets.sample_batch})())
sample_raises = loading(sample_batch=raise_error)
sample_crashes = loading(sample_batch=read_address_zero)
sample_hangs = loading(sample_batch=hang_in_c)
sample_is_not = loading(sample_batch=with_text)
sample_prints = loading(sample_batch=noisy)
preprocess_is_wrong = loading(preprocess=doubled)
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, shell_in: Callable[[Path], Shell]) -> Shell:
    """Return a shell in a folder with what `assay new mine` writes, and with toys made of that."""
    shell = shell_in(tmp_path_factory.mktemp("new"))
    ended = shell.assay("new", "mine")
    assert ended.code == ExitCode.CONFORMANT, ended.output
    (shell.folder / "toys.py").write_text(TOYS, encoding="utf-8")
    (shell.folder / "exits.py").write_text("raise SystemExit(3)", encoding="utf-8")
    return shell


# A new adapter


def test_what_is_written_is_named(shell: Shell) -> None:
    ended = shell.assay(
        "new", "theirs", "-o", "some/where", "--requirement", "assay-conformance @ https://example.org/assay.whl"
    )
    lines = ended.output.splitlines()
    written = [str(path.relative_to(shell.folder)) for path in shell.folder.rglob("*") if path.is_file()]
    assert (ended.code, sorted(lines[:-1])) == (ExitCode.CONFORMANT, sorted(written))
    assert lines[-1] == f"next, in {shell.folder}/some/where: assay smoke theirs, then assay run theirs"


def commands_of(environment: Any) -> list[str]:
    """Return the commands of a tox environment, with the options of a quick run."""
    lines = environment["commands"].replace("{posargs}", "--profile smoke -n 0").strip().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_tox_environment_runs_as_it_is(written: Shell) -> None:
    tox = configparser.ConfigParser()
    tox.read(written.folder / "tox.ini")
    commands = commands_of(tox["testenv:mine"])
    ended = [written.python("-m", *shlex.split(command)) for command in commands]
    counted = [claim for claim in specification().of_profile("smoke").values() if not claim.is_fact]
    passing = [claim for claim in counted if claim.groups <= {scaffold.WRITTEN}]
    assert [one.code for one in ended] == [ExitCode.CONFORMANT] * 2
    assert f"mine: conforms in 1 of 10 groups: {len(passing)} of {len(counted)} claims pass" in ended[-1].output


def test_the_tox_environment_of_a_peer_runs_as_it_is(shell: Shell) -> None:
    assert shell.assay("new", "peer", "--subprocess").code == ExitCode.CONFORMANT
    tox = configparser.ConfigParser()
    tox.read(shell.folder / "tox.ini")
    commands = commands_of(tox["testenv:peer"])
    ended = [shell.python("-m", *shlex.split(command)) for command in commands]
    assert [one.code for one in ended] == [ExitCode.CONFORMANT] * 2, ended
    assert ("✓ found: peer 1.0" in ended[0].output, "peer: conforms in " in ended[1].output) == (True, True)


def test_a_peer_that_cannot_start_is_broken(shell: Shell) -> None:
    (shell.folder / "peer.toml").write_text('command = ["false"]')
    code, lines = run_smoke(shell, "peer.toml")
    assert (code, lines[0].startswith("✗ "), read_kind(lines[0])) == (
        ExitCode.NOT_CONFORMANT,
        True,
        ErrorKind.BROKEN_ADAPTER,
    ), lines


def test_the_workflow_runs_the_tox_environment(written: Shell) -> None:
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load((written.folder / ".github/workflows/mine.yml").read_text())
    steps = workflow["jobs"]["mine"]["steps"]
    actions = [step["uses"] for step in steps if "uses" in step]
    assert [step["run"] for step in steps if "run" in step] == ["pip install tox", 'tox -e "mine"']
    assert [action for action in actions if not re.fullmatch(r"actions/[\w-]+@v\d+", action)] == []


def test_the_module_is_clean(written: Shell) -> None:
    pytest.importorskip("ruff")
    ended = written.python(
        "-m", "ruff", "check", "--isolated", "--line-length", "120", "--select", "E,F,W,N,D,UP", "mine.py"
    )
    assert ended.code == 0, ended.output


def test_the_module_has_the_functions_of_the_other_groups(written: Shell) -> None:
    comments = " ".join(re.findall(r"^# +(.+)$", (written.folder / "mine.py").read_text(), re.MULTILINE))
    others = [(group, function) for group in GROUPS if group != scaffold.WRITTEN for function in functions(group)]
    assert [other for other in others if signature(*other) not in comments] == []


@pytest.mark.parametrize("path", [path.format(name="theirs") for path in scaffold.PEER | scaffold.AROUND])
def test_nothing_is_overwritten(path: str, tmp_path: Path) -> None:
    there = tmp_path / path
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text("old")
    with pytest.raises(UserError) as raised:
        scaffold.write("theirs", tmp_path, "assay", subprocess=True)
    assert (raised.value.kind, str(there) in str(raised.value)) == (ErrorKind.EXISTING_FILE, True)
    assert [file.read_text() for file in tmp_path.rglob("*") if file.is_file()] == ["old"]


@pytest.mark.parametrize(
    "name",
    [
        *("my-net", "1st", "class", "größe", "a.b", "", "../up"),
        # These can be imported here already.
        *("numpy", "__main__", "reference"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        scaffold.write(name, tmp_path, "assay")
    assert (raised.value.kind, repr(name) in str(raised.value)) == (ErrorKind.INVALID_ARGUMENT, True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_named() -> None:
    with pytest.raises(UserError) as raised:
        scaffold.write("theirs", Path("/dev/null/there"), "assay")
    assert (raised.value.kind, "/dev/null/there" in str(raised.value)) == (ErrorKind.UNWRITABLE_FILE, True)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, f"assay-conformance=={__version__}"),
        (
            {"url": "https://example.org/assay.whl", "archive_info": {}},
            "assay-conformance @ https://example.org/assay.whl",
        ),
        ({"url": "file:///assay", "dir_info": {"editable": True}}, "assay-conformance @ file:///assay"),
        (
            {"url": "https://example.org/assay", "vcs_info": {"vcs": "git", "commit_id": "0abc"}},
            "assay-conformance @ git+https://example.org/assay@0abc",
        ),
    ],
)
def test_tox_gets_assay_from_where_it_came_from(
    origin: dict[str, Any] | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "METADATA").write_text("Name: assay\n")
    if origin is not None:
        (tmp_path / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.setattr(metadata, "distribution", lambda _: metadata.PathDistribution(tmp_path))
    assert scaffold.requirement() == expected


# Whether it works


def run_smoke(shell: Shell, name: str, seconds: float = SECONDS) -> tuple[int, list[str]]:
    """Return exit code and lines of `assay smoke`."""
    ended = shell.assay("smoke", name, "--seconds", seconds)
    return ended.code, ended.output.splitlines()


def test_an_adapter_that_works_is_called_ok_in_under_ten_seconds(
    written: Shell, seconds_of: Callable[[Callable[[], object]], float]
) -> None:
    ended: list[tuple[int, list[str]]] = []
    seconds = seconds_of(lambda: ended.append(run_smoke(written, "mine")))
    [(code, lines)] = ended
    assert (code, seconds < 10, [re.sub(r" \(numpy .*", "", line) for line in lines]) == (
        ExitCode.CONFORMANT,
        True,
        [
            "✓ found: mine 0.1.0",
            "✓ started: cpu",
            "✓ datasets: all functions are there",
            "✓ claims: 2 of 2 smoke claims on these groups tried, all answered",
            "adapter OK. Next: assay run mine",
        ],
    )


@pytest.mark.parametrize(
    ("toy", "named"),
    [
        ("exits", [["'exits'", "exit status 3", f"[{ErrorKind.BROKEN_ADAPTER}]"]]),
        ("toys:start_raises", [["start()", "OSError: out of order"]]),
        ("toys:start_ends", [["start()", "exit status 0"]]),
        ("toys:group_raises", [["datasets", "OSError: out of order"]]),
        ("toys:without_groups", [["`groups`"]]),
        (
            "toys:without_preprocess",
            [
                ["datasets: 1 of 2", "`groups`"],
                ["preprocess(images: Array, labels: Array) -> tuple[Array, Array]"],
                ["✓ claims: 1 of 1"],
            ],
        ),
        (
            "toys:sample_raises",
            [
                ["claims: 1 of 2", "`assay run toys:sample_raises --claim mnist.batch-size`"],
                ["error mnist.batch-size: ", "datasets.sample_batch", "OSError: out of order"],
            ],
        ),
        (
            "toys:sample_crashes",
            [
                ["claims: 1 of 2", "`assay run toys:sample_crashes --claim mnist.batch-size`"],
                ["crash mnist.batch-size: ", "Segmentation fault"],
            ],
        ),
        (
            "toys:sample_is_not",
            [
                ["claims: 1 of 2", "`assay run toys:sample_is_not --claim mnist.batch-size`"],
                ["error mnist.batch-size: ", "datasets.sample_batch", "((numpy.ndarray), builtins.str)"],
            ],
        ),
    ],
)
def test_a_broken_adapter_is_called_broken(toy: str, named: list[list[str]], written: Shell) -> None:
    code, lines = run_smoke(written, toy)
    first = next(number for number, line in enumerate(lines) if line.startswith("✗ "))
    problem = lines[first].removeprefix("✗ ")
    assert (code, lines[-1].startswith("adapter broken: "), problem in lines[-1]) == (
        ExitCode.NOT_CONFORMANT,
        True,
        True,
    ), lines
    for line, names in zip(lines[first:], named, strict=False):
        assert [name for name in names if name not in line] == [], lines


@pytest.mark.parametrize(
    ("toy", "said"),
    [
        ("start_sleeps", r"start\(\): .* [\d.]+ s\b.* --seconds"),
        ("sample_hangs", r"claims: 1 of 2 .*"),
    ],
)
def test_an_adapter_that_never_comes_back_is_not_waited_for(toy: str, said: str, written: Shell) -> None:
    began = time.monotonic()
    code, lines = run_smoke(written, f"toys:{toy}", 30)
    assert (code, bool(re.fullmatch(f"adapter broken: {said}", lines[-1]))) == (1, True), lines
    assert time.monotonic() - began < 35


def test_a_wrong_answer_is_no_fault_of_the_adapter(written: Shell) -> None:
    code, lines = run_smoke(written, "toys:preprocess_is_wrong")
    wrong, last = lines[-2:]
    assert (code, "mnist.scaled fails" in wrong, last.startswith("adapter OK")) == (ExitCode.CONFORMANT, True, True)


def test_an_adapter_may_say_much(written: Shell) -> None:
    assert run_smoke(written, "toys:sample_prints")[0] == ExitCode.CONFORMANT


def test_what_an_adapter_leaves_behind_is_ended(written: Shell) -> None:
    assert run_smoke(written, "toys:start_leaves_something")[0] == ExitCode.CONFORMANT
    number = int((written.folder / "pid").read_text())
    assert not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


def test_what_there_was_no_time_for_is_said(written: Shell) -> None:
    tried = process.Trial(None, [{"begun": "mnist.scaled"}], [], [], 1.0)
    claims = steps.claims_on(["datasets"])
    step = steps.answers("mine", tried, claims, 4.0)
    assert (step.ok, step.details) == (True, (f"then the time was up, in mnist.scaled. {steps.SLOW}",))


def test_a_missing_compiler_is_named_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RuntimeError, match="no-such-compiler"):
        load("assay.alternatives.torch:compiled").start("cpu")


@pytest.mark.parametrize("group", GROUPS)
def test_the_smoke_profile_tries_every_group(group: str) -> None:
    assert steps.claims_on([group])


def test_one_claim_on_each_group_comes_first() -> None:
    first = steps.claims_on(GROUPS)[: len(GROUPS)]
    assert {group for claim in first for group in claim.groups} == set(GROUPS)


# What is said of a function that is missing


@pytest.mark.parametrize(
    ("group", "function"), [(group, function) for group in GROUPS for function in functions(group)]
)
def test_every_function_is_needed(group: str, function: str) -> None:
    claims = find_dependent_claims(group, function)
    assert claims
    assert describe_missing(group, function).endswith(f"\n  needed by: {', '.join(claim.id for claim in claims)}")


@pytest.mark.parametrize(
    ("group", "function", "said"),
    [
        ("datasets", "preprocess", "preprocess(images: Array, labels: Array) -> tuple[Array, Array]"),
        (
            "flowers",
            "info",
            "info(*, mock: bool) -> FlowersInfo\n  FlowersInfo: class_names: Sequence[str], num_examples: int | None",
        ),
        ("environments", "has_breakout", "has_breakout() -> bool"),
        ("keras", "namespace", "namespace: Any"),
    ],
)
def test_a_missing_function_is_shown_as_the_contract_has_it(group: str, function: str, said: str) -> None:
    assert describe_missing(group, function).startswith(
        f"the group {group} is declared but has no {said}\n  needed by: "
    )


# What comes back


@pytest.mark.parametrize(
    ("group", "function", "result", "is_kept"),
    [
        ("ops", "relu", ARRAY, True),
        ("ops", "relu", np.float32(1), True),
        ("ops", "relu", 1.0, True),
        ("ops", "relu", "1", False),
        ("ops", "relu", None, False),
        ("ops", "relu", (ARRAY,), False),
        ("ops", "lstm", (ARRAY, ARRAY), True),
        ("ops", "lstm", [ARRAY, ARRAY], True),
        ("ops", "lstm", (ARRAY, ARRAY, ARRAY), False),
        ("ops", "lstm", (ARRAY, "b"), False),
        ("ops", "lstm", "ab", False),
        ("models", "layer_outputs", {"dense": ARRAY}, True),
        ("models", "layer_outputs", {"dense": "1"}, False),
        ("models", "layer_outputs", [ARRAY], False),
        ("training", "fit", Trained(ARRAY, {}), True),
        ("training", "fit", Trained(ARRAY, ARRAY), False),
        ("training", "fit", (ARRAY, {}), False),
        ("training", "evaluate", np.float32(1), True),
        ("flowers", "batches", [(ARRAY, ARRAY)], True),
        ("flowers", "batches", [ARRAY], False),
        ("flowers", "info", FlowersInfo(["rose"], None), True),
        ("flowers", "info", FlowersInfo("rose", None), False),
        ("environments", "has_breakout", True, True),
        ("environments", "breakout_actions", ["NOOP"], True),
        ("applications", "build", Architecture((None, None, 3), (10,), 1, 0), True),
        ("keras", "to_tensor", object(), True),
    ],
)
def test_a_result_has_the_form_that_is_promised(group: str, function: str, result: object, is_kept: bool) -> None:  # noqa: FBT001
    assert matches(getattr(PROTOCOLS[group], function), result) is is_kept


@pytest.mark.parametrize(
    ("group", "function"), [(group, name) for group in GROUPS if group != "keras" for name in functions(group)]
)
def test_every_function_promises_something(group: str, function: str) -> None:
    assert not matches(getattr(PROTOCOLS[group], function), object())


def test_a_lazy_implementation_loads_a_group_when_it_is_first_used_and_once() -> None:
    class Lazy(LazyImplementation):
        modules: ClassVar = {group: f"assay.alternatives.numpy.{group}" for group in ("ops", "datasets")}

    class Own(Lazy):
        ops = "of its own"

    lazy = Lazy()
    assert lazy.groups == ("ops", "datasets")
    assert type(lazy.ops).__name__ == "Ops"
    assert lazy.ops is lazy.ops
    # A subclass keeps what it defines, and inherits the rest.
    assert (Own().ops, type(Own().datasets).__name__) == ("of its own", "Datasets")
