"""`python -m trainer.synthesis say|export-onnx …`, the same as `python -m trainer say|export-onnx …`."""

from __future__ import annotations

import sys

from trainer.synthesis import arguments, command
from trainer.wait_policy import wait_asleep

if __name__ == "__main__":
    wait_asleep()
    sys.exit(command.main(arguments.parser().parse_args()))
