"""`say` and `export-onnx` as a person types them: each prints its result and returns the exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TextIO

from tqdm import tqdm

from trainer.audio.audio_file import FORMATS, AudioFile, PcmPipe
from trainer.dataset import text_table
from trainer.errors import DataError, RuntimeSetupError, TrainerError, TrainingError, import_failures
from trainer.files import plain_file, rows, text_file
from trainer.files.plain_file import PlainFileError
from trainer.files.printable import error_line, notice_line
from trainer.synthesis import clip_record
from trainer.synthesis.arguments import STDOUT
from trainer.synthesis.delivery import BOUNDS, Delivery
from trainer.synthesis.narrator import Narrator
from trainer.synthesis.outcome import FailedLine, Outcome, WrittenFile

BROKEN_PIPE = 141
"""As the shell reports a program that SIGPIPE ended."""
_EXISTS = "output_exists"
_MOST_WARNINGS = 20
_BLOCK_CHARACTERS = 65_536


def say(options: argparse.Namespace) -> int:
    """`say TEXT --checkpoint VOICE -o FILE`; raises TrainerError, and BrokenPipeError never."""
    if options.output == STDOUT:
        return _say_to_pipe(options)
    outcome = speak(options)
    print(rows.text(outcome.rows()))
    return outcome.exit_code


def speak(options: argparse.Namespace) -> Outcome:
    """`say` into files; warnings and lines that fail are told on standard error as they come. Raises TrainerError."""
    delivery = _checked(options)
    return _say_lines(options, delivery) if options.lines else _say_file(options, delivery)


def export_onnx(options: argparse.Namespace) -> int:
    """`export-onnx VOICE --output DIR`; raises TrainerError."""
    with import_failures():
        from trainer.synthesis.export import FILES, export

    for name in FILES:
        _refuse_existing(options.output / name, options.overwrite)
    with _refusals(options.checkpoint):
        found = export(options.checkpoint, options.output)
    print(rows.text((name, str(value)) for name, value in found.items()))
    return 0


def load(checkpoint: Path, *, threads: int) -> Narrator:
    """The voice of a checkpoint, or of a folder of ONNX files, on so many threads; raises TrainingError and RuntimeSetupError."""
    if checkpoint.is_dir():
        from trainer.synthesis.onnx_voice import OnnxVoice

        return OnnxVoice.load(checkpoint, threads=threads)
    with import_failures():
        import torch

        from trainer.synthesis.voice import Voice
    torch.set_num_threads(threads)
    with _refusals(checkpoint):
        return Voice.load(checkpoint)


@contextlib.contextmanager
def _refusals(checkpoint: Path) -> Iterator[None]:
    from trainer.files.checkpoint import CheckpointError

    try:
        yield
    except CheckpointError as error:
        raise TrainingError(
            f"{checkpoint}: {error}; give the checkpoint of a trained voice, or a folder that export-onnx wrote", cause=error.cause
        ) from error


@dataclass(slots=True)
class Told:
    """What a person has been told on standard error: a bar on a terminal, every warning once."""

    bar: tqdm = field(
        default_factory=lambda: tqdm(unit="char", unit_scale=True, disable=not sys.stderr.isatty(), leave=False)
    )
    _said: dict[str, None] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was printed, in its order."""
        return tuple(self._said)

    def note(self, warnings: Iterable[str]) -> None:
        """Print what is new; at most _MOST_WARNINGS lines of a long text."""
        for warning in warnings:
            if warning not in self._said and len(self._said) < _MOST_WARNINGS:
                self._said[warning] = None
                tqdm.write(notice_line(warning, "warning"), file=sys.stderr)

    def counted(self, lines: Iterable[str], total: int | None) -> Iterator[str]:
        """The same lines; the bar follows."""
        self.bar.total = total
        for line in lines:
            yield line
            self.bar.update(len(line))

    def close(self) -> None:
        """Leave the terminal as it was."""
        self.bar.close()


def _say_file(options: argparse.Namespace, delivery: Delivery) -> Outcome:
    path = Path(options.output)
    _refuse_existing(path, options.overwrite)
    with contextlib.closing(Told()) as told, _text(options, told) as lines:
        lines = _not_empty(lines)
        with AudioFile(path, sample_rate=delivery.sample_rate) as file:
            voice = load(options.checkpoint, threads=options.threads)
            started = time.monotonic()
            for part in voice.stream(lines, delivery):
                told.note(part.warnings)
                file.write(part.wave)
            spent = time.monotonic() - started
    written = WrittenFile(path=path, seconds=file.samples / delivery.sample_rate)
    return Outcome(files=(written,), warnings=told.warnings, spent_s=spent)


def _say_to_pipe(options: argparse.Namespace) -> int:
    delivery = _checked(options)
    if sys.stdout.isatty():
        raise RuntimeSetupError(
            "standard output is a terminal; pipe it into a player or a file, or name a file with -o",
            cause="settings_invalid",
        )
    stream: BinaryIO = sys.stdout.buffer
    with contextlib.closing(Told()) as told, _text(options, told) as lines:
        lines = _not_empty(lines)
        voice = load(options.checkpoint, threads=options.threads)
        pipe: PcmPipe | None = None
        try:
            for part in voice.stream(lines, delivery):
                told.note(part.warnings)
                # Not before there is speech: an error leaves an empty stream, not an empty recording.
                pipe = pipe or PcmPipe(stream, sample_rate=delivery.sample_rate, raw=options.format == "raw")
                pipe.write(part.wave)
        except BrokenPipeError:
            # The reader has had enough. Python flushes once more at its end, into nothing.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return BROKEN_PIPE
    return 0


