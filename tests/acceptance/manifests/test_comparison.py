"""Every edit of a dataset is named, as what it is, and nothing else is."""

from __future__ import annotations

import hashlib
import string
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from acceptance import manifests
from acceptance.manifests.comparison import Change, ChangeKind
from acceptance.manifests.dataset import Dataset, Item, Layout
from tests.acceptance.manifests.clips import flip, tone, with_sidecars, with_table
from trainer.dataset import text_table


def named(before: Dataset, after: Dataset) -> list[tuple[str, str]]:
    return [(str(change.kind), change.id) for change in manifests.compare(before, after).changes]


@pytest.fixture(params=["sidecars", "table"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return with_sidecars(tmp_path) if request.param == "sidecars" else with_table(tmp_path)


def clip(folder: Path, name: str) -> Path:
    return folder / ("clips" if (folder / "metadata.csv").exists() else ".") / f"{name}.flac"


def say(folder: Path, name: str, text: str) -> None:
    table = folder / "metadata.csv"
    if not table.exists():
        (folder / f"{name}.txt").write_text(text) if text else (folder / f"{name}.txt").unlink()
        return
    rows = {row.name: row.text for row in text_table.read(table, table.read_text())} | {name: text}
    table.write_text("".join(f"{clip_id}|{said}\n" for clip_id, said in rows.items() if said))


def resample(path: Path) -> None:
    tone(path, 2, rate=8_000)


def test_a_folder_compared_with_its_own_manifest_has_no_difference(folder: Path) -> None:
    assert named(manifests.create(folder), manifests.snapshot(folder)) == []


def test_one_changed_byte_is_an_audio_change(folder: Path) -> None:
    before = manifests.snapshot(folder)
    flip(clip(folder, "b"))
    assert named(before, manifests.snapshot(folder)) == [("audio_changed", "b")]


def test_one_changed_text_is_a_transcript_change(folder: Path) -> None:
    before = manifests.snapshot(folder)
    say(folder, "b", "Two blue cats.")
    found = manifests.compare(before, manifests.snapshot(folder)).changes
    assert [(change.kind, change.id, change.before, change.after) for change in found] == [
        (ChangeKind.TRANSCRIPT, "b", {"transcript": "Two blue cars."}, {"transcript": "Two blue cats."})
    ]


def test_blanks_are_no_change_of_a_transcript(folder: Path) -> None:
    before = manifests.snapshot(folder)
    say(folder, "b", "  Two  blue cars. ")
    assert named(before, manifests.snapshot(folder)) == []


def test_a_removed_and_an_added_clip_are_named(folder: Path) -> None:
    before = manifests.snapshot(folder)
    clip(folder, "b").unlink()
    say(folder, "b", "")
    tone(clip(folder, "e"), 9)
    say(folder, "e", "New.")
    assert named(before, manifests.snapshot(folder)) == [("added", "e"), ("removed", "b")]


def test_a_resampled_clip_is_a_change_of_format_and_not_also_of_audio(folder: Path) -> None:
    before = manifests.snapshot(folder)
    resample(clip(folder, "c"))
    found = manifests.compare(before, manifests.snapshot(folder)).changes
    assert [(change.kind, change.id) for change in found] == [(ChangeKind.FORMAT, "c")]
    assert (found[0].before["sample_rate"], found[0].after["sample_rate"]) == (16_000, 8_000)


@pytest.mark.parametrize(
    ("suffix", "subtype", "fields"), [("wav", "PCM_16", {"format"}), ("flac", "PCM_24", {"subtype"})]
)
def test_a_clip_in_another_encoding_is_a_change_of_format(
    tmp_path: Path, suffix: str, subtype: str, fields: set[str]
) -> None:
    folder = with_sidecars(tmp_path)
    before = manifests.snapshot(folder)
    samples, rate = soundfile.read(folder / "b.flac")
    (folder / "b.flac").unlink()
    soundfile.write(folder / f"b.{suffix}", samples, rate, subtype=subtype)
    found = manifests.compare(before, manifests.snapshot(folder)).changes
    assert [(change.kind, change.id) for change in found] == [(ChangeKind.FORMAT, "b")]
    assert fields <= found[0].after.keys()


def test_a_renamed_clip_is_moved_and_not_removed_and_added(folder: Path) -> None:
    before = manifests.snapshot(folder)
    clip(folder, "b").rename(clip(folder, "x"))
    say(folder, "b", "")
    say(folder, "x", "Two blue cars.")
    found = manifests.compare(before, manifests.snapshot(folder)).changes
    assert [(change.kind, change.id_before, change.id) for change in found] == [(ChangeKind.MOVED, "b", "x")]


def test_a_clip_that_becomes_held_out_is_named(small_manifest: Path) -> None:
    before = manifests.load(small_manifest)
    first = before.items[0]
    after = replace(
        before, items=(replace(first, split={"train": "held_out", "held_out": "train"}[first.split]), *before.items[1:])
    )
    assert named(before, after) == [("split_changed", first.id)]


# --- every sequence of edits ----------------------------------------------------------------------------------------------


def item(name: str, sound: int, text: str, rate: int = 22_050) -> Item:
    """A clip whose digest follows from what it holds."""
    return Item(
        id=name,
        path=f"{name}.flac",
        bytes=1000 + sound,
        sha256=hashlib.sha256(f"{sound} {rate}".encode()).hexdigest(),
        duration_s=1.0 + sound % 7,
        sample_rate=rate,
        channels=1,
        format="FLAC",
        subtype="PCM_16",
        transcript=text,
        transcript_sha256=hashlib.sha256(text.encode()).hexdigest(),
        transcript_source="sidecar",
        split=None,
    )


def dataset(items: dict[str, Item]) -> Dataset:
    ordered = tuple(items[name] for name in sorted(items))
    return Dataset(layout=Layout.SIDECARS, items=ordered, unlisted=(), sha256="0" * 64)


NAMES = st.text(string.ascii_lowercase + "éß", min_size=1, max_size=3)
TEXTS = st.sampled_from(["", "One red car.", "Two.", "Zwölf Boxkämpfer"])
DATASETS = st.dictionaries(NAMES, st.tuples(st.integers(0, 5), TEXTS, st.sampled_from([16_000, 22_050]))).map(
    lambda made: dataset({name: item(name, *facts) for name, facts in made.items()})
)


@given(DATASETS)
def test_nothing_differs_from_itself(one: Dataset) -> None:
    found = manifests.compare(one, one)
    assert not found.changes and found.unchanged == len(one.items)


def mirrored(change: Change) -> Change:
    """The same difference seen from the other side."""
    kind = {ChangeKind.ADDED: ChangeKind.REMOVED, ChangeKind.REMOVED: ChangeKind.ADDED}.get(change.kind, change.kind)
    return Change(kind=kind, id=change.id_before, id_before=change.id, before=change.after, after=change.before)


@given(DATASETS, DATASETS)
def test_a_comparison_is_the_mirror_of_the_other_way_round(one: Dataset, other: Dataset) -> None:
    def key(change):
        return str(change)

    there, back = manifests.compare(one, other), manifests.compare(other, one)
    assert sorted(there.changes, key=key) == sorted((mirrored(change) for change in back.changes), key=key)
    assert there.unchanged == back.unchanged


@given(DATASETS, DATASETS)
def test_every_clip_of_both_sides_is_accounted_for(one: Dataset, other: Dataset) -> None:
    found = manifests.compare(one, other)
    touched = {
        (change.id_before, change.id)
        for change in found.changes
        if change.kind not in (ChangeKind.ADDED, ChangeKind.REMOVED)
    }
    assert len(found.of(ChangeKind.REMOVED)) + len(touched) + found.unchanged == len(one.items)
    assert len(found.of(ChangeKind.ADDED)) + len(touched) + found.unchanged == len(other.items)


EDITS = st.sampled_from([*ChangeKind])


@given(st.dictionaries(NAMES, EDITS | st.none(), max_size=12))
def test_random_edits_are_named_and_nothing_else(edits: dict[str, ChangeKind | None]) -> None:
    before, after, expected = {}, {}, Counter()
    for sound, (name, edit) in enumerate(sorted(edits.items())):  # every clip sounds different
        old = replace(item(name, sound, f"Text {sound}."), split="train")
        new, renamed = old, name
        if edit is ChangeKind.MOVED:
            renamed = f"{name}-moved"
            new = replace(old, id=renamed, path=f"{renamed}.flac")
        elif edit is ChangeKind.AUDIO:
            new = replace(item(name, sound + 1000, old.transcript), split="train")
        elif edit is ChangeKind.FORMAT:
            new = replace(item(name, sound, old.transcript, rate=8_000), split="train")
        elif edit is ChangeKind.TRANSCRIPT:
            new = replace(item(name, sound, "Other."), split="train")
        elif edit is ChangeKind.SPLIT:
            new = replace(old, split="held_out")
        if edit is not ChangeKind.ADDED:
            before[name] = old
        if edit is not ChangeKind.REMOVED:
            after[renamed] = new
        if edit:
            expected[edit, name if edit is ChangeKind.REMOVED else renamed] += 1
    found = manifests.compare(dataset(before), dataset(after))
    assert Counter((change.kind, change.id) for change in found.changes) == expected
    assert found.unchanged == sum(edit is None for edit in edits.values())
