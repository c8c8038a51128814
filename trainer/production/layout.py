"""Where everything of a batch lies, and which prompts belong to which shard."""

from __future__ import annotations

import re
from pathlib import Path

PLAN, PROMPTS, LEFT_OUT = "plan.json", "prompts.jsonl", "left_out.jsonl"
VOICE, REFERENCE = "voice.pt", "reference.json"
INPUTS = (PLAN, PROMPTS, LEFT_OUT, VOICE, REFERENCE)
"""What has to be there before the first take; with the project itself it decides every byte of every shard."""
SHARDS, CLIPS = "shards", "clips"
TAKES, DONE, TIMING = "takes.jsonl", "done.json", "timing.json"

_PROMPT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHARD = re.compile(r"(\d{4,})-of-(\d{4,})")


def shard_name(index: int, shards: int) -> str:
    """The folder's name of shard `index` of 1..`shards`."""
    return f"{index:04d}-of-{shards:04d}"


def shard_named(name: str) -> tuple[int, int] | None:
    """(shard, shards) of a folder's name; None for another name."""
    match = _SHARD.fullmatch(name)
    found = (int(match[1]), int(match[2])) if match else None
    return found if found and shard_name(*found) == name else None


def shard_folder(batch: Path, index: int, shards: int) -> Path:
    """Where a shard lies in its batch."""
    return batch / SHARDS / shard_name(index, shards)


def shard_range(index: int, shards: int, prompts: int) -> range:
    """Which prompts, counted from 0, shard `index` of 1..`shards` has; every prompt is in exactly one."""
    return range((index - 1) * prompts // shards, index * prompts // shards)


def is_prompt_id(name: str) -> bool:
    """Whether a prompt may have this id: clips are named after it, in their own folder."""
    return _PROMPT_ID.fullmatch(name) is not None and ".." not in name


def clip_name(prompt: str, take: int) -> str:
    """The file name of one take of the prompt with this id."""
    return f"{prompt}_t{take}.flac"
