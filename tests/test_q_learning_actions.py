"""How the agent acts, and what it remembers of it: lines 713 to 749 of the document."""

from itertools import product

import numpy as np
import pytest

from assay.spec.error_bounds import cart_pole_rounding, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import cart_pole
from assay.spec.semantics.cart_pole import FARTHEST_ANGLE, FARTHEST_POSITION, MAX_EPISODE_STEPS
from assay.spec.semantics.q_learning import FAILURE_REWARD, Transitions
from assay.testing.assertions import assert_equal, assert_form, assert_within, claim
from assay.testing.chances import chance_of_order, chance_of_samples
from assay.testing.counts import assert_no_echo, assert_share
from assay.testing.handcrafted_values import (
    BALANCING,
    LEANING,
    LEAVING,
    SWINGING,
    WANDERING,
    constant_values,
    linear_values,
)
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import assert_reads_values, memory_orders
from assay.testing.thresholds import FALSE_ALARM

MODEL = "q_network"
INT = np.dtype(np.int32)
# A batch above the usual sizes of blocks, with a remainder.
ODD = 131
# Pushes to where the pole leans; no sum of several numbers decides.
ANGLE = np.array([0, 0, 1, 0], np.float32)
# The initial states that are the furthest from 0.
CORNERS = cart_pole.INITIAL * np.array([*product((-1, 1), repeat=4)])
# Of actions that are chosen in the same state again and again.
DRAWS = 1_000


def mixed_states(seed, count):
    """Draw states of which about half have either greedy action by `BALANCING`, far from where both are as good."""
    generator = np.random.default_rng(seed)
    states = generator.uniform(-1, 1, (4 * count, 4)).astype(np.float32)
    clear = np.abs(states @ BALANCING) > 1 / 2
    states = states[clear][:count]
    return states, (states @ BALANCING > 0).astype(np.int32)


def easily_confused(seed):
    """Return seeds that are easily taken for each other, and the one that follows."""
    return [*confusable_seeds(seed), (seed + 1) % 2**31]


def act(agent, states, epsilon, seed, weights=BALANCING):
    """Choose actions, and check their form."""
    return assert_form("act", agent.act(MODEL, linear_values(weights), states, epsilon, seed), (len(states),), INT)


@claim("q_learning.greedy-of-each-state")
@pytest.mark.parametrize("count", [1, 7, 33, ODD])
def test_greedy_of_each_state(agent, seed, count):
    states, best = mixed_states(seed, count)
    assert count < 7 or 0 < best.sum() < count, "all states have the same answer"
    assert_equal(f"the greedy actions in {count} states", act(agent, states, 0.0, seed), best, INT)


@claim("q_learning.greedy-of-each-state")
@pytest.mark.parametrize("exponent", [-30, 14])
def test_greedy_of_any_size(agent, seed, exponent):
    # Whole numbers of few digits, of which every sum is exact at any scale: values are nearly equal, or far apart.
    states = np.random.default_rng(seed).integers(-40, 41, (4 * ODD, 4)).astype(np.float32)
    states = states[states @ BALANCING != 0][:ODD]
    found = act(agent, states * np.float32(2.0**exponent), 0.0, seed)
    assert_equal(f"the greedy actions for states scaled by 2^{exponent}", found, states @ BALANCING > 0, INT)


@claim("q_learning.greedy-by-the-parameters")
def test_greedy_by_the_parameters(agent, seed):
    states, best = mixed_states(seed, 33)
    for weights, expected in ((BALANCING, best), (-BALANCING, 1 - best), (BALANCING, best)):
        assert_equal("the greedy actions", act(agent, states, 0.0, seed, weights), expected, INT)


@claim("q_learning.greedy-by-the-parameters")
def test_episodes_by_the_parameters(agent, seed):
    # Pushed to where it leans, the pole stands for longer than pushed to one side all the time, and else it falls soon.
    longest = pushed_lengths(CORNERS).max()
    for weights, stands in ((ANGLE, True), (-ANGLE, False), (ANGLE, True)):
        parameters = linear_values(weights)
        lengths = {
            "play": agent.play(parameters, 1, seed)[0],
            "collect": len(Transitions(*agent.collect(parameters, 0.0, 1, seed)).actions),
        }
        for name, steps in lengths.items():
            assert (steps > longest) == stands, f"{name}: the pole falls after {steps} steps, by values of {weights}"


@claim("q_learning.greedy-far-from-0")
@pytest.mark.parametrize("level", [-1e6, -100.0, 100.0, 1e6])
def test_greedy_far_from_0(agent, seed, level):
    states, best = mixed_states(seed, 33)
    found = agent.act(MODEL, linear_values(BALANCING, level), states, 0.0, seed)
    assert_equal("the greedy actions", found, best, INT)


