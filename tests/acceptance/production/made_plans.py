"""Plans as `voice produce` makes them, without its health check. Nothing heavy is imported: a test measures the memory."""

from __future__ import annotations

from pathlib import Path

from acceptance.policy import Policy
from acceptance.production import planning
from acceptance.production.planning import Wanted
from acceptance.production.probe import Probed
from acceptance.production.voice_source import VoiceSource
from trainer.files import plain_file
from trainer.production import reference
from trainer.production.plan import Plan, PlannedDelivery
from trainer.production.reference import ReferenceVector

POLICY = Policy()
DELIVERY = PlannedDelivery(rate=1.0, pitch=0.0, pause=1.0, liveliness=1.0, sample_rate=22_050)
PROBED = Probed(
    reference=reference.dumps(
        (ReferenceVector(id="a", audio_sha256="1" * 64, vector=(1.0, 0.0)),), metric="ge2e_cosine", speaker_encoder="0" * 64
    ),
    reference_clips=1, metric="ge2e_cosine", pins={"speaker_encoder": "0" * 64}, delivery=DELIVERY, bytes_per_character=1300.0,
    audio_s_per_character=0.06, cpu_s_per_character=0.05, memory_bytes=2**30,
)  # fmt: skip


def planned(batch: Path, prompts: Path | None, wanted: Wanted | None = None) -> Plan:
    """A plan as `voice produce` makes it, without its health check."""
    batch.mkdir(parents=True, exist_ok=True)
    found = planning.write_prompts(batch, prompts, POLICY)
    voice = batch.parent / "voice.pt"
    source = VoiceSource(checkpoint=voice, sha256=plain_file.sha256(voice))
    return planning.write_plan(batch, wanted or Wanted(), source, None, found, PROBED, POLICY)
