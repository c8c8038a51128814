"""Something to listen to while a voice improves: the same three sentences, now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import TrainerError
from trainer.models.acoustic import AcousticModel, Speaker
from trainer.models.vocoder import Vocoder
from trainer.synthesis import Voice
from trainer.synthesis.sentences import LISTENING

FOLDER = "samples"


@dataclass(slots=True)
class Samples:
    """Writes `step_00040_1.flac` and so on at the first evaluation, whenever the steps have doubled, and at the last step.

    Nothing depends on them: what fails is told to `note`, and the training goes on.
    """

    folder: Path
    note: Callable[[str], None]
    last_step: int
    _next: int = 1

    def __call__(self, step: int, acoustic: AcousticModel, vocoder: Vocoder, speaker: Speaker) -> None:
        """Speak with the models as they are."""
        if step < self._next and step != self.last_step:
            return
        self._next = 2 * step
        try:
            self._clear_from(step)
            self.folder.mkdir(parents=True, exist_ok=True)
            voice = Voice(acoustic, speaker, vocoder)
            for number, sentence in enumerate(LISTENING, start=1):
                voice.say(sentence).save(self.folder / f"step_{step:05d}_{number}.flac")
        except (TrainerError, OSError) as error:
            self.note(f"no sample to listen to at step {step}: {error}")
        else:
            self.note(f"samples to listen to: {self.folder.name}/step_{step:05d}_*.flac")

    def _clear_from(self, step: int) -> None:
        """Samples of this step and later ones are an earlier run's."""
        for path in self.folder.glob("step_*_*.flac"):
            number = path.name.split("_")[1]
            if number.isdecimal() and int(number) >= step:
                path.unlink(missing_ok=True)
