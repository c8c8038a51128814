#!/usr/bin/env python3
"""Make the wheelhouse: every wheel that the image and the host install, pinned, hashed, ready for a site without an index.

    docker/requirements/{image,musicgen,host}.txt    what is wanted, by hand
    docker/requirements/{image,musicgen,host}.lock   the closure with hashes, by --relock
    docker/wheelhouse/{image,musicgen,host}/         the wheels and their SHA256SUMS, by this script

A requirement with the comment `# alone: <why>` is taken without what it asks for: its wheel is rewritten to ask for nothing.
Only the standard library is used: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from repack_wheel import needs_cuda, wheel_name_and_version, without_extensions, without_requirements

SETS = ("image", "musicgen", "host")
PLATFORM_ARGUMENTS = (
    "--only-binary=:all:",
    "--implementation=cp",
    "--python-version=3.11",
    *(f"--abi={abi}" for abi in ("cp311", "abi3", "none")),
    # Debian 12 has glibc 2.36; every tag up to it may be installed there.
    *(f"--platform=manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)),
    *(f"--platform={tag}_x86_64" for tag in ("manylinux2014", "manylinux2010", "manylinux1", "linux")),
)
REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s\\;]+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
RELOCK = "python3 docker/make_wheelhouse.py --relock"
TORCH_HINT = "For torch: set TORCH_INDEX_URL to an index that serves its CPU build. "
COPY_HINT = (
    "Next step: run `make wheelhouse` on a machine that reaches a package index, then copy its directory\n"
    "  {directory}\nto the same place here; it is verified and used as it is."
)


class WheelhouseError(Exception):
    """The wheelhouse cannot be made or does not hold; the message names the file and the next step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One line of a lock: a distribution, its version and the SHA-256 sums that its wheel may have."""

    name: str
    version: str
    hashes: frozenset[str]


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_lock(path: Path) -> dict[str, Pin]:
    """Pins by normalised name; raises WheelhouseError for a missing file or a line without version or hash."""
    if not path.is_file():
        raise WheelhouseError(f"{path} is missing. Next step: restore it with `git checkout -- {path}`")
    pins: dict[str, Pin] = {}
    for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        text = line.split("#", 1)[0].strip()
        if not text:
            continue
        match, hashes = REQUIREMENT.match(text), HASH.findall(text)
        if match is None or not hashes:
            raise WheelhouseError(f"{path}: not pinned with a hash: {text!r}. Next step: {RELOCK}")
        pins[normalised(match[1])] = Pin(name=normalised(match[1]), version=match[2], hashes=frozenset(hashes))
    return pins


def normalised(name: str) -> str:
    """A distribution's name as an index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(wheel: Path) -> str:
    """Normalised distribution name of a wheel."""
    return normalised(wheel_name_and_version(wheel.name)[0])


def problems_of(directory: Path, pins: dict[str, Pin]) -> list[str]:
    """What keeps `directory` from being exactly the locked wheels: missing, surplus or altered files; empty when it holds."""
    if not directory.is_dir():
        return [f"{directory} does not exist"]
    found, problems = {}, []
    for path in sorted(directory.glob("*.whl")):
        name = name_of(path)
        pin = pins.get(name)
        if pin is None:
            problems.append(f"{path} is not in the lock")
        elif sha256_of(path) not in pin.hashes:
            problems.append(f"{path} has a hash that the lock does not allow (altered, damaged or of another version)")
        else:
            found[name] = path
    problems += [f"{directory}/{pin.name}-{pin.version}-*.whl is missing" for pin in pins.values() if pin.name not in found]
    if not problems and hash_list(directory) != read_or_empty(directory / "SHA256SUMS"):
        problems.append(f"{directory / 'SHA256SUMS'} does not list exactly these wheels")
    return problems


