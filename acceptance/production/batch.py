"""A batch from its plan to its report, in one folder: planned once, spoken shard by shard, judged, sorted and summed up.

Every stage can be cut short and begun again; what is in place stays as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.production import agreement, batch_page, batch_timing, delivery, health, planning, report, voice_source
from acceptance.production.batch_folder import is_planned
from acceptance.production.health import HealthCheck, Subject
from acceptance.production.planning import PromptList, Wanted
from acceptance.production.report import Summary
from acceptance.production.take_verdicts import JudgedTake, TakeFilter
from acceptance.production.voice_source import VoiceSource
from acceptance.voices import store
from trainer.production import layout, merging, plan, shard_folder, verification
from trainer.production.plan import Plan
from trainer.production.takes import TakeRow

OnCheck = Callable[[HealthCheck], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asks for."""

    batch: Path
    policy: Policy
    workspace: Path = field(default_factory=Path)
    prompts: Path | None = None
    """None for the built-in ones, or for those that the batch has."""
    checkpoint: Path | None = None
    manifest: Path | None = None
    reference: Path | None = None
    consent: Path | None = None
    wanted: Wanted = field(default_factory=Wanted)
    asked: Mapping[str, object] = field(default_factory=dict)
    """Of what is wanted, only what the person said, by the names in `agreement.COMPARED`."""
    processes: int = 1
    fewer: bool = False
    """Fewer processes will do, if the memory has no room for so many."""
    resume: bool = False
    one_shard: bool = False
    """This machine makes only one of them."""

    def said(self) -> dict[str, object]:
        """Everything that the person said of a plan: what is there must not contradict it."""
        files = {
            "prompts": self.prompts, "checkpoint": store.named(self.workspace, self.checkpoint), "manifest": self.manifest,
            "reference": self.reference,
        }  # fmt: skip
        return {**self.asked, **{name: path for name, path in files.items() if path is not None}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A new plan, and with how many processes it is to be made here."""

    plan: Plan
    processes: int


def planned(request: Request, on_check: OnCheck = lambda check: None) -> Plan:
    """The plan of a batch: made after all health checks, or found and compared with what is asked. Call it while holding the batch.

    Raises HealthFailure, HarnessError(output_exists | plan_changed), DataError for prompts or a batch that do not hold, TrainingError.
    """
    if is_planned(request.batch):
        return _resumed(request, on_check)
    prompts = read_prompts(request)
    voice = voice_source.find(request.workspace, request.checkpoint)
    return planned_anew(request, voice, prompts, on_check).plan


def voice_name(request: Request) -> str | None:
    """The objective whose voice a batch speaks with; None where it is not known."""
    checkpoint = request.batch / layout.VOICE if is_planned(request.batch) else request.checkpoint
    with contextlib.suppress(HarnessError):
        return voice_source.find(request.workspace, checkpoint).name
    return None


def read_prompts(request: Request) -> PromptList:
    """The prompts of a new batch, written into its folder; raises HarnessError(output_exists) and as `planning.write_prompts`."""
    if request.prompts is not None and not request.prompts.exists():
        raise HarnessError(f"{request.prompts}: there is no such file; give a file of prompts", cause="prompts_invalid")
    for name in layout.INPUTS:
        own = request.batch / name
        if request.prompts is not None and own.exists() and own.samefile(request.prompts):
            raise HarnessError(
                f"{request.prompts} would be replaced by the batch's own {name}; name another folder",
                cause="output_exists",
            )
    return planning.write_prompts(request.batch, request.prompts, request.policy)


def planned_anew(
    request: Request, voice: VoiceSource, prompts: PromptList, on_check: OnCheck = lambda check: None
) -> Planned:
    """Examine everything, then write the plan; raises as `planned`."""
    wanted = request.wanted
    if wanted.shards > prompts.prompts.count:
        raise HarnessError(
            f"{wanted.shards} shards are more than the {prompts.prompts.count} prompts; ask for fewer: --shards {prompts.prompts.count}",
            cause="settings_invalid",
        )
    subject = Subject(
        batch=request.batch, voice=voice, manifest=request.manifest or (None if request.reference else voice.manifest),
        reference=request.reference, consent=request.consent, consent_folders=consent_folders(request, voice), wanted=wanted,
        prompts=prompts, policy=request.policy, processes=1 if request.one_shard else request.processes,
        fewer=request.fewer, one_shard=request.one_shard,
    )  # fmt: skip
    healthy = health.examine(subject, on_check)
    found = planning.write_plan(
        request.batch, wanted, voice, healthy.manifest_sha256, prompts, healthy.probed, request.policy
    )
    return Planned(plan=found, processes=healthy.processes)


def consent_folders(request: Request, voice: VoiceSource | None) -> tuple[Path, ...]:
    """Where a consent record may lie: beside the recording of the voice's run, then in the workspace."""
    beside = (voice.recording,) if voice is not None and voice.recording is not None else ()
    return (*beside, request.workspace)


def _resumed(request: Request, on_check: OnCheck) -> Plan:
    if not request.resume:
        raise HarnessError(
            f"{request.batch} holds a batch already; go on with it: --resume, or name another folder",
            cause="output_exists",
        )
    found = plan.read(request.batch)
    require_allowed(request, found, on_check)
    return found


def require_allowed(
    request: Request, found: Plan, on_check: OnCheck = lambda check: None, *, inputs: Path | None = None
) -> None:
    """Whether a batch may be gone on with: nothing else is asked for than was planned, and the consent holds today.

    `inputs` is the folder that has the plan, if it is not yet that of the batch. Raises HarnessError(plan_changed) and HealthFailure.
    """
    place = inputs or request.batch
    agreement.require_same(place, found, request.said(), request.policy)
    folders = consent_folders(request, _source_of(request, found, place))
    health.examine_again(request.batch, request.policy, record=request.consent, folders=folders, on_check=on_check)


def _source_of(request: Request, found: Plan, inputs: Path) -> VoiceSource | None:
    """The run that a plan names, for where its recording lies; None if the workspace does not know it any more."""
    with contextlib.suppress(HarnessError):
        voice = voice_source.find(request.workspace, inputs / layout.VOICE)
        return voice if voice.run == found.certified_run else None
    return None


def missing(batch: Path, found: Plan) -> list[int]:
    """The shards that are not finished; raises DataError for one that does not hold."""
    return merging.unfinished(batch, found)


def prove(batch: Path, found: Plan) -> None:
    """Prove that every take of the plan is there once, with its row and the clip that was judged; raises DataError naming the shard."""
    merging.require_whole(batch, found)


def sort(batch: Path, found: Plan, policy: Policy) -> Summary:
    """Judge every take by the policy and put it where it goes; raises HarnessError, DataError and TrainingError."""
    summary = Summary()
    places = _Places(batch, found)
    takes = TakeFilter(policy, found.reference.metric, best_of=found.best_of).judged(places.rows())
    for _ in summary.counted(delivery.deliver(batch, ((one, places.clip(one)) for one in takes))):
        pass
    return summary


def summed_up(batch: Path, found: Plan, policy: Policy, summary: Summary) -> dict[str, Any]:
    """Write the report of a sorted batch, for programs and for people; returns what is in the former."""
    document = report.write(batch, found, summary, policy)
    batch_timing.write(batch, found, policy.cost, approved=document["counts"]["approved"])
    batch_page.write(batch)
    return document


class _Places:
    """Rows in the order of the prompts, and in which shard each has its clip; the takes of a prompt are never in two shards."""

    def __init__(self, batch: Path, found: Plan) -> None:
        self._batch, self._plan = batch, found
        self._folders: dict[str, Path] = {}

    def rows(self) -> Iterator[TakeRow]:
        """Every row; raises DataError for a shard that does not hold."""
        for index in range(1, self._plan.shards + 1):
            folder = shard_folder.of(self._batch, self._plan, index)
            done = folder.done()
            if done is None:
                raise folder.invalid("it is not finished", cause="shard_missing")
            for row in verification.rows(folder, done):
                if row.take == 1:
                    self._folders = {**self._latest(), row.id: folder.clips}
                yield row

    def clip(self, one: JudgedTake) -> Path | None:
        """Where the clip of a take lies; None if there is none."""
        return None if one.row.file is None else self._folders[one.row.id] / one.row.file

    def _latest(self) -> dict[str, Path]:
        """The newest entry: grouping reads one row ahead."""
        return dict(list(self._folders.items())[-1:])
