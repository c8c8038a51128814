"""What is said of speech that the recogniser does not understand: a warning, a refusal that names the reason, never `record more`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.trainer.preparation.made_kinds import RATE
from trainer.dataset.manifest import Dropped, Entry, Quality
from trainer.errors import DataError
from trainer.preparation import enough
from trainer.preparation.prepare import prepare
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.teachers import espeak

LIMITS = PrepareSettings()
GERMAN = (
    "Der alte Müller stand früh am Morgen auf und ging langsam hinunter zum Fluss.",
    "Gestern haben wir im Garten die letzten Äpfel gepflückt und in Kisten gelegt.",
    "Niemand wusste genau, warum der Zug an diesem Abend so spät angekommen war.",
    "Die Kinder liefen durch den Regen nach Hause und lachten über ihre nassen Schuhe.",
    "Meine Großmutter erzählte uns oft Geschichten aus der Zeit vor dem Krieg.",
    "Sie öffnete das Fenster, weil die Luft im Zimmer sehr warm geworden war.",
)


def drop(reason: str) -> Dropped:
    return Dropped(start_s=0.0, end_s=4.0, reason=reason)


def refusal(reasons: list[str], kinds: list[str]) -> DataError:
    with pytest.raises(DataError) as caught:
        enough.require(
            Path("a.flac"), [], [drop(each) for each in reasons], LIMITS, seconds=60.0, loudest_db=-10.0, kinds=kinds
        )
    return caught.value


def test_one_long_utterance_is_not_called_too_short_but_alone() -> None:
    one = Entry(
        id="a", path="a.flac", sha256="", start_s=0.0, end_s=15.0, duration_s=15.0, sample_rate=22_050, transcript="said",
        transcript_sha256="", transcript_source="recognised", transcript_confidence=1.0, split="train",
        quality=Quality(snr_db=30.0, clipping=0.0, loudness_lufs=-23.0),
    )  # fmt: skip
    limits = replace(LIMITS, min_usable_s=10.0)
    with pytest.raises(
        DataError, match=r"only one usable utterance \(15\.0 s\), two are needed: one is held out"
    ) as caught:
        enough.require(Path("a.flac"), [one], [], limits, seconds=16.0, loudest_db=-10.0, kinds=[])
    assert caught.value.cause == "too_little_speech"


@pytest.mark.parametrize(("lost", "warned"), [(3, False), (4, True)])
def test_a_third_that_is_not_understood_is_warned_of(lost: int, warned: bool) -> None:
    dropped = [drop("not_understood")] * lost + [drop("no_words")] * (10 - lost)
    told = enough.not_understood([], dropped, LIMITS)
    assert [line.startswith(f"{lost} of 10 utterances are not understood") for line in told] == [True] * warned


@pytest.mark.parametrize(
    ("reasons", "kinds", "cause", "said"),
    [
        (["not_understood"] * 3, [], "transcript_missing", "write what is said beside the recording"),
        (["not_understood"] * 3, ["a kind; what to do"], "no_usable_speech", "(3 not_understood); a kind; what to do"),
        (["too_noisy"] * 3, ["a kind; what to do"], "no_usable_speech", "(3 too_noisy); a kind; what to do"),
        (["clipped"] * 3, ["a kind; what to do"], "no_usable_speech", "record at a lower level"),
        (["not_speech"] * 3, ["a kind; what to do"], "no_usable_speech", "record clear speech of one person"),
    ],
)
def test_the_cause_and_the_advice_follow_what_most_is_dropped_for(
    reasons: list[str], kinds: list[str], cause: str, said: str
) -> None:
    error = refusal(reasons, kinds)
    assert (error.cause, said in str(error)) == (cause, True), error


@pytest.mark.long
def test_german_is_refused_by_the_default_recogniser_with_another_language_named(tmp_path: Path) -> None:
    spoken = espeak.speak_all([espeak.SpeechRequest(text=each, voice="de") for each in GERMAN])
    pause = np.zeros(RATE, np.float32)
    soundfile.write(tmp_path / "a.flac", np.concatenate([part for wave, _ in spoken for part in (wave, pause)]), RATE)
    with pytest.raises(DataError, match=r"not_understood.*no other language.*the backbone vocoder") as caught:
        prepare(tmp_path / "a.flac", tmp_path / "out/m.json", workspace=tmp_path, transcribe=True)
    assert caught.value.cause == "transcript_missing"
