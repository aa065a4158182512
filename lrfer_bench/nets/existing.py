"""A model that exists already as a method: its classes are put in order, nothing is trained.

Files that `lrfer-bench evaluate` keeps in results folders import register_model() from here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from lrfer_bench.contract.cards import MethodCard
from lrfer_bench.contract.method import Method, Task
from lrfer_bench.contract.preset import Preset
from lrfer_bench.contract.protocol import lr_size
from lrfer_bench.data.classes import meaning_of
from lrfer_bench.errors import CellError, UserError
from lrfer_bench.nets.weights import fill_exactly
from lrfer_bench.plugins.blame import line_of, own_place
from lrfer_bench.plugins.contents import content_of, found
from lrfer_bench.plugins.existing import AGAIN
from lrfer_bench.plugins.registry import METHODS, register

TAKES = ("enlarged", "native")
ANSWERS = ("logits", "probabilities")
LEAST = 1e-12
"""A probability of 0 counts as this: its logarithm has to be finite."""
ROUGH = 1e-2
"""How far probabilities may be from a sum of 1; half precision is rough."""
ENOUGH = 8
"""So many faces whose answers all sum to 1 are probabilities by no accident."""


class Existing(Method):
    """A class or a function of somebody's, asked as a method is; see docs/evaluate.md.

    stands_for: what makes the model: no arguments, or the path of its weights as `weights`
    declared:   the names of its answers, where they were given from outside
    """

    trains = "nothing"
    channels_last = False  # code that was written elsewhere may call view() on its maps
    stands_for: ClassVar[Callable[..., Any]]
    declared: ClassVar[tuple[str, ...]] = ()

    def __init__(self, task: Task, *, weights: str = "") -> None:
        super().__init__(task)
        self.called = getattr(self.stands_for, "__name__", "the model")
        self.taken = ""
        net = self._made(weights)
        self.net = Scripted(net) if isinstance(net, torch.jit.ScriptModule) else net
        self.takes = self._word("takes", TAKES)
        self.gives = self._word("answers", ANSWERS)
        self.names = self._names()
        self.order = columns_of(self.called, self.names, self._wanted())
        self._check_orders()

    @classmethod
    def canonical_settings(cls, settings: Mapping[str, Any], preset: Preset) -> Mapping[str, Any]:
        """Weights are known by the content of their file."""
        weights = settings["weights"]
        return {**settings, "weights": content_of("weights", weights) if weights else ""}

    @classmethod
    def notes_for(cls, settings: Mapping[str, Any], task: Task) -> list[str]:
        """Builds the model and shows it empty faces: what would fail in a test fails here."""
        name = getattr(cls.stands_for, "__name__", "the model")
        height, width = lr_size(task.size, task.scales[0])
        try:
            model = cls(task, **settings).eval()
            for count in (1, 2):
                with torch.no_grad():
                    model(torch.zeros(count, task.channels, height, width, dtype=torch.uint8))
        except UserError:
            raise
        except (Exception, SystemExit) as error:
            what = (
                f"{error}" if isinstance(error, CellError) else f"{type(error).__name__}: {error}"
            )
            place = own_place(error) or line_of(cls.stands_for)
            raise UserError(f"{name} cannot be evaluated: {what} ({place})") from error
        size = "at their native size" if model.takes == "native" else "enlarged to HR size"
        seen = f"nothing is trained: {name} sees faces {size} and answers {model.gives}"
        return [seen, model.taken] if model.taken else [seen]

    def forward(self, lr: Tensor) -> Tensor:
        """Logits of the data set's classes, float [B, K]; CellError for answers of another form."""
        answers = self._tensor(self.net(lr if self.takes == "native" else self.enlarge(lr)), lr)
        sums = answers.sum(1)
        like = (answers >= -ROUGH).all() and ((sums - 1).abs() <= ROUGH).all()
        if self.gives == "probabilities":
            if not like and bool(torch.isfinite(answers).all()):
                raise CellError(
                    f"{self.called} says that it answers probabilities, but some are negative or "
                    'do not sum to 1: write answers = "logits" into it'
                )
            answers = answers.clamp_min(LEAST).log()
        elif like and len(answers) >= ENOUGH:
            raise CellError(
                f"the answers of {self.called} sum to 1, as probabilities do: write "
                'answers = "probabilities" into it'
            )
        return answers[:, self.order]

    def _tensor(self, answers: Any, lr: Tensor) -> Tensor:
        """float32 [B, classes]; numpy is welcome."""
        if isinstance(answers, np.ndarray):
            answers = torch.from_numpy(answers).to(lr.device)
        wanted = (len(lr), len(self.names))
        if not isinstance(answers, Tensor) or tuple(answers.shape) != wanted:
            shape = tuple(answers.shape) if isinstance(answers, Tensor) else type(answers).__name__
            raise CellError(
                f"{self.called} answered {shape} for {wanted[0]} faces, but names {wanted[1]} "
                f"classes: it has to answer a tensor of shape {wanted}"
            )
        return answers.float()

    def _made(self, weights: str) -> Any:
        """The module or callable, with its weights."""
        weights = str(found("weights", weights, AGAIN)) if weights else ""
        if takes_weights(self.stands_for):
            if not weights:
                raise UserError(f"{self.called} takes weights: give their file with --weights")
            return self.stands_for(weights=weights)
        net = self.stands_for()
        if not callable(net):
            raise UserError(
                f"{self.called}() made a {type(net).__name__}, which cannot be called: let it "
                f"give a torch.nn.Module ({line_of(self.stands_for)})"
            )
        if weights and isinstance(net, nn.Module):
            self.taken = fill_exactly(net, weights, self.called)
        elif weights:
            raise UserError(
                f"{self.called} is not a torch.nn.Module, so --weights cannot be put into it: let "
                f'it take the file as its argument "weights" ({line_of(self.stands_for)})'
            )
        elif isinstance(net, nn.Module) and any(True for _ in net.parameters()):
            raise UserError(
                f"{self.called} has parameters and no weights were given, so it would answer at "
                "random: give its file with --weights"
            )
        return net

    def _said(self, word: str, default: Any) -> Any:
        return getattr(self.net, word, getattr(self.stands_for, word, default))

    def _word(self, word: str, known: tuple[str, ...]) -> str:
        value = self._said(word, known[0])
        if value not in known:
            raise UserError(
                f"{self.called} says {word} = {value!r}: write one of "
                f"{', '.join(map(repr, known))} ({line_of(self.stands_for)})"
            )
        return str(value)

    def _names(self) -> tuple[str, ...]:
        names = self.declared or self._said("classes", ())
        if isinstance(names, str) or not all(isinstance(name, str) for name in names) or not names:
            raise UserError(
                f"{self.called} does not say which classes its answers are: write "
                f"classes = ({', '.join(map(repr, self._wanted()))}) in the order of its answers "
                f"into it, or give --classes ({line_of(self.stands_for)})"
            )
        return tuple(names)

    def _check_orders(self) -> None:
        """UserError where the class says another order of the same classes than was declared."""
        said = self._said("classes", ())
        texts = isinstance(said, tuple | list) and all(isinstance(name, str) for name in said)
        if not (self.declared and texts):
            return
        try:
            order = columns_of(self.called, said, self._wanted())
        except UserError:  # other classes, which those from outside stand for
            return
        if order != self.order:
            outside, inside = ", ".join(self.declared), ", ".join(said)
            raise UserError(
                f"the answers of {self.called} are {outside} by --classes, but {inside} by its own "
                f"word: leave --classes away, or correct classes ({line_of(self.stands_for)})"
            )

    def _wanted(self) -> tuple[str, ...]:
        return self.task.class_names


