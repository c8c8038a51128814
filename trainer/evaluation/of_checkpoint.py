"""An evaluation from a checkpoint alone: it speaks sentences, and every clip is judged against held-out clips of its speaker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from trainer.errors import DataError
from trainer.evaluation import request
from trainer.evaluation.evaluation import Evaluation
from trainer.evaluation.faults import SignalLimits
from trainer.files.atomic_file import write_atomically
from trainer.preparation import parallel
from trainer.preparation.recognisers import POCKETSPHINX, RecogniserChoice
from trainer.synthesis.sentences import SENTENCES
from trainer.synthesis.speaking import Speaking

CLIPS, TEXTS, EVALUATION, TABLE = "clips", "sentences.txt", "evaluation.json", "evaluation.md"
"""In the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenEvaluation:
    """What to evaluate, and the folder that gets clips, sentences and evaluation."""

    checkpoint: Path
    manifest: Path
    """Its held-out clips are the reference."""
    folder: Path
    sentences: Sequence[str] = SENTENCES
    limits: SignalLimits = field(default_factory=SignalLimits)
    recogniser: str = POCKETSPHINX
    """What hears the words, by name."""
    processes: int = 1

    def answer(
        self,
        *,
        note: Callable[[str], None] = lambda line: None,
        on_total: Callable[[int], Callable[[], None]] | None = None,
    ) -> Evaluation:
        """Speak, judge and write; raises DataError(not_spoken) naming a sentence, and TrainerError as the parts do.

        The voice speaks in a process of its own: one that is killed is an error and not the end of this program.
        """
        texts = self.folder / TEXTS
        write_atomically(texts, "".join(f"{sentence}\n" for sentence in self.sentences).encode())
        parallel.as_done(
            partial(_speak, self.checkpoint, texts), [self.folder / CLIPS], processes=1, name=lambda _: "the sentences"
        )
        asked = request.Request(
            generated=self.folder / CLIPS, manifest=self.manifest, texts=texts, checkpoint=self.checkpoint, limits=self.limits,
            recogniser=RecogniserChoice(name=self.recogniser), processes=self.processes,
            output=self.folder / EVALUATION, markdown=self.folder / TABLE,
        )  # fmt: skip
        return request.answer(asked, note=note, on_total=on_total)


def _speak(checkpoint: Path, texts: Path, folder: Path) -> None:
    """In a spawned process."""
    spoken = Speaking(checkpoint=checkpoint, file=texts, overwrite=True).to_folder(folder)
    if spoken.failed:
        first = spoken.failed[0]
        raise DataError(
            f"{len(spoken.failed)} of {len(spoken.failed) + len(spoken.files)} sentences cannot be spoken, the first in line {first.line}: "
            f"{first.error}; correct {texts.name}", cause="not_spoken",
        )  # fmt: skip
