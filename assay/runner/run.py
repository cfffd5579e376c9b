"""Description of a run: what is tested and how, the same in all its processes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from assay.adapters.loading import Description, load
from assay.adapters.protocol import serve
from assay.adapters.protocol.implementation import SUFFIX, PeerImplementation
from assay.adapters.proxy import AdapterError, ImplementationProxy, describe_unsupported
from assay.adapters.time_limit import GRACE_SECONDS, longest
from assay.contract import Implementation
from assay.ledger.expectations import Expectation
from assay.ledger.ledger import Precision, Profile
from assay.ledger.outcomes import Outcome
from assay.runner.options import RunOptions
from assay.runner.run_folder import RunFolder
from assay.specification.claims import Claim
from assay.specification.shards import Shard


@dataclass(frozen=True)
class Run:
    """The description of a run, shared by all of its processes.

    Attributes:
        implementation: Name on the command line.
        description: Description of the implementation; None if tests are only collected.
        profile: `smoke`, `core` or `full`.
        seed: Seed of all random draws.
        device: `cpu` or `gpu`.
        precision: Required precision of products.
        shard: Part of the profile to run; None for all of it.
        selected: Claims of the profile, or of the shard.
        claims: Claims to run; empty for all that are selected.
        claim_seconds: Time limit for each test of a claim.
        expectations: Known failures.
        isolated: Whether a Python implementation runs in its own process.
        folder: Folder shared by the processes of the run, removed at its end.
        required: Groups that the implementation must declare to conform.
        resumes: Whether it continues a run that did not finish.
        finished: Claims that the resumed run has decided.
        threads: Number of threads that the implementation may use in each process; None for the default.

    """

    implementation: str
    description: Description | None
    profile: Profile
    seed: int
    device: str
    precision: Precision
    shard: Shard | None
    selected: tuple[str, ...]
    claims: tuple[str, ...]
    claim_seconds: float
    expectations: tuple[Expectation, ...]
    isolated: bool
    folder: str
    required: tuple[str, ...] = ()
    resumes: bool = False
    finished: tuple[str, ...] = ()
    threads: int | None = None

    def replay(self, claims: Iterable[str], code: str = "") -> str:
        """Return the command that repeats claims, or one case of them, with this run's options."""
        options = RunOptions(self.implementation, seed=str(self.seed), device=self.device, precision=self.precision)
        options = replace(options, isolated=self.isolated)
        return options.replay_command(claims, code)

    @property
    def pending(self) -> frozenset[str]:
        """The claims that are still to be decided."""
        return frozenset(self.claims or self.selected).difference(self.finished)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that the implementation declares."""
        return self.description.groups if self.description else ()

    def absent_groups(self, claims: Iterable[Claim]) -> list[str]:
        """Return the groups that claims need and the implementation does not declare."""
        return sorted({group for claim in claims for group in claim.groups} - set(self.groups))

    def why_unsupported(self, claims: Iterable[Claim]) -> str:
        """Return why the implementation does not support claims; empty if it supports them."""
        claims = tuple(claims)
        if absent := self.absent_groups(claims):
            if self.isolated and absent == ["keras"]:
                return "the group keras is not tested with --isolated"
            return f"the implementation does not declare the group {absent[0]}"
        unsupported = self.description.unsupported if self.description else ()
        needed = {need for claim in claims for need in claim.needs}
        return next((describe_unsupported(entry) for entry in unsupported if entry in needed), "")

    def expects(self, claims: Iterable[str], outcome: Outcome) -> bool:
        """Whether this outcome of a test of these claims is expected."""
        known = {expectation.claim for expectation in self.expectations if expectation.permits(outcome)}
        return known.issuperset(claims)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for another process."""
        return asdict(self) | {"expectations": msgspec.to_builtins(self.expectations)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Run:
        """Read what `as_dict` wrote."""
        description = values["description"]
        if description is not None:
            description = Description.from_dict(description)
        expectations = msgspec.convert(values["expectations"], tuple[Expectation, ...])
        shard = Shard(**values["shard"]) if values["shard"] else None
        claims = {name: tuple(values[name]) for name in ("selected", "claims", "required", "finished")}
        return cls(**values | claims | {"description": description, "shard": shard, "expectations": expectations})

    @property
    def shared(self) -> RunFolder:
        """The folder of the run, with its notes and files."""
        return RunFolder(Path(self.folder))

    def note_running(self, test: str, worker: str) -> None:
        """Note that this worker runs a phase of a test, for which the main process enforces the time limit."""
        deadline = monotonic() + longest(self.claim_seconds) + GRACE_SECONDS / 2
        self.shared.note_running(test, worker, deadline)

    def start(self, threads: int | None = None) -> ImplementationProxy:
        """Load and start the implementation in this process.

        Args:
            threads: Number of threads to use; None lets the implementation decide.

        Raises:
            AdapterError: The implementation cannot be started, or has ended a process of this run.
            TimeLimitError: The start takes too long.

        """
        if self.shared.ended_in_start.exists():
            msg = "start() ended another process of this run"
            raise AdapterError(msg)
        marker = self.shared.starting(os.environ.get("PYTEST_XDIST_WORKER", "alone"))
        marker.touch()
        try:
            return ImplementationProxy(lambda: self._load(threads), self.device, threads=threads)
        finally:
            marker.unlink(missing_ok=True)

    def start_elsewhere(self, threads: int | None = None) -> ImplementationProxy:
        """Start the implementation once more, in a new process that ends with its `stop`.

        Args:
            threads: Number of threads to use; None lets the implementation decide.

        Raises:
            AdapterError: The implementation cannot be started.
            PeerLostError: The new process ended.
            TimeLimitError: The start takes too long.

        """
        return ImplementationProxy(lambda: self._load(threads, elsewhere=True), self.device, threads=threads)

    def _load(self, threads: int | None, *, elsewhere: bool = False) -> Implementation:
        # A peer always has its own process.
        if self.isolated or (elsewhere and not self.implementation.endswith(SUFFIX)):
            command = serve.command(self.implementation, threads)
            return PeerImplementation(command, Path.cwd(), Path(self.folder))
        return load(self.implementation, Path(self.folder))
