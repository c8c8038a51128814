"""Whisper (Radford et al. 2022) by faster-whisper: offline, one thread, beam search, temperature 0 and no sampling, so the same bytes twice.

Its own kinds of failure are met here: words for what is no speech and phrases that turn in circles (`sanity`), a stretch of speech left out
(heard again by itself), another language (found by its language tokens), digits for words (their tokens are suppressed).
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from trainer.audio.speech_detection import SAMPLE_RATE, SpeechDetector
from trainer.errors import RuntimeSetupError, foreign_failures, import_failures
from trainer.files import strict_json
from trainer.preparation.recognisers import sanity, weights
from trainer.preparation.recognisers.choice import WHISPER, RecogniserChoice
from trainer.preparation.recognisers.heard import NOT_ENGLISH, Heard, HeardWord
from trainer.preparation.recognisers.sanity import Token
from trainer.text import TextError, analyse

_COMPUTE = "int8"
_DECODING: dict[str, Any] = {
    "language": "en", "beam_size": 5, "temperature": 0.0, "condition_on_previous_text": False, "word_timestamps": True,
    "no_speech_threshold": 0.6, "log_prob_threshold": -1.0,
}  # fmt: skip
_VERSION = 2
"""Raised whenever the code here would hear other words from the same weights."""
_SILENT = 1e-3
_ROUNDS = 4
"""A stretch that was left out may lack words again when it is heard by itself."""
_MARGIN_S = 0.3
"""Kept around a stretch that is heard again."""
_ENGLISH_LEAST = 0.2
"""Probability of English below which speech is taken for another language."""
_WRITTEN_AMOUNTS = frozenset("0123456789%$£€+=°")
"""A token with one of these is not said as it is written: without them Whisper writes the words that it heard."""
_ENGLISH = "<|en|>"
_UNCHECKED = "these weights know only English: another language is not noticed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """What is heard in one stretch."""

    tokens: tuple[Token, ...]
    other_language: str
    """The code of a language that is not English; empty for English."""
    doubts: tuple[str, ...]
    """Segments that were not believed."""


class Whisper:
    """One model in memory."""

    name = WHISPER

    def __init__(self, choice: RecogniserChoice) -> None:
        """Raises RuntimeSetupError: recogniser_missing, recogniser_weights_invalid, and as an import."""
        files = _weights(choice)
        self.identity = _identity(files)
        os.environ["HF_HUB_OFFLINE"] = "1"  # before its library is imported: nothing is ever looked for outside
        with import_failures():
            from faster_whisper import WhisperModel
        with foreign_failures(
            lambda line: RuntimeSetupError(
                f"{files.where}: not a Whisper model that can be run ({line}); copy the folder again",
                cause="recogniser_weights_invalid",
            )
        ):
            self._model = WhisperModel(
                files.where, device="cpu", compute_type=_COMPUTE, cpu_threads=1, num_workers=1, local_files_only=True,
                files={name: io.BytesIO(data) if name.endswith(".bin") else data for name, data in files.files.items()},
            )  # fmt: skip
            if (
                choice.weights
            ):  # files that do not fit each other load, and fail at the first word; those of the set are known
                self._window(_hum(), 0.0)

    def hear(self, wave: np.ndarray, sample_rate: int) -> Heard:
        """What is said in (n,) float32 samples; nothing in silence, noise and music."""
        if np.abs(wave).max(initial=0.0) < _SILENT:
            return Heard(text="")
        samples = soxr.resample(np.ascontiguousarray(wave, dtype=np.float32), sample_rate, SAMPLE_RATE, quality="HQ")
        speech = _speech(samples)
        if not sanity.stretches(speech):
            return Heard(text="")
        found = self._window(samples, 0.0)
        if found.other_language:
            return Heard(text="", doubts=(f"{NOT_ENGLISH}{found.other_language!r}",))
        tokens, doubts = sanity.believed(found.tokens, speech)
        doubts = [*found.doubts, *doubts]
        if not self._model.model.is_multilingual:
            doubts.append(_UNCHECKED)
        for _ in range(_ROUNDS):
            again = [
                token
                for start, end in sanity.unheard(tokens, speech)
                for token in self._again(samples, start, end, speech)
            ]
            if not again:
                break
            tokens = sorted([*tokens, *again], key=lambda token: token.start_s)
        doubts += [
            f"speech without words from {start:.1f} to {end:.1f} s" for start, end in sanity.unheard(tokens, speech)
        ]
        return _heard(tokens, doubts)

    def _again(self, samples: np.ndarray, start: float, end: float, speech: np.ndarray) -> Sequence[Token]:
        """The words of a stretch that was left out, heard by itself; none where they are not sure or not English."""
        first = max(0.0, start - _MARGIN_S)
        part = samples[round(first * SAMPLE_RATE) : round((end + _MARGIN_S) * SAMPLE_RATE)]
        found = self._window(part, first)
        if found.other_language:
            return ()
        tokens, _ = sanity.believed(found.tokens, speech)
        return sanity.sure_between(tokens, start, end)

    def _window(self, samples: np.ndarray, offset_s: float) -> _Window:
        with _languages(self._model) as languages:
            written, _ = self._model.transcribe(samples, suppress_tokens=[-1, *self._amounts], **_DECODING)
            segments = list(written)
        doubts = [sanity.not_believed(one.text, one.compression_ratio, one.avg_logprob) for one in segments]
        tokens = tuple(
            Token(
                written=word.word,
                start_s=offset_s + float(word.start),
                end_s=offset_s + float(word.end),
                confidence=float(word.probability),
            )
            for segment, doubt in zip(segments, doubts, strict=True)
            if not doubt
            for word in segment.words or ()
        )
        return _Window(tokens=tokens, other_language=_not_english(languages), doubts=tuple(filter(None, doubts)))

    @cached_property
    def _amounts(self) -> list[int]:
        """Tokens with digits and the like; special ones come after the end of text."""
        tokenizer = self._model.hf_tokenizer
        end = tokenizer.token_to_id("<|endoftext|>")
        return sorted(
            number for token, number in tokenizer.get_vocab().items() if number < end and _WRITTEN_AMOUNTS & {*token}
        )


@lru_cache(maxsize=4)
def identity(choice: RecogniserChoice) -> str:
    """Digest of weights, releases and decoding; raises RuntimeSetupError where the weights are missing or not those asked for."""
    return _identity(_weights(choice))


def _identity(files: weights.Weights) -> str:
    releases = [_release(name) for name in ("faster-whisper", "ctranslate2", "tokenizers")]
    content = [_VERSION, files.sha256, releases, _COMPUTE, _DECODING, _ENGLISH_LEAST, sanity.SETTINGS]
    return strict_json.digest(content)


def _weights(choice: RecogniserChoice) -> weights.Weights:
    if not choice.weights:
        return weights.of_set(sha256=choice.sha256)
    return weights.of_folder(Path(choice.weights), sha256=choice.sha256)


def _release(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError as error:
        raise RuntimeSetupError(
            f"{distribution} is not installed, which the recogniser whisper needs; install the set: make venv EXTRAS=whisper, "
            "or choose pocketsphinx",
            cause="recogniser_missing",
        ) from error


class _languages:  # noqa: N801 a context, used like a function
    """Collects the language tokens of every window that a model encodes: the encoder runs once, not again to detect them."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._found: list[dict[str, float]] = []

    def __enter__(self) -> list[dict[str, float]]:
        encode = type(self._model).encode

        def encoded(features: np.ndarray) -> Any:
            output = encode(self._model, features)
            if self._model.model.is_multilingual:
                self._found.append(dict(self._model.model.detect_language(output)[0]))
            return output

        self._model.encode = encoded
        return self._found

    def __exit__(self, *_: object) -> None:
        del self._model.encode


