"""Short trainings that determine the training loop of deep Q-learning: lines 725 to 764 of the document."""

import numpy as np
import pytest

from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import root_mean_square, to_float64
from assay.spec.semantics.initializers import fans, glorot_limit
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.q_learning import FAILURE_REWARD, q_values
from assay.testing.assertions import assert_equal, assert_within, claim
from assay.testing.chances import chance_of_samples
from assay.testing.counts import assert_share
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training import agent_probes
from assay.testing.training.agent_probes import (
    ALWAYS_EXPLORING,
    ALWAYS_GREEDY,
    FAILURE_LOSS,
    LENGTH,
    SHAPES,
    WHOLE_EPISODES,
    count_learning_steps,
    early_states,
    error_bounds,
    errors_of,
    gap_bound,
    gaps,
    largest_values,
    probe,
    trace,
)
from assay.testing.training.agent_seeds import batches_of_one

EPISODES = 4
OUTPUT_BIAS = "dense3/bias"
# Number of trainings of two episodes, of which the first always explores and the second never does.
BEGINNINGS = 4


@pytest.fixture(scope="module")
def greedy(agent, seed):
    """Return the temporal-difference errors of a training that never explores."""
    return trace(agent, seed, **ALWAYS_GREEDY, num_episodes=EPISODES)


def assert_follows(errors):
    """Check that each greedy action has the largest value of the next state, as computed one step before."""
    found, bound = root_mean_square(gaps(errors)), gap_bound(errors.parameters)
    assert found <= bound, (
        f"the largest value of a next state and the value of the next action differ by {found:.3g} (root mean square),"
        f" allowed {bound:.3g}"
    )


@claim("q_learning.training-follows-its-values")
def test_training_follows_its_values(greedy):
    assert_follows(greedy)


@claim("q_learning.training-discounts")
@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_training_discounts(agent, seed, greedy, gamma):
    losses = probe(agent, seed, **ALWAYS_GREEDY, num_episodes=EPISODES, gamma=gamma)["losses"]
    errors = errors_of(losses, EPISODES)
    # The error is linear in gamma. The losses do not show the signs of the errors at gamma 0 and 1.
    possible = [np.abs(gamma * greedy.later + sign * (1 - gamma) * greedy.now) for sign in (-1, 1)]
    found = root_mean_square(np.min(np.abs(np.array(possible) - errors), axis=0))
    bounds = error_bounds(greedy.parameters)
    bound = 2 * max(bounds.values())
    assert found <= bound, f"errors of y with a gamma of {gamma} are off by {found:.3g}, allowed {bound:.3g}"
    moved = root_mean_square(greedy.later - greedy.now)
    assert moved > bound, f"losses with a gamma of 0 and of 1 differ by {moved:.3g} only"


@claim("q_learning.left-is-no-failure")
def test_left_is_no_failure(greedy):
    last = greedy.now[:, -1]
    assert (last**2 < FAILURE_LOSS).all(), (
        f"squared errors of the last steps are {(last**2).tolist()}, as with a reward of -10"
    )
    moved, bound = np.abs(greedy.later - greedy.now)[:, -1], error_bounds(greedy.parameters)
    assert root_mean_square(moved) > bound["now"] + bound["later"], "the state after the last step is not valued"


@claim("q_learning.training-follows-its-values")
def test_training_follows_what_it_learns(agent, seed):
    # The steps are so large that they change the best action in every state that an episode can have reached.
    for number in range(BEGINNINGS):
        options = ALWAYS_GREEDY | {"num_episodes": 1, "learning_rate": 16.0}
        trainings = [
            probe(agent, BEGINNINGS * seed + number, **options, max_len_episode=length)
            for length in range(1, LENGTH + 1)
        ]
        errors = errors_of(trainings[-1]["losses"], 1)[0]
        for step, trained in enumerate(trainings[:-1], 1):
            values = q_values(agent_probes.MODEL, to_float64(trained["parameters"]), early_states(step))
            best = values.argmax(axis=1)
            if (best == best[0]).all():
                # The reward is 1. The factor 2 covers states that are not among those sampled.
                possible = np.abs(1 - values[:, best[0]])
                assert possible.min() / 2 <= errors[step] <= 2 * possible.max(), (
                    f"after {step} learning steps the best action is {best[0]}, whose error is"
                    f" {possible.min():.3g} to {possible.max():.3g}, and that of the action taken is {errors[step]:.3g}"
                )


