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
    """Draw transitions that are marked twice as often as others."""
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


ACTING = "q_learning.acts-apart-from-other-seeds"
COLLECTING = "q_learning.collects-in-no-pattern"
EXPLORING = "q_learning.training-explores-in-no-pattern"
PLAYING = "q_learning.play-follows-its-values"

DRAW_FAULTS = {
    "act_by_seeds_in_a_row": Fault("agent.act", ACTING, "actions in a row", act_by_seeds_in_a_row),
    "act_by_one_generator": Fault(
        "agent.act", "q_learning.acts-by-seed", "with an epsilon of 0.5", act_by_one_generator
    ),
    "act_by_the_last_frame": Fault(
        "agent.act", "pixels.cnn-greedy-of-each", "the greedy actions", act_by_the_last_frame
    ),
    "sample_of_the_first_thousand": Fault(
        "agent.sample", "q_learning.sample-evenly", "of 10000 transitions", sample_of_the_first_thousand
    ),
    "sample_by_priority": Fault("agent.sample", "q_learning.sample-evenly", "that are marked", sample_by_priority),
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
        "agent.fit", "q_learning.training-learns-failures", "by a reward of -10", instead(RewardOfNine)
    ),
    "draws_the_oldest": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "with an age as uneven", instead(DrawsTheOldest)
    ),
}