def _not_english(languages: Sequence[dict[str, float]]) -> str:
    if not languages:
        return ""
    mean = {name: sum(found.get(name, 0.0) for found in languages) / len(languages) for name in languages[0]}
    best = max(mean, key=lambda name: mean[name])
    return best.strip("<|>") if mean.get(_ENGLISH, 0.0) < _ENGLISH_LEAST else ""


def _hum() -> np.ndarray:
    """A second in which the network alone hears words, (SAMPLE_RATE,) float32."""
    return (0.1 * np.sin(2 * np.pi * 50.0 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32)


def _speech(samples: np.ndarray) -> np.ndarray:
    """Speech probability of every window of 32 ms."""
    detector = SpeechDetector()
    return np.concatenate([detector.feed(samples), detector.finish()])


def _heard(tokens: Sequence[Token], doubts: Sequence[str]) -> Heard:
    words = [
        HeardWord(
            text=word,
            start_s=round(token.start_s, 3),
            end_s=round(token.end_s, 3),
            confidence=round(token.confidence, 4),
        )
        for token in tokens
        for word in _spoken(token.written)
    ]
    written = " ".join("".join(token.written for token in tokens).split())
    return Heard(text=written if words else "", words=tuple(words), doubts=tuple(doubts))


@lru_cache(maxsize=4096)
def _spoken(written: str) -> tuple[str, ...]:
    try:
        return tuple(word.text.lower() for sentence in analyse(written).sentences for word in sentence.words)
    except TextError:
        return ()
