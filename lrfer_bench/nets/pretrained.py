"""What classifiers start from, as keys know it: weights by their content, not by their source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrfer_bench.errors import UserError
from lrfer_bench.nets.classifiers import build_classifier, no_pretrained, nothing_pretrained
from lrfer_bench.nets.lean import SHAPES
from lrfer_bench.nets.weight_files import COUNTER, as_bytes, imported
from lrfer_bench.plugins.contents import add_content, content_of, is_content

_TIMM: dict[str, str] = {}
"""What timm says of its weights -> their content, once a process."""


def classifier_content(settings: Mapping[str, Any], preset_classifier: str) -> Mapping[str, Any]:
    """Settings of a classifier with the content of what it starts from, as keys have to know it.

    Both `weights` (a path) and `pretrained` (whatever timm has today) become the content of the
    weights themselves, so that one set of weights under several names is one key. Settings that
    start from scratch come back as they are.
    """
    weights, pretrained = settings.get("weights", ""), settings.get("pretrained", False)
    if not weights and not pretrained:
        return settings
    if weights and pretrained and not is_content(weights):
        raise UserError(
            "the settings weights and pretrained=true are both given: they are two sets of "
            "weights, so leave one out"
        )
    arch = settings.get("arch", "preset")
    named = preset_classifier if arch == "preset" else arch
    content = (
        content_of("weights", weights, imported)
        if weights
        else _content_of_timm(named.partition("@")[0])
    )
    known = {"weights": content, "pretrained": False, "arch": _without_tag(arch)}
    return {**settings, **{name: value for name, value in known.items() if name in settings}}


def _content_of_timm(name: str) -> str:
    """The content of the weights that timm gives for a name, kept in the cache like a file."""
    import timm

    if name in SHAPES:
        raise nothing_pretrained(name)
    config = timm.models.get_pretrained_cfg(name) if timm.is_model(name) else None
    mark = repr(config)
    if mark not in _TIMM:
        build_classifier(name, 2, 3, (1, 1), dropout=0.0)  # says what is wrong with a name
        try:
            net: Any = timm.create_model(name, pretrained=True)
        except Exception as error:  # a network can fail in many ways
            raise no_pretrained(name, error) from error
        state = {k: v for k, v in net.state_dict().items() if not k.endswith(COUNTER)}
        tag = net.pretrained_cfg.get("tag") or ""
        called = f"{net.pretrained_cfg['architecture']}{'.' * bool(tag)}{tag}.safetensors"
        _TIMM[mark] = add_content(as_bytes(state), called)
    return _TIMM[mark]


def _without_tag(arch: str) -> str:
    """An architecture by its plain name, where its tag names nothing but other weights.

    A tag whose mean and deviation of the input differ stays.
    """
    import timm

    name, at, stem = arch.partition("@")
    plain, _, tag = name.partition(".")
    if not tag or not timm.is_model(name):
        return arch
    own, usual = timm.models.get_pretrained_cfg(name), timm.models.get_pretrained_cfg(plain)
    alike = own and usual and (own.mean, own.std) == (usual.mean, usual.std)
    return f"{plain}{at}{stem}" if alike else arch