def count_non_greedy(greedy, errors):
    """Count the actions of each episode, except the first, that are not greedy.

    Actions are identified by their values. This requires that the actions of a training without exploration have the
    largest values.
    """
    assert_follows(greedy)
    # The bound is that of a root mean square; a single element may be larger by this factor.
    return (gaps(errors) > np.sqrt(errors.now.size) * gap_bound(errors.parameters)).sum(axis=1)


LINKS = LENGTH - 1


@pytest.fixture(scope="module")
def exploring_first(agent, seed):
    """Return the errors of trainings that explore only in the first episode."""
    return [trace(agent, BEGINNINGS * seed + number) for number in range(BEGINNINGS)]


@claim("q_learning.training-explores-first")
def test_training_explores_first(greedy, exploring_first):
    found = sum(count_non_greedy(greedy, errors)[0] for errors in exploring_first)
    assert_share("actions of first episodes are not greedy", found, BEGINNINGS * LINKS, 1 / 2)


@claim("q_learning.training-ends-exploration")
def test_training_ends_exploration(greedy, exploring_first):
    found = sum(count_non_greedy(greedy, errors)[1] for errors in exploring_first)
    assert found == 0, f"{found} of {BEGINNINGS * LINKS} actions after the exploration are not greedy"


@claim("q_learning.training-ends-exploration")
def test_training_ends_exploration_on_time(agent, seed, greedy):
    # Epsilon is 1 in the first episode, 1 / 2 in the second, and 0 from the third on.
    found = sum(
        count_non_greedy(greedy, trace(agent, BEGINNINGS * seed + number, num_exploration_episodes=2, num_episodes=4))[
            2:
        ]
        for number in range(BEGINNINGS)
    ).tolist()
    assert found == [0, 0], f"{found} actions of third and fourth episodes, after the exploration, are not greedy"


@pytest.fixture(scope="module")
def exploring(agent, seed):
    """Return the errors of a training that always explores."""
    return trace(agent, seed, **ALWAYS_EXPLORING, num_episodes=1 + BEGINNINGS)


@claim("q_learning.training-explores-finally")
def test_training_explores_finally(greedy, exploring):
    found = count_non_greedy(greedy, exploring)[1:].sum()
    assert_share("actions with a final epsilon of 1 are not greedy", found, BEGINNINGS * LINKS, 1 / 2)


@claim("q_learning.training-values-the-best")
def test_training_values_the_best(exploring):
    # While all values are below 1, all errors are positive, so they determine the values with their signs.
    first = slice(largest_values(exploring.parameters).searchsorted(1.0))
    ahead, taken = (exploring.later - exploring.now)[:, :-1][:, first], 1 - exploring.now[:, 1:][:, first]
    bound = np.sqrt(exploring.now.size) * gap_bound(exploring.parameters)
    assert (ahead >= taken - bound).all(), (
        f"the value of the next action exceeds the one in y by up to {(taken - ahead).max():.3g}"
    )


@claim("q_learning.training-explores-by-epsilon")
def test_training_explores_by_epsilon(agent, seed, greedy):
    rate, episodes = 0.2, 12
    errors = trace(agent, seed, initial_epsilon=rate, final_epsilon=rate, num_episodes=episodes)
    found = count_non_greedy(greedy, errors).sum()
    assert_share(f"actions, with an epsilon of {rate}, are not greedy", found, episodes * LINKS, rate / 2)


@claim("q_learning.training-begins-with-a-new-network")
def test_training_begins_with_a_new_network(greedy):
    for name, shape in SHAPES.items():
        found = greedy.parameters[name]
        if name.endswith("bias"):
            assert_equal(name, found, np.zeros(shape))
        else:
            limit = glorot_limit(*fans(shape))
            assert_within(name, found, np.zeros(shape), limit * (1 + rounding.gamma(rounding.SQRT)))
            assert np.abs(found).max() > 0.7 * limit, f"{name} reaches only {np.abs(found).max()} of {limit}"


@claim("q_learning.training-episodes-begin-anew")
def test_training_episodes_begin_anew(agent, seed):
    # Episodes of one step, so that each loss depends on one initial state.
    count = 8
    losses = probe(agent, seed, **ALWAYS_GREEDY, max_len_episode=1, num_episodes=count)["losses"]
    different = len(np.unique(losses))
    # Rounding may make two of them equal.
    assert different > count // 2, (
        f"{count} episodes begin in only {different} states: their losses are {losses.tolist()}"
    )


@claim("q_learning.training-by-seed")
def test_training_by_seed(agent, seed, exploring_first):
    one, again, other = (trace(agent, number) for number in (seed, seed, seed + 1))
    bound = np.sqrt(one.now.size) * error_bounds(one.parameters)["now"]
    assert_within("the errors of a second training with the same seed", again.now, one.now, bound, np.dtype(float))
    assert (np.abs(other.now - one.now) > bound).any(), f"the seeds {seed} and {seed + 1} give the same losses"


