"""When each phone of a known text is spoken: hidden Markov models of this project's own, adapted to the speaker."""

from trainer.models.aligner.align import Alignment, AlignmentError, align
from trainer.models.aligner.estimate import adapt
from trainer.models.aligner.model import Aligner, load_aligner, save_aligner

__all__ = ["Aligner", "Alignment", "AlignmentError", "adapt", "align", "load_aligner", "save_aligner"]
