"""What a container says of its own size, held against the bytes that are there.

libsndfile believes the file where it is shorter than its header says, so a cut copy would pass for whole. Here the announced size of the
samples is compared with the file. Programs that write into a pipe cannot know that size: they leave a mark, and such a file is read to its end.

Formats: RIFF and RIFX WAV, RF64 and BW64 (EBU 3306), Wave64, AIFF and AIFC, 8SVX, AU, CAF, NIST SPHERE, MP3. FLAC and Ogg are checked as they decode.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from trainer.audio import audio_tags, mpeg_frames
from trainer.files.byte_source import ByteSource

_HIDDEN_BYTES = 65_536  # unparsable bytes behind the samples; beyond it they are audio that the header hides
_BLOCK = 2**20
_OGG_TAIL = 131_072  # longer than the longest page (65,307 bytes), so the last page starts inside
_OGG_LAST_PAGE = 0x04
_LARGEST_32 = 0xFFFFFFFF
_MARKS = (0xFFFFFFFF, 0xFFFF0000, 0x80000000, 0x7FFFFFFF, 0x7FFFF000, 0x7FFF0000, 0x7F000000)
"""Sizes that programs write who do not know it: ffmpeg, lame, arecord, SoX, espeak-ng, GStreamer."""
_MARKS_64 = (2**64 - 1, 2**63 - 1, 2**63)
_COPY = "copy the recording again; where its source is as short, export it again"
_EXPORT = "export the recording again as FLAC"
UNCHECKED = frozenset({"AVR", "IRCAM", "MAT4", "MAT5", "MPC2K", "PAF", "PVF", "SD2", "SDS", "VOC", "WVE", "XI"})
"""Formats of libsndfile that say no size, or one that it does not keep to: a cut copy of them cannot be told from a whole one."""

_FOREIGN = {
    b"\x1a\x45\xdf\xa3": "a WebM or Matroska file", b"<!doctype html": "a web page", b"<html": "a web page", b"<?xml": "an XML text",
    b"pk\3\4": "a ZIP archive", b"\x30\x26\xb2\x75": "a WMA file", b"#!amr": "an AMR file", b"mac ": "a Monkey's Audio file",
    b"wvpk": "a WavPack file", b"%pdf": "a PDF",
}  # fmt: skip
"""Files that are taken for recordings, by how they begin; the case of letters does not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What is wrong with a file's size, with the next step; where its audio ends; and header bytes to read otherwise."""

    end: int
    problem: str | None = None
    cause: str = "audio_truncated"
    """Of the problem."""
    samples: int = 0
    """Of an MP3 without an index: counted, because the decoder would only guess; 0 else."""
    patches: Mapping[int, bytes] = field(default_factory=dict)


def layout(source: ByteSource) -> Layout:
    """Compare the size that a file announces with the bytes that it has; a format that is not known here passes."""
    head = source.at(0, 16)
    for sign, check in _CHECKS.items():
        if head.startswith(sign):
            return check(source)
    return _stream(source)


def foreign(source: ByteSource) -> str | None:
    """What a file is that libsndfile does not read, by its first bytes; None where that is not known."""
    head = source.at(0, 64)
    if head[4:8] == b"ftyp":
        return "this is an MP4 or M4A file, whatever its name"
    text = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    return next(
        (f"this is {what}, whatever its name" for sign, what in _FOREIGN.items() if text.startswith(sign.lower())), None
    )


def has_end_of_stream(source: ByteSource, end: int) -> bool:
    """Whether an Ogg file (RFC 3533) closes with a complete page that carries the end-of-stream flag."""
    start = max(end - _OGG_TAIL, 0)
    tail = source.at(start, end - start)
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27:
        return False
    segments = tail[page + 26]
    body = sum(tail[page + 27 : page + 27 + segments])
    return bool(tail[page + 5] & _OGG_LAST_PAGE) and len(tail) >= page + 27 + segments + body


@dataclass(frozen=True, slots=True, kw_only=True)
class _Samples:
    """The samples as the header places them: their first byte, their announced bytes, and the field that announces them."""

    start: int
    length: int
    field_at: int
    field_format: str
    extra: int = 0
    """Bytes that the field counts besides the samples."""


