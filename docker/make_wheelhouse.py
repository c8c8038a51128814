#!/usr/bin/env python3
"""Make the wheelhouse: every wheel that the image and the host install, pinned, hashed, ready for a site without an index.

    docker/requirements/SET.txt    what is wanted, by hand
    docker/requirements/SET.lock   the closure with hashes, by --relock
    docker/wheelhouse/SET/         the wheels and their SHA256SUMS, by this script

The sets `image` and `host` are for everybody. `--extra` adds one: musicgen (what that backbone needs), whisper (what that
recogniser needs), distributed (Ray), tests (what only long tests need). Each lock holds its closure without what image.lock
has; what they share is of one version.

A requirement with the comment `# alone: <why>` is taken without what it asks for: its wheel is rewritten to ask for nothing.
Only the standard library is used: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from repack_wheel import needs_cuda, wheel_name_and_version, without_extensions, without_requirements
from wheel_download import (
    DownloadError,
    TorchUnavailable,
    download_torch,
    pip_command,
    pip_download,
    torch_index,
)

if not hasattr(hashlib, "file_digest"):
    sys.exit("make_wheelhouse: this Python is older than 3.11. Next step: make wheelhouse PYTHON=python3.11")

SETS = ("image", "host", "musicgen", "distributed", "tests", "whisper")
EXTRAS = SETS[2:]
REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s\\;]+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
COST = re.compile(r"^# \d+ wheels: (\d+) MB to fetch, (\d+) MB installed\.$", re.MULTILINE)
# Measured on two cores beside much other work: 1436 MB in 303 s.
INSTALL_MB_PER_SECOND = 5
RELOCK = "python3 docker/make_wheelhouse.py --relock"
TORCH_HINT = "For torch: set TORCH_INDEX_URL to an index that serves its CPU build. "
COPY_HINT = (
    "Next step: run `make wheelhouse` on a machine that reaches a package index, then copy its directory\n"
    "  {directory}\nto the same place here; it is verified and used as it is."
)
TORCH_STEPS = (
    "Next step, one of:\n"
    "  TORCH_INDEX_URL=<an index with PyTorch's CPU builds> make wheelhouse\n"
    "  run `make wheelhouse` on a machine that reaches one, then copy its directory {directory} to the same place here\n"
    f"  {RELOCK} --cuda     locks the plain build instead: CUDA, several GB"
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
    problems += [
        f"{directory}/{pin.name}-{pin.version}-*.whl is missing" for pin in pins.values() if pin.name not in found
    ]
    if not problems and hash_list(directory) != read_or_empty(directory / "SHA256SUMS"):
        problems.append(f"{directory / 'SHA256SUMS'} does not list exactly these wheels")
    return problems


def read_or_empty(path: Path) -> str:
    """The file's text, or nothing when there is no such file."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def hash_list(directory: Path) -> str:
    """The text of SHA256SUMS for the wheels in `directory` (`sha256sum --check` reads it)."""
    return "".join(f"{sha256_of(path)}  {path.name}\n" for path in sorted(directory.glob("*.whl")))


def reuse(directory: Path, pins: dict[str, Pin], destination: Path) -> dict[str, Pin]:
    """Copy the locked wheels that this set or another one has already; returns the pins that are still missing."""
    missing = dict(pins)
    for path in sorted(directory.parent.glob("*/*.whl")):
        pin = missing.get(name_of(path))
        if pin is not None and sha256_of(path) in pin.hashes:
            shutil.copy2(path, destination / path.name)
            del missing[pin.name]
    return missing


def fetch(lock: Path, pins: dict[str, Pin], directory: Path) -> None:
    """Fill `directory` with the locked wheels (good ones already there are reused); raises WheelhouseError."""
    partial = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    missing = reuse(directory, pins, partial)
    try:
        # A torch of the CUDA build is an ordinary wheel of an ordinary index.
        download_pins([pin for pin in missing.values() if "+cpu" in pin.version], partial, torch=True)
        download_pins([pin for pin in missing.values() if "+cpu" not in pin.version], partial)
    except TorchUnavailable as error:
        torch = next(f"{pin.name}=={pin.version}" for pin in missing.values() if "+cpu" in pin.version)
        raise WheelhouseError(
            f"{directory} still lacks {torch} (pinned in {lock}): {error}.\n{TORCH_STEPS.format(directory=directory)}"
        ) from error
    except DownloadError as error:
        there = {name_of(path) for path in partial.glob("*.whl")}
        names = ", ".join(f"{pin.name}=={pin.version}" for pin in missing.values() if pin.name not in there)
        raise WheelhouseError(
            f"{directory} still lacks {names} (pinned in {lock}).\n{error}\n{COPY_HINT.format(directory=directory)}"
        ) from error
    rewrite(partial, alone_in(lock.with_suffix(".txt")), cpu=not needs_nvidia(pins))
    (partial / "SHA256SUMS").write_text(hash_list(partial), encoding="utf-8")
    problems = problems_of(partial, pins)
    if problems:
        raise WheelhouseError(f"the wheels that were fetched do not fit {lock}:\n  " + "\n  ".join(problems))
    shutil.rmtree(directory, ignore_errors=True)
    partial.rename(directory)


