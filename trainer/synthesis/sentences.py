"""What every voice of the benchmark says: sentences that no training text has, the same ones always."""

from __future__ import annotations

from pathlib import Path

SENTENCES = tuple(Path(__file__).with_name("sentences.txt").read_text(encoding="utf-8").splitlines())
"""For the numbers: six to fourteen words of everyday English, with every phoneme, in the recogniser's dictionary."""

LISTENING: tuple[str, ...] = (
    "This is what the new voice sounds like after listening to a few minutes of speech.",
    "Would you have believed it, if somebody had told you that yesterday?",
    "On a quiet evening in July, three fishermen rowed their boat across the harbor, "
    "talking about the weather, the price of bread, and the measure of a good life.",
)
"""For ears: a statement, a question, and one long sentence."""
