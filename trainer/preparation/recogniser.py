"""The pocketsphinx recogniser (US English) with its own models, which are used only when their bytes are the known ones."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from trainer.errors import RuntimeSetupError
from trainer.files import packaged_file, strict_json

MODEL_SHA256 = "a72cd5a2a6282d1ed213a6eafa5131d78749580336622ba5341e3ab771679465"
"""Hash over the names and hashes of the recogniser's model files."""


def decoder(**settings: Any) -> Any:
    """A decoder with these settings of pocketsphinx; raises RuntimeSetupError(missing_module | weights_missing_offline | weights_corrupt).

    Batch normalisation of cepstra: the default carries the mean of one utterance over to the next.
    """
    model = model_folder()
    import pocketsphinx

    files = {"hmm": model / "en-us", "lm": model / "en-us.lm.bin", "dict": model / "cmudict-en-us.dict"}
    return pocketsphinx.Decoder(
        **{name: str(path) for name, path in files.items()}, cmn="batch", loglevel="FATAL", **settings
    )


def identity(**settings: Any) -> str:
    """Digest of what decides which words are heard: models, the installed release, and `settings`; equal ones hear the same."""
    try:
        release = metadata.version("pocketsphinx")
    except metadata.PackageNotFoundError:
        release = ""
    return strict_json.digest([MODEL_SHA256, release, settings])


@lru_cache(maxsize=1)
def model_folder() -> Path:
    """Where the verified models lie; raises as `decoder`."""
    model = packaged_file.find("pocketsphinx", "model/en-us")
    listing = "".join(
        f"{path.relative_to(model)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path in sorted(model.rglob("*"))
        if path.is_file()
    )
    found = hashlib.sha256(listing.encode()).hexdigest()
    if found != MODEL_SHA256:
        raise RuntimeSetupError(
            f"{model} is not the expected recogniser (sha256 {found[:12]}, not {MODEL_SHA256[:12]}); install the pinned pocketsphinx",
            cause="weights_corrupt",
        )
    return model
