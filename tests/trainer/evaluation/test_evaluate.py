"""Evaluations from files to files: whole, the same every time, and independent of what is judged beside a clip."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from acceptance.cli import progress
from acceptance.cli.main import run
from tests.acceptance.scorecards.makings import checkpoint_file, sha256
from tests.trainer.evaluation.spoken import Clip
from tests.trainer.evaluation.test_encoder_file import pooling_onnx
from trainer.errors import DataError
from trainer.evaluation import evaluate, evaluation, request
from trainer.evaluation.evaluate import Plan
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.prompts import Item
from trainer.preparation import parallel

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def place(clips: list[Clip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`spoken/` with two clips, a silent one, one that is no audio, and their texts; `real/` with two clips."""
    root = tmp_path_factory.mktemp("evaluate")
    for folder in ("spoken", "real"):
        (root / folder).mkdir()
    for number in (1, 2):
        soundfile.write(root / "spoken" / f"clip_{number}.wav", clips[number - 1].wave, 22_050)
        soundfile.write(root / "real" / f"real_{number}.wav", clips[number].wave * 0.9, 22_050)
    soundfile.write(root / "spoken" / "clip_3.wav", np.zeros(22_050), 22_050)
    (root / "spoken" / "clip_4.wav").write_bytes(b"no audio")
    (root / "texts.txt").write_text(
        "".join(f"{clip.text}\n" for clip in clips) + "four words are here\nthis one is missing\n"
    )
    return root


@pytest.fixture(scope="module")
def whole(place: Path) -> evaluation.Evaluation:
    return request.answer(
        request.Request(generated=place / "spoken", reference=place / "real", texts=place / "texts.txt", processes=1)
    )


def test_nothing_is_lost_and_what_failed_counts_worst(whole: evaluation.Evaluation) -> None:
    faults = {row.id: row.faults for row in whole.rows}
    assert list(faults) == ["5", "clip_1", "clip_2", "clip_3", "clip_4"] and whole.generated.clips == 5
    assert faults["5"] == ("missing",) and faults["clip_4"] == ("undecodable",) and "silent" in faults["clip_3"]
    for row in (whole.rows[0], *whole.rows[3:]):
        assert (row.similarity, row.overall, row.p808, row.word_edits) == (0.0, 1.0, 1.0, row.words)
    assert evaluation.loads(evaluation.dumps(whole)).rows[1].heard == whole.rows[1].heard


def test_summary_is_of_all_clips_and_all_words(whole: evaluation.Evaluation) -> None:
    assert set(whole.summary) == {"similarity", "overall", "speech", "background", "p808", "wer", "cer", "faultless"}
    assert whole.summary["similarity"].value == pytest.approx(np.mean([row.similarity for row in whole.rows]))
    assert whole.summary["wer"].value == pytest.approx(
        sum(row.word_edits for row in whole.rows) / sum(row.words for row in whole.rows)
    )
    assert whole.summary["faultless"].value <= 0.4


def test_a_row_does_not_depend_on_the_others_their_order_or_the_processes(
    place: Path, whole: evaluation.Evaluation
) -> None:
    wanted = [row for row in whole.rows if row.id.startswith("clip")]
    items = [Item(id=row.id, path=place / "spoken" / f"{row.id}.wav", prompt=row.prompt) for row in wanted]
    real = evaluate.reference_folder(place / "real")
    again = evaluate.evaluate(Plan(items=items[::-1], reference=real), processes=2)
    alone = evaluate.evaluate(Plan(items=items[:1], reference=dict(reversed(real.items()))))
    assert list(again.rows) == wanted and list(alone.rows) == wanted[:1]
    assert again.pins == alone.pins == whole.pins
    evaluation.check_comparable(again, whole)


def _kill_one_when_two_are_at_work() -> None:
    while len(found := multiprocessing.active_children()) < 2:
        time.sleep(0.05)
    os.kill(found[0].pid, signal.SIGKILL)


