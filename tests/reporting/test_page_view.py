"""What a reader does with the page, in a real browser."""

from __future__ import annotations

import re
from itertools import pairwise
from urllib.parse import unquote

import contrasts
import pytest
import strip
from folders import ROOT
from web_page import rows

from lrfer_bench.reporting import page as page_file
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.make import write
from lrfer_bench.reporting.writers import markdown_text

TEMPLATES = ROOT / "lrfer_bench" / "reporting" / "templates"


@pytest.fixture(scope="module")
def made(bench, tmp_path_factory):
    """A report of one board, with its curves beside it."""
    out = tmp_path_factory.mktemp("view")
    report = collect([bench], Options(resamples=100, pictures="curves"))
    write(report, out)
    return report, out


@pytest.fixture
def open_page(open_file, made):
    """Opens the page under an address."""

    def visit(words="", width=1200, file=made[1] / "index.html"):
        return open_file(file, words, width)

    return visit


def heads(page):
    return page.locator("#table thead th").evaluate_all("c => c.map(x => x.innerText.trim())")


def words(page):
    return unquote(page.evaluate("location.hash").replace("+", " "))


def test_the_first_thing_is_the_result_in_words_with_faces_beside_it(open_page, made):
    page = open_page()
    board = made[0].boards[0]
    assert page.locator("#headline").inner_text().startswith("gmenet is the most accurate")
    at_12 = page.locator("#answers li").nth(1).inner_text()
    best = max(board.ranked, key=lambda line: line.rows[4].accuracy.value)
    assert at_12.startswith(f"12 px {best.label} ")
    assert ("level with" in at_12) != ("significantly ahead" in at_12), "and whether it is sure"
    top = page.locator("#headline").bounding_box()["y"]
    assert top < page.locator("#filters").bounding_box()["y"]
    sides = page.locator(".faces img").evaluate_all("i => i.map(x => [x.naturalWidth, x.width])")
    assert sides == [[px, 72] for px in (48, 24, 12, 6)]


def test_the_strip_is_what_synthface_and_the_protocol_give():
    for px in page_file.FACES:
        stored = (TEMPLATES / f"face{px}.png").read_bytes()
        pixels = strip.small(strip.faces(), px)
        assert pixels.shape == (2 * px, px) and strip.pixels(stored).tolist() == pixels.tolist()


def test_selects_with_one_option_are_hidden(open_page):
    page = open_page()
    for name in ("dataset", "protocol", "preset"):
        assert page.locator(f"#f-{name}").is_hidden(), name
    assert page.locator("#f-track").is_visible()


def test_hr_stands_last_and_only_where_a_row_has_it(open_page, factory, tmp_path):
    scales = [head for head in heads(open_page()) if " px)" in head and "at" not in head]
    assert scales == ["x2 (24 px)", "x4 (12 px)", "x8 (6 px)", "HR (48 px)"]
    factory.World(40).save(tmp_path, 0.5)
    write(collect([tmp_path], Options(resamples=100, pictures="none")), tmp_path / "out")
    page = open_page(file=tmp_path / "out" / "index.html")
    assert [head for head in heads(page) if head.startswith("HR")] == []


def test_one_scale_gets_bars_on_the_page_and_in_pictures(open_page, factory, tmp_path):
    from lrfer_bench.reporting import curves

    world = factory.World(80)
    for name in ("direct", "gmenet"):
        world.save(tmp_path, 0.5, method=name)
    report = collect([tmp_path], Options(resamples=100, pictures="none"))
    write(report, tmp_path / "out")
    page = open_page(file=tmp_path / "out" / "index.html")
    assert page.locator("#chart .bar").count() == 2
    assert page.locator("#chart .band").count() == 0
    lines = curves.curves(report.boards, report.looks).axes[0].get_lines()
    upright = [e for e in lines if len(e.get_xdata()) == 2 and len(set(e.get_xdata())) == 1]
    assert len(upright) == 2


def test_what_guessing_reaches_is_drawn(open_page, made):
    page = open_page()
    assert page.locator("#chart .chance").count() == 2
    texts = page.locator("#chart .level").evaluate_all("t => t.map(x => x.textContent)")
    assert any("guessing 14.3" in text for text in texts)


