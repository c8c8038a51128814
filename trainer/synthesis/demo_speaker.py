"""The demonstration's speaker: the base with a longer vocal tract and a lower voice, who is nobody; a recording of what it reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soxr

from trainer.audio import audio_file
from trainer.files.atomic_file import write_atomically
from trainer.models.natural import sound
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.teachers.demo_recording import in_a_room
from trainer.teachers.demo_sentences import SENTENCES
from trainer.training import determinism
from trainer.voice import natural_base
from trainer.voice.natural_document import NaturalSpeaker

SEED = 20_240
TRACT = 0.86
"""Every resonance of the base times this: about what lies between a woman's voice and a man's."""
SPEAKER = NaturalSpeaker(f0=0.72, liveliness=1.3, rate=1.0 / TRACT)
_RATES = (0.95, 1.08)
_PITCHES = (-0.5, 0.5)


def render(path: Path, transcript_path: Path, *, sentences: tuple[str, ...] = SENTENCES) -> float:
    """Write the recording (mono 16-bit FLAC) and its transcript (one sentence per line); returns the duration in seconds.

    The default is more than 5,000,000 bytes and five to six minutes long. Raises RuntimeSetupError where the base or the pronunciations
    are missing.
    """
    samples = perform(sentences)
    write_atomically(path, audio_file.flac(audio_file.pcm16(samples), sound.SAMPLE_RATE))
    write_atomically(transcript_path, "".join(f"{sentence}\n" for sentence in sentences).encode())
    return len(samples) / sound.SAMPLE_RATE


def perform(sentences: tuple[str, ...]) -> np.ndarray:
    """Speak the sentences with natural variation, in a quiet room: (n,) float32 at 24 kHz, on one processor the same numbers every time."""
    determinism.fix(1)
    voice = NaturalVoice(natural_base.load(), SPEAKER)
    generator = np.random.default_rng(SEED)
    spoken = []
    for sentence in sentences:
        rate, pitch = (float(generator.uniform(*bounds)) for bounds in (_RATES, _PITCHES))
        said = voice.say(sentence, Delivery(sample_rate=sound.SAMPLE_RATE, rate=rate, pitch=pitch)).wave
        # Played more slowly: resonances and pitch fall together, and the speaker's rate makes good for the time.
        spoken.append(
            soxr.resample(said, TRACT * sound.SAMPLE_RATE, sound.SAMPLE_RATE, quality="HQ").astype(np.float32)
        )
    return in_a_room(spoken, sound.SAMPLE_RATE, generator)
