"""Loading an implementation by name, without trusting it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import reduce
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from assay import DISTRIBUTION
from assay.adapters.plain_text import describe_error, plain
from assay.adapters.protocol.errors import PeerError, PeerLostError
from assay.adapters.protocol.implementation import SUFFIX, PeerImplementation
from assay.adapters.protocol.process import LAST_WORDS
from assay.adapters.source import digest_of_module, digest_of_peer
from assay.adapters.time_limit import TimeLimitError, limit
from assay.contract import GROUPS, Implementation
from assay.errors import ErrorKind, UserError
from assay.specification.signatures import parts

DEFAULT_ATTRIBUTE = "implementation"
CALLED = "An implementation is named as package.module[:attribute], by an entry point, or by a file in TOML"
# The time budget of the whole core profile, as a limit for an import.
PROBE_SECONDS = 60


@dataclass(frozen=True)
class Description:
    """Description of an implementation, available before it starts.

    Attributes:
        name: Name for display.
        version: Version of the adapter.
        frameworks: Installed versions, by package.
        groups: Declared groups.
        source: Digest of its source; empty if unknown.
        unsupported: Functions and models that it leaves out of these groups, such as `ops.lstm` and `models.rnn`.

    """

    name: str
    version: str
    frameworks: dict[str, str]
    groups: tuple[str, ...]
    source: str = ""
    unsupported: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Description:
        """Read plain values, as they come from another process."""
        frameworks = {plain(name): plain(version) for name, version in values["frameworks"].items()}
        name, version, source = (plain(values[key]) for key in ("name", "version", "source"))
        unsupported = tuple(map(plain, values.get("unsupported", ())))
        return cls(name, version, frameworks, tuple(values["groups"]), source, unsupported)


def list_implementations() -> dict[str, str]:
    """Return the implementations named by entry points: name to `module:attribute`."""
    return {point.name: point.value for point in metadata.entry_points(group="assay.implementations")}


def load(name: str, notes: Path | None = None) -> Implementation:
    """Import and check an implementation, or create a peer without starting it.

    Args:
        name: Name, as on the command line; a name that ends in `.toml` is the file of a peer.
        notes: Folder for the ids of a peer's processes, which must outlive this process.

    Raises:
        UserError: The module, attribute or file does not exist, importing it fails, or it lacks an attribute that
            every implementation has; the message says which.

    """
    if name.endswith(SUFFIX):
        return PeerImplementation.from_file(Path(name), notes)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    module_name, _, attribute = list_implementations().get(name, name).partition(":")
    module = _import(name, module_name)
    try:
        implementation = reduce(getattr, (attribute or DEFAULT_ATTRIBUTE).split("."), module)
    except AttributeError:
        msg = f"implementation {name!r}: module {module_name} has no attribute {attribute or DEFAULT_ATTRIBUTE!r}"
        raise UserError(ErrorKind.UNKNOWN_IMPLEMENTATION, msg, CALLED) from None
    _check(name, implementation)
    return implementation  # type: ignore[return-value]  # ensured by _check


def _module_name(name: str) -> str:
    return list_implementations().get(name, name).partition(":")[0]


def _import(name: str, module_name: str) -> object:
    try:
        return import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            names = list_implementations()
            near = get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(sorted(names))}. {CALLED}"
            msg = f"unknown implementation {name!r}: no module named {error.name!r}"
            raise UserError(ErrorKind.UNKNOWN_IMPLEMENTATION, msg, hint) from None
        msg = f"implementation {name!r} needs the package {error.name!r}, which is not installed"
        raise UserError(ErrorKind.MISSING_PACKAGE, msg, _install_hint(name, str(error.name))) from None
    except (TypeError, ValueError):
        msg = f"{name!r} does not name an implementation"
        raise UserError(ErrorKind.UNKNOWN_IMPLEMENTATION, msg, CALLED) from None
    except Exception as error:  # noqa: BLE001 - reported to the user
        msg = f"implementation {name!r}: importing {module_name} raised {describe_error(error)}"
        raise UserError(ErrorKind.BROKEN_ADAPTER, msg, f"Try `python -c 'import {module_name}'`") from None


def _install_hint(name: str, package: str) -> str:
    """Suggest the extra that installs the package of an implementation, or else the package."""
    requirements = metadata.requires(DISTRIBUTION) or []
    brings = re.compile(rf"{re.escape(package)}\b(?!-).*extra == ['\"]{re.escape(name)}['\"]")
    what = f"-e '.[{name}]'" if any(map(brings.match, requirements)) else package
    return f"Install it with `pip install {what}`"


def _check(name: str, implementation: object) -> None:
    expected = [member for member in vars(Implementation) if not member.startswith("_")]
    for attribute in expected:
        if not hasattr(implementation, attribute):
            msg = f"{name!r} is not an implementation: it has no {attribute!r}"
            raise UserError(
                ErrorKind.INVALID_ADAPTER,
                msg,
                f"The contract asks for {', '.join(expected)} (assay/contract/implementation.py)",
            )
    groups = implementation.groups  # type: ignore[attr-defined]  # checked above
    if unknown := [group for group in groups if group not in GROUPS]:
        msg = f"{name!r} declares the group {unknown[0]!r}, which the contract does not have"
        raise UserError(ErrorKind.INVALID_ADAPTER, msg, f"It has {', '.join(GROUPS)}")
    _check_unsupported(name, groups, read_unsupported(implementation))


def read_unsupported(implementation: object) -> tuple[str, ...]:
    """Return the functions and models that an implementation declares as unsupported in its groups."""
    return tuple(map(str, getattr(implementation, "unsupported", ())))


def _check_unsupported(name: str, groups: Sequence[str], unsupported: Sequence[str]) -> None:
    for entry in unsupported:
        group, _, part = entry.partition(".")
        if group not in groups or part not in parts(group):
            msg = f"{name!r} leaves out {entry!r}, which is not a function or a model of a group that it declares"
            raise UserError(ErrorKind.INVALID_ADAPTER, msg, "`unsupported` has entries such as ops.lstm and models.rnn")


def describe(name: str) -> Description:
    """Import an implementation and read its description.

    Raises:
        UserError: Loading fails, or a declared package is not installed.

    """
    implementation = load(name)
    frameworks: dict[str, str] = {}
    for distribution in implementation.distributions:
        installed = {one: version for one in distribution.split("|") if (version := _version(one)) is not None}
        if not installed:
            package = distribution.partition("|")[0]
            msg = f"implementation {name!r} needs the package {package!r}, which is not installed"
            raise UserError(ErrorKind.MISSING_PACKAGE, msg, _install_hint(name, package))
        frameworks |= dict([next(iter(installed.items()))])
    module = sys.modules[_module_name(name)]
    return Description(
        str(implementation.name),
        str(implementation.version),
        frameworks,
        tuple(implementation.groups),
        digest_of_module(module),
        read_unsupported(implementation),
    )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def probe(name: str, seconds: float | None = None) -> Description:
    """Describe an implementation in a child process, which it may crash, end or block.

    Args:
        name: Name of the implementation.
        seconds: Time limit; None for `PROBE_SECONDS`.

    Raises:
        UserError: The description fails, or the process ends early.

    """
    seconds = PROBE_SECONDS if seconds is None else seconds
    if name.endswith(SUFFIX):
        return _ask(name, seconds)
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "assay.adapters.loading", name, str(answer)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            process = subprocess.run(  # noqa: S603 - this interpreter, on our own module
                command, env=environment, capture_output=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            msg = f"implementation {name!r} was not imported within {seconds:g} s"
            raise UserError(
                ErrorKind.BROKEN_ADAPTER, msg, "Load frameworks and data in start(), not on import"
            ) from None
        if not answer.exists():
            last = process.stderr.decode(errors="replace").strip().splitlines()[-1:]
            msg = f"implementation {name!r} ended the process that imported it (exit status {process.returncode})"
            raise UserError(ErrorKind.BROKEN_ADAPTER, msg, f"It said: {last[0]}" if last else "")
        content: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in content:
        raise UserError(ErrorKind(content["kind"]), content["error"])
    return Description.from_dict(content)


def _ask(name: str, seconds: float) -> Description:
    """Request the description of a peer."""
    peer = PeerImplementation.from_file(Path(name))
    try:
        with limit(seconds, None):
            source = digest_of_peer(Path(name), peer.command)
            _check_unsupported(name, peer.groups, peer.unsupported)
            return Description(peer.name, peer.version, peer.frameworks, peer.groups, source, peer.unsupported)
    except OSError as error:
        msg = f"the peer {name!r} cannot be started: {error.filename}: {error.strerror}"
        raise UserError(
            ErrorKind.BROKEN_ADAPTER,
            msg,
            "Its command runs in the folder of its file; a program is looked for as a shell does",
        ) from None
    except (PeerError, PeerLostError, TimeLimitError) as error:
        first, *rest = str(error).splitlines()
        msg = f"the peer {name!r} does not describe itself: {first}"
        said = [words for line in rest if (words := line.partition(LAST_WORDS)[2].strip())]
        raise UserError(ErrorKind.BROKEN_ADAPTER, msg, f"It said: {said[-1]}" if said else "") from None
    finally:
        peer.stop()


def _answer(name: str, path: Path) -> None:
    try:
        content = asdict(describe(name))
    except UserError as error:
        content = {"kind": error.kind, "error": str(error)}
    except Exception as error:  # noqa: BLE001 - an attribute may raise anything
        msg = f"implementation {name!r} does not describe itself: it raised {describe_error(error)}"
        content = {"kind": ErrorKind.BROKEN_ADAPTER, "error": msg}
    path.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    _answer(sys.argv[1], Path(sys.argv[2]))
    # Exit without waiting for threads that the import has started, or for exit handlers.
    os._exit(0)
