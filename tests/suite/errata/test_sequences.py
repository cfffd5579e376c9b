"""Errata of the recurrent network and of reinforcement learning: lines 480 to 775 of the document."""

import inspect

import numpy as np
import pytest

from assay.spec.semantics import cart_pole as game
from assay.spec.vectors import read
from assay.testing.thresholds import threshold

from .marks import agrees, differs, erratum

CHARACTERS, UNITS = 5, 4


@pytest.fixture(scope="module")
def printed_rnn(tf):
    """Return the document's RNN with fewer units, but for the argument that Keras 3 does not take."""

    class RNN(tf.keras.Model):
        def __init__(self, num_chars, batch_size, seq_length):
            super().__init__()
            self.num_chars, self.batch_size, self.seq_length = num_chars, batch_size, seq_length
            self.cell = tf.keras.layers.LSTMCell(units=UNITS)
            self.dense = tf.keras.layers.Dense(units=num_chars)

        def call(self, inputs, from_logits=False):  # noqa: FBT002 - as it is printed
            inputs = tf.one_hot(inputs, depth=self.num_chars)
            state = [tf.zeros((self.batch_size, UNITS))] * 2
            for t in range(self.seq_length):
                output, state = self.cell(inputs[:, t, :], state)
            logits = self.dense(output)
            return logits if from_logits else tf.nn.softmax(logits)

    return RNN


def windows(batch, length):
    """Return windows of characters."""
    return np.random.default_rng(0).integers(0, CHARACTERS, (batch, length), np.int32)


@erratum("text.target-shape")
def test_target_shape():
    text, batch_size, num_batches = np.arange(100), 50, 1000
    index = np.random.default_rng(0).integers(0, 60, batch_size)
    targets = text[index + 40]
    printed = (num_batches,)
    assert targets.shape != printed
    assert targets.shape == (batch_size,)


@erratum("rnn.one-hot")
def test_one_hot(printed_rnn):
    model = printed_rnn(CHARACTERS, 1, 3)
    printed = "num_char"
    assert not hasattr(model, printed)
    assert model.num_chars == CHARACTERS


@erratum("rnn.one-hot-shape")
def test_one_hot_shape(tf):
    found = tuple(tf.one_hot(windows(2, 3), depth=CHARACTERS).shape)
    printed = (3, CHARACTERS)
    assert found != printed
    assert found == (2, *printed)


@erratum("rnn.any-length")
def test_any_length(tf, printed_rnn):
    model = printed_rnn(CHARACTERS, 2, 3)
    longer = windows(2, 6)
    cut = longer.copy()
    cut[:, 3:] = (cut[:, 3:] + 1) % CHARACTERS
    printed = model(longer)
    assert agrees(printed, model(cut))
    with pytest.raises(Exception):  # noqa: B017, PT011 - of a kind that depends on the release
        model(longer[:, :2])
    whole = tf.keras.layers.RNN(model.cell)
    assert differs(whole(tf.one_hot(longer, CHARACTERS)), whole(tf.one_hot(cut, CHARACTERS)))
    assert whole(tf.one_hot(longer[:, :2], CHARACTERS)).shape == (2, UNITS)


@erratum("rnn.any-batch-size")
def test_any_batch_size(tf, printed_rnn):
    printed = printed_rnn(CHARACTERS, 4, 3)
    assert printed(windows(4, 3)).shape == (4, CHARACTERS)
    with pytest.raises(Exception):  # noqa: B017, PT011 - of a kind that depends on the release
        printed(windows(3, 3))
    assert tf.keras.layers.LSTM(UNITS)(tf.one_hot(windows(3, 3), CHARACTERS)).shape == (3, UNITS)


@erratum("rnn.batch-of-1-by-accident")
def test_batch_of_1_by_accident(printed_rnn):
    printed = printed_rnn(CHARACTERS, 4, 3)(windows(1, 3))
    assert printed.shape != (1, CHARACTERS)
    assert agrees(np.repeat(printed[:1], 4, axis=0), printed)


@erratum("rnn.get-initial-state")
def test_get_initial_state(tf, keras3):
    cell = tf.keras.layers.LSTMCell(UNITS)
    printed = {"batch_size": 2, "dtype": tf.float32}
    with pytest.raises(TypeError):
        cell.get_initial_state(**printed)
    assert [tuple(state.shape) for state in cell.get_initial_state(batch_size=2)] == [(2, UNITS)] * 2


