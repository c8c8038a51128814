"""The Docker Engine as this harness needs it; every call of the Docker SDK is made here.

Every call ends in bounded time and raises only `EngineGone` (no answer) or `EngineRefused` (an answer that is no).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import docker.auth
import docker.errors
import docker.tls
import docker.types
import docker.utils.config
import requests
import urllib3.exceptions
from docker.api.client import APIClient
from docker.utils.build import exclude_paths
from docker.utils.proxy import ProxyConfig

import docker
from acceptance.runtimes.build_context import ignored_patterns
from acceptance.runtimes.docker import client as docker_client
from acceptance.runtimes.docker.credentials import Credentials
from acceptance.runtimes.engine_errors import EngineGone, EngineRefused

PING_LIMIT_S = 8.0
"""A healthy engine answers in milliseconds; after this long it counts as hung (the caller is promised an answer within 10 s)."""
CONTROL_TIMEOUT_S = 120
"""Creating and starting a container on a loaded machine."""
POLL_TIMEOUT_S = 8
_REMOVAL_S = 10.0
_NEVER_STARTED = "0001-"
_time = datetime.fromisoformat

# The SDK reads the client's configuration otherwise than the client does, and fails on what the client only warns of. Here it is read by
# `docker_client`, so the SDK's own readers find nothing.
docker.utils.config.load_general_config = lambda config_path=None: {}
docker.auth.load_config = lambda config_path=None, config_dict=None, credstore_env=None: docker.auth.AuthConfig(
    {}, credstore_env
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """The engine's own record of a container."""

    running: bool
    exit_code: int
    oom_killed: bool
    started: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A container or a volume that carries a label of ours."""

    id: str
    """Of a volume: its name."""
    labels: Mapping[str, str]
    created: float
    """Seconds since the epoch, by the engine's clock."""


