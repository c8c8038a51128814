"""An evaluation for people: the table of its clips, and its summary, as text that is Markdown too."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.evaluation.estimate import UNKNOWN, Estimate
from trainer.evaluation.evaluation import EvaluatedClip, Evaluation
from trainer.files.markdown import table
from trainer.files.printable import masked

SUMMARY = (
    ("similarity", "similarity to the reference", "similarity", 3),
    ("overall", "DNSMOS P.835 overall", "OVRL", 2),
    ("speech", "DNSMOS P.835 speech", "SIG", 2),
    ("background", "DNSMOS P.835 background", "BAK", 2),
    ("p808", "DNSMOS P.808", "P808", 2),
    ("wer", "word error rate", "WER", 3),
    ("cer", "character error rate", "CER", 3),
    ("faultless", "share of clips without a fault", "faultless", 3),
)
"""Name in the summary, what it is, as the head of a column, decimals."""
SIGN = b"\n## Measured with\n\n- dnsmos_p808: `"
"""Bytes that stand in every document of `markdown`."""
_MOST_LETTERS = 96


def text(evaluation: Evaluation) -> str:
    """What a terminal shows: the summary, and a line for every clip."""
    return f"{summary(evaluation)}\n{clips(evaluation.rows)}"


def markdown(evaluation: Evaluation) -> str:
    """A document: summary, clips, what was heard in those with errors, and what everything depends on."""
    parts = ["# Evaluation", summary(evaluation), "## Clips", clips(evaluation.rows)]
    wrong = heard(evaluation.rows)
    if wrong:
        parts += ["## Heard otherwise", wrong]
    parts += ["## Measured with", "".join(f"- {name}: `{value}`\n" for name, value in sorted(evaluation.pins.items()))]
    return "\n".join(f"{part}\n" if part.startswith("#") else part for part in parts)


def summary(evaluation: Evaluation) -> str:
    """Values with their 95 % intervals."""
    cells = []
    for name, title, _, decimals in SUMMARY:
        found = evaluation.summary.get(name)
        if found:
            cells.append([title, f"{found.value:.{decimals}f}", _interval(found, decimals)])
    facts = (
        f"{evaluation.generated.clips} clips, {evaluation.reference.clips} of reference, {evaluation.similarity_metric}"
    )
    return f"{facts}\n\n{table(['measure', 'value', '95 % interval'], cells)}\n"


def clips(rows: Sequence[EvaluatedClip]) -> str:
    """A line for every clip, its faults last."""
    head = ["clip", "s", "similarity", "OVRL", "P808", "WER", "CER", "LUFS", "faults"]
    return table(head, [_cells(row) for row in rows]) + "\n"


def heard(rows: Sequence[EvaluatedClip]) -> str:
    """A line for every clip of which other words were heard than were meant."""
    return "".join(
        f"- `{_inline(row.file or row.id)}` {_inline(row.prompt)} — heard: {_inline(row.heard) or 'nothing'}\n"
        for row in rows
        if row.word_edits
    )


def _interval(found: Estimate, decimals: int) -> str:
    return UNKNOWN if found.low is None else f"{found.low:.{decimals}f} to {found.high:.{decimals}f}"


def _cells(row: EvaluatedClip) -> list[str]:
    loudness = row.signal.loudness_lufs
    return [
        _inline(row.file or row.id),
        f"{row.seconds:.1f}",
        f"{row.similarity:.3f}",
        f"{row.overall:.2f}",
        f"{row.p808:.2f}",
        _rate(row.word_edits, row.words),
        _rate(row.character_edits, row.characters),
        "-" if loudness is None else f"{loudness:.1f}",
        ", ".join(row.faults) or "-",
    ]


def _rate(edits: int | None, length: int | None) -> str:
    return "-" if edits is None or not length else f"{edits / length:.2f}"


def _inline(value: str) -> str:
    """One line that breaks no table: names and texts are somebody else's."""
    clean = masked(value).replace("|", "\\|").replace("`", "'")
    return clean if len(clean) <= _MOST_LETTERS else f"{clean[: _MOST_LETTERS - 1]}…"
