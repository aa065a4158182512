"""The critical-difference diagram: over data sets, never over scales, only of what is finished."""

import numpy as np
import pytest

from lrfer_bench.reporting import critical, pictures
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.palette import looks

LABELS = np.arange(40) % 7
NAMES = "abcdef"


def save(factory, root, method, right, **fields):
    """A cell with that many of 40 faces right."""
    factory.save(root, np.arange(40) < right, LABELS, method=method, **fields)


@pytest.fixture(scope="module")
def six(factory, tmp_path_factory):
    """On six data sets the order is always m0, m1, m2, m3; m4 is missing on one."""
    root = tmp_path_factory.mktemp("six")
    for place, dataset in enumerate(NAMES):
        for rank in range(4):
            save(factory, root, f"m{rank}", 38 - 3 * rank - place, dataset=dataset)
        save(factory, root, "oracle", 40, dataset=dataset, kind="oracle", protocol="hr", scale=1)
        if dataset != "f":
            save(factory, root, "m4", 39, dataset=dataset)
    return root


def boards(root):
    return collect([root], Options(resamples=0)).boards


def texts(figure):
    found = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    return [text for text in found if text]


def test_ranks_by_hand(six):
    (found,) = critical.across(boards(six))
    assert found.methods == ("m0", "m1", "m2", "m3") and found.test.ranks == (1, 2, 3, 4)
    assert (found.test.datasets, found.left_out) == (6, 1)
    assert found.test.difference == pytest.approx(2.569 * np.sqrt(4 * 5 / 36), abs=1e-3)  # 1.91
    assert found.test.groups == [(0, 1), (1, 2), (2, 3)]


def test_a_model_that_stands_in_two_lines_is_one_method(factory, tmp_path):
    for place, dataset in enumerate(NAMES):
        for rank in range(4):
            save(factory, tmp_path, f"m{rank}", 38 - 3 * rank - place, dataset=dataset)
        save(factory, tmp_path, "m0", 20, dataset=dataset, scale=3, train_scales=[4])
    (found,) = critical.across(boards(tmp_path))
    assert found.methods == ("m0", "m1", "m2", "m3") and found.test.ranks == (1, 2, 3, 4)


def test_the_diagram_says_what_it_is(six, tmp_path):
    (found,) = critical.across(boards(six))
    figure = critical.diagram(found, looks(found.methods))
    shown = texts(figure)
    assert {"m0  1.00", "m1  2.00", "m2  3.00", "m3  4.00", "critical difference 1.91"} <= set(
        shown
    )
    title = " ".join(" ".join(shown).split())
    assert "6 data sets · bicubic@1 · preset cpu@1; 1 method is not finished on all" in title
    assert "p < 0.001" in title and "Nemenyi" in title
    bars = [line for line in figure.axes[0].get_lines() if line.get_linewidth() == 3.5]
    assert [[round(x, 2) for x in bar.get_xdata()] for bar in bars] == [
        [0.95, 2.05],
        [1.95, 3.05],
        [2.95, 4.05],
    ]


def test_it_is_among_the_pictures(six):
    own = looks([f"m{k}" for k in range(5)])
    names = [job.name for job in pictures.picture_jobs(boards(six), own, everything=True)]
    assert [name for name in names if "critical" in name] == ["critical-bicubic1-bicubic1-cpu1-x4"]
    few = pictures.picture_jobs(boards(six), own, everything=False)
    assert [job.name for job in few] == ["curves"]


def test_without_a_difference_all_are_one_group(factory, tmp_path):
    for k, dataset in enumerate(NAMES):
        for rank in range(3):
            save(factory, tmp_path, f"m{rank}", 30 + (rank + k) % 3, dataset=dataset)
    (found,) = critical.across(boards(tmp_path))
    assert found.test.ranks == (2, 2, 2) and found.test.p == 1 and len(found.test.groups) == 1
    shown = " ".join(texts(critical.diagram(found, looks(found.methods))))
    assert (
        "it finds no difference" in " ".join(shown.split()) and "critical difference" not in shown
    )


def test_never_over_the_scales_or_protocols_of_one_data_set_nor_with_too_few(
    factory, six, tmp_path
):
    for scale in (2, 3, 4, 6, 8):
        for protocol in ("bicubic@1", "camera@1"):
            for rank in range(3):
                save(factory, tmp_path, f"m{rank}", 30 - rank, scale=scale, protocol=protocol)
    assert list(critical.across(boards(tmp_path))) == []
    assert list(critical.across([board for board in boards(six) if board.dataset in "abcd"])) == []
    assert (
        len(list(critical.across([board for board in boards(six) if board.dataset in "abcde"])))
        == 1
    )


def test_two_versions_of_a_data_set_do_not_count_as_two(factory, tmp_path):
    for dataset in NAMES[:4]:
        for rank in range(3):
            save(factory, tmp_path, f"m{rank}", 30 - rank, dataset=dataset)
    for version in "12":
        for rank in range(3):
            save(factory, tmp_path, f"m{rank}", 30 - rank, dataset="e", fingerprint=version * 64)
    assert len(boards(tmp_path)) == 6 and list(critical.across(boards(tmp_path))) == []


def test_unlike_boards_are_not_put_together(factory, tmp_path):
    for k, dataset in enumerate(NAMES):
        for rank in range(3):
            save(factory, tmp_path, f"m{rank}", 30 - rank, dataset=dataset, scale=4 if k < 3 else 8)
    assert list(critical.across(boards(tmp_path))) == []
