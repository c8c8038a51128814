"""What a backbone that reads learns from: utterances whose sound bears out their transcripts, and no others."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from trainer.backbones.fitting_speech import FittingSpeech, fitting
from trainer.dataset import manifest
from trainer.dataset.manifest import Manifest
from trainer.errors import DataError, RuntimeSetupError
from trainer.preparation.prepare import prepare
from trainer.preparation.prepare_settings import PrepareSettings

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def spoken(spoken_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clips of `spoken_table`, prepared."""
    path = tmp_path_factory.mktemp("dataset") / "manifest.json"
    prepare(spoken_table, path, workspace=spoken_table.parent, transcribe=True)
    return path


def found_in(path: Path, document: Manifest) -> FittingSpeech:
    return fitting(path, document, train_seconds=600.0, heldout_seconds=30.0)


def test_right_transcripts_are_all_taken_with_their_words(spoken: Path) -> None:
    document = manifest.load(spoken)
    found = found_in(spoken, document)
    assert found.left_out == () and {one.id for one in found.training} == {one.id for one in document.split("train")}
    assert all(one.words and one.utterance.seconds > 1.0 for one in (*found.training, *found.held_out))


def test_a_manifest_without_transcripts_says_so_before_training(small_manifest: Path) -> None:
    with pytest.raises(DataError) as caught:
        found_in(small_manifest, manifest.load(small_manifest))
    assert caught.value.cause == "transcript_missing"


@pytest.mark.parametrize("name", ["train_seconds", "heldout_seconds"])
def test_a_bound_below_what_is_needed_is_a_wrong_setting_and_no_want_of_speech(spoken: Path, name: str) -> None:
    bounds = {"train_seconds": 600.0, "heldout_seconds": 30.0, name: 1.0}
    with pytest.raises(
        RuntimeSetupError, match=f"{name} is 1 s, but .* VOICE_NATURAL_{name.upper()} well above"
    ) as caught:
        fitting(spoken, manifest.load(spoken), **bounds)
    assert caught.value.cause == "settings_invalid"


def test_transcripts_of_other_utterances_are_refused_with_how_much_is_needed(spoken: Path) -> None:
    document = manifest.load(spoken)
    texts = [entry.transcript for entry in document.entries]
    swapped = [dataclasses.replace(entry, transcript=texts[-1 - index]) for index, entry in enumerate(document.entries)]
    with pytest.raises(DataError, match=f"at least {PrepareSettings().min_transcribed_s:.0f} s are needed") as caught:
        found_in(spoken, dataclasses.replace(document, entries=tuple(swapped)))
    assert caught.value.cause == "transcript_mismatch"


def test_a_few_wrong_transcripts_are_left_out_by_name(spoken: Path) -> None:
    document = manifest.load(spoken)
    wrong = dataclasses.replace(
        document.entries[3], transcript="Nothing of this was ever said by anybody in any room at all."
    )
    found = found_in(
        spoken, dataclasses.replace(document, entries=(*document.entries[:3], wrong, *document.entries[4:]))
    )
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith(f"{wrong.id}: the sound does not bear out its transcript")


def test_how_well_a_transcript_has_to_fit_is_what_the_preparation_was_told(spoken: Path) -> None:
    document = manifest.load(spoken)

    def told(**settings: float) -> Manifest:
        asked = {**document.preparation.settings, **settings}
        return dataclasses.replace(document, preparation=dataclasses.replace(document.preparation, settings=asked))

    with pytest.raises(DataError, match="bear out their transcripts") as caught:
        found_in(spoken, told(min_transcript_confidence=1.0))
    assert caught.value.cause == "transcript_mismatch"
    with pytest.raises(DataError, match="fitting transcript") as caught:
        found_in(spoken, told(min_transcript_confidence=1.0, min_fitting_share=0.0))
    assert caught.value.cause == "too_little_speech"


def test_where_much_was_not_understood_the_text_is_asked_for_and_not_more_speech(spoken: Path) -> None:
    document = manifest.load(spoken)
    lost = [manifest.Dropped(start_s=900.0, end_s=960.0, reason="not_understood")]
    some = dataclasses.replace(
        document, entries=(*document.split("train")[:6], *document.split("held_out")), dropped=tuple(lost)
    )
    with pytest.raises(
        DataError, match=r"60 s were not understood: .* write what is said beside the recording"
    ) as caught:
        found_in(spoken, some)
    assert caught.value.cause == "transcript_missing"
