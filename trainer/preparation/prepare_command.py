"""`prepare` as a person types it: its options, what they mean, and what is said at its end; imports nothing heavy before it works."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import import_failures
from trainer.files import output_file
from trainer.files.output_file import Output
from trainer.preparation.prepare_settings import PrepareSettings

if TYPE_CHECKING:
    from trainer.dataset.manifest import Manifest
    from trainer.preparation.prepare import Progress


def add_prepare(commands: Any) -> argparse.ArgumentParser:
    """The parser of `prepare`; `commands` is what `add_subparsers` gave."""
    parser = commands.add_parser("prepare", help="cut a recording into utterances and write the manifest")
    parser.add_argument("audio", type=Path, metavar="AUDIO", help="a recording, a folder of clips, or its metadata.csv")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="gets the manifest and the clips")
    parser.add_argument(
        "--workspace",
        type=Path,
        metavar="DIR",
        help="what the manifest's paths are relative to (default: the recording's folder)",
    )
    parser.add_argument(
        "--threads", type=int, default=2, help="processes that recognise what is said (default: %(default)s)"
    )
    parser.add_argument("--no-transcripts", action="store_true", help="leave open what is said (for the backbone `vocoder`)")
    return parser


def prepared(
    options: argparse.Namespace,
    settings: PrepareSettings,
    *,
    on_note: Callable[[str], None],
    on_progress: Progress | None = None,
) -> tuple[Manifest, Path]:
    """The manifest that was written, and where; raises TrainerError."""
    with import_failures():
        from trainer.dataset.manifest import FILE_NAME, SIGN
        from trainer.preparation.prepare import prepare

    audio = options.audio.absolute()
    manifest_path = options.output.absolute() / FILE_NAME
    output_file.check([Output(option="--output", path=manifest_path, sign=SIGN)], hint="name another folder")
    document = prepare(
        audio,
        manifest_path,
        settings,
        workspace=(options.workspace or audio.parent).absolute(),
        transcribe=not options.no_transcripts,
        processes=options.threads,
        on_progress=on_progress,
        on_note=on_note,
    )
    return document, manifest_path


def summary_rows(document: Manifest, manifest_path: Path) -> list[tuple[str, str]]:
    """What was found, kept, held out and dropped, and where it is written."""
    source, held_out = document.source, document.split("held_out")
    dropped = document.summary["dropped_by_reason"]
    return [
        ("recording", f"{source.duration_s:.1f} s, {source.sample_rate} Hz, {source.channels} channel(s)"),
        *([("sound used", source.mix)] if source.mix else []),
        ("utterances", f"{len(document.entries)}, {sum(entry.duration_s for entry in document.entries) / 60:.2f} min"),
        ("held out", f"{len(held_out)}, {sum(entry.duration_s for entry in held_out):.1f} s"),
        ("dropped", ", ".join(f"{count} {reason}" for reason, count in dropped.items()) or "0"),
        ("manifest", str(manifest_path)),
    ]
