"""The sentences that users meet most, to the letter; each is caused for real.

Every other test pins a message by its exception and a word or two, so a sentence is changed here
and nowhere else.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import decorators
import in_process
import mistakes
import pytest
import registries
from folders import REFERENCE, TINY

from lrfer_bench.errors import CellError, UserError

TABLE = """
rnu
    there is no command "rnu": did you mean "run"?
run TINY --methods drect
    there is no method "drect": did you mean "direct"?
run --dataset fer2031
    there is no dataset "fer2031": did you mean "fer2013"?
run TINY --protocols bicubik
    there is no protocol "bicubik": did you mean "bicubic"?
run TINY --preset cpuu
    there is no preset "cpuu": did you mean "cpu"?
run TINY --preset gpu
    there is no preset "gpu": did you mean "paper"?
run --dataset fer
    there is no dataset "fer": did you mean "fer2013" or "ferplus"?
run --learning-rate 0.1
    lrfer-bench run has no option --learning-rate: did you mean --lr?
run TINY --scales x2,x4
    --scales is "x2,x4": give integers with commas between, such as 2,4,8; did you mean 2,4?
run TINY --scales 2 4
    lrfer-bench run does not know what to do with "4": write lists with commas and no blanks, such
    as 2,4,8
run TINY --methods linear --engine lokal
    there is no engine "lokal": did you mean "local"?
run TINY --methods linear --protocols bicubic@9
    protocol bicubic@9 is not here: this lrfer-bench has bicubic@1, and versions never mix in one
    table
methods show drect
    there is no method "drect": did you mean "direct"?
presets show qick
    there is no preset "qick": did you mean "quick"?
protocols show camara
    there is no protocol "camara": did you mean "camera"?
run TINY --methods ,
    --methods names nothing: give one or more names with commas between
run TINY --methods linear,linear
    a method was asked for twice: linear, linear; name each once
