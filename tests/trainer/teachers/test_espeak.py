"""The synthetic speaker says the same thing every time, whatever it said before."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from trainer.errors import RuntimeSetupError, TrainerError
from trainer.teachers import espeak
from trainer.teachers.espeak import SpeechRequest, speak, speak_all

TEXT = "The same words, every time."


def test_speech_is_audible_and_as_long_as_a_sentence() -> None:
    samples, rate = speak(TEXT)
    assert rate == 22_050
    assert samples.dtype == np.float32
    assert 1.0 < len(samples) / rate < 4.0
    assert 0.1 < np.abs(samples).max() < 1.0


@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "en-us+klatt4"])
def test_samples_do_not_depend_on_what_was_spoken_before(voice: str) -> None:
    alone, _ = speak(TEXT, voice)
    requests = [
        SpeechRequest(text="Something else.", pitch=80),
        SpeechRequest(text=TEXT, voice=voice),
        SpeechRequest(text=TEXT, voice=voice),
    ]
    _, second, third = (samples for samples, _ in speak_all(requests))
    assert np.array_equal(alone, second)
    assert np.array_equal(alone, third)


def test_threads_may_speak_at_once() -> None:
    texts = [f"Number {number}." for number in range(6)]
    expected = [speak(text)[0] for text in texts]
    with ThreadPoolExecutor(4) as pool:
        spoken = [samples for samples, _ in pool.map(speak, texts)]
    assert expected and all(np.array_equal(left, right) for left, right in zip(expected, spoken, strict=True))


def test_voice_rate_and_pitch_change_the_speech() -> None:
    plain, _ = speak(TEXT)
    assert not np.array_equal(plain, speak(TEXT, "en-us+f3")[0])
    assert len(speak(TEXT, rate_wpm=250)[0]) < len(plain)
    assert not np.array_equal(plain, speak(TEXT, pitch=80)[0])


def test_an_unknown_voice_is_named() -> None:
    with pytest.raises(RuntimeSetupError, match="xx-nope") as caught:
        speak(TEXT, "xx-nope")
    assert caught.value.cause == "settings_invalid"


def test_a_missing_package_is_a_runtime_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "espeakng_loader", raising=False)
    with pytest.raises(RuntimeSetupError) as caught:
        speak(TEXT)
    assert caught.value.cause == "missing_module"


@pytest.mark.parametrize("missing", ["library", "data"])
def test_a_broken_installation_is_a_runtime_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    library, data = espeak._package()
    broken = (tmp_path / "none.so", data) if missing == "library" else (library, tmp_path / "none")
    monkeypatch.setattr(espeak, "_package", lambda: broken)
    with pytest.raises(RuntimeSetupError) as caught:
        speak(TEXT)
    assert caught.value.cause == "missing_shared_library"


def test_data_below_a_very_long_path_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library, data = espeak._package()
    deep = tmp_path / ("d" * 120) / ("e" * 120) / data.name
    shutil.copytree(data, deep)
    monkeypatch.setattr(espeak, "_package", lambda: (library, deep))
    assert len(speak(TEXT)[0]) > 10_000


def test_the_worker_needs_only_the_standard_library() -> None:
    source = Path(importlib.util.find_spec("trainer.teachers.espeak_worker").origin).read_text(encoding="utf-8")
    imported = {
        line.split()[1]
        for line in source.splitlines()
        if line.startswith(("import ", "from ")) and "__future__" not in line
    }
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("sign", "cause"), [("KILL", "out_of_memory"), ("ILL", "illegal_instruction"), ("SEGV", "process_lost")]
)
def test_a_worker_that_a_signal_ended_is_no_broken_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sign: str, cause: str
) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(f"import os, signal\nos.kill(os.getpid(), signal.SIG{sign})\n")
    monkeypatch.setattr(espeak.espeak_worker, "__file__", str(worker))
    with pytest.raises(TrainerError, match=r"^espeak-ng ") as caught:
        speak(TEXT)
    assert caught.value.cause == cause
