"""FSR-FER: a GAN restores features instead of images: from those of LR to those of HR faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from lrfer_bench.api import (
    Batch,
    ClassifierNet,
    LogUniform,
    Method,
    Need,
    Preset,
    Task,
    UserError,
    gan,
    losses,
    register_method,
    svm,
)
from lrfer_bench.methods.stages import try_maps

PENALTY, POWER = 2.0, 6.0


WIDTHS = {"tiny": 32, "small": 64, "large": 64}
"""Channels of the generator of a classifier's maps, by a preset's compute."""


@register_method("fsrfer")
class FSRFER(Method):
    """Frozen HR classifier, generator of HR-like features, critic; one model for all scales.

    feature:  what is restored: "map" (the classifier's last feature map), "covpool" (CovPoolNet's
              log-covariance map), or "preset": covpool with a GPU's preset, else map
    head:     "classifier" (the frozen one) or "svm" (linear, on embeddings of the training faces)
    pretrain: the share of the budget, in whole epochs, in which the generator learns by the squared
              distance alone
    feature_weight, perceptual_weight: of the generator's distances to the HR face's features and
              to their embedding, beside the critic's word
    """

    trains = "all scales"
    added = ("feature_weight", "perceptual_weight")
    search = {
        "feature_weight": LogUniform(0.001, 1.0),
        "perceptual_weight": LogUniform(0.3, 100.0),
    }

    @classmethod
    def canonical_settings(cls, settings: Mapping[str, Any], preset: Preset) -> Mapping[str, Any]:
        return {**settings, "feature": _feature(settings["feature"], preset)}

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        extractor = "covpool" if settings["feature"] == "covpool" else "classifier"
        return {"classifier": Need(extractor, "hr")}

    @classmethod
    def notes_for(cls, settings: Mapping[str, Any], task: Task) -> list[str]:
        """UserError where the classifier whose features are restored hands out no maps."""
        try_maps(task)
        return []

    def __init__(
        self,
        task: Task,
        *,
        feature: str = "preset",
        head: Literal["classifier", "svm"] = "classifier",
        pretrain: float = 0.4,
        feature_weight: float = 0.01,
        perceptual_weight: float = 10.0,
    ) -> None:
        super().__init__(task)
        if head not in ("classifier", "svm"):
            raise UserError(f'fsrfer.head is "{head}": it takes classifier or svm')
        self.pretrain = pretrain
        self.feature_weight, self.perceptual_weight = feature_weight, perceptual_weight
        self.covpool = _feature(feature, task.preset) == "covpool"
        with torch.no_grad():
            device = next(self.net.parameters()).device
            example = self.features(torch.zeros(1, task.channels, *task.size, device=device))
        if self.covpool:
            self.generator = gan.Generator(1, 32, 16, 6, kernel=8, skip=False)
            self.critic = gan.Critic(1, (8, 16, 32, 64, 64), (example.shape[2], example.shape[3]))
        else:
            channels = example.shape[1]
            width = WIDTHS[task.preset.compute]
            self.generator = gan.Generator(channels, width, width // 4, 2, kernel=3, skip=True)
            self.critic = gan.Critic(channels, (64,), (example.shape[2], example.shape[3]))
        self.svm = None
        if head == "svm":
            self.svm = svm.LinearSVM(self.embedding(example).shape[1], task.classes)

    @property
    def net(self) -> ClassifierNet:
        """The frozen extractor and classifier."""
        return self.stages["classifier"].net  # type: ignore[return-value]

    def features(self, images: Tensor) -> Tensor:
        """Faces float [B, C, H, W] in 0..1 -> what the generator works on."""
        return self.net.maps(images)[-1]

    def embedding(self, features: Tensor) -> Tensor:
        """What the SVM sees, of length 1: CovPoolNet's bottleneck, or another's pooled map."""
        net: Any = self.net
        found = net.bottleneck(features) if self.covpool else net.embedding(features)
        return F.normalize(found, dim=1)

    def forward(self, lr: Tensor) -> Tensor:
        made = self.generator(self.features(self.enlarge(lr)))
        return self.net.head(made) if self.svm is None else self.svm(self.embedding(made))

    def score(self, batch: Batch) -> Tensor:
        """By the frozen classifier in any case: while training goes on there is no SVM yet."""
        logits = self.net.head(self.generator(self.features(self.enlarged(batch))))
        return (logits.argmax(1) == batch.label).to(torch.float32)

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        rate = 2e-4 if self.task.preset.large else 1e-3
        generator, critic = self.generator.parameters(), self.critic.parameters()
        return {
            "pretraining": torch.optim.Adam(self.generator.parameters(), lr=rate),
            "generator": torch.optim.Adam(generator, lr=rate / 10.0, betas=(0.0, 0.999)),
            "critic": torch.optim.Adam(critic, lr=rate / 10.0, betas=(0.0, 0.999)),
        }

    def update(
        self, batch: Batch, optimizers: Mapping[str, torch.optim.Optimizer]
    ) -> dict[str, Tensor]:
        with torch.no_grad():
            low, high = self.features(self.enlarged(batch)), self.features(self.unit(batch.hr))
        epochs = self.task.preset.epochs
        if int(self.progress * epochs + 1e-6) < round(self.pretrain * epochs):
            distance = losses.squared_distance(self.generator(low), high).mean()
            self.descend(distance, optimizers["pretraining"])
            return {"distance": distance.detach()}
        made = self.generator(low)
        critic = self.critic_losses(made.detach(), high, batch.label)
        self.descend(torch.stack(list(critic.values())).sum(), optimizers["critic"])
        generator = self.generator_losses(made, high, batch.label)
        self.descend(torch.stack(list(generator.values())).sum(), optimizers["generator"])
        return {name: loss.detach() for name, loss in (critic | generator).items()}

    def critic_losses(self, made: Tensor, high: Tensor, label: Tensor) -> dict[str, Tensor]:
        """mean(w D(real)) - mean(w D(made)) + 2 |grad D|^6: low on real, high on made features."""
        weight = losses.classification_weight(self.net.head(made), label)
        mix = torch.rand(len(made), device=made.device)
        return {
            "critic": (weight * self.critic(high)).mean() - (weight * self.critic(made)).mean(),
            "penalty": PENALTY * losses.gradient_penalty(self.critic, high, made, mix, POWER),
        }

    def generator_losses(self, made: Tensor, high: Tensor, label: Tensor) -> dict[str, Tensor]:
        """mean(w D(made)) + 0.01 mean(w |made - real|^2) + 10 mean(w |phi(made) - phi(real)|^2).

        0.01 and 10 are the defaults of its two weights. Gradients flow through w as well.
        """
        weight = losses.classification_weight(self.net.head(made), label)
        phi_made, phi_high = self.net.embedding(made), self.net.embedding(high)
        feature = losses.squared_distance(made, high)
        perceptual = losses.squared_distance(phi_made, phi_high)
        return {
            "adversarial": (weight * self.critic(made)).mean(),
            "feature": self.feature_weight * (weight * feature).mean(),
            "perceptual": self.perceptual_weight * (weight * perceptual).mean(),
        }

    @torch.no_grad()
    def after_training(self, batches: Any) -> None:
        """Fit the SVM to the embeddings of the training faces, each at a random scale."""
        if self.svm is None:
            return
        embeddings, labels = [], []
        for batch in batches:
            made = self.generator(self.features(self.enlarged(batch)))
            embeddings.append(self.embedding(made))
            labels.append(batch.label)
        self.svm.fit(torch.cat(embeddings), torch.cat(labels))


def _feature(feature: str, preset: Preset) -> str:
    if feature == "preset":
        return "covpool" if preset.large else "map"
    if feature not in ("map", "covpool"):
        raise UserError(f'fsrfer.feature is "{feature}": it takes map, covpool or preset')
    return feature
