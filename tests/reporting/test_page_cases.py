"""Reports of unusual records, and what the page says of them, in a real browser."""

from __future__ import annotations

import re

import pytest
from web_page import detail, need, rows

from lrfer_bench.reporting import numbers, page_data
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.store.store import Store

WEIGHTS = ["net.pth sha256:0a1b2c3d4e5f"]


def missing(page):
    return page.locator("#missing").inner_text()


def test_each_board_has_its_own_share_of_the_oracle(open_report, factory, tmp_path):
    """A model that was there before stands on two boards, whose oracles differ."""
    world = factory.fill(tmp_path, images=400, seeds=(0,), leaked=0)
    world.save(tmp_path, 3.0, **factory.ORACLE, weights=WEIGHTS)
    world.save(tmp_path, 1.0, method="direct", weights=WEIGHTS)
    world.save(tmp_path, 0.5, method="mynet", existing=True, train_scales=[])
    report = collect([tmp_path], Options(resamples=100))
    shares = []
    page = open_report()
    for k, board in enumerate(report.boards):
        page.select_option("#f-preset", index=k)
        line = next(line for line in board.lines if line.label == "mynet")
        shares.append(numbers.percent(line.retained[4]))
        assert f"Of the oracle's accuracy\n{shares[-1]} %" in detail(page, "mynet", 4)
    assert len(set(shares)) == 2


def test_what_the_columns_mean_follows_the_board(open_report, factory, tmp_path):
    factory.fill(tmp_path, images=80, seeds=(0,), leaked=0)
    factory.World(80).save(tmp_path, 0.5, dataset="made")
    page = open_report()
    page.locator("summary", has_text="What the columns mean").click()
    for name in ("made", "faces"):
        page.select_option("#f-dataset", name)
        heads = page.locator("#table thead th").evaluate_all("c => c.map(x => x.textContent)")
        assert page.locator("#columns dt").all_text_contents() == heads


def test_p_is_of_the_line_that_was_tested_against(open_report, factory, tmp_path):
    world = factory.fill(tmp_path, images=400, seeds=(0,), leaked=0)
    world.save(tmp_path, 2.5, method="star", scale=4)
    for path in Store(tmp_path).logits.glob("*star*"):
        path.unlink()
    against = collect([tmp_path], Options(resamples=100)).boards[0].against[4]
    page = open_report()
    assert f"({against}, after Holm" in detail(page, "enlarge", 4)
    assert "Against the best" not in detail(page, "star", 4), "it was not tested"
    assert "the best at this size that could be ranked" in detail(page, against, 4)
    page = open_report(resamples=0)
    assert "Against the best" not in detail(page, "enlarge", 4)
    assert "by its score alone: nothing was tested" in detail(page, "star", 4)


def test_without_intervals_the_page_speaks_of_none(open_report, factory, tmp_path):
    factory.fill(tmp_path, images=80, seeds=(0,), leaked=0)
    page = open_report()
    assert "with its 95 % interval" in page.content().split("<script")[0]
    page = open_report(resamples=0)
    text = "".join(
        page.locator("main > section:not([aria-labelledby=h-cards])").all_text_contents()
    )
    assert "95 % interval" not in text and "told apart" not in text and "significant" not in text


@pytest.mark.parametrize("partial", [False, True])
def test_seeds_that_are_missing_are_listed(open_report, factory, tmp_path, partial):
    world = factory.fill(tmp_path, images=80, seeds=(0,), leaked=0)
    assert missing(open_report()) == "Nothing: every cell that was begun is finished."
    world.save(tmp_path, 1.0, method="direct", scale=2, seed=1)
    text = missing(open_report(partial=partial))
    assert "Nothing" not in text
    where = "faces · bicubic@1 · preset cpu@1: direct at "
    if not partial:
        assert f"{where}x2: seed 1 left out, since other sizes lack it" in text
    else:
        assert f"{where}x4: 1 of 2 seeds" in text and f"{where}x2" not in text


def test_lists_say_how_much_they_leave_out(open_report, factory, tmp_path):
    factory.fill(tmp_path, images=40, seeds=(0,), leaked=0)
    factory.save(tmp_path, method="bad", failure="boom", traceback="x" * 5000)
    for k in range(page_data.MOST_FAILED):
        factory.save(tmp_path, method=f"bad{k}", failure=f"boom {k}")
    page = open_report()
    assert page.locator("details.failure").count() == page_data.MOST_FAILED
    assert "and 1 more: see leaderboard.md" in missing(page)
    assert page_data._end("x" * 5000).startswith("(its end") and page_data._end("x") == "x"


def test_the_tip_says_how_many_curves_it_leaves_out(open_report, factory, tmp_path):
    world = factory.World(40)
    for k in range(24):
        world.save(tmp_path, k / 10, method=f"m{k}", scale=4)
    page = open_report()
    page.locator("#chart svg").focus()
    page.keyboard.press("ArrowRight")
    told = page.locator("#tip > div").all_text_contents()
    assert len(told) == 24 and told[-1] == "and 2 more, in the table"


