"""`batch_report.html` and `batch_report.md`: a finished batch as a page that a person opens, looks at, listens to and sorts.

Equal batches give equal bytes, but for the last section of both, which says what the batch took: that comes from `timing.json` alone. Clips
stay where they are; the page plays them from the folders beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from acceptance.pages import environment, plot, sound
from acceptance.pages.table import Column, Kind, Table
from acceptance.production import batch_content, batch_markdown, batch_pictures, batch_wording, delivery, report
from acceptance.production.batch_content import BatchContent, SortedTake
from acceptance.production.batch_pictures import Key
from trainer.files.atomic_file import write_atomically
from trainer.production import layout

HTML, MARKDOWN = "batch_report.html", "batch_report.md"
_COLOURS = {"approved": "good", "quarantine": "warn", "rejected": "bad"}
_FILES = (MARKDOWN, report.NAME, delivery.TABLE, delivery.VERDICTS, f"approved/{delivery.METADATA}", layout.LEFT_OUT, layout.PLAN,
          layout.TIMING)  # fmt: skip
_PICTURE = Column(title="mel", kind=Kind.PICTURE)
_OF_SEVERAL = (
    Column(title="best", kind=Kind.BADGE, below=True),
    Column(title="take", kind=Kind.NUMBER, digits=0, below=True),
)
"""What says nothing if each prompt has one take."""
_COLUMNS = (
    Column(title="verdict", kind=Kind.BADGE),
    _OF_SEVERAL[0],
    Column(title="prompt"),
    _OF_SEVERAL[1],
    Column(title="text"),
    Column(title="why not approved", below=True),
    Column(title="listen", kind=Kind.PLAYER),
    _PICTURE,
    Column(title="score", kind=Kind.NUMBER, digits=1),
    Column(title="grade", kind=Kind.BADGE, below=True),
    Column(title="similarity", kind=Kind.NUMBER, digits=3),
    Column(title="realism", kind=Kind.NUMBER),
    Column(title="WER", kind=Kind.NUMBER),
    Column(title="seconds", kind=Kind.NUMBER, digits=1),
)


def write(batch: Path) -> list[Path]:
    """Write both pages of a sorted batch, and pictures beside them; returns the pages' paths.

    Raises HarnessError(batch_unreadable) for a batch that is not finished, RuntimeSetupError where torch is missing, TrainingError(disk_full |
    output_not_writable).
    """
    content = batch_content.read(batch)
    page = batch / HTML
    pictures = batch_pictures.drawn(content, page)
    write_atomically(batch / MARKDOWN, batch_markdown.render(content).encode())
    write_atomically(page, render(content, pictures).encode())
    return [batch / MARKDOWN, page]


def render(content: BatchContent, pictures: Mapping[Key, str]) -> str:
    """The page's HTML."""
    counts = content.summary.counts
    page = content.batch / HTML
    return environment.render(
        Path(__file__).with_name("batch_page.html"),
        plan=content.plan.sha256[:12],
        counts=counts,
        good=True if counts.prompts_approved == counts.prompts else None if counts.approved else False,
        headline=batch_wording.headline(counts),
        next=batch_wording.next_step(counts),
        missing=content.missing,
        shares=plot.shares(
            [
                (name, number, _COLOURS[name])
                for name, number in zip(_COLOURS, (counts.approved, counts.quarantined, counts.rejected), strict=True)
            ],
            title=f"{counts.approved} approved, {counts.quarantined} in quarantine, {counts.rejected} rejected",
        ),
        means=batch_wording.means(content),
        best=[_card(one, content, page, pictures) for one in content.summary.best],
        worst=[_card(one, content, page, pictures) for one in content.summary.worst],
        reasons=batch_wording.reasons(content),
        unapproved=content.unapproved,
        plots=_plots(content),
        table=_table(content, page, pictures),
        listed=len(content.takes),
        pictured=len(pictures) if counts.generated > batch_pictures.MOST else None,
        left_out=[
            (one.get("line"), one.get("id") or "–", one.get("text"), one.get("reason")) for one in content.left_out
        ],
        settings=batch_wording.settings(content),
        limits=batch_wording.limits(content),
        pins=batch_wording.pins(content),
        times=batch_wording.times(content),
        files=[name for name in _FILES if name == MARKDOWN or (content.batch / name).is_file()],
    )


def _source(one: SortedTake, content: BatchContent, page: Path) -> str | None:
    """The address of a take's clip; None if it is not there."""
    return sound.beside(content.batch / one.verdict / str(one.file), page) if content.has(one) else None


def _card(one: SortedTake, content: BatchContent, page: Path, pictures: Mapping[Key, str]) -> dict[str, Any]:
    return {
        "name": f"{one.id} t{one.take}",
        "text": one.text,
        "source": _source(one, content, page),
        "picture": pictures.get((one.id, one.take)),
        "score": one.score,
        "grade": one.grade,
        "verdict": one.verdict,
        "seconds": one.seconds,
        "reasons": one.reasons,
        "heard": one.heard,
    }


def _table(content: BatchContent, page: Path, pictures: Mapping[Key, str]) -> Table:
    """All takes that are listed; columns that would say nothing are left out."""
    empty = (*(() if pictures else (_PICTURE,)), *(_OF_SEVERAL if content.plan.takes == 1 else ()))
    kept = [place for place, column in enumerate(_COLUMNS) if column not in empty]
    rows = ([row[place] for place in kept] for row in (_row(one, content, page, pictures) for one in content.takes))
    return Table(caption="takes", columns=[_COLUMNS[place] for place in kept], rows=list(rows))


def _row(one: SortedTake, content: BatchContent, page: Path, pictures: Mapping[Key, str]) -> Sequence[Any]:
    return (
        one.verdict,
        "best" if one.best else None,
        one.id,
        one.take,
        one.text,
        "; ".join(one.reasons) or None,
        _source(one, content, page),
        pictures.get((one.id, one.take)),
        _rounded(one.score),
        one.grade,
        *(_rounded(value) for value in (one.similarity, one.overall, one.wer, one.seconds if one.file else None)),
    )


def _rounded(value: float | None) -> float | None:
    """As much of a number as the table sorts by: a page of 10,000 rows is large."""
    return None if value is None else round(value, 4)


def _plots(content: BatchContent) -> list[tuple[str, Markup]]:
    """(caption, plot) of the scores of all judged takes."""
    policy, scores = content.policy, content.scores
    shown = (
        ("score", "Score", "of 100 points; higher is better", None),
        ("similarity", "Similarity", "to the speaker's real speech; higher is closer", policy["min_similarity"]),
        ("overall", "Realism", "as people would mark it, 1 to 5; higher is better", policy["min_realism"]),
        ("wer", "Word error rate", "of what a recogniser understood; lower is clearer", policy["max_wer"]),
    )
    found = [
        (
            f"{title}: {meaning}.",
            plot.histogram(scores[name].values, title=f"{title} of all takes", x=title.lower(), limit=limit),
        )
        for name, title, meaning, limit in shown
    ]
    groups = [
        plot.Group(
            name=name,
            colour=colour,
            points=list(zip(scores["similarity"].of(name), scores["overall"].of(name), strict=True)),
        )
        for name, colour in _COLOURS.items()
    ]
    scattered = plot.scatter(groups, title="similarity and realism of every take", x="similarity", y="realism")
    found.append(("Similarity and realism together: a dot for each take.", scattered))
    return [(caption, drawn) for caption, drawn in found if drawn]
