"""One evaluation as it is asked for on a command line: which folders, against what, and which files to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from trainer import manifest as manifests
from trainer.atomic_file import write_atomically
from trainer.errors import DataError, RuntimeSetupError
from trainer.scores import evaluate, evaluation, evaluation_tables, progress, prompts
from trainer.scores.evaluate import Plan, Source
from trainer.scores.evaluation import Evaluation
from trainer.scores.faults import SignalLimits
from trainer.scores.prompts import Item
from trainer.synthesis import clip_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files to write, each where it is asked for."""

    evaluation: Path | None = None
    markdown: Path | None = None
    plot: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to judge. The reference is a folder, or the held-out clips of a manifest."""

    generated: Path
    reference: Path | None = None
    manifest: Path | None = None
    texts: Path | None = None
    without_texts: bool = False
    encoder: Path | None = None
    checkpoint: Path | None = None
    limits: SignalLimits = field(default_factory=SignalLimits)
    processes: int = 2
    files: Files = field(default_factory=Files)


def answer(request: Request) -> Evaluation:
    """Judge, show how far it is, and write the files; raises TrainerError as the parts do, before judging where that is possible."""
    if request.files.plot:
        _require_matplotlib()
    plan = _plan(request)
    with progress.shown("evaluate") as on_total:
        found = evaluate.evaluate(plan, processes=request.processes, on_total=on_total)
    _write(found, request.files)
    return found


def _plan(request: Request) -> Plan:
    document, digest = manifests.load_with_digest(request.manifest) if request.manifest else (None, None)
    if request.reference:
        reference = evaluate.reference_folder(request.reference)
        if document:
            evaluate.require_untrained(reference, document)
    elif document:
        reference = evaluate.reference_of(request.manifest, document)
    else:
        raise DataError(
            "nothing to compare with; give --reference DIR with real clips, or --manifest FILE of a prepared dataset", cause="reference_missing"
        )
    generated = request.generated
    items = prompts.without_texts(generated) if request.without_texts else prompts.with_texts(generated, request.texts, document)
    return Plan(
        items=items,
        reference=reference,
        limits=request.limits,
        encoder=request.encoder,
        source=spoken_by(items, evaluate.source(request.checkpoint, request.manifest, digest), request.checkpoint),
    )


def spoken_by(items: Sequence[Item], source: Source, checkpoint: Path | None) -> Source:
    """The source with the checkpoint that spoke the clips, where that is recorded; raises DataError(artifact_mismatch) for another."""
    known = clip_record.checkpoint_of([item.path for item in items if item.path])
    if known is None:
        return source
    if source.checkpoint_sha256 not in (None, known):
        raise DataError(
            f"{checkpoint} did not speak these clips (its sha256 is {source.checkpoint_sha256[:12]}, theirs {known[:12]}); "
            "give the checkpoint that did, or none",
            cause="artifact_mismatch",
        )
    return replace(source, checkpoint_sha256=known)


def _write(found: Evaluation, files: Files) -> None:
    if files.evaluation:
        write_atomically(files.evaluation, evaluation.dumps(found))
    if files.markdown:
        write_atomically(files.markdown, evaluation_tables.markdown(found).encode())
    if files.plot:
        from trainer.scores import pictures

        write_atomically(files.plot, pictures.evaluation(found))


def _require_matplotlib() -> None:
    if find_spec("matplotlib") is None:
        raise RuntimeSetupError("--plot needs matplotlib; install it: pip install matplotlib", cause="missing_module")
