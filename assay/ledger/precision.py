"""Explanation of failures by the measured precision of products."""

from __future__ import annotations

from assay.spec.semantics.precision import GRADES, at_least_as_precise


def explain_precision(measured: str | None, required: str) -> str:
    """Explain failures by products with less than the required precision; empty if the precision suffices."""
    if measured is None or at_least_as_precise(measured, required):
        return ""
    why = f"ops.dense multiplies in {measured}, and {required} is required: claims about products may fail for that"
    return f"{why}, see --precision." if measured in GRADES else f"{why}."
