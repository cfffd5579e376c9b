"""How finely the characters of a text are drawn: line 588 of the document."""

import numpy as np

from assay.testing import handcrafted_weights
from assay.testing.assertions import assert_form, claim
from assay.testing.draws import chance_of_coarseness
from assay.testing.thresholds import FALSE_ALARM

INT = np.int32
# Random numbers of 11 bits point to half of so many characters, and those of float16 to three quarters.
MANY_CHARS, COUNT = 2**12, 90


@claim("generation.text-resolution")
def test_text_resolution(text, seed):
    network = handcrafted_weights.indifferent(np.zeros(MANY_CHARS, np.float32))
    written = text.generate(network, np.zeros(1, INT), temperature=1.0, count=COUNT, seed=seed)
    written = assert_form("the text", written, (COUNT,), INT)
    probability = chance_of_coarseness(written, MANY_CHARS)
    assert probability > FALSE_ALARM, (
        f"all {COUNT} characters are among those of {MANY_CHARS} that numbers of 11 bits or fewer, or of float16, point"
        f" to, with a probability of {probability:.3g}"
    )