def _riff(source: ByteSource) -> Layout:
    order = ">" if source.at(0, 4) == b"RIFX" else "<"
    long_size: tuple[int, int] | None = None  # the field and its value, in RF64
    frame = 1
    for offset, name, length in _chunks(source, 12, order):
        if name == b"ds64":
            long_size = (offset + 16, struct.unpack("<Q", source.at(offset + 16, 8).ljust(8, b"\0"))[0])
        elif name == b"fmt ":
            frame = max(struct.unpack(order + "H", source.at(offset + 20, 2).ljust(2, b"\0"))[0], 1)
        elif name == b"data":
            samples = _Samples(start=offset + 8, length=length, field_at=offset + 4, field_format=order + "I")
            if long_size is not None and length == _LARGEST_32:
                samples = _Samples(start=offset + 8, length=long_size[1], field_at=long_size[0], field_format="<Q")
            return _settled(source, samples, frame, lambda at: _chunk_end(source, at, order))
    return Layout(end=source.size)


def _iff(source: ByteSource) -> Layout:
    """AIFF, AIFC (its offset and block size stand before the samples) and 8SVX."""
    for offset, name, length in _chunks(source, 12, ">"):
        if name in (b"SSND", b"BODY"):
            extra = 8 if name == b"SSND" else 0
            samples = _Samples(
                start=offset + 8 + extra,
                length=max(length - extra, 0),
                field_at=offset + 4,
                field_format=">I",
                extra=extra,
            )
            return _settled(source, samples, 1, lambda at: _chunk_end(source, at, ">"))
    return Layout(end=source.size)


def _chunks(source: ByteSource, offset: int, order: str) -> Iterator[tuple[int, bytes, int]]:
    """(offset, name, length) of each chunk whose head is there; chunks of odd length have a byte behind them."""
    while len(head := source.at(offset, 8)) == 8:
        name, length = head[:4], struct.unpack(order + "I", head[4:])[0]
        yield offset, name, length
        offset += 8 + length + (length & 1)


def _chunk_end(source: ByteSource, offset: int, order: str) -> int | None:
    """Where the chunk at `offset` ends; None where none is. Some programs leave the odd byte out."""
    for start in (offset + (offset & 1), offset):
        head = source.at(start, 8)
        if len(head) == 8 and all(32 <= byte < 127 for byte in head[:4]):
            return start + 8 + struct.unpack(order + "I", head[4:])[0]
    return None


def _wave64(source: ByteSource) -> Layout:
    offset = 40
    while len(head := source.at(offset, 24)) == 24:
        length = struct.unpack_from("<Q", head, 16)[0]
        if head[:4] == b"data":
            samples = _Samples(
                start=offset + 24, length=max(length - 24, 0), field_at=offset + 16, field_format="<Q", extra=24
            )
            return _settled(source, samples, 1, lambda at: _wave64_end(source, at))
        offset += max(length + 7 & ~7, 24)
    return Layout(end=source.size)


def _wave64_end(source: ByteSource, offset: int) -> int | None:
    head = source.at(offset + 7 & ~7, 24)
    length = struct.unpack_from("<Q", head, 16)[0] if len(head) == 24 else 0
    return (
        (offset + 7 & ~7) + length
        if 24 <= length <= source.size and all(32 <= byte < 127 for byte in head[:4])
        else None
    )


def _sun(source: ByteSource) -> Layout:
    order = ">" if source.at(0, 4) == b".snd" else "<"
    head = source.at(4, 8)
    if len(head) < 8:
        return Layout(end=source.size)
    start, length = struct.unpack(order + "II", head)
    return _settled(
        source, _Samples(start=start, length=length, field_at=8, field_format=order + "I"), 1, lambda at: None
    )


def _core_audio(source: ByteSource) -> Layout:
    offset = 8
    while len(head := source.at(offset, 12)) == 12:
        name, length = struct.unpack(">4sQ", head)
        if name == b"data":
            samples = _Samples(
                start=offset + 16, length=max(length - 4, 0), field_at=offset + 4, field_format=">Q", extra=4
            )
            return _settled(source, samples, 1, lambda at: _core_audio_end(source, at))
        offset += 12 + length
    return Layout(end=source.size)


def _core_audio_end(source: ByteSource, offset: int) -> int | None:
    head = source.at(offset, 12)
    length = struct.unpack_from(">Q", head, 4)[0] if len(head) == 12 else source.size + 1
    return offset + 12 + length if length <= source.size and all(32 <= byte < 127 for byte in head[:4]) else None


def _sphere(source: ByteSource) -> Layout:
    """NIST SPHERE: a header of lines `name -i value`."""
    head = source.at(0, 1024).split(b"end_head")[0]
    values = {part[0]: part[2] for part in (line.split() for line in head.splitlines()) if len(part) == 3}
    try:
        start = int(source.at(8, 8))
        frame = int(values.get(b"channel_count", b"1")) * int(values[b"sample_n_bytes"])
        length = int(values[b"sample_count"]) * frame
    except (KeyError, ValueError):
        return Layout(end=source.size, problem=f"its header does not say how many samples it has; {_EXPORT}")
    there = max(source.size - start, 0)
    return Layout(end=source.size, problem=_too_short(length, there) if length > there else None)


