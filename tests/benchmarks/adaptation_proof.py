"""Calibration of the learning thresholds for adapted voices: what finished voices, spoilt ones and other people's give.

    python -m tests.benchmarks.adaptation_proof MANIFEST VOICE.pt [VOICE.pt ...] [--other OTHER.pt ...] [--steps 60] [--truncated 10]

MANIFEST is the dataset of the voices, whose backbone their format says; OTHER are voices of other speakers. A spoilt voice is the first one,
or its base, with one thing changed; --steps trains on what is not the speaker, --truncated ends a right training early. The verdict is that
of the policy in force.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from acceptance.evidence import learning
from acceptance.evidence.train_status import PAIR, Learning
from acceptance.failure import DataBlocked, TrainFailed
from acceptance.policy import LearningPolicy
from tests.benchmarks.proof_attacks import ATTACKS, Attacks
from trainer import backbones
from trainer.backbones.adapted import Adapted
from trainer.dataset import manifest
from trainer.errors import TrainerError
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.training import determinism

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
    backbone = _backbone(options.voices[0])
    attacks = ATTACKS[backbone.name]
    material = backbone.material(options.manifest, manifest.load(options.manifest), None)
    start = backbone.start(material)
    print(f"{options.manifest}: {backbone.name}, {len(start.target)} held-out utterances\n{HEAD}")
    for path in options.voices:
        _row(str(path), backbone, start, lambda path=path: backbone.read(path))
    voice = backbone.read(options.voices[0])
    for name, attack in attacks.made.items():
        _row(name, backbone, start, lambda attack=attack: attack(voice, start))
    for path in options.other:
        _row(
            f"another speaker's: {path}", backbone, start, lambda path=path: attacks.adopted(backbone.read(path), start)
        )
    for name, learnt_from, steps in _trainings(attacks, material, options.steps, options.truncated):
        _row(name, backbone, start, lambda of=learnt_from, steps=steps: attacks.train(of, start, steps))
    return 0


def _backbone(path: Path) -> Adapted:
    name = backbones.of_format(checkpoint.read_container(path).get("format"))
    built = backbones.build(replace(backbones.BackboneSettings(), name=name), {}, workspace=Path.cwd())
    if not isinstance(built, Adapted):
        raise SystemExit(f"{path}: {name} adapts no base; its limits are calibrated by learning_thresholds")
    return built


def _trainings(attacks: Attacks, material: Any, steps: int, truncated: int) -> Iterator[tuple[str, Any, int]]:
    if truncated:
        yield f"trained for {truncated} steps", material, truncated
    if steps:
        for name, spoil in attacks.spoilt.items():
            yield f"trained on {name}, {steps} steps", spoil(material), steps


def _row(name: str, backbone: Adapted, start: Any, make: Any) -> None:
    try:
        found = backbone.losses(start, make())
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
        learning.check(Learning(**found, nonfinite_losses=0, nonfinite_gradients=0), LearningPolicy())
        learning.check_evidence(found, LearningPolicy())
        learning.check_parts(found, LearningPolicy())
    except (TrainFailed, DataBlocked) as error:
        return f"refused: {error}"
    return "accepted"


if __name__ == "__main__":
    sys.exit(main())
