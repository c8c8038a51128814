"""What a recogniser hears in a wave: a line of text, its words with times and confidence, and what a person should look at."""

from __future__ import annotations

from dataclasses import dataclass

NOT_ENGLISH = "not English but "
"""The beginning of the doubt about speech in another language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardWord:
    """One spoken word in lower case: where it lies in the wave, seconds, and 0 to 1 how sure the recogniser is."""

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Words recognised in one utterance; "" where nothing was understood."""

    text: str
    """As the recogniser writes it: with marks and capitals if it knows them, else lower-case words separated by spaces."""
    words: tuple[HeardWord, ...] = ()
    """Empty where only the text is remembered."""
    doubts: tuple[str, ...] = ()
    """What a person should look at: speech without words, another language, words that were taken out."""

    @property
    def spoken(self) -> tuple[str, ...]:
        """The words as they are spoken, in lower case: numbers and abbreviations written out, no marks."""
        return tuple(word.text for word in self.words) or tuple(self.text.split())