@pytest.fixture(scope="module")
def initial(agent, seed):
    """Return the loss of the first transition, and the parameters of a network that does not learn."""
    return probe(agent, seed, num_episodes=1, max_len_episode=1)


def changes_of(trained, initial):
    """Return the changes of the parameters in a training."""
    return {name: trained["parameters"][name].astype(float) - initial["parameters"][name] for name in SHAPES}


@claim("q_learning.training-step")
@pytest.mark.parametrize("learning_rate", [1e-4, 0.003, 0.5])
def test_training_step(agent, seed, initial, learning_rate):
    trained = probe(agent, seed, num_episodes=1, max_len_episode=1, learning_rate=learning_rate)
    changes, before = changes_of(trained, initial), initial["parameters"]
    bias = changes[OUTPUT_BIAS]
    action = int(np.abs(bias).argmax())
    # The first step of Adam has the size of the learning rate, and must raise the value of the action.
    expected, bound = (values[0] for values in agent_probes.bias_trajectories(np.ones(1), learning_rate))
    expected = np.abs(expected)[np.argsort([action, 1 - action])] if action else np.abs(expected)
    assert_within("the first step of the output biases", bias, expected, bound.max() + rounding.U, np.dtype(float))
    largest = learning_rate * (1 + rounding.gamma(rounding.POW / (1 - 0.999))) + rounding.U
    for name, change in changes.items():
        assert (np.abs(change) <= largest).all(), (
            f"the first step with a learning rate of {learning_rate} changes {name} by {np.abs(change).max()}"
        )
    # A weight whose gradient is near 0 takes a smaller step. With a small learning rate, such a step is lost in the
    # rounding of a weight in 1 of 30,000 runs.
    if learning_rate < 1 / 2:
        return
    # With one transition, each gradient is the product of a unit's output and the gradient of the next unit.
    second = np.sign(changes["dense3/kernel"][:, action])
    first = np.sign(np.abs(changes["dense1/bias"]))
    back = second * np.sign(before["dense3/kernel"][:, action])
    assert_equal("the signs of the change of dense2/bias", np.sign(changes["dense2/bias"]), back, np.dtype(float))
    assert_equal(
        "the signs of the change of dense2/kernel",
        np.sign(changes["dense2/kernel"]),
        np.outer(first, back),
        np.dtype(float),
    )


@claim("q_learning.training-loss-before-step")
def test_training_loss_before_step(agent, seed, initial):
    found = [
        probe(agent, seed, num_episodes=1, max_len_episode=1, learning_rate=learning_rate)["losses"]
        for learning_rate in (0.003, 0.5)
    ]
    bound = 4 * error_bounds(initial["parameters"])["now"]
    for losses in found:
        assert_within("the first loss, whatever the learning rate", losses, initial["losses"].astype(float), bound)


@claim("q_learning.training-is-by-adam")
@pytest.mark.parametrize("learning_rate", [0.001, 0.05])
@pytest.mark.parametrize(("num_episodes", "length"), [(4, 1), (1, 4)])
def test_training_is_by_adam(agent, seed, learning_rate, num_episodes, length):
    def train(learning_rate):
        # With exploration only, the transitions do not depend on the learning rate.
        return probe(
            agent,
            seed,
            **ALWAYS_EXPLORING,
            num_episodes=num_episodes,
            max_len_episode=length,
            learning_rate=learning_rate,
        )

    found = train(learning_rate)
    errors = errors_of(found["losses"], num_episodes, length)
    change = changes_of(found, train(0.0))[OUTPUT_BIAS]
    # Either form of Adam is correct.
    forms = [agent_probes.bias_trajectories(errors.ravel() ** 2, learning_rate, adam=adam) for adam in Adam]
    expected, bounds = map(np.concatenate, zip(*forms, strict=True))
    excess = (np.abs(expected - change) / (bounds + rounding.U * np.abs(change))).max(axis=1)
    nearest = expected[excess.argmin()].tolist()
    assert excess.min() <= 1, (
        f"the losses {found['losses'].tolist()} change the output biases by {change.tolist()}. Adam with a learning"
        f" rate of {learning_rate} changes them by {nearest} at the nearest: {excess.min():.3g} times the bound"
    )


