"""A packed table answers as the dictionary that it was made from, in less memory."""

from __future__ import annotations

import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trainer.text.packed_table import PackedTable

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
VALUES = st.text(max_size=3) | st.dictionaries(WORDS, st.floats(allow_nan=False) | st.integers(), max_size=2)


@given(st.dictionaries(WORDS, VALUES, max_size=8), WORDS)
def test_it_answers_as_the_dictionary(entries: dict[str, Any], other: str) -> None:
    table = PackedTable(entries)
    assert dict(table) == entries
    assert len(table) == len(entries)
    assert (other in table) == (other in entries)
    assert table.get(other, "absent") == entries.get(other, "absent")


def test_it_takes_a_fraction_of_the_memory() -> None:
    entries = {f"word{number}": f"pronounced {number}" for number in range(10_000)}
    table = PackedTable(entries)
    taken = sys.getsizeof(entries) + sum(sys.getsizeof(key) + sys.getsizeof(one) for key, one in entries.items())
    assert sys.getsizeof(table._text) + sys.getsizeof(table._starts) < taken / 3