class DockerEngine:
    """One Docker endpoint, found as the command line client finds it: DOCKER_HOST, DOCKER_CONTEXT, the current context, the default socket."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = environ
        self._version: str | None = None
        self._local = threading.local()

    # --- connection -----------------------------------------------------------------------------------------------------

    def connect(self) -> Mapping[str, Any]:
        """Negotiate the API version and return the engine's version record, within 8 s in total."""
        answer = _within(PING_LIMIT_S, self._negotiate)
        self._version = answer["ApiVersion"]
        return answer

    def info(self) -> Mapping[str, Any]:
        """The engine's description of itself (storage driver, cgroups, security options)."""
        with _translated():
            return self._polling().info()

    def _negotiate(self) -> Mapping[str, Any]:
        with _translated():
            version = docker_client.api_version(self._environ)
            if version != "auto" and not re.fullmatch(r"\d{1,4}\.\d{1,4}", version):
                raise EngineRefused(
                    f"DOCKER_API_VERSION is {docker_client.shown(version)!r}, which is no version such as 1.41"
                )
            client = self._new_client(version, POLL_TIMEOUT_S)
            return {**client.version(), "ApiVersion": client.api_version}

    def _control(self) -> APIClient:
        return self._thread_client(CONTROL_TIMEOUT_S)

    def _polling(self) -> APIClient:
        return self._thread_client(POLL_TIMEOUT_S)

    def _thread_client(self, timeout_s: int) -> APIClient:
        """This thread's client with that timeout: threads share no connection."""
        kept = self._local.__dict__.setdefault("clients", {})
        if timeout_s not in kept:
            kept[timeout_s] = self._client(timeout_s)
        return kept[timeout_s]

    def _client(self, timeout_s: int) -> APIClient:
        """A client for one long stream."""
        if self._version is None:
            self.connect()
        return self._new_client(self._version, timeout_s)

    def _new_client(self, version: str | None, timeout_s: int) -> APIClient:
        config = docker_client.config(self._environ)
        endpoint = self._endpoint()
        client = APIClient(version=version, timeout=timeout_s, **endpoint)
        client._general_configs = {"HttpHeaders": config.http_headers} if config.http_headers else {}
        client._proxy_configs = ProxyConfig.from_dict(
            config.proxies.get(endpoint["base_url"]) or config.proxies.get("default", {})
        )
        client._auth_configs = Credentials(config)
        return client

    def _endpoint(self) -> dict[str, Any]:
        found = docker_client.endpoint(self._environ)
        if found.problem is not None:
            raise EngineGone(f"{docker_client.shown(found.host)} ({found.source}): {found.problem}")
        if found.certificates is None:
            return {"base_url": found.host, "use_ssh_client": found.host.startswith("ssh://")}
        files = found.certificates
        pair = (files.cert, files.key) if files.cert else None
        return {
            "base_url": found.host,
            "tls": docker.tls.TLSConfig(client_cert=pair, ca_cert=files.ca or None, verify=files.verify),
        }

    # --- images ---------------------------------------------------------------------------------------------------------

    def build(
        self, context: Iterable[bytes], *, dockerfile: str, tag: str, build_args: Mapping[str, str], silence_s: float
    ) -> BuildStream:
        """A build with the classic builder that may stay silent for `silence_s`; it begins when its messages are iterated."""
        arguments = {"dockerfile": dockerfile, "tag": tag, "buildargs": dict(build_args), "timeout": silence_s}
        return BuildStream(self._client(CONTROL_TIMEOUT_S), context, arguments)

    def image_id(self, reference: str) -> str:
        """The immutable id of an image; EngineRefused(status=404) when there is none."""
        with _translated():
            return self._control().inspect_image(reference)["Id"]

    # --- containers -----------------------------------------------------------------------------------------------------

    def create(self, name: str, config: Mapping[str, Any], host: Mapping[str, Any]) -> str:
        """Create a container from the SDK's keyword arguments for its configuration and its host configuration; returns its id."""
        with _translated():
            control = self._control()
            return control.create_container(name=name, host_config=control.create_host_config(**host), **config)["Id"]

    def start(self, container: str) -> None:
        """Start a created container; EngineRefused where the engine cannot, as with a missing mount source."""
        with _translated():
            self._control().start(container)

    def state(self, container: str) -> ContainerState:
        """What the engine says now; EngineRefused(status=404) when it no longer knows the container."""
        with _translated():
            found = self._polling().inspect_container(container)["State"]
        return ContainerState(
            running=bool(found["Running"] or found.get("Restarting")),
            exit_code=int(found["ExitCode"]),
            oom_killed=bool(found["OOMKilled"]),
            started=not found["StartedAt"].startswith(_NEVER_STARTED),
        )

    def signal(self, container: str, name: str) -> bool:
        """Send a signal; False when the container is not running or gone."""
        try:
            with _translated():
                self._polling().kill(container, name)
        except EngineRefused as refused:
            if refused.status in (404, 409):
                return False
            raise
        return True

    def remove(self, container: str) -> None:
        """Remove a container and its anonymous volumes, running or not; returns when it is gone (also when others remove it)."""
        give_up = time.monotonic() + _REMOVAL_S
        while True:
            try:
                with _translated():
                    self._control().remove_container(container, v=True, force=True)
            except EngineRefused as refused:
                if refused.status == 404:
                    return
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.2)  # someone else removes it, or a device is busy for a moment
            else:
                return

    def attach(self, container: str) -> Iterator[bytes]:
        """The container's output from now on; call it before `start` so that nothing is missed. `close()` ends it from any thread."""
        with _translated():
            return self._client(CONTROL_TIMEOUT_S).attach(container, stream=True, logs=False)

    def logs(self, container: str) -> Iterator[bytes]:
        """The container's output from its beginning, followed to its end."""
        with _translated():
            return self._client(CONTROL_TIMEOUT_S).logs(container, stream=True, follow=True)

    def owned(self, label: str) -> tuple[Owned, ...]:
        """Every container, running or not, that carries `label`."""
        with _translated():
            found = self._polling().containers(all=True, filters={"label": label})
        return tuple(
            Owned(id=each["Id"], labels=each["Labels"] or {}, created=float(each["Created"])) for each in found
        )

    # --- volumes --------------------------------------------------------------------------------------------------------

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a named volume."""
        with _translated():
            self._control().create_volume(name, labels=dict(labels))

    def remove_volume(self, name: str) -> None:
        """Remove a volume that no container uses; nothing where it is gone."""
        with _translated(), contextlib.suppress(docker.errors.NotFound):
            self._control().remove_volume(name)

    def owned_volumes(self, label: str) -> tuple[Owned, ...]:
        """Every volume that carries `label`."""
        with _translated():
            found = self._polling().volumes(filters={"label": label})["Volumes"] or ()
        return tuple(
            Owned(id=each["Name"], labels=each["Labels"] or {}, created=_time(each["CreatedAt"]).timestamp())
            for each in found
        )

    def put(self, container: str, folder: str, archive: Iterable[bytes]) -> None:
        """Unpack a tar into a folder of a container, which need not run."""
        with _translated():
            self._client(CONTROL_TIMEOUT_S).put_archive(container, folder, archive)

    def get(self, container: str, path: str) -> Generator[bytes]:
        """A folder of a container as a tar; its names begin with the folder's. Closing it ends the engine's work, too."""
        responses: list[requests.Response] = []
        client = self._client(CONTROL_TIMEOUT_S)
        client.hooks["response"].append(lambda response, **_: responses.append(response))
        try:
            with _translated():
                yield from client.get_archive(container, path)[0]
        finally:
            for response in responses:
                _hang_up(response)


class BuildStream:
    """A build's messages, decoded; iterate in one thread, `cancel` from any other."""

    def __init__(self, client: APIClient, context: Iterable[bytes], arguments: Mapping[str, Any]) -> None:
        self._client = client
        self._context = context
        self._arguments = arguments
        self._responses: list[requests.Response] = []
        self._cancelled = False
        client.hooks["response"].append(self._opened)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        with _translated():
            yield from self._client.build(
                fileobj=self._uploaded(), custom_context=True, rm=True, forcerm=True, decode=True, **self._arguments
            )

    def warnings(self) -> tuple[str, ...]:
        """What of the client's configuration could not be used."""
        return tuple(dict.fromkeys(self._client._auth_configs.warnings))

    def cancel(self) -> None:
        """Close the connection; the engine then stops the build."""
        self._cancelled = True
        for response in self._responses:
            _hang_up(response)

    def _uploaded(self) -> Iterator[bytes]:
        for piece in self._context:
            if self._cancelled:
                raise EngineGone("the build was cancelled")
            yield piece

    def _opened(self, response: requests.Response, *_: object, **__: object) -> None:
        self._responses.append(response)
        if self._cancelled:
            self.cancel()


