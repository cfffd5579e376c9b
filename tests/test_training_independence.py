"""Whether the batches of a training are drawn independently, one by one and together: lines 148 to 151 and 214."""

import numpy as np
import pytest

from assay.testing.assertions import claim
from assay.testing.counts import assert_share
from assay.testing.draws import chance_of_shares
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training import designed_training
from assay.testing.training.designed_training import OF_THE_DOCUMENT, SMALL, Examples, fit