run TINY --methods linear[
    the method "linear[" is not understood: write NAME or "NAME[SETTING=VALUE,...]"
run TINY --scales two
    --scales is "two": give integers with commas between, such as 2,4,8
run TINY --scales 0
    the scale 0 is not possible: scales are whole numbers of 1 (HR) or more
run TINY --scales 400
    the scale 400 is larger than the images (16x16 pixels): choose one up to 16
run TINY --seeds -1
    the seed -1 is not possible: seeds are integers from 0 to 2**63 - 1
run TINY --methods linear --workers 0
    --workers 0 is not possible: give 1 to 100000 processes
run TINY --methods linear --workers 1000001
    --workers 1000001 is not possible: give 1 to 100000 processes
run TINY --methods linear --join --overwrite always
    --join with --overwrite always would have each run make everything: start one run with it, or
    choose another --results
run TINY --settings nowhere.toml
    the settings file nowhere.toml cannot be read: No such file or directory; check --settings
run TINY --methods kd --settings loose.toml
    the settings file loose.toml has a part "kd": write [settings.METHOD], [trials], [code]
run TINY --methods kd --settings slip.toml
    the settings file slip.toml: there is no method "kdd": did you mean "kd"?
tune TINY --methods kd --trials 0
    --trials 0 is not possible: at least one is needed, the defaults
tune TINY --methods kd --epochs much
    tune.epochs is "much": write a factor of the preset's epochs, such as 3x, or a number of epochs
tune TINY --methods kd[kd_weight=2]
    "kd[kd_weight=2]" cannot be tuned: name the method alone, and hold a setting fixed with --set
    kd.kd_weight=VALUE
tune TINY --methods kd --results tuned
    tuned/tuning/kd.json was tuned with dataset faces, not dataset tinyfaces: choose another folder
    with --results, or delete tuned/tuning
run TINY --set kd_weight=0
    --set "kd_weight=0" is not understood: write --set METHOD.SETTING=VALUE
run TINY --methods gmenet --set gmenet.kd_wait=0
    method "gmenet" has no setting "kd_wait": did you mean "kd_weight"?
run TINY --methods gmenet --set gmenet.kd_weight=much
    gmenet.kd_weight is 'much': it takes a number
run TINY --methods gmenet --set gmenet.kd_weight=inf
    gmenet.kd_weight is inf: it takes a finite number
run TINY --methods gmenet --set gmenet.global_branch=perhaps
    gmenet.global_branch is 'perhaps': it takes true or false
run TINY --methods linear --set gmenet.kd_weight=1
    the setting gmenet.kd_weight reaches nothing: "gmenet" is neither asked for nor a stage of what
    is; leave it out, or name the method
run TINY --data-option train
    "train" is not a data option: write name=value, such as size=112
run TINY --data-option trian=3
    data set "tinyfaces" has no option "trian": did you mean "train"?
run --dataset fer2013
    data set "fer2013" needs your copy of FER2013: give its folder or file with --data-root
run --dataset fer2013 --data-root nowhere
    there is no file or folder nowhere: check --data-root
run --dataset fer2013 --data-root empty
    empty holds no FER2013 for "fer2013": looked for fer2013.csv, icml_face_data.csv, train/ and
    test/, fer2013.npz, parquet files; give the right folder with --data-root
run --dataset folder --data-root empty
    empty has no folder train: its layout must be train|val|test/<class>/<picture>, or
    <class>/<picture> to be cut
run --dataset folder --data-root empty --data-option person=(
    the option person is "(", which is not a regular expression (missing ), unterminated subpattern
    at position 0): write one such as S[0-9]+
run TINY --methods linear --results file/results
    the results folder file/results cannot be written (Not a directory): choose another one with
    --results
run --plugin none.py
    the plugin file HERE/none.py does not exist: check --plugin and LRFER_PLUGINS
methods list --plugin wrong.py
    left out: HERE/wrong.py: SyntaxError: invalid syntax (wrong.py, line 1) (HERE/wrong.py:1)
methods list --plugin taken.py
    left out: HERE/taken.py: the method name "direct" of taken.py sha256:HASH is taken by
    lrfer-bench VERSION: give yours another name (HERE/taken.py:4)
run TINY --plugin taken.py --methods direct
    the method name "direct" of taken.py sha256:HASH is taken by lrfer-bench VERSION: give yours
    another name (HERE/taken.py:4)
run TINY --plugin odd.py --methods odd
    the method "odd" cannot be used: its trains is 'often': write one of 'each scale', 'all scales',
    'nothing' (HERE/odd.py:4)
run TINY --plugin odd.py --methods selfish
    stages go in a circle: selfish needs selfish; break it in needs_for()
run TINY --plugin odd.py --methods linear --protocols corner
    the protocol "corner" of odd.py sha256:HASH calls itself None in its records: write name =
    "corner" into its class
evaluate TINY net.py
    the model "net.py" is not understood: write FILE.py:CLASS, such as net.py:Net
evaluate TINY none.py:Net
    the file none.py cannot be read (No such file or directory): check its name
evaluate TINY net.py:Nett
    the file net.py has no class or function "Nett": did you mean "Net"?
evaluate TINY net.py:Net
    Net has parameters and no weights were given, so it would answer at random: give its file with
    --weights
evaluate TINY net.py:Net --weights none.pth
    weights=none.pth cannot be read (No such file or directory): check the path
evaluate TINY net.py:Net --weights torn.png
    HERE/torn.png cannot be read as weights (UnpicklingError): give a state_dict as .pth, .pt,
    .pth.tar, .bin or .safetensors; a whole pickled model is not read, since that would run its
    code: save its state_dict() where its code is
evaluate TINY net.py:Net --name direct
    the model cannot be called "direct", which is a method of lrfer-bench VERSION: give it another
    one with --name (name=... in Python)
evaluate TINY net.py:three
    three answers 3 classes (left, right, top), but the data set has 4 (left, right, top, bottom):
    it can be tested on a data set with its classes only
evaluate TINY net.py:nameless
    nameless does not say which classes its answers are: write classes = ('left', 'right', 'top',
    'bottom') in the order of its answers into it, or give --classes
    (HERE/cache/plugins/KEY/net.py:18)
evaluate TINY net.py:fails --classes left,right,top,bottom
    fails cannot be evaluated: ValueError: no faces today (HERE/cache/plugins/KEY/net.py:24)
check-method direct --set direct.arhc=lean
    method "direct" has no setting "arhc": did you mean "arch"?
check-method direct --set srfer.sr_weight=1
    the setting srfer.sr_weight reaches nothing: "srfer" is neither asked for nor a stage of what
    is; leave it out, or name the method
check-method none.py
    there is no file none.py: give the file of your method, or the name of one that is listed
new-method direct
    the method name "direct" is taken by lrfer-bench VERSION: give yours another name
new-method My_Idea
    "My_Idea" will not do as a name: use up to 50 small letters, digits and hyphens, such as my-idea
new-method class
    "class" is the name of something in Python, which class.py would hide: choose another name
faces TINY --out faces.gif
    the picture faces.gif has no known ending: let it end with .png or .svg
faces TINY --out faces.png --count 17
    17 faces do not fit into a picture: ask for 1 to 16
faces TINY --out faces.png --restored linear
    the method "linear" shows no restored face: name one that super-resolves, or give it a
    restored(self, lr)
report --results nowhere
    there is no results folder nowhere: check --results
report --results empty
    empty holds no records: fill it with "lrfer-bench run", or name another folder with --results
report --results cut
    none of the 1 records in cut can be trusted (STEM.json: it is not complete JSON
    (JSONDecodeError)): run the cells again or restore the files
report --results edited
    none of the 1 records in edited can be trusted (STEM.json: it was changed after it was
    written (its checksum differs)): run the cells again or restore the files
report --sort-by acuracy
    there is no column "acuracy" to sort by: did you mean "accuracy"?
report --scales two
    Invalid value for '--scales': "two" is not an integer: give integers such as 2,4,8
compare direct dircet
    no record is about method "dircet": did you mean "direct"?
predict --method direct --scale 3 torn.png
    no finished cell of direct fits: there are KEY (direct of lrfer-bench VERSION,
    faces_direct_bicubic@1_x2_s0_cpu@1), KEY (direct of lrfer-bench VERSION,
    faces_direct_bicubic@1_x4_s0_cpu@1); without a scale, the nearest is taken
predict --method direct torn.png --out said.txt
    the file said.txt has another ending: let it end with .csv or .json
predict --key 30f5295e60f5 --results REFERENCE torn.png
    the weights of STEM are not in REFERENCE/models: records travel without them; train the cell
    in another folder (--results NEW), or copy the folder models/ as well
measure --results empty
    empty holds no finished cell: train something with "lrfer-bench run", or name it with --results
measure --results REFERENCE --device gpu
    the device "gpu" is not known: --device takes cpu, cuda (every NVIDIA GPU), cuda:0 (one of them)
    or mps (Apple)
export --method linear --out empty
    empty is a folder: give --out the name of a file
export --method linear --out torn.png
    torn.png is there already, and nothing is overwritten: choose another --out, or replace it with
    --force
export --method linear --out new.onnx --results empty
    empty holds no records: train something with "lrfer-bench run", or name it with --results
merge nowhere
    nowhere is not a results folder: it has no records/ in it
merge results
    results is the folder to merge into: name another machine's copy
>>> run("direct", scales=[2.0])
    scales: 2.0 is not an integer: write it as one, such as 2
>>> run("direct", preset=None)
    preset is None: give a text, such as "quick"
>>> run("direct", tell="me")
    tell is 'me': give a function that takes a line, such as print, or None
>>> run(inner())
    inner.<locals>.Inner is defined inside a function or a class: workers cannot reach it there;
    define it at the top level of its file
>>> load_model("zzz", "results")
    no record in results/records is of a method "zzz", nor is that the head of a key, which is
    hexadecimal: known: direct, multires
>>> load_model("direct", "results")
    2 cells fit: narrow it down by scale, or give the key; there are KEY (direct of lrfer-bench
    VERSION, faces_direct_bicubic@1_x2_s0_cpu@1), KEY (direct of lrfer-bench VERSION,
    faces_direct_bicubic@1_x4_s0_cpu@1)
>>> load_model(key("multires"), "results")
    the cell STEM failed, so there is no model of it: train multires: no (mine.py:3)
>>> load_model(key("direct"), "results")
    STEM was made by other code or settings than those here (the record: lrfer-bench VERSION,
    version 1; here: lrfer-bench VERSION): use the version it came from, or run the cell in
    another folder (--results NEW)
>>> load_results("nowhere")
    there is no results folder nowhere: check --results
>>> report("results", colour="red")
    colour is not an argument here: check its spelling
>>> logits_after(lambda path: path.write_bytes(b"others"))
    exchanged/logits/STEM.npz is not the file its record was written with: restore it or run
    the cell again
>>> logits_after(Path.unlink)
    the logits of STEM are missing: exchanged/logits/STEM.npz cannot be read; run the cell again
>>> on_a_full_disk(lambda: write_atomically(Path("new"), b"data"))
    cannot write new: No space left on device; free some space or choose another folder with
    --results
>>> with_cache("file/cache", lambda: run("bicubic", dataset="tinyfaces", plugins=TINY))
    the cache HERE/file/cache cannot be written: Not a directory; free some space or set LRFER_CACHE
    to another folder
>>> without_optuna(lambda: tune("kd", dataset="tinyfaces", plugins=TINY, tell=None))
    tuning needs the package Optuna: pip install "lrfer-bench[tune]", or pip install optuna
>>> fit(made_method(loss=float("nan")), made_faces(14, side=16))
    the loss "ce" became NaN or infinite in epoch 1, by step 1: lower the learning rate or the
    weight of that loss
>>> predict(made_method(classes=6), made_faces(14, side=16).images, 7)
    Made.forward returned shape (14, 6) for 14 faces: return logits of shape (14, 7)
>>> predict(made_method(answer=float("nan")), made_faces(14, side=16).images, 7)
    Made.forward returned NaN or infinity for 14 of 14 test faces: check its last layers and its
    training
>>> with_label(7).check()
    split "test" of data set "mine" has a label outside 0..1: check the class list
>>> with_votes(float("nan")).check()
    split "test" of data set "mine" has votes in row 1 that are no shares: make them sum to 1
"""
"""TINY: the options that bring the data set of tests/support/plugins/tiny.py. HERE: the folder.
REFERENCE: results/reference. HASH, KEY, STEM, VERSION: any."""


def rows() -> Iterator[tuple[str, str]]:
    """(how to cause it, what is said) of the table."""
    for how, said in re.findall(r"^(\S.*)\n((?:    .*\n)+)", TABLE, flags=re.MULTILINE):
        yield how, " ".join(line.strip() for line in said.splitlines())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("messages").resolve()
    mistakes.fill(folder)
    return folder


@pytest.fixture(autouse=True)
def as_a_user(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(place)
    monkeypatch.setenv("LRFER_CACHE", str(place / "cache"))
    monkeypatch.setenv("LRFER_PLUGINS", "")
    monkeypatch.setenv("COLUMNS", "100")
    with registries.kept():
        yield


@pytest.mark.parametrize(("how", "sentence"), rows(), ids=[how for how, _ in rows()])
def test_what_is_said(how: str, sentence: str, place: Path) -> None:
    if how.startswith(">>> "):
        with pytest.raises((UserError, CellError)) as caught:
            eval(how.removeprefix(">>> "), mistakes.NAMES)
        said = str(caught.value)
    else:
        how = how.replace("TINY", f"--plugin {TINY} --dataset tinyfaces")
        before = files(place)
        status, _, said = in_process.lrfer(*shlex.split(how.replace("REFERENCE", str(REFERENCE))))
        assert status == (0 if "list" in how else 2)
        assert files(place) == before, "who made a mistake finds everything as it was"
        said = re.sub("^(lrfer-bench|Error): ", "", said.splitlines()[-1])
    assert without_what_varies(said, place) == sentence


def files(place: Path) -> dict[Path, bytes]:
    """What the user has; the cache is the program's own."""
    return {
        path: path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and place / "cache" not in path.parents
    }


def test_the_table_is_read_whole() -> None:
    found = list(rows())
    assert len(found) == len({how for how, _ in found}) > 60
    whole = len(TABLE.replace("\n    ", " "))
    assert sum(len(how) + len(said) for how, said in found) > 0.9 * whole


def without_what_varies(said: str, place: Path) -> str:
    said = said.replace(f"taken.py:{decorators.named(4)}", "taken.py:4")
    said = said.replace(str(place), "HERE").replace(str(REFERENCE), "REFERENCE")
    said = re.sub(r"sha256:[0-9a-f]{12}", "sha256:HASH", said)
    said = re.sub(r"\b(faces|fer2013)_\S+?_[0-9a-f]{12}", "STEM", said)
    said = re.sub(r"\b[0-9a-f]{12,64}\b", "KEY", said)
    return re.sub(r"lrfer-bench \d[\w.]*", "lrfer-bench VERSION", said)
