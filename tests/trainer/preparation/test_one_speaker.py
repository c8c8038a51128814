"""Whether a dataset is of one speaker: on vectors made for it, on the development recordings, and what a person reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.dataset import manifest
from trainer.dataset.manifest import Entry, Quality
from trainer.errors import DataError
from trainer.files import plain_file
from trainer.preparation import one_speaker
from trainer.preparation.prepare import prepare
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.teachers import espeak
from trainer.teachers.demo_sentences import SENTENCES

pytestmark = pytest.mark.long

VOICES = Path(__file__).parents[4] / "shared" / "voices"
RATE = 22_050
LIMITS = PrepareSettings()


def voice(angle: float, count: int, seed: int = 0, spread: float = 0.02) -> np.ndarray:
    """Vectors (count, 256) about a direction so far from the first axis that their cosine to it is cos(angle)."""
    noise = spread * np.random.default_rng(seed).standard_normal((count, 256))
    noise[:, 0] += np.cos(angle)
    noise[:, 1] += np.sin(angle)
    return noise / np.linalg.norm(noise, axis=1, keepdims=True)


def test_one_speaker_is_one_speaker():
    assert one_speaker.find(voice(0.0, 30), [5.0] * 30, LIMITS) is None


def test_another_speakers_utterances_are_named_with_their_share_and_distance():
    vectors = np.concatenate([voice(0.0, 7, 1), voice(1.0, 2, 2), voice(0.0, 1, 3)])
    found = one_speaker.find(vectors, [5.0] * 10, LIMITS)
    assert found.indices == (7, 8)
    assert found.share == pytest.approx(0.2)
    assert found.cosine == pytest.approx(np.cos(1.0), abs=0.15)


def test_several_guests_are_all_named():
    vectors = np.concatenate([voice(0.0, 9, 1), voice(1.2, 2, 2), -voice(-1.2, 2, 3)])
    assert one_speaker.find(vectors, [5.0] * 13, LIMITS).indices == (9, 10, 11, 12)


def test_who_speaks_longer_is_the_speaker_however_many_utterances_the_other_has():
    vectors = np.concatenate([voice(0.0, 2, 1), voice(1.2, 5, 2)])
    assert one_speaker.find(vectors, [10.0, 10.0, 2.0, 2.0, 2.0, 2.0, 2.0], LIMITS).indices == (2, 3, 4, 5, 6)


def test_a_single_odd_second_accuses_nobody():
    vectors = np.concatenate([voice(0.0, 9, 1), voice(1.2, 1, 2)])
    assert one_speaker.find(vectors, [5.0] * 9 + [LIMITS.min_speaker_s - 0.1], LIMITS) is None


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_the_utterances_changes_nothing(order):
    vectors = np.concatenate([voice(0.0, 8, 1), voice(0.9, 3, 2), voice(-0.9, 1, 3)])
    lengths = np.linspace(4.5, 6.5, 12)
    found = one_speaker.find(vectors[order], lengths[order], LIMITS)
    assert sorted(order[index] for index in found.indices) == [8, 9, 10, 11]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), count=st.integers(2, 12), voices=st.integers(1, 4))
def test_no_order_changes_who_is_found_even_where_all_is_equally_likely(data, seed, count, voices):
    draw = np.random.default_rng(seed)
    centres = np.abs(draw.normal(size=(voices, 16)))
    vectors = np.abs(
        centres[draw.integers(voices, size=count)] + draw.choice([0.0, 0.6]) * draw.normal(size=(count, 16))
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths = draw.choice([2.0, 4.0, 6.0], size=count)
    order = data.draw(st.permutations(range(count)))
    as_they_are, reordered = (
        one_speaker.find(vectors, lengths, LIMITS),
        one_speaker.find(vectors[order], lengths[order], LIMITS),
    )
    assert described(as_they_are, range(count)) == described(reordered, order)


def described(found: one_speaker.OtherVoices | None, order: Sequence[int]) -> tuple | None:
    """What was found, by the utterances' own numbers."""
    return found and (sorted(order[index] for index in found.indices), found.share, found.cosine)


def test_of_two_who_speak_equally_long_the_same_is_found_in_any_order():
    vectors = np.concatenate([voice(0.0, 1, 1), voice(1.2, 1, 2)])
    found = one_speaker.find(vectors, [9.0, 9.0], LIMITS), one_speaker.find(vectors[::-1], [9.0, 9.0], LIMITS)
    assert found[0].indices[0] == 1 - found[1].indices[0]


