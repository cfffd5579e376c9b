"""An implementation in another process: the protocol, and the loader of the digits, in plain Python.

Translate it into another language. `serve` and the functions it calls are the protocol, described in
`assay/adapters/protocol/README.md`; `preprocess` and `sample_batch` are the implementation.
"""

from __future__ import annotations

import json
import random
import struct
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

# Scaled values of the 256 possible pixels: float32, little-endian.
QUOTIENTS = struct.pack("<256f", *(pixel / 255 for pixel in range(256)))


class Array(NamedTuple):
    """An array as sent: little-endian bytes in C order."""

    dtype: str
    shape: list[int]
    content: bytes


class InvalidArgumentError(Exception):
    """Raised for an error of the caller, not of this program."""


def preprocess(images: Array, labels: Array) -> list[Array]:
    """Divide by 255, add the channel axis, convert the labels."""
    if (images.dtype, labels.dtype) != ("uint8", "uint8"):
        message = f"expected images and labels of dtype uint8, got {images.dtype} and {labels.dtype}"
        raise InvalidArgumentError(message)
    scaled, converted = bytearray(4 * len(images.content)), bytearray(4 * len(labels.content))
    for place in range(4):  # Of the bytes of a float32: `translate` looks up that byte for all pixels at once.
        scaled[place::4] = images.content.translate(QUOTIENTS[place::4])
    converted[::4] = labels.content
    return [Array("float32", [*images.shape, 1], bytes(scaled)), Array("int32", labels.shape, bytes(converted))]


def sample_batch(images: Array, labels: Array, batch_size: int, seed: int) -> list[Array]:
    """Draw examples with replacement."""
    drawn = random.Random(seed).choices(range(images.shape[0]), k=batch_size)
    return [rows(images, drawn), rows(labels, drawn)]


def rows(array: Array, places: list[int]) -> Array:
    """Return the elements at some indices of the first axis."""
    size = len(array.content) // array.shape[0]
    content = b"".join(array.content[size * place : size * (place + 1)] for place in places)
    return Array(array.dtype, [len(places), *array.shape[1:]], content)


GROUPS: dict[str, dict[str, Callable[..., list[Array]]]] = {
    "datasets": {"preprocess": preprocess, "sample_batch": sample_batch},
}


def describe(protocol: int) -> dict[str, Any]:
    """Return the description of this program."""
    if protocol != 1:
        message = f"this program speaks version 1 of the protocol, and not version {protocol}"
        raise InvalidArgumentError(message)
    groups = {group: list(functions) for group, functions in GROUPS.items()}
    return {"protocol": 1, "name": "plain", "version": "1.0", "frameworks": {}, "groups": groups}


def start(device: str) -> dict[str, str]:
    """Prepare for a device."""
    if device != "cpu":
        message = "plain Python has no GPU"
        raise InvalidArgumentError(message)
    return {"device": "cpu"}


def answer(message: dict[str, Any], arrays: list[Array]) -> tuple[Any, list[Array]]:
    """Handle a request; return the result, in which arrays are replaced by their numbers, and the arrays."""
    match message:
        case {"command": "describe", "protocol": protocol}:
            return describe(protocol), []
        case {"command": "start", "device": device}:
            return start(device), []
        case {"command": "call", "group": group, "function": function, "arguments": arguments}:
            # The functions of this group take arrays and whole numbers, and return arrays.
            values = {n: arrays[v["array"]] if isinstance(v, dict) else v for n, v in arguments.items()}
            results = GROUPS[group][function](**values)
            return [{"array": index} for index in range(len(results))], results
    return None, []


def serve() -> None:
    """Answer requests until asked to stop or until the other side closes."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr  # Printed output must not mix with the answers.
    while line := sys.stdin.buffer.readline():
        message = json.loads(line)
        arrays = [
            Array(array["dtype"], array["shape"], sys.stdin.buffer.read(array["bytes"]))
            for array in message.get("arrays", [])
        ]
        fields: dict[str, Any] = {"id": message["id"]}
        results: list[Array] = []
        try:
            fields["result"], results = answer(message, arrays)
        except InvalidArgumentError as error:
            fields["error"] = {"kind": "invalid argument", "message": str(error)}
        except Exception as error:  # noqa: BLE001 - every error must be reported
            fields["error"] = {"kind": "failure", "message": f"{type(error).__name__}: {error}"}
        if results:
            fields["arrays"] = [{"dtype": a.dtype, "shape": a.shape, "bytes": len(a.content)} for a in results]
        answers.write(json.dumps(fields).encode() + b"\n" + b"".join(array.content for array in results))
        answers.flush()
        if message["command"] == "stop":
            return


if __name__ == "__main__":
    serve()
