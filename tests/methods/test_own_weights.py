"""Methods that start from weights of the user's own: keys, training, models, and what is said."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from made import CPU, batch_of, data_ref, made_faces
from small_models import FREE, plan_of
from timm.models import _registry

import lrfer_bench
from lrfer_bench.contract.method import Method
from lrfer_bench.errors import UserError
from lrfer_bench.nets import weights
from lrfer_bench.planning.notes import notes_of
from lrfer_bench.planning.plan import Cell, Plan
from lrfer_bench.plugins import contents
from lrfer_bench.running.models import Model, load_model, untrained
from lrfer_bench.running.records import draft

STUDENTS = ("kd", "fitnet", "fskd", "rsnet", "qualnet")
OWN_NETWORKS = ("gmenet", "askd", "covpool", "superres")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(contents, "_SEEN", {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A ResNet-18 that torch wrote while it was wrapped for several GPUs."""
    torch.manual_seed(0)
    state = timm.create_model("resnet18").state_dict()
    torch.save({f"module.{name}": value for name, value in state.items()}, tmp_path / "ms.pth")
    return tmp_path / "ms.pth"


def first_cell(plan: Plan) -> Cell:
    return next(iter(plan.cells.values()))


def started(name: str, file: Path, channels: int = 1) -> Plan:
    settings = {"arch": "resnet18", "weights": str(file)}
    ref = data_ref(channels=channels, side=24)
    on = "direct" if name == "direct" else "classifier"
    return plan_of([name], (2,), ref=ref, **{on: settings})


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["direct", "srfer"])
def test_a_resnet_that_torch_wrote_starts_direct_and_srfer(
    name: str, channels: int, file: Path
) -> None:
    plan = started(name, file, channels)
    (note,) = notes_of(plan)
    assert "ms.pth" in note and "100 of 102" in note and ("folded" in note) == (channels == 1)
    cell = first_cell(plan)
    (weights,) = cell.weights
    assert weights.startswith("ms.pth sha256:") and draft(cell).method.weights == [weights]

    torch.manual_seed(1)
    method: Any = untrained(cell, plan)
    net = method.net if name == "direct" else method.tuned
    deep = torch.load(file)["module.layer4.1.conv2.weight"]
    assert torch.equal(net.state_dict()["net.layer4.1.conv2.weight"], deep)
    batch = batch_of(made_faces(4, channels, side=24), (2,))
    told = method.train().update(batch, method.optimizers())
    assert all(torch.isfinite(loss) for loss in told.values())
    assert not torch.equal(net.state_dict()["net.layer4.1.conv2.weight"], deep)


def test_a_finished_model_needs_its_file_no_more(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors.torch

    plan = started("direct", file)
    (key, training), *_ = plan.trainings.items()
    method = untrained(training, plan)
    state = {k: v.contiguous() + 1 for k, v in method.state_dict().items()}
    file.unlink()
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "another cache"))
    monkeypatch.setattr(contents, "_SEEN", {})
    again = load_model(key, {key: Model(training, safetensors.torch.save(state), FREE)}, CPU)
    assert torch.equal(again.state_dict()["net.net.bn1.bias"], state["net.net.bn1.bias"])
    with pytest.raises(UserError, match="no file here has the content"):
        untrained(training, plan)  # but a new training does


