"""Grids as Markdown, HTML and LaTeX."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from lrfer_bench.reporting.columns import METHOD
from lrfer_bench.reporting.grid import Grid
from lrfer_bench.reporting.values import Text

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#])")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "|": r"\textbar{}", '"': r"\char34{}",
    "·": r"\textperiodcentered{}", "≤": r"$\leq$", "<": r"$<$", ">": r"$>$",
}  # fmt: skip


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is, on one line; markup inside it stays text."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def markdown(grid: Grid, level: int = 2) -> str:
    """A heading, a pipe table, rows set apart below an empty one, and notes."""
    lines = [
        f"{'#' * level} {markdown_text(grid.title)}",
        "",
        *([*(f"{markdown_text(text)}  " for text in grid.lead), ""] if grid.lead else []),
        _md_line([Text(h) for h in grid.heads]),
    ]
    lines.append(
        "|"
        + "|".join(" --- " if k <= _name_column(grid) else " ---: " for k in range(len(grid.heads)))
        + "|"
    )
    lines += [_md_line(line) for line in grid.lines]
    if grid.apart:
        lines.append(_md_line([Text("")] * len(grid.heads)))
        lines += [_md_line(line) for line in grid.apart]
    lines += ["", *(f"{markdown_text(note)}  " for note in grid.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _md_line(cells: list[Text]) -> str:
    return "| " + " | ".join(_md_cell(cell) for cell in cells) + " |"


def _md_cell(cell: Text) -> str:
    text = markdown_text(cell.text)
    if cell.hole:
        return f"*{text}*"
    text = f"**{text}**" if cell.best else text
    return f"{text} {markdown_text(cell.interval)}" if cell.interval else text


def html(grid: Grid) -> Markup:
    """A <table> without styles, to paste into a page; all texts escaped."""
    parts = [Markup("<table>\n<caption>{}</caption>\n<thead><tr>").format(grid.title)]
    parts += [Markup('<th scope="col">{}</th>').format(name) for name in grid.heads]
    parts.append(Markup("</tr></thead>\n"))
    for body in (grid.lines, grid.apart):
        if body:
            parts += [
                Markup("<tbody>\n"),
                *(_html_line(line, _name_column(grid)) for line in body),
                Markup("</tbody>\n"),
            ]
    parts.append(Markup("</table>\n"))
    parts += [Markup("<p>{}</p>\n").format(note) for note in grid.notes]
    return Markup("").join(parts)


def _html_line(cells: list[Text], name: int) -> Markup:
    out = Markup("<tr>")
    for k, cell in enumerate(cells):
        text = Markup("<b>{}</b>").format(cell.text) if cell.best else escape(cell.text)
        text = Markup("<i>{}</i>").format(text) if cell.hole else text
        if cell.interval:
            text += Markup(" <small>{}</small>").format(cell.interval)
        out += Markup('<th scope="row">{}</th>' if k == name else "<td>{}</td>").format(text)
    return out + Markup("</tr>\n")


def html_page(grids: list[Grid], title: str) -> str:
    """leaderboard.html: the bare tables in a document of their own."""
    head = Markup(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<title>{}</title></head><body>\n"
    )
    return str(
        Markup("").join(
            [head.format(title), *(html(grid) for grid in grids), Markup("</body></html>\n")]
        )
    )


def latex_text(text: str) -> str:
    """Text that LaTeX prints as it is."""
    printed = "".join(_LATEX.get(c, c) for c in " ".join(text.split()))
    return re.sub("-(?=-)", "-{}", printed).replace("–", "--")  # of an option: no dash


def latex(grid: Grid) -> str:
    """A booktabs table, best and its ties in bold; needs \\usepackage{booktabs,graphicx}."""
    name = _name_column(grid)
    columns = "".join("l" if k <= name else "r" for k in range(len(grid.heads)))
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(' '.join([grid.title + '.', *grid.notes]))}}}",
    ]
    lines += [r"\resizebox{\linewidth}{!}{%", rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines.append(" & ".join(latex_text(h) for h in grid.heads) + r" \\")
    for body in (grid.lines, grid.apart):
        if body:
            lines.append(r"\midrule")
            lines += [" & ".join(_tex_cell(cell) for cell in line) + r" \\" for line in body]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", r"\end{table}", ""])


def _tex_cell(cell: Text) -> str:
    text = latex_text(cell.text)
    text = rf"\textbf{{{text}}}" if cell.best else text
    text = rf"\emph{{{text}}}" if cell.hole else text
    return rf"{text} {{\scriptsize {latex_text(cell.interval)}}}" if cell.interval else text


def _name_column(grid: Grid) -> int:
    return grid.heads.index(METHOD) if METHOD in grid.heads else 0
