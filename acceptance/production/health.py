"""What is looked at before a batch is made: one named check after another, so that nothing fails after hours that could be known at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.policy.sections import ProductionPolicy
from acceptance.production import memory, probe
from acceptance.production.planning import PromptList, Wanted
from acceptance.production.probe import Probed, ProbeRequest
from acceptance.production.voice_source import VoiceSource
from acceptance.voices import consent
from acceptance.voices.consent import Consent
from trainer.dataset import manifest
from trainer.errors import TrainerError
from trainer.evaluation import checkpoints
from trainer.files import output_file
from trainer.files.plain_file import PlainFileError
from trainer.production import layout

_GIB = 2**30
_USUAL_BYTES = 4096
"""A file system gives out blocks of so many bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One thing that was looked at and holds, with what was found."""

    name: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is examined."""

    batch: Path
    voice: VoiceSource
    manifest: Path | None
    """Its held-out clips are the reference, without a folder of clips."""
    reference: Path | None
    consent: Path | None
    consent_folders: tuple[Path, ...]
    wanted: Wanted
    prompts: PromptList
    policy: Policy
    processes: int
    fewer: bool = False
    """Fewer processes will do, if the memory has no room for so many."""
    one_shard: bool = False
    """Only one shard is made here."""

    @property
    def share(self) -> float:
        """How much of the batch is made here."""
        return 1 / self.wanted.shards if self.one_shard else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthy:
    """Everything holds: what was found on the way and the plan needs."""

    checks: tuple[HealthCheck, ...]
    manifest_sha256: str | None
    probed: Probed
    processes: int
    """For which the memory has room."""


class HealthFailure(HarnessError):
    """A check does not hold; `check` is its name."""

    def __init__(self, check: str, error: HarnessError | TrainerError) -> None:
        super().__init__(f"health check {check}: {error}", cause=error.cause)
        self.check = check


class Examination:
    """Runs the checks in order; the first that does not hold ends it with HealthFailure."""

    def __init__(self, on_check: Callable[[HealthCheck], None]) -> None:
        self.checks: list[HealthCheck] = []
        self._on_check = on_check

    def look(self, name: str, check: Callable[[], str]) -> None:
        """Run one check, which returns what it found."""
        try:
            found = HealthCheck(name=name, found=check())
        except (HarnessError, TrainerError) as error:
            raise HealthFailure(name, error) from error
        self.checks.append(found)
        self._on_check(found)


def examine(subject: Subject, on_check: Callable[[HealthCheck], None] = lambda check: None) -> Healthy:
    """All checks of a new batch; raises HealthFailure."""
    looking = Examination(on_check)
    known: dict[str, str | None] = {}
    clips: dict[str, Path] = {}
    tried: list[Probed] = []
    room: list[int] = []
    looking.look("checkpoint_valid", lambda: _valid(subject.voice, known))
    looking.look("checkpoint_recorded", lambda: _recorded(subject.voice))
    looking.look("consent", lambda: _consent(subject.policy.production, subject.consent, subject.consent_folders))
    looking.look("reference_usable", lambda: _reference(subject, known, clips))
    looking.look("output_usable", lambda: _output(subject.batch))
    looking.look("evaluators_load", lambda: _evaluators(subject, clips, tried))
    looking.look("disk_room", lambda: _disk(subject, tried[0]))
    looking.look("memory_room", lambda: _memory(subject, tried[0], room))
    return Healthy(
        checks=tuple(looking.checks), manifest_sha256=known.get("manifest"), probed=tried[0], processes=room[0]
    )


def examine_again(
    batch: Path,
    policy: Policy,
    *,
    record: Path | None,
    folders: tuple[Path, ...],
    on_check: Callable[[HealthCheck], None],
) -> None:
    """What may have changed since a batch was planned: the consent, and whether its folder can be written; raises HealthFailure."""
    looking = Examination(on_check)
    looking.look("consent", lambda: _consent(policy.production, record, folders))
    looking.look("output_usable", lambda: _output(batch))


def _valid(voice: VoiceSource, known: dict[str, str | None]) -> str:
    found = checkpoints.read(voice.checkpoint.resolve())
    if found.sha256 != voice.sha256:
        raise HarnessError(
            f"{voice.checkpoint} changes while it is looked at; wait until nobody writes it", cause="artifact_mismatch"
        )
    known["trained_on"] = found.manifest_sha256
    return f"{voice.checkpoint.name}, sha256 {voice.sha256[:12]}"


def _recorded(voice: VoiceSource) -> str:
    """The hash was compared with the record when the voice was found."""
    if voice.run is None:
        return "no run of this workspace certified it: nothing vouches for this voice"
    return f"the file that run {voice.run} certified"


def _consent(rules: ProductionPolicy, record: Path | None, folders: tuple[Path, ...]) -> str:
    if not rules.require_consent:
        return "not asked for (production.require_consent is false)"
    found: Consent = consent.find(record, folders)
    consent.require(found, "produce", consent.today())
    return f"{found.speaker} allows {', '.join(found.scope)} ({found.path})"


