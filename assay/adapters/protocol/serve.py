"""A Python implementation as a peer, for `--isolated`: `python -m assay.adapters.protocol.serve NAME THREADS PATH...`.

It runs in its own process, so that the implementation cannot change or break the tests' process.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from assay.adapters.loading import describe, load
from assay.adapters.plain_text import describe_error, plain
from assay.adapters.protocol import wire
from assay.adapters.proxy import start
from assay.contract import PROTOCOLS, Array

# Not served, as its values are objects of the framework, which cannot be sent.
LEFT_OUT = "keras"
# Number of stack frames shown for an error.
FRAMES = 3


def command(name: str, threads: int | None) -> list[str]:
    """Return the command that serves an implementation importable in this process."""
    module = "assay.adapters.protocol.serve"
    return [sys.executable, "-m", module, name, str(threads or 0), *filter(None, sys.path)]


class Server:
    """Answers requests to an implementation."""

    def __init__(self, name: str, threads: int | None) -> None:
        """Load the implementation.

        Args:
            name: Name of the implementation.
            threads: Number of threads to use; None lets the implementation decide.

        """
        self._name = name
        self._threads = threads
        self._implementation = load(name)

    def answer(self, message: Mapping[str, Any], arrays: list[Array]) -> Any:  # noqa: ANN401 - of any function
        """Handle a request, and return its result."""
        match message["command"]:
            case "describe":
                return self._describe()
            case "start":
                return {"device": plain(start(self._implementation, message["device"], self._threads))}
            case "call":
                function = getattr(getattr(self._implementation, message["group"]), message["function"])
                arguments = {name: wire.unpack(value, arrays) for name, value in message["arguments"].items()}
                if isinstance(arguments.get("content"), np.ndarray):
                    # The only `bytes` argument of the contract is sent as an array.
                    arguments["content"] = arguments["content"].tobytes()
                return function(**arguments)
        return None

    def _describe(self) -> dict[str, Any]:
        found = describe(self._name)
        return {
            "protocol": wire.VERSION,
            "name": plain(found.name),
            "version": plain(found.version),
            "frameworks": {plain(name): plain(version) for name, version in found.frameworks.items()},
            # The functions of a group are known only after it is created, which loads the framework.
            "groups": {group: _functions(group) for group in found.groups if group != LEFT_OUT},
            "unsupported": [entry for entry in found.unsupported if not entry.startswith(f"{LEFT_OUT}.")],
        }


def _functions(group: str) -> list[str]:
    return [name for name in vars(PROTOCOLS[group]) if not name.startswith("_")]


def serve(server: Server, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until asked to stop or until the other side closes."""
    while line := requests.readline():
        message = json.loads(line)
        arrays = [_array(each, requests.read(each["bytes"])) for each in message.get("arrays", ())]
        answers.writelines(_answer(server, message, arrays))
        answers.flush()
        if message["command"] == "stop":
            return


def _answer(server: Server, message: dict[str, Any], arrays: list[Array]) -> list[memoryview]:
    results: list[Array] = []
    head = {"id": message["id"]}
    try:
        result = server.answer(message, arrays)
        packed = wire.pack(_in_full(result), results) if message["command"] == "call" else result
        return wire.encode(head | {"result": packed}, results)
    except BaseException as error:  # noqa: BLE001 - every error must be reported
        kind = "invalid argument" if isinstance(error, ValueError) else "failure"
        where = plain("".join(traceback.format_tb(error.__traceback__)[-FRAMES:]))
        return wire.encode(
            head | {"error": {"kind": kind, "message": f"{describe_error(error)}\n{where}".rstrip()}}, []
        )


def _array(named: Mapping[str, Any], content: bytes) -> Array:
    return np.frombuffer(bytearray(content), named["dtype"]).reshape(named["shape"])


def _in_full(result: Any) -> Any:  # noqa: ANN401 - of any function
    """Convert NumPy scalars to arrays without axes, which keeps their dtype."""
    if isinstance(result, np.generic):
        return np.asarray(result)
    if isinstance(result, Mapping):
        return {key: _in_full(value) for key, value in result.items()}
    return [*map(_in_full, result)] if isinstance(result, list | tuple) else result


def main() -> None:
    """Serve the implementation named on the command line."""
    name, threads, *path = sys.argv[1:]
    sys.path += [folder for folder in path if folder not in sys.path]
    # Output of the implementation must not mix with the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(Server(name, int(threads) or None), sys.stdin.buffer, answers)
    # Exit without waiting for threads of the implementation.
    os._exit(0)


if __name__ == "__main__":
    main()
