"""Faults of what the environment draws: initial states and actions."""

import numpy as np

from doubles.dependent_draws import with_few_seeds
from doubles.environment_parts import with_results
from doubles.faulty import Fault


def wider(states):
    """Draw from twice the interval."""
    return 2 * states


def later_resets_of_one_seed(initial_states, count, seed):
    """Take the seed for the first of several resets alone."""
    states = np.array(initial_states(count, 0))
    states[:1] = initial_states(1, seed)
    return states


def resets_in_a_row(initial_states, count, seed):
    """Seed each reset, by a seed that is one higher than the last."""
    return np.concatenate([initial_states(1, seed + number) for number in range(count)])


def resets_in_blocks(initial_states, count, seed):
    """Reset an environment eight times, and then one with the next seed."""
    return np.concatenate([initial_states(8, seed + number) for number in range(-(-count // 8))])[:count]


def initial_angles_again(initial_states, count, seed):
    """Take the angle of a state for the angular velocity of the next."""
    states = initial_states(count, seed).copy()
    states[1:, 3] = states[:-1, 2]
    return states


def actions_of_53_percent(_sample_actions, count, seed):
    """Draw the action 1 a little more often."""
    return (np.random.default_rng(seed).random(count) < 0.53).astype(np.int32)


def sample_actions_by_opposite_seeds(sample_actions, count, seed):
    """Draw for an odd seed the opposite of what is drawn for the even one before it."""
    return (sample_actions(count, seed >> 1) ^ (seed & 1)).astype(np.int32)


def actions_that_repeat(_sample_actions, count, seed):
    """Repeat an action a little more often than not."""
    return (np.cumsum(np.random.default_rng(seed).random(count) < 0.47) % 2).astype(np.int32)


def actions_shared_out(_sample, count, seed):
    """Shuffle as many actions of either kind."""
    return np.random.default_rng(seed).permutation(np.arange(count) % 2).astype(np.int32)


def actions_in_a_row(sample_actions, count, seed):
    """Draw each action by a seed that is one higher than the last."""
    return np.concatenate([sample_actions(1, seed + number) for number in range(count)])


FAULTS = {
    "initial_states_normal": Fault(
        "environments.initial_states",
        "cartpole.initial-state",
        "even draws look this uneven",
        with_results(
            lambda s: np.clip(np.random.default_rng(1).normal(0, 0.025, s.shape), -0.05, 0.05).astype(np.float32)
        ),
    ),
    "initial_states_twice_as_wide": Fault(
        "environments.initial_states", "cartpole.initial-state", "one begins at", with_results(wider)
    ),
    "initial_velocities_of_0": Fault(
        "environments.initial_states",
        "cartpole.initial-state",
        "even draws look this uneven",
        with_results(lambda s: s * np.array([1, 0, 1, 0], np.float32)),
    ),
    "later_resets_of_one_seed": Fault(
        "environments.initial_states", "cartpole.reset-by-seed", "give the same states", later_resets_of_one_seed
    ),
    "resets_by_1000_seeds": Fault(
        "environments.initial_states", "cartpole.reset-by-seed", "draw the same initial states", with_few_seeds(1000)
    ),
    "resets_seeded_in_a_row": Fault(
        "environments.initial_states", "cartpole.reset-by-seed", "give the same states", resets_in_a_row
    ),
    "resets_seeded_in_blocks": Fault(
        "environments.initial_states", "cartpole.reset-by-seed", "resets by the seed before", resets_in_blocks
    ),
    "initial_states_alike": Fault(
        "environments.initial_states",
        "cartpole.initial-parts-are-independent",
        "have the same sign",
        with_results(lambda s: np.repeat(s[:, :1], 4, 1)),
    ),
    "initial_angles_as_positions": Fault(
        "environments.initial_states",
        "cartpole.initial-parts-are-independent",
        "position and angle",
        with_results(lambda s: s[:, [0, 1, 0, 3]] * np.array([1, 1, -1, 1], np.float32)),
    ),
    "initial_sizes_alike": Fault(
        "environments.initial_states",
        "cartpole.initial-parts-are-independent",
        "are both near 0",
        with_results(lambda s: np.abs(s[:, :1]) * np.sign(s)),
    ),
    "initial_angles_again": Fault(
        "environments.initial_states",
        "cartpole.initial-states-are-independent",
        "initial numbers are as the one 5 before",
        initial_angles_again,
    ),
    "initial_states_recycled": Fault(
        "environments.initial_states",
        "cartpole.initial-states-are-independent",
        "before: a probability",
        with_results(lambda s: s[np.arange(len(s)) % 64]),
    ),
    "initial_states_by_turns": Fault(
        "environments.initial_states",
        "cartpole.initial-states-are-independent",
        "before: a probability",
        with_results(lambda s: np.abs(s) * np.where(np.arange(len(s)) % 2, 1, -1)[:, None].astype(np.float32)),
    ),
    "initial_states_of_8_bits": Fault(
        "environments.initial_states",
        "cartpole.initial-resolution",
        "are equal to others",
        with_results(lambda s: (np.round(s / 0.05 * 127) / 127 * 0.05).astype(np.float32)),
    ),
    "initial_states_of_16_bits": Fault(
        "environments.initial_states",
        "cartpole.initial-resolution",
        "are equal to others",
        with_results(lambda s: (np.round(s / 0.05 * 32767) / 32767 * 0.05).astype(np.float32)),
    ),
    "initial_states_from_a_little_less": Fault(
        "environments.initial_states",
        "cartpole.initial-resolution",
        "begins at",
        with_results(lambda s: (s * np.float32(0.98)).astype(np.float32)),
    ),
    "actions_of_60_percent": Fault(
        "environments.sample_actions",
        "cartpole.sampled-actions",
        "even draws are as uneven",
        with_results(lambda a: (np.random.default_rng(1).random(len(a)) < 0.6).astype(np.int32)),
    ),
    "actions_of_53_percent": Fault(
        "environments.sample_actions", "cartpole.sampled-actions", "even draws are as uneven", actions_of_53_percent
    ),
    "sample_actions_by_opposite_seeds": Fault(
        "environments.sample_actions",
        "cartpole.sampled-independently",
        "or opposite ones",
        sample_actions_by_opposite_seeds,
    ),
    "actions_that_repeat": Fault(
        "environments.sample_actions", "cartpole.sampled-independently", "repeat the one before", actions_that_repeat
    ),
    "actions_shared_out": Fault(
        "environments.sample_actions", "cartpole.sampled-independently", "of every 100 actions 50", actions_shared_out
    ),
    "actions_seeded_in_a_row": Fault(
        "environments.sample_actions",
        "cartpole.sampled-independently",
        "the same 50 actions in a row",
        actions_in_a_row,
    ),
    "actions_by_turns": Fault(
        "environments.sample_actions",
        "cartpole.sampled-in-no-pattern",
        "as the one 1 before",
        with_results(lambda a: (np.arange(len(a)) % 2).astype(np.int32)),
    ),
    "actions_recycled": Fault(
        "environments.sample_actions",
        "cartpole.sampled-in-no-pattern",
        "before: a probability",
        with_results(lambda a: a[np.arange(len(a)) % 256]),
    ),
    "actions_by_no_seed": Fault(
        "environments.sample_actions",
        "cartpole.sampled-by-seed",
        "draw the same actions",
        with_results(lambda a: np.resize([0, 1, 1, 0, 1, 0, 0, 1], len(a)).astype(np.int32)),
    ),
    "actions_by_64_seeds": Fault(
        "environments.sample_actions", "cartpole.sampled-by-seed", "draw the same actions", with_few_seeds(64)
    ),
}
