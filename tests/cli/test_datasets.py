from __future__ import annotations

import json
import subprocess
import sys

import in_process
import pytest
import registries
from click.testing import CliRunner
from made_files import few_faces, noise, write_csv, write_tree

from lrfer_bench.cli.datasets import datasets
from lrfer_bench.contract.cards import DatasetCard, read_card
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import DATASETS

BUILT_IN = ("expw", "fer2013", "ferplus", "folder", "rafdb")


def run(*arguments: object):
    return CliRunner().invoke(
        datasets, [str(argument) for argument in arguments], catch_exceptions=True
    )


@pytest.fixture
def tree(tmp_path):
    pictures = {}
    for split, count in (("train", 12), ("val", 2), ("test", 3)):
        for number in range(count):
            for label in ("glad", "sorry"):
                pictures[f"{split}/{label}/{number}.png"] = noise(
                    100 * count + 2 * number + (label == "glad"), 20, 20
                )
    pictures["test/glad/1.png"] = pictures["train/glad/4.png"]
    return write_tree(tmp_path / "tree", pictures)


def test_list_names_every_data_set_on_a_line():
    result = run("list")
    assert result.exit_code == 0
    names = [line.split()[0] for line in result.output.splitlines()]
    assert set(BUILT_IN) <= set(names) and len(names) == len(DATASETS.names())


def test_listing_and_help_import_no_heavy_package():
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from lrfer_bench.cli.datasets import datasets\n"
        "for call in (['list'], ['show', 'fer2013'], ['--help'], ['verify', '--help']):\n"
        "    result = CliRunner().invoke(datasets, call)\n"
        "    assert result.exit_code == 0, result.output\n"
        "print([name for name in ('torch', 'numpy', 'pandas', 'PIL', 'rich') if name in "
        "sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", BUILT_IN)
def test_show_prints_the_card(name):
    result = run("show", name)
    assert result.exit_code == 0
    for heading in ("licence:", "splits:", "fingerprint:", "files under --data-root:", "notes:"):
        assert heading in result.output
    card = DATASETS.load(name).card
    assert all(label in result.output for label in card.classes)


@pytest.mark.parametrize("name", BUILT_IN)
def test_cards_add_up(name):
    card = DATASETS.load(name).card
    assert isinstance(card, DatasetCard)
    for split, count in card.counts.items():
        assert sum(card.class_counts[split]) == count
        assert len(card.class_counts[split]) == len(card.classes)
    assert not card.showable and not card.synthetic


def test_a_wrong_card_field_is_named(tmp_path):
    path = tmp_path / "x.card.toml"
    path.write_text('summary = "x"\ncuonts = 3\n')
    with pytest.raises(UserError, match='"cuonts"'):
        read_card(path, DatasetCard)


def test_prepare_says_what_is_there_and_where(tree, tmp_path):
    result = run("prepare", "folder", "--data-root", tree, "--cache", tmp_path / "cache")
    assert result.exit_code == 0
    assert "train 24, val 4, test 6" in result.output and "20 x 20" in result.output
    assert "leak: 1 of the 6 test images" in result.output
    assert str(tmp_path / "cache" / "datasets" / "folder-") in result.output


def test_verify_a_data_set_whose_card_states_nothing(tree, tmp_path):
    result = run(
        "verify", "folder", "--data-root", tree, "--cache", tmp_path, "--data-option", "size=16"
    )
    assert result.exit_code == 0
    assert "no fingerprint" in result.output
    assert "also in train, pixel for pixel" in result.output
    assert "16 x 16" in result.output


def test_verify_ends_with_1_when_the_copy_is_not_the_cards(tmp_path):
    write_csv(tmp_path / "fer2013.csv", few_faces())
    result = run("verify", "fer2013", "--data-root", tmp_path, "--cache", tmp_path / "cache")
    assert result.exit_code == 1
    assert "differs" in result.output and "28,709" in result.output
    assert "the published file has 35,887" in " ".join(result.output.split())


def test_verify_as_json(tree, tmp_path):
    result = run("verify", "folder", "--data-root", tree, "--cache", tmp_path, "--json")
    report = json.loads(result.output)
    assert result.exit_code == 0 and report["ok"]
    assert report["counts"] == {"train": 24, "val": 4, "test": 6}
    assert report["leaked"]["test"] == [1]
    assert report["audit"]["near"] == {"train": 0, "val": 0, "test": 0}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("show", "fer2031"), '"fer2031": did you mean "fer2013"'),
        (("prepare", "folder"), 'data set "folder"'),
        (("prepare", "folder", "--data-option", "sise=3"), 'did you mean "size"'),
        (("verify", "rafdb", "--data-root", "/nowhere"), "RAF-DB"),
    ],
)
def test_mistakes_are_one_sentence(call, message):
    result = run(*call)
    assert isinstance(result.exception, UserError) and message in str(result.exception)
    assert "\n" not in str(result.exception)


def test_render_is_offered_without_being_imported_for_other_commands():
    assert "render" in run("--help").output


def test_a_data_set_of_a_plugin_needs_no_card(tmp_path):
    plugin = tmp_path / "bare.py"
    plugin.write_text(
        "from lrfer_bench.api import Dataset, register_dataset\n\n\n"
        '@register_dataset("bare")\n'
        "class Bare(Dataset):\n"
        '    """Faces without a card."""\n\n'
        "    def sources(self, root):\n        return []\n\n"
        "    def load(self, root):\n        raise NotImplementedError\n"
    )
    with registries.kept():
        for words in (["list"], ["show", "bare"]):
            said = in_process.lrfer("datasets", *words, "--plugin", plugin)
            assert said.status == 0 and "Faces without a card." in said.out, said.err