class Scripted(nn.Module):
    """A TorchScript module, into which no hook of torch's can be put: all its parameters count."""

    net: Any

    def __init__(self, net: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.__dict__["net"] = net  # not as a part, whose own parts would be hooked
        self._show()

    def _show(self) -> None:
        for number, parameter in enumerate(self.net.parameters()):
            shown = nn.Parameter(parameter.detach(), requires_grad=False)
            self.register_parameter(f"part{number}", shown)

    def _apply(self, fn: Any, recurse: bool = True) -> Scripted:
        self.net._apply(fn)
        self._show()
        return self

    def train(self, mode: bool = True) -> Scripted:
        """In its place, the module itself."""
        self.net.train(mode)
        return self

    def forward(self, faces: Tensor) -> Any:
        return self.net(faces)


def columns_of(called: str, names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """For each class of a data set the column of a model's answers, by name or by what it means.

    >>> columns_of("Net", ["happiness", "anger"], ["angry", "happy"])
    [1, 0]

    UserError where they are not the same classes.
    """
    own, meant = ", ".join(names), ", ".join(wanted)
    if len(names) != len(wanted):
        raise UserError(
            f"{called} answers {len(names)} classes ({own}), but the data set has {len(wanted)} "
            f"({meant}): it can be tested on a data set with its classes only"
        )
    meanings = [meaning_of(name) for name in names]
    columns = []
    for name in wanted:
        meaning = meaning_of(name)
        if name in names:
            columns.append(list(names).index(name))
        elif meanings.count(meaning) == 1:
            columns.append(meanings.index(meaning))
    if len(set(columns)) < len(wanted):
        raise UserError(
            f"the classes of {called} ({own}) are not those of the data set ({meant}): call them "
            "as the data set does"
        )
    return columns


def takes_weights(thing: Callable[..., Any]) -> bool:
    """Whether a class or function reads its weights itself."""
    try:
        return "weights" in inspect.signature(thing).parameters
    except (TypeError, ValueError):
        return False


def register_model(
    name: str, thing: Any, module: str, weights: str = "", classes: Sequence[str] = ()
) -> None:
    """Enter a class or function as the method `name`.

    module: of the file that calls; weights: the content of their file, "" for none
    classes: the names of the answers, where the class itself does not say them
    """
    if isinstance(thing, type) and issubclass(thing, Method):
        raise UserError(
            f'{thing.__name__} is a method of lrfer-bench: run it with "lrfer-bench run --plugin '
            'FILE --methods NAME"'
        )
    if not callable(thing) or isinstance(thing, nn.Module):
        raise UserError(
            f"{thing!r:.60} is a {type(thing).__name__}: name the class, or a function that makes "
            "the model"
        )

    class Model(Existing):
        stands_for = staticmethod(thing)
        declared = tuple(classes)
        card = MethodCard(summary=_summary(thing))

        def __init__(self, task: Task, *, weights: str = weights) -> None:
            super().__init__(task, weights=weights)

    Model.__module__, Model.__name__ = module, getattr(thing, "__name__", "Model")
    Model.__qualname__ = f"{Model.__name__}.evaluated"  # the file has a class of the plain name
    register(METHODS, name, Model)


def _summary(thing: Any) -> str:
    lines = (getattr(thing, "__doc__", None) or "").strip().splitlines()
    own = lines[0] if lines and thing.__doc__ != nn.Module.__doc__ else ""
    return own or "a model that existed already; nothing was trained here"
