"""A summary, a comparison and a verification for people: plain text, and a comparison in Markdown. Names and texts are made safe to print."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from acceptance.manifests.comparison import Change, ChangeKind, DatasetComparison, excerpts
from acceptance.manifests.dataset import Dataset
from acceptance.manifests.summary import summarise
from acceptance.manifests.verification import Fault
from trainer.dataset.clip_names import shown
from trainer.files.markdown import table

_GROUPS, _IDS = 5, 6
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<|#~])")


def summary_text(dataset: Dataset) -> str:
    """Counts, distributions and identical clips, a line each."""
    summary = summarise(dataset.items)
    rows = [
        ("clips", f"{summary['items']}, {summary['minutes']:.2f} min, {summary['bytes']} bytes"),
        *((name, _spread(values)) for name, values in summary["distributions"].items() if values),
        ("sample rates", _counts(summary["sample_rates"])),
        ("channels", _counts(summary["channels"])),
        ("formats", _counts(summary["formats"])),
        ("without transcript", str(summary["without_transcript"])),
        ("not listed", ", ".join(shown(path) for path in (dataset.unlisted or ())[:_IDS]) or "none"),
    ]
    rows += [("identical transcript", f'"{shown(group["transcript"][:40])}": {_ids(group["ids"])}')
             for group in summary["identical_transcripts"][:_GROUPS]]  # fmt: skip
    rows += [
        ("identical audio", f"{group['sha256'][:12]}: {_ids(group['ids'])}")
        for group in summary["identical_audio"][:_GROUPS]
    ]
    for name in ("identical_transcripts", "identical_audio"):
        if len(summary[name]) > _GROUPS:
            rows.append((name.replace("_", " "), f"and {len(summary[name]) - _GROUPS} groups more"))
    return "\n".join(f"{name.replace('_', ' '):<21}{value}" for name, value in rows)


def comparison_text(comparison: DatasetComparison, before: Dataset, after: Dataset, labels: Sequence[str]) -> str:
    """A line for both datasets, then one for each change."""
    lines = [f"{shown(labels[0])} -> {shown(labels[1])}: {headline(comparison, before, after)}"]
    width = max((len(_name(change)) for change in comparison.changes), default=0)
    lines += [
        f"{change.kind.replace('_', ' '):<19} {_name(change):<{width}}  {_detail(change)}"
        for change in comparison.changes
    ]
    return "\n".join(lines)


def headline(comparison: DatasetComparison, before: Dataset, after: Dataset) -> str:
    """How many changes of which kind, and what they do to the whole."""
    counts = [f"{len(found)} {kind.replace('_', ' ')}" for kind in ChangeKind if (found := comparison.of(kind))]
    whole = f"clips {len(before.items)} -> {len(after.items)}, {before.minutes:.2f} -> {after.minutes:.2f} min"
    return f"{', '.join(counts) or 'no difference'} ({comparison.unchanged} unchanged; {whole})"


def comparison_markdown(comparison: DatasetComparison, before: Dataset, after: Dataset, labels: Sequence[str]) -> str:
    """A heading, the sentence of `headline`, and a table of changes."""
    lines = [
        f"## {_markdown(labels[0])} → {_markdown(labels[1])}",
        "",
        _markdown(headline(comparison, before, after)),
    ]
    if comparison.changes:
        rows = [
            (change.kind.replace("_", " "), _markdown(_name(change)), _markdown(_detail(change)))
            for change in comparison.changes
        ]
        lines += ["", table(("change", "clip", "what"), rows, left=(0, 1, 2))]
    return "\n".join(lines)


def comparison_document(comparison: DatasetComparison, before: Dataset, after: Dataset) -> dict[str, Any]:
    """The same as one JSON object."""
    sides = {name: {"sha256": side.sha256, "items": len(side.items), "minutes": round(side.minutes, 4)}
             for name, side in (("before", before), ("after", after))}  # fmt: skip
    counts = {str(kind): len(comparison.of(kind)) for kind in ChangeKind}
    return {
        **sides,
        "changes": [asdict(change) for change in comparison.changes],
        "counts": counts,
        "unchanged": comparison.unchanged,
    }


def faults_text(faults: Sequence[Fault], label: str, items: int) -> str:
    """A line for the whole, then one for each fault."""
    if not faults:
        return f"{shown(label)}: {items} clips, all as listed"
    lines = [f"{shown(label)}: {items} clips listed, {len(faults)} fault{'s' * (len(faults) > 1)}"]
    lines += [
        f"{fault.kind.replace('_', ' '):<19} {shown(fault.path)}  {shown(fault.detail)}".rstrip() for fault in faults
    ]
    return "\n".join(lines)


def _name(change: Change) -> str:
    return shown(change.id if change.id == change.id_before else f"{change.id_before} -> {change.id}")


def _detail(change: Change) -> str:
    if change.kind is ChangeKind.TRANSCRIPT:
        return excerpts(change.before["transcript"], change.after["transcript"])
    if not (change.before and change.after):
        facts = change.before or change.after
        return f"{shown(facts['path'])}, {facts['duration_s']:.2f} s"
    fields = [name for name in change.after if name != "id"]
    return ", ".join(
        f"{name.replace('_', ' ')} {_value(name, change.before)} -> {_value(name, change.after)}" for name in fields
    )


def _value(name: str, facts: Mapping[str, Any]) -> str:
    return str(facts[name])[:12] if name == "sha256" else shown(str(facts[name]))


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", shown(text))


def _spread(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items())


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{value} ({count})" for value, count in counts.items())


def _ids(ids: Sequence[str]) -> str:
    return ", ".join(shown(each) for each in ids[:_IDS]) + (f" and {len(ids) - _IDS} more" if len(ids) > _IDS else "")
