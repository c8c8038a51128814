"""The acoustic model's contracts: shapes, padding that changes nothing, durations, controls, refused configs."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.audio.features import MELS
from trainer.models.acoustic import AcousticConfig, AcousticModel, Speaker
from trainer.models.acoustic.examples import Example, collate
from trainer.models.acoustic.model import durations
from trainer.models.acoustic.symbols import frame_positions, is_pause
from trainer.text.phones import ID

SMALL = AcousticConfig(
    width=16,
    hidden=24,
    encoder_blocks=1,
    decoder_blocks=2,
    prosody_width=12,
    prosody_hidden=16,
    prosody_blocks=1,
    speaker=8,
)


def speaker(seed: int = 0) -> Speaker:
    generator = torch.Generator().manual_seed(seed)
    embedding = torch.rand(256, generator=generator)
    return Speaker(
        embedding=embedding / torch.linalg.vector_norm(embedding),
        mel_mean=torch.full((MELS,), -5.0),
        mel_deviation=torch.ones(MELS),
        log_f0_mean=torch.tensor(math.log(150.0)),
        log_f0_deviation=torch.tensor(0.2),
        log_duration=torch.tensor(math.log(9.0)),
        mel_gain=torch.ones(MELS),
        mel_shift=torch.zeros(MELS),
        f0_gain=torch.ones(()),
    )


def utterance(symbols: int, seed: int = 0) -> Example:
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randint(0, 9, (symbols,), generator=generator)
    frames[0] = 3
    total = int(frames.sum())
    return Example(
        symbols=torch.randint(1, len(ID), (symbols,), generator=generator),
        word_starts=torch.arange(symbols) % 3 == 1,
        frames=frames,
        mel=torch.randn(MELS, total, generator=generator) - 5.0,
        f0=torch.full((total,), 160.0),
        voicing=(torch.arange(total) % 2).float(),
        speaker=speaker(seed),
        bands=torch.ones(MELS),
    )


@pytest.fixture
def model() -> AcousticModel:
    return AcousticModel.untrained(SMALL, seed=3).eval()


def say(model: AcousticModel, **controls):
    symbols = torch.tensor([ID[name] for name in ["SIL", "HH", "AH0", "L", "OW1", ",", "DH", "EH1", "R", "."]])
    return model.infer(symbols, torch.zeros(len(symbols)), speaker(), **controls)


def test_a_rendering_has_a_column_for_every_frame_of_its_symbols(model):
    rendering = say(model)
    length = int(rendering.frames.sum())
    assert rendering.mel.shape == (MELS, length)
    assert rendering.f0.shape == rendering.voicing.shape == (length,)
    assert set(rendering.voicing.tolist()) <= {0.0, 1.0}


def test_padding_does_not_change_a_prediction(model):
    short, long = utterance(5), utterance(14, seed=1)
    alone, together = model(collate([short])), model(collate([short, long]))
    assert torch.allclose(alone.frames.mel[0, :, : short.length], together.frames.mel[0, :, : short.length], atol=1e-4)
    assert torch.allclose(alone.symbols.pitch[0], together.symbols.pitch[0, :5], atol=1e-5)


def test_given_durations_are_spoken(model):
    frames = torch.tensor([1, 2, 3, 4, 5, 0, 1, 1, 2, 4])
    assert torch.equal(say(model, frames=frames).frames, frames)


def test_an_odd_number_of_frames_is_kept(model):
    frames = torch.tensor([1, 2, 3, 4, 5, 0, 1, 1, 2, 2])
    assert say(model, frames=frames).mel.shape[1] == 21


def test_twice_the_rate_takes_about_half_the_frames(model):
    assert say(model, rate=2.0).mel.shape[1] == pytest.approx(say(model).mel.shape[1] / 2, abs=5)


def test_an_octave_up_doubles_f0(model):
    low, high = say(model), say(model, pitch=12.0)
    assert torch.allclose(high.f0, 2 * low.f0, rtol=1e-4)


def test_longer_pauses_leave_the_phones_alone(model):
    plain, slow = say(model), say(model, pause=3.0)
    assert slow.frames[5] > plain.frames[5]
    assert abs(int(slow.frames[1:5].sum()) - int(plain.frames[1:5].sum())) <= 3


def test_the_speakers_own_variance_is_applied(model):
    from dataclasses import replace

    frames = torch.full((10,), 3)
    symbols = torch.arange(1, 11)
    plain = model.infer(symbols, torch.zeros(10), speaker(), frames=frames)
    wide = model.infer(
        symbols, torch.zeros(10), replace(speaker(), mel_gain=torch.full((MELS,), 1.5), mel_shift=torch.full((MELS,), 2.5)),
        frames=frames,
    )  # fmt: skip
    assert torch.allclose(wide.mel, (plain.mel * 1.5 + 2.5), atol=1e-3)


@given(
    st.lists(st.tuples(st.floats(-8, 8) | st.floats(width=32), st.integers(1, len(ID) - 1)), min_size=1, max_size=30),
    st.floats(0.3, 3.0),
    st.floats(0.0, 3.0),
)
@settings(deadline=None, max_examples=60)
def test_every_phone_lasts_a_frame_and_no_symbol_is_endless(predicted, rate, pause):
    symbols = torch.tensor([symbol for _, symbol in predicted])
    frames = durations(torch.tensor([value for value, _ in predicted]), is_pause(symbols), rate=rate, pause=pause)
    assert int(frames.sum()) >= 1
    assert int(frames.min()) >= 0 and int(frames.max()) <= 200
    assert bool((frames[~is_pause(symbols)] >= 1).all())


@given(st.lists(st.integers(0, 12), min_size=1, max_size=20))
def test_every_frame_belongs_to_the_symbol_that_lasts_then(frames):
    index, positions = frame_positions(torch.tensor(frames))
    assert index.tolist() == [symbol for symbol, count in enumerate(frames) for _ in range(count)]
    assert positions.shape == (sum(frames), 4)
    assert bool(((positions >= 0) & (positions <= 2)).all())


def test_equal_seeds_give_equal_weights_whatever_was_drawn_before():
    first = AcousticModel.untrained(SMALL, seed=5).state_dict()
    torch.randn(10)
    second = AcousticModel.untrained(SMALL, seed=5).state_dict()
    assert first and all(torch.equal(first[name], second[name]) for name in first)


def test_no_weight_belongs_to_two_parts_and_none_to_nobody(model):
    owned = [id(one) for modules in model.parts.values() for module in modules for one in module.parameters()]
    assert sorted(owned) == sorted(id(one) for one in model.parameters())


def test_the_lower_bound_of_weights_is_one():
    assert SMALL.least_weights < sum(one.numel() for one in AcousticModel(SMALL).parameters())


@pytest.mark.parametrize(
    "change", [{"width": 0}, {"width": True}, {"hidden": 10**9}, {"kernel": 4}, {"speaker": "64"}, {"more": 1}]
)
def test_a_config_that_no_model_has_is_refused(change):
    with pytest.raises(ValueError, match=r"whole number|config has|odd"):
        AcousticConfig.from_dict({**SMALL.as_dict(), **change})
