"""Which prompts belong to which shard."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trainer.production import layout


@given(shards=st.integers(1, 500), more=st.integers(0, 5000))
def test_every_prompt_is_in_exactly_one_shard_and_no_shard_is_empty(shards: int, more: int) -> None:
    prompts = shards + more
    ranges = [layout.shard_range(index, shards, prompts) for index in range(1, shards + 1)]
    assert [number for part in ranges for number in part] == list(range(prompts))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1
    assert min(map(len, ranges)) >= 1


@given(shards=st.integers(1, 200_000), index=st.integers(1, 200_000))
def test_a_shards_name_says_its_number(shards: int, index: int) -> None:
    assert layout.shard_named(layout.shard_name(index, shards)) == (index, shards)


def test_another_name_is_no_shards() -> None:
    for name in ("0001-of-0008 (1)", "1-of-8", "00001-of-0008", "takes.jsonl", "0001-of-0008.tmp"):
        assert layout.shard_named(name) is None
