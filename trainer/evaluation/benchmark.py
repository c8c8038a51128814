"""Everything a voice is compared with, judged the same way: real speech, other speakers, other programs, and the voice itself.

Ceiling: held-out clips of the speaker, whole and in pieces as long as a synthetic sentence. Floor of similarity: other speakers. Between
them: the base before adaptation, and the adapted voice.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np

from trainer.audio import audio_file, clip
from trainer.errors import DataError
from trainer.evaluation import judging, pictures, prompts, scores, voices
from trainer.evaluation.evaluate import OnTotal
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.prompts import Item
from trainer.evaluation.scores import Group, Row
from trainer.evaluation.voices import Speak
from trainer.files.atomic_file import write_atomically
from trainer.preparation import recognisers
from trainer.preparation.recognisers import RecogniserChoice
from trainer.synthesis.narrator import Narrator
from trainer.synthesis.sentences import LISTENING, SENTENCES

MOST_IMPOSTORS = 40
DEFAULT_PIECE_S = 3.0
PICTURES = 3
"""So many held-out clips are drawn beside what the voices make of their texts."""
_BITS = 24
"""Of the clips that are made and judged here: rounded to 16, the noise of a quiet pause becomes another one, and its realism too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to compare. `reference` are held-out clips of the wanted speaker, with texts where they are known."""

    reference: Sequence[Item]
    speakers: Mapping[str, Narrator] = field(default_factory=dict)
    """Voices that are to speak the sentences, by name."""
    rendered: Mapping[str, Sequence[Item]] = field(default_factory=dict)
    """Sentences that were spoken already, by name."""
    programs: Mapping[str, Speak] = field(default_factory=dict)
    """Other programs that are to speak the sentences, by name."""
    others: Path | None = None
    """Folder with clips of other speakers."""
    sentences: Sequence[str] = SENTENCES
    limits: SignalLimits = field(default_factory=SignalLimits)
    recogniser: RecogniserChoice = field(default_factory=RecogniserChoice)
    """What hears the words."""


def write(plan: Plan, output: Path, *, processes: int = 1, on_total: OnTotal | None = None) -> Sequence[Row]:
    """Judge everything and write `scores.md`, `scores.json`, `scores.png`, `mels_<n>.png` and `clips/`; returns the rows.

    What is spoken is judged as it lies in `clips/`. Raises TrainerError as the parts do.
    """
    recognisers.check(plan.recogniser)  # before anything speaks
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        judged = groups(plan, output / "clips", Path(scratch))
        reference = {item.id: item.path for item in plan.reference if item.path}
        found = scores.measure(
            judged,
            reference,
            limits=plan.limits,
            recogniser=plan.recogniser,
            processes=processes,
            on_total=on_total,
        )
    for name, voice in plan.speakers.items():
        for index, text in enumerate(LISTENING, start=1):
            _kept(output / "clips" / _slug(name), f"listening_{index}", *voices.spoken(voice, text))
    _write_pictures(plan, output)
    write_atomically(output / "scores.png", pictures.scores({row.name: row.summary for row in found.rows}))
    write_atomically(output / "scores.md", scores.tables(found.rows).encode())
    facts = {
        "recogniser": plan.recogniser.settled().name,
        "voices": {name: voice.checkpoint_sha256 for name, voice in plan.speakers.items()},
        "sentences_sha256": hashlib.sha256("\n".join(plan.sentences).encode()).hexdigest(),
    }
    write_atomically(output / "scores.json", scores.document(found, facts))
    return found.rows


def groups(plan: Plan, clips: Path, scratch: Path) -> list[Group]:
    """Everything to be judged, in the order of the table; voices speak here.

    What is spoken is written below `clips`, parts of real clips below `scratch`. A single reference clip has no rows of its own:
    there is nothing to compare it with. Raises DataError for a reference clip without sound, and where two groups have one name.
    """
    for item in plan.reference:  # before anything speaks
        judging.require_sound(item.path)
    speak = {name: partial(voices.spoken, voice) for name, voice in plan.speakers.items()}
    spoken = [_spoken(name, one, plan.sentences, clips) for name, one in speak.items()]
    spoken += [Group(name=name, items=items) for name, items in plan.rendered.items()]
    spoken += [_spoken(name, one, plan.sentences, clips) for name, one in plan.programs.items()]
    piece_s = _mean_s(spoken[0]) if spoken else DEFAULT_PIECE_S
    real = []
    if len(plan.reference) > 1:
        real += [Group(name="real, held out", items=plan.reference), _in_pieces(plan.reference, piece_s, scratch)]
    others = [_impostors(plan.others, piece_s, scratch)] if plan.others else []
    found = [*real, *spoken, *others]
    if len({_slug(group.name) for group in found}) < len(found):  # a name is a folder's, too
        names = ", ".join(group.name for group in found)
        raise DataError(f"two voices have one name among {names}; rename one", cause="settings_invalid")
    return found


def numbered(sentences: Sequence[str] = SENTENCES) -> dict[str, str]:
    """Sentences by number from 1, as clips of a benchmark are named."""
    return {str(number): sentence for number, sentence in enumerate(sentences, start=1)}


def _spoken(name: str, speak: Speak, sentences: Sequence[str], clips: Path) -> Group:
    """What a voice makes of the sentences."""
    folder = clips / _slug(name)
    items = [_kept(folder, number, *speak(text), prompt=text) for number, text in numbered(sentences).items()]
    return Group(name=name, items=items)


def _in_pieces(reference: Sequence[Item], seconds: float, scratch: Path) -> Group:
    """Real clips cut into pieces of one length; cuts go through words, so words are not judged."""
    items = []
    for item in reference:
        sound = judging.require_sound(item.path)
        items += [
            _kept(scratch / "pieces", f"{item.id}/{index}", piece, sound.sample_rate, made_from=sound.sha256)
            for index, piece in enumerate(sound.pieces(seconds), start=1)
        ]
    return Group(name=f"real, held out, {seconds:.1f} s pieces", items=items)


def _impostors(folder: Path, seconds: float, scratch: Path, *, most: int = MOST_IMPOSTORS) -> Group:
    """The middle of each file, evenly spread over the folder's names; only their similarity is judged."""
    found = prompts.without_texts(folder)
    items = []
    for item in (found[index * len(found) // min(most, len(found))] for index in range(min(most, len(found)))):
        sound = judging.require_sound(item.path)
        items.append(_kept(scratch / "others", item.id, sound.middle(seconds), sound.sample_rate))
    return Group(name=f"other speakers, {seconds:.1f} s pieces", items=items, only_voice=True)


def _kept(folder: Path, name: str, wave: np.ndarray, rate: int, *, prompt: str = "", made_from: str = "") -> Item:
    path = folder / f"{quote(name, safe='')}.flac"
    write_atomically(path, audio_file.flac(np.clip(wave, -1.0, 1.0), rate, bits=_BITS))
    return Item(id=name, path=path, prompt=prompt, made_from=made_from)


def _mean_s(group: Group) -> float:
    """Mean length of the clips of a group in seconds."""
    return float(np.mean([clip.seconds(item.path) for item in group.items if item.path]))


def _write_pictures(plan: Plan, output: Path) -> None:
    """Real speech above what each voice makes of its text; of several trainings of a voice, the first is drawn."""
    speakers: dict[str, Narrator] = {}
    for name, voice in plan.speakers.items():
        speakers.setdefault(scores.voice_of(name), voice)
    for index, item in enumerate([item for item in plan.reference if item.prompt][:PICTURES], start=1):
        sound = judging.require_sound(item.path)
        waves = {f"real: {item.id}": (sound.mono, sound.sample_rate)}
        waves |= {name: voices.spoken(voice, item.prompt) for name, voice in speakers.items()}
        if len(waves) > 1:
            write_atomically(output / f"mels_{index}.png", pictures.mels(waves))


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)
