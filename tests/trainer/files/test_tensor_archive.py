"""Archives from an enemy: pickles that grow, archives that two readers see differently, and nothing that takes more than a moment."""

from __future__ import annotations

import contextlib
import functools
import io
import pickle
import resource
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.files import checkpoint, plain_pickle, tensor_archive
from trainer.files.plain_pickle import PlainPickleError
from trainer.files.tensor_archive import CheckpointError

KIB_OF_ROOM = 64 * 2**10


def archive(pickled: bytes, **members: bytes) -> bytes:
    """A stored ZIP archive as torch lays it out, around any pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("archive/data.pkl", pickled)
        for name, content in members.items():
            file.writestr(f"archive/{name}", content)
        file.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def reduced(name: str, *arguments: bytes) -> bytes:
    return b"c" + name.replace(" ", "\n").encode() + b"\n(" + b"".join(arguments) + b"tR"


def number(value: int) -> bytes:
    data = value.to_bytes(8, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def shared_lists(width: int, depth: int) -> bytes:
    """Each of `depth` lists holds the one below `width` times: width ** depth values in some hundred bytes to a few thousand."""
    return pickle.dumps({"x": functools.reduce(lambda below, _: [below] * width, range(depth), 0)}, protocol=2)


def hexed(times: int) -> bytes:
    """Two bytes that _codecs.encode doubles so many times; text would be refused by the codec itself."""
    value = reduced("_codecs encode", text("00"), text("latin1"))
    for _ in range(times):
        value = reduced("_codecs encode", value, text("hex"))
    return b"\x80\x02}" + text("x") + value + b"s."


def tensor(numel: int, shape: int, stride: int = 1, key: str = "0") -> bytes:
    place = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + number(numel) + b"tQ"
    return reduced(
        "torch._utils _rebuild_tensor_v2", place, b"K\x00", number(shape) + b"\x85", number(stride) + b"\x85", b"\x89",
        b"ccollections\nOrderedDict\n)R",
    )  # fmt: skip


NOT_PLAIN = "more than tensors and plain containers"
HOSTILE = {
    "a bytearray of 6 GiB": (
        b"\x80\x02}" + text("x") + reduced("__builtin__ bytearray", number(6 * 2**30)) + b"s.",
        "unsafe_pickle",
        NOT_PLAIN,
    ),
    "hex 31 times": (hexed(31), "unsafe_pickle", NOT_PLAIN),
    "hex 33 times": (hexed(33), "unsafe_pickle", NOT_PLAIN),
    "shared lists, 10 wide and 10 deep": (shared_lists(10, 10), "wrong_format", "more than 500000 values"),
    "shared lists, 1000 wide and 2 deep": (shared_lists(1000, 2), "wrong_format", "more than 500000 values"),
    "nested too deep": (
        b"\x80\x02}" + text("x") + b"]" * 100_000 + b"a" * 99_999 + b"s.",
        "wrong_format",
        "nested too deep",
    ),
    "ten million marks": (b"\x80\x02}" + b"(" * 10_000_000 + b".", "wrong_format", "more than 1000000 objects"),
    "millions of empty lists": (b"\x80\x02(" + b"]" * 5_000_000 + b"t.", "wrong_format", "more than 1000000 objects"),
    "steps without end": (b"\x80\x02}" + b"q\x00" * 5_000_000 + b".", "wrong_format", "more than 2000000 steps"),
    "a text longer than the file": (
        b"\x80\x02}" + b"X" + struct.pack("<I", 2**32 - 1) + b"x.",
        "wrong_format",
        "cut off",
    ),
    "a number of 255 bytes": (
        b"\x80\x02}" + text("x") + b"\x8a\xff" + b"\x01" * 255 + b"s.",
        "wrong_format",
        "a whole number is too long",
    ),
    "a list in itself": (b"\x80\x02}" + text("x") + b"]q\x00h\x00as.", "wrong_format", "nested too deep"),
    "a tensor of which nothing is stored": (
        b"\x80\x02}" + text("x") + tensor(2**40, 2**40) + b"s.",
        "too_large",
        "more than 4 times as large",
    ),
    "a stride of zero": (b"\x80\x02}" + text("x") + tensor(1, 2**40, 0) + b"s.", "wrong_format", "not contiguous"),
    "a build": (b"\x80\x02}" + text("x") + b"}}bs.", "unsafe_pickle", NOT_PLAIN),
    "protocol 4": (b"\x80\x04}.", "unsafe_pickle", "not of the protocol"),
    "an extension": (b"\x80\x02\x82\x01.", "unsafe_pickle", NOT_PLAIN),
    "a global of torch": (
        b"\x80\x02}" + text("x") + reduced("torch load", text("/etc/passwd")) + b"s.",
        "unsafe_pickle",
        NOT_PLAIN,
    ),
    "nothing": (b"", "wrong_format", "cut off"),
    "two values": (b"\x80\x02}}.", "wrong_format", "too early or too late"),
    "something behind it": (b"\x80\x02}.}.", "wrong_format", "too early or too late"),
    "no dictionary": (b"\x80\x02].", "wrong_format", "not a dictionary"),
    "a key twice": (b"\x80\x02}" + text("x") + b"Ns" + text("x") + b"Ns.", "wrong_format", "stands twice"),
}
"""What is hostile -> the pickle, the cause and what the refusal says, so that no other rule than the one meant refuses it."""


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_pickle_is_refused_in_a_moment_and_in_little_room(kind: str, tmp_path: Path) -> None:
    pickled, cause, says = HOSTILE[kind]
    (tmp_path / "voice.pt").write_bytes(archive(pickled, **{"data/0": b"\0\0\0\0"} if b"storage" in pickled else {}))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(CheckpointError, match=says) as caught:
        tensor_archive.read(tmp_path / "voice.pt")
    assert caught.value.cause == cause, caught.value
    assert time.process_time() - began < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2 * KIB_OF_ROOM


def test_tensors_that_share_a_few_bytes_a_hundred_thousand_times_are_refused(tmp_path: Path) -> None:
    one = tensor(250_000, 250_000) + b"q\x00"
    many = b"\x80\x02}" + text("x") + b"](" + one + b"h\x00" * 100_000 + b"es."
    (tmp_path / "voice.pt").write_bytes(archive(many, **{"data/0": bytes(1_000_000)}))
    with pytest.raises(CheckpointError) as caught:
        tensor_archive.read(tmp_path / "voice.pt")
    assert caught.value.cause == "too_large"


def honest() -> bytes:
    return checkpoint.serialise(
        {"format": "x/y", "model": {"a": torch.arange(64.0), "b": torch.ones(3, dtype=torch.bool)}}
    )


@pytest.mark.parametrize("cut", [*range(1, 23), 500])
def test_a_file_that_was_cut_short_is_not_said_to_be_too_long(cut: int, tmp_path: Path) -> None:
    (tmp_path / "voice.pt").write_bytes(honest()[:-cut])
    with pytest.raises(CheckpointError, match="it has no end record"):
        tensor_archive.read(tmp_path / "voice.pt")


def _renamed(data: bytes) -> bytes:
    """The same name twice, in the headers of the members and in the directory."""
    return data.replace(b"archive/byteorder", b"archive/data/0xxx").replace(
        b"archive/data/0xxx", b"archive/data/0\0\0\0"
    )


def _duplicate(data: bytes) -> bytes:
    buffer = io.BytesIO(data)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(buffer, "a") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}.")
    return buffer.getvalue()


def _claiming(data: bytes, size: int) -> bytes:
    """Its end record claims a directory of `size` bytes."""
    return data[:-10] + struct.pack("<I", size) + data[-6:]


def _commented(data: bytes) -> bytes:
    return data[:-2] + struct.pack("<H", 4) + b"more"


def _hidden_between(data: bytes) -> bytes:
    """A member that the directory leaves out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}.")
        file.writestr("archive/hidden", b"hidden")
        file.writestr("archive/version", b"3\n")
        del file.filelist[1]
    return buffer.getvalue()


