"""The Docker client's configuration, read as the command line client reads it: which engine, from where, with what.

Order: DOCKER_HOST (with DOCKER_TLS_VERIFY), DOCKER_CONTEXT, `currentContext` of config.json, the default socket. Nothing here raises and
nothing is asked of an engine: an endpoint that cannot be used carries the reason.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trainer.files.printable import masked

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
_TLS_HOST = "tcp://localhost:2376"
_MAX_BYTES = 16 * 2**20
_MAX_SHOWN = 80
_TLS_VARIABLES = ("DOCKER_TLS_VERIFY", "DOCKER_TLS", "DOCKER_CERT_PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files for a TLS connection; empty where there is none."""

    ca: str
    cert: str
    key: str
    verify: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One engine's address and where it was found."""

    host: str
    source: str
    """`the default`, a variable, or a context and its place."""
    repair: str
    """The command that leads away from this address, or starts the engine at the default one."""
    problem: str | None = None
    """Why no client can use it."""
    certificates: Certificates | None = None

    def fields(self) -> dict[str, str]:
        """Texts for the actions of the report."""
        local = self.host == DEFAULT_SOCKET and self.problem is None
        path = shlex.quote(self.host.removeprefix("unix://"))
        look = f"ls -l {path}" if self.host.startswith("unix://") else self.repair
        return {
            "docker_endpoint": f"{shown(self.host)} ({self.source})",
            "docker_repair": self.repair,
            "docker_restart": "sudo systemctl restart docker" if local else self.repair,
            "docker_grant": 'sudo usermod -aG docker "$USER"' if local else look,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """What config.json says; a part that the command line client would not read is left out and named."""

    directory: Path
    current_context: str = ""
    http_headers: Mapping[str, str] = field(default_factory=dict)
    proxies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    auths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    creds_store: str = ""
    cred_helpers: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(item is None or isinstance(item, str) for item in value.values())


def _tables(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())


_KEYS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "currentContext": ("current_context", _text),
    "HttpHeaders": ("http_headers", _texts),
    "proxies": ("proxies", lambda value: _tables(value) and all(map(_texts, value.values()))),
    "auths": ("auths", _tables),
    "credsStore": ("creds_store", _text),
    "credHelpers": ("cred_helpers", _texts),
}


def config(environ: Mapping[str, str] | None = None) -> ClientConfig:
    """The client's configuration file; empty, with a warning, where it cannot be read."""
    environ = os.environ if environ is None else environ
    # An `environ` that says nothing of it, as nothing of HOME, means the place that this process has.
    place = environ.get("DOCKER_CONFIG", os.environ.get("DOCKER_CONFIG", ""))
    directory = Path(place or Path(_home(environ), ".docker"))
    path = directory / "config.json"
    if not os.path.lexists(path):
        return ClientConfig(directory=directory)
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8", "replace").lstrip(" \t\r\n")
        found, _ = json.JSONDecoder().raw_decode(text) if text else ({}, 0)
        if not isinstance(found, dict | None):
            raise ValueError("it is not a JSON object")
    except (OSError, ValueError, RecursionError) as error:
        return ClientConfig(directory=directory, warnings=(f"{_short(path, environ)} is not used: {_why(error)}",))
    # As in the client, keys are known in any case, and `null` says nothing.
    said = {key.lower(): value for key, value in (found or {}).items() if value is not None}
    kept, warnings = {}, []
    for key, (name, fits) in _KEYS.items():
        if key.lower() in said and fits(said[key.lower()]):
            kept[name] = said[key.lower()]
        elif key.lower() in said:
            warnings.append(
                f"{_short(path, environ)}: {key} is not used: it is of another type than the Docker client reads"
            )
    return ClientConfig(directory=directory, warnings=tuple(warnings), **kept)


def endpoint(environ: Mapping[str, str] | None = None) -> Endpoint:
    """The engine that the command line client would talk to."""
    environ = os.environ if environ is None else environ
    settings = config(environ)
    if environ.get("DOCKER_HOST"):
        return _from_host(environ, settings)
    name = environ.get("DOCKER_CONTEXT") or settings.current_context or "default"
    if name == "default":
        return _from_host(environ, settings)
    return _from_context(name, environ, settings)


def is_elsewhere(host: str) -> bool:
    """Whether an address leads to another machine: it is no socket, and no address that a server could take here."""
    parts = urlsplit(host)
    if parts.scheme not in ("tcp", "http", "https", "ssh") or not parts.hostname:
        return False
    try:
        found = socket.getaddrinfo(parts.hostname, 0, type=socket.SOCK_STREAM)
    except OSError:  # an alias that only ssh knows
        return True
    return not any(_is_own(family, address) for family, _, _, _, address in found)


def _is_own(family: int, address: tuple[Any, ...]) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.bind(address)
    except OSError:
        return False
    return True


def api_version(environ: Mapping[str, str] | None = None) -> str:
    """DOCKER_API_VERSION without its `v`, or `auto`."""
    environ = os.environ if environ is None else environ
    return environ.get("DOCKER_API_VERSION", "").removeprefix("v") or "auto"


def shown(text: str) -> str:
    """A foreign text for a sentence: printable, short, without what ends the sentence."""
    plain = masked(text).replace(": ", ":")
    return plain if len(plain) <= _MAX_SHOWN else plain[:_MAX_SHOWN] + "…"


