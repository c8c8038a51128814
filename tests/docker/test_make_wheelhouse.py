"""The wheelhouse is exactly what the locks say, or the script says what is wrong and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docker.synthetic_wheel import lock_line, write_wheel

pytestmark = pytest.mark.long

DOCKER = Path(__file__).parents[2] / "docker"
SCRIPT = DOCKER / "make_wheelhouse.py"
# No other index and no configuration of this machine: only what a test offers.
OFFLINE = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}


class Site:
    """A project's docker/ directory with small locks, and an index directory that pip may use."""

    def __init__(self, directory: Path) -> None:
        self.docker = directory / "docker"
        self.index = directory / "index"
        self.wheelhouse = directory / "wheelhouse"
        (self.docker / "requirements").mkdir(parents=True)
        self.index.mkdir()
        self.env = os.environ | OFFLINE | {"PIP_FIND_LINKS": str(self.index)}
        for name in ("image", "musicgen", "host"):
            self.lock(name, "")
            (self.docker / "requirements" / f"{name}.txt").write_text("")

    def lock(self, name: str, text: str) -> None:
        (self.docker / "requirements" / f"{name}.lock").write_text(text)

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(SCRIPT), f"--docker={self.docker}", f"--directory={self.wheelhouse}", *options]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site whose image needs `alpha` and a torchaudio with an extension."""
    site = Site(tmp_path)
    alpha = write_wheel(site.index, "alpha", "1.0", {"alpha.py": b"value = 1\n"})
    audio = write_wheel(
        site.index, "torchaudio", "2.11.0", {"torchaudio/lib/_a.so": b"cuda", "torchaudio/__init__.py": b""}
    )
    sys.path.insert(0, str(DOCKER))
    try:
        from repack_wheel import without_extensions
    finally:
        sys.path.remove(str(DOCKER))
    stripped = without_extensions(audio, tmp_path, inside="torchaudio/lib/").read_bytes()
    site.lock(
        "image",
        lock_line("alpha", "1.0", alpha.read_bytes()) + lock_line("torchaudio", "2.11.0", audio.read_bytes(), stripped),
    )
    return site


def test_the_wheels_are_fetched_stripped_and_listed_for_sha256sum(site: Site) -> None:
    done = site.run()
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (site.wheelhouse / "image").glob("*.whl"))
    assert names == ["alpha-1.0-py3-none-any.whl", "torchaudio-2.11.0-0noext-py3-none-any.whl"]
    subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=site.wheelhouse / "image",
        check=True,
        capture_output=True,
    )


def test_a_second_run_fetches_nothing(site: Site) -> None:
    site.run()
    site.env["PIP_FIND_LINKS"] = ""
    done = site.run()
    assert (done.returncode, "fetching" in done.stdout) == (0, False)


def test_a_flipped_byte_in_a_wheel_is_found(site: Site) -> None:
    site.run()
    wheel = site.wheelhouse / "image" / "alpha-1.0-py3-none-any.whl"
    data = bytearray(wheel.read_bytes())
    data[40] ^= 1
    wheel.write_bytes(data)
    done = site.run("--check")
    assert done.returncode == 1
    assert f"{wheel} has a hash that the lock does not allow" in done.stderr
    assert "Next step: make wheelhouse" in done.stderr


def test_a_damaged_wheel_is_fetched_again(site: Site) -> None:
    site.run()
    wheel = site.wheelhouse / "image" / "alpha-1.0-py3-none-any.whl"
    good = wheel.read_bytes()
    wheel.write_bytes(good[:50])
    assert site.run().returncode == 0
    assert wheel.read_bytes() == good


@pytest.mark.parametrize("change", ["surplus", "missing", "list"])
def test_a_wheelhouse_that_is_not_exactly_the_lock_is_refused(site: Site, change: str) -> None:
    site.run()
    directory = site.wheelhouse / "image"
    if change == "surplus":
        write_wheel(directory, "beta", "1.0", {"beta.py": b""})
    elif change == "missing":
        (directory / "alpha-1.0-py3-none-any.whl").unlink()
    else:
        (directory / "SHA256SUMS").write_text("")
    done = site.run("--check")
    assert done.returncode == 1
    assert str(directory) in done.stderr


def test_a_changed_lock_brings_the_new_version(site: Site) -> None:
    site.run()
    newer = write_wheel(site.index, "alpha", "2.0", {"alpha.py": b"value = 2\n"})
    site.lock("image", lock_line("alpha", "2.0", newer.read_bytes()))
    assert site.run().returncode == 0
    assert [path.name for path in (site.wheelhouse / "image").glob("*.whl")] == [newer.name]


def test_without_an_index_the_missing_files_and_the_next_step_are_named(site: Site) -> None:
    site.env |= {
        "PIP_NO_INDEX": "0",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "0",
    }
    done = site.run()
    assert done.returncode == 1
    assert "still lacks alpha==1.0, torchaudio==2.11.0" in done.stderr
    assert "image.lock" in done.stderr
    assert "copy its directory" in done.stderr


def test_a_failed_run_leaves_the_wheels_that_were_there(site: Site) -> None:
    site.run()
    before = sorted(path.name for path in (site.wheelhouse / "image").iterdir())
    site.lock("image", lock_line("gamma", "1.0", b"nowhere"))
    assert site.run().returncode == 1
    assert sorted(path.name for path in (site.wheelhouse / "image").iterdir()) == before


def test_a_wheel_of_other_bytes_than_the_lock_is_not_taken(site: Site) -> None:
    write_wheel(site.index, "alpha", "1.0", {"alpha.py": b"value = 'other'\n"})
    done = site.run()
    assert done.returncode == 1
    assert not list(site.wheelhouse.glob("image/alpha*"))


@pytest.mark.parametrize("line", ["alpha\n", "alpha==1.0\n", "alpha>=1.0 --hash=sha256:" + "0" * 64 + "\n"])
def test_a_lock_without_exact_version_and_hash_is_refused(site: Site, line: str) -> None:
    site.lock("image", line)
    done = site.run()
    assert (done.returncode, "not pinned with a hash" in done.stderr) == (1, True)


def test_relocking_refuses_a_cuda_build_of_torch(site: Site) -> None:
    write_wheel(site.index, "torch", "2.13.0", {"torch.py": b""}, requires=("nvidia-cublas==13.0",))
    (site.docker / "requirements" / "image.txt").write_text("torch==2.13.0  # reason\n")
    site.env["TORCH_INDEX_URL"] = "http://127.0.0.1:9/simple"
    done = site.run("--relock")
    assert (done.returncode, "is a CUDA build" in done.stderr, "TORCH_INDEX_URL" in done.stderr) == (1, True, True)


def test_relocking_does_not_take_the_plain_build_of_torch_for_want_of_another(site: Site) -> None:
    write_wheel(site.index, "torch", "2.13.0", {"torch.py": b""}, requires=("nvidia-cublas==13.0",))
    (site.docker / "requirements" / "image.txt").write_text("torch==2.13.0  # reason\n")
    done = site.run("--relock")
    assert (done.returncode, "no CPU build of torch==2.13.0: pip's own index does not have it" in done.stderr) == (
        1,
        True,
    ), done.stderr
    assert {"TORCH_INDEX_URL=<an index", "copy its directory", "--relock --cuda"} == {
        step for step in ("TORCH_INDEX_URL=<an index", "copy its directory", "--relock --cuda") if step in done.stderr
    }


def test_relocking_keeps_versions_and_other_wheels_hashes_when_asked(site: Site) -> None:
    write_wheel(site.index, "torch", "2.13.0+cpu", {"torch.py": b""}, requires=("alpha",))
    write_wheel(site.index, "alpha", "2.0", {"alpha.py": b"value = 2\n"})
    (site.docker / "requirements" / "image.txt").write_text("torch==2.13.0  # reason\n")
    alpha = (site.index / "alpha-1.0-py3-none-any.whl").read_bytes()
    site.lock("image", lock_line("alpha", "1.0", alpha, b"another legal wheel"))
    assert site.run("--relock", "--keep").returncode == 0
    kept = (site.docker / "requirements" / "image.lock").read_text()
    assert ("alpha==1.0" in kept, kept.count("--hash"), "# 2 wheels: 0 MB to fetch, 0 MB installed.\n" in kept) == (
        True,
        3,
        True,
    )
    assert site.run("--relock").returncode == 0
    assert "alpha==2.0" in (site.docker / "requirements" / "image.lock").read_text()


def test_relocking_pins_the_closure_and_keeps_shared_packages_out_of_the_host(site: Site) -> None:
    write_wheel(site.index, "torch", "2.13.0+cpu", {"torch.py": b""}, requires=("alpha",))
    write_wheel(site.index, "delta", "1.0", {"delta.py": b""}, requires=("alpha",))
    (site.docker / "requirements" / "image.txt").write_text("torch==2.13.0  # reason\ntorchaudio==2.11.0  # reason\n")
    (site.docker / "requirements" / "host.txt").write_text("delta==1.0  # reason\n")
    done = site.run("--relock")
    assert done.returncode == 0, done.stderr
    names = {
        name: [path.name.split("-")[0] for path in sorted((site.wheelhouse / name).glob("*.whl"))]
        for name in ("image", "host")
    }
    assert names == {"image": ["alpha", "torch", "torchaudio"], "host": ["delta"]}


def test_a_requirement_that_is_wanted_alone_comes_without_what_it_asks_for(site: Site) -> None:
    write_wheel(site.index, "torch", "2.13.0+cpu", {"torch.py": b""})
    write_wheel(site.index, "loner", "1.0", {"loner.py": b""}, requires=("nowhere==9", "alpha"))
    (site.docker / "requirements" / "image.txt").write_text("torch==2.13.0  # reason\nloner==1.0  # alone: reason\n")
    done = site.run("--relock")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (site.wheelhouse / "image").glob("*.whl")) == [
        "loner-1.0-0alone-py3-none-any.whl", "torch-2.13.0+cpu-py3-none-any.whl",
    ]  # fmt: skip
    again = site.run("--check")
    assert again.returncode == 0, again.stderr


def pins(name: str) -> dict[str, str]:
    """Version by name from one of the project's own requirement files."""
    lines = (DOCKER / "requirements" / name).read_text().splitlines()
    found = (line.split("#")[0].split("\\")[0].strip().partition("==") for line in lines if "==" in line)
    return {name.lower(): version for name, _, version in found}


SETS = ["image", "musicgen", "host", "distributed", "tests", "whisper"]


@pytest.mark.parametrize("name", SETS)
def test_the_locks_hold_what_the_requirement_files_ask_for(name: str) -> None:
    locked = {key: version for each in SETS for key, version in pins(f"{each}.lock").items()}
    assert {key: locked[key].split("+")[0] for key in pins(f"{name}.txt")} == pins(f"{name}.txt")


def test_the_locks_share_no_package_and_bring_no_cuda() -> None:
    image, host = pins("image.lock"), pins("host.lock")
    assert not image.keys() & host.keys()
    assert not [name for name in image | host if name.startswith(("nvidia", "cuda", "triton"))]


@pytest.mark.parametrize("name", ["image", "host"])
def test_every_requirement_is_exact_and_has_a_reason(name: str) -> None:
    lines = [
        line for line in (DOCKER / "requirements" / f"{name}.txt").read_text().splitlines() if line and line[0] != "#"
    ]
    assert lines
    for line in lines:
        requirement, _, reason = line.partition("#")
        assert "==" in requirement, line
        assert len(reason.split()) >= 3, f"no reason: {line}"
