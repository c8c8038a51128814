"""Command line over file over built-in defaults."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from acceptance.policy import consistency, document, schema
from acceptance.policy.document import Node, PolicyError
from acceptance.policy.effective import COMMAND_LINE, Policy
from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError

THRESHOLDS = Path(__file__).resolve().parent.parent / "thresholds.yaml"
MAX_BYTES = 64 * 1024
OPTION = "--threshold"
_REPAIR = "correct the file, or delete it to use the built-in defaults"


def load(path: Path | None = None, overrides: Sequence[str] = ()) -> Policy:
    """The policy in force; `path` None is acceptance/thresholds.yaml, `overrides` are `section.key=value`, of which a later one wins.

    Raises PolicyError for a file or an override that cannot be used; a file that does not exist gives the defaults and a notice.
    """
    path = THRESHOLDS if path is None else path
    text = read(path)
    if text is None:
        policy = Policy(notices=(f"{shown_name(path)} does not exist: the built-in defaults are in force",))
    else:
        policy = apply(Policy(), text, shown_name(path))
    for override in overrides:
        policy = _override(policy, override)
    check(policy)
    return policy


def shown_name(path: Path) -> str:
    """A file as messages and origins name it: without its folder, which is a matter of this machine, unless that is all there is (`.`)."""
    return document.one_line(path.name or str(path))


def read(path: Path) -> str | None:
    """The text of a policy file, or None where there is none; raises PolicyError."""
    name = shown_name(path)
    try:
        with open(plain_file.descriptor_through_links(path), "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except PlainFileError as error:
        if error.cause == "missing" and not path.is_symlink():
            return None
        raise PolicyError(name, "", str(error), "give a regular, readable file") from error
    except OSError as error:
        raise PolicyError(name, "", error.strerror or "cannot be read", "give a regular, readable file") from error
    if len(data) > MAX_BYTES:
        raise PolicyError(name, "", f"larger than {MAX_BYTES} bytes", "a policy is a few hundred lines: give that file")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PolicyError(
            f"{name}:{line}", "", f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8"
        ) from error


def apply(policy: Policy, text: str, source: str) -> Policy:
    """The policy with what a file says; raises PolicyError. Checks each value for itself."""
    root = document.parse(text, source)
    if not isinstance(root.value, dict):
        raise PolicyError(
            f"{source}:{root.line}", "", "not a mapping", f"write `section:` and keys below it; {_REPAIR}"
        )
    for path, node in _found(root, source):
        policy = _set(policy, schema.leaves()[".".join(path)], node, source, f"{source}:{node.line}")
    return policy


def _found(root: Node, source: str) -> Iterator[tuple[tuple[str, ...], Node]]:
    """The leaves of a document, in its order."""
    declared = root.value.get("schema")
    if declared is not None and declared.value != schema.SCHEMA:
        raise PolicyError(
            f"{source}:{declared.line}", "schema", f"{declared.value!r:.60}", f"this program reads {schema.SCHEMA}"
        )
    groups, paths = schema.groups(), {leaf.path for leaf in schema.leaves().values()}
    level: list[tuple[tuple[str, ...], Node]] = [
        ((name,), node) for name, node in root.value.items() if name != "schema"
    ]
    while level:
        path, node = level.pop(0)
        key = ".".join(path)
        if path in groups:
            if not isinstance(node.value, dict):
                raise PolicyError(f"{source}:{node.line}", key, "not a mapping", "write `key: value` lines below it")
            level[:0] = [((*path, name), child) for name, child in node.value.items()]
        elif path in paths:
            yield path, node
        else:
            raise PolicyError(f"{source}:{node.line}", document.one_line(key), "unknown", _suggestion(path))


def _override(policy: Policy, text: str) -> Policy:
    key, equals, value = text.partition("=")
    key = key.strip()
    shown = document.one_line(key)
    if not equals or not key:
        raise PolicyError(
            OPTION, shown, "not section.key=value", f"write for example {OPTION} learning.min_improvement=0.1"
        )
    if len(text) > MAX_BYTES:
        raise PolicyError(OPTION, shown, f"longer than {MAX_BYTES} characters", "write a shorter value")
    leaf, name = _leaf_of(key)
    if leaf is None:
        raise PolicyError(OPTION, shown, "unknown", _suggestion(tuple(key.split("."))))
    place = f"{OPTION} {shown}"
    node = document.parse(value if value.strip() else "null", place, numbered=False)
    if name:
        others = {each: Node(value=item, line=1) for each, item in schema.get(policy, leaf).items()}
        node = Node(value={**others, name: node}, line=1)
    return _set(policy, leaf, node, place, COMMAND_LINE, numbered=False)


def _leaf_of(key: str) -> tuple[schema.Leaf | None, str]:
    """A leaf, and the name in it where it is a mapping of the user's own names (`context_budget.max_file_lines..py`)."""
    leaf = schema.leaves().get(key)
    if leaf is not None:
        return leaf, ""
    section, _, rest = key.partition(".")
    head, _, name = rest.partition(".")
    leaf = schema.leaves().get(f"{section}.{head}")
    return (leaf, name) if leaf is not None and leaf.is_free_mapping and name else (None, "")


def _set(policy: Policy, leaf: schema.Leaf, node: Node, source: str, origin: str, *, numbered: bool = True) -> Policy:
    try:
        value = schema.check(leaf, node.plain())
    except schema.InvalidValueError as error:
        place = f"{source}:{node.line_of(error.location)}" if numbered else source
        inside = "".join(f".{document.one_line(part)}" for part in error.location)
        # On the command line the place is the option with its key already.
        key = leaf.key + inside if numbered else inside.removeprefix(".")
        raise PolicyError(place, key, document.one_line(error), _example(leaf, node)) from error
    return replace(schema.put(policy, leaf, value), origins={**policy.origins, leaf.key: origin})


def check(policy: Policy) -> None:
    """What no single value can show; raises PolicyError at the first of the concerned keys that somebody wrote."""
    for found in consistency.problems(policy):
        origins = [(key, policy.origin(key)) for key in found.keys]
        written = [pair for pair in origins if pair[0] in policy.origins]
        # What the command line says is what the user can change at once.
        key, origin = next((pair for pair in written if pair[1] == COMMAND_LINE), (written or origins)[0])
        raise PolicyError(OPTION if origin == COMMAND_LINE else origin, key, found.problem, found.next_step)


def _example(leaf: schema.Leaf, node: Node) -> str:
    """What a value looks like that would do."""
    default = schema.get(Policy(), leaf)
    quoted = isinstance(node.value, str) and isinstance(default, float | int)
    unquoted = ", without quotes or units" if quoted else ""
    return f"the built-in default is {schema.shown(schema.plain(default))}{unquoted}"


def _suggestion(path: tuple[str, ...]) -> str:
    """The names that stand at this place."""
    above = path[:-1] if path[:-1] in schema.groups() else ()
    depth = len(above)
    names = sorted({leaf.path[depth] for leaf in schema.leaves().values() if leaf.path[:depth] == above})
    near = difflib.get_close_matches(path[min(depth, len(path) - 1)], names, n=1)
    return f"did you mean {near[0]}?" if near else f"{'.'.join(above) or 'the policy'} has {', '.join(names)}"