def test_a_killed_process_ends_the_command_with_one_error_that_names_a_clip(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killer = threading.Thread(target=_kill_one_when_two_are_at_work, daemon=True)
    killer.start()
    names = [
        "--generated",
        str(place / "spoken"),
        "--reference",
        str(place / "real"),
        "--texts",
        str(place / "texts.txt"),
    ]
    assert run(["evaluate", *names, "--processes", "2", "--output", str(tmp_path / "new.json")]) != 0
    killer.join(timeout=5)
    errors = [line for line in capsys.readouterr().err.splitlines() if "was killed" in line]
    assert len(errors) == 1 and "out_of_memory" in errors[0] and "at real_1 or a later one" in errors[0]
    assert not multiprocessing.active_children() and not list(tmp_path.rglob("*.json"))


def test_other_limits_or_another_reference_refuse_comparison(place: Path, whole: evaluation.Evaluation) -> None:
    items = [Item(id="clip_4", path=place / "spoken" / "clip_4.wav")]
    real = evaluate.reference_folder(place / "real")
    stricter = evaluate.evaluate(Plan(items=items, reference=real, limits=SignalLimits(max_offset=0.001)))
    fewer = evaluate.evaluate(Plan(items=items, reference={"real_1": real["real_1"]}))
    for other, name in ((stricter, "signal_limits"), (fewer, "reference")):
        with pytest.raises(DataError, match=name):
            evaluation.check_comparable(whole, other)


def test_another_encoder_is_pinned_and_named_so_that_no_threshold_of_ge2e_is_taken_for_its(
    place: Path, whole: evaluation.Evaluation, tmp_path: Path
) -> None:
    encoder = pooling_onnx(tmp_path / "small.onnx", [1, "samples"])
    item = Item(id="clip_4", path=place / "real" / "real_1.wav")
    found = evaluate.evaluate(Plan(items=[item], reference={"a": place / "real" / "real_2.wav"}, encoder=encoder))
    assert found.similarity_metric == "cosine:small" and whole.similarity_metric == "ge2e_cosine"
    assert found.pins["speaker_encoder"] == hashlib.sha256(encoder.read_bytes()).hexdigest()
    with pytest.raises(DataError, match="speaker_encoder"):
        evaluation.check_comparable(found, whole)


def test_a_clip_is_not_compared_with_itself(place: Path) -> None:
    real = evaluate.reference_folder(place / "real")
    item = Item(id="copy", path=real["real_1"])
    both = evaluate.evaluate(Plan(items=[item], reference=real))
    other = evaluate.evaluate(Plan(items=[item], reference={"real_2": real["real_2"]}))
    assert both.rows[0].similarity == other.rows[0].similarity < 0.999
    with pytest.raises(DataError) as caught:
        evaluate.evaluate(Plan(items=[item], reference={"real_1": real["real_1"]}))
    assert caught.value.cause == "reference_too_small"


def test_command_writes_the_document_the_table_and_the_picture(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    checkpoint_file(place / "voice.pt", None)
    arguments = [
        "evaluate",
        "--generated",
        "spoken",
        "--reference",
        "real",
        "--without-texts",
        "--processes",
        "1",
        "--checkpoint",
        "voice.pt",
    ]
    files = [
        f"--{name}={tmp_path / file}" for name, file in (("output", "e.json"), ("markdown", "e.md"), ("plot", "e.png"))
    ]
    assert run([*arguments, *files]) == 0
    printed = capsys.readouterr()
    assert "undecodable" in printed.out and "evaluate: 6/6 clips" in printed.err
    found = evaluation.load(tmp_path / "e.json")
    assert found.checkpoint_sha256 and found.rows[0].words is None and "wer" not in found.summary
    assert str(tmp_path) not in (tmp_path / "e.json").read_text() and "undecodable" in (tmp_path / "e.md").read_text()
    assert (tmp_path / "e.png").read_bytes().startswith(b"\x89PNG")


def test_held_out_clips_of_a_manifest_are_the_reference_and_their_hashes_are_verified(
    small_manifest: Path, tmp_path: Path
) -> None:
    generated = tmp_path / "spoken"
    generated.mkdir()
    (generated / "a.wav").write_bytes(b"")
    asked = request.Request(generated=generated, manifest=small_manifest, without_texts=True, processes=1)
    found = request.answer(asked)
    document = json.loads(small_manifest.read_bytes())
    assert (
        found.reference.clips == document["summary"]["counts"]["held_out"]
        and found.manifest_path == small_manifest.name
    )
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "manifest.json").write_bytes(small_manifest.read_bytes())
    with pytest.raises(DataError) as caught:
        request.answer(request.Request(generated=generated, manifest=copy / "manifest.json", without_texts=True))
    assert caught.value.cause == "manifest_invalid"


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, "reference_missing"),
        ({"reference": "nowhere"}, "audio_missing"),
        ({"reference": "real"}, "transcript_missing"),
        ({"reference": "real", "texts": "nowhere.txt"}, "transcript_invalid"),
        ({"reference": "real", "without_texts": True, "checkpoint": "nowhere.pt"}, "checkpoint_missing"),
        ({"reference": "real", "without_texts": True, "checkpoint": "texts.txt"}, "checkpoint_invalid"),
        ({"reference": "spoken", "without_texts": True}, "not_generated"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_judging(changes: dict, cause: str, place: Path) -> None:
    paths = {name: place / value if isinstance(value, str) else value for name, value in changes.items()}
    with pytest.raises(DataError) as caught:
        request.answer(request.Request(generated=place / "spoken", **paths))
    assert caught.value.cause == cause


def test_a_log_gets_ten_lines_however_many_clips(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown("evaluate") as on_total:
        parallel.each(str, range(500), on_progress=on_total(500))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10 and lines[-1] == "evaluate: 500/500 clips"


def test_a_reference_clip_of_which_nothing_can_be_heard_is_named(place: Path, tmp_path: Path) -> None:
    wave, rate = soundfile.read(place / "real" / "real_1.wav", dtype="float32")
    wave[100] = np.nan
    soundfile.write(tmp_path / "broken.wav", wave, rate, subtype="FLOAT")
    plan = Plan(
        items=[Item(id="a", path=place / "spoken" / "clip_1.wav")], reference={"broken": tmp_path / "broken.wav"}
    )
    with pytest.raises(DataError, match=r"broken\.wav: not_finite") as caught:
        evaluate.evaluate(plan)
    assert caught.value.cause == "no_usable_speech"


def test_a_checkpoint_of_another_dataset_than_the_manifest_is_refused(
    place: Path, small_manifest: Path, tmp_path: Path
) -> None:
    asked = request.Request(
        generated=place / "spoken",
        manifest=small_manifest,
        without_texts=True,
        checkpoint=tmp_path / "voice.pt",
        processes=1,
    )
    checkpoint_file(tmp_path / "voice.pt", "e" * 64)
    with pytest.raises(DataError, match="was trained on another dataset than the manifest's") as caught:
        request.answer(asked)
    assert caught.value.cause == "artifact_mismatch"
    digest = checkpoint_file(tmp_path / "voice.pt", sha256(small_manifest))
    assert request.answer(asked).checkpoint_sha256 == digest


def test_training_clips_are_no_reference(place: Path, small_manifest: Path, tmp_path: Path) -> None:
    document = json.loads(small_manifest.read_bytes())
    for number, split in enumerate(("train", "held_out")):
        entry = next(entry for entry in document["entries"] if entry["split"] == split)
        (tmp_path / f"real_{number}.wav").write_bytes((small_manifest.parent / entry["path"]).read_bytes())
    asked = request.Request(
        generated=place / "spoken", manifest=small_manifest, reference=tmp_path, without_texts=True, processes=1
    )
    with pytest.raises(
        DataError, match=r"^1 of 2 reference clips are training clips of the manifest \(real_0\)"
    ) as caught:
        request.answer(asked)
    assert caught.value.cause == "reference_trained"
    (tmp_path / "real_0.wav").unlink()
    assert request.answer(asked).reference.clips == 1
