"""From a recording to a dataset: detect speech, cut, judge, level, resample, split, write.

The recording is streamed twice, once to find the cuts and once to take them; memory does not grow with its length except for two numbers
per 32 ms. Clips are written before the manifest, so a manifest never names a clip that is not there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.audio import recording
from trainer.dataset import clip_folder
from trainer.dataset.manifest import (
    FILE_NAME,
    HELD_OUT,
    TRAIN,
    Dropped,
    Entry,
    Manifest,
    Preparation,
    Source,
    WholeTranscript,
    dumps,
)
from trainer.errors import DataError
from trainer.files import strict_json
from trainer.files.atomic_file import remove_leftovers, write_atomically
from trainer.preparation import enough, taking, transcripts
from trainer.preparation.cutting import cut, trimmed
from trainer.preparation.detection import detect
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.preparation.recognisers.choice import RecogniserChoice
from trainer.preparation.recording_kinds import Kinds

if TYPE_CHECKING:
    from trainer.preparation.transcription.transcriber import Transcriber

__all__ = ["PrepareSettings", "Progress", "prepare", "split_by_time"]

VERSION = 2
"""Part of the preparation key: raise it whenever the same settings would give other clips."""

Progress = Callable[[str, float, float], None]
"""Receives what is being done, how far it is and how far it goes: seconds for `detect` and `cut` (0 in all where not known), utterances
for `match` and `recognise`."""


def prepare(
    audio: Path,
    manifest_path: Path,
    settings: PrepareSettings | None = None,
    *,
    workspace: Path,
    transcribe: bool = False,
    recogniser: RecogniserChoice | None = None,
    processes: int = 1,
    on_progress: Progress | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Manifest:
    """Cut `audio` (a recording, a folder of clips, or its metadata.csv) into utterances; write clips and manifest; return the manifest.

    With `transcribe` every utterance gets what is said in it: from the table, matched from the text beside the recording, or recognised,
    by `recogniser` on so many processes; what a person corrected beside the recording goes first.
    `on_note` hears warnings: another speaker, half a text.
    Nothing in it is random.
    Raises DataError for an unusable recording or transcript, TrainingError when the output cannot be written.
    """
    settings = settings or PrepareSettings()
    report = on_progress or (lambda what, done, total: None)
    note = on_note or (lambda line: None)
    source = _clip_source(audio) if clip_folder.is_clip_folder(audio) else _recording_source(audio, settings)
    parts, copies = _unlike(source.parts)
    source = replace(source, parts=parts)
    for each in (*source.notes, *copies):
        note(each)
    key = _key(source, settings)
    collected = _Collected(settings=settings, directory=manifest_path.parent, folder=f"utterances-{key[:12]}")
    remove_leftovers(manifest_path)
    remove_leftovers(manifest_path.parent / collected.folder / "*")
    for part in source.parts:
        collected.take(part, report)
    for line in (*collected.mixes(), *collected.kinds.warnings(settings)):
        note(line)
    named = None
    if transcribe:
        said = _transcriber(collected, audio, recogniser or RecogniserChoice(), processes, report, note)
        _transcribe(collected, source, audio, said, note)
        named = said.asked()
    manifest = Manifest(
        preparation=Preparation(key=key, settings=settings.deciding(), recogniser=named),
        source=_described(source, collected, path=_relative(audio, workspace)),
        transcript=source.transcript
        and replace(source.transcript, path=_relative(Path(source.transcript.path), workspace)),
        entries=tuple(split_by_time(collected.enough(audio), settings)),
        dropped=tuple(collected.dropped),
    )
    write_atomically(manifest_path, dumps(manifest))
    return manifest


def split_by_time(entries: Sequence[Entry], settings: PrepareSettings) -> list[Entry]:
    """Mark the end of the recording as held out, the rest as train.

    Held out are the last utterances that reach `held_out_fraction` of the speech, at least `held_out_min_utterances`, at most
    `held_out_max_s` seconds, and never more than a third of all utterances. A block at the end shares no breath, sentence or retake with
    what is trained on.
    """
    ceiling = max(1, len(entries) // 3)
    wanted_s = min(settings.held_out_fraction * sum(entry.duration_s for entry in entries), settings.held_out_max_s)
    count, collected_s = 0, 0.0
    while count < ceiling and (count < settings.held_out_min_utterances or collected_s < wanted_s):
        count += 1
        collected_s += entries[-count].duration_s
    first = len(entries) - count
    return [replace(entry, split=HELD_OUT if index >= first else TRAIN) for index, entry in enumerate(entries)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One audio file: a whole recording, or a clip with its transcript (`text` is None for a recording that is to be cut)."""

    audio: recording.Recording
    id: str | None = None
    text: str = ""
    text_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _SourceFiles:
    """What the dataset is made from. `transcript.path` is still as found."""

    parts: tuple[_Part, ...]
    notes: tuple[str, ...] = ()
    """What a person should know."""
    bytes: int
    sha256: str
    transcript: WholeTranscript | None
    text: str = ""
    """Of the whole recording."""


