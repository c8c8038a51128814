"""The three folders, the verdicts as JSON lines and as a table, and the summary of a batch."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.policy import Policy
from acceptance.production import delivery
from acceptance.production.report import Summary
from acceptance.production.take_verdicts import JudgedTake, TakeFilter
from tests.acceptance.production.made_rows import failed, row
from trainer.errors import DataError

FOLDERS = ("approved", "rejected", "quarantine")


@pytest.fixture
def takes(tmp_path: Path) -> list[tuple[JudgedTake, Path | None]]:
    """An approved, a rejected and an unjudged take with their clips, and one that was never spoken."""
    clips = tmp_path / "shards/clips"
    clips.mkdir(parents=True)
    rows = []
    for number, made in enumerate((row("a", text="=1|2, he said"), row("b", similarity=0.1), failed("c"))):
        content = bytes([number]) * 100
        (clips / str(made.file)).write_bytes(content)
        rows.append((made, hashlib.sha256(content).hexdigest()))
    spoken = [row(made.id, **{**_changes(made), "sha256": digest}) for made, digest in rows]
    unspoken = failed("d")
    unspoken = row("d", **{**_changes(unspoken), "sha256": None})
    judged = TakeFilter(Policy(), "ge2e_cosine", best_of=False).judged([*spoken, unspoken])
    return [(one, clips / str(one.row.file) if one.row.sha256 else None) for one in judged]


def _changes(made: object) -> dict[str, object]:
    names = ("text", "similarity", "overall", "speech", "background", "p808", "word_edits", "words", "character_edits", "characters",
             "heard", "signal", "faults", "error")  # fmt: skip
    return {name: getattr(made, name) for name in names}


def deliver(batch: Path, takes: list[tuple[JudgedTake, Path | None]]) -> Summary:
    summary = Summary()
    passed: Iterator[JudgedTake] = summary.counted(delivery.deliver(batch, takes))
    assert len(list(passed)) == len(takes)
    return summary


def files(batch: Path) -> dict[str, bytes]:
    found = [path for folder in FOLDERS for path in (batch / folder).iterdir()]
    found += [batch / name for name in (delivery.VERDICTS, delivery.TABLE)]
    return {str(path.relative_to(batch)): path.read_bytes() for path in found}


def test_every_clip_lies_where_its_verdict_says_and_takes_no_second_place_on_the_disk(tmp_path: Path, takes) -> None:
    deliver(tmp_path, takes)
    listed = {folder: sorted(os.listdir(tmp_path / folder)) for folder in FOLDERS}
    assert listed == {
        "approved": ["a_t1.flac", "metadata.csv"], "rejected": ["b_t1.flac"], "quarantine": ["c_t1.flac"],
    }  # fmt: skip
    assert (tmp_path / "approved/a_t1.flac").stat().st_nlink == 2


def test_the_approved_clips_are_listed_as_a_dataset(tmp_path: Path, takes) -> None:
    deliver(tmp_path, takes)
    assert (tmp_path / "approved/metadata.csv").read_text() == "a_t1.flac|=1 2, he said\n"


def test_every_take_has_a_line_and_a_row_with_its_reasons(tmp_path: Path, takes) -> None:
    deliver(tmp_path, takes)
    lines = [json.loads(line) for line in (tmp_path / "verdicts.jsonl").read_text().splitlines()]
    assert [(line["id"], line["verdict"], bool(line["reasons"])) for line in lines] == [
        ("a", "approved", False), ("b", "rejected", True), ("c", "quarantine", True), ("d", "quarantine", True),
    ]  # fmt: skip
    with (tmp_path / "verdicts.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [line["reasons"] for line in table] == ["; ".join(line["reasons"]) for line in lines]
    assert table[0]["text"] == "'=1|2, he said", "no spreadsheet may take a text for a formula"


def test_the_same_takes_again_change_nothing_and_a_clip_in_a_wrong_place_goes_to_its_own(tmp_path: Path, takes) -> None:
    deliver(tmp_path, takes)
    before = files(tmp_path)
    (tmp_path / "approved/b_t1.flac").write_bytes(b"of a killed sorting")
    (tmp_path / "rejected/b_t1.flac").unlink()
    (tmp_path / "quarantine/c_t1.flac").unlink()
    (tmp_path / "quarantine/c_t1.flac").write_bytes(b"torn")
    deliver(tmp_path, takes)
    assert files(tmp_path) == before


def test_a_persons_own_file_in_a_folder_stays(tmp_path: Path, takes) -> None:
    deliver(tmp_path, takes)
    (tmp_path / "approved/notes.txt").write_text("mine")
    deliver(tmp_path, takes)
    assert (tmp_path / "approved/notes.txt").read_text() == "mine"


def test_the_summary_counts_every_take_once(tmp_path: Path, takes) -> None:
    summary = deliver(tmp_path, takes)
    assert summary.counts(left_out=7) == {
        "generated": 4, "approved": 1, "rejected": 1, "quarantined": 2, "left_out": 7, "prompts": 4, "prompts_approved": 1,
    }  # fmt: skip
    means = summary.means()
    assert means is not None and means["similarity"] == 0.9 and means["wer"] == 0.0
    assert [found["id"] for found in summary.best()] == ["a"]
    assert [found["id"] for found in summary.worst()] == ["c", "d", "b"], "those without a score come first"


def test_without_an_approved_take_there_are_no_means(tmp_path: Path, takes) -> None:
    assert deliver(tmp_path, takes[1:]).means() is None


def test_only_the_ten_best_and_worst_are_kept(tmp_path: Path) -> None:
    rows = [row(f"p{number:03d}", similarity=0.76 + number / 1000) for number in range(30)]
    summary = Summary()
    list(summary.counted(TakeFilter(Policy(), "ge2e_cosine", best_of=False).judged(rows)))
    assert [found["id"] for found in summary.best()] == [f"p{number:03d}" for number in range(29, 19, -1)]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_link_in_the_place_of_a_folder_costs_nobody_a_file(tmp_path: Path, takes, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a_t1.flac").write_bytes(b"mine")
    (tmp_path / name).symlink_to(elsewhere)
    with pytest.raises(DataError, match="symbolic link") as refused:
        deliver(tmp_path, takes)
    assert refused.value.cause == "output_exists" and files_in(elsewhere) == {"a_t1.flac": b"mine"}


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
