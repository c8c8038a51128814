"""Two texts that differ, shortened to the place where they do."""

from __future__ import annotations

from trainer.dataset.clip_names import shown

_BEFORE, _AFTER = 12, 36


def difference(before: str, after: str) -> str:
    """`"…a red car…" -> "…a blue car…"`: both texts around the first character that differs, safe to print."""
    first = next((index for index, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    start = max(0, (min(len(before), len(after)) if first is None else first) - _BEFORE)
    return f"{_cut(before, start)} -> {_cut(after, start)}"


def _cut(text: str, start: int) -> str:
    end = start + _BEFORE + _AFTER
    return f'"{"…" if start else ""}{shown(text[start:end])}{"…" if end < len(text) else ""}"'
