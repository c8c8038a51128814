"""Learns `letters_to_phones.json` from the CMU dictionary: `voice pretrain letters` (a quarter of an hour on one thread).

Words with an apostrophe, a full stop or a hyphen are left out, as are those with no vowel letter (they are spelt, not read).
2,000 words, chosen by the hash of their spelling, are never learned; the phone error rate on them is printed and stored.
"""

from __future__ import annotations

import hashlib
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from trainer.text import dictionary
from trainer.text.letter_alignment import align_all
from trainer.text.letters_to_phones import ALPHABET, LAYERS, MOST_LETTERS, LetterWeights, load, predict, save
from trainer.text.phone_set import without_stress
from trainer.text.words import Pronunciation

HELD_OUT = 2_000
RAREST_CHUNK = 10
SEED = 1

Aligned = tuple[str, tuple[Pronunciation, ...]]


class Reader(nn.Module):
    """Letters -> chunk classes; the reference of what `letters_to_phones` computes with NumPy."""

    def __init__(self, classes: int, *, embedding: int = 48, hidden: int = 144) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(ALPHABET), embedding)
        self.gru = nn.GRU(embedding, hidden, LAYERS, batch_first=True, bidirectional=True, dropout=0.35)
        self.dropout = nn.Dropout(0.35)
        self.output = nn.Linear(2 * hidden, classes)

    def forward(self, letters: torch.Tensor) -> torch.Tensor:
        """(batch, n) letters of words of one length -> (batch, n, classes)."""
        return self.output(self.dropout(self.gru(self.embedding(letters))[0]))


def words() -> list[tuple[str, Pronunciation]]:
    """Spelling and default pronunciation of every word to learn from or to test on, ordered by the hash of the spelling."""
    usable = [
        (word, tuple(phones.split()))
        for word, phones in dictionary.entries().items()
        if re.fullmatch(f"[a-z]{{2,{MOST_LETTERS}}}", word) and re.search("[aeiouy]", word)
    ]
    return sorted(usable, key=lambda pair: hashlib.sha256(pair[0].encode()).digest())


def train(
    aligned: Sequence[Aligned], *, epochs: int, batch: int = 256, log: Callable[[str], None] = lambda line: None
) -> LetterWeights:
    """Fit a Reader to aligned words; chunks seen fewer than RAREST_CHUNK times (and their words) are left out."""
    counts = Counter(chunk for _, chunks in aligned for chunk in chunks)
    classes = tuple(sorted(chunk for chunk, count in counts.items() if count >= RAREST_CHUNK))
    number = {chunk: index for index, chunk in enumerate(classes)}
    usable = [pair for pair in aligned if all(chunk in number for chunk in pair[1])]
    torch.manual_seed(SEED)
    model = Reader(len(classes))
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * step / epochs)))
    for epoch in range(epochs):
        losses = []
        for letters, targets in _batches(usable, number, batch, np.random.default_rng((SEED, epoch))):
            loss = nn.functional.cross_entropy(model(letters).flatten(0, 1), targets.flatten())
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            losses.append(loss.item())
        schedule.step()
        log(f"epoch {epoch + 1}/{epochs}: loss {np.mean(losses):.4f}")
    return LetterWeights(classes, {name: value.detach().numpy() for name, value in model.state_dict().items()})


def _batches(
    aligned: Sequence[Aligned], number: dict[Pronunciation, int], size: int, generator: np.random.Generator
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Every word once, in shuffled batches of words of one length: [(letters (batch, n), classes (batch, n)), ...]."""
    by_length: dict[int, list[Aligned]] = {}
    for index in generator.permutation(len(aligned)):
        by_length.setdefault(len(aligned[index][0]), []).append(aligned[index])
    batches = []
    for group in by_length.values():
        for start in range(0, len(group), size):
            chosen = group[start : start + size]
            letters = torch.tensor([[ALPHABET.index(letter) for letter in spelling] for spelling, _ in chosen])
            batches.append((letters, torch.tensor([[number[chunk] for chunk in chunks] for _, chunks in chosen])))
    return [batches[index] for index in generator.permutation(len(batches))]


def phone_error_rate(pairs: Sequence[tuple[str, Pronunciation]], *, stress: bool) -> tuple[float, float]:
    """(phone error rate, share of words with an error) of `predict` against the nearest of the dictionary's pronunciations."""
    errors = phones = wrong = 0
    for word, _ in pairs:
        heard = predict(word)
        best = min((_distance(heard, right, stress) / len(right), len(right)) for right in dictionary.variants(word))
        errors += best[0] * best[1]
        phones += best[1]
        wrong += best[0] > 0
    return errors / phones, wrong / len(pairs)


def _distance(heard: Pronunciation, right: Pronunciation, stress: bool) -> int:
    """Edit distance in phones."""
    if not stress:
        heard, right = tuple(map(without_stress, heard)), tuple(map(without_stress, right))
    row = list(range(len(right) + 1))
    for index, phone in enumerate(heard, 1):
        corner, row[0] = row[0], index
        for column, other in enumerate(right, 1):
            corner, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, corner + (phone != other))
    return row[-1]


def learn(output: Path, *, epochs: int, threads: int, log: Callable[[str], None]) -> dict[str, Any]:
    """Align, train, measure and store; returns what the file says about itself."""
    torch.set_num_threads(threads)
    known = words()
    held_out, learned = known[:HELD_OUT], known[HELD_OUT:]
    weights = train(align_all(learned), epochs=epochs, log=log)
    save(weights, output)
    load.cache_clear()
    load(output)
    plain, stressed = phone_error_rate(held_out, stress=False), phone_error_rate(held_out, stress=True)
    about = {
        "source": "CMU Pronouncing Dictionary (BSD), learned by trainer/text/learn_letters.py",
        "held_out_words": HELD_OUT,
        "phone_error_rate": round(plain[0], 4),
        "phone_error_rate_with_stress": round(stressed[0], 4),
        "word_error_rate": round(plain[1], 4),
    }
    save(weights, output, **about)
    return about


if __name__ == "__main__":
    from trainer import renamed

    sys.exit(renamed.tell("trainer.text.learn_letters", sys.argv[1:]))
