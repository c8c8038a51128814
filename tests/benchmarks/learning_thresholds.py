"""Calibration of the learning thresholds: what real speech, noise and mismatched features give, over seeds.

    python -m tests.benchmarks.learning_thresholds [RECORDING ...] [--steps 300] [--seeds 3] [--threads 2]

Default: the rendered demonstration recording. `improvement` and `control` are those of the learning proof; `last` is the change of the
last weights instead of the best ones (the best of a run that only gets worse is its start, which gives 0 by construction).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from trainer.audio.features import Features
from trainer.backbones.vocoder import evaluation
from trainer.backbones.vocoder.settings import TrainSettings
from trainer.backbones.vocoder.training import Trainer
from trainer.dataset import loading
from trainer.dataset.loading import Utterance
from trainer.preparation import prepare
from trainer.teachers import demo_recording
from trainer.training import determinism, learning_block


def main() -> int:
    """Print one line per training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, nargs="*")
    parser.add_argument("--steps", type=int, default=TrainSettings().steps)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=sorted(CONDITIONS), action="append")
    options = parser.parse_args()
    determinism.fix(options.threads)
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        for recording in options.recordings or [_demo(scratch)]:
            path = scratch / recording.stem / "manifest.json"
            manifest = prepare.prepare(recording.resolve(), path, workspace=recording.resolve().parent)
            speech = loading.load(path.parent, manifest.split("train"))
            held_out = evaluation.load_held_out(path, max_seconds=TrainSettings().heldout_seconds)
            for condition in options.only or CONDITIONS:
                seeds = options.seeds if condition == "speech" else 1
                for seed in range(seeds):
                    _measure(recording.stem, condition, CONDITIONS[condition](speech), held_out, options.steps, seed)
    return 0


def _measure(
    name: str,
    condition: str,
    utterances: list[Utterance],
    held_out: evaluation.HeldOut,
    steps: int,
    seed: int,
) -> None:
    settings = TrainSettings(steps=steps, evaluate_every=min(100, steps))
    trainer = Trainer(settings=settings, seed=seed, utterances=utterances, held_out=held_out)
    began = time.monotonic()
    learning = trainer.run()
    last = learning_block.improvement(learning["heldout_loss_start"], learning["history"][-1][2])
    print(
        f"{name:<16} {condition:<9} steps {steps} seed {seed}: start {learning['heldout_loss_start']:.4f} "
        f"trained {learning['heldout_loss_trained']:.4f} improvement {learning['improvement']:+.4f} last {last:+.4f} "
        f"control {learning['control_improvement']:+.4f} "
        f"gap {learning['improvement'] - learning['control_improvement']:.4f} ({time.monotonic() - began:.0f} s)",
        flush=True,
    )


def _speech(utterances: list[Utterance]) -> list[Utterance]:
    return utterances


def _noise(utterances: list[Utterance]) -> list[Utterance]:
    return [loading.from_wave(noise_like(utterance.wave).numpy()) for utterance in utterances]


def noise_like(wave: torch.Tensor) -> torch.Tensor:
    """White noise as long and as loud as a wave; the same for the same length."""
    return torch.randn(len(wave), generator=torch.Generator().manual_seed(len(wave))) * wave.std()


def _shuffled(utterances: list[Utterance]) -> list[Utterance]:
    generator = torch.Generator().manual_seed(5)
    shuffled = []
    for utterance in utterances:
        features = utterance.features
        order = torch.randperm(features.mel.shape[1], generator=generator)
        mixed = Features(mel=features.mel[:, order], f0=features.f0, voicing=features.voicing)
        shuffled.append(Utterance(wave=utterance.wave, features=mixed))
    return shuffled


CONDITIONS: dict[str, Callable[[list[Utterance]], list[Utterance]]] = {
    "speech": _speech,
    "noise": _noise,
    "shuffled": _shuffled,
}


def _demo(scratch: Path) -> Path:
    path = scratch / "demo_recording.flac"
    demo_recording.render(path, path.with_suffix(".txt"))
    return path


if __name__ == "__main__":
    sys.exit(main())