@claim("q_learning.explores-whatever-is-best")
def test_explores_whatever_is_best(agent, seed):
    states, best = mixed_states(seed, 33)
    states, best = np.tile(states, (30, 1)), np.tile(best, 30)
    others = act(agent, states, 0.5, seed) != best
    for action in (0, 1):
        of_action = others[best == action]
        what = f"actions, where {action} is best and epsilon is 0.5, are not the greedy one"
        assert_share(what, of_action.sum(), len(of_action), 1 / 4, FALSE_ALARM / 2)


@claim("q_learning.explores-in-one-state")
def test_explores_in_one_state(agent, seed):
    # As the document's loop calls it; the seeds differ as calls of one generator do.
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
    states, states_best = mixed_states(seed, ODD)
    for epsilon in (0.5, 1.0):
        one, again = (act(agent, states, epsilon, seed) for _ in range(2))
        assert_equal(f"the actions by the same seed, with an epsilon of {epsilon}", again, one, INT)
    assert_told_apart("actions", easily_confused(seed), lambda number: act(agent, states, 1.0, number))
    # If the same places explored with every seed, half of them never would.
    seeds = [*easily_confused(seed), *((seed + number) % 2**31 for number in (2, 3, 4))]
    others = [act(agent, states, 0.5, number) != states_best for number in seeds]
    assert_never(others, "places")


def assert_never(explored, what):
    """Check how many of many places are greedy whatever the seed, with an epsilon of 1 / 2.

    Args:
        explored: Whether each place has an action that is not greedy, by each seed.
        what: Name of the places.

    """
    never = ~np.any(explored, axis=0)
    assert_share(
        f"{what} are greedy with each of {len(explored)} seeds", never.sum(), never.size, 0.75 ** len(explored)
    )


@claim("q_learning.memory-order")
def test_memory_order(agent, seed):
    states, _ = mixed_states(seed, 33)
    assert_reads_values("act", lambda states: act(agent, states, 0.5, seed), states)
    weights, longest = linear_values(ANGLE), pushed_lengths(CORNERS).max()
    for order, (kernel,), _ in memory_orders(weights["dense1/kernel"]):
        # Broadcast along its first axis, the kernel is all 0.
        if "broadcast" not in order:
            parameters = weights | {"dense1/kernel": kernel}
            found = agent.act(MODEL, parameters, states, 0.0, seed)
            assert_equal(f"the greedy actions, parameters {order}", found, states[:, 2] > 0, INT)
            transitions = Transitions(*agent.collect(parameters, 0.0, 1, seed))
            assert_equal(f"actions, parameters {order}", transitions.actions, transitions.states[:, 2] > 0, INT)
            returns = agent.play(parameters, 1, seed)
            # Pushed to where it leans, the pole stands for twice as long as pushed to one side all the time.
            assert (returns > longest).all(), f"the pole falls after {returns} steps, parameters {order}"


def collected(agent, weights, epsilon, num_episodes, seed):
    """Gather transitions by a linear policy."""
    transitions = Transitions(*agent.collect(linear_values(weights), epsilon, num_episodes, seed))
    count = len(transitions.actions)
    for name, values in zip(Transitions._fields, transitions, strict=True):
        assert_form(f"collect, {name}", values, (count, *values.shape[1:]), values.dtype)
    return transitions


def first_of_episodes(transitions):
    """Return where episodes begin: the first transition, and those whose state is not the next state before."""
    follows = (transitions.states[1:] == transitions.next_states[:-1]).all(axis=1)
    return np.flatnonzero(np.concatenate([[True], ~follows]))


@pytest.fixture(scope="module")
def off_track(agent, seed):
    """Return transitions of episodes in which the cart leaves the track."""
    return collected(agent, LEAVING, 0.0, 3, seed)


def assert_ends_off_track(states, what):
    """Check that states are beyond the track, and that the pole still stands there."""
    positions, angles = np.abs(states[:, 0]), np.abs(states[:, 2])
    assert (positions > FARTHEST_POSITION).all(), f"{what} ends at {positions.min()}, on the track"
    assert (angles < FARTHEST_ANGLE).all(), f"{what} ends with an angle of {angles.max()}"


@claim("q_learning.off-track-is-failure")
def test_off_track_is_failure(off_track):
    last = np.append(first_of_episodes(off_track)[1:], len(off_track.actions)) - 1
    assert len(last) == 3, f"three episodes have {len(last)} beginnings"
    assert_ends_off_track(off_track.next_states[last], "an episode")
    expected = np.ones(len(off_track.actions))
    expected[last] = FAILURE_REWARD
    assert_equal("the rewards", off_track.rewards, expected)
    assert_equal("the marks", off_track.dones, (expected < 0).astype(float))


