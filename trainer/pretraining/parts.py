"""The parts of a pretraining; each goes on where it was stopped."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from trainer.errors import TrainingError
from trainer.files.atomic_file import write_atomically
from trainer.models.acoustic import AcousticConfig
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.pretraining import acoustic, vocoder
from trainer.pretraining.acoustic import AcousticPretraining
from trainer.pretraining.corpus_reader import CorpusReader
from trainer.pretraining.settings import PretrainSettings
from trainer.pretraining.team import RANK, Team, hire
from trainer.pretraining.vocoder import VocoderPretraining
from trainer.training import determinism
from trainer.voice import shipped_files

Log = Callable[[str], None]


def train_acoustic(
    corpus: Path, work: Path, *, steps: int | None, threads: int, processes: int, again: Sequence[str], log: Log
) -> None:
    """Trains the acoustic model until it is done or a signal comes; `again` is the command of another process of the team."""
    stop_requested = _begin(work, threads)
    meeting = (work / "meeting").absolute()
    if processes > 1 and RANK not in os.environ:
        hire(again, size=processes, meeting=meeting)
    team = Team.join(meeting)
    settings = PretrainSettings()
    if steps:
        settings = replace(settings, steps=steps)
    reader = CorpusReader(folder=corpus, embed=SpeakerEncoder().embed, cache=work / "embeddings.pt")
    told = log if team.leads else _silent
    AcousticPretraining(
        settings=settings, config=AcousticConfig(), reader=reader, folder=work, team=team, log=told
    ).run(stop_requested)


def train_vocoder(corpus: Path, waves: Path | None, work: Path, *, steps: int | None, threads: int, log: Log) -> None:
    """Trains the vocoder until it is done or a signal comes."""
    stop_requested = _begin(work, threads)
    VocoderPretraining.of(corpus, waves, work, steps=steps, log=log).run(stop_requested)


def ship(corpus: Path, work: Path) -> dict[str, str]:
    """Puts what was trained in the package's place for it; returns the hashes. Raises TrainingError(missing) for an absent part."""
    sources = {
        "acoustic.pt": work / acoustic.LATEST,
        "vocoder.pt": work / vocoder.LATEST,
        shipped_files.ALIGNER: corpus / shipped_files.ALIGNER,
    }
    missing = [str(path) for path in sources.values() if not path.is_file()]
    if missing:
        raise TrainingError(
            f"not made yet: {', '.join(missing)}; make it first: voice pretrain --help", cause="missing"
        )
    for name, path in sources.items():
        write_atomically(shipped_files.FOLDER / name, path.read_bytes())
    return shipped_files.write_hashes(shipped_files.FOLDER)


def _begin(work: Path, threads: int) -> Callable[[], bool]:
    """Readies this process; returns whether SIGTERM or SIGINT came since."""
    torch.set_num_threads(threads)
    determinism.keep_freed_memory()
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, frame: stopped.append(received))
    work.mkdir(parents=True, exist_ok=True)
    return lambda: bool(stopped)


def _silent(line: str) -> None:
    """Only the leader of a team tells."""
