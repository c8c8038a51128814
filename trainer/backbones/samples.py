"""Something to listen to while a voice improves: three sentences, now and then, which the speaker's held-out clips say, too.

`samples.json` beside the clips says what each of them is; whoever shows them needs no rule about file names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainer.dataset import manifest
from trainer.errors import TrainerError
from trainer.files import sample_index
from trainer.files.sample_index import Sample, SampleIndex
from trainer.synthesis.narrator import Narrator
from trainer.synthesis.sentences import LISTENING

_CLIP = re.compile(r"step_([0-9]{5,})_([0-9])\.flac")


def sentences(path: Path) -> tuple[str, ...]:
    """What the first three held-out clips of a manifest say: the voice is heard beside the speaker, word for word.

    Sentences for every voice take the place of texts that are missing or too long. Raises DataError.
    """
    said = [entry.transcript for entry in manifest.load(path).split(manifest.HELD_OUT)[: len(LISTENING)]]
    return tuple([*filter(sample_index.is_sentence, said), *LISTENING][: len(LISTENING)])


@dataclass(slots=True)
class Samples:
    """Writes `step_00040_1.flac` and so on before the first step, at the first evaluation, whenever the steps have doubled, and at the last step.

    Nothing depends on them: what fails is told to `note`, and the training goes on.
    """

    folder: Path
    note: Callable[[str], None]
    last_step: int
    sentences: tuple[str, ...] = LISTENING
    _next: int = 0

    def speak(self, step: int, voice_now: Callable[[], Narrator]) -> None:
        """Speak with the voice as it is at a step, where that step is one to listen to."""
        if step < self._next and step != self.last_step:
            return
        self._next = max(1, 2 * step)
        try:
            self._clear_from(step)
            self.folder.mkdir(parents=True, exist_ok=True)
            voice = voice_now()
            for number, sentence in enumerate(self.sentences, start=1):
                voice.say(sentence).save(self.folder / f"step_{step:05d}_{number}.flac")
            self._write_index()
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

    def _write_index(self) -> None:
        """What every clip is, those among them that an earlier process of this training spoke."""
        found = sorted(
            filter(None, (_CLIP.fullmatch(path.name) for path in self.folder.iterdir())), key=lambda one: one[0]
        )
        clips = [Sample(file=one[0], step=int(one[1]), sentence=int(one[2])) for one in found]
        index = SampleIndex(steps_total=self.last_step, sentences=self.sentences, clips=clips)
        sample_index.write(self.folder, index)
