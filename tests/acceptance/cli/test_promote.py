"""`voice promote`: a version comes into use only where marks, comparison and consent allow it, and what was in use comes back by one command."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from acceptance.cli.main import voice
from acceptance.costs import tracker
from acceptance.failure import HarnessError
from acceptance.record import workspace as workspaces
from acceptance.voices import consent as records
from acceptance.voices import registry, store
from acceptance.voices.certificate import SCHEMA
from tests.acceptance.scorecards.evaluations import clip, history, origin, policy_file, run

VOICE = "dottie"
TODAY = records.today()
CONSENT = """
[speaker]
name = "Dottie"
consent = {since}
expires = {until}
scope = [{scope}]
[recording]
licence = "CC-BY-4.0"
[weights]
licence = "CC-BY-4.0"
"""


def consent(workspace: Path, *, since: int = -10, until: int = 10, scope: str = '"train", "promote"') -> None:
    day = datetime.timedelta(days=1)
    text = CONSENT.format(since=TODAY + since * day, until=TODAY + until * day, scope=scope)
    (workspace / "voice.toml").write_text(text)


def version(workspace: Path, name: str, similarity: float, **changes: object) -> str:
    """A kept voice and its scored run, named alike; returns its hash."""
    data = name.encode()
    sha256 = hashlib.sha256(data).hexdigest()
    path = workspace / "out" / f"{name}.pt"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    report = {
        "schema": SCHEMA, "run_id": name, "certified": "2026-01-02T00:00:00Z", "objective": VOICE,
        "checkpoint": {"path": f"out/{name}.pt", "sha256": sha256}, "recording": {"path": "data/me.flac"}, "manifest": {}, "report": {},
        "losses": {},
    }  # fmt: skip
    store.keep(workspace, path, report)
    clips = [clip(number, similarity=similarity, overall=3.2, word_edits=0) for number in range(20)]
    history(workspace, run(clips, name, source=origin(run_id=name, checkpoint_sha256=sha256), **changes))
    return sha256


def promote(workspace: Path, name: str, *arguments: str) -> Result:
    command = ["promote", name, "--workspace", str(workspace), "--policy", str(policy_file(workspace)), *arguments]
    return CliRunner().invoke(voice, command)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a good voice, a better one and a consent."""
    version(tmp_path, "good", 0.84)
    version(tmp_path, "better", 0.90)
    consent(tmp_path)
    return tmp_path


def in_use(workspace: Path) -> str | None:
    found = registry.current(workspace, VOICE)
    return found and found.run_id


def test_the_first_good_version_is_promoted_with_all_that_it_rests_on(workspace: Path) -> None:
    assert promote(workspace, "good").exit_code == 0
    found = registry.current(workspace, VOICE)
    assert found is not None and (found.run_id, found.before) == ("good", None)
    assert found.consent["speaker"] == "Dottie" and found.manifest_sha256 and found.policy_sha256 and found.pins


def test_a_promotion_is_in_the_cost_log_with_the_voice_that_it_made(workspace: Path) -> None:
    for _ in range(2):  # the second finds it in use: a kill may have lost the count of the first
        assert promote(workspace, "good").exit_code == 0
        found = tracker.read(workspace / tracker.LOG).sessions[-1]
        assert (found.about.activity, found.about.voice, found.about.run) == ("promotion", VOICE, "good")
        assert found.made is not None and found.made.promoted == 1
    told = CliRunner().invoke(voice, ["cost", "report", "--workspace", str(workspace), "--json"])
    assert json.loads(told.stdout)["promoted_voices"] == 1
    assert promote(workspace, "better", "--no-cost").exit_code == 0
    assert len(tracker.read(workspace / tracker.LOG).sessions) == 2


def test_the_better_takes_the_place_of_the_good_and_not_the_other_way_round(workspace: Path) -> None:
    assert promote(workspace, "good").exit_code == 0
    assert promote(workspace, "better").exit_code == 0
    assert in_use(workspace) == "better"
    held = promote(workspace, "good")
    assert (held.exit_code, in_use(workspace)) == (1, "better")
    assert "the second is worse" in held.output


def test_a_twin_cannot_be_told_apart_and_is_held(workspace: Path) -> None:
    version(workspace, "twin", 0.84)
    assert promote(workspace, "good").exit_code == 0
    held = promote(workspace, "twin")
    assert (held.exit_code, in_use(workspace)) == (1, "good")
    assert held.output.startswith("cannot tell: dottie")


