"""Statements of a script that change what a class rests on, and those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.slicing import definitions

SCRIPT = """\
import random, threading, torch
from pathlib import Path
import lrfer_bench
from lrfer_bench.api import Method, register_method

WIDTHS = [24]
SIZE = 48
HALF = SIZE // 2
ROOT = Path("here") / "there"
DEVICE = torch.device("cpu")
SETTINGS = {"width": 3, "name": "a"}
PARTS = {}


class Config:
    def __init__(self):
        self.value = 3

    def set(self, value):
        self.value = value


CFG = Config()


class A(Method):
    used = (WIDTHS, SIZE, HALF, ROOT, DEVICE, SETTINGS, PARTS, CFG)

    def __init__(self, task):
        self.net = torch.nn.Linear(CFG.value, SETTINGS["width"])
        self.weight = torch.tensor(WIDTHS)


def add(width):
    WIDTHS.append(width)


def again():
    alias = WIDTHS
    alias.append(4)


def renew():
    global SIZE
    SIZE = 3


def widen(widths):
    widths.append(3)


def count(widths):
    return len(widths)


def whole():
    return WIDTHS


def part(function):
    PARTS[function.__name__] = function
    return function


class Filler:
    def fill(self):
        WIDTHS.append(9)


class Derived(Filler):
    pass


def report(method):
    table = lrfer_bench.run([method, "direct"])
    print(table, method)
    return table


def main():
    return report(A)


