"""Faults of episodes in the environment."""

import numpy as np

from assay.alternatives.numpy import cart_pole as right
from assay.alternatives.numpy.cart_pole import Environment
from assay.alternatives.numpy.environments import episode_of, take_steps
from assay.contract import Episode
from assay.spec.semantics import cart_pole
from doubles.dependent_draws import with_few_seeds
from doubles.faulty import Fault
from doubles.memory_order import reading, without_strides


def standing_still_at_last(play, actions, seed):
    """Return one state again and again after 300 steps."""
    episode = Episode(*play(actions, seed))
    states = np.array(episode.states)
    states[300:] = states[299:300]
    return episode._replace(states=states)


def a_state_too_early(play, actions, seed):
    """Return one state of a long episode a step early."""
    episode = Episode(*play(actions, seed))
    states = np.array(episode.states)
    if len(states) > 100:
        states[50] = states[51]
    return episode._replace(states=states)


def played_without_limit(play, actions, seed):
    """Cut no episode off."""
    episode = Episode(*play(actions, seed))
    return episode._replace(truncated=np.zeros_like(episode.truncated))


def ended_when_actions_run_out(play, actions, seed):
    """Call an episode cut off whose actions have run out."""
    found = Episode(*play(actions, seed))
    last = np.arange(1, len(found.rewards) + 1) == len(found.rewards)
    return found._replace(truncated=last & ~found.terminated)


def no_initial_state(play, actions, seed):
    """Omit the first state if the list of actions is empty."""
    episode = Episode(*play(actions, seed))
    return episode if len(actions) else episode._replace(states=episode.states[1:])


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


def play_by_counter(play, actions, seed):
    """Let one part of the initial state count the seeds."""
    return episode(
        0,
        lambda _, number: actions[number] if number < len(actions) else None,
        start=lambda _: [(seed % 100 / 50 - 1) * 0.05, 0.01, -0.01, 0.02],
    )


def one_flag_for_both_ends(run_linear_policy, weights, seed):
    """Call an episode that is cut off terminated."""
    episode = run_linear_policy(weights, seed)
    return episode._replace(terminated=episode.terminated | episode.truncated)


def by_weights(weights):
    """Return the linear policy."""
    return lambda state, _: weights @ state > 0


def policy_of_200_steps(_policy, weights, seed):
    """Cut off after 200 steps, as CartPole-v0 does."""
    return episode(seed, by_weights(weights), limit=200)


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


def policy_in_half_precision(run_linear_policy, weights, seed):
    """Keep the weights as float16."""
    with np.errstate(over="ignore"):
        return run_linear_policy(weights.astype(np.float16).astype(np.float32), seed)


def policy_one_step_late(_policy, weights, seed):
    """Act by the state before."""
    return episode(seed, by_weights(weights), seen=1)


def policy_mirrored(_policy, weights, seed):
    """Push to the left where the sum is positive."""
    return episode(seed, lambda state, _: not weights @ state > 0)


def policy_of_clipped_states(_run_linear_policy, weights, seed):
    """Decide by states whose numbers are cut off at -1 and 1."""
    return episode_of(take_steps(Environment(seed), lambda state: int(weights @ np.clip(state, -1, 1) > 0)))


def push_right_at_0(_policy, weights, seed):
    """Push to the right where the product is 0."""
    return episode_of(take_steps(Environment(seed), lambda state: int(weights @ state >= 0)))


def policy_of_one_seed(policy, weights, seed):
    """Begin with the same state whatever the seed."""
    return policy(weights, 0)


FAULTS = {
    "standing_still_at_last": Fault(
        "environments.play", "cartpole.dynamics-over-time", "the states of a whole episode", standing_still_at_last
    ),
    "a_state_too_early": Fault(
        "environments.play", "cartpole.dynamics-over-time", "the states after a step", a_state_too_early
    ),
    "played_without_limit": Fault(
        "environments.play", "cartpole.dynamics-over-time", "whether each step was cut off", played_without_limit
    ),
    "plays_by_1024_seeds": Fault(
        "environments.play", "cartpole.same-actions-same-episode", "draw the same episodes", with_few_seeds(1024)
    ),
    "play_without_strides": Fault("environments.play", "cartpole.memory-order", "sliced", reading(without_strides, 0)),
    "ended_when_actions_run_out": Fault(
        "environments.play", "cartpole.actions-run-out", "truncated", ended_when_actions_run_out
    ),
    "no_initial_state": Fault("environments.play", "cartpole.actions-run-out", "[1, 4]", no_initial_state),
    "play_by_counter": Fault("environments.play", "cartpole.seeded-resets", "a probability of", play_by_counter),
    "one_flag_for_both_ends": Fault(
        "environments.run_linear_policy", "cartpole.limit-is-truncation", "counts as terminated", one_flag_for_both_ends
    ),
    "policy_of_200_steps": Fault(
        "environments.run_linear_policy", "cartpole.limit-is-truncation", "ends after 200 steps", policy_of_200_steps
    ),
    "track_without_end": Fault(
        "environments.run_linear_policy",
        "cartpole.leaving-is-termination",
        "it goes on off the track",
        track_without_end,
    ),
    "track_without_left_end": Fault(
        "environments.run_linear_policy",
        "cartpole.leaving-is-termination",
        "it goes on off the track, to the left",
        track_without_left_end,
    ),
    "off_track_is_truncation": Fault(
        "environments.run_linear_policy",
        "cartpole.leaving-is-termination",
        "whether each step has failed",
        off_track_is_truncation,
    ),
    "no_reward_off_track": Fault(
        "environments.run_linear_policy", "cartpole.leaving-is-termination", "the rewards", no_reward_off_track
    ),
    "policy_in_half_precision": Fault(
        "environments.run_linear_policy",
        "cartpole.policy-sees-its-state",
        "the states after a step",
        policy_in_half_precision,
    ),
    "policy_one_step_late": Fault(
        "environments.run_linear_policy",
        "cartpole.policy-sees-its-state",
        "the states after a step",
        policy_one_step_late,
    ),
    "policy_mirrored": Fault(
        "environments.run_linear_policy", "cartpole.policy-sees-its-state", "the states after a step", policy_mirrored
    ),
    "policy_of_clipped_states": Fault(
        "environments.run_linear_policy",
        "cartpole.policy-sees-its-state",
        "the states after a step",
        policy_of_clipped_states,
    ),
    "policy_without_strides": Fault(
        "environments.run_linear_policy", "cartpole.memory-order", "sliced", reading(without_strides, 0)
    ),
    "pushes_right_at_0": Fault(
        "environments.run_linear_policy", "cartpole.policy-at-0", "states after a step", push_right_at_0
    ),
    "policy_of_one_seed": Fault(
        "environments.run_linear_policy", "cartpole.policy-by-seed", "begin with the same state", policy_of_one_seed
    ),
    "policies_by_1024_seeds": Fault(
        "environments.run_linear_policy",
        "cartpole.policy-by-seed",
        "draw the same initial states",
        with_few_seeds(1024),
    ),
}
