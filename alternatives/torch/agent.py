"""Deep Q-learning on CartPole."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from alternatives.torch.device import to_array, to_tensor
from alternatives.torch.environments import seeded
from alternatives.torch.models import Trainer, as_network_takes, loaded, new, parameters_of
from assay.contract import Learnt, Transitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import gymnasium

    from assay.contract import Array, Pair, Parameters, QModelName

# In place of the environment's reward, where an episode fails.
FAILURE_REWARD = -10.0
# The weights of red, green and blue in the luma of ITU-R BT.601.
LUMA = (0.299, 0.587, 0.114)
DTYPES = Transitions(np.float32, np.int32, np.float32, np.float32, np.float32)


class Learner(Trainer):
    """A Q-network with its optimizer, and what it learns from."""

    def __init__(
        self, model: QModelName, network: torch.nn.Sequential, *, learning_rate: float = 0.0, gamma: float = 1.0
    ) -> None:
        """Take the network and the discount factor."""
        super().__init__(model, network, learning_rate)
        self.gamma = gamma

    @torch.no_grad
    def greedy(self, state: Array) -> int:
        """Return the action of the highest value."""
        return int(self.values(to_tensor(state[None])).argmax())

    def values(self, states: torch.Tensor) -> torch.Tensor:
        """Return [n, actions]."""
        return self.network(as_network_takes(states))

    @torch.no_grad
    def targets(self, transitions: Transitions) -> torch.Tensor:
        """Return y of each transition."""
        best = self.values(transitions.next_states).amax(1)
        return transitions.rewards + self.gamma * best * (1 - transitions.dones)

    def error(self, transitions: Transitions) -> torch.Tensor:
        """Return the mean of the squared differences of y and the value of the action that was taken."""
        values = self.values(transitions.states).gather(1, transitions.actions.long()[:, None])[:, 0]
        return functional.mse_loss(values, self.targets(transitions))


def tensors(transitions: Iterable[Array]) -> Transitions:
    """Make tensors of the arrays of `Transitions`."""
    return Transitions(*map(to_tensor, transitions))


def stacked(transitions: Iterable[tuple[Any, ...]]) -> Transitions:
    """Make arrays of single transitions."""
    columns = zip(*transitions, strict=True)
    return Transitions(*(np.array(column, dtype) for column, dtype in zip(columns, DTYPES, strict=True)))


def drawn(buffer: Sequence[tuple[Any, ...]], batch_size: int, generator: np.random.Generator) -> Transitions:
    """Draw single transitions, none of them twice."""
    return stacked(buffer[index] for index in generator.choice(len(buffer), batch_size, replace=False))


def epsilon_greedy(
    state: Array,
    epsilon: float,
    generator: np.random.Generator,
    greedy: Callable[[Array], int],
    sample: Callable[[], int],
) -> int:
    """Choose an action."""
    return int(sample()) if generator.random() < epsilon else greedy(state)


def episode_of(
    environment: gymnasium.Env, choose: Callable[[Array], int], max_len_episode: int
) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Yield every transition of an episode, as it happens, and whether it ended the episode.

    An episode that is cut off by the environment's limit of steps has not failed: its last state has a future.
    """
    state, _ = environment.reset()
    for _ in range(max_len_episode):
        action = choose(state)
        next_state, reward, terminated, truncated, _ = environment.step(action)
        yield (state, action, FAILURE_REWARD if terminated else reward, next_state, terminated), terminated or truncated
        if terminated or truncated:
            return
        state = next_state


