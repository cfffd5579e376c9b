"""Faults of single draws that do not follow the seed, and of episodes that come to the limit of steps."""

import numpy as np

from assay.alternatives.numpy.agent import QNetwork, ReplayBuffer, exploring, transitions_of
from assay.alternatives.numpy.cart_pole import MAX_EPISODE_STEPS, Environment
from assay.alternatives.numpy.models import MODELS, model_of
from assay.alternatives.numpy.sampling import check_temperature, draw_classes, softmax_with_temperature
from assay.contract import Learnt
from doubles.agent_training import Training, instead
from doubles.faulty import Fault

BITS = 2**16


class StatesUnseeded(Environment):
    """Draw the first states of episodes by a seed of its own."""

    def __init__(self, seed):
        super().__init__(seed)
        self._states = np.random.default_rng(123)


class ActionsUnseeded(Environment):
    """Draw actions by a seed of its own."""

    def __init__(self, seed):
        super().__init__(seed)
        self._actions = np.random.default_rng(0)


class SeedOfEachEpisode(Environment):
    """Seed each reset, by a seed that is one higher than the last."""

    def __init__(self, seed):
        super().__init__(seed)
        self._next = seed

    def reset(self):
        self._states = np.random.default_rng(self._next)
        self._next += 1
        return super().reset()


class FirstStateAliased(Environment):
    """Return the array of the first state, which the first step overwrites."""

    def reset(self):
        self._first = super().reset()
        return self._first

    def step(self, action):
        step = super().step(action)
        if self._steps == 1:
            self._first[...] = step.state
        return step


class Wider(Environment):
    """Begin half as far out again."""

    def reset(self):
        super().reset()
        self._state = 1.5 * self._state
        return self._state.astype(np.float32)


class Endless(Environment):
    """Leave out the limit of steps."""

    def step(self, action):
        return super().step(action)._replace(truncated=False)


class OneLater(Environment):
    """Cut episodes off one step late."""

    def step(self, action):
        return super().step(action)._replace(truncated=self._steps == MAX_EPISODE_STEPS + 1)


class Failing(Environment):
    """Say of an episode that is cut off that it has failed, too."""

    def step(self, action):
        step = super().step(action)
        return step._replace(terminated=step.terminated or step.truncated)


def in_environment(kind):
    """Return a training in another environment."""

    class Elsewhere(Training):
        def __init__(self, **recipe):
            super().__init__(**recipe)
            self.environment = kind(self.seed)

    return Elsewhere


class NetworkUnseeded(Training):
    def __init__(self, **recipe):
        super().__init__(**recipe)
        self.learner = self.new_learner(MODELS["q_network"].initial(np.random.default_rng(7)))


class SeedOf16Bits(Training):
    def __init__(self, **recipe):
        super().__init__(**recipe | {"seed": recipe["seed"] % BITS})
        self.learner = self.new_learner(MODELS["q_network"].initial(np.random.default_rng(recipe["seed"])))


class ExplorationUnseeded(Training):
    """Decide when to explore by a generator of its own."""

    def __init__(self, **recipe):
        super().__init__(**recipe)
        self.own = np.random.default_rng(0)

    def act(self, state):
        return self.explore() if self.own.random() < self.epsilon() else self.learner.greedy(state)


class BatchesUnseeded(Training):
    """Draw batches by a generator of its own."""

    def __init__(self, **recipe):
        super().__init__(**recipe)
        self.own = np.random.default_rng(0)

    def places(self):
        return self.own.choice(len(self.buffer), self.batch_size, replace=False)


class LearningAfterTheLimit(Training):
    """Learn after an episode that was cut off as well, as it has not failed."""

    def play(self):
        super().play()
        if self.length == MAX_EPISODE_STEPS and self.max_len_episode > self.length and self.learns(over=False):
            self.learn()


class MarkOfTheLimit(Training):
    """Mark the last transition of an episode that was cut off, and leave its reward as it is."""

    def done(self, step):
        return float(step.terminated or step.truncated)


class LimitOf200(Training):
    """Play the older CartPole-v0."""

    def is_left(self):
        return super().is_left() or self.length >= 200


