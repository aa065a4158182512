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
    assert definitions(text, ["A"]) == "\n" + whole + "\n" * 3


def test_definitions_keep_what_is_set_on_a_kept_name() -> None:
    text = (
        "import os, torch\nCONFIG = {}\nOTHER = {}\nclass A:\n    trains = 'each'\nclass A:\n    "
        "config = CONFIG, torch\n"
        "A.trains = 'all scales'\nCONFIG['k'] = os.sep\nOTHER['k'] = "
        "3\ntorch.manual_seed(1)\nOTHER.clear()\nprint(A)"
    )
    kept = definitions(text, ["A"]).split("\n")
    assert kept == [*text.split("\n")[:2], "", "", "", *text.split("\n")[5:9], "", "", "", ""]


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
    assert definitions(text, ["A"]) == "class A:\n    pass\n\n"


def test_definitions_count_lines_as_python_does() -> None:
    text = "X = 'a\u2028b'\n\x0c\nclass A:\n    x = X\nprint(A)\n"
    assert definitions(text, ["A"]).split("\n") == [
        "X = 'a\u2028b'",
        "",
        "class A:",
        "    x = X",
        "",
    ]
