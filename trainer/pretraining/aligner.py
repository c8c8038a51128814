"""The aligner that is shipped: Gaussians from flite's own phone times, moved to human speech."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from trainer.audio import features
from trainer.errors import RuntimeSetupError
from trainer.models.aligner import Aligner, save_aligner
from trainer.models.aligner.estimate import Labelled, adapt_pooled, estimate
from trainer.models.aligner.observations import normalisation, observe
from trainer.preparation.transcription.recognise import recognise
from trainer.pretraining import people, render
from trainer.pretraining.speakers import speakers
from trainer.pretraining.texts import sentences
from trainer.teachers import flite
from trainer.text.phone_set import PAUSES, SILENCE
from trainer.voice import shipped_files

UTTERANCES = 800
"""Of flite, to learn from; more changed nothing."""
MIXTURES = 2
"""Boundary error on a voice left out (40 sentences, adapted): 1, 2 and 4 Gaussians a state gave 7.1, 6.7 and 6.9 ms; two keep
right and wrong transcripts of a human reader farthest apart."""
_POOL_ROUNDS = 3
_TOLD_EVERY = 100

Log = Callable[[str], None]


def ship(waves: Path | None, folder: Path = shipped_files.FOLDER, *, processes: int, log: Log) -> dict[str, str]:
    """Learn the aligner, write it and the hash list into the package; returns the hashes. Raises as `learn`."""
    save_aligner(folder / shipped_files.ALIGNER, learn(waves, processes=processes, log=log))
    return shipped_files.write_hashes(folder)


def learn(waves: Path | None, *, utterances: int = UTTERANCES, seed: int = 0, processes: int, log: Log) -> Aligner:
    """From flite and, where there is a folder of one clip a person, from what is recognised in them.

    Raises RuntimeSetupError(missing_program | missing_module), DataError for a clip that cannot be read.
    """
    if not flite.available():
        raise RuntimeSetupError("flite is not installed; install it: apt-get install flite", cause="missing_program")
    aligner = estimate(labelled(_timed(utterances, seed, log)), mixtures=MIXTURES)
    clips = people.read(waves) if waves else []
    heard = recognise(clips, processes=processes, on_progress=lambda done, total: _tell(done, total, "clips", log))
    words = [people.recognised_words(one.text) for one in heard]
    understood = [(features.mel_of(wave), said) for wave, said in zip(clips, words, strict=True) if said]
    return adapt_pooled(understood, aligner, rounds=_POOL_ROUNDS) if understood else aligner


def labelled(utterances: Iterator[tuple[str, torch.Tensor, render.Timed]]) -> list[Labelled]:
    """Speakers, mels (MELS, frames) and times to observations, normalised per speaker, and labels."""
    by_speaker: dict[str, list[Labelled]] = defaultdict(list)
    for speaker, mel, times in utterances:
        labels = [(SILENCE if name in PAUSES else name, count) for name, count in times if count]
        by_speaker[speaker].append((observe(mel), labels))
    found: list[Labelled] = []
    for group in by_speaker.values():
        statistics = normalisation([observed for observed, _ in group])
        found.extend((statistics.apply(observed), labels) for observed, labels in group)
    return found


def _timed(wanted: int, seed: int, log: Log) -> Iterator[tuple[str, torch.Tensor, render.Timed]]:
    """So many utterances of flite, whose times it tells itself."""
    cast, rng, made = speakers(seed), np.random.default_rng([seed, 1]), 0
    shares = [speaker.weight for speaker in cast]
    for sentence in sentences([seed]):
        speaker = cast[int(rng.choice(len(cast), p=shares))]
        wave, symbols = render.flite_utterance(sentence, speaker, rng)
        if symbols is None or not render.MIN_S <= len(wave) / features.SAMPLE_RATE <= render.MAX_S:
            continue
        mel = features.mel_of(wave)
        times = render.timed(symbols, mel.shape[1])
        if times is None:
            continue
        yield speaker.name, mel, times
        made += 1
        _tell(made, wanted, "sentences of flite", log)
        if made == wanted:
            return


def _tell(done: int, total: int, what: str, log: Log) -> None:
    if done % _TOLD_EVERY == 0 or done == total:
        log(f"{done} of {total} {what}")
