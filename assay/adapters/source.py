"""Digest of an adapter's source, which shows whether the adapter changed between two runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType


def digest_of_module(module: ModuleType) -> str:
    """Return the digest of an imported module.

    For a module in a package, it covers all Python files of its folder and subfolders. For another module, it covers
    its own file and the files that it imports, now or later, from its own folder.
    """
    if not (file := getattr(module, "__file__", None)):
        return ""
    path = Path(file)
    return _digest(path.parent.rglob("*.py") if module.__package__ else _collect_imported_files(path))


def digest_of_peer(file: Path, command: Sequence[str]) -> str:
    """Return the digest of a peer: the file with its command, and all files that the command names."""
    return _digest({file, *(path for word in command if (path := file.parent / word).is_file())})


def _collect_imported_files(path: Path) -> set[Path]:
    """Return a file and all files that it imports from its own folder, directly or indirectly."""
    files: set[Path] = set()
    pending = [path]
    while pending:
        if (file := pending.pop()) not in files:
            files.add(file)
            pending += [place for name in _list_imports(file) for place in _files(path.parent / name)]
    return files


def _files(place: Path) -> list[Path]:
    return [place.with_suffix(".py")] if place.with_suffix(".py").is_file() else [*place.rglob("*.py")]


def _list_imports(path: Path) -> Iterator[str]:
    """Yield the top-level name of each import in a file."""
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