def test_the_content_is_in_the_key_and_its_path_is_not(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pth.tar"
    torch.save({"state_dict": torch.load(file)}, copy)
    other = tmp_path / "other.pth"
    torch.save({k: v + 1 for k, v in torch.load(file).items()}, other)
    keys = [first_cell(started("direct", path)).key for path in (file, copy, other)]
    assert keys[0] == keys[1] != keys[2]
    given = first_cell(started("direct", file)).method.given
    by_content = plan_of(["direct"], (2,), ref=data_ref(side=24), direct=dict(given))
    assert first_cell(by_content).key == keys[0]  # what a record says plans the same cell
    assert contents.is_content(given["weights"]) and str(tmp_path) not in json.dumps(given)


@pytest.fixture
def given_by_timm(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Two sets of weights for two tags of resnet18, and which of them is the default."""
    for name, shift in (("a1_in1k", 0.0), ("a2_in1k", 1.0)):
        state = {k.removeprefix("module."): v + shift if v.is_floating_point() else v
                 for k, v in torch.load(file).items()}  # fmt: skip
        torch.save(state, tmp_path / f"{name}.pth")
    known = _registry._model_pretrained_cfgs

    def put(default: str = "a1_in1k") -> None:
        for tag in ("a1_in1k", "a2_in1k"):
            config = dataclasses.replace(
                known[f"resnet18.{tag}"], file=str(tmp_path / f"{tag}.pth"), hf_hub_id=None, url=""
            )
            monkeypatch.setitem(known, f"resnet18.{tag}", config)
        monkeypatch.setitem(known, "resnet18", known[f"resnet18.{default}"])
        entry = _registry._model_default_cfgs["resnet18"]
        tags = type(entry.tags)([default, *(tag for tag in entry.tags if tag != default)])
        cfgs = {**entry.cfgs, **{tag: known[f"resnet18.{tag}"] for tag in ("a1_in1k", "a2_in1k")}}
        monkeypatch.setitem(
            _registry._model_default_cfgs,
            "resnet18",
            dataclasses.replace(entry, tags=tags, cfgs=cfgs),
        )

    put()
    return put


def pretrained(arch: str) -> Cell:
    label = f"direct[arch={arch},pretrained=true]"
    return first_cell(plan_of([label], (2,), ref=data_ref(side=24)))


def test_what_timm_gives_is_in_the_key_under_all_its_names(
    given_by_timm: Callable[..., None], file: Path
) -> None:
    cell = pretrained("resnet18")
    assert cell.key == pretrained("resnet18.a1_in1k").key
    assert cell.key == first_cell(started("direct", file)).key  # the same weights as a file
    assert pretrained("resnet18.a2_in1k").key != cell.key
    assert cell.weights[0].startswith("resnet18.a1_in1k sha256:")
    given_by_timm(default="a2_in1k")  # as another release of timm may do
    assert pretrained("resnet18").key != cell.key
    assert pretrained("resnet18.a1_in1k").key == cell.key


def test_two_sets_of_weights_are_one_too_many(file: Path) -> None:
    with pytest.raises(UserError, match="are both given"):
        plan_of(["direct"], direct={"weights": str(file), "pretrained": True, "arch": "resnet18"})


@pytest.mark.parametrize("name", [*STUDENTS, *OWN_NETWORKS])
def test_every_network_of_ours_starts_from_its_own_kind(name: str, tmp_path: Path) -> None:
    """Written by an untrained model, with the names that models on disk have."""

    def built(name: str, **settings: Any) -> tuple[Plan, Method]:
        asked = "cascade" if name == "superres" else name
        plan = plan_of([asked], (2,), ref=data_ref(side=48), **{name: settings})
        found = [t for t in plan.trainings.values() if t.method.name == name]
        return plan, untrained(found[-1], plan)

    torch.manual_seed(3)
    _, source = built("multires" if name == "rsnet" else name)  # rsnet's norms are a size's own
    state = {k: v + 0.5 if v.is_floating_point() else v for k, v in source.state_dict().items()}
    torch.save(state, tmp_path / "own.pth")
    torch.manual_seed(4)
    plan, method = built(name, weights=str(tmp_path / "own.pth"))
    held = method.state_dict()
    # rsnet's norms have other names, and hint layers belong to no network
    kernels = [k for k, v in state.items() if v.ndim == 4 and not k.startswith("hint")]
    assert len(kernels) >= 6 and all(torch.equal(held[k], state[k]) for k in kernels)
    assert plan.contents() and all(cell.weights for cell in plan.cells.values())


def test_a_run_says_what_it_took_and_a_table_where_it_stands(
    quickly: Callable[..., subprocess.CompletedProcess[str]], tiny: list[str], tmp_path: Path
) -> None:
    from lrfer_bench.nets.classifiers import build_classifier

    net = build_classifier("lean", 7, 1, (48, 48), dropout=0.0)
    torch.save(net.state_dict(), tmp_path / "mine.pth")
    methods = f"direct,direct[arch=lean,weights={tmp_path / 'mine.pth'}]"
    words = ["run", *tiny, "--methods", methods, "--scales", "2", "--workers", "1"]
    done = quickly(*words, "--results", tmp_path / "results", "--epochs", "1", "--no-report")
    assert done.returncode == 0, done.stderr
    assert "direct: weights mine.pth" in done.stdout and "100% of lean" in done.stdout
    lrfer_bench.report(tmp_path / "results", resamples=0, pictures="none", page=False)
    table = (tmp_path / "results" / "report" / "leaderboard.md").read_text()
    assert "from scratch" in table and "pre-trained (mine.pth sha256:" in table


@pytest.mark.parametrize("name", [*STUDENTS, *OWN_NETWORKS])
def test_weights_that_do_not_fit_are_refused_with_the_plan(
    name: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those of a student, which is built like its teacher, and of a teacher of its kind."""
    monkeypatch.setattr(weights, "COMMON", ("resnet18",))
    asked = {"superres": "cascade", "covpool": "fsrfer"}.get(name, name)
    more: dict[str, Any] = {"fsrfer": {"feature": "covpool"}} if name == "covpool" else {}
    plan = plan_of([asked], (2,), ref=data_ref(side=48), **{name: {"weights": str(file)}}, **more)
    with pytest.raises(UserError, match=r"the weights ms\.pth fit .* less than 90%") as caught:
        notes_of(plan)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["kd", "fitnet", "fskd"])
def test_weights_of_a_student_are_held_against_its_teachers_network(name: str, file: Path) -> None:
    settings = {name: {"weights": str(file)}, "classifier": {"arch": "resnet18"}}
    plan = plan_of([name], (2,), ref=data_ref(side=24), **settings)
    (note,) = notes_of(plan)
    assert note.startswith(f"{name}: weights ms.pth: 100 of 102 tensors taken")
