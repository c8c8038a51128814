"""Tries a production in small, in a process of its own: real clips become speaker vectors, and the voice speaks one sentence that is judged.

What it finds is how many bytes, seconds and how much memory a take costs here. The process goes away with what it loaded.
"""

from __future__ import annotations

import contextlib
import resource
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from trainer.evaluation.faults import SignalLimits
from trainer.files import json_lines
from trainer.files.placed_file import place
from trainer.production import layout, plan, reference, takes, timing, version
from trainer.production.plan import Plan, PlannedDelivery, PlannedReference
from trainer.synthesis.delivery import Delivery

SENTENCE = "She opened the window because the room was far too warm."
"""Of the built-in prompts: of usual length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """What is tried."""

    checkpoint: Path
    checkpoint_sha256: str
    reference: Mapping[str, Path]
    limits: SignalLimits
    recogniser: str
    """What hears the words, by name."""
    delivery: Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What came of it."""

    reference: bytes
    """Of reference.json."""
    reference_clips: int
    metric: str
    pins: Mapping[str, str]
    """As a plan has them."""
    delivery: PlannedDelivery
    """As a plan has it: with the sample rate at which the voice speaks what is asked of it."""
    bytes_per_character: float
    audio_s_per_character: float
    cpu_s_per_character: float
    """Of one process, its models loaded."""
    memory_bytes: int
    """The most that the process held."""


def run(request: ProbeRequest) -> Probed:
    """Try it; raises as a shard does, and as `parallel.pool`."""
    from trainer.preparation import parallel

    with parallel.pool(1) as executor:
        return executor.submit(_tried, request).result()


def _tried(request: ProbeRequest) -> Probed:
    import torch

    from trainer.evaluation import encoder_file, evaluate, judging, similarity
    from trainer.evaluation.judging import Task
    from trainer.evaluation.prompts import Item
    from trainer.preparation.recognisers import RecogniserChoice
    from trainer.production import shard, studio

    torch.set_num_threads(1)
    for path in request.reference.values():
        judging.require_sound(path)
    encoder = encoder_file.load(None)
    references = [
        similarity.reference(
            judging.judge(Task(item=Item(id=name, path=path), limits=request.limits, encoder=None, only_voice=True))
        )
        for name, path in sorted(request.reference.items())
    ]
    pins = {
        **evaluate.pins(request.limits, RecogniserChoice(name=request.recogniser)),
        "speaker_encoder": encoder.sha256,
    }
    with tempfile.TemporaryDirectory(prefix="voice-probe-") as directory:
        batch = Path(directory)
        reference.write(batch, references, metric=encoder.metric, speaker_encoder=encoder.sha256)
        place(request.checkpoint.resolve(), batch / layout.VOICE)
        delivery = studio.planned_delivery(batch, request.delivery)
        _plan_one_take(batch, request, encoder.metric, pins, delivery)
        shard.run(batch, 1)
        made = layout.shard_folder(batch, 1, 1)
        row = takes.loads((made / layout.TAKES).read_bytes())
        if row.error is not None:
            raise HarnessError(
                f"the voice cannot say {SENTENCE!r}: {row.error.message}; look at the run that made it: voice report",
                cause=row.error.cause,
            )
        vectors = (batch / layout.REFERENCE).read_bytes()
        size = sum(path.stat().st_size for path in (made / layout.CLIPS).iterdir()) + len(takes.dumps(row))
        spent_s = sum(seconds for name, seconds in timing.of(made).cpu_s.items() if name != "load")
    characters = len(SENTENCE)
    return Probed(
        reference=vectors, reference_clips=len(references), metric=encoder.metric, pins=pins,
        delivery=delivery, bytes_per_character=size / characters,
        audio_s_per_character=row.seconds / characters, cpu_s_per_character=spent_s / characters,
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )  # fmt: skip


def _plan_one_take(
    batch: Path, request: ProbeRequest, metric: str, pins: Mapping[str, str], delivery: PlannedDelivery
) -> None:
    """Plan one take in a batch that has its voice."""
    with contextlib.ExitStack() as stack:
        lines = stack.enter_context(json_lines.NewFile(batch / layout.PROMPTS))
        none = stack.enter_context(json_lines.NewFile(batch / layout.LEFT_OUT))
        lines.add({"id": "probe", "text": SENTENCE})
    document: dict[str, Any] = {
        "project_version": version.version(), "checkpoint_sha256": request.checkpoint_sha256, "manifest_sha256": None,
        "certified_run": None, "prompts": lines.listing, "left_out": none.listing, "takes": 1, "seed": request.delivery.seed,
        "delivery": delivery, "signal_limits": request.limits, "policy_sha256": "0" * 64, "pins": pins, "shards": 1, "best_of": False,
        "reference": PlannedReference(
            clips=len(request.reference), sha256=reference.read(batch).sha256, metric=metric
        ),
    }  # fmt: skip
    plan.write(batch, Plan(**document))
