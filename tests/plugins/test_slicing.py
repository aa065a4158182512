"""Which statements of a script a class rests on, with their line numbers kept."""

from __future__ import annotations

import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.slicing import definitions


def test_definitions_keep_what_a_class_rests_on_and_its_lines() -> None:
    text = (
        "import os\nimport math\nA = math.pi\nB = os.getcwd()\nprint(B)\n\n\n@math.log\nclass "
        "C(float):\n    x = A\n\n\n"
    )
    text += "if __name__ == '__main__':\n    C()"
    kept = definitions(text, ["C"]).split("\n")
    assert kept[:5] == ["", "import math", "A = math.pi", "", ""]
    assert kept[7:10] == ["@math.log", "class C(float):", "    x = A"] and not any(kept[10:])


def test_definitions_take_what_is_global_only() -> None:
    text = (
        "from lrfer_bench import run\nSIZE = 3\nclass A:\n    SIZE = SIZE\n"
        "    def f(self, table=None):\n        run = [table for table in (1,)]\n"
        "        return run\ntable = run([A])\nrun = table\nmore = [run(A) for SIZE in (1, 2)]"
    )
    whole = text.partition("\n")[2].partition("\ntable")[0]
    assert definitions(text, ["A"]) == "\n" + whole


def test_definitions_keep_what_is_set_on_a_kept_name() -> None:
    text = (
        "import os, torch\nCONFIG = {}\nOTHER = {}\nclass A:\n    trains = 'each'\nclass A:\n    "
        "config = CONFIG, torch\n"
        "A.trains = 'all scales'\nCONFIG['k'] = os.sep\nOTHER['k'] = "
        "3\ntorch.manual_seed(1)\nOTHER.clear()\nprint(A)"
    )
    kept = definitions(text, ["A"]).split("\n")
    assert kept == [*text.split("\n")[:2], "", "", "", *text.split("\n")[5:9]]


@pytest.mark.parametrize(
    "statement",
    [
        "CONFIG.append(1)",
        "A.prepare()",
        "for k in (1, 2):",
    ],
)
def test_what_would_be_lost_is_refused_with_its_line(statement: str) -> None:
    body = "\n    CONFIG[k] = 1" if statement.endswith("2):") else ""
    with pytest.raises(UserError, match=r"^idea\.py:4: .*(CONFIG|A)") as caught:
        definitions(
            f"CONFIG = []\nclass A:\n    config = CONFIG\n{statement}{body}", ["A"], "idea.py"
        )
    assert statement.partition("\n")[0] in str(caught.value)


def test_calls_under_the_main_guard_are_left_alone() -> None:
    text = "class A:\n    pass\nif __name__ == '__main__':\n    A.prepare()"
    assert definitions(text, ["A"]) == "class A:\n    pass"


def test_what_stands_after_a_class_changes_nothing() -> None:
    text = "N = 1; M = 2\nclass A:\n    n = N, M"
    assert definitions(text, ["A"]) == text
    assert definitions(text + "\nprint(1)\n\nprint(2)\n", ["A"]) == text


CELLS = [
    "import math\nfrom os.path import *",
    "N = 2\nW = [64, -1]\nX, Y = (1, 2), {'a': 1.5}",
    "def f():\n    return math.pi * N",
    '"""Text\n\nof mine."""\nclass B:\n    f = f, N, sep, W, X, Y',
]
AGAIN = [[], [0], [1], [2], [3], [0, 1], [0, 1, 2, 3], [2, 3, 3], [3, 2, 1, 0]]


@pytest.mark.parametrize("again", AGAIN)
def test_a_cell_that_is_run_again_as_it_was_changes_nothing(again: list[int]) -> None:
    cells = [*CELLS, "print(N, W)\nrun = f()", *(CELLS[number] for number in again), "print(B)"]
    once = definitions("\n".join(CELLS), ["B"], lines_stay=False)
    assert definitions("\n".join(cells), ["B"], lines_stay=False) == once
    assert once == "\n".join([*CELLS[:3], CELLS[3].partition('\n\nof mine."""\n')[2]])


@pytest.mark.parametrize("between", [
    "N = 3", "N += 1", "from math import *\nN = pi", "import no_such_module as N",
    "def g():\n    global N\n    N = 5\n    return 7\nT = g()",
    "from no_such_module import *",
])  # fmt: skip
def test_a_cell_that_says_something_anew_is_kept(between: str) -> None:
    cells = ["N = 2\nT = 1", "class B:\n    n = N, T", between, "N = 2"]
    text = definitions("\n".join([*cells, cells[1]]), ["B"], lines_stay=False)
    assert text.count("N = 2") == 2 and text.endswith("N = 2\nclass B:\n    n = N, T"), text


@pytest.mark.parametrize(
    "between",
    ["from math import *", "def g():\n    global e\n    e = 5\n    return 2\nT = g()"],
)
def test_what_a_script_says_twice_is_kept_twice(between: str) -> None:
    """`from math import *` has an e, too; and a call may change what stands between."""
    text = f"T = 1\ne = 0.5\n{between}\ne = 0.5\nclass A:\n    rate = e, T"
    assert definitions(text, ["A"]) == text


def test_definitions_count_lines_as_python_does() -> None:
    text = "X = 'a\u2028b'\n\x0c\nclass A:\n    x = X\nprint(A)\n"
    assert definitions(text, ["A"]).split("\n") == [
        "X = 'a\u2028b'",
        "",
        "class A:",
        "    x = X",
    ]


def test_parts_of_one_package_are_all_kept() -> None:
    text = (
        "import xml\nimport xml.sax\nimport xml.dom.minidom as dom\n"
        "import xml.etree.ElementTree\nclass A:\n    x = xml.sax, xml.etree"
    )
    kept = definitions(text, ["A"]).split("\n")
    assert kept[:4] == ["", "import xml.sax", "", "import xml.etree.ElementTree"]
