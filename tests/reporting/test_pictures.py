"""Pictures: they are drawn, they hold what they should, and odd records do not stop them."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from lrfer_bench.errors import UserError
from lrfer_bench.reporting import counts, curves, matrices, sheet
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.draw import plain
from lrfer_bench.reporting.pictures import picture_jobs, write_pictures


@pytest.fixture(scope="module")
def made(bench):
    return collect([bench], Options(resamples=100))


def texts(figure):
    found = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    return [text for text in found if text]


def test_panels_without_room_are_said(made):
    boards = [made.boards[0]] * 30
    said = "6 more panels are not drawn"
    assert said in " ".join(texts(curves.curves(boards, made.looks))).replace("\n", " ")
    cost = texts(curves.pareto(boards, made.looks, "macs"))
    assert "66 more panels are not drawn" in " ".join(cost).replace("\n", " ")
    assert not any("not drawn" in text for text in texts(curves.curves(boards[:24], made.looks)))


def test_curves_have_a_line_a_method_and_the_oracle(made):
    figure = curves.curves(made.boards, made.looks)
    axes = figure.axes[0]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    lines = [e.label for e in made.boards[0].ranked]
    guessing = ["always the most frequent class", "guessing"]
    assert labels == [*lines, "oracle (sees HR)", *guessing]
    values = {tuple(line.get_xdata()) for line in axes.get_lines()}
    assert (6, 12, 24) in values
    direct = next(e for e in made.boards[0].lines if e.label == "direct")
    expected = [direct.rows[s].accuracy.value for s in (8, 4, 2)]
    assert any(
        np.allclose(line.get_ydata(), expected)
        for line in axes.get_lines()
        if len(line.get_ydata()) == 3
    )


@pytest.mark.parametrize(("methods", "named"), [(6, True), (7, False)])
def test_many_models_at_sizes_not_trained_for_have_one_name_for_all(
    factory, tmp_path, methods, named
):
    labels = np.arange(70) % 7
    for number in range(methods):
        for scale in (2, 3):
            right = np.arange(70) < 30 + number
            name = f"method{number}"
            factory.save(tmp_path, right, labels, method=name, scale=scale, train_scales=[2])
    report = collect([tmp_path], Options(resamples=0))
    figure = curves.curves(report.boards, report.looks)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("at sizes not trained for" in legend) is not named
    assert any("trained at x2" in label for label in legend) is named
    drawn = [line for line in figure.axes[0].get_lines() if tuple(line.get_xdata()) == (16, 24)]
    assert len(drawn) == methods


def test_a_confusion_sheet_has_shares_of_the_true_class(made):
    board = made.boards[0]
    row = board.lines[0].rows[4]
    shares = counts.shares(row)
    assert np.allclose(shares.sum(axis=1), 1)
    assert counts.confusion(row).sum() == 3 * 400
    assert np.trace(counts.confusion(row)) / 1200 == pytest.approx(row.accuracy.value)
    assert len(matrices.confusion_sheet(board).axes) == 5 * 3


def test_recall_is_the_diagonal(made):
    row = made.boards[0].lines[0].rows[4]
    means = [counts.class_recall(row, k) for k in range(7)]
    assert np.allclose(means, np.diag(counts.shares(row)))


def test_a_class_that_the_test_lacks_has_no_recall_and_no_share(factory, tmp_path):
    factory.save(tmp_path, [True] * 12, [k % 3 for k in range(12)])
    row = collect([tmp_path], Options(resamples=0)).rows[0]
    assert counts.class_recall(row, 6) is None
    assert np.isnan(counts.shares(row)[6]).all()
    matrices.confusion_sheet(collect([tmp_path], Options(resamples=0)).boards[0])


def test_every_picture_is_written_also_with_holes_and_odd_names(factory, tmp_path):
    world = factory.World(60, leaked=5, classes=("a", "b", "c"))
    for name in ("direct", "other"):
        world.save(tmp_path, 0.5, method=name)
    odd = {"method": "odd", "settings": {"_$x$": "<b>"}, "classes": ("a", "b", "c")}
    factory.save(tmp_path, failure="the loss is NaN", **odd)
    report = collect([tmp_path], Options(resamples=100))
    jobs = picture_jobs(report.boards, report.looks, everything=True)
    files = write_pictures(jobs, tmp_path / "out")
    # curves, two of costs and four of a board, each on both tracks, and learning
    assert len(files) == 2 * (2 * (1 + 2 + 4) + 1)
    assert all(path.stat().st_size > 5000 for path in files)


def test_only_failed_cells_give_no_pictures(factory, tmp_path):
    factory.save(tmp_path, failure="no")
    report = collect([tmp_path], Options(resamples=100))
    assert picture_jobs(report.boards, report.looks, everything=True) == []


def test_the_pareto_front_by_hand():
    points = [(3, 0.5), (1, 0.3), (2, 0.6), (2, 0.4), (5, 0.6), (6, 0.7)]
    assert curves.pareto_front(points) == [(1, 0.3), (2, 0.6), (6, 0.7)]


def test_names_are_drawn_as_they_are():
    assert plain("a$b$") == r"a\$b\$"
    assert not plain("_hidden").startswith("_")


def test_psnr_by_hand():
    a = np.zeros((1, 8, 8), dtype=np.uint8)
    assert sheet.psnr(a, a) == float("inf")
    assert sheet.psnr(a, a + 255) == pytest.approx(0.0)
    assert sheet.psnr(a, a + 1) == pytest.approx(20 * np.log10(255))


def test_ssim_against_a_plain_loop():
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 256, (1, 9, 10), dtype=np.uint8) for _ in "ab")
    values = []
    for i in range(3):
        for j in range(4):
            x, y = (image[0, i : i + 7, j : j + 7].astype(float).ravel() for image in (a, b))
            covariance = np.cov(x, y, ddof=1)
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            top = (2 * x.mean() * y.mean() + c1) * (2 * covariance[0, 1] + c2)
            values.append(
                top
                / (
                    (x.mean() ** 2 + y.mean() ** 2 + c1)
                    * (covariance[0, 0] + covariance[1, 1] + c2)
                )
            )
    assert sheet.ssim(a, b) == pytest.approx(np.mean(values))
    assert sheet.ssim(a, a) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="smaller than the window"):
        sheet.ssim(a[:, :5], b[:, :5])


def test_ssim_of_plain_faces_by_hand():
    """Without contrast only the term of the means is left: (2 a b + c1) / (a^2 + b^2 + c1)."""
    a, b = np.full((3, 8, 8), 100, np.uint8), np.full((3, 8, 8), 120, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert sheet.ssim(a, b) == pytest.approx((2 * 100 * 120 + c1) / (100**2 + 120**2 + c1))


def test_a_sheet_of_faces_needs_leave_to_show_them():
    rng = np.random.default_rng(0)
    hr = rng.integers(0, 255, (2, 1, 24, 24), dtype=np.uint8)
    low = {"bicubic@1": {2: hr[:, :, ::2, ::2], 4: hr[:, :, ::4, ::4]}}
    with pytest.raises(UserError, match="say --show-faces"):
        sheet.sheet(hr, low, title="faces", showable=False)
    figure = sheet.sheet(
        hr, low, {"sr of bicubic@1": {4: hr + 1}}, title="faces", showable=True, synthetic=True
    )
    assert len(figure.axes) == 2 * 3
    shown = texts(figure)
    assert "faces (synthetic faces)" in shown
    assert {
        "bicubic@1",
        "sr\nof bicubic@1",
        "HR, 24 px",
        "x2, 12 px",
        "x4, 6 px",
        "no model",
    } <= set(shown)
    assert [text for text in shown if "dB" in text] == ["48.1 dB, SSIM 1.00"]
    assert [len(axes.images) for axes in figure.axes] == [2, 2, 2, 2, 0, 2]
    assert np.array_equal(figure.axes[2].images[1].get_array(), hr[1, 0, ::4, ::4])


def test_a_sheet_of_faces_that_are_smaller_than_the_window_or_in_colour():
    hr = np.zeros((1, 3, 6, 5), np.uint8)
    figure = sheet.sheet(
        hr, {"area@1": {2: hr[:, :, ::2, ::2]}}, {"sr": {2: hr}}, title="faces", showable=True
    )
    shown = texts(figure)
    assert (
        "inf dB" in shown
        and "faces" in shown
        and not any("synthetic" in text or "SSIM" in text for text in shown)
    )
    assert figure.axes[1].images[0].get_array().shape == (3, 3, 3)


def test_a_legend_has_room_for_all_its_names_and_leaves_the_panels_theirs(factory, tmp_path):
    labels = np.arange(70) % 7
    for number in range(40):
        settings = {"a_setting_with_a_long_name": 1.5 + number, "and_another_one_of_it": "identity"}
        factory.save(tmp_path, np.arange(70) < 30, labels, method="gmenet", settings=settings)
    report = collect([tmp_path], Options(resamples=0))
    for draw in (curves.curves, lambda *two: curves.pareto(*two, "macs")):
        figure = draw(report.boards, report.looks)
        FigureCanvasAgg(figure).draw()
        legend, panel = figure.legends[0].get_window_extent(), figure.axes[0].get_window_extent()
        assert legend.y0 >= 0 and len(figure.legends[0].get_texts()) >= 40
        assert len({text.get_text() for text in figure.legends[0].get_texts()[:40]}) == 40
        assert panel.x1 <= legend.x0 and panel.width > 0.25 * figure.bbox.width