@erratum("rnn.call-argument")
def test_call_argument(tf, printed_rnn):
    model, batch = printed_rnn(CHARACTERS, 2, 3), windows(2, 3)
    # In Keras, from_logits says what goes in; here it says what comes out.
    loss = inspect.signature(tf.keras.losses.sparse_categorical_crossentropy)
    assert "from_logits" in loss.parameters
    printed, normalized = model(batch, from_logits=True), model(batch, from_logits=False)
    assert differs(np.ones(2), tf.reduce_sum(printed, axis=1))
    assert agrees(np.ones(2), tf.reduce_sum(normalized, axis=1))


@erratum("rnn_training.trainable-variables")
def test_trainable_variables(tf, keras3, printed_rnn):
    model = printed_rnn(CHARACTERS, 2, 3)
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_sum(model(windows(2, 3))[:, 0])
    variables = [getattr(one, "value", one) for one in model.variables]
    printed = tape.gradient(loss, variables)
    assert (len(printed), sum(gradient is None for gradient in printed)) == (6, 1)
    holds = tape.gradient(loss, model.trainable_variables)
    assert len(holds) == 5
    assert all(gradient is not None for gradient in holds)


@erratum("generation.temperature-above-0")
def test_temperature_above_0(tf):
    logits = np.array([0.0, 1.0], np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        printed = tf.nn.softmax(logits / np.float32(0)).numpy()
    with pytest.raises(ValueError, match="NaN"):
        np.random.default_rng(0).choice(2, p=printed)
    negative = tf.nn.softmax(logits / -1).numpy()
    assert negative.argmax() != logits.argmax()
    assert tf.nn.softmax(logits / 0.5).numpy().argmax() == logits.argmax()


@erratum("generation.count")
def test_count():
    printed = read("rnn")["printed"]["characters"]
    assert 400 not in printed[3:]
    assert printed[:3] == [400] * 3


@erratum("generation.not-argmax")
def test_not_argmax():
    probabilities = np.array([0.5, 0.3, 0.2])
    printed = np.full(100, probabilities.argmax())
    assert differs(printed, np.random.default_rng(0).choice(3, 100, p=probabilities))
    assert set(np.random.default_rng(0).choice(3, 100, p=probabilities)) == {0, 1, 2}


@erratum("generation.own-predict")
def test_own_predict(tf):
    class RNN(tf.keras.Model):
        def predict(self, inputs, temperature=1.0):
            return inputs, temperature

    printed = inspect.signature(RNN.predict).parameters.keys()
    assert printed != inspect.signature(tf.keras.Model.predict).parameters.keys()
    assert RNN().predict("window", 0.5) == ("window", 0.5)


@erratum("generation.printed-is-better")
def test_printed_is_better():
    printed = read("rnn")["printed"]
    printed_share = printed["known_words"][2] / printed["words"][2]
    limits = threshold("rnn_1000_batches").limits("words")
    assert printed_share > limits.upper
    assert max(threshold("rnn_1000_batches").values("words")) < limits.upper


@erratum("recurrence.shapes")
def test_shapes(tf):
    m, n = 3, 2
    inputs, states = np.ones(m), np.ones(n)
    printed = np.ones((m, n))
    with pytest.raises(ValueError, match="mismatch"):
        _ = printed @ inputs
    assert (inputs @ printed + states @ np.ones((n, n))).shape == (n,)
    layer = tf.keras.layers.SimpleRNNCell(n)
    layer.build((None, m))
    assert [tuple(one.shape) for one in layer.trainable_variables[:2]] == [(m, n), (n, n)]


@erratum("recurrence.default-bias")
def test_default_bias(tf):
    cell = tf.keras.layers.SimpleRNNCell(2)
    cell.build((None, 3))
    printed = 2
    assert len(cell.trainable_variables) != printed
    plain = tf.keras.layers.SimpleRNNCell(2, use_bias=False)
    plain.build((None, 3))
    assert len(plain.trainable_variables) == printed


@erratum("recurrence.lstm-fades")
def test_lstm_fades(tf):
    cell = tf.keras.layers.LSTMCell(
        1, kernel_initializer="zeros", recurrent_initializer="zeros", unit_forget_bias=False
    )
    states = [np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)]
    for _ in range(40):
        _, states = cell(np.zeros((1, 1), np.float32), states)
    printed = 1.0
    assert float(states[1][0, 0]) != pytest.approx(printed)
    assert float(states[1][0, 0]) == pytest.approx(2.0**-40, rel=1e-3)


