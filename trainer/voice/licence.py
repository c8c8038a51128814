"""Licences of weights that others made: accepted by name or not used, and written into everything that is derived from them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from trainer.errors import RuntimeSetupError

_CARD_LICENCE = re.compile(r"^license:\s*[\"']?([\w.-]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """The terms of one set of weights."""

    spdx: str
    work: str
    holder: str
    source: str
    text: str
    commercial_use: bool


MUSICGEN_LICENCE = Licence(
    spdx="CC-BY-NC-4.0",
    work="MusicGen-small weights",
    holder="Meta AI",
    source="https://huggingface.co/facebook/musicgen-small",
    text="https://creativecommons.org/licenses/by-nc/4.0/",
    commercial_use=False,
)


def record(licence: Licence, *, accepted: str, promote: bool, card: str = "") -> dict[str, Any]:
    """The record that goes into checkpoint and status; raises RuntimeSetupError(licence_not_accepted).

    `accepted` is what the objective says, `card` the model card beside the weights: where it names another licence, these are other weights.
    """
    if accepted.strip().lower() != licence.spdx.lower():
        said = f"the objective accepts {accepted!r}" if accepted.strip() else "the objective accepts none"
        raise RuntimeSetupError(
            f"the {licence.work} are under {licence.spdx} ({licence.text}), {said};"
            f' whoever may use them so writes weights_licence = "{licence.spdx}" into the objective',
            cause="licence_not_accepted",
        )
    stated = _CARD_LICENCE.search(card)
    if stated and stated[1].lower() != licence.spdx.lower():
        raise RuntimeSetupError(
            f"the model card beside the weights says {stated[1]}, not {licence.spdx}: these are other weights",
            cause="licence_not_accepted",
        )
    return {**asdict(licence), "promotable": licence.commercial_use or promote}
