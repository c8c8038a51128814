"""The pages say what is there: commands, paths and the table of causes."""

import re
from pathlib import Path

import pytest

from acceptance.__main__ import causes_table

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_table_of_causes_is_the_one_in_the_code():
    assert causes_table() in (ROOT / "docs" / "causes.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`|&& )make ([a-z-]+)", README, re.MULTILINE))))
def test_every_make_target_that_the_readme_names_exists(target):
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_linked_file_exists(path):
    assert (ROOT / path).is_file()


def test_the_two_commands_come_first():
    first = re.search(r"```\n(.*?)```", README, re.DOTALL)[1]
    assert first.splitlines()[0].startswith("make demo")
    assert first.splitlines()[1].startswith("make test")
