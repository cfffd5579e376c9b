"""Deep Q-learning on CartPole."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, SupportsInt

import numpy as np
import torch
from torch.nn import functional

from assay.alternatives.torch.device import to_array, to_tensor
from assay.alternatives.torch.environments import make_seeded
from assay.alternatives.torch.losses import td_targets
from assay.alternatives.torch.models import Trainer, load_network, name_gradients, new, parameters_of
from assay.contract import Learnt, Transitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import gymnasium

    from assay.contract import Array, Pair, Parameters, QModelName

# Replaces the environment's reward when an episode fails.
FAILURE_REWARD = -10.0
# Weights of red, green and blue in the luma of ITU-R BT.601.
LUMA = (0.299, 0.587, 0.114)
# Dtypes of the arrays of `Transitions`.
DTYPES = np.float32, np.int32, np.float32, np.float32, np.float32


def to_loss_inputs(transitions: Iterable[Array], gamma: float) -> tuple[torch.Tensor, ...]:
    """Convert `Transitions` to tensors, with dones replaced by discounts, as the loss takes them."""
    *others, dones = map(to_tensor, transitions)
    return *others, gamma * (1 - dones)


def greedy(trainer: Trainer) -> Callable[[Array], int]:
    """Return a function from a state to its greedy action."""

    @torch.no_grad()
    def act(state: Array) -> int:
        return int(trainer.outputs(to_tensor(state[None])).argmax())

    return act


def stack(transitions: Iterable[tuple[Any, ...]]) -> Transitions:
    """Convert single transitions to arrays."""
    columns = zip(*transitions, strict=True)
    return Transitions(*(np.array(column, dtype) for column, dtype in zip(columns, DTYPES, strict=True)))


def draw_batch(buffer: Sequence[tuple[Any, ...]], batch_size: int, generator: np.random.Generator) -> Transitions:
    """Draw single transitions without replacement."""
    return stack(buffer[index] for index in generator.choice(len(buffer), batch_size, replace=False))


def epsilon_greedy(
    state: Array,
    epsilon: float,
    generator: np.random.Generator,
    greedy: Callable[[Array], int],
    sample: Callable[[], SupportsInt],
) -> int:
    """Choose an action."""
    return int(sample()) if generator.random() < epsilon else greedy(state)


def episode_of(
    environment: gymnasium.Env, choose: Callable[[Array], int], max_len_episode: int
) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Yield every transition of an episode, as it happens, and whether it ended the episode.

    An episode truncated by the environment's step limit has not failed: its last state has a future.
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

    def __init__(self, trainer: Callable[..., Trainer]) -> None:
        """Store the function that creates a network's trainer."""
        self.trainer = trainer

    def epsilon(
        self, episode: int, *, num_exploration_episodes: int, initial_epsilon: float, final_epsilon: float
    ) -> float:
        """Return epsilon by the schedule."""
        remaining = (num_exploration_episodes - episode) / num_exploration_episodes
        return max(initial_epsilon * remaining, final_epsilon)

    def act(self, model: QModelName, parameters: Parameters, states: Array, epsilon: float, seed: int) -> Array:
        """Choose an action for each state in turn."""
        network, generator = load_network(model, parameters), np.random.default_rng(seed)
        num_actions = len([*network.parameters()][-1])
        act = greedy(self.trainer(model, network))
        chosen = [
            epsilon_greedy(state, epsilon, generator, act, lambda: generator.integers(num_actions)) for state in states
        ]
        return np.array(chosen, np.int32)

    def replay(self, buffer_size: int, transitions: Transitions) -> Transitions:
        """Append the transitions to a `deque`, which drops the oldest."""
        return stack(deque(zip(*transitions, strict=True), maxlen=buffer_size))

    def sample(self, transitions: Transitions, batch_size: int, seed: int) -> Transitions:
        """Draw without replacement."""
        return draw_batch([*zip(*transitions, strict=True)], batch_size, np.random.default_rng(seed))

    @torch.no_grad()
    def targets(self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float) -> Array:
        """Compute the targets from the network's values of the next states."""
        _, _, *after = to_loss_inputs(transitions, gamma)
        return to_array(td_targets(load_network(model, parameters), *after))

    def loss_and_gradients(
        self, model: QModelName, parameters: Parameters, transitions: Transitions, gamma: float
    ) -> tuple[Array, Parameters]:
        """Differentiate the loss."""
        trainer = self.trainer(model, load_network(model, parameters))
        return name_gradients(trainer.network, *trainer.gradients(*to_loss_inputs(transitions, gamma)))

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
        network = load_network(model, parameters)
        losses = self.trainer(model, network, learning_rate).train_on(*to_loss_inputs(transitions, gamma))
        return losses, parameters_of(network)

    def collect(self, parameters: Parameters, epsilon: float, num_episodes: int, seed: int) -> Transitions:
        """Play as in training."""
        act = greedy(self.trainer("q_network", load_network("q_network", parameters)))
        environment, generator = make_seeded(seed), np.random.default_rng(seed)

        def choose(state: Array) -> int:
            return epsilon_greedy(state, epsilon, generator, act, environment.action_space.sample)

        limit = environment.spec.max_episode_steps
        episodes = (episode_of(environment, choose, limit) for _ in range(num_episodes))
        return stack(transition for episode in episodes for transition, _ in episode)

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
        trainer = self.trainer("q_network", network, learning_rate)
        act = greedy(trainer)
        environment, generator = make_seeded(seed), np.random.default_rng(seed)
        buffer: deque[tuple[Any, ...]] = deque(maxlen=buffer_size)
        scores, losses = [], []
        for episode in range(num_episodes):
            epsilon = self.epsilon(episode, **schedule)

            def choose(state: Array, epsilon: float = epsilon) -> int:
                return epsilon_greedy(state, epsilon, generator, act, environment.action_space.sample)

            scores.append(-1)
            for transition, over in episode_of(environment, choose, max_len_episode):
                scores[-1] += 1
                buffer.append(transition)
                if not over and len(buffer) >= batch_size:
                    batch = to_loss_inputs(draw_batch(buffer, batch_size, generator), gamma)
                    losses.append(trainer.step(*batch).item())
        return Learnt(np.array(scores, np.int32), np.array(losses, np.float32), parameters_of(network))

    def play(self, parameters: Parameters, num_episodes: int, seed: int) -> Array:
        """Take the greedy action in every state."""
        act = greedy(self.trainer("q_network", load_network("q_network", parameters)))
        environment = make_seeded(seed)
        limit = environment.spec.max_episode_steps
        # The environment's reward is 1 for every step.
        lengths = [sum(1 for _ in episode_of(environment, act, limit)) for _ in range(num_episodes)]
        return np.array(lengths, np.float32)

    def stack_frames(self, frames: Array, image_size: Pair) -> Array:
        """Convert to grey, resize, and stack the frames as channels."""
        grey = to_tensor(frames).float() @ (torch.tensor(LUMA) / 255)
        return to_array(functional.interpolate(grey[None], image_size, mode="bilinear")[0].permute(1, 2, 0))
