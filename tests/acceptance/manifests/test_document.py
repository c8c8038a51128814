"""A manifest from somebody else's hand is read strictly, or refused with what is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance import manifests
from acceptance.failure import HarnessError
from acceptance.manifests import document
from tests.acceptance.manifests.clips import with_sidecars
from trainer.dataset import clip_names as names


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return manifests.create(with_sidecars(tmp_path)).path


def refusal(path: Path) -> str:
    with pytest.raises(HarnessError) as caught:
        manifests.load(path)
    assert caught.value.cause == "manifest_invalid"
    assert str(caught.value).isprintable() and str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"channels": 1,', '"channels": true,', "not a whole number"),
        ('"channels": 1,', '"channels": 1.5,', "not a whole number"),
        ('"channels": 1,', '"channels": null,', "must be known"),
        ('"channels": 1,', '"channels": 0,', "no possible value|not a possible number"),
        ('"channels": 1,', '"channels": 1, "channels": 1,', "duplicate key"),
        ('"channels": 1,', '"channels": 1, "extra": 1,', "unknown"),
        ('"channels": 1,', "", "missing"),
        ('"duration_s": 0.1,', '"duration_s": NaN,', "NaN"),
        ('"duration_s": 0.1,', '"duration_s": -Infinity,', "Infinity"),
        ('"duration_s": 0.1,', '"duration_s": 1e999,', "1e999"),
        ('"duration_s": 0.1,', '"duration_s": 1e300,', "not a possible number"),
        ('"duration_s": 0.1,', '"duration_s": 0.2,', "summary"),
        ('"path": "b.flac"', '"path": "../b.flac"', "holds '..'"),
        ('"path": "b.flac"', '"path": "x/../b.flac"', "holds '..'"),
        ('"path": "b.flac"', '"path": "./b.flac"', "empty part"),
        ('"path": "b.flac"', '"path": "x//b.flac"', "empty part"),
        ('"path": "b.flac"', '"path": "/etc/passwd"', "not relative"),
        ('"path": "b.flac"', '"path": "C:/b.flac"', "not relative"),
        ('"path": "b.flac"', r'"path": "x\\b.flac"', "backslash"),
        ('"path": "b.flac"', r'"path": "b\u0000.flac"', "control character"),
        ('"path": "b.flac"', r'"path": "b\ud800.flac"', "surrogate"),
        ('"path": "b.flac"', '"path": "a.flac"', "repeat"),
        ('"path": "b.flac"', '"path": "A.flac"', "ignore case"),
        ('"id": "b"', '"id": "a"', "repeat"),
        ('"id": "b"', '"id": "A"', "ignore case"),
        ('"id": "b"', '"id": "z"', "order"),
        ('"id": "b"', r'"id": "b\u001b[31m"', "control character"),
        ('"transcript": "Two', '"transcript": "Six', "transcript_sha256"),
        ('"transcript": "Two', r'"transcript": "\ud800', "surrogate"),
        ('"transcript_source": "sidecar"', '"transcript_source": "guess"', "no possible value"),
        ('"layout": "sidecars"', '"layout": "heap"', "none of"),
        ('"layout": "sidecars"', '"layout": []', "none of"),
        ('"schema": "clip_manifest/1"', '"schema": "clip_manifest/2"', "neither"),
        ('"schema": "clip_manifest/1"', '"schema": "voice_dataset/2"', "unknown|missing"),
        ('"without_transcript": 0', '"without_transcript": 1', "summary"),
        ('"unlisted": []', '"unlisted": ["a.flac"]', "repeat"),
        ('"unlisted": []', '"unlisted": ["../a.flac"]', "holds"),
        ('"unlisted": []', '"unlisted": {}', "not a list"),
    ],
)
def test_a_changed_manifest_is_refused(path: Path, old: str, new: str, problem: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(part in refusal(path) for part in problem.split("|"))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"\xff", b"{}", b"[" * 100_000, b'{"schema": "clip_manifest/1"}']
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.json").write_bytes(content)
    refusal(tmp_path / "m.json")


def test_a_manifest_without_items_is_refused(path: Path) -> None:
    content: dict[str, Any] = json.loads(path.read_bytes())
    path.write_text(json.dumps(content | {"items": []}))
    assert "no items" in refusal(path)


def test_a_giant_manifest_is_refused_unread(path: Path) -> None:
    os.truncate(path, document.MAX_BYTES + 1)
    assert "larger" in refusal(path)


def test_a_manifest_behind_a_link_or_a_pipe_is_refused(path: Path) -> None:
    (path.parent / "link.json").symlink_to(path)
    os.mkfifo(path.parent / "pipe.json")
    assert "link" in refusal(path.parent / "link.json")
    assert "regular" in refusal(path.parent / "pipe.json")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_makes_a_traceback(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    for content in (
        value,
        {"schema": document.SCHEMA, "layout": "sidecars", "items": value, "unlisted": [], "summary": value},
    ):
        path.write_text(json.dumps(content))
        refusal(path)


@given(st.text())
def test_whatever_is_shown_prints(text: str) -> None:
    assert names.shown(text).isprintable()


@pytest.mark.parametrize(
    ("name", "shown"), [("\udcff.wav", r"\xff.wav"), ("\ud800", r"\ud800"), ("\u202e", r"\u202e"), ("é b", "é b")]
)
def test_a_name_is_shown_with_what_does_not_print_escaped(name: str, shown: str) -> None:
    assert names.shown(name) == shown


@pytest.mark.parametrize(
    "pair",
    [
        ("a.wav", "A.WAV"),
        ("\u00e9", "e\u0301"),
        ("\u00c9", "e\u0301"),
        ("stra\u00dfe", "STRASSE"),
        ("\u03c3", "\u03c2"),
    ],
)
def test_names_that_are_one_elsewhere_are_twins(pair: tuple[str, str]) -> None:
    assert len(names.twins([*pair, "other"])) == 1


def test_different_names_are_no_twins() -> None:
    assert names.twins(["a", "b", "\u00e9", "e", "a/b"]) == {}
