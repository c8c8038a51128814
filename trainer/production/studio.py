"""One voice and every judge, loaded once: speaks a take into its clip and says what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch

from trainer.audio import speech_detection
from trainer.audio.audio_file import AudioFile
from trainer.audio.foreign_mel import SAMPLE_RATE
from trainer.errors import DataError, RuntimeSetupError, TrainerError, TrainingError, memory_failure
from trainer.evaluation import encoder_file, evaluate, intelligibility, judging, realism
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.judging import Judged, Task
from trainer.evaluation.prompts import Item
from trainer.evaluation.similarity import Reference
from trainer.evaluation.stages import INTELLIGIBILITY, SPEAK, Stages
from trainer.files import plain_file
from trainer.files.printable import printable
from trainer.preparation import recognisers
from trainer.preparation.recognisers import RecogniserChoice
from trainer.production import layout, reference, version
from trainer.production.plan import Plan, PlannedDelivery
from trainer.production.reference import ReferenceVectors
from trainer.production.takes import Take, TakeError, TakeRow
from trainer.synthesis import speaking
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.narrator import Narrator

LOAD = "load"
_MESSAGE = 300
_TRIED = round(0.6 * SAMPLE_RATE)
"""Samples of noise to try the judges on: doubled until it is long enough, it is one window of `realism`; a whole second would be seven."""
_UNUSABLE_VOICE = "voice_unusable"
"""The one cause by which a voice fails on a single text."""


class TakeFailedError(Exception):
    """A text could not be spoken, or its clip could not be judged; the other takes go on."""

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(slots=True, kw_only=True)
class Studio:
    """Speaks and judges on one thread: the same take gives the same bytes and the same row, whatever was spoken before."""

    plan: Plan
    voice: Narrator
    references: Sequence[Reference]
    limits: SignalLimits
    recogniser: RecogniserChoice = field(default_factory=RecogniserChoice)
    """What the plan's scores are heard by."""
    stages: Stages = field(default_factory=Stages)

    @classmethod
    def open(cls, batch: Path, plan: Plan) -> Studio:
        """Load the voice of a batch and all judges.

        Raises RuntimeSetupError(version_differs | pins_differ, or as the models' loaders), DataError(plan_invalid | checkpoint_changed),
        TrainingError where the checkpoint holds no voice.
        """
        require_version(plan)
        stages = Stages()
        with stages(LOAD):
            torch.set_num_threads(1)
            vectors = reference.read(batch)
            recogniser = recognisers.by_score_identity(plan.pins.get("recogniser", "")) or RecogniserChoice()
            _require_pins(plan, vectors, recogniser)
            try_judges(recogniser)
            voice = speaking.load(batch / layout.VOICE, threads=1)
        if voice.checkpoint_sha256 != plan.checkpoint_sha256:
            raise DataError(
                f"{batch / layout.VOICE} changed while it was read; put it back", cause="checkpoint_changed"
            )
        return cls(
            plan=plan,
            voice=voice,
            references=vectors.references(),
            limits=plan.signal_limits,
            recogniser=recogniser,
            stages=stages,
        )

    def row(self, take: Take, clips: Path) -> TakeRow:
        """Speak one take into `clips` and judge it there.

        Raises what ends the shard: TrainingError(disk_full | out_of_memory | output_not_writable), RuntimeSetupError for a broken model.
        """
        path = clips / layout.clip_name(take.id, take.take)
        seconds = 0.0
        spoken = False
        try:
            with _one_take("not_spoken"), self.stages(SPEAK):
                seconds = self._speak(take, path)
            spoken = True
            with _one_take("not_judged"):
                return self._judged(take, path)
        except TakeFailedError as error:
            return TakeRow(
                id=take.id, take=take.take, seed=take.seed, text=take.text,
                file=path.name if spoken else None, sha256=plain_file.sha256(path) if spoken else None,
                seconds=seconds, sample_rate=self.plan.delivery.sample_rate if spoken else 0,
                similarity=None, overall=None, speech=None, background=None, p808=None,
                word_edits=None, words=None, character_edits=None, characters=None, heard="", signal=None, faults=(),
                error=TakeError(cause=error.cause, message=_message(error, clips)),
            )  # fmt: skip

    def _speak(self, take: Take, path: Path) -> float:
        """As `voice say TEXT --seed SEED` speaks into a file; returns its seconds."""
        rate = self.plan.delivery.sample_rate
        with AudioFile(path, sample_rate=rate) as file:
            for part in self.voice.stream(take.text, self.plan.delivery_of(take.take)):
                file.write(part.wave)
        return file.samples / rate

    def _judged(self, take: Take, path: Path) -> TakeRow:
        item = Item(id=take.id, path=path, prompt=take.text)
        judged = judging.judge(
            Task(item=item, limits=self.limits, encoder=None, recogniser=self.recogniser), self.stages
        )
        if not judged.audio_sha256:
            raise TrainingError(
                f"{path}: it was written and cannot be read ({', '.join(judged.faults)})", cause="output_not_writable"
            )
        if judged.vector is None:
            raise TakeFailedError(f"nothing can be judged: {', '.join(judged.faults)}", cause="clip_unusable")
        return self._measured(take, judged, path)

    def _measured(self, take: Take, judged: Judged, path: Path) -> TakeRow:
        with self.stages(INTELLIGIBILITY):
            found = evaluate.evaluated(judged, self.references)
        return TakeRow(
            id=take.id, take=take.take, seed=take.seed, text=take.text, file=path.name, sha256=found.audio_sha256,
            seconds=found.seconds, sample_rate=found.sample_rate, similarity=found.similarity, overall=found.overall, speech=found.speech,
            background=found.background, p808=found.p808, word_edits=found.word_edits, words=found.words,
            character_edits=found.character_edits, characters=found.characters, heard=found.heard, signal=found.signal,
            faults=found.faults, error=None,
        )  # fmt: skip


