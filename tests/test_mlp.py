"""The model of the MLP: lines 159 to 176 of the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.mlp import batch, layer_outputs, layer_output_bounds, parameters
from assay.strategies import arrays
from assay.testing import assert_close, assert_equal, assert_form, assert_within, claim
from spec.semantics import layers, rounding
from spec.semantics.initializers import glorot_limit