def _from_host(environ: Mapping[str, str], settings: ClientConfig) -> Endpoint:
    given = environ.get("DOCKER_HOST", "").strip()
    used = [name for name in ("DOCKER_HOST", *_TLS_VARIABLES) if environ.get(name)]
    with_tls = bool(environ.get("DOCKER_TLS_VERIFY") or environ.get("DOCKER_TLS"))
    host, problem = parse_host(given or (_TLS_HOST if with_tls else DEFAULT_SOCKET))
    certificates = None
    if with_tls and problem is None:
        certificates, problem = _certificates(environ, settings)
    source = "from DOCKER_HOST" if given else f"from {used[-1]}" if with_tls else "the default"
    local = host == DEFAULT_SOCKET and problem is None
    repair = "sudo systemctl start docker" if local or not used else f"unset {' '.join(used)}"
    return Endpoint(host=host, source=source, repair=repair, problem=problem, certificates=certificates)


def _certificates(environ: Mapping[str, str], settings: ClientConfig) -> tuple[Certificates | None, str | None]:
    place = Path(environ.get("DOCKER_CERT_PATH") or settings.directory)
    ca, cert, key = (place / name for name in ("ca.pem", "cert.pem", "key.pem"))
    if not ca.is_file():
        return None, f"TLS is asked for by DOCKER_TLS_VERIFY or DOCKER_TLS, and there is no {_short(ca, environ)}"
    if cert.is_file() != key.is_file():
        missing = key if cert.is_file() else cert
        return None, f"TLS is asked for by DOCKER_TLS_VERIFY or DOCKER_TLS, and there is no {_short(missing, environ)}"
    found = [str(path) if path.is_file() else "" for path in (cert, key)]
    return Certificates(ca=str(ca), cert=found[0], key=found[1], verify=bool(environ.get("DOCKER_TLS_VERIFY"))), None


def _from_context(name: str, environ: Mapping[str, str], settings: ClientConfig) -> Endpoint:
    identity = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    by_variable = bool(environ.get("DOCKER_CONTEXT"))
    named = "DOCKER_CONTEXT" if by_variable else f"{_short(settings.directory / 'config.json', environ)}"
    source = f"context {shown(name)!r}, from {named}"
    repair = "unset DOCKER_CONTEXT" if by_variable else "docker context use default"
    host, problem, skip_verify = _context_host(
        name, settings.directory / "contexts/meta" / identity / "meta.json", environ
    )
    tls = settings.directory / "contexts/tls" / identity / "docker"
    files = [str(tls / f"{part}.pem") if (tls / f"{part}.pem").is_file() else "" for part in ("ca", "cert", "key")]
    certificates = None
    if (any(files) or skip_verify) and not host.startswith(("unix:", "ssh:")):
        certificates = Certificates(ca=files[0], cert=files[1], key=files[2], verify=not skip_verify)
        if bool(files[1]) != bool(files[2]):
            problem = problem or f"docker context {shown(name)!r} has a certificate or a key without the other"
    return Endpoint(host=host, source=source, repair=repair, problem=problem, certificates=certificates)


def _context_host(name: str, meta: Path, environ: Mapping[str, str]) -> tuple[str, str | None, bool]:
    called = f"docker context {shown(name)!r}"
    try:
        with meta.open("rb") as file:
            document = json.loads(file.read(_MAX_BYTES).decode("utf-8", "replace"))
        said = _lower(document).get("endpoints") or {}
        if not _tables(said):
            raise ValueError("its endpoints are not tables")
    except FileNotFoundError:
        return "no address", f"{called} does not exist", False
    except (OSError, ValueError, RecursionError) as error:
        return "no address", f"{called} cannot be read: {_short(meta, environ)}: {_why(error)}", False
    if "docker" not in said:
        return "no address", f"{called} has no docker endpoint", False
    row = _lower(said["docker"])
    host = row.get("host") or DEFAULT_SOCKET
    if not isinstance(host, str) or "://" not in host:
        return (
            str(host),
            f"{called} has an address without a scheme such as unix:// or tcp://: {shown(str(host))}",
            False,
        )
    parsed, problem = parse_host(re.sub(r"^https?://", "tcp://", host))
    return parsed, problem, bool(row.get("skiptlsverify"))


def parse_host(text: str) -> tuple[str, str | None]:
    """An address in full, as the client completes it (tcp, localhost, port 2375), and why it cannot be used."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "tcp", text
    if scheme == "tcp":
        return _tcp(rest)
    if scheme == "unix":
        problem = (
            "it ends in /, and no socket is there"
            if rest.endswith("/")
            else "it holds :// twice"
            if "://" in rest
            else None
        )
        return (f"unix://{rest}" if rest else DEFAULT_SOCKET), problem
    if scheme == "ssh" and rest:
        return text, None
    if scheme == "npipe":
        return text, "a named pipe is an address on Windows only"
    if scheme == "fd":
        return text, "fd:// is an address for the engine to listen at, not for a client"
    return text, "invalid bind address format: use unix://PATH, tcp://HOST:PORT or ssh://USER@HOST"


def _tcp(rest: str) -> tuple[str, str | None]:
    try:
        parts = urlsplit(f"tcp://{rest}")
        host, port = parts.hostname or "localhost", parts.port or 2375
    except ValueError as error:
        return f"tcp://{rest}", f"invalid bind address format: {error}"
    if "://" in rest or parts.query or parts.fragment or parts.password:
        return f"tcp://{rest}", "invalid bind address format: use tcp://HOST:PORT"
    return f"tcp://{f'[{host}]' if ':' in host else host}:{port}{parts.path}", None


def _lower(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return {key.lower(): item for key, item in value.items()}


def _home(environ: Mapping[str, str]) -> str:
    try:
        return environ.get("HOME") or str(Path.home())
    except RuntimeError:  # a user without HOME and without an entry in the system's list, as in a container
        return "/"


def _short(path: Path, environ: Mapping[str, str]) -> str:
    home = _home(environ)
    return shown(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path))


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)
