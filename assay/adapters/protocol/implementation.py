"""A peer with the interface of an implementation: groups whose functions send calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tomllib import TOMLDecodeError, loads
from typing import Any, get_type_hints

from assay.adapters.protocol.peer import Peer
from assay.contract import PROTOCOLS
from assay.errors import ErrorKind, UserError
from assay.files import input_file

SUFFIX = ".toml"


class PeerImplementation:
    """An implementation whose functions are calls of a peer: see `assay.contract.Implementation`.

    Attributes:
        command: Program and its arguments.

    """

    distributions: Sequence[str] = ()

    def __init__(self, command: Sequence[str], folder: Path, notes: Path | None = None) -> None:
        """Store the command; the process starts with the first request.

        Args:
            command: The program and its arguments.
            folder: Working directory.
            notes: Argument of `assay.adapters.protocol.process.Process`.

        """
        self.command = command
        self._peer = Peer(command, folder, notes)

    @classmethod
    def from_file(cls, file: Path, notes: Path | None = None) -> PeerImplementation:
        """Read the command of a peer from a file; the peer runs in the folder of that file.

        Raises:
            UserError: The file does not exist or has no valid command.

        """
        return cls(_command(file), file.absolute().parent, notes)

    @property
    def name(self) -> str:
        """Name for display and for the ledger."""
        return str(self._peer.description["name"])

    @property
    def version(self) -> str:
        """Version of the adapter."""
        return str(self._peer.description["version"])

    @property
    def frameworks(self) -> dict[str, str]:
        """Versions of its frameworks, by name."""
        return dict(self._peer.description["frameworks"])

    @property
    def groups(self) -> tuple[str, ...]:
        """The declared groups."""
        return tuple(self._peer.description["groups"])

    @property
    def unsupported(self) -> tuple[str, ...]:
        """The functions and models of its groups that it does not support."""
        return tuple(self._peer.description.get("unsupported", ()))

    def start(self, device: str) -> str:
        """Prepare the peer for a device."""
        return self._peer.start(device)

    def stop(self) -> None:
        """End the process."""
        self._peer.stop()

    def __getattr__(self, name: str) -> PeerGroup:
        """Return a group."""
        if name.startswith("_") or name not in self.groups:
            raise AttributeError(name)
        return PeerGroup(self._peer, name)


class PeerGroup:
    """A group of a peer: its functions send calls."""

    def __init__(self, peer: Peer, name: str) -> None:
        """Store the peer and the name of the group."""
        self._peer = peer
        self._name = name

    def __getattr__(self, function: str) -> Callable[..., Any]:
        """Return a function of the contract that the peer has."""
        if function not in self._peer.description["groups"][self._name]:
            raise AttributeError(function)
        return partial(self._call, function, getattr(PROTOCOLS[self._name], function))

    def _call(self, function: str, declared: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        # Omitted arguments stay omitted: the implementation knows their defaults.
        arguments = inspect.signature(declared).bind(None, *args, **kwargs).arguments
        del arguments["self"]
        return _to_named_tuple(self._peer.call(self._name, function, arguments), get_type_hints(declared)["return"])


def _to_named_tuple(result: Any, kind: Any) -> Any:  # noqa: ANN401 - a result of any function, and its type
    """Convert elements to a named tuple of the contract; `assay.adapters.return_types` checks the result."""
    fields = getattr(kind, "_fields", ())
    return kind(*result) if fields and isinstance(result, tuple) and len(result) == len(fields) else result


def _command(file: Path) -> list[str]:
    hint = 'Add a line such as `command = ["node", "main.js"]`'
    try:
        content = loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        called = "An implementation whose name ends in .toml is a file that says how it is started"
        raise input_file.make_error(file, "peer", error, called) from None
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"the peer {str(file)!r} is not TOML: {error}"
        raise UserError(ErrorKind.INVALID_SYNTAX, msg, hint) from None
    command = content.get("command")
    if content.keys() != {"command"} or not isinstance(command, list) or not command:
        msg = f"the peer {str(file)!r} does not say, or not only, how it is started"
        raise UserError(ErrorKind.INVALID_ADAPTER, msg, hint)
    if not all(isinstance(part, str) and "\0" not in part for part in command):
        msg = f"the peer {str(file)!r}: a part of its command is not text"
        raise UserError(ErrorKind.INVALID_ADAPTER, msg, hint)
    return command
