"""A digest of an adapter's source, which tells when the adapter was changed between two runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType


def digest_of_module(module: ModuleType) -> str:
    """Return the digest of a module that has been imported.

    Of a module in a package, that is all Python files of its folder and of the folders below. Of another one, it is its
    own file and what it imports, now or later, from its own folder.
    """
    if not (file := getattr(module, "__file__", None)):
        return ""
    path = Path(file)
    return _digest(path.parent.rglob("*.py") if module.__package__ else _reached_from(path))


def digest_of_peer(file: Path, command: Sequence[str]) -> str:
    """Return the digest of a peer: of the file that says how it is started, and of all files that its command names."""
    return _digest({file, *(path for word in command if (path := file.parent / word).is_file())})


def _reached_from(path: Path) -> set[Path]:
    """Return a file and those that it imports from its own folder, directly or not."""
    found: set[Path] = set()
    pending = [path]
    while pending:
        if (one := pending.pop()) not in found:
            found.add(one)
            pending += [place for name in _imported(one) for place in _files(path.parent / name)]
    return found


def _files(place: Path) -> list[Path]:
    return [place.with_suffix(".py")] if place.with_suffix(".py").is_file() else [*place.rglob("*.py")]


def _imported(path: Path) -> Iterator[str]:
    """Yield the first part of each name that a file imports anywhere."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def _digest(paths: Iterable[Path]) -> str:
    found = sha256()
    for path in sorted(paths):
        try:
            content = path.read_bytes()
        except OSError:
            continue
        found.update(f"{path.name} {len(content)}\n".encode("utf-8", "surrogateescape") + content)
    return found.hexdigest()
