"""The checks of check-method: one function each, whose name is check_ and its id.

A check gets the Trial and returns what it measured, in a few words. It raises RuleBroken (see
Trial.broken) where the method breaks the rule, and DoesNotApply where there is nothing to look at
in this kind of method.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from lrfer_bench.checking.findings import DoesNotApply
from lrfer_bench.checking.sample import EPOCHS, made_batch
from lrfer_bench.checking.titles import TITLES
from lrfer_bench.checking.trial import DataShape, Trial
from lrfer_bench.contract.cards import MethodCard, card_of
from lrfer_bench.contract.method import Batch, Method
from lrfer_bench.contract.returned import named_losses, named_optimizers
from lrfer_bench.errors import CellError
from lrfer_bench.planning.declared import checked
from lrfer_bench.planning.settings import complete_settings, settings_of
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.running import cost
from lrfer_bench.running.engines.processes import left_behind
from lrfer_bench.running.evaluate import predict
from lrfer_bench.running.work import stage_bytes
from lrfer_bench.training.mean import RunningMean

SHAPES = (
    DataShape(channels=1, classes=7, size=(48, 48), scale=2),
    DataShape(channels=3, classes=7, size=(48, 48), scale=4),
    DataShape(channels=1, classes=8, size=(48, 48), scale=8),
    DataShape(channels=3, classes=8, size=(50, 44), scale=2),
    DataShape(channels=1, classes=7, size=(64, 64), scale=2),
)
TOLERANCE = 1e-3


@dataclass(frozen=True)
class MethodCheck:
    """A check and what is known of it before it runs.

    title:     what it is about, a few words after which its measurement is shown
    blames:    the author's function whose line is named where an error names none itself
    builds_on: ids of the checks that have to pass before this one can say anything
    always:    it is made even where what it builds on has failed
    """

    id: str
    title: str
    make: Callable[[Trial], str]
    blames: str
    builds_on: tuple[str, ...]
    always: bool = False


CHECKS: dict[str, MethodCheck] = {}
"""Every check by its id, in the order in which they are made: what others build on comes first."""

Make = Callable[[Trial], str]


def check(blames: str, *builds_on: str, always: bool = False) -> Callable[[Make], Make]:
    """Enter a function check_ID(trial) into CHECKS under ID; its title stands in titles.py."""

    def enter(make: Make) -> Make:
        id_ = make.__name__.removeprefix("check_")
        CHECKS[id_] = MethodCheck(id_, TITLES[id_], make, blames, builds_on, always)
        return make

    return enter


@check("__init__")
def check_declares(trial: Trial) -> str:
    """It derives from Method, its attributes have known values, its card explains its settings."""
    checked(trial.name, trial.cls)
    card, settings = card_of(METHODS.entry(trial.name), MethodCard), settings_of(trial.cls)
    unknown = sorted(set(card.settings) - set(settings))
    if unknown:
        raise trial.broken(
            f'its card explains the setting "{unknown[0]}", which __init__ does not have',
            "__init__",
        )
    given = trial.settings.get(trial.name, {})
    said = complete_settings(trial.name, trial.cls, given)
    return f"settings: {', '.join(f'{name}={value}' for name, value in said.items()) or 'none'}"


@check("losses", "declares")
def check_builds(trial: Trial) -> str:
    """In each shape of data it is built, update() gives finite losses, forward() gives logits."""
    for shape in SHAPES:
        with trial.blaming("__init__", shape):
            method = trial.untrained(shape)
        batch = made_batch(method.task, shape.scale)
        _take_step(trial, method, batch, shape)
        _answer(trial, method, batch, shape)
    return f"{len(SHAPES)} shapes: grey and colour, 7 and 8 classes, several sizes"


@check("losses", "builds")
def check_keeps_stages(trial: Trial) -> str:
    """Neither a training step nor an answer changes a stage: other cells use it, too."""
    shape = SHAPES[0]
    method = trial.untrained(shape)
    stages = dict(method.task.stages)
    if not stages:
        return "it has none"
    before = {name: stage_bytes(stage) for name, stage in stages.items()}
    batch = made_batch(method.task, shape.scale)
    for act, what, function in (
        (_take_step, "a training step", "losses"),
        (_answer, "an answer", "forward"),
    ):
        act(trial, method, batch, shape)
        for name, stage in stages.items():
            if stage_bytes(stage) != before[name]:
                raise trial.broken(f'{what} changed its stage "{name}" ({shape})', function)
    return f"{', '.join(stages)}: not a bit changed"


@check("losses", "builds")
def check_votes(trial: Trial) -> str:
    """It says which losses look at the votes of faces: without any, a method learns labels."""
    if trial.cls.trains == "nothing":
        raise DoesNotApply("nothing of its own is trained")
    one, other = (_told_of_votes(trial, SHAPES[0], sharpness) for sharpness in (0.0, 3.0))
    alike = {name: np.isclose(one[name], other[name], rtol=1e-5, equal_nan=True) for name in one}
    moved = [name for name, same in alike.items() if not same]
    if not moved:
        return "no loss of its own looks at them: it learns the majority's labels, or none"
    return f"by {', '.join(moved)}"


def _told_of_votes(trial: Trial, shape: DataShape, sharpness: float) -> dict[str, float]:
    """The losses of a first step, always the same but for the votes: 0 is one for each class."""
    torch.manual_seed(0)
    method = trial.untrained(shape)
    preset = dataclasses.replace(method.task.preset, targets="soft")
    method.task = dataclasses.replace(method.task, preset=preset)
    method.progress = 0.9
    with torch.no_grad():  # a head that begins with zeros says the same whatever the votes are
        for weights in method.parameters():
            weights.add_(0.01 * torch.randn_like(weights))
    batch = made_batch(method.task, shape.scale)
    votes = torch.linspace(0, sharpness, shape.classes).softmax(0).expand(len(batch.label), -1)
    with trial.blaming("losses", shape):
        optimizers = named_optimizers(method.optimizers(), method)
        told = method.train().update(dataclasses.replace(batch, soft=votes), optimizers)
    return {name: float(loss) for name, loss in told.items()}


@check("losses", "builds", "keeps_stages")
def check_trains(trial: Trial) -> str:
    """A small training of the method and of its stages comes to its end."""
    models, faces = trial.models, trial.sample.train
    seconds = sum(model.cost.seconds for model in models.values())
    some = f"{len(models)} model{'s' if len(models) != 1 else ''}"
    return f"{some}, {len(faces)} faces, {EPOCHS} epochs, {seconds:.1f} s"


@check("losses", "trains")
def check_learns(trial: Trial) -> str:
    """It names more of its training faces than chance would, by three standard errors or more."""
    if not trial.answers_logits:
        if not trial.history:
            raise DoesNotApply("nothing of its own is trained")
        score = trial.history[-1]["val_score"]
        return f"validation score {score:.3f}: a stage, its answers are not logits"
    labels = trial.prepared.faces.train.labels
    right = float((trial.answers(trial.loaded(), trial.images("train")).argmax(1) == labels).mean())
    chance = 1 / len(trial.cell.data.classes)
    if right <= chance + 3 * (chance * (1 - chance) / len(labels)) ** 0.5:
        raise trial.broken(
            f"it names {100 * right:.0f} % of the very faces it was trained on, chance is "
            f"{100 * chance:.0f} %: look at the loss and what it is minimised over",
            "losses",
        )
    return f"{100 * right:.0f} % right (chance {100 * chance:.0f} %)"


@check("losses", "trains")
def check_repeatable(trial: Trial) -> str:
    """A training under the same key gives the same bits: after a stop, with other test images."""
    if trial.own_training is None:
        return "nothing of its own is trained"
    first = trial.models[trial.own_training.key].weights
    with trial.hidden():
        resumed = trial.train_interrupted()
    if resumed == first:
        return "bit for bit"
    if trial.train_again() != first:
        if name := trial.shared_weights():
            raise trial.broken(
                f'two trainings under one key differ: "{name}" belongs to a network that is made '
                "once and that all cells share: build every network in __init__",
                "__init__",
            )
        raise trial.broken(
            "two trainings under one key differ: draw from torch's generator only, "
            "in a fixed order, and keep nothing from one training to the next",
            "losses",
        )
    if trial.train_again(poisoned=True) != first:
        raise trial.broken(
            "its training depends on the test images: it must not look for them", "losses"
        )
    raise trial.broken(
        "a training that was stopped and resumed differs: keep what it needs in parameters, "
        "buffers or optimisers",
        "__init__",
    )


@check("__init__", "trains")
def check_survives_saving(trial: Trial) -> str:
    """What it has learnt is in its state_dict."""
    trial.needs_logits()
    if trial.own_training is None:
        return "nothing of its own is saved"
    if not np.array_equal(trial.answers(trial.in_memory), trial.answers(trial.loaded())):
        raise trial.broken(
            "it answers otherwise after loading: a weight or buffer is not in its state_dict",
            "__init__",
        )
    return "bit for bit"


@check("forward", "trains")
def check_any_batch(trial: Trial) -> str:
    """An answer depends on its own face only, up to rounding."""
    trial.needs_logits()
    method, images = trial.loaded(), trial.images()
    whole = trial.answers(method, images)
    alone = np.concatenate(
        [trial.answers(method, images[row : row + 1]) for row in range(len(images))]
    )
    turned = trial.answers(method, images[::-1])[::-1]
    for other, how in ((alone, "one by one"), (turned, "in another order")):
        difference = float(np.abs(other - whole).max() / max(1.0, float(np.abs(whole).max())))
        if difference > TOLERANCE:
            raise trial.broken(
                f"its logits change by {100 * difference:.1f} % when faces come {how}: "
                "an answer must depend on its own face only",
                "forward",
            )
    return f"{len(images)} faces together, one by one and reversed"


@check("forward", "trains")
def check_blind(trial: Trial) -> str:
    """It sees nothing of the test but the LR faces it is given."""
    trial.needs_logits()
    if trial.cls.tests == "hr":
        raise DoesNotApply("it is a ceiling that sees HR")
    images, before = trial.images(), trial.answers(trial.loaded())
    with trial.hidden():
        after = trial.answers(trial.loaded(), images)
    if not np.array_equal(before, after):
        raise trial.broken("its answers depend on more than the LR faces it is given", "forward")
    return "same bits"


@check("forward", "trains")
def check_costs(trial: Trial) -> str:
    """Its parameters, multiply-accumulate operations and latency are measured, as a run does it."""
    trial.needs_logits()
    method, lr = trial.loaded(), torch.from_numpy(trial.images()[:1])
    return (
        f"{cost.parameters_used(method, lr):,} parameters, "
        f"{cost.macs_used(method, lr) / 1e6:.2f} million MACs, "
        f"{cost.latency_ms(method, lr):.2f} ms"
    )


@check("__init__", "trains", always=True)
def check_ends_processes(trial: Trial) -> str:
    """No process that it started is still running after all that was done here."""
    left = [process for process in left_behind() if process not in trial.running_before]
    if left:
        raise trial.broken(
            f"{len(left)} still running: stop them in the code that starts them", "__init__"
        )
    return "none is running"


def _take_step(trial: Trial, method: Method, batch: Batch, shape: DataShape) -> None:
    """One training step, as the loop does it; nothing where only stages are trained.

    The running mean of the weights is made, as the loop makes it: a method has to be copied for it.
    """
    if trial.cls.trains == "nothing":
        return
    with trial.blaming("optimizers", shape):
        optimizers = named_optimizers(method.optimizers(), method)
    with trial.blaming("__init__", shape):
        RunningMean(method)
    with trial.blaming("losses", shape):
        losses = named_losses(method.train().update(batch, optimizers), "update")
        for name, loss in losses.items():
            if not bool(torch.isfinite(loss)):
                raise CellError(f'the loss "{name}" is {float(loss)}: it has to be finite')


def _answer(trial: Trial, method: Method, batch: Batch, shape: DataShape) -> None:
    """Answers for a batch, as in a test; nothing for a stage that answers no logits."""
    if not trial.answers_logits:
        return
    lr = batch.lr_parts[1] if trial.cls.tests == "hr" else batch.lr_parts[shape.scale]
    with trial.blaming("forward", shape):
        predict(method, lr.numpy(), shape.classes)
