"""The record schema: one JSON file a cell. See results/README.md for the meaning of every field."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from lrfer_bench.errors import escaped
from lrfer_bench.plugins.registry import NAME
from lrfer_bench.scoring.parts import MetricsPart

SCHEMA = 1
MOST = 2**53
"""Counts are whole numbers that a float can hold, and no more; amounts are below it as well."""

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""A key, a fingerprint or a checksum: sha256, 64 hexadecimal digits."""
Name = Annotated[str, Field(pattern=f"^(?:{NAME.pattern})$")]
"""As in the registry."""
Versioned = Annotated[str, Field(pattern=f"^(?:{NAME.pattern})(?:@(?:{NAME.pattern}))?$")]
"""A protocol or a preset: "bicubic@1", "hr"."""
Count = Annotated[int, Field(ge=0, le=MOST)]
Amount = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)]
Finite = Annotated[float, Field(ge=-MOST, le=MOST, allow_inf_nan=False)]
Pixels = Annotated[int, Field(ge=1, le=2**20)]
"""A scale, or a length in pixels."""
Weights = Annotated[str, Field(max_length=300, pattern=r"^\S[^\x00-\x1f]* sha256:[0-9a-f]{12}$")]
"""The name of a file of weights, and the head of its content's hash."""
MOST_TEXT = 5000
"""Characters of one text of a card, a BibTeX entry for example."""


def _shown(text: str) -> str:
    if escaped(text) != text:
        raise ValueError("a card holds no control characters")
    return text


CardText = Annotated[str, Field(max_length=MOST_TEXT), AfterValidator(_shown)]
SCRATCH = "from scratch"
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    __test__: ClassVar[bool] = False  # pytest takes a class called Test... for its own


class DatasetPart(_Part):
    name: Name
    fingerprint: Hash
    classes: list[str]
    synthetic: bool = False


class CardPart(_Part):
    """What a method that is not built in says about itself, so that tables elsewhere can say it."""

    summary: CardText
    title: CardText = ""
    authors: CardText = ""
    year: int | None = Field(default=None, ge=0, le=9999)
    url: Annotated[CardText, Field(pattern=r"^(?:https?://\S+)?$")] = ""
    bibtex: CardText = ""
    stated: list[CardText] = Field(default_factory=list, max_length=50)
    ours: list[CardText] = Field(default_factory=list, max_length=50)


class MethodPart(_Part):
    """kind "oracle" marks a row that sees HR images at test time: a ceiling, not an LR method.

    trials: of the tuning that chose its settings; 0: it has nothing to tune, None: it was not tuned
    weights: what it or a stage of it starts from: "resnet18.a1_in1k sha256:0a1b2c3d4e5f" each; none
             is from scratch
    stage_settings: stages of it, of any depth, with the settings that the user changed and that do
             not follow from its own: "classifier[epochs=120]" each; None: an older record, not told
    existing: a model that existed already: nothing was trained for it here, no stage either
    files: plugin files other than its own that the cell rests on, by what came from them:
             "protocol occlude" -> "occlude.py sha256:0a1b2c3d4e5f", "method good" for a stage
    card: of a method that is not built in, where it has one
    """

    name: Name
    version: str
    settings: dict[str, Any] = Field(default_factory=dict)
    source: str
    kind: Literal["lr", "oracle"] = "lr"
    test_time_augmentation: str | None = None
    trials: int | None = Field(default=None, ge=0)
    weights: list[Weights] = Field(default_factory=list)
    stage_settings: list[str] | None = None
    existing: bool = False
    files: dict[str, str] = Field(default_factory=dict)
    card: CardPart | None = None

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without fields that came later and say nothing: older records keep their bytes."""
        content: dict[str, Any] = handler(self)
        if not self.weights:
            content.pop("weights", None)
        if self.trials is None:
            content.pop("trials", None)
        if self.stage_settings is None:
            content.pop("stage_settings", None)
        if not self.existing:
            content.pop("existing", None)
        if not self.files:
            content.pop("files", None)
        if self.card is None:
            content.pop("card", None)
        return content

    @property
    def weight_files(self) -> list[str]:
        """The names of its weights, without the heads of their contents."""
        return [text.rpartition(" ")[0] for text in self.weights]

    @property
    def track(self) -> str:
        """ "from scratch", or "pre-trained" with the contents of the weights.

        The names of their files do not count: one content under two names is one track. What
        existed already is compared with all others; how it came to be is not known here.
        """
        if self.existing:
            return SCRATCH
        contents = sorted({text.rpartition(" ")[2] for text in self.weights})
        return f"pre-trained {' '.join(contents)}" if contents else SCRATCH

    @property
    def plugin_file(self) -> str:
        """The name of the file it came from ("my_idea.py"); "" for an installed package."""
        file, mark, _ = self.source.partition(" sha256:")
        return file if mark else ""


class TrainPart(_Part):
    """The condition trained on.

    Protocol "hr" with scales [1] is training on HR images only; [] trains nothing.
    targets: "soft" where networks learned annotators' votes; None: the majority's label
    """

    protocol: Versioned
    scales: list[Pixels]
    targets: Literal["soft"] | None = None

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what came later and says nothing: older records keep their bytes."""
        content: dict[str, Any] = handler(self)
        return {name: value for name, value in content.items() if value is not None}


