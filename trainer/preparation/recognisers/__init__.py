"""Recognisers: what hears the words of a wave, behind one protocol, for transcribing a recording and for judging a voice alike.

    pocketsphinx   US English, in every installation; the default
    whisper        Whisper by faster-whisper, from the wheelhouse's set `whisper` or a folder of CTranslate2 weights
    auto           whisper where it is installed, else pocketsphinx; it says what is lost

What each needs is imported when it is opened. Neither needs a network.
On equal processors the same wave gives the same words, whatever was heard before.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from trainer.errors import RuntimeSetupError
from trainer.preparation.recognisers.choice import AUTO, NAMES, POCKETSPHINX, PREFIX, WHISPER, RecogniserChoice
from trainer.preparation.recognisers.heard import NOT_ENGLISH, Heard, HeardWord

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "AUTO",
    "NAMES",
    "NOT_ENGLISH",
    "POCKETSPHINX",
    "PREFIX",
    "WHISPER",
    "Heard",
    "HeardWord",
    "Recogniser",
    "RecogniserChoice",
    "by_score_identity",
    "check",
    "identity",
    "scoring",
    "transcribing",
]


class Recogniser(Protocol):
    """Hears words; deterministic, on one thread, offline."""

    name: str

    @property
    def identity(self) -> str:
        """Digest of what decides which words are heard: weights, releases, settings. Equal ones hear the same."""

    def hear(self, wave: np.ndarray, sample_rate: int) -> Heard:
        """What is said in (n,) float32 samples."""


def check(choice: RecogniserChoice) -> None:
    """Raises RuntimeSetupError where the recogniser cannot be used; cheaper than `transcribing`."""
    if choice.settled().name == POCKETSPHINX:
        from trainer.preparation.recognisers import pocketsphinx

        pocketsphinx.model_folder()
        return
    from trainer.preparation.recognisers import whisper

    whisper.identity(choice.settled())


def transcribing(choice: RecogniserChoice) -> Recogniser:
    """The recogniser that writes down what is said in a recording, one for each process; raises RuntimeSetupError."""
    settled = choice.settled()
    return _pocketsphinx_transcribing() if settled.name == POCKETSPHINX else _whisper(settled)


def scoring(choice: RecogniserChoice) -> Recogniser:
    """The recogniser that judges how well a voice is understood, one for each process; raises RuntimeSetupError."""
    settled = choice.settled()
    return _pocketsphinx_scoring() if settled.name == POCKETSPHINX else _whisper(settled)


def identity(choice: RecogniserChoice, *, scores: bool = False) -> str:
    """The identity of the recogniser without loading it; raises RuntimeSetupError where whisper's weights are missing or changed."""
    settled = choice.settled()
    if settled.name == POCKETSPHINX:
        from trainer.preparation.recognisers import pocketsphinx

        return pocketsphinx.MODEL_SHA256 if scores else pocketsphinx.transcribing_identity()
    from trainer.preparation.recognisers import whisper

    return whisper.identity(settled)


def by_score_identity(identity_of_scores: str) -> RecogniserChoice | None:
    """The recogniser here that scores of this identity were heard by; None where it is not here."""
    for choice in (RecogniserChoice(), RecogniserChoice(name=WHISPER)):
        try:
            if identity(choice, scores=True) == identity_of_scores:
                return choice
        except RuntimeSetupError:  # not installed: it is not the one, then
            continue
    return None


@lru_cache(maxsize=1)
def _pocketsphinx_transcribing() -> Recogniser:
    from trainer.preparation.recognisers import pocketsphinx

    return pocketsphinx.Transcribing()


@lru_cache(maxsize=1)
def _pocketsphinx_scoring() -> Recogniser:
    from trainer.preparation.recognisers import pocketsphinx

    return pocketsphinx.Scoring()


@lru_cache(maxsize=2)
def _whisper(choice: RecogniserChoice) -> Recogniser:
    from trainer.preparation.recognisers import whisper

    return whisper.Whisper(choice)
