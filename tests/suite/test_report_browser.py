"""The pages in a browser: search, filters, keys, links, and what a hostile ledger comes to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from doubles.ledgers import typed

from assay import __version__
from assay.reports import html, matrix, site
from assay.reports.passages import Passages
from assay.specification import document
from assay.specification.claims import specification

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

playwright = pytest.importorskip("playwright.sync_api", reason="needs the package `playwright`")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: `apt-get install chromium`"),
    pytest.mark.xdist_group("browser"),
]

CORE = specification().of_profile("core")
FAILED, SKIPPED, LOST = "dense.relu", "softmax.rows-apart", "dense.affine"
RUNS = ("one", "two", "three")
DESKTOP, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
SHOWN = "[...document.querySelectorAll('.claim')].filter(e => e.checkVisibility()).map(e => e.id.replace('claim-', ''))"
HOSTILE = (
    '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
    "</script><script>window.hacked = 1</script><svg onload='window.hacked = 1'>{{ 7 * 7 }}"
    '<a href="javascript:window.hacked = 1">x</a><iframe src="http://example.org/"></iframe>'
)


def ledger(name: str = "one", **outcomes: str) -> dict[str, Any]:
    """Return a ledger of all core claims, in which all pass but those named: `dense_relu="fail"` is dense.relu."""
    changed = {key.replace("_", ".", 1).replace("_", "-"): value for key, value in outcomes.items()}
    rows = []
    for id_ in CORE:
        outcome = changed.get(id_, "pass")
        why = {} if outcome == "pass" else {"reason": f"why {id_}\nin {name}", "replay": f"assay run --claim {id_}"}
        rows.append({"id": id_, "outcome": outcome, "seconds": 0.25, **why})
    return {
        "format": 1,
        "suite": __version__,
        "document": specification().document,
        "implementation": {
            "name": name,
            "version": "1.0",
            "frameworks": {"numpy": "2.0"},
            "device": "CPU",
            "precision": "float32",
            "groups": ["ops"],
        },
        "profile": "core",
        "seed": 0,
        "complete": True,
        "data": {},
        "counts": {},
        "claims": rows,
    }


def two_sections(name: str = "one", **outcomes: str) -> dict[str, Any]:
    """Return a ledger of two sections alone: of a suite before all claims, so that its rows are all that it decides."""
    content = ledger(name, **outcomes)
    rows = [row for row in content["claims"] if row["id"].startswith(("dense.", "softmax."))]
    return content | {"claims": rows, "suite": "0.0.1"}


def of_section(name: str) -> set[str]:
    """Return the core claims of a section."""
    return {id_ for id_, claim in CORE.items() if claim.section == name}


def save(path: Path, text: str) -> str:
    """Write a page, and return its address."""
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the browser once for this file."""
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the report of three runs: two claims fail somewhere, one is skipped; one run measured something."""
    contents = [
        ledger("one", dense_relu="fail"),
        ledger("two", softmax_rows_apart="skipped", dense_affine="error"),
        ledger("three"),
    ]
    curve = {"training_curve": {"steps": [0, 1, 2], "losses": [2.3, 1.0, 0.5]}}
    next(row for row in contents[2]["claims"] if row["id"] == FAILED)["evidence"] = curve
    return save(tmp_path_factory.mktemp("report") / "report.html", html.render([*map(typed, contents)]))


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page, and check at the end that it asked for nothing and that nothing in it went wrong."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def note_request(address: str) -> None:
        if not address.startswith(("file:", "data:")):
            trouble.append(address)

    def open_page(address: str, **options: Any) -> Page:
        context = browser.new_context(**({"viewport": DESKTOP} | options))
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda message: trouble.append(message.text))
        page.on("dialog", lambda dialog: trouble.append(dialog.message))
        page.on(
            "request",
            lambda request: None if request.url.startswith(("file:", "data:")) else trouble.append(request.url),
        )
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []


def settle(page: Page) -> list[str]:
    """Return the visible claims once the script has caught up with what was typed."""
    page.wait_for_timeout(120)
    shown: list[str] = page.evaluate(SHOWN)
    return shown


def test_the_page_is_short_and_has_few_tab_stops(visit: Callable[..., Page], report: str) -> None:
    page = visit(report)
    assert page.evaluate("document.documentElement.scrollHeight") < 12_000
    stops = "[...document.querySelectorAll('a[href], summary, button, input, select, [tabindex]')]"
    assert page.evaluate(f"{stops}.filter(e => e.tabIndex >= 0 && e.checkVisibility()).length") < 120
    # With everything open there is one more: the claim that the arrows move from.
    before = page.evaluate(f"{stops}.filter(e => e.tabIndex >= 0 && e.matches('.claim > summary')).length")
    assert before == 1


@pytest.mark.parametrize(
    ("choose", "expected"),
    [
        pytest.param({"outcome": "fail"}, {FAILED}, id="outcome"),
        pytest.param({"outcome": "fail,error"}, {FAILED, LOST}, id="outcomes"),
        pytest.param({"outcome": "pass", "run": "one", "section": "softmax"}, of_section("softmax"), id="run"),
        pytest.param({"outcome": "fail", "run": "two"}, set(), id="of-another-implementation"),
        pytest.param({"section": "dense"}, of_section("dense"), id="section"),
        pytest.param({"kind": "default"}, {id_ for id_, claim in CORE.items() if claim.kind == "default"}, id="kind"),
        pytest.param({"group": "text"}, {id_ for id_, claim in CORE.items() if "text" in claim.groups}, id="group"),
        pytest.param({"mark": "erratum"}, {id_ for id_, claim in CORE.items() if claim.erratum}, id="errata"),
        pytest.param({"q": f"WHY  {FAILED}"}, {FAILED}, id="text-of-a-reason"),
        pytest.param({"q": "nowhere to be found"}, set(), id="nothing"),
    ],
)
def test_claims_are_filtered_and_the_address_keeps_the_selection(
    visit: Callable[..., Page], report: str, choose: dict[str, str], expected: set[str]
) -> None:
    page = visit(report)
    for key, value in choose.items():
        if key == "outcome":
            for state in value.split(","):
                page.click(f".outcomes [data-state='{state}']")
        elif key == "q":
            page.fill("#search", value)
        else:
            page.select_option(f"#{key}", value)
    found = settle(page)
    assert set(found) == expected
    assert page.inner_text("#found") == f"{len(expected)} of {len(CORE)} claims"
    assert page.is_visible("#nothing") == (not expected)
    # Whoever opens the address sees the same.
    assert set(settle(visit(page.url))) == expected
    page.click("#clear")
    assert (settle(page), page.url) == ([], report)


def test_a_selection_of_another_report_is_taken_as_far_as_it_goes(visit: Callable[..., Page], report: str) -> None:
    page = visit(f"{report}#section=nonesuch&run=nobody&outcome=fail,strange")
    assert settle(page) == [FAILED]


def test_keys_search_move_open_and_clear(visit: Callable[..., Page], report: str) -> None:
    page = visit(report)
    page.keyboard.press("/")
    page.keyboard.type("relu")
    found = settle(page)
    assert len(found) > 3
    focused = "document.activeElement.closest('.claim')?.id.replace('claim-', '')"
    walked = []
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "End", "Home"):
        page.keyboard.press(key)
        walked.append(page.evaluate(focused))
    assert walked == [found[0], found[1], found[2], found[1], found[-1], found[0]]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("Escape")
    assert (settle(page), page.input_value("#search")) == ([], "")


def test_a_slash_is_a_slash_where_text_is_typed(visit: Callable[..., Page], report: str) -> None:
    page = visit(report)
    page.focus("#search")
    page.keyboard.type("a/b")
    assert page.input_value("#search") == "a/b"


@pytest.mark.parametrize("selection", ["", "outcome=fail&at=", "section=softmax&at="])
def test_a_link_to_a_claim_opens_it_whatever_the_filters_hide(
    visit: Callable[..., Page], report: str, selection: str
) -> None:
    page = visit(f"{report}#{selection}claim-{FAILED}")
    claim = page.locator(f"[id='claim-{FAILED}']")
    assert claim.evaluate("e => e.open && e.checkVisibility()")
    settle(page)
    top = claim.evaluate("e => e.getBoundingClientRect().top")
    assert 0 <= top < DESKTOP["height"]


def test_failures_lead_to_their_claims_and_claims_to_their_figures_and_back(
    visit: Callable[..., Page], report: str
) -> None:
    page = visit(report)
    claim = page.locator(f"[id='claim-{FAILED}']")
    page.click(f".brief a[href='#claim-{FAILED}']")
    assert claim.evaluate("e => e.open && e.checkVisibility()")
    claim.locator("a[href^='#figure-']").click()
    figure = page.locator("figure[id^='figure-']:target")
    assert figure.is_visible()
    assert "Loss during training" in figure.inner_text()
    page.evaluate("document.querySelectorAll('.claim, .section').forEach(e => e.open = false)")
    figure.locator(f"a[href='#claim-{FAILED}']").click()
    assert claim.evaluate("e => e.open && e.checkVisibility()")
    page.click(".tally a[href*='skipped'], .crowd a[href*='skipped']")
    assert settle(page) == [SKIPPED]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write every kind of page, and return their addresses by kind."""
    folder = tmp_path_factory.mktemp("pages")
    outcomes = {"dense_relu": "fail", "softmax_rows_apart": "skipped", "dense_affine": "expected failure"}
    one = typed(two_sections(**outcomes))
    runs = {f"version {number}": typed(two_sections(f"run {number}", **outcomes)) for number in range(10)}
    lines = tuple(f"line {number} of the document" for number in range(1, document.identity().lines + 1))
    site.write(folder / "site", [one], passages=Passages(lines, specification()))
    return {
        "three runs": save(folder / "three.html", html.render([*runs.values()][:3])),
        "ten runs": save(folder / "ten.html", html.render([*runs.values()])),
        "matrix": save(folder / "matrix.html", matrix.as_page(matrix.make(runs))),
        "claim": (folder / "site" / "claims" / "dense.relu.html").as_uri(),
        "document": (folder / "site" / "document.html").as_uri() + "#line-89",
        "first page of a site": (folder / "site" / "index.html").as_uri(),
    }


