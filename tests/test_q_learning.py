"""Deep Q-learning: lines 681 to 765 of the document."""

from functools import cache, partial

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from assay.spec.error_bounds import cart_pole_rounding, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import cart_pole, q_learning
from assay.spec.semantics import models as definition
from assay.spec.semantics.cart_pole import INITIAL, MAX_EPISODE_STEPS
from assay.spec.semantics.initializers import fans, glorot_limit
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import cache_by_precision
from assay.spec.semantics.q_learning import FAILURE_REWARD, Transitions
from assay.spec.vectors import read
from assay.testing import initial_parameters, problems
from assay.testing.assertions import (
    assert_close,
    assert_equal,
    assert_form,
    assert_rejected,
    assert_within,
    claim,
    few_examples,
)
from assay.testing.chances import chance_of_counts, chance_of_draws, chance_of_share
from assay.testing.counts import assert_share
from assay.testing.handcrafted_values import BALANCING, constant_values, linear_values
from assay.testing.networks import assert_dense, assert_parameters, either_adam, outputs_of, reordered
from assay.testing.problems import GAMMA, LEARNING_RATE, Problem
from assay.testing.q_networks import (
    gradients_of,
    layer_outputs,
    learnt,
    loss_and_gradients,
    solve_training,
    solved,
    targets,
)
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import assert_results_are_new
from assay.testing.strategies import arrays, seeds
from assay.testing.thresholds import FALSE_ALARM, threshold
from assay.testing.training import agent_training
from assay.testing.training.agent_probes import count_learning_steps
from assay.testing.training.agent_training import assert_learns, best_stretch

MODEL = "q_network"
DOCUMENT = read("q_learning")
BATCH = DOCUMENT["batch_size"]
# Larger than the usual block sizes, and not a multiple of them.
ODD = 131
NAMES = ["dense1", "dense2", "dense3"]
SHAPES = definition.MODELS[MODEL].shapes
INT = np.dtype(np.int32)
SCHEDULE = {name: DOCUMENT[name] for name in ("num_exploration_episodes", "initial_epsilon", "final_epsilon")}

# Cached, since several tests share a problem.
problem_of = cache(lambda seed: problems.q_learning_of(MODEL, seed))


def run(models, problem):
    """Run the network on the states of a problem, and check the names of its layers."""
    return outputs_of(models, problem.on_states, NAMES)


@claim("q_learning.hyperparameters")
def test_hyperparameters():
    recipe = threshold("agent").recipe
    assert {name: recipe[name] for name in recipe if name != "model"} == {
        name: DOCUMENT[name] for name in DOCUMENT if name not in {"units", "failure_reward"}
    }
    assert recipe["learning_rate"] == LEARNING_RATE
    assert recipe["gamma"] == GAMMA


@claim("q_learning.layer-order")
@few_examples(8)
@given(seed=seeds())
def test_layer_order(models, seed):
    assert list(run(models, problem_of(seed))) == NAMES


any_batch = pytest.mark.parametrize("batch", [1, BATCH])


def assert_shape(models, seed, layer, batch):
    """Compare the shape of a layer's output with the number of units in the document."""
    problem = problem_of(seed)
    states = problem.transitions.states[:batch].copy()
    outputs = outputs_of(models, problem.on_states._replace(inputs=states), NAMES)
    assert_form(layer, outputs[layer], (batch, DOCUMENT["units"][NAMES.index(layer)]))


@claim("q_learning.dense1-shape")
@any_batch
def test_dense1_shape(models, seed, batch):
    assert_shape(models, seed, "dense1", batch)


@claim("q_learning.dense2-shape")
@any_batch
def test_dense2_shape(models, seed, batch):
    assert_shape(models, seed, "dense2", batch)


@claim("q_learning.one-value-per-action")
@any_batch
def test_one_value_per_action(models, seed, batch):
    assert_shape(models, seed, "dense3", batch)


def assert_layer(models, seed, name, activation=None):
    """Compare a layer with its definition, on the layer's own input."""
    problem = problem_of(seed).on_states
    before = ["states", *NAMES][NAMES.index(name)]
    assert_dense({"states": problem.inputs, **outputs_of(models, problem, NAMES)}, problem, name, before, activation)


@claim("q_learning.dense1-output")
@few_examples(8)
@given(seed=seeds())
def test_dense1_output(models, seed):
    assert_layer(models, seed, "dense1", "relu")


@claim("q_learning.dense2-output")
@few_examples(8)
@given(seed=seeds())
def test_dense2_output(models, seed):
    assert_layer(models, seed, "dense2", "relu")


@claim("q_learning.dense3-output")
@few_examples(8)
@given(seed=seeds())
def test_dense3_output(models, seed):
    assert_layer(models, seed, "dense3")


@claim("q_learning.rectified")
@pytest.mark.parametrize("layer", ["dense1", "dense2"])
@few_examples(8)
@given(seed=seeds())
def test_rectified(models, seed, layer):
    smallest = run(models, problem_of(seed))[layer].min()
    assert smallest == 0, f"the smallest output of {layer} is {smallest}"


@claim("q_learning.values-take-both-signs")
def test_values_take_both_signs(models, seed):
    values = np.array([FAILURE_REWARD, MAX_EPISODE_STEPS], np.float32)
    outputs = run(models, problem_of(seed)._replace(parameters=constant_values(*values)))
    assert_equal("dense3", outputs["dense3"], np.tile(values, (BATCH, 1)))


