"""Old programs: each ends with one line that names what to type now."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

NEW: Mapping[str, Mapping[str, str]] = {
    "acceptance": {"report": "voice report", "causes": "voice causes"},
    "trainer": {
        "prepare": "voice prepare",
        "train": "voice train",
        "evaluate": "voice remeasure",
        "resynthesize": "voice resynthesize",
        "say": "voice say",
        "export-onnx": "voice export onnx",
        "render-demo": "voice demo-recording",
        "pretrain": "voice pretrain",
    },
    "trainer.evaluation": {
        "sentences": "voice benchmark sentences",
        "rate": "voice benchmark rate",
        "evaluate": "voice evaluate",
        "benchmark": "voice benchmark run",
    },
    "trainer.synthesis": {"say": "voice say", "export-onnx": "voice export onnx"},
    "trainer.text.learn_letters": {"": "voice pretrain letters"},
}
"""The new spelling by old program and command."""
_ELSE = {
    "trainer.text.learn_letters": "voice pretrain letters",
    "trainer.evaluation": "voice benchmark",
}
USAGE = 2


def tell(program: str, arguments: Sequence[str]) -> int:
    """Write the line of `python -m PROGRAM ARGUMENTS` to standard error; returns the exit status."""
    word = arguments[0] if arguments else ""
    known = NEW[program]
    old, new = (
        (f"python -m {program} {word}".rstrip(), known[word])
        if word in known
        else (f"python -m {program}", _ELSE.get(program, "voice"))
    )
    sys.stderr.write(f"error: {old} is now: {new} (options: {new} --help) [usage]\n")
    return USAGE
