"""What is said in every utterance of a dataset: corrected by a person, given, matched from a whole text, or recognised; in this order.

Recognised words are remembered beside the manifest (`trainer.preparation.transcription.memory`): a second run recognises only what is new.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from unicodedata import category

import numpy as np
import torch

from trainer import text
from trainer.audio import features
from trainer.dataset import loading, text_table
from trainer.dataset.clip_names import composed
from trainer.dataset.manifest import TRAIN, Dropped, Entry
from trainer.files import text_file
from trainer.files.atomic_file import remove_leftovers, write_atomically
from trainer.models import aligner as alignment
from trainer.preparation import recognisers
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.preparation.recognisers import POCKETSPHINX, Heard, RecogniserChoice
from trainer.preparation.transcription import match, memory, recognise, second_opinion
from trainer.text import TextError
from trainer.voice import shipped_files

CORRECTIONS_SUFFIX = ".corrections.csv"
"""`recording.corrections.csv` beside `recording.flac`: lines `id|what is said`; an empty text drops the utterance."""
LISTING = "transcripts.csv"
"""Written beside the manifest: `id|transcript|source|confidence`, to read along, and to copy corrections from.

With the recogniser whisper each line has a fifth field: what a person should look at in it, or nothing.
"""

_SHOWN = 40


@dataclass(slots=True, kw_only=True)
class Transcriber:
    """Gives entries their transcripts; `audio` is the recording (or folder) they come from, `directory` the manifest's."""

    audio: Path
    directory: Path
    settings: PrepareSettings
    processes: int
    report: Callable[[str, float, float], None]
    note: Callable[[str], None]
    """Receives what a person should know, a line each."""
    recogniser: RecogniserChoice = field(default_factory=RecogniserChoice)
    _asked: bool = False
    _corrected: dict[str, str] | None = None
    _doubts: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Settles `auto`, and tells what is lost by that."""
        loss = self.recogniser.loss()
        if loss:
            self.note(loss)
        self.recogniser = self.recogniser.settled()

    def asked(self) -> str | None:
        """The recogniser that was asked and its identity; None for pocketsphinx, and where every text was given."""
        if not self._asked or self.recogniser.name == POCKETSPHINX:
            return None
        return f"{self.recogniser.name} {recognisers.identity(self.recogniser)}"

    def needed(self, entries: Sequence[Entry]) -> tuple[list[Entry], list[Dropped]]:
        """Without what a person dropped, and at most about `max_transcribed_s` of the training utterances of which nobody says what is said.

        They are chosen evenly, so that the time to recognise them is bounded; held-out ones all stay. Raises DataError(transcript_invalid).
        """
        corrected = self._corrections(entries)
        wanted = [entry for entry in entries if corrected.get(entry.id, entry.id)]
        open_ones = [
            entry for entry in wanted if entry.split == TRAIN and not entry.transcript and entry.id not in corrected
        ]
        chosen = (
            {entry.id for entry in loading.choose(open_ones, max_seconds=self.settings.max_transcribed_s)}
            if open_ones
            else set()
        )
        spare = {entry.id for entry in open_ones} - chosen
        if spare:
            seconds = sum(entry.duration_s for entry in open_ones)
            self.note(
                f"{len(chosen)} of {len(open_ones)} utterances, evenly chosen from {seconds:.0f} s of speech, are enough to learn from"
            )
        left_out = [
            Dropped(
                start_s=entry.start_s,
                end_s=entry.end_s,
                reason="not_needed" if entry.id in spare else "transcript_mismatch",
            )
            for entry in entries
            if entry.id in spare or not corrected.get(entry.id, entry.id)
        ]
        return [entry for entry in wanted if entry.id not in spare], left_out

    def transcribe(self, entries: Sequence[Entry], whole_text: str) -> tuple[list[Entry], list[Dropped]]:
        """Entries with transcripts, and those that are left out with the reason; raises DataError(transcript_invalid | transcript_mismatch)."""
        for name in (LISTING, memory.NAME):
            remove_leftovers(self.directory / name)
        corrected = self._corrections(entries)
        open_ones = [entry for entry in entries if not entry.transcript and entry.id not in corrected]
        found = {}
        if open_ones:
            found = self._matched(open_ones, whole_text) if whole_text else self._recognised(open_ones)
        kept, dropped = [], []
        for entry in entries:
            said, source, confidence, reason = (
                (corrected[entry.id], "corrected", 1.0, "transcript_mismatch")
                if entry.id in corrected
                else found.get(entry.id, (entry.transcript, entry.transcript_source, entry.transcript_confidence, ""))
            )
            if said and not _words(said):
                self.note(f"{entry.id}: its text {said[:_SHOWN]!r} has no word that can be spoken; it is left out")
                said, reason = "", "no_words"
            if said:
                kept.append(_with(entry, said, source, confidence))
            else:
                dropped.append(Dropped(start_s=entry.start_s, end_s=entry.end_s, reason=reason or "not_understood"))
        self._list(kept)
        return kept, dropped

    def _corrections(self, entries: Sequence[Entry]) -> dict[str, str]:
        """Read once: the ids of later calls may be fewer."""
        if self._corrected is None:
            self._corrected = _corrections(self.audio, {entry.id for entry in entries})
        return self._corrected

    def _matched(self, entries: Sequence[Entry], whole_text: str) -> dict[str, tuple[str, str, float, str]]:
        match.require_english(whole_text, self.settings)
        waves = self._waves(entries)
        found = match.match_heard(
            whole_text, waves, self._heard(entries, waves, "match"), shipped_files.load_aligner(), self.settings
        )
        for warning in match.warnings(found, waves, self.settings):
            self.note(warning)
        return {
            entry.id: (
                one.transcript,
                "sidecar",
                round(one.confidence, 4),
                "text_not_spoken" if one.unspoken else "transcript_mismatch",
            )
            for entry, one in zip(entries, found, strict=True)
        }

    def _recognised(self, entries: Sequence[Entry]) -> dict[str, tuple[str, str, float, str]]:
        waves = self._waves(entries)
        heard = self._heard(entries, waves, "recognise")
        said = [(features.mel_of(wave), _words(one.text)) for one, wave in zip(heard, waves, strict=True)]
        aligner = alignment.adapt([one for one in said if one[1]], shipped_files.load_aligner(), rounds=2)
        if self.recogniser.name != POCKETSPHINX:
            self._ask_again(entries, waves, heard, aligner)
        result = {}
        for entry, one, (mel, words) in zip(entries, heard, said, strict=True):
            score, confidence = _borne_out(mel, words, aligner)
            believed = one.text if score >= self.settings.min_recognised_score else ""
            result[entry.id] = (believed, "recognised", round(confidence, 4), "not_understood")
        return result

    def _waves(self, entries: Sequence[Entry]) -> list[np.ndarray]:
        """(n,) float32 of every entry, without features: the aligner hears the mel spectrogram alone, and the matcher makes it."""
        return [loading.whole_frames(loading.read(self.directory, entry)) for entry in entries]

    def _heard(self, entries: Sequence[Entry], waves: Sequence[np.ndarray], what: str) -> list[Heard]:
        """What is said in each wave, recognised now or by an earlier run."""
        self._asked = True
        path, identity = self.directory / memory.NAME, recognisers.identity(self.recogniser)
        known = memory.read(path, identity)
        new = [index for index, entry in enumerate(entries) if entry.sha256 not in known]
        if new:
            heard = recognise.recognise(
                [waves[index] for index in new],
                choice=self.recogniser,
                processes=self.processes,
                on_progress=self._progress(what),
            )
            known |= {entries[index].sha256: one for index, one in zip(new, heard, strict=True)}
            memory.write(path, known, identity)
        self._doubts |= {entry.id: known[entry.sha256].doubts for entry in entries}
        return [known[entry.sha256] for entry in entries]

    def _ask_again(
        self, entries: Sequence[Entry], waves: Sequence[np.ndarray], heard: Sequence[Heard], aligner: alignment.Aligner
    ) -> None:
        """Hears the waves with pocketsphinx, too, and notes where the sound does not bear out the first one's words against its."""
        others = recognise.recognise(waves, processes=self.processes, on_progress=self._progress("compare"))
        for entry, wave, one, other in zip(entries, waves, heard, others, strict=True):
            found = second_opinion.doubts(one, other, wave, aligner)
            self._doubts[entry.id] = (*self._doubts.get(entry.id, ()), *found)
        foreign = sum(any(doubt.startswith(recognisers.NOT_ENGLISH) for doubt in one.doubts) for one in heard)
        if foreign:
            self.note(f"{foreign} of {len(heard)} utterances are not in English; they are left out")

    def _progress(self, what: str) -> Callable[[int, int], None]:
        return lambda done, total: self.report(what, done, total)

    def _list(self, entries: Sequence[Entry]) -> None:
        rows = [
            (
                entry.id,
                plain(entry.transcript),
                entry.transcript_source,
                str(entry.transcript_confidence),
                *([] if self.recogniser.name == POCKETSPHINX else [plain("; ".join(self._doubts.get(entry.id, ())))]),
            )
            for entry in entries
        ]
        write_atomically(self.directory / LISTING, "".join("|".join(row) + "\n" for row in rows).encode())


