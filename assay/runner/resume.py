"""Conditions under which a run can be resumed, and the ledger that it continues."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from assay import __version__
from assay.errors import ErrorKind, UserError
from assay.ledger import ledger
from assay.ledger.ledger import Ledger
from assay.runner.run import Run
from assay.specification.claims import specification

# Packages that draw the inputs and compute the expected results.
PACKAGES = ("autograd", "hypothesis", "numpy", "scipy")
# Prefix of conditions that are compared, but whose values are not shown.
DIGEST = "digest of "
HINT = "Repeat the options and versions of that run, or leave out --resume to begin again"


def conditions(run: Run, digests: Mapping[str, str], sources: Mapping[str, str]) -> dict[str, str]:
    """Return all conditions that determine the rows of a run, by name.

    Args:
        run: The run.
        digests: Digest of each claim and its tests.
        sources: Source of each data set.

    """
    described = run.description
    frameworks = described.frameworks if described else {}
    return {
        "version of the suite": __version__,
        "digest of the document": specification().document,
        "digest of the specification": _digest(digests),
        "name of the implementation": run.implementation,
        "version of the adapter": described.version if described else "",
        "digest of the adapter's source": described.source if described else "",
        "list of groups": ", ".join(run.groups),
        **{f"version of {name}": version for name, version in frameworks.items()},
        "version of Python": platform.python_version(),
        **{f"version of {name}": metadata.version(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "device": run.device,
        "precision": run.precision,
        "seed": str(run.seed),
        "profile": run.profile,
        "shard": f"{run.shard.number}/{run.shard.of}" if run.shard else "",
        "list of claims": ", ".join(run.claims),
        "list of required groups": ", ".join(run.required),
        "digest of the expectations": _digest(msgspec.to_builtins(run.expectations)) if run.expectations else "",
        "time limit of a claim": f"{run.claim_seconds:g} s",
        "isolation": "a process of its own" if run.isolated else "",
        **{f"source of the data set {name}": source for name, source in sources.items()},
    }


def _digest(values: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def read(path: Path, now: Mapping[str, str]) -> Ledger | None:
    """Return the ledger of the run to be continued; None if the file does not exist.

    Args:
        path: Path of the ledger.
        now: Conditions of the run that continues it.

    Raises:
        UserError: The file is not the ledger of a run under the same conditions. The message has a sentence for each
            difference.

    """
    if not path.exists():
        return None
    before = ledger.read(path)
    if not before.conditions:
        msg = f"{path} cannot be resumed: it does not say under which conditions its run began"
        raise UserError(ErrorKind.CHANGED_CONDITIONS, msg, "Leave out --resume to begin again")
    if differences := _differences(before.conditions, now):
        msg = f"{path} cannot be resumed. {'. '.join(differences)}"
        raise UserError(ErrorKind.CHANGED_CONDITIONS, msg, HINT)
    return before


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    names = [name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name)]
    return [_difference(name, before.get(name), now.get(name)) for name in names]


def _difference(name: str, before: str | None, now: str | None) -> str:
    if name.startswith(DIGEST):
        return f"Since then {name.removeprefix(DIGEST)} changed"
    return f"Its {name} is {before or 'none'}, and that of this run is {now or 'none'}"
