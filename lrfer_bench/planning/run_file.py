"""run.toml: a whole run in one file, in the words of the command line.

    methods = ["direct", "gmenet[kd_weight=0]"]
    scales = [2, 4, 8]
    preset = "cpu@2"
    results = "."

What is typed beside --config wins; --set, --data-option and --plugin add to those of the file.
Paths are seen from the folder that the file lies in; file:///caf%E9 is one whose name is not UTF-8.
`lrfer-bench run --config FILE` takes it, and every run writes one beside its records, so that the
table can be made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrfer_bench.contract.own_preset import OWN
from lrfer_bench.contract.toml import MOST_BYTES, path_of, path_text, read_toml, toml_value
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.files import at_home, read_limited, write_atomically
from lrfer_bench.planning.settings_file import settings_toml
from lrfer_bench.planning.values import HOLDING, plain, quoted, value_of
from lrfer_bench.plugins.contents import expect, expect_nothing, is_content, read_as, remember

if TYPE_CHECKING:
    from lrfer_bench.planning.request import Request

NAME = "run.toml"
CONTENTS = "contents"
"""What files held that settings name: "sha256:DIGITS PATH" each."""
LISTS = ("methods", "scales", "protocols", "test-protocols", "test-scales", "seeds")
REPEATED = ("data-option", "set", "plugin")
PATHS = ("data-root", "settings", "results", "plugin")
NUMBERS = (
    "workers", "time-limit", "cpus-per-model", "gpus-per-model", "epochs", "batch", "lr",
)  # fmt: skip
WORDS = (
    "dataset", "preset", "overwrite", "engine", "address", "device", "precision", "targets", "log",
)  # fmt: skip
KNOWN = (*LISTS, *REPEATED, *NUMBERS, *WORDS, "data-root", "settings", "results")


def read_run_file(path: Path) -> dict[str, Any]:
    """Option word -> its value as the command line would give it; paths seen from here.

    UserError, one sentence with the file's name, for what cannot be read, is not TOML, or is no
    option of `run`.
    """
    content = read_toml(at_home(path), f"the run file {path}", "--config")
    expect_nothing()  # what an earlier run file of this process told is of another run
    for held, file in _contents(path, content.pop(CONTENTS, [])):
        expect(held, file)
    for word in content:
        if word not in KNOWN:
            raise UserError(f'the run file {path} has "{word}": {did_you_mean(word, KNOWN)}')
    folder = at_home(path).parent
    return {word: _option(path, folder, word, value) for word, value in content.items()}


def remember_contents(root: Path) -> None:
    """Take from the run files of a results folder which files its runs read; faults are left."""
    for path in sorted(root.glob("run*.toml")):
        with suppress(UserError, OSError, ValueError):
            for held, file in _contents(path, read_toml(path, str(path)).get(CONTENTS, [])):
                remember(held, file)


def _contents(path: Path, lines: Any) -> Iterator[tuple[str, str]]:
    """(content, the path that it was read from) of each line."""
    for line in lines if isinstance(lines, list) else [lines]:
        content, space, file = str(line).partition(" ")
        if not (space and is_content(content)):
            raise UserError(
                f"the run file {path} has {line!r} in {CONTENTS}: write sha256:DIGITS PATH"
            )
        yield content, str(path_of(file))


def _option(path: Path, folder: Path, word: str, value: Any) -> Any:
    """One value as the command line has it: texts, or a list of texts for what is repeated."""
    parts = value if isinstance(value, list) else [value]
    if not parts or any(isinstance(part, bool | dict | list) for part in parts):
        raise UserError(f"the run file {path} has {word} = {value!r}: write a text or a list")
    if len(parts) > 1 and word not in (*LISTS, *REPEATED):
        raise UserError(f"the run file {path} has a list for {word}: write one value")
    texts = [str(part) for part in parts]
    if any("\0" in text for text in texts):
        raise UserError(f"the run file {path} has {word} = {value!r}: no option takes a NUL")
    if word in PATHS or (word == "preset" and texts[0].endswith(".toml")):
        texts = [str(folder / at_home(path_of(text))) for text in texts]
    if word in REPEATED:
        return texts
    return ",".join(texts)


def keep_run_file(request: Request, contents: Iterable[str] = ()) -> None:
    """Write run.toml beside the records; an earlier one that says something else gets a number.

    contents: of the files that settings name
    """
    root = request.results
    text, path = run_toml(request, contents).encode(), root / NAME
    name, settings = _settings(request)
    if name:
        write_atomically(root / name, settings)
    if os.path.lexists(path) and not _says(path, text):
        _give_number(path)
    write_atomically(path, text)


def _settings(request: Request) -> tuple[str, bytes]:
    """Name and text of the file with the settings that a file gave this run; "" if none did.

    Its name tells its content, so that an earlier run file goes on to mean what it meant.
    """
    if not (request.file.settings or request.file.trials):
        return "", b""
    text = settings_toml(request.file, "Settings that a run was given by a file.").encode()
    return f"run-settings-{hashlib.sha256(text).hexdigest()[:8]}.toml", text


def _give_number(path: Path) -> None:
    """Keep an earlier file under the next free number as well.

    Runs that share the folder (--join) may do so at once: no file of an earlier run is lost. Of
    different runs that start in one moment, run.toml is the last one's.
    """
    number = 1
    while True:
        older = path.with_name(f"{path.stem}-{number}.toml")
        if os.path.lexists(older):
            if _same(path, older):
                return
            number += 1
            continue
        try:
            os.link(path, older, follow_symlinks=False)
        except FileExistsError:
            continue
        except FileNotFoundError:
            return  # another run has moved it away
        except OSError:  # a file system without hard links
            with suppress(FileNotFoundError):
                os.replace(path, older)
        return


def _same(path: Path, older: Path) -> bool:
    with suppress(OSError, ValueError):
        return _says(older, read_limited(path, MOST_BYTES))
    return False


def _says(path: Path, text: bytes) -> bool:
    try:
        return read_limited(path, len(text)) == text
    except (OSError, ValueError):  # a longer file, or somebody's pipe
        return False


def run_toml(request: Request, contents: Iterable[str] = ()) -> str:
    """The text of a run file that asks for the same keys: every word that enters one, written out.

    Contents come with the path that each was read from: a file that has moved is found by them.
    Cores, engine and --overwrite are left out: they belong to the machine and the day.
    """
    own = OWN.fullmatch(request.preset.id) is not None
    words: dict[str, Any] = {
        "methods": list(request.methods),
        "dataset": request.dataset,
        "data-root": _absolute(request.data_root),
        "data-option": [f"{name}={_typed(value)}" for name, value in request.data_options.items()],
        "scales": list(request.scales),
        "protocols": list(request.protocols),
        "test-protocols": list(request.test_protocols or ()),
        "test-scales": list(request.test_scales or ()),
        "seeds": list(request.seeds),
        "preset": f"presets/{request.preset.id}.toml" if own else request.preset.id,
        "set": list(_set_words(request.settings)),
        "settings": _settings(request)[0] or None,
        "plugin": [_absolute(Path(file)) for file in request.plugins],
        "results": ".",
        CONTENTS: [f"{content} {path_text(Path(read_as(content)))}" for content in sorted(contents)
                   if read_as(content)],
    }  # fmt: skip
    head = "# Made by a run. Again: lrfer-bench run --config FILE\n"
    given = {word: value for word, value in words.items() if value not in (None, [], "")}
    return head + "".join(f"{word} = {toml_value(value)}\n" for word, value in given.items())


def _absolute(path: Path | None) -> str | None:
    return None if path is None else path_text(at_home(path).absolute())


def _set_words(settings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"{method}.{name}={_word(value)}"
        for method, own in settings.items()
        for name, value in own.items()
    ]


def _typed(value: Any) -> str:
    """A value as --data-option reads it, which has no default to tell its type."""
    number = isinstance(value, str) and value_of(value) != value
    return json.dumps(value) if number else _word(value)


def _word(value: Any) -> str:
    """A value as --set reads it: a number of numpy with all the digits that a run takes of it."""
    if isinstance(value, HOLDING):
        return json.dumps(value)
    return "none" if value is None else quoted(str(plain(value)))
