"""Faults of the environment: how it moves and ends, what it draws by chance, and what its pictures show."""

import numpy as np

from assay.alternatives.numpy import cart_pole as right
from assay.contract import Episode
from assay.spec.semantics import cart_pole
from doubles.faulty import Fault


def with_constants(**changes):
    """Return steps by the definition with other constants."""

    def wrong(_steps, states, actions):
        kept = {name: getattr(cart_pole, name) for name in changes}
        try:
            for name, value in changes.items():
                setattr(cart_pole, name, value)
            after = cart_pole.step(states.astype(float), actions)
        finally:
            for name, value in kept.items():
                setattr(cart_pole, name, value)
        return after.astype(np.float32), np.ones(len(after), np.float32), cart_pole.margin(after) < 0

    return wrong


def ended_by(margin):
    """Return steps whose end is decided in another way."""

    def wrong(steps, states, actions):
        after, rewards, _ = steps(states, actions)
        return after, rewards, margin(np.abs(after[:, 0]), np.abs(after[:, 2]), states)

    return wrong


def last_block_missing(steps, states, actions):
    """Leave what is beyond whole blocks of 1,024 where it was."""
    after, rewards, terminated = steps(states, actions)
    whole = len(states) // 1024 * 1024
    if whole:
        after = np.concatenate([after[:whole], states[whole:]])
    return after, rewards, terminated


def in_float16(steps, states, actions):
    """Show states with the resolution of float16."""
    after, *others = steps(states, actions)
    return (after.astype(np.float16).astype(np.float32), *others)


def episode(seed, choose, failed=None, *, limit=500, start=None, seen=0):
    """Play by the NumPy implementation, but for what is changed."""
    environment = right.Environment(seed)
    states, rewards, terminated = [environment.reset()], [], []
    if start is not None:
        environment._state = np.array(start(environment._state), float)  # noqa: SLF001 - a fault's way in
        states = [environment._state.astype(np.float32)]  # noqa: SLF001
    while len(rewards) < limit and not (terminated and terminated[-1]):
        action = choose(states[max(len(states) - 1 - seen, 0)], len(rewards))
        if action is None:
            break
        step = environment.step(int(action))
        states.append(step.state)
        rewards.append(1.0)
        terminated.append(step.terminated if failed is None else bool(failed(step.state)))
    count = len(rewards)
    truncated = np.arange(1, count + 1) == limit
    return Episode(np.stack(states), np.ones(count, np.float32), np.array(terminated, bool), truncated)


def by_weights(weights):
    """Return the linear policy."""
    return lambda state, _: weights @ state > 0


def track_without_end(_policy, weights, seed):
    """Let the cart roll on."""
    return episode(seed, by_weights(weights), lambda state: abs(state[2]) > cart_pole.FARTHEST_ANGLE)


def track_without_left_end(_policy, weights, seed):
    """Compare the position with its bound, and not its size."""
    return episode(seed, by_weights(weights), lambda state: state[0] > 2.4 or abs(state[2]) > cart_pole.FARTHEST_ANGLE)


def off_track_is_truncation(policy, weights, seed):
    """Call it a truncation that the cart has left the track."""
    found = Episode(*policy(weights, seed))
    off = np.abs(found.states[1:, 0]) > cart_pole.FARTHEST_POSITION
    return found._replace(terminated=found.terminated & ~off, truncated=found.truncated | off)


def no_reward_off_track(policy, weights, seed):
    """Reward no step that leaves the track."""
    found = Episode(*policy(weights, seed))
    off = np.abs(found.states[1:, 0]) > cart_pole.FARTHEST_POSITION
    return found._replace(rewards=np.where(off, 0, found.rewards).astype(np.float32))


def policy_one_step_late(_policy, weights, seed):
    """Act by the state before."""
    return episode(seed, by_weights(weights), seen=1)


def policy_mirrored(_policy, weights, seed):
    """Push to the left where the sum is positive."""
    return episode(seed, lambda state, _: not weights @ state > 0)


def policy_of_200_steps(_policy, weights, seed):
    """Cut off after 200 steps, as CartPole-v0 does."""
    return episode(seed, by_weights(weights), limit=200)


def policy_of_one_seed(policy, weights, seed):
    """Begin with the same state whatever the seed."""
    return policy(weights, 0)


