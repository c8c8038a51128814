"""Speech detection: the network is silero's, and the stream does not depend on how it is fed."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import soxr
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.audio import speech_detection
from trainer.errors import RuntimeSetupError
from trainer.files import packaged_file

PACKAGE = Path(next(iter(importlib.util.find_spec("silero_vad").submodule_search_locations)))


@pytest.fixture(scope="module")
def speech(small_recording: Path) -> np.ndarray:
    samples, rate = soundfile.read(small_recording, dtype="float32")
    return soxr.resample(samples, rate, speech_detection.SAMPLE_RATE)


def probabilities(samples: np.ndarray, step: int = 70_001) -> np.ndarray:
    detector = speech_detection.SpeechDetector()
    parts = [detector.feed(samples[start : start + step]) for start in range(0, len(samples), step)]
    return np.concatenate([*parts, detector.finish()])


def test_network_computes_what_the_packages_own_script_computes(speech: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        reference = torch.jit.load(PACKAGE / "data" / "silero_vad.jit")
    detector = speech_detection.SpeechDetector()
    detector._network = speech_detection.SpeechNetwork().eval()
    detector._network.load_state_dict(with_our_names(reference._model.state_dict()))
    samples = speech[: 100 * speech_detection.WINDOW]
    ours = np.concatenate([detector.feed(samples), detector.finish()])
    with torch.no_grad():
        windows = samples.reshape(-1, speech_detection.WINDOW)
        theirs = [reference(torch.from_numpy(window.copy()), speech_detection.SAMPLE_RATE).item() for window in windows]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def with_our_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    names = {"stft.forward_basis_buffer": "stft_conv.weight", "decoder.decoder.2": "final_conv", "decoder.rnn": "lstm"}
    names |= {f"encoder.{index}.reparam_conv": f"conv{index + 1}" for index in range(4)}
    renamed = {}
    for name, tensor in state.items():
        for theirs, ours in names.items():
            name = name.replace(theirs, ours)
        renamed[name + "_l0" if name.startswith("lstm.") else name] = tensor
    return renamed


@settings(max_examples=10, deadline=None)
@given(step=st.integers(1_000, 200_000))
def test_result_does_not_depend_on_the_size_of_the_blocks(speech: np.ndarray, step: int) -> None:
    assert np.array_equal(probabilities(speech, step), probabilities(speech))


def test_speech_is_told_from_tones_noise_and_silence(speech: np.ndarray) -> None:
    seconds = np.arange(20 * speech_detection.SAMPLE_RATE) / speech_detection.SAMPLE_RATE
    chord = sum(0.1 * np.sin(2 * np.pi * hertz * seconds) for hertz in (220.0, 277.2, 329.6))
    hiss = 0.1 * np.random.default_rng(0).standard_normal(len(seconds))
    assert (probabilities(speech) > 0.5).mean() > 0.7
    for samples in (chord, hiss, np.zeros_like(seconds)):
        assert (probabilities(samples.astype(np.float32)) > 0.5).mean() < 0.02


def test_the_thread_count_of_the_process_is_left_alone(speech: np.ndarray) -> None:
    before = torch.get_num_threads()
    probabilities(speech[:100_000])
    assert torch.get_num_threads() == before


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A silero_vad package without weights, and where they belong."""
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(
        packaged_file.importlib.util,
        "find_spec",
        lambda name: SimpleNamespace(submodule_search_locations=[str(tmp_path)]),
    )
    speech_detection._load_network.cache_clear()
    return tmp_path / "data" / "silero_vad_16k.safetensors"


def another_weight(content: bytes) -> bytes:
    """The last weight has another sign."""
    return content[:-1] + bytes([content[-1] ^ 0x80])


@pytest.mark.parametrize(
    "change", [lambda content: b"", lambda content: b"\x00" * 100, lambda content: content[:-1000], another_weight]
)
def test_other_weights_than_the_pinned_ones_are_a_runtime_failure(
    installed: Path, change: Callable[[bytes], bytes]
) -> None:
    installed.write_bytes(change((PACKAGE / "data" / installed.name).read_bytes()))
    with pytest.raises(RuntimeSetupError) as caught:
        speech_detection.SpeechDetector()
    assert caught.value.cause == "weights_corrupt"


def test_missing_weights_are_a_runtime_failure(installed: Path) -> None:
    for use in (speech_detection.SpeechDetector, speech_detection.weights_sha256):
        with pytest.raises(RuntimeSetupError) as caught:
            use()
        assert caught.value.cause == "weights_missing_offline"


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"\xff" * 100])
def test_what_is_no_safetensors_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a safetensors file"):
        speech_detection.read_safetensors(content)
