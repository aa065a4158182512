"""Files of weights: every kind that people have, what is taken, and what is refused."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from torch import Tensor, nn

from lrfer_bench.errors import UserError
from lrfer_bench.nets.classifiers import TimmNet, build_classifier
from lrfer_bench.nets.later import fill_others, filled_later
from lrfer_bench.nets.weight_files import as_bytes, imported, read_chosen, read_weights
from lrfer_bench.nets.weights import (
    fill_exactly,
    fit_of,
    folded,
    start_from,
)

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def ours() -> State:
    """A colour ResNet-18 with the 1,000 classes of ImageNet, as torch writes it."""
    torch.manual_seed(0)
    state: State = timm.create_model("resnet18").state_dict()
    return state


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))


def prefixed(state: State, prefix: str) -> State:
    return {prefix + name: value for name, value in state.items()}


def other(state: State) -> State:
    return {k: v + 1 if v.is_floating_point() else v for k, v in state.items()}


FORMS: dict[str, Callable[[State], Any]] = {
    "plain.pth": lambda s: s,
    "module.pt": lambda s: prefixed(s, "module."),
    "two.bin": lambda s: prefixed(s, "module.backbone."),
    "wrapped.pth.tar": lambda s: {"epoch": 3, "best": 0.9, "state_dict": prefixed(s, "module.")},
    "model.pth": lambda s: {"model": prefixed(s, "model."), "args": argparse.Namespace(lr=0.1)},
    "ema.pth": lambda s: {"state_dict": other(s), "state_dict_ema": prefixed(s, "module.")},
    "dino.pth": lambda s: {
        "student": other(s),
        "teacher": prefixed(s, "backbone."),
        "dino_loss": {"center": s["bn1.bias"]},
    },
    "teacher.pth": lambda s: {"epoch": 3, "teacher": prefixed(s, "backbone.")},
    "twice.pth": lambda s: {"model": s, "state_dict": prefixed(s, "module.")},
    "numpy.pth": lambda s: {"net": s, "acc": np.float64(0.5), "optimizer": {"state": {0: {}}}},
    "head-apart.pth": lambda s: {
        **prefixed({k: v for k, v in s.items() if not k.startswith("fc.")}, "encoder."),
        "classifier.weight": torch.zeros(7, 512),
    },
}


@pytest.mark.parametrize("name", FORMS)
def test_every_usual_kind_of_file_is_found(name: str, ours: State, tmp_path: Path) -> None:
    torch.save(FORMS[name](ours), tmp_path / name)
    net = build_classifier("resnet18", 7, 3, (48, 48), dropout=0.0, weights=str(tmp_path / name))
    assert isinstance(net, TimmNet)
    held = net.net.state_dict()
    backbone = [k for k in ours if not k.startswith("fc.") and "num_batches" not in k]
    assert all(torch.equal(held[k], ours[k]) for k in backbone) and len(backbone) == 100
    assert held["fc.weight"].shape == (7, 512)
    assert name in net.started and "100 of" in net.started and "100% of resnet18" in net.started


def test_safetensors_hold_the_same_content_as_any_other_file(ours: State, tmp_path: Path) -> None:
    plain = {k: v.contiguous() for k, v in ours.items()}
    safetensors.torch.save_file(plain, tmp_path / "a.safetensors")
    torch.save({"state_dict": prefixed(ours, "module.")}, tmp_path / "b.pth.tar")
    assert imported(tmp_path / "a.safetensors")[0] == imported(tmp_path / "b.pth.tar")[0]
    assert imported(tmp_path / "b.pth.tar")[1] == "b.pth.tar.safetensors"
    assert as_bytes({"a": torch.ones(2), "b": torch.zeros(1)}) == as_bytes(
        {"b": torch.zeros(1), "a": torch.ones(2)}
    )


def test_a_first_convolution_is_folded_for_grey_as_timm_does_it(
    ours: State, tmp_path: Path
) -> None:
    from timm.models._manipulate import adapt_input_conv

    torch.save(ours, tmp_path / "colour.pth")
    net = build_classifier(
        "resnet18", 7, 1, (48, 48), dropout=0.0, weights=str(tmp_path / "colour.pth")
    )
    assert isinstance(net, TimmNet)
    kernel = net.net.state_dict()["conv1.weight"]
    assert torch.allclose(kernel, adapt_input_conv(1, ours["conv1.weight"]))
    assert "folded for another number of channels: conv1.weight" in net.started
    grey = torch.rand(1, 1, 48, 48)
    colour = folded(kernel, 3)
    same = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), colour)
    assert torch.allclose(same, nn.functional.conv2d(grey, kernel), atol=1e-5)


def test_a_smaller_stem_is_left_as_it_was_made_and_said(ours: State, tmp_path: Path) -> None:
    torch.save(ours, tmp_path / "r18.pth")
    net = build_classifier(
        "resnet18@3x3", 7, 3, (48, 48), dropout=0.0, weights=str(tmp_path / "r18.pth")
    )
    assert "did not fit: conv1.weight (64x3x7x7, not 64x3x3x3)" in net.started


def test_weights_of_another_architecture_are_refused_with_its_name(tmp_path: Path) -> None:
    torch.save(timm.create_model("resnet34").state_dict(), tmp_path / "r34.pth")
    with pytest.raises(UserError, match=r"less than 90%.*say arch=resnet34"):
        build_classifier("resnet50", 7, 3, (48, 48), dropout=0.0, weights=str(tmp_path / "r34.pth"))
    torch.save({"a.weight": torch.ones(3)}, tmp_path / "strange.pth")
    with pytest.raises(UserError, match=r"no usual architecture.*a\.weight"):
        build_classifier("lean", 7, 3, (48, 48), dropout=0.0, weights=str(tmp_path / "strange.pth"))


class Program:
    """What a file must not be able to run."""

    def __reduce__(self) -> Any:
        return print, ("run",)


def test_no_code_of_a_file_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": Program()}, tmp_path / "bad.pth")
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pth")
    for name in ("bad.pth", "whole.pth"):
        with pytest.raises(UserError, match="state_dict"):
            read_weights(tmp_path / name)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "cannot be read as weights"), (b"\x10" + b"\0" * 7 + b'{"a', "is damaged")],
)
def test_damaged_files_are_named(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(UserError, match=f"a.pth {words}"):
        read_weights(tmp_path / "a.pth")


def test_torchscript_is_named_without_a_word_of_torchs(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "net.pt")
    recwarn.clear()
    with pytest.raises(UserError, match=r"net.pt is TorchScript.*argument \"weights\""):
        read_weights(tmp_path / "net.pt")
    assert not list(recwarn)


def test_a_file_without_tensors_and_one_that_is_missing(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    with pytest.raises(UserError, match="holds no tensors"):
        read_weights(tmp_path / "empty.pth")
    with pytest.raises(UserError, match=r"cannot be read.*check the path"):
        build_classifier("lean", 7, 1, (48, 48), dropout=0.0, weights=str(tmp_path / "no.pth"))


def test_what_is_counted() -> None:
    wanted = {"a.weight": (2, 2), "b.weight": (4,), "head.weight": (7, 4)}
    held = {"x.a.weight": (2, 2), "x.b.weight": (5,), "x.c": (1,), "x.head.weight": (9, 4)}
    fit = fit_of(wanted, held, ("head",))
    assert fit.pairs == {"a.weight": "x.a.weight"} and fit.share == 0.5
    assert fit.misfit == ("b.weight (5, not 4)",) and fit.left == ("x.c", "x.head.weight")


def test_a_model_whose_weights_come_later_reads_no_file(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "gone.pth")
    with filled_later() as waiting:
        net = build_classifier("lean", 7, 1, (48, 48), dropout=0.0, weights=nowhere)
    holder, stranger = nn.ModuleList([net]), nn.ModuleList()
    fill_others(holder, waiting)
    with pytest.raises(UserError, match="cannot be read"):
        fill_others(stranger, waiting)  # its state does not hold the network


def test_a_network_of_anybodys_starts_by_names(tmp_path: Path) -> None:
    made, net = nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 2))
    torch.save(prefixed(made.state_dict(), "net."), tmp_path / "own.pth")
    assert "2 of 2 tensors" in start_from(net, str(tmp_path / "own.pth"), "mine")
    assert torch.equal(net[0].weight, made[0].weight)


STUDENT, TEACHER = {"a.w": torch.ones(3), "a.b": torch.ones(1)}, {"a.w": torch.zeros(3)}
TEACHER["a.b"] = torch.zeros(1)
UNCLEAR: dict[str, Any] = {
    '"student", "teacher"': {"student": STUDENT, "teacher": TEACHER},
    '"student", "teacher_ema"': {"student": STUDENT, "teacher_ema": TEACHER},
    '"model", "teacher"': {"model": STUDENT, "teacher": TEACHER},
    '"best_model", "last_model"': {"best_model": STUDENT, "last_model": TEACHER},
    '"net", "ema", "best"': {"net": STUDENT, "ema": TEACHER, "best": other(STUDENT)},
    '"nets.student", "nets.teacher"': {
        "nets": {"student": STUDENT, "teacher": {**TEACHER, "b.w": torch.ones(1)}}
    },
}


@pytest.mark.parametrize("names", UNCLEAR)
def test_of_several_networks_none_is_taken_in_silence(names: str, tmp_path: Path) -> None:
    torch.save(UNCLEAR[names], tmp_path / "kd.pth")
    with pytest.raises(UserError, match="it is not clear which one is meant") as caught:
        read_weights(tmp_path / "kd.pth")
    assert f"({names})" in str(caught.value) and "\n" not in str(caught.value)
    advice = str(caught.value).partition('such as torch.save(torch.load("kd.pth")')[2]
    words = advice.partition(", ")[0].strip("[]").replace('"', "").split("][")
    assert ".".join(words) == names.partition(",")[0].strip('"')


def test_an_average_is_taken_and_said(tmp_path: Path) -> None:
    torch.save({"model": STUDENT, "model_ema": TEACHER}, tmp_path / "ema.pth")
    state, said = read_chosen(tmp_path / "ema.pth")
    assert torch.equal(state["a.w"], torch.zeros(3))
    assert said == '"model_ema", an average, and not "model"'
    net = nn.ModuleDict({"a": nn.Module()})
    net["a"].w, net["a"].b = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(1))
    assert f"taken are those of {said}" in fill_exactly(net, str(tmp_path / "ema.pth"), "Net")
    assert torch.equal(net["a"].w, torch.zeros(3))


def test_what_an_optimiser_remembers_is_no_network(tmp_path: Path) -> None:
    remembered = {"state": {0: {"exp_avg": torch.ones(3), "exp_avg_sq": torch.ones(3)}}}
    torch.save({"net": TEACHER, "optimizer": remembered}, tmp_path / "net.pth")
    assert torch.equal(read_weights(tmp_path / "net.pth")["a.w"], torch.zeros(3))


def test_networks_side_by_side_under_prefixes_are_told_apart(ours: State, tmp_path: Path) -> None:
    both = {**prefixed(ours, "student."), **prefixed(other(ours), "teacher.")}
    torch.save({"state_dict": both}, tmp_path / "kd.ckpt")
    net = build_classifier(
        "resnet18", 7, 3, (48, 48), dropout=0.0, weights=str(tmp_path / "kd.ckpt")
    )
    assert isinstance(net, TimmNet)
    assert "; taken from student., and not from teacher." in net.started
    assert torch.equal(net.net.state_dict()["conv1.weight"], ours["conv1.weight"])
    torch.save({"state_dict": prefixed(ours, "student.")}, tmp_path / "one.ckpt")
    net = build_classifier(
        "resnet18", 7, 3, (48, 48), dropout=0.0, weights=str(tmp_path / "one.ckpt")
    )
    assert "taken from" not in str(net.started)


@pytest.mark.parametrize("word", ["model", "net", "features"])
def test_a_wrapper_s_own_weights_fit_it(word: str, tmp_path: Path) -> None:
    class Wrapper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            setattr(self, word, nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 2)))

    made, exact, started = Wrapper(), Wrapper(), Wrapper()
    for name, file in ((made.state_dict(), "own"), (prefixed(made.state_dict(), "module."), "dp")):
        torch.save(name, tmp_path / f"{file}.pth")
        assert fill_exactly(exact, str(tmp_path / f"{file}.pth"), "Net") == ""
        kept = getattr(started, word)[1].weight.clone()
        head = [f"{word}.1"]
        assert "2 of 4 tensors" in start_from(started, str(tmp_path / f"{file}.pth"), "Net", head)
        assert torch.equal(getattr(started, word)[1].weight, kept), "the head stays as it was made"
    for one, other in zip(made.parameters(), exact.parameters(), strict=True):
        assert torch.equal(one, other)


def test_of_two_networks_in_a_file_the_one_of_our_names_is_taken(tmp_path: Path) -> None:
    class Coded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 2))

    net, made = Coded(), Coded()
    decoder = {f"decoder.{name}": torch.zeros_like(value)
               for name, value in made.encoder.state_dict().items()}  # fmt: skip
    torch.save({**decoder, **made.state_dict()}, tmp_path / "both.pth")
    assert "4 of 8 tensors" in start_from(net, str(tmp_path / "both.pth"), "mine")
    assert torch.equal(net.encoder[0].weight, made.encoder[0].weight)