@claim("q_learning.whole-network")
@few_examples(8)
@given(seed=seeds())
def test_whole_network(models, seed):
    problem, expected, bounds = solved(problem_of(seed), layer_outputs(MODEL))
    assert_close("layer_outputs", run(models, problem), expected, bounds)


@claim("q_learning.states-are-independent")
@few_examples(8)
@given(seed=seeds())
def test_states_are_independent(models, seed):
    problem = problem_of(seed)
    first = problem._replace(transitions=Transitions(*(values[:1] for values in problem.transitions)))
    together, alone = (run(models, one)["dense3"] for one in (problem, first))
    one, other = (solved(each, layer_outputs(MODEL)).bounds["dense3"] for each in (problem, first))
    # The root mean square over all states is at least 1 / sqrt(BATCH) of that over one state.
    bounds = {"dense3": np.sqrt(BATCH) * one + other}
    assert_close("the values of a state alone", {"dense3": alone}, {"dense3": to_float64(together[:1])}, bounds)


@claim("q_learning.values-of-any-batch")
@pytest.mark.parametrize("count", [1, ODD])
def test_values_of_any_batch(models, seed, count):
    # Multiples of 64 with few significant bits, whose sums are exact even in bfloat16.
    states = 64 * np.random.default_rng(seed).integers(-15, 16, (count, 4)).astype(np.float32)
    values = to_float64(states) @ BALANCING
    found = models.layer_outputs(MODEL, linear_values(BALANCING), states)["dense3"]
    assert_equal("dense3", found, np.stack([-values, values], axis=-1))


@claim("q_learning.network-memory-order")
def test_network_memory_order(models, seed):
    states = np.random.default_rng(seed).integers(-15, 16, (5, 4)).astype(np.float32)
    values = to_float64(states) @ BALANCING
    for order, one in reordered(Problem(MODEL, linear_values(BALANCING), states, values)):
        found = models.layer_outputs(MODEL, one.parameters, one.inputs)["dense3"]
        assert_equal(f"dense3, arrays {order}", found, np.stack([-values, values], axis=-1))


@cache
def new_parameters(models, seed):
    """Return the parameters of a new network."""
    return models.initial_parameters(MODEL, seed)


@claim("q_learning.parameter-names")
def test_parameter_names(models, seed):
    assert sorted(new_parameters(models, seed)) == sorted(SHAPES)


@claim("q_learning.parameter-count")
def test_parameter_count(models, seed):
    initial = new_parameters(models, seed)
    for layer, count in zip(NAMES, (120, 600, 50), strict=True):
        assert_parameters(initial, MODEL, layer, count)


@claim("q_learning.initial-kernels")
@pytest.mark.parametrize("name", ["dense1/kernel", "dense2/kernel", "dense3/kernel"])
def test_initial_kernels(models, seed, name):
    kernel = new_parameters(models, seed)[name]
    initial_parameters.assert_glorot(name, kernel, SHAPES[name])
    # At least 48 uniform draws all fall into the inner 70% with a probability of at most 0.7^48, below FALSE_ALARM.
    limit = glorot_limit(*fans(SHAPES[name]))
    assert np.abs(kernel).max() > 0.7 * limit, f"{name} reaches only {np.abs(kernel).max()} of {limit}"


@claim("q_learning.initial-biases")
@pytest.mark.parametrize("name", ["dense1/bias", "dense2/bias", "dense3/bias"])
def test_initial_biases(models, seed, name):
    assert_equal(name, new_parameters(models, seed)[name], np.zeros(SHAPES[name]))


@claim("q_learning.new-networks-differ")
def test_new_networks_differ(models, seed):
    pair = seed, seed + 1
    initial_parameters.assert_all_differ(*(new_parameters(models, one) for one in pair), pair)
    assert_told_apart("kernels", confusable_seeds(seed), lambda one: new_parameters(models, one)["dense1/kernel"])


@claim("q_learning.initial-seed")
def test_initial_seed(models, seed):
    again = models.initial_parameters(MODEL, seed)
    for name, value in new_parameters(models, seed).items():
        assert_equal(f"{name} of a second network with the same seed", again[name], value)
    assert_results_are_new("initial_parameters", models.initial_parameters, (MODEL, seed))


@claim("q_learning.initial-weights-differ")
def test_initial_weights_differ(models, seed):
    initial_parameters.assert_fine(new_parameters(models, seed))
    initial_parameters.assert_distinct(new_parameters(models, seed))
    initial_parameters.assert_unrelated(new_parameters(models, seed))
    initial_parameters.assert_unrelated_to(new_parameters(models, seed), new_parameters(models, seed + 1))


