"""Faults of agent and environments that show late in an episode, with rare arguments, or in draws from many."""

from __future__ import annotations

import numpy as np

from assay.alternatives.numpy import agent as right
from assay.alternatives.numpy.cart_pole import Environment
from assay.alternatives.numpy.environments import episode_of, take_steps
from assay.contract import Episode, Transitions
from doubles.acting_faults import Collecting
from doubles.agent_training import Training, instead
from doubles.faulty import Fault


def full_epsilon_rounded(epsilon, episode, *, initial_epsilon, **schedule):
    """Take 1 for an initial epsilon above 0.9."""
    return epsilon(episode, initial_epsilon=1.0 if initial_epsilon > 0.9 else initial_epsilon, **schedule)


def final_epsilon_clipped(epsilon, episode, *, initial_epsilon, **schedule):
    """Take no final epsilon above the initial one."""
    return min(epsilon(episode, initial_epsilon=initial_epsilon, **schedule), initial_epsilon)


LAST_EPSILON = {}


def epsilon_never_rises(epsilon, episode, **schedule):
    """Let epsilon fall from call to call, and begin again with the first episode."""
    found = epsilon(episode, **schedule)
    key = tuple(schedule.items())
    LAST_EPSILON[key] = min(found, LAST_EPSILON.get(key, found)) if episode else found
    return LAST_EPSILON[key]


def epsilon_in_percent(act, model, parameters, states, epsilon, seed):
    """Explore by whole percents."""
    return act(model, parameters, states, int(100 * epsilon) / 100, seed)


def collect_by_tenths(collect, parameters, epsilon, num_episodes, seed):
    """Explore by whole tenths."""
    return collect(parameters, round(epsilon, 1), num_episodes, seed)


def relatively_near_values_alike(act, model, parameters, states, epsilon, seed):
    """Take the first action where values differ by little of their size."""
    values = np.sort(right.QNetwork(model, parameters).values(states), axis=1)
    alike = np.isclose(values[:, -1], values[:, -2], rtol=1e-5, atol=0)
    return np.where(alike, 0, act(model, parameters, states, epsilon, seed)).astype(np.int32)


def near_values_alike(act, model, parameters, states, epsilon, seed):
    """Take the first action where values differ by little."""
    values = np.sort(right.QNetwork(model, parameters).values(states), axis=1)
    alike = values[:, -1] - values[:, -2] < 1e-3
    return np.where(alike, 0, act(model, parameters, states, epsilon, seed)).astype(np.int32)


def states_in_half(act, model, parameters, states, epsilon, seed):
    """Cut states to float16."""
    with np.errstate(over="ignore", invalid="ignore"):
        return act(model, parameters, states.astype(np.float16).astype(np.float32), epsilon, seed)


def first_action_when_rare(_act, model, parameters, states, epsilon, seed):
    """Take the first action for a random one where epsilon is small."""
    generator = np.random.default_rng(seed)
    values = right.QNetwork(model, parameters).values(states)
    drawn = generator.integers(0, values.shape[1], len(states)) if epsilon >= 0.5 else 0
    return np.where(generator.random(len(states)) < epsilon, drawn, values.argmax(axis=1)).astype(np.int32)


def with_few_seeds(most):
    """Return a function whose seed is a remainder."""

    def wrong(function, *arguments):
        *others, seed = arguments
        return function(*others, seed % most)

    return wrong


def actions_of_8_bits(replay, buffer_size, transitions):
    """Remember actions in 8 bits."""
    found = replay(buffer_size, transitions)
    return found._replace(actions=found.actions.astype(np.int8).astype(np.int32))


def newest_left_out(sample, transitions, batch_size, seed):
    """Draw from all transitions but the newest, if there are enough of them."""
    count = len(transitions[0]) - (len(transitions[0]) > batch_size + 20)
    places = np.random.default_rng(seed).choice(count, batch_size, replace=False)
    sample(transitions, batch_size, seed)
    return Transitions(*(values[places] for values in transitions))


