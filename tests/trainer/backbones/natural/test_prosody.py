"""A speaker's prosody is fitted to times and loudness that somebody else than the base would say, and kept only where it helps."""

import dataclasses
import math

import pytest
import torch

from tests.trainer.backbones.natural.conftest import said
from trainer.backbones.natural import prosody
from trainer.backbones.natural.material import Said, speaker_of
from trainer.models.natural import Melody
from trainer.models.natural.model import ENERGY_ROWS


def louder(one: Said, by: float) -> Said:
    return dataclasses.replace(one, energy=one.energy + by)


def loudness(model, one: Said) -> torch.Tensor:
    with torch.no_grad():
        return model.melody(model.melody.text(one.symbols[None]), one.frames).energy[0]


@pytest.fixture(scope="module")
def speech() -> tuple[list[Said], list[Said]]:
    return [said(seed, 80 + 7 * seed) for seed in range(3)], [said(seed, 84) for seed in (9, 10)]


def test_times_and_loudness_come_closer_to_held_out_speech_and_the_rest_stays(base, speech):
    training, held_out = speech
    model, refused = prosody.fitted(base, training, held_out)
    assert refused == ()
    moved = {name for name, value in base.state_dict().items() if not torch.equal(value, model.state_dict()[name])}
    assert moved == {f"melody.{layer}.{part}" for layer in ("duration", "output") for part in ("weight", "bias")}
    f0 = slice(0, ENERGY_ROWS.start)
    assert torch.equal(base.melody.output.weight[f0], model.melody.output.weight[f0])
    for one in held_out:
        before, after = ((loudness(each, one) - one.energy).square().mean() for each in (base, model))
        assert after < before
    again, _ = prosody.fitted(base, training, held_out)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())


def test_a_part_of_a_louder_voice_is_taken_over(base, speech):
    training, held_out = speech
    by = 4.0
    quiet, _ = prosody.fitted(base, training, held_out)
    loud, _ = prosody.fitted(base, [louder(one, by) for one in training], [louder(one, by) for one in held_out])
    for one in held_out:
        assert (loudness(loud, one) - loudness(quiet, one)).mean() == pytest.approx(
            by * prosody._SHARE_OF_LOUDNESS, rel=1e-3
        )


def test_what_held_out_speech_contradicts_is_left_as_it_was_and_told(base, speech):
    training, held_out = speech
    model, refused = prosody.fitted(
        base, [louder(one, 50.0) for one in training], [louder(one, -50.0) for one in held_out]
    )
    assert torch.equal(base.melody.output.weight, model.melody.output.weight)
    assert len(refused) == 1 and refused[0].startswith("the speaker's loudness stays the base's")


def contour(width: float, median: float = 5.0) -> torch.Tensor:
    voiced = torch.exp(median + width * torch.linspace(-1.0, 1.0, 200))
    return torch.cat([torch.zeros(20), voiced, torch.zeros(20)])


@pytest.mark.parametrize(("width", "liveliness"), [(0.2, 1.0), (0.26, 1.3), (0.9, 1.5), (0.02, 0.7)])
def test_the_range_of_a_melody_is_the_speakers_within_what_people_do(speech, width, liveliness):
    one = dataclasses.replace(speech[0][0], f0=contour(width, median=5.4))
    read = Melody(f0=contour(0.2)[None], energy=torch.zeros(1, 240))
    found = speaker_of([one], [read])
    assert found.liveliness == pytest.approx(liveliness, rel=1e-3)
    assert found.f0 == pytest.approx(math.exp(0.4), rel=0.01)


def test_a_few_octave_errors_do_not_make_a_melody_livelier(speech):
    clean = contour(0.2)
    jumps = clean.clone()
    jumps[60:68] *= 2.0
    read = [Melody(f0=clean[None], energy=torch.zeros(1, 240))]
    plain, jumping = (speaker_of([dataclasses.replace(speech[0][0], f0=f0)], read) for f0 in (clean, jumps))
    assert jumping.liveliness == pytest.approx(plain.liveliness, rel=0.06)
