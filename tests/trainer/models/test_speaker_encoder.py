"""The speaker encoder: the original's network and slicing, one voice near itself, errors that name an action."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
import soxr
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchaudio.functional import melscale_fbanks

from trainer.audio import foreign_mel
from trainer.errors import DataError, RuntimeSetupError
from trainer.files import packaged_file
from trainer.models import speaker_encoder
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.teachers import espeak
from trainer.teachers.espeak import SpeechRequest

SHARED = Path(__file__).parents[4] / "shared" / "voices"
TEXTS = ("The weather was lovely, and nobody wanted to go home.", "A quick brown dog ran across the frozen river.")
ORIGINAL_NEEDS = ("librosa", "webrtcvad")
VOICES = ("en-us", "en-us+f3")


@pytest.fixture(scope="module")
def spoken() -> dict[str, list[np.ndarray]]:
    """Two sentences at 22.05 kHz by each of two voices."""
    found = espeak.speak_all([SpeechRequest(text=text, voice=voice) for voice in VOICES for text in TEXTS])
    waves = [wave for wave, _ in found]
    return {voice: waves[2 * index : 2 * index + 2] for index, voice in enumerate(VOICES)}


@pytest.fixture(scope="module")
def encoder() -> SpeakerEncoder:
    return SpeakerEncoder()


@pytest.fixture
def original(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The package's own module; what its other modules import beside it may be absent."""
    for name in ORIGINAL_NEEDS:
        if not importlib.util.find_spec(name):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = importlib.import_module("resemblyzer.voice_encoder")
    yield found
    for name in [name for name in sys.modules if name.partition(".")[0] == "resemblyzer"]:
        del sys.modules[name]


def test_network_computes_what_the_original_computes(original: ModuleType) -> None:
    theirs, ours = original.VoiceEncoder("cpu", verbose=False).eval(), speaker_encoder._load_network()
    mels = torch.rand(3, 160, 40, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(theirs(mels), ours(mels), atol=1e-6)


def test_partial_utterances_start_where_the_originals_start(original: ModuleType) -> None:
    for samples in (0, 1, 159, 160, 15_000, 25_440, 25_600, 30_000, 37_919, 37_920, 38_100, 100_000, 123_456, 479_999):
        _, slices = original.VoiceEncoder.compute_partial_slices(samples, 1.3, 0.75)
        assert speaker_encoder.partial_starts(samples) == [part.start for part in slices]


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ORIGINAL_NEEDS),
    reason="librosa and webrtcvad, which only the original needs, are not installed",
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_embedding_is_the_originals_where_its_dependencies_are_installed(
    original: ModuleType, encoder: SpeakerEncoder, spoken: dict[str, list[np.ndarray]]
) -> None:
    audio = importlib.import_module("resemblyzer.audio")
    theirs = original.VoiceEncoder("cpu", verbose=False)
    for wave in (wave for waves in spoken.values() for wave in waves):
        samples = soxr.resample(wave, 22_050, 16_000, quality="HQ")
        prepared = audio.normalize_volume(samples, -30, increase_only=True)
        same_input = encoder.embed_prepared(speaker_encoder.amplified(samples)) @ theirs.embed_utterance(prepared)
        assert same_input > 0.99999
        # Only the speech detector differs.
        assert encoder.embed(wave) @ theirs.embed_utterance(audio.preprocess_wav(wave, 22_050)) > 0.95


def test_mel_filters_are_torchaudios_slaney_filters() -> None:
    expected = melscale_fbanks(201, 0.0, 8000.0, 40, 16_000, norm="slaney", mel_scale="slaney")
    assert torch.allclose(foreign_mel._filters(400, 40), expected, atol=1e-6)


def test_vector_has_length_one_and_no_negative_part(
    encoder: SpeakerEncoder, spoken: dict[str, list[np.ndarray]]
) -> None:
    vector = encoder.embed(spoken["en-us"][0])
    assert vector.shape == (speaker_encoder.DIMENSIONS,) and vector.dtype == np.float32
    assert np.isclose(np.linalg.norm(vector), 1.0) and vector.min() >= 0.0