def next_where_taken(sample, transitions, batch_size, seed):
    """Draw with replacement, and take the next transition for one that the batch has already."""
    sample(transitions, batch_size, seed)
    count, places = len(transitions[0]), []
    for drawn in np.random.default_rng(seed).integers(0, count, batch_size).tolist():
        places.append(next(place % count for place in range(drawn, drawn + count) if place % count not in places))
    return Transitions(*(values[places] for values in transitions))


def batch_of_one_alone(sample, transitions, batch_size, seed):
    """Drop the axis of a batch of one."""
    found = sample(transitions, batch_size, seed)
    return Transitions(*(values[0] for values in found)) if batch_size == 1 else found


def target_of_one_alone(targets, *arguments):
    """Drop the axis of a single y."""
    found = targets(*arguments)
    return found.reshape(()) if len(found) == 1 else found


def large_losses_damped(loss_and_gradients, *arguments):
    """Halve the gradients of a large loss."""
    loss, gradients = loss_and_gradients(*arguments)
    share = np.float32(0.5 if loss > 1_000 else 1)
    return loss, {name: share * gradient for name, gradient in gradients.items()}


def ends_of_all_ignored(loss_and_gradients, model, parameters, transitions, gamma):
    """Differentiate as if no transition failed, where all do."""
    loss, gradients = loss_and_gradients(model, parameters, transitions, gamma)
    if np.all(transitions[4]):
        ongoing = Transitions(*transitions)._replace(dones=np.zeros_like(transitions[4]))
        gradients = loss_and_gradients(model, parameters, ongoing, gamma)[1]
    return loss, gradients


def rate_of_zero_replaced(learn, model, parameters, transitions, *, learning_rate, gamma):
    """Take the default for a learning rate of 0."""
    return learn(model, parameters, transitions, learning_rate=learning_rate or 0.001, gamma=gamma)


class ExploringToTheRight(Collecting):
    """Draw the action 1 more often than the other."""

    def explore(self):
        return int(self.generator.random() < 0.65)


def collecting(training):
    """Return `collect` by another program."""
    return lambda _collect, *arguments: training(*arguments).collect()


class ResetAfterTheLimit(Collecting):
    """Remember the first state of a new episode as what follows the last step of one that is cut off."""

    def remembered(self, state, action, step):
        next_state = Environment(self.seed).reset() if step.truncated else step.state
        return super().remembered(state, action, step._replace(state=next_state))


class LimitOfAllSteps(Collecting):
    """Cut an episode off whenever all episodes together have come to a multiple of the limit."""

    def is_left(self):
        return self.length > 0 and len(self.buffer) % 500 == 0


class BeginningWhereTheLastEnded(Collecting):
    """Choose the first action of an episode by the last state of the one before."""

    def begin(self):
        self.begun = True
        return super().begin()

    def act(self, state):
        seen = self.buffer[-1][3] if self.begun and len(self.buffer) else state
        self.begun = False
        return super().act(seen)


class ClippedStates(Collecting):
    """Choose by states whose numbers are cut off at -1 and 1."""

    def act(self, state):
        return super().act(np.clip(state, -1, 1))


def playing(training):
    """Return `play` by another program, which never explores."""
    return lambda _play, parameters, *arguments: training(parameters, 0.0, *arguments).play_all()


def returns_in_order(play, *arguments):
    """Sort the returns."""
    return np.sort(play(*arguments))


def many_frames_reversed(stack_frames, frames, image_size):
    """Put the newest frame first where there are more than four."""
    found = stack_frames(frames, image_size)
    return found[..., ::-1].copy() if len(frames) > 4 else found


def four_frames_at_most(stack_frames, frames, image_size):
    """Take the last four frames."""
    return stack_frames(frames[-4:], image_size)


def smoothed_when_much_smaller(stack_frames, frames, image_size):
    """Take means over rows before frames are made much smaller."""
    if image_size[0] * 3 < frames.shape[1]:
        rows = frames.astype(float)
        frames = np.rint((np.roll(rows, 1, 1) + rows + np.roll(rows, -1, 1)) / 3).astype(np.uint8)
    return stack_frames(frames, image_size)