def q_network(keras):
    """Return the class QNetwork of the document."""

    class QNetwork(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.dense1 = keras.namespace.layers.Dense(units=24, activation="relu")
            self.dense2 = keras.namespace.layers.Dense(units=24, activation="relu")
            self.dense3 = keras.namespace.layers.Dense(units=2)

        def call(self, inputs):
            return self.dense3(self.dense2(self.dense1(inputs)))

    return QNetwork


def load_model(keras, kind, problem):
    """Create a model with the parameters of a problem; return it and the states of the problem as a tensor."""
    states = keras.to_tensor(problem.transitions.states)
    model = kind()
    model(states)
    model.set_weights([problem.parameters[name] for name in SHAPES])
    return model, states


@claim("q_learning.subclass")
def test_subclass(keras, seed):
    problem, expected, bounds = solved(problem_of(seed), layer_outputs(MODEL))
    model, states = load_model(keras, q_network(keras), problem)
    assert_close("the model", {"dense3": keras.to_numpy(model(states))}, {"dense3": expected["dense3"]}, bounds)


@claim("q_learning.predict-replaces-keras")
def test_predict_replaces_keras(keras, seed):
    class WithPredict(q_network(keras)):
        def predict(self, inputs):
            return keras.to_numpy(self(inputs)).argmax(axis=-1)

    problem = problem_of(seed)
    model, states = load_model(keras, WithPredict, problem)
    values = keras.namespace.Model.predict(model, problem.transitions.states, verbose=0)
    assert_form("the result of Keras's own predict", values, (BATCH, 2))
    assert model.predict(states).tolist() == values.argmax(axis=-1).tolist()


def choose_actions(agent, parameters, states, epsilon, seed, model=MODEL):
    """Choose actions, and check their form."""
    actions = agent.act(model, parameters, states, epsilon, seed)
    return assert_form("act", actions, (len(states),), INT)


@claim("q_learning.argmax-of-the-last-axis", "q_learning.greedy-at-0")
@few_examples(8)
@given(seed=seeds())
def test_argmax_of_the_last_axis(agent, seed):
    problem, expected, bounds = solved(problem_of(seed), layer_outputs(MODEL))
    values = expected["dense3"]
    # Where two values are nearly equal, either may be the larger. All the error may lie in a single value.
    apart = np.abs(values[:, 0] - values[:, 1]) > 2 * np.sqrt(values.size) * bounds["dense3"]
    found = choose_actions(agent, problem.parameters, problem.transitions.states, 0.0, seed)
    assert apart.any(), "in every state both actions have nearly the same value"
    assert_equal("the greedy actions", found[apart], values.argmax(axis=-1)[apart], INT)


def check_epsilon(agent, episode, schedule):
    """Compare epsilon in an episode with the definition; return it and its error bound."""
    expected = q_learning.epsilon(episode, **schedule)
    found = agent.epsilon(episode, **schedule)
    # Rounding of a difference, a quotient and a product, and of their operands.
    largest = max(schedule["initial_epsilon"], schedule["final_epsilon"])
    bound = rounding.gamma(4 + rounding.DIVIDE) * largest
    assert_within(f"epsilon in episode {episode}", found, expected, bound, np.asarray(found).dtype)
    return float(found), bound


@claim("q_learning.epsilon-first")
def test_epsilon_first(agent):
    assert float(agent.epsilon(0, **SCHEDULE)) == 1


@claim("q_learning.epsilon-falls")
def test_epsilon_falls(agent):
    episodes = DOCUMENT["num_exploration_episodes"]
    rates, bounds = zip(*(check_epsilon(agent, episode, SCHEDULE) for episode in range(episodes)), strict=True)
    steps = -np.diff(rates)
    assert_within("the decrease of epsilon per episode", steps, np.full(episodes - 1, 0.01), 2 * bounds[0], steps.dtype)


@claim("q_learning.epsilon-final")
@pytest.mark.parametrize("episode", [99, 100, 250, 499])
def test_epsilon_final(agent, episode):
    found, bound = check_epsilon(agent, episode, SCHEDULE)
    assert abs(found - DOCUMENT["final_epsilon"]) <= bound


@claim("q_learning.epsilon-schedule")
@given(
    episode=st.integers(0, 200),
    num_exploration_episodes=st.integers(1, 150),
    initial_epsilon=st.sampled_from([0.125, 0.5, 0.9, 0.95, 1.0]),
    final_epsilon=st.sampled_from([0.0, 0.01, 0.25]),
)
# An initial epsilon close to 1, and one below the final epsilon.
@example(episode=3, num_exploration_episodes=50, initial_epsilon=0.95, final_epsilon=0.0)
@example(episode=0, num_exploration_episodes=50, initial_epsilon=0.125, final_epsilon=0.25)
def test_epsilon_schedule(agent, episode, **schedule):
    check_epsilon(agent, episode, schedule)


@claim("q_learning.epsilon-schedule")
def test_epsilon_in_any_order(agent):
    # In no particular order, some twice: epsilon may depend on the number of the episode only.
    for episode in (60, 61, 20, 0, 60, 499, 98, 1):
        check_epsilon(agent, episode, SCHEDULE)


# Number of actions chosen in one state.
DRAWS = 1000


def choose_repeatedly(agent, epsilon, seed, count=DRAWS):
    """Choose actions in one state, in which the second action has the larger value."""
    states = np.zeros((count, 4), np.float32)
    return choose_actions(agent, constant_values(-1, 1), states, epsilon, seed)


@claim("q_learning.explores")
@pytest.mark.parametrize(
    ("epsilon", "count"),
    # The last epsilon is below the final one of the document.
    [(DOCUMENT["final_epsilon"], 4 * DRAWS), (0.1, 4 * DRAWS), (0.5, DRAWS), (0.005, 8 * DRAWS)],
)
def test_explores(agent, seed, epsilon, count):
    # Enough actions to detect an epsilon of 0 in place of a small one, and one of 0.2 in place of 0.1.
    others = (choose_repeatedly(agent, epsilon, seed, count) == 0).sum()
    assert_share("actions are not the greedy one", others, count, epsilon / 2)


@claim("q_learning.explores-evenly")
def test_explores_evenly(agent, seed):
    counts = np.bincount(choose_repeatedly(agent, 1.0, seed), minlength=2).tolist()
    probability = chance_of_counts(counts)
    assert probability > FALSE_ALARM, f"uniform draws are as uneven as {counts} with a probability of {probability:.3g}"


@claim("q_learning.explores-each-time-anew")
def test_explores_each_time_anew(agent, seed):
    actions = choose_repeatedly(agent, 1.0, seed)
    same = int((actions[1:] == actions[:-1]).sum())
    probability = chance_of_share(same, DRAWS - 1, 0.5)
    assert probability > FALSE_ALARM, (
        f"{same} of {DRAWS} actions equal the one before: a probability of {probability:.3g}"
    )


def numbered_transitions(count):
    """Return transitions that differ in every element but the action and the mark, which repeat."""
    number = np.arange(count, dtype=np.float32)
    states = number[:, None] + np.float32(1 / 8) * np.arange(4, dtype=np.float32)
    return Transitions(
        states, number.astype(np.int32) % 2, number + np.float32(0.5), states + np.float32(1 / 16), number % 3
    )


def assert_transitions(what, found, expected):
    """Compare transitions, element by element."""
    assert len(found) == len(expected), f"{what} have {len(found)} elements, expected {len(expected)}"
    for name, values, right in zip(Transitions._fields, found, expected, strict=True):
        assert_equal(f"{what}, {name}", values, right, right.dtype)


def last_transitions(transitions, count):
    """Return the last `count` transitions."""
    return Transitions(*(values[-count:] for values in transitions))


@claim("q_learning.buffer-keeps-the-latest")
def test_buffer_keeps_the_latest(agent):
    size = DOCUMENT["buffer_size"]
    stored = numbered_transitions(size + 1)
    assert_transitions("the last of 10,001 transitions", agent.replay(size, stored), last_transitions(stored, size))


@claim("q_learning.buffer-in-order")
@given(size=st.integers(1, 6), count=st.integers(1, 20))
def test_buffer_in_order(agent, size, count):
    stored = numbered_transitions(count)
    assert_transitions(
        f"{count} transitions in a buffer of {size}", agent.replay(size, stored), last_transitions(stored, size)
    )


@claim("q_learning.buffer-in-order")
def test_buffers_are_new(agent):
    stored = numbered_transitions(7)
    for size, count in ((4, 7), (4, 2), (6, 3), (4, 7)):
        first = Transitions(*(values[:count] for values in stored))
        found = agent.replay(size, first)
        assert_transitions(
            f"{count} transitions in a buffer of {size} after others", found, last_transitions(first, size)
        )


@st.composite
def arbitrary_transitions(draw):
    """Draw three transitions with arbitrary states and rewards."""
    states, next_states = (draw(arrays((3, 4))) for _ in range(2))
    actions, dones = (np.array(draw(st.lists(st.sampled_from([0, 1]), min_size=3, max_size=3))) for _ in range(2))
    return Transitions(states, actions.astype(np.int32), draw(arrays((3,))), next_states, dones.astype(np.float32))


@claim("q_learning.buffer-changes-nothing")
@given(stored=arbitrary_transitions())
def test_buffer_changes_nothing(agent, stored):
    assert_transitions("the transitions", agent.replay(3, stored), stored)


def sample_batch(agent, transitions, batch_size, seed):
    """Draw a batch, and check its form; return it and the numbers of its transitions."""
    batch = agent.sample(transitions, batch_size, seed)
    assert len(batch) == len(Transitions._fields), f"a batch has {len(batch)} elements"
    for name, values, whole in zip(Transitions._fields, batch, transitions, strict=True):
        assert_form(name, values, (batch_size, *whole.shape[1:]), whole.dtype)
    return Transitions(*batch), batch[0][:, 0].astype(int)


@claim("q_learning.sample-form")
@pytest.mark.parametrize("batch_size", [1, BATCH])
def test_sample_form(agent, seed, batch_size):
    sample_batch(agent, numbered_transitions(100), batch_size, seed)


@claim("q_learning.sample-without-replacement")
@pytest.mark.parametrize("count", [BATCH, BATCH + 1, 100])
@few_examples(8)
@given(number=seeds())
def test_sample_without_replacement(agent, count, number):
    _, drawn = sample_batch(agent, numbered_transitions(count), BATCH, number)
    assert len(set(drawn.tolist())) == BATCH, f"a batch of {BATCH} has only {len(set(drawn.tolist()))} transitions"


@claim("q_learning.sample-keeps-transitions-whole")
@given(number=seeds())
def test_sample_keeps_transitions_whole(agent, number):
    stored = numbered_transitions(100)
    batch, drawn = sample_batch(agent, stored, BATCH, number)
    assert_transitions("the batch", batch, Transitions(*(values[drawn] for values in stored)))


@claim("q_learning.sample-evenly")
def test_sample_evenly(agent, seed):
    # The buffer is three times as large as the batch, and each transition of it is expected in 32 batches.
    count, batches = 100, 100
    stored = numbered_transitions(count)
    drawn = np.concatenate([sample_batch(agent, stored, BATCH, 1000 * seed + number)[1] for number in range(batches)])
    # A batch has a transition at most once, so the number of batches with it is binomial.
    for number, found in enumerate(np.bincount(drawn, minlength=count).tolist()):
        assert_share(f"batches have the transition {number}", found, batches, BATCH / count, FALSE_ALARM / count)
    # Counts vary less without replacement than independent draws do, so the binomial test remains valid.
    kinds = {
        "from the newer half": np.arange(count) >= count // 2,
        "of the second action": stored.actions == 1,
        "with a done flag of 1 or 2": stored.dones > 0,
    }
    for what, members in kinds.items():
        assert_share(f"draws are {what}", members[drawn].sum(), drawn.size, members.mean(), FALSE_ALARM / len(kinds))


@claim("q_learning.sample-evenly")
def test_sample_of_a_large_buffer(agent, seed):
    # Draws without replacement are at least as even as independent draws.
    count, batch_size = DOCUMENT["buffer_size"], 256
    _, drawn = sample_batch(agent, numbered_transitions(count), batch_size, seed)
    probability = chance_of_draws((drawn + 0.5) / count, 0.0, 1.0)
    assert probability > FALSE_ALARM, (
        f"{batch_size} uniform draws from {count} transitions are as uneven as these with a probability of"
        f" {probability:.3g}"
    )


@claim("q_learning.sample-anew")
@few_examples(8)
@given(number=seeds())
def test_sample_anew(agent, number):
    one, other = (
        sample_batch(agent, numbered_transitions(100), BATCH, seed)[1].tolist() for seed in (number, number + 1)
    )
    assert one != other, f"the seeds {number} and {number + 1} draw the same batch"


@claim("q_learning.sample-needs-enough")
@pytest.mark.parametrize("count", [1, BATCH - 1])
def test_sample_needs_enough(agent, seed, count):
    assert_rejected(
        f"a batch of {BATCH} from {count} transitions", lambda: agent.sample(numbered_transitions(count), BATCH, seed)
    )


def collect_transitions(agent, parameters, epsilon, num_episodes, seed):
    """Collect transitions, and check their form."""
    found = agent.collect(parameters, epsilon, num_episodes, seed)
    assert len(found) == len(Transitions._fields), f"collect returns {len(found)} elements"
    transitions = Transitions(*found)
    count = len(transitions.actions)
    for name, values in zip(Transitions._fields, transitions, strict=True):
        shape = (count, 4) if name.endswith("states") else (count,)
        assert_form(f"collect, {name}", values, shape, INT if name == "actions" else np.dtype(np.float32))
    return transitions


# Number of episodes in which the pole falls within a second.
SHORT_EPISODES = 5


def collect_failures(agent, seed, epsilon=0.5):
    """Collect episodes that end in failure; return their transitions, and which of them are the last of an episode."""
    transitions = collect_transitions(agent, linear_values(-BALANCING), epsilon, SHORT_EPISODES, seed)
    margins = cart_pole.margin(to_float64(transitions.next_states))
    # Rounding must not decide whether a state is a failure.
    assume((np.abs(margins) > rounding.gamma(1)).all())
    failed = margins < 0
    assert failed.sum() == SHORT_EPISODES, f"{failed.sum()} of {SHORT_EPISODES} episodes fail"
    return transitions, failed


@claim("q_learning.transitions-follow")
@few_examples(8)
@given(number=seeds())
def test_transitions_follow(agent, number):
    transitions, last = collect_failures(agent, number)
    continues = ~last[:-1]
    found, expected = transitions.states[1:][continues], transitions.next_states[:-1][continues]
    assert_equal("the states after the first of an episode", found, expected)


@claim("q_learning.transition-has-its-action")
@few_examples(8)
@given(number=seeds())
def test_transition_has_its_action(agent, number):
    transitions, _ = collect_failures(agent, number, epsilon=1.0)
    arguments = to_float64(transitions.states), transitions.actions
    bound = cart_pole_rounding.step(*arguments)
    assert_within("what follows the recorded action", transitions.next_states, cart_pole.step(*arguments), bound)


@claim("q_learning.episodes-begin-anew")
@few_examples(8)
@given(number=seeds())
def test_episodes_begin_anew(agent, number):
    transitions, last = collect_failures(agent, number)
    first = transitions.states[np.concatenate([[True], last[:-1]])]
    assert (np.abs(first) <= np.float32(INITIAL)).all(), f"an episode begins at {first[np.abs(first).argmax() // 4]}"
    assert len(np.unique(first, axis=0)) == SHORT_EPISODES, "two episodes begin with the same state"


@claim("q_learning.greedy-transitions")
@few_examples(8)
@given(number=seeds())
def test_greedy_transitions(agent, number):
    transitions, _ = collect_failures(agent, number, epsilon=0.0)
    values = q_learning.q_values(MODEL, to_float64(linear_values(-BALANCING)), to_float64(transitions.states))
    # Both values are sums of four products, and differ only in sign.
    apart = np.abs(values[:, 0]) > rounding.gamma(6) * np.abs(transitions.states) @ BALANCING
    assert apart.mean() > 0.9, "in many states both actions have nearly the same value"
    assert_equal("the actions", transitions.actions[apart], values.argmax(axis=1)[apart], INT)


@claim("q_learning.failure-reward")
@few_examples(8)
@given(number=seeds())
def test_failure_reward(agent, number):
    transitions, last = collect_failures(agent, number)
    expected = np.full(SHORT_EPISODES, DOCUMENT["failure_reward"])
    assert_equal("the rewards of failures", transitions.rewards[last], expected)


@claim("q_learning.other-rewards")
@few_examples(8)
@given(number=seeds())
def test_other_rewards(agent, number):
    transitions, last = collect_failures(agent, number)
    assert_equal("the other rewards", transitions.rewards[~last], np.ones((~last).sum()))


@claim("q_learning.failure-is-marked")
@few_examples(8)
@given(number=seeds())
def test_failure_is_marked(agent, number):
    transitions, last = collect_failures(agent, number)
    assert_equal("the done flags", transitions.dones, last.astype(float))


@claim("q_learning.cut-off-is-no-failure")
def test_cut_off_is_no_failure(agent, seed):
    transitions = collect_transitions(agent, linear_values(BALANCING), 0.0, 1, seed)
    assert len(transitions.actions) == MAX_EPISODE_STEPS, (
        f"the episode has {len(transitions.actions)} steps, expected {MAX_EPISODE_STEPS}"
    )
    assert_equal("the last reward of a perfect episode", transitions.rewards[-1:], np.ones(1))
    assert_equal("its done flag", transitions.dones[-1:], np.zeros(1))


def assert_targets(agent, problem, gamma=GAMMA):
    """Compare y with the definition."""
    _, expected, bounds = solved(problem, targets(MODEL, gamma))
    assert_close("targets", {"y": agent.targets(*problem, gamma)}, expected, bounds)


def with_transitions(problem, **changes):
    """Return the problem with other values for some elements of its transitions."""
    return problem._replace(transitions=problem.transitions._replace(**changes))


@claim("q_learning.target")
@few_examples(8)
@given(seed=seeds())
def test_target(agent, seed):
    problem = problem_of(seed)
    assert_targets(agent, with_transitions(problem, dones=np.zeros_like(problem.transitions.dones)))


@claim("q_learning.target-of-failure")
@few_examples(8)
@given(seed=seeds())
def test_target_of_failure(agent, seed):
    problem = problem_of(seed)
    found = assert_form("targets", agent.targets(*problem, GAMMA), (BATCH,))
    failed = problem.transitions.dones == 1
    assert failed.any(), "no transition ends in failure"
    assert_equal("y of failures", found[failed], problem.transitions.rewards[failed])


@claim("q_learning.target-of-each")
@few_examples(8)
@given(seed=seeds())
def test_target_of_each(agent, seed):
    # With as many transitions as actions, a maximum over the wrong axis has the right shape.
    problem = problem_of(seed)
    two = Transitions(*(values[:2] for values in problem.transitions))._replace(dones=np.zeros(2, np.float32))
    assert_targets(agent, problem._replace(transitions=two))


@claim("q_learning.target-discount")
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
@few_examples(8)
@given(seed=seeds())
def test_target_discount(agent, gamma, seed):
    assert_targets(agent, problem_of(seed), gamma)


@claim("q_learning.target-without-discount")
def test_target_without_discount(agent, seed):
    # The better action has the value 7 in every state, and sums of such numbers are exact.
    transitions = with_transitions(problem_of(seed), dones=np.zeros(BATCH, np.float32)).transitions
    found = agent.targets(MODEL, constant_values(-3, 7), transitions, GAMMA)
    assert_equal("y", found, transitions.rewards + 7)


@claim("q_learning.target-is-float32")
def test_target_is_float32(agent, seed):
    assert_form("y", agent.targets(*problem_of(seed), GAMMA), (BATCH,))


@claim("q_learning.one-hot-selects")
@given(values=arrays((BATCH, 2)), number=seeds())
def test_one_hot_selects(ops, values, number):
    actions = np.random.default_rng(number).integers(0, 2, BATCH, np.int32)
    found = (values * ops.one_hot(actions, 2)).sum(axis=1)
    assert_equal("the selected values", found, values[np.arange(BATCH), actions])


@claim("q_learning.loss")
@few_examples(8)
@given(seed=seeds())
def test_loss(agent, seed):
    problem, expected, bounds = solved(problem_of(seed), loss_and_gradients(MODEL))
    assert_close("loss_and_gradients", gradients_of(agent, problem), {"loss": expected["loss"]}, bounds)


@claim("q_learning.loss-reduces-the-batch")
@given(pair=st.tuples(arrays((5,)), arrays((5,))))
def test_loss_reduces_the_batch(keras, pair):
    y_true, y_pred = map(keras.to_tensor, pair)
    loss = keras.namespace.losses.get("mean_squared_error")
    found = keras.to_numpy(loss(y_true=y_true, y_pred=y_pred))
    exact = tuple(map(to_float64, pair))
    expected = np.mean((exact[0] - exact[1]) ** 2)
    assert_within("mean_squared_error", found, expected, rounding.mean_squared_error(*exact))


@claim("q_learning.loss-ignores-other-actions")
@few_examples(8)
@given(seed=seeds())
def test_loss_ignores_other_actions(agent, seed):
    # All transitions take the first action and fail, so the value of the second action must not matter.
    transitions = problem_of(seed).transitions._replace(
        actions=np.zeros(BATCH, np.int32), dones=np.ones(BATCH, np.float32), rewards=np.full(BATCH, -10, np.float32)
    )
    losses = [agent.loss_and_gradients(MODEL, constant_values(2, other), transitions, GAMMA)[0] for other in (-50, 50)]
    assert_equal("the losses", np.array(losses), np.full(2, 144.0))


@claim("q_learning.gradients")
@few_examples(8)
@given(seed=seeds())
def test_gradients(agent, seed):
    problem, expected, bounds = solved(problem_of(seed), loss_and_gradients(MODEL))
    assert_close("loss_and_gradients", gradients_of(agent, problem), {name: expected[name] for name in SHAPES}, bounds)


@claim("q_learning.gradient-of-taken")
@pytest.mark.parametrize("action", [0, 1])
def test_gradient_of_taken(agent, seed, action):
    problem = with_transitions(problem_of(seed), actions=np.full(BATCH, action, np.int32))
    found = gradients_of(agent, problem)
    for name in ("dense3/kernel", "dense3/bias"):
        other = assert_form(name, found[name], SHAPES[name])[..., 1 - action]
        assert_equal(f"the gradient of {name} for the other action", other, np.zeros_like(other))


def self_chasing_problem(seed, steps=None):
    """Return a problem in which each greedy action leads back to its state, so that y is the action's value plus 1.

    If the gradient flowed through y, the two values would cancel and nothing would be learnt.
    """
    problem = problems.q_learning_of(MODEL, seed, steps=steps)
    states = problem.transitions.states if steps is None else np.repeat(problem.transitions.states[:1], steps, axis=0)
    flat = to_float64(states.reshape(-1, 4))
    actions = q_learning.greedy(MODEL, to_float64(problem.parameters), flat).reshape(states.shape[:-1]).astype(np.int32)
    ones = np.ones(actions.shape, np.float32)
    return problem._replace(transitions=Transitions(states, actions, ones, states.copy(), 0 * ones))


@claim("q_learning.target-held-fixed")
@few_examples(8)
@given(seed=seeds())
def test_target_held_fixed(agent, seed):
    problem, expected, bounds = solved(self_chasing_problem(seed), loss_and_gradients(MODEL))
    # Each value is 1 below its y, so the gradient of a bias is -2 times the share of its action.
    shares = np.bincount(problem.transitions.actions, minlength=2) / BATCH
    assert np.allclose(expected["dense3/bias"], -2 * shares)
    assert_close("loss_and_gradients", gradients_of(agent, problem), {name: expected[name] for name in SHAPES}, bounds)


@claim("q_learning.gradient-is-averaged")
@few_examples(8)
@given(seed=seeds())
def test_gradient_is_averaged(agent, seed):
    problem, expected, bounds = solved(problem_of(seed), loss_and_gradients(MODEL))
    twice = problem._replace(transitions=Transitions(*(np.concatenate([one, one]) for one in problem.transitions)))
    assert_close("loss_and_gradients of every transition twice", gradients_of(agent, twice), expected, bounds)


@cache_by_precision
def trajectory_case(seed, *, adam=Adam.BEFORE_CORRECTION):
    """Return a problem of five batches and its solution."""
    problem = problems.q_learning_of(MODEL, seed, steps=5, adam=adam)
    return solve_training(problem, adam=adam)


@claim("q_learning.trajectory")
@few_examples(2)
@given(seed=seeds())
def test_trajectory(agent, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        assert_close("learn, after 5 steps", learnt(agent, problem), {name: expected[name] for name in SHAPES}, bounds)

    permitted(either_adam(check))


@claim("q_learning.trajectory-losses")
@few_examples(2)
@given(seed=seeds())
def test_trajectory_losses(agent, permitted, seed):
    def check(adam):
        problem, expected, bounds = trajectory_case(seed, adam=adam)
        assert_close("learn", learnt(agent, problem), {"losses": expected["losses"]}, bounds)

    # Beside losses of about 100, the effect of Adam's epsilon is too small to see.
    permitted(either_adam(check), alike=True)


@claim("q_learning.target-moves")
@few_examples(2)
@given(seed=seeds())
def test_target_moves(agent, permitted, seed):
    # However the values change, y stays 1 above them. A target that were computed only once would be reached.
    def check(adam):
        problem, expected, bounds = solve_training(self_chasing_problem(seed, steps=5), adam=adam)
        assert_close("learn", learnt(agent, problem), {"losses": expected["losses"]}, bounds)

    permitted(either_adam(check), alike=True)


@claim("q_learning.every-parameter-learns")
def test_every_parameter_learns(agent, seed):
    problem, *_ = trajectory_case(seed)
    last = learnt(agent, problem)
    assert [name for name in SHAPES if (last[name] == problem.parameters[name]).all()] == []


@claim("q_learning.learning-lowers-the-loss")
def test_learning_lowers_the_loss(agent, seed):
    transitions = problem_of(seed).transitions._replace(
        rewards=np.full(BATCH, FAILURE_REWARD, np.float32), dones=np.ones(BATCH, np.float32)
    )
    again = Transitions(*(np.repeat(values[None], 100, axis=0) for values in transitions))
    losses = learnt(agent, problem_of(seed)._replace(transitions=again))["losses"]
    assert losses[-1] < losses[0], f"100 steps change the loss from {losses[0]} to {losses[-1]}"


# Number of episodes of a short training.
SHORT_TRAINING = 12
SHORTEST = cart_pole.shortest_length()


def fit(agent, seed, **changes):
    """Train for a few episodes with the document's hyperparameters."""
    return agent_training.train(agent, threshold("agent").recipe | {"num_episodes": SHORT_TRAINING} | changes, seed)


@pytest.fixture(scope="module")
def few_episodes(agent, seed, compute_once):
    """Return scores, losses and parameters of a training of a few episodes."""
    return compute_once("few_episodes", lambda: fit(agent, seed))


@claim("q_learning.training-moves-every-parameter")
def test_training_moves_every_parameter(agent, seed, few_episodes):
    short = fit(agent, seed, num_episodes=1, max_len_episode=SHORTEST)
    assert len(short["losses"]) == 0, f"a learning step takes place after {SHORTEST} transitions, fewer than a batch"
    unmoved = [name for name in SHAPES if (short["parameters"][name] == few_episodes["parameters"][name]).all()]
    assert unmoved == [], f"training does not change {unmoved}"


@claim("q_learning.score-per-episode")
def test_score_per_episode(few_episodes):
    scores = few_episodes["scores"]
    # No sequence of actions makes the pole fall in fewer steps. The printed number of the first step is 0.
    assert scores.min() >= SHORTEST - 1, f"an episode has a score of {scores.min()}"


@claim("q_learning.one-step-per-transition", "q_learning.printed-score", "q_learning.end-is-not-learnt-at-once")
def test_one_step_per_transition(few_episodes):
    scores, losses = few_episodes["scores"], few_episodes["losses"]
    # Episodes end by failure or by the limit of CartPole, never by that of the training loop.
    steps = count_learning_steps(scores, BATCH, MAX_EPISODE_STEPS + 1)
    assert len(losses) == steps, f"there are {len(losses)} losses, expected {steps} by the scores {scores.tolist()}"


@claim("q_learning.left-is-not-ended", "q_learning.first-transitions")
def test_left_is_not_ended(agent, seed):
    # No episode can end in failure so early.
    length = SHORTEST - 1
    found = fit(agent, seed, max_len_episode=length)
    assert found["scores"].tolist() == [length - 1] * SHORT_TRAINING, f"the scores are {found['scores'].tolist()}"
    steps = SHORT_TRAINING * length - (BATCH - 1)
    assert len(found["losses"]) == steps, (
        f"after {SHORT_TRAINING * length} transitions there are {len(found['losses'])} losses, expected {steps}"
    )


@claim("q_learning.limit-comes-first")
def test_limit_comes_first(environments):
    limit = environments.cart_pole()[3]
    assert limit == MAX_EPISODE_STEPS < DOCUMENT["max_len_episode"], f"the limit is {limit}"


@claim("q_learning.new-agents-differ")
def test_new_agents_differ(agent, seed, few_episodes):
    other = fit(agent, seed + 1)["scores"].tolist()
    assert few_episodes["scores"].tolist() != other, f"the seeds {seed} and {seed + 1} give the same scores"


@claim("q_learning.greedy-play")
def test_greedy_play(agent, seed):
    returns = agent.play(linear_values(BALANCING), 2, seed)
    assert_equal("the returns", returns, np.full(2, MAX_EPISODE_STEPS))


@claim("q_learning.opposite-play")
def test_opposite_play(agent, seed):
    returns = assert_form("the returns", agent.play(linear_values(-BALANCING), 5, seed), (5,))
    assert (returns < 1 / cart_pole.TIME_STEP).all(), f"the returns are {returns.tolist()}"


def train_by_recipe(agent, compute_once, name, seed):
    """Train by the recipe of a threshold; each training runs once in a run of the suite."""
    return compute_once(f"{name}-{seed}", lambda: agent_training.train(agent, threshold(name).recipe, seed))


@claim("q_learning.learns-soon")
def test_learns_soon(agent, seed, evidence, compute_once):
    assert_learns("agent_short", partial(train_by_recipe, agent, compute_once, "agent_short"), seed, evidence)


@claim("q_learning.random-play-does-not-pass")
@pytest.mark.parametrize("name", ["agent_short", "agent"])
def test_random_play_does_not_pass(seed, name):
    known = threshold(name)
    trainings = 100
    lengths = cart_pole.random_lengths(trainings * known.recipe["num_episodes"], seed).reshape(trainings, -1)
    best = max(best_stretch(one - 1) for one in lengths)
    lower = known.worst("best_stretch").lower
    assert best < lower, (
        f"the best of {trainings} trainings by random play reaches {best}, and the threshold is {lower}"
    )


@claim("q_learning.learns")
def test_learns(agent, seed, evidence, compute_once):
    assert_learns("agent", partial(train_by_recipe, agent, compute_once, "agent"), seed, evidence)
