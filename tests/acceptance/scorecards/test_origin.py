"""A scorecard names the run, the checkpoint and the dataset that it is of, and files that are not those are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.failure import HarnessError
from acceptance.record import workspace as workspaces
from acceptance.scorecards import origin
from acceptance.scorecards.origin import Acceptance
from tests.acceptance.records import session_started
from tests.acceptance.scorecards.evaluations import clip, evaluation
from tests.acceptance.scorecards.makings import LEARNED, RUN_ID, accepted_run, checkpoint_file, sha256
from trainer.errors import DataError

VOICE_SHA256, DATASET_SHA256 = "a" * 64, "d" * 64
LATER = "20990101T000000Z-000001"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A voice that was trained on a dataset."""
    checkpoint_file(tmp_path / "voice.pt", DATASET_SHA256)
    return tmp_path / "voice.pt"


def found(workspace: Path, checkpoint_sha256: str | None = None, digest: str = "0" * 64, **files) -> origin.Origin:
    return origin.find(evaluation([clip(1)], checkpoint_sha256=checkpoint_sha256), digest, workspace=workspace, **files)


def test_the_acceptance_run_that_made_the_checkpoint_gives_its_name_its_dataset_and_its_verdict(
    tmp_path: Path, checkpoint: Path
) -> None:
    accepted_run(tmp_path, sha256(checkpoint), DATASET_SHA256)
    of_run = found(tmp_path, sha256(checkpoint))
    assert (of_run.run_id, of_run.manifest_sha256) == (RUN_ID, DATASET_SHA256)
    assert of_run.manifest_path == session_started(RUN_ID)["settings"]["manifest"]
    assert of_run.acceptance == Acceptance(status="success", run_id=RUN_ID)
    assert found(tmp_path, checkpoint=checkpoint).run_id == RUN_ID


def test_a_blocked_run_is_said_with_its_step_and_a_later_success_with_the_same_bytes_counts(tmp_path: Path) -> None:
    accepted_run(tmp_path, VOICE_SHA256, DATASET_SHA256, blocked_at=LEARNED)
    assert found(tmp_path, VOICE_SHA256).acceptance == Acceptance(
        status="blocked", run_id=RUN_ID, first_failed_step=LEARNED
    )
    accepted_run(tmp_path, VOICE_SHA256, DATASET_SHA256, LATER)
    later = found(tmp_path, VOICE_SHA256)
    assert (later.run_id, later.acceptance) == (LATER, Acceptance(status="success", run_id=LATER))


def test_a_checkpoint_that_no_run_made_is_of_unknown_making(tmp_path: Path, checkpoint: Path) -> None:
    assert found(tmp_path, VOICE_SHA256).acceptance == Acceptance(status="unknown")
    assert not found(tmp_path, VOICE_SHA256).checkpoint_read
    shown = found(tmp_path, checkpoint=checkpoint)
    assert shown.checkpoint_read and shown.manifest_sha256 == DATASET_SHA256 and shown.licence is None


@pytest.mark.parametrize(
    ("record", "promotable"),
    [
        ({"spdx": "CC-BY-NC-4.0", "promotable": False}, False), ({"spdx": "CC-BY-NC-4.0", "promotable": True}, True),
        ({"spdx": "CC-BY-NC-4.0"}, False), ({"spdx": "CC-BY-NC-4.0", "promotable": 1}, False), ("CC-BY-NC-4.0", False),
    ],
)  # fmt: skip
def test_the_licence_is_that_of_the_checkpoint_or_else_of_its_training(
    tmp_path: Path, record: object, promotable: bool
) -> None:
    digest = checkpoint_file(tmp_path / "voice.pt", DATASET_SHA256, licence=record)
    licence = found(tmp_path, checkpoint=tmp_path / "voice.pt").licence
    assert (licence.name, licence.promotable) == ("CC-BY-NC-4.0", promotable)
    accepted_run(tmp_path, digest, DATASET_SHA256, licence=record)
    assert found(tmp_path, digest).licence == licence


def test_later_runs_do_not_rename_a_voice(tmp_path: Path) -> None:
    for run_id, digest in ((RUN_ID, VOICE_SHA256), (LATER, VOICE_SHA256), ("20990101T000000Z-000002", "1" * 64)):
        accepted_run(tmp_path, digest, DATASET_SHA256, run_id)
    assert found(tmp_path, VOICE_SHA256).run_id == RUN_ID


def test_another_checkpoint_is_not_taken_for_the_newest_run(tmp_path: Path) -> None:
    accepted_run(tmp_path, "1" * 64, DATASET_SHA256)
    assert found(tmp_path, VOICE_SHA256).run_id.startswith("eval-")
    assert found(tmp_path).run_id.startswith("eval-")


