"""Values in a failure: as text for people, and as Python for the snippet."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.adapters.plain_text import plain
from assay.specification.index import tests_folder

# Arrays up to this size are written in full.
MOST_ELEMENTS = 64
# A longer text or piece of binary data is summarised.
LONGEST_TEXT = 200
# No failure stores more than this, in bytes.
MOST_BYTES = 2**25
# With the indentation of a failure, a line of an array fits 80 columns.
WIDTH = 66
NUMBERS = "biuf"


class UnwritableError(Exception):
    """Raised for a value that a snippet cannot build."""


def describe(value: Any) -> str:  # noqa: ANN401 - an argument or a result of any function
    """Describe a value in text: a small array in full, a larger one by its shape, dtype, range and content.

    Only plain values and arrays are inspected; no code of the implementation runs.
    """
    if isinstance(value, np.ndarray | np.generic):
        return _describe_array(np.asarray(value))
    if isinstance(value, dict):
        inside = ", ".join(f"{plain(repr(key))}: {describe(item)}" for key, item in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return _describe_sequence(value)
    if isinstance(value, bytes | str) and len(value) > LONGEST_TEXT and type(value) in {bytes, str}:
        return f"{value[:LONGEST_TEXT]!r}... ({len(value)} {'bytes' if isinstance(value, bytes) else 'characters'})"
    if type(value) in {bool, int, float, str, bytes, type(None)}:
        return plain(repr(value))
    return f"({plain(type(value).__module__)}.{plain(type(value).__qualname__)})"


def _describe_sequence(value: list[Any] | tuple[Any, ...]) -> str:
    fields = getattr(value, "_fields", None)
    items = [describe(item) for item in value]
    if fields is not None and len(fields) == len(items):
        pairs = (f"{plain(name)}={item}" for name, item in zip(fields, items, strict=True))
        return f"{plain(type(value).__name__)}({', '.join(pairs)})"
    return f"[{', '.join(items)}]" if isinstance(value, list) else f"({', '.join(items)})"


def _describe_array(array: NDArray[Any]) -> str:
    form = f"{array.dtype}{list(array.shape)}"
    if array.size <= MOST_ELEMENTS:
        return f"{form} {literal(array)}" if array.dtype.kind in NUMBERS else form
    if array.dtype.kind not in NUMBERS:
        return form
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    spread = f"from {finite.min():.6g} to {finite.max():.6g}, mean {finite.mean(dtype=np.float64):.6g}"
    parts = [spread] if finite.size else []
    if odd := array.size - finite.size:
        parts.append(f"{odd} not finite")
    return f"{form} {', '.join(parts)}"


def literal(array: NDArray[Any]) -> str:
    """Return the elements as a Python expression, without the dtype."""
    if array.ndim == 0:
        return str(array[()])
    return np.array2string(
        array, separator=", ", max_line_width=WIDTH, floatmode="unique", threshold=sys.maxsize, sign="-"
    )


class Writer:
    """Writes values as Python expressions.

    Attributes:
        arrays: Arrays that are too large to be written in full, by name; a snippet loads them from a file.
        imports: Import statements that the expressions need.

    """

    def __init__(self, module: ModuleType | None = None) -> None:
        """Start without arrays and imports.

        Args:
            module: Module of the test; its objects are written by name.

        """
        self.arrays: dict[str, NDArray[Any]] = {}
        self.imports: set[str] = set()
        self._module = module
        self._known: dict[int, str] = {}

    def know(self, value: Any, name: str) -> None:  # noqa: ANN401 - the result of any function
        """Register a name for a value and its parts, used from now on."""
        for path, part in parts(value):
            if isinstance(part, np.ndarray | dict | tuple | list):
                self._known.setdefault(id(part), name + path)

    def knows(self, value: object) -> bool:
        """Whether this value has a name."""
        return id(value) in self._known

    def write(self, value: Any) -> str:  # noqa: ANN401 - an argument of any function
        """Return an expression.

        Raises:
            UnwritableError: The value cannot be written.

        """
        if name := self._known.get(id(value)):
            return name
        if isinstance(value, np.ndarray | np.generic):
            return self._array(np.asarray(value), scalar=isinstance(value, np.generic))
        if type(value) in {bool, int, float, str, bytes, type(None)}:
            return self._plain(value)
        if isinstance(value, dict):
            return f"{{{', '.join(f'{self.write(key)}: {self.write(item)}' for key, item in value.items())}}}"
        return self._sequence(value) if isinstance(value, list | tuple) else self._find_name(value)

    def _plain(self, value: bool | float | str | bytes | None) -> str:  # noqa: FBT001 - a value, no flag
        if isinstance(value, bytes | str) and len(value) > LONGEST_TEXT:
            content = value if isinstance(value, bytes) else value.encode()
            decode = "" if isinstance(value, bytes) else ".decode()"
            return f"{self._store(np.frombuffer(content, np.uint8))}.tobytes(){decode}"
        if isinstance(value, float):
            self._name_special(np.array(value))
        return repr(value)

    def _sequence(self, value: list[Any] | tuple[Any, ...]) -> str:
        if fields := getattr(value, "_fields", None):
            items = zip(fields, value, strict=True)
            return f"{self._type(type(value))}({', '.join(f'{name}={self.write(item)}' for name, item in items)})"
        inside = ", ".join(map(self.write, value))
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"

    def _array(self, array: NDArray[Any], *, scalar: bool) -> str:
        if array.dtype.kind not in NUMBERS:
            raise UnwritableError(str(array.dtype))
        dtype = f"np.{array.dtype.name}" if array.dtype.kind != "b" else "bool"
        if array.size == 0:
            return f"np.zeros({array.shape}, {dtype})"
        if array.size > MOST_ELEMENTS:
            return self._store(array)
        self._name_special(array)
        if scalar:
            return f"{dtype}({literal(array)})"
        usual = array.dtype == np.float64
        return _restore_order(f"np.array({literal(array)}{'' if usual else f', {dtype}'})", array)

    def _name_special(self, array: NDArray[Any]) -> None:
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            self.imports.add("from numpy import inf, nan")

    def _store(self, array: NDArray[Any]) -> str:
        if array.nbytes + sum(each.nbytes for each in self.arrays.values()) > MOST_BYTES:
            msg = "too large"
            raise UnwritableError(msg)
        name = f"array_{len(self.arrays)}"
        self.arrays[name] = array
        return _restore_order(f'arrays["{name}"]', array)

    def _type(self, kind: type) -> str:
        module = self._module_of(kind)
        self.imports.add(f"from {module} import {kind.__name__}")
        return kind.__name__

    def _module_of(self, kind: type) -> str:
        if self._module is not None and kind.__module__ == self._module.__name__:
            return _import_name(self._module)
        if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is not kind:
            raise UnwritableError(kind.__name__)
        return kind.__module__

    def _find_name(self, value: Any) -> str:  # noqa: ANN401
        """Return the name of a value that the module of the test names, such as an operation that it checks."""
        names = vars(self._module) if self._module is not None else {}
        name = next((name for name, known in names.items() if known is value), None)
        if name is None:
            raise UnwritableError(type(value).__name__)
        return self.name_in(self._module, name)

    def name_in(self, module: ModuleType | None, name: str) -> str:
        """Return the name of a module's attribute, and import it."""
        if module is None:
            raise UnwritableError(name)
        full = _import_name(module)
        package, _, short = full.rpartition(".")
        self.imports.add(f"from {package} import {short}")
        return f"{short}.{name}"


