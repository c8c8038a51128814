"""`python -m trainer pretrain corpus|acoustic|vocoder|ship --corpus DIR --work DIR [--steps N] [--threads N]`: each resumes where it stopped."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from trainer.files.atomic_file import write_atomically
from trainer.models.acoustic import AcousticConfig
from trainer.pretraining.acoustic import AcousticPretraining
from trainer.pretraining.corpus_reader import CorpusReader
from trainer.pretraining.settings import PretrainSettings
from trainer.pretraining.team import RANK, Team, hire
from trainer.training import determinism


def main(arguments: Sequence[str] | None = None) -> int:
    """Train until done or until SIGTERM or SIGINT; running again continues. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m trainer pretrain", description=__doc__)
    parser.add_argument("part", choices=("corpus", "acoustic", "vocoder", "ship"))
    parser.add_argument("--corpus", type=Path, default=Path("corpus"), help="folder with corpus.json and shard_*.pt")
    parser.add_argument("--work", type=Path, default=Path("pretrain"), help="folder for the resume state and the weights")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    parser.add_argument("--processes", type=int, default=1, help="processes that speak the corpus, or train the acoustic model together")
    parser.add_argument("--waves", type=Path, help="folder of FLAC files, one person each: people in the corpus, and more for the vocoder")
    parser.add_argument("--hours", type=float, default=5.0, help="of synthetic speech in the corpus")
    options = parser.parse_args(arguments)
    if options.part == "corpus":
        return _make_corpus(options)
    if options.part == "ship":
        return _ship(options)
    torch.set_num_threads(options.threads)
    determinism.keep_freed_memory()
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, frame: stopped.append(received))
    options.work.mkdir(parents=True, exist_ok=True)
    meeting = (options.work / "meeting").absolute()
    if options.processes > 1 and RANK not in os.environ:
        hire(arguments if arguments is not None else sys.argv[1:], size=options.processes, meeting=meeting)
    if options.part == "vocoder":
        from trainer.pretraining.vocoder import VocoderPretraining

        VocoderPretraining.of(options.corpus, options.waves, options.work, steps=options.steps, log=_log).run(
            lambda: bool(stopped)
        )
        return 0
    from trainer.models.speaker_encoder import SpeakerEncoder

    team = Team.join(meeting)
    settings = PretrainSettings()
    if options.steps:
        settings = replace(settings, steps=options.steps)
    reader = CorpusReader(
        folder=options.corpus, embed=SpeakerEncoder().embed, cache=options.work / "embeddings.pt"
    )
    AcousticPretraining(
        settings=settings, config=AcousticConfig(), reader=reader, folder=options.work, team=team, log=_log
    ).run(lambda: bool(stopped))
    return 0


def _make_corpus(options: argparse.Namespace) -> int:
    from trainer.errors import TrainerError
    from trainer.pretraining.corpus.make import CorpusSettings, make

    try:
        make(
            options.corpus,
            CorpusSettings(hours=options.hours),
            human=options.waves,
            processes=options.processes,
            on_progress=lambda name, hours: _log(f"{name}: {hours:.2f} h"),
        )
    except TrainerError as error:
        sys.stderr.write(f"error: {error} [{error.cause}]\n")
        return error.exit_code
    return 0


def _ship(options: argparse.Namespace) -> int:
    """Put what was trained in the package's place for it, and list its hashes."""
    from trainer.pretraining import acoustic, vocoder
    from trainer.voice import base

    sources = {
        "acoustic.pt": options.work / acoustic.LATEST,
        "vocoder.pt": options.work / vocoder.LATEST,
        base.ALIGNER: options.corpus / base.ALIGNER,
    }
    missing = [str(path) for path in sources.values() if not path.is_file()]
    if missing:
        sys.stderr.write(f"error: not made yet: {', '.join(missing)}; see python -m trainer pretrain --help [missing]\n")
        return 30
    for name, path in sources.items():
        write_atomically(base.FOLDER / name, path.read_bytes())
    for name, digest in base.write_hashes(base.FOLDER).items():
        _log(f"{name} {digest}")
    return 0


def _log(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
