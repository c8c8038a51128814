"""`voice say`: speaks a text; it finds the voice of the newest success by itself."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from acceptance.cli.delivery_options import delivery_options
from acceptance.cli.options import MOST_THREADS, PATH, count_option
from acceptance.cli.output import NO_ANSWER, YES, answers, emit, finish
from acceptance.failure import HarnessError
from acceptance.voices import certified, store
from trainer.files import input_file, plain_file, rows
from trainer.files.printable import error_line, notice_line
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.outcome import FailedLine, SpokenText

if TYPE_CHECKING:
    from trainer.synthesis.speaking import Speaking

STREAM = "-"
_FORMATS = {"stream": ("wav", "raw"), "folder": ("wav", "flac"), "file": ()}
_EXISTS = "output_exists"
_MOST_WARNINGS = 20


@click.command()
@click.argument("text", required=False)
@click.option("--file", type=PATH, metavar="FILE", help="Read the text from a UTF-8 file.")
@click.option(
    "--checkpoint", type=PATH, metavar="VOICE",
    help="A trained voice, or a folder that voice export onnx wrote  [that of the newest run that ended in success].",
)  # fmt: skip
@click.option("-o", "--output", metavar="FILE", help="A .wav or .flac file, or - for audio on standard output.")
@click.option("--output-dir", type=PATH, metavar="DIR", help="With --lines: 0001.wav, 0002.wav, … by line number.")
@click.option("--lines", is_flag=True, help="Every line of the text into a file of its own.")
@click.option(
    "--format", "form", type=click.Choice(("wav", "flac", "raw")),
    help="For -o -: wav (default) or raw little-endian 16-bit mono; for --output-dir: wav (default) or flac.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@delivery_options
@count_option("--threads", "One is already many times faster than speech.", most=MOST_THREADS)
@answers
def say(
    text: str | None,
    file: Path | None,
    checkpoint: Path | None,
    output: str | None,
    output_dir: Path | None,
    lines: bool,
    form: str | None,
    overwrite: bool,
    threads: int,
    as_json: bool,
    **how: Any,
) -> None:
    """Speak a text in English with a trained voice.

    Without TEXT (or with -) it is read from standard input. Without --checkpoint it is the voice of the newest run in the current directory
    that ended in success; VOICE may be the start of the hash of a kept one (voice versions). The text is spoken sentence by sentence: it may
    be as long as a book.

    \b
    voice say "Good morning." -o hello.wav
    voice say --file book.txt --checkpoint voice.pt -o book.flac
    voice say --file sentences.txt --lines --output-dir spoken --json
    voice say "Good morning." -o - | aplay
    voice say "Good morning." --checkpoint 3598cec15fc5 -o earlier.wav
    """
    _check(text=text, file=file, output=output, output_dir=output_dir, lines=lines, form=form, as_json=as_json)
    delivery = Delivery(**how)
    run = None
    voice = store.named(Path(), checkpoint)
    if voice is None:
        voice, run = certified.newest(Path())
        click.echo(f"voice: {voice} (run {run})", err=True)
    input_file.require(HarnessError, voice, cause="missing", next_step="give the checkpoint of a trained voice")
    input_file.require(HarnessError, file, cause="text_missing", next_step="give a UTF-8 text file")
    if file is None and text in (None, "-") and sys.stdin.isatty():
        click.echo("reading the text from the terminal; end it with Ctrl-D", err=True)
    from trainer.synthesis.speaking import Speaking

    with closing(_Terminal()) as terminal:
        speaking = Speaking(
            checkpoint=voice,
            text=text,
            file=file,
            delivery=delivery,
            threads=threads,
            overwrite=overwrite,
            listener=terminal,
        )
        spoken = _speak(speaking, output, output_dir, form)
    if spoken is None:
        finish(YES)
    _tell_existing([each for each in spoken.failed if each.cause == _EXISTS])
    emit(_document(spoken, terminal.warnings, voice, run), rows.text(_rows(spoken)), as_json=as_json)
    finish(NO_ANSWER if spoken.failed else YES)


def _check(
    *,
    text: str | None,
    file: Path | None,
    output: str | None,
    output_dir: Path | None,
    lines: bool,
    form: str | None,
    as_json: bool,
) -> None:
    """Raises UsageError for options that contradict each other."""
    if text is not None and file is not None:
        raise click.UsageError("TEXT and --file exclude each other")
    if output is not None and output_dir is not None:
        raise click.UsageError("-o/--output and --output-dir exclude each other")
    if output is None and output_dir is None:
        raise click.UsageError("one of -o/--output, --output-dir is required")
    if as_json and output == STREAM:
        raise click.UsageError("--json and -o - exclude each other: both write on standard output")
    if lines != (output_dir is not None):
        raise click.UsageError("--lines and --output-dir go together")
    target = "stream" if output == STREAM else "folder" if lines else "file"
    if form is not None and form not in _FORMATS[target]:
        where = "to standard output" if target == "stream" else "here; the file's ending decides"
        raise click.UsageError(f"--format {form} cannot be written {where}")


def _speak(speaking: Speaking, output: str | None, output_dir: Path | None, form: str | None) -> SpokenText | None:
    """Speaks to where it is wanted; None if that is standard output."""
    if output_dir is not None:
        return speaking.to_folder(output_dir, ending=form or "wav")
    if output != STREAM:
        return speaking.to_file(Path(str(output)))
    if sys.stdout.isatty():
        raise HarnessError(
            "standard output is a terminal; pipe it into a player or a file, or name a file with -o",
            cause="settings_invalid",
        )
    speaking.to_stream(sys.stdout.buffer, raw=form == "raw")
    return None


@dataclass(slots=True)
class _Terminal:
    """Tells a person on standard error how far it is (a bar on a terminal) and every warning once."""

    bar: tqdm = field(
        default_factory=lambda: tqdm(unit="char", unit_scale=True, disable=not sys.stderr.isatty(), leave=False)
    )
    warnings: list[str] = field(default_factory=list)

    def warned(self, warning: str) -> None:
        """Prints it if it is new; at most _MOST_WARNINGS lines of a long text."""
        if warning not in self.warnings and len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(warning)
            tqdm.write(notice_line(warning, "warning"), file=sys.stderr)

    def failed(self, line: FailedLine) -> None:
        """Prints why; files that exist become one line in the end."""
        if line.cause != _EXISTS:
            tqdm.write(error_line(f"line {line.line}: {line.error}", line.cause), file=sys.stderr)

    def counted(self, lines: Iterable[str], total: int | None) -> Iterator[str]:
        """The same lines; the bar follows."""
        self.bar.total = total
        for line in lines:
            yield line
            self.bar.update(len(line))

    def close(self) -> None:
        """Leaves the terminal as it was."""
        self.bar.close()


def _tell_existing(failed: list[FailedLine]) -> None:
    """Prints one error for all lines whose files exist: a folder spoken into twice has them all."""
    if len(failed) == 1:
        click.echo(error_line(f"line {failed[0].line}: {failed[0].error}", _EXISTS), err=True)
    elif failed:
        counted = f"the files of {len(failed)} lines exist, the first that of line {failed[0].line}"
        click.echo(error_line(f"{counted}; name another folder, or give --overwrite", _EXISTS), err=True)


def _rows(spoken: SpokenText) -> list[tuple[str, str]]:
    """What a person reads."""
    seconds = sum(file.seconds for file in spoken.files)
    if spoken.directory is not None:
        return [("files", f"{len(spoken.files)} in {spoken.directory}"), ("seconds", f"{seconds:.2f}")]
    (file,) = spoken.files
    return [
        ("speech", str(file.path)),
        ("seconds", f"{seconds:.2f}"),
        ("real_time_factor", f"{spoken.spent_s / seconds:.3f}"),
    ]


def _document(spoken: SpokenText, warnings: list[str], checkpoint: Path, run: str | None) -> dict[str, Any]:
    return {
        "schema": "say/1",
        "checkpoint": str(checkpoint),
        "run": run,
        "files": [
            {
                "path": str(file.path),
                "line": file.line,
                "seconds": round(file.seconds, 6),
                "sha256": plain_file.sha256(file.path.resolve()),
            }
            for file in spoken.files
        ],
        "failed": [{"line": each.line, "error": each.error, "cause": each.cause} for each in spoken.failed],
        "warnings": warnings,
    }
