"""The report: every word of the verdict, every claim, and nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from doubles.ledgers import typed

from assay import __version__
from assay.cli.main import main
from assay.errors import ErrorKind, ExitCode
from assay.ledger.outcomes import Outcome
from assay.ledger.verdict import Conformance
from assay.reports import figures, html
from assay.specification import document
from assay.specification.claims import Claim, Erratum, Permitted, Section, Specification, Translation, Unspecified

from .conftest import read_kind

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = "b5" * 32
ERRATUM = Erratum(
    "the bias is drawn from a uniform distribution",
    "Keras's source: bias_initializer='zeros'",
    "Gym 0.26",
    Translation("偏置是随机的。", "偏置是 0。", "见源代码。"),
)
VOID = {"meta", "link", "img", "br", "path", "input"}


OPEN = Unspecified(
    "Which of two things it does.",
    (Permitted("the-first", "It does one thing.", "Toy 1.0"), Permitted("the-second", "It does another.")),
)


def claim(
    id_: str,
    profile: str = "core",
    erratum: Erratum | None = None,
    since: str = "0.1",
    unspecified: Unspecified | None = None,
) -> Claim:
    """Make a claim on the first two lines of its section."""
    section = id_.partition(".")[0]
    lines = {"dense": (79, 80), "softmax": (177, 178), "training": (191,)}[section]
    return Claim(
        id_,
        f"It holds that {id_} is so.",
        section,
        lines,
        "exact",
        ("ops.dense",),
        profile,
        since,
        erratum,
        unspecified,
    )


CLAIMS = (
    claim("dense.shape", "smoke"),
    claim("dense.bias-default", erratum=ERRATUM),
    claim("softmax.sum", unspecified=OPEN),
    claim("softmax.order"),
    claim("training.accuracy", "full"),
)
SPECIFICATION = Specification(
    DOCUMENT,
    (
        Section("dense", "The Dense layer", tuple(range(79, 107)), {}, CLAIMS[:2]),
        Section("softmax", "The softmax function", tuple(range(177, 191)), {}, CLAIMS[2:4]),
        Section("training", "MLP: training", tuple(range(191, 230)), {}, CLAIMS[4:]),
    ),
)


def ledger(name: str = "reference", profile: str = "full", **changes: str | None) -> dict[str, Any]:
    """Make a ledger in which all passes but for the changes: `softmax_sum="fail"`, or None for no row."""
    rows = []
    for id_ in SPECIFICATION.of_profile(profile):
        outcome = changes.get(re.sub(r"\W", "_", id_), "pass")
        if outcome is not None:
            rows.append(row(id_, outcome))
    complete = None not in changes.values()
    outcomes = [each["outcome"] for each in rows]
    return {
        "format": 1,
        "suite": __version__,
        "document": DOCUMENT,
        "implementation": {
            "name": name,
            "version": "1.2",
            "frameworks": {"tensorflow": "2.21.0"},
            "device": "a device",
            "precision": "float32",
            "groups": ["ops"],
        },
        "profile": profile,
        "seed": 20260801,
        "complete": complete,
        "data": {"mnist": "the Keras cache"},
        "counts": {outcome.value: outcomes.count(outcome.value) for outcome in Outcome},
        "claims": rows,
    }


def row(id_: str, outcome: str) -> dict[str, Any]:
    """Make a row, with a reason where it needs one."""
    known = {"id": id_, "outcome": outcome, "seconds": 0.25}
    if outcome == "pass":
        return known
    return known | {"reason": f"why {id_}\nexpected 1\nactual   2", "replay": f"pytest -k '{id_}'"}


def with_evidence(**evidence: Any) -> dict[str, Any]:
    """Make a ledger in which training measured something."""
    content = ledger()
    content["claims"][-1]["evidence"] = evidence
    return content


class Page(HTMLParser):
    """What a browser would see."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element; a space stands for the edge of its box."""
        self.text += " "
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element, which must be the last one opened."""
        self.text += " "
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Gather what is visible."""
        if not {"style", "script"} & {*self.open}:
            self.text += data

    def values(self, *names: str) -> list[str]:
        """Return the values of attributes."""
        return [value or "" for _, attrs in self.tags for name, value in attrs.items() if name in names]

    def count(self, tag: str, **wanted: str) -> int:
        """Count the elements that have these attributes."""
        return sum(tag == found and wanted.items() <= attrs.items() for found, attrs in self.tags)


