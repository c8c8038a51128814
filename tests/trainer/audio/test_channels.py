"""Which channels are averaged: speech is taken, other sounds and cancellation are left out, and ordinary stereo stays the mean of all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve

from trainer.audio import recording
from trainer.audio.channels import ChannelMeter, Choice
from trainer.preparation.prepare_settings import PrepareSettings

RATE = 22_050
DEFAULTS = PrepareSettings()
LJ = Path(__file__).parents[4] / "shared" / "voices" / "lj" / "clips"


@pytest.fixture(scope="module")
def speech(small_recording: Path) -> np.ndarray:
    """A quarter of a minute."""
    return soundfile.read(small_recording, dtype="float32")[0][: 15 * RATE]


def chosen(*channels: np.ndarray, rate: int = RATE) -> Choice:
    block = np.stack(channels, axis=1).astype(np.float32)
    meter = ChannelMeter(block.shape[1], rate)
    for start in range(0, len(block), recording.BLOCK_FRAMES):
        meter.add(block[start : start + recording.BLOCK_FRAMES])
    return meter.choice(DEFAULTS)


def noise(like: np.ndarray, db: float, seed: int = 0) -> np.ndarray:
    return 10.0 ** (db / 20.0) * np.random.default_rng(seed).standard_normal(len(like))


def hum(like: np.ndarray, db: float, hertz: float = 50.0) -> np.ndarray:
    return 10.0 ** (db / 20.0) * np.sin(2 * np.pi * hertz * np.arange(len(like)) / RATE)


def time_code(like: np.ndarray) -> np.ndarray:
    """Biphase marks of 2,400 bits a second, as SMPTE's linear time code has them."""
    bits = np.random.default_rng(2).integers(0, 2, len(like) * 2400 // RATE + 1)
    return 0.3 * np.sign(np.sin(np.pi * np.cumsum(1200 * (1 + bits[np.arange(len(like)) * 2400 // RATE]) / RATE)))


def delayed(samples: np.ndarray, ms: float) -> np.ndarray:
    spectrum = np.fft.rfft(samples, 2 * len(samples))
    return np.fft.irfft(spectrum * np.exp(-2j * np.pi * np.fft.rfftfreq(2 * len(samples), 1 / RATE) * ms / 1000))[
        : len(samples)
    ]


def room(samples: np.ndarray, wet: float, seed: int) -> np.ndarray:
    """Reverberation of 0.4 s that no two seeds share."""
    length = round(0.4 * RATE)
    response = np.random.default_rng(seed).standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    return samples + wet * fftconvolve(samples, response / np.sqrt(np.square(response).sum()))[: len(samples)]


OTHERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "silence": np.zeros_like,
    "dither": lambda x: np.round(noise(x, -96.0) * 32_768) / 32_768,
    **{f"hum {db}": lambda x, db=db: hum(x, db) for db in (-20, -40)},
    "60 Hz and noise": lambda x: hum(x, -30.0, 60.0) + hum(x, -40.0, 180.0) + noise(x, -70.0),
    **{f"noise {db}": lambda x, db=db: noise(x, db) for db in (-20, -30, -40, -50, -60)},
    "hum over a trace of the speech": lambda x: hum(x, -20.0) + 0.01 * x,
    "time code": time_code,
    "square wave": lambda x: 0.3 * np.sign(hum(x, 0.0, 1200.0)),
}


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("name", OTHERS)
def test_beside_a_channel_without_speech_the_speech_is_taken_and_named(
    speech: np.ndarray, name: str, swapped: bool
) -> None:
    pair = [speech, OTHERS[name](speech)]
    found = chosen(*(pair[::-1] if swapped else pair))
    assert found.taken == (int(swapped),)
    silent = name in ("silence", "dither")
    assert found.why == f"channel {1 + (not swapped)} {'is silent' if silent else 'holds no speech but a steady sound'}"


@pytest.mark.parametrize("gain", [1.0, 0.9, 0.7, 0.5])
def test_opposite_phase_is_named_and_the_louder_channel_taken(speech: np.ndarray, gain: float) -> None:
    found = chosen(gain * speech, -speech)
    assert found.taken == (1 if gain < 1.0 else 0,)
    assert found.why == "channels 1 and 2 are in opposite phase, their mean would cancel speech"


@pytest.mark.parametrize("ms", [0.1, 0.2, 0.5, 0.8, 2.0, 5.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_microphones_apart_are_named_with_their_distance(speech: np.ndarray, ms: float, sign: float) -> None:
    found = chosen(speech, 0.9 * sign * delayed(speech, ms))
    assert found.taken == (0,)
    assert f"{ms:.2f} ms apart" in found.why
    assert ("opposite phase" in found.why) == (sign < 0)


def test_microphones_apart_in_a_room_with_noise_are_noticed(speech: np.ndarray) -> None:
    found = chosen(
        room(speech, 0.5, 1) + noise(speech, -50.0, 1),
        0.8 * delayed(room(speech, 0.5, 2), 0.8) + noise(speech, -50.0, 2),
    )
    assert len(found.taken) == 1 and "0.80 ms apart" in found.why


ORDINARY: dict[str, Callable[[np.ndarray], tuple[np.ndarray, ...]]] = {
    "mono twice": lambda x: (x, x),
    "panned": lambda x: (0.9 * x, 0.3 * x),
    "far to one side": lambda x: (x, 0.1 * x),
    "noise of two preamplifiers": lambda x: (x + noise(x, -55.0, 1), x + noise(x, -55.0, 2)),
    "a little room": lambda x: (room(x, 0.3, 1), room(x, 0.3, 2)),
    "much room": lambda x: (room(x, 2.0, 1), room(x, 2.0, 2)),
    "mid and side": lambda x: (x + 0.3 * room(x, 2.0, 3), x - 0.3 * room(x, 2.0, 3)),
    "a fraction of a sample apart": lambda x: (x, delayed(x, 0.02)),
    "four alike": lambda x: (x, x, x, x),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_stereo_stays_the_mean_of_all(speech: np.ndarray, name: str) -> None:
    channels = ORDINARY[name](speech)
    assert chosen(*channels) == Choice(taken=tuple(range(len(channels))))


@pytest.mark.parametrize("make", [np.zeros_like, lambda x: noise(x, -20.0), lambda x: hum(x, -20.0)])
def test_without_any_speech_nothing_is_chosen(speech: np.ndarray, make: Callable[[np.ndarray], np.ndarray]) -> None:
    assert chosen(make(speech), -make(speech)).why == ""


def test_of_six_channels_those_in_use_are_averaged(speech: np.ndarray) -> None:
    nothing = np.zeros_like(speech)
    found = chosen(nothing, nothing, speech, nothing, speech, noise(speech, -40.0))
    assert found.taken == (2, 4)
    assert found.why == "channels 1, 2 and 4 are silent; channel 6 holds no speech but a steady sound"
    assert chosen(nothing, -speech, nothing, speech).taken == (1,)


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
def test_the_rate_does_not_matter(speech: np.ndarray, rate: int) -> None:
    step = np.arange(0, len(speech), RATE / rate)[: 4 * rate]
    moved = np.interp(step, np.arange(len(speech)), speech)
    assert chosen(moved, -moved, rate=rate).why.startswith("channels 1 and 2 are in opposite phase")
    assert chosen(moved, noise(moved, -30.0), rate=rate).taken == (0,)
    assert chosen(moved, 0.7 * moved, rate=rate).why == ""


def test_a_clip_shorter_than_a_window_keeps_all_channels(speech: np.ndarray) -> None:
    assert chosen(speech[:500], -speech[:500]).why == ""


def test_a_long_recording_is_measured_in_ever_larger_steps(speech: np.ndarray) -> None:
    meter = ChannelMeter(2, RATE)
    block = np.stack([speech[: 3 * RATE], -speech[: 3 * RATE]], axis=1)
    for _ in range(1200):  # an hour
        meter.add(block)
    assert 300 < len(meter.levels) * 0.032 < 1500
    assert meter.choice(DEFAULTS).why


# --- from the file to one channel ---


def surveyed(path: Path, samples: np.ndarray, **options: str) -> recording.Recording:
    soundfile.write(path, samples, RATE, **options)
    return recording.surveyed(recording.inspect(path), DEFAULTS)


def test_the_mean_of_ordinary_stereo_is_computed_as_ever(speech: np.ndarray, tmp_path: Path) -> None:
    block = np.stack([speech, room(speech, 0.3, 1)], axis=1).astype(np.float32)
    found = surveyed(tmp_path / "a.flac", np.clip(block, -1.0, 1.0))
    assert found.mix == recording.Mix()
    first = next(recording.blocks(found))
    assert np.array_equal(found.mix.mono(first), first.mean(axis=1, dtype=np.float32))


def test_a_whole_clip_is_read_as_one_channel(speech: np.ndarray, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([-speech, speech], axis=1), RATE)
    samples, rate = recording.read(tmp_path / "a.wav")
    assert rate == RATE and np.abs(samples + speech).max() < 1e-4


@pytest.mark.parametrize(("scale", "bits"), [(32_768.0, 16), (2.0**23, 24), (2.0**31, 32)])
def test_integers_in_a_float_file_are_scaled_and_named(
    speech: np.ndarray, tmp_path: Path, scale: float, bits: int
) -> None:
    found = surveyed(tmp_path / "a.wav", speech * scale, subtype="FLOAT")
    assert found.mix.why == f"its floating-point samples hold {bits}-bit integers and are scaled to full scale"
    assert np.allclose(found.mix.mono(next(recording.blocks(found)))[:1000], speech[:1000], atol=1e-6)


@pytest.mark.parametrize("gain", [0.5, 2.0, 4.0, 16.0])
def test_float_above_full_scale_is_no_integer(speech: np.ndarray, tmp_path: Path, gain: float) -> None:
    assert surveyed(tmp_path / "a.wav", speech * gain, subtype="FLOAT").mix == recording.Mix()


def test_float_of_no_scale_is_refused_with_its_peak(speech: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(recording.DataError, match="beyond full scale") as caught:
        surveyed(tmp_path / "a.wav", speech * 1e15, subtype="FLOAT")
    assert caught.value.cause == "audio_undecodable"


def test_integers_in_one_channel_of_two_are_both_scaled_and_chosen(speech: np.ndarray, tmp_path: Path) -> None:
    found = surveyed(
        tmp_path / "a.wav", np.stack([speech, 0.001 * noise(speech, 0.0)], axis=1) * 32_768.0, subtype="DOUBLE"
    )
    assert found.mix.taken == (0,) and found.mix.scale == 1 / 32_768
    assert "16-bit integers" in found.mix.why and "channel 1 of 2 is taken" in found.mix.why


@pytest.mark.skipif(not LJ.is_dir(), reason=f"no human clips at {LJ}")
@pytest.mark.parametrize("kind", ["silence", "hum -20", "noise -50", "time code", "opposite", "apart", "much room"])
def test_the_choice_is_right_for_single_human_clips(kind: str) -> None:
    for path in sorted(LJ.glob("*.flac"))[::8]:
        speech = soundfile.read(path, dtype="float32")[0]
        if kind == "much room":
            assert chosen(*ORDINARY[kind](speech)).why == ""
            continue
        other = {"opposite": lambda x: -0.9 * x, "apart": lambda x: 0.9 * delayed(x, 0.3)}.get(kind) or OTHERS[kind]
        assert chosen(speech, other(speech)).taken == (0,), path.name