def ended_when_actions_run_out(play, actions, seed):
    """Call an episode cut off whose actions have run out."""
    found = Episode(*play(actions, seed))
    last = np.arange(1, len(found.rewards) + 1) == len(found.rewards)
    return found._replace(truncated=last & ~found.terminated)


def play_by_counter(play, actions, seed):
    """Let one part of the initial state count the seeds."""
    return episode(
        0,
        lambda _, number: actions[number] if number < len(actions) else None,
        start=lambda _: [(seed % 100 / 50 - 1) * 0.05, 0.01, -0.01, 0.02],
    )


def wider(states):
    """Draw from twice the interval."""
    return 2 * states


FAULTY_STATES = {
    "initial_states_alike": (
        "initial-parts-are-independent",
        "have the same sign",
        lambda s: np.repeat(s[:, :1], 4, 1),
    ),
    "initial_angles_as_positions": (
        "initial-parts-are-independent",
        "position and angle",
        lambda s: s[:, [0, 1, 0, 3]] * np.array([1, 1, -1, 1], np.float32),
    ),
    "initial_sizes_alike": (
        "initial-parts-are-independent",
        "are both near 0",
        lambda s: np.abs(s[:, :1]) * np.sign(s),
    ),
    "initial_states_recycled": (
        "initial-states-are-independent",
        "before: a probability",
        lambda s: s[np.arange(len(s)) % 64],
    ),
    "initial_states_by_turns": (
        "initial-states-are-independent",
        "before: a probability",
        lambda s: np.abs(s) * np.where(np.arange(len(s)) % 2, 1, -1)[:, None].astype(np.float32),
    ),
    "initial_states_of_8_bits": (
        "initial-resolution",
        "are equal to others",
        lambda s: (np.round(s / 0.05 * 127) / 127 * 0.05).astype(np.float32),
    ),
    "initial_states_of_16_bits": (
        "initial-resolution",
        "are equal to others",
        lambda s: (np.round(s / 0.05 * 32767) / 32767 * 0.05).astype(np.float32),
    ),
    "initial_states_from_a_little_less": (
        "initial-resolution",
        "begins at",
        lambda s: (s * np.float32(0.98)).astype(np.float32),
    ),
    "initial_states_normal": (
        "initial-state",
        "even draws look this uneven",
        lambda s: np.clip(np.random.default_rng(1).normal(0, 0.025, s.shape), -0.05, 0.05).astype(np.float32),
    ),
    "initial_states_twice_as_wide": ("initial-state", "one begins at", wider),
    "initial_velocities_of_0": (
        "initial-state",
        "even draws look this uneven",
        lambda s: s * np.array([1, 0, 1, 0], np.float32),
    ),
}
FAULTY_ACTIONS = {
    "actions_by_turns": (
        "sampled-in-no-pattern",
        "as the one 1 before",
        lambda a: (np.arange(len(a)) % 2).astype(np.int32),
    ),
    "actions_recycled": ("sampled-in-no-pattern", "before: a probability", lambda a: a[np.arange(len(a)) % 256]),
    "actions_of_60_percent": (
        "sampled-actions",
        "even draws are as uneven",
        lambda a: (np.random.default_rng(1).random(len(a)) < 0.6).astype(np.int32),
    ),
    "actions_by_no_seed": (
        "sampled-by-seed",
        "draw the same actions",
        lambda a: np.resize([0, 1, 1, 0, 1, 0, 0, 1], len(a)).astype(np.int32),
    ),
}
FAULTY_FRAMES = {
    "frames_black": ("frames-show-their-states", "show nothing that moves", np.zeros_like),
    "frames_one_late": ("frames-show-their-states", "the state before theirs", lambda f: f[[0, *range(len(f) - 1)]]),
    "frames_one_early": (
        "frames-show-their-states",
        "the state after theirs",
        lambda f: f[[*range(1, len(f)), len(f) - 1]],
    ),
    "frames_backwards": ("frames-show-their-states", "frames show", lambda f: f[::-1].copy()),
    "frames_mirrored": ("frames-show-their-states", "further left", lambda f: f[:, :, ::-1].copy()),
    "frames_of_the_first": ("frames-show-their-states", "show nothing that moves", lambda f: f[np.zeros(len(f), int)]),
    "frames_cart_alone": ("frames-show-their-states", "pole", lambda f: _without(f, slice(0, 285))),
    "frames_pole_alone": ("frames-show-their-states", "frames show", lambda f: _without(f, slice(250, 400))),
    "frames_centred": (
        "frames-show-their-states",
        "cart",
        lambda f: np.stack([np.roll(one, -_shift(one), axis=1) for one in f]),
    ),
}


