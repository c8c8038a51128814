"""The sections of the policy: every threshold, its unit, its range and its built-in default.

A field ending in `_` is written without it in the file (`pass_` is `pass`). The built-in defaults hold where no file says otherwise; what
was measured, and how, stands beside the number in acceptance/thresholds.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from trainer.evaluation.faults import SignalLimits
from trainer.files import portable_path
from trainer.preparation.prepare_settings import PrepareSettings


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a character that cannot be printed")
    return text


def _one_file(path: str) -> str:
    problem = (
        "holds one of * ? [, but names one file: list each file" if _GLOB.search(path) else portable_path.problem(path)
    )
    if problem:
        raise ValueError(problem.replace("the folder", "the root of the repository"))
    return path


_GLOB = re.compile(r"[*?\[]")
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
NotNegative = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
Decibels = Annotated[float, Field(strict=True, ge=-200, le=200)]
LogLikelihood = Annotated[float, Field(strict=True, ge=-1000, le=1000)]
Score = Annotated[float, Field(strict=True, ge=0, le=100)]
Cosine = Annotated[float, Field(strict=True, ge=-1, le=1)]
Opinion = Annotated[float, Field(strict=True, ge=1, le=5)]
ErrorRate = Annotated[float, Field(strict=True, ge=0, le=10)]
Count = Annotated[int, Field(strict=True, ge=0)]
YesNo = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Text = Annotated[str, Field(max_length=2000), AfterValidator(_printable)]
FilePattern = Annotated[str, Field(max_length=400, pattern=r"^[^/]"), AfterValidator(_printable)]
FilePath = Annotated[str, Field(max_length=400), AfterValidator(_printable), AfterValidator(_one_file)]
Suffix = Annotated[str, Field(pattern=r"^\.[A-Za-z0-9_.]{1,32}$")]
Source = Annotated[int, Field(strict=True)] | Number | Text | None
Grade = Literal["A", "B", "C", "D"]
Part = Literal["speaker_similarity", "speech_realism", "intelligibility", "signal"]
Verdict = Literal["pass", "warn", "fail"]

_SIGNAL, _PREPARE = SignalLimits(), PrepareSettings()
_ASKED = {
    "min_utterance_speech": "min_speech_fraction",
    "min_utterance_loudness_lufs": "min_loudness_lufs",
    "min_utterance_snr_db": "min_snr_db",
    "max_utterance_clipping": "max_clipping",
}
"""What is asked of an utterance, by the names of PrepareSettings; a clip's limits have those names here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioPolicy:
    """What counts as a fault in the signal of one clip, and what preparation asks of a recording and of each utterance in it."""

    max_clipping: Share = _SIGNAL.max_clipping
    """Share of samples at full scale."""
    max_offset: Share = _SIGNAL.max_offset
    """Absolute mean, full scale 1."""
    max_silence: Share = _SIGNAL.max_silence
    """Share of 20 ms windows more than 40 dB below the loudest."""
    max_pause_s: Positive = _SIGNAL.max_pause_s
    max_edge_db: Decibels = _SIGNAL.max_edge_db
    """Level of the first and last 5 ms against the loud windows; above it the clip begins or ends inside a sound."""
    min_snr_db: Decibels = _SIGNAL.min_snr_db
    min_loudness_lufs: Decibels = _SIGNAL.min_loudness_lufs
    max_loudness_lufs: Decibels = _SIGNAL.max_loudness_lufs
    min_clip_s: Positive = _SIGNAL.min_clip_s
    """A shorter clip says too little of a voice."""
    min_seconds_per_word: Positive = _SIGNAL.min_seconds_per_word
    max_seconds_per_word: Positive = _SIGNAL.max_seconds_per_word
    min_channel_spread_db: Decibels = _PREPARE.min_channel_spread_db
    """Between the quiet and the loud windows of a channel; a recording below it has no speech to choose channels by."""
    max_channel_spread_loss_db: Decibels = _PREPARE.max_channel_spread_loss_db
    """A channel so far below the best is hum, noise, a time code or silence: preparation leaves it out."""
    max_channel_cancellation: Share = _PREPARE.max_channel_cancellation
    """Share of the speech band in which the mean of the channels cancels speech; above it preparation takes one channel."""
    min_usable_s: Positive = _PREPARE.min_usable_s
    """Speech that preparation must find in a recording, seconds."""
    min_utterance_speech: Share = _PREPARE.min_speech_fraction
    """Share of an utterance's windows that hold speech; below it preparation drops the utterance, as with the next three."""
    min_utterance_loudness_lufs: Decibels = _PREPARE.min_loudness_lufs
    """Of 16-bit sound; 24-bit and floating-point sound may be 48 dB quieter, but no quieter than -70 LUFS."""
    min_utterance_snr_db: Decibels = _PREPARE.min_snr_db
    max_utterance_clipping: Share = _PREPARE.max_clipping
    same_speaker_cosine: Cosine = _PREPARE.same_speaker_cosine
    """Two groups of utterances whose mean GE2E vectors lie nearer are one speaker; below, preparation warns of another voice."""
    other_speaker_cosine: Cosine = _PREPARE.other_speaker_cosine
    """Below it is certainly another voice; with `other_speaker_share` of the speech of such a one a recording is refused."""
    other_speaker_share: Share = _PREPARE.other_speaker_share
    min_speaker_s: Positive = _PREPARE.min_speaker_s
    """Less speech than this says nothing of who speaks."""
    min_transcribed_s: NotNegative = _PREPARE.min_transcribed_s
    """Speech that bears out its text, seconds to train on."""
    min_kind_share: Share = _PREPARE.min_kind_share
    """Of the speech that is of one kind (the next four); from here on preparation warns of it and drops nothing."""
    min_bandwidth_hz: Positive = _PREPARE.min_bandwidth_hz
    """An utterance without sound from here on is as by telephone."""
    min_voiced_share: Share = _PREPARE.min_voiced_share
    """Of an utterance's loud frames; below it is whispered."""
    max_tonal_pauses: Share = _PREPARE.max_tonal_pauses
    """Of an utterance's quietest frames that hold tones; above it has music under the speech."""
    max_median_f0_hz: Positive = _PREPARE.max_median_f0_hz
    """Of an utterance; above it is a child's, or runs too fast."""
    max_not_understood: Share = _PREPARE.max_not_understood
    """Of the utterances without a text; from here on preparation warns that the recogniser cannot cope with the speech."""

    def signal_limits(self) -> SignalLimits:
        """What a clip's signal is held to."""
        return SignalLimits(**{field.name: getattr(self, field.name) for field in fields(SignalLimits)})

    def preparation(self) -> dict[str, float]:
        """What the trainer's preparation is told, by the names of PrepareSettings."""
        of_clips = {field.name for field in fields(SignalLimits)}
        return {_ASKED.get(name, name): value for name, value in asdict(self).items() if name not in of_clips}


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptPolicy:
    """Whether a text is what is said in a recording, and in each of its utterances; a confidence is 0 to 1, one half between right and wrong."""

    min_english_share: Share = _PREPARE.min_english_share
    """Of a text's words in the dictionary; below, it is taken for another language's and refused."""
    min_text_share: Share = _PREPARE.min_text_share
    """Of the speech that matches a whole recording's text; below, the text is taken for another recording's and refused."""
    complete_text_share: Share = _PREPARE.complete_text_share
    """Of the same; below, a warning says that the text lacks parts."""
    min_text_confidence: Share = _PREPARE.min_text_confidence
    """Of one utterance's stretch of that text; below, preparation drops the utterance."""
    min_unspoken_gain: NotNegative = _PREPARE.min_unspoken_gain
    """Log-likelihood a word that an utterance gains without words of its text; from here on they are taken for unspoken and left out."""
    min_recognised_score: LogLikelihood = _PREPARE.min_recognised_score
    """Log-likelihood per speech frame of recognised words against the best sequence of any phones; below, the utterance is dropped."""
    min_transcript_confidence: Share = _PREPARE.min_transcript_confidence
    """Of any transcript when it is learnt from; below, training leaves the utterance out."""
    min_fitting_share: Share = _PREPARE.min_fitting_share
    """Of the speech whose transcripts reach that; below, with too little left, they are taken for another recording's."""

    def preparation(self) -> dict[str, float]:
        """What the trainer's preparation is told, by the names of PrepareSettings."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPolicy:
    """What counts as having learned."""

    min_improvement: Share = 0.05
    """Relative: (start - trained) / start, on held-out speech of the target."""
    min_control_gap: Share = 0.05
    """Improvement on the target minus improvement on the wrong voice."""
    max_part_growth: Share = 0.02
    """Share by which one network's own held-out loss may lie above its start, where a backbone measures them one by one."""
    max_speaker_difference: Share = 0.05
    """Nepers, or 1 - cosine: how far the speaker in a checkpoint may lie from the one in the recording, where a backbone has one."""
    min_heldout_utterances: Count = _PREPARE.min_heldout_utterances
    """With fewer, or with less speech, the proof says too little."""
    min_heldout_s: NotNegative = _PREPARE.min_heldout_s
    remeasure_tolerance: Share = 0.001
    """Relative difference allowed between claimed and measured losses."""

    def preparation(self) -> dict[str, float]:
        """What is asked of the held-out speech before anything is trained, by the names of PrepareSettings."""
        return {"min_heldout_utterances": self.min_heldout_utterances, "min_heldout_s": self.min_heldout_s}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPolicy:
    """How one measure becomes a verdict and a share of the score. Better is towards `ceiling`, upwards or downwards."""

    metric: Name
    pass_: Number
    """The worst value that still passes."""
    warn: Number
    """Stricter than `pass`: what passes but is worse than this is a warning."""
    floor: Number
    """Worth nothing: what another speaker, noise or silence gets."""
    ceiling: Number
    """Worth all: what real speech of the target gets."""
    description: Text = ""
    provenance: Mapping[Name, Source] = field(default_factory=dict)
    """Where the numbers come from."""

    def share(self, value: float) -> float:
        """`value` between floor (0) and ceiling (1)."""
        return min(max((value - self.floor) / (self.ceiling - self.floor), 0.0), 1.0)

    def verdict(self, value: float) -> Verdict:
        """pass, warn (passes, but worse than `warn`) or fail; NaN fails."""
        direction = 1.0 if self.ceiling > self.floor else -1.0
        if not value * direction >= self.pass_ * direction:
            return "fail"
        return "pass" if value * direction >= self.warn * direction else "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityPolicy(MetricPolicy):
    """How much the voice sounds like the target."""

    metric: Name = "ge2e_cosine"
    """Or `cosine_<name>` of another encoder: thresholds of one say nothing of the other."""
    pass_: Cosine = 0.75
    warn: Cosine = 0.80
    floor: Cosine = 0.46
    ceiling: Cosine = 0.87
    description: Text = "mean cosine between a clip's GE2E speaker vector and those of real clips of the target"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealismPolicy(MetricPolicy):
    """How natural the speech sounds."""

    metric: Name = "dnsmos_ovrl"
    pass_: Opinion = 2.5
    warn: Opinion = 2.8
    floor: Opinion = 1.5
    ceiling: Opinion = 3.3
    description: Text = "overall listening opinion predicted by DNSMOS P.835, 1 to 5"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntelligibilityPolicy(MetricPolicy):
    """How much of it a machine understands; lower is better."""

    metric: Name = "wer"
    """Or `cer`, of letters; `wer_whisper`, `cer_whisper` of another recogniser: thresholds of one say nothing of the other."""
    pass_: ErrorRate = 0.30
    warn: ErrorRate = 0.20
    floor: ErrorRate = 1.0
    ceiling: ErrorRate = 0.05
    description: Text = "word error rate of the pocketsphinx recogniser, all words together"

    @property
    def recogniser(self) -> str:
        """What hears the words that the thresholds are for."""
        return "whisper" if self.metric.endswith("_whisper") else "pocketsphinx"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorecardPolicy:
    """How the metrics become one score from 0 to 100, a grade, and a decision between two versions."""

    grades: Mapping[Grade, Score] = field(default_factory=lambda: {"A": 85.0, "B": 75.0, "C": 65.0, "D": 50.0})
    """Least score of each grade; below D it is F."""
    weights: Mapping[Part, Share] = field(
        default_factory=lambda: {
            "speaker_similarity": 0.4,
            "speech_realism": 0.25,
            "intelligibility": 0.25,
            "signal": 0.1,
        }
    )
    promotion_minimum_grade: Grade = "B"
    require_origin: YesNo = True
    """Whether a voice whose checkpoint or dataset is unknown is kept from promotion."""
    min_difference: Score = 1.0
    """Points: scores that differ by less cannot be told apart."""
    confidence: Annotated[float, Field(strict=True, ge=0.5, le=0.999)] = 0.95
    """Of the interval of a difference."""
    resamples: Annotated[int, Field(strict=True, ge=100, le=1_000_000)] = 10_000
    """Of the bootstrap that gives the interval."""
    min_common_prompts: Annotated[int, Field(strict=True, ge=2, le=100_000)] = 10
    """Prompts that two versions must both have said; fewer tell nothing."""
    provenance: Mapping[Name, Source] = field(default_factory=dict)
    """Where min_difference comes from."""

    def weight(self, part: str) -> float:
        """The weight of a part of the score; 0 for what is none."""
        return next((weight for name, weight in self.weights.items() if name == part), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextBudgetPolicy:
    """How long the project's files may be, in lines."""

    max_file_lines: Mapping[Suffix, Count] = field(default_factory=lambda: {".py": 400, ".md": 500, ".sh": 350})
    max_total_lines: Count = 105_000
    exempt: tuple[FilePattern, ...] = ()
    """Glob patterns of files that count neither for themselves nor in total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshFile:
    """A file that must have been looked at not too long ago, by the date of its last commit."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    path: FilePath
    """One file, relative to the root of the repository."""
    max_age_days: Annotated[int, Field(strict=True, ge=1, le=36_500)]
    reason: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_printable)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPolicy:
    """Prices of machines, and when what was spent is too much."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    rate_per_hour: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=100_000)] = 0.6
    """Of a machine that `rates` does not name."""
    rates: Mapping[Text, NotNegative] = field(default_factory=dict)
    """Per hour, by the name of the GPU or else of the machine."""
    heartbeat_s: Annotated[int, Field(strict=True, ge=1, le=3600)] = 30
    """Between two signs of life of a session; a crash costs up to the last one."""
    most_hours: Positive = 24.0
    """A session that a person started ends by itself after so many."""
    total_budget: NotNegative = 0.0
    """No training and no production starts when so much is spent; 0 is no budget."""
    daily_idle_budget: NotNegative = 0.0
    """Idle time of one day may cost so much; 0 is no budget."""
    anomaly_factor: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=1, le=1000)] = 3.0
    """A day that costs so many times the median of the days before it is told."""
    anomaly_min_days: Annotated[int, Field(strict=True, ge=1, le=1000)] = 3
    """So many days with costs are needed before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionPolicy:
    """When a production of many utterances is good enough, and which of its takes go where."""

    min_grade: Grade = "C"
    """Of an utterance; a worse one is rejected."""
    max_rejected_share: Share = 0.1
    """Of the utterances, and of those with a fault by themselves; a voice beyond it may not be promoted."""
    takes: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1
    """Of each prompt, each with another seed, if the command does not say."""
    max_prompt_characters: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 500
    """A longer text is left out: it is no utterance, and one slip in it would cost all of it."""
    min_similarity: Cosine = 0.75
    """Of one take; below it is rejected, as with the next."""
    min_realism: Opinion = 2.5
    max_wer: ErrorRate = 0.5
    """Of one take; from here to `reject_wer` the recogniser is unsure, for it mishears real speech that much, too: quarantine."""
    reject_wer: ErrorRate = 0.8
    """At least that much of a take is not understood: it is rejected."""
    max_faults: Count = 0
    """Of the signal of one take."""
    min_judged_s: NotNegative = 1.6
    """A shorter take cannot be judged: quarantine."""
    min_judged_words: Count = 4
    """A take with fewer words and an error rate above `max_wer` cannot be judged: one slip is too much of it."""
    require_consent: YesNo = True
    """Whether a production needs the speaker's consent record (voice consent init)."""
    head_room: Annotated[float, Field(strict=True, ge=1, le=100)] = 1.25
    """Times the disk and the memory that a batch is expected to take must be free before it begins."""
    provenance: Mapping[Name, Source] = field(default_factory=dict)
    """Where the numbers of one take come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailsPolicy:
    """Which checks of phase 0 block the objective; the others are reported."""

    blocking: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """All of them; `Sections()` is the built-in defaults."""

    audio: AudioPolicy = field(default_factory=AudioPolicy)
    transcripts: TranscriptPolicy = field(default_factory=TranscriptPolicy)
    learning: LearningPolicy = field(default_factory=LearningPolicy)
    speaker_similarity: SimilarityPolicy = field(default_factory=SimilarityPolicy)
    speech_realism: RealismPolicy = field(default_factory=RealismPolicy)
    intelligibility: IntelligibilityPolicy = field(default_factory=IntelligibilityPolicy)
    scorecard: ScorecardPolicy = field(default_factory=ScorecardPolicy)
    context_budget: ContextBudgetPolicy = field(default_factory=ContextBudgetPolicy)
    freshness: tuple[FreshFile, ...] = ()
    cost: CostPolicy = field(default_factory=CostPolicy)
    production: ProductionPolicy = field(default_factory=ProductionPolicy)
    guardrails: GuardrailsPolicy = field(default_factory=GuardrailsPolicy)

    def preparation(self) -> dict[str, float]:
        """What the trainer's preparation is told by all sections, by the names of PrepareSettings."""
        return {**self.audio.preparation(), **self.transcripts.preparation(), **self.learning.preparation()}
