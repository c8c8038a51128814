"""`samples.json`: what the clips are that a training spoke on its way, for whoever plays them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.files import strict_json
from trainer.files.atomic_file import write_atomically

FOLDER, INDEX = "samples", "samples.json"
"""The folder stands beside the train status."""
SCHEMA = "samples/1"
MAX_BYTES = 64 * 2**10
_MOST_CLIPS, _MOST_SENTENCES, _LONGEST = 300, 20, 1000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.(?:flac|wav)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One clip: the file in the folder, after how many steps it was spoken, and the number (from 1) of its sentence."""

    file: str
    step: int
    sentence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleIndex:
    """All clips of a training of `steps_total` steps, and the texts of the sentences."""

    steps_total: int
    sentences: Sequence[str]
    clips: Sequence[Sample]


def write(folder: Path, index: SampleIndex) -> None:
    """Write the index of a folder; raises TrainingError(disk_full | output_not_writable)."""
    clips = [{"file": one.file, "step": one.step, "sentence": one.sentence} for one in index.clips]
    document = {"schema": SCHEMA, "steps_total": index.steps_total, "sentences": list(index.sentences), "clips": clips}
    write_atomically(folder / INDEX, strict_json.readable(document))


def parse(data: bytes) -> SampleIndex:
    """The index in `data`, which anybody may have written; raises ValueError for what is not exactly an index."""
    document = strict_json.loads(data)
    if not isinstance(document, dict) or document.keys() != {"schema", "steps_total", "sentences", "clips"}:
        raise ValueError("it must be an object with schema, steps_total, sentences and clips")
    sentences, clips = document["sentences"], document["clips"]
    if document["schema"] != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    if not isinstance(sentences, list) or len(sentences) > _MOST_SENTENCES or not all(map(is_sentence, sentences)):
        raise ValueError(f"sentences must be at most {_MOST_SENTENCES} texts of at most {_LONGEST} letters")
    if not isinstance(clips, list) or len(clips) > _MOST_CLIPS:
        raise ValueError(f"clips must be a list of at most {_MOST_CLIPS}")
    found = [_sample(clip, len(sentences)) for clip in clips]
    if len({one.file for one in found}) < len(found):
        raise ValueError("a file stands in it twice")
    return SampleIndex(steps_total=_count(document["steps_total"]), sentences=sentences, clips=found)


def _sample(clip: object, sentences: int) -> Sample:
    if not isinstance(clip, dict) or clip.keys() != {"file", "step", "sentence"}:
        raise ValueError("a clip must have file, step and sentence")
    name, number = clip["file"], _count(clip["sentence"])
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError("a clip's file must be the plain name of a FLAC or WAV file")
    if not 1 <= number <= sentences:
        raise ValueError("a clip's sentence must be the number of one of the sentences")
    return Sample(file=name, step=_count(clip["step"]), sentence=number)


def is_sentence(value: object) -> bool:
    """Whether it is a text that an index may have."""
    return isinstance(value, str) and len(value) <= _LONGEST


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError("steps and sentences must be whole numbers from 0")
    return value
