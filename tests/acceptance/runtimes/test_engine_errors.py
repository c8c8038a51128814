"""The translation of engine errors, on real messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acceptance.causes import CAUSES, FailureClass
from acceptance.runtimes.engine_errors import build_cause, entrypoint_failed, failed_step_code, run_cause

MESSAGES = Path(__file__).parents[4] / "shared" / "faults" / "error_messages.jsonl"


def real_messages(stage):
    if not MESSAGES.exists():
        return [
            pytest.param(
                None, marks=pytest.mark.skip(reason="the collection of real error messages is not on this machine")
            )
        ]
    rows = [json.loads(line) for line in MESSAGES.read_text(encoding="utf-8").splitlines() if line.strip()]
    chosen = [row for row in rows if stage in row["note"].partition(";")[0]]
    return [pytest.param(row, id=row["text"][-40:].strip()) for row in chosen]


def class_of(cause):
    return CAUSES[cause].failure_class.value


def accepted(row):
    return {row["expected_class"], *row["note"].partition("also_ok=")[2].partition(".")[0].split()}


@pytest.mark.parametrize("row", real_messages("stage=build"))
def test_a_real_build_message_gets_its_class_and_a_cause_of_its_own(row):
    *output, error = row["text"].splitlines()
    cause = build_cause(error, output)
    assert class_of(cause) in accepted(row)
    assert cause != "build_step_failed"


@pytest.mark.parametrize("row", real_messages("run_start"))
def test_a_real_start_message_gets_its_class(row):
    cause = run_cause(row["text"])
    assert class_of(cause) in accepted(row)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('invalid mount config for type "bind": bind source path does not exist: /srv/data', "mount_source_missing"),
        ("authorization denied by plugin site: containers may not be created", "policy_denied"),
        ('Conflict. The container name "/a" is already in use by container "b".', "container_name_taken"),
        ('could not select device driver "" with capabilities: [[gpu]]', "gpu_unavailable"),
        (
            'OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "/run.sh": permission denied: unknown',
            "entrypoint_not_executable",
        ),
        (
            'runc create failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
            "entrypoint_not_executable",
        ),
        ("mkdir /var/lib/docker/overlay2/x: no space left on device", "disk_full_engine"),
        (
            'error mounting "/a" to rootfs at "/b": not a directory: Are you trying to mount a directory onto a file',
            "container_create_failed",
        ),
        ("No such image: sha256:00", "container_create_failed"),
        ("something nobody has seen", "container_create_failed"),
    ],
)
def test_an_engines_refusal_to_run_has_its_cause(text, cause):
    assert run_cause(text) == cause


def test_the_command_quoted_in_a_step_error_is_not_read_as_the_error():
    error = "The command '/bin/sh -c echo COPY failed, manifest unknown, no space left on device; exit 3' returned a non-zero code: 3"
    assert build_cause(error, ["fine"]) == "build_step_failed"
    assert failed_step_code(error) == 3


def test_an_unknown_error_while_the_base_is_fetched_is_a_missing_base():
    assert build_cause("received unexpected HTTP status", step="FROM somewhere/base:1") == "base_image_missing"


def test_only_the_inits_own_first_line_means_the_entrypoint_failed():
    fatal = "[FATAL tini (6)] exec /run.sh failed: Permission denied"
    assert entrypoint_failed(126, [fatal])
    assert entrypoint_failed(1, ["standard_init_linux.go:228: exec user process caused: no such file or directory"])
    assert not entrypoint_failed(127, ["sh: nope: not found"])
    assert not entrypoint_failed(127, ["training", fatal])
    assert not entrypoint_failed(0, [fatal])


def test_every_cause_of_the_tables_is_in_the_table_of_causes():
    from acceptance.runtimes import engine_errors

    named = {
        cause for table in (engine_errors._BUILD, engine_errors._STEP_OUTPUT, engine_errors._RUN) for _, cause in table
    }
    assert named <= set(CAUSES)
    assert {CAUSES[cause].failure_class for cause in named} <= {
        FailureClass.ENVIRONMENT_BLOCKED,
        FailureClass.RUNTIME_BLOCKED,
    }
