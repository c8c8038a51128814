"""The prompts of a batch that somebody else made."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.files import json_lines
from trainer.production import prompts


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "a..b", ".a", "", "\u00e4", "a" * 101, "a\n"])
def test_an_id_that_leads_out_of_its_folder_is_never_followed(tmp_path: Path, name: str) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(json_lines.line({"id": name, "text": "Hello."}))
    with pytest.raises(ValueError, match="cannot be a file's name"):
        list(prompts.part(path, range(1)))
