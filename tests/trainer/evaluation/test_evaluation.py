"""The document of an evaluation: canonical, strict, and comparable only with its like."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.errors import DataError
from trainer.evaluation import evaluation, evaluation_tables, pictures
from trainer.evaluation.evaluation import EvaluatedClip, Evaluation, fingerprint
from trainer.evaluation.faults import Signal

SIGNAL = Signal(
    seconds=2.0, spoken_s=1.8, not_finite=0, clipping=0.0, offset=0.001, silence=0.1, longest_pause_s=0.2, start_edge_db=-40.0,
    end_edge_db=-41.5, loudness_lufs=-23.0, snr_db=30.0,
)  # fmt: skip


def clip(name: str = "a", **changes: object) -> EvaluatedClip:
    fields = {
        "id": name, "prompt": "one two", "audio_sha256": "0" * 64, "seconds": 2.0, "sample_rate": 22_050, "channels": 1, "similarity": 0.8,
        "overall": 3.0, "speech": 3.5, "background": 4.0, "p808": 3.6, "word_edits": 1, "words": 2, "character_edits": 3, "characters": 7,
        "heard": "one too", "signal": SIGNAL, "faults": (),
    }  # fmt: skip
    return EvaluatedClip(**{**fields, **changes})


def document(*rows: EvaluatedClip, **changes: object) -> Evaluation:
    rows = rows or (clip("a"), clip("b", faults=("clipped",)))
    reference = fingerprint({"r": "1" * 64})
    fields = {
        "pins": {name: reference.sha256 if name == "reference" else f"{name} 1" for name in evaluation.PINS},
        "similarity_metric": "ge2e_cosine", "generated": fingerprint({row.id: row.audio_sha256 for row in rows}), "reference": reference,
        "checkpoint_sha256": None, "manifest_path": None, "manifest_sha256": None, "rows": tuple(rows),
        "summary": evaluation.summarise(rows),
    }  # fmt: skip
    return Evaluation(**{**fields, **changes})


def test_what_is_written_is_read_again_and_has_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_bytes(evaluation.dumps(document()))
    assert (
        evaluation.load(path).rows == document().rows and evaluation.dumps(evaluation.load(path)) == path.read_bytes()
    )


@settings(deadline=None)
@given(
    names=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4, unique=True),
    prompt=st.text(max_size=20),
    similarity=st.floats(-1.0, 1.0),
    loudness=st.none() | st.floats(-70.0, 0.0),
)
def test_any_evaluation_survives_a_round_trip(
    names: list[str], prompt: str, similarity: float, loudness: float | None
) -> None:
    signal = replace(SIGNAL, loudness_lufs=loudness)
    rows = [clip(name, prompt=prompt, similarity=similarity, signal=signal) for name in names]
    try:
        data = evaluation.dumps(document(*rows))
    except UnicodeEncodeError:  # a lone surrogate is no text
        return
    assert evaluation.dumps(evaluation.loads(data)) == data


def _set(*path: Any, to: object) -> Callable[[dict[str, Any]], None]:
    def change(found: dict[str, Any]) -> None:
        for key in path[:-1]:
            found = found[key]
        found[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_set("schema", to="voice_evaluation/2"), "schema"),
        (_set("extra", to=1), "'extra' is unknown"),
        (_set("rows", 0, "words", to=True), "whole number"),
        (_set("rows", 0, "words", to=None), "together"),
        (_set("rows", 0, "words", to=0), "no possible value"),
        (_set("rows", 0, "similarity", to=1.5), "row a: similarity has no possible value"),
        (_set("rows", 0, "overall", to=99), "row a: overall has no possible value"),
        (_set("rows", 0, "p808", to=-1), "row a: p808 has no possible value"),
        (_set("rows", 0, "channels", to=-3), "row a: channels has no possible value"),
        (_set("rows", 0, "channels", to=0), "row a: channels has no possible value"),
        (_set("rows", 0, "sample_rate", to=7), "row a: sample_rate has no possible value"),
        (_set("rows", 0, "word_edits", to=-5), "row a: word_edits has no possible value"),
        (_set("rows", 0, "characters", to=0), "row a: characters has no possible value"),
        (_set("rows", 0, "seconds", to=3), "row a: seconds are not those of its signal"),
        (_set("rows", 0, "signal", "silence", to=-5), "row a: signal.silence has no possible value"),
        (_set("rows", 0, "signal", "snr_db", to=1e9), "row a: signal.snr_db has no possible value"),
        (_set("summary", "similarity", "value", to=0.9), "summary: similarity does not follow from the rows"),
        (_set("summary", "wer", "low", to=0), "summary: wer does not follow from the rows"),
        (_set("summary", to={}), "summary: 'background' is missing or unknown"),
        (_set("rows", 0, "audio_sha256", to="abc"), "not a sha256"),
        (_set("rows", 0, "audio_sha256", to="2" * 64), "does not follow"),
        (_set("rows", 1, "id", to="a"), "two with one id"),
        (_set("rows", to=[]), "rows: none"),
        (_set("pins", to={}), "missing or unknown"),
        (_set("pins", "reference", to="x"), "not that of the evaluation"),
        (_set("manifest_path", to="/home/me/manifest.json"), "absolute"),
        (_set("manifest_path", to="manifest.json"), "belong together"),
        (_set("summary", "fame", to={"value": 1, "low": 1, "high": 1}), "unknown"),
        (_set("rows", 0, "signal", "offset", to="0"), "not a number"),
    ],
)
def test_a_document_that_does_not_hold_is_refused_with_its_place(
    change: Callable[[dict[str, Any]], None], problem: str, tmp_path: Path
) -> None:
    found = json.loads(evaluation.dumps(document()))
    change(found)
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(found))
    with pytest.raises(DataError, match=problem) as caught:
        evaluation.load(path)
    assert caught.value.cause == "evaluation_invalid" and str(path) in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"schema": NaN}', b"\xff"])
def test_what_is_no_document_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_bytes(data)
    with pytest.raises(DataError):
        evaluation.load(path)


@pytest.mark.parametrize("name", evaluation.PINS)
def test_rows_with_different_pins_refuse_comparison_and_the_pin_is_named(name: str) -> None:
    other = document()
    other = replace(other, pins={**other.pins, name: "other"})
    evaluation.check_comparable(document(), document())
    with pytest.raises(DataError, match=name) as caught:
        evaluation.check_comparable(document(), other)
    assert caught.value.cause == "pins_differ"


def test_fingerprint_depends_on_names_and_bytes_but_not_on_order() -> None:
    first, second = {"a": "1" * 64, "b": "2" * 64}, {"b": "2" * 64, "a": "1" * 64}
    assert fingerprint(first) == fingerprint(second) != fingerprint({"a": "2" * 64, "b": "1" * 64})


def test_table_names_faults_and_breaks_on_no_name() -> None:
    found = document(
        clip("a|b\n", faults=("clipped", "offset"), prompt="x`y"), clip("c", word_edits=0, character_edits=0)
    )
    text, markdown = evaluation_tables.text(found), evaluation_tables.markdown(found)
    assert "clipped, offset" in text and "a\\|b?" in text and "heard: one too" in markdown
    assert all(name in markdown for name in evaluation.PINS)
    assert len({line.replace("\\|", "x").count("|") for line in evaluation_tables.clips(found.rows).splitlines()}) == 1


def test_the_interval_of_a_single_clip_is_unknown_wherever_it_is_shown() -> None:
    found = document(clip())
    assert {(one.low, one.high) for one in found.summary.values()} == {(None, None)}
    assert {one.high for one in evaluation.loads(evaluation.dumps(found)).summary.values()} == {None}
    lines = evaluation_tables.summary(found).splitlines()[4:]
    assert len(lines) == len(found.summary) == 8 and all(line.split("|")[3].strip() == "unknown" for line in lines)
    assert len(pictures.evaluation(found)) > 1000


def test_the_interval_of_a_single_clip_as_an_earlier_version_wrote_it_is_read() -> None:
    value = json.loads(evaluation.dumps(document(clip())))
    for one in value["summary"].values():
        one["low"] = one["high"] = one["value"]
    assert evaluation.loads(json.dumps(value).encode()).rows == document(clip()).rows
    value["summary"]["overall"]["high"] += 0.5
    with pytest.raises(ValueError, match="overall does not follow"):
        evaluation.loads(json.dumps(value).encode())


def test_document_has_no_floats_beyond_six_decimals() -> None:
    found = json.loads(evaluation.dumps(document(clip(similarity=1.0 / 3.0, overall=2.00000049))))
    assert found["rows"][0]["similarity"] == 0.333333 and found["rows"][0]["overall"] == 2.0
    assert set(asdict(SIGNAL)) == set(found["rows"][0]["signal"])
