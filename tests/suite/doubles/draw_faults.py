"""Faults of the agent's draws that depend on other seeds, other episodes, or on the age of a transition."""

import numpy as np

from assay.alternatives.numpy.agent import Learner, QNetwork, ReplayBuffer, exploring, transitions_of
from assay.alternatives.numpy.cart_pole import MAX_EPISODE_STEPS, Environment
from assay.contract import Transitions
from doubles.agent_training import Training, instead
from doubles.faulty import Fault


def act_by_seeds_in_a_row(_act, model, parameters, states, epsilon, seed):
    """Choose for each state by a seed of its own, one higher than the last."""
    chosen = []
    for place, values in enumerate(QNetwork(model, parameters).values(states)):
        generator = np.random.default_rng(seed + place)
        explores = generator.random() < epsilon
        chosen.append(generator.integers(len(values)) if explores else values.argmax())
    return np.array(chosen, np.int32)


def act_by_one_generator(act, model, parameters, states, epsilon, seed, generator=np.random.default_rng(0)):  # noqa: B008
    """Seed what is drawn in part by one generator of all calls."""
    mixed = 0 < epsilon < 1 and len(states) > 100
    return act(model, parameters, states, epsilon, int(generator.integers(2**31)) if mixed else seed)


def act_by_the_last_frame(act, model, parameters, states, epsilon, seed):
    """Look at the last frame alone."""
    if states.ndim > 2:
        states = np.repeat(states[..., -1:], states.shape[-1], axis=-1)
    return act(model, parameters, states, epsilon, seed)


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


def learn_without_small_losses(_learn, model, parameters, transitions, *, learning_rate, gamma):
    """Take no step where there is next to no error."""
    learner, losses = Learner(model, parameters, learning_rate, gamma), []
    for batch in zip(*transitions, strict=True):
        loss, gradients = learner.loss_and_gradients(Transitions(*batch), gamma)
        if loss > 1e-3:
            learner.optimizer.step(learner.parameters, gradients)
        losses.append(loss)
    return np.array(losses, np.float32), learner.parameters


def collect_by_the_same_numbers(_collect, parameters, epsilon, num_episodes, seed):
    """Decide when to explore by the same numbers in each episode."""
    environment, network = Environment(seed), QNetwork("q_network", parameters)
    buffer = ReplayBuffer(num_episodes * MAX_EPISODE_STEPS, (4,))
    for _ in range(num_episodes):
        choose = exploring(network, environment, epsilon, np.random.default_rng(seed))
        for transition, _over in transitions_of(environment, choose, MAX_EPISODE_STEPS):
            buffer.append(transition)
    return buffer.in_order()


class ActionsOfEachEpisode(Environment):
    """Draw the same random actions in each episode."""

    def __init__(self, seed):
        super().__init__(seed)
        self._seed = seed

    def reset(self):
        self._actions = np.random.default_rng(self._seed)
        return super().reset()


def collect_the_same_actions(_collect, parameters, epsilon, num_episodes, seed):
    """Draw the same random actions in each episode."""
    environment, network = ActionsOfEachEpisode(seed), QNetwork("q_network", parameters)
    buffer = ReplayBuffer(num_episodes * MAX_EPISODE_STEPS, (4,))
    choose = exploring(network, environment, epsilon, np.random.default_rng(seed))
    for _ in range(num_episodes):
        for transition, _over in transitions_of(environment, choose, MAX_EPISODE_STEPS):
            buffer.append(transition)
    return buffer.in_order()


def returns(parameters, num_episodes, seed, *, repeat=1):
    """Play, and take each action so many times in a row."""
    environment, network = Environment(seed), QNetwork("q_network", parameters)
    found = []
    for _ in range(num_episodes):
        state, over, steps = environment.reset(), False, 0
        while not over:
            if steps % repeat == 0:
                action = network.greedy(state)
            step = environment.step(action)
            state, over, steps = step.state, step.terminated or step.truncated, steps + 1
        found.append(steps)
    return np.array(found, np.float32)


def play_each_action_twice(_play, parameters, num_episodes, seed):
    """Choose in every second step alone."""
    return returns(parameters, num_episodes, seed, repeat=2)


def play_to_the_end_after_150_steps(play, parameters, num_episodes, seed):
    """Take a pole that has been kept up for 150 steps for one that stands to the end."""
    found = play(parameters, num_episodes, seed)
    return np.where(found > 150, MAX_EPISODE_STEPS, found).astype(np.float32)


def initial_angles_again(initial_states, count, seed):
    """Take the angle of a state for the angular velocity of the next."""
    states = initial_states(count, seed).copy()
    states[1:, 3] = states[:-1, 2]
    return states


class ExploresWholeEpisodes(Training):
    """Decide once for an episode whether to explore."""

    def begin(self):
        self.explores = self.generator.random() < self.epsilon()
        return super().begin()

    def act(self, state):
        return self.explore() if self.explores else self.learner.greedy(state)


