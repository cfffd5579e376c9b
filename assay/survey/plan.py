"""What a survey runs: every implementation with every seed, in shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from msgspec import json

from assay import __version__
from assay.adapters.loading import Description
from assay.runner.options import RunOptions
from assay.specification import index
from assay.specification.claims import specification


@dataclass(frozen=True, order=True)
class Trial:
    """One run of a survey: one implementation, one seed, and one shard if there are several.

    Attributes:
        implementation: Name on the command line.
        seed: Seed of all random draws.
        shard: Shard as in `--shard`; empty where the run is not shared out.

    """

    implementation: str
    seed: int
    shard: str = ""

    @property
    def file(self) -> str:
        """The path of its ledger in the folder of the survey."""
        shard = f"-shard-{self.shard.replace('/', '-of-')}" if self.shard else ""
        return f"ledgers/{quote(self.implementation, safe='')}/seed-{self.seed}{shard}.json"

    def apply_to(self, options: RunOptions) -> RunOptions:
        """Return the options of this run.

        Args:
            options: Options that all runs share.

        """
        return replace(options, implementation=self.implementation, seed=str(self.seed), shard=self.shard or None)


@dataclass(frozen=True)
class Plan:
    """All runs of a survey.

    Attributes:
        implementations: What each implementation says of itself, by its name on the command line.
        seeds: Seeds of the runs.
        shards: Number of shards that each run of a profile is split into.
        options: Options that all runs share.

    """

    implementations: dict[str, Description]
    seeds: Sequence[int]
    shards: int
    options: RunOptions

    @property
    def trials(self) -> list[Trial]:
        """The runs; the first ones already cover every implementation."""
        parts = [f"{number}/{self.shards}" for number in range(1, self.shards + 1)] if self.shards > 1 else [""]
        return [Trial(name, seed, part) for seed in self.seeds for name in self.implementations for part in parts]

    def identity(self) -> dict[str, Any]:
        """Return what results must have in common to belong to one survey, as plain values for JSON.

        Seeds and implementations are not part of it: a survey may grow.
        """
        options = self.options
        return {
            "suite": __version__,
            "document": specification().document,
            "tests": digest_of_tests(options.claim),
            "profile": options.profile,
            "claims": [*options.claim],
            "shards": self.shards,
            "device": options.device,
            "precision": options.precision,
            "isolated": options.isolated,
        }

    def described(self) -> dict[str, Any]:
        """Return what the implementations say of themselves, as plain values for JSON."""
        # As JSON reads them again: it has no tuples.
        described: dict[str, Any] = json.decode(json.encode(self.implementations))
        return described


def digest_of_tests(claims: Iterable[str]) -> str:
    """Return one digest of the claims of a survey and of their tests, which tells when any of them changed."""
    digests = index.digests(specification(), _tests())
    chosen = [*claims] or sorted(digests)
    return sha256(" ".join(digests[id_] for id_ in chosen).encode()).hexdigest()[:16]


@cache
def _tests() -> tuple[index.ExecutableClaim, ...]:
    return index.read(index.tests_folder())


def tests_of(claims: Iterable[str]) -> tuple[str, ...]:
    """Return the tests of some claims, as pytest names them below the folder of tests."""
    asked = set(claims)
    return tuple(f"{test.file}::{test.function}" for test in _tests() if asked.intersection(test.claims))


# Results of a batch arrive together, so this is what a lost worker may cost.
LARGEST_BATCH = 50


def batches(trials: Sequence[Trial], workers: int) -> Iterator[tuple[Trial, ...]]:
    """Yield trials of one implementation together, at most `LARGEST_BATCH`, in at least two batches for each worker."""
    size = min(LARGEST_BATCH, max(1, len(trials) // (2 * workers)))
    for name in dict.fromkeys(trial.implementation for trial in trials):
        own = [trial for trial in trials if trial.implementation == name]
        for start in range(0, len(own), size):
            yield tuple(own[start : start + size])
