"""`voice prepare`: a recording becomes a dataset, by the thresholds of the policy."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from acceptance.cli.options import MOST_THREADS, PATH, chosen_recogniser, count_option, recogniser_options
from acceptance.cli.output import answers, emit
from acceptance.cli.policy_option import policy_option
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from trainer.errors import import_failures
from trainer.files import input_file, output_file, plain_file, rows
from trainer.files.output_file import Output
from trainer.files.printable import notice_line
from trainer.job.contract import PREPARE_PREFIX
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.training.settings import from_environment

if TYPE_CHECKING:
    from trainer.dataset.manifest import Manifest
    from trainer.preparation.prepare import Progress

_SPEECH = ("match", "recognise", "compare")
"""What is counted in utterances; the rest of a preparation is counted in seconds of audio."""


@click.command()
@click.argument("audio", type=PATH)
@click.option("--output", type=PATH, required=True, metavar="DIR", help="Gets the manifest and the clips.")
@click.option(
    "--workspace", type=PATH, metavar="DIR", help="What the manifest's paths are relative to  [the recording's folder]."
)  # fmt: skip
@count_option("--threads", "Processes that recognise what is said.", default=2, most=MOST_THREADS)
@recogniser_options
@click.option("--no-transcripts", is_flag=True, help="Leave open what is said (for the backbone `vocoder`).")
@answers
@policy_option
def prepare(
    policy: Callable[[], Policy],
    audio: Path,
    output: Path,
    workspace: Path | None,
    threads: int,
    recogniser: str | None,
    recogniser_weights: Path | None,
    no_transcripts: bool,
    as_json: bool,
) -> None:
    """Cut a recording into utterances and write the manifest.

    AUDIO is a recording, a folder of clips, or its metadata.csv. What is dropped and why is shown. What is asked of the recording, its
    utterances and its transcript is the policy's, as in a run; VOICE_PREPARE_* variables set the rest.

    \b
    voice prepare recording.flac --output artifacts/prepare
    voice prepare clips/metadata.csv --output artifacts/prepare --threads 4
    voice prepare recording.flac --output artifacts/prepare --recogniser whisper
    voice prepare recording.flac --output artifacts/prepare --threshold audio.min_utterance_snr_db=5 --json
    """
    rules = policy()
    notices: list[str] = []

    def tell(notice: str) -> None:
        notices.append(notice)
        tqdm.write(notice_line(notice), file=sys.stderr)

    settings = _settings(rules, os.environ, tell)
    input_file.require(HarnessError, audio, cause="audio_missing", next_step="put the recording there, or name another")
    with import_failures():
        from trainer.dataset.manifest import FILE_NAME, SIGN
        from trainer.preparation.prepare import prepare as work

    audio, manifest_path = audio.absolute(), output.absolute() / FILE_NAME
    output_file.check([Output(option="--output", path=manifest_path, sign=SIGN)], hint="name another folder")
    with _progress(as_json) as advance:
        found = work(
            audio,
            manifest_path,
            settings,
            workspace=(workspace or audio.parent).absolute(),
            transcribe=not no_transcripts,
            recogniser=chosen_recogniser(recogniser, recogniser_weights),
            processes=threads,
            on_progress=advance,
            on_note=tell,
        )
    document = {
        "schema": "preparation/1",
        "manifest": str(manifest_path),
        "sha256": plain_file.sha256(manifest_path.resolve()),
        "source": asdict(found.source),
        "summary": found.summary,
        "policy_sha256": rules.sha256,
        "notices": notices,
    }
    emit(document, rows.text(_rows(found, manifest_path)), as_json=as_json)


def _rows(document: Manifest, manifest_path: Path) -> list[tuple[str, str]]:
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


def _settings(rules: Policy, environment: Mapping[str, str], tell: Callable[[str], None]) -> PrepareSettings:
    """The policy's thresholds, and everything else as the environment says; raises RuntimeSetupError(settings_invalid)."""
    decided: Mapping[str, Any] = rules.preparation()
    theirs = {PREPARE_PREFIX + name.upper() for name in decided}
    for name in sorted(theirs & environment.keys()):
        tell(f"{name} of the environment is not used: the threshold policy decides it")
    others = {name: value for name, value in environment.items() if name not in theirs}
    return from_environment(PrepareSettings, PREPARE_PREFIX, others, start=PrepareSettings(**decided))


@contextmanager
def _progress(as_json: bool) -> Iterator[Progress | None]:
    """A bar on a terminal, one for each part of the work, nothing elsewhere."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    with tqdm(leave=False, dynamic_ncols=True) as bar:
        current = ""

        def report(what: str, done: float, total: float) -> None:
            nonlocal current
            if what != current:
                current = what
                bar.unit = " utterances" if what in _SPEECH else "s"
                bar.set_description(what, refresh=False)
                bar.reset(round(total) or None)
            bar.update(round(done) - bar.n)

        yield report
