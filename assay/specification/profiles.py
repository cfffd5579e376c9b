"""Profiles: how much of the specification a run covers, and how long that may take."""

from __future__ import annotations

# Each has the claims of those before it.
PROFILES = ("smoke", "core", "full")
# Cases that Hypothesis draws for a claim: as many as the time budget of the profile allows.
EXAMPLES = {"smoke": 5, "core": 12, "full": 40}
# Time budget of the reference on this many idle cores. Loading a framework is not part of smoke's.
SECONDS = {"smoke": 10.0, "core": 90.0, "full": 360.0}
CORES = 2
# A test that takes longer than the whole budget is stuck. In smoke, loading a framework may take as long as core.
CLAIM_SECONDS = SECONDS | {"smoke": SECONDS["core"]}
# The profile whose measured costs a profile uses: smoke draws too little less than core for a measurement of its own.
MEASURED_FOR = {"smoke": "core", "core": "core", "full": "full"}
