"""Actions of the agent, and the transitions that it collects: lines 713 to 749 of the document."""

import numpy as np
import pytest

from assay.spec.error_bounds import cart_pole_rounding, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import cart_pole
from assay.spec.semantics.cart_pole import FARTHEST_ANGLE, FARTHEST_POSITION, MAX_EPISODE_STEPS
from assay.spec.semantics.q_learning import FAILURE_REWARD, Transitions
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.counts import assert_no_echo, assert_share
from assay.testing.episode_lengths import CORNERS, right_push_lengths
from assay.testing.handcrafted_values import (
    ANGLE,
    BALANCING,
    DRIFTING,
    LEAVING,
    SWINGING,
    WANDERING,
    constant_values,
    linear_values,
)
from assay.testing.seeds import assert_told_apart, similar_seeds
from assay.testing.stored_arrays import assert_reads_values, memory_orders
from assay.testing.thresholds import FALSE_ALARM

MODEL = "q_network"
INT = np.dtype(np.int32)
# Larger than the usual block sizes, and not a multiple of them.
ODD = 131
# Number of actions chosen in one state.
DRAWS = 1_000


def draw_mixed_states(seed, count):
    """Draw states in which one greedy action of `BALANCING` is clearly the better one; the first two differ in it."""
    generator = np.random.default_rng(seed)
    # A state is not clear with a probability of 0.05.
    states = generator.uniform(-1, 1, (4 * count + 16, 4)).astype(np.float32)
    clear = np.abs(states @ BALANCING) > 1 / 2
    states = states[clear][:count]
    # Seven states drawn independently would have the same greedy action with a probability of 1 / 64.
    states[1:2] = -states[:1]
    return states, (states @ BALANCING > 0).astype(np.int32)


def act(agent, states, epsilon, seed, weights=BALANCING):
    """Choose actions, and check their form."""
    return assert_form("act", agent.act(MODEL, linear_values(weights), states, epsilon, seed), (len(states),), INT)


@claim("q_learning.greedy-of-each-state")
@pytest.mark.parametrize("count", [1, 7, 33, ODD])
def test_greedy_of_each_state(agent, seed, count):
    states, best = draw_mixed_states(seed, count)
    assert count == 1 or 0 < best.sum() < count, "all states have the same greedy action"
    assert_equal(f"the greedy actions in {count} states", act(agent, states, 0.0, seed), best, INT)


@claim("q_learning.greedy-of-each-state")
@pytest.mark.parametrize("exponent", [-30, 14])
def test_greedy_of_any_size(agent, seed, exponent):
    # Sums of small integers are exact at any scale, so the values may be nearly equal or far apart.
    states = np.random.default_rng(seed).integers(-40, 41, (4 * ODD, 4)).astype(np.float32)
    states = states[states @ BALANCING != 0][:ODD]
    found = act(agent, states * np.float32(2.0**exponent), 0.0, seed)
    assert_equal(f"the greedy actions for states scaled by 2^{exponent}", found, states @ BALANCING > 0, INT)


@claim("q_learning.greedy-by-the-parameters")
def test_greedy_by_the_parameters(agent, seed):
    states, best = draw_mixed_states(seed, 33)
    for weights, expected in ((BALANCING, best), (-BALANCING, 1 - best), (BALANCING, best)):
        assert_equal("the greedy actions", act(agent, states, 0.0, seed, weights), expected, INT)


@claim("q_learning.greedy-by-the-parameters")
def test_episodes_by_the_parameters(agent, seed):
    # If the cart is pushed to where the pole leans, the pole stands longer than with pushes to one side only. Pushed
    # the other way, the pole falls sooner.
    longest = right_push_lengths(CORNERS).max()
    for weights, stands in ((ANGLE, True), (-ANGLE, False), (ANGLE, True)):
        parameters = linear_values(weights)
        lengths = {
            "play": agent.play(parameters, 1, seed)[0],
            "collect": len(Transitions(*agent.collect(parameters, 0.0, 1, seed)).actions),
        }
        for name, steps in lengths.items():
            assert (steps > longest) == stands, f"{name}: the pole falls after {steps} steps with the weights {weights}"


@claim("q_learning.greedy-far-from-0")
@pytest.mark.parametrize("level", [-1e6, -100.0, 100.0, 1e6])
def test_greedy_far_from_0(agent, seed, level):
    states, best = draw_mixed_states(seed, 33)
    found = agent.act(MODEL, linear_values(BALANCING, level), states, 0.0, seed)
    assert_equal("the greedy actions", found, best, INT)


