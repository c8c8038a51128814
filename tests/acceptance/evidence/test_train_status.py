"""The train status is read strictly: every number finite and of its own type, every key there once."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.evidence.train_status import StatusError, completed, parse, warnings
from tests.acceptance.records import json_values

SHA = "ab" * 32
LEARNING = {
    "heldout_loss_start": 4.0, "heldout_loss_trained": 1.0, "improvement": 0.75, "control_loss_start": 4.0, "control_loss_trained": 3.0,
    "control_improvement": 0.25, "nonfinite_losses": 0, "nonfinite_gradients": 0,
}  # fmt: skip
STATUS: dict[str, Any] = {
    "status": "completed", "loss": 1.0, "run_id": "r", "audio_sha256": SHA, "manifest_sha256": SHA, "checkpoint_sha256": SHA, "content_sha256": SHA,
    "step": 10, "steps_total": 10, "device": "cpu", "seed": 0, "threads": 2, "learning": LEARNING, "timestamp": "2026-01-02T03:04:05Z",
}  # fmt: skip
NUMBERS = ["loss", *(f"learning.{key}" for key in LEARNING if not key.startswith("nonfinite"))]
COUNTS = ["step", "steps_total", "seed", "threads", "learning.nonfinite_losses", "learning.nonfinite_gradients"]


def with_token(key: str, token: str) -> bytes:
    """The status with a raw JSON token in one place."""
    status = json.loads(json.dumps(STATUS))
    place = status["learning"] if key.startswith("learning.") else status
    place[key.removeprefix("learning.")] = "TOKEN"
    return json.dumps(status).replace('"TOKEN"', token).encode()


def test_a_complete_status_is_accepted_and_may_hold_more() -> None:
    assert completed(parse(json.dumps(STATUS | {"extra": [1]}).encode())).learning.improvement == 0.75
    assert completed(STATUS | {"loss": 1}).loss == 1.0


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 400])
@pytest.mark.parametrize("key", NUMBERS)
def test_a_number_that_is_not_finite_is_no_json(key: str, token: str) -> None:
    with pytest.raises(StatusError, match="not strict JSON"):
        parse(with_token(key, token))


@pytest.mark.parametrize("token", ['"0.5"', "true", "null", "[]", "{}", '"NaN"'])
@pytest.mark.parametrize("key", NUMBERS)
def test_a_number_of_another_type_is_refused_by_name(key: str, token: str) -> None:
    with pytest.raises(StatusError, match=rf"^{key}: "):
        completed(parse(with_token(key, token)))


@pytest.mark.parametrize("token", ['"1"', "true", "1.5", "-1", "null"])
@pytest.mark.parametrize("key", COUNTS)
def test_a_count_is_a_whole_number_from_zero(key: str, token: str) -> None:
    with pytest.raises(StatusError, match=rf"^{key}: "):
        completed(parse(with_token(key, token)))


@pytest.mark.parametrize(
    "claims",
    [
        {"heldout_utterances": "many"}, {"heldout_utterances": -1}, {"heldout_seconds": "5"}, {"speaker_difference": "0"},
        {"vocoder_loss_start": 1.0}, {"vocoder_loss_trained": 1.0}, {"x_loss_start": "1", "x_loss_trained": 1.0},
        {"x_loss_start": True, "x_loss_trained": 1.0}, {"x_loss_start": None, "x_loss_trained": None},
    ],
)  # fmt: skip
def test_what_else_is_claimed_of_the_learning_is_numbers_in_pairs_or_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(StatusError, match=r"^learning"):
        completed(STATUS | {"learning": LEARNING | claims})


def test_losses_of_parts_before_and_after_are_accepted() -> None:
    assert (
        completed(
            STATUS | {"learning": LEARNING | {"x_loss_start": 1.0, "x_loss_trained": 2}}
        ).learning.heldout_utterances
        is None
    )


@pytest.mark.parametrize("key", STATUS)
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(StatusError, match=rf"^{key}: "):
        completed({name: value for name, value in STATUS.items() if name != key})


@pytest.mark.parametrize("digest", ["", "ab", SHA.upper(), SHA + "\n", SHA + "0", "g" * 64])
def test_a_digest_is_64_hexadecimal_digits(digest: str) -> None:
    with pytest.raises(StatusError, match=r"^checkpoint_sha256: "):
        completed(STATUS | {"checkpoint_sha256": digest})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"null",
        b'"x"',
        b'{"a": 1, "a": 2}',
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_one_strict_object_is_refused(data: bytes) -> None:
    with pytest.raises(StatusError):
        parse(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_refused(data: bytes) -> None:
    with contextlib.suppress(StatusError):
        assert isinstance(parse(data), dict)


@given(st.dictionaries(st.sampled_from(sorted(STATUS)), json_values))
def test_any_object_is_a_completed_status_or_refused(changes: dict[str, Any]) -> None:
    with contextlib.suppress(StatusError):
        assert completed(STATUS | changes).status == "completed"


def test_what_the_job_warns_of_is_a_few_printable_lines() -> None:
    found = warnings({"warnings": ["two \x1b[31mvoices\nhere", 3, "", "x" * 9000, {"a": 1}, *["again"] * 50]})
    assert found[:2] == ["two [31mvoices here", "x" * 500]
    assert len(found) == 20


@given(json_values)
def test_warnings_of_any_shape_harm_nothing(value: Any) -> None:
    assert all(isinstance(line, str) and line.isprintable() for line in warnings({"warnings": value}))
