"""What can run now: the frontier against the rule in plain words, on random plans."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from lrfer_bench.contract.condition import Condition
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.plan import Cell, DataRef, MethodRef, Plan, Training
from lrfer_bench.running.frontier import Frontier

DATA = DataRef("faces", "f" * 64, "/nowhere", ("a", "b"), 1, (48, 48), False)
METHOD = MethodRef("direct", "1", "", "", "", {}, {})
LR = Condition("bicubic@1", (4,))


def training(key: str, *below: str, seed: int = 0) -> Training:
    stages = {f"stage{number}": stage for number, stage in enumerate(below)}
    return Training(key, METHOD, LR, DATA, seed, preset_of("quick"), stages)


def cell(key: str, own: str | None, *below: str) -> Cell:
    stages = {f"stage{number}": stage for number, stage in enumerate(below)}
    return Cell(
        key, METHOD, "lr", None, LR, LR, DATA, 0, preset_of("quick"), own, stages
    )  # fmt: skip


def plan_of(*nodes: Training | Cell) -> Plan:
    plan = Plan()
    for node in nodes:
        if isinstance(node, Training):
            plan.trainings[node.key] = node
        else:
            plan.cells[node.key] = node
    return plan


def random_plan(rng: random.Random) -> Plan:
    trainings: list[Training] = []
    for number in range(rng.randint(1, 12)):
        below = rng.sample([t.key for t in trainings], rng.randint(0, min(3, number)))
        trainings.append(training(f"t{number}", *below))
    keys = [t.key for t in trainings]
    cells = []
    for number in range(rng.randint(1, 15)):
        own = rng.choice([*keys, None])
        below = list(trainings[keys.index(own)].stages.values()) if own else [rng.choice(keys)]
        cells.append(cell(f"c{number}", own, *below))
    return plan_of(*trainings, *cells)


@dataclass
class PlainRule:
    """The rule as one would say it: look through the whole plan at each step."""

    plan: Plan
    done: set[str]
    gone: set[str] = field(default_factory=set)

    def ready(self) -> tuple[set[str], set[str]]:
        """(cells, trainings) whose models are all there."""
        cells = {
            key for key, one in self.plan.cells.items()
            if key not in self.gone | self.done and set(self.plan.needed_for(one)) <= self.done
        }  # fmt: skip
        trainings = {
            key for key, one in self.plan.trainings.items()
            if key not in self.gone | self.done
            and set(self.plan.below(one.stages.values())) <= self.done
        }  # fmt: skip
        return cells, trainings

    def below(self, node: Training | Cell) -> set[str]:
        if isinstance(node, Cell):
            return set(self.plan.needed_for(node))
        return set(self.plan.below(node.stages.values()))

    def rests_on(self, key: str) -> set[str]:
        above = {k for k, t in self.plan.trainings.items() if key in self.plan.below([t.key])}
        return above | {k for k, c in self.plan.cells.items() if key in self.plan.needed_for(c)}


@pytest.mark.parametrize("seed", range(100))
def test_each_step_is_what_the_plain_rule_allows(seed: int) -> None:
    rng = random.Random(seed)
    plan = random_plan(rng)
    made = {key for key in plan.trainings if rng.random() < 0.2}
    frontier, rule = Frontier(plan, frozenset(made)), PlainRule(plan, set(made))
    running: list[str] = []
    seen: list[str] = []
    while frontier:
        node = frontier.next() if rng.random() < 0.7 or not running else None
        if node is not None:
            cells, trainings = rule.ready()
            assert node.key in (cells if isinstance(node, Cell) else trainings)
            assert isinstance(node, Cell) or not cells - set(running), "cells come first"
            assert node.key not in seen + running
            below = sorted(rule.below(node) & rule.done)
            if below and rng.random() < 0.1:  # one of its models is found damaged
                model = rng.choice(below)
                assert frontier.wait_for(node.key, model)
                rule.done.discard(model)
                made.discard(model)
                seen = [key for key in seen if key != model]
                continue
            running.append(node.key)
            continue
        assert running, "nothing runs and nothing can"
        key = running.pop(rng.randrange(len(running)))
        if rng.random() < 0.15:
            lost = {one.key for one in frontier.lose(key)}
            running = [other for other in running if other not in lost]
            expected = {key} | (rule.rests_on(key) if key in plan.trainings else set())
            # one that is trained, on a stage that was found damaged since, is lost with it
            assert lost - set(seen) == expected - rule.gone - set(seen)
            rule.gone |= lost
        else:
            frontier.finish(key)
            rule.done.add(key)
            seen.append(key)
    assert not running
    assert set(seen) | made | rule.gone == {*plan.trainings, *plan.cells}


def test_the_training_that_most_trainings_wait_for_comes_first() -> None:
    plan = plan_of(
        training("alone"), training("base"), training("x", "base"), training("y", "base"),
        cell("on-alone", "alone"),
    )  # fmt: skip
    frontier = Frontier(plan)
    first, second = frontier.next(), frontier.next()
    assert first and second and (first.key, second.key) == ("base", "alone")
    assert frontier.next() is None
    frontier.finish("alone")
    result = frontier.next()
    assert result is not None and result.key == "on-alone"


def test_a_run_that_is_stopped_leaves_whole_tables_of_the_first_seeds() -> None:
    """A stage of seed 1 that many wait for comes after the last training of seed 5, asked first."""
    nodes = []
    for seed in (5, 1):
        nodes += [training(f"stage {seed}", seed=seed)]
        nodes += [training(f"{name} {seed}", f"stage {seed}", seed=seed) for name in "abc"]
        nodes += [training(f"alone {seed}", seed=seed)]
    frontier = Frontier(plan_of(*nodes))
    taken = []
    while (node := frontier.next()) is not None:
        taken.append(node.key)
        frontier.finish(node.key)
    assert taken[0] == "stage 5" and taken[5] == "stage 1"
    assert {key[-1] for key in taken[:5]} == {"5"} and len(taken) == 10


def test_a_second_try_comes_before_others_and_what_is_put_back_after_them() -> None:
    plan = plan_of(training("a"), training("b"), cell("c1", None), cell("c2", None))
    frontier = Frontier(plan)

    def taken() -> Any:
        node = frontier.next()
        return node and node.key

    assert taken() == "c1"
    frontier.put_back("c1")
    assert (taken(), taken(), taken()) == ("c2", "c1", "a")
    frontier.again("c1")
    frontier.again("a")
    assert (taken(), taken(), taken(), taken()) == ("c1", "a", "b", None)


def test_a_model_whose_stage_was_deleted_waits_for_it_and_is_not_made_again() -> None:
    plan = plan_of(training("stage"), training("own", "stage"), cell("c", "own"))
    frontier = Frontier(plan, frozenset({"own"}))
    first = frontier.next()
    assert first is not None and first.key == "stage" and frontier.next() is None
    frontier.finish("stage")
    second = frontier.next()
    assert second is not None and second.key == "c"


def test_a_damaged_model_below_others_is_made_once_and_all_wait_for_it() -> None:
    plan = plan_of(
        training("stage"), training("own", "stage"), cell("c1", "own"), cell("c2", "own")
    )
    frontier = Frontier(plan, frozenset({"stage", "own"}))
    first = frontier.next()
    assert first is not None and first.key == "c1"
    assert frontier.wait_for("c1", "stage") and not frontier.wait_for("c1", "stage")
    again = frontier.next()
    assert again is not None and again.key == "stage" and frontier.next() is None
    frontier.finish("stage")
    assert {node.key for node in (frontier.next(), frontier.next()) if node} == {"c1", "c2"}