def _other_local_name(data: bytes) -> bytes:
    return data.replace(b"archive/byteorder", b"archive/byteORDER", 1)


SEEN_DIFFERENTLY: dict[str, Callable[[bytes], bytes]] = {
    "junk behind it": lambda data: data + b"junk",
    "zeros behind it": lambda data: data + bytes(4096),
    "a second archive behind it": lambda data: data + data,
    "another archive behind it": lambda data: data + archive(b"\x80\x02}."),
    "junk before it": lambda data: b"PK\x03\x04" + data,
    "a directory of 2 GiB": lambda data: _claiming(data, 2**31),
    "a directory of one byte more": lambda data: _claiming(data, struct.unpack("<I", data[-10:-6])[0] + 1),
    "a name twice": _duplicate,
    "a comment": _commented,
    "a member that the directory leaves out": _hidden_between,
    "another name in the member than in the directory": _other_local_name,
    "a name with zeros": _renamed,
}


@pytest.mark.parametrize("kind", SEEN_DIFFERENTLY)
def test_an_archive_that_two_readers_could_see_differently_is_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "voice.pt").write_bytes(SEEN_DIFFERENTLY[kind](honest()))
    with pytest.raises(CheckpointError) as caught:
        tensor_archive.read(tmp_path / "voice.pt")
    assert caught.value.cause in ("wrong_format", "crc", "too_large"), caught.value


