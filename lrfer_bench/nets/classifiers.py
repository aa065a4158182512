"""Classifier networks behind one face: the lean one, and everything that timm can build."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.nets.later import postponed
from lrfer_bench.nets.lean import SHAPES, LeanTrunk, Shape
from lrfer_bench.nets.weights import heads_of, start_from
from lrfer_bench.pixels import centred, fit


class ClassifierNet(nn.Module):
    """Images float [B, C, H, W] in 0..1 -> logits [B, classes].

    The stages in between are open to distillation. Subclasses know how their input is normalised
    and sized: preprocessing travels with the network.
    """

    feature_channels: int
    """Channels of the last map."""
    started: str = ""
    """A line about the weights that it starts from, "" where it starts from scratch."""

    def maps(self, images: Tensor) -> list[Tensor]:
        """float [B, C, H, W] in 0..1 -> the feature map after each stage, float [B, c, h, w].

        They come shallow to deep; the last one is what head() takes.
        """
        raise NotImplementedError

    def head(self, features: Tensor) -> Tensor:
        """Last feature map [B, feature_channels, h, w] -> logits [B, classes]."""
        raise NotImplementedError

    def embedding(self, features: Tensor) -> Tensor:
        """Last feature map -> float [B, D].

        It is the mean over positions, unless a network ends in another way.
        """
        return features.mean((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.maps(images)[-1])


class LeanNet(ClassifierNet):
    """One of the shapes of nets/lean.py; mean 0.5 and deviation 0.25 for every channel.

    size: height and width in pixels that it works at; images of another size are resized first
    """

    def __init__(
        self, shape: Shape, classes: int, channels: int, size: tuple[int, int], dropout: float
    ) -> None:
        super().__init__()
        self.size = size
        self.trunk = LeanTrunk(shape, channels, size)
        self.dropout = nn.Dropout(dropout)
        self.feature_channels = shape.widths[-1]
        self.linear = nn.Linear(self.feature_channels, classes)

    def maps(self, images: Tensor) -> list[Tensor]:
        return self.trunk(centred(fit(images, self.size)))

    def head(self, features: Tensor) -> Tensor:
        return self.linear(self.dropout(features.mean((2, 3))))


class TimmNet(ClassifierNet):
    """Any timm classifier that has forward_intermediates, normalised as its card says.

    input_size: side in pixels that images are enlarged to first; 0 leaves them as they are
    """

    def __init__(
        self,
        name: str,
        classes: int,
        channels: int,
        *,
        pretrained: bool,
        dropout: float,
        input_size: int,
        weights: str = "",
    ) -> None:
        super().__init__()
        net: Any = _timm_model(name, classes, channels, pretrained and not weights, dropout)
        config = net.pretrained_cfg
        if weights:
            self.started = start_from(net, weights, name, heads_of(net))
        self.net = net
        self.name, self.input_size = name, input_size
        self.feature_channels = int(net.num_features)
        mean, std = torch.tensor(config["mean"]), torch.tensor(config["std"])
        grey = channels == 1
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer(
            "mean",
            (mean.mean(0, keepdim=True) if grey else mean).reshape(-1, 1, 1),
            persistent=False,
        )
        self.register_buffer(
            "std", (std.mean(0, keepdim=True) if grey else std).reshape(-1, 1, 1), persistent=False
        )

    def _normalised(self, images: Tensor) -> Tensor:
        if self.input_size:
            side = (self.input_size, self.input_size)
            images = F.interpolate(images, size=side, mode="bicubic", antialias=True)
        return (images - self.mean) / self.std

    def maps(self, images: Tensor) -> list[Tensor]:
        """The feature maps; UserError for a network that keeps tokens, or channels last.

        Losses on maps would silently mix up the axes of such a network.
        """
        net: Any = self.net
        final, between = self._fed(net.forward_intermediates, images)
        if final.ndim != 4 or final.shape[1] != self.feature_channels:
            raise UserError(
                f'the classifier "{self.name}" ends in {list(final.shape[1:])}, not in '
                f"{self.feature_channels} channels by "
                "positions, which a method that works on its maps needs: choose a convolutional "
                "one such as resnet18"
            )
        return [*between[:-1], final]

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self._fed(self.net, images)
        return logits

    def _fed(self, network: Callable[[Tensor], Any], images: Tensor) -> Any:
        """What a part of the network makes of images; UserError for a size that it does not take.

        Transformers are made for one size, and say so in an assertion.
        """
        images = self._normalised(images)
        try:
            return network(images)
        except AssertionError as error:
            net: Any = self.net
            side, (height, width) = net.pretrained_cfg["input_size"][-1], images.shape[-2:]
            raise UserError(
                f'the classifier "{self.name}" does not take images of {width}x{height} pixels '
                f"({error}): have them enlarged with the setting input_size={side}"
            ) from error

    def head(self, features: Tensor) -> Tensor:
        net: Any = self.net
        return net.forward_head(features)


def _timm_model(
    label: str, classes: int, channels: int, pretrained: bool, dropout: float
) -> nn.Module:
    import timm

    name, _, stem = label.partition("@")
    if name in SHAPES:
        raise UserError(
            f'the classifier "{name}" has its own stem: leave out "@{stem}", which only timm\'s '
            "ResNets take"
        )
    if not timm.is_model(name):
        within = name.rpartition("/")[2]
        near = (
            f'did you mean "{within}"?'
            if timm.is_model(within)
            else did_you_mean(name, [*timm.list_models(), *SHAPES])
        )
        raise UserError(f'timm has no classifier "{name}": {near}')

    def create(pretrained: bool) -> nn.Module:
        return timm.create_model(
            name, pretrained=pretrained, num_classes=classes, in_chans=channels, drop_rate=dropout
        )

    try:
        net = postponed(create) if pretrained else create(False)
    except Exception as error:  # a network can fail in many ways
        if not pretrained:
            raise
        raise no_pretrained(name, error) from error
    if not hasattr(net, "forward_intermediates"):
        raise UserError(
            f'"{name}" does not show its stages in timm {timm.__version__} (no '
            "forward_intermediates): choose another classifier, or install a newer timm if there "
            "is one"
        )
    if stem:
        _small_stem(net, label, channels)
    return net


def no_pretrained(name: str, error: Exception) -> UserError:
    return UserError(
        f'the pretrained weights of "{name}" are not available ({type(error).__name__}): go online '
        "once so that they are cached, give a file with weights=FILE, or leave out pretrained=true"
    )


def _small_stem(net: Any, label: str, channels: int) -> None:
    """Put conv3x3/1 without pooling in front, which leaves 6x6 of a 48-pixel face.

    ImageNet's conv7x7/2 and max pooling would leave 2x2.
    """
    from timm.models.resnet import ResNet

    if (
        not isinstance(net, ResNet)
        or not isinstance(net.conv1, nn.Conv2d)
        or not label.endswith("@3x3")
    ):
        raise UserError(
            f'the classifier "{label}" is not available: only timm\'s ResNets take another stem, '
            "as in resnet18@3x3"
        )
    stem: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(channels, net.conv1.out_channels, 3, 1, 1, bias=False),
        "maxpool": nn.Identity(),
    }
    for part, module in stem.items():
        setattr(net, part, module)


def build_classifier(
    name: str,
    classes: int,
    channels: int,
    size: tuple[int, int],
    *,
    dropout: float,
    pretrained: bool = False,
    input_size: int = 0,
    weights: str = "",
) -> ClassifierNet:
    """A classifier network by name.

    Names: "lean", "lean2", any that timm knows ("resnet18", ...), or one of timm's ResNets with a
    stem for small faces ("resnet18@3x3").

    size: height and width in pixels that lean and lean2 work at, usually Task.input_size; images of
          another size are resized to it
    dropout: the rate before the last layer
    pretrained: with timm's weights
    input_size: side in pixels that a timm network's input is resized to; 0 is the images' own.
                The lean ones do not look at it
    weights: a file of weights to start from, all but the head, in place of timm's; or a content of
             one, "sha256:...". What was taken stands in `started`

    Raises UserError for an unknown name, and for weights that do not exist, are not available, or
    fit less than 90 % of the network.
    """
    shape = SHAPES.get(name)
    if shape is None:
        return TimmNet(
            name, classes, channels, pretrained=pretrained, dropout=dropout,
            input_size=input_size, weights=weights,
        )  # fmt: skip
    net = LeanNet(shape, classes, channels, size, dropout)
    if weights:
        net.started = start_from(net, weights, name, ("linear",))
    elif pretrained:
        raise nothing_pretrained(name)
    return net


def nothing_pretrained(name: str) -> UserError:
    return UserError(
        f'the classifier "{name}" has no pretrained weights: choose a timm name or leave out '
        "pretrained=true"
    )


def try_out(net: ClassifierNet, channels: int, size: tuple[int, int]) -> None:
    """Show a classifier one empty face of a size; UserError where it does not take it."""
    was_training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(1, channels, *size))
    net.train(was_training)
