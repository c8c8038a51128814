"""On human speech the scores order what ears would order; tests/benchmarks/score_validity.py measures the same on all of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.benchmarks import score_validity
from tests.benchmarks.score_validity import DAMAGES, Pairs
from tests.trainer.evaluation.spoken import Clip
from trainer.evaluation import judging, prompts
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.judging import Judged, Task
from trainer.evaluation.prompts import Item
from trainer.synthesis.sentences import SENTENCES
from trainer.teachers import flite

VOICES = Path(__file__).parents[4] / "shared" / "voices"
SPEAKERS = 12

pytestmark = pytest.mark.long

_needs_people = pytest.mark.skipif(not (VOICES / "many").is_dir(), reason="no human speech in ../shared/voices")


def judged(path: Path, prompt: str = "", *, only_voice: bool = False) -> Judged:
    return judging.judge(
        Task(
            item=Item(id=path.stem, path=path, prompt=prompt),
            limits=SignalLimits(),
            encoder=None,
            only_voice=only_voice,
        )
    )


@_needs_people
def test_halves_of_one_speaker_are_nearer_than_any_two_speakers(tmp_path: Path) -> None:
    files = sorted((VOICES / "many").glob("*.flac"))
    found = score_validity.pairs(
        {
            path.stem: judged(path, only_voice=True).vector
            for path in score_validity.halves(files[:: len(files) // SPEAKERS][:SPEAKERS], tmp_path)
        }
    )
    assert len(found.same) == SPEAKERS and len(found.different) == 2 * SPEAKERS * (SPEAKERS - 1)
    assert found.auc >= 0.99


@_needs_people
def test_damage_lowers_realism_and_is_named(tmp_path: Path) -> None:
    source = sorted((VOICES / "many").glob("*.flac"))[7]
    wave, rate = soundfile.read(source, dtype="float32", frames=16_000 * 5)
    found = {}
    for how in (score_validity.REAL, *DAMAGES):
        path = tmp_path / f"{len(found)}.wav"
        soundfile.write(path, score_validity.damaged(wave, rate, how, np.random.default_rng(1)), rate)
        found[how] = judged(path)
    real = found.pop(score_validity.REAL)
    assert found
    assert all(
        real.opinion.overall > other.opinion.overall and real.opinion.p808 > other.opinion.p808
        for other in found.values()
    )
    assert (
        "clipped" in found[DAMAGES[0]].faults
        and "noisy" in found[DAMAGES[1]].faults
        and not {"clipped", "noisy"} & set(real.faults)
    )


@_needs_people
def test_shuffled_transcripts_raise_the_word_error_rate() -> None:
    items = [item for item in prompts.with_texts(VOICES / "lj", None, None) if item.id in ("LJ001-0002", "LJ001-0008")]
    heard = [judged(item.path, item.prompt).heard for item in items]
    first, second = (item.prompt for item in items)
    right = [score_validity.error_rate(text, words) for text, words in zip((first, second), heard, strict=True)]
    wrong = [score_validity.error_rate(text, words) for text, words in zip((second, first), heard, strict=True)]
    assert max(right) < 0.5 and min(wrong) >= 0.75


def test_damage_to_rendered_speech_lowers_what_listeners_would_say_and_is_named(
    clips: list[Clip], tmp_path: Path
) -> None:
    wave, rate = clips[0].wave.astype(np.float32), clips[0].sample_rate
    found = {}
    for how in (score_validity.REAL, *DAMAGES):
        path = tmp_path / f"{len(found)}.wav"
        soundfile.write(path, score_validity.damaged(wave, rate, how, np.random.default_rng(1)), rate)
        found[how] = judged(path)
    whole = found.pop(score_validity.REAL)
    assert len(found) == 3 and all(whole.opinion.p808 > other.opinion.p808 for other in found.values())
    assert (
        "clipped" in found[DAMAGES[0]].faults
        and "noisy" in found[DAMAGES[1]].faults
        and not {"clipped", "noisy"} & set(whole.faults)
    )


@pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
def test_shuffled_transcripts_of_a_machine_voice_raise_the_word_error_rate(tmp_path: Path) -> None:
    heard = []
    for index, text in enumerate(SENTENCES[:2]):
        spoken = flite.speak(text, "rms")
        soundfile.write(tmp_path / f"{index}.wav", spoken.wave, spoken.sample_rate)
        heard.append(judged(tmp_path / f"{index}.wav", text).heard)
    right = [score_validity.error_rate(text, words) for text, words in zip(SENTENCES[:2], heard, strict=True)]
    wrong = [score_validity.error_rate(text, words) for text, words in zip(SENTENCES[1::-1], heard, strict=True)]
    assert max(right) < 0.5 and min(wrong) >= 0.75


@pytest.mark.parametrize(
    ("same", "different", "auc", "error"),
    [([3, 4], [1, 2], 1.0, 0.0), ([1, 2, 3, 4], [1, 2, 3, 4], 0.5, 0.5), ([2, 4], [1, 3], 0.75, 0.5)],
)
def test_area_and_error_rate_of_known_pairs(
    same: list[float], different: list[float], auc: float, error: float
) -> None:
    found = Pairs(same=np.array(same, float), different=np.array(different, float), same_names=(), different_names=())
    assert found.auc == auc and found.equal_error_rate == error