@claim("q_learning.training-target-moves")
def test_training_target_moves(agent, seed):
    # After a first step so large, the values of the second transition's states come almost entirely from that step.
    ratios = []
    for number in range(BEGINNINGS):
        one, other = (
            probe(
                agent,
                BEGINNINGS * seed + number,
                **ALWAYS_GREEDY,
                num_episodes=1,
                max_len_episode=2,
                learning_rate=16.0,
                gamma=gamma,
            )["losses"]
            for gamma in (0.0, 1.0)
        )
        ratios.append(np.sqrt(float(other[1]) / float(one[1])))
    # A target computed before the step is negligible beside these values, so gamma has no effect.
    alike = sum(abs(ratio - 1) < 0.01 for ratio in ratios)
    assert alike < BEGINNINGS, "y does not change with the parameters: after a large step, gamma makes no difference"


PAIR = {"buffer_size": 2, "batch_size": 2, **ALWAYS_EXPLORING, **WHOLE_EPISODES, "num_episodes": 6}


@pytest.fixture(scope="module")
def pairs(agent, seed):
    """Return trainings that learn from the last two transitions, by gamma."""
    return {gamma: probe(agent, seed, **PAIR, gamma=gamma) for gamma in (0.0, 1.0)}


def transitions_learnt_at(scores, batch_size):
    """Return the indices of the transitions after which a learning step is due, and of the last ones of episodes."""
    ends = np.cumsum(scores + 1) - 1
    steps = np.setdiff1d(np.arange(batch_size - 1, ends[-1] + 1), ends)
    return steps, ends


def assert_steps(trained, batch_size):
    """Compare the number of losses with the number of learning steps that are due."""
    expected = count_learning_steps(trained["scores"], batch_size, WHOLE_EPISODES["max_len_episode"])
    found = len(trained["losses"])
    assert found == expected, (
        f"with batches of {batch_size} there are {found} losses, expected {expected} by the scores"
    )


@claim("q_learning.training-learns-failures")
def test_training_learns_failures(pairs):
    trained = pairs[0.0]
    assert_steps(trained, 2)
    steps, ends = transitions_learnt_at(trained["scores"], 2)
    squares = 2 * trained["losses"].astype(float)
    after = np.isin(steps - 1, ends)
    largest = (np.sqrt(FAILURE_LOSS) - 2 * FAILURE_REWARD) ** 2
    failures, others = squares[after], squares[~after]
    assert len(failures) == PAIR["num_episodes"] - 1
    assert ((failures > FAILURE_LOSS) & (failures < largest)).all(), (
        f"batches with a failure, whose reward is -10, have sums of squared errors of {failures.round(2).tolist()}"
    )
    assert (others < 2 * FAILURE_LOSS).all(), f"batches without a failure have up to {others.max()}"


@claim("q_learning.training-averages")
def test_training_averages(agent, seed):
    trained = probe(agent, seed, **PAIR | {"max_len_episode": 1})
    value = largest_values(trained["parameters"])[0]
    losses, bounds = trained["losses"], ((1 - value) ** 2, (1 + value) ** 2)
    assert ((losses >= bounds[0]) & (losses <= bounds[1])).all(), (
        f"losses of two first transitions are {losses.tolist()}; mean squared errors are {bounds[0]:.3f} to"
        f" {bounds[1]:.3f}"
    )


@claim("q_learning.training-failure-has-no-future")
def test_training_failure_has_no_future(pairs):
    now, later = pairs[0.0], pairs[1.0]
    steps, ends = transitions_learnt_at(now["scores"], 2)
    after = np.isin(steps - 1, ends)
    assert now["losses"].shape == later["losses"].shape == steps.shape
    moved = 2 * np.abs(later["losses"].astype(float) - now["losses"])[after]
    value = largest_values(now["parameters"])[1]
    # (1 + max Q' - Q)^2 - (1 - Q)^2 for the first transition of an episode.
    most = 2 * value * (1 + value) + value**2
    assert (moved <= most).all(), (
        f"with a gamma of 1, squared errors of a failure and a first transition change by {moved.round(2).tolist()},"
        f" and those of the latter by {most:.2f} at most: the state after the failure is valued"
    )


@claim("q_learning.training-failure-has-no-future")
def test_training_failure_is_worth_its_reward(agent, seed, draws):
    # Both trainings draw the same batches of one. The error of a failure must not depend on gamma.
    later = probe(agent, seed, **SMALL, gamma=1.0)["losses"]
    losses = draws["losses"].astype(float)
    assert later.shape == losses.shape, f"with a gamma of 1 there are {len(later)} losses, and {len(losses)} with 0"
    failures = losses > FAILURE_LOSS
    assert failures.any(), f"no learning step uses any of {SMALL['num_episodes']} failures"
    bound = rounding.gamma(4) * losses[failures]
    assert_within("the losses of failures, with a gamma of 1", later[failures], losses[failures], bound)


