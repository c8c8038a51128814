"""Cosines and pieces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation import similarity
from trainer.evaluation.judging import Sound


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 9))
def test_cosine_to_speaker_vectors_lies_between_0_and_1(seed: int, count: int) -> None:
    vectors = unit(np.random.default_rng(seed).random((count + 1, 16)) + 1e-3)
    assert 0.0 <= similarity.mean_cosine(vectors[0], vectors[1:]) <= 1.0


@given(seed=st.integers(0, 2**32 - 1))
def test_cosine_to_itself_is_1_and_order_does_not_matter(seed: int) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(5, 16)))
    assert similarity.mean_cosine(vectors[0], vectors[:1]) == pytest.approx(1.0, abs=1e-6)
    forward, backward = (similarity.mean_cosine(vectors[0], part) for part in (vectors[1:], vectors[:0:-1]))
    assert forward == pytest.approx(backward, abs=1e-9)


@given(samples=st.integers(1, 500), length=st.integers(1, 200))
def test_pieces_are_equally_long_consecutive_and_lose_less_than_one_piece(samples: int, length: int) -> None:
    wave = np.arange(samples)
    sound = Sound(mono=wave, sample_rate=1, channels=1, not_finite=0, clipping=0.0, sha256="")
    parts = sound.pieces(length)
    joined = np.concatenate(parts)
    assert (joined == wave[: len(joined)]).all() and 0 <= samples - len(joined) < length
    assert {len(part) for part in parts} == {min(samples, length)}
