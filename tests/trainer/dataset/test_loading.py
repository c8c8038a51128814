"""Utterances and batches: what is read is what the manifest lists, what is drawn depends on the generator alone."""

import hashlib
import os
import resource
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from trainer.audio.features import HOP
from trainer.dataset import loading, manifest
from trainer.errors import DataError


def entries(count: int, seconds: float = 5.0):
    return [SimpleNamespace(id=index, duration_s=seconds) for index in range(count)]


def test_a_limit_keeps_utterances_from_the_whole_recording():
    picked = loading.choose(entries(100), max_seconds=50.0)
    assert len(picked) == 10
    assert picked[0].id == 0
    assert picked[-1].id == 90


def test_everything_is_kept_within_the_limit_and_one_utterance_always():
    assert len(loading.choose(entries(4), max_seconds=20.0)) == 4
    assert len(loading.choose(entries(4), max_seconds=0.5)) == 1


def test_a_batch_has_aligned_segments_of_one_length(small_manifest):
    utterances = loading.load(small_manifest.parent, manifest.load(small_manifest).entries[:3])
    batch = loading.random_batch(utterances, size=5, frames=20, generator=torch.Generator().manual_seed(0))
    assert batch.wave.shape == (5, 20 * HOP)
    assert batch.mel.shape == (5, 80, 21)
    assert batch.f0.shape == batch.voicing.shape == (5, 21)
    again = loading.random_batch(utterances, size=5, frames=20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(batch.wave, again.wave)
    # The segment's own mel equals its part of the utterance's, away from the edges.
    inner = loading.features.log_mel(batch.wave)[:, :, 3:17]
    assert torch.allclose(inner, batch.mel[:, :, 3:17], atol=1e-3)


def test_an_utterance_shorter_than_a_segment_is_followed_by_silence():
    short = loading.from_wave(np.ones(10 * HOP, np.float32) * 0.1)
    batch = loading.random_batch([short], size=1, frames=16, generator=torch.Generator().manual_seed(0))
    assert batch.wave.shape == (1, 16 * HOP)
    assert not batch.wave[0, 10 * HOP :].any()
    assert batch.mel.shape == (1, 80, 17)


@pytest.mark.parametrize("damage", ["flip", "remove", "link", "folder link", "fifo"])
def test_a_clip_that_is_not_the_listed_one_is_refused(damage, small_manifest, tmp_path):
    entry = manifest.load(small_manifest).entries[0]
    clip = tmp_path / entry.path
    if damage == "folder link":
        clip.parent.symlink_to((small_manifest.parent / entry.path).parent)
    else:
        clip.parent.mkdir(parents=True)
    data = bytearray((small_manifest.parent / entry.path).read_bytes())
    if damage == "flip":
        data[-100] ^= 1
        clip.write_bytes(data)
    elif damage == "link":
        clip.symlink_to(small_manifest.parent / entry.path)
    elif damage == "fifo":
        os.mkfifo(clip)
    with pytest.raises(DataError) as caught:
        loading.load(tmp_path, [entry])
    assert caught.value.cause == "manifest_invalid"


def listed(
    directory: Path, samples: np.ndarray, *, seconds: float, rate: int = loading.features.SAMPLE_RATE
) -> SimpleNamespace:
    """A manifest entry of `seconds` whose clip holds `samples` and has the listed digest."""
    path = directory / "clip.flac"
    soundfile.write(path, samples, rate)
    return SimpleNamespace(path=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), duration_s=seconds)


def refusal(directory: Path, entry: SimpleNamespace) -> str:
    with pytest.raises(DataError) as caught:
        loading.load(directory, [entry])
    assert caught.value.cause == "manifest_invalid"
    return str(caught.value)


@pytest.mark.parametrize("seconds", [5.0, 60.0, 3600.0, 1e308])
def test_a_clip_that_unpacks_to_hours_is_refused_before_it_is_decoded(seconds, tmp_path):
    path = tmp_path / "clip.flac"
    with soundfile.SoundFile(path, "w", 22_050, 1) as stream:
        for _ in range(60):
            stream.write(np.zeros(60 * 22_050, np.int16))
    assert path.stat().st_size < 2**20
    entry = SimpleNamespace(path=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), duration_s=seconds)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "longer than" in refusal(tmp_path, entry)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 2**10  # KiB; decoded it has 300 MiB


def test_a_clip_may_be_one_sample_longer_than_listed_and_no_more(tmp_path):
    assert loading.load(tmp_path, [listed(tmp_path, np.zeros(22_051), seconds=1.0)])
    assert "longer than the 1 s" in refusal(tmp_path, listed(tmp_path, np.zeros(22_052), seconds=1.0))


@pytest.mark.parametrize(("shape", "rate"), [((22_050, 2), 22_050), ((44_100,), 44_100)])
def test_a_clip_of_another_format_is_refused(shape, rate, tmp_path):
    assert "is not mono at 22050 Hz" in refusal(tmp_path, listed(tmp_path, np.zeros(shape), seconds=1.0, rate=rate))


def test_a_listed_clip_that_is_no_audio_is_refused(tmp_path):
    (tmp_path / "clip.flac").write_bytes(b"text")
    entry = SimpleNamespace(path="clip.flac", sha256=hashlib.sha256(b"text").hexdigest(), duration_s=1.0)
    assert "does not decode" in refusal(tmp_path, entry)
