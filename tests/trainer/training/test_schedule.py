"""Learning rates rise, and end near nothing."""

import pytest

from trainer.training.schedule import cosine, trapezoid


def test_a_cosine_rises_then_falls_towards_zero():
    rates = [cosine(step, steps=100, peak=1.0, warmup=10) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([step / 10 for step in range(1, 11)])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert 0.0 < rates[-1] < 0.001


def test_a_trapezoid_stays_at_its_peak_until_it_cools():
    assert trapezoid(5, steps=100, peak=1.0, warmup=10) == 0.5
    assert trapezoid(50, steps=100, peak=1.0, warmup=10) == 1.0
    assert 0.0 < trapezoid(100, steps=100, peak=1.0, warmup=10) < 0.05
