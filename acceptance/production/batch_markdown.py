"""`batch_report.md`: the same as the page, as text for a repository or a chat; the last section alone differs from run to run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from acceptance.production import batch_wording
from acceptance.production.batch_content import BatchContent, SortedTake
from acceptance.production.batch_wording import Fact
from trainer.files.markdown import cell, table

_SIGNS = re.compile(r"([`*{}\[\]<>#~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
"""Signs that would make a link, an element or a style of a text (`cell` knows the rest)."""
_LONGEST, _LONGEST_REASONS = 120, 600


def render(content: BatchContent) -> str:
    """The page's Markdown."""
    return "\n\n".join(block for block in _blocks(content) if block) + "\n"


def _blocks(content: BatchContent) -> Iterator[str]:
    counts, summary = content.summary.counts, content.summary
    yield f"# Voice production: batch {content.plan.sha256[:12]}"
    yield f"**{batch_wording.headline(counts)}.** {batch_wording.next_step(counts)}"
    yield table(
        ("generated", "approved", "rejected", "quarantined", "left out"),
        [[str(n) for n in (counts.generated, counts.approved, counts.rejected, counts.quarantined, counts.left_out)]],
        left=(),
    )
    yield from _section("Means of the approved takes", _facts(batch_wording.means(content)))
    yield from _section("The best", _takes(summary.best))
    yield from _section("The worst", _takes(summary.worst, reasons=True))
    yield from _section(
        "Why takes were not approved",
        _table(
            ("reason", "takes", "limit or cause"),
            [(_said(one.meaning), str(one.count), _said(one.limit)) for one in batch_wording.reasons(content)],
            left=(0, 2),
        ),
    )
    yield from _section("Prompts without an approved take", _takes(content.unapproved, reasons=True))
    if len(content.unapproved) < (all_of := counts.prompts - counts.prompts_approved):
        yield f"The first {len(content.unapproved)} of {all_of}."
    yield from _section(
        "Prompts that were left out",
        _table(
            ("line", "text", "why"),
            [
                (str(one.get("line")), _said(str(one.get("text"))), _said(str(one.get("reason"))))
                for one in content.left_out
            ],
            left=(1, 2),
        ),
    )
    if len(content.left_out) < counts.left_out:
        yield f"The first {len(content.left_out)} of {counts.left_out}. All are in left_out.jsonl."
    yield from _section("What it was made with", _facts(batch_wording.settings(content)))
    yield from _section("The limits of the policy", _facts(batch_wording.limits(content)))
    yield from _section("The instruments", _facts(batch_wording.pins(content)))
    yield from _section("What it took", _facts(batch_wording.times(content)))


def _section(title: str, text: str) -> Iterator[str]:
    if text:
        yield f"## {title}"
        yield text


def _facts(facts: Sequence[Fact]) -> str:
    return _table(("what", "value"), [(_said(name), _said(value)) for name, value in facts], left=(0, 1))


def _takes(takes: Iterable[SortedTake], *, reasons: bool = False) -> str:
    heading = ("prompt", "take", "score", "text", *(("verdict", "why") if reasons else ()))
    rows = []
    for one in takes:
        row = [_said(one.id), str(one.take), "–" if one.score is None else f"{one.score:.1f}", _said(one.text)]
        rows.append([*row, one.verdict, _said("; ".join(one.reasons), _LONGEST_REASONS)] if reasons else row)
    return _table(heading, rows, left=(0, 3, 4, 5))


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[int]) -> str:
    return table(heading, rows, left=left) if rows else ""


def _said(text: str, longest: int = _LONGEST) -> str:
    """A text that others wrote, as one cell in which no sign has a meaning."""
    return _SIGNS.sub(r"\\\1", cell(text, longest))