def _hang_up(response: requests.Response) -> None:
    with contextlib.suppress(Exception):
        docker.types.CancellableStream(iter(()), response).close()


def context_names(root: Path, dockerfile: str) -> set[str]:
    """Names under `root` that a build context holds: all but what `.dockerignore` excludes; the Dockerfile always."""
    return exclude_paths(str(root), ignored_patterns(root), dockerfile=dockerfile)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn what the SDK and its HTTP library raise into EngineGone or EngineRefused."""
    try:
        yield
    except docker.errors.APIError as error:
        raise EngineRefused(error.explanation or str(error), status=error.status_code or 0) from error
    except (docker.errors.InvalidVersion, docker.errors.InvalidArgument) as error:
        raise EngineRefused(str(error)) from error
    except (docker.errors.DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        refusal = _in_chain(error, docker.errors.APIError)
        if refusal is not None:
            raise EngineRefused(refusal.explanation or str(refusal), status=refusal.status_code or 0) from error
        raise EngineGone(_reason(error), cause=_gone_cause(error)) from error


def _gone_cause(error: BaseException) -> str:
    denied = _in_chain(error, PermissionError)
    if denied is not None and denied.errno in (errno.EACCES, errno.EPERM):
        return "docker_socket_denied"
    refused = _in_chain(error, (urllib3.exceptions.NewConnectionError, ConnectionError, FileNotFoundError)) is not None
    timed_out = _in_chain(error, (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)) is not None
    return "docker_daemon_hung" if timed_out and not refused else "docker_daemon_unreachable"


def _reason(error: BaseException) -> str:
    system = _in_chain(error, OSError, with_errno=True)
    return str(error) if system is None else system.strerror or os.strerror(system.errno)


def _in_chain(error: BaseException, kind: type | tuple[type, ...], *, with_errno: bool = False) -> Any:
    """The first exception of `kind` among an exception, its causes and its arguments."""
    waiting, seen = [error], set()
    while waiting:
        found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, kind) and (not with_errno or getattr(found, "errno", None) is not None):
            return found
        waiting += [
            each for each in (found.__cause__, found.__context__, *found.args) if isinstance(each, BaseException)
        ]
    return None


def _within(limit_s: float, call: Callable[[], Any]) -> Any:
    """The result of `call`, or EngineGone(docker_daemon_hung) after `limit_s` however slowly the engine trickles."""
    box: list[Any] = []

    def work() -> None:
        try:
            box.append((call(), None))
        except BaseException as error:  # raised again in the caller's thread
            box.append((None, error))

    worker = threading.Thread(target=work, name="docker-ping", daemon=True)
    worker.start()
    worker.join(limit_s)
    if not box:
        raise EngineGone(f"no answer within {limit_s:g} s", cause="docker_daemon_hung")
    result, error = box[0]
    if error is not None:
        raise error
    return result
