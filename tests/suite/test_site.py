"""The documentation site: it builds without a warning, and its pages and links are all there."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from filelock import FileLock

from assay.specification.claims import specification

pytest.importorskip("sphinx")
pytest.importorskip("furo")
pytest.importorskip("myst_parser")
pytest.importorskip("sphinx_copybutton")

ROOT = Path(__file__).resolve().parents[2]
# Attributes that make a browser load something.
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}

POINTERS = {"next", "prev", "canonical", "index", "search", "genindex"}


class Page(HTMLParser):
    """The links, the anchors and the loaded files of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        # Some links are pointers for readers, and load nothing.
        if values.get(LOADED.get(tag, "")) and values.get("rel") not in {
            "next",
            "prev",
            "canonical",
            "index",
            "search",
        }:
            self.loaded.append(values[LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Build the site with warnings as errors, once for all workers of the run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "site"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", f"{folder}.trees"]
            built = subprocess.run([*command, ROOT / "docs", folder], capture_output=True, text=True, check=False)
            (folder / "said.txt").write_text(f"{built.returncode}\n{built.stderr}", encoding="utf-8")
    assert (folder / "said.txt").read_text(encoding="utf-8") == "0\n"
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Return all pages by their path."""
    return {path: Page(path) for path in site.rglob("*.html")}


def is_external(link: str) -> bool:
    return bool(re.match(r"[a-z]+:|//", link))


def test_every_internal_link_leads_to_a_page_and_an_anchor(site: Path, pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in filter(lambda link: not is_external(link), page.links):
            name, _, anchor = unquote(link).partition("#")
            target = (path.parent / name).resolve() if name else path
            if target.suffix == ".html" and target in pages:
                if anchor and anchor not in pages[target].anchors:
                    broken.append((str(path.relative_to(site)), link))
            elif not target.is_file():
                broken.append((str(path.relative_to(site)), link))
    assert broken == []


def test_a_reader_without_a_network_misses_nothing(site: Path, pages: dict[Path, Page]) -> None:
    remote = {(str(path.relative_to(site)), link) for path, page in pages.items() for link in page.loaded}
    assert [(path, link) for path, link in sorted(remote) if is_external(link) and not link.startswith("data:")] == []


def test_every_claim_has_a_page_with_its_statement(site: Path) -> None:
    lost = []
    for claim in specification().claims.values():
        path = site / "generated" / "claims" / f"{claim.id}.html"
        if not path.exists() or claim.id not in path.read_text(encoding="utf-8"):
            lost.append(claim.id)
    assert lost == []


@pytest.mark.parametrize(
    "name",
    [
        "tutorial",
        "ci",
        "glossary",
        "api",
        "errata",
        "errata-zh",
        "generated/cli",
        "generated/ledger",
        "generated/expected",
    ],
)
def test_a_page_is_in_the_sidebar(name: str, site: Path, pages: dict[Path, Page]) -> None:
    assert f"{name}.html" in pages[site / "index.html"].links


def test_the_ci_guide_is_within_two_clicks_of_the_readme() -> None:
    def links(page: Path) -> set[Path]:
        found = re.findall(r"\]\(([^)#:]+\.md)", page.read_text(encoding="utf-8"))
        return {(page.parent / link).resolve() for link in found}

    first = links(ROOT / "README.md")
    second = {page for one in first for page in links(one)}
    assert ROOT / "docs" / "ci.md" in first | second


def test_the_command_line_page_has_every_command(site: Path) -> None:
    text = (site / "generated" / "cli.html").read_text(encoding="utf-8")
    headings: Any = set(re.findall(r"<h[23]>([a-z ]+)<a", text))
    assert {"assay run", "assay claims", "assay claims errata", "assay compare"} <= headings
