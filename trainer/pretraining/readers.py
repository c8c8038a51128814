"""The decoder that many readers taught: from manifests of prepared recordings to the file that is shipped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from trainer.backbones.natural import material, segments
from trainer.backbones.natural.settings import PRESETS
from trainer.dataset import manifest
from trainer.errors import DataError
from trainer.files import checkpoint
from trainer.files.atomic_file import unwritable
from trainer.models.natural import NaturalModel
from trainer.models.speaker_encoder import SpeakerEncoder, mean_vector
from trainer.pretraining.reader_lessons import Log, PreparedReader, learn
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.voice import natural_base, shipped_files
from trainer.voice.natural_speaker import NaturalSpeaker

STEPS = 3000
SEED = 1
_BASE_SAYS = (
    "The ferry leaves at seven, and nobody waits for those who are late.",
    "She folded the letter twice and put it under the clock.",
)


def ship(
    manifests: Sequence[Path],
    folder: Path = natural_base.FOLDER,
    *,
    licence: str,
    steps: int = STEPS,
    seed: int = SEED,
    log: Log,
) -> dict[str, str]:
    """Learn from prepared readers, write the decoder and the hash list into `folder`; returns the hashes.

    `licence` is that of the recordings; it and the readers' names stay in the file. Equal manifests, steps, seed and threads give equal bytes.
    Raises DataError as `read`, RuntimeSetupError without base, encoder or pronunciations, TrainingError(non_finite_loss | disk_full |
    output_not_writable).
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)  # not after half an hour
    except OSError as error:
        raise unwritable(folder, error) from error
    base = natural_base.load()
    readers = read(manifests, base, log=log)
    learnt = learn(readers, base, own_vector(base), steps=steps, seed=seed, log=log)
    document = {
        "format": natural_base.SPEAKERS_FORMAT,
        "version": natural_base.VERSION,
        "config": learnt.config.as_dict(),
        "model": {name: value.half() for name, value in learnt.state_dict().items()},
        "source": {"readers": [one.name for one in readers], "steps": steps, "seed": seed, "licence": licence},
    }
    checkpoint.save(folder / natural_base.SPEAKERS, document)
    return shipped_files.write_hashes(folder)


def read(manifests: Sequence[Path], base: NaturalModel, *, log: Log) -> list[PreparedReader]:
    """The readers by name, each called like the folder of its manifest.

    Raises DataError: as `material.gather`, too_little_speech for fewer than two readers, manifest_invalid for two of one name.
    """
    named = {path.absolute().parent.name: path for path in manifests}
    twice = [path for path in manifests if named[path.absolute().parent.name] != path]
    if twice:
        raise DataError(
            f"two readers have the same name ({twice[0].absolute().parent.name}); "
            "put each manifest into a folder called like its reader",
            cause="manifest_invalid",
        )
    if len(named) < 2:
        raise DataError(
            f"{len(named)} readers are too few to learn how readers differ; prepare a recording of each of two or more, "
            "and give all their manifests",
            cause="too_little_speech",
        )
    documents = {name: manifest.load(path) for name, path in sorted(named.items())}  # the broken one is told at once
    readers = []
    for name, document in documents.items():
        try:
            found = material.gather(named[name], document, PRESETS[1])
        except DataError as error:
            raise DataError(f"{name}: {error}", cause=error.cause) from error
        pieces = tuple(segments.prepared(base, one) for one in found.training)
        readers.append(PreparedReader(name=name, pieces=pieces, vector=material.vector_of(found.training)))
        log(f"{name}: {sum(one.seconds for one in found.training):.0f} s of speech")
    return readers


def own_vector(base: NaturalModel) -> torch.Tensor:
    """GE2E vector (256,) of length 1 of the voice that the base speaks with."""
    voice, encoder = NaturalVoice(base, NaturalSpeaker()), SpeakerEncoder()
    spoken = [voice.say(text) for text in _BASE_SAYS]
    return torch.from_numpy(mean_vector([encoder.embed(np.asarray(one.wave), one.sample_rate) for one in spoken]))