class ExploresTheSameSteps(Training):
    """Decide by the same numbers in each episode."""

    def begin(self):
        self.decides = np.random.default_rng(self.seed)
        return super().begin()

    def act(self, state):
        return self.explore() if self.decides.random() < self.epsilon() else self.learner.greedy(state)


class RewardOfNine(Training):
    """Take 10 from the reward of a failure."""

    def reward(self, step):
        return step.reward - 10 if step.terminated else step.reward


class DrawsTheOldest(Training):
    """Draw from the first ten batches' worth of the buffer."""

    def places(self):
        first = min(len(self.buffer), 10 * self.batch_size)
        return self.generator.choice(first, self.batch_size, replace=False)


class EpsilonFallingByASquare(Training):
    """Let epsilon fall by the square of what is left."""

    def epsilon(self):
        left = max(1 - self.episode / self.num_exploration_episodes, 0)
        return max(self.initial_epsilon * left**2, self.final_epsilon)


class ExploresLessLater(Training):
    """Explore half as much after a dozen steps of an episode."""

    def epsilon(self):
        return super().epsilon() / (2 if self.length >= 12 else 1)


class FutureOfFailures(Training):
    """Value a tenth of what follows a failure."""

    def done(self, step):
        return 0.9 * super().done(step)


class NewestAlways(Training):
    """Put the newest transition into every batch of several."""

    def places(self):
        newest = len(self.buffer) - 1
        if self.batch_size == 1:
            return super().places()
        return [*self.generator.choice(newest, self.batch_size - 1, replace=False), newest]


def act_by_opposite_seeds(act, model, parameters, states, epsilon, seed):
    """Draw for an odd seed the opposite of what is drawn for the even one before it."""
    found = act(model, parameters, states, epsilon, seed - seed % 2)
    return (1 - found if seed % 2 and epsilon == 1 else found).astype(np.int32)


def sample_actions_by_opposite_seeds(sample_actions, count, seed):
    """Draw for an odd seed the opposite of what is drawn for the even one before it."""
    return (sample_actions(count, seed >> 1) ^ (seed & 1)).astype(np.int32)


def collect_without_late_exploration(_collect, parameters, epsilon, num_episodes, seed):
    """Explore in the first hundred steps of an episode alone."""
    environment, network = Environment(seed), QNetwork("q_network", parameters)
    buffer, generator = ReplayBuffer(num_episodes * MAX_EPISODE_STEPS, (4,)), np.random.default_rng(seed)
    for _ in range(num_episodes):
        steps = iter(range(MAX_EPISODE_STEPS))

        def choose(state, steps=steps):
            explores = next(steps) < 100 and generator.random() < epsilon
            return environment.sample() if explores else network.greedy(state)

        for transition, _over in transitions_of(environment, choose, MAX_EPISODE_STEPS):
            buffer.append(transition)
    return buffer.in_order()


def policy_in_half_precision(run_linear_policy, weights, seed):
    """Keep the weights as float16."""
    with np.errstate(over="ignore"):
        return run_linear_policy(weights.astype(np.float16).astype(np.float32), seed)


def velocities_limited(steps, states, actions):
    """Keep velocities between -10 and 10."""
    limits = np.array([np.inf, 10, np.inf, 10], np.float32)
    return steps(np.clip(states, -limits, limits), actions)


def sample_of_frames_exchanged(sample, transitions, batch_size, seed):
    """Exchange states and next states, where they are made of frames."""
    batch = sample(transitions, batch_size, seed)
    return batch._replace(states=batch.next_states, next_states=batch.states) if batch.states.ndim > 2 else batch


def half_of_a_single_loss(loss_and_gradients, model, parameters, transitions, gamma):
    """Halve the loss of a single transition."""
    loss, gradients = loss_and_gradients(model, parameters, transitions, gamma)
    scale = np.float32(0.5 if len(transitions[1]) == 1 else 1)
    return loss * scale, {name: value * scale for name, value in gradients.items()}


def learn_nothing_of_single_transitions(learn, model, parameters, transitions, *, learning_rate, gamma):
    """Take no step with batches of one."""
    rate = learning_rate if np.shape(transitions[1])[1] > 1 else 0.0
    return learn(model, parameters, transitions, learning_rate=rate, gamma=gamma)


def explore_games_by_turns(act, model, parameters, states, epsilon, seed):
    """Explore a game's actions by turns."""
    if model != "q_cnn":
        return act(model, parameters, states, epsilon, seed)
    generator, values = np.random.default_rng(seed), QNetwork(model, parameters).values(states)
    turns = (generator.integers(4) + np.arange(len(values))) % 4
    return np.where(generator.random(len(values)) < epsilon, turns, values.argmax(axis=-1)).astype(np.int32)


def explore_games_by_one_seed(act, model, parameters, states, epsilon, seed):
    """Explore a game by the same actions whatever the seed."""
    return act(model, parameters, states, epsilon, 5 if model == "q_cnn" else seed)


def eight_frames_at_most(stack_frames, frames, image_size):
    """Repeat the first frames from the ninth on."""
    found = stack_frames(frames, image_size)
    return found[..., np.arange(found.shape[-1]) % 8]


