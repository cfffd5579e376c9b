"""A file that one process at a time may write."""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from assay.errors import ErrorKind, UserError

# The same one for all runs, whatever TMPDIR says.
_FOLDER = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())  # noqa: S108 - see above


def at(path: Path, timeout: float = -1) -> FileLock:
    """Return a lock in a file, which can be written.

    Args:
        path: Path of the file.
        timeout: Seconds to wait for the lock; -1 for as long as it takes.

    Raises:
        OSError: The file cannot be written. The lock itself would wait for that as for another process.

    """
    path.touch()
    return FileLock(path, timeout)


def acquire(path: Path, what: str) -> FileLock | None:
    """Lock a file until the lock is released, or the process ends.

    The lock is a file in the folder for temporary ones: nothing is left beside the file.

    Args:
        path: Path of the file, with links followed.
        what: Name of the file's kind in the message, such as `ledger`.

    Returns:
        The lock; None if no folder can hold it.

    Raises:
        UserError: Another process has locked it.

    """
    folder = _FOLDER / f"assay-locks-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = at(folder / sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:32], timeout=0)
        lock.acquire()
    except Timeout:
        msg = f"another run is writing the {what} {path}"
        raise UserError(ErrorKind.FILE_IN_USE, msg, "Wait for its end, or name another file") from None
    except OSError:
        return None
    return lock
