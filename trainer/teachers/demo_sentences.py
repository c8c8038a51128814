"""What the demonstration recording says: sentences written for it, with every English phoneme, questions, lists and long clauses."""

from __future__ import annotations

from pathlib import Path

SENTENCES = tuple(Path(__file__).with_name("demo_sentences.txt").read_text(encoding="utf-8").splitlines())
