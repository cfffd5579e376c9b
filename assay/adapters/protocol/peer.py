"""A peer: the requests it answers. A lost peer is started again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.adapters.protocol.errors import InvalidArgumentError, PeerError, PeerLostError, ProtocolError
from assay.adapters.protocol.process import Process
from assay.adapters.protocol.wire import VERSION, Receiver, encode, pack, unpack
from assay.adapters.time_limit import TimeLimitError
from assay.contract import Array

# A peer that was lost so often in a row while it was started is not tried again.
STARTS = 2


class Peer:
    """A program that speaks the protocol. Its process is started when something is asked of it."""

    def __init__(self, command: Sequence[str], folder: Path, notes: Path | None = None) -> None:
        """Take what is to be started.

        Args:
            command: The program and its arguments.
            folder: Working directory.
            notes: Argument of `Process`.

        """
        self._command = command
        self._folder = folder
        self._notes = notes
        self._process: Process | None = None
        self._asked = 0
        self._lost_starts = 0
        self._device: str | None = None
        self._device_name = ""
        self._description: dict[str, Any] = {}

    @property
    def description(self) -> dict[str, Any]:
        """The peer's answer to `describe`.

        Raises:
            OSError: The program does not exist.
            PeerError: It does not speak this version of the protocol.
            PeerLostError: Its process ended, or what it wrote is not an answer.

        """
        if not self._description:
            self._begin()
        return self._description

    def start(self, device: str) -> str:
        """Prepare it for a device, now and whenever it is started again, and return the device's name.

        Raises:
            PeerError: The device does not exist.
            PeerLostError: Its process ended, or what it wrote is not an answer.

        """
        self._device = device
        if self._process is None:
            self._begin()
        else:
            self._make_ready()
        return self._device_name

    def call(self, group: str, function: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of any function
        """Call a function of the contract.

        Args:
            group: Group of the function.
            function: Name of the function.
            arguments: Arguments by name.

        Raises:
            InvalidArgumentError: It rejects the arguments.
            PeerError: It answers that it cannot.
            PeerLostError: Its process ended, or what it wrote is not an answer.

        """
        if self._process is None:
            self._begin()
        arrays: list[Array] = []
        packed = {name: pack(value, arrays) for name, value in arguments.items()}
        return self._ask("call", arrays, group=group, function=function, arguments=packed)

    def stop(self) -> None:
        """Tell it to stop, and see to it that it does."""
        if self._process is not None:
            self._process.stop(encode({"id": self._asked + 1, "command": "stop"}, [])[0])
            self._process = None

    def _begin(self) -> None:
        if self._lost_starts == STARTS:
            msg = f"it was lost {STARTS} times in a row while it was started, and is not tried again"
            raise ProtocolError(msg)
        self._lost_starts += 1
        self._asked = 0
        self._process = Process(self._command, self._folder, self._notes)
        self._description = self._ask("describe", protocol=VERSION)
        if self._device is not None:
            self._make_ready()
        self._lost_starts = 0

    def _make_ready(self) -> None:
        try:
            self._device_name = str(self._ask("start", device=self._device)["device"])
        except PeerError:
            self.stop()
            raise

    def _ask(self, command: str, arrays: Sequence[Array] = (), **fields: Any) -> Any:  # noqa: ANN401 - of a message
        process = self._process
        assert process is not None  # noqa: S101 - for mypy: whoever asks has begun
        self._asked += 1
        receiver = Receiver(command, self._asked)
        try:
            answer = process.exchange(encode({"id": self._asked, "command": command} | fields, arrays), receiver)
            error = answer.fields.get("error")
            result = None if error else unpack(answer.fields["result"], answer.arrays)
        except BaseException as lost:
            # Also where the test's time is over: what such a process would say next does not answer the next question.
            process.kill()
            self._process = None
            if isinstance(lost, PeerLostError | TimeLimitError):
                msg = f"{lost}{process.last_words()}"
                raise type(lost)(msg) from None
            raise
        if error is None:
            return result
        if error["kind"] == "invalid argument":
            raise InvalidArgumentError(error["message"])
        raise PeerError(error["message"] + process.last_words())
