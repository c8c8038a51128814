"""Small batches with a voice that has learnt nothing but to be heard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.trainer.synthesis import untrained_voice
from trainer.evaluation import evaluate
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.similarity import Reference
from trainer.files import json_lines, plain_file
from trainer.production import layout, plan, reference, version
from trainer.production.plan import Plan, PlannedDelivery, PlannedReference
from trainer.synthesis.delivery import SAMPLE_RATE, Delivery

ROOT = Path(__file__).resolve().parents[3]
TEXTS = ("Thank you.", "Sit down.", "All right.")
"""The untrained voice speaks each for so long that its realism is judged in one window, not in two to eight."""
ENCODER_SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"


def make(
    batch: Path,
    texts: Sequence[str] = TEXTS,
    *,
    takes: int = 1,
    shards: int = 1,
    seed: int = 0,
    encoder_sha256: str = ENCODER_SHA256,
) -> Plan:
    """A batch that can be spoken, with a reference of two made-up voices."""
    if not (batch / layout.VOICE).exists():
        untrained_voice.write(batch / layout.VOICE)
    vectors = [np.abs(np.random.default_rng(number).normal(size=256)) for number in (1, 2)]
    references = [
        Reference(
            id=f"real-{number}", audio_sha256=f"{number:064x}", vector=(one / np.linalg.norm(one)).astype(np.float32)
        )
        for number, one in enumerate(vectors, start=1)
    ]
    reference.write(batch, references, metric="ge2e_cosine", speaker_encoder=encoder_sha256)
    with json_lines.NewFile(batch / layout.PROMPTS) as said, json_lines.NewFile(batch / layout.LEFT_OUT) as left_out:
        for number, text in enumerate(texts, start=1):
            said.add({"id": f"{number:04d}", "text": text})
    limits = SignalLimits()
    how = Delivery()
    found = Plan(
        project_version=version.version(),
        checkpoint_sha256=plain_file.sha256(batch / layout.VOICE),
        manifest_sha256=None,
        certified_run=None,
        prompts=said.listing,
        left_out=left_out.listing,
        takes=takes,
        seed=seed,
        delivery=PlannedDelivery(
            rate=how.rate,
            pitch=how.pitch,
            pause=how.pause,
            liveliness=how.liveliness,
            sample_rate=how.sample_rate or SAMPLE_RATE,
        ),
        reference=PlannedReference(clips=len(references), sha256=reference.read(batch).sha256, metric="ge2e_cosine"),
        signal_limits=limits,
        policy_sha256="0" * 64,
        pins={**evaluate.pins(limits), "speaker_encoder": encoder_sha256},
        shards=shards,
        best_of=False,
    )
    plan.write(batch, found)
    return found


def content(place: Path) -> dict[str, bytes]:
    """Every file of a shard that its plan decides, by name."""
    names = [
        layout.TAKES,
        layout.DONE,
        *(f"{layout.CLIPS}/{path.name}" for path in sorted((place / layout.CLIPS).iterdir())),
    ]
    return {name: (place / name).read_bytes() for name in names}