KINDS = ("three runs", "ten runs", "matrix", "claim", "document", "first page of a site")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("kind", KINDS)
def test_pages_are_accessible_and_fit(
    visit: Callable[..., Page], pages: dict[str, str], kind: str, size: dict[str, int], scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="needs the package `axe-playwright-python`")
    address = pages[kind] + ("#section=dense" if kind in {"three runs", "ten runs", "matrix"} else "")
    page = visit(address, viewport=size, color_scheme=scheme)
    # Something open as well as something closed.
    page.evaluate("document.querySelectorAll('.claim').forEach((e, i) => e.open = i < 40 && e.checkVisibility())")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({ resultTypes: ['violations'], preload: false })")["violations"]
    assert {each["id"]: [node["html"][:200] for node in each["nodes"][:3]] for each in found} == {}


def test_all_versions_of_a_matrix_are_visible(visit: Callable[..., Page], pages: dict[str, str]) -> None:
    page = visit(f"{pages['matrix']}#section=dense")
    edges = page.evaluate("[...document.querySelectorAll('.names .signs b')].map(e => e.getBoundingClientRect().right)")
    assert len(edges) == 10
    assert max(edges) < 1400


def test_a_page_of_a_claim_says_how_it_is_decided(visit: Callable[..., Page], pages: dict[str, str]) -> None:
    text = visit(pages["claim"]).inner_text("main")
    claim = CORE["dense.relu"]
    assert claim.statement in text
    assert f"line {claim.lines[0]} of the document" in text
    assert '@claim("dense.relu")' in text
    assert "why dense.relu" in text


