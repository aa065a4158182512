"""A model that exists already: its answers in the data set's order, and what it may not answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made import tiny_preset
from torch import nn

from lrfer_bench.contract.method import Task
from lrfer_bench.errors import CellError, UserError
from lrfer_bench.nets.existing import Existing, columns_of, takes_weights
from lrfer_bench.nets.weights import fill_exactly
from lrfer_bench.plugins.contents import remember

NAMES = ("angry", "happy", "sad")


def existing(thing: Any, names: Sequence[str] = (), weights: str = "") -> Existing:
    kind = type("Model", (Existing,), {"stands_for": staticmethod(thing), "declared": tuple(names)})
    task = Task(3, 1, (8, 8), (2,), tiny_preset(), class_names=NAMES)
    return kind(task, weights=weights)  # type: ignore[no-any-return]


def faces(count: int = 2) -> torch.Tensor:
    return torch.zeros(count, 1, 4, 4, dtype=torch.uint8)


def answering(answer: Any, **words: Any) -> Any:
    """A function that makes a model with one answer for every face."""

    def make() -> Any:
        class Model:
            seen: list[torch.Tensor] = []

            def __call__(self, faces: torch.Tensor) -> Any:
                self.seen.append(faces)
                return answer(faces)

        for word, value in words.items():
            setattr(Model, word, value)
        return Model()

    return make


def rows(*numbers: float) -> Any:
    return lambda faces: torch.tensor([numbers] * len(faces))


@pytest.mark.parametrize(
    ("names", "wanted", "columns"),
    [
        (["a", "b"], ["b", "a"], [1, 0]),
        (["Happiness", "fearful", "Anger"], ["angry", "happy", "fear"], [2, 0, 1]),
        (["sad", "sadness"], ["sadness", "sad"], [1, 0]),
    ],
)
def test_columns_go_by_name_then_by_meaning(
    names: list[str], wanted: list[str], columns: list[int]
) -> None:
    assert columns_of("Net", names, wanted) == columns


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["angry", "happy"], r"answers 2 classes \(angry, happy\), but the data set has 3"),
        (["angry", "happy", "tired"], "are not those of the data set"),
        (["angry", "anger", "sad"], "are not those of the data set"),
        (["sad", "sad", "sad"], "are not those of the data set"),
    ],
)
def test_other_classes_are_a_sentence(names: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        columns_of("Net", names, NAMES)


def test_logits_come_in_the_order_of_the_data_set() -> None:
    model = existing(answering(rows(1.0, 2.0, 3.0), classes=("sad", "anger", "joy")))
    assert model(faces()).tolist() == [[2.0, 3.0, 1.0]] * 2
    assert existing(answering(rows(1, 2, 3)), NAMES[::-1])(faces()).tolist() == [[3, 2, 1]] * 2


def test_two_orders_of_the_same_classes_are_a_sentence_and_two_spellings_are_none() -> None:
    said = answering(rows(1.0, 2.0, 3.0), classes=("sad", "anger", "joy"))
    with pytest.raises(UserError, match="are angry, happy, sad by --classes, but sad, anger, joy"):
        existing(said, NAMES)
    assert existing(said, ("sadness", "angry", "happy"))(faces(1)).tolist() == [[2.0, 3.0, 1.0]]
    for other in (("cat", "dog", "cow"), 3, (1, 2, 3), ()):
        net = existing(answering(rows(1.0, 2.0, 3.0), classes=other), NAMES[::-1])
        assert net(faces(1)).tolist() == [[3.0, 2.0, 1.0]]


def test_probabilities_become_their_logarithms() -> None:
    make = answering(rows(0.25, 0.75, 0.0), classes=NAMES, answers="probabilities")
    (logits,) = existing(make)(faces(1)).tolist()
    assert logits[:2] == pytest.approx([math.log(0.25), math.log(0.75)])
    assert math.isfinite(logits[2]) and logits[2] < -20
    assert torch.tensor(logits).softmax(0).tolist() == pytest.approx([0.25, 0.75, 0], abs=1e-6)


def test_numpy_and_half_precision_are_welcome() -> None:
    by_numpy = answering(lambda f: np.ones((len(f), 3), np.float64), classes=NAMES)
    half = answering(lambda f: torch.ones(len(f), 3, dtype=torch.float16), classes=NAMES)
    for make in (by_numpy, half):
        assert existing(make)(faces()).dtype == torch.float32


@pytest.mark.parametrize(
    ("answer", "words", "said"),
    [
        (rows(1, 2), {}, r"answered \(9, 2\) for 9 faces, but names 3 classes"),
        (lambda f: torch.ones(3), {}, r"answered \(3,\)"),
        (lambda f: "happy", {}, "answered str"),
        (rows(0.2, 0.3, 0.5), {}, 'write answers = "probabilities"'),
        (rows(1, 2, 3), {"answers": "probabilities"}, 'write answers = "logits"'),
        (rows(-0.5, 0.5, 1), {"answers": "probabilities"}, 'write answers = "logits"'),
    ],
)
def test_answers_of_another_form_fail_the_cell(answer: Any, words: Any, said: str) -> None:
    model = existing(answering(answer, classes=NAMES, **words))
    with pytest.raises(CellError, match=said):
        model(faces(9))


def test_few_logits_may_sum_to_one_and_infinity_is_not_called_a_wrong_sum() -> None:
    assert existing(answering(rows(0.2, 0.3, 0.5), classes=NAMES))(faces(2)).shape == (2, 3)
    nan = answering(rows(math.nan, 0, 0), classes=NAMES, answers="probabilities")
    assert existing(nan)(faces(9)).isnan().any()  # the test of every cell says so


def test_it_sees_enlarged_faces_or_native_ones() -> None:
    lr = torch.randint(0, 256, (2, 1, 4, 4), dtype=torch.uint8)
    for takes, dtype, side in (("enlarged", torch.float32, 8), ("native", torch.uint8, 4)):
        model = existing(answering(rows(1, 2, 3), classes=NAMES, takes=takes))
        model(lr)
        (seen,) = model.net.seen
        assert seen.dtype == dtype and seen.shape == (2, 1, side, side)
        assert torch.equal(seen, lr if takes == "native" else model.enlarge(lr))


@pytest.mark.parametrize(
    ("thing", "names", "weights", "said"),
    [
        (answering(rows(1)), (), "", r"write classes = \('angry', 'happy', 'sad'\)"),
        (answering(rows(1), classes="angry"), (), "", "does not say which classes"),
        (answering(rows(1), takes="big"), NAMES, "", "takes = 'big': write one of 'enlarged'"),
        (answering(rows(1), answers="both"), NAMES, "", "answers = 'both': write one of 'logits'"),
        (lambda: 3, NAMES, "", "made a int, which cannot be called"),
        (lambda: nn.Linear(2, 3), NAMES, "", "no weights were given"),
        (lambda weights: nn.ReLU(), NAMES, "", "takes weights: give their file"),
        (answering(rows(1)), NAMES, "x.pth", r"is not a torch.nn.Module, so --weights"),
    ],
)
def test_a_model_that_cannot_be_used(
    thing: Any, names: tuple[str, ...], weights: str, said: str
) -> None:
    with pytest.raises(UserError, match=said) as caught:
        existing(thing, names, weights)
    assert "\n" not in str(caught.value)


def test_who_reads_its_weights_itself_gets_their_path(tmp_path: Path) -> None:
    class Own:
        classes = NAMES

        def __init__(self, weights: str) -> None:
            self.bias = torch.tensor([float(word) for word in Path(weights).read_text().split()])

        def __call__(self, faces: torch.Tensor) -> torch.Tensor:
            return self.bias.expand(len(faces), -1)

    assert takes_weights(Own) and not takes_weights(nn.Linear)
    (tmp_path / "own.txt").write_text("3 2 5")
    model = existing(Own, weights=str(tmp_path / "own.txt"))
    assert model(faces(1)).tolist() == [[3, 2, 5]]


def test_weights_fit_wholly_or_not_at_all(tmp_path: Path) -> None:
    def made() -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(4, 3))

    torch.manual_seed(0)
    source = made()
    state = source.state_dict()
    kinds = {
        "plain": state,
        "wrapped": {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}},
    }
    for name, content in kinds.items():
        torch.save(content, tmp_path / f"{name}.pth")
        net = made()
        fill_exactly(net, str(tmp_path / f"{name}.pth"), "Net")
        for key, value in net.state_dict().items():
            assert torch.equal(value, state[key]), key
    wrong = {
        "missing in the file: 2.bias": {k: v for k, v in state.items() if k != "2.bias"},
        "unknown to Net: extra.weight": {**state, "extra.weight": torch.ones(3)},
        "of another shape: 2.weight": {**state, "2.weight": torch.ones(7, 4)},
        "of another shape: 0.weight": {**state, "0.weight": torch.ones(2, 3, 3, 3)},
    }
    for words, content in wrong.items():
        torch.save(content, tmp_path / "wrong.pth")
        with pytest.raises(UserError, match=rf"wrong.pth do not fit Net \(.*{words}"):
            fill_exactly(made(), str(tmp_path / "wrong.pth"), "Net")


class Small(nn.Module):
    classes = NAMES

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 3)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return self.linear(faces.flatten(1))  # type: ignore[no-any-return]


def notes(file: Path) -> list[str]:
    kind = type("Model", (Existing,), {"stands_for": staticmethod(Small)})
    task = Task(3, 1, (8, 8), (2,), tiny_preset(), class_names=NAMES)
    return kind.notes_for({"weights": str(file)}, task)  # type: ignore[attr-defined, no-any-return]


def test_of_a_student_and_its_teacher_neither_is_tested_and_an_average_is_said(
    tmp_path: Path,
) -> None:
    one, two = Small().state_dict(), Small().state_dict()
    torch.save({"student": one, "teacher": two}, tmp_path / "kd.pth")
    with pytest.raises(UserError, match=r'holds 2 networks \("student", "teacher"\)'):
        notes(tmp_path / "kd.pth")
    torch.save({"model": one, "model_ema": two}, tmp_path / "ema.pth")
    assert notes(tmp_path / "ema.pth")[1:] == [
        'weights ema.pth: taken are those of "model_ema", an average, and not "model"'
    ]
    torch.save({"state_dict": one}, tmp_path / "plain.pth")
    assert len(notes(tmp_path / "plain.pth")) == 1


@pytest.mark.parametrize("thing", [Small, lambda weights: Small()])
def test_weights_that_are_gone_are_to_be_evaluated_once_more(
    thing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path))
    content = "sha256:" + 64 * "0"
    remember(content, "there/net.pth")
    with pytest.raises(UserError, match=r"last read as there/net.pth: evaluate the model once"):
        existing(thing, NAMES, content)
