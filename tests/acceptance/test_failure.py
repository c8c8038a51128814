"""The table of causes: each has an action that ends in a command, and only the exceptions of its class may carry it."""

from __future__ import annotations

import pickle
import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance import objective
from acceptance.causes import _HARD_STOPS, CAUSES, FailureClass
from acceptance.failure import EXCEPTION_OF, HarnessError, StepFailure, action_for
from acceptance.objective import PROJECT_ROOT
from tests.acceptance.records import ACTION_FIELDS

COMMANDS = {
    "cat", "cd", "voice", "chmod", "chown", "df", "docker", "flac", "git", "grep", "hf", "ldd", "ls", "lscpu", "make", "mkdir", "mv",
    "nvidia-smi", "pytest", "python", "rm", "sed", "sh", "stat", "sudo", "tail", "unset",
}  # fmt: skip


def command_of(action: str) -> str:
    """The part that a person pastes: after the last colon that ends the sentence."""
    sentence, separator, command = action.rpartition(": ")
    assert separator, action
    assert sentence[0].isupper()
    return command


@pytest.mark.parametrize("cause", CAUSES)
def test_every_action_is_one_line_ending_in_a_command_with_every_field_filled(cause: str) -> None:
    action = action_for(cause, ACTION_FIELDS)
    assert action.isprintable()
    assert "N/A" not in action
    words = shlex.split(command_of(action))
    assert words[0] in COMMANDS, words[0]
    assert not re.search(r"(?:^|[\s'\"=])/(?:tmp|home|root|workspace)\b", action)


@pytest.mark.parametrize("cause", CAUSES)
def test_make_targets_and_modules_that_actions_name_exist(cause: str) -> None:
    action = action_for(cause, ACTION_FIELDS)
    makefile = (PROJECT_ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake ([a-z-]+)", command_of(action)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for module in re.findall(r"\bpython -m (trainer|acceptance)\b", action):
        assert (PROJECT_ROOT / module / "__main__.py").is_file()


def test_a_field_that_nobody_gave_is_printed_as_not_available() -> None:
    assert action_for("audio_unreadable", {}).endswith(": chmod u+r N/A")


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("kind", EXCEPTION_OF.values(), ids=lambda kind: kind.__name__)
def test_an_exception_carries_only_causes_of_its_class(kind: type[StepFailure], cause: str) -> None:
    if CAUSES[cause].failure_class in (None, kind.failure_class):
        assert kind("m", cause=cause).cause == cause
    else:
        with pytest.raises(ValueError, match="belongs to"):
            kind("m", cause=cause)


def test_git_lfs_is_advised_only_for_the_recording() -> None:
    assert [cause for cause, row in CAUSES.items() if "git lfs pull" in row.action] == ["lfs_pointer"]


@given(st.text().filter(lambda text: text not in CAUSES and text))
def test_a_cause_outside_the_table_is_refused(cause: str) -> None:
    with pytest.raises(ValueError, match="unknown cause"):
        StepFailure("m", cause=cause)


def test_there_are_exactly_four_classes_and_each_has_its_exception() -> None:
    assert [str(cls) for cls in FailureClass] == [
        "environment_blocked",
        "runtime_blocked",
        "data_blocked",
        "train_failed",
    ]
    assert set(EXCEPTION_OF) == set(FailureClass)


def test_only_the_engine_its_mounts_and_its_policies_stop_everything() -> None:
    hard = {name for name, cause in CAUSES.items() if cause.hard_stop}
    assert all(CAUSES[name].failure_class is FailureClass.ENVIRONMENT_BLOCKED for name in hard)
    assert {"docker_cli_missing", "docker_daemon_unreachable", "mount_not_writable", "policy_denied"} <= hard
    assert "base_image_missing" not in hard


@given(st.dictionaries(st.sampled_from(["path", "oid", "count"]), st.one_of(st.integers(), st.text(), st.none())))
def test_evidence_is_kept_as_text(evidence: dict[str, object]) -> None:
    assert StepFailure("m", **evidence).evidence == {key: str(value) for key, value in evidence.items()}


def test_a_value_that_an_action_suggests_is_more_than_the_default() -> None:
    default = objective.load("auntie_dottie", environ={})
    suggested = dict(re.findall(r"--set (\w+)=(\S+)", " ".join(cause.action for cause in CAUSES.values())))
    assert objective.parse_size(suggested["memory"]) > objective.parse_size(default.memory)
    assert objective.parse_size(suggested["shm"]) > objective.parse_size(default.shm)
    for key in ("pids_limit", "build_deadline_s", "train_deadline_s", "max_audio_hours"):
        assert float(suggested[key]) > getattr(default, key), key


def test_every_hard_stop_is_a_cause_of_the_table() -> None:
    assert _HARD_STOPS and set(CAUSES) >= _HARD_STOPS


def test_an_error_of_the_harness_passes_from_one_process_to_another() -> None:
    found = pickle.loads(pickle.dumps(HarnessError("no voice here; train one", cause="checkpoint_missing")))
    assert (type(found), str(found), found.cause) == (HarnessError, "no voice here; train one", "checkpoint_missing")
