"""Real engines for the runtime tests: the machine's own, and private ones that may be hung, filled or killed."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from acceptance.failure import StepFailure
from acceptance.runtimes.base import BindMount, BuildSpec, ContainerSpec, Image, RunningContainer, RunResult
from acceptance.runtimes.docker.runtime import DockerRuntime
from acceptance.runtimes.ownership import current_owner
from acceptance.runtimes.process.runtime import ENTRYPOINT
from tests.acceptance.engines import BUSYBOX, base_archive
from tests.acceptance.runtimes.process_place import Place


def docker(host: str, *arguments: str, stdin: bytes | None = None) -> str:
    """Output of the docker command line client against one engine."""
    command = ["docker", "-H", host, *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=True, timeout=120).stdout.decode().strip()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One engine with a tiny base image, and short ways to build and run on it."""

    host: str
    base: str
    directory: Path
    run_id: str = dataclasses.field(default_factory=lambda: f"test-{uuid.uuid4().hex[:12]}")

    @property
    def runtime(self) -> DockerRuntime:
        return DockerRuntime({"DOCKER_HOST": self.host, "PATH": os.environ["PATH"]})

    def docker(self, *arguments: str, stdin: bytes | None = None) -> str:
        return docker(self.host, *arguments, stdin=stdin)

    def build_spec(self, text: str, /, **changes: object) -> BuildSpec:
        context = self.directory / "context"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text(text.replace("BASE", self.base))
        spec = BuildSpec(
            context=context,
            dockerfile="Dockerfile",
            tag=f"{self.run_id}:latest",
            deadline_s=60,
            log_path=self.directory / "build.log",
            run_id=self.run_id,
            owner=current_owner(),
        )
        return dataclasses.replace(spec, **changes)

    def image(self) -> Image:
        return Image(
            id=self.docker("image", "inspect", "-f", "{{.Id}}", self.base),
            tag=self.base,
            context_sha256="",
            seconds=0.0,
        )

    def spec(self, script: str = "true", **changes: object) -> ContainerSpec:
        output = self.directory / "out"
        output.mkdir(exist_ok=True)
        spec = ContainerSpec(
            image=self.image(),
            run_id=self.run_id,
            owner=current_owner(),
            env={},
            command=("/bin/sh", "-c", script),
            mounts=(BindMount(source=output, target=PurePosixPath("/out"), writable=True),),
            workdir=PurePosixPath("/out"),
            user=f"{os.getuid()}:{os.getgid()}",
            memory_bytes=256 * 2**20,
            pids_limit=64,
            shm_bytes=16 * 2**20,
            deadline_s=60,
            grace_s=2,
            log_path=self.directory / "container.log",
        )
        return dataclasses.replace(spec, **changes)

    @contextlib.contextmanager
    def started(self, spec: ContainerSpec) -> Iterator[RunningContainer]:
        container = self.runtime.start(spec)
        try:
            yield container
        finally:
            container.remove()

    def run(self, script: str, **changes: object) -> RunResult:
        with self.started(self.spec(script, **changes)) as container:
            return container.wait(lambda line: None)

    def containers(self) -> list[str]:
        """Names of all this test's containers that exist."""
        return self.docker("ps", "-aq", "--filter", f"label=voice-acceptance.run-id={self.run_id}").split()

    def build_failure(self, text: str, /, **changes: object) -> StepFailure:
        with pytest.raises(StepFailure) as caught:
            self.runtime.build(self.build_spec(text, **changes), lambda line: None)
        return caught.value


def import_base(host: str) -> str:
    """Make the base image on an engine; returns its tag."""
    if not BUSYBOX.exists():
        pytest.skip(f"needs a static busybox at {BUSYBOX} (package busybox-static)")
    tag = f"runtime-test-base:{uuid.uuid4().hex[:12]}"
    docker(host, "import", "-", tag, stdin=base_archive())
    return tag


