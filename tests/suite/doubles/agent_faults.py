"""Faults of the environment, of what the agent remembers, and of how it learns."""

import numpy as np
from autograd import value_and_grad

from assay.alternatives.numpy.agent import QNetwork
from assay.alternatives.numpy.cart_pole import Environment
from assay.spec.semantics import q_learning
from assay.spec.semantics.cart_pole import MAX_EPISODE_STEPS
from assay.spec.semantics.q_learning import FAILURE_REWARD, Transitions
from doubles.faulty import Fault


def semi_implicit(steps, states, actions):
    """Move positions by the velocities after the step."""
    after, rewards, terminated = steps(states, actions)
    after = after.copy()
    after[:, [0, 2]] += np.float32(0.02) * (after[:, [1, 3]] - states[:, [1, 3]])
    return after, rewards, terminated


def no_reward_at_the_end(steps, states, actions):
    """Reward only a pole that stands."""
    after, rewards, terminated = steps(states, actions)
    return after, np.where(terminated, 0, rewards).astype(np.float32), terminated


def one_flag_for_both_ends(run_linear_policy, weights, seed):
    """Call an episode that is cut off terminated."""
    episode = run_linear_policy(weights, seed)
    return episode._replace(terminated=episode.terminated | episode.truncated)


def epsilon_never_falling(epsilon, episode, *, initial_epsilon, **schedule):
    """Explore for ever as in the first episode."""
    return initial_epsilon


def argmin_policy(act, model, parameters, states, epsilon, seed):
    """Take the worst action."""
    return 1 - act(model, parameters, states, epsilon, seed)


def exploring_half_as_often(act, model, parameters, states, epsilon, seed):
    """Draw only among the other actions, as if that were drawing among all."""
    return act(model, parameters, states, epsilon / 2, seed)


def newest_overwritten(replay, buffer_size, transitions):
    """Put what no longer fits where the last transition was."""
    if len(transitions[1]) <= buffer_size:
        return replay(buffer_size, transitions)
    keep = [*range(buffer_size - 1), len(transitions[1]) - 1]
    return Transitions(*(values[keep] for values in transitions))


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


def leave_out_gradients_of_0(loss_and_gradients, model, parameters, transitions, gamma):
    """Return no gradient for a parameter on which the loss does not depend."""
    loss, gradients = loss_and_gradients(model, parameters, transitions, gamma)
    return loss, {name: gradient for name, gradient in gradients.items() if gradient.any()}


def go_on_after_the_limit(_play, parameters, num_episodes, seed):
    """Begin a new episode only after a failure, and otherwise go on from the last state."""
    environment, network, returns, state = Environment(seed), QNetwork("q_network", parameters), [], None
    for _ in range(num_episodes):
        state, length, failed = environment.reset() if state is None else state, 0, False
        while not failed and length < MAX_EPISODE_STEPS:
            state, _, failed, _ = environment.step(network.greedy(state))
            length += 1
        returns.append(length)
        state = None if failed else state
    return np.array(returns, np.float32)


def done_mask_missing(targets, model, parameters, transitions, gamma):
    """Value what follows a failure."""
    alive = Transitions(*transitions)
    return targets(model, parameters, alive._replace(dones=np.zeros_like(alive.dones)), gamma)


def maximum_over_the_batch(_targets, model, parameters, transitions, gamma):
    """Take the largest value of each action, where there are as many transitions as actions, or else of all."""
    batch = Transitions(*transitions)
    values = q_learning.q_values(model, parameters, batch.next_states)
    best = values.max(axis=0 if values.shape[0] == values.shape[1] else None)
    return (batch.rewards + np.float32(gamma) * best * (1 - batch.dones)).astype(np.float32)


def target_not_held_fixed(_loss_and_gradients, model, parameters, transitions, gamma):
    """Differentiate y as well."""
    batch = Transitions(*transitions)

    def loss(parameters):
        y = q_learning.targets(model, parameters, batch, gamma)
        return q_learning.loss(model, parameters, batch.states, batch.actions, y)

    found, gradients = value_and_grad(loss)(parameters)
    return found, {name: gradient.astype(np.float32) for name, gradient in gradients.items()}


def other_action_credited(collect, parameters, epsilon, num_episodes, seed):
    """Take one action and remember the other."""
    transitions = Transitions(*collect(parameters, epsilon, num_episodes, seed))
    return transitions._replace(actions=1 - transitions.actions)


def cut_off_is_failure(collect, parameters, epsilon, num_episodes, seed):
    """Punish an episode for having come to the limit of steps."""
    transitions = Transitions(*collect(parameters, epsilon, num_episodes, seed))
    if num_episodes == 1 and len(transitions.actions) == MAX_EPISODE_STEPS:
        transitions.rewards[-1], transitions.dones[-1] = FAILURE_REWARD, 1
    return transitions


def state_not_copied(collect, parameters, epsilon, num_episodes, seed):
    """Remember an array that the environment then writes the next state to."""
    transitions = Transitions(*collect(parameters, epsilon, num_episodes, seed))
    return transitions._replace(states=transitions.next_states)


