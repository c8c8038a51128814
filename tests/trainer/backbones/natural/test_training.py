"""An adaptation learns, gives the same weights twice and after every break, and moves nothing but the decoder."""

import copy
from dataclasses import replace

import pytest
import torch

from tests.trainer.backbones.natural.conftest import SETTINGS
from trainer.backbones.natural import learning
from trainer.backbones.natural.backbone import Baseline, Natural
from trainer.backbones.natural.discriminators import Discriminators, deceiving_loss, matching_loss, telling_loss
from trainer.backbones.natural.losses import spectral_loss
from trainer.dataset import manifest
from trainer.errors import RuntimeSetupError, TrainingError
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.models.natural import sound
from trainer.training.loop import Hooks
from trainer.voice import natural_base, natural_document
from trainer.voice.natural_speaker import NaturalSpeaker

pytestmark = pytest.mark.long


def trained(adaptation):
    adaptation.train_to_the_end()
    return checkpoint.content_sha256(adaptation.average.state_dict())


def test_two_runs_give_the_same_weights_and_another_seed_others(build):
    assert trained(build()) == trained(build()) != trained(build(seed=4))


def test_after_a_break_at_any_step_the_weights_are_those_of_a_run_without_one(build, tmp_path):
    whole = build()
    whole.hooks = Hooks(save_state=lambda state: checkpoint.save(tmp_path / str(state["step"]), state))
    wanted = trained(whole)
    assert len(list(tmp_path.iterdir())) == SETTINGS.steps - 1
    for step in (1, 4, 6):  # within each stage, and between them
        again = build()
        again.restore(checkpoint.read_container(tmp_path / str(step)))
        assert trained(again) == wanted


def test_asked_to_stop_it_saves_and_says_so(build):
    states = []
    adaptation = build()
    adaptation.hooks = Hooks(save_state=states.append, stop_requested=lambda: adaptation.step == 2)
    with pytest.raises(TrainingError) as caught:
        adaptation.train_to_the_end()
    assert caught.value.cause == "interrupted" and states[-1]["step"] == 2


def test_text_and_melody_stay_the_bases(build, base):
    adaptation = build()
    trained(adaptation)
    moved = {
        name
        for name, value in adaptation.average.state_dict().items()
        if not torch.equal(value, base.state_dict()[name])
    }
    assert moved and all(name.startswith("decoder.") for name in moved)


def test_the_discriminators_learn_only_in_the_second_stage(build):
    adaptation = build(settings=replace(SETTINGS, adversarial_steps=0))
    before = checkpoint.content_sha256(adaptation.judges.state_dict())
    trained(adaptation)
    assert checkpoint.content_sha256(adaptation.judges.state_dict()) == before
    whole = build()
    trained(whole)
    assert checkpoint.content_sha256(whole.judges.state_dict()) != before


def test_what_lies_above_the_recorded_band_changes_no_loss_and_no_gradient():
    generator = torch.Generator().manual_seed(0)
    # The imitation is quieter: judges of equals would have almost nothing to learn, and any change would look large.
    speech, imitation = torch.randn(2, 1, 12_000, generator=generator) * torch.tensor([0.1, 0.03])[:, None, None]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        judges = Discriminators()

    def found(above_hz: float) -> list[torch.Tensor]:
        moment = torch.arange(12_000) / sound.SAMPLE_RATE
        # It fades: a tone that is switched on is heard at every pitch.
        tone = 0.05 * torch.hann_window(12_000) * torch.sin(2 * torch.pi * above_hz * moment)
        made = (imitation + tone).requires_grad_()
        real, heard = judges(speech, 7_760.0), judges(made, 7_760.0)
        told = [spectral_loss(made, speech, 7_760.0), telling_loss(real, heard), deceiving_loss(heard)]
        told.append(matching_loss(real, heard))
        taught = torch.autograd.grad(told[1], [made, *judges.parameters()], retain_graph=True)
        steered = torch.autograd.grad(told[0] + told[2] + told[3], made)
        lessons = torch.cat([gradient.flatten() for gradient in taught[1:]])
        return [torch.stack(told), *steered, taught[0], lessons]

    without, above, within = found(0.0), found(11_000.0), found(5_000.0)
    assert _moved(above[0], without[0]) < 1e-5 and _moved(within[0], without[0]) > 1e-4
    assert all(_moved(ours, theirs) < 0.02 for ours, theirs in zip(above[1:], without[1:], strict=True))
    assert all(_moved(ours, theirs) > 0.03 for ours, theirs in zip(within[1:], without[1:], strict=True))