def test_what_is_in_use_stays_in_use_when_it_is_promoted_again(workspace: Path) -> None:
    assert promote(workspace, "good").exit_code == 0
    again = promote(workspace, "good")
    assert (again.exit_code, "is in use" in again.output) == (0, True)
    assert len(registry.history(workspace, VOICE)) == 1


def test_a_line_of_the_history_that_does_not_hold_is_left_out(workspace: Path) -> None:
    assert promote(workspace, "good").exit_code == 0
    with (registry.folder(workspace, VOICE) / "history.jsonl").open("a") as file:
        file.write('{"schema":"promotion/1","event":7}\n')
    assert [one.event for one in registry.history(workspace, VOICE)] == ["promoted"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"until": -1}, "ended on"),
        ({"since": 1}, "begins on"),
        ({"scope": '"train"'}, "allows train, not promote"),
    ],
)
def test_a_consent_that_does_not_cover_it_holds_the_voice(
    workspace: Path, record: dict[str, object], reason: str
) -> None:
    consent(workspace, **record)  # type: ignore[arg-type]  # the table mixes types
    held = promote(workspace, "good")
    assert (held.exit_code, in_use(workspace), reason in held.output) == (1, None, True), held.output


def test_a_missing_consent_holds_the_voice_and_names_the_next_step(workspace: Path) -> None:
    (workspace / "voice.toml").unlink()
    held = promote(workspace, "good")
    assert (held.exit_code, in_use(workspace), "voice consent init" in held.output) == (1, None, True)


def test_a_bad_voice_is_held(workspace: Path) -> None:
    version(workspace, "bad", 0.5)
    held = promote(workspace, "bad")
    assert (held.exit_code, in_use(workspace), "fails" in held.output) == (1, None, True)


def test_a_dry_run_says_what_it_would_do_and_touches_nothing(workspace: Path) -> None:
    def state() -> dict[str, tuple[bytes, int]]:
        return {
            str(path): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in workspace.rglob("*")
            if path.is_file() and ".lock" not in path.name and path.suffix != ".owner"
        }

    policy_file(workspace)
    before = state()
    shown = promote(workspace, "good", "--dry-run")
    assert (shown.exit_code, "would be promoted" in shown.output, in_use(workspace)) == (0, True, None)
    assert {name: one[0] for name, one in state().items()} == {name: one[0] for name, one in before.items()}
    assert not (workspace / registry.REGISTRY).exists()


def test_other_instruments_are_refused_with_what_to_evaluate_again(workspace: Path) -> None:
    version(workspace, "other", 0.9, pins={"recogniser": "f" * 64})
    assert promote(workspace, "good").exit_code == 0
    refused = promote(workspace, "other")
    assert (
        refused.exit_code == 2
        and "measured by other instruments" in refused.stderr
        and "evaluate it again" in refused.stderr
    )


def test_the_comparison_takes_the_record_of_the_checkpoint_in_use_alone(workspace: Path) -> None:
    """Another checkpoint that was scored later under the same run id says nothing about the version in use."""
    assert promote(workspace, "good").exit_code == 0
    clips = [clip(number, similarity=0.97, overall=3.2, word_edits=0) for number in range(20)]
    log = history(workspace, run(clips, "good", source=origin(run_id="good", checkpoint_sha256="f" * 64)))
    assert promote(workspace, "better", "--dry-run").exit_code == 0
    sha256 = hashlib.sha256(b"good").hexdigest()
    log.write_text("".join(line for line in log.read_text().splitlines(keepends=True) if sha256 not in line))
    refused = promote(workspace, "better")
    assert (
        refused.exit_code == 2 and f"no scorecard of good with the checkpoint in use, {sha256[:12]}" in refused.stderr
    )
    assert in_use(workspace) == "good"


def test_prune_spares_what_any_voice_has_in_use(workspace: Path) -> None:
    assert promote(workspace, "good", "--name", "other").exit_code == 0
    sha256, policy = hashlib.sha256(b"good").hexdigest(), str(policy_file(workspace))
    words = ["prune", sha256[:12], "--also-promotable", "--yes", "--workspace", str(workspace), "--policy", policy]
    (workspace / "out/good.pt").unlink()
    found = CliRunner().invoke(voice, words)
    assert f"stays {sha256[:12]}: it is the version in use of other" in found.output
    assert store.checkpoint_path(workspace, sha256).is_file()


