"""The web page in a real browser."""

import json
import re
from pathlib import Path

import pytest
from web_page import rows

from lrfer_bench.contract.cards import MethodCard
from lrfer_bench.reporting import citations, page
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.make import write

EVIL = "<script>alert(1)</script>"
LABEL = f"evil[x={EVIL}]"
TRACEBACK = 'Traceback </script><img src=x onerror="alert(2)"> & <!-- more\n  File "a.py"'
BIBTEX = "@article{g,\n  title = {A <b>title</b> & more},\n}"


@pytest.fixture(scope="module")
def file(factory, tmp_path_factory):
    """Two boards: one with leaks, a failed and a missing cell and an evil method; one synthetic."""
    root = tmp_path_factory.mktemp("page")
    world = factory.fill(root, images=300, seeds=(0, 1))
    world.save(root, 0.3, method="evil", settings={"x": EVIL}, scale=2)
    evil = {"method": "evil", "settings": {"x": EVIL}}
    factory.save(root, scale=4, failure="the loss is <b>NaN</b>", traceback=TRACEBACK, **evil)
    factory.fill(root, images=120, seeds=(0,), leaked=0, dataset="made", synthetic=True)
    card = MethodCard(
        "a <i>graph</i> method",
        "Title",
        "A. Author",
        2024,
        "https://example.org/x",
        BIBTEX,
        ("said",),
    )
    cards = {"gmenet": card}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(citations, "method_cards", lambda names: cards)
        write(
            collect([root], Options(resamples=100, pictures="none", title=f"Title {EVIL}")),
            root / "report",
        )
    return root / "report" / "index.html"


def data_of(file):
    return json.loads(
        re.search(
            r'<script type="application/json" id="data">(.*?)</script>', file.read_text(), re.S
        ).group(1)
    )


def test_nothing_from_a_record_is_markup(file):
    text = file.read_text()
    assert EVIL not in text
    assert text.count("<img") == 4, "the strip of faces, and nothing else"
    assert text.count("<script") == 2
    assert "https://example.org" in text
    assert not re.search(r'(src|href)="(?!data:)', text.split('id="data"')[0])


def test_data_survive_their_way_into_the_page(file):
    data = data_of(file)
    assert data["missing"]["failed"][0]["traceback"] == TRACEBACK
    assert [board["dataset"] for board in data["boards"]] == ["faces", "made"]
    assert data["cards"][0]["bibtex"] == BIBTEX


def test_json_cannot_end_its_element():
    assert "<" not in page.embedded(["</script>", "<!--"])
    assert json.loads(page.embedded(["</script>\u2028"])) == ["</script>\u2028"]


class Visit:
    """A page that was opened, and everything that must not have happened on it."""

    def __init__(self, browser, file: Path, width=1200, scheme="light"):
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme
        )
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page = self.context.new_page()
        self.page.set_default_timeout(5000)
        self.trouble: list[str] = []
        self.page.on("console", lambda m: self.trouble.append(m.text))
        self.page.on("pageerror", lambda e: self.trouble.append(str(e)))
        self.page.on("dialog", lambda d: (self.trouble.append(f"dialog {d.message}"), d.dismiss()))
        self.page.on(
            "request",
            lambda r: None if r.url == file.as_uri() else self.trouble.append(f"request {r.url}"),
        )
        self.page.goto(file.as_uri())


@pytest.fixture(params=["light", "dark", "phone"])
def visit(request, browser, file):
    found = Visit(
        browser,
        file,
        360 if request.param == "phone" else 1200,
        "dark" if request.param == "dark" else "light",
    )
    yield found
    assert found.trouble == []
    assert found.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the page scrolls sideways"
    )
    found.context.close()


def test_sorting_and_filters(visit, file):
    page = visit.page
    assert rows(page) == [e["label"] for e in data_of(file)["boards"][0]["lines"] if not e["apart"]]
    assert rows(page)[-1] == LABEL
    page.locator('#table [data-sort="macs"]').click()
    assert rows(page)[:2] == ["enlarge", LABEL]
    assert page.locator('th[aria-sort="ascending"]').inner_text().strip().startswith("MACs")
    page.locator('#table [data-sort="accuracy:4"]').focus()
    page.keyboard.press("Enter")
    assert page.locator('th[aria-sort="descending"]').inner_text().strip().startswith("x4")
    assert rows(page)[-1] == LABEL, "a hole comes last, whatever the order"
    page.locator('#f-scales input[value="8"]').uncheck()
    assert page.locator('#table [data-sort="accuracy:8"]').count() == 0
    assert page.locator(".badge:visible").count() == 0
    page.select_option("#f-dataset", "made")
    assert page.locator(".badge:visible").count() == 2
    assert LABEL not in rows(page)
    assert page.locator("#table tbody.apart tr").evaluate_all(
        "rows => rows.map(r => r.dataset.method)"
    ) == ["oracle"]


