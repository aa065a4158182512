"""From a cell and what it answered to its record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch

from lrfer_bench.contract.cards import MethodCard
from lrfer_bench.contract.method import Method
from lrfer_bench.errors import escaped
from lrfer_bench.planning.plan import Cell
from lrfer_bench.plugins.blame import without_paths
from lrfer_bench.plugins.degradation import source_of
from lrfer_bench.running import cost
from lrfer_bench.running.environment import environment
from lrfer_bench.running.facts import finite_or_none
from lrfer_bench.running.models import Model
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.schema import (
    MOST_TEXT,
    CardPart,
    Cost,
    DatasetPart,
    Epoch,
    Failure,
    MethodPart,
    Record,
    SelectionPart,
    StagePart,
    TestPart,
    TrainPart,
)
from lrfer_bench.training.arithmetic import arithmetic_of


def draft(cell: Cell) -> Record:
    """A record with all that is known before the cell runs."""
    data, method = cell.data, cell.method
    return Record(
        key=cell.key,
        status="failed",
        seed=cell.seed,
        preset=cell.preset.id,
        dataset=DatasetPart(
            name=data.name,
            fingerprint=data.fingerprint,
            classes=list(data.classes),
            synthetic=data.synthetic,
        ),
        method=MethodPart(
            name=method.name,
            version=method.version,
            settings=dict(method.given),
            source=method.source,
            kind="oracle" if cell.kind == "oracle" else "lr",
            test_time_augmentation=cell.test_time_augmentation,
            trials=method.trials,
            weights=list(cell.weights),
            stage_settings=list(cell.stage_settings),
            existing=cell.existing,
            card=card_part(method.card) if method.card else None,
        ),
        train=TrainPart(
            protocol=cell.trained.protocol,
            scales=list(cell.trained.scales),
            targets="soft" if cell.preset.targets == "soft" and not cell.existing else None,
        ),
        test=TestPart(
            protocol=cell.tested.protocol, scale=cell.tested.scale, size_px=cell.lr_size[0]
        ),
    )


def card_part(card: MethodCard) -> CardPart:
    """A card as a record keeps it: cut where it is longer than records are allowed to be."""
    year = card.year if isinstance(card.year, int) and 0 <= card.year <= 9999 else None
    url = card.url if re.fullmatch(r"https?://\S+", str(card.url)) else ""
    return CardPart(
        summary=_cut(card.summary), title=_cut(card.title), authors=_cut(card.authors), year=year,
        url=_cut(url), bibtex=_whole_entries(escaped(str(card.bibtex))),
        stated=[_cut(text) for text in card.stated[:50]],
        ours=[_cut(text) for text in card.ours[:50]],
    )  # fmt: skip


def _cut(text: object) -> str:
    return escaped(str(text)[:MOST_TEXT])[:MOST_TEXT]


def _whole_entries(bibtex: str) -> str:
    """BibTeX that is not cut in the middle of an entry."""
    return bibtex if len(bibtex) <= MOST_TEXT else bibtex[:MOST_TEXT].rpartition("\n@")[0]


def failed_record(cell: Cell, sentence: str, trace: str = "") -> Record:
    """The record of a cell that could not be finished; it names no path of this machine."""
    failure = Failure(
        sentence=escaped(without_paths(sentence)), traceback=escaped(without_paths(trace))
    )
    return draft(cell).model_copy(update={"failure": failure, "environment": environment()})


def finished_record(
    cell: Cell, answers: Logits, models: Mapping[str, Model], method: Method, lr: torch.Tensor
) -> Record:
    """The record of a tested cell.

    lr: one LR face, uint8 [1, C, h, w], to measure the method's cost with
    """
    facts = environment(lr.device)
    if cell.preset.precision != "fp32":
        tested = facts.get("precision", "fp32")
        facts = {**facts, "precision": f"{cell.preset.precision} in training, {tested} in tests"}
    # A run that was stopped here goes on there: the bits of its models are those of here.
    others = {model.cost.arithmetic for model in models.values()} - {"", arithmetic_of(lr.device)}
    if others:
        facts = {**facts, "trained_by": "; ".join(sorted(others))}
    told = draft(cell)
    told.method.files = _files(cell, models)
    return told.model_copy(update={
        "status": "finished", "metrics": score(answers.logits, answers.labels, answers.clean),
        "cost": _cost(cell, models, method, lr), **_training_parts(cell, models),
        "environment": facts,
    })  # fmt: skip


def _files(cell: Cell, models: Mapping[str, Model]) -> dict[str, str]:
    """The plugin files behind its protocols and stages; an edited one made another cell."""
    names = {each.protocol.partition("@")[0] for each in (cell.trained, cell.tested)}
    found = {f"protocol {name}": source_of(name) for name in names}
    stages = [model.training.method for model in models.values()]
    found |= {f"method {stage.name}": stage.source for stage in stages}
    others = {of: source for of, source in found.items() if source != cell.method.source}
    return {of: source for of, source in sorted(others.items()) if " sha256:" in source}


def _training_parts(cell: Cell, models: Mapping[str, Model]) -> dict[str, Any]:
    """The parts of a record that tell of its training and its stages."""
    stages = {
        name: StagePart(
            key=key, method=models[key].training.method.name, train_seconds=models[key].cost.seconds
        )
        for name, key in cell.stages.items()
    }
    if cell.training is None:
        return {"stages": stages}
    own = models[cell.training].cost
    history = [
        Epoch(
            epoch=row["epoch"], seconds=row["seconds"], losses=row["losses"],
            val_accuracy=finite_or_none(row["val_score"]),
        )
        for row in own.history
    ]  # fmt: skip
    selection = SelectionPart(rule=own.rule, epoch=own.epoch, epochs=own.epochs)
    return {"stages": stages, "history": history, "selection": selection}


def _cost(cell: Cell, models: Mapping[str, Model], method: Method, lr: torch.Tensor) -> Cost:
    own = models[cell.training].cost if cell.training else None
    with_stages = sum(model.cost.seconds for model in models.values())
    return Cost(
        parameters=cost.parameters_used(method, lr), macs=cost.macs_used(method, lr),
        latency_ms=round(cost.latency_ms(method, lr), 4),
        throughput=round(cost.throughput(method, lr), 2),
        train_seconds=own.seconds if own else 0.0,
        train_seconds_with_stages=round(with_stages, 3),
        peak_memory_mb=own.peak_memory_mb if own else round(cost.peak_memory_mb(), 1),
    )  # fmt: skip