def test_a_checkpoint_that_was_replaced_is_named(workspace: Path) -> None:
    assert promote(workspace, "good").exit_code == 0
    found = registry.current(workspace, VOICE)
    assert found is not None
    store.checkpoint_path(workspace, found.checkpoint_sha256).write_bytes(b"another")
    refused = promote(workspace, "better")
    assert refused.exit_code == 2 and "another or damaged" in refused.stderr


def test_rollback_puts_the_first_into_use_again(workspace: Path) -> None:
    assert promote(workspace, "good").exit_code == 0
    assert promote(workspace, "better").exit_code == 0
    first = registry.history(workspace, VOICE)[0].checkpoint_sha256
    back = CliRunner().invoke(voice, ["rollback", first[:12], "--workspace", str(workspace), "--json"])
    assert back.exit_code == 0 and json.loads(back.stdout)["in_use"]
    assert in_use(workspace) == "good"
    assert [one.event for one in registry.history(workspace, VOICE)] == ["promoted", "promoted", "rolled back"]


def test_rollback_of_a_named_voice_asks_the_consent_first(workspace: Path) -> None:
    for name in ("good", "better"):
        assert promote(workspace, name, "--name", "other").exit_code == 0
    sha256 = hashlib.sha256(b"good").hexdigest()

    def back(name: str) -> Result:
        words = ["rollback", sha256[:12], "--name", name, "--overwrite", "--workspace", str(workspace)]
        return CliRunner().invoke(voice, words)

    (workspace / "out/good.pt").unlink()
    consent(workspace, until=-1)
    refused = back("other")
    assert refused.exit_code == 2 and "ended on" in refused.stderr and not (workspace / "out/good.pt").exists()
    consent(workspace)
    unknown = back("nobody")
    assert unknown.exit_code == 2 and "was never promoted as nobody" in unknown.stderr
    assert back("other").exit_code == 0
    found = registry.current(workspace, "other")
    assert found is not None and found.checkpoint_sha256 == sha256 and not registry.holds(workspace, VOICE, sha256)


def test_versions_says_which_one_is_in_use(workspace: Path) -> None:
    assert promote(workspace, "good").exit_code == 0
    listed = CliRunner().invoke(
        voice, ["versions", "--workspace", str(workspace), "--policy", str(policy_file(workspace))]
    )
    assert listed.exit_code == 0, listed.output
    assert [("in use" in line) for line in listed.output.splitlines() if line.startswith("| ")][1:].count(True) == 1


def test_a_promotion_during_another_is_refused(workspace: Path) -> None:
    held = workspaces.lock(workspace)
    try:
        refused = promote(workspace, "good")
    finally:
        held.release()
    assert refused.exit_code == 2 and "another acceptance session" in refused.stderr


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", ""])
def test_a_name_that_is_no_folder_is_refused(workspace: Path, name: str) -> None:
    with pytest.raises(HarnessError, match="cannot name a voice"):
        registry.folder(workspace, name)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "other"}', '{"schema": "promoted_voice/1", "checkpoint_sha256": "0"}']
)
def test_a_registry_that_does_not_hold_is_named(workspace: Path, text: str) -> None:
    assert promote(workspace, "good").exit_code == 0
    (workspace / "voices" / VOICE / "current.json").write_text(text)
    refused = promote(workspace, "better")
    assert refused.exit_code == 2 and "restore it" in refused.stderr


def test_a_hash_in_the_registry_never_leads_to_a_file_elsewhere(workspace: Path) -> None:
    assert promote(workspace, "good").exit_code == 0
    found = registry.current(workspace, VOICE)
    assert found is not None
    elsewhere = "../../elsewhere"
    record = registry.folder(workspace, VOICE) / f"versions/{found.checkpoint_sha256}.json"
    text = record.read_text().replace(found.checkpoint_sha256, elsewhere)
    (workspace / registry.REGISTRY / "elsewhere.json").write_text(text)
    current = registry.folder(workspace, VOICE) / "current.json"
    current.write_text(current.read_text().replace(found.checkpoint_sha256, elsewhere))
    with pytest.raises(HarnessError, match="no record of this program") as error:
        registry.current(workspace, VOICE)
    assert error.value.cause == "registry_invalid"


