"""The subprocess protocol: what its documentation says happens, and whatever a peer does, its row says so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from jsonschema import Draft202012Validator

from assay.adapters import loading
from assay.adapters.protocol import process, wire
from assay.adapters.protocol.errors import CrashError, ProtocolError
from assay.adapters.proxy import AdapterError, ImplementationProxy, NonConformanceError
from assay.adapters.time_limit import TimeLimitError, limit
from assay.contract import EncodedText
from assay.errors import ErrorKind, ExitCode, UserError

from .conftest import read_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Shell

HERE = Path(__file__).parent
PLAIN = Path(__file__).resolve().parents[2] / "alternatives" / "plain"
INPUTS = np.array([[-1, 2]], np.float32)


@pytest.fixture
def bridge(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes the file of a peer: a Python implementation that makes trouble."""

    def write(name: str = "doubles.badly_behaved:good", **troubles: str) -> Path:
        file = tmp_path / "peer.toml"
        pairs = [f"{occasion}={trouble}" for occasion, trouble in troubles.items()]
        file.write_text(f"command = {json.dumps([sys.executable, str(HERE / 'doubles' / 'bridge.py'), name, *pairs])}")
        return file

    return write


@pytest.fixture
def started() -> Iterator[Callable[[Path], ImplementationProxy]]:
    """Return a function that starts a peer, which is ended with the test."""
    running: list[ImplementationProxy] = []

    def start(file: Path, device: str = "cpu") -> ImplementationProxy:
        running.append(ImplementationProxy(lambda: loading.load(str(file)), device))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def processes(file: Path) -> list[str]:
    """Return the processes of a peer: those with the arguments of its file's command."""
    command = " ".join(json.loads(file.read_text().partition("= ")[2])[1:])
    lines = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if command in line]


# The documentation


def conversation() -> list[tuple[str, bytes]]:
    """Return the worked transcript: who speaks, and the bytes, a message after the other."""
    text = (wire.SCHEMA.parent / "README.md").read_text(encoding="utf-8")
    spoken = re.findall(r"^([<>]) (.*)$", re.search(r"```text\n(.*?)```", text, re.DOTALL)[1], re.MULTILINE)
    said = [(who, line.encode() + b"\n" if line.startswith("{") else bytes.fromhex(line)) for who, line in spoken]
    messages: list[tuple[str, bytes]] = []
    for who, content in said:
        if content.startswith(b"{"):
            messages.append((who, content))
        else:
            messages[-1] = (who, messages[-1][1] + content)
    return messages


def test_the_conversation_of_the_documentation_takes_place() -> None:
    asked = b"".join(content for who, content in conversation() if who == ">")
    ended = subprocess.run([sys.executable, PLAIN / "peer.py"], input=asked, capture_output=True, check=True)
    assert ended.stdout == b"".join(content for who, content in conversation() if who == "<")


@pytest.mark.parametrize("content", [content for who, content in conversation() if who == ">"])
def test_the_runner_writes_what_the_documentation_says(content: bytes) -> None:
    line, _, rest = content.partition(b"\n")
    fields, arrays = json.loads(line), []
    for each in fields.pop("arrays", ()):
        arrays.append(np.frombuffer(rest[: each["bytes"]], each["dtype"]).reshape(each["shape"]))
        rest = rest[each["bytes"] :]
    assert b"".join(wire.encode(fields, arrays)) == content


@pytest.mark.parametrize("content", [content for _, content in conversation()])
def test_every_line_of_the_documentation_is_of_the_schema(content: bytes) -> None:
    schema = json.loads(wire.SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(content.partition(b"\n")[0]))


def test_the_plain_peer_is_as_short_as_is_said() -> None:
    assert len((PLAIN / "peer.py").read_text(encoding="utf-8").splitlines()) <= 120


# What a peer is asked, and what it answers


def test_values_of_every_kind_come_and_go(
    bridge: Callable[..., Path], started: Callable[..., ImplementationProxy]
) -> None:
    text = started(bridge("doubles.badly_behaved:letters")).group("text")
    encoded = text.encode("b\xe4b".encode())
    assert isinstance(encoded, EncodedText)
    assert (encoded.char_indices, encoded.indices_char) == ({"b": 0, "\xe4": 1}, {0: "b", 1: "\xe4"})
    np.testing.assert_array_equal(encoded.indices, np.array([0, 1, 0], np.int32), strict=True)


