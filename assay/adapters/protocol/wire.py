"""Messages as bytes: a line of JSON, then the bytes of the arrays that the line lists."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from assay.adapters.protocol.errors import ProtocolError
from assay.contract import Array

VERSION = 1
SCHEMA = Path(__file__).with_name("messages.schema.json")
# Maximum size of an answer: far above any result of the contract, but small enough for memory.
LONGEST_LINE = 2**20
MOST_BYTES = 2**28
# Number of bytes shown of an invalid message.
SHOWN = 60


class Message(NamedTuple):
    """A message.

    Attributes:
        fields: Fields of the line, without `arrays`.
        arrays: Arrays in their order.

    """

    fields: dict[str, Any]
    arrays: list[Array]


def encode(fields: dict[str, Any], arrays: Sequence[Array]) -> list[memoryview]:
    """Return the pieces of a message: the line, and each array in little-endian C order."""
    little = [np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for array in arrays]
    named = [{"dtype": each.dtype.name, "shape": list(each.shape), "bytes": each.nbytes} for each in arrays]
    line = json.dumps(fields | ({"arrays": named} if named else {}), allow_nan=False).encode() + b"\n"
    return [memoryview(line), *(array.reshape(-1).view(np.uint8).data for array in little if array.size)]


def pack(tree: Any, arrays: list[Array]) -> Any:  # noqa: ANN401 - arguments of any function of the contract
    """Convert a value of the contract to JSON.

    Args:
        tree: The value.
        arrays: List to which the arrays in the value are appended.

    """
    if isinstance(tree, bytes):
        tree = np.frombuffer(tree, np.uint8)
    if isinstance(tree, np.ndarray):
        arrays.append(tree)
        return {"array": len(arrays) - 1}
    if isinstance(tree, np.generic):
        tree = tree.item()
    if isinstance(tree, Mapping):
        return {"map": [[key, pack(branch, arrays)] for key, branch in tree.items()]}
    if isinstance(tree, list | tuple):
        return [pack(branch, arrays) for branch in tree]
    if isinstance(tree, float) and not math.isfinite(tree):
        return {"number": str(tree)}
    return tree


def unpack(tree: Any, arrays: list[Array]) -> Any:  # noqa: ANN401 - a result of any function of the contract
    """Convert a JSON value that conforms to the schema to a value of the contract.

    Raises:
        ProtocolError: The value refers to a missing array.

    """
    match tree:
        case {"array": index}:
            if index >= len(arrays):
                msg = f"it names array {index}, counted from 0, and sent {len(arrays)}"
                raise ProtocolError(msg)
            return arrays[int(index)]
        case {"number": name}:
            return float(name)
        case {"map": pairs}:
            return {key: unpack(branch, arrays) for key, branch in pairs}
        case list():
            return tuple(unpack(branch, arrays) for branch in tree)
    return tree


class Receiver:
    """Assembles the bytes of one answer."""

    def __init__(self, command: str, id_: int) -> None:
        """Prepare for an answer.

        Args:
            command: Command that is answered.
            id_: Id of the command.

        """
        self._command = command
        self._id = id_
        self._bytes = bytearray()
        self._fields: dict[str, Any] | None = None
        self._start = 0
        self._wanted = 0

    @property
    def begun(self) -> bool:
        """Whether a part of the answer has arrived."""
        return bool(self._bytes)

    def feed(self, chunk: bytes) -> Message | None:
        """Add bytes, and return the message once it is complete.

        Raises:
            ProtocolError: The message is not an answer.

        """
        searched = len(self._bytes)
        self._bytes += chunk
        if self._fields is None:
            end = self._bytes.find(b"\n", searched)
            if (len(self._bytes) if end < 0 else end) > LONGEST_LINE:
                msg = f"it wrote a line of more than {LONGEST_LINE} bytes: {excerpt(self._bytes)}"
                raise ProtocolError(msg)
            if end < 0:
                return None
            self._fields = _fields(bytes(self._bytes[:end]), self._command, self._id)
            self._start, self._wanted = end + 1, sum(int(each["bytes"]) for each in self._fields.get("arrays", ()))
            if self._wanted > MOST_BYTES:
                msg = f"it announces {self._wanted} bytes, and may send {MOST_BYTES}"
                raise ProtocolError(msg)
        came = len(self._bytes) - self._start
        if came > self._wanted:
            extra = self._bytes[self._start + self._wanted :]
            msg = f"it goes on after its answer: {excerpt(extra)}"
            raise ProtocolError(msg)
        return self._message(self._fields) if came == self._wanted else None

    def _message(self, fields: dict[str, Any]) -> Message:
        arrays, offset = [], self._start
        for each in fields.pop("arrays", ()):
            end = offset + int(each["bytes"])
            arrays.append(_array(each["dtype"], [*map(int, each["shape"])], self._bytes[offset:end]))
            offset = end
        return Message(fields, arrays)


def _fields(line: bytes, command: str, id_: int) -> dict[str, Any]:
    try:
        fields = json.loads(line, parse_constant=_no_number)
        # Lone surrogates could not be printed.
        json.dumps(fields, ensure_ascii=False).encode()
        kind = "refusal" if isinstance(fields, dict) and "error" in fields else f"answer_to_{command}"
        fault = next(_validator(kind).iter_errors(fields), None)
    except (ValueError, RecursionError):
        msg = f"it wrote what is not JSON, or not such as can be read: {excerpt(line)}"
        raise ProtocolError(msg) from None
    if fault is not None:
        where = ".".join(map(str, fault.absolute_path)) or "top level"
        msg = f"its answer to {command} is not of the protocol, at {where}: {fault.message[:200]}"
        raise ProtocolError(msg)
    if fields["id"] != id_:
        msg = f"it answers {fields['id']}, and was asked {id_}"
        raise ProtocolError(msg)
    checked: dict[str, Any] = fields
    return checked


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


@cache
def _validator(kind: str) -> Any:  # noqa: ANN401 - its class is imported with it
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, and only used for peers

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": schema["$defs"]})


def _array(name: str, shape: list[int], content: bytearray) -> Array:
    dtype = np.dtype(name)
    size = math.prod(shape) * dtype.itemsize
    if size != len(content):
        msg = f"an array of {dtype} and shape {shape} has {size} bytes, and it announces {len(content)}"
        raise ProtocolError(msg)
    if dtype == np.bool_ and content.strip(b"\0\1"):
        msg = "an array of bool has a byte that is neither 0 nor 1"
        raise ProtocolError(msg)
    return np.frombuffer(content, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)


def excerpt(content: bytes | bytearray) -> str:
    """Quote the beginning of an invalid message."""
    start = bytes(content[:SHOWN]).decode(errors="replace")
    return repr(start) + (f" and {len(content) - SHOWN} bytes more" if len(content) > SHOWN else "")