def test_a_writer_that_died_before_the_end_is_completed_without_a_double(workspace: Path) -> None:
    assert promote(workspace, "good").exit_code == 0
    (workspace / "voices" / VOICE / "current.json").unlink()  # as if it had never been written
    assert in_use(workspace) is None
    assert promote(workspace, "good").exit_code == 0
    assert in_use(workspace) == "good"
    assert len(registry.history(workspace, VOICE)) == 1


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two key pairs of OpenSSH's form, `one` and `two`, and one in PEM form."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("one", "two", "pem"):
        key = Ed25519PrivateKey.generate()
        form = PrivateFormat.PKCS8 if name == "pem" else PrivateFormat.OpenSSH
        (folder / name).write_bytes(key.private_bytes(Encoding.PEM, form, NoEncryption()))
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        (folder / f"{name}.pub").write_bytes(public)
    return folder


def signed(workspace: Path, key: Path) -> tuple[Path, Path]:
    """(signature, checkpoint) of the good voice, promoted with this key."""
    assert promote(workspace, "good", "--sign", str(key)).exit_code == 0
    found = registry.current(workspace, VOICE)
    assert found is not None
    sha256 = found.checkpoint_sha256
    return registry.signature_path(workspace, VOICE, sha256), store.checkpoint_path(workspace, sha256)


def verify(signature: Path, checkpoint: Path, key: Path) -> Result:
    return CliRunner().invoke(voice, ["verify", str(checkpoint), "--signature", str(signature), "--key", str(key)])


@pytest.mark.parametrize("name", ["one", "pem"])
def test_a_signature_holds_for_its_key_and_its_checkpoint_alone(workspace: Path, keys: Path, name: str) -> None:
    signature, checkpoint = signed(workspace, keys / name)
    assert verify(signature, checkpoint, keys / f"{name}.pub").exit_code == 0
    other = verify(signature, checkpoint, keys / "two.pub")
    assert (other.exit_code, "not made by this key" in other.output) == (1, True)
    changed = verify(signature, workspace / "out/better.pt", keys / f"{name}.pub")
    assert (changed.exit_code, "signed was" in changed.output) == (1, True)


@pytest.mark.parametrize("key", ["path", "sha256", "signature"])
def test_a_signature_that_was_changed_does_not_hold(workspace: Path, keys: Path, key: str) -> None:
    signature, checkpoint = signed(workspace, keys / "one")
    document = json.loads(signature.read_text())
    document[key] = {"path": "elsewhere.pt", "sha256": "0" * 64, "signature": "AAAA"}[key]
    signature.write_text(json.dumps(document))
    assert verify(signature, checkpoint, keys / "one.pub").exit_code == 1


def test_a_file_that_is_no_key_is_refused_before_anything_is_promoted(workspace: Path, keys: Path) -> None:
    refused = promote(workspace, "good", "--sign", str(keys / "one.pub"))
    assert (refused.exit_code, "ssh-keygen" in refused.stderr, in_use(workspace)) == (2, True, None)


def test_a_file_that_is_no_signature_is_refused(workspace: Path, keys: Path) -> None:
    signature, checkpoint = signed(workspace, keys / "one")
    signature.write_text("{}")
    refused = verify(signature, checkpoint, keys / "one.pub")
    assert (refused.exit_code, "sign again" in refused.stderr) == (2, True)


@pytest.mark.parametrize("reason", ["ended on", "promotion_minimum_grade"])
def test_a_version_in_use_that_would_be_held_today_is_not_signed(workspace: Path, keys: Path, reason: str) -> None:
    assert promote(workspace, "good").exit_code == 0
    strict = workspace / "strict.yaml"
    strict.write_text("schema: threshold_policy/1\n")
    if reason == "ended on":
        consent(workspace, until=-1)
    else:
        strict.write_text(
            "schema: threshold_policy/1\nscorecard:\n  promotion_minimum_grade: A\n  grades: {A: 100.0, B: 75.0, C: 65.0, D: 50.0}\n"
        )
    refused = promote(workspace, "good", "--sign", str(keys / "one"), "--policy", str(strict))
    assert (refused.exit_code, reason in refused.output) == (1, True), refused.output
    assert "is in use, and is not signed" in refused.output
    assert not list((workspace / registry.REGISTRY).rglob("*.sig"))
    assert promote(workspace, "good", "--policy", str(strict)).exit_code == 0, (
        "without a key it only says what is in use"
    )
