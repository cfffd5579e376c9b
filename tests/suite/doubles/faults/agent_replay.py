"""Faults of the replay buffer and of the batches drawn from it."""

import numpy as np

from assay.contract import Transitions
from doubles.dependent_draws import with_few_seeds
from doubles.faulty import Fault
from doubles.kept_results import keeping_results
from doubles.memory_order import reading, without_strides


def newest_overwritten(replay, buffer_size, transitions):
    """Put what no longer fits where the last transition was."""
    if len(transitions[1]) <= buffer_size:
        return replay(buffer_size, transitions)
    keep = [*range(buffer_size - 1), len(transitions[1]) - 1]
    return Transitions(*(values[keep] for values in transitions))


def places(choose):
    """Return `replay` that keeps other places: (count, buffer size) to places."""

    def wrong(_replay, buffer_size, transitions):
        kept = choose(len(transitions[1]), buffer_size)
        return Transitions(*(values[kept] for values in transitions))

    return wrong


def replayed(change):
    """Return `replay` whose result is changed: (transitions, buffer size, all that were given) to transitions."""

    def wrong(replay, buffer_size, transitions):
        return change(Transitions(*replay(buffer_size, transitions)), buffer_size, Transitions(*transitions))

    return wrong


def actions_of_8_bits(replay, buffer_size, transitions):
    """Remember actions in 8 bits."""
    found = replay(buffer_size, transitions)
    return found._replace(actions=found.actions.astype(np.int8).astype(np.int32))


def batch_of_one_alone(sample, transitions, batch_size, seed):
    """Drop the axis of a batch of one."""
    found = sample(transitions, batch_size, seed)
    return Transitions(*(values[0] for values in found)) if batch_size == 1 else found


def sampled_with_replacement(sample, transitions, batch_size, seed):
    """Draw each of a batch from all."""
    drawn = np.random.default_rng(seed).integers(0, len(transitions[1]), batch_size)
    return sample(transitions, batch_size, seed) and Transitions(*(values[drawn] for values in transitions))


def sample_large_buffer_with_replacement(sample, transitions, batch_size, seed):
    """Draw with replacement where a repetition is unlikely."""
    count = len(transitions[1])
    if count <= 4 * batch_size:
        return sample(transitions, batch_size, seed)
    drawn = np.random.default_rng(seed).integers(0, count, batch_size)
    return Transitions(*(values[drawn] for values in transitions))


def sample_of_the_first_thousand(sample, transitions, batch_size, seed):
    """Draw from the first part of a large buffer."""
    return sample(Transitions(*(values[:1024] for values in transitions)), batch_size, seed)


def sample_by_priority(_sample, transitions, batch_size, seed):
    """Draw transitions with a done flag of 1 or 2 twice as often as others."""
    transitions = Transitions(*transitions)
    weights = 1.0 + (transitions.dones > 0)
    generator = np.random.default_rng(seed)
    places = generator.choice(len(weights), batch_size, replace=False, p=weights / weights.sum())
    return Transitions(*(values[places] for values in transitions))


def newest_left_out(sample, transitions, batch_size, seed):
    """Draw from all transitions but the newest, if there are enough of them."""
    count = len(transitions[0]) - (len(transitions[0]) > batch_size + 20)
    places = np.random.default_rng(seed).choice(count, batch_size, replace=False)
    sample(transitions, batch_size, seed)
    return Transitions(*(values[places] for values in transitions))


def sampling(draw):
    """Return `sample` that draws other places: (generator, count, batch_size) to places."""

    def wrong(sample, transitions, batch_size, seed):
        sample(transitions, batch_size, seed)
        places = draw(np.random.default_rng(seed), len(transitions[1]), batch_size)
        return Transitions(*(values[places] for values in transitions))

    return wrong


def next_where_taken(sample, transitions, batch_size, seed):
    """Draw with replacement, and take the next transition for one that the batch has already."""
    sample(transitions, batch_size, seed)
    count, places = len(transitions[0]), []
    for drawn in np.random.default_rng(seed).integers(0, count, batch_size).tolist():
        places.append(next(place % count for place in range(drawn, drawn + count) if place % count not in places))
    return Transitions(*(values[places] for values in transitions))


def sample_of_frames_exchanged(sample, transitions, batch_size, seed):
    """Exchange states and next states, where they are made of frames."""
    batch = sample(transitions, batch_size, seed)
    return batch._replace(states=batch.next_states, next_states=batch.states) if batch.states.ndim > 2 else batch


