"""`voice thresholds`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acceptance.cli.main import voice
from acceptance.policy import Policy, load
from tests.acceptance.policy.samples import KEYS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text("learning:\n  min_improvement: 0.2\n")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(voice, ["thresholds", *map(str, arguments)])


def test_every_key_is_printed_with_its_value_and_where_it_comes_from(file: Path) -> None:
    found = run("--policy", file, "--threshold", "audio.max_offset=0.02")
    assert found.exit_code == 0
    rows = {line.split()[0]: line for line in found.stdout.splitlines()}
    assert rows.keys() == {*KEYS, "sha256"}
    assert rows["learning.min_improvement"].split()[1:] == ["0.2", "rules.yaml:2"]
    assert rows["audio.max_offset"].split()[1:] == ["0.02", "command", "line"]
    assert rows["cost.currency"].split()[1:] == ['"USD"', "built-in", "default"]


def test_json_holds_the_merged_policy_its_origins_and_its_hash(file: Path) -> None:
    document = json.loads(run("--policy", file, "--threshold", "audio.max_offset=0.02", "--json").stdout)
    expected = load(file, ["audio.max_offset=0.02"])
    assert document["sha256"] == expected.sha256
    assert document["values"] == {
        key: {"value": value, "origin": expected.origin(key)} for key, value in expected.values().items()
    }


def test_without_options_it_is_the_delivered_file() -> None:
    assert json.loads(run("--json").stdout)["sha256"] == load().sha256


def test_a_missing_file_is_a_notice_on_stderr_and_the_defaults(tmp_path: Path) -> None:
    found = run("--policy", tmp_path / "rules.yaml", "--json")
    assert found.exit_code == 0
    assert found.stderr == "notice: rules.yaml does not exist: the built-in defaults are in force\n"
    document = json.loads(found.stdout)
    assert document["sha256"] == Policy().sha256
    assert document["notices"] == ["rules.yaml does not exist: the built-in defaults are in force"]


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_malformed_file_is_no_answer_and_says_where(file: Path, arguments: tuple[str, ...]) -> None:
    file.write_text("learning:\n  min_improvement: high\n")
    found = run("--policy", file, *arguments)
    assert found.exit_code == 2
    assert found.stderr.startswith("error: rules.yaml:2: learning.min_improvement: 'high' should be a valid number; ")
    assert found.stderr.endswith(" [policy_invalid]\n")
    assert found.stdout == "" if not arguments else json.loads(found.stdout)["cause"] == "policy_invalid"


def test_a_malformed_override_is_no_answer(file: Path) -> None:
    found = run("--policy", file, "--threshold", "learning.min_improvement=high")
    assert found.exit_code == 2
    assert "--threshold learning.min_improvement: 'high' should be a valid number" in found.stderr
