"""What is said in a recording, from the text beside it: plain text, subtitles, a recogniser's output, a label track.

documents.py   files that are no plain text: refused by name
cues.py        texts with times: Whisper, SRT, WebVTT, SBV, LRC, TSV, JSON, Audacity labels, Praat TextGrid
plain.py       what stands in a plain text and is not said: tags, speakers, times, notes, hyphens at line ends
reading.py     one text: which format it is, its words, and what was taken out
"""

from trainer.preparation.spoken_text.reading import SpokenText, decoded, read

__all__ = ["SpokenText", "decoded", "read"]
