"""Read and rewrite wheels (PEP 427): which build of torch one is, a copy without native extensions, a copy that requires nothing."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import zipfile
from pathlib import Path

# A build tag (PEP 427) says in the file's name that this is not the index's own file.
BUILD_TAG = "0noext"
ALONE_TAG = "0alone"
CUDA_REQUIREMENT = re.compile(r"^Requires-Dist: *(nvidia|cuda|triton|pytorch-triton)", re.MULTILINE)


def wheel_name_and_version(filename: str) -> tuple[str, str]:
    """Distribution and version from a wheel's file name; raises ValueError for a name that is not a wheel's."""
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in (5, 6):
        raise ValueError(f"not a wheel's file name: {filename!r}")
    return parts[0], parts[1]


def needs_cuda(wheel: Path) -> bool:
    """Whether the wheel's metadata asks for CUDA packages."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return CUDA_REQUIREMENT.search(archive.read(metadata).decode("utf-8")) is not None


def without_extensions(wheel: Path, directory: Path, *, inside: str) -> Path:
    """Write to `directory` the wheel without its `.so` files under `inside`; `wheel` itself when it has none.

    Same input, same bytes, on every machine: entries sorted, no times, stored without compression.
    """
    files, modes = contents(wheel)
    kept = {name: data for name, data in files.items() if not (name.startswith(inside) and name.endswith(".so"))}
    return wheel if len(kept) == len(files) else write(wheel, directory, kept, modes, tag=BUILD_TAG)


def without_requirements(wheel: Path, directory: Path) -> Path:
    """Write to `directory` the wheel with no `Requires-Dist` in its metadata; `wheel` itself when it has none. Same bytes everywhere."""
    files, modes = contents(wheel)
    metadata = next(name for name in files if name.endswith(".dist-info/METADATA"))
    head, separator, description = files[metadata].partition(b"\n\n")
    lines = head.decode("utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("Requires-Dist:")]
    if len(kept) == len(lines):
        return wheel
    files[metadata] = "\n".join(kept).encode("utf-8") + (separator or b"\n") + description
    return write(wheel, directory, files, modes, tag=ALONE_TAG)


def contents(wheel: Path) -> tuple[dict[str, bytes], dict[str, int]]:
    """Every file's bytes and its executable bits."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        return {name: archive.read(name) for name in names}, {
            name: (archive.getinfo(name).external_attr >> 16) & 0o111 for name in names
        }


def write(wheel: Path, directory: Path, files: dict[str, bytes], modes: dict[str, int], *, tag: str) -> Path:
    """The wheel with `files` in place of its own, under a build tag, its RECORD written anew."""
    info = next(name for name in files if name.endswith(".dist-info/WHEEL")).rpartition("/")[0]
    files[f"{info}/WHEEL"] = with_build_tag(files[f"{info}/WHEEL"], tag)
    files[f"{info}/RECORD"] = record_of(files, info)
    name, version, *tags = wheel.name.split("-")
    made = directory / "-".join([name, version, tag, *tags[-3:]])
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        # PEP 427: the metadata physically last.
        for entry in sorted(files, key=lambda item: (item.startswith(info), item)):
            header = zipfile.ZipInfo(entry, date_time=(1980, 1, 1, 0, 0, 0))
            header.create_system = 3
            header.external_attr = (0o100755 if modes.get(entry) else 0o100644) << 16
            archive.writestr(header, files[entry])
    return made


def with_build_tag(text: bytes, tag: str) -> bytes:
    """The WHEEL file with its Build line set."""
    lines = [line for line in text.decode("utf-8").splitlines() if line.strip() and not line.startswith("Build:")]
    return ("\n".join([*lines, f"Build: {tag}"]) + "\n").encode("utf-8")


def record_of(files: dict[str, bytes], info: str) -> bytes:
    """RECORD for `files`: path, urlsafe SHA-256 without padding, size; its own line is empty (PEP 376, PEP 427)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for name in sorted(files.keys() - {f"{info}/RECORD"}):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode("ascii")
        writer.writerow([name, f"sha256={digest}", len(files[name])])
    writer.writerow([f"{info}/RECORD", "", ""])
    return out.getvalue().encode("utf-8")
