"""One sentence is spoken before a batch is planned: what the voice is like stands in the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("hibari", reason="the pronunciations are in the package hibari-tts")

from acceptance.policy import Policy
from acceptance.production import planning, probe
from acceptance.production.planning import Wanted
from acceptance.production.probe import ProbeRequest
from acceptance.production.voice_source import VoiceSource
from trainer.dataset import manifest
from trainer.files import checkpoint, plain_file
from trainer.production import plan
from trainer.synthesis.delivery import Delivery
from trainer.voice import natural_base, natural_document
from trainer.voice.natural_speaker import NaturalSpeaker

pytestmark = pytest.mark.long


def test_a_batch_is_planned_at_the_own_rate_of_its_voice(tmp_path: Path, small_manifest: Path) -> None:
    voice = tmp_path / "voice.pt"
    checkpoint.save(voice, natural_document.document(model=natural_base.load(), speaker=NaturalSpeaker(), training={}))
    (clip, *_) = manifest.load(small_manifest).split(manifest.HELD_OUT)
    source = VoiceSource(checkpoint=voice, sha256=plain_file.sha256(voice))
    probed = probe.run(
        ProbeRequest(
            checkpoint=voice, checkpoint_sha256=source.sha256, reference={clip.id: small_manifest.parent / clip.path},
            limits=Policy().audio.signal_limits(), recogniser="pocketsphinx", delivery=Delivery(),
        )
    )  # fmt: skip
    assert probed.delivery.sample_rate == 24_000
    batch = tmp_path / "batch"
    batch.mkdir()
    prompts = planning.write_prompts(batch, None, Policy())
    planning.write_plan(batch, Wanted(), source, None, prompts, probed, Policy())
    assert plan.read(batch).delivery.sample_rate == 24_000
