"""CartPole: lines 652 to 680 of the document."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assay.contract import Array
from assay.spec.error_bounds import cart_pole_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.error_bounds.rounding import gamma
from assay.spec.semantics import cart_pole
from assay.spec.semantics.cart_pole import FARTHEST_ANGLE, FARTHEST_POSITION, INITIAL, LEFT, MAX_EPISODE_STEPS, RIGHT
from assay.spec.vectors import read
from assay.testing.assertions import assert_equal, assert_form, assert_rejected, assert_within, claim
from assay.testing.chances import chance_of_counts, chance_of_draws, chance_of_samples
from assay.testing.counts import assert_share
from assay.testing.handcrafted_values import BALANCING
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.single_changes import assert_each_argument_counts
from assay.testing.strategies import floats, seeds
from assay.testing.thresholds import FALSE_ALARM

BOOL = np.dtype(np.bool_)
INT = np.int32
# Velocities that no episode reaches; a larger range reveals no other fault.
FASTEST = 8.0
# Number of states from which one call takes a step.
BATCH = 8
MEAN_OF_RANDOM_PLAY = 22
directions = pytest.mark.parametrize("sign", [-1, 1], ids=["left", "right"])


class Steps(NamedTuple):
    """States with an action in each.

    Attributes:
        states: float32 [n, 4].
        actions: int32 [n].

    """

    states: Array
    actions: Array


@st.composite
def steps(draw, *, at_rest=False):
    """Draw states inside the bounds, and actions."""
    speed = 0.0 if at_rest else FASTEST
    limits = (FARTHEST_POSITION - 1e-3, speed, FARTHEST_ANGLE - 1e-3, speed)
    rows = [[draw(floats(float(np.float32(limit)))) for limit in limits] for _ in range(BATCH)]
    actions = draw(st.lists(st.sampled_from([LEFT, RIGHT]), min_size=BATCH, max_size=BATCH))
    return Steps(np.array(rows, np.float32), np.array(actions, INT))


def take_steps(environments, states, actions):
    """Take the steps, and check the form of the result."""
    found = environments.steps(states, actions)
    assert len(found) == 3, f"steps gives {len(found)} values, and has to give three"
    states, rewards, terminated = found
    count = (len(actions),)
    return (
        assert_form("the states after a step", states, (*count, 4)),
        assert_form("the rewards", rewards, count),
        assert_form("the ends", terminated, count, BOOL),
    )


def one_step(environments, state, action):
    """Take one step, and return the next state, the reward and whether the episode ended."""
    found = take_steps(environments, np.array([state], np.float32), np.array([action], INT))
    return tuple(values[0] for values in found)


class Played(NamedTuple):
    """An episode in a form that has been checked.

    Attributes:
        states: [steps + 1, 4].
        rewards: [steps].
        terminated: bool [steps].
        truncated: bool [steps].

    """

    states: Array
    rewards: Array
    terminated: Array
    truncated: Array

    @property
    def length(self):
        """Number of steps of the episode."""
        return len(self.rewards)


def check_episode(what, episode):
    """Check the form of an episode."""
    states, rewards, terminated, truncated = episode
    count = len(rewards)
    assert_form(f"the states of {what}", states, (count + 1, 4))
    assert_form(f"the rewards of {what}", rewards, (count,))
    for name, ends in (("terminated", terminated), ("truncated", truncated)):
        assert_form(f"{what}, {name}", ends, (count,), BOOL)
    return Played(*episode)


def play(environments, actions, seed):
    """Play until the actions or the episode end."""
    return check_episode("play", environments.play(np.asarray(actions, INT), seed))


def balance(environments, seed):
    """Keep the pole up."""
    return check_episode("run_linear_policy", environments.run_linear_policy(BALANCING, seed))


def draw_actions(seed):
    """Draw more actions than an episode of random play ever has."""
    return np.random.default_rng(seed).integers(0, 2, MAX_EPISODE_STEPS)


@claim("cartpole.made-by-name")
def test_made_by_name(environments, seed):
    limit, length = environments.cart_pole()[3], balance(environments, seed).length
    assert limit == length == MAX_EPISODE_STEPS, f"the limit is {limit}, and an episode has {length} steps"


@claim("cartpole.state-of-four")
def test_state_of_four(environments, seed):
    lowest, highest, *_ = environments.cart_pole()
    for what, bound in (("the lowest state", lowest), ("the highest state", highest)):
        assert_form(what, bound, (4,))
    assert_form("the initial states", environments.initial_states(2, seed), (2, 4))


@claim("cartpole.two-actions")
def test_two_actions(environments):
    assert environments.cart_pole()[2] == read("q_learning")["units"][-1] == 2


@claim("cartpole.two-actions")
def test_two_actions_once_more(environments):
    first, second = (environments.cart_pole().num_actions for _ in range(2))
    assert first == second == 2


@claim("cartpole.bounds")
def test_bounds(environments):
    lowest, highest, *_ = environments.cart_pole()
    bounded = [0, 2]
    expected = np.array([2 * FARTHEST_POSITION, 2 * FARTHEST_ANGLE], np.float32)
    assert_equal("the largest position and angle", highest[bounded], expected)
    assert_equal("the smallest position and angle", lowest[bounded], -expected)
    # Infinite, or the largest number of float32.
    largest = np.finfo(np.float32).max
    assert all(highest[[1, 3]] >= largest), f"velocities are bounded by {highest[[1, 3]]}"
    assert all(lowest[[1, 3]] <= -largest), f"velocities are bounded by {lowest[[1, 3]]}"


@cache
def initial_states(environments, seed):
    """Return the states after successive resets of one environment."""
    return assert_form("the initial states", environments.initial_states(2_000, seed), (2_000, 4))


@claim("cartpole.initial-state")
@pytest.mark.parametrize("number", range(4), ids=cart_pole.State._fields)
def test_initial_state(environments, seed, number):
    values = initial_states(environments, seed)[:, number]
    assert (np.abs(values) <= np.float32(INITIAL)).all(), f"one begins at {np.abs(values).max()}"
    probability = chance_of_draws(values, -INITIAL, INITIAL)
    assert probability > FALSE_ALARM, f"even draws look this uneven with a probability of {probability:.3g}"


@claim("cartpole.reset-draws-anew")
def test_reset_draws_anew(environments, seed):
    states = environments.initial_states(10, seed)
    assert len(np.unique(states, axis=0)) == 10, "two resets in a row give the same state"


@claim("cartpole.reset-by-seed")
@given(number=seeds())
def test_reset_by_seed(environments, number):
    one, again, other = (environments.initial_states(3, seed) for seed in (number, number, number + 1))
    assert_equal("the initial states of the same seed", again, one)
    # At the same position or at another.
    alike = np.argwhere((one[:, None] == other).all(axis=-1)).tolist()
    assert not alike, f"the seeds {number} and {number + 1} give the same states, at {alike}"


@claim("cartpole.reset-by-seed")
def test_reset_by_confusable_seeds(environments, seed):
    assert_told_apart("initial states", confusable_seeds(seed), lambda one: environments.initial_states(1, one))


def assert_steps(after, before, actions):
    """Compare states after a step with those of the definition."""
    arguments = to_float64(before), actions
    assert_within("the states after a step", after, cart_pole.step(*arguments), cart_pole_rounding.step(*arguments))


@claim("cartpole.dynamics")
@given(case=steps())
def test_dynamics(environments, case):
    assert_steps(take_steps(environments, *case)[0], *case)


@claim("cartpole.dynamics")
def test_each_argument_of_steps(environments, seed):
    generator = np.random.default_rng(seed)
    states, actions = generator.uniform(-0.1, 0.1, (BATCH, 4)).astype(np.float32), np.arange(BATCH, dtype=INT) % 2
    arguments = {"states": states, "actions": actions}
    changes = {"states": -states, "actions": 1 - actions}
    assert_each_argument_counts("steps", environments.steps, arguments, changes)


@claim("cartpole.dynamics-over-time")
@given(number=seeds())
def test_dynamics_over_time(environments, number):
    actions = draw_actions(number)
    episode = play(environments, actions, number)
    assert_steps(episode.states[1:], episode.states[:-1], actions[: episode.length])


@claim("cartpole.positions-lag")
@given(case=steps())
def test_positions_lag(environments, case):
    positions, velocities = [0, 2], [1, 3]
    exact = to_float64(case.states)
    expected = exact[:, positions] + cart_pole.TIME_STEP * exact[:, velocities]
    bound = cart_pole_rounding.step(exact, case.actions)[:, positions]
    for actions in (case.actions, 1 - case.actions):
        after, *_ = take_steps(environments, case.states, actions)
        assert_within("positions and angles after a step", after[:, positions], expected, bound)


@claim("cartpole.push-left-first-step")
@given(case=steps(at_rest=True))
def test_push_left_first_step(environments, case):
    after, *_ = take_steps(environments, case.states, np.full(BATCH, LEFT, INT))
    assert_equal("positions and angles after one step from rest", after[:, [0, 2]], case.states[:, [0, 2]])
    assert (after[:, 1] < 0).all(), f"the cart is pushed to the left and moves at {after[:, 1].max()}"
    assert (after[:, 3] > 0).all(), f"the cart is pushed to the left and the pole turns at {after[:, 3].min()}"


@claim("cartpole.push-left-second-step")
@pytest.mark.parametrize("second", [LEFT, RIGHT])
@given(number=seeds())
def test_push_left_second_step(environments, second, number):
    # Initial states at rest.
    start = environments.initial_states(BATCH, number).copy()
    start[:, [1, 3]] = 0
    between, *_ = take_steps(environments, start, np.full(BATCH, LEFT, INT))
    after, *_ = take_steps(environments, between, np.full(BATCH, second, INT))
    assert (after[:, 0] < start[:, 0]).all(), "after two steps the cart is not further left"
    assert (after[:, 2] > start[:, 2]).all(), "after two steps the pole does not lean further right"


@claim("cartpole.mirrored")
@given(case=steps())
def test_mirrored(environments, case):
    after, *_ = take_steps(environments, *case)
    mirrored, *_ = take_steps(environments, -case.states, 1 - case.actions)
    assert_equal("what follows from the mirrored states", mirrored, -after)


@claim("cartpole.unstable")
@directions
@given(number=seeds())
def test_unstable(environments, sign, number):
    second = round(1 / cart_pole.TIME_STEP)
    episode = play(environments, np.full(second, RIGHT if sign > 0 else LEFT), number)
    assert episode.terminated[-1], f"the pole stands after {episode.length} steps of pushing one way"
    assert sign * episode.states[-1, 2] < 0, f"pushed to one side, it falls to the same: {episode.states[-1]}"


@claim("cartpole.same-actions-same-episode")
@given(number=seeds())
def test_same_actions_same_episode(environments, number):
    one, again = (play(environments, draw_actions(number), number) for _ in range(2))
    for name, values, expected in zip(Played._fields, again, one, strict=True):
        assert_equal(name, values, expected, expected.dtype)


@claim("cartpole.same-actions-same-episode")
def test_another_seed_another_episode(environments, seed):
    seeds_ = [*confusable_seeds(seed), (seed + 1) % 2**31]
    assert_told_apart("episodes", seeds_, lambda one: play(environments, [LEFT], one).states)


@claim("cartpole.reward-of-one")
@given(number=seeds())
def test_reward_of_one(environments, number):
    episode = play(environments, draw_actions(number), number)
    assert_equal("the rewards", episode.rewards, np.ones(episode.length))


@claim("cartpole.last-reward")
@directions
def test_last_reward(environments, sign):
    # The pole is so close to its bound, and so fast, that this is the last step.
    _, reward, terminated = one_step(environments, [0, 0, sign * 0.99 * FARTHEST_ANGLE, sign * 2.0], LEFT)
    assert terminated, "the pole passes 12 degrees, and the episode goes on"
    assert reward == 1, f"the last step has a reward of {reward}, expected 1"


# Close to a bound on either side, but further from it than many roundings to float32 can move.
INSIDE, OUTSIDE = 1 - 2.0**-16, 1 + 2.0**-16


def ends_at(environments, position, angle):
    """Return whether an episode ends in the step to this state; the start is shifted by the effect of the velocity."""
    before = np.array([position, 1, angle, 1]) - cart_pole.TIME_STEP * np.array([1, 0, 1, 0])
    return bool(one_step(environments, before, LEFT)[2])


@claim("cartpole.angle-ends")
@directions
def test_angle_ends(environments, sign):
    found = [ends_at(environments, 0, sign * share * FARTHEST_ANGLE) for share in (INSIDE, OUTSIDE)]
    assert found == [False, True], f"close to 12 degrees, inside and outside, the episode has ended: {found}"


@claim("cartpole.position-ends")
@directions
def test_position_ends(environments, sign):
    found = [ends_at(environments, sign * share * FARTHEST_POSITION, 0) for share in (INSIDE, OUTSIDE)]
    assert found == [False, True], f"close to 2.4, inside and outside, the episode has ended: {found}"


@claim("cartpole.velocity-does-not-end")
@pytest.mark.parametrize("number", [1, 3])
@directions
def test_velocity_does_not_end(environments, number, sign):
    state = np.zeros(4)
    state[number] = sign * FASTEST
    assert not one_step(environments, state, LEFT)[2]


def margins(states):
    """Return the margins of states, none of which is so small that rounding could change its sign.

    The limits may be computed in float32, which rounds a few times.
    """
    found = cart_pole.margin(to_float64(states))
    assume((np.abs(found) > gamma(16)).all())
    return found


@claim("cartpole.failed-state-is-shown")
@given(number=seeds())
def test_failed_state_is_shown(environments, number):
    episode = play(environments, draw_actions(number), number)
    assert margins(episode.states)[-1] < 0, f"the last state is {episode.states[-1]}, inside the bounds"


@claim("cartpole.ends-once")
@given(number=seeds())
def test_ends_once(environments, number):
    episode = play(environments, draw_actions(number), number)
    assert (margins(episode.states)[:-1] > 0).all(), "the episode goes on after a failure"
    ends = episode.terminated | episode.truncated
    assert_equal("whether each step ended the episode", ends, np.arange(1, episode.length + 1) == episode.length, BOOL)


@claim("cartpole.falling-is-termination")
@given(number=seeds())
def test_falling_is_termination(environments, number):
    episode = play(environments, draw_actions(number), number)
    assert episode.terminated[-1], "an episode in which the pole falls does not count as terminated"
    assert not episode.truncated.any(), "an episode in which the pole falls counts as truncated"


@claim("cartpole.limit-is-truncation")
def test_limit_is_truncation(environments, seed):
    episode = balance(environments, seed)
    assert episode.length == MAX_EPISODE_STEPS, f"the episode ends after {episode.length} steps"
    assert not episode.terminated.any(), "an episode that the limit cuts off counts as terminated"
    assert episode.truncated[-1], "an episode that the limit cuts off does not count as truncated"


@claim("cartpole.can-be-balanced")
def test_can_be_balanced(environments, seed):
    lengths = [balance(environments, seed + number).length for number in range(5)]
    assert lengths == [MAX_EPISODE_STEPS] * 5


@claim("cartpole.return-is-length")
def test_return_is_length(environments, seed):
    for episode in (balance(environments, seed), play(environments, draw_actions(seed), seed)):
        assert_within("the sum of the rewards", episode.rewards.sum(), episode.length, 0.0)


@cache
def sample_actions(environments, seed):
    """Draw enough actions to detect a probability of 0.53 or 0.47."""
    count = 20_000
    return assert_form("the actions", environments.sample_actions(count, seed), (count,), np.dtype(INT))


@claim("cartpole.sampled-actions")
def test_sampled_actions(environments, seed):
    actions = sample_actions(environments, seed)
    counts = np.bincount(actions, minlength=2).tolist()
    probability = chance_of_counts(counts)
    assert len(counts) == 2, f"actions up to {actions.max()} are drawn"
    assert probability > FALSE_ALARM, f"even draws are as uneven as {counts} with a probability of {probability:.3g}"


@claim("cartpole.sampled-independently")
def test_sampled_independently(environments, seed):
    actions = sample_actions(environments, seed)
    repeated = (actions[1:] == actions[:-1]).sum()
    assert_share("actions repeat the one before", repeated, len(actions) - 1, 1 / 2)


@claim("cartpole.random-play")
def test_random_play(environments, seed, evidence):
    count = 300
    # As in the definition's sample, no random episode comes near that many steps.
    actions = environments.sample_actions(count * 200, seed).reshape(count, 200)
    lengths = np.array([play(environments, actions[number], seed + number).length for number in range(count)])
    expected = cart_pole.random_lengths(20_000, seed)
    evidence(random_play={"lengths": lengths.tolist(), "expected": float(expected.mean())})
    probability = chance_of_samples(lengths, expected)
    # The mean of so many lengths is 22.26, with a standard deviation of 0.09.
    assert abs(expected.mean() - MEAN_OF_RANDOM_PLAY) < 1
    assert probability > FALSE_ALARM, (
        f"the mean length is {lengths.mean():.1f}, and {expected.mean():.1f} by the definition: episodes differ this"
        f" much with a probability of {probability:.3g}"
    )


@claim("cartpole.rendered-off-screen")
def test_rendered_off_screen(environments, seed):
    frames = environments.frames(np.zeros(2, INT), seed)
    assert_form("the frames", frames, (3, 400, 600, 3), np.dtype(np.uint8))
    assert frames.min() < frames.max(), "the frames are empty"


@claim("cartpole.rendered-states-differ")
def test_rendered_states_differ(environments, seed):
    # The same actions, the last of which are taken later.
    falling, again = (environments.frames(np.zeros(count, INT), seed) for count in (7, 5))
    assert_equal("the frames of the same actions", again, falling[: 5 + 1], np.dtype(np.uint8))
    assert (falling[0] != falling[-1]).any(), "the pole falls, and the picture stays as it is"
    # One in ten pairs of initial states looks the same, and eight do not.
    firsts = [environments.frames(np.zeros(1, INT), (seed + each) % 2**31)[0] for each in range(8)]
    assert any((first != firsts[0]).any() for first in firsts), "the first pictures of eight seeds are the same"


def dense_model(keras):
    """Return a model whose inputs are states."""
    return keras.namespace.Sequential([keras.namespace.layers.Dense(2)])


@claim("cartpole.demonstration-loop")
def test_demonstration_loop(environments, seed):
    episode = balance(environments, seed)
    first = int(BALANCING @ np.asarray(episode.states)[0] > 0)
    repeated = play(environments, np.full(len(episode.rewards), first, INT), seed)
    assert bool(repeated.terminated[-1]), f"the action {first}, repeated, balances the pole"
    assert len(repeated.rewards) < len(episode.rewards)


@claim("cartpole.state-needs-a-batch-axis")
def test_state_needs_a_batch_axis(keras):
    state = np.zeros(4, np.float32)
    assert keras.to_numpy(dense_model(keras)(keras.to_tensor(state[None]))).shape == (1, 2)
    assert_rejected("a state without a batch axis", lambda: dense_model(keras)(keras.to_tensor(state)))


@claim("cartpole.action-is-a-number")
@pytest.mark.parametrize("batch", [1, 5])
def test_action_is_a_number(agent, models, seed, batch):
    parameters = models.initial_parameters("q_network", seed)
    states = np.random.default_rng(seed).uniform(-1, 1, (batch, 4)).astype(np.float32)
    actions = assert_form("act", agent.act("q_network", parameters, states, 0.0, seed), (batch,), np.dtype(INT))
    assert set(actions.tolist()) <= {LEFT, RIGHT}
