"""What of a network's words is believed, by where they lie in speech."""

from __future__ import annotations

import numpy as np

from trainer.preparation.recognisers import sanity
from trainer.preparation.recognisers.sanity import Token


def speech(*parts: tuple[float, float], seconds: float = 10.0) -> np.ndarray:
    """Probabilities with speech in these parts, seconds."""
    found = np.zeros(round(seconds / 0.032), dtype=np.float32)
    for start, end in parts:
        found[round(start / 0.032) : round(end / 0.032)] = 0.9
    return found


def tokens(text: str, start: float, each: float) -> list[Token]:
    return [
        Token(written=f" {word}", start_s=start + index * each, end_s=start + (index + 1) * each, confidence=0.9)
        for index, word in enumerate(text.split())
    ]


def written(found: list[Token]) -> str:
    return "".join(token.written for token in found).strip()


def test_words_without_speech_are_left_out_and_said() -> None:
    said = [*tokens("a man spoke", 1.0, 0.3), *tokens("thank you", 6.0, 0.3)]
    kept, doubts = sanity.believed(said, speech((1.0, 2.0)))
    assert written(kept) == "a man spoke"
    assert doubts == ["words without speech left out: thank you"]


def test_a_phrase_in_circles_is_kept_once() -> None:
    said = [*tokens("i am sorry", 1.0, 0.3), *tokens("i am sorry i am sorry", 1.9, 0.01)]
    kept, doubts = sanity.believed(said, speech((1.0, 2.2)))
    assert written(kept) == "i am sorry"
    assert len(doubts) == 1


def test_a_phrase_that_a_person_repeats_is_kept() -> None:
    said = tokens("never never never give up", 1.0, 0.3)
    assert sanity.believed(said, speech((1.0, 2.6))) == (said, [])


def test_speech_without_words_is_found_at_the_beginning_in_the_midst_and_at_the_end() -> None:
    said = [*tokens("one two", 2.5, 0.3), *tokens("three", 5.0, 0.4)]
    found = sanity.unheard(said, speech((1.0, 7.0)))
    assert [(round(start, 1), round(end, 1)) for start, end in found] == [(1.0, 2.5), (3.1, 5.0), (5.4, 7.0)]


def test_a_word_that_lasts_for_seconds_hides_others() -> None:
    said = tokens("comparatively", 1.0, 5.0)
    ((start, end),) = sanity.unheard(said, speech((1.0, 6.0)))
    assert (round(start, 1), round(end, 1)) == (2.5, 6.0)


def test_a_pause_is_no_speech_without_words() -> None:
    said = [*tokens("one two", 1.0, 0.4), *tokens("three four", 5.0, 0.4)]
    assert sanity.unheard(said, speech((1.0, 1.8), (5.0, 5.8))) == []


def test_a_segment_that_turns_in_circles_or_is_guessed_is_named() -> None:
    assert (
        sanity.not_believed(" and so on and so on", 2.5, -0.1)
        == "words that turn in circles left out: and so on and so on"
    )
    assert sanity.not_believed(" perhaps", 1.0, -1.1) == "guessed words left out: perhaps"
    assert sanity.not_believed(" clean speech", 2.3, -0.9) == ""
