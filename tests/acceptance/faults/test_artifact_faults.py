"""Artifacts that do not hold, on both runtimes: the container claims success and only the artifacts say otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.acceptance.faults.site import CHECKPOINT, MANIFEST, STATUS, Site, check_blocked, check_no_container
from tests.acceptance.harness import Session
from tests.acceptance.small_disk import mounted

STATUS_COMPLETED, CHECKPOINT_VALID = "phase_4_artifacts.status_completed", "phase_4_artifacts.checkpoint_valid"
BOUND = "phase_4_artifacts.bound_to_this_run"


def test_the_contracts_job_itself_succeeds(site: Site) -> None:
    session = site.run()
    assert session.block["objective_status"] == "success", session.stdout
    check_no_container(session)


def test_what_the_job_warns_of_is_in_the_report_of_a_success(process_site: Site) -> None:
    process_site.write_status(warnings=["2 of 9 utterances sound like another speaker"])
    session = process_site.run()
    assert session.block["objective_status"] == "success", session.stdout
    assert "the job warns: 2 of 9 utterances sound like another speaker" in session.report["warnings"]


def test_a_real_training_that_learned_too_little_is_no_learning(small_training: Session) -> None:
    check_blocked(small_training, "train_failed", "phase_4_artifacts.learned", "no_learning", kept={})


NO_CHECKPOINT = 'put_checkpoint() { rm -f "$CHECKPOINT_PATH"; }\n'
"""A second fault behind the first, so that the session need not import torch to look at a good checkpoint."""


@pytest.mark.parametrize(
    "written",
    [
        pytest.param('"loss": NaN', id="NaN"),
        pytest.param('"loss": Infinity', id="Infinity"),
        pytest.param('"loss": 1e999', id="1e999"),
        pytest.param('"loss": "0.5"', id="text"),
        pytest.param('"loss": true', id="true"),
        pytest.param('"loss": 0.5, "loss": 0.4', id="duplicate"),
    ],
)
def test_a_loss_that_is_no_finite_number_is_refused(process_site: Site, written: str) -> None:
    loss = process_site.genuine.status["loss"]
    process_site.write_status(lambda text: text.replace(f'"loss": {json.dumps(loss)}', written))
    session = process_site.run(NO_CHECKPOINT + "go")
    check_blocked(session, "train_failed", STATUS_COMPLETED, "status_invalid", kept=process_site.kept)


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        pytest.param('put_status() { rm -f "$TRAIN_STATUS_PATH"; }', "status_missing", id="none"),
        pytest.param('put_status() { : >"$TRAIN_STATUS_PATH"; }', "status_invalid", id="empty"),
        pytest.param(
            'put_status() { head -c 300 "$job/status.json" >"$TRAIN_STATUS_PATH"; }', "status_invalid", id="cut"
        ),
        pytest.param('put_status() { ln -sf /etc/hostname "$TRAIN_STATUS_PATH"; }', "status_invalid", id="link"),
        pytest.param(
            'put_status() { rm -f "$TRAIN_STATUS_PATH"; mkfifo "$TRAIN_STATUS_PATH"; }', "status_invalid", id="FIFO"
        ),
        pytest.param(
            'put_status() { rm -f "$TRAIN_STATUS_PATH"; mkdir "$TRAIN_STATUS_PATH"; }', "status_invalid", id="directory"
        ),
        pytest.param('put_status() { head -c 6000000 /dev/zero >"$TRAIN_STATUS_PATH"; }', "status_invalid", id="huge"),
    ],
)
def test_a_status_that_is_no_plain_small_json_file_is_refused(process_site: Site, script: str, cause: str) -> None:
    session = process_site.run(f"{NO_CHECKPOINT}{script}\ngo")
    check_blocked(session, "train_failed", STATUS_COMPLETED, cause, kept=process_site.kept)


def test_a_status_for_which_the_disk_has_no_room_is_a_full_disk(process_site: Site) -> None:
    """The job goes on to its report after the status came out empty."""
    del process_site.kept[process_site.path(STATUS)]  # its blocks would be room for this run's
    with mounted(process_site.path(STATUS).parent, "size=2m"):
        full = 'put_status() { head -c 9999999 /dev/zero >"${TRAIN_STATUS_PATH%/*}/filler"; cat "$job/status.json" >"$TRAIN_STATUS_PATH"; true; }'
        session = process_site.run(f"{NO_CHECKPOINT}{full}\ngo")
        check_blocked(session, "train_failed", STATUS_COMPLETED, "disk_full", kept=process_site.kept)
    assert "df -h" in session.block["next_unblock_action"]


def test_a_status_that_says_failed_is_not_completed(process_site: Site) -> None:
    process_site.write_status(status="failed", cause="disk_full", message="none")
    check_blocked(process_site.run(), "train_failed", STATUS_COMPLETED, "status_not_completed", kept=process_site.kept)


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        pytest.param('rm -f "$CHECKPOINT_PATH"', "checkpoint_missing", id="none"),
        pytest.param(': >"$CHECKPOINT_PATH"', "checkpoint_invalid", id="empty"),
        pytest.param('head -c 100000 "$job/checkpoint.pt" >"$CHECKPOINT_PATH"', "checkpoint_invalid", id="truncated"),
        pytest.param('ln -sf "$job/checkpoint.pt" "$CHECKPOINT_PATH"', "checkpoint_invalid", id="link"),
        pytest.param('rm -f "$CHECKPOINT_PATH"; mkfifo "$CHECKPOINT_PATH"', "checkpoint_invalid", id="FIFO"),
        pytest.param('rm -f "$CHECKPOINT_PATH"; mkdir "$CHECKPOINT_PATH"', "checkpoint_invalid", id="directory"),
        pytest.param('echo "not an archive" >"$CHECKPOINT_PATH"', "checkpoint_invalid", id="text"),
    ],
)
def test_a_checkpoint_that_is_no_whole_plain_archive_is_refused(process_site: Site, script: str, cause: str) -> None:
    session = process_site.run(f"put_checkpoint() {{ {script}; }}\ngo")
    check_blocked(session, "train_failed", CHECKPOINT_VALID, cause, kept=process_site.kept)


def test_a_flipped_bit_in_the_checkpoint_is_found(process_site: Site) -> None:
    content = bytearray(process_site.path("job/checkpoint.pt").read_bytes())
    content[len(content) // 2] ^= 1
    process_site.path("job/checkpoint.pt").write_bytes(content)
    check_blocked(process_site.run(), "train_failed", CHECKPOINT_VALID, "checkpoint_invalid", kept=process_site.kept)


def test_the_code_in_a_poisoned_checkpoint_never_runs(site: Site) -> None:
    executed = site.workspace.parent / "executed"
    torch.save({"model": _Bomb(executed)}, site.path("job/checkpoint.pt"))
    check_blocked(site.run(), "train_failed", CHECKPOINT_VALID, "checkpoint_unsafe", kept=site.kept)
    assert not executed.exists()


def test_artifacts_of_an_earlier_run_are_not_taken_for_this_ones(site: Site) -> None:
    session = site.run("report success none")
    check_blocked(session, "train_failed", BOUND, "stale_artifact", kept=site.kept)
    assert session.block["checkpoint_sha256"] == session.block["train_status_json"] == "N/A"


def test_an_earlier_checkpoint_under_this_runs_status_is_stale(process_site: Site) -> None:
    session = process_site.run("put_checkpoint() { :; }\ngo")
    check_blocked(session, "train_failed", BOUND, "stale_artifact", kept=process_site.kept)


def test_a_checkpoint_that_is_not_the_one_the_status_names_is_refused(process_site: Site) -> None:
    checkpoint = torch.load(process_site.genuine.checkpoint, weights_only=True)
    checkpoint["training"]["seed"] = 1
    torch.save(checkpoint, process_site.path("job/checkpoint.pt"))
    check_blocked(process_site.run(), "train_failed", BOUND, "artifact_mismatch", kept=process_site.kept)


def test_a_manifest_prepared_under_other_thresholds_than_the_policys_is_refused(process_site: Site) -> None:
    path = process_site.path("job/manifest.json")
    document = json.loads(path.read_text())
    document["preparation"]["settings"]["min_snr_db"] = -30.0
    path.write_text(json.dumps(document))
    session = process_site.run(NO_CHECKPOINT + "go")
    check_blocked(
        session, "train_failed", "phase_4_artifacts.manifest_valid", "manifest_invalid", kept=process_site.kept
    )
    assert "prepared under other thresholds than the policy's: min_snr_db -30, not 10" in session.stdout


@pytest.mark.parametrize("key", ["audio_sha256", "manifest_sha256", "content_sha256"])
def test_a_status_that_names_another_digest_is_refused(process_site: Site, key: str) -> None:
    process_site.write_status(**{key: "0" * 64})
    check_blocked(process_site.run(), "train_failed", BOUND, "artifact_mismatch", kept=process_site.kept)


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        pytest.param('marker data_ok; rm -f "$MANIFEST_PATH"', "manifest_missing", id="none"),
        pytest.param('marker data_ok; echo "{}" >"$MANIFEST_PATH"', "manifest_invalid", id="empty"),
        pytest.param('cp -R "$job/dataset/." "$(dirname "$MANIFEST_PATH")"; rm "$(dirname "$MANIFEST_PATH")"/utt*/utt_00001.flac; '
                     'install_file "$job/manifest.json" "$MANIFEST_PATH"; marker data_ok', "manifest_invalid", id="clip gone"),
        pytest.param('cp -R "$job/dataset/." "$(dirname "$MANIFEST_PATH")"; cd "$(dirname "$MANIFEST_PATH")"/utt*; echo >utt_00001.flac; '
                     'install_file "$job/manifest.json" "$MANIFEST_PATH"; marker data_ok', "manifest_invalid", id="clip changed"),
    ],
)  # fmt: skip
def test_a_manifest_that_does_not_hold_is_refused(process_site: Site, script: str, cause: str) -> None:
    session = process_site.run(f"{NO_CHECKPOINT}put_manifest() {{ {script}; }}\ngo")
    check_blocked(session, "train_failed", "phase_4_artifacts.manifest_valid", cause, kept=process_site.kept)


def test_a_learning_claim_that_the_host_does_not_measure_is_refused(process_site: Site) -> None:
    process_site.objective["remeasure"] = True
    check_blocked(
        process_site.run(), "train_failed", "phase_4_artifacts.learned", "artifact_mismatch", kept=process_site.kept
    )


def test_losses_that_were_not_finite_during_training_are_no_learning(process_site: Site) -> None:
    process_site.write_status(learning={**process_site.genuine.status["learning"], "nonfinite_losses": 2})
    check_blocked(
        process_site.run(), "train_failed", "phase_4_artifacts.learned", "no_learning", kept=process_site.kept
    )


class _Bomb:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def test_a_proof_on_one_held_out_utterance_is_too_little_speech(process_site: Site) -> None:
    process_site.write_status(learning={**process_site.genuine.status["learning"], "heldout_utterances": 1})
    session = process_site.run()
    check_blocked(session, "data_blocked", "phase_4_artifacts.learned", "too_little_speech", kept=process_site.kept)


@pytest.mark.parametrize("name", ["manifest", "checkpoint"])
def test_an_artifact_that_changes_after_it_was_checked_is_no_success(
    name: str, process_site: Site, tmp_path: Path
) -> None:
    """Somebody else writes between phases 4 and 5; the session's own hooks stand in for them."""
    (tmp_path / "late_writer.py").write_text(
        "def pytest_runtest_setup(item):\n"
        "    if item.name == 'test_report_complete':\n"
        f"        path = {str(process_site.path(MANIFEST if name == 'manifest' else CHECKPOINT))!r}\n"
        "        with open(path, 'ab') as file:\n"
        "            file.write(b' ')\n"
    )
    session = process_site.run("go", "-p", "late_writer", env={"PYTHONPATH": str(tmp_path)})
    assert session.decision == ("environment_blocked", "phase_5_report.report_complete", "report_incomplete"), (
        session.stdout
    )
    assert session.report["failure"]["message"] == f"the {name} changed after it was checked"
