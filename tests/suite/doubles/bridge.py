"""A Python implementation as a peer, and every trouble that a peer can make: `bridge.py NAME FUNCTION=TROUBLE`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

# A script finds its neighbours alone: the package of the doubles is in the folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))

from assay.adapters.loading import load
from assay.adapters.protocol import wire
from assay.contract import PROTOCOLS

LARGE = 100_000_000
FOR_EVER = 1000


class Troubles:
    """What happens in the place of an answer; where something is returned, the right answer follows."""

    def __init__(self, out: BinaryIO, id_: int) -> None:
        self.out = out
        self.id = id_

    def say(self, text: str, content: bytes = b"") -> None:
        self.out.write(text.encode() + b"\n" + content)
        self.out.flush()

    def array(self, dtype: str, shape: list[int], size: int) -> str:
        named = {"dtype": dtype, "shape": shape, "bytes": size}
        return json.dumps({"id": self.id, "result": {"array": 0}, "arrays": [named]})

    def is_killed(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def leaves(self) -> None:
        sys.stderr.write("out of\x1b[31m memory\n")
        sys.stderr.flush()
        os._exit(3)

    def leaves_a_child(self) -> None:
        subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({FOR_EVER})", *sys.argv])
        os._exit(3)

    def kills_the_worker(self) -> None:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(FOR_EVER)

    def is_noted(self) -> bool:
        with Path("noted").open("a") as noted:
            noted.write("x")
        return True

    def speaks_another_version(self) -> None:
        self.say(json.dumps({"id": self.id, "result": {"protocol": 2}}))

    def sleeps(self) -> None:
        time.sleep(FOR_EVER)

    def closes_stdout(self) -> None:
        os.close(1)
        time.sleep(FOR_EVER)

    def closes_stdin(self) -> bool:
        os.close(0)
        return True

    def closes_stderr(self) -> bool:
        with suppress(OSError):
            os.close(2)
        return True

    def prints_a_line(self) -> None:
        self.out.write(b"x" * LARGE)

    def prints_lines(self) -> None:
        self.out.write(b"hello\n" * (LARGE // 6))

    def prints_nothing_much(self) -> bool:
        self.say("relu of shape (1, 2)")
        return True

    def goes_on_later(self) -> bool:
        threading.Timer(0.2, self.say, ["by the way"]).start()
        return True

    def floods_stderr(self) -> bool:
        sys.stderr.write("chatter " * (LARGE // 8))
        sys.stderr.flush()
        return True

    def answers_another_call(self) -> None:
        self.say(json.dumps({"id": self.id - 1, "result": 1.0}))

    def answers_twice(self) -> None:
        answer = json.dumps({"id": self.id, "result": 1.0})
        self.say(f"{answer}\n{answer}")

    def answers_what_is_no_json(self) -> None:
        self.say('{"id": 1, "result": NaN}')

    def answers_what_cannot_be_printed(self) -> None:
        self.say(json.dumps({"id": self.id, "error": {"kind": "failure", "message": "\ud800"}}))

    def answers_too_deep(self) -> None:
        self.say("[" * 100_000)

    def answers_a_number(self) -> None:
        self.say("1")

    def answers_of_no_kind(self) -> None:
        self.say(json.dumps({"id": self.id, "result": {"tensor": 1}}))

    def answers_without_an_array(self) -> None:
        self.say(json.dumps({"id": self.id, "result": {"array": 1}}))

    def answers_of_no_dtype(self) -> None:
        self.say(self.array("complex64", [1], 8), bytes(8))

    def answers_of_a_wrong_length(self) -> None:
        self.say(self.array("float32", [1, 2], 4), bytes(4))

    def answers_no_bool(self) -> None:
        self.say(self.array("bool", [1], 1), b"\2")

    def answers_too_much(self) -> None:
        self.say(self.array("float32", [LARGE, 10], 40 * LARGE))

    def answers_half(self) -> None:
        self.say(self.array("float32", [1, 2], 8), bytes(4))
        os._exit(0)

    def answers_half_a_line(self) -> None:
        self.out.write(b'{"id": ')
        self.out.flush()
        os._exit(0)

    def answers_with_an_error(self) -> None:
        sys.stderr.write("the GPU is on fire\n")
        sys.stderr.flush()
        self.say(json.dumps({"id": self.id, "error": {"kind": "failure", "message": "out of order"}}))

    def rejects(self) -> None:
        self.say(json.dumps({"id": self.id, "error": {"kind": "invalid argument", "message": "too small"}}))


class Bridge:
    """An implementation, and the troubles that it makes."""

    def __init__(self, name: str, troubles: dict[str, str]) -> None:
        self.implementation = load(name)
        self.troubles = troubles

    def answer(self, message: dict[str, Any], arguments: dict[str, Any]) -> Any:
        implementation = self.implementation
        match message["command"]:
            case "describe":
                return {
                    "protocol": wire.VERSION,
                    "name": implementation.name,
                    "version": implementation.version,
                    "frameworks": {},
                    "groups": {group: self.functions(group) for group in implementation.groups if group != "keras"},
                }
            case "start":
                return {"device": implementation.start(message["device"])}
            case "call":
                return getattr(getattr(implementation, message["group"]), message["function"])(**arguments)
        return None

    def functions(self, group: str) -> list[str]:
        declared = [name for name in vars(PROTOCOLS[group]) if not name.startswith("_")]
        return [name for name in declared if hasattr(getattr(self.implementation, group), name)]

    def serve(self) -> None:
        # What TensorFlow prints does not answer anything.
        out = os.fdopen(os.dup(1), "wb")
        if not self.troubles:
            os.dup2(2, 1)
        else:
            out = sys.stdout.buffer
        while line := sys.stdin.buffer.readline():
            message = json.loads(line)
            arrays = [
                np.frombuffer(sys.stdin.buffer.read(each["bytes"]), each["dtype"]).reshape(each["shape"])
                for each in message.get("arrays", ())
            ]
            occasion = message.get("function", message["command"])
            if occasion in self.troubles and not getattr(Troubles(out, message["id"]), self.troubles[occasion])():
                continue
            arguments = {name: wire.unpack(value, arrays) for name, value in message.get("arguments", {}).items()}
            if "content" in arguments:
                arguments["content"] = arguments["content"].tobytes()
            results: list[Any] = []
            try:
                result = self.answer(message, arguments)
                fields = {"result": wire.pack(in_full(result), results) if message["command"] == "call" else result}
            except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked must hear of it
                kind = "invalid argument" if isinstance(error, ValueError) else "failure"
                fields = {"error": {"kind": kind, "message": f"{type(error).__name__}: {error}"}}
            for piece in wire.encode({"id": message["id"]} | fields, results):
                out.write(piece)
            out.flush()
            if message["command"] == "stop":
                return


def in_full(result: Any) -> Any:
    """Let a scalar of NumPy's be an array of no axes, which keeps its type."""
    if isinstance(result, np.generic):
        return np.asarray(result)
    return [*map(in_full, result)] if isinstance(result, list | tuple) else result


if __name__ == "__main__":
    Bridge(sys.argv[1], dict(argument.split("=") for argument in sys.argv[2:])).serve()
