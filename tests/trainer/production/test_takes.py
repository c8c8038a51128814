"""The row of a take, as another machine may have written it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.acceptance.production.made_rows import row
from trainer.production import takes


@pytest.mark.parametrize("changes", [{"words": 0}, {"word_edits": -1}, {"characters": 0}, {"character_edits": None}])
def test_a_judged_take_without_words_to_count_is_no_row(changes: dict[str, int | None]) -> None:
    good = row("a")
    assert takes.loads(takes.dumps(good)) == good
    with pytest.raises(ValueError, match="a judged take has words"):
        takes.loads(takes.dumps(replace(good, **changes)))
