"""The old spelling of `voice say` and `voice export onnx`; says so."""

import sys

from trainer import renamed

sys.exit(renamed.tell("trainer.synthesis", sys.argv[1:]))
