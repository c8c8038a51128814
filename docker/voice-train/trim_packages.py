"""Take from the image's packages what no job reads: their own tests, what serves compilers, what no loader maps.

    python3 trim_packages.py SITE_PACKAGES

It runs while the image is built, before bytecode is made. Only the standard library is used. The host keeps its packages whole.
"""

from __future__ import annotations

import re
import shutil
import struct
import sys
from pathlib import Path

UNUSED = (
    "torch/include", "torch/share", "torch/test", "torch/bin/protoc*", "torch/bin/test_*",
    "onnxruntime/capi/libonnxruntime.so.*",  # the C interface; Python's module holds the runtime itself
)  # fmt: skip
TESTS = re.compile(r"tests?")
SHARED_OBJECT = re.compile(r".*\.so(\.[0-9.]+)?")

# ELF-64, little endian (System V ABI, chapters 4 and 5).
MAGIC = b"\x7fELF\x02\x01"
HEADER = struct.Struct("<16s2HI3QI6H")
PROGRAM_HEADER = struct.Struct("<2I6Q")
LOAD = 1
PAGE = 4096


def loaded_only(data: bytes) -> bytes | bytearray:
    """A shared object's loaded segments, each at its address; without debug information, symbols for debuggers and section headers.

    Segments move in the file alone: an offset stays congruent to its address. `data` itself is returned where nothing is gained,
    and for a layout that cannot be moved like this.
    """
    if not data.startswith(MAGIC):
        return data
    header = list(HEADER.unpack_from(data))
    table, count = header[5], header[10]
    entries = [list(PROGRAM_HEADER.unpack_from(data, table + PROGRAM_HEADER.size * index)) for index in range(count)]
    made, moved = bytearray(), []
    for _, _, offset, address, _, size, _, align in sorted((e for e in entries if e[0] == LOAD), key=lambda e: e[2]):
        made += bytes((address - len(made)) % max(align, PAGE))
        moved.append((offset, size, len(made) - offset))
        made += data[offset : offset + size]

    def shift(offset: int, size: int) -> int | None:
        return next((by for start, held, by in moved if start <= offset and offset + size <= start + held), None)

    needed = [(0, HEADER.size), (table, PROGRAM_HEADER.size * count), *((e[2], e[5]) for e in entries if e[5])]
    if shift(0, HEADER.size) != 0 or None in {shift(*part) for part in needed} or any(not size for _, size, _ in moved):
        return data
    for entry in entries:
        entry[2] += shift(entry[2], entry[5]) or 0
    header[5] += shift(table, PROGRAM_HEADER.size * count) or 0
    header[6] = header[12] = header[13] = 0  # no section headers
    HEADER.pack_into(made, 0, *header)
    for index, entry in enumerate(entries):
        PROGRAM_HEADER.pack_into(made, header[5] + PROGRAM_HEADER.size * index, *entry)
    return made if len(made) < len(data) else data


def trim(site: Path) -> None:
    """Trim the packages in the directory `site`; licences and metadata stay whole."""
    unused = [path for pattern in UNUSED for path in site.glob(pattern)]
    packages = [path for path in site.iterdir() if path.is_dir() and path.suffix != ".dist-info"]
    unused += [
        path for package in packages for path in package.rglob("*") if path.is_dir() and TESTS.fullmatch(path.name)
    ]
    for path in unused:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # within a directory that went before
    for path in site.rglob("*"):
        if SHARED_OBJECT.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if (made := loaded_only(data)) is not data:
                path.write_bytes(made)


def size_of(directory: Path) -> int:
    """Bytes of all files below."""
    return sum(path.lstat().st_size for path in directory.rglob("*") if path.is_file())


if __name__ == "__main__":
    packages = Path(sys.argv[1])
    before = size_of(packages)
    trim(packages)
    print(f"trim_packages: {before / 1e6:.0f} MB -> {size_of(packages) / 1e6:.0f} MB")
