"""Shell completion of words; their sources are imported on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _complete(names: Callable[[], Iterable[str]]) -> Completer:
    """Return the function that click calls for the names that begin with an incomplete word."""

    def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


def list_claims() -> Iterable[str]:
    """Return the ids of all claims."""
    from assay.specification.claims import specification  # noqa: PLC0415 - see above

    return specification().claims


def list_sections() -> Iterable[str]:
    """Return the names of the sections."""
    from assay.specification.claims import specification  # noqa: PLC0415 - see above

    return [section.name for section in specification().sections]


def list_kinds() -> list[str]:
    """Return the kinds of claims."""
    from assay.specification.claims import specification  # noqa: PLC0415 - see above

    return sorted({claim.kind for claim in specification().claims.values()})


def list_groups() -> Iterable[str]:
    """Return the groups of the contract."""
    from assay.contract import GROUPS  # noqa: PLC0415 - see above

    return GROUPS


def list_profiles() -> Iterable[str]:
    """Return the names of the profiles."""
    from assay.specification.profiles import PROFILES  # noqa: PLC0415 - see above

    return PROFILES


def list_data_sets() -> Iterable[str]:
    """Return the names of the data sets."""
    from assay.datasets.data import DATASETS  # noqa: PLC0415 - see above

    return DATASETS


def list_thresholds() -> Iterable[str]:
    """Return the names of the thresholds."""
    from assay.testing import thresholds  # noqa: PLC0415 - see above

    return thresholds.names()


def adapters(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return files, since a peer is a file, and the installed implementations."""
    from assay.adapters.loading import list_implementations  # noqa: PLC0415 - see above

    names = [CompletionItem(name) for name in sorted(list_implementations()) if name.startswith(incomplete)]
    # bash drops the items before the one for files.
    return [CompletionItem(incomplete, type="file"), *names]


claims = _complete(list_claims)
sections = _complete(list_sections)
kinds = _complete(list_kinds)
groups = _complete(list_groups)
requirements = _complete(lambda: ["all", *list_groups()])
profiles = _complete(list_profiles)
data_sets = _complete(list_data_sets)
thresholds = _complete(list_thresholds)
