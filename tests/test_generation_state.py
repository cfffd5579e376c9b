"""Texts that follow each other from one window, as in the document's loop over temperatures: lines 592 to 599."""

import numpy as np

from assay.testing import handcrafted_weights
from assay.testing.assertions import assert_equal, claim

# Each character of the text is the successor of the one before it, at any of these temperatures.
WINDOW, COUNT, TEMPERATURES = np.array([5, 3, 11], np.int32), 4, (0.2, 0.5, 1.0, 1.2, 0.5)
LENGTH = 40


@claim("generation.begins-anew")
def test_each_temperature_begins_with_the_window(text, seed):
    network = handcrafted_weights.successor_of_the_last()
    expected = WINDOW[-1] + 1 + np.arange(COUNT, dtype=np.int32)
    for temperature in TEMPERATURES:
        generated = text.generate(network, WINDOW, temperature=temperature, count=COUNT, seed=seed)
        assert_equal(f"the text at {temperature}, after other texts", generated, expected, np.dtype(np.int32))


@claim("generation.begins-anew")
def test_windows_that_differ_in_one_character(text, seed):
    # Longer than the part of a window by which a program might find what it has kept of it.
    window = np.random.default_rng(seed).permutation(LENGTH).astype(np.int32)
    for network, place, offset in (
        (handcrafted_weights.first_of_the_window(), 0, 0),
        (handcrafted_weights.successor_of_the_last(), -1, 1),
    ):
        for character in (window[place], (window[place] + 1) % LENGTH, window[place]):
            changed = window.copy()
            changed[place] = character
            generated = text.generate(network, changed, temperature=1.0, count=1, seed=seed)
            what = f"the text after a window with the character {character} in place {place}"
            assert_equal(what, generated, character[None] + np.int32(offset), np.dtype(np.int32))


@claim("generation.begins-anew")
def test_networks_that_differ_in_one_parameter(text, seed):
    network = handcrafted_weights.successor_of_the_last()
    # To this network, each character looks like the one before it.
    other = network | {"cell/kernel": np.roll(network["cell/kernel"], 1, axis=0)}
    for parameters, offset in ((network, 1), (other, 0), (network, 1)):
        generated = text.generate(parameters, WINDOW, temperature=1.0, count=1, seed=seed)
        expected = WINDOW[-1:] + np.int32(offset)
        assert_equal("the text of another network", generated, expected, np.dtype(np.int32))
