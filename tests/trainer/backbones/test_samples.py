"""What a voice says while it improves is what the speaker's held-out clips say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from trainer.backbones import samples
from trainer.dataset import manifest
from trainer.synthesis.sentences import LISTENING


def test_the_voice_says_what_the_held_out_clips_say(small_manifest: Path) -> None:
    said = [entry.transcript for entry in manifest.load(small_manifest).split(manifest.HELD_OUT)]
    assert said
    expected = [*said[:3], *LISTENING][:3]
    assert list(samples.sentences(small_manifest)) == expected


def test_sentences_for_every_voice_take_the_place_of_texts_that_are_too_long(
    small_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = manifest.load(small_manifest)
    long = replace(found, entries=tuple(replace(entry, transcript="word " * 300) for entry in found.entries))
    monkeypatch.setattr(manifest, "load", lambda path: long)
    assert samples.sentences(small_manifest) == LISTENING