@claim("q_learning.explores-whatever-is-best")
def test_explores_whatever_is_best(agent, seed):
    states, best = draw_mixed_states(seed, 33)
    states, best = np.tile(states, (30, 1)), np.tile(best, 30)
    others = act(agent, states, 0.5, seed) != best
    for action in (0, 1):
        of_action = others[best == action]
        what = f"actions, where {action} is best and epsilon is 0.5, are not the greedy one"
        assert_share(what, of_action.sum(), len(of_action), 1 / 4, FALSE_ALARM / 2)


@claim("q_learning.explores-in-one-state")
def test_explores_in_one_state(agent, seed):
    # One state per call, as in the loop of the document. Each call has a seed of its own.
    count = 64
    state, parameters = np.zeros((1, 4), np.float32), constant_values(-1, 1)
    actions = np.concatenate(
        [agent.act(MODEL, parameters, state, 1.0, count * seed + number) for number in range(count)]
    )
    assert_share("single actions, with an epsilon of 1, are not the greedy one", (actions == 0).sum(), count, 1 / 2)


@claim("q_learning.explores-in-no-pattern")
@pytest.mark.parametrize("epsilon", [0.5, 1.0])
def test_explores_in_no_pattern(agent, seed, epsilon):
    states = np.zeros((DRAWS, 4), np.float32)
    actions = assert_form("act", agent.act(MODEL, constant_values(-1, 1), states, epsilon, seed), (DRAWS,), INT)
    assert_no_echo("actions", actions == 0, epsilon / 2)


@claim("q_learning.acts-by-seed")
def test_acts_by_seed(agent, seed):
    states, states_best = draw_mixed_states(seed, ODD)
    for epsilon in (0.5, 1.0):
        one, again = (act(agent, states, epsilon, seed) for _ in range(2))
        assert_equal(f"the actions with the same seed, with an epsilon of {epsilon}", again, one, INT)
    assert_told_apart("actions", similar_seeds(seed), lambda number: act(agent, states, 1.0, number))
    # If the same places of a batch explored with every seed, half of them would never explore.
    seeds = [*similar_seeds(seed), *((seed + number) % 2**31 for number in (2, 3, 4))]
    others = [act(agent, states, 0.5, number) != states_best for number in seeds]
    assert_rarely_never_explored(others, "places")


def assert_rarely_never_explored(explored, what):
    """Check how many places have the greedy action with every seed, where epsilon is 1 / 2.

    Args:
        explored: Whether the action at each place is not the greedy one, for each seed.
        what: Name of the places, in the plural.

    """
    never = ~np.any(explored, axis=0)
    assert_share(
        f"{what} are greedy with each of {len(explored)} seeds", never.sum(), never.size, 0.75 ** len(explored)
    )


@claim("q_learning.memory-order")
def test_memory_order(agent, seed):
    states, _ = draw_mixed_states(seed, 33)
    assert_reads_values("act", lambda states: act(agent, states, 0.5, seed), states)
    weights, longest = linear_values(ANGLE), right_push_lengths(CORNERS).max()
    for order, (kernel,), _ in memory_orders(weights["dense1/kernel"]):
        # A kernel that is broadcast along its first axis is all 0.
        if "broadcast" not in order:
            parameters = weights | {"dense1/kernel": kernel}
            found = agent.act(MODEL, parameters, states, 0.0, seed)
            assert_equal(f"the greedy actions, parameters {order}", found, states[:, 2] > 0, INT)
            transitions = Transitions(*agent.collect(parameters, 0.0, 1, seed))
            assert_equal(f"actions, parameters {order}", transitions.actions, transitions.states[:, 2] > 0, INT)
            returns = agent.play(parameters, 1, seed)
            # If the cart is pushed to where the pole leans, the pole stands longer than with pushes to one side only.
            assert (returns > longest).all(), f"the pole falls after {returns} steps, parameters {order}"


def collect(agent, weights, epsilon, num_episodes, seed, offset=0.0):
    """Collect transitions with a linear policy, and check their form."""
    transitions = Transitions(*agent.collect(linear_values(weights, offset=offset), epsilon, num_episodes, seed))
    count = len(transitions.actions)
    for name, values in zip(Transitions._fields, transitions, strict=True):
        assert_form(f"collect, {name}", values, (count, *values.shape[1:]), values.dtype)
    return transitions


