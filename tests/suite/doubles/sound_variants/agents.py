"""Sound agents that compute otherwise, or draw in another order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy.agent import QNetwork
from assay.alternatives.numpy.models import MODELS, copy_parameters
from assay.contract import Learnt, Transitions
from doubles.sound_variants.environments import Game
from doubles.sound_variants.generators import counted, hashed, mersenne, philox, python, uniform24
from doubles.sound_variants.programs import AdamOfTensorFlow, OtherAdam

Variant = Callable[..., Any]
f32 = np.float32


def epsilon_of_document(right, episode, *, num_exploration_episodes, initial_epsilon, final_epsilon):
    """Write the document's formula."""
    return max(
        initial_epsilon * (num_exploration_episodes - episode) / num_exploration_episodes,
        final_epsilon,
    )


def epsilon_interpolated(right, episode, *, num_exploration_episodes, initial_epsilon, final_epsilon):
    """Interpolate to 0, and clip from below."""
    share = np.interp(episode, [0, num_exploration_episodes], [initial_epsilon, 0])
    return float(np.maximum(share, final_epsilon))


def values_of(model, parameters, states):
    """Return the action values."""
    return QNetwork(model, parameters).values(states)


def act_in_turn(right, model, parameters, states, epsilon, seed):
    """Draw for each state in turn, and run the network only where the policy is greedy."""
    generator, actions = python(seed), []
    for state in states:
        number = generator.random()
        if number < epsilon:
            actions.append(generator.randrange(4 if model == "q_cnn" else 2))
        else:
            actions.append(int(np.argmax(values_of(model, parameters, state[None]), axis=-1)[0]))
    return np.array(actions, np.int32)


def act_of_mixture(right, model, parameters, states, epsilon, seed):
    """Draw from the mixture of the uniform distribution and the greedy action."""
    values = values_of(model, parameters, states)
    count = values.shape[1]
    weights = np.full(values.shape, epsilon / count)
    weights[np.arange(len(values)), values.argmax(axis=1)] += 1 - epsilon
    points = philox(seed).random((len(values), 1))
    return np.minimum((weights.cumsum(axis=1) <= points).sum(axis=1), count - 1).astype(np.int32)


def act_before(right, model, parameters, states, epsilon, seed):
    """Draw all random actions before the network runs, from float32 numbers."""
    explores = uniform24(counted(seed, len(states))) < f32(epsilon)
    anything = hashed(seed, "anything").random(len(states))
    values = values_of(model, parameters, states)
    return np.where(explores, np.floor(anything * values.shape[1]), values.argmax(axis=1)).astype(np.int32)


def stacked(rows):
    """Stack transitions."""
    states, actions, rewards, following, dones = (np.array(column) for column in zip(*rows, strict=True))
    floats = (array.astype(f32) for array in (states, rewards, following, dones))
    states, rewards, following, dones = floats
    return Transitions(states, actions.astype(np.int32), rewards, following, dones)


def replay_deque(right, buffer_size, transitions):
    """Append to a deque, as the document does."""
    buffer = deque(maxlen=buffer_size)
    for transition in zip(*transitions, strict=True):
        buffer.append(transition)
    return stacked(buffer)


def replay_list(right, buffer_size, transitions):
    """Delete the first of a list that has become too long."""
    buffer = []
    for number in range(len(transitions[0])):
        buffer.append(number)
        if len(buffer) > buffer_size:
            del buffer[0]
    return Transitions(*(np.array(array)[buffer] for array in transitions))


def replay_sliced(right, buffer_size, transitions):
    """Slice the last, and copy."""
    return Transitions(*(array[max(0, len(array) - buffer_size) :].copy() for array in transitions))


def sampling(draw):
    """Return the variant of `sample` that draws places by a function from (count, batch size, seed)."""

    def variant(right, transitions, batch_size, seed):
        if batch_size > len(transitions[0]):
            msg = "too few transitions"
            raise ValueError(msg)
        places = draw(len(transitions[0]), batch_size, seed)
        return Transitions(*(np.asarray(array)[places] for array in transitions))

    return variant


def shuffled(count, batch_size, seed):
    """Shuffle by Fisher and Yates, as far as needed."""
    generator, places = mersenne(seed), [*range(count)]
    for place in range(batch_size):
        other = int(generator.integers(place, count))
        places[place], places[other] = places[other], places[place]
    return places[:batch_size]


def sorted_keys(count, batch_size, seed):
    """Sort random keys."""
    return np.argsort(counted(seed, count), kind="stable")[:batch_size]


def rejected(count, batch_size, seed):
    """Draw until a place is new."""
    generator, places = philox(seed), {}
    while len(places) < batch_size:
        places[int(generator.integers(count))] = None
    return [*places]


def of_floyd(count, batch_size, seed):
    """Use Floyd's algorithm, whose set is uniform, and whose order is not."""
    generator, places = hashed(seed), {}
    for last in range(count - batch_size, count):
        place = int(generator.integers(last + 1))
        places[last if place in places else place] = None
    return [*places]


def in_buffer_order(count, batch_size, seed):
    """Draw a set, and return it in the buffer's order."""
    return np.sort(hashed(seed).permutation(count)[:batch_size])