SMALL = {"buffer_size": 2, **ALWAYS_EXPLORING, **WHOLE_EPISODES, "num_episodes": 30}


@pytest.fixture(scope="module")
def draws(agent, seed):
    """Return a training whose batches are one of the last two transitions."""
    trained = probe(agent, seed, **SMALL)
    assert_steps(trained, 1)
    return trained


@claim("q_learning.training-learns-failures")
def test_training_learns_the_reward_of_failures(draws, seed):
    # The distance from -10 to the values of actions by which poles fall, by the parameters of the network.
    found = np.sqrt(draws["losses"][draws["losses"] > FAILURE_LOSS].astype(float))
    assert len(found), f"no learning step uses any of {SMALL['num_episodes']} failures"
    states, actions = agent_probes.last_steps(1_000, seed)
    values = q_values(agent_probes.MODEL, to_float64(draws["parameters"]), states)[np.arange(len(actions)), actions]
    expected = np.abs(FAILURE_REWARD - values)
    probability = chance_of_samples(found, expected)
    assert probability > FALSE_ALARM, (
        f"errors of failures are {found.min():.2f} to {found.max():.2f}, and {expected.min():.2f} to"
        f" {expected.max():.2f} with a reward of -10: a probability of {probability:.3g}"
    )


@claim("q_learning.training-forgets")
def test_training_forgets(draws):
    steps, ends = transitions_learnt_at(draws["scores"], 1)
    held = np.isin(steps - 1, ends)
    found = int((draws["losses"][~held] > FAILURE_LOSS).sum())
    assert found == 0, f"{found} learning steps use a failure that at least two transitions have followed"


@claim("q_learning.training-draws-evenly")
def test_training_draws_evenly(draws):
    steps, ends = transitions_learnt_at(draws["scores"], 1)
    level = FALSE_ALARM / 2
    drawn = draws["losses"][np.searchsorted(steps, ends[:-1] + 1)] > FAILURE_LOSS
    assert_share("batches of one are the older transition of two, a failure", drawn.sum(), len(drawn), 1 / 2, level)
    # A transition is drawn twice in a row if it is first drawn as the newer one and then as the older one.
    one, other = (draws["losses"][first : len(steps) - 1 : 2] for first in (0, 1))
    follows = (steps[1::2] - steps[: len(steps) - 1 : 2] == 1)[: len(other)]
    twice = (one[: len(other)] == other)[follows]
    assert_share("pairs of batches are the same transition", twice.sum(), len(twice), 1 / 4, level)


@claim("q_learning.training-draws-evenly")
def test_training_draws_from_a_growing_buffer(agent, seed):
    # Batches of one from a buffer that grows. After the first step, a training never draws the newest transition with a
    # probability of 1/2 * 2/3 * 3/4 ..., and so with the oldest.
    trainings, places = 8, np.arange(LENGTH)
    assert (1 / LENGTH) ** trainings < FALSE_ALARM
    drawn = np.array([batches_of_one(agent, trainings * seed + number) for number in range(trainings)])
    for which, place in (("newest", places), ("oldest", 0 * places)):
        assert (drawn == place)[:, 1:].any(), f"{trainings} trainings never draw the {which} of several transitions"


@claim("q_learning.first-transitions")
def test_training_from_a_small_buffer(agent, seed, initial):
    trained = probe(agent, seed, num_episodes=1, buffer_size=2, batch_size=3, learning_rate=0.5)
    found = len(trained["losses"])
    assert found == 0, f"there are {found} learning steps, though a buffer of two cannot hold a batch of three"
    for name, change in changes_of(trained, initial).items():
        assert_equal(f"the change of {name}", change, np.zeros(SHAPES[name]), np.dtype(float))


@claim("q_learning.training-plays-cart-pole")
def test_training_plays_cart_pole(agent, seed):
    # The batch is so large that a learning step takes place only near the end.
    batch_size = 2_100
    trained = probe(
        agent, seed, **ALWAYS_EXPLORING, **WHOLE_EPISODES, num_episodes=100, buffer_size=10_000, batch_size=batch_size
    )
    assert_steps(trained, batch_size)
    lengths, expected = trained["scores"] + 1, agent_probes.random_lengths(20_000, seed)
    # Together the episodes have more than 500 steps, the limit of one.
    assert lengths.min() > LENGTH, f"an episode ends after {lengths.min()} steps, and no pole falls so soon"
    probability = chance_of_samples(lengths, expected)
    assert probability > FALSE_ALARM, (
        f"with exploration only, the mean length is {lengths.mean():.1f}, and {expected.mean():.1f} by the definition:"
        f" a probability of {probability:.3g}"
    )
