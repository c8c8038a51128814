"""The next action as a sentence and a command, so that a button can copy what a shell takes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCommand:
    """What to do in words, and the command; the command is empty where the action holds none."""

    sentence: str
    command: str

    @classmethod
    def saying(cls, checkpoint: str) -> NextCommand:
        """Listen to a voice that is done."""
        return cls(
            sentence="Hear the voice say something",
            command=f"voice say 'Good morning, everybody.' --checkpoint {shlex.quote(checkpoint)} -o good-morning.wav",
        )


def next_command(action: str) -> NextCommand:
    """The parts of an action, which is a sentence, a colon and a command."""
    sentence, colon, command = action.partition(": ")
    return NextCommand(sentence=sentence, command=command) if colon else NextCommand(sentence=action, command="")
