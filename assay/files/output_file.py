"""Files that a command writes: where a name leads, whether it can be written, and how that is done in one step."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from assay.errors import ErrorKind, UserError

HINT = "Name a file in a folder that exists and is writable"


def is_regular(path: Path) -> bool:
    """Whether a name leads to a regular file, or to none yet; devices and pipes are written once, and not replaced."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True


def check(path: Path, what: str) -> Path:
    """Make sure that a file can be written, and return its path from the root.

    Args:
        path: Path of the file. Links are followed.
        what: Name of the file's kind in the message, such as `ledger`.

    Raises:
        UserError: It cannot be written.

    """
    try:
        if not is_regular(path):
            _check_special(path)
            return Path(os.path.abspath(path))  # noqa: PTH100 - `/dev/stdout` leads to what has no path
        target = path.resolve()
        # The name itself may be too long, or its folder not there.
        with suppress(FileNotFoundError):
            target.stat()
        trial = _beside(target)
        trial.touch()
        trial.unlink()
    except (OSError, RuntimeError) as error:
        raise make_error(path, what, error) from None
    return target


def _check_special(path: Path) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(None, "Is a directory")
    if not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
        raise OSError(None, "It is neither a file nor a pipe nor a character device")
    if not os.access(path, os.W_OK):
        raise PermissionError(None, "Permission denied")


def write(path: Path, text: str, what: str) -> None:
    """Write a file; a regular one is replaced in one step, so that a reader or a killed run never sees half of it.

    Raises:
        UserError: It cannot be written.

    """
    content = encode(text)
    try:
        if is_regular(path):
            _replace(path.resolve(), content)
        else:
            _check_special(path)
            _write_special(path, content)
    except OSError as error:
        raise make_error(path, what, error) from None


def _replace(target: Path, content: bytes) -> None:
    temporary = _beside(target)
    try:
        temporary.write_bytes(content)
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _write_special(path: Path, content: bytes) -> None:
    # A pipe that nobody reads from would be waited for, for ever.
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.set_blocking(descriptor, True)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


def _beside(target: Path) -> Path:
    # The file's own name may be as long as a name may be.
    return target.parent / f".assay-{os.getpid()}-{abs(hash(target.name)):x}"[:60]


def encode(text: str) -> bytes:
    """Encode a text, which may hold halves of surrogate pairs: JSON can write them, and UTF-8 cannot."""
    return text.encode("utf-8", "backslashreplace")


def make_error(path: Path, what: str, error: Exception) -> UserError:
    """Return the error of a file that cannot be written; the arguments are those of `write`, and what was raised."""
    why = getattr(error, "strerror", None) or str(error)
    if getattr(error, "errno", None) == errno.ENXIO:
        why = "nothing reads from this pipe"
    return UserError(ErrorKind.UNWRITABLE_FILE, f"the {what} {path} cannot be written: {why}", HINT)
