"""Checkpoints from an enemy and from a broken disk, and the bytes of honest ones."""

import hashlib
import io
import os
import random
import resource
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from trainer.files import checkpoint, plain_file
from trainer.files.checkpoint import CheckpointError
from trainer.models.vocoder.model import VocoderConfig


def document(**changes):
    weights = torch.arange(4096, dtype=torch.float32).reshape(64, 64)
    return {
        "format": checkpoint.FORMAT, "version": checkpoint.VERSION, "config": {"width": 64}, "model": {"a.weight": weights, "b.bias": weights[0]},
        "features": {"hop": 256}, "training": {"seed": 0, "steps": 1}, **changes,
    }  # fmt: skip


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "voice.pt"
    checkpoint.save(path, document())
    return path


def refused(path: Path, **options) -> str:
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(path, **options)
    return caught.value.cause


class Bomb:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_what_was_saved_is_what_is_loaded(good):
    loaded = checkpoint.load(good)
    assert loaded["training"] == {"seed": 0, "steps": 1}
    assert torch.equal(loaded["model"]["a.weight"], document()["model"]["a.weight"])
    assert checkpoint.content_sha256(loaded) == checkpoint.content_sha256(document())


def test_the_bytes_depend_on_neither_name_nor_directory_nor_call(tmp_path):
    digests = {
        checkpoint.save(path, document())
        for path in (tmp_path / "a.pt", tmp_path / "deep" / "other name.bin", tmp_path / "a.pt")
    }
    assert len(digests) == 1
    assert hashlib.sha256((tmp_path / "a.pt").read_bytes()).hexdigest() in digests


def test_the_bytes_do_not_depend_on_which_equal_objects_were_used():
    text = "".join(["f", "loat"])
    shared, separate = {"x": text, "y": text}, {"x": "".join(["f", "loat"]), "y": "float"}
    assert checkpoint.serialise(document(training=shared)) == checkpoint.serialise(document(training=separate))


def test_the_content_hash_sees_names_types_shapes_and_values():
    base = torch.zeros(4)
    variants = [
        {"a": base},
        {"b": base},
        {"a": base.double()},
        {"a": base.reshape(2, 2)},
        {"a": base + 1},
        {"a": {"a": base}},
    ]
    assert len({checkpoint.content_sha256(variant) for variant in variants}) == len(variants)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", 1j])
def test_only_plain_values_are_saved(value, tmp_path):
    with pytest.raises(TypeError, match="plain values"):
        checkpoint.save(tmp_path / "voice.pt", document(training={"x": value}))
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_missing(tmp_path):
    assert refused(tmp_path / "none.pt") == "missing"


def test_an_empty_file_is_empty(tmp_path):
    (tmp_path / "voice.pt").touch()
    assert refused(tmp_path / "voice.pt") == "empty"


def test_a_link_is_not_followed(good, tmp_path):
    (tmp_path / "link.pt").symlink_to(good)
    assert refused(tmp_path / "link.pt") == "not_regular"


@pytest.mark.timeout(5)
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "voice.pt")
    assert refused(tmp_path / "voice.pt") == "not_regular"


def test_a_directory_is_not_regular(tmp_path):
    assert refused(tmp_path) == "not_regular"


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(share, good):
    data = good.read_bytes()
    good.write_bytes(data[: int(len(data) * share)])
    assert refused(good) == "truncated"


