"""Markdown, HTML and LaTeX: what they escape, what they mark, and the whole of a small table."""

from html.parser import HTMLParser

import pytest

from lrfer_bench.reporting.grid import Grid
from lrfer_bench.reporting.values import Text
from lrfer_bench.reporting.writers import (
    html,
    html_page,
    latex,
    latex_text,
    markdown,
    markdown_text,
)

EVIL = "<script>alert(1)</script>|a_b*c`d`$x^2$%\n# no heading"

GRID = Grid(
    "faces · bicubic@1",
    ["#", "Method", "x4 (12 px)"],
    [
        [Text("1"), Text("ours", best=True), Text("56.2", "[54.6, 57.8]", best=True)],
        [Text("–"), Text("theirs"), Text("failed", hole=True)],
    ],
    [[Text("–"), Text("oracle"), Text("65.1")]],
    ["One seed."],
)


def test_markdown_in_full():
    assert markdown(GRID) == (
        "## faces · bicubic@1\n\n"
        "| \\# | Method | x4 (12 px) |\n"
        "| --- | --- | ---: |\n"
        "| 1 | **ours** | **56.2** \\[54.6, 57.8\\] |\n"
        "| – | theirs | *failed* |\n"
        "|  |  |  |\n"
        "| – | oracle | 65.1 |\n\n"
        "One seed.\n"
    )


def test_latex_in_full():
    assert latex(GRID) == "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            r"\caption{faces \textperiodcentered{} bicubic@1. One seed.}",
            r"\resizebox{\linewidth}{!}{%",
            r"\begin{tabular}{llr}",
            r"\toprule",
            r"\# & Method & x4 (12 px) \\",
            r"\midrule",
            r"1 & \textbf{ours} & \textbf{56.2} {\scriptsize [54.6, 57.8]} \\",
            r"-- & theirs & \emph{failed} \\",
            r"\midrule",
            r"-- & oracle & 65.1 \\",
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
            "",
        ]
    )


def test_html_in_full():
    assert str(html(GRID)) == (
        "<table>\n<caption>faces · bicubic@1</caption>\n"
        '<thead><tr><th scope="col">#</th><th scope="col">Method</th>'
        '<th scope="col">x4 (12 px)</th></tr></thead>\n'
        '<tbody>\n<tr><td>1</td><th scope="row"><b>ours</b></th>'
        "<td><b>56.2</b> <small>[54.6, 57.8]</small></td></tr>\n"
        '<tr><td>–</td><th scope="row">theirs</th><td><i>failed</i></td></tr>\n</tbody>\n'
        '<tbody>\n<tr><td>–</td><th scope="row">oracle</th><td>65.1</td></tr>\n</tbody>\n'
        "</table>\n<p>One seed.</p>\n"
    )


def test_markup_in_a_name_stays_text_in_html():
    class Tags(HTMLParser):
        def __init__(self):
            super().__init__()
            self.tags, self.text = set(), ""

        def handle_starttag(self, tag, attrs):
            self.tags.add(tag)

        def handle_data(self, data):
            self.text += data

    parser = Tags()
    parser.feed(html_page([Grid(EVIL, ["Method"], [[Text(EVIL, best=True)]], [], [EVIL])], EVIL))
    assert "script" not in parser.tags
    assert parser.text.count("<script>alert(1)</script>") == 4


def test_markup_in_a_name_stays_text_in_markdown():
    assert (
        markdown_text(EVIL)
        == "\\<script\\>alert(1)\\</script\\>\\|a\\_b\\*c\\`d\\`$x^2$% \\# no heading"
    )
    table = markdown(Grid("t", ["Method"], [[Text(EVIL)]]))
    assert len(table.splitlines()) == 5


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a_b", r"a\_b"),
        ("50 %", r"50 \%"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("a&b#c$d", r"a\&b\#c\$d"),
        ("x^2~y", r"x\textasciicircum{}2\textasciitilde{}y"),
        ("≤ 6", r"$\leq$ 6"),
        ("> 24", r"$>$ 24"),
        ('a|b "q"', r"a\textbar{}b \char34{}q\char34{}"),
        ("---", "-{}-{}-"),
    ],
)
def test_latex_escapes(text, printed):
    assert latex_text(text) == printed


def test_an_option_keeps_both_its_hyphens_in_latex():
    assert latex_text("see --partial – 50 %") == r"see -{}-partial -- 50 \%"
