"""Copy synthesis for listening: held-out utterances through a checkpoint, beside the originals."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trainer.audio import audio_file
from trainer.audio.features import SAMPLE_RATE, log_mel
from trainer.backbones.vocoder.evaluation import load_held_out, restore
from trainer.dataset.loading import Utterance
from trainer.evaluation import pictures
from trainer.files import checkpoint
from trainer.files.atomic_file import write_atomically
from trainer.models.vocoder import Vocoder, spectral_loss
from trainer.models.vocoder.copy_synthesis import NOISE_SEED, synthesise

KINDS = ("original", "start", "trained")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far a copy is from its original: training loss, mel L1 (nat) and log-spectral distance (dB)."""

    loss: float
    mel_l1: float
    log_spectral_db: float


def resynthesize(
    checkpoint_path: Path,
    manifest_path: Path,
    output: Path,
    *,
    seed: int,
    heldout_seconds: float,
    picture: bool,
) -> list[dict[str, str]]:
    """Write `heldout_<n>_{original,start,trained}.flac`, `distances.csv` and with `picture` a PNG each; returns the table's rows.

    Raises CheckpointError, DataError, and RuntimeSetupError(missing_module) when a picture is wanted without matplotlib.
    """
    trained = restore(checkpoint.load(checkpoint_path))
    start = Vocoder.untrained(trained.config, seed=seed)
    rows = []
    for index, utterance in enumerate(load_held_out(manifest_path, max_seconds=heldout_seconds).target):
        name = f"heldout_{index + 1:02d}"
        noise_seed = NOISE_SEED + index
        waves = {
            "original": utterance.wave[None],
            "start": synthesise(start, utterance, seed=noise_seed),
            "trained": synthesise(trained, utterance, seed=noise_seed),
        }
        for kind in KINDS:
            write_atomically(
                output / f"{name}_{kind}.flac", audio_file.flac(np.clip(waves[kind][0].numpy(), -1.0, 1.0), SAMPLE_RATE)
            )
        rows += [_row(name, kind, utterance, waves[kind]) for kind in KINDS[1:]]
        if picture:
            write_atomically(
                output / f"{name}.png", pictures.mels({kind: (waves[kind][0].numpy(), SAMPLE_RATE) for kind in KINDS})
            )
    write_atomically(output / "distances.csv", _table(rows))
    return rows


@torch.no_grad()
def distance(copy: torch.Tensor, original: torch.Tensor) -> Distance:
    """Distances between two waves, each (1, samples)."""
    ours, theirs = log_mel(copy), log_mel(original)
    # Root mean square over bands of the log-mel power difference, averaged over frames.
    log_spectral = (20.0 / np.log(10.0)) * (ours - theirs).square().mean(dim=1).sqrt().mean()
    return Distance(
        loss=float(spectral_loss(copy, original)),
        mel_l1=float((ours - theirs).abs().mean()),
        log_spectral_db=float(log_spectral),
    )


def _row(name: str, kind: str, utterance: Utterance, wave: torch.Tensor) -> dict[str, str]:
    found = distance(wave, utterance.wave[None])
    return {
        "utterance": name,
        "kind": kind,
        "seconds": f"{utterance.seconds:.2f}",
        "loss": f"{found.loss:.4f}",
        "mel_l1": f"{found.mel_l1:.4f}",
        "log_spectral_db": f"{found.log_spectral_db:.2f}",
    }


def _table(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