def test_a_flipped_bit_is_found_or_at_least_changes_the_files_hash(good):
    # The CRC covers what members hold; some header bytes (times, flags, padding between members) are covered by nothing in the file,
    # which is why the status carries the SHA-256 of the whole file.
    data = good.read_bytes()
    honest = hashlib.sha256(data).hexdigest()
    original = checkpoint.content_sha256(checkpoint.load(good))
    generator = random.Random(0)
    missed = 0
    for _ in range(200):
        position = generator.randrange(len(data) * 8)
        damaged = bytearray(data)
        damaged[position // 8] ^= 1 << position % 8
        good.write_bytes(damaged)
        assert plain_file.sha256(good) != honest
        try:
            found = checkpoint.load(good)
        except CheckpointError:
            continue
        missed += 1
        assert checkpoint.content_sha256(found) == original
    assert missed <= 20


def test_a_flipped_bit_in_a_tensor_is_a_checksum_error(good):
    data = bytearray(good.read_bytes())
    at = data.find(struct.pack("<4f", 100.0, 101.0, 102.0, 103.0))
    data[at] ^= 1
    good.write_bytes(data)
    assert refused(good) == "crc"


def test_a_pickle_that_calls_something_is_refused_and_not_executed(tmp_path):
    canary = tmp_path / "executed"
    torch.save(document(training={"x": Bomb(canary)}), tmp_path / "voice.pt")
    assert refused(tmp_path / "voice.pt") == "unsafe_pickle"
    assert not canary.exists()


def test_an_old_style_pickle_is_refused_without_being_read(tmp_path):
    canary = tmp_path / "executed"
    torch.save({"x": Bomb(canary)}, tmp_path / "voice.pt", _use_new_zipfile_serialization=False)
    assert refused(tmp_path / "voice.pt") == "wrong_format"
    assert not canary.exists()


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path):
    with zipfile.ZipFile(tmp_path / "voice.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"0" * 50_000_000)
    assert (tmp_path / "voice.pt").stat().st_size < 100_000
    assert refused(tmp_path / "voice.pt", max_bytes=1_000_000) == "too_large"
    assert refused(tmp_path / "voice.pt") == "wrong_format"


def test_a_file_over_the_limit_is_too_large(good):
    assert refused(good, max_bytes=1000) == "too_large"


def sparse(path: Path, size: int, *, head: bytes = b"", tail: bytes = b"") -> Path:
    """A file of `size` bytes that takes no room on disk."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size - len(tail))
        file.seek(0, os.SEEK_END)
        file.write(tail)
    return path


END = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 9, 9, 500 * 2**20, 4, 0)


@pytest.mark.parametrize(
    ("size", "head", "tail", "cause"),
    [
        (2**42, b"PK\x03\x04", b"", "too_large"),
        (checkpoint.MAX_BYTES + 1, b"PK\x03\x04", b"", "too_large"),
        (checkpoint.MAX_BYTES, b"", b"", "wrong_format"),
        (checkpoint.MAX_BYTES, b"PK\x03\x04", b"", "truncated"),
        (checkpoint.MAX_BYTES, b"PK\x03\x04", END, "too_large"),
    ],
    ids=["terabytes", "a byte too many", "zeros", "no directory", "a directory of 500 MB"],
)
def test_a_huge_sparse_file_is_refused_without_being_read(size, head, tail, cause, tmp_path):
    path = sparse(tmp_path / "voice.pt", size, head=head, tail=tail)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused(path) == cause
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 2**10  # KiB


def test_a_network_of_the_greatest_width_is_within_the_limit():
    size = 4 * VocoderConfig(width=2048, hidden=8192).least_weights
    assert 800e6 < size < 0.9 * checkpoint.MAX_BYTES


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "other"},
        {"version": 2},
        {"model": {}},
        {"model": {"a": 1}},
        {"features": None},
        {"model": {"a": torch.tensor([torch.nan])}},
    ],
)
def test_a_checkpoint_of_another_shape_is_refused(changes, tmp_path):
    torch.save(document(**changes), tmp_path / "voice.pt")
    assert refused(tmp_path / "voice.pt") == "wrong_format"


def test_a_tensor_that_claims_more_than_its_bytes_is_refused(tmp_path):
    torch.save(document(model={"a": torch.zeros(1).expand(2**40)}), tmp_path / "voice.pt")
    assert refused(tmp_path / "voice.pt") == "wrong_format"


def test_a_zip_that_is_no_checkpoint_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02]q\x00.")
        archive.writestr("archive/version", b"3\n")
    (tmp_path / "voice.pt").write_bytes(buffer.getvalue())
    assert refused(tmp_path / "voice.pt") == "wrong_format"


def test_a_failed_write_leaves_the_old_checkpoint(good, monkeypatch):
    before = good.read_bytes()
    with pytest.raises(TypeError):
        checkpoint.save(good, document(training={"x": object()}))
    assert good.read_bytes() == before
