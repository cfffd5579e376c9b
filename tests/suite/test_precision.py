"""Grades: products of fewer bits conform where they are permitted, and nothing else is excused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from doubles.ledgers import ledger, typed

from assay.ledger.precision import explain_precision
from assay.reports import html, junit, pull_request
from assay.reports.compare import compare
from assay.reports.markdown import plain
from assay.spec.error_bounds import image_rounding, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.error_bounds.products import input_rounding_bound
from assay.spec.semantics import convolution, layers, losses
from assay.spec.semantics.differentiation import vjp
from assay.spec.semantics.precision import GRADES, at_least_as_precise, current_precision, use_precision
from assay.spec.semantics.products import round_to_format
from assay.specification.index import tests_folder
from assay.testing import networks, problems

GENERATOR = np.random.default_rng(0)
# One of each kind of bound: of an operation, of its gradient, of a network's gradients and of a training.
OPERATIONS = (
    *("dense.affine", "dense.full-float32", "convolution.definition", "convolution.kernel-gradient"),
    "recurrence.lstm-cell",
)
NETWORKS = ("training.gradients", "training.trajectory")


def assay(name: str, grade: str, folder: Path) -> tuple[dict[str, Any], str]:
    """Assay the NumPy alternative with coarse products; return the ledger, and what was said."""
    results = folder / "ledger.json"
    said = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(tests_folder()), "-p", "assay.runner.plugin", "-n", "0"),
            *("--import-mode=importlib", "--implementation", f"doubles.coarse:{name}", "--precision", grade),
            *(
                "--results",
                str(results),
                *(part for id_ in (*OPERATIONS, *NETWORKS, "softmax.definition") for part in ("--claim", id_)),
            ),
        ],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])])},
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
    ).stdout
    return json.loads(results.read_text(encoding="utf-8")), said


def failing(content: dict[str, Any]) -> set[str]:
    return {row["id"] for row in content["claims"] if row["outcome"] == "fail"}


@pytest.mark.parametrize(
    ("name", "grade", "wrong"),
    [
        ("tf32", "tf32", set()),
        ("cut", "tf32", set()),
        ("float16", "float16", set()),
        ("tf32", "float32", {*OPERATIONS, *NETWORKS}),
        # A network's bound, eight times what is measured, has room for some of what bfloat16 does. Gradients have none.
        ("bfloat16", "tf32", {*OPERATIONS, "training.gradients"}),
        ("bias", "tf32", {"dense.affine"}),
        ("softmax", "tf32", {"softmax.definition"}),
    ],
)
def test_products_are_held_to_their_grade_and_all_else_to_float32(
    name: str, grade: str, wrong: set[str], tmp_path: Path
) -> None:
    content, said = assay(name, grade, tmp_path)
    assert (content["grade"], failing(content)) == (grade, wrong)
    measured = content["implementation"]["precision"]
    assert measured == {"cut": "tf32", "bias": "tf32", "softmax": "tf32"}.get(name, name)
    assert (f"products must have the precision {grade}, all else float32" in said) == (grade != "float32")
    assert (f"ops.dense multiplies in {measured}, and {grade} is required" in said) == (
        not at_least_as_precise(measured, grade)
    )
    assert (f"required precision of products: {grade}" in said) == (grade != "float32")
    replays = [row["replay"] for row in content["claims"] if row["outcome"] == "fail"]
    assert all((f"--precision {grade}" in replay) == (grade != "float32") for replay in replays)


@pytest.mark.parametrize("cut_off", [False, True])
@pytest.mark.parametrize("grade", ["tf32", "float16", "bfloat16"])
def test_rounding_factors_stays_inside_and_a_coarser_format_does_not(grade: str, *, cut_off: bool) -> None:
    shapes = ((2, 6, 7, 3), (3, 2, 3, 4), (4,))
    inputs, kernel, bias = (GENERATOR.standard_normal(shape).astype(np.float32) for shape in shapes)
    upstream = GENERATOR.standard_normal((2, 4, 6, 4)).astype(np.float32)

    def all_of(round_: Any) -> list[Any]:
        few, weights, back = map(round_, (inputs, kernel, upstream))
        matrix = weights.reshape(18, 4)
        return [
            layers.dense(few[0, :, :6, 0], matrix[:6]),
            convolution.conv2d(few, weights, bias),
            *vjp(convolution.conv2d, back, few, weights, bias)[:2],
        ]

    exact = all_of(to_float64)
    with use_precision(grade):
        options: Any = {"strides": (1, 1), "padding": "valid"}
        bounds = [
            rounding.dense(to_float64(inputs[0, :, :6, 0]), to_float64(kernel.reshape(18, 4)[:6]), None, None),
            image_rounding.conv2d(to_float64(inputs), to_float64(kernel), to_float64(bias)),
            *image_rounding.conv2d_gradients(
                to_float64(inputs), to_float64(kernel), to_float64(bias), to_float64(upstream), **options
            )[:2],
        ]
    found = all_of(lambda array: round_to_format(array, grade, cut_off=cut_off))
    for one, right, bound in zip(found, exact, bounds, strict=True):
        assert (np.abs(one - right) <= bound).all()
    # With four bits fewer each is outside somewhere, so no bound is sixteen times too wide.
    dropped = np.uint32(GRADES["float32"].fraction_bits - GRADES[grade].fraction_bits + 4)
    coarse = all_of(lambda array: (array.view(np.uint32) >> dropped << dropped).view(np.float32))
    for one, right, bound in zip(coarse, exact, bounds, strict=True):
        assert (np.abs(one - right) > bound).any()


def test_what_is_no_product_has_the_bounds_of_float32() -> None:
    logits = GENERATOR.standard_normal((3, 4))
    targets, probabilities = np.eye(3, 4), layers.softmax(logits)

    def others() -> list[Any]:
        elementwise = [rounding.softmax(logits), rounding.tanh(logits), rounding.crossentropy(targets, probabilities)]
        bias = rounding.dense(np.zeros((3, 4)), np.zeros((4, 4)), logits[0], None)
        pooled = image_rounding.average_pool2d(logits.reshape(1, 3, 4, 1), (2, 2), (1, 1), "same")
        step = rounding.sgd_step(logits, logits, 0.1)
        return [*elementwise, bias, pooled, step, losses.mean_squared_error(logits, targets)]

    single = others()
    with use_precision("tf32"):
        assert all(np.array_equal(one, other) for one, other in zip(others(), single, strict=True))


def test_in_float32_nothing_is_added() -> None:
    assert (current_precision(), input_rounding_bound(np.matmul, np.ones((2, 2)), np.ones((2, 2)))) == ("float32", 0.0)


def test_which_grade_covers_which() -> None:
    found = {
        grade: {measured for measured in (*GRADES, "lower") if at_least_as_precise(measured, grade)} for grade in GRADES
    }
    assert found == {
        "float32": {"float32"},
        "tf32": {"float32", "tf32"},
        "float16": {"float32", "tf32", "float16"},
        "bfloat16": {"float32", "tf32", "bfloat16"},
    }


def test_every_view_says_what_was_held_to_and_what_falls_short() -> None:
    old, new = ledger(relu="pass"), ledger(relu="fail") | {"grade": "tf32"}
    new["implementation"]["precision"] = "bfloat16"
    short = explain_precision("bfloat16", "tf32")
    assert short.startswith("ops.dense multiplies in bfloat16, and tf32 is required: ")
    page, markdown, cases = (view.render([typed(new)]) for view in (html, pull_request, junit))
    assert short in page
    assert plain(short) in markdown
    assert all("Products must have the precision tf32, and all else float32." in text for text in (page, markdown))
    assert "<dt>Required precision</dt><dd>tf32</dd>" in page
    assert '<property name="required precision" value="tf32" />' in cases
    said = {"OLD has precision float32, NEW has tf32.", "The products of NEW must have the precision tf32."}
    assert said <= {*compare(typed(old), typed(new)).remarks}


def test_a_cached_problem_has_the_bounds_of_the_precision_that_it_is_asked_for_with() -> None:
    def bounds(precision: str) -> Mapping[str, Any]:
        with use_precision(precision):
            return networks.case(problems.mlp, networks.loss_and_gradients, 0).bounds

    fine, coarse, again = bounds("float32"), bounds("tf32"), bounds("float32")
    assert np.all(fine["dense1/kernel"] < coarse["dense1/kernel"])
    assert again == fine
