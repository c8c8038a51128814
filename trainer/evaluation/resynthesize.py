"""Copy synthesis for listening: held-out utterances through a checkpoint, beside the originals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from trainer.audio import audio_file
from trainer.audio.features import SAMPLE_RATE, log_mel
from trainer.backbones.vocoder.evaluation import load_held_out, restore
from trainer.evaluation import pictures
from trainer.files import checkpoint
from trainer.files.atomic_file import write_atomically
from trainer.models.vocoder import Vocoder, spectral_loss
from trainer.models.vocoder.copy_synthesis import NOISE_SEED, synthesise


def resynthesize(
    checkpoint_path: Path, manifest_path: Path, output: Path, *, seed: int, heldout_seconds: float, picture: bool
) -> list[dict[str, str]]:
    """Write `heldout_<n>_{original,start,trained}.flac`, `distances.csv` and with `picture` a PNG each; returns the table's rows.

    Raises CheckpointError, DataError, and RuntimeSetupError(missing_module) when a picture is wanted without matplotlib.
    """
    trained = restore(checkpoint.load(checkpoint_path))
    models = {"start": Vocoder.untrained(trained.config, seed=seed), "trained": trained}
    rows = []
    for index, utterance in enumerate(load_held_out(manifest_path, max_seconds=heldout_seconds).target):
        name, original = f"heldout_{index + 1:02d}", utterance.wave[None]
        copies = {kind: synthesise(model, utterance, seed=NOISE_SEED + index) for kind, model in models.items()}
        waves = {kind: (wave[0].numpy(), SAMPLE_RATE) for kind, wave in {"original": original, **copies}.items()}
        for kind, (wave, rate) in waves.items():
            write_atomically(output / f"{name}_{kind}.flac", audio_file.flac(np.clip(wave, -1.0, 1.0), rate))
        if picture:
            write_atomically(output / f"{name}.png", pictures.mels(waves))
        rows += [
            {"utterance": name, "kind": kind, "seconds": f"{utterance.seconds:.2f}", **distances(copy, original)}
            for kind, copy in copies.items()
        ]
    lines = [list(rows[0]), *(row.values() for row in rows)]
    write_atomically(output / "distances.csv", "".join(f"{','.join(line)}\n" for line in lines).encode())
    return rows


@torch.no_grad()
def distances(copy: torch.Tensor, original: torch.Tensor) -> dict[str, str]:
    """How far a copy lies from its original, each (1, samples): training loss, mel L1 (nat), log-spectral distance (dB)."""
    ours, theirs = log_mel(copy), log_mel(original)
    # Root mean square over bands of the log-mel power difference, averaged over frames.
    log_spectral = (20.0 / np.log(10.0)) * (ours - theirs).square().mean(dim=1).sqrt().mean()
    return {
        "loss": f"{float(spectral_loss(copy, original)):.4f}",
        "mel_l1": f"{float((ours - theirs).abs().mean()):.4f}",
        "log_spectral_db": f"{float(log_spectral):.2f}",
    }
