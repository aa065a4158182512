"""Does a method keep the rules? Runs it on a few small faces and says what failed, and where in its author's code."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from lrfer_bench.checking.trial import (
    CPU,
    EPOCHS,
    Hidden,
    Overheard,
    Sample,
    few_faces,
    made_batch,
    small_preset,
    stopped_and_resumed,
)
from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.contract.method import Method
from lrfer_bench.data.cache import prepare
from lrfer_bench.data.lowres import lr_images
from lrfer_bench.errors import CellError, UserError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.declared import checked
from lrfer_bench.planning.plan import Cell, DataRef, Plan, Training
from lrfer_bench.planning.request import Request, data_ref
from lrfer_bench.planning.settings import settings_of
from lrfer_bench.plugins.registry import METHODS, own_place
from lrfer_bench.running.evaluate import predict
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.models import Model, cell_method, load_model, untrained
from lrfer_bench.running.work import place_of, run_training, stage_bytes, train_here

State = Literal["ok", "failed", "skipped", "note"]
SHAPES = (  # channels, classes, height and width, scale
    (1, 7, (48, 48), 2), (3, 7, (48, 48), 4), (1, 8, (48, 48), 4), (3, 8, (50, 44), 2), (1, 7, (64, 64), 2),
)  # fmt: skip
TOLERANCE = 1e-3
FUNCTIONS = {
    "builds and takes a step: grey and colour, 7 and 8 classes, several sizes": "__init__",
    "answers the same after saving and loading": "__init__",
    "answers the same in any batch and order": "forward",
    "answers the same with the HR test images out of reach": "forward",
    "costs": "forward",
}
"""The author's function that a check looks at, for errors that do not tell by themselves."""


@dataclass(frozen=True)
class Check:
    """One finding. detail: what was measured, or a sentence with the line of the author's file."""

    name: str
    state: State
    detail: str = ""


class Failure(Exception):
    """A rule that the method broke; the place is the author's."""