class Agent:
    """See `assay.contract.Agent`."""

    def epsilon(
        self, episode: int, *, num_exploration_episodes: int, initial_epsilon: float, final_epsilon: float
    ) -> float:
        """Follow the schedule."""
        remaining = (num_exploration_episodes - episode) / num_exploration_episodes
        return max(initial_epsilon * remaining, final_epsilon)

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Choose for one state after the other."""
        network, generator = loaded(model, parameters), np.random.default_rng(seed)
        num_actions = len([*network.parameters()][-1])
        chosen = [
            epsilon_greedy(
                state, epsilon, generator, Learner(model, network).greedy, lambda: generator.integers(num_actions)
            )
            for state in states
        ]
        return np.array(chosen, np.int32)

    def remember(self, buffer_size: int, transitions: Transitions) -> Transitions:
        """Put them into a `deque`, which forgets the oldest."""
        return stacked(deque(zip(*transitions, strict=True), maxlen=buffer_size))

    def sample(self, transitions: Transitions, batch_size: int, seed: int) -> Transitions:
        """Draw without replacement."""
        return drawn([*zip(*transitions, strict=True)], batch_size, np.random.default_rng(seed))

    def targets(self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float) -> Array:
        """Put the next states through the network."""
        return to_array(Learner(model, loaded(model, parameters), gamma=gamma).targets(tensors(transitions)))

    def loss_and_gradients(
        self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float
    ) -> tuple[Array, Parameters]:
        """Ask the loss for its gradients."""
        learner = Learner(model, loaded(model, parameters), gamma=gamma)
        return learner.gradients(learner.error(tensors(transitions)))

    def learn(
        self,
        model: QModelName,
        parameters: Parameters,
        transitions: Transitions,
        *,
        learning_rate: float,
        gamma: float,
    ) -> tuple[Array, Parameters]:
        """Take a step with every batch."""
        network = loaded(model, parameters)
        learner = Learner(model, network, learning_rate=learning_rate, gamma=gamma)
        batches = (Transitions(*batch) for batch in zip(*tensors(transitions), strict=True))
        losses = [learner.step(learner.error(batch)) for batch in batches]
        return to_array(torch.stack(losses)), parameters_of(network)

    def experience(self, parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Transitions:
        """Play as in training."""
        learner, environment, generator = (
            Learner("q_network", loaded("q_network", parameters)),
            seeded(seed),
            np.random.default_rng(seed),
        )

        def choose(state: Array) -> int:
            return epsilon_greedy(state, epsilon, generator, learner.greedy, environment.action_space.sample)

        limit = environment.spec.max_episode_steps
        episodes = (episode_of(environment, choose, limit) for _ in range(num_episodes))
        return stacked(transition for episode in episodes for transition, _ in episode)

    def fit(
        self,
        *,
        num_episodes: int,
        max_len_episode: int,
        buffer_size: int,
        batch_size: int,
        learning_rate: float,
        gamma: float,
        seed: int,
        **schedule: Any,
    ) -> Learnt:
        """Play and learn."""
        network = new("q_network", seed)
        learner = Learner("q_network", network, learning_rate=learning_rate, gamma=gamma)
        environment, generator = seeded(seed), np.random.default_rng(seed)
        buffer: deque[tuple[Any, ...]] = deque(maxlen=buffer_size)
        scores, losses = [], []
        for episode in range(num_episodes):
            epsilon = self.epsilon(episode, **schedule)

            def choose(state: Array, epsilon: float = epsilon) -> int:
                return epsilon_greedy(state, epsilon, generator, learner.greedy, environment.action_space.sample)

            scores.append(-1)
            for transition, over in episode_of(environment, choose, max_len_episode):
                scores[-1] += 1
                buffer.append(transition)
                if not over and len(buffer) >= batch_size:
                    batch = tensors(drawn(buffer, batch_size, generator))
                    losses.append(learner.step(learner.error(batch)).item())
        return Learnt(np.array(scores, np.int32), np.array(losses, np.float32), parameters_of(network))

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Take the greedy action in every state."""
        greedy = Learner("q_network", loaded("q_network", parameters)).greedy
        environment = seeded(seed)
        limit = environment.spec.max_episode_steps
        # The environment gives 1 for every step.
        lengths = [sum(1 for _ in episode_of(environment, greedy, limit)) for _ in range(num_episodes)]
        return np.array(lengths, np.float32)

    def stack_frames(self, frames: Array, image_size: Pair) -> Array:
        """Turn grey, resize, and let the frames be channels."""
        grey = to_tensor(frames).float() @ (torch.tensor(LUMA) / 255)
        return to_array(functional.interpolate(grey[None], image_size, mode="bilinear")[0].permute(1, 2, 0))
