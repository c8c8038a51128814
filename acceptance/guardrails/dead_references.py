"""Preflight: what documents, Makefile and workflows name exists (linked files, headings, paths, modules, make targets), and no text is half done."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from acceptance.guardrails import markdown_remains
from acceptance.guardrails.finding import Finding
from acceptance.guardrails.repository import Repository

_DOCUMENTS = ("*.md", "Makefile", ".github/workflows/*.yml", ".ci/*")
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_SPAN = re.compile(r"`+([^`]+)`+")
_PATH = re.compile(r"(?<![\w/.*~$(){}<>…=:@-])((?:\.?[\w*-][\w.*-]*/)+[\w.*-]*)(?![\w/<{…$])")
_MODULE = re.compile(r"python3? -m ([A-Za-z_][\w.]*)")
_MAKE = re.compile(r"(?:^|[;&|]\s*|\brun:\s*)make ([a-z][a-z0-9-]*)")
_TARGET = re.compile(r"^([a-z][\w-]*)\s*:(?!=)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reference:
    where: str
    kind: str
    """link, path, module or target."""
    name: str
    base: str
    """Directory of the file that it stands in."""


def findings(repository: Repository) -> list[Finding]:
    """References to nothing, placeholders, and broken tables.

    A path counts when it begins with a tracked directory of the root; what git ignores comes and goes.
    """
    targets = frozenset(_TARGET.findall(repository.text("Makefile") or ""))
    references = [reference for path, text in repository.texts(*_DOCUMENTS) for reference in _references(path, text)]
    missing = [reference for reference in references if not _exists(repository, targets, reference)]
    ignored = repository.ignored(
        sorted({reference.name for reference in missing if reference.kind == "path" and reference.name.isprintable()})
    )
    remains = [
        Finding(f"{path}:{line}", problem)
        for path, text in repository.texts("*.md")
        for line, problem in markdown_remains.problems(text)
    ]
    return remains + [
        Finding(reference.where, f"{reference.kind} {reference.name} leads nowhere")
        for reference in missing
        if reference.name not in ignored
    ]


def _references(path: str, text: str) -> Iterator[_Reference]:
    base, markdown, fenced = posixpath.dirname(path), path.endswith(".md"), False
    for number, line in enumerate(text.splitlines(), start=1):
        if markdown and markdown_remains.FENCE.match(line):
            fenced = not fenced
            continue
        where = f"{path}:{number}"
        if markdown and not fenced:
            for name in _LINK.findall(line):
                yield _Reference(where=where, kind="link", name=name, base=base)
        code = [line] if fenced or not markdown else _SPAN.findall(line)
        for part in code:
            for kind, pattern in (("path", _PATH), ("module", _MODULE), ("target", _MAKE)):
                for name in pattern.findall(part):
                    yield _Reference(where=where, kind=kind, name=name.rstrip("."), base=base)


def _exists(repository: Repository, targets: frozenset[str], reference: _Reference) -> bool:
    name, base = reference.name, reference.base
    if reference.kind == "target":
        return name in targets
    if reference.kind == "module":
        file = name.replace(".", "/")
        ours = file.partition("/")[0] in repository.directories
        return not ours or f"{file}.py" in repository.files or f"{file}/__main__.py" in repository.files
    if reference.kind == "path":
        known = name.partition("/")[0] in repository.directories
        return not known or repository.has(name) or repository.has(posixpath.join(base, name))
    if re.match(r"[a-z][a-z0-9+.-]*:", name):
        return True
    file, _, anchor = name.partition("#")
    target = posixpath.normpath(posixpath.join(base, file)) if file else reference.where.rpartition(":")[0]
    if not repository.has(target):
        return False
    return not anchor or not target.endswith(".md") or anchor in _anchors(repository.text(target) or "")


def _anchors(text: str) -> frozenset[str]:
    """Anchors of the headings of a Markdown text, as GitHub makes them."""
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text))
