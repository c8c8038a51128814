"""An image with the tiny trainer in it, built by sessions on the machine's engine."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.acceptance.engines import docker, require_engine, tiny_base_image
from tests.acceptance.kit import JOB, TRAINER


@contextlib.contextmanager
def tiny_trainer_image(kit: Path, context: Path, *steps: str) -> Iterator[tuple[str, ...]]:
    """Options of a session that builds the image from the folder `context`; `steps` are further lines of its Dockerfile."""
    require_engine()
    tag = f"session-test-{uuid.uuid4().hex[:12]}:latest"
    shutil.copytree(kit, context / "kit")
    for path in (JOB, TRAINER):
        shutil.copy(path, context)
    with tiny_base_image(salt=tag) as base:
        (context / "Dockerfile").write_text("\n".join([f"FROM {base}", *steps, "COPY . /job", ""]))
        values = {
            "image": tag, "context": str(context), "dockerfile": "Dockerfile", "env.KIT": "/job/kit", "memory": "256m",
            "command": "/bin/sh /job/tiny_trainer.sh",
        }  # fmt: skip
        yield "--runtime", "docker", *(word for key, value in values.items() for word in ("--set", f"{key}={value}"))
        docker("rmi", "-f", tag)
