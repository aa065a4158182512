"""lrfer-bench new-method: a file, or a package, to begin with."""

from __future__ import annotations

import keyword
import re
from importlib.util import find_spec
from pathlib import Path

import click

from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.paths import UserPath
from lrfer_bench.errors import UserError

TAKEN = ("task", "batch", "method", "block", "f")
"""Names that the templates use themselves; a class F would hide torch.nn.functional."""
LONGEST = 50
"""Characters of a name: it stands in names of files and in narrow tables."""
TEMPLATES = Path(__file__).parents[1] / "templates"
EXAMPLES = (
    "lrfer-bench new-method my-idea",
    "lrfer-bench new-method my-idea --package --folder ~/code",
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("name")
@click.option(
    "--package", is_flag=True, help="An installable package with entry point, test and README."
)
@click.option(
    "--folder",
    default=".",
    show_default=True,
    type=UserPath(),
    help="Where to put it.",
)
def new_method(name: str, package: bool, folder: Path) -> None:
    """Write a small working method under NAME, with the interface explained where it is used.

    Overwrites nothing.
    """
    words = words_of(name)
    files = (
        package_files(folder, words) if package else {folder / words["@FILE@"]: method_text(words)}
    )
    for path in files:
        if path.exists():
            raise UserError(
                f"{path} is there already, and nothing is overwritten: choose another name or "
                "--folder"
            )
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"{path} cannot be written ({error.strerror or error}): choose another --folder"
            ) from error
        echo(f"wrote {path}")
    for step in next_steps(folder, words, package):
        echo(f"  {step}")


def words_of(name: str) -> dict[str, str]:
    """What stands for the @WORDS@ of the templates; UserError for a name that is invalid or taken.

    >>> words_of("my-idea")["@CLASS@"], words_of("my-idea")["@PACKAGE@"]
    ('MyIdea', 'lrfer_my_idea')
    """
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.plugins.registry import METHODS

    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > LONGEST:
        raise UserError(
            f'"{name}" will not do as a name: use up to {LONGEST} small letters, digits and '
            "hyphens, such as my-idea"
        )
    load_plugins()
    if name in METHODS.names():
        owner = METHODS.entry(name).source
        raise UserError(f'the method name "{name}" is taken by {owner}: give yours another name')
    module = name.replace("-", "_")
    if _is_taken(module):
        raise UserError(
            f'"{name}" is the name of something in Python, which {module}.py would hide: choose '
            "another name"
        )
    camel = "".join(part.capitalize() for part in name.split("-"))
    return {
        "@NAME@": name,
        "@CLASS@": camel,
        "@PACKAGE@": f"lrfer_{module}",
        "@FILE@": f"{module}.py",
    }


def _is_taken(module: str) -> bool:
    """Whether a name is a Python keyword, a module of others, or one that the template uses."""
    importable = find_spec(module) is not None and not Path(f"{module}.py").exists()
    words = {module, module.capitalize()}  # none: the class None is no name
    return any(map(keyword.iskeyword, words)) or module in TAKEN or importable


def method_text(words: dict[str, str]) -> str:
    return _filled("method.py", words)


def package_files(folder: Path, words: dict[str, str]) -> dict[Path, str]:
    """path -> content of a package around the same method.

    Its card is a file, so that listing imports nothing.
    """
    root = folder / f"lrfer-{words['@NAME@']}"
    inside = root / words["@PACKAGE@"]
    text = method_text(words)
    text = re.sub(r"    card = MethodCard\(.*?\n    \)\n", "", text, flags=re.DOTALL).replace(
        "MethodCard, ", ""
    )
    text = text.replace(f"--plugin {words['@FILE@']} ", "").replace(
        f"check-method {words['@FILE@']}", f"check-method {words['@NAME@']}"
    )
    text = text.replace(f"python {words['@FILE@']}", f"python -m {words['@PACKAGE@']}.method")
    return {
        root / "pyproject.toml": _filled("pyproject.toml", words),
        root / "README.md": _filled("README.md", words),
        inside / "__init__.py": f'"""{words["@NAME@"]} for lrfer-bench."""\n',
        inside / "py.typed": "",
        inside / "method.py": text,
        inside / f"{words['@NAME@']}.card.toml": _filled("card.toml", words),
        root / "tests" / f"test_{words['@PACKAGE@']}.py": _filled("test_method.py", words),
    }


def next_steps(folder: Path, words: dict[str, str], package: bool) -> list[str]:
    name = words["@NAME@"]
    if package:
        place = folder / f"lrfer-{name}"
        return [
            f"pip install -e {place}",
            f"lrfer-bench check-method {name}",
            f"lrfer-bench run --methods {name},direct",
        ]
    file = folder / words["@FILE@"]
    return [
        f"lrfer-bench check-method {file}",
        f"lrfer-bench run --plugin {file} --methods {name},direct --scales 2,4",
    ]


def _filled(template: str, words: dict[str, str]) -> str:
    text = (TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
