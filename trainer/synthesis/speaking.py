"""Speaks a text into a file, into a file for every line, or into a stream."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO

from trainer.audio import audio_file
from trainer.audio.audio_file import AudioFile, PcmPipe
from trainer.dataset import text_table
from trainer.errors import DataError, TrainingError, import_failures
from trainer.files import output_file, plain_file, text_file
from trainer.files.plain_file import PlainFileError
from trainer.synthesis import clip_record
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.narrator import Narrator
from trainer.synthesis.outcome import FailedLine, SpokenText, WrittenFile

STDIN = "-"
_BLOCK_CHARACTERS = 65_536


class Listener(Protocol):
    """Who hears how far the speaking is and what is wrong with the text."""

    def warned(self, warning: str) -> None:
        """A warning; the same one may come many times."""

    def failed(self, line: FailedLine) -> None:
        """A line that could not be spoken; the others go on."""

    def counted(self, lines: Iterable[str], total: int | None) -> Iterator[str]:
        """The same lines, of so many characters in all, as they are read."""


class Silent:
    """A listener that tells nobody."""

    def warned(self, warning: str) -> None:
        """Nothing."""

    def failed(self, line: FailedLine) -> None:
        """Nothing; the result holds the line."""

    def counted(self, lines: Iterable[str], total: int | None) -> Iterator[str]:
        """The same lines."""
        yield from lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaking:
    """A text that a voice is to speak: `text` itself, else a UTF-8 `file`, else standard input (also for `-`)."""

    checkpoint: Path
    text: str | None = None
    file: Path | None = None
    delivery: Delivery = field(default_factory=Delivery)
    threads: int = 1
    overwrite: bool = False
    listener: Listener = field(default_factory=Silent)

    def to_file(self, path: Path) -> SpokenText:
        """The whole text in one .wav or .flac file; raises TrainerError and then leaves none."""
        output_file.refuse_existing(path, overwrite=self.overwrite)
        with contextlib.ExitStack() as opened:
            lines = opened.enter_context(self._lines())
            audio_file.check_place(
                path
            )  # before a voice is loaded for nothing; the file itself waits for the voice's rate
            voice = load(self.checkpoint, threads=self.threads)
            rate = voice.rate_of(self.delivery)
            file = opened.enter_context(AudioFile(path, sample_rate=rate))
            started = time.monotonic()
            for part in voice.stream(lines, self.delivery):
                self._warn(part.warnings)
                file.write(part.wave)
            spent = time.monotonic() - started
        return SpokenText(files=(WrittenFile(path=path, seconds=file.samples / rate),), spent_s=spent)

    def to_stream(self, stream: BinaryIO, *, raw: bool = False) -> None:
        """A WAV stream, or raw samples, as they are spoken; raises TrainerError, and BrokenPipeError where the reader went away."""
        with self._lines() as lines:
            voice = load(self.checkpoint, threads=self.threads)
            pipe: PcmPipe | None = None
            for part in voice.stream(lines, self.delivery):
                self._warn(part.warnings)
                # Not before there is speech: an error leaves an empty stream, not an empty recording.
                pipe = pipe or PcmPipe(stream, sample_rate=part.sample_rate, raw=raw)
                pipe.write(part.wave)

    def to_folder(self, folder: Path, *, ending: str = "wav") -> SpokenText:
        """Every line into its own file; a line that cannot be spoken is reported, the others are spoken."""
        files: list[WrittenFile] = []
        failed: list[FailedLine] = []
        with self._lines(one_a_line=True) as lines:
            voice = load(self.checkpoint, threads=self.threads)
            started = time.monotonic()
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    files.append(self._line(voice, number, line, folder / f"{number:04d}.{ending}"))
                except DataError as error:
                    failed.append(FailedLine(line=number, error=str(error), cause=error.cause))
                    self.listener.failed(failed[-1])
            spent = time.monotonic() - started
        if files:
            names = [file.path.name for file in files]
            delivery = replace(self.delivery, sample_rate=voice.rate_of(self.delivery))
            clip_record.add(folder, names, checkpoint_sha256=voice.checkpoint_sha256, delivery=delivery)
        return SpokenText(files=tuple(files), spent_s=spent, directory=folder, failed=tuple(failed))

    def _line(self, voice: Narrator, number: int, line: str, path: Path) -> WrittenFile:
        output_file.refuse_existing(path, overwrite=self.overwrite)
        rate = voice.rate_of(self.delivery)
        with AudioFile(path, sample_rate=rate) as file:
            for part in voice.stream([line], self.delivery):
                self._warn(f"line {number}: {warning}" for warning in part.warnings)
                file.write(part.wave)
        return WrittenFile(path=path, seconds=file.samples / rate, line=number)

    def _warn(self, warnings: Iterable[str]) -> None:
        for warning in warnings:
            self.listener.warned(warning)

    @contextlib.contextmanager
    def _lines(self, *, one_a_line: bool = False) -> Iterator[Iterator[str]]:
        """Lines of the text, the file or standard input; raises DataError(text_missing | text_not_utf8 | text_empty)."""
        if self.file is not None:
            try:
                found = plain_file.descriptor_through_links(self.file)
            except PlainFileError as error:
                raise DataError(f"{self.file}: {error}; give a UTF-8 text file", cause="text_missing") from error
            with os.fdopen(found, encoding=text_file.encoding(os.pread(found, 4, 0))) as file:
                lines = _sentences(self.file, file) if one_a_line else _short_lines(file)
                yield _not_empty(_decoded(self.listener.counted(lines, os.fstat(found).st_size), str(self.file)))
        elif self.text is not None and self.text != STDIN:
            yield _not_empty(self.listener.counted(text_file.lines(self.text), len(self.text)))
        else:
            # A descriptor of our own: the interpreter's stays open and as it was.
            with os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8-sig") as file:
                regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
                total = os.fstat(file.fileno()).st_size if regular else None
                lines = file if one_a_line else _short_lines(file)
                yield _not_empty(_decoded(self.listener.counted(lines, total), "standard input"))


def load(checkpoint: str | Path, *, threads: int = 1) -> Narrator:
    """The voice of a checkpoint, or of a folder of ONNX files, on so many threads; raises TrainingError and RuntimeSetupError."""
    checkpoint = Path(checkpoint)
    if checkpoint.is_dir():
        from trainer.synthesis.onnx_natural import OnnxNaturalVoice

        return OnnxNaturalVoice.load(checkpoint, threads=threads)
    # Each sentence has a length of its own. Kernels made for it are kept for its layers, not for a thousand sentences (60 MB).
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
    with import_failures():
        import torch

        from trainer.synthesis.checkpoint_voice import load as load_voice
    torch.set_num_threads(threads)
    with voice_refusals(checkpoint):
        return load_voice(checkpoint)


@contextlib.contextmanager
def voice_refusals(checkpoint: Path) -> Iterator[None]:
    """What no voice can be read from becomes a TrainingError that names the file and the next step."""
    from trainer.files.checkpoint import CheckpointError

    try:
        yield
    except CheckpointError as error:
        raise TrainingError(
            f"{checkpoint}: {error}; give the checkpoint of a trained voice, or a folder that voice export onnx wrote",
            cause=error.cause,
        ) from error


def _sentences(path: Path, file: TextIO) -> Iterator[str]:
    """The lines that `evaluate --texts` judges by their numbers; raises DataError where it would not read one sentence a line."""
    text = text_file.decode(path, file.buffer.read(text_file.MAX_BYTES + 1))
    if text_table.is_table(text):
        raise DataError(f"{path}: a table, or sentences with bars; give one sentence a line, for example its texts: cut -d'|' -f2",
                        cause=text_file.CAUSE)  # fmt: skip
    return text_file.lines(text)


def _short_lines(file: TextIO) -> Iterator[str]:
    """Lines; a line longer than _BLOCK_CHARACTERS comes in pieces, cut at white space, so that none fills the memory."""
    rest = ""
    while piece := file.readline(_BLOCK_CHARACTERS):
        piece = rest + piece
        rest = ""
        if not piece.endswith("\n") and len(piece) >= _BLOCK_CHARACTERS:
            place = max(piece.rfind(" "), 0)
            piece, rest = (piece[:place], piece[place:]) if place else (piece, "")
        yield piece
    if rest:
        yield rest


def _decoded(lines: Iterator[str], name: str) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: not UTF-8 text; {text_file.TO_UTF8.format('WINDOWS-1252')}", cause="text_not_utf8"
        ) from error


def _not_empty(lines: Iterator[str]) -> Iterator[str]:
    """The same lines, read up to the first with something in it; raises TextError(text_empty) before a voice is loaded for nothing."""
    from trainer.text import TextError

    blank = []
    for line in lines:
        if line.strip():
            return chain(blank, [line], lines)
        blank.append("\n")
        if len(blank) > _BLOCK_CHARACTERS:
            break
    raise TextError("the text is empty; give words to say", cause="text_empty")