def render(*ledgers: dict[str, Any]) -> str:
    """Render ledgers of the small specification."""
    return html.render([*map(typed, ledgers)], SPECIFICATION)


def page(*ledgers: dict[str, Any]) -> Page:
    """Render ledgers of the small specification."""
    return Page(render(*ledgers))


def read_score(text: str) -> list[int]:
    """Return the numbers of the only score: claims that pass, all claims, groups declared and all groups."""
    [line] = re.findall(r'<p class="score">(.*?)</p>', text)
    return [*map(int, re.findall(r"<b>(\d+)</b>", line))]


VERDICTS = {
    "all pass": ({}, Conformance.FULL, 5),
    "opted out": ({"softmax_sum": "unsupported", "softmax_order": "skipped"}, Conformance.PARTIAL, 3),
    "expected failure": ({"softmax_sum": "expected failure"}, Conformance.FULL, 4),
    "one fails": ({"softmax_sum": "fail"}, Conformance.NONE, 4),
    "incomplete": ({"softmax_sum": None, "softmax_order": None}, Conformance.INCOMPLETE, 3),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict(case: str) -> None:
    """The verdict stands first, with its scope, and each kind has its style."""
    changes, kind, passed = VERDICTS[case]
    text = render(ledger(**changes))
    verdict = f'class="verdict {kind.value.replace(" ", "-")}"'
    assert (text.count(verdict), read_score(text)) == (1, [passed, 5, 1, 1])
    assert text.index(verdict) < text.index('class="facts"')
    assert f".verdict.{kind.value.replace(' ', '-')}" in text


def test_undecided_claims_are_named_beside_the_verdict() -> None:
    """Whoever reads the verdict sees what it lacks."""
    text = render(ledger(softmax_sum=None, softmax_order=None))
    beside = text[text.index('class="verdict') : text.index('class="facts"')]
    assert ("softmax.sum" in beside, "softmax.order" in beside, "dense.shape" in beside) == (True, True, False)


def test_facts_of_the_run() -> None:
    """What was run, where, and on what."""
    text = page(ledger()).text
    run = ("tensorflow 2.21.0", "a device", "float32", "20260801", "the Keras cache")
    facts = (*run, __version__, DOCUMENT[:12])
    assert [fact for fact in facts if fact not in text] == []


def test_unmeasured_facts() -> None:
    """An implementation that never started has no device and no precision."""
    content = ledger()
    content["implementation"] |= {"device": None, "precision": None, "frameworks": {}, "groups": []}
    assert (
        "Device never started Measured precision not measured Required precision float32 Groups none"
        in page(content).text
    )


def test_profile_sets_the_score() -> None:
    """The claims of a larger profile are neither counted nor shown."""
    text = render(ledger(profile="core"))
    assert read_score(text) == [4, 4, 1, 1]
    assert "training.accuracy" not in Page(text).text


def test_every_claim_appears_once_under_its_anchor() -> None:
    """All claims, with statement, lines, kind, profile and time."""
    content = page(ledger())
    ids = content.values("id")
    assert len(ids) == len(set(ids))
    for each in CLAIMS:
        assert f"claim-{each.id}" in ids
        word = "lines" if len(each.lines) > 1 else "line"
        assert f"pass {each.statement} {each.id} {word} {each.place} {each.kind} {each.profile}" in content.text
    assert content.count("span", **{"class": "time"}) >= len(CLAIMS)


def test_links_within_the_page_lead_somewhere() -> None:
    """No anchor without its place."""
    content = page(with_evidence(**EVIDENCE), ledger("other", softmax_sum="fail"))
    ids = content.values("id")
    assert [
        link for link in content.values("href") if link.startswith("#") and "=" not in link and link[1:] not in ids
    ] == []


@pytest.mark.parametrize("outcome", [outcome.value for outcome in Outcome if outcome is not Outcome.PASS])
def test_reason_and_replay(outcome: str) -> None:
    """Whatever is not a pass says why, and how to see it again unless a group is missing."""
    text = render(ledger(softmax_sum=outcome))
    assert "why softmax.sum\nexpected 1\nactual   2</pre>" in text
    assert ("pytest -k &#39;softmax.sum&#39;</code>" in text) == (outcome != "unsupported")
    listed = Page(text).count("h2", id="failures")
    assert listed == (not Outcome(outcome).conforms)


@pytest.mark.parametrize("number", [1, 40, 100])
def test_every_failure_is_listed_and_linked(number: int) -> None:
    """However many there are: a link near the top, with the first line of the reason."""
    many = tuple(claim(f"dense.claim{number}") for number in range(number))
    spec = Specification(DOCUMENT, (Section("dense", "Dense", tuple(range(79, 107)), {}, many),))
    content = ledger() | {"claims": [row(each.id, "fail") for each in many]}
    text = html.render([typed(content)], spec)
    brief = Page(text[text.index('<h2 id="failures">') : text.index('<h2 id="claims">')])
    assert sorted(brief.values("href")) == sorted(f"#claim-{each.id}" for each in many)
    assert all(f"why {each.id}" in brief.text for each in many)


def test_what_was_not_tested_is_listed_by_reason() -> None:
    """Each reason once, with its claims."""
    text = render(ledger(softmax_sum="skipped", softmax_order="unsupported"))
    gaps = Page(text[text.index('<h2 id="untested">') : text.index('<h2 id="claims">')])
    assert sorted(gaps.values("href")) == ["#claim-softmax.order", "#claim-softmax.sum"]
    assert all(gaps.text.count(f"why {id_}") == 1 for id_ in ("softmax.order", "softmax.sum"))
    assert 'id="untested"' not in render(ledger())


def test_where_and_when_it_was_run() -> None:
    """Date, duration, Python, system, processor and commit; an older ledger has none of them."""
    content = ledger()
    content["time"] = {"wall": 75.0, "processor": 130.5, "began": "2026-08-01T10:20:30+00:00"}
    content["environment"] = {
        "python": "CPython 3.12.1",
        "system": "Linux 6.1",
        "processor": "A Processor",
        "cores": 4,
        "commit": f"{'ab' * 20}-dirty",
    }
    text = page(content).text
    date = "Date 2026-08-01 10:20 UTC Duration 1 min 15 s, processors 2 min 10 s"
    assert date in text
    assert "Processor A Processor, 4 cores System Linux 6.1 Python CPython 3.12.1" in text
    assert "Commit abababababab, with changes" in text
    assert "Processor" not in page(ledger()).text


def test_local_paths_are_not_shown() -> None:
    """Neither of data nor in reasons; the file's name stays."""
    content = ledger(softmax_sum="error", softmax_order="skipped")
    content["data"] = {"mnist": "ASSAY_DATA (/home/someone/data/mnist.npz)"}
    content["claims"][2] |= {"reason": 'File "/opt/private/mine.py", line 3', "replay": "assay run /opt/private/m.toml"}
    content["claims"][3] |= {"reason": r"no C:\Users\someone\data.npz, see https://example.org/a/b and 1/2/3"}
    text = render(content)
    assert [word for word in ("someone", "private") if word in text] == []
    assert all(word in text for word in ("…/mnist.npz", "…/mine.py", "…/m.toml", "…/data.npz"))
    assert "https://example.org/a/b and 1/2/3" in text


def test_text_is_escaped() -> None:
    """No text of a ledger becomes an element, wherever it stands."""
    bad = '<script>alert("1")</script>'
    content = ledger(bad, softmax_sum="fail")
    content["claims"][2] |= {"reason": bad, "replay": bad}
    content["implementation"] |= {"version": bad, "frameworks": {bad: bad}, "device": bad, "groups": [bad]}
    content |= {"data": {bad: bad}, "suite": f"0.1.0{bad}"}
    content["claims"].append(row(bad, "crash"))
    content["claims"][-1]["evidence"] = {"confusion": {"matrix": bad}}
    shown = page(content, content)
    assert shown.count("script") == 1
    assert bad in shown.text


def test_several_ledgers() -> None:
    """One verdict and one column for each."""
    shown = page(ledger("one"), ledger("two", softmax_sum="fail"), ledger("three", profile="core"))
    assert "one: pass two: fail three: pass It holds that softmax.sum is so." in shown.text
    assert shown.text.count("why softmax.sum") == 2
    labels = [attrs["aria-label"] for tag, attrs in shown.tags if tag == "section" and attrs["class"] == "run"]
    assert labels == ["one: conformant", "two: not conformant", "three: conformant"]


def test_ledgers_of_one_name_are_told_apart() -> None:
    """By the version, and where that is the same too, by number."""
    other = ledger()
    other["implementation"]["version"] = "1.3"
    text = page(ledger(), other, ledger()).text
    assert "reference 1.2 (1): pass reference 1.3: pass reference 1.2 (2): pass" in text


def test_no_ledgers() -> None:
    """The page of nothing is a page."""
    assert "Assay: benchmarks" in page().text


def test_unknown_claims_are_kept() -> None:
    """A row of another suite's claim counts and is shown, whatever its id."""
    content = ledger() | {"suite": "9.0"}
    content["claims"].append(row("rnn.a claim of tomorrow", "fail"))
    text = render(content)
    shown = Page(text)
    assert read_score(text)[:2] == [5, 6]
    assert "why rnn.a claim of tomorrow" in shown.text
    [remark] = re.findall(r'<p class="remark">(.*?)</p>', text)
    assert ("9.0" in remark, __version__ in remark) == (True, True)
    assert all(" " not in id_ for id_ in shown.values("id"))


def test_older_suite_is_measured_by_what_it_held() -> None:
    """Claims that came later are not missing from a ledger."""
    later = claim("softmax.later", since="0.2")
    sections = (Section("softmax", "Softmax", tuple(range(177, 191)), {}, (*CLAIMS[2:4], later)),)
    spec = Specification(DOCUMENT, sections)
    content = ledger() | {"suite": "0.1", "claims": [row("softmax.sum", "pass"), row("softmax.order", "pass")]}
    text = html.render([typed(content)], spec)
    assert ('class="verdict conformant"' in text, read_score(text)[:2]) == (True, [2, 2])


def test_another_edition_of_the_document_is_remarked() -> None:
    """A ledger about another document is not silently compared."""
    remarks = [page(each).count("p", **{"class": "remark"}) for each in (ledger(), ledger() | {"document": "0" * 64})]
    assert remarks == [0, 1]


def test_errata() -> None:
    """What the document says, what holds, and how it is known."""
    shown = page(ledger())
    parts = (ERRATUM.document, "It holds that dense.bias-default is so.", ERRATUM.evidence, ERRATUM.since)
    assert re.search(".*".join(map(re.escape, parts)), shown.text)
    assert shown.count("span", **{"class": "badge"}) == 2
    assert ERRATUM.document not in page(ledger(dense_bias_default=None, profile="smoke")).text


def test_what_the_document_leaves_open() -> None:
    """The question, what is right, where it was seen, and which of it the implementation does."""
    content = ledger()
    content["claims"][2]["results"] = ["the-second"]
    shown = page(content).text
    parts = (OPEN.question, "the-first", "It does one thing.", "Toy 1.0", "the-second", "It does another.")
    assert re.search(".*".join(map(re.escape, parts)), shown)
    # Once among the permitted results, and once as what the implementation does.
    assert [shown.count(name) for name in ("the-first", "the-second")] == [1, 2]


def images(dtype: str, count: int = 3) -> dict[str, Any]:
    """Make pictures as the ledger holds them."""
    pixels = np.linspace(-1, 255, count * 28 * 28).astype(dtype)
    return {"images": base64.b64encode(pixels.tobytes()).decode(), "shape": [count, 28, 28]}


def constant(value: float) -> dict[str, Any]:
    """Make one kernel that is the same everywhere."""
    return {"images": base64.b64encode(np.full(784, value, "<f4").tobytes()).decode(), "shape": [1, 28, 28]}


def filters(side: int, count: int = 3) -> dict[str, Any]:
    """Make small kernels as the ledger holds them."""
    weights = np.linspace(-1, 1, count * side * side).astype("<f4")
    return {"images": base64.b64encode(weights.tobytes()).decode(), "shape": [count, side, side]}


CURVE = {"steps": list(range(500)), "losses": [2.3 / (1 + step) for step in range(500)]}
ACCURACY = {"value": 0.97, "limit": 0.96, "runs": [0.965, 0.97, 0.97], "printed": 0.9479, "num_batches": 6000}
MISREAD = images("uint8") | {"labels": [1, 2, 3], "predictions": [7, 8, 9], "confidence": [0.5, 0.6, 1.0]}
SAMPLES = {"temperatures": [0.2, 1.2], "texts": ["and and <the>", "qz; vx"]}
ENTROPY = {"temperatures": [0.1, 1, 2], "entropies": [0.5, 2, 3], "marked": [0.2, 1.2], "classes": 57}
SCORES = {"scores": [20, 9, 499] * 20, "limit": 61.6, "window": 10, "best": 204.5}
RANDOM_PLAY = {"lengths": [10, 22, 50], "expected": 22.2}
EVIDENCE: dict[str, dict[str, Any]] = {
    "training_curve": CURVE,
    "accuracy": ACCURACY,
    "scores": SCORES,
    "random_play": RANDOM_PLAY,
    "misread": MISREAD,
    "kernels": images("<f4"),
    "filters": filters(5),
    "confusion": {"matrix": np.eye(10, dtype=int).tolist()},
    "samples": SAMPLES,
    "entropy": ENTROPY,
}
TITLES = {
    "training_curve": "Loss during training",
    "accuracy": "Accuracy after 6,000 batches",
    "scores": "How the agent learns",
    "random_play": "Random play",
    "misread": "Misread digits",
    "kernels": "What the hidden units look at",
    "filters": "What the first convolution looks for",
    "confusion": "Confusion matrix",
    "samples": "Written by the network",
    "entropy": "Entropy and temperature",
}
DEFINED = (
    "The linear model learns",
    "How softmax emphasises",
    "Three activation functions",
    "Cross entropy and",
    "A convolution, number by number",
)


@pytest.mark.parametrize("kind", TITLES)
def test_figure_of_evidence(kind: str) -> None:
    """A figure is there with its evidence, says whose it is, and is not there without."""
    shown = page(with_evidence(**{kind: EVIDENCE[kind]}))
    assert TITLES[kind] in shown.text
    assert "MLP: training, claim training.accuracy , measured with reference" in shown.text
    assert "Left out" not in shown.text
    assert TITLES[kind] not in page(ledger()).text


def test_figures_of_the_definition() -> None:
    """They need no evidence."""
    shown = page(ledger())
    assert [title for title in DEFINED if title not in shown.text] == []
    assert shown.count("svg") == len(DEFINED)
    # 250 is the mean of 10 and 20 squared, 16.118 is -ln 1e-7.
    assert "bring the loss from 250 to 0.153" in shown.text
    assert "no example costs more than 16.118" in shown.text


def test_figures_say_what_they_show_without_being_seen() -> None:
    """Every picture has a description, and every figure a caption."""
    shown = page(with_evidence(**EVIDENCE))
    assert shown.count("figure") == shown.count("figcaption") == len(DEFINED) + len(TITLES)
    assert all(attrs.get("aria-label") for tag, attrs in shown.tags if tag == "svg")
    assert all(attrs.get("alt") for tag, attrs in shown.tags if tag == "img")


def test_each_evidence_has_its_figure() -> None:
    """Two claims that measured the same kind of thing have a figure each."""
    content = with_evidence(accuracy=ACCURACY)
    other = ACCURACY | {"num_batches": 1200, "printed": None, "value": 0.5}
    content["claims"][0]["evidence"] = {"accuracy": other}
    text = page(content).text
    assert "Accuracy after 6,000 batches" in text
    assert "Accuracy after 1,200 batches" in text
    assert "This run falls short of it." in text


def test_what_was_written_is_escaped() -> None:
    """A text of an implementation is text and nothing else."""
    assert "and and <the>" in page(with_evidence(samples=SAMPLES)).text


def test_guess_is_one_of_the_classes() -> None:
    """It is one of ten digits unless the evidence says otherwise."""
    curves = (CURVE, CURVE | {"classes": 57})
    shown = [page(with_evidence(training_curve=curve)).text for curve in curves]
    assert ["near ln 10, the loss" in shown[0], "near ln 57, the loss" in shown[1]] == [True, True]


def test_limits_of_the_curve() -> None:
    """They are drawn where the evidence has them."""
    assert "Dotted: the limits." in page(with_evidence(training_curve=CURVE | {"limits": [3.0] * 500})).text


BROKEN: list[tuple[str, Any]] = [
    ("training_curve", None),
    ("training_curve", {}),
    ("training_curve", {"steps": [], "losses": []}),
    ("training_curve", {"steps": [0, 1], "losses": [1.0]}),
    ("training_curve", {"steps": [0, 0], "losses": [1.0, 2.0]}),
    ("training_curve", {"steps": [0, 1], "losses": [0, 0]}),
    ("training_curve", {"steps": [0, 1], "losses": [1.0, float("nan")]}),
    ("training_curve", {"steps": [0, 1], "losses": [1.0, 10**400]}),
    ("training_curve", {"steps": "01", "losses": "12"}),
    ("training_curve", CURVE | {"limits": [1.0]}),
    ("accuracy", ACCURACY | {"value": "0.97"}),
    ("accuracy", ACCURACY | {"value": True}),
    ("accuracy", ACCURACY | {"limit": 96}),
    ("accuracy", ACCURACY | {"runs": [[0.97]]}),
    ("accuracy", ACCURACY | {"runs": {}}),
    ("accuracy", ACCURACY | {"printed": "high"}),
    ("scores", SCORES | {"scores": [1, 2]}),
    ("scores", SCORES | {"scores": [-1] * 20}),
    ("scores", SCORES | {"window": 0}),
    ("scores", SCORES | {"window": 1.5}),
    ("scores", SCORES | {"limit": None}),
    ("scores", SCORES | {"limit": -1}),
    ("scores", SCORES | {"best": float("inf")}),
    ("random_play", RANDOM_PLAY | {"lengths": []}),
    ("random_play", RANDOM_PLAY | {"lengths": ["22"]}),
    ("random_play", {"lengths": [22]}),
    ("misread", MISREAD | {"images": "not base64!"}),
    ("misread", MISREAD | {"images": 3}),
    ("misread", MISREAD | {"images": "äöü"}),
    ("misread", MISREAD | {"shape": [4, 28, 28]}),
    ("misread", MISREAD | {"shape": [10**30, 28, 28]}),
    ("misread", MISREAD | {"shape": [True, 28, 28]}),
    ("misread", MISREAD | {"shape": 3}),
    ("misread", MISREAD | {"labels": [1, 2]}),
    ("misread", MISREAD | {"predictions": [1, 2, 10]}),
    ("misread", MISREAD | {"predictions": [1, 2, 0.5]}),
    ("misread", MISREAD | {"confidence": [0.1, 0.2, 2]}),
    ("kernels", images("uint8")),
    ("kernels", constant(np.inf)),
    ("kernels", filters(5)),
    ("filters", filters(29)),
    ("filters", filters(5) | {"shape": [3, 5, 6]}),
    ("filters", filters(5) | {"shape": [3, 0, 0]}),
    ("confusion", {"matrix": [[1, 2], [3, 4]]}),
    ("confusion", {"matrix": [[0.5] * 10] * 10}),
    ("confusion", {"matrix": [[-1] * 10] * 10}),
    ("confusion", {"matrix": [[10**30] * 10] * 10}),
    ("confusion", {"matrix": None}),
    ("confusion", []),
    ("training_curve", CURVE | {"classes": 1}),
    ("samples", SAMPLES | {"texts": ["one"]}),
    ("samples", SAMPLES | {"texts": ["one", 2]}),
    ("samples", SAMPLES | {"texts": ["one", "x" * 10_000]}),
    ("samples", {"temperatures": [1.0] * 100, "texts": ["x"] * 100}),
    ("entropy", ENTROPY | {"entropies": [1, 2]}),
    ("entropy", ENTROPY | {"marked": "0.2"}),
    ("entropy", ENTROPY | {"classes": "many"}),
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_evidence_of_the_wrong_form_is_left_out(number: int) -> None:
    """Such a figure is not drawn, and one line says so."""
    kind, evidence = BROKEN[number]
    pictures, notes = figures.from_evidence({kind: evidence}, "salt")
    assert pictures == []
    assert len(notes) == 1
    assert notes[0].startswith(kind.replace("_", " "))


EXTREME: list[tuple[str, Any]] = [
    ("training_curve", {"steps": [1e29], "losses": [1e29]}),
    ("training_curve", {"steps": [0, 1, 2], "losses": [1e-300, 1e29, 0]}),
    ("training_curve", {"steps": [0, 1e-29], "losses": [1, 1]}),
    ("accuracy", ACCURACY | {"runs": [0.5], "value": 0.5, "limit": 0.5, "printed": None}),
    ("accuracy", ACCURACY | {"runs": [0, 1], "value": 0, "num_batches": -1e29}),
    ("scores", {"scores": [0], "limit": 0, "window": 1, "best": 0}),
    ("scores", SCORES | {"scores": [1e29] * 10_000}),
    ("scores", SCORES | {"limit": 1e29}),
    ("random_play", {"lengths": [1], "expected": 1e29}),
    ("random_play", {"lengths": [0, 1e29], "expected": -1}),
    ("kernels", constant(0)),
    ("kernels", constant(3e38)),
    ("filters", filters(1)),
    ("filters", filters(28, count=50)),
    ("confusion", {"matrix": [[0] * 10] * 10}),
    ("confusion", {"matrix": [[10**9] * 10] * 10}),
    ("training_curve", CURVE | {"classes": 2}),
    ("samples", {"temperatures": [1e29], "texts": [""]}),
    ("entropy", {"temperatures": [1], "entropies": [0], "marked": [1e29], "classes": 2}),
    ("a kind of tomorrow", {}),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", range(len(EXTREME)))
def test_extreme_evidence_is_drawn(number: int) -> None:
    """What has the right form makes a figure, however strange it is."""
    kind, evidence = EXTREME[number]
    pictures, notes = figures.from_evidence({kind: evidence}, "salt")
    assert len(pictures) == (kind in TITLES)
    assert notes == []


def test_note_of_a_figure_left_out() -> None:
    """The page says which figure is missing and why, and stands."""
    text = page(with_evidence(accuracy={}, training_curve=CURVE)).text
    assert "Left out, because its evidence cannot be shown as a figure: training.accuracy" in text
    assert "(reference), accuracy: it has no 'value'." in text
    assert TITLES["training_curve"] in text


def test_nothing_comes_from_outside() -> None:
    """The page asks for no file and no network, and its policy lets run the one script that it has."""
    content = with_evidence(**EVIDENCE)
    text = render(content, ledger(softmax_sum="fail"))
    shown = Page(text)
    assert shown.open == []
    address = document.identity().address
    links = shown.values("src", "href", "srcset", "xlink:href", "action", "formaction")
    assert {value for value in links if not value.startswith(("#", "data:"))} == {address}
    assert shown.count("a", href=address) == links.count(address) == 1
    assert {tag for tag, _ in shown.tags} & {"iframe", "object", "embed", "base"} == set()
    assert not [name for _, attrs in shown.tags for name in attrs if name.startswith("on")]
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [attrs["content"] or "" for _, attrs in shown.tags if "http-equiv" in attrs]
    directives = dict(directive.strip().split(" ", 1) for directive in policy.split(";"))
    assert directives == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": "'unsafe-inline'",
        "script-src": f"'sha256-{allowed}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert re.search(r"@import|url\((?!#)|https?:", text.replace(address, "")) is None


def test_same_ledgers_same_page() -> None:
    """Byte for byte, so that two reports can be compared."""
    ledgers = [with_evidence(**EVIDENCE), ledger("other", softmax_sum="fail")]
    first, second = (render(*ledgers) for _ in range(2))
    assert first == second
    drawn = [value for value in Page(first).values("id") if re.fullmatch(r"[mp][0-9a-f]{10}", value)]
    assert drawn
    assert len(drawn) == len(set(drawn))


def test_page_stays_small() -> None:
    """As many pictures as training can leave behind, twice over."""
    rng = np.random.default_rng(0)
    noise = base64.b64encode(rng.normal(size=(100, 28, 28)).astype("<f4").tobytes()).decode()
    many = images("uint8", 100) | {"labels": [1] * 100, "predictions": [2] * 100, "confidence": [0.5] * 100}
    steps = list(range(6000))
    curve = {"steps": steps, "losses": [float(loss) for loss in rng.lognormal(size=6000)]}
    kernels = {"images": noise, "shape": [100, 28, 28]}
    evidence = EVIDENCE | {"kernels": kernels, "misread": many, "training_curve": curve}
    most = 1_500_000
    assert len(render(*[with_evidence(**evidence)] * 2).encode()) < most


def test_specification_of_the_suite_is_the_default() -> None:
    """A ledger without a row for any claim of the real specification still makes a page."""
    text = Page(html.render([typed(ledger())])).text
    assert "dense.shape" in text


def test_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files in, one file out."""
    source, output = tmp_path / "ledger.json", tmp_path / "report.html"
    source.write_text(json.dumps(ledger() | {"document": "0" * 64}))
    assert main(["report", str(source), "-o", str(output)]) == ExitCode.CONFORMANT
    assert output.read_bytes().startswith(b"<!DOCTYPE html>")
    assert main(["report", str(source), "-o", str(tmp_path / "no" / "report.html")]) == ExitCode.USAGE
    assert read_kind(capsys.readouterr().err) == ErrorKind.UNWRITABLE_FILE
    source.write_text("{}")
    assert main(["report", str(source), "-o", str(output)]) == ExitCode.USAGE
    assert read_kind(capsys.readouterr().err) == ErrorKind.INVALID_FORMAT