def test_numbers_are_the_same_text_in_every_format(open_page, made):
    page = open_page()
    text = (made[1] / "leaderboard.md").read_text()
    for line in made[0].boards[0].ranked:
        for scale in (2, 4, 8):
            cell = page.locator(f'#table tr[data-method="{line.label}"] [data-scale="{scale}"]')
            number, interval = cell.inner_text().split(maxsplit=1)
            assert markdown_text(interval.strip()) in text and number in text
            row = line.rows[scale]
            assert f"{100 * row.accuracy.value:.1f}" == number
    script = "".join(path.read_text() for path in sorted(TEMPLATES.glob("*.js")))
    assert "toFixed(0)" not in script and "toFixed(2)" not in script, "the report rounds"
    assert not re.search(r"100 \* \w+(\.\w+)?\)\.toFixed", script)


def test_unticking_the_sorted_scale_keeps_the_best_first(open_page):
    page = open_page()
    by_rank = rows(page)
    page.locator('#table [data-sort="accuracy:4"]').click()
    page.locator('#f-scales input[value="4"]').uncheck()
    assert rows(page) == by_rank
    assert page.locator('th[aria-sort="ascending"]').inner_text().startswith("#")
    page.locator('#table [data-sort="accuracy:2"]').click()
    page.locator('#f-scales input[value="8"]').uncheck()
    assert page.locator('th[aria-sort="descending"]').inner_text().startswith("x2")


def test_areas_say_that_they_do_not_follow_the_ticks(open_page):
    page = open_page()
    note = page.locator("#over-note")
    assert note.is_hidden()
    page.locator('#f-scales input[value="1"]').uncheck()
    assert note.is_hidden(), "HR is in no area"
    page.locator('#f-scales input[value="8"]').uncheck()
    assert (
        "Over all sizes (24 px, 12 px, 6 px), not only those ticked: #, Area" in note.inner_text()
    )


def test_the_state_of_the_view_stands_in_the_address(open_page):
    page = open_page()
    assert words(page) == ""
    page.select_option("#f-track", "clean")
    page.locator('#legend button[data-method="enlarge"]').click()
    page.locator('#f-scales input[value="2"]').uncheck()
    page.locator('#table [data-sort="macs"]').click()
    page.fill("#need-px", "10")
    told = page.evaluate("location.hash")
    for part in ("track=clean", "off=enlarge", "scales=4,8,1", "sort=macs", "px=10"):
        assert part in words(page), part
    seen = [page.locator(f"#{name}").inner_text() for name in ("table", "legend", "need-answer")]
    other = open_page(told)
    assert [
        other.locator(f"#{name}").inner_text() for name in ("table", "legend", "need-answer")
    ] == seen
    assert other.locator("#f-track").input_value() == "clean"
    assert not other.locator('#f-scales input[value="2"]').is_checked()


def test_an_address_of_anybody_does_no_harm(open_page):
    page = open_page("#board=<b>&scales=a,9&off=nobody&sort=constructor&cost=__proto__&at=x&px=<i>")
    assert page.locator("#headline").inner_text()
    assert rows(page) and page.locator("#f-cost").input_value() == "macs"


def test_the_legend_switches_rows_and_names_stand_at_the_ends(open_page):
    page = open_page()
    ends = page.locator("#chart .end")
    names = ends.evaluate_all("t => t.map(x => x.dataset.method)")
    assert sorted(names) == sorted(rows(page))
    places = sorted(ends.evaluate_all("t => t.map(x => Number(x.getAttribute('y')))"))
    assert all(b - a >= 13.9 for a, b in pairwise(places)), "none covered"
    page.locator('#legend button[data-method="direct"]').click()
    assert "direct" not in rows(page)
    assert page.locator('[data-method="direct"]').count() == 1, "only its switch is left"
    page.locator('#legend button[data-method="direct"]').click()
    assert "direct" in rows(page)
    assert open_page(width=360).locator("#chart .end").count() == 0, "no room there"


def test_the_table_shows_that_it_scrolls(open_page):
    page = open_page(width=360)
    assert page.locator("#scroll-note").is_visible()
    page.locator(".edge.more").wait_for()
    page.evaluate("document.querySelector('.edge .scroll').scrollLeft = 9999")
    page.locator(".edge:not(.more)").wait_for()