@erratum("cartpole.made-by-name")
def test_made_by_name(gymnasium):
    printed = "gym"
    assert gymnasium.__name__ != printed
    assert gymnasium.make("CartPole-v1").spec.max_episode_steps == game.MAX_EPISODE_STEPS


@erratum("cartpole.reset-by-seed")
def test_reset_by_seed(cart_pole):
    printed = cart_pole.reset(seed=1)
    assert isinstance(printed, tuple)
    state, _ = printed
    again, _ = cart_pole.reset(seed=1)
    assert state.shape == (4,)
    assert agrees(state, again)


@erratum("cartpole.push-left-first-step")
def test_push_left_first_step(cart_pole):
    cart_pole.reset(seed=0)
    cart_pole.unwrapped.state = np.zeros(4)
    after, *_ = cart_pole.step(0)
    printed = np.array([-1, 1])
    assert differs(printed, np.sign(after[[0, 2]]))
    assert agrees([0, 0], after[[0, 2]])
    assert agrees(printed, np.sign(after[[1, 3]]))


def fallen(cart_pole):
    """Push to the left until the pole falls, and return what the last step gave."""
    cart_pole.reset(seed=0)
    while True:
        step = cart_pole.step(0)
        if step[2]:
            return step


@erratum("cartpole.last-reward")
def test_last_reward(cart_pole):
    _, reward, *_ = fallen(cart_pole)
    printed = 0.0
    assert reward != printed
    assert reward == 1


@erratum("cartpole.falling-is-termination")
def test_falling_is_termination(cart_pole):
    step = fallen(cart_pole)
    with pytest.raises(ValueError, match="unpack"):
        _next_state, _reward, _printed_done, _info = step
    _, _, terminated, truncated, _ = step
    assert (terminated, truncated) == (True, False)


@erratum("cartpole.rendered-off-screen")
def test_rendered_off_screen(gymnasium, cart_pole):
    pytest.importorskip("pygame")
    cart_pole.reset(seed=0)
    with pytest.warns(UserWarning, match="render"):
        printed = cart_pole.render()
    assert printed is None
    off_screen = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    off_screen.reset(seed=0)
    assert off_screen.render().shape == (400, 600, 3)


@erratum("cartpole.state-needs-a-batch-axis")
def test_state_needs_a_batch_axis(tf, cart_pole):
    state, _ = cart_pole.reset(seed=0)
    printed = state
    with pytest.raises(ValueError):  # noqa: PT011 - its words depend on the release
        tf.keras.Sequential([tf.keras.layers.Dense(2)])(printed)
    assert tf.keras.Sequential([tf.keras.layers.Dense(2)])(state[None]).shape == (1, 2)


@erratum("cartpole.action-is-a-number")
def test_action_is_a_number(cart_pole):
    cart_pole.reset(seed=0)
    printed = np.array([0, 1]).argmax(keepdims=True)
    assert not cart_pole.action_space.contains(printed)
    with pytest.raises(AssertionError):
        cart_pole.step(printed)
    assert cart_pole.action_space.contains(printed[0])


@erratum("cartpole.demonstration-loop")
def test_demonstration_loop(cart_pole):
    def predict(state):
        return int(state[2] + state[3] > 0)

    def play(*, carry_over):
        state, _ = cart_pole.reset(seed=3)
        actions = []
        for _ in range(game.MAX_EPISODE_STEPS):
            actions.append(predict(state))
            next_state, _, terminated, _, _ = cart_pole.step(actions[-1])
            state = next_state if carry_over else state
            if terminated:
                break
        return actions

    printed, holds = play(carry_over=False), play(carry_over=True)
    assert len(set(printed)) == 1
    assert len(set(holds)) == 2
    assert len(holds) > len(printed)


