"""Makes the folder of a batch: the prompts, the voice, the reference, and last of all the plan.

Equal inputs give equal plans on every machine, so that shards can be made in several places and brought together.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.production import prompt_file
from acceptance.production.probe import Probed
from acceptance.production.prompt_file import Kept, LeftOut
from acceptance.production.voice_source import VoiceSource
from acceptance.voices import store
from trainer.errors import DataError
from trainer.files import json_lines
from trainer.files.atomic_file import write_atomically
from trainer.files.json_lines import Listing
from trainer.files.placed_file import place
from trainer.files.plain_file import PlainFileError
from trainer.production import layout, plan, prompts, reference, version
from trainer.production.plan import Plan, PlannedReference
from trainer.synthesis.delivery import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person asks of a production, beside voice and prompts."""

    takes: int = 1
    best_of: bool = False
    shards: int = 1
    delivery: Delivery = field(default_factory=Delivery)
    """Of the first take. Without a sample rate the plan gets that of the voice, once it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptList:
    """The prompts of a batch as they lie in its folder."""

    prompts: Listing
    left_out: Listing
    characters: int


def write_prompts(batch: Path, path: Path | None, policy: Policy) -> PromptList:
    """Read the prompts of a file, or the built-in ones, into a batch; the memory grows only with their texts.

    Raises DataError(prompts_invalid) naming file and line, TrainingError(disk_full | output_not_writable).
    """
    characters = 0
    first: LeftOut | None = None
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(json_lines.NewFile(batch / layout.PROMPTS))
        left_out = stack.enter_context(json_lines.NewFile(batch / layout.LEFT_OUT))
        for each in prompt_file.read(path, most_characters=policy.production.max_prompt_characters):
            if isinstance(each, Kept):
                kept.add({"id": each.id, "text": each.text})
                characters += len(each.text)
            else:
                left_out.add(each.document())
                first = first or each
        if kept.listing.count == 0:
            raise _nothing_left(path, first, left_out.listing.count)
    return PromptList(prompts=kept.listing, left_out=left_out.listing, characters=characters)


def listed(batch: Path) -> PromptList:
    """The prompts that lie in a planned batch; raises PlainFileError and ValueError."""
    found, left_out = (prompts.listing(batch / name) for name in (layout.PROMPTS, layout.LEFT_OUT))
    characters = sum(len(each.text) for each in prompts.part(batch / layout.PROMPTS, range(found.count)))
    return PromptList(prompts=found, left_out=left_out, characters=characters)


def write_plan(
    batch: Path,
    wanted: Wanted,
    voice: VoiceSource,
    manifest_sha256: str | None,
    found: PromptList,
    probed: Probed,
    policy: Policy,
) -> Plan:
    """Copy the voice, write the reference and the plan into a batch that has its prompts.

    Raises DataError(plan_invalid), HarnessError(artifact_mismatch) for a checkpoint that changed, TrainingError(disk_full | output_not_writable).
    """  # fmt: skip
    store.copy(voice.checkpoint.resolve(), batch / layout.VOICE, sha256=voice.sha256)
    write_atomically(batch / layout.REFERENCE, probed.reference)
    made = Plan(
        project_version=version.version(), checkpoint_sha256=voice.sha256, manifest_sha256=manifest_sha256, certified_run=voice.run,
        prompts=found.prompts, left_out=found.left_out, takes=wanted.takes, seed=wanted.delivery.seed,
        delivery=probed.delivery,
        reference=PlannedReference(
            clips=probed.reference_clips, sha256=reference.loads(probed.reference).sha256, metric=probed.metric
        ),
        signal_limits=policy.audio.signal_limits(), policy_sha256=policy.judging_sha256, pins=probed.pins, shards=wanted.shards,
        best_of=wanted.best_of,
    )  # fmt: skip
    plan.write(batch, made)
    return made


def adopt(batch: Path, source: Path) -> None:
    """Begin a batch with the plan of another copy of it; raises DataError for a copy that does not hold, TrainingError."""
    plan.read(source)
    try:
        for name in (*(name for name in layout.INPUTS if name != layout.PLAN), layout.PLAN):
            place(source / name, batch / name)
    except PlainFileError as error:
        raise HarnessError(
            f"{source}: it changed while it was copied ({error}); merge again", cause="plan_changed"
        ) from error


def _nothing_left(path: Path | None, first: LeftOut | None, count: int) -> DataError:
    why = f"line {first.line}: {first.reason}" if first else "empty"
    return DataError(
        f"{path or prompt_file.BUILT_IN}: none of {count} prompts can be spoken ({why}); give words in Latin letters or numbers",
        cause=prompt_file.CAUSE,
    )
