"""The one door for authors of methods, data sets, protocols and metrics.

A method
========

    from lrfer_bench.api import Method, register_method
    from torch import nn

    @register_method("tiny")
    class Tiny(Method):
        '''A linear classifier on the enlarged face.'''

        def __init__(self, task, *, bias=True):      # a setting: --set tiny.bias=false
            super().__init__(task)
            height, width = task.size
            self.linear = nn.Linear(task.channels * height * width, task.classes, bias=bias)

        def forward(self, lr):                       # uint8 [B, C, h, w] -> logits float [B, K]
            return self.linear(self.enlarge(lr).flatten(1))

        def losses(self, batch):                     # named scalars; their sum is minimised
            return {"ce": self.cross_entropy(self.linear(self.enlarged(batch).flatten(1)), batch)}

`lrfer-bench check-method tiny.py` tests it;
`lrfer-bench run --plugin tiny.py --methods tiny,direct` puts it into the table.

B: faces of a batch; C: 1 (grey) or 3 (RGB); H, W: HR size in pixels;
h, w: LR size, ceil(H / scale); K: classes.

A setting named `epochs`, with the default "1x", is the training budget: tiny[epochs=3x] is a row
that is trained three times as long as the preset says. The harness reads it; the method does not.

What a method is given
    Task           what it is built for: classes, channels, size, scales, preset, and its trained
                   stages
    Batch          training faces: hr uint8 [B, C, H, W], lr_parts uint8 per scale, label int64 [B],
                   scale int64 [B], soft float32 [B, K] or None; every tensor has the same flip and
                   shift of the same face
    Preset         the training budget: epochs, batch, peak learning rate, ...; lrfer-bench presets
                   show cpu

What a method may say of itself (class attributes of Method)
    needs          {"teacher": "classifier@hr"}: stages, each trained once for all cells that need
                   it, frozen in self.stages; "@hr" is trained on HR images, "@lr" as the cell is.
                   needs_for() makes Need objects where settings decide, or where a stage is
                   trained at scales of its own
    answers        "logits", or "images" for a stage such as a super-resolver
    trains         "each scale" (a model a scale), "all scales" (one model) or "nothing" (its stages
                   do the work)
    version        raise it when the same settings would give another result: old records are then
                   not mixed with new ones
    added          settings that came later: at their default they are in no key, so that old
                   records stay valid
    search         {"weight": LogUniform(0.3, 30.0), "kind": Choice("a", "b")}: what may be tuned
    with_hr        an "all scales" method that trains on HR images as well; tests: "hr" for a
                   ceiling that sees them in the test
    test_time_augmentation  a sentence, when forward looks at more views than one: such a row is set
        apart, without a rank
    card           a MethodCard: one line for the list, what the paper states, what is yours, BibTeX

What a method may override besides forward() and losses()
    optimizers()   default: default_optimizers(self, preset), what the preset says: SGD, or Muon for
                   the convolutions that a batch norm follows and SGD for the rest; the harness
                   scales every rate (no scheduler of yours). For SGD under every preset:
                   return {"main": sgd(self, self.task.preset)}
    update()       one step of your own (two optimisers, a GAN); default: sum of losses(), backward,
                   step
    score()        float [B] a validation face; default: 1 where the answer is right
    after_training()  closed-form parts, once, on un-augmented training faces
    canonical_settings()  what keys and records call a setting whose words are not what takes effect
        (a path, "preset"): content_of("tiny.file", settings["file"]) for a file, which workers then
        find wherever they are
    notes_for()    lines to show before a run, and a UserError for what would only fail in training
    restored()     HR faces float [B, C, H, W] in 0..1, for pictures only

What it can use
    self.enlarge(lr), self.enlarged(batch)  float [B, C, H, W] in 0..1 by bicubic interpolation;
        self.unit(hr): uint8 -> 0..1
    self.cross_entropy(logits, batch)  with the preset's label smoothing, as the built-in methods
                                       have it
    build_classifier(name, ...)  a ClassifierNet: "lean" or any name that timm knows, with maps() of
        every stage and head(); weights=FILE starts it from a file. try_out() shows it an empty face
    start_from(net, weights, name)  a file's weights for any module, by names and shapes;
        classifier_content() is canonical_settings() of settings called weights and pretrained

Parts and losses of the built-in methods: modules, `from lrfer_bench.api import losses`, then
losses.relation(...)
    losses         distillation, attention and feature losses, the gradient penalty; each with its
                   source
    attention      gates whose maps can be read before the sigmoid (CBAM), and a trunk that has them
                   in every block
    lean           shapes of the lean classifiers, their residual blocks, stems and shortcut
    superres       EDSR, published super-resolvers (spandrel), psnr
    gan            FSR-FER's generator and critic of features; covpool: CovPoolNet; svm: a linear
                   SVM as a module

A data set
==========
    Dataset        write sources(root) and load(root) -> FaceSet; enter it with
                   register_dataset("name")
    FaceSet        classes and a Split for each of SPLITS: "train", "val" and "test"
    Split          images uint8 [N, C, H, W], labels int64 [N], soft float32 [N, K] or None, rows
                   int64 [N] or None
    DatasetCard    what it is, where to get it, the counts that a right copy has; read_card(path,
                   DatasetCard) reads it from a TOML file beside the code

What its load() can use
    open_image, to_array, read_images  picture files -> uint8 [C, H, W] or [N, C, H, W]; DataError
                                       names the bad files; read_splits: of splits; Crop: a part
    open_text, read_lines              text with any byte order mark; write_atomically: all or none
    picture_bytes, read_array, read_arrays  a picture's file; .npy and .npz files, measured first
    check_options, resolve_colour      the options size (pixels) and colour ("auto", "grey", "rgb")
    find_splits, read_tree, ClassTree  folders split/class/picture; read_by_name: the class stands
                                       in the path, Named: in a list; subfolders: in any case
    listing, below                     what is in a folder, files below it, without systems' clutter
    class_indices, meaning_of          class folders whose names differ a little (anger, Angry)
    cut_validation, unit_hash          a split by hashes, for a data set that brings none;
    cut_persons, take                  nobody in two splits; the rows of a split by a mask

A degradation protocol
======================
    Protocol       class attributes name (that of register_protocol("name")), version and summary;
                   write degrade(hr, size, scale, seeds): uint8 [B, C, H, W] -> uint8 [B, C, *size],
                   the same bytes for the same image, scale and seed

A metric
========
    @register_metric("worst-recall", percent=True)   # head="...", better="lower": its column
    def worst_recall(logits, labels):                # float64 [N, K], int64 [N], both read-only
        said = logits.argmax(1)
        return min((said[labels == k] == k).mean() for k in set(labels))

    register_metric  a report computes it from the logits on disk, with intervals over seeds and
        images, for `report --plugin FILE --metrics worst-recall`. Return one number; or one an
        image, [N], where the metric is their mean (resampled faster). NaN where it is not defined

Errors
======
    UserError      a mistake outside the program: one sentence with what, where and what to do; exit
                   status 2 before a run, a failed cell within it
    DataError      the same of a data set's files

Names that need torch are loaded when they are first asked for, so a data set's module stays quick
to import. Below, each class in full; what Method and ClassifierNet inherit from torch.nn.Module
follows after their own parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from lrfer_bench.contract.cards import DatasetCard, MethodCard, read_card
from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.contract.faceset import SPLITS, FaceSet, Split
from lrfer_bench.contract.preset import Preset
from lrfer_bench.contract.protocol import Protocol
from lrfer_bench.contract.search import Choice, LogUniform
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.files import write_atomically
from lrfer_bench.plugins.contents import content_of
from lrfer_bench.plugins.registry import DATASETS, METHODS, METRICS, PROTOCOLS, register
from lrfer_bench.scoring.shown import Better, shown

if TYPE_CHECKING:
    from lrfer_bench.contract.method import Batch, Method, Need, Task
    from lrfer_bench.contract.optimizers import default_optimizers, sgd
    from lrfer_bench.data.arrays import read_array, read_arrays
    from lrfer_bench.data.classes import class_indices, meaning_of
    from lrfer_bench.data.images import (
        Crop,
        check_options,
        open_image,
        picture_bytes,
        read_images,
        read_splits,
        resolve_colour,
        to_array,
    )
    from lrfer_bench.data.listing import Named, below, listing, subfolders
    from lrfer_bench.data.reading import take
    from lrfer_bench.data.text import open_text, read_lines
    from lrfer_bench.data.tree import ClassTree, find_splits, read_by_name, read_tree
    from lrfer_bench.data.validation import cut_persons, cut_validation, unit_hash
    from lrfer_bench.nets import (
        attention,
        covpool,
        gan,
        lean,
        losses,
        superres,
        svm,
    )
    from lrfer_bench.nets.classifiers import ClassifierNet, build_classifier, try_out
    from lrfer_bench.nets.pretrained import classifier_content
    from lrfer_bench.nets.weights import start_from

__all__ = [
    "SPLITS", "Batch", "Choice", "ClassTree", "ClassifierNet", "Crop", "DataError", "Dataset",
    "DatasetCard", "FaceSet", "LogUniform", "Method", "MethodCard", "Named", "Need", "Preset",
    "Protocol", "Split", "Task", "UserError", "attention", "below", "build_classifier",
    "check_options", "class_indices", "classifier_content", "content_of", "covpool",
    "cut_persons", "cut_validation", "default_optimizers", "find_splits", "gan", "lean",
    "listing", "losses", "meaning_of", "open_image", "open_text", "picture_bytes", "read_array",
    "read_arrays", "read_by_name", "read_card", "read_images", "read_lines", "read_splits",
    "read_tree", "register_dataset", "register_method", "register_metric", "register_protocol",
    "resolve_colour", "sgd", "start_from", "subfolders", "superres", "svm", "take", "to_array",
    "try_out", "unit_hash", "write_atomically",
]  # fmt: skip

Thing = TypeVar("Thing")
Function = TypeVar("Function", bound=Callable[..., Any])

_LAZY = {
    "lrfer_bench.contract.method": ("Batch", "Method", "Need", "Task"),
    "lrfer_bench.contract.optimizers": ("default_optimizers", "sgd"),
    "lrfer_bench.data.images": (
        "Crop",
        "check_options",
        "open_image",
        "picture_bytes",
        "read_images",
        "read_splits",
        "resolve_colour",
        "to_array",
    ),
    "lrfer_bench.data.arrays": ("read_array", "read_arrays"),
    "lrfer_bench.data.classes": ("class_indices", "meaning_of"),
    "lrfer_bench.data.listing": ("Named", "below", "listing", "subfolders"),
    "lrfer_bench.data.reading": ("take",),
    "lrfer_bench.data.text": ("open_text", "read_lines"),
    "lrfer_bench.data.tree": ("ClassTree", "find_splits", "read_by_name", "read_tree"),
    "lrfer_bench.data.validation": ("cut_persons", "cut_validation", "unit_hash"),
    "lrfer_bench.nets.classifiers": ("ClassifierNet", "build_classifier", "try_out"),
    "lrfer_bench.nets.pretrained": ("classifier_content",),
    "lrfer_bench.nets.weights": ("start_from",),
}
"""Where the names are that are loaded when they are first asked for."""

_HOMES = {name: module for module, names in _LAZY.items() for name in names}
_MODULES = frozenset(("attention", "covpool", "gan", "lean", "losses", "superres", "svm"))
"""Whole modules of lrfer_bench.nets, loaded in the same way."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        value = import_module(f"lrfer_bench.nets.{name}")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def register_method(name: str) -> Callable[[type[Thing]], type[Thing]]:
    """Class decorator: enter a Method under a name.

    A name that is taken is a UserError that names both owners.
    """
    return _registering(METHODS, name)