def python_sample(count, batch_size, seed):
    """Use Python's function, as the document does."""
    return python(seed).sample(range(count), batch_size)


def targets_where(right, model, parameters, transitions, gamma):
    """Choose between the reward alone and the whole sum."""
    transitions = Transitions(*transitions)
    best = values_of(model, parameters, transitions.next_states).max(axis=1)
    return np.where(transitions.dones != 0, transitions.rewards, transitions.rewards + f32(gamma) * best)


def targets_double(right, model, parameters, transitions, gamma):
    """Compute in float64."""
    _, _, rewards, following, dones = transitions
    wide = {name: value.astype(float) for name, value in parameters.items()}
    best = np.amax(values_of(model, wide, following.astype(float)), axis=-1)
    return (rewards.astype(float) + gamma * best * (1.0 - dones)).astype(f32)


def q_gradients(model, parameters, transitions, gamma):
    """Use products with one-hot actions, as the document does, and one pass for states and next states."""
    states, actions, rewards, following, dones = transitions
    _, values = None, values_of(model, parameters, np.concatenate([states, following]))
    y = rewards + f32(gamma) * np.max(values[len(states) :], axis=1) * (f32(1) - dones)
    chosen = np.eye(values.shape[1], dtype=f32)[actions]

    def loss(outputs):
        errors = (outputs * chosen).sum(axis=1) - y
        return np.square(errors).mean(), chosen * (errors * f32(2 / len(errors)))[:, None]

    return MODELS[model].differentiate(parameters, states, loss)


def q_gradients_one_hot(right, model, parameters, transitions, gamma):
    """Use products with one-hot actions."""
    return q_gradients(model, parameters, Transitions(*transitions), gamma)


def q_gradients_double(right, model, parameters, transitions, gamma):
    """Compute in float64."""
    states, actions, rewards, following, dones = transitions
    wide = {name: value.astype(float) for name, value in parameters.items()}
    floats = states.astype(float), actions, rewards.astype(float), following.astype(float), dones.astype(float)
    loss, gradients = QNetwork(model, wide).loss_and_gradients(Transitions(*floats), gamma)
    return f32(loss), {name: gradient.astype(f32) for name, gradient in gradients.items()}


def learning(kind):
    """Return the variant of `learn` with another Adam."""

    def variant(right, model, parameters, transitions, *, learning_rate, gamma):
        parameters, optimizer, losses = copy_parameters(parameters), kind(learning_rate), []
        for batch in zip(*transitions, strict=True):
            loss, gradients = q_gradients(model, parameters, Transitions(*batch), gamma)
            optimizer.step(parameters, gradients)
            losses.append(loss)
        return np.array(losses, f32), parameters

    return variant


def explored(parameters, generator, epsilon):
    """Return the policy that draws the action after the network has run."""

    def choose(state):
        greedy = int(values_of("q_network", parameters, state[None]).argmax())
        draws = generator.random(2)
        return int(draws[1] * 2) if draws[0] < epsilon else greedy

    return choose


def episode_of(game, choose, limit):
    """Yield the transitions of an episode, and whether it is over."""
    state = game.reset()
    for _ in range(limit):
        action = choose(state)
        following, reward, terminated, truncated = game.step(action)
        yield (state, action, -10.0 if terminated else reward, following, float(terminated)), terminated or truncated
        if terminated or truncated:
            return
        state = following


def collecting(kind):
    """Return the variant of `collect` that keeps a state of this kind."""

    def variant(right, parameters, epsilon, num_episodes, seed):
        game = Game(hashed(seed, "game").random, kind)
        choose = explored(parameters, hashed(seed, "policy"), epsilon)
        return stacked([row for _ in range(num_episodes) for row, _ in episode_of(game, choose, 500)])

    return variant


def fitting(kind, draw_places):
    """Return the variant of `fit` with another Adam and other draws from a deque."""

    def variant(
        right,
        *,
        num_episodes,
        num_exploration_episodes,
        initial_epsilon,
        final_epsilon,
        max_len_episode,
        buffer_size,
        batch_size,
        learning_rate,
        gamma,
        seed,
    ):
        parameters = MODELS["q_network"].initial(hashed(seed, "parameters"))
        optimizer, buffer = kind(learning_rate), deque(maxlen=buffer_size)
        game, policy = Game(hashed(seed, "game").random), hashed(seed, "policy")
        scores, losses = np.zeros(num_episodes, np.int32), []
        for episode in range(num_episodes):
            epsilon = initial_epsilon * (num_exploration_episodes - episode) / num_exploration_episodes
            choose = explored(parameters, policy, max(epsilon, final_epsilon))
            for step, (row, over) in enumerate(episode_of(game, choose, max_len_episode)):
                scores[episode] = step
                buffer.append(row)
                if over:
                    break
                if len(buffer) < batch_size:
                    continue
                places = draw_places(len(buffer), batch_size, f"{seed} {len(losses)}")
                batch = stacked([buffer[place] for place in places])
                loss, gradients = q_gradients("q_network", parameters, batch, gamma)
                optimizer.step(parameters, gradients)
                losses.append(loss)
        return Learnt(scores, np.array(losses, f32), parameters)

    return variant


