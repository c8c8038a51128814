"""Every colour of text can be read on the papers that it stands on, in light and in dark (WCAG 2.2, 1.4.3: at least 4.5 to 1)."""

from __future__ import annotations

import re
from importlib import resources

import pytest

STYLE = resources.files("acceptance.pages").joinpath("style.css").read_text(encoding="utf-8")
PAIRS = [
    *((ink, paper) for ink in ("ink", "soft", "accent", "good", "bad", "warn") for paper in ("paper", "panel")),
    ("ink", "good-paper"), ("ink", "bad-paper"), ("good", "good-paper"), ("bad", "bad-paper"),
    *((line, "paper") for line in ("one", "two", "three")),
]  # fmt: skip


def schemes() -> dict[str, dict[str, str]]:
    light, dark, *_ = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block))
        for block in re.findall(r":root \{(.*?)\}", STYLE, re.S)
    ]
    return {"light": light, "dark": dark}


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_text_has_contrast(scheme, ink, paper):
    colours = schemes()[scheme]
    bright, dark = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5