def read_or_empty(path: Path) -> str:
    """The file's text, or nothing when there is no such file."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def hash_list(directory: Path) -> str:
    """The text of SHA256SUMS for the wheels in `directory` (`sha256sum --check` reads it)."""
    return "".join(f"{sha256_of(path)}  {path.name}\n" for path in sorted(directory.glob("*.whl")))


@contextmanager
def pip_command() -> Iterator[list[str]]:
    """A pip to run: this interpreter's own, else one in a throw-away virtual environment."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True, check=False).returncode == 0:
        yield own
        return
    with tempfile.TemporaryDirectory(prefix="wheelhouse-pip-") as scratch:
        made = subprocess.run([sys.executable, "-m", "venv", scratch], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise WheelhouseError(
                "this Python has neither pip nor ensurepip. Next step: sudo apt-get install -y python3-venv"
            )
        yield [f"{scratch}/bin/python", "-m", "pip"]


def pip_download(pip: list[str], arguments: list[str], destination: Path) -> None:
    """Run `pip download` for the target platform; raises WheelhouseError with pip's reason."""
    command = [*pip, "--disable-pip-version-check", "download", "--quiet", "--retries=2", "--progress-bar=off"]
    command += [*PLATFORM_ARGUMENTS, f"--dest={destination}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = [line for line in done.stderr.splitlines() if not line.startswith(("WARNING", "[notice]"))]
        raise WheelhouseError("pip could not fetch the wheels:\n  " + "\n  ".join(reason[-12:] or ["(pip said nothing)"]))


def torch_index_arguments() -> list[str]:
    """Where torch alone comes from: TORCH_INDEX_URL when set, else the index that pip is configured with."""
    url = os.environ.get("TORCH_INDEX_URL", "").strip()
    return [f"--index-url={url}"] if url else []


def fetch(lock: Path, pins: dict[str, Pin], directory: Path) -> None:
    """Fill `directory` with the locked wheels (good ones already there are reused); raises WheelhouseError."""
    partial = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    missing = dict(pins)
    for path in sorted(directory.glob("*.whl")) if directory.is_dir() else ():
        pin = missing.get(name_of(path))
        if pin is not None and sha256_of(path) in pin.hashes:
            shutil.copy2(path, partial / path.name)
            del missing[pin.name]
    try:
        download_pins([pin for pin in missing.values() if pin.name == "torch"], partial, torch_index_arguments())
        download_pins([pin for pin in missing.values() if pin.name != "torch"], partial, [])
    except WheelhouseError as error:
        names = ", ".join(f"{pin.name}=={pin.version}" for pin in missing.values())
        hint = TORCH_HINT if "torch" in missing else ""
        raise WheelhouseError(
            f"{directory} still lacks {names} (pinned in {lock}).\n{error}\n{hint}{COPY_HINT.format(directory=directory)}"
        ) from error
    rewrite(partial, alone_in(lock.with_suffix(".txt")), cpu=not needs_nvidia(pins))
    (partial / "SHA256SUMS").write_text(hash_list(partial), encoding="utf-8")
    problems = problems_of(partial, pins)
    if problems:
        raise WheelhouseError(f"the wheels that were fetched do not fit {lock}:\n  " + "\n  ".join(problems))
    shutil.rmtree(directory, ignore_errors=True)
    partial.rename(directory)


def download_pins(pins: list[Pin], destination: Path, extra: list[str]) -> None:
    """Download exactly these wheels and nothing that they depend on; raises WheelhouseError."""
    if not pins:
        return
    with pip_command() as pip, tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listing:
        listing.write(lock_lines(pins))
        listing.flush()
        pip_download(pip, ["--no-deps", "--require-hashes", f"--requirement={listing.name}", *extra], destination)


def needs_nvidia(pins: dict[str, Pin]) -> bool:
    """Whether the lock is one for a CUDA build of torch."""
    return any(name.startswith("nvidia-") for name in pins)


def lock_lines(pins: list[Pin]) -> str:
    """The pins as requirement lines, one hash per line."""
    blocks = []
    for pin in sorted(pins, key=lambda item: item.name):
        hashes = " \\\n".join(f"    --hash=sha256:{value}" for value in sorted(pin.hashes))
        blocks.append(f"{pin.name}=={pin.version} \\\n{hashes}\n")
    return "".join(blocks)


def rewrite(directory: Path, alone: list[str], *, cpu: bool) -> None:
    """Replace wheels that cannot be used as the index has them.

    Beside a CPU torch, torchaudio's CUDA extension cannot be loaded; those that are wanted alone ask for packages that are not there.
    """
    names = {normalised(line.split("==")[0]) for line in alone}
    for path in sorted(directory.glob("*.whl")):
        made = path
        if cpu and name_of(path) == "torchaudio":
            made = without_extensions(path, directory, inside="torchaudio/lib/")
        elif name_of(path) in names:
            made = without_requirements(path, directory)
        if made != path:
            path.unlink()


def alone_in(requirements: Path) -> list[str]:
    """The `name==version` of every requirement that is wanted without its own requirements."""
    lines = (line.partition("#") for line in read_or_empty(requirements).splitlines())
    return [wanted.strip() for wanted, _, comment in lines if wanted.strip() and comment.strip().startswith("alone:")]


def relock(root: Path, *, allow_cuda: bool) -> None:
    """Resolve all requirement files anew and write the locks; raises WheelhouseError for a CUDA torch unless allowed."""
    locked: dict[str, Pin] = {}
    with pip_command() as pip, tempfile.TemporaryDirectory(prefix="wheelhouse-lock-") as scratch:
        constraints = Path(scratch, "constraints.txt")
        found = [f"--find-links={Path(scratch, name)}" for name in SETS]
        for name in SETS:
            Path(scratch, name).mkdir()
        constraints.write_text(f"torch=={torch_version(pip, root, Path(scratch, 'image'), allow_cuda=allow_cuda)}\n")
        for name in SETS:
            fetched = Path(scratch, name)
            wanted = root / "requirements" / f"{name}.txt"
            alone = alone_in(wanted)
            resolved = Path(scratch, f"{name}.txt")
            lines = [line.partition("#")[0].strip() for line in wanted.read_text(encoding="utf-8").splitlines()]
            resolved.write_text("".join(f"{line}\n" for line in lines if line and line not in alone))
            if resolved.stat().st_size:
                pip_download(pip, [f"--requirement={resolved}", f"--constraint={constraints}", *found], fetched)
            for requirement in alone:
                pip_download(pip, ["--no-deps", requirement], fetched)
            pins = {key: pin for key, pin in pins_of(fetched, alone, cpu=not allow_cuda).items() if key not in locked}
            header = f"# Made by docker/make_wheelhouse.py --relock from {wanted.name}; do not edit.\n"
            wanted.with_suffix(".lock").write_text(header + lock_lines(list(pins.values())), encoding="utf-8")
            locked |= pins
            # What the host shares with the image, it shares in the same version.
            constraints.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in locked.values()))


