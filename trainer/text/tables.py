"""Tables of words and signs, kept as JSON beside the modules that read them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """The content of `name`.json; its order is that of the file."""
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
