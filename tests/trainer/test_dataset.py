"""Utterances and batches: what is read is what the manifest lists, what is drawn depends on the generator alone."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from trainer import dataset, manifest
from trainer.errors import DataError
from trainer.features import HOP


def entries(count: int, seconds: float = 5.0):
    return [SimpleNamespace(id=index, duration_s=seconds) for index in range(count)]


def test_a_limit_keeps_utterances_from_the_whole_recording():
    picked = dataset.choose(entries(100), max_seconds=50.0)
    assert len(picked) == 10
    assert picked[0].id == 0
    assert picked[-1].id == 90


def test_everything_is_kept_within_the_limit_and_one_utterance_always():
    assert len(dataset.choose(entries(4), max_seconds=20.0)) == 4
    assert len(dataset.choose(entries(4), max_seconds=0.5)) == 1


def test_a_batch_has_aligned_segments_of_one_length(small_manifest):
    utterances = dataset.load(small_manifest.parent, manifest.load(small_manifest).entries[:3])
    batch = dataset.random_batch(utterances, size=5, frames=20, generator=torch.Generator().manual_seed(0))
    assert batch.wave.shape == (5, 20 * HOP)
    assert batch.mel.shape == (5, 80, 21)
    assert batch.f0.shape == batch.voicing.shape == (5, 21)
    again = dataset.random_batch(utterances, size=5, frames=20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(batch.wave, again.wave)
    # The segment's own mel equals its part of the utterance's, away from the edges.
    inner = dataset.features.log_mel(batch.wave)[:, :, 3:17]
    assert torch.allclose(inner, batch.mel[:, :, 3:17], atol=1e-3)


def test_an_utterance_shorter_than_a_segment_is_followed_by_silence():
    short = dataset.from_wave(np.ones(10 * HOP, np.float32) * 0.1)
    batch = dataset.random_batch([short], size=1, frames=16, generator=torch.Generator().manual_seed(0))
    assert batch.wave.shape == (1, 16 * HOP)
    assert not batch.wave[0, 10 * HOP :].any()
    assert batch.mel.shape == (1, 80, 17)


@pytest.mark.parametrize("damage", ["flip", "remove", "link"])
def test_a_clip_that_is_not_the_listed_one_is_refused(damage, small_manifest, tmp_path):
    entry = manifest.load(small_manifest).entries[0]
    clip = tmp_path / entry.path
    clip.parent.mkdir(parents=True)
    data = bytearray((small_manifest.parent / entry.path).read_bytes())
    if damage == "flip":
        data[-100] ^= 1
        clip.write_bytes(data)
    elif damage == "link":
        clip.symlink_to(small_manifest.parent / entry.path)
    with pytest.raises(DataError) as caught:
        dataset.load(tmp_path, [entry])
    assert caught.value.cause == "manifest_invalid"
