"""Which clips of a folder are judged, and what each of them is meant to say.

The texts come from a file that names them, else from the folder itself (`metadata.csv`, or a `.txt` beside each clip), else from the held-out
part of a dataset manifest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.dataset import clip_folder, text_table
from trainer.dataset.clip_names import AUDIO_SUFFIXES, CLIP_FOLDERS, clip_id, is_audio
from trainer.dataset.manifest import HELD_OUT, Manifest, verify_clips
from trainer.errors import DataError
from trainer.evaluation.normaliser import spoken_words
from trainer.files import text_file

_NAMED = 5  # so many names stand in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One clip to judge; without a path it is missing, without a prompt its words are not judged."""

    id: str
    path: Path | None
    prompt: str = ""
    made_from: str = ""
    """sha256 of the real clip that it is a copy or a part of; it is not compared with that one."""


def without_texts(folder: Path) -> list[Item]:
    """Every clip of a folder by name; raises DataError(audio_missing)."""
    return [Item(id=name, path=path) for name, path in _clips(folder).items()]


def with_texts(
    folder: Path,
    texts: Path | Mapping[str, str] | None,
    manifest: Manifest | None,
    note: Callable[[str], None] = lambda line: None,
) -> list[Item]:
    """Every clip of a folder with its text, and an item without a path for every text of a file or a manifest that no clip says.

    `texts` are a file, or texts by the name or number of their clip. `note` hears how a file was read. Raises DataError: audio_missing,
    transcript_missing naming the clips, transcript_invalid, text_empty.
    """
    if texts is not None:
        audio = _clips(folder)
        known = texts if isinstance(texts, Mapping) else read_texts(texts, audio, note)
        items = _matched(audio, known, by_number=True)
    else:
        items = _own(folder, note)
        if not any(item.prompt for item in items) and manifest is not None:
            items = _matched(
                _clips(folder), {entry.id: entry.transcript for entry in manifest.split(HELD_OUT)}, by_number=False
            )
    _require_prompts(folder, items)
    return items


def held_out(path: Path, document: Manifest) -> list[Item]:
    """The held-out clips of the manifest at `path`, their hashes verified; raises DataError(manifest_invalid)."""
    verify_clips(document, path.parent)
    return [
        Item(id=entry.id, path=path.parent / entry.path, prompt=entry.transcript) for entry in document.split(HELD_OUT)
    ]


def read_texts(path: Path, names: Collection[str] = (), note: Callable[[str], None] | None = None) -> dict[str, str]:
    """Texts by clip id, from a table or from one sentence a line, named by the number of its line from 1.

    Blank lines count and have no text, as in `say --lines`. `names` are clips that the texts may be of. Raises DataError(transcript_invalid).
    """
    text = text_file.read(path)
    if text_table.is_table(text, names):
        return {clip_id(row.name): row.text for row in text_table.read(path, text, note)}
    return {str(number): sentence for number, sentence in text_table.sentences(path, text).items()}


def natural_order(name: str) -> tuple[str, int, str]:
    """Sorts voice_2 before voice_10."""
    number = re.search(r"(\d+)$", name)
    return (name[: number.start()] if number else name, int(number[1]) if number else 0, name)


def _own(folder: Path, note: Callable[[str], None]) -> list[Item]:
    """The folder's own texts; a table must name every clip that lies beside those it names."""
    audio = _audio(folder)
    place = next(iter(audio.values())).parent
    found = clip_folder.read(folder if clip_folder.table_of(folder) else place, deep=False)
    for line in found.notes:
        note(line)
    said = {found.root / clip.path: clip for clip in found.clips}
    if found.table is None:
        return [Item(id=name, path=path, prompt=said[path].transcript) for name, path in audio.items()]
    beside = {path for place in {path.parent for path in said} for path in _audio(place).values()}
    unlisted = sorted(path.stem for path in beside - said.keys())
    if unlisted:
        raise DataError(
            f"{found.table}: no line for {_list(unlisted)}; add what is said in it", cause="transcript_missing"
        )
    return [
        Item(id=clip.id, path=path, prompt=clip.transcript)
        for path, clip in sorted(said.items(), key=lambda pair: natural_order(pair[1].id))
    ]


def _matched(audio: Mapping[str, Path], texts: Mapping[str, str], *, by_number: bool) -> list[Item]:
    names = {stem: _name_of_text(stem, texts) if by_number else stem if texts.get(stem) else None for stem in audio}
    items = [Item(id=stem, path=path, prompt=texts.get(names[stem] or "", "")) for stem, path in audio.items()]
    taken = [name for name in names.values() if name]
    twice = _repeated(taken)
    if twice:
        raise DataError(
            f"two clips say text {_list(twice)}; give one voice a folder, or name them apart in a file of lines name|text",
            cause="transcript_invalid",
        )
    missing = [name for name in texts.keys() - set(taken) if texts[name]]
    return [*items, *(Item(id=name, path=None, prompt=texts[name]) for name in sorted(missing, key=natural_order))]


def _name_of_text(stem: str, texts: Mapping[str, str]) -> str | None:
    """The name under which the text of a clip stands: its id, or the number that ends it."""
    number = re.search(r"(\d+)$", stem)
    return next((name for name in (clip_id(stem), str(int(number[1])) if number else "") if texts.get(name)), None)


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _require_prompts(folder: Path, items: Sequence[Item]) -> None:
    unnamed = [item.id for item in items if not item.prompt]
    if unnamed:
        raise DataError(
            f"{folder}: no text for {_list(unnamed)} ({len(unnamed)} of {len(items)} clips); name the clips as their texts are named (or by "
            "the number of the line, blank lines counted), give --texts FILE, metadata.csv or a .txt beside each clip, or judge without "
            "words: --without-texts",
            cause="transcript_missing",
        )
    for item in items:
        try:
            spoken_words(item.prompt)
        except DataError as error:
            raise DataError(f"the text of {item.id}, {item.prompt[:40]!r}: {error}", cause=error.cause) from error


def _clips(folder: Path) -> dict[str, Path]:
    """The clips that the folder's table lists, by id; without a table, its audio files by stem."""
    if not (folder / clip_folder.TABLE_NAME).is_file():
        return _audio(folder)
    found = clip_folder.read(folder)
    return {clip.id: found.root / clip.path for clip in sorted(found.clips, key=lambda clip: natural_order(clip.id))}


def _audio(folder: Path) -> dict[str, Path]:
    """Audio files of a folder by stem, in natural order; those of its usual subfolder where it has none itself."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give one with clips", cause="audio_missing")
    for place in (folder, *(folder / name for name in CLIP_FOLDERS if (folder / name).is_dir())):
        paths = [path for path in place.iterdir() if is_audio(path.name) and not path.name.startswith(".")]
        twice = _repeated([path.stem for path in paths])
        if twice:
            raise DataError(f"{place}: two clips are called {_list(twice)}; rename one", cause="transcript_invalid")
        if paths:
            return {path.stem: path for path in sorted(paths, key=lambda path: natural_order(path.stem))}
    raise DataError(
        f"{folder} has no clip ({', '.join(AUDIO_SUFFIXES)}); give a folder with clips", cause="audio_missing"
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
