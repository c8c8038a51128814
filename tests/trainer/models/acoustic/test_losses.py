"""What the losses look at: padding, bands without sound and unvoiced pitch do not count."""

from dataclasses import replace

import pytest
import torch

from tests.trainer.models.acoustic.test_model import SMALL, utterance
from trainer.models.acoustic import AcousticModel
from trainer.models.acoustic.examples import collate, epoch, prosody
from trainer.models.acoustic.losses import frame_loss, losses
from trainer.models.acoustic.model import FramePrediction


def exact(batch):
    return FramePrediction(batch.mel.clone(), torch.log(batch.f0), (batch.voicing * 2 - 1) * 30.0)


def test_the_truth_has_no_loss():
    batch = collate([utterance(6)])
    assert float(frame_loss(exact(batch), batch)[0]) == pytest.approx(0.0, abs=1e-5)


def test_padding_costs_nothing():
    batch = collate([utterance(4), utterance(12, seed=1)])
    found = exact(batch)
    found.mel[0, :, int(batch.frame_mask[0].sum()) :] += 100.0
    assert float(frame_loss(found, batch)[0]) == pytest.approx(0.0, abs=1e-5)


def test_bands_in_which_the_recording_has_no_sound_cost_nothing():
    batch = collate([replace(utterance(6), bands=(torch.arange(80) < 60).float())])
    found = exact(batch)
    found.mel[:, 60:] += 3.0
    assert float(frame_loss(found, batch)[0]) == pytest.approx(0.0, abs=1e-5)


def test_what_should_sound_and_is_silent_is_pulled_up():
    batch = collate([utterance(6)])
    mel = torch.full_like(batch.mel, -30.0).requires_grad_()
    loss, _ = frame_loss(FramePrediction(mel, torch.log(batch.f0), batch.voicing), batch)
    loss.backward()
    sounding = (batch.mel > -9.5) & (batch.frame_mask[:, None] > 0)
    assert bool((mel.grad[sounding] < 0).all())


def test_pitch_of_a_symbol_is_relative_to_the_speaker():
    one = utterance(6)
    found, _ = prosody(replace(one, f0=torch.full_like(one.f0, 150.0)))
    assert torch.allclose(found.pitch, torch.zeros(6), atol=1e-4)


def test_every_utterance_is_in_an_epoch_once_and_no_batch_is_too_large():
    lengths = [10, 200, 33, 90, 91, 12, 500]
    batches = epoch(lengths, frames=200, generator=torch.Generator().manual_seed(0))
    assert sorted(index for batch in batches for index in batch) == list(range(7))
    assert all(len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= 200 for batch in batches)


def test_losses_are_those_of_the_batch_whatever_its_order():
    model = AcousticModel.untrained(SMALL, seed=0).eval()
    one, other = utterance(5), utterance(9, seed=1)
    first, second = collate([one, other]), collate([other, one])
    ours, theirs = losses(model(first), first), losses(model(second), second)
    assert float(ours.frames.detach()) == pytest.approx(float(theirs.frames.detach()), rel=1e-4)
