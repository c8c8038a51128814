"""One decoder speaks as many speakers, each in a batch as itself, and goes back to being nobody's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.trainer.backbones.natural.conftest import CONFIG
from trainer.models.natural import Melody
from trainer.models.natural.many_speakers import ManySpeakers
from trainer.models.natural.model import NaturalDecoder
from trainer.models.speaker_encoder import DIMENSIONS

FRAMES = 20


@pytest.fixture
def untaught() -> ManySpeakers:
    return ManySpeakers.untrained(CONFIG, seed=0).eval()


@pytest.fixture
def taught(untaught: ManySpeakers) -> Iterator[ManySpeakers]:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for one in [*untaught.maps.parameters(), untaught.centre]:
            one.normal_(std=0.3, generator=generator)
        yield untaught


def vectors(count: int) -> torch.Tensor:
    drawn = torch.randn(count, DIMENSIONS, generator=torch.Generator().manual_seed(2))
    return torch.nn.functional.normalize(drawn.relu(), dim=1)


def spoken(decoder: NaturalDecoder, rows: int = 1) -> torch.Tensor:
    """The same text and melody in every row."""
    generator = torch.Generator().manual_seed(3)
    text = torch.randn(1, FRAMES, CONFIG.text_width, generator=generator)
    f0 = 100 + 50 * torch.rand(1, FRAMES, generator=generator)
    melody = Melody(f0=f0.expand(rows, -1), energy=torch.ones(rows, FRAMES))
    return decoder.joined(text.expand(rows, -1, -1), melody)


def test_the_decoder_of_one_speaker_says_what_the_block_says(taught: ManySpeakers) -> None:
    (vector,) = vectors(1)
    with taught.speaking_as(vector[None]) as decoder:
        wanted = spoken(decoder)
    torch.testing.assert_close(spoken(taught.told(vector)), wanted, rtol=1e-5, atol=1e-5)
    assert float((wanted - spoken(taught.decoder)).abs().max()) > 0.01


def test_a_batch_speaks_each_row_as_its_own_speaker(taught: ManySpeakers) -> None:
    three = vectors(3)
    with taught.speaking_as(three) as decoder:
        rows = spoken(decoder, rows=3)
    for row, vector in zip(rows, three, strict=True):
        torch.testing.assert_close(row[None], spoken(taught.told(vector)), rtol=1e-5, atol=1e-5)
    assert float((rows[0] - rows[1]).abs().max()) > 0.01


def test_who_is_like_the_mean_of_the_readers_gets_the_decoder_itself(taught: ManySpeakers) -> None:
    with torch.no_grad():
        for one in taught.maps:
            one.bias.zero_()
    assert torch.equal(spoken(taught.told(taught.centre)), spoken(taught.decoder))


def test_before_anything_is_learnt_everybody_sounds_as_the_decoder_does(untaught: ManySpeakers) -> None:
    (vector,) = vectors(1)
    found, own = untaught.told(vector).state_dict(), untaught.decoder.state_dict()
    assert found.keys() == own.keys() and all(torch.equal(found[name], own[name]) for name in own)


def test_after_the_block_the_decoder_is_nobodys_also_where_it_broke(taught: ManySpeakers) -> None:
    before = spoken(taught.decoder)
    with taught.speaking_as(vectors(1)) as decoder:
        assert not torch.equal(spoken(decoder), before)
    assert torch.equal(spoken(taught.decoder), before)
    with pytest.raises(RuntimeError, match="broken"), taught.speaking_as(vectors(1)):
        raise RuntimeError("broken")
    assert torch.equal(spoken(taught.decoder), before)


def test_telling_a_speaker_leaves_the_decoder_as_it_is(taught: ManySpeakers) -> None:
    before = spoken(taught.decoder)
    taught.told(vectors(1)[0])
    assert torch.equal(spoken(taught.decoder), before)