def test_the_same_evaluation_gets_the_same_name_and_another_one_another(tmp_path: Path) -> None:
    names = {
        found(tmp_path, voice, digest=digest).run_id
        for voice in (None, VOICE_SHA256)
        for digest in ("0" * 64, "1" * 64, "0" * 64)
    }
    assert len(names) == 4


def test_a_given_name_wins(tmp_path: Path) -> None:
    accepted_run(tmp_path, VOICE_SHA256, DATASET_SHA256)
    assert found(tmp_path, VOICE_SHA256, run_id="five-minutes").run_id == "five-minutes"


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", "-x", "a\n", "x" * 101])
def test_a_name_that_no_command_line_could_take_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(HarnessError) as refused:
        found(tmp_path, run_id=name)
    assert refused.value.cause == "settings_invalid"


@pytest.mark.parametrize("what", ["checkpoint", "manifest"])
def test_a_file_that_was_not_evaluated_is_refused(tmp_path: Path, checkpoint: Path, what: str) -> None:
    one = evaluation([clip(1)], checkpoint_sha256="1" * 64, manifest=("manifest.json", "1" * 64))
    with pytest.raises(HarnessError, match=f"is not the {what} of the evaluation") as refused:
        origin.find(one, "0" * 64, workspace=tmp_path, **{what: checkpoint})
    assert refused.value.cause == "artifact_mismatch"


def test_a_link_to_the_evaluated_checkpoint_is_that_checkpoint(tmp_path: Path, checkpoint: Path) -> None:
    link = tmp_path / "newest.pt"
    link.symlink_to(checkpoint)
    assert found(tmp_path, checkpoint=link) == found(tmp_path, checkpoint=checkpoint)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"voice\.pt") as refused:
        found(tmp_path, checkpoint=tmp_path / "voice.pt")
    assert refused.value.cause == "artifact_missing"


@pytest.mark.parametrize("content", [b"", b"# README", b"PK\x03\x04 and nothing else"])
def test_a_file_that_is_no_checkpoint_is_no_origin(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "voice.pt").write_bytes(content)
    with pytest.raises(
        DataError, match=r"is no checkpoint of a voice: .*; give the file that the training wrote"
    ) as refused:
        found(tmp_path, checkpoint=tmp_path / "voice.pt")
    assert refused.value.cause == "checkpoint_invalid"


def test_a_file_that_is_no_manifest_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("Apache License")
    with pytest.raises(DataError, match="LICENSE") as refused:
        found(tmp_path, manifest=tmp_path / "LICENSE")
    assert refused.value.cause == "manifest_invalid"


def test_files_run_and_evaluation_have_to_name_one_dataset(
    tmp_path: Path, checkpoint: Path, small_manifest: Path
) -> None:
    of_another = evaluation([clip(1)], manifest=("manifest.json", "e" * 64))
    for one, files in ((evaluation([clip(1)]), {"manifest": small_manifest}), (of_another, {})):
        with pytest.raises(
            (HarnessError, DataError), match="was trained on another dataset than the manifest's"
        ) as refused:
            origin.find(one, "0" * 64, workspace=tmp_path, checkpoint=checkpoint, **files)
        assert refused.value.cause == "artifact_mismatch"
    accepted_run(tmp_path, VOICE_SHA256, DATASET_SHA256)
    with pytest.raises(
        (HarnessError, DataError), match=f"run {RUN_ID} trained the checkpoint on another dataset"
    ) as refused:
        origin.find(
            evaluation([clip(1)], checkpoint_sha256=VOICE_SHA256, manifest=("m.json", "e" * 64)),
            "0" * 64,
            workspace=tmp_path,
        )
    assert refused.value.cause == "artifact_mismatch"


def test_the_dataset_is_named_relative_to_the_workspace(tmp_path: Path, small_manifest: Path) -> None:
    path = tmp_path / "data" / "manifest.json"
    path.parent.mkdir()
    path.write_bytes(small_manifest.read_bytes())
    inside = found(tmp_path, manifest=path)
    assert (inside.manifest_path, inside.manifest_sha256) == ("data/manifest.json", sha256(path))
    assert found(tmp_path / "elsewhere", manifest=path).manifest_path == "manifest.json"


def test_a_journal_that_cannot_be_read_is_no_origin(tmp_path: Path) -> None:
    accepted_run(tmp_path, VOICE_SHA256, DATASET_SHA256)
    (tmp_path / workspaces.LATEST / workspaces.JOURNAL).write_bytes(b"nonsense\n{}\n")
    assert found(tmp_path, VOICE_SHA256).run_id.startswith("eval-")
