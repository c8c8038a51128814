"""The steps of the objective: their order, the class of their stage, and what each needs from earlier ones; before them, the guardrails.

A step's id is `phase_<n>_<phase>.<check>`; the test `test_<check>` in `test_<n>_<phase>.py` decides it. Phase 0 holds the guardrails: they
are reported, but success is a pass of `STEPS`, the phases 1 to 5, unless the policy makes a guardrail blocking. The phases 6 to 8 (`OPTIONAL`)
count only where they are asked for: a production (7) is then part of the objective, a full cycle adds evaluation (6) and promotion (8).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from acceptance.causes import FailureClass

_ENV, _RUN, _DATA, _TRAIN = FailureClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One criterion of the objective."""

    id: str
    stage: FailureClass
    """Class of a failure here about which nothing else is known."""
    requires: tuple[str, ...] = ()
    """When one of these did not pass, the step is not attempted: it is blocked by it."""
    follows: tuple[str, ...] = ()
    """The step is attempted all the same, but its failure counts as a consequence when one of these failed."""

    @property
    def phase(self) -> str:
        """`phase_<n>_<phase>`."""
        return self.id.partition(".")[0]

    @property
    def check(self) -> str:
        """The part after the dot."""
        return self.id.partition(".")[2]


def _steps(phase: str, *rows: tuple[str, FailureClass, tuple[str, ...], tuple[str, ...]]) -> tuple[Step, ...]:
    return tuple(
        Step(id=f"{phase}.{check}", stage=stage, requires=requires, follows=follows)
        for check, stage, requires, follows in rows
    )


_P1, _P2, _P3, _P4, _P5 = "phase_1_preflight phase_2_build phase_3_readiness phase_4_artifacts phase_5_report".split()
_AUDIO = (f"{_P1}.audio_exists", f"{_P1}.audio_size", f"{_P1}.audio_not_lfs_pointer", f"{_P1}.audio_decodes")
_RAN = (f"{_P3}.mount_writable",)
_ENDED = (f"{_P3}.train_report_emitted", f"{_P3}.exit_clean")
_ARTIFACTS = (f"{_P4}.manifest_valid", f"{_P4}.status_completed", f"{_P4}.checkpoint_valid")

STEPS: tuple[Step, ...] = (
    *_steps(
        _P1,
        ("audio_exists", _DATA, (), ()),
        ("audio_size", _DATA, _AUDIO[:1], ()),
        ("audio_not_lfs_pointer", _DATA, _AUDIO[:1], _AUDIO[1:2]),
        ("audio_decodes", _DATA, (_AUDIO[0], _AUDIO[2]), (_AUDIO[1],)),
        ("docker_cli", _ENV, (), ()),
        ("docker_daemon", _ENV, (f"{_P1}.docker_cli",), ()),
    ),
    *_steps(
        _P2,
        ("image_built", _ENV, (f"{_P1}.docker_daemon",), ()),
        ("sources_unchanged", _ENV, (f"{_P2}.image_built",), ()),
    ),
    *_steps(
        _P3,
        ("container_started", _ENV, (*_AUDIO, f"{_P2}.image_built", f"{_P2}.sources_unchanged"), ()),
        ("mount_writable", _ENV, (f"{_P3}.container_started",), ()),
        ("train_report_emitted", _TRAIN, _RAN, ()),
        ("exit_clean", _TRAIN, _RAN, _ENDED[:1]),
    ),
    *_steps(
        _P4,
        ("manifest_valid", _TRAIN, _RAN, _ENDED),
        ("status_completed", _TRAIN, _RAN, _ENDED),
        ("checkpoint_valid", _TRAIN, _RAN, _ENDED),
        ("bound_to_this_run", _TRAIN, _ARTIFACTS, _ENDED),
        ("learned", _TRAIN, (*_ARTIFACTS, f"{_P4}.bound_to_this_run"), _ENDED),
        ("protected_paths_unchanged", _TRAIN, _RAN, ()),
    ),
    *_steps(_P5, ("report_complete", _ENV, (), ()), ("report_deterministic", _ENV, (), ())),
)