class BestEpisode(Training):
    """Return the parameters after the longest episode."""

    best = -1

    def play(self):
        super().play()
        if self.scores[-1] >= self.best:
            self.best = self.scores[-1]
            self.kept = {name: values.copy() for name, values in self.learner.parameters.items()}

    def run(self):
        found = super().run()
        return Learnt(found.scores, found.losses, self.kept)


def collected(kind=Environment, *, decides=None, acts=None):
    """Return `collect` in another environment, or by other generators."""

    def wrong(_collect, parameters, epsilon, num_episodes, seed):
        environment = kind(seed)
        if acts is not None:
            environment._actions = np.random.default_rng(acts)  # noqa: SLF001 - of the environment that has the fault
        buffer = ReplayBuffer(num_episodes * MAX_EPISODE_STEPS, (4,))
        generator = np.random.default_rng(seed if decides is None else decides)
        choose = exploring(QNetwork("q_network", parameters), environment, epsilon, generator)
        for _ in range(num_episodes):
            for transition, _over in transitions_of(environment, choose, MAX_EPISODE_STEPS):
                buffer.append(transition)
        return buffer.in_order()

    return wrong


def decides_unseeded(_act, model, parameters, states, epsilon, seed):
    """Decide by a generator of its own where to explore."""
    values, generator = QNetwork(model, parameters).values(states), np.random.default_rng(seed)
    explores = np.random.default_rng(0).random(len(states)) < epsilon
    anything = generator.integers(0, values.shape[-1], len(states))
    return np.where(explores, anything, values.argmax(axis=-1)).astype(np.int32)


def resets_in_a_row(initial_states, count, seed):
    """Seed each reset, by a seed that is one higher than the last."""
    return np.concatenate([initial_states(1, seed + number) for number in range(count)])