"""
"""Its last line is empty: a statement is put there."""


def kept(statement: str) -> list[str]:
    return definitions(SCRIPT + statement, ["A"], "idea.py").split("\n")


@pytest.mark.parametrize(
    "statement",
    [
        "add(48)",
        "width = add(48)",
        "again()",
        "renew()",
        "widen(WIDTHS)",
        "whole().append(3)",
        "f = add\nf(3)",
        "shorter = lambda: WIDTHS.pop()\nshorter()",
        "list(map(add, [48]))",
        "threading.Thread(target=add).start()",
        "random.shuffle(WIDTHS)",
        "random.shuffle(x=[WIDTHS])",
        "first = WIDTHS.pop(0)",
        "print(WIDTHS.pop(0))",
        "if WIDTHS.pop():\n    pass",
        "alias = WIDTHS\nalias.append(48)",
        "setattr(A, 'widths', (48,))",
        "for cls in (A, Filler):\n    cls.trains = 'hr'",
        "for cls in (A, Filler):\n    setattr(cls, 'trains', 'hr')",
        "table = A.prepare()",
        "x = CFG.set(5)",
        "x = SETTINGS.setdefault('x', []).append(1)",
        "Filler().fill()",
        "filler = Derived()",
        "torch.nn.Linear(3, CFG.value)",
    ],
)
def test_what_a_dropped_statement_changes_is_refused_with_its_line(statement: str) -> None:
    line = SCRIPT.count("\n") + 1
    with pytest.raises(UserError, match=r"^idea\.py:\d+: .* may change ") as caught:
        kept(statement)
    assert f"idea.py:{line}: " in str(caught.value) or f"idea.py:{line + 1}: " in str(caught.value)
    indented = "\n".join("    " + each for each in statement.split("\n"))
    if "setattr" not in statement and statement != "renew()" and " = 'hr'" not in statement:
        kept(f"if __name__ == '__main__':\n{indented}")


@pytest.mark.parametrize(
    ("definition", "statement"),
    [
        ("def go():\n    for width in (16, 64):\n        A.width = width", "go()"),
        ("def go(w):\n    global SIZE\n    SIZE = w", "for w in (16, 64):\n        go(w)"),
        ("def go():\n    idea = A\n    setattr(idea, 'w', 3)", "threading.Thread(target=go)"),
        (
            "def inner():\n    SETTINGS['k'] = 3\ndef go():\n    inner()\n    go()",
            "f = go\n    f()",
        ),
        ("", "setattr(A, 'w', 32)"),
        ("", "del A.used"),
        ("", "SIZE = 64"),
        ("", "for SIZE in (16, 64):\n        lrfer_bench.run(methods=[A])"),
    ],
)
def test_what_surely_changes_is_refused_under_the_main_guard(
    definition: str, statement: str
) -> None:
    text = f"{definition}\nif __name__ == '__main__':\n    {statement}\n"
    line = SCRIPT.count("\n") + definition.count("\n") + 3
    more = statement.startswith("f = ")
    with pytest.raises(UserError, match=rf"^idea\.py:{line + more}: .* may change ") as caught:
        kept(text)
    assert "setting of the method" in str(caught.value) and "under if" not in str(caught.value)


def test_functions_that_change_something_else_run_under_the_main_guard() -> None:
    assert "WIDTHS = [24]" in kept(
        "def go(args):\n    global TABLE\n    A = torch\n    A.x = 3\n    args.w = TABLE = 3\n"
        "    net = A(3)\n    return lrfer_bench.run([A], w=WIDTHS)\n"
        "if __name__ == '__main__':\n    table = go(A)\n    print(table, A(3), A.prepare())\n"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "table = lrfer_bench.run([A, 'direct'], scales=[2, 4])\nprint(table[['method', 'scale']])",
        "print(lrfer_bench.plan([A, 'direct'], scales=WIDTHS))",
        "from lrfer_bench import run as go\ntable = go(A)\ntable.to_csv('x')",
        "run = lrfer_bench.run\nrun(methods=[A])",
        "main()",
        "table = report(A)\ntable.to_csv('x')",
        "methods = [A, 'direct']\nmethods.append('oracle')\nlrfer_bench.run(methods)",
        "for method in (A, Filler):\n    lrfer_bench.run(method)",
        "register_method('x')(A)",
        "lrfer_bench.api.register_method('x')(A)",
        "net = A(3)\nnet.eval()\ny = net(torch.zeros(1, 1, SIZE, HALF))",
        "idea = A\nnet = idea(3)",
        "print(len(WIDTHS), *WIDTHS, A, isinstance(net, A), count(WIDTHS), whole())",
        "lines = [f'{key}={value}' for key, value in SETTINGS.items()]",
        "name = A.__name__.lower()",
        "x = torch.zeros(1, 1, SIZE, HALF, device=DEVICE).to(DEVICE)\nw = torch.load(ROOT / 'w')",
        "layer = torch.nn.Linear(SETTINGS['width'], SIZE)",
        "torch.manual_seed(SIZE)\nROOT.joinpath('x')",
        "other = [3]\nrandom.shuffle(other)\nwiden(other)",
        "@torch.no_grad()\ndef evaluate():\n    return lrfer_bench.run([A])",
    ],
)
def test_plain_statements_are_not_refused(statement: str) -> None:
    assert not any(kept(statement)[SCRIPT.count("\n") :])


def test_an_import_of_all_brings_functions_of_lrfer_bench() -> None:
    text = "from lrfer_bench.api import *\nclass A:\n    pass\nregister_method('x')(A)"
    assert definitions(text, ["A"]) == text.rpartition("\n")[0]
    with pytest.raises(UserError, match="may change A"):
        definitions(f"{text}\nsetattr(A, 'x', 3)", ["A"])


def run(text: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "made"}
    exec(compile(text, "made", "exec"), space)
    return space


REGISTRIES = {
    "part": "PARTS = {}\ndef part(fn):\n    PARTS[fn.__name__] = fn\n    return fn\n",
    "named('relu')": "PARTS = {}\ndef named(name):\n    def keep(fn):\n        PARTS[name] = fn\n"
    "        return fn\n    return keep\n",
    "PARTS.add": "class Parts(dict):\n    def add(self, fn):\n        self[fn.__name__] = fn\n"
    "        return fn\nPARTS = Parts()\n",
}


@pytest.mark.parametrize("decorator", REGISTRIES)
def test_what_a_decorator_enters_into_a_kept_table_is_kept(decorator: str) -> None:
    script = REGISTRIES[decorator] + (
        f"LEAST = 0\n@{decorator}\ndef relu(x):\n    return max(x, LEAST)\n"
        "def other(x):\n    return x\nclass A:\n    parts = PARTS\n"
    )
    text = definitions(script, ["A"])
    assert "def other" not in text
    assert run(text)["A"].parts["relu"](-3) == run(script)["A"].parts["relu"](-3) == 0


def test_derived_classes_that_their_base_enters_into_a_table_are_kept() -> None:
    script = (
        "class Part:\n    known = {}\n    def __init_subclass__(cls):\n"
        "        cls.known[cls.__name__] = cls\nclass Relu(Part):\n    pass\n"
        "class Leaky(Relu):\n    pass\nclass Other:\n    pass\nclass A:\n    parts = Part\n"
    )
    text = definitions(script, ["A"])
    assert set(run(text)["A"].parts.known) == {"Relu", "Leaky"} and "Other" not in text


def test_what_goes_in_a_circle_ends() -> None:
    script = (
        "class B:\n    pass\nclass A(B):\n    pass\nclass B(A):\n    pass\n"
        "def f():\n    g()\ndef g():\n    f()\nN = 1\nN = N + 1\nx = y = 2\ny = x\nx = y\n"
    )
    text = definitions(script + "class C(A):\n    n = N, f\nclass D(B):\n    pass\nf()\n", ["C"])
    assert "class C" in text and "class D" not in text
