"""Faults of how the agent acts, remembers, draws batches and learns from given ones."""

import numpy as np

from assay.alternatives.numpy.agent import Learner
from assay.contract import Transitions
from assay.spec.semantics import q_learning
from doubles.agent_training import Training
from doubles.faulty import Fault

# What a fault keeps from one call to the next.
kept = {}


def values_of(model, parameters, states):
    """Return the values of all actions."""
    return q_learning.q_values(model, parameters, states)


def acting(choose):
    """Return `act` with another rule: (values, epsilon, generator) to actions."""

    def wrong(_act, model, parameters, states, epsilon, seed):
        values = values_of(model, parameters, states)
        return choose(values, epsilon, np.random.default_rng(seed)).astype(np.int32)

    return wrong


def epsilon_greedy(values, epsilon, generator, draws=None, numbers=None):
    """Choose as is right, by other random numbers."""
    count = len(values)
    draws = generator.random(count) if draws is None else draws
    numbers = generator.integers(0, values.shape[1], count) if numbers is None else numbers
    return np.where(draws < epsilon, numbers, values.argmax(axis=1))


def of_greedy(change):
    """Return `act` whose greedy actions are changed, and whose explored ones are right."""
    return acting(
        lambda values, epsilon, generator: np.where(
            generator.random(len(values)) < epsilon,
            generator.integers(0, values.shape[1], len(values)),
            change(values.argmax(axis=1), values),
        )
    )


def first_parameters(act, model, parameters, *args):
    """Go on with the parameters of the first call."""
    return act(model, kept.setdefault(model, parameters), *args)


def only_two_actions(values, epsilon, generator):
    """Explore the actions of CartPole."""
    return epsilon_greedy(values, epsilon, generator, numbers=generator.integers(0, 2, len(values)))


def of_a_fixed_share(values, epsilon, generator):
    """Explore in a fixed share of the states."""
    draws = np.ones(len(values))
    draws[generator.permutation(len(values))[: round(epsilon * len(values))]] = -1
    return epsilon_greedy(values, epsilon, generator, draws)


def one_number_for_both(values, epsilon, generator):
    """Let one random number say whether to explore and which action to take."""
    draws = generator.random(len(values))
    return epsilon_greedy(values, epsilon, generator, draws, (draws * values.shape[1]).astype(int))


