"""One life of a peer's process: bytes to it, bytes from it, and its end, whatever it does."""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from assay.adapters.parentage import describe_end, ending_with_parent
from assay.adapters.protocol.errors import CrashError, ProtocolError
from assay.adapters.protocol.wire import Message, Receiver, excerpt

# How long a process that has closed a stream, or was asked to stop, may take to end.
END_SECONDS = 2.0
# How often a process that says nothing is looked after: what it started may keep its streams open.
POLL_SECONDS = 0.2
# As much as a pipe is made to hold, and is read from it at once: the two wait less often for each other.
CHUNK = 2**20
# As much of its standard error as belongs into a reason, and what stands before each line of it there.
LAST_BYTES = 2000
LAST_WORDS = "  stderr: "


class Process:
    """A process, in a group of its own, so that what it starts ends with it.

    It is listened to only while it owes an answer. Whatever it writes then is taken from it, so that it never waits
    for its reader while its reader waits for it; what it writes at other times fills a pipe and no memory.
    """

    def __init__(self, command: Sequence[str], folder: Path, notes: Path | None) -> None:
        """Start it.

        Args:
            command: The program and its arguments.
            folder: Working directory.
            notes: A folder that knows its id as long as it lives, for `end_all`.

        Raises:
            OSError: The program does not exist, or may not be run.

        """
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(  # noqa: S603 - the command that the user named
            command,
            cwd=folder,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            bufsize=0,
            start_new_session=True,
            preexec_fn=ending_with_parent(),  # noqa: PLW1509 - it makes two calls of the system
        )
        streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._in, self._out, self._err = (stream.fileno() for stream in streams if stream is not None)
        for descriptor in (self._in, self._out, self._err):
            os.set_blocking(descriptor, False)
            # Linux alone can do that, and not for more pipes than a user may have of that size.
            with suppress(AttributeError, OSError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, CHUNK)
        self._said = b""
        self._note = None if notes is None else notes / f"peer-{self._process.pid}"
        if self._note is not None:
            self._note.touch()

    def exchange(self, request: Sequence[memoryview], receiver: Receiver) -> Message:
        """Write a message, and read its answer.

        Args:
            request: The message, piece by piece.
            receiver: The receiver that assembles the answer.

        Raises:
            CrashError: The process ended.
            ProtocolError: The peer's output is not an answer, or it closed a stream.

        """
        pending = deque(request)
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            if selector.select(0) and (unasked := self._read()):
                msg = f"it wrote without having been asked: {excerpt(unasked)}"
                raise ProtocolError(msg)
            selector.register(self._err, selectors.EVENT_READ)
            selector.register(self._in, selectors.EVENT_WRITE)
            while True:
                # Asked before what it wrote is looked at: its last words count.
                ended = self._process.poll() is not None
                ready = [key.fd for key, _ in selector.select(POLL_SECONDS)]
                if self._err in ready and not self._listen():
                    selector.unregister(self._err)
                if self._in in ready and not self._write(pending):
                    selector.unregister(self._in)
                if self._out in ready and (message := receiver.feed(self._read(receiver))) is not None:
                    if pending:
                        msg = "it answers before it has read what it is asked"
                        raise ProtocolError(msg)
                    self._listen()
                    return message
                if ended and self._out not in ready:
                    self._lose("standard output", receiver)

    def _write(self, pending: deque[memoryview]) -> bool:
        """Write what the pipe takes, and say whether there is more."""
        try:
            written = os.write(self._in, pending[0][:CHUNK])
        except BrokenPipeError:
            self._lose("standard input")
        rest = pending.popleft()[written:]
        if rest:
            pending.appendleft(rest)
        return bool(pending)

    def _read(self, receiver: Receiver | None = None) -> bytes:
        chunk = os.read(self._out, CHUNK)
        if not chunk:
            self._lose("standard output", receiver)
        return chunk

    def _lose(self, stream: str, receiver: Receiver | None = None) -> NoReturn:
        """Say why nothing more goes through a stream."""
        part = " after a part of its answer" if receiver is not None and receiver.begun else ""
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            msg = f"it closed its {stream}{part}, and did not end"
            raise ProtocolError(msg) from None
        msg = f"the process of the implementation ended{part}: {describe_end(status)}"
        raise CrashError(msg)

    def _listen(self) -> bool:
        """Take what is in the pipe of standard error, and say whether there may be more."""
        try:
            while chunk := os.read(self._err, CHUNK):
                self._said = (self._said + chunk)[-LAST_BYTES:]
        except BlockingIOError:
            return True
        return False

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error, as lines to go on with after a message."""
        lines = self._said.decode(errors="replace").splitlines()
        kept = (
            "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
            for line in lines
        )
        return "".join(f"\n{LAST_WORDS}{line}" for line in kept)

    def stop(self, request: memoryview) -> None:
        """Write a last message, and make sure that the process is gone soon."""
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(self._in, request)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End the process and what it has started."""
        _end_group(self._process.pid)
        self._process.wait()
        self._listen()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        if self._note is not None:
            self._note.unlink(missing_ok=True)


def end_all(notes: Path) -> None:
    """End the processes that are left, because what had started them was itself ended."""
    for note in notes.glob("peer-*"):
        _end_group(int(note.name.partition("-")[2]))


def _end_group(leader: int) -> None:
    # macOS does not permit to end a group of which only the body of its leader is left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