# --- real voices ---


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences of two synthetic speakers as clips; the man's are numbered first."""
    folder = tmp_path_factory.mktemp("two")
    requests = [
        espeak.SpeechRequest(text=text, voice=voice) for voice in ("en-us", "en-us+f3") for text in SENTENCES[:10]
    ]
    for index, (wave, rate) in enumerate(espeak.speak_all(requests), start=1):
        soundfile.write(folder / f"c{index:02d}.flac", wave, rate)
        (folder / f"c{index:02d}.txt").write_text(requests[index - 1].text)
    return folder


def prepared(
    source: Path, numbers: range, root: Path, limits: PrepareSettings = LIMITS
) -> tuple[manifest.Manifest, list[str]]:
    """Some of the clips as a dataset of their own, with the warnings."""
    (root / "clips").mkdir()
    for number in numbers:
        for suffix in (".flac", ".txt"):
            (root / "clips" / f"c{number:02d}{suffix}").write_bytes((source / f"c{number:02d}{suffix}").read_bytes())
    warnings: list[str] = []
    made = prepare(
        root / "clips", root / "out" / "manifest.json", limits, workspace=root, transcribe=True, on_note=warnings.append
    )
    return made, warnings


def test_a_synthetic_speaker_alone_is_no_reason_to_warn(clips, tmp_path):
    assert prepared(clips, range(1, 11), tmp_path)[1] == []


def test_a_guest_is_warned_of_by_name_and_time_and_dropping_the_utterances_settles_it(clips, tmp_path):
    _, (warning,) = prepared(clips, range(1, 13), tmp_path)
    assert "2 of 12 utterances" in warning and "c11 at " in warning and "c12 at " in warning and "drop them" in warning
    (tmp_path / "clips.corrections.csv").write_text("c11|\nc12|\n")
    warnings: list[str] = []
    again = prepare(
        tmp_path / "clips",
        tmp_path / "out" / "manifest.json",
        workspace=tmp_path,
        transcribe=True,
        on_note=warnings.append,
    )
    assert warnings == []
    assert [entry.id for entry in again.entries] == [f"c{number:02d}" for number in range(1, 11)]
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["summary"]["dropped_by_reason"] == {
        "transcript_mismatch": 2
    }


def test_half_a_recording_by_somebody_else_is_refused(clips, tmp_path):
    # One synthesiser's voices are nearer to each other (0.72) than most people are.
    certain = replace(LIMITS, other_speaker_cosine=LIMITS.same_speaker_cosine)
    with pytest.raises(DataError) as caught:
        prepared(clips, range(1, 21), tmp_path, certain)
    assert (caught.value.exit_code, caught.value.cause) == (10, "two_speakers")
    assert "10 of 20 utterances" in str(caught.value) and "split the recording" in str(caught.value)
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.skipif(not (VOICES / "many").is_dir(), reason=f"the development recordings are not at {VOICES}")
@pytest.mark.parametrize("guests", [0, 1, 2])
def test_a_reader_is_one_speaker_and_guests_of_many_voices_are_found(guests, tmp_path):
    readers, others = (sorted((VOICES / folder).glob("*.flac")) for folder in ("lj/clips", "many"))
    warnings = one_speaker.check(tmp_path, _entries(tmp_path, [*readers[:12], *others[: guests * 40 : 40]]), LIMITS)
    assert len(warnings) == (1 if guests else 0)
    assert all(path.stem in warnings[0] for path in others[: guests * 40 : 40])


@pytest.mark.skipif(not (VOICES / "many").is_dir(), reason=f"the development recordings are not at {VOICES}")
def test_a_reader_and_as_much_of_somebody_else_are_refused(tmp_path):
    readers, others = (sorted((VOICES / folder).glob("*.flac")) for folder in ("lj/clips", "many"))
    with pytest.raises(DataError) as caught:
        one_speaker.check(tmp_path, _entries(tmp_path, [*readers[:3], others[0]]), LIMITS)
    assert caught.value.cause == "two_speakers"
    assert others[0].stem in str(caught.value)


def _entries(folder: Path, files: list[Path]) -> list[Entry]:
    """Human clips as a manifest lists them."""
    entries = []
    for index, path in enumerate(files):
        wave, rate = soundfile.read(path, dtype="float32")
        samples = soxr.resample(wave, rate, RATE)
        soundfile.write(folder / f"{index}.flac", samples, RATE, subtype="PCM_16")
        seconds = len(samples) / RATE
        entries.append(
            Entry(
                id=path.stem, path=f"{index}.flac", sha256=plain_file.sha256(folder / f"{index}.flac"), start_s=0.0, end_s=seconds,
                duration_s=seconds, sample_rate=RATE, transcript="", transcript_sha256="", transcript_source="none",
                transcript_confidence=0.0, split="train", quality=Quality(snr_db=30.0, clipping=0.0, loudness_lufs=-23.0),
            )
        )  # fmt: skip
    return entries
