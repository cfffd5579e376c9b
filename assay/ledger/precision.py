"""Whether the measured precision of products explains failures."""

from __future__ import annotations

from assay.spec.semantics.precision import GRADES, at_least_as_precise


def explain_precision(measured: str | None, required: str) -> str:
    """Explain failures by products that are less precise than they must be; empty where they are precise enough."""
    if measured is None or at_least_as_precise(measured, required):
        return ""
    why = f"ops.dense multiplies in {measured}, and {required} is required: claims about products may fail for that"
    return f"{why}, see --precision." if measured in GRADES else f"{why}."
