"""An implementation leaves out single functions and models: that is neither a failure nor a part of what conforms."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.adapters.calls import CallLog
from assay.adapters.protocol.implementation import PeerImplementation
from assay.adapters.proxy import GroupProxy, UnsupportedError
from assay.errors import ErrorKind, ExitCode
from assay.ledger.ledger import Subject
from assay.specification.signatures import parts

from .conftest import read_kind

CLAIMS = {
    "rnn.gates": ("unsupported", "the implementation leaves out ops.lstm_cell"),
    "rnn.initial-state": ("unsupported", "the implementation leaves out ops.lstm"),
    "rnn.one-hot": ("unsupported", "the implementation leaves out models.rnn"),
    "mlp.layer-order": ("pass", ""),
    "dense.relu": ("pass", ""),
}
THESE = [part for id_ in CLAIMS for part in ("--claim", id_)]
RUN = ("--results", "ledger.json", "-n", "0", "--no-fetch", *THESE)


def test_what_is_left_out_is_unsupported_and_the_group_is_partial(shell):
    ended = shell.assay("run", "doubles.partial", *RUN)
    assert ended.rows == CLAIMS
    assert ended.ledger["implementation"]["unsupported"] == ["ops.lstm", "ops.lstm_cell", "models.rnn"]
    assert "0 of 2 groups and parts of 2 more: 2 of 5 claims pass, 3 need what it leaves out" in ended.output


@pytest.mark.parametrize(("group", "code"), [("datasets", ExitCode.CONFORMANT), ("ops", ExitCode.NOT_CONFORMANT)])
def test_a_partial_group_does_not_count_as_required(shell, group, code):
    options = ("-n", "0", "--no-fetch", "--claim", "dense.relu", "--require", group)
    assert shell.assay("run", "doubles.partial", *options).code == code


def test_what_is_missing_and_not_declared_fails(shell):
    rows = shell.assay("run", "doubles.partial:undeclared", *RUN).rows
    assert {id_: outcome for id_, (outcome, _) in rows.items()} == {
        "rnn.gates": "error",
        "rnn.initial-state": "error",
        "rnn.one-hot": "error",
        "mlp.layer-order": "pass",
        "dense.relu": "pass",
    }


def test_isolated_it_is_the_same(shell):
    assert shell.assay("run", "doubles.partial", *RUN, "--isolated").rows == CLAIMS


def test_smoke_takes_it_for_sound(shell):
    ended = shell.assay("smoke", "doubles.partial", "--seconds", "100")
    assert (ended.code, "ops: all functions are there" in ended.output) == (ExitCode.CONFORMANT, True)


def test_what_no_group_has_cannot_be_left_out(shell):
    ended = shell.assay("run", "doubles.partial:wrong", *RUN)
    assert (ended.code, read_kind(ended.output)) == (ExitCode.USAGE, ErrorKind.INVALID_ADAPTER)
    assert "'models.rrn'" in ended.output


def test_models_are_parts_of_the_groups_that_take_them():
    assert {"rnn", "cnn", "train"} <= {*parts("models")}
    assert {"VGG16", "predict"} <= {*parts("applications")}
    assert "rnn" not in parts("ops")
    assert "rnn" not in parts("text")


def test_a_model_that_is_left_out_never_reaches_the_implementation():
    asked = []

    class Models:
        def initial_parameters(self, model, seed):
            asked.append(model)
            return {}

    group = GroupProxy("models", Models, CallLog(), {"rnn"})
    group.initial_parameters("mlp", 0)
    for call in (lambda: group.initial_parameters("rnn", 0), lambda: group.initial_parameters(seed=0, model="rnn")):
        with pytest.raises(UnsupportedError, match=r"models\.rnn"):
            call()
    assert asked == ["mlp"]


def test_a_group_is_whole_only_if_nothing_is_left_out_of_it():
    subject = Subject(name="x", version="", frameworks={}, device=None, measured_precision=None, groups=("ops", "text"))
    assert subject.whole_groups == ("ops", "text")
    partial = Subject(
        **{name: getattr(subject, name) for name in subject.__struct_fields__} | {"unsupported": ("ops.lstm",)}
    )
    assert partial.whole_groups == ("text",)


PEER = """
import json, sys
for line in sys.stdin:
    result = {"protocol": 1, "name": "x", "version": "1", "frameworks": {}, "groups": {"ops": []}}
    result["unsupported"] = ["ops.lstm"]
    print(json.dumps({"id": json.loads(line)["id"], "result": result}), flush=True)
"""


def test_a_peer_names_what_it_leaves_out(tmp_path: Path):
    (tmp_path / "peer.py").write_text(PEER, encoding="utf-8")
    (tmp_path / "peer.toml").write_text('command = ["python3", "peer.py"]', encoding="utf-8")
    peer = PeerImplementation.from_file(tmp_path / "peer.toml")
    try:
        assert peer.unsupported == ("ops.lstm",)
    finally:
        peer.stop()
