"""Another package called `trainer` (Coqui's has that name too) must not be taken for this project's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

_OURS = Path(__file__).resolve().parents[2] / "trainer"


def foreign_trainer() -> str | None:
    """Where another `trainer` is found first, and what to do; None where this project's is."""
    spec = find_spec("trainer")
    found = Path(spec.origin).resolve().parent if spec is not None and spec.origin else None
    if found == _OURS:
        return None
    if found is None:
        return f"this project's package `trainer` is not installed beside {_OURS.parent / 'acceptance'}; install voice-acceptance again"
    return (
        f"another package called `trainer` is found first: {found}; keep the two in environments of their own "
        "(python -m venv .venv), or uninstall that one: pip uninstall coqui-tts-trainer trainer"
    )
