"""Tells bytecode that Python compiled from the source beside it from bytecode that somebody planted there.

Run by path in a process of its own (`python -I bytecode.py FILE...`), for reading what a job wrote may crash the reader: it prints the number of
each file that is compiled from its source by this Python and, for test modules, this pytest. Of another's nothing can be told.
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType

import pytest
from _pytest.assertion.rewrite import rewrite_asserts

_PYTESTS = f".{sys.implementation.cache_tag}-pytest-{pytest.__version__}.pyc"
"""How pytest calls the bytecode of a test module whose assertions it rewrote."""
_HEADER_BYTES = 16
_MAX_BYTES = 2**24
_MEMORY_BYTES = 2**30
_PATIENCE_S = 120.0
_WITHOUT_REFERENCES = 2
"""The marshal version whose bytes depend on the code alone, not on which of its constants are shared."""


def compiled_from_source(files: Sequence[Path]) -> set[Path]:
    """Those of `files` that are what this Python makes of their unchanged source; what cannot be told is not among them."""
    if not files:
        return set()
    command = [sys.executable, "-I", __file__, *map(str, files)]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return set()
    return {files[int(number)] for number in answer.stdout.split()}


def is_compiled_from_source(file: Path) -> bool:
    """Whether Python would load this file for the source that it is named for, and finds that source's code in it."""
    rewritten = file.name.endswith(_PYTESTS)
    if rewritten:
        source, optimization = file.parent.parent / f"{file.name.removesuffix(_PYTESTS)}.py", ""
    else:
        source = Path(importlib.util.source_from_cache(str(file)))
        optimization = file.name.removesuffix(".pyc").partition(".opt-")[2]
        if str(file) != importlib.util.cache_from_source(str(source), optimization=optimization):
            return False
    if file.stat().st_size > _MAX_BYTES:
        return False
    data, written, text = file.read_bytes(), source.stat(), source.read_bytes()
    if rewritten:
        checked = b"\3\0\0\0" + importlib.util.source_hash(text)  # PEP 552: loaded only while the source has this hash
    else:
        checked = b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in (0, int(written.st_mtime), written.st_size))
    if data[:_HEADER_BYTES] != importlib.util.MAGIC_NUMBER + checked:
        return False
    code = marshal.loads(data[_HEADER_BYTES:])
    if not isinstance(code, CodeType):
        return False
    tree = ast.parse(text, filename=code.co_filename)
    if rewritten:
        rewrite_asserts(tree, text, code.co_filename)
    expected = compile(tree, code.co_filename, "exec", dont_inherit=True, optimize=int(optimization or 0))
    return marshal.dumps(code, _WITHOUT_REFERENCES) == marshal.dumps(expected, _WITHOUT_REFERENCES)


def main(files: Sequence[str]) -> None:
    """Entry: see the module's docstring."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    for number, file in enumerate(files):
        try:
            holds = is_compiled_from_source(Path(file))
        except Exception:  # whatever it was: the file is not what Python would have written
            holds = False
        if holds:
            print(number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
