"""Clips and their texts from folders of audio files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from trainer import manifest, plain_file
from trainer.errors import DataError
from trainer.scores.rating import Clip
from trainer.scores.sentences import SENTENCES

_SUFFIXES = (".wav", ".flac")
_MAX_TEXT_BYTES = 16 * 2**20


def read_texts(path: Path) -> dict[str, str]:
    """Texts by name: lines `name|text`, or one sentence a line, named by its number from 1. Raises DataError(transcript_invalid)."""
    try:
        text = plain_file.read(path, limit=_MAX_TEXT_BYTES).decode()
        lines = [line.strip() for line in text.splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        why = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error
        raise DataError(f"{path} cannot be read ({why}); give a text file in UTF-8", cause="transcript_invalid") from error
    if not lines:
        raise DataError(f"{path} has no text; write one sentence a line", cause="transcript_invalid")
    if not all("|" in line for line in lines):
        return numbered(lines)
    named = [line.split("|", 1) for line in lines]
    twice = repeated([name for name, _ in named])
    if twice:
        raise DataError(f"{path} has two texts for {twice[0]!r}; keep one", cause="transcript_invalid")
    return dict(named)


def numbered(sentences: Sequence[str] = SENTENCES) -> dict[str, str]:
    """Sentences by number from 1, as clips of a benchmark are named."""
    return {str(index + 1): sentence for index, sentence in enumerate(sentences)}


def read_wave(path: Path) -> tuple[np.ndarray, int]:
    """((n,) float32, sample rate); several channels are averaged. Raises DataError(audio_undecodable)."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"{path} does not decode ({error}); give WAV or FLAC files", cause="audio_undecodable") from error
    return samples.mean(axis=1, dtype=np.float32), rate


def read_folder(folder: Path, texts: dict[str, str] | None = None, *, opinion: bool = True) -> list[Clip]:
    """All clips of a folder by name.

    A clip's text is that of its stem, or of the number that ends its stem (`voice_07.wav` says the seventh sentence). With `texts`, clips
    without one are left out; without, none has a text. Raises DataError(audio_missing) where nothing is left.
    """
    clips = []
    for path in sorted(folder.glob("*"), key=lambda path: natural_order(path.stem)):
        if path.suffix.lower() not in _SUFFIXES:
            continue
        text = texts.get(name_of_text(path.stem, texts) or "", "") if texts is not None else ""
        if texts is None or text:
            wave, rate = read_wave(path)
            clips.append(Clip(name=path.stem, wave=wave, sample_rate=rate, text=text, opinion=opinion, source=path.stem))
    if not clips:
        raise DataError(
            f"{folder} has no WAV or FLAC file with a known text; name files by sentence number" if texts is not None
            else f"{folder} has no WAV or FLAC file; give a folder with clips", cause="audio_missing"
        )  # fmt: skip
    return clips


def read_held_out(path: Path) -> list[Clip]:
    """The held-out clips of a manifest, with their transcripts; raises DataError(manifest_invalid) as `manifest.load`."""
    document = manifest.load(path)
    manifest.verify_clips(document, path.parent)
    clips = []
    for entry in document.split(manifest.HELD_OUT):
        wave, rate = read_wave(path.parent / entry.path)
        clips.append(Clip(name=entry.id, wave=wave, sample_rate=rate, text=entry.transcript, source=entry.id))
    return clips


def repeated(names: Sequence[str]) -> list[str]:
    """Names that stand more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def name_of_text(stem: str, texts: Mapping[str, str]) -> str | None:
    """The name under which the text of a clip stands: its stem, or the number that ends it."""
    number = re.search(r"(\d+)$", stem)
    return next((name for name in (stem, str(int(number[1])) if number else "") if texts.get(name)), None)


def natural_order(name: str) -> tuple[str, int, str]:
    """Sorts voice_2 before voice_10."""
    number = re.search(r"(\d+)$", name)
    return (name[: number.start()] if number else name, int(number[1]) if number else 0, name)