class ExplorationOneEpisodeLonger(Training):
    """Let the second episode of the exploration occur twice."""

    def epsilon(self):
        share = 1 - max(self.episode - 1, min(self.episode, 1)) / self.num_exploration_episodes
        return max(self.initial_epsilon * share, self.final_epsilon)


class ActingByTheBeginning(Training):
    """Act by the parameters that the episode began with."""

    def begin(self):
        parameters = {name: value.copy() for name, value in self.learner.parameters.items()}
        self.acting = right.QNetwork("q_network", parameters)
        return super().begin()

    def act(self, state):
        return self.explore() if self.generator.random() < self.epsilon() else self.acting.greedy(state)


class LimitOfAllStepsInTraining(Training):
    """Cut an episode off whenever all episodes together have come to a multiple of the limit."""

    taken = 0

    def act(self, state):
        self.taken += 1
        return super().act(state)

    def is_left(self):
        return super().is_left() or (self.length > 0 and self.taken % 500 == 0)


class LearningFromSmallBatches(Training):
    """Take a smaller batch where the buffer has no room for a whole one."""

    def __init__(self, **recipe):
        super().__init__(**recipe)
        self.batch_size = min(self.batch_size, self.buffer_size)


class NewestLeftOutAtFirst(Training):
    """Draw from all transitions but the newest, until the buffer is full."""

    def places(self):
        count = len(self.buffer)
        if self.batch_size < count < self.buffer_size:
            return self.generator.choice(count - 1, self.batch_size, replace=False)
        return super().places()


def small_buffer(fit, *, buffer_size, **options):
    """Remember no more than 2,000 transitions."""
    return fit(buffer_size=min(buffer_size, 2_000), **options)


def later_resets_of_one_seed(initial_states, count, seed):
    """Take the seed for the first of several resets alone."""
    states = np.array(initial_states(count, 0))
    states[:1] = initial_states(1, seed)
    return states


def policy_of_clipped_states(_run_linear_policy, weights, seed):
    """Decide by states whose numbers are cut off at -1 and 1."""
    return episode_of(take_steps(Environment(seed), lambda state: int(weights @ np.clip(state, -1, 1) > 0)))


def no_initial_state(play, actions, seed):
    """Return no state where there are no actions."""
    episode = Episode(*play(actions, seed))
    return episode if len(actions) else episode._replace(states=episode.states[1:])


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


def last_frame_late(frames, actions, seed):
    """Draw the state before the last once more."""
    found = np.array(frames(actions, seed))
    if len(found) > 4:
        found[-1] = found[-2]
    return found


def fallen_pole_not_drawn(frames, actions, seed):
    """Draw the state before the last once more where the episode has ended."""
    found = np.array(frames(actions, seed))
    if len(found) <= len(actions):
        found[-1] = found[-2]
    return found


def frames_after_the_end(frames, actions, seed):
    """Repeat the last frame for the actions that are left."""
    found = frames(actions, seed)
    return np.concatenate([found, np.repeat(found[-1:], len(actions) + 1 - len(found), axis=0)])


def no_first_frame(frames, actions, seed):
    """Draw nothing where there are no actions."""
    found = frames(actions, seed)
    return found if len(actions) else found[1:]


def actions_of_53_percent(_sample_actions, count, seed):
    """Draw the action 1 a little more often."""
    return (np.random.default_rng(seed).random(count) < 0.53).astype(np.int32)


def actions_that_repeat(_sample_actions, count, seed):
    """Repeat an action a little more often than not."""
    return (np.cumsum(np.random.default_rng(seed).random(count) < 0.47) % 2).astype(np.int32)


