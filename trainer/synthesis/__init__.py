"""Text to speech with a finished voice.

    from trainer.synthesis import load

    voice = load("voice.pt")
    voice.say("Hello.").save("hello.wav")

`load` takes a checkpoint of either generation, or a folder of exported ONNX files, which need no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainer.synthesis.delivery import Delivery
from trainer.synthesis.speech import Speech

if TYPE_CHECKING:
    from trainer.synthesis.onnx_voice import OnnxVoice
    from trainer.synthesis.speaking import load
    from trainer.synthesis.voice import Voice

__all__ = ["Delivery", "OnnxVoice", "Speech", "Voice", "load"]

_HOMES = {
    "Voice": "trainer.synthesis.voice",
    "OnnxVoice": "trainer.synthesis.onnx_voice",
    "load": "trainer.synthesis.speaking",
}


def __getattr__(name: str) -> Any:
    # Only when asked for: each needs a runtime that the other can do without.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
