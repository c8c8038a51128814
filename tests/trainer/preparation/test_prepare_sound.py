"""Preparation of recordings that are not plain mono: what is used of them is said in notes and manifest, and what is wrong is named truly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import soundfile

from tests.trainer.audio.test_channels import delayed, hum, noise, room, time_code
from tests.trainer.preparation.test_prepare import RATE, ROOT, read, refusal, run, tree
from trainer.dataset import manifest
from trainer.dataset.manifest import Manifest
from trainer.errors import DataError
from trainer.preparation.prepare import prepare


@pytest.fixture(scope="module")
def speech(small_recording: Path) -> np.ndarray:
    """Half a minute: what is enough to prepare."""
    return read(small_recording)[: 30 * RATE]


@pytest.fixture(scope="module")
def plain(speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The manifest of that speech in one channel."""
    folder = tmp_path_factory.mktemp("plain")
    soundfile.write(folder / "a.wav", speech, RATE)
    return run(folder / "a.wav", folder / "out")


def prepared(folder: Path, *channels: np.ndarray, **options: str) -> tuple[Manifest, list[str]]:
    """The manifest of a recording, and the notes that were heard."""
    soundfile.write(folder / "a.wav", np.stack(channels, axis=1), RATE, **options)
    notes: list[str] = []
    made = prepare(folder / "a.wav", folder / "out" / "manifest.json", workspace=folder, on_note=notes.append)
    assert manifest.load(folder / "out" / "manifest.json") == made
    return made, notes


ONE_OF_TWO: dict[str, tuple[Callable[[np.ndarray], tuple[np.ndarray, ...]], int, str]] = {
    "opposite phase": (lambda x: (x, -x), 1, "opposite phase"),
    "nearly opposite": (lambda x: (x, -0.9 * x), 1, "opposite phase"),
    "apart": (lambda x: (x, 0.9 * delayed(x, 0.8)), 1, "0.80 ms apart"),
    "hum": (lambda x: (hum(x, -14.0), x), 2, "channel 1 holds no speech"),
    "noise": (lambda x: (x, noise(x, -20.0)), 1, "channel 2 holds no speech"),
    "time code": (lambda x: (x, time_code(x)), 1, "channel 2 holds no speech"),
    "silence": (lambda x: (0 * x, x), 2, "channel 1 is silent"),
}


@pytest.mark.parametrize("name", ONE_OF_TWO)
def test_one_channel_of_two_gives_the_clips_of_that_channel_alone(
    speech: np.ndarray, plain: Manifest, tmp_path: Path, name: str
) -> None:
    make, number, why = ONE_OF_TWO[name]
    made, notes = prepared(tmp_path, *make(speech))
    assert [entry.sha256 for entry in made.entries] == [entry.sha256 for entry in plain.entries]
    assert made.source.channels == 2 and len(notes) == 1 and made.source.mix == notes[0]
    assert why in notes[0] and f"channel {number} of 2 is taken (a.wav)" in notes[0]


def test_stereo_of_one_voice_gives_the_clips_of_the_mono_recording(
    speech: np.ndarray, plain: Manifest, tmp_path: Path
) -> None:
    made, notes = prepared(tmp_path, speech, speech)
    assert [entry.sha256 for entry in made.entries] == [entry.sha256 for entry in plain.entries]
    assert notes == [] and made.source.mix is None
    assert "mix" not in json.loads((tmp_path / "out" / "manifest.json").read_text())["source"]


def test_ordinary_stereo_is_the_mean_and_nothing_is_said(speech: np.ndarray, tmp_path: Path) -> None:
    pair = [np.round(np.clip(room(speech, 0.3, seed), -1, 0.999) * 32_768) / 32_768 for seed in (1, 2)]
    made, notes = prepared(tmp_path, *pair, subtype="PCM_16")
    alone, _ = prepared(tmp_path / "out", np.mean(np.stack(pair, axis=1, dtype=np.float32), axis=1), subtype="FLOAT")
    assert notes == []
    assert [entry.sha256 for entry in made.entries] == [entry.sha256 for entry in alone.entries]


@pytest.mark.parametrize(("gain", "options"), [(4.0, {"subtype": "FLOAT"}), (0.05, {"subtype": "PCM_24"})])
def test_float_above_full_scale_and_faint_24_bits_are_levelled(
    speech: np.ndarray, plain: Manifest, tmp_path: Path, gain: float, options: dict[str, str]
) -> None:
    made, notes = prepared(tmp_path, speech * gain, **options)
    assert (len(made.entries), len(made.dropped), notes) == (len(plain.entries), 0, [])


