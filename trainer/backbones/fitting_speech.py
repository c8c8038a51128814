"""The utterances of a manifest whose sound bears out what is said: what a backbone that reads learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from trainer import text
from trainer.backbones import NATURAL_PREFIX
from trainer.dataset import loading
from trainer.dataset.loading import Utterance
from trainer.dataset.manifest import HELD_OUT, TRAIN, Entry, Manifest
from trainer.errors import DataError, RuntimeSetupError
from trainer.models import aligner as alignment
from trainer.models.aligner import Aligner, AlignmentError
from trainer.preparation import enough
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.text import TextError, Word
from trainer.voice import shipped_files

_ASKED = (
    "min_transcribed_s",
    "min_transcript_confidence",
    "min_fitting_share",
    "min_heldout_utterances",
    "min_heldout_s",
)
ALIGNER_SECONDS = 240.0
"""Upper bound of the speech on which the aligner is re-estimated; everything else is aligned once."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    entry: Entry
    utterance: Utterance
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """An utterance whose sound bears out its transcript."""

    id: str
    words: tuple[Word, ...]
    utterance: Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class FittingSpeech:
    """Both splits, and one line for each utterance that cannot be used."""

    training: tuple[Fitting, ...]
    held_out: tuple[Fitting, ...]
    left_out: tuple[str, ...]


def fitting(
    manifest_path: Path,
    document: Manifest,
    *,
    train_seconds: float,
    heldout_seconds: float,
    on_progress: Progress | None = None,
) -> FittingSpeech:
    """Both splits as far as the sound bears out what is said.

    Raises DataError: manifest_invalid, transcript_missing where nothing is known of what is said, too_little_speech where too little
    of it can be used; RuntimeSetupError(settings_invalid) for bounds below what the preparation was told to ask for.
    """
    asked = _asked(document)
    for name, given, threshold, least in (
        ("train_seconds", train_seconds, "audio.min_transcribed_s", asked.min_transcribed_s),
        ("heldout_seconds", heldout_seconds, "learning.min_heldout_s", asked.min_heldout_s),
    ):
        if given < least:
            raise RuntimeSetupError(
                f"{name} is {given:g} s, but {threshold} asks for {least:g} s of speech; set {NATURAL_PREFIX}{name.upper()} well above that",
                cause="settings_invalid",
            )
    chosen = [
        *loading.choose(document.split(TRAIN), max_seconds=train_seconds),
        *loading.choose(document.split(HELD_OUT), max_seconds=heldout_seconds),
    ]
    if not any(entry.transcript for entry in chosen):
        raise DataError(
            f"{manifest_path} has no transcripts; prepare the recording again, or write what is said beside it",
            cause="transcript_missing",
        )
    said, left_out = _read(manifest_path.parent, chosen, on_progress)
    adapted = alignment.adapt(_about(said, ALIGNER_SECONDS), shipped_files.load_aligner())
    found: dict[str, list[Fitting]] = {TRAIN: [], HELD_OUT: []}
    for one in said:
        if why := _why_not(one, adapted, asked.min_transcript_confidence):
            left_out.append(f"{one.entry.id}: {why}")
        else:
            found[one.entry.split].append(Fitting(id=one.entry.id, words=one.words, utterance=one.utterance))
    training, held_out = ([one.utterance for one in found[split]] for split in (TRAIN, HELD_OUT))
    _check_enough(said, training, held_out, left_out, asked, _not_understood(document))
    return FittingSpeech(training=tuple(found[TRAIN]), held_out=tuple(found[HELD_OUT]), left_out=tuple(left_out))


def _read(directory: Path, entries: Sequence[Entry], on_progress: Progress | None) -> tuple[list[_Said], list[str]]:
    utterances = loading.load(directory, entries, on_progress=on_progress)
    said, left_out = [], []
    for entry, utterance in zip(entries, utterances, strict=True):
        try:
            sentences = text.analyse(entry.transcript).sentences
        except TextError:
            left_out.append(f"{entry.id}: it is not known what is said")
            continue
        words = tuple(word for sentence in sentences for word in sentence.words)
        said.append(_Said(entry=entry, utterance=utterance, words=words))
    return said, left_out


def _about(said: Sequence[_Said], seconds: float) -> list[tuple[torch.Tensor, tuple[Word, ...]]]:
    """Evenly chosen utterances of about so many seconds, as the aligner wants them."""
    entries = loading.choose([one.entry for one in said], max_seconds=seconds) if said else []
    wanted = {id(entry) for entry in entries}
    return [(one.utterance.features.mel, one.words) for one in said if id(one.entry) in wanted]


def _why_not(one: _Said, aligner: Aligner, least: float) -> str:
    """Why an utterance cannot be used; empty where its sound bears out what is said."""
    try:
        found = alignment.align(one.utterance.features.mel, one.words, aligner)
    except AlignmentError as error:
        return str(error)
    if found.confidence < least:
        return f"the sound does not bear out its transcript (confidence {found.confidence:.2f})"
    return ""


def _asked(document: Manifest) -> PrepareSettings:
    """What the preparation was told to ask for; the defaults where a manifest of an earlier version does not say."""
    told = document.preparation.settings
    return replace(PrepareSettings(), **{name: float(told[name]) for name in _ASKED if name in told})


def _not_understood(document: Manifest) -> float:
    """Seconds of speech that the recogniser did not understand."""
    return sum(drop.end_s - drop.start_s for drop in document.dropped if drop.reason == enough.NOT_UNDERSTOOD)


def _check_enough(
    said: Sequence[_Said],
    training: Sequence[Utterance],
    held_out: Sequence[Utterance],
    left_out: Sequence[str],
    asked: PrepareSettings,
    not_understood_s: float,
) -> None:
    least_s = asked.min_transcribed_s
    seconds = sum(one.seconds for one in training)
    given = sum(one.utterance.seconds for one in said if one.entry.split == TRAIN)
    why = f" ({len(left_out)} utterances left out, the first {left_out[0]})" if left_out else ""
    if seconds < least_s <= given and seconds < asked.min_fitting_share * given:
        raise DataError(
            f"only {seconds:.0f} of {given:.0f} s of the speech bear out their transcripts, at least {least_s:.0f} s are needed{why}; "
            "give the transcripts of this recording",
            cause="transcript_mismatch",
        )
    if seconds < least_s <= seconds + not_understood_s:
        raise DataError(
            f"{seconds:.0f} s of speech with a fitting transcript to train on, at least {least_s:.0f} s are needed{why}; "
            f"{not_understood_s:.0f} s were not understood: {enough.UNDERSTAND}",
            cause="transcript_missing",
        )
    if seconds < least_s:
        raise DataError(
            f"{seconds:.0f} s of speech with a fitting transcript to train on, at least {least_s:.0f} s are needed{why}; "
            "record more, or correct the transcripts",
            cause="too_little_speech",
        )
    judged = sum(one.seconds for one in held_out)
    if not held_out or len(held_out) < asked.min_heldout_utterances or judged < asked.min_heldout_s:
        raise DataError(
            f"{len(held_out)} held-out utterances of {judged:.1f} s have a fitting transcript, at least {asked.min_heldout_utterances:g} of "
            f"{asked.min_heldout_s:g} s are needed to judge by{why}; record more, or correct the transcripts",
            cause="too_little_speech",
        )
