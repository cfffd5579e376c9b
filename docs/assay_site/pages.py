"""Write the generated pages."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import assay
from assay_site import claims, commands, coverage, expected, ledger, limits

NO_KIT = """\
# Adapter kit

This version of Assay has no adapter kit. [Adapters](../adapters.md) describes how to write an adapter without one.
"""


def write(folder: Path) -> None:
    """Write every generated page, and remove those of an earlier build that are no longer there.

    Args:
        folder: Folder of the generated pages. A page that has not changed is left alone, so that Sphinx skips it.

    """
    fresh = dict(_pages())
    for old in folder.rglob("*.md"):
        if str(old.relative_to(folder)) not in fresh:
            old.unlink()
    for name, text in fresh.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _pages() -> Iterator[tuple[str, str]]:
    yield from claims.pages()
    yield "kit.md", _kit()
    yield "cli.md", commands.page()
    yield "coverage.md", coverage.page()
    yield "expected.md", expected.page()
    yield "ledger.md", ledger.page()
    yield "limits.md", limits.page()


def _kit() -> str:
    if importlib.util.find_spec("assay.kit") is None:
        return NO_KIT
    folder = Path(assay.__file__).parent / "kit"
    parts = [_module("assay.kit"), *(_module(f"assay.kit.{path.stem}") for path in sorted(folder.glob("[a-z]*.py")))]
    return "\n\n".join(["# Adapter kit", *parts])


def _module(name: str) -> str:
    return f"```{{eval-rst}}\n.. automodule:: {name}\n```"