def test_sequences_numbers_and_names_come_and_go(bridge: Callable[..., Path]) -> None:
    peer = loading.load(str(bridge("doubles.badly_behaved:letters")))
    peer.start("cpu")
    window = np.arange(6, dtype=np.int32)[::2]
    answer = peer.text.generate({"b": window, "a": window}, window, temperature=np.inf, count=1, seed=0)
    peer.stop()
    np.testing.assert_array_equal(answer[0], window[::-1], strict=True)
    assert (answer[1], answer[1].dtype, answer[2]) == (np.inf, np.float32, ("b", "a"))
    assert (np.isnan(answer[3]["nan"]), answer[4:]) == (True, (None, True))


def test_a_rejection_is_the_contracts_value_error(
    bridge: Callable[..., Path], started: Callable[..., ImplementationProxy]
) -> None:
    text = started(bridge("doubles.badly_behaved:letters")).group("text")
    with pytest.raises(AdapterError) as raised:
        text.generate({}, INPUTS, temperature=np.nan, count=1, seed=0)
    assert isinstance(raised.value.__cause__, ValueError)
    # The words are those of the peer.
    assert "the temperature is nan" in str(raised.value)


def test_a_missing_function_is_a_failure(
    bridge: Callable[..., Path], started: Callable[..., ImplementationProxy]
) -> None:
    ops = started(bridge("doubles.badly_behaved:missing_and_sleeping")).group("ops")
    with pytest.raises(NonConformanceError, match="relu"):
        ops.relu(INPUTS)


def test_no_such_device_is_an_error(started: Callable[..., ImplementationProxy]) -> None:
    # The words after the name of the call are those of the peer.
    with pytest.raises(AdapterError, match=r"^start\(\) .*: plain Python has no GPU$"):
        started(PLAIN / "peer.toml", "gpu")


# What a peer does


@pytest.mark.parametrize(
    ("trouble", "error", "named"),
    [
        ("is_killed", CrashError, ["signal 9 (Killed)"]),
        ("leaves", CrashError, ["exit status 3", "stderr: out of\ufffd[31m memory"]),
        ("leaves_a_child", CrashError, ["exit status 3"]),
        ("answers_half", CrashError, ["a part of its answer", "exit status 0"]),
        ("answers_half_a_line", CrashError, ["a part of its answer", "exit status 0"]),
        ("sleeps", TimeLimitError, ["1 s"]),
        ("closes_stdout", ProtocolError, ["standard output"]),
        ("prints_a_line", ProtocolError, ["1048576 bytes", "'xxx"]),
        ("prints_lines", ProtocolError, ["JSON", "'hello'"]),
        ("prints_nothing_much", ProtocolError, ["JSON", "'relu of shape (1, 2)'"]),
        ("answers_another_call", ProtocolError, ["2", "3"]),
        ("answers_twice", ProtocolError, ["answer", "'{"]),
        ("answers_what_is_no_json", ProtocolError, ["JSON"]),
        ("answers_what_cannot_be_printed", ProtocolError, ["JSON"]),
        ("answers_too_deep", ProtocolError, ["JSON", "'[[["]),
        ("answers_a_number", ProtocolError, ["call", "top level", "1 "]),
        ("answers_of_no_kind", ProtocolError, ["call", "at result: ", "{'tensor': 1}"]),
        ("answers_without_an_array", ProtocolError, ["array 1", "0"]),
        ("answers_of_no_dtype", ProtocolError, ["at arrays.0.dtype: ", "'complex64'"]),
        ("answers_of_a_wrong_length", ProtocolError, ["float32", "[1, 2]", "8 bytes", "4"]),
        ("answers_no_bool", ProtocolError, ["bool"]),
        ("answers_too_much", ProtocolError, ["4000000000 bytes", "268435456"]),
        ("answers_with_an_error", AdapterError, ["out of order\n  stderr: the GPU is on fire"]),
    ],
)
def test_trouble_is_named_and_over_with_the_next_call(
    trouble: str,
    error: type[BaseException],
    named: list[str],
    bridge: Callable[..., Path],
    started: Callable[..., ImplementationProxy],
) -> None:
    file = bridge(relu=trouble)
    guarded = started(file)
    with pytest.raises(error) as raised, limit(1 if trouble == "sleeps" else 30, None):
        guarded.group("ops").relu(INPUTS)
    function, _, problem = str(raised.value).partition("ops.relu")
    assert (function, [name for name in named if name not in problem]) == ("", []), problem
    np.testing.assert_array_equal(guarded.group("ops").tanh(INPUTS), np.tanh(INPUTS), strict=True)
    guarded.stop()
    assert processes(file) == []


