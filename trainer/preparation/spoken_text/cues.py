"""Texts with times, as recognisers and subtitle tools write them. Times never become words."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable

_CLOCK = r"(?:\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_ARROW = re.compile(rf"\s*\[?\s*{_CLOCK}\s*-->\s*{_CLOCK}\s*\]?(?P<rest>.*)")
_WHISPER = re.compile(rf"\s*\[\s*{_CLOCK}\s*-->\s*{_CLOCK}\s*\](?P<text>.*)")
_SBV = re.compile(r"\s*\d{1,2}:\d{2}:\d{2}\.\d{3},\d{1,2}:\d{2}:\d{2}\.\d{3}\s*")
_LRC = re.compile(r"\s*(?P<times>(?:\[\d{1,3}:\d{2}(?:[.:]\d{1,3})?\])+)(?P<text>.*)")
_LRC_TAG = re.compile(r"\s*\[(?:ar|ti|al|au|by|re|ve|length|offset|la|#)[^\]]*\]\s*", re.IGNORECASE)
_LABEL = re.compile(r"\s*(?P<start>\d+(?:[.,]\d+)?)[\t ]+(?P<end>\d+(?:[.,]\d+)?)(?:[\t ]+(?P<text>.*))?")
_SPECTRAL = re.compile(r"\\\t")
_INTERVAL = re.compile(r'^\s*(?:text|mark)\s*=\s*"((?:[^"]|"")*)"\s*$', re.MULTILINE)
_TIER = re.compile(r'name\s*=\s*"((?:[^"]|"")*)"')
_BLOCK = re.compile(r"\n[ \t]*\n")
_CUE_TAG = re.compile(r"</?(?:[cibuv]|ruby|rt|lang|\d{1,2}:\d{2}[:.\d]*)(?:[. ][^<>\n]{0,200})?>")
_ASS_TAG = re.compile(r"\{\\[^{}]{0,200}\}")
_MOST_JSON_DEPTH = 6

Cues = list[str]


class CueError(ValueError):
    """A text with times that cannot be read; the message says what is wrong and what to do."""


def find(text: str) -> tuple[str, Cues] | None:
    """(name of the format, what is said cue by cue), or None for a text without times. Raises CueError."""
    for name, reader in _READERS:
        cues = reader(text)
        if cues is not None:
            return name, [clean for cue in cues if (clean := " ".join(_without_tags(cue).split()))]
    return None


def _without_tags(cue: str) -> str:
    return _ASS_TAG.sub("", _CUE_TAG.sub("", cue))


def _webvtt(text: str) -> Cues | None:
    if not re.match(r"WEBVTT(?:[ \t\n]|$)", text):
        return None
    found = []
    for block in _BLOCK.split(text)[1:]:
        lines = block.strip("\n").split("\n")
        at = next((index for index, line in enumerate(lines[:2]) if _ARROW.fullmatch(line)), None)
        if at is not None:  # else NOTE, STYLE, REGION or the header
            found.append(" ".join(lines[at + 1 :]))
    return found


def _subrip(text: str) -> Cues | None:
    lines = text.split("\n")
    times = [
        index
        for index, line in enumerate(lines)
        if "-->" in line and _ARROW.fullmatch(line) and not _WHISPER.fullmatch(line)
    ]
    if not times or next((line for line in lines if line.strip()), "") not in (
        lines[times[0]],
        lines[max(0, times[0] - 1)],
    ):
        return None
    found = []
    for place, following in zip(times, [*times[1:], len(lines) + 1], strict=True):
        said = lines[place + 1 : following]
        if following <= len(lines) and said and re.fullmatch(r"\s*\d{1,9}\s*", said[-1]):
            said = said[:-1]  # the next cue's number
        found.append(" ".join(said))
    return found


def _whisper(text: str) -> Cues | None:
    found = [match["text"] for line in text.split("\n") if (match := _WHISPER.fullmatch(line))]
    rest = sum(bool(line.strip()) for line in text.split("\n")) - len(found)
    return found if found and rest <= len(found) else None


def _sbv(text: str) -> Cues | None:
    lines = text.strip("\n").split("\n")
    if not _SBV.fullmatch(lines[0]):
        return None
    return [" ".join(line for line in block.split("\n") if not _SBV.fullmatch(line)) for block in _BLOCK.split(text)]


def _lyrics(text: str) -> Cues | None:
    lines = [line for line in text.split("\n") if line.strip() and not _LRC_TAG.fullmatch(line)]
    found = [match for line in lines if (match := _LRC.fullmatch(line))]
    if not found or len(found) < len(lines):
        return None
    return [re.sub(r"<\d{1,3}:\d{2}[.:\d]*>", "", match["text"]) for match in found]


def _table(text: str) -> Cues | None:
    lines = [line for line in text.split("\n") if line.strip()]
    separator = next((sign for sign in "\t,;" if lines and sign in lines[0]), "\t")
    header = [cell.strip().lower() for cell in lines[0].split(separator)] if lines else []
    column = next((header.index(name) for name in ("text", "label", "transcript") if name in header), None)
    if column is None or not {"start", "end"} <= {*header}:
        return None
    # A table with tabs may hold quotation marks as they are.
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    rows = list(csv.reader(lines[1:], delimiter=separator, quoting=quoting))
    return [
        separator.join(row[column:]) if column == len(header) - 1 else row[column] for row in rows if len(row) > column
    ]


def _labels(text: str) -> Cues | None:
    lines = [line for line in text.split("\n") if line.strip() and not _SPECTRAL.match(line)]
    found = [match for line in lines if (match := _LABEL.fullmatch(line))]
    return [match["text"] or "" for match in found] if found and len(found) == len(lines) else None


def _json(text: str) -> Cues | None:
    if not text.lstrip()[:1] or text.lstrip()[0] not in "{[":
        return None
    try:
        value = json.loads(text)
    except RecursionError:
        raise CueError("JSON that is nested too deeply; give Whisper's own JSON, or plain text") from None
    except ValueError:
        # Plain text may begin with a bracket; a broken JSON file has its keys.
        if re.match(r'\s*[\[{]\s*[\[{"]', text):
            raise CueError("JSON that does not end as it should; write it again, or give plain text") from None
        return None
    found = _texts(value, 0)
    if found is None:
        raise CueError("JSON without segments that have a text; give Whisper's own JSON, or plain text")
    return found


def _texts(value: object, depth: int) -> Cues | None:
    """The texts of a recogniser's JSON: of its segments, else of the whole."""
    if depth > _MOST_JSON_DEPTH:
        return None
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        texts = [item.get("text", item.get("transcript", item.get("word"))) for item in value]
        return texts if all(isinstance(text, str) for text in texts) else None
    if isinstance(value, dict):
        for key in ("segments", "transcription", "results", "result", "utterances", "monologues", "text", "transcript"):
            inner = value.get(key)
            if isinstance(inner, str) and inner.strip():
                return [inner]
            found = _texts(inner, depth + 1)
            if found is not None:
                return found
    return None