ACTING = {
    "act_by_the_first_state": (
        "greedy-of-each-state",
        "the greedy actions",
        of_greedy(lambda a, _: np.full_like(a, a[0])),
    ),
    "act_in_reverse": ("greedy-of-each-state", "the greedy actions", of_greedy(lambda a, _: a[::-1])),
    "act_without_states": ("greedy-of-each-state", "the greedy actions", of_greedy(lambda a, _: np.ones_like(a))),
    "act_by_the_last_state": (
        "greedy-of-each-state",
        "the greedy actions",
        of_greedy(lambda a, _: np.full_like(a, a[-1])),
    ),
    "act_one_place_on": ("greedy-of-each-state", "the greedy actions", of_greedy(lambda a, _: np.roll(a, 1))),
    "act_by_the_majority": (
        "greedy-of-each-state",
        "the greedy actions",
        of_greedy(lambda a, v: np.full_like(a, v.sum(axis=0).argmax())),
    ),
    "act_on_whole_blocks": (
        "greedy-of-each-state",
        "the greedy actions",
        of_greedy(lambda a, _: np.where(np.arange(len(a)) < max(len(a) // 128 * 128, 128), a, 0)),
    ),
    "act_by_sizes": ("greedy-far-from-0", "the greedy actions", of_greedy(lambda _, v: np.abs(v).argmax(axis=1))),
    "act_by_positive_values": (
        "greedy-far-from-0",
        "the greedy actions",
        of_greedy(lambda _, v: np.maximum(v, 0).argmax(axis=1)),
    ),
    "act_by_softmax": (
        "greedy-of-each-state",
        "the greedy actions",
        acting(lambda v, e, g: (v + g.gumbel(size=v.shape)).argmax(axis=1)),
    ),
    "act_by_the_first_parameters": ("greedy-by-the-parameters", "the greedy actions", first_parameters),
    "explores_all_or_none": (
        "explores-whatever-is-best",
        "are not the greedy one",
        acting(lambda v, e, g: epsilon_greedy(v, e, g, draws=np.full(len(v), g.random()))),
    ),
    "explores_the_first_action": (
        "explores-whatever-is-best",
        "are not the greedy one",
        acting(lambda v, e, g: epsilon_greedy(v, e, g, numbers=np.zeros(len(v), int))),
    ),
    "explores_by_turns": (
        "explores-in-no-pattern",
        "before: a probability",
        acting(lambda v, e, g: epsilon_greedy(v, e, g, draws=(np.arange(len(v)) * 0.6180339887 + g.random()) % 1)),
    ),
    "explores_recycled": (
        "explores-in-no-pattern",
        "before: a probability",
        acting(
            lambda v, e, g: epsilon_greedy(
                v, e, g, np.resize(g.random(128), len(v)), np.resize(g.integers(0, 2, 128), len(v))
            )
        ),
    ),
    "explores_a_fixed_share": ("explores", "calls with one state", acting(of_a_fixed_share)),
    "explores_one_number_for_both": (
        "explores",
        "are not the greedy one",
        acting(one_number_for_both),
    ),
    "explores_by_one_seed": (
        "acts-by-seed",
        "draw the same actions",
        acting(lambda v, e, _: epsilon_greedy(v, e, np.random.default_rng(0))),
    ),
    "explores_by_no_seed": (
        "acts-by-seed",
        "the actions with the same seed",
        acting(lambda v, e, _: epsilon_greedy(v, e, np.random.default_rng())),
    ),
}
ACTING_ON_PIXELS = {
    "explores_two_of_four": ("cnn-explores", "four actions are drawn", acting(only_two_actions)),
    "act_by_the_first_pixels": (
        "cnn-greedy-of-each",
        "the greedy actions",
        of_greedy(lambda a, _: np.full_like(a, a[0])),
    ),
    "act_on_pixels_in_reverse": ("cnn-greedy-of-each", "the greedy actions", of_greedy(lambda a, _: a[::-1])),
    "act_by_two_values": ("cnn-greedy-of-each", "the greedy actions", of_greedy(lambda _, v: v[:, :2].argmax(axis=1))),
}


class Collecting(Training):
    """Play as in training, and learn nothing."""

    def __init__(self, parameters, epsilon, num_episodes, seed):
        super().__init__(
            num_episodes=num_episodes,
            num_exploration_episodes=1,
            initial_epsilon=epsilon,
            final_epsilon=epsilon,
            max_len_episode=1_000,
            buffer_size=1_000_000,
            batch_size=1_000_001,
            learning_rate=0.0,
            gamma=1.0,
            seed=seed,
        )
        self.learner = Learner("q_network", parameters, 0.0, 1.0)

    def places(self):
        """Return all, in their order."""
        return range(len(self.buffer))

    def collect(self):
        """Return the transitions of all episodes."""
        self.run()
        return self.batch()

    def play_all(self):
        """Return the lengths of all episodes."""
        self.run()
        return np.array(self.scores, np.float32) + 1


class TrackWithoutEnd(Collecting):
    """Call a failure what makes the pole fall, and nothing else."""

    def reward(self, step):
        return -10.0 if abs(step.state[2]) > np.radians(12) else 1.0

    def done(self, step):
        return float(abs(step.state[2]) > np.radians(12))


class TrackLeftAsTheLimit(Collecting):
    """Call it a failure wherever an episode ends, but at the end of the track."""

    def done(self, step):
        return float(step.terminated and abs(step.state[0]) < 2.4)


class LimitAsFailure(Collecting):
    def reward(self, step):
        return -10.0 if step.terminated or step.truncated else 1.0

    def done(self, step):
        return float(step.terminated or step.truncated)


class LimitOfAllEpisodes(Collecting):
    """Count the steps of all episodes together."""

    def is_left(self):
        return sum(self.scores) + len(self.scores) + self.length >= 500 and self.length > 0


class LimitOf200(Collecting):
    def is_left(self):
        return self.length >= 200


class ExploringByEpisode(Collecting):
    """Decide once an episode whether to explore."""

    def begin(self):
        self.explores = self.generator.random() < self.epsilon()
        return super().begin()

    def act(self, state):
        return self.explore() if self.explores else self.learner.greedy(state)


class ExploringTwiceAsOften(Collecting):
    def act(self, state):
        return (
            1 - self.learner.greedy(state) if self.generator.random() < self.epsilon() else self.learner.greedy(state)
        )


class NeverExploring(Collecting):
    def act(self, state):
        return self.learner.greedy(state)


class CollectingByOneSeed(Collecting):
    def __init__(self, parameters, epsilon, num_episodes, seed):
        super().__init__(parameters, epsilon, num_episodes, 0)


class RewardOfTheReturn(Collecting):
    """Remember the rewards of the episode so far."""

    def reward(self, step):
        return -10.0 if step.terminated else float(self.length)


class NextStateOfTheStep(Collecting):
    """Remember the state before as the one after."""

    def remembered(self, state, action, step):
        state_, action_, reward, _, done = super().remembered(state, action, step)
        return state_, action_, reward, state, done


COLLECTING = {
    "collect_track_without_end": ("off-track-is-failure", "the rewards", TrackWithoutEnd),
    "collect_track_left_as_the_limit": ("off-track-is-failure", "the done flags", TrackLeftAsTheLimit),
    "collect_limit_as_failure": ("limit-begins-anew", "the rewards of perfect episodes", LimitAsFailure),
    "collect_limit_of_all": ("limit-begins-anew", "two perfect episodes have", LimitOfAllEpisodes),
    "collect_limit_of_200": ("limit-begins-anew", "two perfect episodes have 400", LimitOf200),
    "collect_exploring_by_episode": (
        "collects-in-no-pattern",
        "episodes begin with greedy actions",
        ExploringByEpisode,
    ),
    "collect_exploring_twice_as_often": ("collects-by-epsilon", "are not greedy", ExploringTwiceAsOften),
    "collect_never_exploring": ("collects-by-epsilon", "0 of 320", NeverExploring),
    "collect_by_one_seed": ("collects-by-seed", "draw the same initial states", CollectingByOneSeed),
    "collect_reward_of_the_return": ("other-rewards", "the other rewards", RewardOfTheReturn),
    "collect_next_state_of_the_step": ("transition-has-its-action", "0 of 5 episodes fail", NextStateOfTheStep),
}


class PlayingOnOffTheTrack(Collecting):
    def play(self):
        state, self.length = self.begin(), 0
        while abs(state[2]) < np.radians(12) and self.length < 500:
            state = self.environment.step(self.learner.greedy(state)).state
            self.length += 1
        self.scores.append(self.length - 1)


class PlayingFromOneState(Collecting):
    def begin(self):
        self.environment = type(self.environment)(0)
        return super().begin()


class PlayingByOneSeed(Collecting):
    def __init__(self, parameters, epsilon, num_episodes, seed):
        super().__init__(parameters, epsilon, num_episodes, 0)


PLAYING = {
    "play_exploring_a_little": ("plays-greedily", "with pushes to the right only", Collecting, 0.1),
    "play_on_off_the_track": ("play-ends-off-track", "the cart leaves the track", PlayingOnOffTheTrack, 0.0),
    "play_from_one_state": ("plays-by-seed", "give the same returns", PlayingFromOneState, 0.0),
    "play_by_one_seed": ("plays-by-seed", "give the same returns", PlayingByOneSeed, 0.0),
}


def playing(training, epsilon):
    """Return `play` by another program."""
    return lambda _play, parameters, num_episodes, seed: training(parameters, epsilon, num_episodes, seed).play_all()


def sampling(draw):
    """Return `sample` that draws other places: (generator, count, batch_size) to places."""

    def wrong(sample, transitions, batch_size, seed):
        sample(transitions, batch_size, seed)
        places = draw(np.random.default_rng(seed), len(transitions[1]), batch_size)
        return Transitions(*(values[places] for values in transitions))

    return wrong


SAMPLING = {
    "sample_in_a_row": (
        "sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: (g.integers(n) + np.arange(b)) % n),
    ),
    "sample_without_the_last": (
        "sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: g.choice(max(n - 1, b), b, replace=False)),
    ),
    "sample_without_the_first": (
        "sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: n - 1 - g.choice(max(n - 1, b), b, replace=False)),
    ),
    "sample_the_latest": ("sample-pairs-evenly", "as unevenly as", sampling(lambda g, n, b: n - b + np.arange(b))),
    "sample_in_pairs": (
        "sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: g.permutation(n // 2)[: (b + 1) // 2].repeat(2)[:b] * 2 + np.arange(b) % 2),
    ),
    "sample_the_newer_more_often": (
        "sample-pairs-evenly",
        "as unevenly as",
        sampling(lambda g, n, b: g.choice(n, b, replace=False, p=np.arange(1, n + 1) / (n * (n + 1) / 2))),
    ),
    "sample_by_no_seed": (
        "sample-by-seed",
        "the batch with the same seed",
        sampling(lambda _, n, b: np.random.default_rng().choice(n, b, replace=False)),
    ),
}


def target_by(rule):
    """Return `targets` by another rule: (rewards, values, actions, dones, gamma) to y."""

    def wrong(_targets, model, parameters, transitions, gamma):
        batch = Transitions(*transitions)
        values = values_of(model, parameters, batch.next_states)
        return rule(batch, values, np.float32(gamma)).astype(np.float32)

    return wrong


TARGETS = {
    "targets_positive": (
        "targets-of-any-batch",
        target_by(lambda b, v, g: b.rewards + g * np.maximum(v, 0).max(axis=1) * (1 - b.dones)),
    ),
    "targets_of_clipped_rewards": (
        "targets-of-any-batch",
        target_by(lambda b, v, g: np.clip(b.rewards, -10, 1) + g * v.max(axis=1) * (1 - b.dones)),
    ),
    "targets_marked_by_rewards": (
        "targets-of-any-batch",
        target_by(lambda b, v, g: b.rewards + g * v.max(axis=1) * (b.rewards > 0)),
    ),
    "targets_of_the_first_action": (
        "targets-of-any-batch",
        target_by(lambda b, v, g: b.rewards + g * v[:, 0] * (1 - b.dones)),
    ),
    "targets_of_the_action_taken": (
        "targets-of-any-batch",
        target_by(lambda b, v, g: b.rewards + g * v[np.arange(len(v)), b.actions] * (1 - b.dones)),
    ),
    "targets_discounting_the_reward": (
        "targets-of-any-batch",
        target_by(lambda b, v, g: g * (b.rewards + v.max(axis=1) * (1 - b.dones))),
    ),
    "targets_of_whole_blocks": (
        "targets-of-any-batch",
        target_by(
            lambda b, v, g: (
                b.rewards + g * v.max(axis=1) * (1 - b.dones) * (np.arange(len(v)) < max(len(v) // 128 * 128, 64))
            )
        ),
    ),
    "targets_of_32": (
        "targets-of-any-batch",
        target_by(lambda b, v, g: b.rewards + g * v.max(axis=1) * (1 - b.dones) * (np.arange(len(v)) < 32)),
    ),
}


def targets_of_the_first_parameters(targets, model, parameters, transitions, gamma):
    """Go on with the parameters of the first call."""
    return targets(model, kept.setdefault("targets", parameters), transitions, gamma)


def loss_over_32(loss_and_gradients, model, parameters, transitions, gamma):
    """Divide by the document's batch size."""
    loss, gradients = loss_and_gradients(model, parameters, transitions, gamma)
    share = np.float32(len(transitions[1]) / 32)
    return loss * share, {name: gradient * share for name, gradient in gradients.items()}


def loss_of_gamma_1(loss_and_gradients, model, parameters, transitions, gamma):
    """Leave gamma out."""
    return loss_and_gradients(model, parameters, transitions, 1.0)


def last_transition_missing(loss_and_gradients, model, parameters, transitions, gamma):
    """Drop the last of an odd number."""
    even = len(transitions[1]) // 2 * 2
    return loss_and_gradients(model, parameters, Transitions(*(values[:even] for values in transitions)), gamma)


def gradients_clipped(loss_and_gradients, model, parameters, transitions, gamma):
    """Clip every gradient at 1."""
    loss, gradients = loss_and_gradients(model, parameters, transitions, gamma)
    return loss, {name: np.clip(gradient, -1, 1) for name, gradient in gradients.items()}


def learning_with(**changes):
    """Return `learn` with other arguments."""
    return lambda learn, *args, **options: learn(*args, **options | changes)


def learning_twice(learn, model, parameters, transitions, **options):
    """Take each step twice."""
    twice = Transitions(*(np.repeat(values, 2, axis=0) for values in transitions))
    losses, last = learn(model, parameters, twice, **options)
    return losses[::2].copy(), last


def learning_but_the_last(learn, model, parameters, transitions, **options):
    """Take no step with the last batch."""
    losses, _ = learn(model, parameters, transitions, **options)
    _, last = learn(model, parameters, Transitions(*(values[:-1] for values in transitions)), **options)
    return losses, last


def learning_anew_each_step(learn, model, parameters, transitions, **options):
    """Make a new Adam for each batch."""
    losses = []
    for batch in zip(*transitions, strict=True):
        one, parameters = learn(model, parameters, Transitions(*(values[None] for values in batch)), **options)
        losses.append(one[0])
    return np.array(losses, np.float32), parameters


def learning_on(_learn, model, parameters, transitions, *, learning_rate, gamma):
    """Go on with the moments of the call before."""
    learner = Learner(model, parameters, learning_rate, gamma)
    learner.optimizer = kept.setdefault("adam", learner.optimizer)
    learner.optimizer.learning_rate = learning_rate
    losses = [learner.learn(Transitions(*batch)) for batch in zip(*transitions, strict=True)]
    return np.array(losses, np.float32), learner.parameters


def by_name(function, section, rows):
    """Make faults of a function from rows of claim, words and wrong function."""
    return {
        name: Fault(f"agent.{function}", f"{section}.{claim}", tells, wrong)
        for name, (claim, tells, wrong) in rows.items()
    }


LOSSES = {
    "loss_over_32": loss_over_32,
    "loss_of_gamma_1": loss_of_gamma_1,
    "last_transition_missing": last_transition_missing,
    "q_gradients_clipped": gradients_clipped,
}
LEARNING = {
    "learning_rate_of_the_document": ("learns-by-its-arguments", "the losses", learning_with(learning_rate=0.001)),
    "learning_gamma_of_the_document": ("learns-by-its-arguments", "the losses", learning_with(gamma=1.0)),
    "learning_twice": ("learns-by-its-arguments", "the losses", learning_twice),
    "learning_but_the_last": ("learns-by-its-arguments", "dense3/bias", learning_but_the_last),
    "learning_anew_each_step": ("learns-by-its-arguments", "dense3", learning_anew_each_step),
    "learning_on": ("learns-anew", "of the same learning steps once more", learning_on),
}

ACTING_FAULTS = (
    by_name("act", "q_learning", ACTING)
    | by_name("act", "pixels", ACTING_ON_PIXELS)
    | by_name("sample", "q_learning", SAMPLING)
    | by_name("learn", "q_learning", LEARNING)
    | {
        name: Fault(
            "agent.collect",
            f"q_learning.{claim}",
            tells,
            lambda _collect, *args, program=program: program(*args).collect(),
        )
        for name, (claim, tells, program) in COLLECTING.items()
    }
    | {
        name: Fault("agent.play", f"q_learning.{claim}", tells, playing(program, epsilon))
        for name, (claim, tells, program, epsilon) in PLAYING.items()
    }
    | {name: Fault("agent.targets", f"q_learning.{claim}", "'y'", wrong) for name, (claim, wrong) in TARGETS.items()}
    | {
        name: Fault("agent.loss_and_gradients", "q_learning.gradients-of-any-batch", "loss_and_gradients", wrong)
        for name, wrong in LOSSES.items()
    }
    | {
        "targets_of_the_first_parameters": Fault(
            "agent.targets", "q_learning.targets-by-the-parameters", "y:", targets_of_the_first_parameters
        )
    }
)
