"""Surveys and calibrations as a user runs them: killed, resumed, on other workers, and what they say of claims."""

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import psutil
import pytest
from doubles import ledgers
from scipy import stats

from assay import __version__
from assay.adapters.loading import Description
from assay.cli.main import main
from assay.errors import ErrorKind, ExitCode, UserError
from assay.ledger.ledger import as_json, read
from assay.reports import html
from assay.runner.options import RunOptions
from assay.specification.claims import specification
from assay.survey import summary
from assay.survey.plan import Plan, Trial, batches
from assay.survey.statistics import Rate, tail
from assay.survey.store import RejectedError, Store
from assay.survey.summary import Kind
from assay.testing import headroom
from assay.testing.permitted import Results
from conftest import ENVIRONMENT, read_kind

pytest.importorskip("distributed", reason="the extra `survey` is not installed")

CLAIM = "dense.glorot-limit"
SECONDS = 300


def start(folder, *arguments):
    """Start a command of Assay."""
    return subprocess.Popen(
        [sys.executable, "-m", "assay", *map(str, arguments)],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process):
    """Wait for the end of a command, and return its exit code and output."""
    output, _ = process.communicate(timeout=SECONDS)
    return process.returncode, output


def survey(folder, *arguments):
    """Run a survey of one claim to its end."""
    return finish(start(folder, "survey", *arguments, "--claim", CLAIM, "--no-fetch"))


