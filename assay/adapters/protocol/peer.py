"""Requests to a peer, which is started again if it is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.adapters.protocol.errors import InvalidArgumentError, PeerError, PeerLostError, ProtocolError
from assay.adapters.protocol.process import Process
from assay.adapters.protocol.wire import VERSION, Receiver, encode, pack, unpack
from assay.adapters.time_limit import TimeLimitError
from assay.contract import Array

# Number of consecutive losses during the start after which a peer is not tried again.
STARTS = 2


class Peer:
    """A program that speaks the protocol. Its process starts with the first request."""

    def __init__(self, command: Sequence[str], folder: Path, notes: Path | None = None) -> None:
        """Store the command of the peer.

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
            PeerError: The peer does not support this version of the protocol.
            PeerLostError: The process ended, or its output is not an answer.

        """
        if not self._description:
            self._begin()
        return self._description

    def start(self, device: str) -> str:
        """Prepare the peer for a device, now and after every restart, and return the device's name.

        Raises:
            PeerError: The device does not exist.
            PeerLostError: The process ended, or its output is not an answer.

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
            InvalidArgumentError: The peer rejects the arguments.
            PeerError: The peer answers with an error.
            PeerLostError: The process ended, or its output is not an answer.

        """
        if self._process is None:
            self._begin()
        arrays: list[Array] = []
        packed = {name: pack(value, arrays) for name, value in arguments.items()}
        return self._ask("call", arrays, group=group, function=function, arguments=packed)

    def stop(self) -> None:
        """Ask the peer to stop, and make sure that its process ends."""
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
        assert process is not None  # noqa: S101 - for mypy: the process has been started
        self._asked += 1
        receiver = Receiver(command, self._asked)
        try:
            answer = process.exchange(encode({"id": self._asked, "command": command} | fields, arrays), receiver)
            error = answer.fields.get("error")
            result = None if error else unpack(answer.fields["result"], answer.arrays)
        except BaseException as lost:
            # Also on a time limit: otherwise the next output of the process would be taken for the next answer.
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