def test_a_hostile_ledger_executes_nothing(visit: Callable[..., Page], tmp_path: Path) -> None:
    content = ledger(HOSTILE, dense_relu="fail", softmax_rows_apart="skipped")
    content["implementation"] |= {"version": HOSTILE, "frameworks": {HOSTILE: HOSTILE}, "device": HOSTILE}
    content["implementation"]["groups"] = [HOSTILE]
    content |= {"data": {HOSTILE: HOSTILE}, "suite": f"9.0{HOSTILE}"}
    content["environment"] = dict.fromkeys(("python", "system", "processor", "commit"), HOSTILE) | {"cores": 1}
    content["time"] = {"wall": 1, "processor": 1, "began": HOSTILE}
    for row in content["claims"]:
        if "reason" in row:
            row |= {"reason": HOSTILE, "replay": HOSTILE, "results": [HOSTILE], "evidence": {"samples": HOSTILE}}
    content["claims"].append({"id": HOSTILE, "outcome": "crash", "seconds": 0, "reason": HOSTILE})
    runs = [typed(content), typed(content)]
    page = visit(save(tmp_path / "hostile.html", html.render(runs)))
    page.fill("#search", "hacked")
    assert settle(page)
    page.evaluate("[...document.querySelectorAll('main a')].slice(0, 40).forEach(a => a.click())")
    page.goto(save(tmp_path / "matrix.html", matrix.as_page(matrix.make({HOSTILE: runs[0], "b": runs[1]}))))
    page.goto(f"{page.url}#q={HOSTILE}&run={HOSTILE}&at={HOSTILE}")
    assert page.evaluate("[typeof window.hacked, document.scripts.length]") == ["undefined", 1]


def test_twenty_ledgers_open_and_are_filtered_within_a_second(visit: Callable[..., Page], tmp_path: Path) -> None:
    """Time that the thread of the page is busy, which other programs on the machine do not change."""
    contents = [typed(ledger(f"run {number}", dense_relu="fail")) for number in range(20)]
    assert len(CORE) > 1100
    address = save(tmp_path / "twenty.html", html.render(contents))
    page = visit("data:,")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}[
            "TaskDuration"
        ]

    page.goto(address)
    opened = busy()
    page.fill("#search", "e")
    assert len(settle(page)) == len(CORE)
    filtered = busy() - opened
    assert max(opened, filtered) < 1, json.dumps([opened, filtered])