def play_together(right, parameters, num_episodes, seed):
    """Play all episodes side by side, one batch of states for the network at a time."""
    games = [Game(hashed(seed, number).random) for number in range(num_episodes)]
    states, running_games, returns = [game.reset() for game in games], [*range(num_episodes)], np.zeros(num_episodes)
    while running_games:
        actions = values_of("q_network", parameters, np.array([states[n] for n in running_games])).argmax(axis=1)
        for number, action in zip([*running_games], actions.tolist(), strict=True):
            states[number], reward, terminated, truncated = games[number].step(action)
            returns[number] += reward
            if terminated or truncated:
                running_games.remove(number)
    return returns.astype(f32)


def play_float32(right, parameters, num_episodes, seed):
    """Keep the state in float32."""
    game, returns = Game(philox(seed).random, f32), []
    for _ in range(num_episodes):
        rows = episode_of(game, lambda state: int(values_of("q_network", parameters, state[None]).argmax()), 500)
        returns.append(sum(1.0 for _ in rows))
    return np.array(returns, f32)


def weights_of(old, new):
    """Return the matrix that resizes an axis: [new, old]."""
    centres = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    return np.clip(1 - np.abs(centres[:, None] - np.arange(old)), 0, None)


def stack_frames_matrix(right, frames, image_size, kind=float):
    """Resize by products of matrices, then convert to grey."""
    tall, wide = (weights_of(*pair).astype(kind) for pair in zip(frames.shape[1:3], image_size, strict=True))
    small = np.einsum("hx,nxyc,wy->nhwc", tall, frames.astype(kind) / kind(255), wide, optimize=True)
    grey = kind(0.299) * small[..., 0] + kind(0.587) * small[..., 1] + kind(0.114) * small[..., 2]
    return grey.transpose(1, 2, 0).astype(f32)


def stack_frames_pixels(right, frames, image_size):
    """Interpolate in float32 between four neighbours."""
    grey = frames.astype(f32) @ np.array([0.299, 0.587, 0.114], f32) / f32(255)
    rows, columns = (
        np.clip((np.arange(new, dtype=f32) + f32(0.5)) * f32(old / new) - f32(0.5), 0, old - 1)
        for old, new in zip(frames.shape[1:3], image_size, strict=True)
    )
    top, left = rows.astype(int), columns.astype(int)
    low, far = np.minimum(top + 1, grey.shape[1] - 1), np.minimum(left + 1, grey.shape[2] - 1)
    down, across = (rows - top)[:, None], columns - left
    upper = grey[:, top[:, None], left] * (1 - across) + grey[:, top[:, None], far] * across
    lower = grey[:, low[:, None], left] * (1 - across) + grey[:, low[:, None], far] * across
    return np.moveaxis(upper * (1 - down) + lower * down, 0, -1).astype(f32)


VARIANTS: dict[str, dict[str, Variant]] = {
    "epsilon/document": {"agent.epsilon": epsilon_of_document},
    "epsilon/interpolated": {"agent.epsilon": epsilon_interpolated},
    "act/in turn": {"agent.act": act_in_turn},
    "act/mixture": {"agent.act": act_of_mixture},
    "act/random first": {"agent.act": act_before},
    "replay/deque": {"agent.replay": replay_deque},
    "replay/list": {"agent.replay": replay_list},
    "replay/slice": {"agent.replay": replay_sliced},
    "sample_transitions/Fisher-Yates": {"agent.sample": sampling(shuffled)},
    "sample_transitions/sorted keys": {"agent.sample": sampling(sorted_keys)},
    "sample_transitions/rejection": {"agent.sample": sampling(rejected)},
    "sample_transitions/Floyd": {"agent.sample": sampling(of_floyd)},
    "sample_transitions/in buffer order": {"agent.sample": sampling(in_buffer_order)},
    "sample_transitions/Python": {"agent.sample": sampling(python_sample)},
    "targets/where": {"agent.targets": targets_where},
    "targets/float64": {"agent.targets": targets_double},
    "q_loss_and_gradients/one-hot": {"agent.loss_and_gradients": q_gradients_one_hot},
    "q_loss_and_gradients/float64": {"agent.loss_and_gradients": q_gradients_double},
    "learn/algorithm 1": {"agent.learn": learning(OtherAdam)},
    "learn/float32 powers": {"agent.learn": learning(AdamOfTensorFlow)},
    "collect/streams": {"agent.collect": collecting(float)},
    "collect/float32": {"agent.collect": collecting(f32)},
    "fit_agent/streams and deque": {"agent.fit": fitting(OtherAdam, python_sample)},
    "play/side by side": {"agent.play": play_together},
    "play/float32": {"agent.play": play_float32},
    "stack_frames/matrices": {"agent.stack_frames": stack_frames_matrix},
    "stack_frames/matrices float32": {"agent.stack_frames": lambda *a: stack_frames_matrix(*a, kind=f32)},
    "stack_frames/pixels float32": {"agent.stack_frames": stack_frames_pixels},
}
