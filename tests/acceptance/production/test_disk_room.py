"""How much room the health check asks for: that of what this machine makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.policy import Policy
from acceptance.production import health
from acceptance.production.health import Subject
from acceptance.production.planning import PromptList, Wanted
from acceptance.production.voice_source import VoiceSource
from tests.acceptance.production.made_plans import PROBED
from trainer.files.json_lines import Listing


def subject(*, one_shard: bool) -> Subject:
    listing = Listing(count=800, sha256="0" * 64)
    return Subject(
        batch=Path("batch"), voice=VoiceSource(checkpoint=Path("voice.pt"), sha256="0" * 64), manifest=None, reference=None, consent=None,
        consent_folders=(), wanted=Wanted(takes=2, shards=8), prompts=PromptList(prompts=listing, left_out=listing, characters=40_000),
        policy=Policy(), processes=1, one_shard=one_shard,
    )  # fmt: skip


def test_one_shard_of_several_needs_room_for_its_share_only():
    whole = health.expected_bytes(subject(one_shard=False), PROBED)
    assert whole > 40_000 * 2 * 100
    assert health.expected_bytes(subject(one_shard=True), PROBED) == pytest.approx(whole / 8, abs=1)