def _reference(subject: Subject, known: dict[str, str | None], clips: dict[str, Path]) -> str:
    """Real clips that no training heard; a manifest must be the one that the voice was trained on."""
    document = None
    if subject.manifest is not None:
        document, digest = manifest.load_with_digest(subject.manifest)
        found = checkpoints.Checkpoint(sha256=subject.voice.sha256, manifest_sha256=known["trained_on"], licence=None)
        checkpoints.check_trained_on(subject.voice.checkpoint, found, digest)
        if subject.voice.manifest == subject.manifest and digest != subject.voice.manifest_sha256:
            raise HarnessError(
                f"{subject.manifest} is not the file that run {subject.voice.run} recorded; put it back, or name another: --manifest FILE",
                cause="artifact_mismatch",
            )
        known["manifest"] = digest
    if subject.reference is not None:
        from trainer.evaluation import evaluate  # PyTorch comes with it

        clips.update(evaluate.reference_folder(subject.reference))
        if document is not None:
            evaluate.require_untrained(clips, document)
        return f"{len(clips)} real clips in {subject.reference}"
    if subject.manifest is None or document is None:
        raise HarnessError(
            f"nothing to compare {subject.voice.checkpoint} with; give its dataset (--manifest FILE), or real clips of the speaker (--reference DIR)",
            cause="reference_missing",
        )
    manifest.verify_clips(document, subject.manifest.parent)
    clips.update({entry.id: subject.manifest.parent / entry.path for entry in document.split(manifest.HELD_OUT)})
    if not clips:
        raise HarnessError(
            f"{subject.manifest} has no held-out clip; give real clips of the speaker: --reference DIR",
            cause="reference_missing",
        )
    return f"{len(clips)} held-out clips of {subject.manifest.name}"


def _output(batch: Path) -> str:
    output_file.check_writable(batch / layout.PLAN)
    return f"{batch} can be written"


def _evaluators(subject: Subject, clips: Mapping[str, Path], tried: list[Probed]) -> str:
    tried.append(
        probe.run(
            ProbeRequest(
                checkpoint=subject.voice.checkpoint, checkpoint_sha256=subject.voice.sha256, reference=clips,
                limits=subject.policy.audio.signal_limits(), recogniser=subject.policy.intelligibility.recogniser,
                delivery=subject.wanted.delivery,
            )
        )
    )  # fmt: skip
    return f"one sentence was spoken at {tried[0].delivery.sample_rate} Hz and judged; {len(clips)} clips have speaker vectors"


def expected_bytes(subject: Subject, probed: Probed) -> int:
    """What this machine's share of the batch is expected to take on the disk."""
    takes = subject.prompts.prompts.count * subject.wanted.takes
    whole = subject.prompts.characters * subject.wanted.takes * probed.bytes_per_character + takes * _USUAL_BYTES
    return round(whole * subject.share)


def _disk(subject: Subject, probed: Probed) -> str:
    needed = expected_bytes(subject, probed) * subject.policy.production.head_room
    place = next(folder for folder in (subject.batch.absolute(), *subject.batch.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise HarnessError(
            f"{place} has {free / _GIB:.2f} GiB free, the batch needs about {needed / _GIB:.2f}; free space, name another folder, or make fewer "
            "shards at a time: --shard I/N",
            cause="disk_full",
        )
    cpu_s = subject.prompts.characters * subject.wanted.takes * probed.cpu_s_per_character * subject.share
    return (
        f"{free / _GIB:.1f} GiB free, about {needed / _GIB:.2f} needed; about {cpu_s / 60 / subject.processes:.1f} minutes with {subject.processes} "
        f"process{'es' if subject.processes > 1 else ''}"
    )


def _memory(subject: Subject, probed: Probed, room: list[int]) -> str:
    """`room` gets the number of processes that may be used."""
    each, processes = probed.memory_bytes * subject.policy.production.head_room, subject.processes
    try:
        free = memory.available()
    except (PlainFileError, ValueError, OSError):
        room.append(processes)
        return f"about {processes * each / _GIB:.2f} GiB needed; this system does not say how much is free"
    fitting = min(processes, int(free / each))
    if fitting < 1 or (fitting < processes and not subject.fewer):
        step = f"use fewer: --processes {fitting}" if fitting else "end other programs, or give the machine more memory"
        raise HarnessError(
            f"{free / _GIB:.2f} GiB of memory are free, {_processes(processes if fitting else 1)} about "
            f"{(processes if fitting else 1) * each / _GIB:.2f}; {step}",
            cause="out_of_memory",
        )
    room.append(fitting)
    fewer = f"; only {fitting} of {processes} processes" if fitting < processes else ""
    return f"{free / _GIB:.1f} GiB free, about {fitting * each / _GIB:.2f} needed{fewer}"


def _processes(number: int) -> str:
    return f"{number} processes need" if number > 1 else "one process needs"
