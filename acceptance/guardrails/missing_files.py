"""Preflight: nothing is missing that the package, the image or the code beside it needs."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from acceptance.guardrails.finding import Finding
from acceptance.guardrails.repository import Repository

_BESIDE = re.compile(
    r"Path\(__file__\)(?:\.resolve\(\))?(?:\.with_name\(\s*\"([^\"]+)\"\s*\)|\.parent((?:\.parent)*)((?:\s*/\s*\"[^\"]+\")+))"
)
_COPY = re.compile(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", re.MULTILINE)


def findings(repository: Repository) -> list[Finding]:
    """Tracked files are in the working tree; files that code finds beside itself, that the project file names and that images copy are tracked."""
    found = [
        Finding(path, "tracked, but not in the working tree")
        for path in repository.tracked
        if not _is_there(repository, path)
    ]
    needed = [*_beside_code(repository), *_of_the_project_file(repository), *_of_the_images(repository)]
    absent = sorted({name for _, name in needed if not repository.has(name)})
    ignored = repository.ignored(absent)
    found += [
        Finding(where, f"needs {name}, which is not there")
        for where, name in needed
        if name in absent and name not in ignored
    ]
    return found + _packages_without_init(repository)


def _is_there(repository: Repository, path: str) -> bool:
    file = repository.root / path
    return file.exists() or file.is_symlink()


def _beside_code(repository: Repository) -> Iterator[tuple[str, str]]:
    for path, text in repository.texts("*.py"):
        if path.startswith("tests/"):
            continue  # they write such code for others to read
        for name, parents, parts in _BESIDE.findall(text):
            base = posixpath.dirname(path)
            for _ in range(parents.count(".parent")):
                base = posixpath.dirname(base)
            yield path, posixpath.join(base, name or "/".join(re.findall(r"\"([^\"]+)\"", parts)))


def _of_the_project_file(repository: Repository) -> Iterator[tuple[str, str]]:
    text = repository.text("pyproject.toml")
    if text is None:
        return
    document: dict[str, Any] = tomllib.loads(text)
    project = document.get("project", {})
    names = [project.get("readme"), *project.get("license-files", [])]
    for entry in document.get("tool", {}).get("setuptools", {}).get("dynamic", {}).values():
        named = entry.get("file", [])
        names += [named] if isinstance(named, str) else named
    yield from (("pyproject.toml", name) for name in names if isinstance(name, str))


def _of_the_images(repository: Repository) -> Iterator[tuple[str, str]]:
    for path, text in repository.texts("*Dockerfile"):
        for sources in _COPY.findall(text.replace("\\\n", " ")):
            yield from ((path, name) for name in sources.split())


def _packages_without_init(repository: Repository) -> list[Finding]:
    """Folders with modules below a package that an installation would leave out."""
    roots = {
        path.partition("/")[0]
        for path in repository.files
        if re.fullmatch(r"(?:acceptance|trainer)/__init__\.py", path)
    }
    folders = {
        posixpath.dirname(path) for path in repository.files if path.endswith(".py") and path.partition("/")[0] in roots
    }
    return [
        Finding(folder, "holds modules but no __init__.py, so an installation leaves them out")
        for folder in sorted(folders)
        if f"{folder}/__init__.py" not in repository.files and not (repository.root / folder / "__init__.py").is_file()
    ]