def torch_version(pip: list[str], root: Path, directory: Path, *, allow_cuda: bool) -> str:
    """Fetch torch's wheel and return its full version, local part included; raises WheelhouseError for a CUDA build."""
    lines = (root / "requirements" / "image.txt").read_text(encoding="utf-8").splitlines()
    wanted = next(line.split("#", 1)[0].strip() for line in lines if line.startswith("torch=="))
    pip_download(pip, ["--no-deps", wanted, *torch_index_arguments()], directory)
    wheel = next(directory.glob("torch-*.whl"))
    if needs_cuda(wheel) and not allow_cuda:
        raise WheelhouseError(f"{wheel.name} is a CUDA build. {TORCH_HINT}Or add --cuda to lock it with its CUDA packages.")
    return wheel_name_and_version(wheel.name)[1]


def pins_of(directory: Path, alone: list[str], *, cpu: bool) -> dict[str, Pin]:
    """Pins of the wheels in `directory`; one that is rewritten may be the index's own or the rewritten one."""
    hashes: dict[tuple[str, str], set[str]] = {}
    for again in (False, True):
        if again:
            rewrite(directory, alone, cpu=cpu)
        for path in sorted(directory.glob("*.whl")):
            hashes.setdefault(wheel_name_and_version(path.name), set()).add(sha256_of(path))
    pins = (Pin(name=normalised(name), version=version, hashes=frozenset(sums)) for (name, version), sums in hashes.items())
    return {pin.name: pin for pin in pins}


def make(root: Path, wheelhouse: Path, *, check_only: bool) -> None:
    """Verify each set's wheels and fetch what does not hold; with `check_only` raise WheelhouseError instead of fetching."""
    for name in SETS:
        started = time.monotonic()
        lock, directory = root / f"requirements/{name}.lock", wheelhouse / name
        pins = read_lock(lock)
        problems = problems_of(directory, pins)
        if problems and check_only:
            raise WheelhouseError("\n".join([*problems, "Next step: make wheelhouse"]))
        if problems:
            print(f"{directory}: fetching ({problems[0]}{' ...' if len(problems) > 1 else ''})", flush=True)
            fetch(lock, pins, directory)
        size = sum(path.stat().st_size for path in directory.glob("*.whl"))
        print(f"{directory}: {len(pins)} wheels, {size / 1e6:.0f} MB, hashes verified ({time.monotonic() - started:.1f} s)", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when the wheelhouse holds, 1 with the reason and the next step on stderr."""
    parser = argparse.ArgumentParser(description="Fetch, verify or re-lock the wheels of the image and of the host.")
    parser.add_argument("--check", action="store_true", help="verify only, fetch nothing")
    parser.add_argument("--relock", action="store_true", help="resolve the requirement files anew and write the locks first")
    parser.add_argument("--cuda", action="store_true", help="with --relock: accept a CUDA build of torch and its packages")
    parser.add_argument("--directory", type=Path, default=Path("docker/wheelhouse"), help="where the wheels go (%(default)s)")
    parser.add_argument("--docker", type=Path, default=Path("docker"), help="the directory that holds requirements/ (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        if options.relock:
            relock(options.docker, allow_cuda=options.cuda)
        make(options.docker, options.directory, check_only=options.check)
    except WheelhouseError as error:
        print(f"make_wheelhouse: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
