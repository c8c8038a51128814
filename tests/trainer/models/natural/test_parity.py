"""The natural base says in our network what the published ONNX file says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.models.natural import NaturalConfig, NaturalModel, alphabet, sound
from trainer.models.natural.model import Melody, whole_frames
from trainer.models.natural.sound import Spectra
from trainer.voice import natural_base

REFERENCE = Path(__file__).with_name("reference.npz")
"""What the ONNX file gives for SAID, its integer products done in real numbers; written by `write_reference`."""
SAID = "ɪt wˈʌz ɹˈAnɪŋ."
EVERY = 75
"""Of so many bins one is stored."""
TEXT_HOP = 600
HALF = 0.15
"""Largest difference in nepers and radians that half precision makes; 0.076 is measured."""
EXACT_SPECTRA, EXACT_SOUND = 2e-4, 5e-5
PUBLISHED_SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"


def published_file() -> bytes:
    """The ONNX file of the installed package, and no other; skips where the package is missing."""
    assets = Path(pytest.importorskip("hibari.g2p", reason="the ONNX file is in the package hibari-tts").ASSETS)
    data = (assets / "hibari.onnx").read_bytes()
    assert hashlib.sha256(data).hexdigest() == PUBLISHED_SHA256, f"{assets} is not that of hibari-tts 0.2.1"
    return data


def loudness(wave: np.ndarray) -> np.ndarray:
    """Root mean square of every text frame."""
    return np.sqrt(np.square(wave.reshape(-1, TEXT_HOP)).mean(axis=1))


def published(outputs: list[np.ndarray]) -> Spectra:
    return Spectra(*map(torch.from_numpy, outputs))


@torch.inference_mode()
def spoken(model: NaturalModel, phonemes: str) -> tuple[torch.Tensor, Melody, Spectra]:
    symbols = torch.from_numpy(alphabet.ids(phonemes))
    encoded = model.melody.text(symbols[None])
    frames = whole_frames(model.melody.times(encoded))
    melody = model.melody(encoded, frames)
    return frames, melody, model.decode(symbols, frames, melody)


def test_the_shipped_base_says_what_the_onnx_file_says() -> None:
    wanted = np.load(REFERENCE)
    frames, melody, spectra = spoken(natural_base.load(), SAID)
    assert frames.tolist() == wanted["frames"].tolist()
    np.testing.assert_allclose(melody.f0[0].numpy() / 100, wanted["f0"] / 100, atol=HALF)
    for name in Spectra._fields:
        ours = getattr(spectra, name)[0, ::EVERY].numpy()
        np.testing.assert_allclose(ours, wanted[name], atol=HALF, err_msg=name)
    noise = sound.white_noise(melody.f0.shape[1], np.random.default_rng(0))
    wave = sound.synthesise(spectra, melody.f0, noise[None])[0].numpy()
    # The phase of the pulses drifts with the last bits of F0; the loudness of short stretches does not.
    np.testing.assert_allclose(loudness(wave), wanted["loudness"], atol=0.01)


def test_with_the_exact_weights_it_is_the_same_sound() -> None:
    data = published_file()
    from tests.trainer.models.natural import float_graph
    from trainer.pretraining import natural

    model = NaturalModel(NaturalConfig()).eval()
    model.load_state_dict(natural.state_dict(data))
    frames, melody, spectra = spoken(model, SAID)
    inputs = {"ids": alphabet.ids(SAID)[None], "speed": np.ones(1, np.float32)}
    *theirs, f0 = float_graph.session(data).run(None, inputs)
    assert f0.shape[1] == 2 * int(frames.sum())
    np.testing.assert_allclose(melody.f0.numpy() / 100, f0 / 100, atol=EXACT_SPECTRA)
    for name, wanted in zip(Spectra._fields, theirs, strict=True):
        np.testing.assert_allclose(getattr(spectra, name).numpy(), wanted, atol=EXACT_SPECTRA, err_msg=name)
    # From one F0, because pulses move with its last bits.
    noise = sound.white_noise(f0.shape[1], np.random.default_rng(0))[None]
    both = [sound.synthesise(each, torch.from_numpy(f0), noise) for each in (spectra, published(theirs))]
    assert float((both[0] - both[1]).abs().max()) <= EXACT_SOUND


def write_reference() -> None:
    """Writes REFERENCE; run it as the only statement of a program where the package is."""
    from tests.trainer.models.natural import float_graph
    from trainer.pretraining import natural

    inputs = {"ids": alphabet.ids(SAID)[None], "speed": np.ones(1, np.float32)}
    data = published_file()
    *spectra, f0 = float_graph.session(data).run(None, inputs)
    model = NaturalModel(NaturalConfig()).eval()
    model.load_state_dict(natural.state_dict(data))
    noise = sound.white_noise(f0.shape[1], np.random.default_rng(0))
    wave = sound.synthesise(published(spectra), torch.from_numpy(f0), noise[None])[0].numpy()
    kept = {name: each[0, ::EVERY] for name, each in zip(Spectra._fields, spectra, strict=True)}
    frames = spoken(model, SAID)[0].numpy()
    np.savez_compressed(REFERENCE, frames=frames, f0=f0[0], loudness=loudness(wave), **kept)
