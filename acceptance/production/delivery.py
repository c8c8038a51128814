"""What a person gets of a batch: three folders of clips, and a verdict for every take as JSON lines and as a table.

Clips are hard links into the shards, so that a batch lies on the disk once; where links are impossible they are copies.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from acceptance.production.take_verdicts import JudgedTake, TakeVerdict
from trainer.evaluation.evaluation import rounded
from trainer.files import json_lines, output_file, plain_file
from trainer.files.atomic_file import replacing, sync_directory, unwritable
from trainer.files.placed_file import place
from trainer.files.plain_file import PlainFileError

METADATA = "metadata.csv"
VERDICTS, TABLE = "verdicts.jsonl", "verdicts.csv"
_COLUMNS = (
    "id", "take", "verdict", "best", "score", "grade", "similarity", "overall", "wer", "seconds", "faults", "reasons", "heard", "text",
    "file", "sha256", "seed",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def deliver(batch: Path, takes: Iterable[tuple[JudgedTake, Path | None]]) -> Iterator[JudgedTake]:
    """Put every take where its verdict says and write it down; passes each on. The path is where its clip lies in its shard.

    The same takes again change nothing. Raises DataError(output_exists) for a folder that is a link, and
    TrainingError(disk_full | output_not_writable) naming the file.
    """
    folders = {verdict: batch / verdict.value for verdict in TakeVerdict}
    for folder in folders.values():
        output_file.refuse_link(folder)
    try:
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(batch, error) from error
    listed = {verdict: {entry.name for entry in os.scandir(folder)} for verdict, folder in folders.items()}
    with (
        json_lines.NewFile(batch / VERDICTS) as lines,
        _new_text(batch / TABLE) as table,
        _new_text(folders[TakeVerdict.APPROVED] / METADATA) as metadata,
    ):
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(_COLUMNS)
        for one, clip in takes:
            if clip is not None:
                _place(one, clip, folders, listed)
            lines.add(document(one))
            rows.writerow(_table_row(one))
            if one.verdict is TakeVerdict.APPROVED:
                metadata.write(f"{one.row.file}|{one.row.text.replace('|', ' ')}\n")
            yield one


def document(one: JudgedTake) -> dict[str, Any]:
    """A take as a line of `verdicts.jsonl`: its row, and what became of it."""
    row: dict[str, Any] = rounded(asdict(one.row))
    said = {"verdict": one.verdict.value, "reasons": [reason.sentence for reason in one.reasons]}
    return {**row, **said, "score": one.score, "grade": one.grade, "best": one.best}


def _table_row(one: JudgedTake) -> list[str]:
    found = {**document(one), "wer": one.row.wer}
    found["faults"], found["reasons"] = ", ".join(one.row.faults), "; ".join(found["reasons"])
    return [_cell(found[name]) for name in _COLUMNS]


def _cell(value: Any) -> str:
    """A value for a spreadsheet, which must not take a text for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _place(one: JudgedTake, clip: Path, folders: dict[TakeVerdict, Path], listed: dict[TakeVerdict, set[str]]) -> None:
    """Link a clip into its folder, and take it out of the others."""
    for verdict, names in listed.items():
        if verdict is not one.verdict and clip.name in names:
            try:
                (folders[verdict] / clip.name).unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(folders[verdict] / clip.name, error) from error
    target = folders[one.verdict] / clip.name
    if clip.name not in listed[one.verdict] or not _same(target, clip, str(one.row.sha256)):
        place(clip, target)


def _same(target: Path, clip: Path, sha256: str) -> bool:
    """Whether the clip lies there already; a copy by its content."""
    with contextlib.suppress(OSError):
        if target.samefile(clip):
            return True
    try:
        return plain_file.sha256(target) == sha256
    except PlainFileError:
        return False


@contextlib.contextmanager
def _new_text(path: Path) -> Iterator[TextIO]:
    """A text file that appears whole or not at all; raises TrainingError(disk_full | output_not_writable)."""
    try:
        with replacing(path) as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
            yield text
            text.detach()
        sync_directory(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
