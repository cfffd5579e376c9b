"""Load the runner in a checkout, and use the time in which tests wait."""

import pytest

from assay.ledger.environment import available_cores

pytest_plugins = ["assay.runner.plugin"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start one worker more than there are cores, since many tests wait for processes that they start."""
    return available_cores() + 1