@claim("q_learning.limit-begins-anew")
def test_limit_begins_anew(agent, seed):
    transitions = collected(agent, BALANCING, 0.0, 2, seed)
    count = len(transitions.actions)
    assert count == 2 * MAX_EPISODE_STEPS, f"two perfect episodes have {count} steps"
    assert first_of_episodes(transitions).tolist() == [0, MAX_EPISODE_STEPS], "states do not follow each other"
    assert_equal("the rewards of perfect episodes", transitions.rewards, np.ones(count))
    assert_equal("their marks", transitions.dones, np.zeros(count))
    # Of the last steps too, whose next states are not those of new episodes.
    arguments = to_float64(transitions.states), transitions.actions
    bound = cart_pole_rounding.step(*arguments)
    furthest = np.abs(transitions.states[MAX_EPISODE_STEPS]).max()
    assert furthest <= np.float32(cart_pole.INITIAL), f"the second episode begins {furthest} from rest"
    assert_within("what follows each step", transitions.next_states, cart_pole.step(*arguments), bound)


# Episodes, and the steps that each of them has at least.
SHORT, STEPS = 40, cart_pole.shortest_length()


@pytest.fixture(scope="module")
def explored(agent, seed):
    """Return which of the first actions of episodes are not greedy, [SHORT, STEPS], with an epsilon of 1 / 2."""
    transitions = collected(agent, -BALANCING, 0.5, SHORT, seed)
    first = first_of_episodes(transitions)
    assert len(first) == SHORT, f"{SHORT} episodes have {len(first)} beginnings"
    states = transitions.states[first[:, None] + np.arange(STEPS)]
    return transitions.actions[first[:, None] + np.arange(STEPS)] != (states @ -BALANCING > 0)


@claim("q_learning.collects-by-epsilon")
def test_collects_by_epsilon(explored):
    assert_share("actions, with an epsilon of 0.5, are not greedy", explored.sum(), explored.size, 1 / 4)


@claim("q_learning.collects-by-epsilon")
def test_collects_by_a_small_epsilon(agent, seed):
    # So few random actions let the pole stand to the limit.
    epsilon, transitions = 0.04, collected(agent, BALANCING, 0.04, 2, seed)
    others = transitions.actions != (transitions.states @ BALANCING > 0)
    assert_share(f"actions, with an epsilon of {epsilon}, are not greedy", others.sum(), others.size, epsilon / 2)


@claim("q_learning.collects-in-no-pattern")
def test_collects_in_no_pattern(explored):
    level = FALSE_ALARM / 3
    never = (~explored.any(axis=1)).sum()
    assert_share("episodes begin with greedy actions only", never, SHORT, (3 / 4) ** STEPS, level)
    never = (~explored.any(axis=0)).sum()
    assert_share(f"steps are greedy in each of {SHORT} episodes", never, STEPS, (3 / 4) ** SHORT, level)
    pairs = explored[:, ::2] & explored[:, 1::2]
    assert_share("pairs of actions are both not greedy", pairs.sum(), pairs.size, 1 / 16, level)


@claim("q_learning.collects-by-epsilon")
def test_collects_evenly(agent, seed):
    # Half as many again are expected, so that it is the first draws that count, wherever they lead.
    count, episodes = 1_000, 70
    transitions = collected(agent, BALANCING, 1.0, episodes, seed)
    actions = transitions.actions[:count]
    assert_share("actions, with an epsilon of 1, push to the right", actions.sum(), len(actions), 1 / 2)
    # Their steps together are more than the limit of one, which no episode reaches by such actions.
    ends = int(transitions.dones.sum())
    assert ends == episodes, f"{ends} of {episodes} episodes of random actions end with a failure"


@claim("q_learning.collects-by-seed")
def test_collects_by_seed(agent, seed):
    one, again = (collected(agent, -BALANCING, 0.5, 2, seed) for _ in range(2))
    for name, values, expected in zip(Transitions._fields, again, one, strict=True):
        assert_equal(f"the {name} by the same seed", values, expected, expected.dtype)
    # Each of a few episodes begins with four numbers.
    assert_told_apart(
        "initial states", easily_confused(seed), lambda number: collected(agent, -BALANCING, 0.5, 1, number).states[0]
    )
    # Where each episode has a seed of its own, one higher than the last.
    states = [
        transitions.states[first_of_episodes(transitions)]
        for transitions in (collected(agent, -BALANCING, 0.5, 3, number) for number in (seed, seed + 1))
    ]
    alike = np.argwhere((states[0][:, None] == states[1]).all(axis=-1)).tolist()
    assert not alike, f"episodes of the seeds {seed} and {seed + 1} begin in the same states, at {alike}"


# Episodes that together have at least so many steps.
FIRST_STEPS = 40


