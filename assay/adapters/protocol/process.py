"""A peer's process: sending and receiving bytes, and its termination in any case."""

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

# Seconds for a process to end after it has closed a stream or was asked to stop.
END_SECONDS = 2.0
# Interval of checks on a silent process, whose children may keep its streams open after its end.
POLL_SECONDS = 0.2
# Size of the pipes and of reads; a large size makes the two processes wait less often for each other.
CHUNK = 2**20
# Number of bytes of standard error quoted in a reason, and the prefix of each line.
LAST_BYTES = 2000
LAST_WORDS = "  stderr: "


class Process:
    """A process in a separate process group, so that its children end with it.

    It is read only while an answer is due. Its output is then always drained, so that it and its reader never wait for
    each other. Output at other times fills a pipe, but no memory.
    """

    def __init__(self, command: Sequence[str], folder: Path, notes: Path | None) -> None:
        """Start the process.

        Args:
            command: The program and its arguments.
            folder: Working directory.
            notes: Folder with a note of the process id while the process lives, for `end_all`.

        Raises:
            OSError: The program does not exist, or is not executable.

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
            preexec_fn=ending_with_parent(),  # noqa: PLW1509 - makes two system calls
        )
        streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._in, self._out, self._err = (stream.fileno() for stream in streams if stream is not None)
        for descriptor in (self._in, self._out, self._err):
            os.set_blocking(descriptor, False)
            # Only Linux supports this, and it limits the total size of a user's pipes.
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
                # Checked before its output is read, so that the last output counts.
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
        """Write as much as the pipe accepts, and return whether there is more."""
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
        """Raise the error that explains why a stream is closed."""
        part = " after a part of its answer" if receiver is not None and receiver.begun else ""
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            msg = f"it closed its {stream}{part}, and did not end"
            raise ProtocolError(msg) from None
        msg = f"the process of the implementation ended{part}: {describe_end(status)}"
        raise CrashError(msg)

    def _listen(self) -> bool:
        """Read the pipe of standard error, and return whether there may be more."""
        try:
            while chunk := os.read(self._err, CHUNK):
                self._said = (self._said + chunk)[-LAST_BYTES:]
        except BlockingIOError:
            return True
        return False

    def last_words(self) -> str:
        """Return the end of its standard error, as lines to append to a message."""
        lines = self._said.decode(errors="replace").splitlines()
        kept = (
            "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
            for line in lines
        )
        return "".join(f"\n{LAST_WORDS}{line}" for line in kept)

    def stop(self, request: memoryview) -> None:
        """Send a last message, and make sure that the process ends soon."""
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(self._in, request)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kill the process and its children."""
        _end_group(self._process.pid)
        self._process.wait()
        self._listen()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        if self._note is not None:
            self._note.unlink(missing_ok=True)


def end_all(notes: Path) -> None:
    """End orphaned processes, whose parent was killed."""
    for note in notes.glob("peer-*"):
        _end_group(int(note.name.partition("-")[2]))


def _end_group(leader: int) -> None:
    # macOS refuses to signal a group in which only a zombie leader is left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