def resets_in_blocks(initial_states, count, seed):
    """Reset an environment eight times, and then one with the next seed."""
    return np.concatenate([initial_states(8, seed + number) for number in range(-(-count // 8))])[:count]


def episodes_of_environments_in_parallel(play, parameters, num_episodes, seed):
    """Play each episode in an environment of its own, with a seed that is one higher than the last."""
    return np.concatenate([play(parameters, 1, seed + number) for number in range(num_episodes)])


def actions_shared_out(_sample, count, seed):
    """Shuffle as many actions of either kind."""
    return np.random.default_rng(seed).permutation(np.arange(count) % 2).astype(np.int32)


def actions_in_a_row(sample_actions, count, seed):
    """Draw each action by a seed that is one higher than the last."""
    return np.concatenate([sample_actions(1, seed + number) for number in range(count)])


def generating(choose):
    """Return `generate` that draws from changed logits: (logits, temperature) to probabilities."""

    def wrong(_generate, parameters, window, *, temperature, count, seed):
        model, generator, divisor = (
            model_of("rnn", parameters),
            np.random.default_rng(seed),
            check_temperature(temperature),
        )
        text = window
        for _ in range(count):
            logits = model.outputs(parameters, text[None, -len(window) :])["dense"]
            text = np.append(text, draw_classes(choose(logits, divisor), generator))
        return text[len(window) :]

    return wrong


def without_the_rare(logits, temperature):
    """Leave out characters below 1 in 1,000."""
    found = softmax_with_temperature(logits, temperature)
    found = np.where(found < 1e-3, 0, found)
    return found / found.sum(axis=-1, keepdims=True)


def clipped(logits, temperature):
    """Keep logits where exp does not overflow."""
    exponentials = np.exp(np.clip(logits / temperature, -80, 80))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def fit_of_16_bits(fit, *args, seed, **options):
    """Take the last 16 bits of a seed."""
    return fit(*args, seed=seed % BITS, **options)


OF_TRAINING = {
    "training_states_unseeded": ("seeds-its-draws", "begin in the same state", in_environment(StatesUnseeded)),
    "training_random_actions_unseeded": (
        "seeds-its-draws",
        "the same random actions",
        in_environment(ActionsUnseeded),
    ),
    "training_seed_of_each_episode": (
        "seeds-its-draws",
        "with the next seed, and so on, begin in the same state",
        in_environment(SeedOfEachEpisode),
    ),
    "training_network_unseeded": ("seeds-its-draws", "draw the same initial networks", NetworkUnseeded),
    "training_seed_of_16_bits": ("seeds-its-draws", "begin in the same state", SeedOf16Bits),
    "training_exploration_unseeded": ("seeds-its-draws", "steps are greedy with each of 8 seeds", ExplorationUnseeded),
    "training_batches_unseeded": ("seeds-its-draws", "draw the same batches", BatchesUnseeded),
    "training_first_state_aliased": (
        "begins-evenly",
        "initial states drawn uniformly",
        in_environment(FirstStateAliased),
    ),
    "training_states_wider": ("begins-evenly", "have values as rare as 1 in 50", in_environment(Wider)),
    "training_endless": ("limit", "an episode has 1000 steps, more than 500", in_environment(Endless)),
    "training_limit_one_later": ("limit", "an episode has 501 steps, more than 500", in_environment(OneLater)),
    "training_limit_is_failure": ("limit", "squared errors after 500 steps", in_environment(Failing)),
    "training_limit_is_marked": ("limit", "the state after the last of 500 steps is not valued", MarkOfTheLimit),
    "training_limit_of_200": ("limit", "learning steps, expected", LimitOf200),
    "training_learning_after_the_limit": ("limit", "learning steps, expected", LearningAfterTheLimit),
    "training_of_the_best_episode": ("last-parameters", "the last of which is not the best", BestEpisode),
}

SEED_FAULTS = {
    name: Fault("agent.fit", f"q_learning.training-{claim}", tells, instead(training))
    for name, (claim, tells, training) in OF_TRAINING.items()
} | {
    name: Fault(function, claim, tells, wrong)
    for name, function, claim, tells, wrong in [
        (
            "collect_random_actions_unseeded",
            "agent.collect",
            "q_learning.collects-by-seed",
            "draw the same random actions",
            collected(acts=0),
        ),
        (
            "collect_exploration_unseeded",
            "agent.collect",
            "q_learning.collects-by-seed",
            "steps are greedy with each of 8 seeds",
            collected(decides=0),
        ),
        (
            "collect_seed_of_each_episode",
            "agent.collect",
            "q_learning.collects-by-seed",
            "begin in the same states",
            collected(SeedOfEachEpisode),
        ),
        (
            "act_exploration_unseeded",
            "agent.act",
            "q_learning.acts-by-seed",
            "places are greedy with each of 8 seeds",
            decides_unseeded,
        ),
        (
            "play_seed_of_16_bits",
            "agent.play",
            "q_learning.plays-by-seed",
            "draw the same returns",
            lambda play, parameters, num_episodes, seed: play(parameters, num_episodes, seed % BITS),
        ),
        (
            "resets_seeded_in_a_row",
            "environments.initial_states",
            "cartpole.reset-by-seed",
            "give the same states",
            resets_in_a_row,
        ),
        (
            "resets_seeded_in_blocks",
            "environments.initial_states",
            "cartpole.reset-by-seed",
            "resets by the seed before",
            resets_in_blocks,
        ),
        (
            "episodes_of_environments_in_parallel",
            "agent.play",
            "q_learning.plays-by-seed",
            "the same returns as later ones",
            episodes_of_environments_in_parallel,
        ),
        (
            "actions_shared_out",
            "environments.sample_actions",
            "cartpole.sampled-independently",
            "of every 100 actions 50",
            actions_shared_out,
        ),
        (
            "actions_seeded_in_a_row",
            "environments.sample_actions",
            "cartpole.sampled-independently",
            "the same 50 actions in a row",
            actions_in_a_row,
        ),
        (
            "characters_below_a_thousandth",
            "text.generate",
            "generation.not-argmax",
            "0 of 400, expected 20.0",
            generating(without_the_rare),
        ),
        (
            "large_logits_clipped",
            "text.generate",
            "generation.by-temperature",
            "characters of probability 0",
            generating(clipped),
        ),
        ("fit_seed_of_16_bits", "training.fit", "training.fit-seed", "draw the same initial", fit_of_16_bits),
        ("text_fit_seed_of_16_bits", "text.fit", "rnn_training.seeds", "draw the same initial", fit_of_16_bits),
    ]
}
