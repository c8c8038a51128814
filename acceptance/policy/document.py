"""YAML 1.2 as far as a policy needs it: mappings, lists and scalars with their lines, and nothing that surprises.

Built from the parser's events: no object is ever constructed from a tag, no alias can multiply, and every node knows its line. Plain scalars
are resolved by the core schema of YAML 1.2 (`yes` and `on` are text); what is not a finite number is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from acceptance.failure import HarnessError
from trainer.files.printable import masked

MAX_DEPTH = 6
MAX_DIGITS = 40
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class PolicyError(HarnessError):
    """A threshold cannot be used: `place: key: problem; next step`, the place being `file:line` or the option of the command line."""

    def __init__(self, place: str, key: str, problem: str, next_step: str) -> None:
        said = ": ".join(part for part in (place, key, problem) if part)
        super().__init__(f"{said}; {next_step}", cause="policy_invalid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A scalar, a dict of Nodes or a list of Nodes; `line` counts from 1 and is that of the key in a mapping."""

    value: Any
    line: int

    def plain(self) -> Any:
        """Without lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return [node.plain() for node in self.value] if isinstance(self.value, list) else self.value

    def line_of(self, location: tuple[str | int, ...]) -> int:
        """The line of a part, or of the nearest thing above it."""
        node = self
        for part in location:
            try:
                node = node.value[part]
            except (KeyError, IndexError, TypeError):
                break
        return node.line


def parse(text: str, source: str, *, numbered: bool = True) -> Node:
    """The one document in `text`; `source` names it in messages, with line numbers where `numbered`. Raises PolicyError."""
    return _Reader(text, source, numbered).document()


class _Reader:
    def __init__(self, text: str, source: str, numbered: bool) -> None:
        self.source = source
        self.numbered = numbered
        self.line = 1
        self.events = self._events(text)

    def document(self) -> Node:
        next(self.events)  # StreamStart
        start = next(self.events)
        if isinstance(start, StreamEndEvent):
            next_step = "write `section:` and keys below it, or delete the file to use the defaults"
            raise self._error("", "there is nothing in it", next_step)
        assert isinstance(start, DocumentStartEvent)
        if start.version not in (None, (1, 2)):
            raise self._error(
                "", f"%YAML {'.'.join(map(str, start.version))}", "policies are YAML 1.2: remove the directive"
            )
        node = self._node(next(self.events), (), 0)
        if not isinstance(next(self.events), DocumentEndEvent) or not isinstance(next(self.events), StreamEndEvent):
            raise self._error("", "a second document begins", "keep one document and remove the other `---`")
        return node

    def _node(self, event: Event, path: tuple[str, ...], depth: int) -> Node:
        line, key = self.line, ".".join(path)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise self._error(key, "anchors and aliases (& and *) are not read", "write the value out")
        if tag := getattr(event, "tag", None):
            raise self._error(key, f"tags such as {str(tag)[:40]} are not read", "write the plain value")
        if depth > MAX_DEPTH:
            raise self._error(key, f"nested deeper than {MAX_DEPTH} levels", "policies are `section: key: value`")
        if isinstance(event, ScalarEvent):
            return Node(value=self._scalar(event, key), line=line)
        if isinstance(event, SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(item := next(self.events), SequenceEndEvent):
                items.append(self._node(item, (*path, str(len(items))), depth + 1))
            return Node(value=items, line=line)
        assert isinstance(event, MappingStartEvent)
        return Node(value=self._mapping(path, depth), line=line)

    def _mapping(self, path: tuple[str, ...], depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            line = self.line
            if not isinstance(event, ScalarEvent) or event.anchor or event.tag:
                next_step = "write `key: value` without tags, anchors or lists as keys"
                raise self._error(".".join(path), "a key is not a plain name", next_step)
            name = event.value
            key = ".".join((*path, name))
            if name in found:
                raise self._error(key, f"stands twice, first in line {found[name].line}", "keep one of them")
            found[name] = Node(value=self._node(next(self.events), (*path, name), depth + 1).value, line=line)
        return found

    def _scalar(self, event: ScalarEvent, key: str) -> Any:
        text = event.value
        if event.style is not None:
            return text
        if text in _NULL:
            return None
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if _NOT_FINITE.fullmatch(text):
            raise self._error(key, f"{text} is not a finite number", "write a number")
        if _WHOLE.fullmatch(text) or _OTHER_BASE.fullmatch(text):
            if len(text) > MAX_DIGITS:
                raise self._error(key, f"a number of {len(text)} digits", "write a number that a threshold can have")
            return int(text) if _WHOLE.fullmatch(text) else int(text, 0)
        if _FLOAT.fullmatch(text):
            if not math.isfinite(float(text)):
                raise self._error(key, f"{text[:MAX_DIGITS]} is not a finite number", "write a number")
            return float(text)
        return text

    def _events(self, text: str) -> Iterator[Event]:
        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                self.line = event.start_mark.line + 1
                yield event
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.line = mark.line + 1 if mark else self.line
            raise self._error(
                "", f"not YAML: {one_line(error.problem or error.context)}", "correct the line"
            ) from error
        except YAMLError as error:
            raise self._error("", f"not YAML: {one_line(error)}", "correct the line") from error
        except (PolicyError, GeneratorExit):
            raise
        except Exception as error:  # the parser's own slips on odd input: still the file's fault
            raise self._error("", f"not YAML: {type(error).__name__}", "correct the line or the one before") from error

    def _error(self, key: str, problem: str, next_step: str) -> PolicyError:
        place = f"{self.source}:{self.line}" if self.numbered else self.source
        return PolicyError(place, one_line(key), problem, next_step)


def one_line(text: object) -> str:
    """Anything as short printable text for a message."""
    words = " ".join(str(text).split())
    return masked(words[:200])
