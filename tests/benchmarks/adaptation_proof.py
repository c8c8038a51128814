"""Calibration of the learning thresholds for adapted voices: what finished voices, spoilt ones and other people's give.

    python -m tests.benchmarks.adaptation_proof MANIFEST VOICE.pt [VOICE.pt ...] [--other OTHER.pt ...] [--threads 2]

MANIFEST is the dataset of the voices; OTHER are voices of other speakers. A spoilt voice is the first one with one thing replaced by
noise. `least` is the lowest improvement over each held-out utterance alone: how far one utterance can be believed.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from trainer.backbones.adapter import learning, remeasure
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.dataset import manifest
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.training import determinism
from trainer.training.learning_proof import improvement
from trainer.voice import base, document
from trainer.voice.document import Voice

HEAD = f"{'voice':<28}{'start':>8}{'trained':>8}{'better':>8}{'least':>8}{'wrong':>8}{'frames':>8}{'prosody':>8}{'vocoder':>8}{'speaker':>8}"


def main() -> int:
    """Print one line per voice: improvements, and the growth of the networks' own losses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("voices", type=Path, nargs="+")
    parser.add_argument("--other", type=Path, nargs="*", default=[])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    start = remeasure.baseline(options.manifest, AdaptationSettings(), threads=options.threads).start
    each = _each(start)
    seconds = ", ".join(f"{one.duration_s:.0f}" for one in start.target)
    print(f"{manifest.load(options.manifest).source.path}: {len(each)} held-out utterances of {seconds} s\n{HEAD}")
    for path in options.voices:
        _row(path.parent.name, document.load(path), start, each)
    for name, spoilt in _spoilt(document.load(options.voices[0]), start):
        _row(name, spoilt, start, each)
    for path in options.other:
        _row(f"other: {path.parent.name}", document.load(path), start, each)
    return 0


def _row(name: str, one: Voice, start: learning.Start, each: list[learning.Start]) -> None:
    found = learning.losses(start, one.acoustic, one.vocoder, one.speaker)
    least = min(
        improvement(single.target_loss, learning.whole_loss(one.acoustic, one.vocoder, single.target, one.speaker))
        for single in each
    )
    growth = [found[f"{part}_loss_trained"] / found[f"{part}_loss_start"] - 1 for part in learning.PARTS]
    shares = "".join(f"{value:>8.1%}" for value in (found["improvement"], least, found["control_improvement"], *growth))
    losses = "".join(f"{found[key]:>8.3f}" for key in ("heldout_loss_start", "heldout_loss_trained"))
    losses = "".join(f"{found[key]:>8.3f}" for key in ("heldout_loss_start", "heldout_loss_trained"))
    print(f"{name:<28}{losses}{shares}{found['speaker_difference']:>8.3f}", flush=True)


def _each(start: learning.Start) -> list[learning.Start]:
    """A start for each held-out utterance alone; its control side is the whole one."""
    models = base.load()
    return [
        dataclasses.replace(
            start,
            target=(one,),
            target_loss=learning.whole_loss(models.acoustic, models.vocoder, (one,), start.speaker),
        )
        for one in start.target
    ]


def _spoilt(good: Voice, start: learning.Start) -> Iterator[tuple[str, Voice]]:
    generator = determinism.generator(0)
    models = base.load()
    yield (
        "the base itself",
        dataclasses.replace(good, acoustic=models.acoustic, vocoder=models.vocoder, speaker=start.speaker),
    )
    noise = torch.nn.functional.normalize(torch.randn(256, generator=generator), dim=0)
    yield "speaker of noise", dataclasses.replace(good, speaker=dataclasses.replace(good.speaker, embedding=noise))
    embedding = SpeakerEncoder().embed(start.control[0].utterance.wave.numpy())
    yield (
        "speaker of the wrong voice",
        dataclasses.replace(good, speaker=dataclasses.replace(good.speaker, embedding=torch.from_numpy(embedding))),
    )
    for name in ("vocoder", "acoustic"):
        model = copy.deepcopy(getattr(good, name))
        with torch.no_grad():
            for weight in model.parameters():
                weight.copy_(weight.std(correction=0) * torch.randn(weight.shape, generator=generator))
        yield f"{name} of noise", dataclasses.replace(good, **{name: model})
    vocoder = copy.deepcopy(good.vocoder)
    with torch.no_grad():
        vocoder.output.weight.normal_(std=0.1, generator=generator)
    yield "vocoder's last layer noise", dataclasses.replace(good, vocoder=vocoder)
    acoustic = copy.deepcopy(good.acoustic)
    with torch.no_grad():
        acoustic.prosody.output.weight.normal_(std=0.1, generator=generator)
    yield "prosody's last layer noise", dataclasses.replace(good, acoustic=acoustic)


if __name__ == "__main__":
    sys.exit(main())