def first_of_episodes(transitions):
    """Return the first transition of each episode: its state is not the next state of the transition before."""
    follows = (transitions.states[1:] == transitions.next_states[:-1]).all(axis=1)
    return np.flatnonzero(np.concatenate([[True], ~follows]))


@pytest.fixture(scope="module")
def off_track(agent, seed):
    """Return transitions of episodes in which the cart leaves the track."""
    return collect(agent, LEAVING, 0.0, 3, seed)


def assert_ends_off_track(states, what):
    """Check that the cart is off the track, and that the pole still stands."""
    positions, angles = np.abs(to_float64(states)[:, [0, 2]]).T
    # Rounding to float32 may take a position beyond the bound to the bound, which is rounded itself.
    assert (positions > FARTHEST_POSITION * (1 - rounding.gamma(2))).all(), (
        f"{what} ends at {positions.min()}, on the track"
    )
    assert (angles < FARTHEST_ANGLE).all(), f"{what} ends with an angle of {angles.max()}"


@claim("q_learning.off-track-is-failure")
def test_off_track_is_failure(off_track):
    last = np.append(first_of_episodes(off_track)[1:], len(off_track.actions)) - 1
    assert len(last) == 3, f"found {len(last)} episodes, expected 3"
    assert_ends_off_track(off_track.next_states[last], "an episode")
    assert_fails_at(off_track, last)


@claim("q_learning.off-track-is-failure")
def test_off_track_late_is_failure(agent, seed):
    transitions = collect(agent, DRIFTING, 0.0, 1, seed, offset=0.8)
    count = len(transitions.actions)
    assert MAX_EPISODE_STEPS / 2 < count < MAX_EPISODE_STEPS, f"the cart leaves the track after {count} steps"
    assert_ends_off_track(transitions.next_states[-1:], f"an episode of {count} steps")
    assert_fails_at(transitions, np.array([count - 1]))


def assert_fails_at(transitions, last):
    """Check that these transitions, and no others, have the reward and the done flag of a failure."""
    expected = np.ones(len(transitions.actions))
    expected[last] = FAILURE_REWARD
    assert_equal("the rewards", transitions.rewards, expected)
    assert_equal("the done flags", transitions.dones, (expected < 0).astype(float))


@claim("q_learning.limit-begins-anew")
def test_limit_begins_anew(agent, seed):
    transitions = collect(agent, BALANCING, 0.0, 2, seed)
    count = len(transitions.actions)
    assert count == 2 * MAX_EPISODE_STEPS, f"two perfect episodes have {count} steps"
    assert first_of_episodes(transitions).tolist() == [0, MAX_EPISODE_STEPS], (
        "the episodes do not begin at steps 0 and 500"
    )
    assert_equal("the rewards of perfect episodes", transitions.rewards, np.ones(count))
    assert_equal("their done flags", transitions.dones, np.zeros(count))
    # The next state of the last step must be that of the same episode, not the first state of the next episode.
    arguments = to_float64(transitions.states), transitions.actions
    bound = cart_pole_rounding.step(*arguments)
    furthest = np.abs(transitions.states[MAX_EPISODE_STEPS]).max()
    assert furthest <= np.float32(cart_pole.INITIAL), f"an element of the second episode's initial state is {furthest}"
    assert_within("the next states", transitions.next_states, cart_pole.step(*arguments), bound)


# Number of episodes, and the least number of steps of an episode.
EPISODES, STEPS = 40, cart_pole.shortest_length()


@pytest.fixture(scope="module")
def explored(agent, seed):
    """Return which of the first actions of episodes are not greedy, [EPISODES, STEPS], with an epsilon of 1 / 2."""
    transitions = collect(agent, -BALANCING, 0.5, EPISODES, seed)
    first = first_of_episodes(transitions)
    assert len(first) == EPISODES, f"found {len(first)} episodes, expected {EPISODES}"
    states = transitions.states[first[:, None] + np.arange(STEPS)]
    return transitions.actions[first[:, None] + np.arange(STEPS)] != (states @ -BALANCING > 0)


@claim("q_learning.collects-by-epsilon")
def test_collects_by_epsilon(explored):
    assert_share("actions, with an epsilon of 0.5, are not greedy", explored.sum(), explored.size, 1 / 4)


