"""A natural voice exported to ONNX: spoken with onnxruntime and numpy alone, no torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from trainer.errors import TrainingError
from trainer.models.natural import alphabet, speak
from trainer.synthesis.natural_narrator import NaturalNarrator
from trainer.synthesis.onnx_parts import Form
from trainer.voice.natural_speaker import NaturalSpeaker

FORM = Form(
    format="voice-acceptance/natural-onnx",
    files=speak.PARTS,
    about={
        "sample_rate": str(speak.SAMPLE_RATE),
        "hop": str(speak.HOP),
        "symbols": json.dumps(alphabet.ID),
        "pauses": json.dumps(np.flatnonzero(alphabet.IS_PAUSE).tolist()),
        "edge": str(alphabet.EDGE),
        "licence": "Apache-2.0",
        "base": "hibari-tts 0.2.1, distilled from Kokoro-82M",
    },
    own=("checkpoint_sha256", "speaker"),
)


class OnnxNaturalVoice(NaturalNarrator):
    """The three networks of `speak`, and the speaker, from the files' metadata."""

    def __init__(self, *models: bytes, threads: int = 1) -> None:
        """Raises as `Form.opened`."""
        (self._times, self._melody, self._decoder), own = FORM.opened(models, threads)
        self.checkpoint_sha256 = own["checkpoint_sha256"]
        try:
            self.speaker = NaturalSpeaker(**json.loads(own["speaker"]))
        except (ValueError, TypeError) as error:
            raise TrainingError(f"{FORM.files[0]}: {error}; export the voice again", cause="wrong_format") from error

    @classmethod
    def load(cls, folder: str | Path, *, threads: int = 1) -> OnnxNaturalVoice:
        """The voice that `export` wrote into `folder`, ready to speak; raises as the constructor, and TrainingError(missing)."""
        voice = cls(*FORM.read(Path(folder)), threads=threads)
        voice.warm_up()
        return voice

    def times(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `NaturalNarrator.times`."""
        times, encoded = self._times.run(None, {"symbols": symbols})
        return times, encoded

    def melody(self, encoded: np.ndarray, symbol_of_text_frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `NaturalNarrator.melody`."""
        f0, energy = self._melody.run(None, {"encoded": encoded, "symbol_of_text_frame": symbol_of_text_frame})
        return f0, energy

    def spectra(
        self, symbols: np.ndarray, symbol_of_frame: np.ndarray, f0: np.ndarray, energy: np.ndarray
    ) -> np.ndarray:
        """As `NaturalNarrator.spectra`."""
        given = {"symbols": symbols, "symbol_of_frame": symbol_of_frame, "f0": f0, "energy": energy}
        return self._decoder.run(None, given)[0]
