"""Known failures of frameworks: the entries of the files of expectations."""

from __future__ import annotations

from pathlib import Path

from assay.ledger import expectations
from assay.specification.claims import specification
from assay_site.text import link, plain, table

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "Keras 2 (TensorFlow 2.13 and 2.15, tf-keras 2.21)": "reference/expectations/keras-2.toml",
    "Keras 3.0": "reference/expectations/keras-3.0.toml",
    "Keras nightly": "reference/expectations/keras-nightly.toml",
    "Keras 3.15.1 on PyTorch": "alternatives/expectations/keras-torch.toml",
}

INTRODUCTION = """\
# Expected failures

Claims that a released framework does not meet. Each entry comes from a file of expectations, which makes a run fail as
soon as the entry is no longer true. Some entries are defects, others are deliberate changes between versions. The link
leads to what the framework's maintainers say."""


def page() -> str:
    """Return the page."""
    parts = [INTRODUCTION]
    for path in _paths():
        rows = [
            (
                link(entry.claim),
                plain(specification().claims[entry.claim].statement),
                plain(entry.reason),
                f"[upstream]({entry.link})",
            )
            for entry in expectations.read(ROOT / path)
        ]
        parts += [f"## {_title(path)}", f"File: `{path}`", table(["claim", "what holds", "finding", "link"], rows)]
    return "\n\n".join(parts)


def _paths() -> list[str]:
    found = [
        str(path.relative_to(ROOT))
        for folder in ("reference", "alternatives")
        for path in sorted((ROOT / folder / "expectations").glob("*.toml"))
    ]
    return sorted(found, key=lambda path: (path not in FILES.values(), path))


def _title(path: str) -> str:
    return next((title for title, file in FILES.items() if file == path), Path(path).stem)
