"""Rows of a benchmark: what an evaluation of each group would say, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.evaluation.test_evaluation import clip
from trainer.audio import audio_file
from trainer.evaluation import benchmark, evaluate, pictures, prompts, scores
from trainer.evaluation.estimate import Estimate
from trainer.evaluation.evaluate import Plan
from trainer.evaluation.evaluation import Clips
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.prompts import Item
from trainer.evaluation.scores import Group, Row, Scores
from trainer.files import plain_file
from trainer.synthesis.sentences import SENTENCES

TEXTS = benchmark.numbered(SENTENCES[:3])
NAMES = ("similarity", "wer", "cer", "overall", "speech", "background", "p808", "faultless")


def row(name: str, **changes: Estimate | None) -> Row:
    found = dict.fromkeys(NAMES, Estimate(value=0.5, low=0.4, high=0.7)) | changes
    return Row(name=name, clips=(clip("1"), clip("2")), summary={key: value for key, value in found.items() if value})


def measure(*groups: Group, reference: dict[str, Path], processes: int = 1) -> Scores:
    return scores.measure(groups, reference, limits=SignalLimits(), processes=processes)


@pytest.mark.long
def test_a_row_is_the_summary_of_an_evaluation_of_its_clips(folder: Path) -> None:
    items = prompts.with_texts(folder, TEXTS, None)
    reference = {item.id: item.path for item in items[1:]}
    found = measure(Group(name="a", items=items), Group(name="b", items=items[:1]), reference=reference, processes=2)
    alone = evaluate.evaluate(Plan(items=items, reference=reference))
    assert found.rows[0].clips == alone.rows and found.rows[0].summary == alone.summary
    assert (found.pins, found.reference) == (alone.pins, alone.reference)
    assert found.rows[1].clips == alone.rows[:1] and found.rows[1].summary["overall"].low is None


def test_a_clip_is_not_compared_with_what_it_was_made_from(folder: Path) -> None:
    paths = sorted(folder.glob("*.wav"))
    copy = Item(id="copy", path=paths[0], made_from=plain_file.sha256(paths[1]))
    reference = {path.stem: path for path in paths}
    group = Group(name="a", items=[copy], only_voice=True)
    (found,) = measure(group, reference=reference).rows
    (expected,) = measure(group, reference={"voice_03": paths[2]}).rows
    assert found.summary == expected.summary and list(found.summary) == ["similarity"]


def test_a_silent_clip_has_the_worst_marks_and_a_missing_one_too(folder: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    silent.mkdir()
    (silent / "1.flac").write_bytes(audio_file.flac(np.zeros(22_050, np.float32), 22_050))
    items = prompts.with_texts(silent, {name: TEXTS[name] for name in ("1", "2")}, None)
    (found,) = measure(Group(name="a", items=items), reference={"real": folder / "voice_01.wav"}).rows
    assert found.summary["similarity"].value == 0.0 and found.summary["wer"].value == 1.0
    assert "2: missing" in found.faults and "1: silent" in found.faults


def test_table_has_a_line_for_every_row_and_a_dash_for_what_was_not_judged() -> None:
    text = scores.table([row("a"), row("b", wer=None), row("c", wer=Estimate(value=0.5, low=None, high=None))])
    lines = text.splitlines()
    assert len(lines) == 5 and len({len(line) for line in lines}) == 1
    assert "0.500 ±0.150" in lines[2] and " - |" in lines[3] and "0.500 ±unknown" in lines[4]


def test_trainings_of_one_voice_have_their_mean_and_range_in_a_second_table() -> None:
    rows = [
        row("base"),
        *(row(f"5 minutes #{n}", wer=Estimate(value=n / 10, low=0, high=1)) for n in (1, 3)),
        row("x #0"),
    ]
    first, second = scores.tables(rows).rstrip("\n").split("\n\n")
    assert first + "\n" == scores.table(rows)
    assert [cell.strip() for cell in second.splitlines()[2].split("|")[1:4]] == [
        "5 minutes",
        "2",
        "0.500 (0.500 to 0.500)",
    ]
    assert len(second.splitlines()) == 3 and "0.200 (0.100 to 0.300)" in second
    assert scores.tables(rows[:2]) == scores.table(rows[:2])


def test_document_names_what_judged_it_and_the_facts() -> None:
    found = Scores(pins={"measures": "1"}, reference=Clips(sha256="0" * 64, clips=2), rows=(row("a"), row("b")))
    document = json.loads(scores.document(found, {"note": "x"}))
    assert document["note"] == "x" and document["pins"] == {"measures": "1"} and document["reference"]["clips"] == 2
    assert [one["name"] for one in document["rows"]] == ["a", "b"]
    assert document["rows"][0]["summary"]["wer"] == {"value": 0.5, "low": 0.4, "high": 0.7}


def test_picture_has_the_same_bytes_again() -> None:
    summaries = {"a": row("a").summary, "b": row("b", wer=None).summary}
    assert pictures.scores(summaries) == pictures.scores(summaries)
