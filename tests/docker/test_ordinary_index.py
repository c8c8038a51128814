"""Set-up from an index that serves what an ordinary one serves: no version with a local label, and another index for torch alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.docker.synthetic_wheel import lock_line, write_wheel

pytestmark = pytest.mark.long

SCRIPT = Path(__file__).parents[2] / "docker" / "make_wheelhouse.py"
NOWHERE = "http://127.0.0.1:9/simple"


class Server(ThreadingHTTPServer):
    """A server that knows what was asked for."""

    def __init__(self, directory: Path) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(directory)))


class Handler(SimpleHTTPRequestHandler):
    """Serves directories, and notes what was asked for."""

    server: Server

    def log_message(self, *arguments: object) -> None:
        self.server.asked.append(self.path)


class Site:
    """Two indexes (PEP 503 directories behind HTTP) and a project whose image needs `alpha` and torch's CPU build."""

    def __init__(self, root: Path, url: str) -> None:
        self.docker, self.wheelhouse, self.root = root / "docker", root / "wheelhouse", root
        (self.docker / "requirements").mkdir(parents=True)
        alpha = self.offer("main", "alpha", "1.0")
        self.offer("main", "torch", "2.13.0")
        torch = self.offer("cpu", "torch", "2.13.0+cpu")
        for name in ("host", "musicgen"):
            (self.docker / "requirements" / f"{name}.lock").write_text("")
        lock = lock_line("alpha", "1.0", alpha, b"another legal wheel") + lock_line(
            "torch", "2.13.0+cpu", torch, b"another legal wheel"
        )
        (self.docker / "requirements" / "image.lock").write_text(
            f"# 2 wheels: 437 MB to fetch, 1700 MB installed.\n{lock}"
        )
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "TORCH_"))}
        offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", "no_proxy": "127.0.0.1"}
        self.env = inherited | offline | {"PIP_INDEX_URL": f"{url}/main/", "TORCH_INDEX_URL": f"{url}/cpu/"}

    def offer(self, index: str, name: str, version: str) -> bytes:
        """Put a wheel on an index; returns its bytes."""
        return write_wheel(
            self.root / "served" / index / name, name, version, {f"{name}.py": version.encode()}
        ).read_bytes()

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(SCRIPT), f"--docker={self.docker}", f"--directory={self.wheelhouse}", *options]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False, timeout=120)

    def wheels(self) -> list[str]:
        return sorted(path.name for path in (self.wheelhouse / "image").glob("*.whl"))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "served")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(served: Server, tmp_path: Path) -> Site:
    return Site(tmp_path, f"http://127.0.0.1:{served.server_port}")


BOTH = ["alpha-1.0-py3-none-any.whl", "torch-2.13.0+cpu-py3-none-any.whl"]


def test_torch_comes_from_its_own_index_and_all_else_from_the_ordinary_one(site: Site, served: Server) -> None:
    done = site.run("--environment=.venv")
    assert (done.returncode, site.wheels()) == (0, BOTH), done.stderr
    asked = [path for path in served.asked if path.endswith(".whl")]
    assert asked == ["/cpu/torch/torch-2.13.0%2Bcpu-py3-none-any.whl", "/main/alpha/alpha-1.0-py3-none-any.whl"]
    before = done.stdout.partition("fetching")[0].splitlines()
    assert before[0] == "to fetch: 437 MB of wheels (image, host)"
    assert before[1].startswith("to install: .venv, 1.7 GB (image, host); about ")


def test_an_index_that_has_the_cpu_build_is_asked_before_the_named_default(site: Site) -> None:
    site.env["PIP_FIND_LINKS"] = str(site.root / "served" / "cpu" / "torch")
    del site.env["TORCH_INDEX_URL"]
    done = site.run()
    assert (done.returncode, site.wheels()) == (0, BOTH), done.stderr
    assert "torch: its CPU build from pip's own index" in done.stdout


def test_pytorchs_own_index_is_the_default_and_one_line_says_that_it_cannot_be_reached(site: Site) -> None:
    del site.env["TORCH_INDEX_URL"]
    # Whatever this machine reaches, here nothing answers but 127.0.0.1.
    site.env |= {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    done = site.run()
    first, *steps = done.stderr.splitlines()
    assert done.returncode == 1
    assert f"{site.wheelhouse / 'image'} still lacks torch==2.13.0+cpu" in first
    assert "pip's own index does not have it" in first
    assert first.endswith("; https://download.pytorch.org/whl/cpu cannot be reached.")
    assert [step.split()[0] for step in steps] == ["Next", "TORCH_INDEX_URL=<an", "run", "python3"]
    assert not site.wheels()


def test_a_torch_index_that_was_named_is_asked_alone(site: Site) -> None:
    site.env["TORCH_INDEX_URL"] = NOWHERE
    done = site.run()
    assert done.returncode == 1
    assert f"{NOWHERE} cannot be reached.\n" in done.stderr
    assert "download.pytorch.org" not in done.stderr


def test_a_torch_of_other_bytes_is_not_taken(site: Site) -> None:
    write_wheel(site.root / "served" / "cpu" / "torch", "torch", "2.13.0+cpu", {"torch.py": b"other"})
    done = site.run()
    assert (done.returncode, site.wheels()) == (1, [])
    assert "/cpu/ serves other bytes than the lock allows.\n" in done.stderr


def test_a_wheelhouse_brought_along_needs_no_index(site: Site) -> None:
    site.run()
    site.env |= {"PIP_INDEX_URL": NOWHERE, "TORCH_INDEX_URL": NOWHERE}
    done = site.run()
    assert (done.returncode, "fetch" in done.stdout) == (0, False), done.stderr