def test_every_head_has_a_tip_for_pointer_and_keyboard(open_page):
    page = open_page()
    tips = page.locator("#table thead th").evaluate_all("c => c.map(x => x.title)")
    assert all(tip.endswith(".") for tip in tips)
    page.locator('#table [data-sort="macs"]').focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.locator("#tip").inner_text() == "Multiply-adds for one face."
    page.locator("details", has_text="What the columns mean").locator("summary").click()
    assert page.locator("#columns dt").count() == len(tips)


def test_links_to_papers_tables_and_pictures(open_page, made):
    page = open_page()
    found = page.locator("#tables a").evaluate_all(
        "a => a.map(x => [x.innerText, x.getAttribute('href'), x.download])"
    )
    by_name = {name: (address, download) for name, address, download in found}
    files = {"CSV": "csv", "Markdown": "md", "LaTeX": "tex", "HTML": "html"}
    for name, ending in files.items():
        assert by_name[name][0] == f"leaderboard.{ending}"
        assert (made[1] / by_name[name][0]).is_file()
    address, download = by_name["BibTeX"]
    assert download == "citations.bib" and "@" in unquote(address)
    page.locator("summary", has_text="Pictures").click()
    pictures = page.locator("#pictures a").evaluate_all("a => a.map(x => x.getAttribute('href'))")
    assert len(pictures) == 4 and all((made[1] / name).is_file() for name in pictures)
    page.locator('details[data-card="gmenet"] summary').click()
    assert page.locator('details[data-card="gmenet"] a').get_attribute("href").startswith("https:")


def test_an_address_that_runs_code_is_no_link(open_page):
    page = open_page()
    asked = [
        "javascript:alert(1)", "data:text/html,x", " javascript:x", "https://a.org/b", "a b.csv"
    ]  # fmt: skip
    told = "(found) => (typeof found === 'string' ? found : found.getAttribute('href'))"
    kinds = page.evaluate(f"(all) => all.map((one) => link(one, 't')).map({told})", asked)
    assert kinds == ["t", "t", "%20javascript%3Ax", "https://a.org/b", "a%20b.csv"]


def test_cost_recall_and_calibration_are_on_the_page(open_page):
    page = open_page()
    assert page.locator("#cost g.mark").count() == 4
    assert page.locator("#cost .front").count() == 1
    page.select_option("#f-cost", "latency")
    assert page.locator("#cost .front").count() == 0, "these latencies do not compare"
    assert "there is no front" in page.locator("#cost-note").inner_text()
    assert page.locator("#recall svg").count() == 7
    assert page.locator("#recall svg").first.locator("g.mark").count() == 4
    assert page.locator("#calibration svg").count() == 3
    page.locator('#legend button[data-method="direct"]').click()
    assert page.locator("#recall svg").first.locator("g.mark").count() == 3


def test_the_dialog_has_costs_recall_and_p(open_page, made):
    page = open_page()
    page.locator('#table tr[data-method="enlarge"] [data-scale="4"]').click()
    text = page.locator("#detail-body").inner_text()
    for part in ("690 k", "20.0 M", "Recall in %", "angry ", "Latency", "batch 1"):
        assert part in text, part
    line = next(e for e in made[0].boards[0].ranked if e.label == "enlarge")
    assert line.p[4] < 0.001 and re.search(r"p < 0\.001 \(\w+, after Holm", text)


def test_the_matrix_can_be_read_in_both_themes(open_page):
    page = open_page()
    for _ in range(2):
        page.locator('#table tr[data-method="gmenet"] [data-scale="2"]').click()
        colours = page.locator("#detail .matrix td").evaluate_all(
            "c => c.map(x => [getComputedStyle(x).color, getComputedStyle(x).backgroundColor])"
        )
        assert min(contrast(*pair) for pair in colours) >= 4.5
        page.keyboard.press("Escape")
        page.locator("#theme").click()


def contrast(*colours):
    rgb = [[int(part) for part in re.findall(r"\d+", colour)[:3]] for colour in colours]
    return contrasts.ratio(*rgb)