def _recording_source(audio: Path, settings: PrepareSettings) -> _SourceFiles:
    found = recording.inspect(audio, settings)
    text = transcripts.sidecar(audio)
    # The text of a whole recording cannot be told apart into utterances before it is aligned.
    part = _Part(audio=found, text_source="sidecar_unaligned" if text else "none")
    transcript = WholeTranscript(path=str(text.path), sha256=text.sha256, characters=len(text.text)) if text else None
    return _SourceFiles(
        parts=(part,),
        notes=(*(text.notes if text else ()), *transcripts.unread(audio)),
        bytes=found.bytes,
        sha256=found.sha256,
        transcript=transcript,
        text=text.text if text else "",
    )


def _clip_source(audio: Path) -> _SourceFiles:
    if (audio / FILE_NAME).exists() and not clip_folder.table_of(audio):
        raise DataError(f"{audio}: holds what a preparation wrote ({FILE_NAME}); name the recording or the clips that it was made from",
                        cause="audio_missing")  # fmt: skip
    folder = clip_folder.read(audio)
    parts = tuple(
        _Part(
            audio=recording.inspect(folder.root / clip.path),
            id=clip.id,
            text=clip.transcript,
            text_source=clip.transcript_source,
        )
        for clip in folder.clips
    )
    transcript = None
    if folder.table is not None:
        characters = sum(len(part.text) for part in parts)
        transcript = WholeTranscript(path=str(folder.table), sha256=folder.table_sha256, characters=characters)
    lines = [f"{part.id} {part.audio.sha256} {hashlib.sha256(part.text.encode()).hexdigest()}\n" for part in parts]
    return _SourceFiles(
        parts=parts,
        bytes=sum(part.audio.bytes for part in parts),
        sha256=hashlib.sha256("".join(lines).encode()).hexdigest(),
        transcript=transcript,
        notes=folder.notes,
    )


def _unlike(parts: Sequence[_Part]) -> tuple[tuple[_Part, ...], list[str]]:
    """The parts without copies of earlier ones, and a sentence for each copy: a copy could be learnt from and held out at once."""
    first: dict[str, _Part] = {}
    for part in parts:
        first.setdefault(part.audio.sha256, part)
    notes = [
        f"{part.id} is the same audio as {first[part.audio.sha256].id} and is left out"
        for part in parts
        if first[part.audio.sha256] is not part
    ]
    return tuple(first.values()), notes


@dataclass(slots=True, kw_only=True)
class _Collected:
    """What the parts have given so far; the parts lie end to end on one time line."""

    settings: PrepareSettings
    directory: Path
    folder: str
    entries: list[Entry] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    sample_rates: list[int] = field(default_factory=list)
    channels: list[int] = field(default_factory=list)
    unusual: dict[str, list[str]] = field(default_factory=dict)
    """Names of files by what is unusual about the mix of their channels."""
    kinds: Kinds = field(default_factory=Kinds)
    offset_s: float = 0.0
    loudest_db: float = -120.0
    """Level of the loudest window, dBFS."""

    def take(self, part: _Part, report: Progress) -> None:
        """Detect, cut and write one part."""
        audio = recording.surveyed(part.audio, self.settings)
        if audio.mix.why:
            self.unusual.setdefault(audio.mix.why, []).append(audio.path.name)
        track, _ = detect(audio, self.settings, self._progress(report, "detect", audio.announced_s))
        self.loudest_db = max(self.loudest_db, float(track.levels_db.max(initial=-120.0)))
        cuts = cut(track, self.settings) if part.id is None else trimmed(track, self.settings)
        progress = self._progress(report, "cut", track.duration_s)
        for each in taking.take(audio, track, cuts, self.settings, progress, self.kinds):
            if isinstance(each, Dropped):
                self.dropped.append(replace(each, start_s=self._at(each.start_s), end_s=self._at(each.end_s)))
            else:
                self.entries.append(self._written(each, part))
        if recording.sha256_file(audio.path) != audio.sha256:
            raise DataError(
                f"{audio.path}: changed while it was read; leave it alone and run again",
                cause="audio_changed_during_run",
            )
        self.sample_rates.append(audio.sample_rate)
        self.channels.append(audio.channels)
        self.offset_s += track.duration_s

    def mixes(self) -> list[str]:
        """What is unusual about the mix of channels, each with the files that it is true of."""
        return [
            f"{why} ({names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''})"
            for why, names in self.unusual.items()
        ]

    def enough(self, audio: Path) -> list[Entry]:
        """The entries; raises as `enough.require`."""
        enough.require(audio, self.entries, self.dropped, self.settings, seconds=self.offset_s, loudest_db=self.loudest_db,
                       kinds=self.kinds.warnings(self.settings))  # fmt: skip
        return self.entries

    def _progress(self, report: Progress, what: str, seconds: float) -> Callable[[float], None]:
        start = self.offset_s
        return lambda done: report(what, start + done, start + seconds if seconds else 0.0)

    def _at(self, second: float) -> float:
        return round(self.offset_s + second, 6)

    def _written(self, utterance: taking.Utterance, part: _Part) -> Entry:
        name = f"utt_{len(self.entries) + 1:05d}"
        path = f"{self.folder}/{name}.flac"
        written = taking.write(utterance, self.directory / path, self.settings)
        return Entry(
            id=part.id or name,
            path=path,
            sha256=written.sha256,
            start_s=self._at(utterance.start_s),
            end_s=self._at(utterance.end_s),
            duration_s=round(written.duration_s, 6),
            sample_rate=self.settings.sample_rate,
            transcript=part.text,
            transcript_sha256=hashlib.sha256(part.text.encode()).hexdigest(),
            transcript_source=part.text_source,
            transcript_confidence=1.0 if part.text else 0.0,
            split=TRAIN,
            quality=utterance.quality,
        )