@pytest.fixture(scope="session")
def engine_host() -> str:
    """The machine's own engine, never stopped or restarted here."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    try:
        DockerRuntime().check_daemon()
    except StepFailure as failure:
        pytest.skip(f"needs a Docker daemon: {failure}")
    if shutil.which("docker") is None:
        pytest.skip("needs the docker command line client")
    return host


@pytest.fixture(scope="session")
def base_image(engine_host: str) -> Iterator[str]:
    tag = import_base(engine_host)
    layer = docker(engine_host, "image", "inspect", "-f", "{{index .RootFS.Layers 0}}", tag)
    yield tag
    docker(engine_host, "rmi", "-f", tag)
    for image in docker(engine_host, "images", "-q", "--filter", "dangling=true").split():
        with contextlib.suppress(subprocess.CalledProcessError):
            if layer in docker(engine_host, "image", "inspect", "-f", "{{.RootFS.Layers}}", image):
                docker(engine_host, "rmi", "-f", image)


@pytest.fixture
def bench(engine_host: str, base_image: str, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(host=engine_host, base=base_image, directory=tmp_path)
    yield made
    for container in made.containers():
        made.docker("rm", "-f", container)
    with contextlib.suppress(subprocess.CalledProcessError):
        made.docker("rmi", "-f", f"{made.run_id}:latest")


class PrivateEngine:
    """A dockerd of the test's own: own network namespace, data root and socket; it may be stopped, filled and killed."""

    def __init__(self, *options: str, megabytes: int = 0) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="dockerd-", dir="/tmp"))
        self.host = f"unix://{self.root}/docker.sock"
        self.data = self.root / "data"
        self.data.mkdir()
        self.options = options
        self.mounted = bool(megabytes)
        if megabytes:
            disk = self.root / "disk"
            with disk.open("wb") as file:
                file.truncate(megabytes * 2**20)
            subprocess.run(["mkfs.ext4", "-q", "-F", disk], check=True)
            subprocess.run(["mount", "-o", "loop", disk, self.data], check=True)

    def start(self) -> None:
        with (self.root / "dockerd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(
                        "unshare",
                        "--net",
                        "dockerd",
                        "--data-root",
                        str(self.data),
                        "--exec-root",
                        str(self.root / "exec"),
                    ),
                    *(
                        "--pidfile",
                        str(self.root / "pid"),
                        "-H",
                        self.host,
                        "--bridge=none",
                        "--iptables=false",
                        *self.options,
                    ),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up and self.process.poll() is None:
            with contextlib.suppress(subprocess.SubprocessError):
                docker(self.host, "info")
                return
            time.sleep(0.2)
        pytest.skip(f"a private dockerd does not start: {(self.root / 'dockerd.log').read_text()[-500:]}")

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for left in (self.root / "pid", *(self.root / "exec" / "containerd").glob("containerd*.[ps]*")):
            left.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop it and everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
            self.process.kill()
            self.process.wait()
        for _ in range(3):
            for pid in self._own_processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            points = [line.split()[1] for line in mounts if line.split()[1].startswith(str(self.root))]
        for point in reversed(points):
            subprocess.run(["umount", "-l", point], check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def _own_processes(self) -> list[int]:
        """Containerd, its shims and their containers: those whose command line or control group names this engine's directory."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    command = (entry / "cmdline").read_bytes()
                    if str(self.root / "exec").encode() in command:
                        found.append(int(entry.name))
        return found


@pytest.fixture
def private_engine() -> Iterator[Callable[..., PrivateEngine]]:
    """Starts private engines; skips where that cannot be done."""
    missing = [name for name in ("dockerd", "unshare", "docker", "mkfs.ext4") if shutil.which(name) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"a private dockerd needs root and {', '.join(missing) or 'nothing else'}")
    with contextlib.ExitStack() as stack:

        def start(*options: str, megabytes: int = 0) -> PrivateEngine:
            engine = PrivateEngine(*options, megabytes=megabytes)
            stack.callback(engine.close)
            engine.start()
            return engine

        yield start


@pytest.fixture
def private_bench(tmp_path: Path) -> Callable[[PrivateEngine], Bench]:
    """A bench on a private engine."""
    return lambda engine: Bench(host=engine.host, base=import_base(engine.host), directory=tmp_path)


@pytest.fixture
def place(tmp_path):
    """A project for the process runtime; nothing of it runs on afterwards."""
    run_id = f"run-{uuid.uuid4().hex[:12]}"
    made = Place(tmp_path, run_id)
    for directory in ("out", "trainer", str(ENTRYPOINT.parent), f"runs/{run_id}"):
        (tmp_path / directory).mkdir(parents=True)
    (tmp_path / ENTRYPOINT).write_text("#!/bin/sh\necho entrypoint of $RUN_ID; exit 20\n")
    (tmp_path / ENTRYPOINT).chmod(0o755)
    (tmp_path / "trainer" / "model.py").write_text("x = 1\n")
    yield made
    for pid in made.alive():
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