class Conformance:
    """The checks of one method, in order; each goes on from what the ones before have made."""

    def __init__(self, name: str, dataset: str, folder: Path) -> None:
        self.name, self.dataset, self.folder = name, dataset, folder
        self.cls: type[Method] = Method
        self.models: dict[str, Model] = {}
        self.plan = Plan()
        self.sample: FaceSet | None = None

    def checks(self) -> dict[str, Callable[[], str]]:
        return {
            "is a method with a card and settings": self.declares,
            "builds and takes a step: grey and colour, 7 and 8 classes, several sizes": self.builds,
            "trains": self.trains,
            "learns something": self.learns,
            "leaves its stages alone": self.keeps_stages,
            "repeats: stopped and resumed, with the test images poisoned": self.repeats,
            "answers the same after saving and loading": self.survives,
            "answers the same in any batch and order": self.any_batch,
            "answers the same with the HR test images out of reach": self.blind,
            "costs": self.costs,
        }

    def place(self, function: str) -> str:
        return place_of(self.cls, function)

    def broken(self, what: str, function: str) -> Failure:
        return Failure(f"{what} ({self.place(function)})")

    @property
    def stage_only(self) -> bool:
        """Whether forward() gives something else than logits, so that the rules about answers do not apply."""
        return self.cls.answers != "logits"

    def declares(self) -> str:
        from lrfer_bench.contract.cards import MethodCard, card_of

        entry = METHODS.entry(self.name)
        self.cls = entry.load()
        checked(self.name, self.cls)
        card = card_of(entry, MethodCard)
        settings = settings_of(self.cls)
        unknown = sorted(set(card.settings) - set(settings))
        if unknown:
            raise self.broken(f'its card explains the setting "{unknown[0]}", which __init__ does not have', "__init__")
        return f"settings: {', '.join(f'{k}={v}' for k, v in settings.items()) or 'none'}"

    def builds(self) -> str:
        for channels, classes, size, scale in SHAPES:
            where = f"{channels} channels, {classes} classes, {size[1]}x{size[0]} pixels, x{scale}"
            method, stages = self._fresh(channels, classes, size, scale)
            batch = made_batch(method.task, scale)
            if self.cls.trains != "nothing":
                before = {name: stage_bytes(stage) for name, stage in stages.items()}
                method.train()
                self._check_losses(method.update(batch, self._optimizers(method)), where)
                changed = [name for name, stage in stages.items() if stage_bytes(stage) != before[name]]
                if changed:
                    raise self.broken(f'a training step changed its stage "{changed[0]}" ({where})', "losses")
            method.eval()
            if self.stage_only:
                continue
            lr = batch.lr_parts[1] if self.cls.tests == "hr" else batch.lr_parts[scale]
            with self._naming(where):
                predict(method, lr.numpy(), classes)
        return f"{len(SHAPES)} shapes"

    def trains(self) -> str:
        self.sample = few_faces(self.dataset)
        self.prepared = prepare(Sample.of(self.sample), "sample", None, cache=self.folder / "true")
        scales = (2, 4) if self.cls.trains == "all scales" else (2,)
        ref = data_ref("sample", self.prepared)
        self.plan = build_plan(Request(methods=[self.name], scales=scales, preset=small_preset()), ref)
        self.cell: Cell = next(iter(self.plan.cells.values()))
        for key, training in self.plan.trainings.items():
            self.models[key], self.in_memory = train_here(TrainJob(training, dict(self.models)))  # its own comes last
        seconds = sum(model.cost.seconds for model in self.models.values())
        return f"{len(self.models)} models, {len(self.sample.train)} faces, {EPOCHS} epochs, {seconds:.1f} s"

    def learns(self) -> str:
        images = lr_images(self.prepared, "train", self.cell.tested)
        labels = self.prepared.faces.train.labels
        method = self._trained()
        if self.stage_only:
            return f"validation score {self._own_history()[-1]['val_score']:.3f}: a stage, its answers are no logits"
        right = float((predict(method, images, len(self.cell.data.classes)).argmax(1) == labels).mean())
        chance = 1 / len(self.cell.data.classes)
        needed = chance + 3 * (chance * (1 - chance) / len(labels)) ** 0.5
        if right <= needed:
            raise self.broken(
                f"it names {100 * right:.0f} % of the very faces it was trained on, chance is {100 * chance:.0f} %: look at "
                "the loss and what it is minimised over",
                "losses",
            )
        return f"{100 * right:.0f} % of its training faces (chance {100 * chance:.0f} %)"

    def keeps_stages(self) -> str:
        training = self._own()
        if not training or not training.stages:
            return "it has none to train with"
        return f"{', '.join(training.stages)}: not a bit changed"  # run_training has looked

    def repeats(self) -> str:
        training = self._own()
        if training is None:
            return "nothing of its own is trained"
        poisoned = dataclasses.replace(
            training, data=dataclasses.replace(training.data, directory=str(self._poisoned()))
        )
        with self._hidden():
            resumed = stopped_and_resumed(TrainJob(poisoned, self.models, str(self.folder / "half.ckpt")))
        if resumed.weights == self.models[training.key].weights:
            return "bit for bit"
        if run_training(TrainJob(training, self.models)).weights != self.models[training.key].weights:
            raise self.broken(
                "two trainings under one key differ: draw from torch's generator only, in a fixed order", "losses"
            )
        if run_training(TrainJob(poisoned, self.models)).weights != self.models[training.key].weights:
            raise self.broken("its training depends on the test images: it must not look for them", "losses")
        raise self.broken(
            "a training that was stopped and resumed differs: keep what it needs in parameters, buffers or optimisers",
            "__init__",
        )

    def survives(self) -> str:
        if self.stage_only:
            raise _Skip("its answers are no logits")
        training = self._own()
        if training is None:
            return "nothing of its own is saved"
        one, two = self._answers(self.in_memory), self._answers(load_model(training.key, self.models, CPU))
        if not np.array_equal(one, two):
            raise self.broken(
                "it answers otherwise after loading: a weight or buffer is not in its state_dict", "__init__"
            )
        return "bit for bit"

    def any_batch(self) -> str:
        if self.stage_only:
            raise _Skip("its answers are no logits")
        method, images, classes = self._trained(), self._test_images(), len(self.cell.data.classes)
        whole = predict(method, images, classes)
        alone = np.concatenate([predict(method, images[row : row + 1], classes) for row in range(len(images))])
        turned = predict(method, images[::-1], classes)[::-1]
        for other, how in ((alone, "one by one"), (turned, "in another order")):
            difference = float(np.abs(other - whole).max() / max(1.0, float(np.abs(whole).max())))
            if difference > TOLERANCE:
                raise self.broken(
                    f"its logits change by {100 * difference:.1f} % when faces come {how}: an answer must depend on its own "
                    "face only",
                    "forward",
                )
        return f"{len(images)} faces together, one by one and reversed"

    def blind(self) -> str:
        if self.stage_only or self.cls.tests == "hr":
            raise _Skip("it is a ceiling that sees HR" if self.cls.tests == "hr" else "its answers are no logits")
        images, before = self._test_images(), self._answers()
        with self._hidden():
            after = predict(self._trained(), images, len(self.cell.data.classes))
        if not np.array_equal(before, after):
            raise self.broken("its answers depend on more than the LR faces it is given", "forward")
        return "same bits"

    def costs(self) -> str:
        from lrfer_bench.running import cost

        if self.stage_only:
            raise _Skip("its answers are no logits")
        method, lr = self._trained(), torch.from_numpy(self._test_images()[:1])
        return (
            f"{cost.parameters_used(method, lr):,} parameters, {cost.macs_used(method, lr) / 1e6:.2f} million MACs, "
            f"{cost.latency_ms(method, lr):.2f} ms for one face"
        )

    def _fresh(
        self, channels: int, classes: int, size: tuple[int, int], scale: int
    ) -> tuple[Method, dict[str, Method]]:
        """A method on untrained stages, by way of a plan."""
        names = tuple(f"class {number}" for number in range(classes))
        ref = DataRef("made", "0" * 64, "", names, channels, size, True)
        plan = build_plan(Request(methods=[self.name], scales=[scale], preset=small_preset()), ref)
        method = untrained(next(iter(plan.cells.values())), plan)
        return method, dict(method.stages)

    def _optimizers(self, method: Method) -> dict[str, torch.optim.Optimizer]:
        optimizers: Any = method.optimizers()
        if not isinstance(optimizers, dict) or not all(
            isinstance(o, torch.optim.Optimizer) for o in optimizers.values()
        ):
            raise self.broken(
                f"its optimizers are {type(optimizers).__name__}: return a dict of named optimisers", "optimizers"
            )
        return optimizers

    def _check_losses(self, losses: Any, where: str) -> None:
        if not isinstance(losses, dict) or not losses:
            raise self.broken(
                f"its losses are {type(losses).__name__}: return a dict of named scalars ({where})", "losses"
            )
        for name, loss in losses.items():
            if not isinstance(loss, torch.Tensor) or loss.numel() != 1 or not bool(torch.isfinite(loss)):
                raise self.broken(f'the loss "{name}" is {loss!r}: it has to be one finite number ({where})', "losses")

    def _naming(self, where: str) -> _Naming:
        return _Naming(self, where)

    def _own(self) -> Training | None:
        return self.plan.trainings[self.cell.training] if self.cell.training else None

    def _own_history(self) -> list[Any]:
        assert self.cell.training
        return list(self.models[self.cell.training].cost.history)

    def _trained(self) -> Method:
        return cell_method(self.cell, self.models, CPU)

    def _test_images(self) -> NDArray[np.uint8]:
        return np.array(lr_images(self.prepared, "test", self.cell.tested))

    def _answers(self, method: Method | None = None) -> NDArray[np.float32]:
        return predict(method or self._trained(), self._test_images(), len(self.cell.data.classes))

    def _poisoned(self) -> Path:
        """The sample with noise for test images; made once."""
        assert self.sample is not None
        test = self.sample.test
        noise = np.random.default_rng(0).integers(0, 256, test.images.shape, dtype=np.uint8)
        splits = {**self.sample.splits, "test": Split(noise, np.zeros_like(test.labels))}
        faces = dataclasses.replace(self.sample, splits=splits)
        return prepare(Sample.of(faces), "sample", None, cache=self.folder / "poisoned").directory

    def _hidden(self) -> Hidden:
        return Hidden(self.prepared.directory)


