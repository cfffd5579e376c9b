"""An adapter to begin with: a module that works, its tox environment and a CI workflow."""

from __future__ import annotations

import json
import keyword
import re
import sys
from collections.abc import Sequence
from importlib import metadata, util
from pathlib import Path
from textwrap import wrap

from jinja2 import Environment, PackageLoader, StrictUndefined

import assay
from assay import DISTRIBUTION, __version__
from assay.adapters.loading import known
from assay.contract import GROUPS
from assay.errors import UserError
from assay.specification.claims import specification
from assay.specification.signatures import functions, signature

# The group that the adapter has from the start: the shortest one that is whole.
WRITTEN = "datasets"
ADAPTER = {"{name}.py": "adapter.py.jinja"}
# In another process: a program in any language, and the file that says how to start it.
PEER = {"{name}.py": None, "{name}.toml": "peer.toml.jinja"}
AROUND = {"tox.ini": "tox.ini.jinja", ".github/workflows/{name}.yml": "workflow.yml.jinja"}
EXAMPLE = Path(assay.__file__).parent / "alternatives" / "plain" / "peer.py"
WIDTH = 110
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def write(
    name: str, folder: Path, requirement: str, *, subprocess: bool = False, frameworks: Sequence[str] = ()
) -> list[Path]:
    """Write the files, unless one of them is there.

    Args:
        name: Name of the module.
        folder: Folder of the files; it is made if it is missing.
        requirement: Requirement from which tox installs Assay.
        subprocess: Whether the adapter is a program of its own, which speaks the protocol.
        frameworks: Requirements of the adapter, which tox installs and whose versions the ledger names.

    Returns:
        The files.

    Raises:
        UserError: The name cannot name a module, or is taken; a file is there already, or cannot be written.

    """
    _check_name(name)
    templates = (PEER if subprocess else ADAPTER) | AROUND
    files = {folder / path.format(name=name): template for path, template in templates.items()}
    if there := [path for path in files if path.exists()]:
        msg = f"{there[0]} is there already, and nothing is overwritten"
        raise UserError(msg, "Name another folder with -o, and take over from there what you need")
    if name in known() or name in sys.modules or util.find_spec(name) is not None:
        msg = f"{name!r} is the name of what can be imported here already"
        raise UserError(msg, "It might be found in the place of the new module: take another name")
    environment = Environment(  # noqa: S701 - no HTML
        loader=PackageLoader("assay.cli"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    called = f"{name}.toml" if subprocess else name
    values = {
        "name": name,
        "called": called,
        "requirement": requirement,
        "frameworks": frameworks,
        "distributions": ["numpy", *map(_distribution, frameworks)],
        "action": action(requirement),
        "required": WRITTEN,
        "next": _still_to_write(),
    }
    texts = {
        path: environment.get_template(template).render(values) if template else _peer(name)
        for path, template in files.items()
    }
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{error.filename} cannot be written: {error.strerror}"
        raise UserError(msg, "Name a folder that is writable with -o") from None
    return list(texts)


def _distribution(requirement: str) -> str:
    """Return the name of the package that a requirement asks for, such as `torch` of `torch>=2.4`."""
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement.strip())
    if found is None:
        msg = f"{requirement!r} is not a requirement of pip"
        raise UserError(msg, "It begins with the name of a package, as in torch>=2.4")
    return found[0]


def action(requirement: str) -> str | None:
    """Return the GitHub action of this very Assay, if it was installed from a repository there."""
    found = re.search(r"git\+https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?@(\w[\w./-]*)$", requirement)
    return f"{found[1]}@{found[2]}" if found else None


def _check_name(name: str) -> None:
    # GitHub and tox give their jobs and environments no other letters than ASCII's.
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
        msg = f"{name!r} cannot name a Python module"
        raise UserError(msg, "It consists of letters, digits and underscores, such as my_adapter")


def _peer(name: str) -> str:
    return EXAMPLE.read_text(encoding="utf-8").replace('"name": "plain"', f'"name": "{name}"')


def _still_to_write() -> dict[str, list[str]]:
    """Return what the other groups need, line by line, under the group and the number of its claims."""
    claims = specification().claims.values()
    return {
        f"{group}, {sum(group in claim.groups for claim in claims)} claims": [
            line for function in functions(group) for line in _wrapped(signature(group, function))
        ]
        for group in GROUPS
        if group != WRITTEN
    }


def _wrapped(written: str) -> list[str]:
    # Lines end with a comma: the space behind it is the only one where textwrap may break.
    fixed = re.sub("(?<!,) ", NO_BREAK_SPACE, written)
    return [line.replace(NO_BREAK_SPACE, " ") for line in wrap(fixed, WIDTH, subsequent_indent=4 * NO_BREAK_SPACE)]


def requirement() -> str:
    """Return what installs this very Assay again: an address if it came from one, else its version from the index.

    Where it came from stands in `direct_url.json`: see the packaging specification "Direct URL".
    """
    try:
        text = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        text = None
    if text is None:
        return f"{DISTRIBUTION}=={__version__}"
    origin = json.loads(text)
    vcs = origin.get("vcs_info")
    address = f"{vcs['vcs']}+{origin['url']}@{vcs['commit_id']}" if vcs else origin["url"]
    return f"{DISTRIBUTION} @ {address}"
