"""Whether a preparation understands and leaves enough speech to train on; where not, what would help most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from trainer.dataset.manifest import Dropped, Entry
from trainer.errors import DataError
from trainer.preparation.prepare_settings import PrepareSettings

_FAINT_DB, _SILENT_DB = -55.0, -90.0
"""Loudest window below which the detector hears no speech, and below which there is no sound; speech at a usual level reaches -10."""
NOT_UNDERSTOOD = "not_understood"
UNDERSTAND = (
    "the recogniser knows adults who speak English plainly, no laughter and no other language: write what is said beside the recording "
    "(same name, .txt), or for another language take the backbone vocoder"
)
_ADVICE = {
    "clipped": "record at a lower level, so that no peak reaches full scale",
    "too_quiet": "record louder, or with 24 bits",
    "too_noisy": "record in a quieter place, nearer to the microphone",
    "too_short": "give longer utterances",
    "too_long": "give shorter utterances, or the recording as one file",
    NOT_UNDERSTOOD: UNDERSTAND,
}
"""What helps against a reason for which speech is dropped."""
_OF_KINDS = ("too_noisy", NOT_UNDERSTOOD)
"""What is dropped for one of these may be so because of the kind of recording that it is."""


def not_understood(kept: Sequence[Entry], dropped: Sequence[Dropped], settings: PrepareSettings) -> list[str]:
    """A warning where `max_not_understood` and more of the utterances are not understood; else nothing."""
    lost, asked = sum(drop.reason == NOT_UNDERSTOOD for drop in dropped), len(kept) + len(dropped)
    if not lost or lost < settings.max_not_understood * asked:
        return []
    return [
        f"{lost} of {asked} utterances are not understood and left out (from {settings.max_not_understood:.0%} on): {UNDERSTAND}"
    ]


def require(
    audio: Path,
    entries: Sequence[Entry],
    dropped: Sequence[Dropped],
    settings: PrepareSettings,
    *,
    seconds: float,
    loudest_db: float,
    kinds: Sequence[str],
) -> None:
    """Raises DataError(no_usable_speech | too_little_speech | transcript_missing) unless something can be learnt and something held out.

    `seconds` last the parts in all, `loudest_db` is their loudest window, `kinds` says what is unusual about the recording.
    """
    usable_s = sum(entry.duration_s for entry in entries)
    if usable_s >= settings.min_usable_s and len(entries) >= 2:
        return
    reasons = Counter(drop.reason for drop in dropped)
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    worst = max(_ADVICE, key=lambda reason: reasons[reason])
    most = worst if 2 * reasons[worst] > sum(reasons.values()) else ""
    if entries:
        found = (
            f"only {usable_s:.1f} s of usable speech, {settings.min_usable_s:g} s are needed"
            if usable_s < settings.min_usable_s
            else f"only one usable utterance ({usable_s:.1f} s), two are needed: one is held out"
        )
        found += f" (dropped: {listed or 'nothing'})"
        cause, advice = "too_little_speech", "record more"
    else:
        listed = listed or f"no speech detected; the loudest 32 ms lie at {loudest_db:.0f} dBFS"
        found = f"no usable speech in {seconds:.1f} s ({listed})"
        cause, advice = "no_usable_speech", "record clear speech of one person"
    if loudest_db < _FAINT_DB:
        silent = "the recording is silent: check its microphone and record again"
        advice = silent if loudest_db < _SILENT_DB else _ADVICE["too_quiet"]
    elif kinds and most in _OF_KINDS:
        cause, advice = "no_usable_speech", "; ".join(kinds)
    elif most:
        cause, advice = "transcript_missing" if most == NOT_UNDERSTOOD else cause, _ADVICE[most]
    raise DataError(f"{audio}: {found}; {advice}", cause=cause)
