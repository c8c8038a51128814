"""`voice demo-recording`: the recording of the demonstration."""

from __future__ import annotations

from pathlib import Path

import click

from acceptance.cli.options import PATH
from acceptance.cli.output import answers_errors, emit, json_option
from trainer.errors import import_failures
from trainer.files import rows


@click.command("demo-recording")
@click.argument("output", type=PATH, metavar="FILE.flac")
@json_option
@answers_errors
def demo_recording(output: Path, as_json: bool) -> None:
    """Render the demonstration recording and its transcript.

    A synthetic voice reads for four to five minutes; the same bytes every time.

    \b
    voice demo-recording artifacts/demo/data/demo_recording.flac
    """
    with import_failures():
        from trainer.teachers import demo_recording as demo
    transcript = output.with_suffix(".txt")
    seconds = demo.render(output, transcript)
    size = output.stat().st_size
    document = {
        "schema": "demo/1",
        "recording": str(output),
        "seconds": seconds,
        "bytes": size,
        "transcript": str(transcript),
    }
    text = rows.text([("recording", f"{output} ({seconds:.1f} s, {size} bytes)"), ("transcript", str(transcript))])
    emit(document, text, as_json=as_json)
