"""A class whose text is not all that it rests on is not handed over, and harmless ones are."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest
import registries
import torch

from lrfer_bench.errors import MachineError, UserError
from lrfer_bench.plugins.handover import hand_over, text_of
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.plugins.registry import DATASETS, METHODS, PLUGIN_ERRORS
from lrfer_bench.plugins.unchanged import unchanged

IDEA = """
class Idea(Method):
    kinds = KINDS, {names}

    def forward(self, lr):
        return lr
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("sizes.json").write_text('{"width": 64}')
    before = set(sys.modules)
    with registries.pristine():
        yield
    for name in set(sys.modules) - before:
        if name.startswith("own_"):
            del sys.modules[name]


def script(text: str, names: str = "()") -> ModuleType:
    """The module of a script that has run; it is not the importable module of its name."""
    body = "import os, sys, json, argparse, enum, math, random, torch\nfrom pathlib import Path\n"
    body += "from lrfer_bench.api import Method\nKINDS = ()\n" + text + "\n"
    Path("folder").mkdir(exist_ok=True)
    file = Path("folder", "own_script.py").resolve()
    file.write_text(body + IDEA.format(names=names))
    module = ModuleType("own_script")
    module.__file__ = str(file)
    module.__loader__ = SourceFileLoader("own_script", str(file))
    sys.modules["own_script"] = module
    exec(compile(file.read_text(), str(file), "exec"), vars(module))
    return module


OUTSIDE = {
    "argument": "W = int(sys.argv[1])",
    "argument with a default": "W = int(sys.argv[1]) if len(sys.argv) > 1 else 8",
    "variable": "W = int(os.environ['WIDTH'])",
    "variable with a default": "W = int(os.environ.get('WIDTH', '8'))",
    "getenv": "W = {'width': [os.getenv('WIDTH')]}",
    "imported environ": "from os import environ\nW = environ.get('WIDTH')",
    "all variables": "W = sorted(os.environ)",
    "file": "with open('sizes.json') as f:\n    W = json.load(f)['width']",
    "file by a function": "def read(p):\n    return json.loads(p.read_text())\n"
    "W = read(Path('sizes.json'))",
    "file if it is there": "W = 8\ntry:\n    W = json.load(open('sizes.json'))['width']\n"
    "except OSError:\n    pass",
    "parser": "def parsed():\n    p = argparse.ArgumentParser()\n"
    "    p.add_argument('w', nargs='?')\n    return p.parse_args()\nW = parsed()",
    "chance": "W = random.random()",
    "object": "class C:\n    def __init__(self):\n        self.w = len(sys.argv)\nW = C()",
    "choice": "W = torch.relu if len(sys.argv) > 1 else torch.tanh",
    "path": "W = Path(sys.argv[1] if len(sys.argv) > 1 else 'x')",
    "partial": "import functools\ndef f(w):\n    return w\n"
    "W = functools.partial(f, w=int(os.environ.get('WIDTH', '8')))",
    "closure": "def scaled(w):\n    def f(x):\n        return w * x\n    return f\n"
    "W = scaled(int(os.environ.get('WIDTH', '8')))",
    "decorator": "import functools\ndef scaled(w):\n    def of(f):\n"
    "        @functools.wraps(f)\n        def g(x):\n            return w * f(x)\n"
    "        return g\n    return of\n"
    "@scaled(int(os.environ.get('WIDTH', '8')))\ndef W(x):\n    return x",
    "range": "W = range(int(os.environ.get('WIDTH', '8')))",
    "fraction": "import fractions\nW = fractions.Fraction(1, int(os.environ.get('WIDTH', '8')))",
    "base": "class A:\n    pass\nclass B:\n    pass\n"
    "class W(B if 'WIDTH' in os.environ else A):\n    pass",
    "named tuple": "from typing import NamedTuple\nclass C(NamedTuple):\n    w: int\n"
    "W = C(int(os.environ.get('WIDTH', '8')))",
    "own dict": "class C(dict):\n    pass\nW = C(w=int(os.environ.get('WIDTH', '8')))",
    "own number": "class C(int):\n    pass\nW = C(os.environ.get('WIDTH', '8'))",
    "cached closure": "import functools\ndef scaled(w):\n    @functools.cache\n    def f(x):\n"
    "        return w * x\n    return f\nW = scaled(int(os.environ.get('WIDTH', '8')))",
    "bound method": "class C:\n    def __init__(self, w):\n        self.w = w\n"
    "    def f(self):\n        return self.w\nW = C(int(os.environ.get('WIDTH', '8'))).f",
    "partial method": "import functools\nclass W:\n    def f(self, w):\n        return w\n"
    "    g = functools.partialmethod(f, w=int(os.environ.get('WIDTH', '8')))",
    "deque": "import collections\nW = collections.deque([int(os.environ.get('WIDTH', '8'))])",
    "set of tuples": "W = {(1, int(os.environ.get('WIDTH', '8')))}",
    "setter": "class W:\n    w = property(None, lambda self, x, k=os.environ.get('WIDTH'): None)",
    "slots": "import dataclasses\n@dataclasses.dataclass(frozen=True, slots=True)\n"
    "class C:\n    w: int\nW = C(int(os.environ.get('WIDTH', '8')))",
}


