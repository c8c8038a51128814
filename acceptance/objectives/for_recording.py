"""The objective of a recording that has none: its name comes from the file, its output folders are its own."""

from __future__ import annotations

import re
import unicodedata

FOLDER = "trained"
"""In the workspace: every objective of this module has a folder in it."""
LONGEST_NAME = 40
_TEMPLATE = """\
# The voice of {audio}. Every key that may stand here: acceptance/objective.py; `--set key=value` changes one for a run.
name = "{name}"
runtime = "auto" # Docker where a daemon answers, else a subprocess; "docker" insists

audio = "{audio}"
manifest = "{folder}/dataset/voice_dataset_manifest.json"
status = "{folder}/status/train_status.json"
checkpoint = "{folder}/checkpoint/{name}.pt"
min_audio_bytes = {least} # half of the file as it was: a cut copy or a pointer is smaller

image = "voice-train:latest"
dockerfile = "docker/voice-train/Dockerfile"
mount_point = "/workspace/voice"

seed = 0
threads = 2
protected = ["acceptance", "docker/voice-train", "trainer", "conftest.py", "pyproject.toml", ".git/config", ".git/hooks"]
"""


def text(*, name: str, audio: str, audio_bytes: int) -> str:
    """The TOML of an objective; `audio` is relative to the workspace and holds no quote (`can_hold`)."""
    return _TEMPLATE.format(name=name, audio=audio, folder=f"{FOLDER}/{name}", least=audio_bytes // 2)


def name_of(stem: str) -> str:
    """A file's stem in small letters, digits and underscores: `Señora Übel (2)` is `senora_ubel_2`; may be empty."""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "_", plain).strip("_")[:LONGEST_NAME].strip("_")


def can_hold(path: str) -> bool:
    """Whether an objective can hold this path as it is."""
    return path.isprintable() and '"' not in path and "\\" not in path