def test_members_that_nothing_refers_to_are_refused(tmp_path: Path) -> None:
    (tmp_path / "voice.pt").write_bytes(archive(b"\x80\x02}.", **{"data/7": b"payload"}))
    with pytest.raises(CheckpointError, match="belong together"):
        tensor_archive.read(tmp_path / "voice.pt")


def test_what_torch_saves_is_read_as_torch_reads_it(tmp_path: Path) -> None:
    shared = torch.arange(12, dtype=torch.int64)
    document = {
        "w": {name: torch.randn(3, 4).to(dtype) for name, dtype in checkpoint.DTYPES.items()},
        "views": [shared[2:8], shared, shared.reshape(3, 4), torch.zeros(0), torch.zeros(2, 0, 3), torch.tensor(1.5)],
        "plain": [1, -(2**80), 1.5, "ü\n", None, True, (), ("a", [{}])], 7: {-1: "negative"},
    }  # fmt: skip
    torch.save(document, tmp_path / "voice.pt")
    found, expected = (
        checkpoint.read_container(tmp_path / "voice.pt"),
        torch.load(tmp_path / "voice.pt", weights_only=True),
    )
    assert checkpoint.content_sha256(found) == checkpoint.content_sha256(expected)
    assert found["plain"] == expected["plain"] and list(found) == list(expected)
    pairs = [
        *zip(found["views"], expected["views"], strict=True),
        *zip(found["w"].values(), expected["w"].values(), strict=True),
    ]
    for one, other in pairs:
        assert (one.dtype, one.shape) == (other.dtype, other.shape) and torch.equal(one, other)


def test_the_content_hash_is_the_same_with_torch_and_without(tmp_path: Path) -> None:
    (tmp_path / "voice.pt").write_bytes(honest())
    without = tensor_archive.content_sha256(tensor_archive.read(tmp_path / "voice.pt").document)
    assert without == checkpoint.content_sha256(checkpoint.read_container(tmp_path / "voice.pt"))


@given(st.data())
def test_no_change_of_a_few_bytes_of_a_pickle_does_more_than_be_refused(data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(honest())) as file:
        pickled = bytearray(file.read("archive/data.pkl"))
    for _ in range(data.draw(st.integers(1, 4))):
        pickled[data.draw(st.integers(0, len(pickled) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PlainPickleError):
        plain_pickle.loads(bytes(pickled))


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_no_bytes_between_magic_and_end_record_do_more_than_be_refused(body: bytes, size: int) -> None:
    data = (
        b"PK\x03\x04"
        + body
        + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, size, len(body) + 4, 0)
        + zlib.crc32(body).to_bytes(4, "little")
    )
    for candidate in (data, data[:-4]):
        with pytest.raises(CheckpointError):
            tensor_archive._layout(lambda at, count: candidate[at : at + count], len(candidate), 1000)  # noqa: B023