def _import_name(module: ModuleType) -> str:
    """Return the name under which every installation can import a module of tests."""
    return f"assay.tests.{Path(str(module.__file__)).stem}"


def is_test_module(module: ModuleType | None) -> bool:
    """Whether a module has tests of claims or helpers that they share."""
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().parent == tests_folder().resolve()


def parts(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - the result of any function
    """Yield a value and all of its parts, each with its path."""
    yield "", value
    if isinstance(value, Mapping):
        inner: list[tuple[str, Any]] = [(f"[{key!r}]", item) for key, item in value.items() if isinstance(key, str)]
    elif isinstance(value, list | tuple):
        inner = [(f"[{index}]", item) for index, item in enumerate(value)]
    else:
        return
    for path, item in inner:
        for further, part in parts(item):
            yield path + further, part


def _restore_order(expression: str, array: NDArray[Any]) -> str:
    """Return an expression of an array with the values of another expression, and with gaps or transposed as it was."""
    if array.flags.c_contiguous or not array.size:
        return expression
    if array.flags.f_contiguous:
        return f'{expression}.copy(order="F")'
    if array.strides[-1] == 2 * array.itemsize:
        return f"{expression}.repeat(2, axis=-1)[..., ::2]"
    if array.strides[-1] == array.itemsize:
        # Rows are contiguous, but do not follow each other.
        whole = ", ".join(f":{length}" for length in array.shape)
        return f'np.pad({expression}, [(0, 1)] * {array.ndim}, mode="wrap")[{whole}]'
    return expression
