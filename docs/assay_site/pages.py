"""Write the generated pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assay_site import claims, commands, coverage, findings, ledger, limits


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
    yield "cli.md", commands.page()
    yield "coverage.md", coverage.page()
    yield "findings.md", findings.page()
    yield "ledger.md", ledger.page()
    yield "limits.md", limits.page()
