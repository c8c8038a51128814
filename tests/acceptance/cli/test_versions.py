"""`voice versions`, `rollback` and `prune` on kept voices: nothing is removed or replaced unasked, and damage is named."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acceptance.cli.main import voice
from acceptance.objective import PROJECT_ROOT
from acceptance.record import workspace as workspaces
from acceptance.voices import store
from acceptance.voices.certificate import SCHEMA
from tests.acceptance.scorecards.evaluations import clip, history, origin, policy_file, run

CHECKPOINT = "out/voice.pt"


def kept(workspace: Path, data: bytes, day: int, *, path: str = CHECKPOINT) -> str:
    """Keep a voice; it stands at its path, too."""
    sha256 = hashlib.sha256(data).hexdigest()
    (workspace / path).parent.mkdir(parents=True, exist_ok=True)
    (workspace / path).write_bytes(data)
    report = {
        "schema": SCHEMA, "run_id": f"run-{day}", "certified": f"2026-01-{day:02}T00:00:00Z", "objective": path.partition("/")[0],
        "checkpoint": {"path": path, "sha256": sha256}, "recording": {"path": "data/me.flac"}, "manifest": {}, "report": {},
        "losses": {"heldout_loss_start": 0.8, "heldout_loss_trained": 0.6, "improvement": 0.25},
    }  # fmt: skip
    store.keep(workspace, workspace / path, report)
    return sha256


@pytest.fixture
def three(tmp_path: Path) -> list[str]:
    """Three versions of one objective; the third stands."""
    return [kept(tmp_path, f"voice {day}".encode(), day) for day in (1, 2, 3)]


def invoke(workspace: Path, *words: str) -> Result:
    options = ("--policy", str(policy_file(workspace))) if words[0] in ("versions", "prune") else ()
    return CliRunner().invoke(voice, [*words, "--workspace", str(workspace), *options])


def left(workspace: Path) -> set[str]:
    return {version.sha256 for version in store.listing(workspace)}


def test_versions_lists_losses_recording_and_what_stands(tmp_path: Path, three: list[str]) -> None:
    found = invoke(tmp_path, "versions")
    assert found.exit_code == 0
    first, third = (
        next(line for line in found.output.splitlines() if sha256[:12] in line) for sha256 in (three[0], three[2])
    )
    assert "0.800 -> 0.600" in first and "25.0%" in first and "data/me.flac" in first and "stands" not in first
    assert f"stands at {CHECKPOINT}" in third


def test_no_voice_says_how_to_make_one(tmp_path: Path) -> None:
    assert "pytest acceptance -q" in invoke(tmp_path, "versions").output


def test_the_list_does_not_load_torch(tmp_path: Path) -> None:
    code = "import sys; from acceptance.cli.main import run; run(['versions', '--workspace', sys.argv[1]]); sys.exit('torch' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT_ROOT, capture_output=True, check=False
        ).returncode
        == 0
    )


@pytest.mark.parametrize("words", [["rollback", "0123"], ["prune", "--damaged"]])
def test_in_a_place_without_runs_nothing_is_made(tmp_path: Path, words: list[str]) -> None:
    found = CliRunner().invoke(voice, [*words, "--workspace", str(tmp_path)])
    assert found.exit_code == 2 and "[version_unknown]" in found.output
    assert list(tmp_path.iterdir()) == []


def test_prune_shows_first_and_removes_all_but_the_newest_with_yes(tmp_path: Path, three: list[str]) -> None:
    other = kept(tmp_path, b"another objective", 1, path="other/voice.pt")
    shown = invoke(tmp_path, "prune", "--keep", "1")
    assert "nothing is removed yet: give --yes" in shown.output and len(left(tmp_path)) == 4
    assert invoke(tmp_path, "prune", "--keep", "1", "--yes").exit_code == 0
    assert left(tmp_path) == {three[2], other}
    assert sorted(path.suffix for path in (tmp_path / store.VOICES).iterdir()) == [".json", ".json", ".pt", ".pt"]


def test_the_voice_that_stands_is_never_removed(tmp_path: Path, three: list[str]) -> None:
    found = invoke(tmp_path, "prune", three[2][:12], "--also-promotable", "--yes")
    assert f"stays {three[2][:12]}: it stands at its checkpoint path" in found.output
    assert left(tmp_path) == set(three)
    invoke(tmp_path, "rollback", three[0][:12])
    invoke(tmp_path, "prune", "--keep", "1", "--yes")
    assert left(tmp_path) == {three[0], three[2]}


def test_a_promotable_voice_goes_only_by_name_and_by_saying_so(tmp_path: Path, three: list[str]) -> None:
    history(
        tmp_path,
        run(
            [clip(number, similarity=0.9) for number in range(12)],
            "good",
            source=origin(run_id="good", checkpoint_sha256=three[0]),
        ),
    )
    assert "may be promoted" in next(
        line for line in invoke(tmp_path, "versions").output.splitlines() if three[0][:12] in line
    )
    assert "its scorecard good lets it be promoted" in invoke(tmp_path, "prune", "--keep", "1", "--yes").output
    assert left(tmp_path) == {three[0], three[2]}
    invoke(tmp_path, "prune", three[0][:12], "--yes")
    assert three[0] in left(tmp_path)
    invoke(tmp_path, "prune", three[0][:12], "--also-promotable", "--yes")
    assert left(tmp_path) == {three[2]}


def test_prune_without_a_word_of_what_is_a_usage_error(tmp_path: Path, three: list[str]) -> None:
    assert "say what to remove" in invoke(tmp_path, "prune", "--yes").output and left(tmp_path) == set(three)


def test_a_damaged_version_is_named_ends_with_1_and_can_be_pruned(tmp_path: Path, three: list[str]) -> None:
    store.checkpoint_path(tmp_path, three[0]).write_bytes(b"damaged")
    found = invoke(tmp_path, "versions")
    assert found.exit_code == 1
    assert (
        f"{three[0]}.pt: its checkpoint is another or damaged" in found.output
        and f"voice prune {three[0][:12]} --yes" in found.output
    )
    assert json.loads(invoke(tmp_path, "versions", "--json").stdout)["versions"][-1]["problem"]
    refused = invoke(tmp_path, "rollback", three[0][:12])
    assert refused.exit_code == 2 and "[artifact_mismatch]" in refused.output
    assert (tmp_path / CHECKPOINT).read_bytes() == b"voice 3"
    invoke(tmp_path, "prune", "--damaged", "--yes")
    assert left(tmp_path) == set(three[1:])


def test_commands_that_a_message_names_say_which_workspace(tmp_path: Path, three: list[str]) -> None:
    (tmp_path / CHECKPOINT).unlink()
    store.checkpoint_path(tmp_path, three[0]).write_bytes(b"damaged")
    shown = invoke(tmp_path, "versions").output
    assert (
        f"voice rollback VERSION --workspace {tmp_path}" in shown
        and f"voice prune {three[0][:12]} --yes --workspace {tmp_path}" in shown
    )
    assert f"voice versions --workspace {tmp_path}" in invoke(tmp_path, "rollback", "0000000").output
    assert f"--checkpoint {tmp_path / CHECKPOINT} -o hello.wav" in invoke(tmp_path, "rollback", three[1][:12]).output
    assert (
        f"voice prune {three[0][:12]} --yes --workspace {tmp_path} ["
        in invoke(tmp_path, "rollback", three[0][:12]).output
    )


def test_rollback_does_not_replace_a_file_that_is_kept_nowhere(tmp_path: Path, three: list[str]) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"somebody's own")
    refused = invoke(tmp_path, "rollback", three[0][:12])
    assert refused.exit_code == 2 and "is kept nowhere and would be lost" in refused.output
    assert (tmp_path / CHECKPOINT).read_bytes() == b"somebody's own"
    assert invoke(tmp_path, "rollback", three[0][:12], "--overwrite").exit_code == 0
    assert (tmp_path / CHECKPOINT).read_bytes() == b"voice 1"


@pytest.mark.parametrize(
    "path", ["../voice.pt", "artifacts/runs/voice.pt", "artifacts/voices/voice.pt", "link/voice.pt"]
)
def test_rollback_writes_only_where_a_run_may(tmp_path: Path, three: list[str], path: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path.parent)
    report = store.checkpoint_path(tmp_path, three[0]).with_suffix(".json")
    document = json.loads(report.read_text())
    document["checkpoint"]["path"] = path
    report.write_text(json.dumps(document))
    refused = invoke(tmp_path, "rollback", three[0][:12])
    assert refused.exit_code == 2 and "no output of a run" in refused.output


@pytest.mark.long
def test_while_a_session_holds_the_workspace_nothing_is_put_back_or_removed(tmp_path: Path, three: list[str]) -> None:
    held = workspaces.lock(tmp_path)
    try:
        for words in (["rollback", three[0][:12]], ["prune", three[0][:12], "--yes"]):
            command = [sys.executable, "-m", "acceptance.cli", *words, "--workspace", str(tmp_path)]
            refused = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
            assert refused.returncode == 2 and "[workspace_busy]" in refused.stderr, refused.stderr
    finally:
        held.release()
    assert left(tmp_path) == set(three) and (tmp_path / CHECKPOINT).read_bytes() == b"voice 3"
