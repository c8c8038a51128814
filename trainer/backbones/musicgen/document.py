"""The checkpoint of an adapted MusicGen: the adapters, the identity of the weights that they belong to, and the licence of those."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from trainer.backbones.musicgen import adapters
from trainer.backbones.musicgen.base import MusicgenBase
from trainer.backbones.musicgen.weights import SAMPLE_RATE
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError

FORMAT = "voice-acceptance/musicgen-adapter"
VERSION = 1
_PARTS = ("config", "model", "features", "licence", "training")
_LARGEST_RANK, _LARGEST_ALPHA = 256, 1e4


def build(
    base: MusicgenBase,
    tensors: Mapping[str, torch.Tensor],
    *,
    rank: int,
    alpha: float,
    licence: Mapping[str, Any],
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """The document of a finished training; nothing of the base's weights is in it."""
    config = base.decoder.config
    return {
        "format": FORMAT,
        "version": VERSION,
        "config": {
            "base": {
                "name": "musicgen-small",
                "identity": base.identity,
                "hidden_size": config.hidden_size,
                "layers": config.num_hidden_layers,
            },
            "adapter": {"rank": rank, "alpha": float(alpha), "targets": adapters.TARGETS},
        },
        "model": dict(tensors),
        "features": {"sample_rate": SAMPLE_RATE, "frame_rate": base.frame_rate, "codebooks": base.codebooks},
        "licence": dict(licence),
        "training": dict(training),
    }


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint without executing anything in it; raises CheckpointError."""
    document = checkpoint.read_container(path)
    checkpoint.require_plain(document, besides=("model",))
    if document.get("format") != FORMAT or document.get("version") != VERSION:
        raise _wrong(f"not a {FORMAT} version {VERSION}")
    for part in _PARTS:
        if not isinstance(document.get(part), dict) or not document[part]:
            raise _wrong(f"the part {part!r} is missing")
    if not isinstance(document["licence"].get("spdx"), str) or type(document["licence"].get("promotable")) is not bool:
        raise _wrong("the licence record does not say which licence and whether it may be promoted")
    for name, tensor in document["model"].items():
        if not isinstance(tensor, torch.Tensor) or not bool(torch.isfinite(tensor).all()):
            raise _wrong(f"the model's {name} is no tensor of finite numbers")
    return document


def apply(document: Mapping[str, Any], base: MusicgenBase) -> None:
    """Put the checkpoint's adapters into a base that has none yet; raises CheckpointError(wrong_format | wrong_base)."""
    config = document["config"]
    try:
        identity, adapter = config["base"]["identity"], config["adapter"]
        rank, alpha = adapter["rank"], adapter["alpha"]
    except (KeyError, TypeError) as error:
        raise _wrong("the config does not name base and adapter") from error
    if identity != base.identity:
        raise CheckpointError(
            f"the adapters belong to other weights ({str(identity)[:12]}, these are {base.identity[:12]})",
            cause="wrong_base",
        )
    if (
        type(rank) is not int
        or not 1 <= rank <= _LARGEST_RANK
        or type(alpha) is not float
        or not 0 < alpha <= _LARGEST_ALPHA
    ):
        raise _wrong("rank or alpha has no possible value")
    if adapter.get("targets") != adapters.TARGETS:
        raise _wrong("the adapters sit elsewhere in the model")
    adapters.insert(base.decoder, rank=rank, alpha=alpha, seed=0)
    try:
        adapters.restore(base.decoder, document["model"])
    except ValueError as error:
        raise _wrong(str(error)) from error


def _wrong(problem: str) -> CheckpointError:
    return CheckpointError(problem, cause="wrong_format")