def test_integers_in_a_float_file_give_the_clips_of_the_integers(
    speech: np.ndarray, plain: Manifest, tmp_path: Path
) -> None:
    made, notes = prepared(tmp_path, np.round(speech * 32_768), subtype="FLOAT")
    assert [entry.sha256 for entry in made.entries] == [entry.sha256 for entry in plain.entries]
    assert notes == ["its floating-point samples hold 16-bit integers and are scaled to full scale (a.wav)"]


def test_the_manifest_of_a_mix_follows_the_schema_and_old_ones_still_load(speech: np.ndarray, tmp_path: Path) -> None:
    prepared(tmp_path, speech, -speech)
    document = json.loads((tmp_path / "out" / "manifest.json").read_text())
    jsonschema.validate(document, json.loads((ROOT / "trainer" / "dataset" / "voice_dataset.schema.json").read_text()))
    del document["source"]["mix"]
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(document))
    assert manifest.load(tmp_path / "out" / "manifest.json").source.mix is None


def test_clips_of_a_folder_are_chosen_one_by_one_and_named_together(speech: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "voice").mkdir()
    for number, start in enumerate(range(0, 30, 5)):
        part = speech[start * RATE : (start + 5) * RATE]
        soundfile.write(
            tmp_path / "voice" / f"{number}.wav", np.stack([part, -part if number < 4 else part], axis=1), RATE
        )
    notes: list[str] = []
    made = prepare(tmp_path / "voice", tmp_path / "out" / "m.json", workspace=tmp_path, on_note=notes.append)
    assert len(made.entries) >= 4 and len(notes) == 1
    assert notes[0].endswith("channel 1 of 2 is taken (0.wav and 3 more)")


# --- what is said of what cannot be used ---


def stored(make: Callable[[np.ndarray], np.ndarray], **options: str) -> Callable[[Path, np.ndarray], None]:
    return lambda path, speech: soundfile.write(path, make(speech), RATE, format="WAV", **options)


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (stored(lambda x: np.clip(x * 30.0, -1.0, 1.0)), "clipped); record at a lower level"),
        (stored(lambda x: np.clip(x * 30.0, -1.0, 1.0), subtype="FLOAT"), "clipped); record at a lower level"),
        (stored(lambda x: x * 0.03), "too_quiet); record louder, or with 24 bits"),
        (stored(lambda x: x * 0.0005, subtype="PCM_24"), "dBFS); record louder, or with 24 bits"),
        (stored(lambda x: x + noise(x, -22.0)), "too_noisy); record in a quieter place"),
        (stored(lambda x: 0 * x), "no speech detected; the loudest 32 ms lie at -120 dBFS); the recording is silent"),
        (stored(lambda x: noise(x, -20.0)), "); record clear speech of one person"),
    ],
)
def test_a_refusal_says_what_would_help(
    speech: np.ndarray, tmp_path: Path, store: Callable[[Path, np.ndarray], None], said: str
) -> None:
    store(tmp_path / "a.wav", speech)
    error = refusal(tmp_path / "a.wav", tmp_path / "out")
    assert error.cause == "no_usable_speech" and said in str(error)


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinite")])
def test_a_sample_that_is_no_number_is_named_with_its_time(
    speech: np.ndarray, tmp_path: Path, value: float, name: str
) -> None:
    broken = speech.copy()
    broken[RATE] = value
    soundfile.write(tmp_path / "a.wav", broken, RATE, subtype="FLOAT")
    error = refusal(tmp_path / "a.wav", tmp_path / "out")
    assert error.cause == "audio_undecodable" and f"sample at 1.000 s is {name}; export" in str(error)


def test_a_clip_without_a_sample_is_refused_by_name_as_an_empty_file_is(speech: np.ndarray, tmp_path: Path) -> None:
    for number in range(3):
        soundfile.write(tmp_path / f"{number}.wav", speech[: 12 * RATE], RATE)
    for content in (b"", None):
        if content is None:
            soundfile.write(tmp_path / "1.wav", speech[:0], RATE)
        else:
            (tmp_path / "1.wav").write_bytes(content)
        with pytest.raises(DataError, match=r"1\.wav: ") as caught:
            prepare(tmp_path, tmp_path / "out" / "m.json", workspace=tmp_path)
        assert caught.value.cause == "audio_undecodable"
    assert "holds no sample" in str(caught.value) and tree(tmp_path / "out") == {}
