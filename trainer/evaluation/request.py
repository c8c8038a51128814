"""One evaluation as it is asked for on a command line: which folders, against what, and which files to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from trainer.dataset import manifest as manifests
from trainer.dataset.clip_folder import TABLE_NAME
from trainer.dataset.manifest import Manifest
from trainer.errors import DataError, RuntimeSetupError
from trainer.evaluation import cost, evaluate, evaluation, evaluation_tables, prompts
from trainer.evaluation.evaluate import Plan, Source
from trainer.evaluation.evaluation import Evaluation
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.prompts import Item
from trainer.files import output_file
from trainer.files.atomic_file import write_atomically
from trainer.files.output_file import PICTURE_SIGN, Input, Output
from trainer.preparation.recognisers import RecogniserChoice
from trainer.synthesis import clip_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to judge, and the files to write, each where it is asked for. The reference is a folder, or the held-out clips of a manifest."""

    generated: Path
    reference: Path | None = None
    manifest: Path | None = None
    texts: Path | None = None
    without_texts: bool = False
    encoder: Path | None = None
    recogniser: RecogniserChoice = field(default_factory=RecogniserChoice)
    checkpoint: Path | None = None
    limits: SignalLimits = field(default_factory=SignalLimits)
    processes: int = 2
    output: Path | None = None
    """The evaluation as JSON."""
    markdown: Path | None = None
    plot: Path | None = None
    overwrite: bool = False
    """Also files that are no earlier evaluation."""

    def outputs(self) -> list[Output]:
        """The files to write, as they are called on a command line."""
        asked = (("--output", self.output, evaluation.SIGN), ("--markdown", self.markdown, evaluation_tables.SIGN),
                 ("--plot", self.plot, PICTURE_SIGN))  # fmt: skip
        return [Output(option=option, path=path, sign=sign) for option, path, sign in asked if path]


def answer(
    request: Request,
    *,
    note: Callable[[str], None] = lambda line: None,
    on_total: Callable[[int], Callable[[], None]] | None = None,
) -> Evaluation:
    """Judge and write the files; raises TrainerError as the parts do, before judging where that is possible.

    `note` hears what a person should know. `on_total` gets the number of clips and returns what is called after each.
    """
    if request.plot and find_spec("matplotlib") is None:
        raise RuntimeSetupError("--plot needs matplotlib; install it: pip install matplotlib", cause="missing_module")
    plan = _plan(request, note)
    if loss := request.recogniser.loss():
        note(loss)
    output_file.check(request.outputs(), _inputs(request, plan), overwrite=request.overwrite)
    note(cost.expected(plan.items, [*plan.reference.values()], request.processes).sentence())
    found = evaluate.evaluate(plan, processes=request.processes, on_total=on_total)
    if request.output:
        write_atomically(request.output, evaluation.dumps(found))
    if request.markdown:
        write_atomically(request.markdown, evaluation_tables.markdown(found).encode())
    if request.plot:
        from trainer.evaluation import pictures

        write_atomically(request.plot, pictures.evaluation(found))
    return found


def _plan(request: Request, note: Callable[[str], None]) -> Plan:
    document, digest = manifests.load_with_digest(request.manifest) if request.manifest else (None, None)
    if request.reference:
        reference = evaluate.reference_folder(request.reference)
        if document:
            evaluate.require_untrained(reference, document)
    elif document:
        reference = evaluate.reference_of(request.manifest, document)
    else:
        raise DataError(
            "nothing to compare with; give --reference DIR with real clips, or --manifest FILE of a prepared dataset",
            cause="reference_missing",
        )
    generated = request.generated
    items = (
        prompts.without_texts(generated)
        if request.without_texts
        else prompts.with_texts(generated, request.texts, document, note)
    )
    _refuse_recordings(items, reference, document)
    return Plan(
        items=items,
        reference=reference,
        limits=request.limits,
        encoder=request.encoder,
        recogniser=request.recogniser,
        source=spoken_by(items, evaluate.source(request.checkpoint, request.manifest, digest), request.checkpoint),
    )


def _refuse_recordings(items: Sequence[Item], reference: Mapping[str, Path], document: Manifest | None) -> None:
    """Raises DataError(not_generated) where clips to judge are, byte for byte, real ones: no voice spoke them."""
    real = {digest: f"the reference clip {path}" for path in reference.values() if (digest := evaluate.content(path))}
    real |= {entry.sha256: f"the clip {entry.id} of the manifest" for entry in document.entries} if document else {}
    found = [
        (item.path, real[digest]) for item in items if item.path and (digest := evaluate.content(item.path)) in real
    ]
    if found:
        path, recording = found[0]
        raise DataError(
            f"{path} is {recording} itself ({len(found)} of {len(items)} clips to judge are real recordings); give what the voice spoke, "
            "for example with voice say --lines", cause="not_generated",
        )  # fmt: skip


def spoken_by(items: Sequence[Item], source: Source, checkpoint: Path | None) -> Source:
    """The source with the checkpoint that spoke the clips and its settings, if recorded; raises DataError(artifact_mismatch) for another."""
    spoken = clip_record.origin_of([item.path for item in items if item.path])
    if spoken is None:
        return source
    known = spoken.checkpoint_sha256
    if source.checkpoint_sha256 not in (None, known):
        raise DataError(
            f"{checkpoint} did not speak these clips (its sha256 is {source.checkpoint_sha256[:12]}, theirs {known[:12]}); "
            "give the checkpoint that did, or none",
            cause="artifact_mismatch",
        )
    return replace(source, checkpoint_sha256=known, checkpoint_origin=evaluation.RECORDED, speaking=spoken.speaking)


def _inputs(request: Request, plan: Plan) -> Iterator[Input]:
    """Every file that an evaluation depends on."""
    named = {
        "the manifest": request.manifest,
        "the texts": request.texts,
        "the encoder": request.encoder,
        "the checkpoint": request.checkpoint,
    }
    yield from (Input(name=name, path=path) for name, path in named.items() if path)
    generated = [item.path for item in plan.items if item.path]
    for name, paths in (("the generated clip", generated), ("the reference clip", [*plan.reference.values()])):
        for path in paths:
            yield Input(name=name, path=path)
            yield Input(name="the text of a clip", path=path.with_suffix(".txt"))
    for folder in sorted({request.generated, *(path.parent for path in generated)}):
        yield Input(name="the texts", path=folder / TABLE_NAME)
        yield Input(name="what was spoken,", path=folder / clip_record.NAME)
