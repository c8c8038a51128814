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
from trainer.evaluation.estimate import Estimate
from trainer.evaluation.evaluation import EvaluatedClip, Evaluation
from trainer.files import output_file

PANELS = (
    ("similarity", "similarity to the held-out speaker", "higher is closer"),
    ("wer", "word error rate", "lower is clearer"),
    ("overall", "DNSMOS P.835 overall", "higher is better"),
    ("p808", "DNSMOS P.808", "higher is better"),
)
"""Name in a summary, title, and which way is good."""
_NAMED_CLIPS = 200
_DARKEST = 0.02
"""Share of a spectrogram that may be as dark as its quietest point: one digital zero must not leave all else pale."""
_COLOURS = 64


def mels(waves: Mapping[str, tuple[np.ndarray, int]]) -> bytes:
    """Log-mel spectrograms of ((n,) samples, rate) by title, on one colour scale (the first's) and one time axis.

    In few colours, for the smallest file: a spectrogram is noise to PNG, and takes a megabyte in all of them.
    """
    pictures = {title: log_mel(wave, rate) for title, (wave, rate) in waves.items()}
    first = next(iter(pictures.values()))
    figure = _figure(width=10.0, height=1.0 + 1.5 * len(pictures))
    axes = figure.subplots(len(pictures), sharex=True, squeeze=False)[:, 0]
    for (title, picture), one in zip(pictures.items(), axes, strict=True):
        seconds = picture.shape[1] * features.HOP / features.SAMPLE_RATE
        one.imshow(
            picture,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            vmin=float(np.quantile(first, _DARKEST)),
            vmax=float(first.max()),
            extent=(0.0, seconds, 0, features.MELS),
        )
        one.set_title(title)
        one.set_ylabel("mel band")
    axes[-1].set_xlim(0.0, max(picture.shape[1] for picture in pictures.values()) * features.HOP / features.SAMPLE_RATE)
    axes[-1].set_xlabel("seconds")
    return _in_few_colours(_png(figure))


def scores(summaries: Mapping[str, Mapping[str, Estimate]]) -> bytes:
    """One panel for each score: a dot for every voice with its 95 % interval, in the order of the table."""
    figure, panels = _panels(list(summaries), height=1.6 + 0.36 * len(summaries))
    for name, axes in panels.items():
        for position, found in enumerate(summary.get(name) for summary in summaries.values()):
            if found and found.low is not None:
                axes.plot([found.low, found.high], [position, position], color="tab:blue", linewidth=2.0, alpha=0.5)
            if found:
                axes.plot([found.value], [position], "o", color="tab:blue")
    return _png(figure)


def evaluation(found: Evaluation) -> bytes:
    """One panel for each measure: a dot for every clip in the order of the table (red: with a fault), the mean and its 95 % interval."""
    names = [row.id.replace("$", r"\$") for row in found.rows]
    figure, panels = _panels(names, height=min(2.0 + 0.16 * len(names), 40.0), fontsize="xx-small")
    for name, axes in panels.items():
        for position, row in enumerate(found.rows):
            mark = _mark(row, name)
            if mark is not None:
                axes.plot([mark], [position], "o", color="tab:red" if row.faults else "tab:blue", markersize=3.0)
        summary = found.summary.get(name)
        if summary and summary.low is not None:
            axes.axvspan(summary.low, summary.high, color="tab:blue", alpha=0.15)
        if summary:
            axes.axvline(summary.value, color="tab:blue", linewidth=1.0)
    return _png(figure)


def _panels(names: Sequence[str], *, height: float, **font: str) -> tuple[Any, dict[str, Any]]:
    """A figure with a panel for each measure, by its name; `names` stand beside their lines, if they are not too many."""
    figure = _figure(width=14.0, height=height)
    found = figure.subplots(1, len(PANELS), sharey=True)
    for (_, title, direction), axes in zip(PANELS, found, strict=True):
        axes.set_title(title, fontsize="medium")
        axes.set_xlabel(direction)
        axes.grid(axis="x", alpha=0.3)
    if len(names) <= _NAMED_CLIPS:
        found[0].set_yticks(range(len(names)), names, **font)
    found[0].set_ylim(len(names) - 0.5, -0.5)
    return figure, {name: axes for (name, _, _), axes in zip(PANELS, found, strict=True)}


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


def _in_few_colours(png: bytes) -> bytes:
    from PIL import Image, PngImagePlugin

    metadata = PngImagePlugin.PngInfo()
    for name, value in output_file.PICTURE.items():
        metadata.add_text(name, value)
    buffer = io.BytesIO()
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS)
    few.save(buffer, format="png", optimize=True, pnginfo=metadata)
    return buffer.getvalue()
