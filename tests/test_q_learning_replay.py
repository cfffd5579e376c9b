"""The replay buffer, and the transitions that it stores: lines 692 to 757 of the document."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assay.spec.error_bounds import cart_pole_rounding, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import cart_pole, q_learning
from assay.spec.semantics.cart_pole import INITIAL, MAX_EPISODE_STEPS
from assay.spec.semantics.q_learning import Transitions
from assay.spec.vectors import read
from assay.testing.assertions import (
    assert_equal,
    assert_form,
    assert_rejected,
    assert_within,
    claim,
    few_examples,
)
from assay.testing.chances import chance_of_draws
from assay.testing.counts import assert_share
from assay.testing.handcrafted_values import BALANCING, linear_values
from assay.testing.strategies import arrays, seeds
from assay.testing.thresholds import FALSE_ALARM

MODEL = "q_network"
DOCUMENT = read("q_learning")
BATCH = DOCUMENT["batch_size"]
INT = np.dtype(np.int32)


def numbered_transitions(count):
    """Return transitions that differ in every element but the action and the mark, which repeat."""
    number = np.arange(count, dtype=np.float32)
    states = number[:, None] + np.float32(1 / 8) * np.arange(4, dtype=np.float32)
    return Transitions(
        states, number.astype(np.int32) % 2, number + np.float32(0.5), states + np.float32(1 / 16), number % 3
    )


def assert_transitions(what, found, expected):
    """Compare transitions, element by element."""
    assert len(found) == len(expected), f"{what} have {len(found)} elements, expected {len(expected)}"
    for name, values, right in zip(Transitions._fields, found, expected, strict=True):
        assert_equal(f"{what}, {name}", values, right, right.dtype)


def last_transitions(transitions, count):
    """Return the last `count` transitions."""
    return Transitions(*(values[-count:] for values in transitions))


@claim("q_learning.buffer-keeps-the-latest")
def test_buffer_keeps_the_latest(agent):
    size = DOCUMENT["buffer_size"]
    stored = numbered_transitions(size + 1)
    assert_transitions("the last of 10,001 transitions", agent.replay(size, stored), last_transitions(stored, size))


@claim("q_learning.buffer-in-order")
@given(size=st.integers(1, 6), count=st.integers(1, 20))
def test_buffer_in_order(agent, size, count):
    stored = numbered_transitions(count)
    assert_transitions(
        f"{count} transitions in a buffer of {size}", agent.replay(size, stored), last_transitions(stored, size)
    )


@claim("q_learning.buffer-in-order")
def test_buffers_are_new(agent):
    stored = numbered_transitions(7)
    for size, count in ((4, 7), (4, 2), (6, 3), (4, 7)):
        first = Transitions(*(values[:count] for values in stored))
        found = agent.replay(size, first)
        assert_transitions(
            f"{count} transitions in a buffer of {size} after others", found, last_transitions(first, size)
        )


@st.composite
def arbitrary_transitions(draw):
    """Draw three transitions with arbitrary states and rewards."""
    states, next_states = (draw(arrays((3, 4))) for _ in range(2))
    actions, dones = (np.array(draw(st.lists(st.sampled_from([0, 1]), min_size=3, max_size=3))) for _ in range(2))
    return Transitions(states, actions.astype(np.int32), draw(arrays((3,))), next_states, dones.astype(np.float32))


@claim("q_learning.buffer-changes-nothing")
@given(stored=arbitrary_transitions())
def test_buffer_changes_nothing(agent, stored):
    assert_transitions("the transitions", agent.replay(3, stored), stored)


def sample_batch(agent, transitions, batch_size, seed):
    """Draw a batch, and check its form; return it and the numbers of its transitions."""
    batch = agent.sample(transitions, batch_size, seed)
    assert len(batch) == len(Transitions._fields), f"a batch has {len(batch)} elements"
    for name, values, whole in zip(Transitions._fields, batch, transitions, strict=True):
        assert_form(name, values, (batch_size, *whole.shape[1:]), whole.dtype)
    return Transitions(*batch), batch[0][:, 0].astype(int)


@claim("q_learning.sample-form")
@pytest.mark.parametrize("batch_size", [1, BATCH])
def test_sample_form(agent, seed, batch_size):
    sample_batch(agent, numbered_transitions(100), batch_size, seed)


@claim("q_learning.sample-without-replacement")
@pytest.mark.parametrize("count", [BATCH, BATCH + 1, 100])
@few_examples(8)
@given(number=seeds())
def test_sample_without_replacement(agent, count, number):
    _, drawn = sample_batch(agent, numbered_transitions(count), BATCH, number)
    assert len(set(drawn.tolist())) == BATCH, f"a batch of {BATCH} has only {len(set(drawn.tolist()))} transitions"


@claim("q_learning.sample-without-replacement")
@pytest.mark.parametrize(("count", "batch_size"), [(2_000, 256), (DOCUMENT["buffer_size"], 700)])
def test_sample_large_buffer_without_replacement(agent, seed, count, batch_size):
    # With replacement, no transition would be drawn twice with a probability of at most e^(-b (b - 1) / (2 n)).
    assert np.exp(-batch_size * (batch_size - 1) / (2 * count)) < FALSE_ALARM
    _, drawn = sample_batch(agent, numbered_transitions(count), batch_size, seed)
    different = len(np.unique(drawn))
    assert different == batch_size, (
        f"a batch of {batch_size} from {count} transitions has only {different} different ones"
    )


@claim("q_learning.sample-keeps-transitions-whole")
@given(number=seeds())
def test_sample_keeps_transitions_whole(agent, number):
    stored = numbered_transitions(100)
    batch, drawn = sample_batch(agent, stored, BATCH, number)
    assert_transitions("the batch", batch, Transitions(*(values[drawn] for values in stored)))


@claim("q_learning.sample-evenly")
def test_sample_evenly(agent, seed):
    # The buffer is three times as large as the batch, and each transition of it is expected in 32 batches.
    count, batches = 100, 100
    stored = numbered_transitions(count)
    drawn = np.concatenate([sample_batch(agent, stored, BATCH, 1000 * seed + number)[1] for number in range(batches)])
    # A batch has a transition at most once, so the number of batches with it is binomial.
    for number, found in enumerate(np.bincount(drawn, minlength=count).tolist()):
        assert_share(f"batches have the transition {number}", found, batches, BATCH / count, FALSE_ALARM / count)
    # Counts vary less without replacement than independent draws do, so the binomial test remains valid.
    kinds = {
        "from the newer half": np.arange(count) >= count // 2,
        "of the second action": stored.actions == 1,
        "with a done flag of 1 or 2": stored.dones > 0,
    }
    for what, members in kinds.items():
        assert_share(f"draws are {what}", members[drawn].sum(), drawn.size, members.mean(), FALSE_ALARM / len(kinds))


@claim("q_learning.sample-evenly")
def test_sample_of_a_large_buffer(agent, seed):
    # Draws without replacement are at least as even as independent draws.
    count, batch_size = DOCUMENT["buffer_size"], 256
    _, drawn = sample_batch(agent, numbered_transitions(count), batch_size, seed)
    probability = chance_of_draws((drawn + 0.5) / count, 0.0, 1.0)
    assert probability > FALSE_ALARM, (
        f"{batch_size} uniform draws from {count} transitions are as uneven as these with a probability of"
        f" {probability:.3g}"
    )


@claim("q_learning.sample-anew")
@few_examples(8)
@given(number=seeds())
def test_sample_anew(agent, number):
    one, other = (
        sample_batch(agent, numbered_transitions(100), BATCH, seed)[1].tolist() for seed in (number, number + 1)
    )
    assert one != other, f"the seeds {number} and {number + 1} draw the same batch"


@claim("q_learning.sample-needs-enough")
@pytest.mark.parametrize("count", [1, BATCH - 1])
def test_sample_needs_enough(agent, seed, count):
    assert_rejected(
        f"a batch of {BATCH} from {count} transitions", lambda: agent.sample(numbered_transitions(count), BATCH, seed)
    )


def collect_transitions(agent, parameters, epsilon, num_episodes, seed):
    """Collect transitions, and check their form."""
    found = agent.collect(parameters, epsilon, num_episodes, seed)
    assert len(found) == len(Transitions._fields), f"collect returns {len(found)} elements"
    transitions = Transitions(*found)
    count = len(transitions.actions)
    for name, values in zip(Transitions._fields, transitions, strict=True):
        shape = (count, 4) if name.endswith("states") else (count,)
        assert_form(f"collect, {name}", values, shape, INT if name == "actions" else np.dtype(np.float32))
    return transitions


# Number of episodes in which the pole falls within a second.
SHORT_EPISODES = 5


def collect_failures(agent, seed, epsilon=0.5):
    """Collect episodes that end in failure; return their transitions, and which of them are the last of an episode."""
    transitions = collect_transitions(agent, linear_values(-BALANCING), epsilon, SHORT_EPISODES, seed)
    margins = cart_pole.margin(to_float64(transitions.next_states))
    # Rounding must not decide whether a state is a failure.
    assume((np.abs(margins) > rounding.gamma(16)).all())
    failed = margins < 0
    assert failed.sum() == SHORT_EPISODES, f"{failed.sum()} of {SHORT_EPISODES} episodes fail"
    return transitions, failed


@claim("q_learning.transitions-follow")
@few_examples(8)
@given(number=seeds())
def test_transitions_follow(agent, number):
    transitions, last = collect_failures(agent, number)
    continues = ~last[:-1]
    found, expected = transitions.states[1:][continues], transitions.next_states[:-1][continues]
    assert_equal("the states after the first of an episode", found, expected)


@claim("q_learning.transition-has-its-action")
@few_examples(8)
@given(number=seeds())
def test_transition_has_its_action(agent, number):
    transitions, _ = collect_failures(agent, number, epsilon=1.0)
    arguments = to_float64(transitions.states), transitions.actions
    bound = cart_pole_rounding.step(*arguments)
    assert_within("what follows the recorded action", transitions.next_states, cart_pole.step(*arguments), bound)


@claim("q_learning.episodes-begin-anew")
@few_examples(8)
@given(number=seeds())
def test_episodes_begin_anew(agent, number):
    transitions, last = collect_failures(agent, number)
    first = transitions.states[np.concatenate([[True], last[:-1]])]
    assert (np.abs(first) <= np.float32(INITIAL)).all(), f"an episode begins at {first[np.abs(first).argmax() // 4]}"
    assert len(np.unique(first, axis=0)) == SHORT_EPISODES, "two episodes begin with the same state"


@claim("q_learning.greedy-transitions")
@few_examples(8)
@given(number=seeds())
def test_greedy_transitions(agent, number):
    transitions, _ = collect_failures(agent, number, epsilon=0.0)
    values = q_learning.q_values(MODEL, to_float64(linear_values(-BALANCING)), to_float64(transitions.states))
    # Both values are sums of four products, and differ only in sign.
    apart = np.abs(values[:, 0]) > rounding.gamma(6) * np.abs(transitions.states) @ BALANCING
    assert apart.mean() > 0.9, "in many states both actions have nearly the same value"
    assert_equal("the actions", transitions.actions[apart], values.argmax(axis=1)[apart], INT)


@claim("q_learning.failure-reward")
@few_examples(8)
@given(number=seeds())
def test_failure_reward(agent, number):
    transitions, last = collect_failures(agent, number)
    expected = np.full(SHORT_EPISODES, DOCUMENT["failure_reward"])
    assert_equal("the rewards of failures", transitions.rewards[last], expected)


@claim("q_learning.other-rewards")
@few_examples(8)
@given(number=seeds())
def test_other_rewards(agent, number):
    transitions, last = collect_failures(agent, number)
    assert_equal("the other rewards", transitions.rewards[~last], np.ones((~last).sum()))


@claim("q_learning.failure-is-marked")
@few_examples(8)
@given(number=seeds())
def test_failure_is_marked(agent, number):
    transitions, last = collect_failures(agent, number)
    assert_equal("the done flags", transitions.dones, last.astype(float))


@claim("q_learning.cut-off-is-no-failure")
def test_cut_off_is_no_failure(agent, seed):
    transitions = collect_transitions(agent, linear_values(BALANCING), 0.0, 1, seed)
    assert len(transitions.actions) == MAX_EPISODE_STEPS, (
        f"the episode has {len(transitions.actions)} steps, expected {MAX_EPISODE_STEPS}"
    )
    assert_equal("the last reward of a perfect episode", transitions.rewards[-1:], np.ones(1))
    assert_equal("its done flag", transitions.dones[-1:], np.zeros(1))