GUARDRAILS: tuple[Step, ...] = tuple(
    Step(id=f"phase_0_guardrails.{check}", stage=_ENV)
    for check in (
        *"policy_complete policy_calibrated empty_success journal_intact manifest_intact learning_margins stale_files".split(),
        *"resume abandoned_containers machine_paths dead_references missing_files lfs_pointers ignored_files".split(),
        *("portable_names", "freshness", "context_budget"),
    )
)
"""Independent of each other and of the objective's steps."""

_P6, _P7, _P8 = EVALUATION_PHASE, PRODUCTION_PHASE, PROMOTION_PHASE = (
    "phase_6_evaluation",
    "phase_7_production",
    "phase_8_promotion",
)
_CERTIFIED = tuple(step.id for step in STEPS)

EVALUATION: tuple[Step, ...] = _steps(
    _P6,
    ("voice_evaluated", _TRAIN, _CERTIFIED, ()),
    ("scorecard_recorded", _ENV, (f"{_P6}.voice_evaluated",), ()),
    ("compared_with_promoted", _ENV, (f"{_P6}.scorecard_recorded",), ()),
)
"""Of a full cycle: what the certified voice is worth, alone and beside the version in use."""
PRODUCTION: tuple[Step, ...] = _steps(
    _P7,
    ("prompts_readable", _DATA, _CERTIFIED, ()),
    ("health_check", _ENV, (f"{_P7}.prompts_readable",), ()),
    ("clips_made", _RUN, (f"{_P7}.health_check",), ()),
    ("clips_judged", _RUN, (f"{_P7}.clips_made",), ()),
    ("clips_sorted", _TRAIN, (f"{_P7}.clips_judged",), ()),
    ("batch_reported", _ENV, (f"{_P7}.clips_sorted",), ()),
)
"""Of a run that is asked for a production, too: its voice is certified first, and only such a voice produces."""
PROMOTION: tuple[Step, ...] = _steps(
    _P8,
    # A production that was asked for comes first: a voice whose clips are no good does not come into use.
    ("decided", _ENV, (f"{_P6}.compared_with_promoted", f"{_P7}.batch_reported"), ()),
    ("registry_consistent", _ENV, (f"{_P8}.decided",), ()),
)
"""Of a full cycle: whether the voice comes into use. To hold it is a decision, too, and no failure."""
OPTIONAL: Mapping[str, tuple[Step, ...]] = {_P6: EVALUATION, _P7: PRODUCTION, _P8: PROMOTION}
"""The phases that are not part of every run, in order."""
FULL_CYCLE = frozenset({_P6, _P8})
"""What a full cycle adds."""

ALL_STEPS: tuple[Step, ...] = (*GUARDRAILS, *STEPS)
"""Those of every run."""
STEP: dict[str, Step] = {
    step.id: step for step in (*ALL_STEPS, *(step for steps in OPTIONAL.values() for step in steps))
}
ORDER: dict[str, int] = {step: index for index, step in enumerate(STEP)}
PHASES: tuple[str, ...] = tuple(dict.fromkeys(step.phase for step in ALL_STEPS))


def optional_steps(phases: Collection[str]) -> tuple[Step, ...]:
    """The steps of those optional phases, in order."""
    return tuple(step for phase, steps in OPTIONAL.items() if phase in phases for step in steps)


def phases_with(phases: Collection[str]) -> tuple[str, ...]:
    """The phases of a run that asks for those optional ones, in order."""
    return (*PHASES, *(phase for phase in OPTIONAL if phase in phases))


def is_asked(step: str, phases: Collection[str]) -> bool:
    """Whether a step counts where these optional phases are asked for."""
    phase = STEP[step].phase
    return phase not in OPTIONAL or phase in phases


def needed_by(steps: Iterable[str]) -> set[str]:
    """The given steps and all that they require or follow, directly or not."""
    found: set[str] = set()
    open_ones = [*steps]
    while open_ones:
        step = open_ones.pop()
        if step not in found:
            found.add(step)
            open_ones += [*STEP[step].requires, *STEP[step].follows]
    return found


def is_guardrail(step: str) -> bool:
    """Whether a step's id is one of phase 0."""
    return step.startswith("phase_0_")
