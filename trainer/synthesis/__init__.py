"""Text to speech with a finished voice.

    from trainer.synthesis import load

    voice = load("voice.pt")
    voice.say("Hello.").save("hello.wav")

`load` takes a checkpoint, or a folder of exported ONNX files, which need no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainer.synthesis.delivery import Delivery
from trainer.synthesis.speech import Speech

if TYPE_CHECKING:
    from trainer.synthesis.speaking import load

__all__ = ["Delivery", "Speech", "load"]


def __getattr__(name: str) -> Any:
    # Only when asked for: a delivery alone needs none of what speaking needs.
    if name == "load":
        return import_module("trainer.synthesis.speaking").load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
