"""What Python callers hand in, checked by pydantic and told in our sentences."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import ValidationInfo as Info

from lrfer_bench.errors import UserError
from lrfer_bench.files import at_home
from lrfer_bench.planning import defaults
from lrfer_bench.planning.settings import integers, split_labels

Content = TypeVar("Content", bound=BaseModel)

SENTENCES = {
    "int_type": "{what}: {shown} is not an integer: write it as one, such as 2",
    "string_type": '{what} is {shown}: give a text, such as "{example}"',
    "is_instance_of": "{what} is {shown}: give a path, as text or Path",
    "dict_type": "{what} is {shown}: give a dict of names and values",
    "callable_type": "{what} is {shown}: give a function that takes a line, such as print, or None",
    "greater_than_equal": "{what} is {shown}: give {ge} or more",
    "literal_error": "{what} is {shown}: give {expected}",
    "bool_type": "{what} is {shown}: give True or False",
    "extra_forbidden": "{what} is not an argument here: check its spelling",
}
"""pydantic's kinds of errors, in our words; another kind is told in pydantic's."""


def listed(value: Any, info: Info) -> list[Any]:
    """A list of what is given: one thing alone, several in order, a set sorted by its words."""
    return as_list(str(info.field_name), value)


def as_list(what: str, value: Any) -> list[Any]:
    """One thing as a list of one, what holds several as a list; UserError for None and dicts."""
    if value is None or isinstance(value, Mapping):
        raise UserError(f"{what} is {shown(value)}: give one, or a list of them")
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if isinstance(value, (str, bytes, type, Path)):
        return [value]
    try:
        return list(value)
    except TypeError:  # also an array without a dimension
        return [value]


def _numbers(value: Any, info: Info) -> Any:
    if isinstance(value, str):
        return integers(str(info.field_name), value)
    found = listed(value, info)
    return sorted(found) if isinstance(value, (set, frozenset)) else found


def _index(value: Any) -> Any:
    """Integers of any kind as plain ones.

    True and 2.0 are left as they are: as 1 and 2 they would run under other keys.
    """
    try:
        return value if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return value


def _folder(value: Any) -> Any:
    return at_home(value) if isinstance(value, (str, Path)) else value


def _things(value: Any, info: Info) -> list[Any]:
    """listed(), where a text may hold several names with commas between, as on the command line."""
    return split_labels(value) if isinstance(value, str) else listed(value, info)


def _words(value: Any, info: Info) -> list[Any]:
    """Names of things with records; a class is meant by its name."""
    from lrfer_bench.plugins.handover import name_of
    from lrfer_bench.plugins.registry import DATASETS, METHODS, PROTOCOLS

    kinds = {"methods": METHODS, "datasets": DATASETS}
    registry = kinds.get(str(info.field_name), PROTOCOLS)
    found = _things(value, info)
    return [name_of(registry, one) if isinstance(one, type) else one for one in found]


def _some(value: list[Any], info: Info) -> list[Any]:
    if not value:
        raise UserError(f"{info.field_name} names nothing: give one or more, or leave it out")
    return value


def _no_bool(value: Any) -> Any:
    """True is no number here, though Python counts with it."""
    if isinstance(value, bool):
        raise ValueError("give a number")
    return value


Things = Annotated[list[Any], BeforeValidator(_things)]
Real = Annotated[float, BeforeValidator(_no_bool), Field(strict=False)]
Words = Annotated[list[str], BeforeValidator(_words)]
Integer = Annotated[int, BeforeValidator(_index)]
Integers = Annotated[list[Integer], BeforeValidator(_numbers)]
Some = AfterValidator(_some)
Folder = Annotated[Path, BeforeValidator(_folder)]
Folders = Annotated[list[Folder], BeforeValidator(listed)]
Options = dict[str, Any]


class Arguments(BaseModel):
    """The common rules: nothing is coerced, nothing is unknown."""

    model_config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)


class PlanArguments(Arguments):
    """What run() and tune() both take; the defaults are those of run()."""

    methods: Annotated[Things, Some] = list(defaults.METHODS)
    dataset: Things = [defaults.DATASET]
    protocols: Annotated[Things, Some] = [defaults.PROTOCOL]
    data_root: Folder | None = None
    data_options: Options | None = None
    scales: Annotated[Integers, Some] = list(defaults.SCALES)
    seeds: Annotated[Integers, Some] = [0]
    preset: str | Path = Field(defaults.PRESET, examples=[defaults.PRESET])
    settings: dict[str, Options] | None = None
    plugins: Folders = []
    results: Folder = Path(defaults.RESULTS)
    workers: Integer | None = None
    time_limit: Annotated[Real, Field(gt=0)] | None = None
    engine: str = Field(defaults.ENGINE, examples=[defaults.ENGINE])
    address: str | None = Field(None, examples=["10.0.0.1:6379"])
    cpus_per_model: float | None = None
    gpus_per_model: float | None = None
    device: str | None = Field(None, examples=["cuda:0"])
    tell: Callable[[str], None] | None = print


class RunArguments(PlanArguments):
    """Those of lrfer_bench.run()."""

    test_protocols: Annotated[Things, Some] | None = None
    test_scales: Annotated[Integers, Some] | None = None
    settings_file: Folder | None = None
    overwrite: Literal["never", "failed", "always"] = "never"
    join: bool = False
    log: str | None = Field(None, examples=["tensorboard"])
    epochs: Integer | None = None
    batch: Integer | None = None
    lr: Real | None = None
    precision: Literal["fp32", "bf16", "fp16"] | None = None
    targets: Literal["majority", "soft"] | None = None


class EvaluateArguments(Arguments):
    """Those of lrfer_bench.evaluate(); run() checks the values of those that both take."""

    model: Any
    weights: Folder | None
    name: str | None = Field(examples=["my-net"])
    classes: Annotated[list[str], BeforeValidator(listed)] = Field(examples=["happy"])
    results: Folder
    plugins: Folders
    dataset: Any = None
    data_root: Any = None
    data_options: Any = None
    scales: Any = None
    protocols: Any = None
    seeds: Any = None
    preset: Any = None
    workers: Any = None
    time_limit: Any = None
    overwrite: Any = None
    device: Any = None
    engine: Any = None
    tell: Any = None


class TuneArguments(PlanArguments):
    """Those of lrfer_bench.tune()."""

    trials: Integer
    epochs: str = Field(examples=[defaults.TRIAL_EPOCHS])
    prune: Literal["none", "median"]
    overwrite: Literal["never", "failed"]


class LoadArguments(Arguments):
    """Those of lrfer_bench.load_model()."""

    model: str | None = Field(examples=["direct"])
    results: Folder
    scale: Integer | None
    dataset: str | None = Field(examples=["fer2013"])
    protocol: str | None = Field(examples=[defaults.PROTOCOL])
    preset: str | None = Field(examples=[defaults.PRESET])
    seed: Integer | None
    key: str | None = Field(examples=["3f9c0a"])
    plugins: Folders
    device: str = Field(examples=["cpu"])
    trust_plugins: bool
    tell: Callable[[str], None] | None


class CompareArguments(Arguments):
    """Those of lrfer_bench.compare()."""

    a: str = Field(examples=["gmenet"])
    b: str = Field(examples=["direct"])
    results: Folders
    datasets: Words = Field(examples=["fer2013"])
    protocols: Words = Field(examples=["bicubic"])
    test_protocols: Words = Field(examples=["camera"])
    scales: Integers
    seeds: Integers
    resamples: Annotated[Integer, Field(ge=100)]
    clean: bool
    tell: Callable[[str], None] | None


class VerifyArguments(Arguments):
    """Those of lrfer_bench.verify()."""

    dataset: str = Field(examples=["fer2013"])
    data_root: Folder | None
    data_options: Options | None
    plugins: Folders
    near: bool
    tell: Callable[[str], None] | None


class MergeArguments(Arguments):
    """Those of lrfer_bench.merge()."""

    others: Folders
    results: Folder
    other_data: bool
    dry_run: bool
    plugins: Folders
    tell: Callable[[str], None] | None


class PredictArguments(Arguments):
    """Those of lrfer_bench.predict()."""

    images: Folders
    method: str | None = Field(examples=["direct"])
    results: Folder
    scale: Integer | None
    dataset: str | None = Field(examples=["fer2013"])
    protocol: str | None = Field(examples=[defaults.PROTOCOL])
    preset: str | None = Field(examples=[defaults.PRESET])
    seed: Integer | None
    key: str | None = Field(examples=["3f9c0a"])
    images_are: Literal["auto", "hr", "lr"]
    plugins: Folders
    trust_plugins: bool
    tell: Callable[[str], None] | None


class ResultsArguments(Arguments):
    """Results folders, and where a report goes."""

    results: Folders
    out: Folder | None = None
    plugins: Folders = []
    tell: Callable[[str], None] | None = None


class ReportArguments(Arguments):
    """Those of lrfer_bench.report() beside the folders: the options of a report."""

    choice: Any = None
    datasets: Words = Field([], examples=["fer2013"])
    methods: Words = Field([], examples=["direct"])
    protocols: Words = Field([], examples=["bicubic"])
    test_protocols: Words = Field([], examples=["camera"])
    scales: Integers = []
    seeds: Integers = []
    sort_by: str = Field("rank", examples=["rank"])
    resamples: Annotated[Integer, Field(ge=0)] = 1000
    title: str = Field("", examples=["Faces"])
    citations: bool = False
    partial: bool = False
    pictures: Literal["changed", "all", "curves", "none"] = "changed"
    unfolded: bool = False
    page: bool = True
    metrics: Annotated[list[str], BeforeValidator(_things)] = Field([], examples=["brier"])
    command: str = ""

    def given(self) -> dict[str, Any]:
        """Only what the caller said."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def checked_arguments(kind: type[Content], given: Mapping[str, Any]) -> Content:
    """The arguments in their right types; UserError of one sentence for the first that is wrong."""
    examples = {name: (field.examples or ["text"])[0] for name, field in kind.model_fields.items()}
    try:
        return kind(**given)
    except ValidationError as error:
        raise UserError(_sentence(error, examples)) from None


def _sentence(error: ValidationError, examples: Mapping[str, Any]) -> str:
    first = error.errors()[0]
    what, *inside = map(str, first["loc"])
    example = examples.get(what, "text")
    if what == "settings" and inside:
        what = f"settings of {inside[0]!r}"
    template = SENTENCES.get(first["type"], "{what} is {shown}: {message}")
    message = first["msg"].removeprefix("Value error, ")
    context = {"example": example, "message": message, **first.get("ctx", {})}
    return template.format(**{**context, "what": what, "shown": shown(first["input"])})


def shown(value: Any) -> str:
    """A value in a sentence: on one line, and a long one (a table, an array) by its type."""
    words = repr(value)
    return words if len(words) <= 60 and "\n" not in words else f"a {type(value).__name__}"
