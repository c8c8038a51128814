"""The old spelling of `voice pretrain`; says so."""

import sys

from trainer import renamed

sys.exit(renamed.tell("trainer.pretraining", sys.argv[1:]))