def register_dataset(name: str) -> Callable[[type[Thing]], type[Thing]]:
    """Class decorator: enter a Dataset under a name.

    A name that is taken is a UserError that names both owners.
    """
    return _registering(DATASETS, name)


def register_protocol(name: str) -> Callable[[type[Thing]], type[Thing]]:
    """Class decorator: enter a Protocol under a name.

    A name that is taken is a UserError that names both owners.
    """
    return _registering(PROTOCOLS, name)


def register_metric(
    name: str,
    *,
    head: str = "",
    better: Better = "higher",
    percent: bool = False,
    bounds: tuple[float, float] | None = None,
) -> Callable[[Function], Function]:
    """Function decorator: enter a metric under a name, for `lrfer-bench report --metrics NAME`.

    The function takes logits, float64 [N, K], and labels, int64 [N] in 0..K-1, both read-only, and
    returns one number; or one number an image, [N], where the metric is their mean. NaN means "not
    defined for these images": a hole in the table.

    head: what stands above its column, default the name
    better: "higher" or "lower" numbers
    percent: the numbers are shares of 1 and are shown in percent
    bounds: the least and the largest number possible, where intervals end: another number is a hole
            in the table; default (0, 1) with percent

    Raises UserError for a name that is taken (it names both owners) and for what is not a function.
    """
    _check_name(METRICS, name)
    if better not in ("higher", "lower"):
        raise UserError(f'the metric "{name}" has better={better!r}: write "higher" or "lower"')

    def decorate(function: Function) -> Function:
        if not callable(function):
            raise UserError(
                f'the metric "{name}" is a {type(function).__name__}: write a function of logits '
                "and labels"
            )
        try:
            shown(head, better, percent, bounds)(function)
        except AttributeError:
            raise UserError(
                f'the metric "{name}" is a {type(function).__name__}: write it as a plain function'
            ) from None
        register(METRICS, name, function)
        return function

    return decorate


def _check_name(registry: Any, name: Any) -> None:
    if not isinstance(name, str):
        raise UserError(f'write @register_{registry.kind}("name"), with a name in brackets')


def _registering(registry: Any, name: str) -> Callable[[type[Thing]], type[Thing]]:
    _check_name(registry, name)

    def decorate(cls: type[Thing]) -> type[Thing]:
        register(registry, name, cls)
        return cls

    return decorate
