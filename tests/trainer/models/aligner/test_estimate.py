"""Claims about learning the Gaussians, and about the aligner that is shipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.audio import features
from trainer.errors import RuntimeSetupError
from trainer.files import checkpoint
from trainer.models.aligner import Aligner, AlignmentError, adapt, align, load_aligner, save_aligner
from trainer.models.aligner.align import align_observed
from trainer.models.aligner.estimate import estimate
from trainer.models.aligner.model import PHONES, STATES
from trainer.models.aligner.observations import DIMENSIONS, normalisation, observe
from trainer.pretraining import render
from trainer.pretraining.speakers import Speaker
from trainer.pretraining.texts import Sentence, pronunciations
from trainer.teachers import flite
from trainer.text import analyse
from trainer.text.phone_set import PAUSES
from trainer.text.words import Word
from trainer.voice import shipped_files

SHIPPED = shipped_files.FOLDER / shipped_files.ALIGNER
LJ = Path(__file__).parents[5] / "shared" / "voices" / "lj"
FRAME_MS = 1000.0 * features.HOP / features.SAMPLE_RATE

_needs_weights = pytest.mark.skipif(not SHIPPED.exists(), reason="the base weights are not there")
_needs_flite = pytest.mark.skipif(not flite.available(), reason="flite is not installed")


def _labelled(count: int, seed: int) -> list[tuple[np.ndarray, list[tuple[str, int]]]]:
    """Utterances of random phones whose means are known: phone number i sounds like a vector of its own."""
    means = 3.0 * np.random.default_rng(99).standard_normal((len(PHONES), 2, DIMENSIONS))
    rng = np.random.default_rng(seed)
    utterances = []
    for _ in range(count):
        labels = [(PHONES[int(index)], int(rng.integers(4, 9))) for index in rng.integers(1, len(PHONES), 12)]
        rows = [
            means[PHONES.index(name), int(frame >= frames // 2)] for name, frames in labels for frame in range(frames)
        ]
        utterances.append(
            ((np.array(rows) + 0.5 * rng.standard_normal((len(rows), DIMENSIONS))).astype(np.float32), labels)
        )
    return utterances


@pytest.mark.parametrize("mixtures", [1, 2])
def test_an_aligner_learnt_from_known_times_finds_them_again(mixtures: int):
    aligner = estimate(_labelled(24, 0), mixtures=mixtures)
    assert aligner.weights.shape == (STATES, mixtures)
    assert np.allclose(aligner.weights.sum(axis=1), 1.0, atol=1e-5)
    errors = []
    for observed, labels in _labelled(3, 1):
        pause = estimate(_labelled(1, 0)).means[0, 0] * 0.0  # what nobody learnt: two frames of it begin the utterance
        spoken = np.concatenate([np.tile(pause, (2, 1)), observed]).astype(np.float32)
        words = [
            Word("w", ((name + "1" if len(name) == 2 and name[0] in "AEIOU" else name,),), "") for name, _ in labels
        ]
        found = align_observed(spoken, words, aligner)
        kept = [frames for symbol, frames in zip(found.symbols, found.frames, strict=True) if symbol not in PAUSES]
        errors += list(np.abs(np.cumsum(kept)[:-1] - np.cumsum([frames for _, frames in labels])[:-1]))
    assert np.mean(np.array(errors) <= 2) > 0.9


def test_adapting_to_nothing_changes_nothing():
    aligner = estimate(_labelled(5, 0))
    assert adapt([], aligner) is aligner


def test_a_saved_aligner_is_read_back_and_equal_ones_give_equal_bytes(tmp_path: Path):
    aligner = estimate(_labelled(4, 0), mixtures=2)
    assert save_aligner(tmp_path / "a.pt", aligner) == save_aligner(tmp_path / "b.pt", aligner)
    again = load_aligner(tmp_path / "a.pt")
    assert np.allclose(again.means, aligner.means, atol=0.01) and again.normalisation is None


@pytest.mark.parametrize("change", ["version", "phones", "tensors", "nan"])
def test_a_file_that_is_no_such_aligner_is_refused(tmp_path: Path, change: str):
    path = tmp_path / "aligner.pt"
    save_aligner(path, estimate(_labelled(5, 0)))
    document = checkpoint.read_container(path)
    if change == "tensors":
        del document["tensors"]["stay"]
    elif change == "nan":
        document["tensors"]["means"][0, 0, 0] = float("nan")
    else:
        document[change] = 2 if change == "version" else ["SIL"]
    checkpoint.save(path, document)
    with pytest.raises(RuntimeSetupError) as caught:
        load_aligner(path)
    assert caught.value.cause == "weights_invalid"


def test_normalised_speech_does_not_depend_on_level():
    mel = torch.from_numpy(np.random.default_rng(0).normal(-4.0, 2.0, (features.MELS, 200)).astype(np.float32))
    first, second = observe(mel), observe(mel + 1.0)
    assert np.allclose(normalisation([first]).apply(first), normalisation([second]).apply(second), atol=1e-3)


@pytest.fixture(scope="module")
def shipped() -> Aligner:
    return load_aligner(SHIPPED)


@_needs_weights
@_needs_flite
def test_phone_times_of_a_voice_left_out_of_the_training_are_within_25_ms(shipped: Aligner):
    speaker = Speaker(
        name="awb", voice="awb", warp=1.0, f0_hz=130.0, f0_range_hz=20.0, stretch=1.0, tone_db=(0.0,) * 7,
        noise_db=-65.0, weight=1.0,
    )  # fmt: skip
    lines = (
        "we saw seven yellow boats, and a large ship",
        "the garden behind this house is very quiet",
        "did you bring the paper to school",
    )
    rng = np.random.default_rng(0)
    errors: list[float] = []
    for line in lines:
        words = tuple(line.replace(",", "").split())
        marks = tuple("," if word + "," in line else "" for word in words[:-1])
        sentence = Sentence(words=words, marks=(*marks, "."))
        wave, symbols = render.flite_utterance(sentence, speaker, rng)
        assert symbols is not None
        found = features.extract(wave)
        truth = render.timed(symbols, found.mel.shape[1])
        said = [Word(word, pronunciations()[word], mark) for word, mark in zip(words, sentence.marks, strict=True)]
        placed = align(found.mel, said, shipped)
        assert truth is not None and placed.confidence > 0.9
        if len(placed.symbols) == len(truth):
            ends = zip(placed.symbols, np.cumsum(placed.frames), np.cumsum([count for _, count in truth]), strict=True)
            errors += [abs(one - other) * FRAME_MS for symbol, one, other in ends if symbol not in PAUSES]
    assert len(errors) > 40 and np.median(errors) <= 12.0 and np.percentile(errors, 90) <= 25.0


@_needs_weights
@pytest.mark.skipif(not LJ.is_dir(), reason="the development recordings are not there")
def test_true_transcripts_of_a_human_reader_are_told_from_others_texts(shipped: Aligner):
    import soundfile

    rows = [line.split("|") for line in (LJ / "metadata.csv").read_text("utf-8").splitlines()[1:7]]
    found = []
    for name, _ in rows:
        samples, _ = soundfile.read(LJ / "clips" / f"{name}.flac", dtype="float32")
        found.append(features.mel_of(samples))
    words = [[word for sentence in analyse(text).sentences for word in sentence.words] for _, text in rows]
    right = [_confidence(each, said, shipped) for each, said in zip(found, words, strict=True)]
    wrong = [_confidence(each, said, shipped) for each, said in zip(found, words[1:] + words[:1], strict=True)]
    assert min(right) > 0.7 and max(wrong) < 0.3
    adapted = adapt(list(zip(found, words, strict=True)), shipped)
    assert min(_confidence(each, said, adapted) for each, said in zip(found, words, strict=True)) > 0.9


def _confidence(found: torch.Tensor, words: list[Word], aligner: Aligner) -> float:
    try:
        return align(found, words, aligner).confidence
    except AlignmentError:
        return 0.0
