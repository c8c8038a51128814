"""`voice evaluate`: every measure of every clip of a voice, against real clips of the speaker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from acceptance import policy as policies
from acceptance.cli import progress
from acceptance.cli.options import PATH, chosen_recogniser, file_option, recogniser_options
from acceptance.cli.output import answers, emit
from acceptance.cli.policy_option import policy_option
from acceptance.failure import HarnessError
from acceptance.voices import store
from trainer.files import input_file


@click.command()
@click.option("--generated", type=PATH, required=True, metavar="DIR", help="Clips to judge.")
@click.option("--reference", type=PATH, metavar="DIR", help="Real clips of the speaker, none of them trained on.")
@file_option("--manifest", text="Dataset manifest: its held-out clips are the reference, without --reference.")
@file_option("--texts", text="What is said: one sentence a line, or name|text.  [the folder's own]")
@click.option("--without-texts", is_flag=True, help="Do not judge words.")
@file_option("--encoder", text="Another speaker encoder than GE2E: ONNX or TorchScript.")
@recogniser_options
@file_option("--checkpoint", text="What spoke the clips: a file, or the start of a kept voice's hash.")
@file_option("--output", text="Write the evaluation as JSON, for voice scorecard and voice compare.")
@file_option("--markdown", text="Write the table as Markdown.")
@file_option("--plot", text="Write a PNG.")
@click.option("--overwrite", is_flag=True, help="Replace files that are no earlier evaluation, too.")
@click.option("--processes", type=click.IntRange(min=1), default=2, show_default=True)
@policy_option
@answers
def evaluate(
    policy: Callable[[], policies.Policy],
    checkpoint: Path | None,
    recogniser: str | None,
    recogniser_weights: Path | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Measure what a voice spoke against real speech.

    Measured are speaker similarity, realism, intelligibility and faults of the signal.
        The texts are those of --texts, else of the folder itself (metadata.csv, or a .txt beside each clip), else of the manifest's held-out
    part. A clip that cannot be judged has the worst marks and a fault that says why; the others go on. The same clips give the same bytes,
    in any order, with any number of processes. No network is needed.

    \b
    voice evaluate --generated spoken/ --reference held_out/ --texts sentences.txt --output evaluation.json
    voice evaluate --generated spoken/ --manifest data/manifest.json --checkpoint voice.pt --output evaluation.json --plot evaluation.png
    voice evaluate --generated spoken/ --reference held_out/ --without-texts --encoder ecapa.onnx

    Words are heard by the recogniser of the policy's metric (wer: pocketsphinx, wer_whisper: whisper), or by --recogniser.
    The numbers are judged by voice scorecard: this command ends with 0 wherever it could measure.
    """
    rules = policy()
    limits = rules.audio.signal_limits()
    for folder in (asked["generated"], asked["reference"]):
        input_file.require(HarnessError, folder, cause="audio_missing", next_step="name a folder with clips")
    input_file.require(
        HarnessError, asked["manifest"], cause="manifest_invalid", next_step="name the manifest of a prepared recording"
    )
    # PyTorch comes with these: not before help and a wrong policy are answered.
    from trainer.evaluation import evaluation, evaluation_tables
    from trainer.evaluation.request import Request, answer

    request = Request(
        limits=limits,
        checkpoint=store.named(Path(), checkpoint),
        recogniser=chosen_recogniser(recogniser, recogniser_weights, rules.intelligibility.recogniser),
        **asked,
    )
    with progress.shown("evaluate") as on_total:
        found = answer(request, note=progress.note, on_total=on_total)
    emit(
        evaluation.rounded({"schema": evaluation.SCHEMA, **asdict(found)}),
        evaluation_tables.text(found).rstrip("\n"),
        as_json=as_json,
    )
