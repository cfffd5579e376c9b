"""Convolutions that multiply less conform, and lose no more than is allowed for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from doubles.fast_convolution import fourier_convolution, winograd_convolution

from assay.spec.error_bounds.image_rounding import FAST, fast_conv2d
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics.convolution import conv2d
from assay.specification.claims import specification
from assay.specification.index import tests_folder

FUNCTIONS = {"ops.conv2d", "ops.conv2d_gradients"}
DRAWS = {
    "normal": lambda generator, shape: generator.standard_normal(shape),
    "positive": lambda generator, shape: generator.random(shape),
    "signs": lambda generator, shape: generator.choice([-1, 1], shape),
    "few": lambda generator, shape: generator.standard_normal(shape) * (generator.random(shape) < 0.05),
}


def loss(convolve, draw, seed):
    """Return the largest error, relative to the norms that it is bounded by."""
    generator = np.random.default_rng(seed)
    channels = generator.choice([1, 2, 17])
    images = DRAWS[draw](generator, (2, *generator.integers(5, 34, 2), channels)).astype(np.float32)
    kernel = DRAWS[draw](generator, (3, 3, channels, 3)).astype(np.float32)
    exact = to_float64(images), to_float64(kernel)
    error = np.abs(convolve(images, kernel).astype(np.float32) - conv2d(*exact))
    norms = fast_conv2d(*exact) / FAST
    return np.max(error / np.maximum(norms, np.finfo(np.float64).tiny))


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("convolve", [winograd_convolution, fourier_convolution])
def test_a_fast_convolution_loses_less_than_half_of_what_it_may(convolve, draw):
    assert max(loss(convolve, draw, seed) for seed in range(100)) < FAST / 2


@pytest.mark.parametrize("name", ["winograd", "fourier"])
def test_fast_convolutions_conform(name, tmp_path):
    claims = specification().of_profile("core").values()
    about = [
        claim.id for claim in claims if set(claim.needs) & FUNCTIONS and {*claim.needs} <= FUNCTIONS | {"ops.dense"}
    ]
    results = tmp_path / "ledger.json"
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(tests_folder()), "-p", "assay.runner.plugin", "-n", "0"),
            *("--import-mode=importlib", "--implementation", f"doubles.fast_convolution:{name}"),
            *("--results", str(results), *(part for id_ in about for part in ("--claim", id_))),
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])])},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    rows = json.loads(results.read_text(encoding="utf-8"))["claims"]
    assert {row["id"]: row["outcome"] for row in rows if row["id"] in about} == dict.fromkeys(about, "pass")
