"""Calibration of the learning thresholds for adapted voices: what finished voices, spoilt ones and other people's give.

    python -m tests.benchmarks.adaptation_proof MANIFEST VOICE.pt [VOICE.pt ...] [--other OTHER.pt ...] [--steps 60] [--truncated 10]

MANIFEST is the dataset of the voices; OTHER are voices of other speakers. A spoilt voice is the first one,
or its base, with one thing changed; --steps trains on what is not the speaker, --truncated ends a right training early. The verdict is that
of the policy in force.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from acceptance.evidence import learning_proof
from acceptance.evidence.train_status import PAIR, Learning
from acceptance.failure import DataBlocked, TrainFailed
from acceptance.policy import LearningPolicy
from tests.benchmarks import proof_attacks
from trainer.backbones.natural import learning as proof
from trainer.backbones.natural.material import gather
from trainer.backbones.natural.settings import NaturalSettings
from trainer.dataset import manifest
from trainer.errors import TrainerError
from trainer.files.checkpoint import CheckpointError
from trainer.training import determinism
from trainer.voice import natural_base, natural_document
from trainer.voice.natural_document import RestoredNatural

HEAD = f"{'voice':<44}{'start':>8}{'trained':>8}{'better':>8}{'wrong':>8}{'growth':>8}{'speaker':>8}  verdict"


def main() -> int:
    """Print one line per voice: improvements, the largest growth of a network's own loss, and whether it is accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("voices", type=Path, nargs="+")
    parser.add_argument("--other", type=Path, nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--truncated", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    determinism.fix(options.threads)
    material = gather(options.manifest, manifest.load(options.manifest), NaturalSettings())
    base = natural_base.for_speaker(material.vector)
    start = proof.measure_start(base, material)
    print(f"{options.manifest}: {len(start.target)} held-out utterances\n{HEAD}")

    def read(path: Path) -> RestoredNatural:
        voice = natural_document.load(path)
        proof.require_frozen_parts(voice.model, base)
        return voice

    for path in options.voices:
        _row(str(path), start, lambda path=path: read(path))
    voice = read(options.voices[0])
    for name, attack in proof_attacks.MADE.items():
        _row(name, start, lambda attack=attack: attack(voice, start))
    for path in options.other:
        _row(f"another speaker's: {path}", start, lambda path=path: proof_attacks.adopted(read(path), start))
    for name, learnt_from, steps in _trainings(material, options.steps, options.truncated):
        _row(name, start, lambda of=learnt_from, steps=steps: proof_attacks.trained(of, start, steps))
    return 0


def _trainings(material: Any, steps: int, truncated: int) -> Iterator[tuple[str, Any, int]]:
    if truncated:
        yield f"trained for {truncated} steps", material, truncated
    if steps:
        for name, spoil in proof_attacks.SPOILT.items():
            yield f"trained on {name}, {steps} steps", spoil(material), steps


def _row(name: str, start: Any, make: Any) -> None:
    try:
        made = make()
        found = proof.losses(start, made.model, made.speaker)
    except (CheckpointError, TrainerError) as error:
        print(f"{name[-43:]:<44}refused: {error.cause}: {error}", flush=True)
        return
    own = {key.removesuffix(PAIR[0]) for key in found if key.endswith(PAIR[0])} - {"heldout", "control"}
    growth = max(found[part + PAIR[1]] / found[part + PAIR[0]] - 1 for part in own)
    losses = "".join(f"{found[key]:>8.3f}" for key in ("heldout_loss_start", "heldout_loss_trained"))
    shares = "".join(f"{value:>8.1%}" for value in (found["improvement"], found["control_improvement"], growth))
    print(f"{name[-43:]:<44}{losses}{shares}{found['speaker_difference']:>8.3f}  {_verdict(found)}", flush=True)


def _verdict(found: dict[str, float]) -> str:
    try:
        learning_proof.check(Learning(**found, nonfinite_losses=0, nonfinite_gradients=0), LearningPolicy())
        learning_proof.check_evidence(found, LearningPolicy())
        learning_proof.check_parts(found, LearningPolicy())
    except (TrainFailed, DataBlocked) as error:
        return f"refused: {error}"
    return "accepted"


if __name__ == "__main__":
    sys.exit(main())
