"""Clips and their texts from folders of audio files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from trainer.audio import recording
from trainer.dataset import manifest, text_table
from trainer.dataset.clip_names import clip_id
from trainer.errors import DataError
from trainer.evaluation.rating import Clip
from trainer.files import text_file
from trainer.synthesis.sentences import SENTENCES

_SUFFIXES = (".wav", ".flac")


def read_texts(path: Path, names: Collection[str] = (), note: Callable[[str], None] | None = None) -> dict[str, str]:
    """Texts by clip id, from a table or from one sentence a line, named by the number of its line from 1.

    Blank lines count and have no text, as in `say --lines`. `names` are clips that the texts may be of. Raises DataError(transcript_invalid).
    """
    text = text_file.read(path)
    if text_table.is_table(text, names):
        return {clip_id(row.name): row.text for row in text_table.read(path, text, note)}
    return {str(number): sentence for number, sentence in text_table.sentences(path, text).items()}


def numbered(sentences: Sequence[str] = SENTENCES) -> dict[str, str]:
    """Sentences by number from 1, as clips of a benchmark are named."""
    return {str(index + 1): sentence for index, sentence in enumerate(sentences)}


def read_wave(path: Path) -> tuple[np.ndarray, int]:
    """((n,) float32, sample rate), one channel; raises DataError as `recording.read`."""
    return recording.read(path)


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
            clips.append(
                Clip(name=path.stem, wave=wave, sample_rate=rate, text=text, opinion=opinion, source=path.stem)
            )
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
    """The name under which the text of a clip stands: its id, or the number that ends it."""
    number = re.search(r"(\d+)$", stem)
    return next((name for name in (clip_id(stem), str(int(number[1])) if number else "") if texts.get(name)), None)


def natural_order(name: str) -> tuple[str, int, str]:
    """Sorts voice_2 before voice_10."""
    number = re.search(r"(\d+)$", name)
    return (name[: number.start()] if number else name, int(number[1]) if number else 0, name)