FAULTS = {
    "newest_overwritten": Fault("agent.replay", "q_learning.buffer-keeps-the-latest", "differ", newest_overwritten),
    "replay_one_more": Fault(
        "agent.replay",
        "q_learning.buffer-keeps-the-latest",
        ", expected [",
        places(lambda n, size: np.arange(n)[-size - 1 :]),
    ),
    "replay_one_less": Fault(
        "agent.replay",
        "q_learning.buffer-keeps-the-latest",
        ", expected [",
        places(lambda n, size: np.arange(n)[1 - size :]),
    ),
    "replay_the_oldest": Fault(
        "agent.replay", "q_learning.buffer-keeps-the-latest", "differ", places(lambda n, size: np.arange(n)[:size])
    ),
    "replay_of_a_thousand": Fault(
        "agent.replay", "q_learning.buffer-keeps-the-latest", ", expected [", places(lambda n, _: np.arange(n)[-1000:])
    ),
    "agent_replay_kept_whatever_states": Fault(
        "agent.replay",
        "q_learning.buffer-in-order",
        "replay returns the same as before for another",
        keeping_results("agent.replay", "states"),
    ),
    "agent_replay_kept_whatever_rewards": Fault(
        "agent.replay",
        "q_learning.buffer-in-order",
        "replay returns the same as before for another",
        keeping_results("agent.replay", "rewards"),
    ),
    "replay_backwards": Fault(
        "agent.replay",
        "q_learning.buffer-in-order",
        "transitions in a buffer",
        places(lambda n, size: np.arange(n)[-size:][::-1]),
    ),
    "replay_without_limit": Fault(
        "agent.replay", "q_learning.buffer-in-order", ", expected [", places(lambda n, _: np.arange(n))
    ),
    "replay_as_the_ring_lies": Fault(
        "agent.replay",
        "q_learning.buffer-in-order",
        "transitions in a buffer",
        places(lambda n, size: np.arange(n) if n <= size else np.roll(np.arange(n - size, n), n % size)),
    ),
    "replay_emptied_when_full": Fault(
        "agent.replay",
        "q_learning.buffer-in-order",
        ", expected [",
        places(lambda n, size: np.arange(n - 1 - (n - 1) % size, n)),
    ),
    "replay_of_signs": Fault(
        "agent.replay",
        "q_learning.buffer-changes-nothing",
        "the transitions, rewards",
        replayed(lambda t, *_: t._replace(rewards=np.sign(t.rewards))),
    ),
    "actions_of_8_bits": Fault("agent.replay", "q_learning.replay-of-frames", "actions of frames", actions_of_8_bits),
    "replay_of_two_actions": Fault(
        "agent.replay",
        "q_learning.replay-of-frames",
        "actions of frames",
        replayed(lambda t, *_: t._replace(actions=np.minimum(t.actions, 1))),
    ),
    "replay_of_flat_states": Fault(
        "agent.replay",
        "q_learning.replay-of-frames",
        "states of frames",
        replayed(lambda t, *_: t._replace(states=t.states.reshape(len(t.states), -1))),
    ),
    "replay_of_bytes": Fault(
        "agent.replay",
        "q_learning.replay-of-frames",
        "states of frames",
        replayed(lambda t, *_: t._replace(states=np.rint(t.states * 255).astype(np.float32) / np.float32(255))),
    ),
    "replay_of_one_state": Fault(
        "agent.replay",
        "q_learning.replay-of-frames",
        "next_states of frames",
        replayed(lambda t, *_: t._replace(next_states=t.states)),
    ),
    "batch_of_one_alone": Fault("agent.sample", "q_learning.sample-form", "states", batch_of_one_alone),
    "sampled_with_replacement": Fault(
        "agent.sample", "q_learning.sample-without-replacement", "has only", sampled_with_replacement
    ),
    "sample_large_buffer_with_replacement": Fault(
        "agent.sample",
        "q_learning.sample-without-replacement",
        "from 2000 transitions has only",
        sample_large_buffer_with_replacement,
    ),
    "agent_sample_kept_whatever_actions": Fault(
        "agent.sample",
        "q_learning.sample-keeps-transitions-whole",
        "sample returns the same as before for another",
        keeping_results("agent.sample", "actions"),
    ),
    "agent_sample_kept_whatever_next_states": Fault(
        "agent.sample",
        "q_learning.sample-keeps-transitions-whole",
        "sample returns the same as before for another",
        keeping_results("agent.sample", "next_states"),
    ),
    "sample_of_the_first_thousand": Fault(
        "agent.sample", "q_learning.sample-evenly", "from 10000 transitions", sample_of_the_first_thousand
    ),
    "sample_by_priority": Fault(
        "agent.sample", "q_learning.sample-evenly", "with a done flag of 1 or 2", sample_by_priority
    ),
    "newest_left_out": Fault("agent.sample", "q_learning.sample-evenly", "the transition 99", newest_left_out),
    "sample_in_a_row": Fault(
        "agent.sample",
        "q_learning.sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: (g.integers(n) + np.arange(b)) % n),
    ),
    "sample_without_the_last": Fault(
        "agent.sample",
        "q_learning.sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: g.choice(max(n - 1, b), b, replace=False)),
    ),
    "sample_without_the_first": Fault(
        "agent.sample",
        "q_learning.sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: n - 1 - g.choice(max(n - 1, b), b, replace=False)),
    ),
    "sample_the_latest": Fault(
        "agent.sample",
        "q_learning.sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: n - b + np.arange(b)),
    ),
    "sample_in_pairs": Fault(
        "agent.sample",
        "q_learning.sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: g.permutation(n // 2)[: (b + 1) // 2].repeat(2)[:b] * 2 + np.arange(b) % 2),
    ),
    "sample_the_newer_more_often": Fault(
        "agent.sample",
        "q_learning.sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: g.choice(n, b, replace=False, p=np.arange(1, n + 1) / (n * (n + 1) / 2))),
    ),
    "next_where_taken": Fault(
        "agent.sample", "q_learning.sample-pairs-evenly", "of seven out of ten are neighbours", next_where_taken
    ),
    "sample_by_no_seed": Fault(
        "agent.sample",
        "q_learning.sample-by-seed",
        "the batch with the same seed",
        sampling(lambda _, n, b: np.random.default_rng().choice(n, b, replace=False)),
    ),
    "samples_by_64_seeds": Fault(
        "agent.sample", "q_learning.sample-by-seed", "draw the same batches", with_few_seeds(64)
    ),
    "sample_of_frames_exchanged": Fault(
        "agent.sample", "q_learning.sample-of-frames", "states of frames", sample_of_frames_exchanged
    ),
    "sample_without_strides": Fault(
        "agent.sample", "q_learning.memory-order", "sample returns", reading(without_strides, 0)
    ),
}
