"""Profiles: how much of the specification a run covers, and its time budget."""

from __future__ import annotations

# Each profile includes the claims of those before it.
PROFILES = ("smoke", "core", "full")
# Number of examples that Hypothesis draws for a claim, limited by the time budget of the profile.
EXAMPLES = {"smoke": 5, "core": 12, "full": 40}
# Time budget of the reference on this many idle cores. Loading a framework is not part of smoke's.
SECONDS = {"smoke": 10.0, "core": 90.0, "full": 360.0}
CORES = 2
# Time limit of a test in seconds. A test that exceeds a whole budget is stuck; smoke has core's, to load a framework.
CLAIM_SECONDS = SECONDS | {"smoke": SECONDS["core"]}
# The profile whose measured costs a profile uses. Smoke uses those of core, as it draws almost as much.
MEASURED_FOR = {"smoke": "core", "core": "core", "full": "full"}