def plain(said: str) -> str:
    """As a line of LISTING holds it, which has neither quotes nor escapes: one blank between words, no bar, no control character."""
    return " ".join("".join(" " if each == "|" or category(each) == "Cc" else each for each in said).split())


def _with(entry: Entry, said: str, source: str, confidence: float) -> Entry:
    digest = hashlib.sha256(said.encode()).hexdigest()
    return replace(
        entry, transcript=said, transcript_sha256=digest, transcript_source=source, transcript_confidence=confidence
    )


def _words(said: str) -> tuple[text.Word, ...]:
    try:
        return tuple(word for sentence in text.analyse(said).sentences for word in sentence.words)
    except TextError:
        return ()


def _borne_out(mel: torch.Tensor, words: Sequence[text.Word], aligner: alignment.Aligner) -> tuple[float, float]:
    """Score and confidence of the words in the sound; the worst where they cannot be in it."""
    try:
        found = alignment.align(mel, words, aligner)
    except alignment.AlignmentError:
        return -math.inf, 0.0
    return found.score, found.confidence


def _corrections(audio: Path, known: set[str]) -> dict[str, str]:
    """Corrected text by id; raises DataError(transcript_invalid) naming file and line."""
    path = audio.with_suffix(CORRECTIONS_SUFFIX)
    if not path.exists():
        return {}
    found: dict[str, str] = {}
    for record in text_table.fields(path, text_file.read(path)):
        name = composed(record.field(0))
        if len(record.fields) < 2 or name not in known or name in found:
            raise text_file.bad_line(
                path,
                record.line,
                "not `id|what is said` with an id of this recording, each once",
                f"copy the line from {LISTING}",
            )
        found[name] = record.field(1)
    return found
