"""report and compare as a user meets them."""

import ast
import subprocess
import sys

import in_process
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from folders import ROOT

from lrfer_bench.cli.compare import compare
from lrfer_bench.cli.report import report
from lrfer_bench.errors import UserError


def run(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def test_report_writes_tables_curves_and_page(bench, tmp_path):
    found = run(
        report,
        "--results",
        bench,
        "--out",
        tmp_path,
        "--resamples",
        100,
        "--pictures",
        "curves",
        "--title",
        "Hand-made",
    )
    assert found.exit_code == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    pictures = [f"{name}.{kind}" for name in ("curves", "curves-clean") for kind in ("png", "svg")]
    assert names == sorted(
        [*pictures, "index.html", *(f"leaderboard.{k}" for k in ("csv", "html", "md", "tex"))]
    )
    table = pd.read_csv(tmp_path / "leaderboard.csv")
    assert len(table) == 4 * 3 + 1
    assert set(table["seeds"]) == {3}
    assert (table["accuracy_low"] < table["accuracy"]).all()
    text = (tmp_path / "leaderboard.md").read_text()
    assert text.startswith("# Hand-made\n")
    assert "370 of 400 test images" in text
    assert "39 finished cells, 0 failed, 0 damaged, 0 holes" in found.output


def test_the_default_place_is_report_in_the_results_folder(factory, tmp_path):
    factory.fill(tmp_path, images=50, seeds=(0,), scales=(4,), skills={"direct": (0.5,)})
    found = run(report, "--results", tmp_path, "--resamples", 0, "--pictures", "none")
    assert (tmp_path / "report" / "leaderboard.csv").is_file()
    assert found.output.splitlines()[-1] == f"Open {tmp_path / 'report' / 'index.html'}"


def test_paths_of_the_command_need_not_be_unicode(factory, tmp_path, monkeypatch):
    """They are shown under the table and on the page."""
    factory.fill(tmp_path, images=50, seeds=(0,), scales=(4,), skills={"direct": (0.5,)})
    monkeypatch.setattr(sys, "argv", ["lrfer-bench", "run", "--data-root", "m\udcfcller"])
    run(report, "--results", tmp_path, "--resamples", 0, "--pictures", "none")
    for name in ("leaderboard.md", "index.html"):
        assert "m\\udcfcller" in (tmp_path / "report" / name).read_text(encoding="utf-8")


def test_damaged_and_failed_records_are_named(factory, tmp_path):
    factory.fill(tmp_path, images=50, seeds=(0,), scales=(4,), skills={"direct": (0.5,)})
    factory.save(tmp_path, method="broken", failure="the loss is NaN in epoch 2")
    (tmp_path / "records" / "cut.json").write_text('{"schema_version": 1')
    found = in_process.lrfer(
        "report", "--results", tmp_path, "--resamples", 100, "--pictures", "none"
    )
    assert "warning: cut.json is not counted: it is not complete JSON" in found.err
    text = (tmp_path / "report" / "leaderboard.md").read_text()
    assert "## Failed" in text
    assert "the loss is NaN in epoch 2" in text
    assert "cut.json is not counted" in text
    assert "2 finished cells, 1 failed, 1 damaged, 1 holes" in found.out


def test_synthetic_is_said_in_every_table(factory, tmp_path):
    factory.fill(
        tmp_path,
        images=60,
        seeds=(0,),
        leaked=6,
        synthetic=True,
        scales=(4,),
        skills={"direct": (0.5,)},
    )
    run(report, "--results", tmp_path, "--resamples", 0, "--pictures", "curves")
    out = tmp_path / "report"
    for name in (
        "leaderboard.md",
        "leaderboard.html",
        "leaderboard.tex",
        "leaderboard.csv",
        "index.html",
        "curves.svg",
    ):
        assert "synthetic" in (out / name).read_text(), name
    assert (out / "leaderboard.md").read_text().count("(synthetic)") == 2


def test_citations_are_those_of_the_methods_shown(bench, tmp_path, monkeypatch):
    from lrfer_bench.contract.cards import MethodCard
    from lrfer_bench.reporting import citations

    texts = {"direct": "@misc{d, title={D}}", "gmenet": "@article{g,\n title={G}}"}
    cards = {name: MethodCard(name, bibtex=text) for name, text in texts.items()}
    monkeypatch.setattr(
        citations,
        "method_cards",
        lambda results: {n: cards[n] for n in sorted({r.method_name for r in results} & {*cards})},
    )
    monkeypatch.setattr(citations, "dataset_cards", lambda names: {})
    options = ["--out", tmp_path, "--resamples", 0, "--pictures", "none", "--citations"]
    run(report, "--results", bench, "--methods", "gmenet", *options)
    assert (tmp_path / "citations.bib").read_text() == "@article{g,\n title={G}}\n"


def test_nothing_to_report_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="holds no records"):
        run(report, "--results", tmp_path)
    with pytest.raises(UserError, match="there is no results folder"):
        run(report, "--results", tmp_path / "no")


