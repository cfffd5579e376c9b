"""Whole episodes of CartPole, their frames and their random draws: lines 660 to 680."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from assay.contract import Episode
from assay.spec.error_bounds import cart_pole_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.error_bounds.rounding import gamma
from assay.spec.semantics import cart_pole
from assay.spec.semantics.cart_pole import FARTHEST_ANGLE, FARTHEST_POSITION, INITIAL, MAX_EPISODE_STEPS
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.chances import chance_of_draws
from assay.testing.counts import assert_no_echo, assert_share
from assay.testing.draws import chance_of_each_count, chance_of_repeats
from assay.testing.frames import assert_shows
from assay.testing.handcrafted_values import BALANCING, LEAVING, SWINGING, WANDERING
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import assert_reads_values
from assay.testing.thresholds import FALSE_ALARM

BOOL, INT = np.dtype(np.bool_), np.dtype(np.int32)
# A number of states that is larger than the usual blocks, and not a multiple of them.
MANY = 1_030
# Largest number of episodes until a cart has left the track to either side.
EPISODES = 32


@pytest.fixture(scope="module")
def leaving(environments, seed):
    """Return episodes in which the cart leaves the track, at least one to either side."""
    found = {}
    # The cart leaves to the side to which the pole leans first: either side is equally likely. All of them leave to the
    # same one with a probability of 2^-31.
    for number in range(EPISODES):
        episode = Episode(*environments.run_linear_policy(LEAVING, EPISODES * seed + number))
        found.setdefault(bool(episode.states[-1, 0] > 0), episode)
        if len(found) == 2:
            break
    return found


@claim("cartpole.leaving-is-termination")
def test_leaving_is_termination(leaving):
    assert len(leaving) == 2, f"of {EPISODES} carts that leave the track, all leave it to the same side"
    for side in (False, True):
        states, rewards, terminated, truncated = leaving[side]
        name, (positions, angles) = "right" if side else "left", np.abs(to_float64(states)[:, [0, 2]]).T
        # Positions are rounded to float32, and so may be the bound.
        inside, outside = FARTHEST_POSITION * (1 + gamma(2)), FARTHEST_POSITION * (1 - gamma(2))
        assert (positions[:-1] < inside).all(), f"it goes on off the track, to the {name}"
        assert positions[-1] > outside, f"an episode ends {positions[-1]} to the {name}, on the track"
        assert (angles < FARTHEST_ANGLE).all(), f"the pole leans by {angles.max()}, and has not fallen"
        ends = np.arange(1, len(rewards) + 1) == len(rewards)
        assert_equal("whether each step has failed", terminated, ends, BOOL)
        assert_equal("whether each step was cut off", truncated, np.zeros(len(rewards)), BOOL)
        assert_equal("the rewards", rewards, np.ones(len(rewards)))


@claim("cartpole.policy-sees-its-state")
@pytest.mark.parametrize(
    "weights",
    [
        BALANCING,
        -BALANCING,
        LEAVING,
        WANDERING,
        SWINGING,
        np.float32(2**-40) * BALANCING,
        np.float32(2**40) * BALANCING,
    ],
    ids=["balancing", "falling", "leaving", "wandering", "swinging", "tiny", "huge"],
)
def test_policy_sees_its_state(environments, seed, weights):
    states = environments.run_linear_policy(weights, seed)[0]
    before, after = states[:-1], states[1:]
    values = to_float64(before) @ weights
    # Rounding may change the sign of a sum of four products of both signs.
    clear = np.abs(values) > gamma(6) * (np.abs(before) @ np.abs(weights))
    # An episode in which the pole falls has as few as eight states, and a first one without a clear action in one of
    # five million runs.
    assert clear.mean() > 1 / 2, "most states have no clear action"
    assert_pushed(before[clear], (values > 0).astype(int)[clear], after[clear])


def assert_pushed(before, actions, after):
    """Check that states follow from others by these actions."""
    arguments = to_float64(before), actions
    assert_within("the states after a step", after, cart_pole.step(*arguments), cart_pole_rounding.step(*arguments))


@claim("cartpole.policy-at-0")
def test_policy_at_0(environments, seed):
    # All weights are 0, so the product is 0 in any order of additions.
    states = environments.run_linear_policy(np.zeros(4, np.float32), seed)[0]
    assert_pushed(states[:-1], np.zeros(len(states) - 1, int), states[1:])


@claim("cartpole.actions-run-out")
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_actions_run_out(environments, seed, steps):
    states, rewards, terminated, truncated = environments.play(np.ones(steps, INT), seed)
    assert_form("the states", states, (steps + 1, 4))
    assert_equal("the rewards", rewards, np.ones(steps))
    for name, ends in (("terminated", terminated), ("truncated", truncated)):
        assert_equal(f"of an episode without further actions, {name}", ends, np.zeros(steps), BOOL)


# Number of steps over which the rounding of float32 grows little.
PLANNED = 50


@claim("cartpole.dynamics-over-time")
def test_dynamics_to_the_limit(environments, seed):
    # The definition continues from the implementation's own states, for a few steps at a time.
    actions = []
    while len(actions) < MAX_EPISODE_STEPS:
        state = to_float64(environments.play(np.array(actions, INT), seed)[0][-1:])
        for _ in range(PLANNED):
            actions.append(int((state @ BALANCING)[0] > 0))
            state = cart_pole.step(state, np.array(actions[-1:]))
    # One more action, after the limit.
    states, rewards, terminated, truncated = environments.play(np.array([*actions, 0], INT), seed)
    assert_form("the states of a whole episode", states, (MAX_EPISODE_STEPS + 1, 4))
    assert_pushed(states[:-1], np.array(actions[: len(states) - 1]), states[1:])
    assert_equal("the rewards of a whole episode", rewards, np.ones(MAX_EPISODE_STEPS))
    assert_equal("whether each step has failed", terminated, np.zeros(MAX_EPISODE_STEPS), BOOL)
    last = np.arange(1, MAX_EPISODE_STEPS + 1) == MAX_EPISODE_STEPS
    assert_equal("whether each step was cut off", truncated, last, BOOL)


@claim("cartpole.dynamics-of-many")
@pytest.mark.parametrize("fastest", [8.0, 100.0])
def test_dynamics_of_many(environments, seed, fastest):
    generator = np.random.default_rng(seed)
    # Some of the states are beyond the bounds.
    limits = np.array([FARTHEST_POSITION, fastest, FARTHEST_ANGLE, fastest])
    states = generator.uniform(-limits, limits, (MANY, 4)).astype(np.float32)
    actions = generator.integers(0, 2, MANY, np.int32)
    after, rewards, terminated = environments.steps(states, actions)
    exact = to_float64(states)
    expected = cart_pole.step(exact, actions)
    assert_within("the states after a step", after, expected, cart_pole_rounding.step(exact, actions))
    assert_equal("the rewards", rewards, np.ones(MANY))
    margins = cart_pole.margin(expected)
    clear = np.abs(margins) > 1e-5
    assert 0 < (margins < 0).sum() < MANY
    assert_equal("whether each has failed", terminated[clear], (margins < 0)[clear], BOOL)


@cache
def resets(environments, seed):
    """Return the states that resets of one environment give."""
    return assert_form("the initial states", environments.initial_states(2_000, seed), (2_000, 4))


@claim("cartpole.initial-parts-are-independent")
@pytest.mark.parametrize(("one", "other"), [*combinations(range(4), 2)])
def test_initial_parts_are_independent(environments, seed, one, other):
    states = resets(environments, seed)
    names = " and ".join(cart_pole.State._fields[part] for part in (one, other))
    level = FALSE_ALARM / 12
    left, right = (states[:, part] for part in (one, other))
    assert_share(f"pairs of {names} have the same sign", ((left > 0) == (right > 0)).sum(), len(states), 1 / 2, level)
    far = (np.abs(left) > INITIAL / 2) == (np.abs(right) > INITIAL / 2)
    assert_share(f"pairs of {names} are both near 0 or both far from it", far.sum(), len(states), 1 / 2, level)


@claim("cartpole.initial-states-are-independent")
def test_initial_states_are_independent(environments, seed):
    states = resets(environments, seed)
    assert_no_echo("initial positions", states[:, 0] > 0, 1 / 2)
    # Each number and those before it, of the same state and of others.
    assert_no_echo("initial numbers", states[: MANY // 4].ravel() > 0, 1 / 2)


@claim("cartpole.reset-by-seed")
def test_many_resets_by_seed(environments, seed):
    # Detects environments that run in parallel, with the seeds seed, seed + 1 and so on.
    one, other = resets(environments, seed), environments.initial_states(100, seed + 1)
    common = len({*map(tuple, one.tolist())} & {*map(tuple, other.tolist())})
    assert common == 0, f"of 100 resets, {common} give states that resets by the seed before give, too"


@claim("cartpole.initial-resolution")
def test_initial_resolution(environments, seed):
    states = resets(environments, seed)
    for number, name in enumerate(cart_pole.State._fields):
        values = states[:, number]
        # In draws of 23 bits, a quarter of an equal pair is expected, and almost never 12 pairs.
        equal = len(values) - len(np.unique(values))
        assert equal <= 12, f"{equal} of {len(values)} initial values of the {name} are equal to others"
        # The probability that none of them is near the bound, on either side, is an eighth of FALSE_ALARM.
        share = 1 - 2 * (1 - (FALSE_ALARM / 8) ** (1 / len(values)))
        assert values.max() > share * INITIAL, f"the {name} begins at {values.max()} or below"
        assert values.min() < -share * INITIAL, f"the {name} begins at {values.min()} or above"


@pytest.fixture(scope="module")
def seeded(environments, seed):
    """Return the first states of episodes with consecutive seeds."""
    return np.stack([environments.play(np.zeros(1, INT), 400 * seed + number)[0][0] for number in range(400)])


@claim("cartpole.seeded-resets")
@pytest.mark.parametrize("number", range(4), ids=cart_pole.State._fields)
def test_seeded_resets(seeded, number):
    values = seeded[:, number]
    assert (np.abs(values) <= np.float32(INITIAL)).all(), f"one begins at {np.abs(values).max()}"
    probability = chance_of_draws(values, -INITIAL, INITIAL)
    assert probability > FALSE_ALARM, f"even draws look this uneven with a probability of {probability:.3g}"
    assert_no_echo("first states of seeds in a row", values > 0, 1 / 2)


@claim("cartpole.policy-by-seed")
def test_policy_by_seed(environments, seed):
    one, again, other = (environments.run_linear_policy(-BALANCING, number)[0] for number in (seed, seed, seed + 1))
    assert_equal("the states by the same seed", again, one)
    assert (one[0] != other[0]).any(), f"the seeds {seed} and {seed + 1} begin with the same state"
    assert (np.abs([one[0], other[0]]) <= np.float32(INITIAL)).all(), "an episode begins too far from rest"
    assert_told_apart(
        "initial states",
        confusable_seeds(seed),
        lambda number: environments.run_linear_policy(-BALANCING, number)[0][0],
    )


@claim("cartpole.sampled-in-no-pattern")
def test_sampled_in_no_pattern(environments, seed):
    actions = assert_form("the actions", environments.sample_actions(2_001, seed), (2_001,), INT)
    assert_no_echo("actions", actions == 1, 1 / 2)
    # All eight sequences of three actions.
    threes = actions.reshape(-1, 3) @ [4, 2, 1]
    counts = np.bincount(threes, minlength=8).tolist()
    probability = chance_of_each_count(counts, np.ones(8))
    assert probability > FALSE_ALARM, f"three actions in a row occur as unevenly as {counts}: {probability:.3g}"


@claim("cartpole.sampled-by-seed")
def test_sampled_by_seed(environments, seed):
    one, again, other = (environments.sample_actions(100, number) for number in (seed, seed, seed + 1))
    assert_equal("the actions by the same seed", again, one, INT)
    assert (one != other).any(), f"the seeds {seed} and {seed + 1} draw the same actions"
    assert_told_apart("actions", confusable_seeds(seed), lambda number: environments.sample_actions(100, number))


@claim("cartpole.sampled-independently")
def test_sampled_freely(environments, seed):
    # 100 uniform draws are half and half with a probability of 0.08, and eight times in succession with one of 2e-9.
    rights = [int(environments.sample_actions(100, 8 * seed + number).sum()) for number in range(8)]
    assert any(count != 50 for count in rights), "of every 100 actions 50 push to the right, so the last one is known"


@claim("cartpole.sampled-independently")
def test_sampled_apart_from_other_seeds(environments, seed):
    one, other, third = (environments.sample_actions(1_000, seed + number) for number in range(3))
    # The next seeds' as they are, and the opposite ones.
    probability = chance_of_repeats(one, other, third, 1 - other, classes=2, length=50)
    assert probability > FALSE_ALARM, (
        f"the seeds {seed} to {seed + 2} draw the same 50 actions in a row, or opposite ones: a probability of"
        f" {probability:.3g}"
    )


@claim("cartpole.memory-order")
def test_memory_order(environments, seed):
    states, actions = resets(environments, seed)[:5], np.array([0, 1, 1, 0, 1], INT)
    assert_reads_values("steps", environments.steps, states, actions)
    assert_reads_values("play", lambda actions: environments.play(actions, seed), actions)
    # A single number of the state decides, so rounding does not matter.
    weights = np.array([0, 0, 1, 0], np.float32)
    assert_reads_values("run_linear_policy", lambda weights: environments.run_linear_policy(weights, seed), weights)


@claim("cartpole.memory-order")
def test_memory_order_of_frames(environments, seed):
    # The same actions in another memory order.
    actions = np.array([1, 1, 0, 0, 1], INT)
    between = np.repeat(1 - actions, 2)
    between[1::2] = actions
    frames = environments.frames(between[1::2], seed)
    assert_equal("the frames", frames, environments.frames(actions, seed), np.dtype(np.uint8))


# To the left, to the right and back: cart and pole move both ways, and the pole stays up.
SWAYING = np.repeat(np.array([0, 1, 0], np.int32), [4, 8, 6])


@claim("cartpole.frames-show-their-states", "q_learning.rendering-changes-nothing")
def test_frames_show_their_states(environments, seed):
    frames, states = environments.frames(SWAYING, seed), environments.play(SWAYING, seed)[0]
    assert len(frames) == len(states), f"drawn, the episode has {len(frames)} states, and otherwise {len(states)}"
    assert_shows(frames, states)


@claim("cartpole.frames-show-their-states", "q_learning.rendering-changes-nothing")
def test_frames_show_the_states_of_their_seeds(environments, seed):
    # First states are independent. A straight line leaves less than half of 14 unrelated movements with a
    # probability of 6e-5 (1 - rest^2 has the distribution Beta(1/2, 6)), for cart and tip together 4e-9. Sound frames
    # are off by the rounding to pixels, 0.41 (root mean square), and move by 3.6: by less than twice 0.41 in 1 of 10^8.
    seeds, none = [(seed + number) % 2**31 for number in range(16)], np.zeros(0, INT)
    pictures = [environments.frames(none, number) for number in seeds]
    lengths = [len(one) for one in pictures]
    assert lengths == [1] * len(seeds), f"episodes of no step have other frames than the first: {lengths} of them"
    frames = np.concatenate(pictures)
    states = np.concatenate([environments.play(none, number)[0] for number in seeds])
    assert_shows(frames, states, rest=1 / 2)


@claim("q_learning.rendering-changes-nothing")
@pytest.mark.parametrize("steps", [0, 20], ids=["none", "to-the-end"])
def test_frames_of_the_whole_episode(environments, seed, steps):
    # With constant pushes to one side, the pole falls in about ten steps.
    actions = np.zeros(steps, INT)
    frames, states = environments.frames(actions, seed), environments.play(actions, seed)[0]
    assert len(frames) == len(states), f"drawn, the episode has {len(frames)} states, and otherwise {len(states)}"


@claim("cartpole.frames-show-their-states")
def test_last_frame_shows_its_state(environments, seed):
    # The pole moves most in the step in which it falls.
    frames = environments.frames(np.zeros(20, INT), seed)
    assert (frames[-1] != frames[-2]).any(), "the picture of the fallen pole is the one before its last step"


@claim("cartpole.policy-by-seed")
def test_run_linear_policy_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("environments.run_linear_policy", implementation, results_elsewhere, seed)


@claim("cartpole.sampled-by-seed")
def test_sample_actions_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("environments.sample_actions", implementation, results_elsewhere, seed)
