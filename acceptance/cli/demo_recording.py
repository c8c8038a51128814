"""`voice demo-recording`: the recording of the demonstration."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from acceptance.cli.options import PATH
from acceptance.cli.output import answers, emit
from acceptance.voices import consent as records
from trainer.errors import import_failures
from trainer.files import rows
from trainer.files.atomic_file import write_atomically

_CONSENT = records.template(
    name="The demonstration's speaker",
    consent=datetime.date(2026, 1, 1),
    scope=records.SCOPES,
    evidence="a program's voice: nobody has to agree",
    recording="rendered by eSpeak NG",
    weights="Apache-2.0",
)


@click.command("demo-recording")
@click.argument("output", type=PATH, metavar="FILE.flac")
@answers
def demo_recording(output: Path, as_json: bool) -> None:
    """Render the demonstration recording and its transcript.

    A synthetic voice reads for four to five minutes; the same bytes every time. Beside it lies its consent record (voice.toml), so that a
    production can be tried; one that is there stays.

    \b
    voice demo-recording artifacts/demo/data/demo_recording.flac
    """
    with import_failures():
        from trainer.teachers import demo_recording as demo
    transcript = output.with_suffix(".txt")
    seconds = demo.render(output, transcript)
    consent = output.with_name(records.NAME)
    if not consent.exists():
        write_atomically(consent, _CONSENT.encode())
    size = output.stat().st_size
    document = {
        "schema": "demo/1",
        "recording": str(output),
        "seconds": seconds,
        "bytes": size,
        "transcript": str(transcript),
        "consent": str(consent),
    }
    said = [("recording", f"{output} ({seconds:.1f} s, {size} bytes)"), ("transcript", str(transcript))]
    text = rows.text([*said, ("consent record", str(consent))])
    emit(document, text, as_json=as_json)
