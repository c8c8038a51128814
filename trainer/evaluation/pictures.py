"""Pictures as PNG, the same bytes for the same numbers: mel spectrograms above each other, and a table of scores."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import soxr
import torch

from trainer.audio import features
from trainer.errors import RuntimeSetupError
from trainer.evaluation.evaluation import EvaluatedClip, Evaluation
from trainer.evaluation.rating import Row
from trainer.files import output_file

PANELS = (
    ("similarity", "similarity to the held-out speaker", "higher is closer"),
    ("word_errors", "word error rate", "lower is clearer"),
    ("overall", "DNSMOS P.835 overall", "higher is better"),
    ("p808", "DNSMOS P.808", "higher is better"),
)
"""Field of a Row, title, and which way is good."""
_NAMED_CLIPS = 200
_IN_SUMMARY = {"similarity": "similarity", "word_errors": "wer", "overall": "overall", "p808": "p808"}
"""The same measures in an evaluation."""


def mels(waves: Mapping[str, tuple[np.ndarray, int]]) -> bytes:
    """Log-mel spectrograms of ((n,) samples, rate) by title, on one colour scale (the first's) and one time axis."""
    pictures = {title: log_mel(wave, rate) for title, (wave, rate) in waves.items()}
    first = next(iter(pictures.values()))
    figure = _figure(width=10.0, height=1.0 + 2.0 * len(pictures))
    axes = figure.subplots(len(pictures), sharex=True, squeeze=False)[:, 0]
    for (title, picture), one in zip(pictures.items(), axes, strict=True):
        seconds = picture.shape[1] * features.HOP / features.SAMPLE_RATE
        one.imshow(
            picture,
            origin="lower",
            aspect="auto",
            vmin=float(first.min()),
            vmax=float(first.max()),
            extent=(0.0, seconds, 0, features.MELS),
        )
        one.set_title(title)
        one.set_ylabel("mel band")
    axes[-1].set_xlim(0.0, max(picture.shape[1] for picture in pictures.values()) * features.HOP / features.SAMPLE_RATE)
    axes[-1].set_xlabel("seconds")
    return _png(figure)


def scores(rows: Sequence[Row]) -> bytes:
    """One panel for each score: a dot for every voice with its 95 % interval, in the order of the table."""
    figure = _figure(width=14.0, height=1.6 + 0.36 * len(rows))
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for (field, title, direction), axes in zip(PANELS, panels, strict=True):
        for position, row in enumerate(rows):
            found = getattr(row, field)
            if found:
                if found.low is not None:
                    axes.plot([found.low, found.high], [position, position], color="tab:blue", linewidth=2.0, alpha=0.5)
                axes.plot([found.value], [position], "o", color="tab:blue")
        axes.set_title(title, fontsize="medium")
        axes.set_xlabel(direction)
        axes.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(rows)), [row.name for row in rows])
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    return _png(figure)


def evaluation(found: Evaluation) -> bytes:
    """One panel for each measure: a dot for every clip in the order of the table (red: with a fault), the mean and its 95 % interval."""
    figure = _figure(width=14.0, height=min(2.0 + 0.16 * len(found.rows), 40.0))
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for (field, title, direction), axes in zip(PANELS, panels, strict=True):
        for position, row in enumerate(found.rows):
            mark = _mark(row, _IN_SUMMARY[field])
            if mark is not None:
                axes.plot([mark], [position], "o", color="tab:red" if row.faults else "tab:blue", markersize=3.0)
        summary = found.summary.get(_IN_SUMMARY[field])
        if summary:
            if summary.low is not None:
                axes.axvspan(summary.low, summary.high, color="tab:blue", alpha=0.15)
            axes.axvline(summary.value, color="tab:blue", linewidth=1.0)
        axes.set_title(title, fontsize="medium")
        axes.set_xlabel(direction)
        axes.grid(axis="x", alpha=0.3)
    if len(found.rows) <= _NAMED_CLIPS:
        panels[0].set_yticks(
            range(len(found.rows)), [row.id.replace("$", r"\$") for row in found.rows], fontsize="xx-small"
        )
    panels[0].set_ylim(len(found.rows) - 0.5, -0.5)
    return _png(figure)


def histograms(groups: Mapping[str, Mapping[str, np.ndarray]], unit: str) -> bytes:
    """One panel for each group: densities of (n,) values by name."""
    figure = _figure(width=10.0, height=1.0 + 2.5 * len(groups))
    axes = figure.subplots(len(groups), sharex=True, squeeze=False)[:, 0]
    for (title, values), one in zip(groups.items(), axes, strict=True):
        for name, found in values.items():
            one.hist(found, bins=80, range=(0.0, 1.0), density=True, alpha=0.6, label=f"{name} ({len(found)} pairs)")
        one.set_title(title, fontsize="medium")
        one.set_ylabel("density")
        one.legend()
    axes[-1].set_xlabel(unit)
    return _png(figure)


def _mark(row: EvaluatedClip, name: str) -> float | None:
    if name != "wer":
        return getattr(row, name)
    return row.word_edits / row.words if row.words and row.word_edits is not None else None


def log_mel(wave: np.ndarray, rate: int) -> np.ndarray:
    """The log-mel spectrogram of (n,) samples, (MELS, frames)."""
    samples = soxr.resample(np.ascontiguousarray(wave, dtype=np.float32), rate, features.SAMPLE_RATE, quality="HQ")
    return features.log_mel(torch.from_numpy(samples)[None])[0].numpy()


def _figure(*, width: float, height: float) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RuntimeSetupError(
            "pictures need matplotlib; install it: pip install matplotlib", cause="missing_module"
        ) from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata=output_file.PICTURE)
    return buffer.getvalue()