def planned_delivery(batch: Path, wanted: Delivery) -> PlannedDelivery:
    """How the voice of a batch speaks what is wanted: at the rate that is asked for, else at its own; raises as `speaking.load`."""
    voice = speaking.load(batch / layout.VOICE, threads=1)
    return PlannedDelivery(
        rate=wanted.rate,
        pitch=wanted.pitch,
        pause=wanted.pause,
        liveliness=wanted.liveliness,
        sample_rate=voice.rate_of(wanted),
    )


def require_version(plan: Plan) -> None:
    """Raises RuntimeSetupError(version_differs) if the plan was made by another version: it would speak other bytes."""
    if plan.project_version != version.version():
        raise RuntimeSetupError(
            f"the plan was made by another version ({version.differences(plan.project_version, version.version())}); use that version, or make "
            "the batch again in an empty folder",
            cause="version_differs",
        )


def _require_pins(plan: Plan, vectors: ReferenceVectors, recogniser: RecogniserChoice) -> None:
    """Raises RuntimeSetupError(pins_differ) if the judges here are others than the plan's."""
    encoder = encoder_file.load(None)
    here = {**evaluate.pins(plan.signal_limits, recogniser), "speaker_encoder": encoder.sha256}
    differing = sorted(name for name in {**here, **plan.pins} if here.get(name) != plan.pins.get(name))
    if vectors.speaker_encoder != encoder.sha256 or vectors.metric != plan.reference.metric:
        differing.append("reference")
    if differing:
        raise RuntimeSetupError(
            f"the plan was made with other judges ({', '.join(differing)}); use that version, or make the batch again in an empty folder",
            cause="pins_differ",
        )


@cache
def try_judges(recogniser: RecogniserChoice | None = None) -> None:
    """Try every model on a little noise, once a process: one that is missing ends the shard before the first take."""
    speech_detection.SpeechDetector()
    noise = np.random.default_rng(0).normal(0.0, 0.1, _TRIED).astype(np.float32)
    encoder_file.load(None).embed(noise, SAMPLE_RATE)
    realism.opinion(noise, SAMPLE_RATE)
    intelligibility.recognise(noise, SAMPLE_RATE, recogniser or RecogniserChoice())


@contextmanager
def _one_take(cause: str) -> Iterator[None]:
    """Turns what fails on this text or clip into a TakeFailedError; what would fail on the next one too passes."""
    try:
        yield
    except TakeFailedError:
        raise
    except TrainerError as error:
        if not isinstance(error, DataError) and error.cause != _UNUSABLE_VOICE:
            raise
        raise TakeFailedError(str(error), cause=error.cause) from error
    except (OSError, ImportError):
        raise
    except Exception as error:  # what a judge's library raises has no common parent
        if (memory := memory_failure(error)) is not None:
            raise memory from error
        raise TakeFailedError(f"{type(error).__name__}: {error}", cause=cause) from error


def _message(error: TakeFailedError, clips: Path) -> str:
    """The same wherever the batch lies."""
    return printable(str(error).replace(f"{clips}/", ""), _MESSAGE)
