"""Building the image: deterministic context in, classic builder, every line to the log, a deadline that leaves nothing behind."""

from __future__ import annotations

import contextlib
import queue
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from acceptance.failure import EnvironmentBlocked, not_written
from acceptance.runtimes.base import BuildSpec, Image, LineSink
from acceptance.runtimes.build_context import Archive
from acceptance.runtimes.docker.build_turn import one_at_a_time
from acceptance.runtimes.docker.engine import BuildStream, DockerEngine, context_names
from acceptance.runtimes.engine_errors import (
    EngineGone,
    EngineProblem,
    EngineRefused,
    build_cause,
    failed_step_code,
)
from acceptance.runtimes.signals import raise_if_interrupted, uninterrupted
from acceptance.runtimes.stream import GuardedSink, LogTee

MAX_BUILD_LOG_BYTES = 64 * 2**20
_OUTPUT_LINES = 40
_QUEUED_MESSAGES = 1000
_CLEANUP_S = 15.0
_STEP = re.compile(r"Step \d+/\d+ : (.*)")
_RUNNING_IN = re.compile(r" ---> Running in ([0-9a-f]{12,})")
_BUILT = re.compile(r"Successfully built ([0-9a-f]{12,})")


def context_digest(spec: BuildSpec) -> str:
    """SHA-256 of the build context as it is on disk now."""
    return _archive(spec).digest()


def build_image(engine: DockerEngine, spec: BuildSpec, on_line: LineSink) -> Image:
    """Build and return the image by its id; raises EnvironmentBlocked with the failing step and its exit code as evidence."""
    with contextlib.closing(_BuildLog(spec, on_line)) as log, one_at_a_time(spec.tag, spec.deadline_s, log.line):
        began = time.monotonic()
        context = _archive(spec)
        try:
            stream = engine.build(
                context,
                dockerfile=spec.dockerfile,
                tag=spec.tag,
                build_args=spec.build_args,
                silence_s=spec.deadline_s + _CLEANUP_S,
            )
            image_id = _Build(engine, stream, log, deadline=began + spec.deadline_s, deadline_s=spec.deadline_s).run()
        except EngineGone as gone:
            raise EnvironmentBlocked(f"the engine went away during the build: {gone}", cause=gone.cause) from gone
        for warning in stream.warnings():
            log.line(f"warning: {warning}")
        log.line(f"context sha256 {context.sha256}, {context.bytes} bytes; image {image_id}")
        seconds = time.monotonic() - began
    return Image(id=image_id, tag=spec.tag, context_sha256=context.sha256, seconds=seconds, warnings=stream.warnings())


def _archive(spec: BuildSpec) -> Archive:
    if not (spec.context / spec.dockerfile).is_file():
        raise EnvironmentBlocked(
            f"there is no Dockerfile at {spec.dockerfile}", cause="dockerfile_missing", dockerfile=spec.dockerfile
        )
    return Archive(spec.context, context_names(spec.context, spec.dockerfile))


class _BuildLog:
    """build.log, the live lines, and what is remembered of the step that runs."""

    def __init__(self, spec: BuildSpec, on_line: LineSink) -> None:
        try:
            self._tee = LogTee(spec.log_path, MAX_BUILD_LOG_BYTES)
        except OSError as error:
            raise not_written("the build log cannot be written", error, cause="workspace_unwritable") from error
        self._on_line = GuardedSink(on_line)
        self.step = ""
        self.output: deque[str] = deque(maxlen=_OUTPUT_LINES)
        self.containers: list[str] = []

    def line(self, text: str) -> None:
        self.raw(text + "\n")

    def raw(self, text: str) -> None:
        """Any piece of the builder's text; steps and containers are recognised in whole lines."""
        self._tee.feed(text.encode("utf-8", errors="replace"))
        while self._tee.deliver(self._take, 0.0):
            pass

    def close(self) -> None:
        self._tee.unwatch()
        self._tee.end()

    def _take(self, line: str) -> None:
        step, running = _STEP.match(line), _RUNNING_IN.match(line)
        if step:
            self.step = step.group(1)
            self.output.clear()
        elif running:
            self.containers.append(running.group(1))
        else:
            self.output.append(line)
        self._on_line(line)


class _Build:
    """One build: a thread reads the engine's messages, this one handles them until the end, an error or the deadline."""

    def __init__(
        self, engine: DockerEngine, stream: BuildStream, log: _BuildLog, *, deadline: float, deadline_s: float
    ) -> None:
        self._engine = engine
        self._stream = stream
        self._log = log
        self._deadline = deadline
        self._deadline_s = deadline_s
        self._messages: queue.Queue[Mapping[str, Any] | Exception | None] = queue.Queue(maxsize=_QUEUED_MESSAGES)
        self._over = False
        self._image = ""

    def run(self) -> str:
        try:
            threading.Thread(target=self._read, name="docker-build", daemon=True).start()
            self._handle_all()
        finally:
            with uninterrupted():
                self._over = True
                self._stream.cancel()
                self._remove_containers()
        if not self._image:
            self._engine.connect()
            raise self._failure("the build ended without an image")
        return self._engine.image_id(self._image)

    def _read(self) -> None:
        try:
            for message in self._stream:
                self._put(message)
            self._put(None)
        except Exception as error:  # raised again in the caller's thread
            self._put(error)

    def _put(self, message: Mapping[str, Any] | Exception | None) -> None:
        while not self._over:
            try:
                self._messages.put(message, timeout=0.2)
                break
            except queue.Full:
                continue

    def _handle_all(self) -> None:
        while True:
            raise_if_interrupted()
            left = self._deadline - time.monotonic()
            try:
                message = self._messages.get(timeout=max(0.0, min(left, 0.5)))
            except queue.Empty:
                if left > 0:
                    continue
                raise EnvironmentBlocked(
                    f"the image build passed its deadline of {self._deadline_s:g} s in: {self._log.step}",
                    cause="build_deadline_exceeded",
                    step=self._log.step,
                    output="\n".join(self._log.output),
                ) from None
            if message is None:
                return
            if isinstance(message, EngineRefused):
                raise self._failure(message.text) from message
            if isinstance(message, Exception):
                raise message
            self._handle(message)

    def _handle(self, message: Mapping[str, Any]) -> None:
        error = message.get("error") or (message.get("message") if len(message) == 1 else None)
        if error:
            self._log.line(str(error))
            raise self._failure(str(error))
        text = str(message.get("stream") or message.get("status") or "")
        if "stream" not in message and text:
            text += "\n"
        self._log.raw(text)
        built = _BUILT.search(text)
        self._image = (message.get("aux") or {}).get("ID") or (
            built.group(1) if built and not self._image else self._image
        )

    def _failure(self, error: str) -> EnvironmentBlocked:
        output = tuple(self._log.output)
        code = failed_step_code(error)
        return EnvironmentBlocked(
            f"the image build failed in: {self._log.step}: {error}"
            if self._log.step
            else f"the image build failed: {error}",
            cause=build_cause(error, output, step=self._log.step),
            step=self._log.step,
            exit_code="N/A" if code is None else code,
            error=error,
            output="\n".join(output),
        )

    def _remove_containers(self) -> None:
        """The engine removes a cancelled build's container itself; what is left of it after 15 s is removed here."""
        give_up = time.monotonic() + _CLEANUP_S
        for container in self._log.containers[-1:]:
            with contextlib.suppress(EngineProblem):
                while self._exists(container) and time.monotonic() < give_up:
                    time.sleep(0.2)
                self._engine.remove(container)

    def _exists(self, container: str) -> bool:
        try:
            self._engine.state(container)
        except EngineRefused:
            return False
        return True
