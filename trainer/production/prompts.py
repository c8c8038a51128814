"""The prompts of a batch, in order: what is to be said, each under its id."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.files import json_lines, plain_file, typed_json
from trainer.files.json_lines import Listing
from trainer.files.printable import quoted
from trainer.production import layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One text and its id."""

    id: str
    text: str


def part(path: Path, numbers: range) -> Iterator[Prompt]:
    """The prompts with these numbers, counted from 0; raises PlainFileError and ValueError. The memory does not grow with the file."""
    with plain_file.opened(path) as stream:
        for line in itertools.islice(json_lines.lines(stream), numbers.start, numbers.stop):
            prompt: Prompt = typed_json.build(Prompt, json_lines.parsed(line))
            if not layout.is_prompt_id(prompt.id):
                raise ValueError(f"the id {quoted(prompt.id)} cannot be a file's name")
            yield prompt


def listing(path: Path) -> Listing:
    """How many lines lie in a file, and its sha256; raises PlainFileError."""
    count, found = 0, hashlib.sha256()
    with plain_file.opened(path) as stream:
        for line in stream:
            count += 1
            found.update(line)
    return Listing(count=count, sha256=found.hexdigest())
