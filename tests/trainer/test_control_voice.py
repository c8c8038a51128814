"""The wrong voice: always another one than the target, always the same."""

import torch

from trainer import control_voice, evaluation


def test_a_high_target_gets_a_low_control_and_a_low_one_a_high():
    assert control_voice.choose(210.0) is control_voice.LOW
    assert control_voice.choose(95.0) is control_voice.HIGH


def test_the_control_is_far_in_pitch_at_the_targets_level_and_repeatable(small_manifest):
    held_out = evaluation.load_held_out(small_manifest, max_seconds=6.0)
    again = control_voice.render(held_out.target)
    assert all(torch.equal(one.wave, two.wave) for one, two in zip(held_out.control, again, strict=True))
    target, control = (
        control_voice.median_f0_hz(held_out.target),
        control_voice.median_f0_hz(held_out.control),
    )
    assert max(target, control) / min(target, control) > 1.5
    levels = [
        control_voice.rms(torch.cat([utterance.wave for utterance in side]).numpy())
        for side in (held_out.target, held_out.control)
    ]
    assert 0.8 < levels[0] / levels[1] < 1.25
