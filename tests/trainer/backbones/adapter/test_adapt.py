"""An adaptation as a whole: it learns, gives the same bytes twice and after every break, and stops where it should."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainer.backbones.adapter import Adaptation, Hooks
from trainer.backbones.adapter.settings import PRESETS, AdaptationSettings
from trainer.errors import DataError, RuntimeSetupError, TrainingError
from trainer.files import checkpoint
from trainer.training import presets


@pytest.fixture
def build(base, training, held_out, settings, embedding):
    def make(**changes) -> Adaptation:
        given = {
            "settings": settings,
            "seed": 3,
            "base": base,
            "training": training,
            "held_out": held_out,
            "embedding": embedding,
        }
        return Adaptation(**{**given, **changes})

    return make


def document(adaptation: Adaptation) -> bytes:
    adaptation.run()
    return checkpoint.serialise(adaptation.document(training={}))


def test_equal_seeds_give_equal_bytes(build):
    assert document(build()) == document(build())


def test_another_seed_gives_another_voice(build):
    assert document(build()) != document(build(seed=4))


def test_a_break_after_any_step_changes_no_byte(build, settings):
    states = []
    whole = build(hooks=Hooks(save_state=lambda state: states.append(checkpoint.serialise(state))))
    expected = document(whole)
    assert len(states) == settings.steps - 1
    for data in states[::2]:
        again = build()
        again.restore(checkpoint_of(data))
        assert document(again) == expected


def checkpoint_of(data: bytes) -> dict:
    import io

    return torch.load(io.BytesIO(data), weights_only=True)


def test_being_asked_to_stop_saves_and_says_so(build):
    states = []
    hooks = Hooks(stop_requested=lambda: True, save_state=states.append)
    with pytest.raises(TrainingError) as caught:
        build(hooks=hooks).run()
    assert caught.value.cause == "interrupted" and len(states) == 1


def test_what_was_told_before_a_break_at_step_0_is_not_told_again(build):
    rows, samples, states = [], [], []
    told = {"on_evaluation": rows.append, "on_sample": lambda step, *models: samples.append(step)}
    with pytest.raises(TrainingError):
        build(hooks=Hooks(**told, stop_requested=lambda: True, save_state=states.append)).run()
    again = build(hooks=Hooks(**told))
    again.restore(states[0])
    again.run()
    assert [row["step"] for row in rows] == [0, 2, 4, 6] and samples == [0, 2, 4, 6, 10]


def test_the_base_is_never_changed(build, base):
    before = checkpoint.content_sha256({"a": base.acoustic.state_dict(), "v": base.vocoder.state_dict()})
    build().run()
    assert checkpoint.content_sha256({"a": base.acoustic.state_dict(), "v": base.vocoder.state_dict()}) == before


def test_the_voice_is_nearer_to_the_speaker_than_the_base(build, settings):
    adaptation = build(settings=replace(settings, acoustic_steps=30, evaluate_every=10, tolerance=0.0))
    adaptation.run()
    found = adaptation.learning(lambda wave: np.linspace(0.0, 1.0, 256, dtype=np.float32))
    assert found["improvement"] > 0.02
    assert found["prosody_loss_trained"] == pytest.approx(adaptation.acoustic.networks["prosody"].best_loss, rel=1e-4)


def test_a_network_that_gets_worse_stops_and_its_best_weights_are_kept(build, settings):
    wild = replace(settings, acoustic_steps=60, prosody_learning_rate=0.5, learning_rate=1e-4, patience=1, average=0.0)
    adaptation = build(settings=wild)
    adaptation.run()
    part = adaptation.acoustic.networks["prosody"]
    assert part.stopped
    assert adaptation.acoustic.history[0]["prosody"] >= part.best_loss
    assert not adaptation.acoustic.networks["frames"].stopped or adaptation.acoustic.step < 60


def test_both_networks_stopped_end_the_phase_early(build, settings):
    worse = replace(
        settings,
        acoustic_steps=500,
        learning_rate=0.9,
        prosody_learning_rate=0.9,
        patience=1,
        average=0.0,
        warmup_steps=0,
    )
    adaptation = build(settings=worse)
    adaptation.run()
    assert adaptation.acoustic.step < 500
    assert adaptation.step == worse.steps


def test_rehearsal_of_the_base_keeps_the_voice_near_it(build, settings, base):
    def distance(share: float) -> float:
        adaptation = build(settings=replace(settings, acoustic_steps=20, towards_base=share))
        while not adaptation.acoustic.finished:
            adaptation.acoustic.advance()
        pairs = zip(adaptation.acoustic.model.parameters(), base.acoustic.parameters(), strict=True)
        return sum(float((ours - theirs).square().sum()) for ours, theirs in pairs)

    assert distance(1.0) < distance(0.0)


def test_nothing_to_train_on_is_said(build):
    with pytest.raises(DataError) as caught:
        build(training=[])
    assert caught.value.cause == "too_little_speech"


def test_evaluations_and_samples_are_offered_as_it_learns(build):
    rows, samples = [], []
    hooks = Hooks(on_evaluation=rows.append, on_sample=lambda step, *models: samples.append(step))
    build(hooks=hooks).run()
    assert [row["step"] for row in rows] == [0, 2, 4, 6]
    assert samples == [0, 2, 4, 6, 10]


@pytest.mark.parametrize(("minutes", "expected"), [(0.2, 1), (1, 1), (4.9, 1), (5, 5), (60, 15)])
def test_the_preset_is_the_largest_that_fits(minutes, expected):
    assert presets.fitting(PRESETS, minutes) == PRESETS[expected]


@pytest.mark.parametrize("change", [{"acoustic_steps": 0}, {"average": 1.0}, {"learning_rate": -1.0},
                                    {"learning_rate": 0.0, "prosody_learning_rate": 0.0}])  # fmt: skip
def test_settings_without_sense_are_refused(change):
    with pytest.raises(RuntimeSetupError):
        AdaptationSettings(**change)