EPISODE_FAULTS = {
    name: Fault(function, claim, tells, wrong)
    for name, function, claim, tells, wrong in [
        (
            "full_epsilon_rounded",
            "agent.epsilon",
            "q_learning.epsilon-schedule",
            "epsilon in episode 3",
            full_epsilon_rounded,
        ),
        (
            "final_epsilon_clipped",
            "agent.epsilon",
            "q_learning.epsilon-schedule",
            "epsilon in episode",
            final_epsilon_clipped,
        ),
        (
            "epsilon_never_rises",
            "agent.epsilon",
            "q_learning.epsilon-schedule",
            "epsilon in episode",
            epsilon_never_rises,
        ),
        ("epsilon_in_percent", "agent.act", "q_learning.explores", "not the greedy one: 0 of", epsilon_in_percent),
        (
            "next_where_taken",
            "agent.sample",
            "q_learning.sample-pairs-evenly",
            "of seven out of ten are neighbours",
            next_where_taken,
        ),
        (
            "collect_reset_after_the_limit",
            "agent.collect",
            "q_learning.limit-begins-anew",
            "the next states",
            collecting(ResetAfterTheLimit),
        ),
        (
            "collect_limit_of_all_steps",
            "agent.collect",
            "q_learning.collects-by-epsilon",
            "of 70 episodes of random actions",
            collecting(LimitOfAllSteps),
        ),
        (
            "play_limit_of_all_steps",
            "agent.play",
            "q_learning.plays-greedily",
            "no pole falls in fewer than",
            playing(LimitOfAllSteps),
        ),
        (
            "play_beginning_where_the_last_ended",
            "agent.play",
            "q_learning.plays-greedily",
            "with pushes to the right only, the largest return is",
            playing(BeginningWhereTheLastEnded),
        ),
        (
            "collect_by_clipped_states",
            "agent.collect",
            "q_learning.collects-linear-policy",
            "the actions",
            collecting(ClippedStates),
        ),
        (
            "policy_of_clipped_states",
            "environments.run_linear_policy",
            "cartpole.policy-sees-its-state",
            "the states after a step",
            policy_of_clipped_states,
        ),
        (
            "fallen_pole_not_drawn",
            "environments.frames",
            "cartpole.frames-show-their-states",
            "before its last step",
            fallen_pole_not_drawn,
        ),
        (
            "learning_from_small_batches",
            "agent.fit",
            "q_learning.first-transitions",
            "a buffer of two cannot hold a batch of three",
            instead(LearningFromSmallBatches),
        ),
        (
            "newest_left_out_at_first",
            "agent.fit",
            "q_learning.training-draws-evenly",
            "never draw the newest",
            instead(NewestLeftOutAtFirst),
        ),
        (
            "limit_of_all_steps",
            "agent.fit",
            "q_learning.training-plays-cart-pole",
            "no pole falls so soon",
            instead(LimitOfAllStepsInTraining),
        ),
        (
            "acting_by_the_beginning",
            "agent.fit",
            "q_learning.training-follows-its-values",
            "learning steps the best action is",
            instead(ActingByTheBeginning),
        ),
        (
            "collect_by_tenths",
            "agent.collect",
            "q_learning.collects-by-epsilon",
            "with an epsilon of 0.04",
            collect_by_tenths,
        ),
        (
            "relatively_near_values_alike",
            "agent.act",
            "q_learning.greedy-far-from-0",
            "the greedy actions",
            relatively_near_values_alike,
        ),
        ("near_values_alike", "agent.act", "q_learning.greedy-of-each-state", "scaled by 2^-30", near_values_alike),
        ("states_in_half", "agent.act", "q_learning.greedy-of-each-state", "scaled by 2^", states_in_half),
        ("first_action_when_rare", "agent.act", "q_learning.explores", "expected 200.0", first_action_when_rare),
        ("acts_by_512_seeds", "agent.act", "q_learning.acts-by-seed", "draw the same actions", with_few_seeds(512)),
        (
            "collects_by_1000_seeds",
            "agent.collect",
            "q_learning.collects-by-seed",
            "draw the same initial states",
            with_few_seeds(1000),
        ),
        (
            "samples_by_64_seeds",
            "agent.sample",
            "q_learning.sample-by-seed",
            "draw the same batches",
            with_few_seeds(64),
        ),
        ("actions_of_8_bits", "agent.replay", "q_learning.replay-of-frames", "actions of frames", actions_of_8_bits),
        ("newest_left_out", "agent.sample", "q_learning.sample-evenly", "the transition 99", newest_left_out),
        ("batch_of_one_alone", "agent.sample", "q_learning.sample-form", "states", batch_of_one_alone),
        ("target_of_one_alone", "agent.targets", "q_learning.targets-of-any-batch", "[1]", target_of_one_alone),
        (
            "large_losses_damped",
            "agent.loss_and_gradients",
            "q_learning.gradients-of-any-batch",
            "loss_and_gradients",
            large_losses_damped,
        ),
        (
            "ends_of_all_ignored",
            "agent.loss_and_gradients",
            "q_learning.gradients-of-any-batch",
            "loss_and_gradients",
            ends_of_all_ignored,
        ),
        (
            "rate_of_zero_learnt_by",
            "agent.learn",
            "q_learning.learns-by-its-arguments",
            "the losses",
            rate_of_zero_replaced,
        ),
        (
            "exploring_to_the_right",
            "agent.collect",
            "q_learning.collects-by-epsilon",
            "push to the right",
            collecting(ExploringToTheRight),
        ),
        ("returns_in_order", "agent.play", "q_learning.plays-greedily", "are in order", returns_in_order),
        ("many_frames_reversed", "agent.stack_frames", "pixels.stack-order", "stack_frames", many_frames_reversed),
        ("four_frames_at_most", "agent.stack_frames", "pixels.stack-order", "[4, 3, 11]", four_frames_at_most),
        (
            "smoothed_when_much_smaller",
            "agent.stack_frames",
            "pixels.resized-screen",
            "stack_frames",
            smoothed_when_much_smaller,
        ),
        (
            "exploration_one_episode_longer",
            "agent.fit",
            "q_learning.training-ends-exploration",
            "of third and fourth episodes",
            instead(ExplorationOneEpisodeLonger),
        ),
        ("small_buffer", "agent.fit", "q_learning.training-plays-cart-pole", "there are 0 losses", small_buffer),
        (
            "later_resets_of_one_seed",
            "environments.initial_states",
            "cartpole.reset-by-seed",
            "give the same states",
            later_resets_of_one_seed,
        ),
        (
            "resets_by_1000_seeds",
            "environments.initial_states",
            "cartpole.reset-by-seed",
            "draw the same initial states",
            with_few_seeds(1000),
        ),
        (
            "plays_by_1024_seeds",
            "environments.play",
            "cartpole.same-actions-same-episode",
            "draw the same episodes",
            with_few_seeds(1024),
        ),
        (
            "policies_by_1024_seeds",
            "environments.run_linear_policy",
            "cartpole.policy-by-seed",
            "draw the same initial states",
            with_few_seeds(1024),
        ),
        (
            "actions_by_64_seeds",
            "environments.sample_actions",
            "cartpole.sampled-by-seed",
            "draw the same actions",
            with_few_seeds(64),
        ),
        ("no_initial_state", "environments.play", "cartpole.actions-run-out", "[1, 4]", no_initial_state),
        (
            "standing_still_at_last",
            "environments.play",
            "cartpole.dynamics-over-time",
            "the states of a whole episode",
            standing_still_at_last,
        ),
        (
            "a_state_too_early",
            "environments.play",
            "cartpole.dynamics-over-time",
            "the states after a step",
            a_state_too_early,
        ),
        (
            "played_without_limit",
            "environments.play",
            "cartpole.dynamics-over-time",
            "whether each step was cut off",
            played_without_limit,
        ),
        (
            "last_frame_late",
            "environments.frames",
            "cartpole.rendered-states-differ",
            "the frames of the same actions",
            last_frame_late,
        ),
        (
            "frames_after_the_end",
            "environments.frames",
            "q_learning.rendering-changes-nothing",
            "drawn, the episode has 21 states",
            frames_after_the_end,
        ),
        (
            "no_first_frame",
            "environments.frames",
            "q_learning.rendering-changes-nothing",
            "other frames than the first",
            no_first_frame,
        ),
        (
            "actions_of_53_percent",
            "environments.sample_actions",
            "cartpole.sampled-actions",
            "even draws are as uneven",
            actions_of_53_percent,
        ),
        (
            "actions_that_repeat",
            "environments.sample_actions",
            "cartpole.sampled-independently",
            "repeat the one before",
            actions_that_repeat,
        ),
    ]
}
