"""What is exported is what is spoken: the graphs of real numbers against the models."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.audio.features import HOP
from trainer.models.acoustic.symbols import even_frames, frame_positions
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.models.vocoder import excitation as torch_excitation
from trainer.synthesis.excitation import pulse_train
from trainer.synthesis.graphs import AcousticGraph, VocoderGraph
from trainer.synthesis.passages import passages

FRAMES = st.lists(st.integers(0, 30), min_size=1, max_size=40).filter(lambda frames: sum(frames) > 0)


@settings(max_examples=50, deadline=None)
@given(FRAMES)
def test_every_frame_knows_its_symbol_and_its_place_in_it(frames):
    index, positions = frame_positions(torch.tensor(frames))
    found, places, length = even_frames(torch.tensor(frames))
    assert int(length) == len(index)
    assert len(found) == len(index) + len(index) % 2
    assert torch.equal(found[: len(index)], index)
    assert torch.allclose(places[: len(index)], positions)
    assert found[-1] == index[-1]
    assert torch.equal(places[-1], places[len(index) - 1])


@pytest.mark.parametrize("rate", [0.9, 1.0, 1.21, 1.4])
def test_the_acoustic_graph_says_what_the_model_says(voice, rate):
    (passage,) = passages("The quick brown fox, however, jumped over a dozen lazy dogs.")
    symbols, starts = torch.from_numpy(passage.symbols), torch.from_numpy(passage.word_starts)
    with torch.no_grad():
        ours = voice.acoustic.infer(symbols, starts, voice.speaker, rate=rate, pitch=2.0, pause=1.2, liveliness=0.5)
        scalars = (torch.tensor(value) for value in (rate, 2.0, 1.2, 0.5))
        mel, f0, voicing, frames = AcousticGraph(voice.acoustic, voice.speaker)(symbols, starts, *scalars)
    assert torch.equal(frames, ours.frames)
    assert torch.allclose(mel, ours.mel, atol=1e-5)
    assert torch.allclose(f0, ours.f0, rtol=1e-5)
    assert torch.equal(voicing, ours.voicing)


@pytest.mark.parametrize("frames", [2, 3, 50])
def test_the_vocoder_graph_gives_the_vocoders_wave(frames):
    vocoder = Vocoder.untrained(VocoderConfig(width=8, hidden=16, blocks=2), seed=1).eval()
    generator = torch.Generator().manual_seed(frames)
    with torch.no_grad():
        vocoder.output.weight.normal_(std=0.3, generator=generator)
        mel = torch.randn(80, frames, generator=generator) - 4.0
        f0 = torch.rand(frames, generator=generator) * 300.0 + 80.0
        voicing = (torch.rand(frames, generator=generator) > 0.5).float()
        noise = torch.randn((frames - 1) * HOP, generator=generator)
        pulses = torch.from_numpy(pulse_train(f0.numpy()))
        theirs = vocoder(mel[None], f0[None], voicing[None], noise[None])[0]
        ours = VocoderGraph(vocoder)(mel, f0, voicing, pulses, noise)
    assert float((ours - theirs).abs().max()) < 1e-4 * float(theirs.abs().max())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(60.0, 500.0, width=32), min_size=2, max_size=60))
def test_pulses_are_those_of_the_vocoder(f0):
    ours = pulse_train(np.array(f0, np.float32))
    theirs = torch_excitation.pulse_train(torch.tensor([f0], dtype=torch.float32))[0].numpy()
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() < 1e-4
