"""`voice manifest`: what a dataset holds, what changed between two, and whether it is still there."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from acceptance.cli.options import PATH
from acceptance.cli.output import NO, YES, answers, emit, finish
from trainer.files.printable import notice_line

_threads = click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=None,
    help="Threads that hash (default: every core that may be used).",
)


@click.group()
def manifest() -> None:
    """Write, compare and verify the manifest of a dataset.

    \b
    voice manifest create voices/dottie
    voice manifest verify voices/dottie
    voice manifest compare dottie-v1.json voices/dottie --exit-code
    """


@manifest.command()
@click.argument("target", type=PATH)
@click.option(
    "--output", "-o", type=PATH, default=None, help="Where to write it (default: clip_manifest.json in the folder)."
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is no manifest, too.")
@_threads
@answers
def create(target: Path, output: Path | None, overwrite: bool, threads: int | None, as_json: bool) -> None:
    """Write the manifest of a dataset.

    TARGET is a prepared run, a folder of clips, or one recording with its text.
        A folder's clips are what its metadata.csv (id|text) lists, or else every audio file in it and below, each with the text beside it.
    The same folder gives the same bytes: paths are relative, and no time is written.

    \b
    voice manifest create voices/dottie
    voice manifest create artifacts/prepare --output dottie-v2.json
    voice manifest create recording.flac
    """
    from acceptance.manifests import creation, rendering, summary

    with _progress(as_json) as advance:
        dataset = creation.create(target, output, overwrite=overwrite, threads=threads, on_progress=advance)
    facts = {
        "path": str(dataset.path),
        "sha256": dataset.sha256,
        "layout": dataset.layout,
        "unlisted": list(dataset.unlisted or ()),
    }
    for note in dataset.notes:
        click.echo(notice_line(note), err=True)
    text = f"{rendering.summary_text(dataset)}\n{'manifest':<21}{dataset.path}\n{'sha256':<21}{dataset.sha256}"
    emit({**facts, "summary": summary.summarise(dataset.items)}, text, as_json=as_json)


@manifest.command()
@click.argument("before", type=PATH)
@click.argument("after", type=PATH)
@click.option("--markdown", is_flag=True, help="Print a Markdown table.")
@click.option("--exit-code", is_flag=True, help="End with 1 where anything differs.")
@_threads
@answers
def compare(before: Path, after: Path, markdown: bool, exit_code: bool, threads: int | None, as_json: bool) -> None:
    """Name every clip that differs between two datasets.

    A clip is added, removed, moved, or changed in format, audio, transcript or split.
        Each side is a manifest (of `create`, or of a preparation) or a folder, which is hashed as it is now: a clip that its table
    lists and that is not there is removed. A resampled or re-encoded clip is named once, as changed in format; "audio changed"
    means other sound in the same format.

    \b
    voice manifest compare dottie-v1.json dottie-v2.json
    voice manifest compare dottie-v1.json voices/dottie --exit-code
    voice manifest compare voices/a voices/b --markdown
    """
    from acceptance import manifests
    from acceptance.manifests import rendering
    from trainer.dataset.clip_names import shown

    if markdown and as_json:
        raise click.UsageError("--markdown and --json exclude each other")
    sides = []
    for each in (before, after):
        with _progress(as_json) as advance:
            sides.append(manifests.read(each, threads=threads, on_progress=advance))
        if sides[-1].missing:
            click.echo(
                notice_line(f"{each} lists clips that are not there: {', '.join(map(shown, sides[-1].missing))}"),
                err=True,
            )
    old, new = sides
    found = manifests.compare(old, new)
    render = rendering.comparison_markdown if markdown else rendering.comparison_text
    labels = [str(before), str(after)]
    emit(rendering.comparison_document(found, old, new), render(found, old, new, labels), as_json=as_json)
    finish(NO if exit_code and found.changes else YES)


@manifest.command()
@click.argument("target", type=PATH)
@click.option("--root", type=PATH, default=None, help="The folder of the clips (default: where the manifest lies).")
@_threads
@answers
def verify(target: Path, root: Path | None, threads: int | None, as_json: bool) -> None:
    """Verify that a dataset is as its manifest says.

    Everything is hashed again; what is missing, changed or extra is named (exit status 1). TARGET may be the folder in which a manifest lies.

    \b
    voice manifest verify voices/dottie
    voice manifest verify dottie-v2.json --root voices/dottie
    """
    from acceptance import manifests
    from acceptance.manifests import rendering, verification

    dataset = manifests.load(manifests.manifest_in(target))
    with _progress(as_json) as advance:
        faults = manifests.verify(dataset, root or dataset.place.parent, threads=threads, on_progress=advance)
    if root is None:
        verification.require_place(dataset, faults)
    facts = {"manifest": str(dataset.path), "sha256": dataset.sha256, "items": len(dataset.items), "intact": not faults}
    text = rendering.faults_text(faults, str(dataset.path), len(dataset.items))
    emit({**facts, "faults": [asdict(fault) for fault in faults]}, text, as_json=as_json)
    finish(NO if faults else YES)


@contextmanager
def _progress(as_json: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar of bytes on a terminal, nothing elsewhere."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    lock = threading.Lock()
    with tqdm(desc="hashing", unit="B", unit_scale=True, unit_divisor=1024, leave=False) as bar:

        def advance(more: int, total: int) -> None:
            with lock:
                bar.total = total
                bar.update(more)

        yield advance