@pytest.mark.parametrize("trouble", ["floods_stderr", "closes_stderr"])
def test_what_a_peer_does_with_standard_error_is_its_own(
    trouble: str, bridge: Callable[..., Path], started: Callable[..., ImplementationProxy]
) -> None:
    ops = started(bridge(relu=trouble)).group("ops")
    with limit(30, None):
        assert ops.relu(INPUTS).tolist() == ops.relu(INPUTS).tolist() == [[0, 2]]


def test_a_peer_that_does_not_listen_any_more_is_named(
    bridge: Callable[..., Path], started: Callable[..., ImplementationProxy]
) -> None:
    ops = started(bridge(relu="closes_stdin", tanh="sleeps")).group("ops")
    ops.relu(INPUTS)
    with pytest.raises((ProtocolError, CrashError), match=r"standard input|exit status"):
        ops.tanh(INPUTS)


def test_a_peer_that_speaks_unasked_is_named(
    bridge: Callable[..., Path], started: Callable[..., ImplementationProxy]
) -> None:
    ops = started(bridge(relu="goes_on_later")).group("ops")
    ops.relu(INPUTS)
    time.sleep(0.5)
    with pytest.raises(ProtocolError, match=r"'by the way\\n'"):
        ops.relu(INPUTS)


def test_a_peer_that_does_not_stop_is_ended(
    bridge: Callable[..., Path], started: Callable[..., ImplementationProxy]
) -> None:
    file = bridge(stop="sleeps")
    guarded = started(file)
    began = time.monotonic()
    guarded.stop()
    assert (processes(file), time.monotonic() - began < 2 * process.END_SECONDS) == ([], True)


def test_a_peer_that_is_lost_whenever_it_is_started_is_not_tried_for_ever(bridge: Callable[..., Path]) -> None:
    peer = loading.load(str(bridge(start="is_killed")))
    for error, named in ((CrashError, "signal 9"), (CrashError, "signal 9"), (ProtocolError, "2 times")):
        with pytest.raises(error, match=named):
            peer.start("cpu")


# A run

GOOD = {
    "dense.affine": ("pass", ""),
    "dense.use-bias-default": ("unsupported", "the implementation does not declare the group keras"),
    "dense.relu": ("pass", ""),
    "dense.tanh": ("pass", ""),
    "dense.sigmoid": ("pass", ""),
    "dense.zeros": ("pass", ""),
    "dense.glorot-limit": ("pass", ""),
}
THESE = [part for id_ in GOOD for part in ("--claim", id_)]
# More processor time than any of these claims takes, and what may pass by the clock.
SECONDS = 2


def test_every_row_says_what_happened_and_no_other_is_lost(bridge: Callable[..., Path], shell: Shell) -> None:
    file = bridge(
        relu="is_killed",
        tanh="sleeps",
        sigmoid="answers_another_call",
        zeros="prints_a_line",
        glorot_uniform="closes_stdout",
    )
    ended = shell.dense(file, *THESE, "--claim-timeout", SECONDS)
    expected = {
        "dense.relu": ("crash", ["ops.relu: ", "signal 9 (Killed)"]),
        "dense.tanh": ("timeout", ["ops.tanh: ", f" {4 * SECONDS} s", f" {SECONDS} s", "--claim-timeout"]),
        "dense.sigmoid": ("error", ["ops.sigmoid: ", "2", "3"]),
        "dense.zeros": ("error", ["ops.zeros: ", "1048576 bytes"]),
        "dense.glorot-limit": ("error", ["ops.glorot_uniform: ", "standard output"]),
    }
    outcomes = {id_: outcome for id_, (outcome, _) in ended.rows.items()}
    assert (ended.code, processes(file)) == (ExitCode.NOT_CONFORMANT, [])
    assert outcomes == {id_: outcome for id_, (outcome, _) in (GOOD | expected).items()}
    for id_, (_, named) in expected.items():
        reason = ended.rows[id_][1]
        assert [name for name in named if name not in reason] == [], reason


