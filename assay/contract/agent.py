"""The group `agent`: deep Q-learning."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from assay.contract.arrays import Array, Pair, Parameters

QModelName = Literal["q_network", "q_cnn"]


class Transitions(NamedTuple):
    """Steps of an environment, from which an agent learns.

    Attributes:
        states: States before the steps, [n, ...].
        actions: Actions taken, int32 [n].
        rewards: Rewards, [n].
        next_states: States after the steps, [n, ...].
        dones: 1 if the step ended its episode by failure, else 0, [n].

    """

    states: Array
    actions: Array
    rewards: Array
    next_states: Array
    dones: Array


class Learnt(NamedTuple):
    """An agent after training.

    Attributes:
        scores: Number of each episode's last step, from 0, as the document's program prints it, int32 [num_episodes].
        losses: Loss of each batch before its step, [learning steps].
        parameters: Parameters after the last step.

    """

    scores: Array
    losses: Array
    parameters: Parameters


class Agent(Protocol):
    """Deep Q-learning: `q_network` on CartPole, and `q_cnn` on states made of frames.

    Arguments of the type `Transitions` may be plain tuples with its elements.
    """

    def epsilon(
        self, episode: int, *, num_exploration_episodes: int, initial_epsilon: float, final_epsilon: float
    ) -> float:
        """Return the probability of a random action in an episode, counted from 0."""

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Choose an action for each state, random with probability epsilon, else greedy: int32 [n]."""

    def replay(self, buffer_size: int, transitions: Transitions) -> Transitions:
        """Append transitions one by one to a new replay buffer, and return its content, the oldest first."""

    def sample(self, transitions: Transitions, batch_size: int, seed: int) -> Transitions:
        """Draw a batch without replacement from a replay buffer with these transitions.

        Raises:
            ValueError: There are fewer transitions than `batch_size`.

        """

    def targets(self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float) -> Array:
        """Return the target y of each transition: [n]."""

    def loss_and_gradients(
        self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float
    ) -> tuple[Array, Parameters]:
        """Differentiate the mean squared difference between y and the value of the action that was taken."""

    def learn(
        self,
        model: QModelName,
        parameters: Parameters,
        transitions: Transitions,
        *,
        learning_rate: float,
        gamma: float,
    ) -> tuple[Array, Parameters]:
        """Learn from given batches, in their order, with a new Adam.

        Args:
            model: Name of the model.
            parameters: Parameters before the first step.
            transitions: Batches of transitions; each element is [steps, batch, ...].
            learning_rate: Learning rate of Adam.
            gamma: Discount factor.

        Returns:
            [steps]: the loss of each batch before its step; the parameters after the last.

        """

    def collect(self, parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Transitions:
        """Play CartPole with the Q-network, without learning.

        Returns:
            The transitions for the replay buffer, in order. Rewards are the environment's, but -10 for a failure.

        """

    def fit(
        self,
        *,
        num_episodes: int,
        num_exploration_episodes: int,
        initial_epsilon: float,
        final_epsilon: float,
        max_len_episode: int,
        buffer_size: int,
        batch_size: int,
        learning_rate: float,
        gamma: float,
        seed: int,
    ) -> Learnt:
        """Train a new Q-network on CartPole.

        Args:
            num_episodes: Number of episodes.
            num_exploration_episodes: Number of episodes in which epsilon decreases, as in `epsilon`.
            initial_epsilon: Epsilon of the first episode.
            final_epsilon: Smallest epsilon.
            max_len_episode: Number of steps after which an episode is left. This does not count as its end.
            buffer_size: Size of the replay buffer.
            batch_size: Number of transitions in a learning step. The agent does not learn while the buffer holds fewer,
                or after the end of an episode.
            learning_rate: Learning rate of Adam.
            gamma: Discount factor.
            seed: Seed of all random draws.

        """

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Play CartPole with the greedy policy, and return the sum of rewards of each episode: [num_episodes]."""

    def stack_frames(self, frames: Array, image_size: Pair) -> Array:
        """Combine frames into a state.

        Args:
            frames: Frames, the oldest first, uint8 [n, height, width, 3].
            image_size: Height and width after resizing, which is bilinear between the centres of pixels.

        Returns:
            `[*image_size, n]` between 0 and 1: the luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, of each frame.

        """
