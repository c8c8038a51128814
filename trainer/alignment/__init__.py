"""When each phone of a known text is spoken: hidden Markov models of this project's own, adapted to the speaker."""

from trainer.alignment.align import Alignment, AlignmentError, align
from trainer.alignment.estimate import adapt
from trainer.alignment.model import Aligner, load_aligner, save_aligner

__all__ = ["Aligner", "Alignment", "AlignmentError", "adapt", "align", "load_aligner", "save_aligner"]
