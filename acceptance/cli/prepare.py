"""`voice prepare`: as `python -m trainer prepare`, by the thresholds of the policy."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from acceptance import policy as policies
from acceptance.cli.argparse_options import options_of
from acceptance.cli.output import answers_errors, emit, json_option
from acceptance.policy import Policy
from trainer.errors import DataError
from trainer.files import input_file, plain_file, rows
from trainer.files.printable import notice_line
from trainer.job.contract import PREPARE_PREFIX
from trainer.preparation.prepare_command import add_prepare, prepared, summary_rows
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.training.settings import from_environment

if TYPE_CHECKING:
    from trainer.preparation.prepare import Progress

_SPEECH = ("match", "recognise")
"""What is counted in utterances; the rest of a preparation is counted in seconds of audio."""


@click.command()
@options_of(add_prepare)
@json_option
@policies.option
@answers_errors
def prepare(policy: Callable[[], Policy], options: argparse.Namespace, as_json: bool) -> None:
    """Cut a recording into utterances, write them with their manifest, and show what is dropped and why.

    What is asked of the recording, its utterances and its transcript is the policy's, as in a run; VOICE_PREPARE_* variables set the rest.

    \b
    voice prepare recording.flac --output artifacts/prepare
    voice prepare clips/metadata.csv --output artifacts/prepare --threads 4
    voice prepare recording.flac --output artifacts/prepare --threshold audio.min_utterance_snr_db=5 --json
    """
    rules = policy()
    notices: list[str] = []

    def tell(notice: str) -> None:
        notices.append(notice)
        tqdm.write(notice_line(notice), file=sys.stderr)

    settings = _settings(rules, os.environ, tell)
    input_file.require(DataError, options.audio, cause="audio_missing", next_step="put the recording there, or name another")
    with _progress(as_json) as advance:
        found, manifest_path = prepared(options, settings, on_note=tell, on_progress=advance)
    document = {
        "schema": "preparation/1",
        "manifest": str(manifest_path),
        "sha256": plain_file.sha256(manifest_path.resolve()),
        "source": asdict(found.source),
        "summary": found.summary,
        "policy_sha256": rules.sha256,
        "notices": notices,
    }
    emit(document, rows.text(summary_rows(found, manifest_path)), as_json=as_json)


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