@claim("q_learning.collects-by-seed")
def test_collects_each_draw_by_seed(agent, seed):
    # Two such sequences of random actions agree with a probability of 2^-40.
    count = -(-FIRST_STEPS // STEPS)
    assert_told_apart(
        "random actions",
        easily_confused(seed),
        lambda number: collected(agent, -BALANCING, 1.0, count, number).actions[:FIRST_STEPS],
    )
    explored = []
    for number in range(8):
        transitions = collected(agent, -BALANCING, 0.5, count, (seed + number) % 2**31)
        explored.append((transitions.actions != (transitions.states @ -BALANCING > 0))[:FIRST_STEPS])
    assert_never(explored, "steps")


@claim("q_learning.plays-greedily")
def test_plays_greedily(agent, seed):
    # Pushed to one side all the time, which any exploration makes longer. Beyond the angle at which the pole has fallen
    # the values say the opposite: who begins an episode by the last state of the one before pushes the wrong way.
    count = 60
    policy = linear_values([0, 0, 1, 0], offset=1.01 * FARTHEST_ANGLE)
    returns = assert_form("the returns", agent.play(policy, count, seed), (count,))
    generator = np.random.default_rng(seed)
    expected = pushed_lengths(generator.uniform(-cart_pole.INITIAL, cart_pole.INITIAL, (2_000, 4)))
    corners = pushed_lengths(CORNERS)
    assert (returns <= corners.max()).all(), (
        f"pushed to the right all the time, returns are up to {returns.max():g}, and {corners.max()} by the definition"
    )
    # Together they have more steps than an episode may have.
    assert (returns >= STEPS).all(), f"a return is {returns.min():g}, and no pole falls in fewer steps than {STEPS}"
    probability = chance_of_samples(returns, expected)
    assert probability > FALSE_ALARM, (
        f"pushed to the right all the time, returns are {returns.min():g} to {returns.max():g}, and {expected.min()} to"
        f" {expected.max()} by the definition: they differ this much with a probability of {probability:.3g}"
    )
    probability = chance_of_order(returns)
    assert probability > FALSE_ALARM, (
        f"the returns of {count} episodes are in order, {returns.tolist()}: a probability of {probability:.3g}"
    )


def pushed_lengths(states):
    """Return the lengths of episodes by the definition in which the cart is always pushed to the right."""
    count = len(states)
    lengths, standing = np.zeros(count, int), np.ones(count, bool)
    while standing.any():
        states = cart_pole.step(states, np.ones(count, int))
        lengths += standing
        standing &= cart_pole.margin(states) >= 0
    return lengths


@claim("q_learning.play-ends-off-track")
@pytest.mark.parametrize("side", [-1, 1], ids=["right", "left"])
def test_play_ends_off_track(agent, seed, side):
    returns = assert_form("the returns", agent.play(linear_values(LEANING, offset=side * 0.8), 2, seed), (2,))
    assert (returns < MAX_EPISODE_STEPS).all(), f"the cart leaves the track, and the returns are {returns.tolist()}"


@claim("q_learning.plays-by-seed")
def test_plays_by_seed(agent, seed):
    # How long it takes to leave the track depends on where the cart begins.
    one, again, other = (agent.play(linear_values(LEAVING), 3, number) for number in (seed, seed, seed + 1))
    assert_equal("the returns by the same seed", again, one)
    assert (one != other).any(), f"the seeds {seed} and {seed + 1} give the same returns"
    assert len(np.unique(np.append(one, other))) > 1, f"all episodes have a return of {one[0]}"


@claim("q_learning.plays-by-seed")
def test_plays_by_confusable_seeds(agent, seed):
    # Two episodes of this policy have the same length with a probability of 0.05, and six of them with one of 2e-8.
    policy = linear_values(ANGLE)
    assert_told_apart("returns", easily_confused(seed), lambda number: agent.play(policy, 6, number))


@claim("q_learning.collects-linear-policy")
def test_collects_linear_policy(off_track):
    assert_greedy(off_track, LEAVING)


@claim("q_learning.collects-linear-policy")
@pytest.mark.parametrize("weights", [WANDERING, SWINGING], ids=["wandering", "swinging"])
def test_collects_by_large_numbers(agent, seed, weights):
    assert_greedy(collected(agent, weights, 0.0, 1, seed), weights)


def assert_greedy(transitions, weights):
    """Check that each action is the greedy one in its state."""
    values = to_float64(transitions.states) @ weights
    apart = np.abs(values) > rounding.gamma(6) * (np.abs(transitions.states) @ np.abs(weights))
    assert apart.mean() > 0.9, "most states have two actions that are as good"
    assert_equal("the actions", transitions.actions[apart], (values > 0)[apart], INT)