def wait_for(condition, process):
    """Wait until something is the case, while a process goes on."""
    until = time.monotonic() + SECONDS
    while not (found := condition()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def read_times(folder, pattern="assay-survey/ledgers/*/*.json"):
    """Return when each result was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob(pattern)}


def workers(process):
    """Return the processes of the local workers of a survey."""
    return [
        child
        for child in psutil.Process(process.pid).children()
        if any("spawn_main" in word for word in child.cmdline())
    ]


def descendants(process):
    """Return what a process has started."""
    return psutil.Process(process.pid).children(recursive=True)


def test_a_killed_survey_goes_on_where_it_was(tmp_path, monkeypatch):
    arguments = ("survey", "doubles.surveyed:slow", "--claim", CLAIM, "--no-fetch", "--seeds", 6, "-n", 1)
    process = start(tmp_path, *arguments)
    before = wait_for(lambda: read_times(tmp_path), process)
    started = descendants(process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = read_times(tmp_path)
    assert 0 < len(before) < 6
    # Nothing of it works on.
    psutil.wait_procs(started, timeout=30)
    assert not [one for one in started if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    code, output = finish(start(tmp_path, *arguments))
    assert code == 0, output
    after = read_times(tmp_path)
    assert len(after) == 6
    assert {name: after[name] for name in before} == before
    # And nothing of what is done is done again.
    monkeypatch.chdir(tmp_path)
    assert (main([*map(str, arguments)]), read_times(tmp_path)) == (0, after)


def test_a_killed_worker_costs_only_its_task(tmp_path):
    process = start(tmp_path, "survey", "doubles.surveyed:slow", "--claim", CLAIM, "--no-fetch", "--seeds", 8, "-n", 2)
    wait_for(lambda: read_times(tmp_path), process)
    victim = wait_for(lambda: workers(process), process)[0]
    before = read_times(tmp_path)
    victim.kill()
    code, output = finish(process)
    assert code == 0, output
    after = read_times(tmp_path)
    assert len(after) == 8
    assert {name: after[name] for name in before} == before
    assert "8 seeds, every claim passed" in output


@contextmanager
def cluster(folder):
    """Start a scheduler and two workers on a loopback address, and return the scheduler's address."""
    file = folder / "scheduler.json"
    quiet = {"cwd": folder, "env": ENVIRONMENT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    where = ("--scheduler-file", file, "--no-dashboard")
    commands = [
        ("dask_scheduler", "--host", "127.0.0.1", "--port", "0", *where),
        *[("dask_worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", *where)] * 2,
    ]
    processes = [
        subprocess.Popen([sys.executable, "-m", f"distributed.cli.{name}", *map(str, words)], **quiet)
        for name, *words in commands
    ]
    try:
        wait_for(file.exists, processes[0])
        yield json.loads(file.read_text(encoding="utf-8"))["address"]
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def test_a_survey_uses_workers_that_were_started_elsewhere(tmp_path):
    with cluster(tmp_path) as address:
        assert address.startswith("tcp://127.0.0.1:")
        code, output = survey(tmp_path, "doubles.surveyed:good", "--seeds", 4, "--scheduler", address)
    assert code == 0, output
    assert len(read_times(tmp_path)) == 4


def test_a_scheduler_that_does_not_answer_is_one_sentence(tmp_path):
    code, output = survey(tmp_path, "doubles.surveyed:good", "--scheduler", "tcp://127.0.0.1:9")
    assert (code, read_kind(output)) == (ExitCode.USAGE, ErrorKind.UNREACHABLE_WORKERS)
    last = output.strip().splitlines()[-1]
    assert (last.startswith("assay: "), "tcp://127.0.0.1:9" in last, "Traceback" in output) == (True, True, False)


def test_a_faulty_implementation_is_told_from_a_flaky_claim(tmp_path):
    code, output = survey(
        tmp_path, *(f"doubles.surveyed:{name}" for name in ("good", "flaky", "faulty")), "--seeds", 5, "-n", 2
    )
    assert code == 1, output
    found = summary.read(tmp_path / "assay-survey" / "survey.json")
    good, flaky, faulty = found.subjects
    assert good.findings == []
    assert [(one.kind, one.failed, one.tried) for one in flaky.findings] == [(Kind.FLAKY, [1, 3], 5)]
    assert [(one.kind, one.failed) for one in faulty.findings] == [(Kind.FAULTY, [0, 1, 2, 3, 4])]
    assert found.accused == Rate(2, 15)
    # The command of a failure fails, and nothing else.
    replay = flaky.findings[0].replays[0].split()
    assert replay[:3] == ["python", "-m", "assay"]
    assert finish(start(tmp_path, *replay[3:], "-n", "0"))[0] == 1
    page = (tmp_path / "assay-survey" / "survey.html").read_text(encoding="utf-8")
    assert all(f"{one.kind.value}: {CLAIM}" in page for one in (*flaky.findings, *faulty.findings))
    code, _ = finish(start(tmp_path, "report", "assay-survey/survey.json", "-o", "again.html"))
    assert code == 0
    assert "false accusations" in output.lower()


def test_many_seeds_in_one_process_say_the_same_as_runs_of_their_own(tmp_path):
    survey(tmp_path, "doubles.surveyed:flaky", "--seeds", 4, "-n", 1)
    for seed in (2, 3):
        finish(
            start(
                tmp_path, "run", "doubles.surveyed:flaky", "--claim", CLAIM, "--seed", seed, "-n", "0", "--no-fetch",
                "--results=one.json",
            )
        )  # fmt: skip
        alone = read(tmp_path / "one.json").rows[CLAIM]
        (path,) = tmp_path.glob(f"assay-survey/ledgers/*/seed-{seed}.json")
        together = read(path).rows[CLAIM]
        assert (together.outcome, together.reason, together.replay) == (alone.outcome, alone.reason, alone.replay)


# --- What is stored ------------------------------------------------------------------------------------------

TOY = Description("toy", "1.0", {}, ("ops",))
TRIAL = Trial("toy", 0)


def plan(**changes):
    """Return the plan of a survey of one claim."""
    options = RunOptions(claim=("dense.relu",), no_fetch=True)
    return Plan(**{"implementations": {"toy": TOY}, "seeds": range(2), "shards": 1, "options": options} | changes)


def content(**changes):
    """Return a ledger of it."""
    made = ledgers.ledger(relu="pass") | {"suite": __version__} | changes
    return json.dumps(made).encode()


def test_a_ledger_is_stored_and_read_again(tmp_path):
    store = Store(tmp_path / "s", plan())
    assert store.read(TRIAL) is None
    store.add(TRIAL, content())
    assert store.read(TRIAL).rows["dense.relu"].outcome == "pass"


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"[1",
        b"[" * 100_000,
        b"{}",
        content(seed=1),
        content(suite="0.0.1"),
        content(profile="full"),
        content(claims=[]),
        json.dumps(ledgers.ledger(tanh="pass") | {"suite": __version__}).encode(),
    ],
)
def test_a_ledger_of_something_else_is_rejected(tmp_path, wrong):
    store = Store(tmp_path / "s", plan())
    with pytest.raises(RejectedError):
        store.add(TRIAL, wrong)
    # One that was damaged later counts as not done.
    store.add(TRIAL, content())
    (tmp_path / "s" / TRIAL.file).write_bytes(wrong)
    assert store.read(TRIAL) is None