ACTING = "q_learning.acts-apart-from-other-seeds"
COLLECTING = "q_learning.collects-in-no-pattern"
EXPLORING = "q_learning.training-explores-in-no-pattern"
PLAYING = "q_learning.play-follows-its-values"

DRAW_FAULTS = {
    "act_by_seeds_in_a_row": Fault("agent.act", ACTING, "consecutive actions", act_by_seeds_in_a_row),
    "act_by_one_generator": Fault(
        "agent.act", "q_learning.acts-by-seed", "with an epsilon of 0.5", act_by_one_generator
    ),
    "act_by_the_last_frame": Fault(
        "agent.act", "pixels.cnn-greedy-of-each", "the greedy actions", act_by_the_last_frame
    ),
    "sample_of_the_first_thousand": Fault(
        "agent.sample", "q_learning.sample-evenly", "from 10000 transitions", sample_of_the_first_thousand
    ),
    "sample_by_priority": Fault(
        "agent.sample", "q_learning.sample-evenly", "with a done flag of 1 or 2", sample_by_priority
    ),
    "learn_without_small_losses": Fault(
        "agent.learn", "q_learning.learns-from-each-batch", "the losses", learn_without_small_losses
    ),
    "collect_by_the_same_numbers": Fault(
        "agent.collect", COLLECTING, "are greedy in each of 40 episodes", collect_by_the_same_numbers
    ),
    "collect_the_same_actions": Fault(
        "agent.collect", "q_learning.collects-each-episode-anew", "the same random actions", collect_the_same_actions
    ),
    "play_each_action_twice": Fault("agent.play", PLAYING, "by the definition", play_each_action_twice),
    "play_to_the_end_after_150_steps": Fault(
        "agent.play", PLAYING, "by the definition", play_to_the_end_after_150_steps
    ),
    "initial_angles_again": Fault(
        "environments.initial_states",
        "cartpole.initial-states-are-independent",
        "initial numbers are as the one 5 before",
        initial_angles_again,
    ),
    "explores_whole_episodes": Fault(
        "agent.fit", EXPLORING, "episodes have greedy actions only", instead(ExploresWholeEpisodes)
    ),
    "explores_the_same_steps": Fault(
        "agent.fit", EXPLORING, "are greedy in each of 96 episodes", instead(ExploresTheSameSteps)
    ),
    "reward_of_nine": Fault(
        "agent.fit", "q_learning.training-learns-failures", "with a reward of -10", instead(RewardOfNine)
    ),
    "draws_the_oldest": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "with ages as uneven", instead(DrawsTheOldest)
    ),
    "epsilon_falling_by_a_square": Fault(
        "agent.fit",
        "q_learning.training-explores-by-schedule",
        "actions of a training are not greedy",
        instead(EpsilonFallingByASquare),
    ),
    "explores_less_later": Fault(
        "agent.fit", "q_learning.training-explores-by-schedule", "are not greedy", instead(ExploresLessLater)
    ),
    "future_of_failures": Fault(
        "agent.fit", "q_learning.training-failure-has-no-future", "the losses of failures", instead(FutureOfFailures)
    ),
    "newest_always": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "batches of two contain the newest", instead(NewestAlways)
    ),
    "act_by_opposite_seeds": Fault("agent.act", ACTING, "or opposite ones", act_by_opposite_seeds),
    "sample_actions_by_opposite_seeds": Fault(
        "environments.sample_actions",
        "cartpole.sampled-independently",
        "or opposite ones",
        sample_actions_by_opposite_seeds,
    ),
    "collect_without_late_exploration": Fault(
        "agent.collect",
        "q_learning.collects-by-epsilon",
        "later actions, with an epsilon of 0.15",
        collect_without_late_exploration,
    ),
    "policy_in_half_precision": Fault(
        "environments.run_linear_policy",
        "cartpole.policy-sees-its-state",
        "the states after a step",
        policy_in_half_precision,
    ),
    "velocities_limited": Fault(
        "environments.steps", "cartpole.dynamics-of-many", "the states after a step", velocities_limited
    ),
    "sample_of_frames_exchanged": Fault(
        "agent.sample", "q_learning.sample-of-frames", "states of frames", sample_of_frames_exchanged
    ),
    "half_of_a_single_loss": Fault(
        "agent.loss_and_gradients", "q_learning.gradients-of-any-batch", "loss", half_of_a_single_loss
    ),
    "learn_nothing_of_single_transitions": Fault(
        "agent.learn", "q_learning.learns-from-each-batch", "dense3/bias", learn_nothing_of_single_transitions
    ),
    "explore_games_by_turns": Fault(
        "agent.act", "pixels.cnn-explores", "depend on earlier ones", explore_games_by_turns
    ),
    "explore_games_by_one_seed": Fault(
        "agent.act", "pixels.cnn-explores-by-seed", "draw the same actions", explore_games_by_one_seed
    ),
    "eight_frames_at_most": Fault("agent.stack_frames", "pixels.stack-order", "stack_frames", eight_frames_at_most),
}
