"""The network of the natural voices: symbols of the misaki alphabet in, a 24 kHz wave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.models.natural.model import Melody, NaturalConfig, NaturalModel

__all__ = ["Melody", "NaturalConfig", "NaturalModel"]


def __getattr__(name: str) -> Any:
    # Only when asked for: exported voices speak without torch.
    if name in __all__:
        from trainer.models.natural import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