def _without(frames, rows):
    """Paint over some rows."""
    frames = frames.copy()
    frames[:, rows] = frames[0, 0, 0]
    return frames


def _shift(frame):
    """Return how far the cart is from the middle."""
    drawn = (frame != frame[0, 0]).any(axis=-1)
    row = np.flatnonzero(drawn.any(axis=1))[-1]
    return int(np.round(np.nonzero(drawn[row])[0].mean() - frame.shape[1] / 2))


def of_results(function, rows):
    """Make faults that change what a function returns."""
    return {
        name: Fault(
            f"environments.{function}",
            f"cartpole.{claim}",
            tells,
            lambda right, *args, change=change: change(right(*args)),
        )
        for name, (claim, tells, change) in rows.items()
    }


DYNAMICS = {
    "gravity_of_9_81": {"GRAVITY": 9.81},
    "cart_of_1_1_kg": {"CART_MASS": 1.1},
    "pole_of_no_mass": {"POLE_MASS": 0.0},
    "pole_of_double_length": {"HALF_LENGTH": 1.0},
    "force_of_9": {"FORCE": 9.0},
    "time_step_of_1_50_0001": {"TIME_STEP": 0.0200001},
}
ENDS = {
    "angle_of_15_degrees": ("angle-ends", "close to 12 degrees", lambda x, a, _: (x > 2.4) | (a > np.radians(15))),
    "angle_of_12_rounded": ("angle-ends", "close to 12 degrees", lambda x, a, _: (x > 2.4) | (a > 0.2)),
    "track_of_2_5": ("position-ends", "close to 2.4", lambda x, a, _: (x > 2.5) | (a > np.radians(12))),
    "track_in_the_angle_only": ("position-ends", "close to 2.4", lambda x, a, _: a > np.radians(12)),
    "both_at_once": ("angle-ends", "close to 12 degrees", lambda x, a, _: (x > 2.4) & (a > np.radians(12))),
    "end_by_the_state_before": (
        "dynamics-of-many",
        "whether each has failed",
        lambda x, a, states: (np.abs(states[:, 0]) > 2.4) | (np.abs(states[:, 2]) > np.radians(12)),
    ),
}
POLICIES = {
    "track_without_end": ("leaving-is-termination", "it goes on off the track", track_without_end),
    "track_without_left_end": (
        "leaving-is-termination",
        "it goes on off the track, to the left",
        track_without_left_end,
    ),
    "off_track_is_truncation": ("leaving-is-termination", "whether each step has failed", off_track_is_truncation),
    "no_reward_off_track": ("leaving-is-termination", "the rewards", no_reward_off_track),
    "policy_one_step_late": ("policy-sees-its-state", "the states after a step", policy_one_step_late),
    "policy_mirrored": ("policy-sees-its-state", "the states after a step", policy_mirrored),
    "policy_of_200_steps": ("limit-is-truncation", "ends after 200 steps", policy_of_200_steps),
    "policy_of_one_seed": ("policy-by-seed", "begin with the same state", policy_of_one_seed),
}

ENVIRONMENT_FAULTS = (
    {
        name: Fault("environments.steps", "cartpole.dynamics", "the states after a step", with_constants(**changes))
        for name, changes in DYNAMICS.items()
    }
    | {
        name: Fault("environments.steps", f"cartpole.{claim}", tells, ended_by(margin))
        for name, (claim, tells, margin) in ENDS.items()
    }
    | {
        name: Fault("environments.run_linear_policy", f"cartpole.{claim}", tells, wrong)
        for name, (claim, tells, wrong) in POLICIES.items()
    }
    | of_results("initial_states", FAULTY_STATES)
    | of_results("sample_actions", FAULTY_ACTIONS)
    | of_results("frames", FAULTY_FRAMES)
    | {
        "steps_of_whole_blocks": Fault(
            "environments.steps", "cartpole.dynamics-of-many", "the states after a step", last_block_missing
        ),
        "steps_in_float16": Fault("environments.steps", "cartpole.dynamics", "the states after a step", in_float16),
        "ended_when_actions_run_out": Fault(
            "environments.play", "cartpole.actions-run-out", "truncated", ended_when_actions_run_out
        ),
        "play_by_counter": Fault("environments.play", "cartpole.seeded-resets", "a probability of", play_by_counter),
    }
)
