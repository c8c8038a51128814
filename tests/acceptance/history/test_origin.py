"""A scorecard names the run, the checkpoint and the dataset that it is of, and files that are not those are refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from acceptance import workspace as workspaces
from acceptance.history import origin
from acceptance.journal import Journal
from tests.acceptance.history.evaluations import clip, evaluation
from tests.acceptance.records import session_started
from trainer.errors import DataError

VOICE, DATASET = b"the weights of a voice", b"a dataset"
VOICE_SHA256, DATASET_SHA256 = (hashlib.sha256(data).hexdigest() for data in (VOICE, DATASET))
RUN_ID = "20260102T030405Z-1a2b3c"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "voice.pt"
    path.write_bytes(VOICE)
    return path


def accepted_run(workspace: Path, checkpoint_sha256: str, run_id: str = RUN_ID) -> None:
    journal = Journal(workspaces.make_run_dir(workspace, run_id) / workspaces.JOURNAL)
    journal.append(session_started(run_id))
    journal.append({"event": "fact", "name": "manifest", "value": {"sha256": DATASET_SHA256}})
    journal.append({"event": "fact", "name": "checkpoint", "value": {"sha256": checkpoint_sha256}})
    journal.close()


def found(workspace: Path, checkpoint_sha256: str | None = None, digest: str = "0" * 64, **files) -> origin.Origin:
    return origin.find(evaluation([clip(1)], checkpoint_sha256=checkpoint_sha256), digest, workspace=workspace, **files)


def test_the_acceptance_run_that_made_the_checkpoint_gives_its_name_and_its_dataset(tmp_path: Path, checkpoint: Path) -> None:
    accepted_run(tmp_path, VOICE_SHA256)
    of_run = found(tmp_path, VOICE_SHA256)
    assert (of_run.run_id, of_run.manifest_sha256) == (RUN_ID, DATASET_SHA256)
    assert of_run.manifest_path == session_started(RUN_ID)["settings"]["manifest"]
    assert found(tmp_path, checkpoint=checkpoint).run_id == RUN_ID


def test_later_runs_do_not_rename_a_voice(tmp_path: Path) -> None:
    accepted_run(tmp_path, VOICE_SHA256)
    for run_id, sha256 in (("20990101T000000Z-000001", VOICE_SHA256), ("20990101T000000Z-000002", "1" * 64)):
        accepted_run(tmp_path, sha256, run_id)
    assert found(tmp_path, VOICE_SHA256).run_id == RUN_ID


def test_another_checkpoint_is_not_taken_for_the_newest_run(tmp_path: Path) -> None:
    accepted_run(tmp_path, "1" * 64)
    assert found(tmp_path, VOICE_SHA256).run_id.startswith("eval-")
    assert found(tmp_path).run_id.startswith("eval-")


def test_the_same_evaluation_gets_the_same_name_and_another_one_another(tmp_path: Path) -> None:
    names = {found(tmp_path, voice, digest=digest).run_id for voice in (None, VOICE_SHA256) for digest in ("0" * 64, "1" * 64, "0" * 64)}
    assert len(names) == 4


def test_a_given_name_wins(tmp_path: Path) -> None:
    accepted_run(tmp_path, VOICE_SHA256)
    assert found(tmp_path, VOICE_SHA256, run_id="five-minutes").run_id == "five-minutes"


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", "-x", "a\n", "x" * 101])
def test_a_name_that_no_command_line_could_take_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError) as refused:
        found(tmp_path, run_id=name)
    assert refused.value.cause == "settings_invalid"


@pytest.mark.parametrize("what", ["checkpoint", "manifest"])
def test_a_file_that_was_not_evaluated_is_refused(tmp_path: Path, checkpoint: Path, what: str) -> None:
    one = evaluation([clip(1)], checkpoint_sha256="1" * 64, manifest=("manifest.json", "1" * 64))
    with pytest.raises(DataError, match=f"is not the {what} of the evaluation") as refused:
        origin.find(one, "0" * 64, workspace=tmp_path, **{what: checkpoint})
    assert refused.value.cause == "artifact_mismatch"


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"voice\.pt") as refused:
        found(tmp_path, checkpoint=tmp_path / "voice.pt")
    assert refused.value.cause == "artifact_missing"


def test_the_dataset_is_named_relative_to_the_workspace(tmp_path: Path) -> None:
    path = tmp_path / "data" / "manifest.json"
    path.parent.mkdir()
    path.write_bytes(DATASET)
    inside = found(tmp_path, manifest=path)
    assert (inside.manifest_path, inside.manifest_sha256) == ("data/manifest.json", DATASET_SHA256)
    assert found(tmp_path / "elsewhere", manifest=path).manifest_path == "manifest.json"


def test_a_journal_that_cannot_be_read_is_no_origin(tmp_path: Path) -> None:
    accepted_run(tmp_path, VOICE_SHA256)
    (tmp_path / workspaces.LATEST / workspaces.JOURNAL).write_bytes(b"nonsense\n{}\n")
    assert found(tmp_path, VOICE_SHA256).run_id.startswith("eval-")
