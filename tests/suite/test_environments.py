"""The reference's adapter for environments: the forms that `reset` and `step` have had, and what it makes of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from assay.reference.environments import Environment, Step, library, make
from assay.reference.environments import Environments as Group

STATE = np.arange(4, dtype=np.float32)


def environment(reset, step):
    """Make an environment whose `reset` and `step` return these."""
    sample = SimpleNamespace(sample=lambda: 0)
    return Environment(SimpleNamespace(reset=lambda seed=None: reset, step=lambda _: step, action_space=sample))


@pytest.mark.parametrize("reset", [STATE, (STATE, {})], ids=["before 0.26", "since 0.26"])
def test_reset_gives_the_state(reset):
    assert environment(reset, None).reset() is STATE


@pytest.mark.parametrize(
    ("step", "terminated", "truncated"),
    [
        ((STATE, 1.0, False, {}), False, False),
        ((STATE, 1.0, True, {}), True, False),
        ((STATE, 1.0, True, {"TimeLimit.truncated": True}), False, True),
        ((STATE, 1.0, True, {"TimeLimit.truncated": False}), True, False),
        ((STATE, 1.0, False, False, {}), False, False),
        ((STATE, 1.0, True, False, {}), True, False),
        ((STATE, 1.0, False, True, {}), False, True),
    ],
)
def test_both_ends_are_kept_apart(step, terminated, truncated):
    assert environment(None, step).step(0) == Step(STATE, 1.0, terminated, truncated)


def test_gymnasium_comes_first():
    assert library().__name__ == "gymnasium"


def test_a_seed_decides_states_and_actions():
    one, again = make(), make()
    for each in (one, again):
        each.seed(7)
    assert one.reset().tolist() == again.reset().tolist()
    assert [one.sample() for _ in range(20)] == [again.sample() for _ in range(20)]


def test_an_environment_that_draws_nothing_has_no_frames_to_give():
    assert make().wrapped.render_mode is None


def test_the_game_is_there_if_its_package_is():
    pytest.importorskip("ale_py")
    assert Group().has_breakout()
