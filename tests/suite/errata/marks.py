"""The mark that names the erratum of a claim, and comparisons of what is printed with what holds."""

from __future__ import annotations

import numpy as np
import pytest

erratum = pytest.mark.erratum


def differs(printed, found):
    """Whether what the document says is another result, in shape or in a value that rounding does not explain."""
    printed, found = np.asarray(printed), np.asarray(found)
    return printed.shape != found.shape or not np.allclose(printed, found)


def agrees(holds, found):
    """Whether what holds is the result, but for rounding."""
    return not differs(holds, found)
