"""The pytest plugin of `assay smoke`: in the adapter's process it tries step by step, and keeps a journal of it."""

from __future__ import annotations

import json
import time
from argparse import SUPPRESS
from pathlib import Path
from typing import Any

import pytest

from assay.adapters.protocol.errors import PeerLostError
from assay.adapters.proxy import AdapterError, GroupProxy, NonConformanceError, UnsupportedError
from assay.runner import stash
from assay.specification.signatures import functions

journal_key = pytest.StashKey["Journal"]()


class Journal:
    """A file with a line of JSON for each step that was begun, and one for each that was ended."""

    def __init__(self, file: Path) -> None:
        """Take the file, which another process reads."""
        self._file = file

    def write(self, **fields: Any) -> None:  # noqa: ANN401 - plain values
        """Add a line, with the time on the clock that all processes share."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(fields | {"at": time.monotonic()}) + "\n")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where the journal is."""
    parser.addoption("--journal", type=Path, help=SUPPRESS)


def pytest_configure(config: pytest.Config) -> None:
    """Open the journal."""
    config.stash[journal_key] = Journal(config.getoption("journal"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Try the claims in the order in which they were asked for."""
    rank = {id_: rank for rank, id_ in enumerate(config.stash[stash.run_key].claims)}
    # One test may decide a claim that was asked for together with another one that was not.
    items.sort(key=lambda item: min(rank.get(claim.id, len(rank)) for claim in stash.claims_of(item)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Start the adapter and look at its groups; try no claim where it does not start."""
    journal = session.config.stash[journal_key]
    journal.write(begun="start()")
    try:
        started = stash.start(session.config)
    except (AdapterError, PeerLostError) as error:
        journal.write(ended="start()", problem=str(error))
        return True
    journal.write(ended="start()", device=started.device)
    missing = set()
    for name in session.config.stash[stash.run_key].groups:
        journal.write(begun=name)
        answer = _inspect_group(name, started.group(name))
        journal.write(ended=name, **answer)
        missing |= {f"{name}.{function}" for function in answer.get("missing", ())}
    # What they need is not there, and that has been said.
    session.items = [item for item in session.items if not missing & _needs(item)]
    return None


def _needs(item: pytest.Item) -> set[str]:
    return {need for claim in stash.claims_of(item) for need in claim.needs}


def _inspect_group(name: str, group: GroupProxy) -> dict[str, Any]:
    """Return the functions that a group lacks, or what keeps it from being looked at."""
    try:
        return {"missing": [function for function in functions(name) if _is_missing(group, function)]}
    except BaseException as error:  # noqa: BLE001 - an exit does not end it
        return {"problem": str(error) or type(error).__name__}


def _is_missing(group: GroupProxy, function: str) -> bool:
    try:
        getattr(group, function)
    except NonConformanceError:
        return True
    except UnsupportedError:
        return False
    return False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:  # noqa: ANN401 - as pytest has it
    """Note which claim is tried."""
    journal, claim = item.config.stash[journal_key], stash.claims_of(item)[0].id
    journal.write(begun=claim)
    result = yield
    journal.write(ended=claim)
    return result