def _say_lines(options: argparse.Namespace, delivery: Delivery) -> Outcome:
    """Every line into its own file; a line that cannot be spoken is reported, the others are spoken."""
    files: list[WrittenFile] = []
    failed: list[FailedLine] = []
    with contextlib.closing(Told()) as told, _text(options, told) as lines:
        lines = _not_empty(lines)
        voice = load(options.checkpoint, threads=options.threads)
        started = time.monotonic()
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                files.append(_say_line(options, delivery, voice, number, line, told))
            except DataError as error:
                failed.append(FailedLine(line=number, error=str(error), cause=error.cause, exit_code=error.exit_code))
                if error.cause != _EXISTS:
                    tqdm.write(error_line(f"line {number}: {error}", error.cause), file=sys.stderr)
        spent = time.monotonic() - started
    _tell_existing([each for each in failed if each.cause == _EXISTS])
    if files:
        names = [file.path.name for file in files]
        clip_record.add(options.output_dir, names, checkpoint_sha256=voice.checkpoint_sha256, delivery=delivery)
    return Outcome(
        files=tuple(files), warnings=told.warnings, spent_s=spent, directory=options.output_dir, failed=tuple(failed)
    )


def _tell_existing(failed: Sequence[FailedLine]) -> None:
    """One error for all lines whose files exist: a folder spoken into twice has them all."""
    if len(failed) == 1:
        print(error_line(f"line {failed[0].line}: {failed[0].error}", _EXISTS), file=sys.stderr)
    elif failed:
        counted = f"the files of {len(failed)} lines exist, the first that of line {failed[0].line}"
        print(error_line(f"{counted}; name another folder, or give --overwrite", _EXISTS), file=sys.stderr)


def _say_line(
    options: argparse.Namespace, delivery: Delivery, voice: Narrator, number: int, line: str, told: Told
) -> WrittenFile:
    path = options.output_dir / f"{number:04d}.{options.format or 'wav'}"
    _refuse_existing(path, options.overwrite)
    with AudioFile(path, sample_rate=delivery.sample_rate) as file:
        for part in voice.stream([line], delivery):
            told.note(f"line {number}: {warning}" for warning in part.warnings)
            file.write(part.wave)
    return WrittenFile(path=path, seconds=file.samples / delivery.sample_rate, line=number)


def _checked(options: argparse.Namespace) -> Delivery:
    """How it is to be said; raises RuntimeSetupError(settings_invalid) for options that contradict each other."""
    if options.lines != (options.output_dir is not None):
        raise RuntimeSetupError("--lines and --output-dir go together", cause="settings_invalid")
    if options.threads < 1:
        raise RuntimeSetupError("threads must be at least 1", cause="settings_invalid")
    allowed = {"wav", "raw"} if options.output == STDOUT else {"wav", "flac"} if options.lines else set()
    if options.format is not None and options.format not in allowed:
        where = "to standard output" if options.output == STDOUT else "here; the file's ending decides"
        raise RuntimeSetupError(f"--format {options.format} cannot be written {where}", cause="settings_invalid")
    if options.output not in (None, STDOUT) and Path(options.output).suffix.lower() not in FORMATS:
        raise DataError(f"{options.output}: the name must end in {' or '.join(FORMATS)}", cause="output_format")
    return Delivery(
        seed=options.seed, sample_rate=options.sample_rate, **{name: getattr(options, name) for name in BOUNDS}
    )


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if not overwrite and (path.exists() or path.is_symlink()):
        raise DataError(f"{path} exists; name another file, or give --overwrite", cause=_EXISTS)


@contextlib.contextmanager
def _text(options: argparse.Namespace, told: Told) -> Iterator[Iterator[str]]:
    """Lines of the argument, the file or standard input; raises DataError(text_missing | text_not_utf8)."""
    if options.file is not None:
        try:
            found = plain_file.descriptor_through_links(options.file)
        except PlainFileError as error:
            raise DataError(f"{options.file}: {error}; give a UTF-8 text file", cause="text_missing") from error
        with os.fdopen(found, encoding=text_file.encoding(os.pread(found, 4, 0))) as file:
            lines = _sentences(options.file, file) if options.lines else _short_lines(file)
            yield _decoded(told.counted(lines, os.fstat(found).st_size), str(options.file))
    elif options.text is not None and options.text != "-":
        yield told.counted(text_file.lines(options.text), len(options.text))
    else:
        if sys.stdin.isatty():
            tqdm.write("reading the text from the terminal; end it with Ctrl-D", file=sys.stderr)
        # A descriptor of our own: the interpreter's stays open and as it was.
        with os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8-sig") as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            total = os.fstat(file.fileno()).st_size if regular else None
            lines = file if options.lines else _short_lines(file)
            yield _decoded(told.counted(lines, total), "standard input")


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
        raise DataError(f"{name} is not UTF-8 text", cause="text_not_utf8") from error


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


def main(options: argparse.Namespace) -> int:
    """Run the command of `options`; prints a failure as every command does and returns its code."""
    try:
        return say(options) if options.command == "say" else export_onnx(options)
    except TrainerError as error:
        print(error_line(error, error.cause), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
