"""Latencies: what was measured on what, and what is not sorted by."""

from __future__ import annotations

import made_records
import pytest

from lrfer_bench.reporting import columns, curves, lookup, timing, values
from lrfer_bench.reporting.collect import Options, collect

ALONE = {"processor": "Chip", "latency_alone": "yes", "latency_threads": "2"}
GPU = {"processor": "Chip", "gpu": "Card", "latency_alone": "yes"}


@pytest.fixture
def board(factory, tmp_path, monkeypatch):
    def make(*environments):
        for k, told in enumerate(environments):
            monkeypatch.setattr(made_records, "ENVIRONMENT", told)
            factory.save(tmp_path, [True] * (40 - k) + [False] * (20 + k), [0, 1, 2] * 20,
                         method=f"m{k}", cost={"latency_ms": 9.0 - 2 * k})  # fmt: skip
        return collect([tmp_path], Options(resamples=100)).boards[0]

    return make


def head(board):
    return next(c.head for c in lookup.in_table(columns.COLUMNS, board) if c.name == "latency_ms")


def order(board):
    return [line.label for line in lookup.ordered(board, "latency_ms", columns.COLUMNS)]


def fronts(board):
    figure = curves.pareto([board], {f"m{k}": made_look() for k in range(3)}, "latency_ms")
    return [line for line in figure.axes[0].get_lines() if line.get_drawstyle() == "steps-post"]


def made_look():
    from lrfer_bench.reporting.palette import Look

    return Look("#000000", "o")


def test_measured_alike_and_alone_they_are_sorted_by_and_form_a_front(board):
    found = board(ALONE, ALONE, ALONE)
    assert head(found) == "Latency (Chip · 2 threads · batch 1)"
    assert order(found) == ["m2", "m1", "m0"]
    assert len(fronts(found)) == 1 and "Latencies" not in timing.note(found)


@pytest.mark.parametrize(
    ("environments", "said"),
    [
        ([{"processor": "Chip"}] * 3, "Latency (Chip · batch 1 · beside other work)"),
        ([ALONE, ALONE, GPU], "Latency (batch 1, hardware or load differ)"),
        ([ALONE, ALONE, {"processor": "Chip"}], "Latency (batch 1, hardware or load differ)"),
    ],
)
def test_under_other_load_or_hardware_they_are_neither(board, environments, said):
    found = board(*environments)
    assert head(found) == said
    assert order(found) == [line.label for line in found.lines], "the order of the ranks"
    assert fronts(found) == [] and "they form no front" in timing.note(found)


def test_under_another_torch_they_do_not_compare(board):
    one, two = ({**ALONE, "latency_torch": version} for version in ("2.14.1", "1.13.0"))
    assert head(board(one, one)) == "Latency (torch 2.14.1 · Chip · 2 threads · batch 1)"
    found = board(one, two)
    assert not timing.comparable(found) and "the same version of torch" in timing.note(found)


def test_a_torch_that_is_not_told_is_like_itself_only(board):
    assert timing.comparable(board(ALONE, ALONE))
    assert not timing.comparable(board(ALONE, {**ALONE, "latency_torch": "2.14.1"}))


def test_training_times_under_another_torch_do_not_compare():
    told = {"training_alone": "yes", "training_device": "Chip", "training_threads": "1"}
    said = []
    for more in ({}, {"training_torch": "2.14.1"}):
        record = made_records.make_record(failure="-").model_copy(
            update={"environment": {**told, **more}}
        )
        said.append(timing._trained_under(record))
    assert said == [
        "Chip · 1 thread · by a few steps alone",
        "torch 2.14.1 · Chip · 1 thread · by a few steps alone",
    ]


@pytest.mark.parametrize("name", ["latency_weights", "onnx_weights"])
def test_that_a_network_had_new_weights_is_said_under_the_table(board, name):
    assert "new weights" not in timing.note(board(ALONE, ALONE))
    assert "new weights" in timing.note(board(ALONE, {**ALONE, name: "new"}))