def test_compare_prints_a_test_for_each_scale(bench, tmp_path):
    found = run(
        compare,
        "gmenet",
        "bicubic",
        "--results",
        bench,
        "--resamples",
        200,
        "--images",
        tmp_path / "d.csv",
    )
    lines = found.output.splitlines()
    assert lines[0] == "faces · bicubic@1 · preset cpu@1: gmenet minus enlarge"
    assert [line.split()[0] for line in lines[1:7:2]] == ["x2", "x4", "x8"]
    assert "(paired bootstrap, 3 seeds): gmenet is better" in lines[3]
    assert "Corrected: after Holm, over the 3 comparisons above." in found.output
    table = pd.read_csv(tmp_path / "d.csv")
    assert (table["right_a"] != table["right_b"]).all()
    assert set(table["scale"]) == {2, 4, 8}
    assert (
        f"gmenet {int((table[table.scale == 4].right_a > table[table.scale == 4].right_b).sum())},"
        in lines[4]
    )


def test_compare_one_seed_by_hand(factory, tmp_path):
    labels = np.arange(60) % 7
    factory.save(tmp_path, np.arange(60) < 30, labels, method="a")
    factory.save(tmp_path, np.arange(60) < 22, labels, method="b")
    found = run(compare, "a", "b", "--results", tmp_path)
    # 8 images only a has: exact McNemar 2 / 2**8 = 0.008
    assert "p 0.008, corrected 0.008 (McNemar, exact, 1 seed): a is better" in found.output
    assert "right in one only: a 8, b 0 of 60 images" in found.output
    assert "+13.3 points" in found.output


def test_compare_refuses_what_it_cannot_compare(bench, factory, tmp_path):
    with pytest.raises(UserError, match='method "gmnet": did you mean "gmenet"'):
        run(compare, "gmnet", "direct", "--results", bench)
    factory.save(tmp_path, [True] * 9, [0] * 9, method="a", scale=2)
    factory.save(tmp_path, [True] * 9, [0] * 9, method="b", scale=4)
    with pytest.raises(UserError, match="share no data set"):
        run(compare, "a", "b", "--results", tmp_path)


def test_a_report_imports_no_torch(bench, tmp_path):
    code = (
        "import sys\n"
        "from lrfer_bench.cli.report import report\n"
        f"report(['--results', {str(bench)!r}, '--out', {str(tmp_path)!r}, '--resamples', '100',"
        " '--pictures', 'curves',"
        " '--scales', '4'], standalone_mode=False)\n"
        "sys.exit('torch was imported' if {'torch', 'timm'} & set(sys.modules) else 0)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr


def test_the_same_records_give_the_same_bytes(bench, tmp_path):
    for name in ("a", "b"):
        options = [
            "--resamples",
            100,
            "--pictures",
            "curves",
            "--scales",
            4,
            "--methods",
            "direct,gmenet",
        ]
        run(report, "--results", bench, "--out", tmp_path / name, *options)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_names_with_commas_in_their_settings():
    from lrfer_bench.cli.options import label_list

    assert label_list(None, None, ("a,b[x=1,y=2]", " c ")) == ("a", "b[x=1,y=2]", "c")


def test_reporting_rests_on_these_rooms_only():
    """No planning, running or training, also not inside a function: a report reads records."""
    allowed = {"reporting", "scoring", "store", "contract", "errors", "files", "plugins"}
    for path in (ROOT / "lrfer_bench" / "reporting").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                room = name.split(".")[1] if name.startswith("lrfer_bench.") else ""
                assert not room or room in allowed, f"{path}:{node.lineno} imports {name}"
                assert not name.startswith(("torch", "timm")), f"{path}:{node.lineno}"


def test_compare_takes_the_line_of_a_method_s_own_sizes(factory, tmp_path):
    """A model of x4 that was tested at x2, too, does not stand for the method where x8 failed."""
    labels = np.arange(400) % 7
    for scale, right in ((2, 300), (4, 280)):
        factory.save(tmp_path, np.arange(400) < right, labels, scale=scale)
    factory.save(tmp_path, None, method="direct", scale=8, failure="it failed")
    for scale in (2, 8):
        factory.save(tmp_path, np.arange(400) < 150, labels, scale=scale, train_scales=[4])
    for scale in (2, 4, 8):
        factory.save(tmp_path, np.arange(400) < 260, labels, scale=scale, method="multires")
    found = run(compare, "direct", "multires", "--results", tmp_path)
    assert "x2   +10.0 points" in found.output and "\n  x8" not in found.output
    assert "is better" not in found.output.replace("direct is better", "")


def test_compare_says_which_of_several_lines_it_took(factory, tmp_path):
    labels = np.arange(400) % 7
    for scale in (2, 4):
        other = 4 if scale == 2 else 2
        factory.save(tmp_path, np.arange(400) < 150, labels, scale=scale, train_scales=[other])
        factory.save(tmp_path, np.arange(400) < 260, labels, scale=scale, method="b")
    found = run(compare, "direct", "b", "--results", tmp_path)
    assert "note: faces" in found.output and "there is" in found.output


def test_compare_meets_rows_that_train_nothing_once(factory, tmp_path):
    """They stand on the board of each training protocol, with the same numbers."""
    labels = np.arange(400) % 7
    for protocol in ("bicubic@1", "area@1"):
        factory.save(
            tmp_path, np.arange(400) < 300, labels, protocol=protocol, test_protocol="bicubic@1"
        )
    for method, right in (("enlarge", 200), ("other", 250)):
        factory.save(
            tmp_path, np.arange(400) < right, labels, method=method, train_scales=[1],
            protocol="hr", test_protocol="bicubic@1",
        )  # fmt: skip
    found = run(compare, "enlarge", "other", "--results", tmp_path)
    assert "Corrected: after Holm, over the 1 comparison above." in found.output
    assert "trained on" not in found.output