def test_a_peer_is_started_once_to_be_described_and_once_to_be_assayed(
    bridge: Callable[..., Path], shell: Shell
) -> None:
    ended = shell.dense(bridge(describe="is_noted"), *THESE)
    noted = (shell.folder / "noted").read_text()
    # One of the claims needs a group that it does not have.
    assert (ended.code, ended.rows, noted) == (ExitCode.INCOMPLETE, GOOD, "xx")


def test_a_peer_that_outlives_its_worker_is_ended_with_the_run(bridge: Callable[..., Path], shell: Shell) -> None:
    file = bridge(relu="kills_the_worker")
    ended = shell.dense(file, *THESE, processes=1)
    expected = GOOD | {"dense.relu": ("crash", "the process of the implementation ended: signal 9 (Killed)")}
    assert (ended.rows, processes(file)) == (expected, [])


def test_smoke_tells_a_peer_that_is_lost_while_it_starts(bridge: Callable[..., Path], shell: Shell) -> None:
    ended = shell.assay("smoke", bridge(start="is_killed"), "--seconds", 60)
    last = ended.output.splitlines()[-1]
    assert (ended.code, "start()" in last, "signal 9" in last) == (ExitCode.NOT_CONFORMANT, True, True), ended.output


# What the user did


@pytest.mark.parametrize(
    ("content", "kind", "named"),
    [
        (None, ErrorKind.MISSING_FILE, ""),
        ("command = ", ErrorKind.INVALID_SYNTAX, ""),
        ("name = 'mine'", ErrorKind.INVALID_ADAPTER, ""),
        ("command = []", ErrorKind.INVALID_ADAPTER, ""),
        ("command = [1]", ErrorKind.INVALID_ADAPTER, ""),
        ("command = ['nowhere']", ErrorKind.BROKEN_ADAPTER, ": nowhere: "),
        ("command = ['/']", ErrorKind.BROKEN_ADAPTER, ": /: "),
    ],
)
def test_a_file_that_names_no_peer_is_told_from_one(
    content: str | None, kind: ErrorKind, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("peer.toml").write_text(content)
    with pytest.raises(UserError) as raised:
        loading.probe("peer.toml")
    assert raised.value.kind == kind
    assert ("peer.toml" in raised.value.problem, named in raised.value.problem) == (True, True)


@pytest.mark.parametrize(
    ("trouble", "named"),
    [
        ("leaves", ["exit status 3", "out of"]),
        ("sleeps", ["2 s"]),
        ("answers_with_an_error", ["out of order", "the GPU is on fire"]),
        ("speaks_another_version", ["describe", "at result.protocol: 1 "]),
        ("answers_a_number", ["describe", "at top level: "]),
    ],
)
def test_a_peer_that_does_not_describe_itself_is_no_implementation(
    trouble: str, named: list[str], bridge: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "PROBE_SECONDS", 2)
    file = bridge(describe=trouble)
    with pytest.raises(UserError) as raised:
        loading.probe(str(file))
    assert (raised.value.kind, processes(file)) == (ErrorKind.BROKEN_ADAPTER, [])
    assert [name for name in named if name not in str(raised.value)] == []


def test_no_peer_is_one_line_and_the_exit_code_of_usage(shell: Shell) -> None:
    ended = shell.assay("run", "peer.toml")
    said = ended.output.strip()
    assert (ended.code, read_kind(said)) == (ExitCode.USAGE, ErrorKind.MISSING_FILE), said
    assert (said.startswith("ERROR: "), "peer.toml" in said, "\n" in said) == (True, True, False), said