def test_a_loss_that_is_no_number_ends_the_training(build):
    adaptation = build()
    with torch.no_grad():
        adaptation.model.decoder.norm.weight.fill_(float("nan"))
    with pytest.raises(TrainingError) as caught:
        adaptation.train_to_the_end()
    assert caught.value.cause == "non_finite_loss" and adaptation.counts.nonfinite_losses == 1


@pytest.mark.parametrize("change", [{"spectral_steps": 0}, {"average": 1.0}, {"learning_rate": -1.0}])
def test_settings_without_sense_are_refused(change):
    with pytest.raises(RuntimeSetupError):
        replace(SETTINGS, **change)


def test_the_proof_shows_what_was_learnt_and_hides_no_spoilt_part(build, base, gathered):
    start = learning.measure_start(base, gathered)
    adaptation = build(
        base=start.fitted, settings=replace(SETTINGS, spectral_steps=25, adversarial_steps=0, evaluate_every=25)
    )
    trained(adaptation)
    found = learning.losses(start, adaptation.average, gathered.speaker)
    untrained = learning.losses(start, start.fitted, gathered.speaker)
    assert found["improvement"] > untrained["improvement"] + 0.05 and found["heldout_utterances"] == 2
    assert found["melody_loss_trained"] == found["melody_loss_start"] and found["speaker_difference"] == 0.0
    other = learning.losses(start, adaptation.average, NaturalSpeaker(f0=0.6))
    assert other["speaker_difference"] > 0.1
    noisy = learning.losses(start, _with_noise(adaptation.average), gathered.speaker)
    assert noisy["improvement"] < found["improvement"] - 0.05


@pytest.mark.parametrize(
    "name", ["melody.output.bias", "melody.duration.weight", "melody.text.embedding.weight", "text.embedding.weight"]
)
def test_one_changed_number_in_what_training_leaves_is_refused(name, tmp_path, monkeypatch, base, gathered):
    monkeypatch.setattr(natural_base, "load", lambda: base)
    start = learning.measure_start(base, gathered)
    prepared = Baseline(manifest_sha256="0" * 64, start=start)
    monkeypatch.setattr(manifest, "load_with_digest", lambda path: (None, "0" * 64))
    spoilt = copy.deepcopy(start.fitted)
    path = tmp_path / "voice.pt"

    def measured():
        checkpoint.save(path, natural_document.document(model=spoilt, speaker=gathered.speaker, training={}))
        voice = Natural(settings=SETTINGS)
        return voice.measure(path, tmp_path / "manifest.json", seed=0, threads=1, prepared=prepared)

    with torch.no_grad():
        spoilt.decoder.output.bias += 0.01
    assert measured()["speaker_difference"] == 0.0
    with torch.no_grad():
        spoilt.get_parameter(name).flatten()[-1] += 1e-2
    with pytest.raises(CheckpointError, match=name) as caught:
        measured()
    assert caught.value.cause == "wrong_base"


def _moved(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    # Medians: a bin that happens to be almost silent has a gradient so steep that rounding shows in it.
    ours, theirs = ours.detach(), theirs.detach()
    return float((ours - theirs).abs().median() / theirs.abs().median())


def _with_noise(model):
    broken = natural_document.restore(
        natural_document.document(model=model, speaker=NaturalSpeaker(), training={})
    ).model
    with torch.no_grad():
        broken.decoder.output.bias += torch.randn(
            broken.decoder.output.bias.shape, generator=torch.Generator().manual_seed(0)
        )
    return broken
