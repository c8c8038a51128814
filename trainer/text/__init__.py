"""Text in English -> sentences of words with ARPAbet pronunciations.

analysis = analyse("Dr. Smith paid $3.50.")
phones = [word.pronunciations[0] for word in analysis.sentences[0].words]
"""

from trainer.text.analysis import analyse, iter_sentences
from trainer.text.language import english_share, is_foreign
from trainer.text.words import Analysis, Pronunciation, Sentence, TextError, Word

__all__ = [
    "Analysis",
    "Pronunciation",
    "Sentence",
    "TextError",
    "Word",
    "analyse",
    "english_share",
    "is_foreign",
    "iter_sentences",
]