def test_texts_of_a_ledger_are_made_plain(tmp_path):
    made = ledgers.ledger(relu="fail")
    made["claims"][0]["reason"] = "\x1b[2Jgone\nsecond line"
    store = Store(tmp_path / "s", plan())
    store.add(TRIAL, json.dumps(made | {"suite": __version__}).encode())
    assert store.read(TRIAL).rows["dense.relu"].reason == "\\x1b[2Jgone\nsecond line"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"options": RunOptions(claim=("dense.tanh",))}, "tests"),
        ({"options": RunOptions(claim=("dense.relu",), device="gpu")}, "device"),
        ({"implementations": {"toy": Description("toy", "2.0", {}, ("ops",))}}, "toy"),
    ],
)
def test_results_of_another_survey_are_not_mixed_with_these(tmp_path, changes, named):
    folder = tmp_path / "s"
    Store(folder, plan()).close()
    with pytest.raises(UserError) as raised:
        Store(folder, plan(**changes))
    assert raised.value.kind == ErrorKind.CHANGED_CONDITIONS
    assert named in raised.value.problem.removeprefix(str(folder))


def test_a_survey_may_grow(tmp_path):
    Store(tmp_path / "s", plan()).close()
    Store(tmp_path / "s", plan(seeds=range(9), implementations={"toy": TOY, "other": TOY})).close()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError) as raised:
        Store(tmp_path, plan())
    assert (raised.value.kind, str(tmp_path) in str(raised.value)) == (ErrorKind.EXISTING_FILE, True)


def test_names_of_implementations_make_different_files():
    files = {Trial(name, 0).file for name in ("a.b", "a-b", "a/b", "a:b", "a b")}
    assert len(files) == 5


def test_batches_have_every_trial_once():
    trials = plan(seeds=range(103), implementations={"toy": TOY, "other": TOY}).trials
    found = [*batches(trials, 2)]
    assert sorted(trial for batch in found for trial in batch) == sorted(trials)
    assert all(len({trial.implementation for trial in batch}) == 1 for batch in found)
    assert max(map(len, found)) <= 50


# --- What follows from it ------------------------------------------------------------------------------------


def sum_up(*outcomes):
    """Sum up runs of one claim, with these outcomes."""
    trials = [(Trial("toy", seed), ledgers.typed(ledgers.ledger(relu=one))) for seed, one in enumerate(outcomes)]
    return summary.summarise(plan(seeds=range(len(outcomes))), trials, [])


@pytest.mark.parametrize(
    ("outcomes", "kinds"),
    [
        (("pass", "pass"), []),
        (("fail", "crash", "timeout"), [Kind.FAULTY]),
        (("fail", "pass", "pass"), [Kind.FLAKY]),
        (("fail",), [Kind.ONCE]),
        # What could not be tried says nothing.
        (("fail", "skipped", "fail"), [Kind.FAULTY]),
        (("unsupported", "unsupported"), []),
    ],
)
def test_kinds_of_findings(outcomes, kinds):
    (subject,) = sum_up(*outcomes).subjects
    assert [finding.kind for finding in subject.findings] == kinds


def test_only_flaky_claims_are_false_accusations():
    assert sum_up("fail", "fail", "fail").accused == Rate(0, 3)
    assert sum_up("fail", "pass", "fail").accused == Rate(2, 3)
    assert sum_up("fail", "pass", "skipped").accusations == Rate(1, 2)


