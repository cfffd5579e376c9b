"""Plan of a survey: every implementation with every seed, in shards."""

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
        shard: Shard as in `--shard`; empty if the run is not split.

    """

    implementation: str
    seed: int
    shard: str = ""

    @property
    def file(self) -> str:
        """The path of the run's ledger in the folder of the survey."""
        shard = f"-shard-{self.shard.replace('/', '-of-')}" if self.shard else ""
        return f"ledgers/{quote(self.implementation, safe='')}/seed-{self.seed}{shard}.json"

    def apply_to(self, options: RunOptions) -> RunOptions:
        """Return the shared options with the seed and shard of this run.

        Args:
            options: Options that all runs share.

        """
        return replace(options, implementation=self.implementation, seed=str(self.seed), shard=self.shard or None)


@dataclass(frozen=True)
class Plan:
    """All runs of a survey.

    Attributes:
        implementations: Description of each implementation, by its name on the command line.
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
        """The runs, ordered so that the first ones cover every implementation."""
        parts = [f"{number}/{self.shards}" for number in range(1, self.shards + 1)] if self.shards > 1 else [""]
        return [Trial(name, seed, part) for seed in self.seeds for name in self.implementations for part in parts]

    def identity(self) -> dict[str, Any]:
        """Return the conditions that results of one survey must share, as plain values for JSON.

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

    def describe_implementations(self) -> dict[str, Any]:
        """Return the descriptions of the implementations, as plain values for JSON."""
        # Converted as JSON reads them, which has no tuples.
        descriptions: dict[str, Any] = json.decode(json.encode(self.implementations))
        return descriptions


def digest_of_tests(claims: Iterable[str]) -> str:
    """Return one digest of the claims of a survey and their tests, which changes with any of them."""
    digests = index.digests(specification(), _tests())
    chosen = [*claims] or sorted(digests)
    return sha256(" ".join(digests[id_] for id_ in chosen).encode()).hexdigest()[:16]


@cache
def _tests() -> tuple[index.ExecutableClaim, ...]:
    return index.read(index.tests_folder())


def tests_of(claims: Iterable[str]) -> tuple[str, ...]:
    """Return the pytest ids of the tests of some claims, relative to the folder of tests."""
    asked = set(claims)
    return tuple(f"{test.file}::{test.function}" for test in _tests() if asked.intersection(test.claims))


# Results of a batch arrive together, so this is the number of runs that a lost worker costs at most.
LARGEST_BATCH = 50


def batches(trials: Sequence[Trial], workers: int) -> Iterator[tuple[Trial, ...]]:
    """Yield batches of trials of one implementation: at most `LARGEST_BATCH` each, at least two batches per worker."""
    size = min(LARGEST_BATCH, max(1, len(trials) // (2 * workers)))
    for name in dict.fromkeys(trial.implementation for trial in trials):
        own = [trial for trial in trials if trial.implementation == name]
        for start in range(0, len(own), size):
            yield tuple(own[start : start + size])
