"""The old spelling of `voice report` and `voice causes`; says so."""

import sys

from trainer import renamed

sys.exit(renamed.tell("acceptance", sys.argv[1:]))