def number(page, method, scale):
    return page.locator(f'#table tr[data-method="{method}"] button[data-scale="{scale}"]')


def test_the_leak_free_track_is_another_table_in_every_number(visit, file):
    """Ranks, areas, sizes, macro-F1, the matrix and recall follow the track, not only accuracy."""
    page = visit.page
    whole = data_of(file)["boards"][0]
    clean = whole["clean"]
    shown = "rows => rows.map(r => r.innerText.replace(/\\s+/g, ' ').trim())"
    lines = page.locator("#table tbody:first-of-type tr")
    before = lines.evaluate_all(shown)
    number(page, "direct", 4).click()
    told = page.locator("#detail-body").inner_text()
    page.keyboard.press("Escape")
    page.select_option("#f-track", "clean")
    after = lines.evaluate_all(shown)
    assert rows(page) == [e["label"] for e in clean["lines"] if not e["apart"]]
    assert before != after
    heads = [column["name"] for column in clean["columns"]]
    for line in clean["lines"]:
        text = page.locator(f"#table tr[data-method={json.dumps(line['label'])}]").inner_text()
        for name in ("rank", "area", "smallest_size", "macro_f1", "balanced_accuracy"):
            assert line["cells"][heads.index(name)][1].split(" [")[0] in text, name
    number(page, "direct", 4).click()
    assert "On all test images" in page.locator("#detail-body").inner_text()
    assert page.locator("#detail-body").inner_text() != told
    entry = next(e for e in clean["lines"] if e["label"] == "direct")
    row = data_of(file)["rows"][entry["rows"]["4"]]
    cells = page.locator("#detail .matrix td").evaluate_all("c => c.map(x => x.innerText)")
    assert cells == row["shares"]
    assert sum(row["confusion"]) == 2 * row["n"] == 2 * 270


def test_curves_tell_their_numbers_and_can_be_switched_off(visit):
    page = visit.page
    assert page.locator("#chart g.mark").count() == 5
    page.locator("#chart svg").hover(position={"x": 60, "y": 60})
    tip = page.locator("#tip").inner_text()
    assert "6 px (x8)" in tip
    assert "gmenet" in tip
    page.locator("#chart svg").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert (
        "12 px (x4)" in page.locator("#tip").inner_text()
        or "24 px (x2)" in page.locator("#tip").inner_text()
    )
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()
    toggle = page.locator('#legend button[data-method="gmenet"]')
    toggle.focus()
    page.keyboard.press("Space")
    assert toggle.get_attribute("aria-pressed") == "false"
    assert page.locator('#chart g[data-method="gmenet"]').count() == 0


def test_a_number_opens_its_confusion_matrix_and_records(visit):
    page = visit.page
    page.locator('#table tr[data-method="gmenet"] button[data-scale="4"]').focus()
    page.keyboard.press("Enter")
    assert page.locator("#detail-title").inner_text() == "gmenet · x4 (12 px)"
    assert page.locator("#detail .matrix td").count() == 49
    matrix = page.locator("#detail .matrix tbody tr").evaluate_all(
        "r => r.map(x => [...x.cells].slice(1).map(c => +c.innerText))"
    )
    assert all(abs(sum(row) - 100) <= 4 for row in matrix)
    page.locator("#detail details.record summary").first.click()
    record = json.loads(page.locator("#detail details.record pre").first.inner_text())
    assert (record["method"]["name"], record["test"]["scale"], record["seed"]) == ("gmenet", 4, 0)
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_hidden()


def test_failures_are_told_as_text(visit):
    page = visit.page
    page.locator("details.failure summary").click()
    assert "the loss is <b>NaN</b>" in page.locator("details.failure summary").inner_text()
    assert page.locator("details.failure pre").inner_text() == TRACEBACK
    assert page.locator("#missing li", has_text=f"{LABEL} at x4: failed").count() == 1
    assert page.locator("h1").inner_text() == f"Title {EVIL}"


def test_bibtex_can_be_copied(visit):
    page = visit.page
    page.locator('details[data-card="gmenet"] summary').click()
    page.locator('details[data-card="gmenet"] button').click()
    page.locator("button", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == BIBTEX


def test_the_theme_follows_the_system_and_can_be_changed(visit):
    page = visit.page
    colour = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(colour)
    page.locator("#theme").click()
    after = page.evaluate(colour)
    assert {before, after} == {"rgb(255, 255, 255)", "rgb(20, 23, 27)"}
