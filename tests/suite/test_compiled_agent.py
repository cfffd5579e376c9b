"""The variant whose training is one compiled function: its environment beside Gymnasium's, its draws and its calls."""

from collections import Counter
from itertools import combinations

import numpy as np
import tensorflow as tf

from assay.reference import environments
from assay.reference.variants import compiled_cart_pole
from assay.reference.variants.compiled_agent import MAX_STEPS, Agent, Player, draw_places
from assay.reference.variants.compiled_cart_pole import MAX_EPISODE_STEPS, draw_bits, to_seed
from assay.testing.handcrafted_values import BALANCING, linear_values


def test_its_environment_is_that_of_gymnasium():
    generator = np.random.default_rng(0)
    states = generator.uniform([-2.3, -3, -0.2, -3], [2.3, 3, 0.2, 3], (100, 4)).astype(np.float32)
    actions = generator.integers(0, 2, 100, np.int32)
    found, expected = (group.Environments().steps(states, actions) for group in (compiled_cart_pole, environments))
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-6)
    assert found[1].tolist() == expected[1].tolist()
    assert found[2].tolist() == expected[2].tolist()
    assert 0 < found[2].sum() < 100


def test_its_facts_are_those_of_gymnasium():
    found, expected = (group.Environments().cart_pole() for group in (compiled_cart_pole, environments))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_batch_is_drawn_equally_often():
    count, batch, draws = 6, 4, 6_000
    bits = draw_bits(draws, batch, to_seed(0), 0)
    places = np.sort(draw_places(bits, tf.fill([draws], count)).numpy())
    found = Counter(map(tuple, places.tolist()))
    assert {*found} == {*combinations(range(count), batch)}
    # Four standard deviations of a share of 1 / 15.
    assert max(abs(times - draws / 15) for times in found.values()) < 4 * np.sqrt(draws / 15)


def test_a_batch_may_be_the_whole_buffer():
    places = draw_places(draw_bits(20, 32, to_seed(0), 0), tf.fill([20], 32)).numpy()
    assert (np.sort(places) == np.arange(32)).all()


def test_draws_do_not_depend_on_the_call_that_makes_them():
    whole = draw_bits(8, 6, to_seed(3), 1).numpy()
    assert (draw_bits(3, 6, to_seed(3), 1, 5).numpy() == whole[5:]).all()


def test_an_episode_goes_on_in_the_next_call():
    episodes = 3
    assert episodes * MAX_EPISODE_STEPS > MAX_STEPS
    found = Agent().collect(linear_values(BALANCING), 0.0, episodes, 0)
    assert len(found.actions) == episodes * MAX_EPISODE_STEPS
    follows = (found.states[1:] == found.next_states[:-1]).all(axis=1)
    assert np.flatnonzero(~follows).tolist() == [MAX_EPISODE_STEPS - 1, 2 * MAX_EPISODE_STEPS - 1]


def test_larger_batches_take_fewer_steps_in_a_call():
    assert [Player(size).max_steps for size in (0, 1, 32, 64, 10_000)] == [MAX_STEPS, MAX_STEPS, MAX_STEPS, 256, 1]