@pytest.mark.parametrize("text", OUTSIDE.values(), ids=OUTSIDE)
def test_what_a_text_reads_from_outside_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["own_script.py", "64"])
    monkeypatch.setenv("WIDTH", "64")
    module = script(text, "W")
    with pytest.raises(UserError, match=r"own_script\.py .*make it a setting") as caught:
        hand_over(METHODS, [module.Idea], Path("results"))
    assert "\n" not in str(caught.value)
    before = dict(vars(module)), sys.argv, type(sys.stdin)
    if text != OUTSIDE["chance"]:  # the fingerprint of a data set holds what it reads
        text_of("own_script", [module.Idea], outside=True)
    assert before == (vars(module), sys.argv, type(sys.stdin))
    assert Path("sizes.json").read_text()


HARMLESS = {
    "constants of constants": "W = [2 * k for k in range(math.floor(7.5))]\n"
    "V = {'a': sum(W), 'b': W}",
    "torch": "W = torch.device('cpu'), torch.float32\n"
    "V = torch.zeros(3), torch.randn(3), torch.nn.ReLU()",
    "a device": "W = 'cuda' if torch.cuda.is_available() else 'cpu'",
    "its own place": "W = Path(__file__).parent, __name__\n"
    "V = os.path.dirname(os.path.abspath(__file__))",
    "functions": "def f(x, k=3, *, w=(1, 2)):\n    return [lambda y: y + k, {3, 'a'}, x]\n"
    "W = f, lambda: 3",
    "decorated": "@torch.no_grad()\ndef W(x):\n    return x",
    "script": "@torch.jit.script\ndef W(x):\n    return x + 1",
    "objects": "class C:\n    __slots__ = ('a',)\nclass D:\n    def __init__(self):\n"
    "        self.c, self.me = C(), self\nW = C(), D(), object()",
    "enumerations": "class K(enum.Enum):\n    A = 1\nclass N(enum.IntEnum):\n    B = 2\n"
    "W = {K.A: N.B}, {K.A}, {N.B}, K.A",
    "a dataclass": "from dataclasses import dataclass, field\n@dataclass\nclass C:\n"
    "    w: int = 3\n    x: list = field(default_factory=list)\nW = C()",
    "no number": "W = float('nan'), -0.0",
    "what is not there": "W = os.environ.get('NO_SUCH', 3)",
    "what it sets": "os.environ['OWN_WIDTH'] = '3'\nW = os.environ['OWN_WIDTH']",
    "memories": "import functools\ndef memo(f):\n    cache, calls = {}, 0\n"
    "    @functools.wraps(f)\n    def g(x):\n        nonlocal calls\n        calls += 1\n"
    "        return cache.setdefault(x, f(x))\n    return g\n@memo\ndef W(x):\n    return 2 * x\n"
    "@functools.cache\ndef V(x):\n    return x\nif __name__ == 'own_script':\n    W(3), V(3)",
    "made functions": "import functools\ndef scaled(w):\n    def f(x):\n        return w * x\n"
    "    return f\nW = scaled(3), functools.partial(scaled, w=2), range(3), functools.cache(len)",
    "slots of its own": "import dataclasses\n@dataclasses.dataclass(frozen=True, slots=True)\n"
    "class C:\n    w: int = 3\nclass D(C):\n    def f(self):\n        return super().__init__()\n"
    "W = C(), D(), D",
    "home": "W = os.path.expanduser('~')",
    "a library's file": "W = json.__doc__, open(json.__file__).readline()",
    "properties": "class W:\n    @property\n    def a(self):\n        return 1\n    @classmethod\n"
    "    def b(cls):\n        return 2\n    @staticmethod\n    def c():\n        return 3\n",
}


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_what_its_text_says_is_handed_over(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_WIDTH", "")
    module = script(text, "W, V" if "\nV = " in text else "W")
    names, (file,) = hand_over(METHODS, [module.Idea], Path("results"))
    assert names == ["idea"] and file.name == "own_script.py"
    assert hand_over(METHODS, [module.Idea], Path("results")) == (names, [file])


@pytest.mark.parametrize(
    "statement",
    [
        "W.append(3)",
        "C.w = 4",
        "C.more = 'b'",
        "del C.w",
        "D.w = 4",
        "f.__kwdefaults__['w'] = 4",
        "vars(S)['w'] = 4",
        "globals()['N'] = None",
    ],
)
def test_what_the_program_changed_is_refused(statement: str) -> None:
    text = (
        "class C:\n    w = 3\nclass E:\n    pass\nD = E()\nD.w = 3\nW = [1]\nN = 3\n"
        "S = argparse.Namespace(w=3)\ndef f(*, w=3):\n    return w"
    )
    module = script(text, "C, D, W, N, S, f")
    hand_over(METHODS, [module.Idea], Path("results"))
    exec(statement, vars(module))
    with pytest.raises(UserError, match=r"in the program, but .* runs by itself"):
        hand_over(METHODS, [module.Idea], Path("results"))


def test_what_was_made_while_the_program_ran_is_not_compared() -> None:
    module = script("NET = None\nMADE = {}\nLAYERS = []", "NET, MADE, LAYERS")
    module.NET = module.MADE["a"] = module.torch.zeros(3)
    module.LAYERS.append(module.torch.nn.ReLU())
    _, (file,) = hand_over(METHODS, [module.Idea], Path("results"))
    assert "LAYERS = []" in file.read_text()


def test_a_text_that_starts_a_run_is_refused_before_it_runs() -> None:
    text = "import lrfer_bench\nW = 0\nif W:\n    pass\nRUNS = False"
    module = script(text + "\nfor W in (16, 64):\n    if RUNS or 'own_script' != __name__:\n"
                    "        lrfer_bench.run(['direct'], results='made')", "W")  # fmt: skip
    with pytest.raises(UserError, match="starts a run itself"):
        hand_over(METHODS, [module.Idea], Path("results"))
    assert not Path("made").exists()


MODULE = """
from lrfer_bench.api import Method, Dataset
RATE = 1.0
class Mine(Method):
    w = 1
    def __init__(self, task, *, a: int = 1):
        self.a = a
    def f(self):
        return 2
    def g(self):
        return RATE
class Faces(Dataset):
    pass
"""


def imported() -> ModuleType:
    Path("own_module.py").write_text(MODULE)
    importlib.invalidate_caches()
    sys.modules.pop("own_module", None)
    return importlib.import_module("own_module")


@pytest.mark.parametrize("edit", ["RATE = 1", "w = 1", "a: int = 1", "return 2"])
def test_a_module_that_was_edited_since_it_was_imported_is_refused(edit: str) -> None:
    module = imported()
    _, (file,) = hand_over(METHODS, [module.Mine], Path("results"))
    hand_over(DATASETS, [module.Faces], Path("results"))
    Path("own_module.py").write_text(MODULE.replace(edit, edit[:-1] + "7"))
    with pytest.raises(UserError, match=r"own_module\.py"):
        hand_over(METHODS, [module.Mine], Path("results"))
    Path("own_module.py").write_text("# a word\n" + MODULE)
    assert hand_over(METHODS, [module.Mine], Path("results"))[1] != [file]
    Path("own_module.py").unlink()


@pytest.mark.parametrize(
    "line",
    ["import time; STARTED = time.time()", "import uuid; RUN = uuid.uuid4().hex", "SEEN = []"],
)
def test_what_no_class_of_a_module_rests_on_may_be_anything(line: str) -> None:
    Path("own_module.py").write_text(f"{line}\n{MODULE}")
    importlib.invalidate_caches()
    sys.modules.pop("own_module", None)
    module = importlib.import_module("own_module")
    vars(module).get("SEEN", []).append(1)
    assert hand_over(METHODS, [module.Mine], Path("results"))[1]


def test_the_program_is_as_it_was_afterwards_in_any_thread() -> None:
    """Also its random numbers: a module may seed them when it is imported."""
    Path("own_module.py").write_text(f"import torch; torch.manual_seed(0)\n{MODULE}")
    importlib.invalidate_caches()
    sys.modules.pop("own_module", None)
    module = importlib.import_module("own_module")
    torch.manual_seed(7)
    before = torch.get_rng_state(), sys.argv, os.environ, sys.stdin, sys.stdout
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            hand_over(METHODS, [module.Mine], Path("results"))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    after = torch.get_rng_state(), sys.argv, os.environ, sys.stdin, sys.stdout
    assert torch.equal(before[0], after[0])
    assert all(one is other for one, other in zip(before[1:], after[1:], strict=True))


def test_a_class_of_a_module_that_the_program_changed_is_refused() -> None:
    module = imported()
    module.Mine.w = 64  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=r"Mine\.w is 64 in the program, but 1 where"):
        hand_over(METHODS, [module.Mine], Path("results"))


def test_a_worker_does_not_take_a_module_that_was_edited_since() -> None:
    """It is no method's failure: the run stops."""
    module = imported()
    _, (file,) = hand_over(METHODS, [module.Mine], Path("results"))
    content = file.read_bytes()
    Path("own_module.py").write_text(MODULE.replace("RATE = 1.0", "RATE = -1."))
    with registries.pristine():
        del sys.modules["own_module"]
        load_plugin(file, content)
        assert "own_module.py has changed since the run began" in PLUGIN_ERRORS[str(file)]
        with pytest.raises(MachineError, match="has changed since the run began"):
            METHODS.load("mine")
        Path("own_module.py").write_text(MODULE)
        load_plugin(file, content)
        assert METHODS.load("mine").w == 1
        with pytest.raises(UserError) as caught:
            METHODS.load("other")
        assert not isinstance(caught.value, MachineError)
    unchanged("own_nowhere", "")