def test_two_scales_of_one_size_are_told_apart(open_report, factory, tmp_path):
    skills = {"enlarge": (0.4, -0.5, -1.5), "direct": (0.8, 0.1, -0.9)}
    factory.fill(tmp_path, images=400, seeds=(0,), leaked=0, scales=(4, 8, 9), skills=skills)
    page = open_report()
    assert page.locator("#f-at option").all_text_contents() == ["12 px", "6 px (x8)", "6 px (x9)"]
    answers = page.locator("#answers .px").all_text_contents()
    assert answers == ["12 px", "6 px (x8)", "6 px (x9)"]
    assert need(page, "6").startswith("At 6 px (x8): ")
    axis = page.locator("#chart text").all_text_contents()
    assert axis.count("6 px") == 1 and "x8, x9" in axis
    page.locator("#chart svg").focus()
    page.keyboard.press("ArrowRight")
    told = page.locator("#tip > div").all_text_contents()
    assert [line for line in told if " px" in line] == [
        "6 px (x8)accuracy in %", "6 px (x9)accuracy in %"
    ]  # fmt: skip
    for scale, lines in ((8, told[1:3]), (9, told[4:6])):
        for line in lines:
            name = "direct" if line.startswith("direct") else "enlarge"
            number = page.locator(f'tr[data-method="{name}"] button[data-scale="{scale}"]')
            assert line.removeprefix(name).split()[0] in number.inner_text()


@pytest.mark.parametrize("word", ["macs", "accuracy:4", "ece", "params"])
def test_the_first_view_is_sorted_as_the_report_is(open_report, factory, tmp_path, word):
    skills = {"aaa": (0.1, 0.8, 0.1), "bbb": (0.9, 0.1, 0.9), "ccc": (0.5, 0.5, 0.5)}
    factory.fill(tmp_path, images=300, seeds=(0,), leaked=20, skills=skills)
    page = open_report(sort_by=word)
    text = (tmp_path / "out" / "leaderboard.md").read_text()
    wanted = re.findall("^[|] [^|]+ [|] [*]*(aaa|bbb|ccc)[*]* [|]", text, re.M)[:3]
    assert rows(page) == wanted
    assert page.evaluate("location.hash") == "", "so a plain address shows it again"
    page.locator('#table [data-sort="rank"]').click()
    by_rank = rows(page)
    assert by_rank != wanted or word == "params"
    page.goto(page.url)
    page.reload()
    assert rows(page) == by_rank, "what was chosen stands in the address"


def test_an_address_is_a_whole_view(open_report, factory, tmp_path):
    factory.fill(tmp_path, images=300, seeds=(0,), leaked=0)
    page = open_report("#scales=2&sort=accuracy:4&order=descending")
    assert page.locator('th[aria-sort="ascending"]').inner_text().startswith("#")
    assert rows(page) == rows(open_report())
    page.select_option("#f-cost", "parameters")
    page.evaluate("location.hash = '#px=12'")
    page.wait_for_function("document.getElementById('need-px').value === '12'")
    assert page.locator("#f-cost").input_value() == "macs"


def test_an_older_browser_keeps_the_address(open_report, factory, tmp_path):
    factory.fill(tmp_path, images=80, seeds=(0,), leaked=0)
    page = open_report()
    page.context.add_init_script("delete URLSearchParams.prototype.size")
    page.reload()
    page.fill("#need-px", "12")
    assert page.evaluate("location.hash") == "#px=12"


def test_of_many_models_at_other_sizes_the_methods_alone_have_names(open_report, factory, tmp_path):
    """Without any method's own line there is no name, and all else is drawn."""
    for number in range(8):
        for trained in (2, 4, 8):
            more = {"method": f"method{number}", "train_scales": [trained]}
            factory.save_hundred(tmp_path, right=50 + number, scale=3, **more)
    page = open_report(resamples=0, pictures="none")
    names = "#chart text.end"
    assert len(rows(page)) == 24 and page.locator(names).count() == 0
    for number in range(8):
        factory.save_hundred(tmp_path, right=50 + number, scale=4, method=f"method{number}")
    page = open_report(resamples=0, pictures="none")
    shown = page.locator(names).evaluate_all("all => all.map((name) => name.dataset.method)")
    assert sorted(shown) == [f"method{number}" for number in range(8)]
    assert page.locator("#cost [data-method]").count() == 8, "each model once"


def test_names_in_pictures_end_inside_them(open_report, factory, tmp_path):
    """However wide their letters are; what is cut ends with three dots, short ones are whole."""
    names = ["W" * 60, "mm-mmmmmmmmm-0.1234567", "iiiiiiiiiiiiiiiiiiiiiiiii", "short"]
    for number, name in enumerate(names):
        for scale in (2, 4):
            factory.save_hundred(tmp_path, right=50 + number, scale=scale, method=name)
    page = open_report(resamples=0, pictures="none")
    for kind in ("#chart text.end", "#cost text.level"):
        shown = page.locator(kind).evaluate_all(
            """all => all.map((each) => [
              [...each.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join(""),
              each.getBoundingClientRect().right
              - each.ownerSVGElement.getBoundingClientRect().right])"""
        )
        said = sorted(text for text, _ in shown)
        assert len(said) == len(names) and all(over <= 0.5 for _, over in shown), shown
        assert said[-1] == "short" and said[-2].endswith("…") and said[-3] == names[2]
