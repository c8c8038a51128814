"""Files that people put beside a recording and that hold no plain text: named for what they are."""

from __future__ import annotations

import re

_SAVE = "save it as plain text (.txt, UTF-8)"
_BYTES: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "a Rich Text document"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a Word, OpenDocument or EPUB document (a ZIP archive)"),
    (b"\xd0\xcf\x11\xe0", "an old Word document"),
    (b"\x1f\x8b", "a gzip archive"),
)
_TEXTS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<ANNOTATION_DOCUMENT\b", re.DOTALL),
        "an ELAN file",
        "export its tier as text or SRT",
    ),
    (re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?tt\b"), "a TTML subtitle file", "convert it to SRT or WebVTT"),
    (re.compile(r"\s*\[Script Info\]", re.IGNORECASE), "an ASS/SSA subtitle file", "convert it to SRT or WebVTT"),
    (re.compile(r"\{\d+\}\{\d+\}"), "a MicroDVD subtitle file", "convert it to SRT or WebVTT"),
    (
        re.compile(r'\s*(?:"lo-res tier"|File type = "oo(?!TextFile))'),
        "a binary or unknown Praat file",
        "save it as a TextGrid text file",
    ),
    (re.compile(r"(?:\\documentclass|\\begin\{)"), "a LaTeX source", _SAVE),
)


def refused_bytes(data: bytes) -> tuple[str, str] | None:
    """(what a file is, what to do) for a document that is not text; None for anything else."""
    return next(((what, _SAVE) for mark, what in _BYTES if data.startswith(mark)), None)


def refused_text(text: str) -> tuple[str, str] | None:
    """(what a text is, what to do) for a format that is text and is not read; None for anything else."""
    return next(((what, step) for pattern, what, step in _TEXTS if pattern.match(text)), None)
