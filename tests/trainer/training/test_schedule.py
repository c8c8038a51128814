"""Learning rates rise, and end near nothing."""

import pytest

from trainer.training.schedule import cosine


def test_a_cosine_rises_then_falls_towards_zero():
    rates = [cosine(step, steps=100, peak=1.0, warmup=10) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([step / 10 for step in range(1, 11)])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert 0.0 < rates[-1] < 0.001
