"""Configuration of the documentation site: Sphinx with MyST and furo, readable without a network."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from assay_site import claim_pages, pages
from sphinx.application import Sphinx

import assay

project = "Assay"
author = "The Assay maintainers"
copyright = "The Assay maintainers"  # noqa: A001 - Sphinx names it
release = version = assay.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
html_theme = "furo"
html_title = f"Assay {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
exclude_patterns = ["build", "assay_site"]

# `#anchor` links to headings, and definition lists for the glossary.
myst_heading_anchors = 3
myst_enable_extensions = ["deflist", "fieldlist", "attrs_inline"]
# Included pages start below the title of the page that includes them.
suppress_warnings = ["myst.header"]

# Docstrings have Markdown's `code` and the style of Google.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": False}
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# Lines that start with a prompt are copied without it, and output is not copied.
copybutton_prompt_text = "$ "

# Addresses that refuse programs or need an account, and the ones of a machine of one's own.
linkcheck_ignore = [r"https://example\.org/.*", r"http://yann\.lecun\.com/.*"]
linkcheck_timeout = 20

# Before Sphinx looks for its sources.
pages.write(HERE / "generated")


# Pages that commands write, and that a checkout may lack.
WRITTEN = ("findings",)


def leave_out(_application: Sphinx, page: str, source: list[str]) -> None:
    """Take pages that are not there out of the contents: a handler of Sphinx's `source-read`."""
    if page == "index":
        missing = {name for name in WRITTEN if not (HERE / f"{name}.md").exists()}
        source[0] = "\n".join(line for line in source[0].splitlines() if line not in missing)


def setup(application: Sphinx) -> None:
    """Add the pages of claims, and the contents that fit this checkout."""
    application.connect("source-read", leave_out)
    application.connect("html-collect-pages", claim_pages.collect)
    application.connect("html-page-context", claim_pages.SharedSidebar().share, priority=100)