def test_findings_are_written_and_read(tmp_path):
    found = sum_up("fail", "pass")
    summary.write(tmp_path / "survey.json", found)
    assert summary.is_one(tmp_path / "survey.json")
    assert summary.read(tmp_path / "survey.json") == found
    assert html.render([], surveys=[found]).count("flaky: dense.relu") == 1
    (tmp_path / "ledger.json").write_text(json.dumps(as_json(ledgers.typed(ledgers.ledger(relu="pass")))))
    assert not summary.is_one(tmp_path / "ledger.json")


@pytest.mark.parametrize(("count", "total"), [(0, 50), (1, 50), (3, 12), (12, 12)])
def test_the_upper_limit_is_that_of_clopper_and_pearson(count, total):
    upper = Rate(count, total).upper
    # So few would be seen with a probability of 5 % if the rate were that.
    assert upper == 1 if count == total else stats.binom.cdf(count, total, upper) == pytest.approx(0.05)


def test_the_tail_of_a_power_law_is_extrapolated():
    ratios = 0.05 * (1 + np.random.default_rng(0).pareto(3, 20_000))
    assert tail(ratios[ratios < 1]).beyond == pytest.approx(0.05**3, rel=0.5)
    assert tail([0.1] * 5).beyond is None


def test_a_run_says_how_near_it_came_to_measured_bounds(tmp_path):
    for seed in (0, 1):
        finish(
            start(
                tmp_path, "run", "numpy", "--claim", "q_learning.trajectory", "--seed", seed, "-n", "0", "--no-fetch",
                f"--results={seed}.json",
            )
        )  # fmt: skip
    zero, one = (read(tmp_path / f"{seed}.json").rows["q_learning.trajectory"].evidence for seed in (0, 1))
    assert 0 < zero["error_over_bound"] < 1
    # Another seed is another problem.
    assert zero != one


def test_without_dask_one_sentence_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "dask", None)
    code, errors = main(["survey", "doubles.surveyed:good", "--claim", CLAIM, "--no-fetch"]), capsys.readouterr().err
    assert (code, read_kind(errors)) == (ExitCode.USAGE, ErrorKind.MISSING_PACKAGE)
    assert "`pip install 'assay-conformance[survey]'`" in errors


# --- Calibrations --------------------------------------------------------------------------------------------

THRESHOLD = {
    "what": "nothing",
    "recipe": {"model": "mlp", "num_batches": 8, "batch_size": 50, "learning_rate": 0.001},
    "runs": [],
}


def test_a_killed_calibration_goes_on_where_it_was(tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(THRESHOLD), encoding="utf-8")
    arguments = ("calibrate", "mine.json", "--implementation", "doubles.surveyed:training", "--runs", 4)
    kept = tmp_path / "assay-calibration" / "mine-doubles.surveyed%3Atraining.json"
    process = start(tmp_path, *arguments)
    wait_for(kept.exists, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = json.loads(kept.read_text(encoding="utf-8"))["runs"]
    assert 0 < len(before) < 4
    # A mark that only the stored runs can have.
    content = json.loads(kept.read_text(encoding="utf-8"))
    content["runs"][0]["accuracy"] = 0.25
    kept.write_text(json.dumps(content), encoding="utf-8")
    code, output = finish(start(tmp_path, *arguments))
    assert code == 0, output
    made = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))
    assert [run["seed"] for run in made["runs"]] == [0, 1, 2, 3]
    assert [run["accuracy"] for run in made["runs"]] == [0.25, 0.5, 0.5, 0.5]
    assert [run["loss_1"] for run in made["runs"]] == [1, 2, 3, 4]
    assert made["limits"]["loss_1"]["mean"] == 2.5
    assert not kept.exists()
    # Now there are runs to compare others with.
    code, output = finish(start(tmp_path, *arguments[:-1], "2"))
    assert code == 0
    assert "2 of 2 runs" not in output
    assert "0 of 2 runs beyond the limits" in output


@pytest.mark.parametrize(("alike", "largest"), [(True, 0.3), (False, 0.9)])
def test_of_several_permitted_results_the_nearest_says_how_near_a_run_came_to_its_bound(alike, largest):
    headroom.take()
    headroom.note(0.2)
    checks = {"before-correction": lambda: headroom.note(0.9), "after-correction": lambda: headroom.note(0.3)}
    Results(specification().claim("q_learning.trajectory-losses"))(checks, alike=alike)
    assert headroom.take() == largest