@erratum("q_learning.predict-replaces-keras")
def test_predict_replaces_keras(tf):
    class QNetwork(tf.keras.Model):
        def call(self, inputs):
            return inputs * 2

        def predict(self, inputs):
            return tf.argmax(self(inputs), axis=-1)

    states = np.eye(2, dtype=np.float32)
    printed = QNetwork().predict(states)
    assert differs(printed, tf.keras.Model.predict(QNetwork(), states, verbose=0))
    assert agrees([0, 1], printed)


@erratum("q_learning.transition-has-its-action")
def test_transition_has_its_action(cart_pole):
    state, _ = cart_pole.reset(seed=0)
    step = cart_pole.step(1)
    with pytest.raises(ValueError, match="unpack"):
        _next_state, _reward, _printed_done, _info = step
    assert agrees(game.step(state[None].astype(np.float64), np.array([1]))[0], step[0])


@erratum("q_learning.episodes-begin-anew")
def test_episodes_begin_anew(cart_pole):
    printed = cart_pole.reset(seed=0)
    with pytest.raises(ValueError):  # noqa: PT011 - NumPy's, for a state and a dictionary
        np.array([printed, printed], np.float32)
    state, _ = printed
    other, _ = cart_pole.reset()
    assert np.abs(state).max() <= game.INITIAL
    assert differs(state, other)


@erratum("q_learning.cut-off-is-no-failure")
def test_cut_off_is_no_failure(cart_pole):
    state, _ = cart_pole.reset(seed=0)
    steps = 0
    while steps < game.MAX_EPISODE_STEPS:
        steps += 1
        action = int(state @ [0.1, 0.5, 1.0, 1.0] > 0)
        state, reward, terminated, truncated, _ = cart_pole.step(action)
        printed_done = terminated or truncated
        if printed_done:
            break
    printed = -10.0 if printed_done else reward
    assert steps == game.MAX_EPISODE_STEPS
    assert (terminated, truncated, float(reward)) == (False, True, 1.0)
    assert printed != reward


@erratum("q_learning.loss-reduces-the-batch")
def test_loss_reduces_the_batch(tf, keras3):
    printed = "mean_squared_error"
    assert not hasattr(tf.keras.losses, printed)
    assert float(tf.keras.losses.get(printed)(np.zeros(2), np.array([1.0, 3.0]))) == 5


@erratum("q_learning.printed-score")
def test_printed_score(cart_pole):
    cart_pole.reset(seed=0)
    steps = 0
    for t in range(1000):
        steps += 1
        if cart_pole.step(0)[2]:
            printed = t
            break
    assert printed != steps
    assert printed == steps - 1


@erratum("q_learning.limit-comes-first")
def test_limit_comes_first(cart_pole):
    printed = read("q_learning")["max_len_episode"]
    assert cart_pole.spec.max_episode_steps < printed
    assert cart_pole.spec.max_episode_steps == 500


@erratum("q_learning.rendering-changes-nothing")
def test_rendering_changes_nothing(gymnasium, cart_pole):
    pytest.importorskip("pygame")
    cart_pole.reset(seed=0)
    with pytest.warns(UserWarning, match="render"):
        printed = cart_pole.render()
    assert printed is None
    drawn = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    drawn.reset(seed=0)
    drawn.render()
    assert agrees(cart_pole.step(0)[0], drawn.step(0)[0])


@erratum("pixels.breakout-actions")
def test_breakout_actions(gymnasium):
    ale_py = pytest.importorskip("ale_py")
    gymnasium.register_envs(ale_py)
    printed_actions, printed_name = 3, "Breakout-v0"
    with pytest.raises(gymnasium.error.Error):
        gymnasium.make(printed_name)
    environment = gymnasium.make("ALE/Breakout-v5")
    assert environment.action_space.n != printed_actions
    assert environment.unwrapped.get_action_meanings() == ["NOOP", "FIRE", "RIGHT", "LEFT"]


@erratum("pixels.stack-shape")
def test_stack_shape():
    frames = [np.zeros((210, 160, 3), np.uint8) for _ in range(4)]
    printed = (210, 160, 4)
    assert np.concatenate(frames, axis=-1).shape != printed
    assert np.stack([frame @ [0.299, 0.587, 0.114] for frame in frames], axis=-1).shape == printed
