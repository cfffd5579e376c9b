"""Error rates of statistical claims: how often a correct implementation fails, and which defects are detected."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assay import spec
from assay.files import json_file
from assay.ledger.ledger import FALSE_ALARM, SAMPLES, Ledger
from assay.specification.claims import specification
from assay.specification.profiles import PROFILES
from assay.survey import summary
from assay.survey.summary import Survey
from assay.survey.text import describe_tail
from assay.testing import chances, thresholds
from assay.testing.thresholds import DETECTION, NORMAL, RATE

FOLDER = Path(spec.__file__).parent / "error_rates"
DECISIONS = FOLDER / "decisions.json"
# Maximum probability that a run of a profile fails a correct implementation by chance.
MOST = 1e-4
MOST_OF_A_THRESHOLD = 2.0 * len(thresholds.QUARTERS)
COMMAND = "python -m assay.cli.error_rates > docs/error-rates.md"


@dataclass(frozen=True)
class Decided:
    """The statistical decisions of a claim in one profile.

    Attributes:
        decisions: Number of decisions at the level `RATE`; fractions of a level add up.
        samples: Statistics that the decisions are based on.

    """

    decisions: float
    samples: Sequence[Sequence[Any]]

    @property
    def false_alarm(self) -> float:
        """Upper bound of the probability that a correct implementation fails the claim."""
        return self.decisions * RATE


def read() -> dict[str, dict[str, Decided]]:
    """Return the decisions by profile and claim."""
    content = json.loads(DECISIONS.read_text(encoding="utf-8"))
    return {
        profile: {id_: Decided(one["decisions"], one["samples"]) for id_, one in claims.items()}
        for profile, claims in content.items()
    }


def collect(ledgers: Iterable[Ledger], known: Mapping[str, Mapping[str, Decided]]) -> dict[str, dict[str, Any]]:
    """Return the decisions recorded in ledgers, as plain values for JSON. Claims not run in them stay as known."""
    found = {
        profile: {id_: {"decisions": one.decisions, "samples": [*one.samples]} for id_, one in claims.items()}
        for profile, claims in known.items()
    }
    for ledger in ledgers:
        for row in ledger.claims:
            if row.outcome.holds and FALSE_ALARM in row.evidence:
                decisions = round(row.evidence[FALSE_ALARM] / RATE, 6)
                entry = {"decisions": decisions, "samples": row.evidence.get(SAMPLES, [])}
                found.setdefault(ledger.profile, {})[row.id] = entry
    rank = specification().rank
    return {
        profile: {id_: found[profile][id_] for id_ in sorted(found[profile], key=rank)}
        for profile in PROFILES
        if profile in found
    }


def of_profile(profile: str, known: Mapping[str, Mapping[str, Decided]]) -> dict[str, Decided]:
    """Return the decisions of all statistical claims of a profile.

    A claim that was not run in this profile has the decisions of another profile. If none were counted, it has as many
    as a claim with a threshold: a limit on both sides for each quarter of a training.
    """
    counted = {id_: one for name in PROFILES for id_, one in known.get(name, {}).items()} | dict(known.get(profile, {}))
    claims = specification().of_profile(profile)
    return {
        id_: counted.get(id_, Decided(MOST_OF_A_THRESHOLD, ()))
        for id_, claim in claims.items()
        if id_ in counted or claim.kind == "statistical"
    }


def total(decided: Mapping[str, Decided]) -> float:
    """Return an upper bound of the probability that a correct implementation fails any of the claims (Bonferroni)."""
    return sum(one.false_alarm for one in decided.values())


def detectable(sample: Sequence[Any]) -> str:
    """Describe the smallest defect that a statistic detects with power `DETECTION`; empty if it has no size."""
    match sample:
        case ["even draws", int(count), *tests]:
            return f"distribution function off by {chances.detectable_gap(count, *tests):.2g}"
        case ["two samples", int(one), int(other)]:
            effective = max(1, int(one * other / (one + other)))
            return f"distribution functions {chances.detectable_gap(effective):.2g} apart"
        case ["counts" | "categories", int(draws), int(classes)]:
            return (
                f"a class off by {_share(draws, 1 / classes, 2 * classes):.2g} of its probability of {1 / classes:.2g}"
            )
        case ["share", int(draws), float(probability)] if 0 < probability < 1:
            return f"a share of {probability:.2g} off by {probability * _share(draws, probability, 2):.2g}"
        case ["threshold", str(name), str(what)]:
            return _of_threshold(name, what)
    return ""


def _share(draws: int, probability: float, tests: int) -> float:
    """Return the smallest relative change of a share that is detected, by the normal approximation."""
    deviations = NORMAL.inv_cdf(1 - RATE / tests) + NORMAL.inv_cdf(DETECTION)
    return deviations * math.sqrt((1 - probability) / (probability * draws))


def _of_threshold(name: str, what: str) -> str:
    limits = thresholds.content(name)["limits"].get(what)
    if limits is None:
        return ""
    if "attempts" in limits:
        return f"{name}: runs below the limit with a probability of {limits['detectable']:.4f}"
    return f"{name}, {what}: mean off by {limits['detectable']:.2g}"


def renew_limits() -> None:
    """Recompute the limits of all thresholds from their stored runs."""
    for name in thresholds.names():
        stored = thresholds.content(name)
        rule, rates = thresholds.RULES[stored.get("distribution", "normal")]
        stored["rule"] = rates
        stored["limits"] = {what: asdict(rule([run[what] for run in stored["runs"]])) for what in stored["limits"]}
        json_file.write(thresholds.path(name), stored, "threshold")


def surveys() -> list[Survey]:
    """Return the stored surveys."""
    return [summary.read(path) for path in sorted(FOLDER.glob("survey-*.json"))]


def as_markdown() -> str:
    """Return the page on error rates."""
    return "\n".join(_lines(read(), surveys())) + "\n"


def _lines(known: Mapping[str, Mapping[str, Decided]], found: Sequence[Survey]) -> Iterator[str]:
    yield "# Error rates"
    yield ""
    yield f"This page is generated: `{COMMAND}`. A test compares it with what it is generated from."
    yield ""
    yield from _total_lines(known)
    yield from _survey_lines(found)
    yield from _claim_lines(known)


def _total_lines(known: Mapping[str, Mapping[str, Decided]]) -> Iterator[str]:
    yield "## False alarms of a run"
    yield ""
    yield (
        f"Each statistical decision has a false-alarm rate of {RATE:.2g}. The tests count their decisions themselves,"
        " and the rates of a run add up. The sum is an upper bound of the probability that a run accuses a sound"
        f" implementation by chance. It must be below {MOST:g}."
    )
    yield ""
    yield "| profile | claims | decisions | false-alarm rate, at most |"
    yield "| --- | --- | --- | --- |"
    for profile in PROFILES:
        decided = of_profile(profile, known)
        decisions = sum(one.decisions for one in decided.values())
        yield f"| {profile} | {len(decided)} | {decisions:.1f} | {total(decided):.2g} |"
    yield ""


def _survey_lines(found: Sequence[Survey]) -> Iterator[str]:
    yield "## Observed"
    yield ""
    yield (
        "Surveys of sound implementations. A false accusation is a claim that fails at some seeds. The limit is"
        " one-sided, with 95 % confidence, by Clopper and Pearson. A run of many claims with one seed counts once."
    )
    yield ""
    yield "| survey | implementations | accused runs | upper limit | machine | time of the runs |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in found:
        names = ", ".join(f"{each.name} ({each.seeds} seeds)" for each in one.subjects)
        counts = f"{one.accused.count} of {one.accused.total}"
        claims = ", ".join(f"`{id_}`" for id_ in one.claims) or f"{one.profile} profile"
        cost = f"{one.machine} | {one.run_seconds:.0f} s"
        yield f"| {claims} | {names} | {counts} | {one.accused.upper:.2g} | {cost} |"
    yield ""
    yield "### Errors over measured bounds"
    yield ""
    yield (
        "The bound is exceeded at 1. The last column extrapolates the largest tenth of the errors by a power law, which"
        " has a heavier tail than rounding errors have."
    )
    yield ""
    yield "| claim | implementation | runs | median | 99 % | largest | estimated chance of more than 1 |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for one in found:
        for subject in one.subjects:
            for id_, tail in subject.errors.items():
                median, high, largest, *_ = describe_tail(tail).split()
                beyond = "too few runs" if tail.beyond is None else f"{tail.beyond:.1g}"
                yield f"| `{id_}` | {subject.name} | {tail.count} | {median} | {high} | {largest} | {beyond} |"
    yield ""


def _claim_lines(known: Mapping[str, Mapping[str, Decided]]) -> Iterator[str]:
    yield "## Claims"
    yield ""
    yield (
        f"The defect of the stated size is found with a probability of {DETECTION:g}. Where there is none, the claim's"
        " statement says what it excludes: chance alone looks like it with the false-alarm rate at most."
    )
    yield ""
    yield "| claim | profile | false-alarm rate, at most | smallest detectable defect |"
    yield "| --- | --- | --- | --- |"
    claims = specification().claims
    for id_, one in of_profile(PROFILES[-1], known).items():
        defects = "; ".join(dict.fromkeys(filter(None, map(detectable, one.samples))))
        yield f"| `{id_}` | {claims[id_].profile} | {one.false_alarm:.2g} | {defects or '-'} |"
