"""lrfer_bench from Python: classes of a script without a main guard, results, models.

And the sentences of mistakes.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import TINY

import lrfer_bench
from lrfer_bench.errors import UserError
from lrfer_bench.planning.arguments import Arguments, Integers, as_list
from lrfer_bench.plugins.handover import hand_over
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.plugins.slicing import definitions
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

SCRIPT = '''
import json, sys
import torch.nn.functional as F
from torch import nn
import lrfer_bench
from lrfer_bench.api import Method, Protocol, register_method

print("the script runs")
POWER = 1.0


class Base(Method):
    def __init__(self, task, *, bias: bool = True):
        super().__init__(task)
        height, width = task.size
        self.linear = nn.Linear(task.channels * height * width, task.classes, bias=bias)

    def forward(self, lr):
        return self.linear(self.enlarge(lr).flatten(1))


class MyIdea(Base):
    """Defined here and nowhere else."""

    def losses(self, batch):
        logits = self.linear(self.enlarged(batch).flatten(1))
        return {"ce": POWER * F.cross_entropy(logits, batch.label)}


@register_method("fails")
class Fails(MyIdea):
    """Says where."""

    def losses(self, batch):
        raise ValueError("not today")


class Corner(Protocol):
    name = "corner"
    summary = "every nth pixel"

    def degrade(self, hr, size, scale, seeds):
        return hr[:, :, ::scale, ::scale].contiguous()


table = lrfer_bench.run([MyIdea, Fails], dataset="tinyfaces", plugins=sys.argv[1], scales=2,
                        protocols=Corner, results="out", workers=2, tell=None)
print(table.to_json(orient="records"))
again = lrfer_bench.run(MyIdea, dataset="tinyfaces", scales=2, protocols=[Corner], results="out")
print(again.status.tolist())
'''


@pytest.fixture(scope="module")
def script(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("script")
    (folder / "my_script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "my_script.py", str(TINY)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout.splitlines()


def test_classes_of_a_script_reach_the_workers_and_the_script_runs_once(
    script: tuple[Path, list[str]],
) -> None:
    said = script[1]
    assert said.count("the script runs") == 1
    rows = {row["method"]: row for row in json.loads(said[1])}
    assert (
        rows["my-idea"]["status"] == "finished" and rows["my-idea"]["test_protocol"] == "corner@1"
    )
    assert rows["my-idea"]["source"].startswith("my_script.py sha256:")
    line = SCRIPT.splitlines().index('        raise ValueError("not today")') + 1
    assert (
        f"my_script.py:{line})" in rows["fails"]["failure"]
        and "ValueError: not today" in rows["fails"]["failure"]
    )


def test_the_same_script_is_the_same_result(script: tuple[Path, list[str]]) -> None:
    """The second run of the script's classes had nothing to train.

    A key does not depend on the process.
    """
    folder, said = script
    assert said[-1] == "['finished']"
    assert len(list((folder / "out" / "records").glob("*_my-idea_*"))) == 1


def test_load_results_is_one_line_a_record(trained: Path) -> None:
    table = lrfer_bench.load_results(trained)
    assert len(table) == 6 and set(table.status) == {"finished", "failed"}
    assert table[table.method == "raises"].accuracy.isna().all()
    assert set(table[table.status == "finished"].size_px) == {8}
    with pytest.raises(UserError, match="nowhere"):
        lrfer_bench.load_results(trained / "nowhere")


def test_report_is_callable_although_a_package_has_its_name(trained: Path, tmp_path: Path) -> None:
    import lrfer_bench.reporting.frame  # the package is imported, and the name still works

    board = lrfer_bench.report(trained, tmp_path / "report", resamples=0, pictures="none")
    assert (tmp_path / "report" / "index.html").is_file() and {"linear", "enlarge"} <= set(
        board.method
    )
    with pytest.raises(UserError, match="colour"):
        lrfer_bench.report(trained, tmp_path / "report", colour="red")


@pytest.mark.parametrize("method", ["linear", "enlarge"])
def test_a_loaded_model_gives_the_logits_of_its_record(
    trained: Path, method: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_CACHE", environment["LRFER_CACHE"])
    table = lrfer_bench.load_results(trained)
    key = table[(table.method == method) & (table.seed == 1)].key.item()
    predictor = lrfer_bench.load_model(key[:16], trained, plugins=TINY)
    assert (
        predictor.lr_size == (8, 8)
        and predictor.hr_size == (16, 16)
        and len(predictor.classes) == 4
    )
    (record,) = [r for r in Store(trained).scan() if isinstance(r, Record) and r.key == key]
    answers = Store(trained).read_logits(record)
    images = drawn_test_images()
    lr = predictor.degrade(images)
    np.testing.assert_allclose(predictor(lr), answers.logits, atol=1e-5)
    shares = predictor.probabilities(lr)
    np.testing.assert_allclose(shares.sum(1), 1.0, atol=1e-5)
    assert predictor.classify(lr) == [predictor.classes[k] for k in answers.logits.argmax(1)]
    for wrong in (images, lr.astype(np.float32), lr[0], np.repeat(lr, 3, 1)):
        with pytest.raises(UserError, match="the images are"):
            predictor(wrong)


def drawn_test_images() -> Any:
    from lrfer_bench.plugins.registry import DATASETS

    return DATASETS.load("tinyfaces")().load(None).test.images


def test_wrong_keys_are_sentences(trained: Path) -> None:
    failed = next(
        r for r in Store(trained).scan() if isinstance(r, Record) and r.status == "failed"
    )
    for key, words in (
        ("ffff0000", "no record in"),
        ("", "no record in"),
        (failed.key, "failed"),
    ):
        with pytest.raises(UserError, match=words):
            lrfer_bench.load_model(key, trained, plugins=TINY)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scales": [2.0]}, r"scales: 2\.0"),
        ({"scales": "2,x"}, 'scales is "2,x"'),
        ({"seeds": [True]}, "seeds: True"),
        ({"seeds": [np.float64(1)]}, "seeds: "),
        ({"test_scales": [None]}, "test_scales: None"),
        ({"methods": None}, "methods is None"),
        ({"protocols": None}, "protocols is None"),
        ({"dataset": ["a", "b"]}, "dataset"),
        ({"workers": "2"}, "workers: '2'"),
        ({"preset": None}, "preset is None"),
        ({"settings": {"linear": 3}}, "settings of 'linear' is 3"),
        ({"settings": "linear"}, "settings is 'linear'"),
        ({"results": 3}, "results is 3"),
        ({"plugins": [3]}, "plugins is 3"),
        ({"overwrite": ["never"]}, r"overwrite is \['never'\]"),
        ({"tell": "me"}, "tell is 'me'"),
    ],
    ids=str,
)
def test_wrong_kinds_are_sentences(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words) as caught:
        lrfer_bench.run(**{"methods": "bicubic", "results": tmp_path / "results"} | options)
    assert "\n" not in str(caught.value) and not (tmp_path / "results").exists()


def test_integers_of_any_kind_are_plain_ones() -> None:
    class Only(Arguments):
        scales: Integers

    for value in (
        "2, 4",
        (2, 4),
        {4, 2},
        (n for n in (2, 4)),
        np.array([2, 4]),
        [np.int64(2), np.uint8(4)],
    ):
        found = Only(scales=value).scales  # type: ignore[arg-type]
        assert found == [2, 4] and {type(number) for number in found} == {int}
    for one in (np.int64(3), np.array(3), 3):
        assert Only(scales=one).scales == [3]  # type: ignore[arg-type]
    assert as_list("methods", {"b", "a"}) == as_list("methods", (m for m in "ab")) == ["a", "b"]


def test_wrong_kinds_of_results_are_sentences(trained: Path, tmp_path: Path) -> None:
    table = lrfer_bench.load_results([trained])
    assert len(table) == 6
    for call, words in (
        (lambda: lrfer_bench.load_results([]), "no folder"),
        (lambda: lrfer_bench.load_results(None), "results is None"),  # type: ignore[arg-type]
        (lambda: lrfer_bench.load_model(table.key, trained), "key is a Series"),
        (lambda: lrfer_bench.report(trained, tmp_path, resamples=-5), "resamples is -5"),
        (lambda: lrfer_bench.report(trained, tmp_path, resamples=0.5), r"resamples: 0\.5"),
        (
            lambda: lrfer_bench.report(trained, tmp_path, pictures="nothing"),
            "pictures is 'nothing'",
        ),
    ):
        with pytest.raises(UserError, match=words):
            call()


def test_importing_the_package_takes_no_torch() -> None:
    code = "import sys, lrfer_bench; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert {"run", "report", "load_results", "load_model"} <= set(dir(lrfer_bench))
    with pytest.raises(AttributeError, match="no attribute 'rum'"):
        lrfer_bench.rum  # noqa: B018


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
        "SIZE = 3\nclass A:\n    SIZE = SIZE\n    def f(self, table=None):\n        run = [table "
        "for table in (1,)]\n"
        "        return run\ntable = run([A])\nrun = table\nmore = [run(A) for SIZE in (1, 2)]"
    )
    assert definitions(text, ["A"]) == text.partition("\ntable")[0] + "\n" * 3


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
        "if __name__ == '__main__':\n    A.trains = 'hr'",
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


def test_a_file_that_registers_its_class_is_handed_over_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key and hash are those of --plugin, and the command line needs no module of its name."""
    import importlib

    file = tmp_path / "stands_alone.py"
    file.write_text(
        "from lrfer_bench.api import Method, "
        "register_method\n\n\n@register_method('stands-alone')\n"
        "class Mine(Method):\n    pass\n\n\nclass Bare(Method):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(METHODS, "_entries", {entry.name: entry for entry in METHODS})
    module = importlib.import_module("stands_alone")
    names, files = hand_over(METHODS, [module.Mine], tmp_path / "results")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    assert (names, files) == (["stands-alone"], [file])
    assert METHODS.entry("stands-alone").source == f"stands_alone.py sha256:{digest}"
    assert (tmp_path / "results" / "plugins" / digest / file.name).read_bytes() == file.read_bytes()
    assert hand_over(METHODS, ["stands-alone"], tmp_path / "results") == (names, files)
    (stub,) = hand_over(METHODS, [module.Bare], tmp_path / "results")[1]
    assert stub != file and "from stands_alone import" in stub.read_text()
    for name in [name for name in sys.modules if "stands_alone" in name]:
        monkeypatch.delitem(sys.modules, name)


def test_a_class_without_a_source_is_one_sentence(tmp_path: Path) -> None:
    from lrfer_bench.api import Method

    lost = type("Lost", (Method,), {"__module__": "__nowhere__"})
    with pytest.raises(UserError, match=r"Lost .*plugins=\[...\]"):
        hand_over(METHODS, [lost], tmp_path)

    class Inner(Method):
        pass

    with pytest.raises(UserError, match="inside a function"):
        hand_over(METHODS, [Inner], tmp_path)
    with pytest.raises(UserError, match="nor a class"):
        hand_over(METHODS, [3], tmp_path)  # type: ignore[list-item]


def test_a_notebook_hands_over_the_newest_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells as IPython keeps them, a magic among them, the class defined twice."""
    import types

    module = types.ModuleType("made_up_notebook")
    cells = [
        "%matplotlib inline\nfrom lrfer_bench.api import Method, register_method",
        "@register_method('of-a-notebook')\nclass Mine(Method):\n    version = '1'",
        "@register_method('of-a-notebook')\nclass Mine(Method):\n    version = '2'",
    ]
    monkeypatch.setitem(sys.modules, "made_up_notebook", module)
    with METHODS.scope():
        for cell in cells:
            exec(cell.replace("%matplotlib inline", ""), module.__dict__)
        module.In = cells  # type: ignore[attr-defined]
        names, files = hand_over(METHODS, ["of-a-notebook"], tmp_path)
        assert names == ["of-a-notebook"] and len(files) == 1 and files[0].name == "notebook.py"
        assert METHODS.load("of-a-notebook").version == "2"
        exec(cells[2].replace("'2'", "'3'"), module.__dict__)
        module.In = [*cells, cells[2].replace("'2'", "'3'")]  # type: ignore[attr-defined]
        hand_over(METHODS, [module.Mine], tmp_path)  # type: ignore[attr-defined]
        assert METHODS.load("of-a-notebook").version == "3"
