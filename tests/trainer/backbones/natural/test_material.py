"""With little speech to learn from, it is gathered who speaks."""

from __future__ import annotations

import pytest
import torch

from trainer.backbones.natural import material
from trainer.backbones.natural.material import NaturalMaterial
from trainer.backbones.natural.settings import NaturalSettings


def test_speech_is_little_below_the_limit_and_not_at_it(gathered: NaturalMaterial) -> None:
    learnt_s = sum(one.seconds for one in gathered.training)
    assert learnt_s < NaturalSettings().told_below_seconds == 120.0
    assert material._is_little(gathered.training, NaturalSettings(told_below_seconds=learnt_s + 0.1))
    assert not material._is_little(gathered.training, NaturalSettings(told_below_seconds=learnt_s))


def test_the_vector_of_several_utterances_has_length_1_and_is_that_of_none_alone(gathered: NaturalMaterial) -> None:
    whole = material.vector_of(gathered.training)
    assert whole.shape == (256,) and whole.dtype == torch.float32
    assert float(whole.norm()) == pytest.approx(1.0, abs=1e-5)
    alone = [material.vector_of([one]) for one in gathered.training]
    assert all(float(whole @ one) < 1.0 - 1e-6 for one in alone)
