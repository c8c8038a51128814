"""Everything a voice is compared with, judged the same way: real speech, other speakers, other programs, and the voice itself.

Ceiling: held-out clips of the speaker, whole and in pieces as long as a synthetic sentence. Floor of similarity: other speakers. Between
them: copy synthesis (what the vocoder alone loses), the base before adaptation, and the adapted voice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trainer.errors import DataError
from trainer.evaluation import clip_files, rating, similarity
from trainer.evaluation.rating import Clip, ClipScore, Row
from trainer.evaluation.rivals import Speak
from trainer.synthesis.sentences import SENTENCES

MOST_IMPOSTORS = 40
DEFAULT_PIECE_S = 3.0

Copy = Callable[[np.ndarray, int], tuple[np.ndarray, int]]
"""Copy synthesis: ((n,) samples, rate) -> ((m,) samples, rate) of the same speech through a vocoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Clips that become one row."""

    name: str
    clips: Sequence[Clip]

    @property
    def mean_s(self) -> float:
        """Mean length of a clip in seconds."""
        return float(np.mean([len(clip.wave) / clip.sample_rate for clip in self.clips]))


def spoken(name: str, speak: Speak, sentences: Sequence[str] = SENTENCES) -> Group:
    """What a voice makes of the sentences."""
    clips = []
    for number, text in clip_files.numbered(sentences).items():
        wave, rate = speak(text)
        clips.append(Clip(name=number, wave=wave, sample_rate=rate, text=text))
    return Group(name=name, clips=clips)


def copied(name: str, copy: Copy, clips: Sequence[Clip]) -> Group:
    """Real clips through a vocoder; a copy is not compared with its own original."""
    copies = []
    for clip in clips:
        wave, rate = copy(clip.wave, clip.sample_rate)
        copies.append(replace(clip, wave=wave, sample_rate=rate, source=clip.name))
    return Group(name=name, clips=copies)


def in_pieces(name: str, clips: Sequence[Clip], seconds: float) -> Group:
    """Real clips cut into pieces of one length; cuts go through words, so words are not judged."""
    parts = [
        replace(clip, name=f"{clip.name}/{index + 1}", wave=piece, text="")
        for clip in clips
        for index, piece in enumerate(similarity.pieces(clip.wave, round(seconds * clip.sample_rate)))
    ]
    return Group(name=name, clips=parts)


def impostors(folder: Path, seconds: float, *, most: int = MOST_IMPOSTORS) -> Group:
    """One piece from the middle of each file, evenly spread over the folder's names; only their similarity is judged."""
    clips = clip_files.read_folder(folder, opinion=False)
    picked = [clips[index * len(clips) // min(most, len(clips))] for index in range(min(most, len(clips)))]
    return Group(
        name=f"other speakers, {seconds:.1f} s pieces",
        clips=[replace(clip, wave=_middle(clip, seconds)) for clip in picked],
    )


def measure(
    groups: Sequence[Group],
    references: Mapping[str, np.ndarray],
    *,
    processes: int = 1,
    on_progress: Callable[[], None] | None = None,
) -> list[tuple[Row, list[ClipScore]]]:
    """One row for every group with its clips' scores, in order; raises DataError where two groups have one name, and as `rating.score`."""
    names = [group.name for group in groups]
    if len(set(names)) != len(names):
        raise DataError(f"two voices have one name among {', '.join(names)}; rename one", cause="settings_invalid")
    scores = iter(
        rating.score_all(
            [clip for group in groups for clip in group.clips], processes=processes, on_progress=on_progress
        )
    )
    measured = []
    for group in groups:
        mine = [next(scores) for _ in group.clips]
        measured.append((rating.summarise(group.name, mine, dict(references)), mine))
    return measured


def fingerprint(clips: Sequence[Clip]) -> dict[str, str]:
    """sha256 of each clip's samples, as a report pins what it compared with."""
    return {
        clip.name: hashlib.sha256(np.ascontiguousarray(clip.wave, dtype="<f4").tobytes()).hexdigest() for clip in clips
    }


def _middle(clip: Clip, seconds: float) -> np.ndarray:
    length = min(round(seconds * clip.sample_rate), len(clip.wave))
    start = (len(clip.wave) - length) // 2
    return clip.wave[start : start + length]
