"""A policy file with other numbers: its comments, its order and everything else in it stay."""

from __future__ import annotations

import difflib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.util import load_yaml_guess_indent

from acceptance.failure import HarnessError
from acceptance.policy import Policy, PolicyError, loading, schema
from trainer.files.atomic_file import write_atomically

NEW_FILE = f"schema: {schema.SCHEMA}\n"
_WIDTH = 4096  # no line is broken that was not


def edited(text: str, changes: Mapping[str, Any]) -> str:
    """`text`, a valid policy file, with `changes` by dotted key; the same changes again give the same text."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = _WIDTH, True
    _, indent, offset = load_yaml_guess_indent(text)
    if offset is not None:  # lists stay as far in as they are
        yaml.sequence_indent, yaml.sequence_dash_offset = indent, offset
    document = yaml.load(text)
    for key, value in changes.items():
        *above, name = schema.leaves()[key].path
        place = document
        for part in above:
            place = place.setdefault(part, CommentedMap())
        place[name] = _kept_comments(place.get(name), value) if isinstance(value, Mapping) else value
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def checked(path: Path, changes: Mapping[str, Any]) -> tuple[str, str, Policy]:
    """The file's text before and after, and the policy that the latter gives; raises PolicyError.

    Nothing but `changes` may differ: what the file said and what the library made of it are both read by the strict loader.
    """
    before = loading.read(path)
    before = NEW_FILE if before is None else before
    name = loading.shown_name(path)
    was = loading.apply(Policy(), before, name)
    after = edited(before, changes)
    found = loading.apply(Policy(), after, name)
    loading.check(found)
    wanted = {
        **was.values(),
        **{key: schema.plain(schema.check(schema.leaves()[key], value)) for key, value in changes.items()},
    }
    if found.values() != wanted:
        raise PolicyError(
            name, "", "cannot be rewritten without changing other values", "write it in plain block style"
        )
    return before, after, found


def write(path: Path, before: str, after: str) -> None:
    """Replace the file, whole or not at all; raises HarnessError(policy_changed) where somebody else did since it was read."""
    now = loading.read(path)
    if (NEW_FILE if now is None else now) != before:
        raise HarnessError(
            f"{path.name} changed while the evidence was measured; run the command again", cause="policy_changed"
        )
    write_atomically(path.resolve(), after.encode("utf-8"))


def difference(name: str, before: str, after: str) -> str:
    """What changes, as a unified diff."""
    return "".join(difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, name))


def _kept_comments(old: Any, value: Mapping[str, Any]) -> CommentedMap:
    """A new mapping in place of an old one; the comment and the blank lines below the old one's last line stay below the new one's."""
    new = CommentedMap(value)
    if isinstance(old, CommentedMap) and old and value:
        below = old.ca.items.get(next(reversed(old)))
        if below is not None:
            new.ca.items[next(reversed(new))] = below
    return new