def failure_not_punished(collect, parameters, epsilon, num_episodes, seed):
    """Remember the environment's own reward."""
    transitions = Transitions(*collect(parameters, epsilon, num_episodes, seed))
    return transitions._replace(rewards=np.ones_like(transitions.rewards))


def target_network_never_synchronised(learn, model, parameters, transitions, *, learning_rate, gamma):
    """Make y by the parameters from before the first step, as a target network would that is never brought up."""
    batches = Transitions(*transitions)
    values = [q_learning.targets(model, parameters, Transitions(*batch), gamma) for batch in zip(*batches, strict=True)]
    fixed = batches._replace(rewards=np.stack(values), dones=np.ones_like(batches.dones))
    return learn(model, parameters, fixed, learning_rate=learning_rate, gamma=gamma)


def steps_as_scores(fit, **recipe):
    """Count the steps of an episode from 1."""
    learnt = fit(**recipe)
    return learnt._replace(scores=learnt.scores + np.int32(1))


def newest_frame_first(stack_frames, frames, image_size):
    """Stack the frames backwards."""
    return stack_frames(frames[::-1].copy(), image_size)


def crop_if_the_height_fits(stack_frames, frames, image_size):
    """Compare only the heights to decide whether frames have their size."""
    if frames.shape[1] == image_size[0] and frames.shape[2] > image_size[1]:
        frames = frames[:, :, : image_size[1]].copy()
    return stack_frames(frames, image_size)


def red_alone(stack_frames, frames, image_size):
    """Take the first channel for the grey one."""
    return stack_frames(np.repeat(frames[..., :1], 3, axis=-1), image_size)


AGENT_FAULTS = {
    "semi_implicit": Fault(
        "environments.steps", "cartpole.push-left-first-step", "after one step from rest", semi_implicit
    ),
    "no_reward_at_the_end": Fault("environments.steps", "cartpole.last-reward", "a reward of 0", no_reward_at_the_end),
    "one_flag_for_both_ends": Fault(
        "environments.run_linear_policy", "cartpole.limit-is-truncation", "counts as terminated", one_flag_for_both_ends
    ),
    "epsilon_never_falling": Fault(
        "agent.epsilon", "q_learning.epsilon-schedule", "epsilon in episode", epsilon_never_falling
    ),
    "argmin_policy": Fault("agent.act", "q_learning.argmax-of-the-last-axis", "the greedy actions", argmin_policy),
    "exploring_half_as_often": Fault(
        "agent.act", "q_learning.explores", "are not the greedy one", exploring_half_as_often
    ),
    "newest_overwritten": Fault("agent.replay", "q_learning.buffer-keeps-the-latest", "differ", newest_overwritten),
    "sampled_with_replacement": Fault(
        "agent.sample", "q_learning.sample-without-replacement", "has only", sampled_with_replacement
    ),
    "sample_large_buffer_with_replacement": Fault(
        "agent.sample",
        "q_learning.sample-without-replacement",
        "from 2000 transitions has only",
        sample_large_buffer_with_replacement,
    ),
    "leave_out_gradients_of_0": Fault(
        "agent.loss_and_gradients", "q_learning.gradients", "loss_and_gradients has no", leave_out_gradients_of_0
    ),
    "go_on_after_the_limit": Fault("agent.play", "q_learning.greedy-play", "the returns", go_on_after_the_limit),
    "crop_if_the_height_fits": Fault("agent.stack_frames", "pixels.resized", "stack_frames", crop_if_the_height_fits),
    "done_mask_missing": Fault("agent.targets", "q_learning.target-of-failure", "expected -10", done_mask_missing),
    "maximum_over_the_batch": Fault("agent.targets", "q_learning.target-of-each", "'y'", maximum_over_the_batch),
    "target_not_held_fixed": Fault(
        "agent.loss_and_gradients", "q_learning.target-held-fixed", "times the bound", target_not_held_fixed
    ),
    "other_action_credited": Fault(
        "agent.collect",
        "q_learning.transition-has-its-action",
        "what follows the recorded action",
        other_action_credited,
    ),
    "cut_off_is_failure": Fault(
        "agent.collect", "q_learning.cut-off-is-no-failure", "actual -10, expected 1", cut_off_is_failure
    ),
    "state_not_copied": Fault(
        "agent.collect", "q_learning.transitions-follow", "the states after the first", state_not_copied
    ),
    "failure_not_punished": Fault(
        "agent.collect", "q_learning.failure-reward", "actual 1, expected -10", failure_not_punished
    ),
    "target_network_never_synchronised": Fault(
        "agent.learn", "q_learning.target-moves", "'losses'", target_network_never_synchronised
    ),
    "steps_as_scores": Fault("agent.fit", "q_learning.printed-score", "by the scores", steps_as_scores),
    "newest_frame_first": Fault("agent.stack_frames", "pixels.stack-order", "differ", newest_frame_first),
    "red_alone": Fault("agent.stack_frames", "pixels.colour-is-removed", "the green frame", red_alone),
}