def _textgrid(text: str) -> Cues | None:
    if not re.match(r'\s*File type = "ooTextFile"', text):
        return None
    tiers = re.split(r"^\s*item \[\d+\]:", text, flags=re.MULTILINE)[1:]
    if not tiers:
        raise CueError("a Praat TextGrid in short form; save it as a (long) text file, or give plain text")
    names = [(match[1] if (match := _TIER.search(tier)) else "") for tier in tiers]
    wanted = [
        index
        for index, name in enumerate(names)
        if re.search(r"word|text|transcri|utter|sentence|ortho|speech", name, re.IGNORECASE)
    ]
    if len(tiers) > 1 and len(wanted) != 1:
        raise CueError(
            f"a Praat TextGrid with the tiers {', '.join(names)[:80]}; keep the tier that says what is spoken"
        )
    return [said.replace('""', '"') for said in _INTERVAL.findall(tiers[wanted[0] if wanted else 0])]


_READERS: tuple[tuple[str, Callable[[str], Cues | None]], ...] = (
    ("WebVTT subtitles", _webvtt),
    ("a Whisper transcript with times", _whisper),
    ("SRT subtitles", _subrip),
    ("SBV subtitles", _sbv),
    ("LRC lines", _lyrics),
    ("a table with start and end", _table),
    ("Audacity labels", _labels),
    ("a Praat TextGrid", _textgrid),
    ("a recogniser's JSON", _json),
)