def test_a_gpu_stands_in_the_head(board):
    assert head(board(GPU, GPU)) == "Latency (Card · batch 1)"


ONNX = {**ALONE, "onnx_device": "Chip", "onnx_threads": "1", "onnx_alone": "yes",
        "onnx_runtime": "1.20.0"}  # fmt: skip


@pytest.fixture
def exported(factory, tmp_path, monkeypatch):
    """A board of three methods; of some the exported model was measured, under any conditions."""

    def make(*conditions):
        for k, told in enumerate(conditions):
            monkeypatch.setattr(made_records, "ENVIRONMENT", told or ALONE)
            price = {"onnx_latency_ms": 5.0 - k} if told else {}
            factory.save(tmp_path, [True] * (40 - k) + [False] * (20 + k), [0, 1, 2] * 20,
                         method=f"m{k}", cost=price)  # fmt: skip
        return collect([tmp_path], Options(resamples=100)).boards[0]

    return make


def onnx_column(board):
    found = lookup.in_table(columns.COLUMNS, board)
    return next((column for column in found if column.name == "onnx_latency_ms"), None)


def test_exported_models_have_a_column_of_their_own(exported):
    found = exported(ONNX, ONNX, ONNX)
    column = onnx_column(found)
    assert column.head == "ONNX latency (onnxruntime 1.20.0 · Chip · 1 thread · batch 1)"
    assert [column.cell(found, line).text for line in found.lines] == [
        "5.00 ms", "4.00 ms", "3.00 ms",
    ]  # fmt: skip
    assert [line.label for line in lookup.ordered(found, "onnx_latency_ms", columns.COLUMNS)] == [
        "m2", "m1", "m0",
    ]  # fmt: skip
    names = [column.name for column in lookup.in_table(columns.COLUMNS, found)]
    assert names.index("onnx_latency_ms") == names.index("latency_ms") + 1


def test_an_exported_model_that_was_not_measured_is_a_hole_and_none_is_no_column(exported):
    found = exported(ONNX, None, ONNX)
    column = onnx_column(found)
    assert [column.cell(found, line).text for line in found.lines] == ["5.00 ms", "–", "3.00 ms"]
    assert [line.label for line in lookup.ordered(found, "onnx_latency_ms", columns.COLUMNS)] == [
        "m2", "m0", "m1",
    ]  # fmt: skip


def test_none_measured_is_no_column(exported):
    assert onnx_column(exported(None, None)) is None


@pytest.mark.parametrize("other", [
    {"onnx_runtime": "1.19.0"}, {"onnx_alone": ""}, {"onnx_threads": "2"}, {"onnx_device": "C"},
])  # fmt: skip
def test_exported_models_under_other_conditions_are_not_sorted_by(exported, other):
    found = exported(ONNX, {**ONNX, **other})
    assert onnx_column(found).head == "ONNX latency (batch 1, hardware or load differ)"
    assert [line.label for line in lookup.ordered(found, "onnx_latency_ms", columns.COLUMNS)] == [
        line.label for line in found.lines
    ]


def test_an_unfinished_line_has_no_training_time(save, factory):
    """A part of its models would look quicker than all of them."""
    root = save("kd", 200, scale=2)
    for scale in (2, 4, 8):
        save("direct", 300, scale=scale)
    for scale in (4, 8):
        factory.save(root, method="kd", scale=scale, failure="no memory")

    def seconds(**options):
        (board,) = collect([root], Options(resamples=0, **options)).boards
        return {line.label: values.training_seconds(line) for line in board.lines}

    assert seconds() == {"direct": 1800.0, "kd": None}
    assert seconds(partial=True)["kd"] is None
    save("fskd", 200, scale=2)
    save("fskd", 200, scale=4, seed=1)
    save("fskd", 200, scale=8)
    assert seconds(partial=True)["fskd"] is None, "no seed is whole"