def _stream(source: ByteSource) -> Layout:
    """FLAC, Ogg and MP3, with tags before and behind them."""
    end = audio_tags.audio_end(source)
    if source.at(audio_tags.skipped(source, 0), 4) in (b"fLaC", b"OggS"):
        return Layout(end=end)
    found = mpeg_frames.find(source)
    if found is None:
        return Layout(end=end)
    announced = found.start + found.announced
    if found.announced and audio_tags.length_at(source, announced):
        end = min(end, announced)  # a tag that is cut itself is no audio either
    if found.announced > end - found.start:
        return Layout(end=end, problem=_too_short(found.announced, end - found.start))
    if found.announced:
        more = mpeg_frames.find(source, announced) if announced < end else None
        problem = f"more MP3 frames follow the {found.announced} bytes that its header announces, as where files are joined; {_EXPORT}"
        return Layout(end=end, problem=problem if more else None, cause="audio_undecodable")
    counted = mpeg_frames.count(source, found.start, end)
    return Layout(
        end=end, problem=f"its last MP3 frame is cut; {_COPY}" if counted.cut else None, samples=counted.samples
    )


def _settled(source: ByteSource, samples: _Samples, frame: int, chunk_end: Callable[[int], int | None]) -> Layout:
    """Judge where the samples end; `frame` is how many bytes belong together, `chunk_end` finds the end of a chunk behind them."""
    there = max(source.size - samples.start, 0)
    if not samples.length and _behind(source, samples.start, chunk_end) == source.size:
        return Layout(end=source.size)  # no samples, and nothing but chunks behind them
    if _is_mark(samples, frame):
        return _to_the_end(source, samples)
    if samples.length > there:
        return Layout(end=source.size, problem=_too_short(samples.length, there))
    behind = _behind(source, samples.start + samples.length, chunk_end)
    hidden = audio_tags.audio_end(source) - behind
    if hidden > _HIDDEN_BYTES and not _only_zeros(source, behind):
        return Layout(
            end=source.size, problem=f"the header ends the samples {hidden} bytes before the end of the file; {_EXPORT}"
        )
    return Layout(end=source.size)


def _is_mark(samples: _Samples, frame: int) -> bool:
    """Whether the size is one of those that mean "not known": a mark, less the header before the samples, or in whole frames."""
    if not samples.length or samples.length + samples.extra in _MARKS_64:
        return True
    headers = {0, 8, 36, 44, samples.start, samples.start - 8}
    rooms = {mark - header for mark in _MARKS for header in headers}
    sizes = {samples.length, samples.length + samples.extra}
    return bool(sizes & rooms) or samples.length in {room - room % frame for room in rooms}


def _to_the_end(source: ByteSource, samples: _Samples) -> Layout:
    end = audio_tags.audio_end(source)
    length = max(end - samples.start, 0) + samples.extra
    if length > 256 ** struct.calcsize(samples.field_format) - 1:
        return Layout(
            end=end, problem=f"its size is not known and {length} bytes are more than this format holds; {_EXPORT}"
        )
    return Layout(end=end, patches={samples.field_at: struct.pack(samples.field_format, length)})


def _behind(source: ByteSource, offset: int, chunk_end: Callable[[int], int | None]) -> int:
    """Where chunks and tags behind the samples end; they may be cut, they hold no sound."""
    while offset < source.size:
        following = chunk_end(offset) or audio_tags.skipped(source, offset)
        if following <= offset:
            break
        offset = following
    return min(offset, source.size)


def _only_zeros(source: ByteSource, offset: int) -> bool:
    """Whether a recorder only reserved the rest of the file."""
    while data := source.at(offset, _BLOCK):
        if data.count(0) != len(data):
            return False
        offset += len(data)
    return True


def _too_short(announced: int, there: int) -> str:
    return f"the header announces {announced} bytes of samples but only {there} are there; {_COPY}"


_CHECKS: Mapping[bytes, Callable[[ByteSource], Layout]] = {
    b"RIFF": _riff, b"RIFX": _riff, b"RF64": _riff, b"BW64": _riff, b"riff\x2e\x91\xcf\x11": _wave64, b"FORM": _iff,
    b".snd": _sun, b"dns.": _sun, b"caff": _core_audio, b"NIST_1A": _sphere,
}  # fmt: skip
