"""A shard spoken and judged: as `voice say` speaks, resumable at every byte, and refused where it does not hold."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trainer.production import batches
from trainer.errors import DataError, RuntimeSetupError
from trainer.production import layout, plan, shard, shard_folder, studio, takes, timing, verification, version
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.speaking import Speaking

pytestmark = pytest.mark.long


@pytest.fixture
def batch(finished: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(finished, tmp_path / "batch"))


def place_of(batch: Path, index: int) -> Path:
    return layout.shard_folder(batch, index, 3)


def rows_of(place: Path) -> list[takes.TakeRow]:
    return [takes.loads(line) for line in (place / layout.TAKES).read_bytes().splitlines(keepends=True)]


def test_a_clip_is_what_say_speaks_with_its_seed(finished: Path, tmp_path: Path) -> None:
    row = rows_of(place_of(finished, 2))[1]
    assert (row.id, row.take, row.seed, row.text) == ("0002", 2, 1, batches.TEXTS[1])
    said = tmp_path / "said.flac"
    Speaking(checkpoint=finished / layout.VOICE, text=row.text, delivery=Delivery(seed=row.seed)).to_file(said)
    assert said.read_bytes() == (place_of(finished, 2) / layout.CLIPS / str(row.file)).read_bytes()


def test_every_take_has_a_row_in_order_and_all_measures(finished: Path) -> None:
    found = list(verification.rows_of(finished, plan.read(finished)))
    assert [(row.id, row.take) for row in found] == [(f"{n:04d}", take) for n in (1, 2, 3) for take in (1, 2)]
    assert all(row.error is None and row.signal is not None and row.seconds == row.signal.seconds for row in found)
    assert len({row.sha256 for row in found}) == len(found)


def test_what_it_cost_is_written_by_stage(finished: Path) -> None:
    cost = timing.of(place_of(finished, 1))
    assert cost.takes == 2 and cost.audio_s > 1.0
    assert set(cost.cpu_s) == {"load", "speak", "signal", "similarity", "realism", "intelligibility"}
    assert min(cost.cpu_s.values()) > 0.0


def cut_row(place: Path) -> None:
    whole = (place / layout.TAKES).read_bytes()
    (place / layout.TAKES).write_bytes(whole[:-20])


def no_rows(place: Path) -> None:
    (place / layout.TAKES).unlink()


def other_clip(place: Path) -> None:
    path = sorted((place / layout.CLIPS).iterdir())[0]
    path.write_bytes(path.read_bytes()[:-1])


def lost_clip(place: Path) -> None:
    sorted((place / layout.CLIPS).iterdir())[1].unlink()


def row_of_another(place: Path) -> None:
    lines = (place / layout.TAKES).read_bytes().splitlines(keepends=True)
    (place / layout.TAKES).write_bytes(b"".join(reversed(lines)))


@pytest.mark.parametrize("damage", [cut_row, no_rows, other_clip, lost_clip, row_of_another])
def test_a_damaged_shard_is_refused_by_name_and_made_again_byte_for_byte(
    finished: Path, batch: Path, damage: Callable[[Path], None]
) -> None:
    place = place_of(batch, 2)
    damage(place)
    with pytest.raises(DataError, match=r"shard 2 of 3 .*remove this folder") as caught:
        verification.check(batch, 2)
    assert caught.value.cause == "shard_invalid"
    (place / layout.DONE).unlink()
    told = []
    shard.run(batch, 2, on_take=lambda: told.append(1))
    assert len(told) == 2
    assert batches.content(place) == batches.content(place_of(finished, 2))
    verification.check(batch, 2)


def test_a_finished_shard_is_not_touched(batch: Path) -> None:
    place = place_of(batch, 1)
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    shard.run(batch, 1)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_an_unfinished_shard_and_one_of_another_plan_are_told_apart(batch: Path) -> None:
    (place_of(batch, 1) / layout.DONE).unlink()
    with pytest.raises(DataError, match="shard 1 of 3") as caught:
        verification.check(batch, 1)
    assert caught.value.cause == "shard_missing"
    batches.make(batch, takes=2, shards=3, seed=7)
    for call in (verification.check, shard.run):
        with pytest.raises(DataError, match=r"shard 2 of 3 .*another plan") as caught:
            call(batch, 2)
        assert caught.value.cause == "shard_of_another_plan"


def test_a_clip_that_no_take_has_is_refused(batch: Path) -> None:
    shutil.copy(sorted((place_of(batch, 3) / layout.CLIPS).iterdir())[0], place_of(batch, 3) / layout.CLIPS / "x.flac")
    with pytest.raises(DataError, match=r"clips/x\.flac is not a clip of any take"):
        verification.check(batch, 3)


def test_a_text_that_cannot_be_spoken_and_a_judge_that_fails_are_rows_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches.make(tmp_path, ("…", "Thank you.", "Sit down."))
    studio.try_judges()  # once a process; what follows is called for takes
    opinion = studio.judging.realism.opinion
    calls = []

    def fails_once(wave: object, rate: int) -> object:
        calls.append(rate)
        if len(calls) == 1:
            raise RuntimeError("the network gave up")
        return opinion(wave, rate)

    monkeypatch.setattr("trainer.evaluation.realism.opinion", fails_once)
    shard.run(tmp_path, 1)
    unspoken, unjudged, good = rows_of(layout.shard_folder(tmp_path, 1, 1))
    assert unspoken.error is not None and unspoken.error.cause == "text_empty" and unspoken.file is None
    assert unjudged.error is not None and unjudged.error.cause == "not_judged" and unjudged.file == "0002_t1.flac"
    assert "RuntimeError: the network gave up" in unjudged.error.message and unjudged.overall is None
    assert good.error is None
    assert verification.check(tmp_path, 1).rows == 3


def test_a_plan_of_another_version_and_other_judges_are_refused_before_a_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches.make(tmp_path)
    monkeypatch.setattr(version, "version", lambda: "trainer abc, torch 1.0")
    with pytest.raises(RuntimeSetupError, match=r"another version .*trainer abc") as caught:
        shard.run(tmp_path, 1)
    assert caught.value.cause == "version_differs"
    monkeypatch.undo()
    monkeypatch.setattr(studio.evaluate, "pins", lambda *_: {"recogniser": "other"})
    with pytest.raises(RuntimeSetupError, match=r"other judges \(.*recogniser") as caught:
        shard.run(tmp_path, 1)
    assert caught.value.cause == "pins_differ"


@pytest.mark.parametrize(
    "name", [layout.SHARDS, f"{layout.SHARDS}/0001-of-0003", f"{layout.SHARDS}/0001-of-0003/clips"]
)
def test_a_shard_is_not_written_through_a_link(batch: Path, name: str) -> None:
    (place_of(batch, 1) / layout.DONE).unlink()
    (batch / name).rename(batch / "away")
    (batch / name).symlink_to(batch / "away")
    before = sorted((batch / "away").rglob("*"))
    with pytest.raises(DataError, match=f"{name} is a symbolic link") as caught:
        shard.run(batch, 1)
    assert caught.value.cause == "output_exists" and sorted((batch / "away").rglob("*")) == before


def test_two_writers_of_one_shard_are_kept_apart(batch: Path) -> None:
    (place_of(batch, 1) / layout.DONE).unlink()
    with shard_folder.of(batch, plan.read(batch), 1).held():
        with pytest.raises(Exception, match="another process is at work on it") as caught:
            shard.run(batch, 1)
        assert caught.value.cause == "shard_busy"
