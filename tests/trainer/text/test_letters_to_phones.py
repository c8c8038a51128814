"""Reading unknown words: the shipped weights are good enough, NumPy computes what PyTorch learned, broken files are named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.errors import RuntimeSetupError
from trainer.text.letter_alignment import align_all
from trainer.text.letters_to_phones import (
    ALPHABET,
    FILE,
    MOST_LETTERS,
    LetterWeights,
    class_scores,
    load,
    predict,
    save,
)
from trainer.text.phone_set import ID

pytestmark = pytest.mark.long


def test_held_out_words_are_read_nearly_as_well_as_the_file_says() -> None:
    from trainer.text.learn_letters import phone_error_rate, words

    stored = json.loads(FILE.read_text(encoding="utf-8"))
    rate, _ = phone_error_rate(words()[:200], stress=False)
    assert stored["held_out_words"] == 2000
    assert stored["phone_error_rate"] < 0.08
    assert rate < 0.10


def test_the_weights_are_small() -> None:
    assert FILE.stat().st_size < 1_000_000


@settings(max_examples=100, deadline=None)
@given(st.text(ALPHABET, min_size=1, max_size=MOST_LETTERS))
def test_any_letters_become_known_phones_with_at_most_one_primary_stress(letters: str) -> None:
    phones = predict(letters)
    assert set(phones) <= set(ID)
    assert sum(phone.endswith("1") for phone in phones) == (any(phone[-1].isdigit() for phone in phones))


def test_numpy_computes_what_pytorch_learned() -> None:
    import torch

    from trainer.text.learn_letters import Reader

    torch.manual_seed(0)
    model = Reader(7, embedding=5, hidden=6).eval()
    weights = LetterWeights(
        (("AH0",),) * 7, {name: value.detach().numpy().astype(float) for name, value in model.state_dict().items()}
    )
    letters = "phonetics"
    with torch.no_grad():
        expected = model(torch.tensor([[ALPHABET.index(letter) for letter in letters]]))[0].numpy()
    assert np.allclose(class_scores(letters, weights), expected, atol=1e-5)


def test_stored_weights_come_back_within_their_rounding(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(4, 9))
    save(
        LetterWeights((("AH0",), ()), {"output.weight": array, "output.bias": array[0]}), tmp_path / "w.json", note="x"
    )
    back = load(tmp_path / "w.json")
    assert back.chunks == (("AH0",), ())
    assert np.abs(back.arrays["output.weight"] - array).max() <= np.abs(array).max() / 127
    assert back.arrays["output.bias"].shape == (9,)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"format": "other"}', '{"format": "letters-to-phones-1"}', "[]", "\x00"]
)
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "weights.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RuntimeSetupError, match=r"weights\.json") as error:
        load(path)
    assert error.value.cause == "weights_invalid"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeSetupError) as error:
        load(tmp_path / "none.json")
    assert error.value.cause == "weights_missing"


def test_letters_and_phones_find_each_other() -> None:
    pairs = [
        ("cat", "K AE1 T"),
        ("back", "B AE1 K"),
        ("tack", "T AE1 K"),
        ("bat", "B AE1 T"),
        ("tab", "T AE1 B"),
        ("cot", "K AA1 T"),
    ]
    aligned = dict(align_all([(spelling, tuple(phones.split())) for spelling, phones in pairs]))
    assert aligned["cat"] == (("K",), ("AE1",), ("T",))
    assert aligned["back"] == (("B",), ("AE1",), ("K",), ())


def test_a_word_with_too_many_phones_is_left_out_of_learning() -> None:
    assert align_all([("a", ("T", "R", "IH1", "P"))]) == []


def test_learning_runs_to_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch

    from trainer.text import learn_letters

    monkeypatch.setattr(learn_letters, "RAREST_CHUNK", 1)
    aligned = [("cat", (("K",), ("AE1",), ("T",))), ("bat", (("B",), ("AE1",), ("T",)))] * 20
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        weights = learn_letters.train(aligned, epochs=2, batch=8)
    finally:
        torch.set_num_threads(threads)
    assert set(weights.chunks) == {("K",), ("B",), ("AE1",), ("T",)}
    save(weights, tmp_path / "w.json")
    assert class_scores("cab", load(tmp_path / "w.json")).shape == (3, 4)
