"""The environments of an agent."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from assay.alternatives.jax import breakout, cart_pole
from assay.alternatives.jax.cart_pole import FARTHEST_ANGLE, FARTHEST_POSITION, MAX_EPISODE_STEPS, NUM_ACTIONS
from assay.alternatives.jax.models import to_numpy
from assay.contract import Array, CartPole, Episode

# Compiled once for all calls.
draw = jax.jit(cart_pole.picture)
begin = jax.jit(jax.vmap(cart_pole.reset))
move = jax.jit(jax.vmap(cart_pole.euler_step))
fall = jax.jit(jax.vmap(cart_pole.has_fallen))


@jax.jit
def play(actions: jax.Array, key: jax.Array) -> cart_pole.Episode:
    """Take an action in every step, whatever the state: [MAX_EPISODE_STEPS]."""
    return cart_pole.episode(lambda number, _: actions[number], key)


@jax.jit
def play_linear_policy(weights: jax.Array, key: jax.Array) -> cart_pole.Episode:
    """Push in the direction of the sign of a weighted sum of the state's numbers."""
    return cart_pole.episode(lambda _, state: (weights @ state > 0).astype(jnp.int32), key)


class Environments:
    """See `assay.contract.Environments`."""

    def cart_pole(self) -> CartPole:
        """Return bounds of twice the failure bounds, since an episode's last state lies beyond these."""
        highest = np.array([2 * FARTHEST_POSITION, np.inf, 2 * FARTHEST_ANGLE, np.inf], np.float32)
        return CartPole(-highest, highest, NUM_ACTIONS, MAX_EPISODE_STEPS)

    def initial_states(self, count: int, seed: int) -> Array:
        """Draw each state with its own key."""
        return to_numpy(begin(jax.random.split(jax.random.key(seed), count)))

    def steps(self, states: Array, actions: Array) -> tuple[Array, Array, Array]:
        """Step all states at once."""
        after = move(states, actions)
        return to_numpy((after, jnp.ones(len(after)), fall(after)))

    def play(self, actions: Array, seed: int) -> Episode:
        """Play a padded sequence of actions, so that only one length is compiled."""
        longest = np.zeros(MAX_EPISODE_STEPS, np.int32)
        longest[: len(actions)] = actions[:MAX_EPISODE_STEPS]
        return truncate(play(longest, jax.random.key(seed)), len(actions))

    def run_linear_policy(self, weights: Array, seed: int) -> Episode:
        """Compute each action from the state before the step."""
        return truncate(play_linear_policy(weights, jax.random.key(seed)))

    def frames(self, actions: Array, seed: int) -> Array:
        """Draw every state."""
        return np.stack([to_numpy(draw(state)) for state in self.play(actions, seed).states])

    def sample_actions(self, count: int, seed: int) -> Array:
        """Draw them all at once."""
        return to_numpy(jax.random.randint(jax.random.key(seed), (count,), 0, NUM_ACTIONS))

    def has_breakout(self) -> bool:
        """Check whether the emulator is installed."""
        return breakout.is_installed()

    def breakout_actions(self) -> Sequence[str]:
        """Return the emulator's action names."""
        return breakout.actions()

    def breakout(self, actions: Array, seed: int) -> Episode:
        """Let the emulator take one action after the other."""
        return breakout.play(actions, seed)


def truncate(episode: cart_pole.Episode, most: int = MAX_EPISODE_STEPS) -> Episode:
    """Truncate at an episode's end, or after a number of steps."""
    arrays = to_numpy(episode)
    count = min(cart_pole.length(arrays), most)
    truncated = np.arange(1, count + 1) == MAX_EPISODE_STEPS
    return Episode(arrays.states[: count + 1], np.ones(count, np.float32), arrays.fallen[:count], truncated)