def test_one_voice_is_nearer_to_itself_than_to_another(
    encoder: SpeakerEncoder, spoken: dict[str, list[np.ndarray]]
) -> None:
    (first, second), (other, _) = ([encoder.embed(wave) for wave in waves] for waves in spoken.values())
    assert first @ second > max(first @ other, second @ other) + 0.1


def test_vector_does_not_depend_on_threads_or_on_what_came_before(
    encoder: SpeakerEncoder, spoken: dict[str, list[np.ndarray]]
) -> None:
    wave, other = spoken["en-us"]
    first = encoder.embed(wave)
    torch.set_num_threads(1)
    encoder.embed(other)
    assert encoder.embed(wave).tobytes() == first.tobytes()


@cache
def sentence() -> np.ndarray:
    return espeak.speak(TEXTS[0])[0]


@settings(max_examples=8, deadline=None)
@given(gain=st.floats(1e-3, 2e-2))
def test_quiet_speech_has_the_vector_of_the_same_speech_made_louder(gain: float) -> None:
    # Below -30 dBFS the level is not what is heard.
    wave, encoder = sentence(), SpeakerEncoder()
    assert encoder.embed(wave * np.float32(gain)) @ encoder.embed(wave * np.float32(0.02)) > 0.999


def test_long_silence_is_cut_and_hardly_moves_the_vector(
    encoder: SpeakerEncoder, spoken: dict[str, list[np.ndarray]]
) -> None:
    first, second = spoken["en-us"]
    silence = np.zeros(5 * 22_050, np.float32)
    samples = soxr.resample(np.concatenate([first, silence, second]), 22_050, 16_000)
    assert len(speaker_encoder.without_long_silences(samples)) < len(samples) - 4 * 16_000
    assert (
        encoder.embed(np.concatenate([first, silence, second])) @ encoder.embed(np.concatenate([first, second])) > 0.98
    )


def test_a_wave_shorter_than_a_partial_utterance_has_a_vector(
    encoder: SpeakerEncoder, spoken: dict[str, list[np.ndarray]]
) -> None:
    assert np.isfinite(encoder.embed(spoken["en-us"][0][8_000:12_000])).all()


@pytest.mark.parametrize("samples", [0, 16_000])
def test_silence_has_no_speaker(encoder: SpeakerEncoder, samples: int) -> None:
    with pytest.raises(DataError) as caught:
        encoder.embed(np.zeros(samples, np.float32))
    assert caught.value.cause == "no_usable_speech"


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged_file.importlib.util, "find_spec", lambda name: None)
    speaker_encoder._load_network.cache_clear()
    with pytest.raises(RuntimeSetupError, match="pip install Resemblyzer") as caught:
        SpeakerEncoder()
    assert caught.value.cause == "missing_module"


def test_other_weights_than_the_pinned_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_encoder, "WEIGHTS_SHA256", "0" * 64)
    speaker_encoder._load_network.cache_clear()
    with pytest.raises(RuntimeSetupError) as caught:
        SpeakerEncoder()
    assert caught.value.cause == "weights_corrupt"


@pytest.mark.skipif(not SHARED.is_dir(), reason="no human speech in ../shared/voices")
def test_human_speakers_are_told_apart(encoder: SpeakerEncoder) -> None:
    reader = [
        soundfile.read(SHARED / f"lj/clips/LJ001-00{number}.flac", dtype="float32")[0] for number in ("02", "05", "11")
    ]
    others = [
        soundfile.read(path, dtype="float32")[0][:64_000] for path in sorted((SHARED / "many").glob("*.flac"))[:5]
    ]
    mean = np.mean([encoder.embed(wave) for wave in reader[:2]], axis=0)
    wanted = mean / np.linalg.norm(mean)
    assert wanted @ encoder.embed(reader[2]) > 0.8
    assert max(wanted @ encoder.embed(other, 16_000) for other in others) < 0.8
