"""The channel on which the benchmarks of several processes take turns.

Each message is a line of JSON in a separate pipe, so an implementation's output cannot interfere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import pytest

# Environment variable with the number of the pipe to the scheduler.
NAMED = "ASSAY_TURNS"


class Alone:
    """The channel of a process that runs without a scheduler: it never waits."""

    def known_count(self, _name: str) -> int | None:
        """Return None: the benchmark must determine the number of steps in a round."""
        return None

    def take(self, name: str) -> None:
        """Return at once."""

    def give_back(self, **_measured: Any) -> None:  # noqa: ANN401 - plain values
        """Do nothing."""

    def tell(self, **_message: Any) -> None:  # noqa: ANN401
        """Do nothing."""


class Turns(Alone):
    """The channel of a process whose scheduler lets one process work at a time."""

    def __init__(self, connection: Connection) -> None:
        """Receive the known numbers of steps in a round."""
        self._connection = connection
        self._counts: dict[str, int] = receive(connection)["counts"]

    def known_count(self, name: str) -> int | None:
        """Return the number of steps in a round of an earlier process."""
        return self._counts.get(name)

    def take(self, name: str) -> None:
        """Wait until no other process works.

        Args:
            name: Name of the work to time.

        """
        send(self._connection, ready=name)
        try:
            receive(self._connection)
        except EOFError:
            pytest.exit("the scheduler has ended")

    def give_back(self, **measured: Any) -> None:  # noqa: ANN401 - plain values
        """Send what was measured, and let the next process work."""
        send(self._connection, done=measured)

    def tell(self, **message: Any) -> None:  # noqa: ANN401
        """Send a message about a benchmark without a result, or about the process."""
        send(self._connection, **message)


def open_channel() -> Alone:
    """Return the channel to the scheduler, if one has started this process."""
    pipe = os.environ.get(NAMED)
    return Turns(Connection(int(pipe))) if pipe is not None else Alone()


def send(connection: Connection, **message: Any) -> None:  # noqa: ANN401 - plain values
    """Send a message."""
    connection.send_bytes(json.dumps(message).encode())


def receive(connection: Connection) -> Mapping[str, Any]:
    """Wait for a message.

    Raises:
        EOFError: The other process has ended.

    """
    message: Mapping[str, Any] = json.loads(connection.recv_bytes())
    return message
