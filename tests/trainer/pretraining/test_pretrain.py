"""Pretraining on a tiny corpus: it grows, it is continued, it gives usable weights; the base is read strictly."""

import json
import shutil

import numpy as np
import pytest
import torch

from trainer.audio.features import HOP, MELS
from trainer.errors import DataError, RuntimeSetupError
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.models.acoustic import AcousticConfig
from trainer.models.vocoder import VocoderConfig
from trainer.pretraining.acoustic import LATEST, AcousticPretraining
from trainer.pretraining.corpus_reader import CorpusReader, epoch_indices
from trainer.pretraining.settings import PretrainSettings
from trainer.pretraining.vocoder import LATEST as VOCODER_LATEST
from trainer.pretraining.vocoder import VocoderPretraining, synthetic
from trainer.voice import base, shipped_files

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


def entry(seed: int, speaker: str = "one") -> dict:
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randint(2, 9, (9,), generator=generator).to(torch.int16)
    length = int(frames.sum())
    return {
        "speaker": speaker, "text": f"text {seed}", "symbols": torch.randint(1, 60, (9,), generator=generator).to(torch.int16),
        "word_starts": torch.zeros(9, dtype=torch.uint8), "frames": frames,
        "mel": (torch.randn(MELS, length, generator=generator) - 5).half(), "f0": torch.full((length,), 140.0),
        "voicing": torch.ones(length, dtype=torch.uint8), "confidence": 1.0,
        "wave": torch.randint(-3000, 3000, ((length - 1) * HOP,), generator=generator).to(torch.int16),
    }  # fmt: skip


def write_corpus(folder):
    folder.mkdir()
    speakers = [
        {"name": "one", "kind": "flite", "band_hz": 8000.0},
        {"name": "two", "kind": "human", "band_hz": 11_025.0},
    ]
    (folder / "corpus.json").write_text(json.dumps({"speakers": speakers}))
    torch.save([entry(seed, "one" if seed % 2 else "two") for seed in range(8)], folder / "shard_0000.pt")
    torch.save([entry(100)], folder / "heldout_0000.pt")
    return folder


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "corpus")


def reader(corpus) -> CorpusReader:
    return CorpusReader(folder=corpus, embed=lambda wave: np.abs(np.resize(wave, 256)) + np.float32(0.01))


def pretraining(corpus, work, **settings) -> AcousticPretraining:
    known = {"steps": 4, "batch_frames": 150, "evaluate_every": 2, "bfloat16": False, "warmup_steps": 1, **settings}
    return AcousticPretraining(
        settings=PretrainSettings(**known), config=SMALL, reader=reader(corpus), folder=work, log=lambda line: None
    )


def test_new_shards_join_and_old_ones_are_not_read_twice(corpus):
    found = reader(corpus)
    assert found.refresh() == 9
    assert found.refresh() == 0
    torch.save([entry(200)], corpus / "shard_0001.pt")
    assert found.refresh() == 1


def test_held_out_utterances_are_never_trained_on(corpus):
    found = reader(corpus)
    found.refresh()
    training, held_out, drawn = found.examples({"human": 3.0})
    assert len(training) == len(drawn) == 8 and len(held_out) == 1
    assert sorted(set(drawn)) == [1.0, 3.0]


def test_bands_without_sound_are_marked(corpus):
    found = reader(corpus)
    found.refresh()
    training, _, drawn = found.examples({"human": 3.0})
    assert {(weight, bool(one.bands.all())) for one, weight in zip(training, drawn, strict=True)} == {
        (3.0, True),
        (1.0, False),
    }


def test_an_utterance_is_drawn_as_often_as_it_weighs():
    generator = torch.Generator().manual_seed(0)
    counts = np.zeros(3)
    for _ in range(400):
        for index in epoch_indices([2.0, 0.5, 0.0], generator):
            counts[index] += 1
    assert counts[0] == 800 and counts[1] == pytest.approx(200, abs=50) and counts[2] == 0


def test_a_folder_that_is_no_corpus_is_refused(tmp_path):
    with pytest.raises(DataError) as caught:
        pretraining(tmp_path, tmp_path).run()
    assert caught.value.cause == "corpus_invalid"


def test_pretraining_goes_on_where_it_stopped(corpus, tmp_path):
    first = pretraining(corpus, tmp_path)
    asked = iter([False, False, True])
    first.run(lambda: next(asked))
    second = pretraining(corpus, tmp_path)
    second.run()
    assert first.step == 2 and second.step == 4
    assert second.seconds > first.seconds


def test_a_state_of_another_model_is_refused(corpus, tmp_path):
    pretraining(corpus, tmp_path, steps=1).run()
    other = pretraining(corpus, tmp_path)
    other.config = AcousticConfig()
    with pytest.raises(CheckpointError):
        other.restore_saved()


def vocoder(corpus, work) -> VocoderPretraining:
    waves = list(synthetic(corpus, minutes=1.0))
    return VocoderPretraining(
        config=VocoderConfig(width=8, hidden=8, blocks=1), training=waves[1:], held_out=waves[:1], folder=work, steps=2,
        batch_size=2, segment_frames=16, log=lambda line: None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder as the package has it."""
    work = tmp_path_factory.mktemp("pretraining")
    corpus = write_corpus(work / "corpus")
    pretraining(corpus, work).run()
    vocoder(corpus, work).run()
    folder = work / "base"
    folder.mkdir()
    (work / LATEST).rename(folder / "acoustic.pt")
    (work / VOCODER_LATEST).rename(folder / "vocoder.pt")
    shipped_files.write_hashes(folder)
    return folder


@pytest.fixture
def shipped(made, tmp_path):
    return shutil.copytree(made, tmp_path / "base")


def test_what_pretraining_leaves_is_a_base(shipped):
    found = base.load(shipped)
    assert found.acoustic.config == SMALL
    assert not found.acoustic.training and not found.vocoder.training
    assert all(value.dtype == torch.float32 for value in found.acoustic.state_dict().values())


def test_a_base_whose_bytes_are_not_the_listed_ones_is_refused(shipped):
    document = checkpoint.read_container(shipped / "acoustic.pt")
    document["training"]["steps"] += 1
    checkpoint.save(shipped / "acoustic.pt", document)
    with pytest.raises(RuntimeSetupError) as caught:
        base.load(shipped)
    assert caught.value.cause == "weights_corrupt"


def test_another_version_of_the_base_is_named(shipped):
    document = checkpoint.read_container(shipped / "vocoder.pt")
    checkpoint.save(shipped / "vocoder.pt", {**document, "version": 9})
    shipped_files.write_hashes(shipped)
    with pytest.raises(RuntimeSetupError, match=r"version 9.*version 1"):
        base.load(shipped)


@pytest.mark.parametrize("name", ["acoustic.pt", "vocoder.pt", "hashes.json"])
def test_a_missing_part_of_the_base_is_named(shipped, name):
    (shipped / name).unlink()
    with pytest.raises(RuntimeSetupError, match=name) as caught:
        base.load(shipped)
    assert caught.value.cause == "weights_missing_offline"


def test_a_truncated_base_is_refused(shipped):
    path = shipped / "acoustic.pt"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RuntimeSetupError) as caught:
        base.load(shipped)
    assert caught.value.cause == "weights_corrupt"
