"""Precedence, provenance and refusals, for every key that the schema has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acceptance.policy import Policy, PolicyError, load, schema
from tests.acceptance.policy.samples import KEYS, SECTIONS, default, line_in_file, never_valid, others


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.yaml"


def refusal(file: Path, text: str) -> str:
    """Why the file is refused; empty where it is not."""
    file.write_text(text)
    try:
        load(file)
    except PolicyError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_nobody_sets_has_its_built_in_value(key: str, file: Path) -> None:
    file.write_text("schema: threshold_policy/1\n")
    found = load(file)
    assert (found.values()[key], found.origin(key)) == (default(key), "built-in default")


@pytest.mark.parametrize("key", KEYS)
def test_the_file_wins_over_the_built_in_value_and_names_its_line(key: str, file: Path) -> None:
    value, _ = others(key)
    text, line = line_in_file(key, json.dumps(value))
    file.write_text(text)
    found = load(file)
    assert (found.values()[key], found.origin(key)) == (value, f"rules.yaml:{line}")
    assert found.changed() == {key: value}
    assert dict(found.origins) == {key: f"rules.yaml:{line}"}


@pytest.mark.parametrize("key", KEYS)
def test_the_command_line_wins_over_the_file(key: str, file: Path) -> None:
    in_file, given = others(key)
    file.write_text(line_in_file(key, json.dumps(in_file))[0])
    found = load(file, [f"{key}={json.dumps(given)}"])
    assert (found.values()[key], found.origin(key)) == (given, "command line")


@pytest.mark.parametrize("key", KEYS)
def test_the_later_of_two_overrides_wins(key: str, file: Path) -> None:
    first, second = others(key)
    assert load(file, [f"{key}={json.dumps(first)}", f"{key}={json.dumps(second)}"]).values()[key] == second


@pytest.mark.parametrize("key", KEYS)
def test_a_wrong_value_is_refused_with_file_line_key_and_next_step(key: str, file: Path) -> None:
    for value in never_valid(key):
        text, line = line_in_file(key, value)
        message = refusal(file, text)
        assert message.startswith(f"rules.yaml:{line}: {key}"), value
        assert "; " in message and "\n" not in message


@pytest.mark.parametrize("key", KEYS)
def test_a_wrong_value_on_the_command_line_is_refused_too(key: str, file: Path) -> None:
    for value in never_valid(key):
        with pytest.raises(PolicyError, match=f"^--threshold {key}: .*; ") as caught:
            load(file, [f"{key}={value}"])
        assert caught.value.cause == "policy_invalid"


@pytest.mark.parametrize("key", [key for key in KEYS if isinstance(default(key), int | float)])
def test_a_number_has_a_range(key: str, file: Path) -> None:
    refused = [value for value in ("-1e300", "1e300", '"1"') if refusal(file, line_in_file(key, value)[0])]
    assert '"1"' in refused
    assert len(refused) >= 2, "at least one of the extremes"


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_stands_twice_is_refused(key: str, file: Path) -> None:
    text, line = line_in_file(key, json.dumps(default(key)))
    file.write_text(text + text.splitlines()[-1] + "\n")
    with pytest.raises(PolicyError, match=rf"^rules\.yaml:{line + 1}: {key}: stands twice, first in line {line}; "):
        load(file)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_that_stands_twice_is_refused(section: str, file: Path) -> None:
    file.write_text(f"{section}: {{}}\n{section}: {{}}\n")
    with pytest.raises(PolicyError, match=rf"^rules\.yaml:2: {section}: stands twice"):
        load(file)


@pytest.mark.parametrize("group", sorted(".".join(path) for path in schema.groups()))
def test_an_unknown_key_is_refused_in_every_section(group: str, file: Path) -> None:
    lines = [f"{'  ' * depth}{name}:" for depth, name in enumerate((*group.split("."), "no_such_key"))]
    file.write_text("\n".join(lines) + " 1\n")
    with pytest.raises(PolicyError, match=rf"^rules\.yaml:{len(lines)}: {group}\.no_such_key: unknown; "):
        load(file)
    with pytest.raises(PolicyError, match=f"{group}.no_such_key: unknown; "):
        load(None, [f"{group}.no_such_key=1"])


@pytest.mark.parametrize("group", sorted(".".join(path) for path in schema.groups()))
@pytest.mark.parametrize("value", ["1", "", "text", "[]"])
def test_a_section_that_is_no_mapping_is_refused(group: str, value: str, file: Path) -> None:
    lines = [f"{'  ' * depth}{name}:" for depth, name in enumerate(group.split("."))]
    file.write_text("\n".join(lines) + f" {value}\n")
    with pytest.raises(PolicyError, match=rf"^rules\.yaml:{len(lines)}: {group}: not a mapping; "):
        load(file)


@pytest.mark.parametrize("key", KEYS)
def test_the_hash_depends_on_every_value_and_on_nothing_else(key: str, file: Path) -> None:
    value, _ = others(key)
    file.write_text(line_in_file(key, json.dumps(value))[0])
    absent = file.with_name("absent.yaml")
    changed = load(file)
    assert changed.sha256 != Policy().sha256
    assert changed.sha256 == load(absent, [f"{key}={json.dumps(value)}"]).sha256
    assert load(absent).sha256 == Policy().sha256
