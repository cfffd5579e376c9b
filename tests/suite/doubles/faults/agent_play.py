"""Faults of how the trained agent plays."""

import numpy as np

from assay.alternatives.numpy.agent import QNetwork
from assay.alternatives.numpy.cart_pole import MAX_EPISODE_STEPS, Environment
from doubles.agent_acting import Collecting, LimitOfAllSteps
from doubles.faulty import Fault
from doubles.memory_order import in_memory_order, reading

TWO_BYTES = 2**16


def playing(training, epsilon):
    """Return `play` by another program."""
    return lambda _play, parameters, num_episodes, seed: training(parameters, epsilon, num_episodes, seed).play_all()


def playing_greedily(training):
    """Return `play` by another program, which never explores."""
    return lambda _play, parameters, *arguments: training(parameters, 0.0, *arguments).play_all()


class BeginningWhereTheLastEnded(Collecting):
    """Choose the first action of an episode by the last state of the one before."""

    def begin(self):
        self.begun = True
        return super().begin()

    def act(self, state):
        seen = self.buffer[-1][3] if self.begun and len(self.buffer) else state
        self.begun = False
        return super().act(seen)


def returns_in_order(play, *arguments):
    """Sort the returns."""
    return np.sort(play(*arguments))


class PlayingOnOffTheTrack(Collecting):
    def play(self):
        state, self.length = self.begin(), 0
        while abs(state[2]) < np.radians(12) and self.length < 500:
            state = self.environment.step(self.learner.greedy(state)).state
            self.length += 1
        self.scores.append(self.length - 1)


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


class PlayingFromOneState(Collecting):
    def begin(self):
        self.environment = type(self.environment)(0)
        return super().begin()


class PlayingByOneSeed(Collecting):
    def __init__(self, parameters, epsilon, num_episodes, seed):
        super().__init__(parameters, epsilon, num_episodes, 0)


def episodes_of_environments_in_parallel(play, parameters, num_episodes, seed):
    """Play each episode in an environment of its own, with a seed that is one higher than the last."""
    return np.concatenate([play(parameters, 1, seed + number) for number in range(num_episodes)])


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


FAULTS = {
    "play_exploring_a_little": Fault(
        "agent.play", "q_learning.plays-greedily", "with pushes to the right only", playing(Collecting, 0.1)
    ),
    "play_limit_of_all_steps": Fault(
        "agent.play", "q_learning.plays-greedily", "no pole falls in fewer than", playing_greedily(LimitOfAllSteps)
    ),
    "play_beginning_where_the_last_ended": Fault(
        "agent.play",
        "q_learning.plays-greedily",
        "with pushes to the right only, the largest return is",
        playing_greedily(BeginningWhereTheLastEnded),
    ),
    "returns_in_order": Fault("agent.play", "q_learning.plays-greedily", "are in order", returns_in_order),
    "play_on_off_the_track": Fault(
        "agent.play", "q_learning.play-ends-off-track", "the cart leaves the track", playing(PlayingOnOffTheTrack, 0.0)
    ),
    "play_each_action_twice": Fault(
        "agent.play", "q_learning.play-follows-its-values", "by the definition", play_each_action_twice
    ),
    "play_to_the_end_after_150_steps": Fault(
        "agent.play", "q_learning.play-follows-its-values", "by the definition", play_to_the_end_after_150_steps
    ),
    "play_from_one_state": Fault(
        "agent.play", "q_learning.plays-by-seed", "give the same returns", playing(PlayingFromOneState, 0.0)
    ),
    "play_by_one_seed": Fault(
        "agent.play", "q_learning.plays-by-seed", "give the same returns", playing(PlayingByOneSeed, 0.0)
    ),
    "play_seed_of_16_bits": Fault(
        "agent.play",
        "q_learning.plays-by-seed",
        "draw the same returns",
        lambda play, parameters, num_episodes, seed: play(parameters, num_episodes, seed % TWO_BYTES),
    ),
    "episodes_of_environments_in_parallel": Fault(
        "agent.play", "q_learning.plays-by-seed", "the same returns as later ones", episodes_of_environments_in_parallel
    ),
    "play_by_memory": Fault(
        "agent.play", "q_learning.memory-order", "the pole falls after", reading(in_memory_order, 0)
    ),
    "go_on_after_the_limit": Fault("agent.play", "q_learning.greedy-play", "the returns", go_on_after_the_limit),
}