def download_pins(pins: list[Pin], destination: Path, *, torch: bool = False) -> None:
    """Download exactly these wheels and nothing that they depend on; raises DownloadError."""
    if not pins:
        return
    with pip_command() as pip, tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listing:
        listing.write(lock_lines(pins))
        listing.flush()
        arguments = ["--no-deps", "--require-hashes", f"--requirement={listing.name}"]
        if torch:
            download_torch(pip, arguments, destination)
        else:
            pip_download(pip, arguments, destination, total=len(pins))


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


def relock(root: Path, *, allow_cuda: bool, keep: bool) -> None:
    """Resolve all requirement files anew and write the locks; raises WheelhouseError for a CUDA torch unless allowed.

    With `keep` what no requirement file names stays in its locked version. Other wheels of a version that the lock allows stay allowed.
    """
    files = {name: root / "requirements" / f"{name}.txt" for name in SETS}
    locks = [path.with_suffix(".lock") for path in files.values()]
    before = [pin for lock in locks if lock.is_file() for pin in read_lock(lock).values()]
    # Each set is resolved by itself, and what two of them hold must be of one version: that of the file which names it.
    wanted = [line.partition("==") for path in files.values() for line in wanted_in(path)]
    named = {normalised(name): version for name, _, version in wanted}
    versions = {pin.name: pin.version for pin in before if keep} | named
    with pip_command() as pip, tempfile.TemporaryDirectory(prefix="wheelhouse-lock-") as scratch:
        constraints = Path(scratch, "constraints.txt")
        found = [f"--find-links={Path(scratch, name)}" for name in SETS]
        for name in SETS:
            Path(scratch, name).mkdir()
        versions["torch"] = torch_version(pip, root, Path(scratch, "image"), allow_cuda=allow_cuda)
        for name in SETS:
            constraints.write_text("".join(f"{key}=={version}\n" for key, version in versions.items()))
            fetched, alone, resolved = Path(scratch, name), alone_in(files[name]), Path(scratch, f"{name}.txt")
            resolved.write_text("".join(f"{line}\n" for line in wanted_in(files[name]) if line not in alone))
            if resolved.stat().st_size:
                pip_download(pip, [f"--requirement={resolved}", f"--constraint={constraints}", *found], fetched)
            for requirement in alone:
                pip_download(pip, ["--no-deps", requirement], fetched)
            image = read_lock(files["image"].with_suffix(".lock")) if name != "image" else {}
            cost = cost_line([path for path in fetched.glob("*.whl") if name_of(path) not in image])
            pins = {
                key: pin for key, pin in pins_of(fetched, alone, before, cpu=not allow_cuda).items() if key not in image
            }
            header = f"# Made by docker/make_wheelhouse.py --relock from {name}.txt; do not edit.\n{cost}"
            files[name].with_suffix(".lock").write_text(header + lock_lines(list(pins.values())), encoding="utf-8")
            versions |= {pin.name: pin.version for pin in pins.values()}


def wanted_in(requirements: Path) -> list[str]:
    """The requirement lines of a file, without comments."""
    lines = (line.partition("#")[0].strip() for line in read_or_empty(requirements).splitlines())
    return [line for line in lines if line]


def cost_line(wheels: list[Path]) -> str:
    """What these wheels cost, as a lock says it (COST reads it); bytecode takes about as much room as its source."""
    installed = 0
    for path in wheels:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                installed += entry.file_size * (2 if entry.filename.endswith(".py") else 1)
    fetched = sum(path.stat().st_size for path in wheels)
    return f"# {len(wheels)} wheels: {fetched / 1e6:.0f} MB to fetch, {installed / 1e6:.0f} MB installed.\n"


def torch_version(pip: list[str], root: Path, directory: Path, *, allow_cuda: bool) -> str:
    """Fetch torch's wheel and return its full version, local part included; raises WheelhouseError for a CUDA build."""
    wanted = next(line for line in wanted_in(root / "requirements" / "image.txt") if line.startswith("torch=="))
    try:
        if torch_index() or not allow_cuda:
            # An index that was named may serve its CPU build under the plain version.
            download_torch(pip, ["--no-deps", wanted if torch_index() else f"{wanted}+cpu"], directory)
        else:
            pip_download(pip, ["--no-deps", wanted], directory)
    except TorchUnavailable as error:
        steps = TORCH_STEPS.format(directory=directory)
        raise WheelhouseError(f"no CPU build of {wanted}: {error}.\n{steps}") from error
    wheel = next(directory.glob("torch-*.whl"))
    if needs_cuda(wheel) and not allow_cuda:
        raise WheelhouseError(
            f"{wheel.name} is a CUDA build. {TORCH_HINT}Or add --cuda to lock it with its CUDA packages."
        )
    return wheel_name_and_version(wheel.name)[1]


