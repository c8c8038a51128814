"""The old spelling of `voice evaluate` and `voice benchmark`; says so."""

import sys

from trainer import renamed

sys.exit(renamed.tell("trainer.evaluation", sys.argv[1:]))
