"""Comparison of two ledgers: the change of each claim, and whether it is a regression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from assay.errors import ErrorKind, ExitCode, UserError
from assay.ledger.ledger import Ledger, Row
from assay.ledger.outcomes import SEVERITY, Outcome
from assay.ledger.verdict import is_complete
from assay.reports import markdown
from assay.reports.markdown import LONGEST_CELL, MOST_DETAILS, MOST_IN_TABLE
from assay.reports.pull_request import explain
from assay.specification.claims import specification


class Change(StrEnum):
    """Kinds of changes of a claim between two ledgers."""

    REGRESSION = "regression"
    WORSE = "worse, but no regression"
    NOT_TRIED = "no longer tried"
    ACCEPTED = "accepted: an expected failure"
    BETTER = "better"
    RESULT = "different permitted result"
    CHANGED = "claim or test changed"
    ADDED = "added to the suite"
    REMOVED = "removed from the suite"


@dataclass(frozen=True)
class Difference:
    """A claim that differs between two ledgers.

    Attributes:
        id: Id of the claim.
        change: Kind of change.
        old: Old row; None if the claim was added.
        new: New row; None if the claim was removed.

    """

    id: str
    change: Change
    old: Row | None
    new: Row | None

    @property
    def was(self) -> str:
        """The old outcome, with the observed permitted results."""
        return _is(self.old)

    @property
    def is_(self) -> str:
        """The new outcome, in the same form."""
        return _is(self.new)


def _is(row: Row | None) -> str:
    if row is None:
        return "-"
    results = ", ".join(row.results)
    return f"{row.outcome.value} ({results})" if results else row.outcome.value


@dataclass(frozen=True)
class Comparison:
    """The changes from one ledger to another.

    Attributes:
        old: The old ledger.
        new: The new ledger.
        common: Number of claims in both.
        remarks: Further remarks for the reader.
        differences: The regressions first.

    """

    old: Ledger
    new: Ledger
    common: int
    remarks: Sequence[str]
    differences: Sequence[Difference]

    def of(self, change: Change) -> list[Difference]:
        """Return the differences of one kind."""
        return [difference for difference in self.differences if difference.change is change]

    @property
    def code(self) -> ExitCode:
        """The exit code: a regression, else a missing verdict, else success."""
        if self.of(Change.REGRESSION):
            return ExitCode.NOT_CONFORMANT
        return ExitCode.CONFORMANT if _is_whole(self.new) else ExitCode.INCOMPLETE

    @property
    def verdict(self) -> str:
        """The result of the comparison in a sentence."""
        among = f"{self.common} claims that both ledgers have"
        if found := len(self.of(Change.REGRESSION)):
            return f"{found} regression{'s' if found > 1 else ''} among the {among}"
        if self.code is ExitCode.INCOMPLETE:
            return f"no verdict: NEW is {_extent(self.new)}; no regression among the {among}"
        return f"no regression among the {among}"


def compare(old: Ledger, new: Ledger) -> Comparison:
    """Compare two ledgers.

    Args:
        old: Old ledger.
        new: New ledger.

    Raises:
        UserError: The ledgers are about different documents.

    """
    if old.document != new.document:
        msg = "OLD and NEW are about different documents"
        raise UserError(ErrorKind.MISMATCHED_RESULTS, msg, "Make OLD again with the suite that made NEW")
    before, after = old.rows, new.rows
    ids = before.keys() | after.keys()
    common = before.keys() & after.keys()
    same_profile = old.profile == new.profile
    found = [
        Difference(id_, change, before.get(id_), after.get(id_))
        for id_ in sorted(ids, key=lambda id_: (specification().rank(id_), id_))
        if (change := _change(before.get(id_), after.get(id_)))
        # A claim missing from a smaller profile or selection has not been removed from the suite.
        and (change is not Change.ADDED or (same_profile and _is_whole(old)))
        and (change is not Change.REMOVED or (same_profile and _is_whole(new)))
    ]
    kinds = [*Change]
    found.sort(key=lambda difference: kinds.index(difference.change))
    return Comparison(old, new, len(common), [*_remarks(old, new)], found)


def _change(old: Row | None, new: Row | None) -> Change | None:
    if old is None:
        return Change.ADDED
    if new is None:
        return Change.REMOVED
    if old.digest and new.digest and old.digest != new.digest:
        return Change.CHANGED
    if old.outcome is not new.outcome:
        return _turn(old.outcome, new.outcome)
    known = old.results and new.results
    return Change.RESULT if known and {*old.results} != {*new.results} else None


def _turn(before: Outcome, now: Outcome) -> Change | None:
    if now is Outcome.EXPECTED_FAILURE:
        return Change.ACCEPTED
    if before.holds and (now is Outcome.UNSUPPORTED or not (now.conforms or now.holds)):
        return Change.REGRESSION
    if not now.tried:
        return Change.NOT_TRIED if before.tried else None
    if now.holds and not before.holds:
        return Change.BETTER
    return Change.WORSE if SEVERITY[now] > SEVERITY[before] else Change.BETTER


def _is_whole(ledger: Ledger) -> bool:
    return ledger.shard is None and is_complete(ledger, specification())


def _extent(ledger: Ledger) -> str:
    return "a shard" if ledger.shard is not None else "incomplete"


def _remarks(old: Ledger, new: Ledger) -> Iterator[str]:
    for what, before, now in (
        ("suite", old.suite, new.suite),
        ("profile", old.profile, new.profile),
        ("seed", old.seed, new.seed),
        ("precision", old.precision, new.precision),
        ("implementation", old.implementation.name, new.implementation.name),
        ("device", *(each.implementation.device or "unknown" for each in (old, new))),
    ):
        if before != now:
            yield f"OLD has {what} {before}, NEW has {now}."
    for name, ledger in (("OLD", old), ("NEW", new)):
        if ledger.precision != "float32":
            yield f"The products of {name} must have the precision {ledger.precision}."
    if old.profile != new.profile:
        yield "Of two profiles only the claims that both ledgers have are compared."
    for name, ledger in (("OLD", old), ("NEW", new)):
        if not _is_whole(ledger):
            yield f"{name} is {_extent(ledger)}: what it did not decide is not compared."
    if not all(row.digest for row in old.claims):
        yield "OLD has no digests of its claims: what has changed since is taken for the same."


def as_text(comparison: Comparison) -> str:
    """Return the comparison for the terminal, the verdict last."""
    # A ledger may contain lone surrogates, which JSON can represent and a terminal cannot.
    return "\n".join([*_text(comparison), comparison.verdict]).encode(errors="backslashreplace").decode()


def _text(comparison: Comparison) -> Iterator[str]:
    for name, ledger in (("OLD", comparison.old), ("NEW", comparison.new)):
        yield f"{name}: {ledger.described}"
    yield from comparison.remarks
    for change in Change:
        found = comparison.of(change)
        if found:
            yield f"{change.value}: {len(found)}"
        for difference in found[:MOST_DETAILS]:
            yield from _lines(difference)
        if len(found) > MOST_DETAILS:
            yield f"  and {len(found) - MOST_DETAILS} more"


def _lines(difference: Difference) -> Iterator[str]:
    yield f"  {difference.id}: {difference.was} -> {difference.is_}"
    if difference.change is Change.REGRESSION and difference.new:
        yield from (f"    {line}" for line in difference.new.reason.splitlines())
        yield f"    replay: {difference.new.replay}"


def as_markdown(comparison: Comparison) -> str:
    """Return the comparison for a pull request, the verdict first."""
    return "\n".join(_markdown(comparison))


def _markdown(comparison: Comparison) -> Iterator[str]:
    yield from (f"### Assay: {comparison.verdict}", "")
    for name, ledger in (("OLD", comparison.old), ("NEW", comparison.new)):
        yield f"- {name}: {markdown.code(ledger.described)}"
    yield from (f"- {markdown.plain(remark)}" for remark in comparison.remarks)
    yield ""
    regressions = comparison.of(Change.REGRESSION)
    if regressions:
        yield from _table(regressions)
        yield from explain([difference.new for difference in regressions if difference.new], specification())
    others = [difference for difference in comparison.differences if difference.change is not Change.REGRESSION]
    if others:
        counts = Counter(difference.change.value for difference in others)
        summary = "; ".join(f"{count} {change}" for change, count in counts.items())
        yield from markdown.details(summary, _table(others))


def _table(differences: Sequence[Difference]) -> Iterator[str]:
    yield from markdown.table(["claim", "was", "is", "reason"], map(_cells, differences[:MOST_IN_TABLE]))
    yield ""
    if len(differences) > MOST_IN_TABLE:
        yield from (f"And {len(differences) - MOST_IN_TABLE} more, which the ledgers have.", "")


def _cells(difference: Difference) -> list[str]:
    why = markdown.truncate(difference.new.reason.partition("\n")[0] if difference.new else "", LONGEST_CELL)
    turn = map(markdown.plain, (difference.was, difference.is_))
    return [markdown.code(difference.id), *turn, markdown.code(why) if why else ""]
