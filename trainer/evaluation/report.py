"""The benchmark of one voice, from files to files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trainer.audio import audio_file
from trainer.evaluation import benchmark, clip_files, pictures, rivals, tables
from trainer.evaluation.benchmark import Copy, Group
from trainer.evaluation.rating import Clip, ClipScore, Row
from trainer.evaluation.rivals import Speak
from trainer.files.atomic_file import write_atomically
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.synthesis.sentences import LISTENING, SENTENCES

PICTURES = 3
"""So many held-out clips are drawn beside what the voices make of their texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to compare. `reference` are held-out clips of the wanted speaker, with texts where they are known."""

    reference: Sequence[Clip]
    speakers: Mapping[str, Speak] = field(default_factory=dict)
    """Voices that are to speak the sentences, by name."""
    copies: Mapping[str, Copy] = field(default_factory=dict)
    """Vocoders that are to copy the reference, by name."""
    rendered: Mapping[str, Path] = field(default_factory=dict)
    """Folders of sentences that were spoken already, by name."""
    others: Path | None = None
    """Folder with clips of other speakers."""
    with_rivals: bool = True
    sentences: Sequence[str] = SENTENCES
    facts: Mapping[str, object] = field(default_factory=dict)
    """Written into the JSON as they are, such as the hash of a checkpoint."""


def groups(plan: Plan) -> list[Group]:
    """Everything to be judged, in the order of the table; voices speak here."""
    voices = [benchmark.spoken(name, speak, plan.sentences) for name, speak in plan.speakers.items()]
    texts = clip_files.numbered(plan.sentences)
    voices += [Group(name=name, clips=clip_files.read_folder(folder, texts)) for name, folder in plan.rendered.items()]
    programs = (
        [benchmark.spoken(name, speak, plan.sentences) for name, speak in rivals.installed().items()]
        if plan.with_rivals
        else []
    )
    piece_s = (voices or programs)[0].mean_s if voices or programs else benchmark.DEFAULT_PIECE_S
    real = [
        Group(name="real, held out", clips=plan.reference),
        benchmark.in_pieces(f"real, held out, {piece_s:.1f} s pieces", plan.reference, piece_s),
    ]
    others = [benchmark.impostors(plan.others, piece_s)] if plan.others else []
    copies = [benchmark.copied(name, copy, plan.reference) for name, copy in plan.copies.items()]
    return [*real, *copies, *voices, *programs, *others]


def write(
    plan: Plan, output: Path, *, processes: int = 1, on_total: Callable[[int], Callable[[], None]] | None = None
) -> list[Row]:
    """Judge everything and write `scores.md`, `scores.json`, `scores.png`, `mels_<n>.png` and `clips/`; returns the rows.

    `on_total` gets the number of clips and returns what is called after each. Raises TrainerError as the parts do.
    """
    encoder = SpeakerEncoder()
    references = {clip.name: encoder.embed(clip.wave, clip.sample_rate) for clip in plan.reference}
    judged = groups(plan)
    on_progress = on_total(sum(len(group.clips) for group in judged)) if on_total else None
    measured = benchmark.measure(judged, references, processes=processes, on_progress=on_progress)
    rows = [row for row, _ in measured]
    _write_sound(plan, judged, output)
    _write_pictures(plan, output)
    write_atomically(output / "scores.png", pictures.scores(rows))
    write_atomically(output / "scores.md", tables.markdown(rows).encode())
    write_atomically(output / "scores.json", tables.document(rows, _facts(plan, measured)))
    return rows


def _write_sound(plan: Plan, judged: Sequence[Group], output: Path) -> None:
    """The voices' and copies' clips, and the sentences for ears."""
    for group in judged:
        if group.name in plan.speakers or group.name in plan.copies:
            for clip in group.clips:
                write_atomically(
                    output / "clips" / _slug(group.name) / f"{_slug(clip.name)}.flac",
                    _flac(clip.wave, clip.sample_rate),
                )
    for name, speak in plan.speakers.items():
        for index, text in enumerate(LISTENING, start=1):
            write_atomically(output / "clips" / _slug(name) / f"listening_{index}.flac", _flac(*speak(text)))


def _write_pictures(plan: Plan, output: Path) -> None:
    """Real speech above what each copy and each voice makes of it."""
    for index, clip in enumerate([clip for clip in plan.reference if clip.text][:PICTURES], start=1):
        waves = {f"real: {clip.name}": (clip.wave, clip.sample_rate)}
        waves |= {name: copy(clip.wave, clip.sample_rate) for name, copy in plan.copies.items()}
        waves |= {name: speak(clip.text) for name, speak in plan.speakers.items()}
        if len(waves) > 1:
            write_atomically(output / f"mels_{index}.png", pictures.mels(waves))


def _facts(plan: Plan, measured: Sequence[tuple[Row, list[ClipScore]]]) -> dict[str, object]:
    return {
        **plan.facts,
        "reference": benchmark.fingerprint(plan.reference),
        "sentences_sha256": hashlib.sha256("\n".join(plan.sentences).encode()).hexdigest(),
        "heard": {row.name: {one.clip: " ".join(one.heard) for one in scores if one.text} for row, scores in measured},
    }


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)


def _flac(wave: np.ndarray, rate: int) -> bytes:
    return audio_file.flac(np.clip(wave, -1.0, 1.0), rate)
