"""What the package asks for, and what this repository's environment is locked to, are the same packages in fitting versions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {name: [Requirement(text) for text in texts] for name, texts in PROJECT["optional-dependencies"].items()}
ALL = [*map(Requirement, PROJECT["dependencies"]), *(each for some in EXTRAS.values() for each in some)]
ASKED = {canonicalize_name(each.name): each for each in ALL}
PINNED = {
    canonicalize_name(match[1]): match[2]
    for name in ("image", "host", "musicgen", "distributed", "tests", "whisper")
    for match in re.finditer(
        r"^([\w.-]+)==(\S+)", (ROOT / f"docker/requirements/{name}.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
}


def test_every_package_of_the_environment_is_asked_for_and_the_other_way_round() -> None:
    assert sorted(ASKED) == sorted(PINNED)


@pytest.mark.parametrize("name", sorted(ASKED))
def test_the_pinned_version_is_in_the_range_that_is_asked_for(name: str) -> None:
    assert ASKED[name].specifier.contains(PINNED[name], prereleases=True)


def test_nobody_who_installs_the_package_gets_tools_of_its_tests_or_of_one_backbone() -> None:
    needed = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    assert not needed & {
        "ruff",
        "hypothesis",
        "transformers",
        "peft",
        "faster-whisper",
        "ctranslate2",
        "ray",
        "playwright",
        "onnx",
        "matplotlib",
        "jsonschema",
    }
    assert not [text for text in PROJECT["dependencies"] if "==" in text]