@claim("q_learning.collects-by-epsilon")
def test_collects_by_a_small_epsilon(agent, seed):
    # With so few random actions the pole stands until the limit.
    epsilon, transitions = 0.04, collect(agent, BALANCING, 0.04, 2, seed)
    others = transitions.actions != (transitions.states @ BALANCING > 0)
    assert_share(f"actions, with an epsilon of {epsilon}, are not greedy", others.sum(), others.size, epsilon / 2)


@claim("q_learning.collects-in-no-pattern")
def test_collects_in_no_pattern(explored):
    level = FALSE_ALARM / 3
    never = (~explored.any(axis=1)).sum()
    assert_share("episodes begin with greedy actions only", never, EPISODES, (3 / 4) ** STEPS, level)
    never = (~explored.any(axis=0)).sum()
    assert_share(f"steps are greedy in each of {EPISODES} episodes", never, STEPS, (3 / 4) ** EPISODES, level)
    pairs = explored[:, ::2] & explored[:, 1::2]
    assert_share("pairs of actions are both not greedy", pairs.sum(), pairs.size, 1 / 16, level)


@claim("q_learning.collects-by-epsilon")
def test_collects_evenly(agent, seed):
    # The episodes have about 1,500 steps. A fixed number of them counts, since the lengths depend on the actions.
    count, episodes = 1_000, 70
    transitions = collect(agent, BALANCING, 1.0, episodes, seed)
    actions = transitions.actions[:count]
    assert_share("actions, with an epsilon of 1, push to the right", actions.sum(), len(actions), 1 / 2)
    # The limit of 500 steps is that of one episode, not of all together, and random play never reaches it.
    ends = int(transitions.dones.sum())
    assert ends == episodes, f"{ends} of {episodes} episodes of random actions end with a failure"


@claim("q_learning.collects-by-seed")
def test_collects_by_seed(agent, seed):
    one, again = (collect(agent, -BALANCING, 0.5, 2, seed) for _ in range(2))
    for name, values, expected in zip(Transitions._fields, again, one, strict=True):
        assert_equal(f"the {name} with the same seed", values, expected, expected.dtype)
    # An initial state has four random numbers.
    assert_told_apart(
        "initial states", similar_seeds(seed), lambda number: collect(agent, -BALANCING, 0.5, 1, number).states[0]
    )
    # Detects episodes that are seeded with seed, seed + 1 and so on.
    states = [
        transitions.states[first_of_episodes(transitions)]
        for transitions in (collect(agent, -BALANCING, 0.5, 3, number) for number in (seed, seed + 1))
    ]
    alike = np.argwhere((states[0][:, None] == states[1]).all(axis=-1)).tolist()
    assert not alike, f"episodes with the seeds {seed} and {seed + 1} begin in the same states, at {alike}"


# Number of steps compared, from the beginning of a collection.
FIRST_STEPS = 40


@claim("q_learning.collects-by-seed")
def test_collects_each_draw_by_seed(agent, seed):
    # Two such sequences of random actions are equal with a probability of 2^-40.
    count = -(-FIRST_STEPS // STEPS)
    assert_told_apart(
        "random actions",
        similar_seeds(seed),
        lambda number: collect(agent, -BALANCING, 1.0, count, number).actions[:FIRST_STEPS],
    )
    explored = []
    for number in range(8):
        transitions = collect(agent, -BALANCING, 0.5, count, (seed + number) % 2**31)
        explored.append((transitions.actions != (transitions.states @ -BALANCING > 0))[:FIRST_STEPS])
    assert_rarely_never_explored(explored, "steps")


@claim("q_learning.collects-linear-policy")
def test_collects_linear_policy(off_track):
    assert_greedy(off_track, LEAVING)


@claim("q_learning.collects-linear-policy")
@pytest.mark.parametrize("weights", [WANDERING, SWINGING], ids=["wandering", "swinging"])
def test_collects_by_large_numbers(agent, seed, weights):
    assert_greedy(collect(agent, weights, 0.0, 1, seed), weights)


def assert_greedy(transitions, weights):
    """Check that each action is the greedy one in its state, except where both values are nearly equal."""
    values = to_float64(transitions.states) @ weights
    apart = np.abs(values) > rounding.gamma(6) * (np.abs(transitions.states) @ np.abs(weights))
    assert apart.mean() > 0.9, "in many states both actions have nearly the same value"
    assert_equal("the actions", transitions.actions[apart], (values > 0)[apart], INT)
