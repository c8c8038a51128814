"""The index of spoken samples: what is written is read again, and what anybody may have written is refused."""

from __future__ import annotations

import json

import pytest

from trainer.files import sample_index
from trainer.files.sample_index import Sample, SampleIndex

INDEX = SampleIndex(
    steps_total=10,
    sentences=["One.", "Two."],
    clips=[Sample(file="step_00000_1.flac", step=0, sentence=1), Sample(file="b.wav", step=10, sentence=2)],
)


def test_an_index_is_read_as_it_was_written(tmp_path):
    sample_index.write(tmp_path, INDEX)
    assert sample_index.parse((tmp_path / sample_index.INDEX).read_bytes()) == INDEX


def clip(**changes: object) -> dict[str, object]:
    return {"clips": [{"file": "a.flac", "step": 0, "sentence": 1} | changes]}


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "samples/2"},
        {"more": 1},
        {"sentences": "text"},
        {"sentences": ["x"] * 21},
        {"sentences": ["x" * 1001]},
        {"sentences": [1]},
        {"steps_total": -1},
        {"steps_total": True},
        {"clips": {}},
        {"clips": [{"file": f"{number}.flac", "step": 0, "sentence": 1} for number in range(301)]},
        {"clips": clip()["clips"] * 2},
        clip(file="../a.flac"),
        clip(file="/etc/passwd"),
        clip(file="a/b.flac"),
        clip(file=".hidden.flac"),
        clip(file="a.exe"),
        clip(file="a\n.flac"),
        clip(file="a.flac\n"),
        clip(file=7),
        clip(sentence=0),
        clip(sentence=3),
        clip(step=1.5),
        clip(more=1),
    ],
)
def test_what_is_not_exactly_an_index_is_refused(change):
    document = {"schema": "samples/1", "steps_total": 1, "sentences": ["One.", "Two."], **clip()} | change
    with pytest.raises(ValueError, match=r"."):
        sample_index.parse(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"{", b'{"steps_total": NaN}', b"[" * 5000])
def test_what_is_no_json_object_is_refused(data):
    with pytest.raises(ValueError, match=r"."):
        sample_index.parse(data)