def pins_of(directory: Path, alone: list[str], before: list[Pin], *, cpu: bool) -> dict[str, Pin]:
    """Pins of the wheels in `directory`; one that is rewritten may be the index's own or the rewritten one.

    One that is not keeps the hashes that `before` has for its version: an index may serve several legal wheels.
    """
    hashes: dict[tuple[str, str], set[str]] = {}
    for again in (False, True):
        if again:
            rewrite(directory, alone, cpu=cpu)
        for path in sorted(directory.glob("*.whl")):
            hashes.setdefault(wheel_name_and_version(path.name), set()).add(sha256_of(path))
    pins = {}
    for (name, version), sums in hashes.items():
        if len(sums) == 1:
            sums.update(*(pin.hashes for pin in before if (pin.name, pin.version) == (normalised(name), version)))
        pins[normalised(name)] = Pin(name=normalised(name), version=version, hashes=frozenset(sums))
    return pins


def make(root: Path, wheelhouse: Path, *, extras: list[str], check_only: bool, environment: Path | None = None) -> None:
    """Verify each set's wheels and fetch what does not hold; with `check_only` raise WheelhouseError instead of fetching."""
    sets = {name: root / f"requirements/{name}.lock" for name in SETS if name not in EXTRAS or name in extras}
    pins = {name: read_lock(lock) for name, lock in sets.items()}
    problems = {name: problems_of(wheelhouse / name, pins[name]) for name in sets}
    if check_only and any(problems.values()):
        raise WheelhouseError(
            "\n".join([*(problem for found in problems.values() for problem in found), "Next step: make wheelhouse"])
        )
    print(plan(sets, [name for name in sets if problems[name]], environment), end="", flush=True)
    for name, lock in sets.items():
        started, directory = time.monotonic(), wheelhouse / name
        if problems[name]:
            print(f"{directory}: fetching {len(pins[name])} wheels ({problems[name][0]})", flush=True)
            fetch(lock, pins[name], directory)
        size = sum(path.stat().st_size for path in directory.glob("*.whl"))
        seconds = f" ({time.monotonic() - started:.0f} s)" if problems[name] else ""
        print(f"{directory}: {len(pins[name])} wheels, {size / 1e6:.0f} MB, hashes verified{seconds}", flush=True)


def plan(locks: dict[str, Path], missing: list[str], environment: Path | None) -> str:
    """What is about to be fetched and installed, before it starts; empty when nothing is, or no lock says what it costs."""
    costs = {name: COST.search(lock.read_text(encoding="utf-8")) for name, lock in locks.items()}
    known = {name: (int(cost[1]), int(cost[2])) for name, cost in costs.items() if cost}
    lines = []
    if missing:
        lines.append(
            f"to fetch: {sum(known.get(name, (0, 0))[0] for name in missing)} MB of wheels ({', '.join(missing)})"
        )
    if environment is not None:
        size = sum(installed for _, installed in known.values())
        minutes = max(1, round(size / INSTALL_MB_PER_SECOND / 60))
        lines.append(
            f"to install: {environment}, {size / 1000:.1f} GB ({', '.join(locks)}); about {minutes} min on two busy cores"
        )
    return "".join(f"{line}\n" for line in lines if known)


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when the wheelhouse holds, 1 with the reason and the next step on stderr."""
    parser = argparse.ArgumentParser(description="Fetch, verify or re-lock the wheels of the image and of the host.")
    parser.add_argument("--check", action="store_true", help="verify only, fetch nothing")
    parser.add_argument("--extra", action="append", default=[], choices=EXTRAS, help="a set that is not for everybody")
    parser.add_argument(
        "--relock", action="store_true", help="resolve the requirement files anew and write the locks first"
    )
    parser.add_argument(
        "--keep", action="store_true", help="with --relock: what no requirement file names stays as it is locked"
    )
    parser.add_argument(
        "--cuda", action="store_true", help="with --relock: accept a CUDA build of torch and its packages"
    )
    parser.add_argument(
        "--directory", type=Path, default=Path("docker/wheelhouse"), help="where the wheels go (%(default)s)"
    )
    parser.add_argument(
        "--docker", type=Path, default=Path("docker"), help="the directory that holds requirements/ (%(default)s)"
    )
    parser.add_argument("--environment", type=Path, help="the environment that is made next: its cost is told")
    options = parser.parse_args(arguments)
    try:
        if options.relock:
            relock(options.docker, allow_cuda=options.cuda, keep=options.keep)
        make(
            options.docker,
            options.directory,
            extras=options.extra,
            check_only=options.check,
            environment=options.environment,
        )
    except (WheelhouseError, DownloadError) as error:
        print(f"make_wheelhouse: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