def _transcriber(
    collected: _Collected,
    audio: Path,
    recogniser: RecogniserChoice,
    processes: int,
    report: Progress,
    note: Callable[[str], None],
) -> Transcriber:
    # It brings a recogniser, which most callers of this module do without.
    from trainer.preparation.transcription.transcriber import Transcriber

    return Transcriber(
        audio=audio,
        directory=collected.directory,
        settings=collected.settings,
        processes=processes,
        report=report,
        note=note,
        recogniser=recogniser,
    )


def _transcribe(
    collected: _Collected, source: _SourceFiles, audio: Path, said: Transcriber, note: Callable[[str], None]
) -> None:
    """Give every entry what is said in it, warn of other speakers, and drop what is unclear or more than is learnt from."""
    # They bring a speaker encoder.
    from trainer.dataset import loading
    from trainer.preparation import one_speaker

    settings, directory = collected.settings, collected.directory
    # Recognising what is too little anyway would only take time.
    needed, spare = said.needed(split_by_time(collected.enough(audio), settings))
    # A table may describe days of speech: who speaks is asked of as much as is learnt from, and again as much.
    heard = loading.choose(needed, max_seconds=2 * settings.max_transcribed_s) if needed else []
    for warning in one_speaker.check(directory, heard, settings):
        note(warning)
    collected.entries, unclear = said.transcribe(needed, source.text)
    for warning in enough.not_understood(collected.entries, unclear, settings):
        note(warning)
    if not collected.entries and {drop.reason for drop in unclear} == {"no_words"}:
        raise DataError(
            f"{audio}: none of the {len(unclear)} transcripts has a word that can be spoken; write what is said in Latin letters",
            cause="transcript_invalid",
        )
    collected.dropped = sorted([*collected.dropped, *spare, *unclear], key=lambda drop: drop.start_s)


def _described(source: _SourceFiles, collected: _Collected, *, path: str) -> Source:
    return Source(
        path=path,
        bytes=source.bytes,
        sha256=source.sha256,
        duration_s=round(collected.offset_s, 6),
        sample_rate=min(collected.sample_rates),
        channels=max(collected.channels),
        mix="; ".join(collected.mixes()) or None,
    )


def _key(source: _SourceFiles, settings: PrepareSettings) -> str:
    """Digest of everything the clips depend on, so that other audio or settings never overwrite them."""
    parts = {
        "version": VERSION,
        "audio_sha256": source.sha256,
        "settings": settings.deciding(),
        "transcript_sha256": source.transcript.sha256 if source.transcript else None,
    }
    return strict_json.digest(parts)


def _relative(path: Path, workspace: Path) -> str:
    """`path` as seen from the workspace; only its name where it lies outside, so that no manifest depends on the machine."""
    absolute, root = (Path(os.path.normpath(each.absolute())) for each in (path, workspace))
    shown = absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else absolute.name
    return os.fsencode(shown).decode("utf-8", "replace")  # a name that is not UTF-8 cannot stand in JSON
