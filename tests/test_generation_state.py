"""Texts that follow each other from one window, as in the document's loop over temperatures: lines 592 to 599."""

import numpy as np

from assay.testing import handcrafted_weights
from assay.testing.assertions import assert_equal, claim

# Each character of the text is the successor of the one before it, at any of these temperatures.
WINDOW, COUNT, TEMPERATURES = np.array([5, 3, 11], np.int32), 4, (0.2, 0.5, 1.0, 1.2, 0.5)


@claim("generation.begins-anew")
def test_each_temperature_begins_with_the_window(text, seed):
    network = handcrafted_weights.successor_of_the_last()
    expected = WINDOW[-1] + 1 + np.arange(COUNT, dtype=np.int32)
    for temperature in TEMPERATURES:
        generated = text.generate(network, WINDOW, temperature=temperature, count=COUNT, seed=seed)
        assert_equal(f"the text at {temperature}, after other texts", generated, expected, np.dtype(np.int32))