class TestPart(_Part):
    """The condition tested on; size_px is the height in pixels of the LR face."""

    protocol: Versioned
    scale: Pixels
    size_px: Pixels


class SelectionPart(_Part):
    rule: str
    epoch: Count
    epochs: Count


class StagePart(_Part):
    key: Hash
    method: Name
    train_seconds: Amount


class Cost(_Part):
    """What a cell cost.

    parameters and macs are those used for one face at test time, stages included; latency at batch
    1, one face, throughput in faces a second at batch 64; peak_memory_mb is that of the process
    that trained (or, without training, tested).

    Only `lrfer-bench measure` writes these: latency_q1_ms and latency_q3_ms, the quartiles around
    the median latency_ms; onnx_latency_ms, the median of the exported model in onnxruntime.
    `measure --training` writes train_seconds anew, from a few steps.
    """

    parameters: Count
    macs: Count
    latency_ms: Amount
    throughput: Amount
    train_seconds: Amount
    train_seconds_with_stages: Amount
    peak_memory_mb: Amount
    latency_q1_ms: Amount | None = None
    latency_q3_ms: Amount | None = None
    onnx_latency_ms: Amount | None = None

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what was not measured: older records keep their bytes."""
        content: dict[str, Any] = handler(self)
        return {name: value for name, value in content.items() if value is not None}


class Epoch(_Part):
    epoch: Count
    seconds: Amount
    losses: dict[str, Finite]
    val_accuracy: Finite | None = None


class Failure(_Part):
    """sentence says what and where; traceback is for the method's author."""

    sentence: str
    traceback: str = ""


class Record(_Part):
    """One cell's result; see results/README.md for the meaning of every field."""

    schema_version: int = SCHEMA
    key: Hash
    status: Literal["finished", "failed"]
    dataset: DatasetPart
    method: MethodPart
    train: TrainPart
    test: TestPart
    seed: Seed
    preset: Versioned
    selection: SelectionPart | None = None
    stages: dict[str, StagePart] = Field(default_factory=dict)
    metrics: MetricsPart | None = None
    cost: Cost | None = None
    history: list[Epoch] = Field(default_factory=list)
    environment: dict[str, str] = Field(default_factory=dict)
    logits_sha256: Hash | None = None
    failure: Failure | None = None
    content_sha256: str | None = None

    @property
    def arithmetic(self) -> str:
        """What computed it: the CPU's arithmetic, or the GPU with its precision.

        With what trained its models where that was another one; "" in records from before it was
        told.
        """
        told = self.environment
        tested = told.get("arithmetic", "")
        if "gpu" in told:
            tested = f"{told['gpu']}, {told.get('precision', 'fp32')}"
        others = told.get("trained_by", "")
        return f"{tested} on models of {others}" if others else tested

    @property
    def stem(self) -> str:
        """File name without ending: readable first, the key's head last."""
        parts = (
            self.dataset.name,
            self.method.name,
            self.test.protocol,
            f"x{self.test.scale}",
            f"s{self.seed}",
            self.preset,
            self.key[:12],
        )
        return "_".join(part.replace("/", "-") for part in parts)