class _Skip(Exception):
    pass


class _Naming:
    """Adds place and shape to what evaluate.predict finds."""

    def __init__(self, owner: Conformance, where: str) -> None:
        self.owner, self.where = owner, where

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CellError):
            raise self.owner.broken(f"{error} ({self.where})", "forward") from error


def run_checks(name: str, dataset: str, tell: Callable[[str], None] = lambda name: None) -> Iterator[Check]:
    """All checks of one method; tell hears the name of each before it starts. What builds on a failed one is skipped."""
    folder = Path(tempfile.mkdtemp(prefix="lrfer-check-"))
    conformance = Conformance(name, dataset, folder)
    heard = Overheard(sys.stdout)
    stopped = ""
    try:
        for title, check in conformance.checks().items():
            tell(title)
            if stopped:
                yield Check(title, "skipped", stopped)
                continue
            with contextlib.redirect_stdout(heard):  # type: ignore[type-var]
                outcome = _outcome(title, check, conformance.cls)
            if title in list(conformance.checks())[:3] and outcome.state != "ok":
                stopped = outcome.detail if outcome.state == "skipped" else "what it builds on has failed"
            yield outcome
        if heard.first:
            yield Check("prints", "note", f'"{heard.first}" ({heard.place}): in a run it goes to the results\' logs/')
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _outcome(title: str, check: Callable[[], str], cls: type[Method]) -> Check:
    try:
        return Check(title, "ok", check())
    except _Skip as reason:
        return Check(title, "skipped", str(reason))
    except (Failure, UserError) as error:
        return Check(title, "failed", str(error))
    except CellError as error:
        return Check(title, "failed", f"{error} ({own_place(error) or place_of(cls, FUNCTIONS.get(title, 'losses'))})")
    except (Exception, SystemExit) as error:
        place = own_place(error) or place_of(cls, FUNCTIONS.get(title, "losses"))
        return Check(title, "failed", f"{type(error).__name__}: {error} ({place})")
