"""The limits of statistical claims: stored runs, and the error rates that follow from them."""

from __future__ import annotations

from typing import Any

from assay.testing import thresholds
from assay_site.text import plain, table

INTRODUCTION = f"""\
# Statistical limits

These limits are computed from stored runs of the reference, in `spec/thresholds`. A test computes them again. Each
limit has a false-alarm rate of at most {thresholds.FALSE_ALARM:.2g} for a correct implementation.

A defect of the smallest detectable size is detected with a probability of 0.99. The size is a shift of the mean where
runs are normally distributed, and otherwise the share of trainings below the limit.
[Statistical decisions](../statistics.md) explains both."""


def page() -> str:
    """Return the page."""
    rows = [row for name in thresholds.names() for row in _rows(name, thresholds.content(name))]
    header = ["limits", "quantity", "runs", "mean", "limit", "smallest detectable defect"]
    return f"{INTRODUCTION}\n\n{table(header, rows)}"


def _rows(name: str, content: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (f"`{name}`", plain(quantity), str(len(content["runs"])), *_numbers(limits))
        for quantity, limits in content["limits"].items()
    ]


def _numbers(limits: dict[str, float]) -> tuple[str, str, str]:
    if "mean" not in limits:
        attempts = f"{limits['attempts']} runs below {limits['lower']:.4g}"
        return "-", attempts, f"{limits['detectable']:.4f} of the runs below"
    between = f"{limits['lower']:.4g} to {limits['upper']:.4g}"
    return f"{limits['mean']:.4g}", between, f"{limits['detectable']:.2g}"
