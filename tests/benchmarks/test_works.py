"""What training, inference and acting cost: a call of one step, and each step of a loop."""

import pytest

from assay.bench.workloads import RATES, STEPS
from assay.specification.profiles import PROFILES


@pytest.mark.parametrize("loop", [False, True], ids=["call", "loop"])
@pytest.mark.parametrize("work", [*RATES, *STEPS], ids=lambda work: work.name)
def test_work(work, loop, request, subject, prepare, time_rounds):
    if absent := set(work.groups) - set(subject.groups):
        pytest.skip(f"the implementation does not declare the group {min(absent)}")
    if request.config.option.device not in work.devices:
        pytest.skip(f"it is for {' and '.join(work.devices)}")
    if PROFILES.index(work.profile) > PROFILES.index(request.config.option.profile):
        pytest.skip(f"it belongs to the {work.profile} profile")
    time_rounds(lambda: prepare(work), loop=loop)
