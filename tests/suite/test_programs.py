"""The chapter's programs: what they print and leave behind, and what they say when they cannot be run."""

import io
import json
import os
import re
import subprocess
import sys

import pytest
from PIL import Image

from assay.errors import ErrorKind, ExitCode
from assay.reference import Reference
from assay.reference.__main__ import main
from assay.reference.programs import PROGRAMS

from .conftest import read_kind

# One process runs them all, as loading TensorFlow takes longer than any of them. Building the network of the flowers
# would take longer still: a small one is in its place.
DRIVER = """
import io, json
from contextlib import redirect_stdout
from unittest.mock import patch

from assay.datasets.data import mnist
from assay.reference import implementation
from assay.reference.__main__ import main

def run(*arguments):
    with redirect_stdout(io.StringIO()) as said:
        code = main(arguments)
    return code, said.getvalue()

ended = {"linear": run("linear"), "convolution": run("convolution", "--out", "convolution")}
for folder, seed in ("first", "3"), ("again", "3"), ("other", "4"):
    ended[folder] = run("mlp", "--batches", "350", "--seed", seed, "--out", folder)

ended["rnn"] = run("rnn", "--batches", "30", "--out", "rnn")

import tensorflow as tf
from assay.reference.models import get_trainer

loop = get_trainer("mlp", (28, 28, 1))._on_examples
ended["traces"] = [f.experimental_get_tracing_count() for f in (loop._compiled, loop._traced)]
found = mnist()
train_set = implementation.datasets.preprocess(found.x_train, found.y_train)
test_set = implementation.datasets.preprocess(found.x_test, found.y_test)
fit = implementation.training.fit("mlp", *train_set, num_batches=350, batch_size=50, learning_rate=0.001, seed=3)
ended["accuracy"] = implementation.training.evaluate("mlp", fit.parameters, *test_set, 50)

for folder, seed in ("agent", "3"), ("agent-again", "3"), ("agent-other", "4"):
    ended[folder] = run("dqn", "--episodes", "12", "--seed", seed, "--out", folder)

def small(input_shape, weights, classes):
    layers = tf.keras.layers
    return tf.keras.Sequential([layers.Input(input_shape), layers.Flatten(), layers.Dense(classes, "softmax")])

with patch.object(tf.keras.applications, "MobileNetV2", small):
    ended["flowers"] = run("flowers", "--mock", "--batches", "6", "--image-size", "32", "--out", "flowers")
with patch("assay.datasets.connectivity.reachable", lambda: False):
    ended["offline"] = run("flowers", "--out", "offline")
print(json.dumps(ended))
"""
MATRIX = """\
tf.Tensor(
[[ 6.  5. -2.  1.  2.]
 [ 3.  0.  3.  2. -2.]
 [ 4.  2. -1.  0.  0.]
 [ 2.  1.  2. -1. -3.]
 [ 1.  1.  1.  3.  1.]], shape=(5, 5), dtype=float32)
"""


