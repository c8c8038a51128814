"""Claims about the corpus as it lies on disk."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from trainer.audio import features
from trainer.errors import DataError
from trainer.models.aligner import load_aligner
from trainer.pretraining.corpus import aligned, make, people, shards
from trainer.pretraining.corpus.speakers import ESPEAK, FLITE, Speaker, speakers, timed
from trainer.pretraining.corpus.texts import Sentence
from trainer.teachers import espeak, flite
from trainer.text.phones import ID, MARKS, SYMBOLS
from trainer.voice import shipped_files

pytestmark = pytest.mark.long

SHIPPED = shipped_files.FOLDER / shipped_files.ALIGNER
SMALL = make.CorpusSettings(
    hours=0.0005, utterances_per_shard=2, held_out_utterances=1, aligned_share=0.0, wave_share=0.5
)
LINES = (
    "we saw seven yellow boats and a ship",
    "the garden behind this house is quiet",
    "bring the paper to the old school today",
)

_needs_flite = pytest.mark.skipif(not flite.available(), reason="flite is not installed")
_needs_aligner = pytest.mark.skipif(not SHIPPED.exists(), reason="the base weights are not there")


def _check(entry: dict) -> None:
    """One utterance is as the corpus format says."""
    frames = entry["mel"].shape[1]
    assert entry["mel"].dtype == torch.float16 and entry["mel"].shape[0] == features.MELS
    assert entry["f0"].shape == entry["voicing"].shape == (frames,)
    assert (
        len(entry["symbols"]) == len(entry["word_starts"]) == len(entry["frames"])
        and int(entry["frames"].sum()) == frames
    )
    assert all(
        count > 0 or SYMBOLS[symbol] in MARKS
        for symbol, count in zip(entry["symbols"].tolist(), entry["frames"].tolist(), strict=True)
    )
    assert entry["symbols"][0] == ID["SIL"] and SYMBOLS[int(entry["symbols"][-1])] in (".", "?", "!")
    assert int(entry["word_starts"].sum()) == len(entry["text"].split())
    if "wave" in entry:
        assert entry["wave"].dtype == torch.int16 and 1 + len(entry["wave"]) // features.HOP == frames


def test_the_voice_of_the_tests_and_the_reader_of_the_benchmark_are_not_in_the_cast():
    cast = speakers(0)
    assert not any(speaker.voice == "awb" for speaker in cast)
    assert 40 <= len(cast) <= 80 and len({speaker.name for speaker in cast}) == len(cast)
    assert {speaker.kind for speaker in cast} == {FLITE, ESPEAK}


def test_warping_moves_the_band_limit():
    warped = [speaker for speaker in speakers(0) if timed(speaker)]
    assert warped and all(speaker.band_hz == pytest.approx(8000.0 * speaker.warp, abs=0.5) for speaker in warped)


@_needs_flite
def test_a_stopped_corpus_goes_on_and_gives_the_same_bytes(tmp_path: Path):
    pytest.importorskip("pocketsphinx")
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for folder in (whole, stopped):
        folder.mkdir()
    make.make_timed(whole, SMALL, processes=1)
    names = sorted(path.name for path in whole.glob("*.pt"))
    assert "heldout_0000.pt" in names and "shard_0000.pt" in names
    (stopped / "heldout_0000.pt").write_bytes((whole / "heldout_0000.pt").read_bytes())
    make.make_timed(stopped, SMALL, processes=1)
    assert all((whole / name).read_bytes() == (stopped / name).read_bytes() for name in names)
    for entry in shards.utterances(shards.training(whole) + shards.held_out(whole)):
        _check(entry)
    make.write_summary(whole, SMALL)
    document = json.loads((whole / "corpus.json").read_text("utf-8"))
    assert document["seconds"] > 0 and {shard["file"] for shard in document["shards"]} == set(names)
    assert set(document["licences"]) == {"flite", "text"}


@_needs_aligner
def test_speech_without_times_is_aligned(tmp_path: Path):
    (voice, *_) = (speaker for speaker in speakers(0) if speaker.kind == ESPEAK)
    made = aligned.utterances(_lines(voice), load_aligner(SHIPPED), np.random.default_rng(0), wave_share=1.0)
    assert len(made) == len(LINES)
    for entry in made:
        _check(entry)
        assert entry["confidence"] >= aligned.MIN_CONFIDENCE
    shards.write(tmp_path / "shard_1000.pt", made)
    assert torch.equal(shards.read(tmp_path / "shard_1000.pt")[0]["wave"], made[0]["wave"])


@_needs_aligner
def test_human_clips_are_cut_labelled_where_understood_and_kept_where_not(tmp_path: Path):
    samples, rate = espeak.speak(". ".join(LINES) + ". " + ". ".join(LINES) + ". " + LINES[0])
    soundfile.write(tmp_path / "7-1-2.flac", samples, rate)
    said = " ".join((*LINES, *LINES, LINES[0]))
    aligner = load_aligner(SHIPPED)
    clip = people.read(tmp_path / "7-1-2.flac", said)
    made = people.entries(clip, aligner)
    assert len(made) == 2 and {entry["speaker"] for entry in made} == {"human-7"}
    assert sum(int(entry["word_starts"].sum()) for entry in made) == len(said.split())
    assert all(int(entry["frames"].sum()) == entry["mel"].shape[1] for entry in made)
    assert sum(len(entry["wave"]) for entry in made) == len(clip.wave)
    unknown = people.entries(people.read(tmp_path / "7-1-2.flac", ""), aligner)
    assert unknown and all(len(entry["symbols"]) == 0 and "wave" in entry for entry in unknown)


def test_a_damaged_shard_is_named(tmp_path: Path):
    path = tmp_path / "shard_0000.pt"
    path.write_bytes(b"not a shard")
    with pytest.raises(DataError, match=r"shard_0000\.pt"):
        shards.read(path)


def _lines(speaker: Speaker) -> list[tuple[Sentence, Speaker]]:
    sentences = (Sentence(words=tuple(line.split()), marks=("",) * (len(line.split()) - 1) + (".",)) for line in LINES)
    return [(sentence, speaker) for sentence in islice(sentences, 3)]
