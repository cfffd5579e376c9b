"""Template of an adapter: a working module, its tox environment and a CI workflow."""

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
from assay.adapters.loading import list_implementations
from assay.contract import GROUPS
from assay.errors import ErrorKind, UserError
from assay.specification.claims import specification
from assay.specification.signatures import functions, signature

# The group in the template, the smallest complete one.
WRITTEN = "datasets"
ADAPTER = {"{name}.py": "adapter.py.jinja"}
# For a subprocess: a program in any language, and the file with its command.
PEER = {"{name}.py": None, "{name}.toml": "peer.toml.jinja"}
AROUND = {"tox.ini": "tox.ini.jinja", ".github/workflows/{name}.yml": "workflow.yml.jinja"}
EXAMPLE = Path(assay.__file__).parent / "alternatives" / "plain" / "peer.py"
WIDTH = 110
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def write(
    name: str, folder: Path, requirement: str, *, subprocess: bool = False, frameworks: Sequence[str] = ()
) -> list[Path]:
    """Write the files, unless one of them exists.

    Args:
        name: Name of the module.
        folder: Folder of the files; created if missing.
        requirement: Requirement from which tox installs Assay.
        subprocess: Whether the adapter is a separate program that speaks the protocol.
        frameworks: Requirements of the adapter, which tox installs and whose versions the ledger records.

    Returns:
        The files.

    Raises:
        UserError: The name is not a module name or is taken, or a file exists or cannot be written.

    """
    _check_name(name)
    templates = (PEER if subprocess else ADAPTER) | AROUND
    files = {folder / path.format(name=name): template for path, template in templates.items()}
    if there := [path for path in files if path.exists()]:
        msg = f"{there[0]} is there already, and nothing is overwritten"
        raise UserError(
            ErrorKind.EXISTING_FILE, msg, "Choose another folder with -o, and copy what you need from there"
        )
    if name in list_implementations() or name in sys.modules or util.find_spec(name) is not None:
        msg = f"{name!r} is the name of what can be imported here already"
        raise UserError(
            ErrorKind.INVALID_ARGUMENT, msg, "It might be imported instead of the new module: choose another name"
        )
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
        raise UserError(ErrorKind.UNWRITABLE_FILE, msg, "Choose a writable folder with -o") from None
    return list(texts)


def _distribution(requirement: str) -> str:
    """Return the package name of a requirement, such as `torch` for `torch>=2.4`."""
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement.strip())
    if found is None:
        msg = f"{requirement!r} is not a requirement of pip"
        raise UserError(ErrorKind.INVALID_ARGUMENT, msg, "It must begin with the name of a package, as in torch>=2.4")
    return found[0]


def action(requirement: str) -> str | None:
    """Return the GitHub action of the installed version of Assay, if it was installed from GitHub."""
    found = re.search(r"git\+https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?@(\w[\w./-]*)$", requirement)
    return f"{found[1]}@{found[2]}" if found else None


def _check_name(name: str) -> None:
    # Jobs of GitHub and environments of tox may only have ASCII letters.
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
        msg = f"{name!r} cannot name a Python module"
        raise UserError(
            ErrorKind.INVALID_ARGUMENT, msg, "It consists of letters, digits and underscores, such as my_adapter"
        )


def _peer(name: str) -> str:
    return EXAMPLE.read_text(encoding="utf-8").replace('"name": "plain"', f'"name": "{name}"')


def _still_to_write() -> dict[str, list[str]]:
    """Return the functions of the other groups, as lines under the group and its number of claims."""
    claims = specification().claims.values()
    return {
        f"{group}, {sum(group in claim.groups for claim in claims)} claims": [
            line for function in functions(group) for line in _wrap(signature(group, function))
        ]
        for group in GROUPS
        if group != WRITTEN
    }


def _wrap(text: str) -> list[str]:
    # Lines may break only at the space after a comma.
    fixed = re.sub("(?<!,) ", NO_BREAK_SPACE, text)
    return [line.replace(NO_BREAK_SPACE, " ") for line in wrap(fixed, WIDTH, subsequent_indent=4 * NO_BREAK_SPACE)]


def requirement() -> str:
    """Return a requirement for the installed version of Assay: its address if it has one, else its version on PyPI.

    Its origin is in `direct_url.json`: see the packaging specification "Direct URL".
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