@pytest.fixture
def program(capsys, monkeypatch, tmp_path):
    """Return a function that runs a program in an empty folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        try:
            code = main(arguments)
        except SystemExit as exit_:
            code = exit_.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def ended(mnist, compute_once, tmp_path_factory):
    """Return what came of the programs, run once in a run: by program, with their errors and their pictures."""

    def work():
        folder = tmp_path_factory.mktemp("programs")
        environment = os.environ | {"TFDS_DATA_DIR": str(folder / "nothing")}
        process = subprocess.run(
            [sys.executable, "-c", DRIVER], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, process.stderr
        pictures = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.*"))}
        return json.loads(process.stdout) | {"errors": process.stderr, "pictures": pictures}

    return compute_once("programs", work)


def pictures_in(ended, folder):
    """Return the pictures in a folder by their names."""
    return {name.split("/")[1]: content for name, content in ended["pictures"].items() if name.startswith(f"{folder}/")}


# What they do


def test_the_linear_model_ends_where_100_steps_lead(ended):
    code, output = ended["linear"]
    assert (code, re.findall(r"^[\w/]+", output, re.MULTILINE)) == (0, ["dense/kernel", "dense/bias", "loss"])
    # From zeros, the loss of the first step is 250.
    assert re.search(r"^loss: 0\.1\d{5}$", output, re.MULTILINE)


def test_the_convolution_prints_the_documents_matrix(ended):
    assert ended["convolution"] == [0, f"{MATRIX}picture: convolution/convolution.png\n"]
    assert list(pictures_in(ended, "convolution")) == ["convolution.png"]


def test_the_mlp_prints_its_accuracy_as_the_document_does(ended):
    code, output = ended["first"]
    assert (code, f"\ntest accuracy: {ended['accuracy']:f}\n" in output) == (0, True), output


def test_the_mlp_leaves_what_a_person_would_want_to_see(ended):
    names = ["mlp-kernels.png", "mlp-loss.png", "mlp-misread.png"]
    assert list(pictures_in(ended, "first")) == names
    assert all(f"picture: first/{name}\n" in ended["first"][1] for name in names)


def test_the_rnn_writes_at_four_temperatures(ended):
    code, output = ended["rnn"]
    texts = re.findall(r"^diversity (\d\.\d{6}):\n(.{400})\n", output, re.MULTILINE | re.DOTALL)
    assert (code, [temperature for temperature, _ in texts]) == (0, ["0.200000", "0.500000", "1.000000", "1.200000"])
    assert len({text for _, text in texts}) == len(texts)
    assert list(pictures_in(ended, "rnn")) == ["rnn-entropy.png", "rnn-loss.png"]


def test_a_seed_decides_everything(ended):
    first, again, other = (pictures_in(ended, folder) for folder in ("first", "again", "other"))
    assert first == again
    assert [name for name in first if first[name] == other[name]] == []


def test_training_is_compiled_for_whole_chunks_and_for_the_rest(ended):
    assert ended["traces"] == [1, 1]


def test_the_bar_shows_loss_and_rate(ended):
    assert re.search(r"mlp: 100%.*\| 350/350 .*batch/s, loss=0\.\d{4}\]", ended["errors"])


def test_tensorflow_says_nothing_on_its_own(ended):
    assert re.findall(r".*(?:WARNING|I0000|E0000).*", ended["errors"]) == []


def test_the_flowers_go_on_into_another_epoch(ended):
    code, output = ended["flowers"]
    assert (code, list(pictures_in(ended, "flowers"))) == (0, ["flowers-last-batch.png", "flowers-loss.png"])
    assert output.startswith("loss: ")
    assert "| 6/6 " in ended["errors"]


def test_the_flowers_need_a_network_or_the_mock(ended):
    assert ended["offline"] == [ExitCode.USAGE, ""]
    *_, last = ended["errors"].splitlines()
    assert (read_kind(last), "tf_flowers" in last, "--mock" in last) == (ErrorKind.MISSING_DATA, True, True), last


def test_the_agent_leaves_its_scores_and_an_episode(ended):
    code, output = ended["agent"]
    assert (code, list(pictures_in(ended, "agent"))) == (0, ["dqn-episode.gif", "dqn-scores.png"])
    shown = int(re.search(r"^score of the episode that is shown: (\d+)$", output, re.MULTILINE)[1])
    with Image.open(io.BytesIO(pictures_in(ended, "agent")["dqn-episode.gif"])) as episode:
        # Every other state of one more than there are steps; states that look alike are drawn once.
        assert (episode.size, 1 < episode.n_frames <= shown // 2 + 2) == ((300, 200), True)


def test_a_seed_decides_how_the_agent_learns(ended):
    first, again, other = (pictures_in(ended, f"agent{which}") for which in ("", "-again", "-other"))
    assert (first == again, ended["agent"][1].splitlines()[:2]) == (True, ended["agent-again"][1].splitlines()[:2])
    assert first["dqn-scores.png"] != other["dqn-scores.png"]


def test_the_bar_shows_the_score(ended):
    assert re.search(r"dqn: 100%.*\| 12/12 .*episode/s, mean=\d+\.\d, score=\d+\]", ended["errors"])


# What they say of themselves


def test_the_list_is_there_at_once(shell, seconds_of):
    script = """if True:
        import sys
        from assay.reference.__main__ import main
        main([])
        heavy = {"tensorflow", "keras", "gymnasium", "PIL", "matplotlib", "tqdm", "scipy", "pooch", "pytest"}
        print("imported:", *sorted(heavy & sys.modules.keys()))
    """
    outputs = []
    seconds = seconds_of(lambda: outputs.append(shell.python("-c", script).output))
    listed = re.findall(r"^  (\w+) +\w.*\(lines", outputs[0], re.MULTILINE)
    assert (listed, outputs[0].endswith("imported:\n"), seconds < 0.3) == (list(PROGRAMS), True, True), (
        seconds,
        outputs,
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_has_help(name, program):
    code, output, errors = program(name, "--help")
    assert (code, output.startswith(f"Usage: python -m assay.reference {name} "), errors) == (0, True, "")


def test_the_list_is_the_help(program):
    assert program() == program("--help")


# What cannot be run


@pytest.mark.parametrize(
    ("arguments", "kind", "named"),
    [
        (["melt"], ErrorKind.INVALID_ARGUMENT, "'melt'"),
        (["mlp", "--batches", "-3"], ErrorKind.INVALID_ARGUMENT, " mlp: --batches: '-3'"),
        (["mlp", "--batches", "0"], ErrorKind.INVALID_ARGUMENT, " mlp: --batches: '0'"),
        (["cnn", "--epochs", "many"], ErrorKind.INVALID_ARGUMENT, " cnn: --epochs: 'many'"),
        (["cnn", "--epochs", "1.5"], ErrorKind.INVALID_ARGUMENT, " cnn: --epochs: '1.5'"),
        (["mlp", "--seed", "-1"], ErrorKind.INVALID_ARGUMENT, " mlp: --seed: '-1'"),
        (["mlp", "--seed", "4294967296"], ErrorKind.INVALID_ARGUMENT, " mlp: --seed: '4294967296'"),
        (["mlp", "--epochs", "1", "--batches", "9"], ErrorKind.INVALID_ARGUMENT, " mlp: --epochs and --batches"),
        (["rnn", "--batches", "none"], ErrorKind.INVALID_ARGUMENT, " rnn: --batches: 'none'"),
        (["flowers", "--image-size", "31"], ErrorKind.INVALID_ARGUMENT, " flowers: --image-size: '31'"),
        (["dqn", "--episodes", "0"], ErrorKind.INVALID_ARGUMENT, " dqn: --episodes: '0'"),
        (["dqn", "--out", "file"], ErrorKind.UNWRITABLE_FILE, "file"),
        (["convolution", "--out", "file"], ErrorKind.UNWRITABLE_FILE, "file"),
        (["flowers", "--out", "file/new"], ErrorKind.UNWRITABLE_FILE, "file/new"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_run_is_answered_in_one_line(arguments, kind, named, program, tmp_path):
    (tmp_path / "file").touch()
    assert_refused(program(*arguments), kind, named)


def assert_refused(ended, kind, named):
    code, output, errors = ended
    assert (code, output, read_kind(errors)) == (ExitCode.USAGE, "", kind), errors
    assert (errors.startswith("python -m assay.reference"), named in errors, errors.count("\n")) == (True, True, 1)


def test_damaged_data_are_told_before_anything_is_done(program, monkeypatch, tmp_path):
    (tmp_path / "mnist.npz").write_bytes(b"damaged")
    monkeypatch.setenv("ASSAY_DATA", str(tmp_path))
    assert_refused(program("mlp", "--out", "pictures"), ErrorKind.DAMAGED_DATA, str(tmp_path / "mnist.npz"))
    assert not (tmp_path / "pictures").exists()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ImportError("No module named 'tensorflow'"), ErrorKind.MISSING_PACKAGE),
        (RuntimeError("TensorFlow sees no GPU"), ErrorKind.UNAVAILABLE_DEVICE),
    ],
    ids=["no TensorFlow", "no GPU"],
)
def test_a_machine_that_lacks_something_is_told(error, kind, program, monkeypatch):
    def start(self, device):
        raise error

    monkeypatch.setattr(Reference, "start", start)
    assert_refused(program("linear"), kind, str(error))


def test_an_agent_without_its_environment_is_told_before_it_learns(program, monkeypatch):
    def library():
        raise ImportError(message)

    message = "No module named 'gymnasium'"
    monkeypatch.setattr("assay.reference.environments.library", library)
    assert_refused(program("dqn"), ErrorKind.MISSING_PACKAGE, message)


def test_an_interruption_is_told_by_the_exit_code(program, monkeypatch):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setitem(PROGRAMS, "linear", PROGRAMS["linear"]._replace(run=interrupt))
    assert program("linear") == (ExitCode.INTERRUPTED, "", "")


def test_a_reader_that_goes_away_is_no_error(shell):
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "assay.reference"], stdout=writing, stderr=subprocess.PIPE, cwd=shell.folder, check=False
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")
