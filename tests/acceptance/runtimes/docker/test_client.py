"""The Docker client's configuration: what the command line client does with it, the harness does too, or says why not."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acceptance.failure import EnvironmentBlocked
from acceptance.objective import PROJECT_ROOT
from acceptance.runtimes.docker import client
from acceptance.runtimes.docker.runtime import DockerRuntime
from tests.acceptance.engines import require_engine

SOCKET = "unix:///var/run/docker.sock"
DEAD = "unix:///nonexistent/docker.sock"
CONTEXT = {"Name": "x", "Metadata": {}, "Endpoints": {"docker": {"Host": SOCKET, "SkipTLSVerify": False}}}

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "nothing set": {},
    **{f"DOCKER_HOST={value!r}": {"DOCKER_HOST": value} for value in (
        "", "  ", SOCKET, SOCKET + "/", "unix://", DEAD, "/var/run/docker.sock", "tcp://127.0.0.1:1", "tcp://127.0.0.1:1/", "tcp://[::1]:1",
        "tcp://127.0.0.1:abc", "tcp://127.0.0.1:0", "npipe:////./pipe/docker_engine", "ssh://nobody@127.0.0.1:1", "fd://", "http://127.0.0.1:1",
        "https://127.0.0.1:1", "127.0.0.1:1", ":1", "127.0.0.1", "foo://bar", "unix://unix://x",
    )},
    "TLS without certificates": {"DOCKER_TLS_VERIFY": "1"},
    "TLS switched off with a zero, which switches it on": {"DOCKER_TLS_VERIFY": "0", "DOCKER_HOST": SOCKET},
    "TLS with an empty value": {"DOCKER_TLS_VERIFY": "", "DOCKER_HOST": SOCKET},
    "TLS by the other name": {"DOCKER_TLS": "1"},
    "a folder of certificates alone": {"DOCKER_CERT_PATH": "/nonexistent"},
    "TLS and a folder that is not there": {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nonexistent", "DOCKER_HOST": "tcp://127.0.0.1:1"},
    **{f"DOCKER_API_VERSION={value!r}": {"DOCKER_API_VERSION": value} for value in ("", "1.41", "v1.40", "1.99", "1.10", "abc")},
    **{f"DOCKER_CONTEXT={value!r}": {"DOCKER_CONTEXT": value} for value in ("", "default", "nosuch", "../x")},
    "a host beats a context": {"DOCKER_CONTEXT": "nosuch", "DOCKER_HOST": SOCKET},
    "a dead host beats the default context": {"DOCKER_CONTEXT": "default", "DOCKER_HOST": DEAD},
    "a configuration folder that is not there": {"DOCKER_CONFIG": "/nonexistent"},
    "an empty configuration folder": {"DOCKER_CONFIG": ""},
}  # fmt: skip

CONFIGS: dict[str, bytes] = {
    "empty": b"",
    "null": b"null",
    "no JSON": b"nope",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "a list": b"[]",
    "more behind it": b"{} junk",
    "deep": b"[" * 100_000,
    "auths of another type": b'{"auths": []}',
    "an auth that is no base64": b'{"auths": {"x.io": {"auth": "!!"}}}',
    "a good auth": b'{"auths": {"x.io": {"auth": "dXNlcjpwYXNz"}}}',
    "proxies": b'{"proxies": {"default": {"httpProxy": "http://p:1"}}}',
    "proxies of another type": b'{"proxies": 5}',
    "a context behind proxies of another type": b'{"proxies": 5, "currentContext": "nosuch"}',
    "headers": b'{"HttpHeaders": {"X-A": "b"}}',
    "headers of another type": b'{"HttpHeaders": 5}',
    "a store that is not there": b'{"credsStore": "nosuch"}',
    "a helper that is not there": b'{"credHelpers": {"x.io": "nosuch"}}',
    "a context that is not there": b'{"currentContext": "nosuch"}',
    "a context in other letters": b'{"CURRENTCONTEXT": "nosuch"}',
    "a context that is a number": b'{"currentContext": 5}',
    "the default context": b'{"currentContext": "default"}',
    "an empty context": b'{"currentContext": ""}',
}

CONTEXTS: dict[str, bytes] = {
    "good": json.dumps(CONTEXT).encode(),
    "dead": json.dumps(CONTEXT | {"Endpoints": {"docker": {"Host": DEAD}}}).encode(),
    "to another port": json.dumps(CONTEXT | {"Endpoints": {"docker": {"Host": "tcp://127.0.0.1:1"}}}).encode(),
    "without a host": json.dumps(CONTEXT | {"Endpoints": {"docker": {}}}).encode(),
    "a bare path": json.dumps(CONTEXT | {"Endpoints": {"docker": {"Host": "/var/run/docker.sock"}}}).encode(),
    "no endpoint": json.dumps(CONTEXT | {"Endpoints": {}}).encode(),
    "no endpoints": b'{"Name": "x", "Metadata": {}}',
    "endpoint of another type": json.dumps(CONTEXT | {"Endpoints": {"docker": []}}).encode(),
    "of another name": json.dumps(CONTEXT | {"Name": "y"}).encode(),
    "torn": b"{",
    "a list": b"[]",
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(CONTEXT).encode(),
}


@pytest.fixture(scope="module", autouse=True)
def engine() -> None:
    """The client to compare with, and an engine at the default socket."""
    if require_engine() != SOCKET:
        pytest.skip("needs an engine at the default socket")


def environment(home: Path, changes: dict[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
    return kept | {"HOME": str(home)} | changes


def agrees(environ: dict[str, str]) -> EnvironmentBlocked | None:
    """Client and harness both reach the engine, or both do not; the harness's failure."""
    answer = subprocess.run(
        ["docker", "version"], env=environ, capture_output=True, text=True, errors="replace", timeout=20, check=False
    )
    failure = None
    try:
        DockerRuntime(environ).check_daemon()
    except EnvironmentBlocked as found:
        failure = found
    assert (answer.returncode != 0) == (failure is not None), f"client: {answer.stderr}; harness: {failure}"
    return failure


@pytest.mark.parametrize("case", ENVIRONMENTS)
def test_variables_lead_client_and_harness_to_the_same_engine(case: str, tmp_path: Path) -> None:
    agrees(environment(tmp_path, ENVIRONMENTS[case]))


@pytest.mark.parametrize("case", CONFIGS)
def test_a_configuration_file_means_the_same_to_client_and_harness(case: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(CONFIGS[case])
    environ = environment(tmp_path, {"DOCKER_CONFIG": str(tmp_path)})
    agrees(environ)
    said = subprocess.run(
        ["docker", "version"], env=environ, capture_output=True, text=True, errors="replace", timeout=20, check=False
    ).stderr
    if "WARNING: Error parsing config file" in said and "base64" not in said:
        assert client.config(environ).warnings


@pytest.mark.parametrize("case", CONTEXTS)
def test_a_context_means_the_same_to_client_and_harness(case: str, tmp_path: Path) -> None:
    place = tmp_path / "contexts/meta" / hashlib.sha256(b"x").hexdigest()
    place.mkdir(parents=True)
    (place / "meta.json").write_bytes(CONTEXTS[case])
    agrees(environment(tmp_path, {"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "x"}))


def test_a_configuration_that_is_a_folder_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    environ = environment(tmp_path, {"DOCKER_CONFIG": str(tmp_path)})
    assert agrees(environ) is None
    assert "is not used" in client.config(environ).warnings[0]


def test_a_current_context_that_is_not_there_blocks_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": "nosuch"}')
    failure = agrees(environment(tmp_path, {"DOCKER_CONFIG": str(tmp_path)}))
    assert failure is not None
    assert failure.cause == "docker_daemon_unreachable"
    assert "'nosuch' does not exist" in failure.message


def test_an_api_version_that_the_engine_does_not_take_has_a_cause_of_its_own(tmp_path: Path) -> None:
    failure = agrees(environment(tmp_path, {"DOCKER_API_VERSION": "1.99"}))
    assert failure is not None
    assert failure.cause == "docker_api_version_refused"


def test_a_file_of_a_context_with_certificates_is_used(tmp_path: Path) -> None:
    identity = hashlib.sha256(b"x").hexdigest()
    (tmp_path / "contexts/meta" / identity).mkdir(parents=True)
    tls = tmp_path / "contexts/tls" / identity / "docker"
    tls.mkdir(parents=True)
    (tls / "ca.pem").write_text("no certificate")
    document = CONTEXT | {"Endpoints": {"docker": {"Host": "tcp://127.0.0.1:1"}}}
    (tmp_path / "contexts/meta" / identity / "meta.json").write_text(json.dumps(document))
    environ = environment(tmp_path, {"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "x"})
    found = client.endpoint(environ).certificates
    assert found is not None
    assert (found.ca, found.verify) == (str(tls / "ca.pem"), True)
    assert agrees(environ) is not None


@pytest.mark.parametrize(
    ("changes", "endpoint", "repair"),
    [
        ({}, "unix:///var/run/docker.sock (the default)", "sudo systemctl start docker"),
        ({"DOCKER_HOST": SOCKET}, "unix:///var/run/docker.sock (from DOCKER_HOST)", "sudo systemctl start docker"),
        (
            {"DOCKER_HOST": "/var/run/docker.sock"},
            "tcp://localhost:2375/var/run/docker.sock (from DOCKER_HOST)",
            "unset DOCKER_HOST",
        ),
        ({"DOCKER_HOST": "tcp://127.0.0.1:1"}, "tcp://127.0.0.1:1 (from DOCKER_HOST)", "unset DOCKER_HOST"),
        (
            {"DOCKER_HOST": "npipe:////./pipe/docker_engine"},
            "npipe:////./pipe/docker_engine (from DOCKER_HOST)",
            "unset DOCKER_HOST",
        ),
        ({"DOCKER_TLS_VERIFY": "1"}, "tcp://localhost:2376 (from DOCKER_TLS_VERIFY)", "unset DOCKER_TLS_VERIFY"),
        ({"DOCKER_CONTEXT": "gone"}, "no address (context 'gone', from DOCKER_CONTEXT)", "unset DOCKER_CONTEXT"),
    ],
)
def test_the_action_names_the_endpoint_its_source_and_the_command_that_helps(
    changes: dict[str, str], endpoint: str, repair: str, tmp_path: Path
) -> None:
    fields = client.endpoint(environment(tmp_path, changes)).fields()
    assert (fields["docker_endpoint"], fields["docker_repair"]) == (endpoint, repair)


def test_a_user_without_a_home_and_without_an_entry_in_the_list_of_users_has_an_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HOME", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert client.endpoint({}).host == SOCKET


def test_the_action_for_a_current_context_names_its_file_and_the_default(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text('{"currentContext": "away"}')
    fields = client.endpoint(environment(tmp_path, {})).fields()
    assert fields["docker_endpoint"] == "no address (context 'away', from ~/.docker/config.json)"
    assert fields["docker_repair"] == "docker context use default"


@pytest.mark.parametrize(
    "key", ['"credHelpers": {"x.io": "failing"}', '"credHelpers": {"x.io": "nosuch"}', '"credsStore": "failing"']
)
def test_a_build_goes_on_without_credentials_that_a_helper_refuses(key: str, tmp_path: Path) -> None:
    """Both build an empty image from nothing; the harness's warning names the helper."""
    helper = tmp_path / "bin/docker-credential-failing"
    helper.parent.mkdir()
    helper.write_text("#!/bin/sh\necho no keyring here\nexit 1\n")
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text("{" + key + "}")
    environ = environment(tmp_path, {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{helper.parent}:{os.environ['PATH']}"})
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(f"FROM scratch\nLABEL test={time.monotonic_ns()}\n")
    command = [sys.executable, "-c", BUILD, str(context)]
    answer = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=60, check=False, cwd=PROJECT_ROOT
    )
    image, _, warnings = answer.stdout.partition("\n")
    assert answer.returncode == 0, answer.stderr
    subprocess.run(["docker", "rmi", image], check=True, capture_output=True)
    assert "docker-credential-" in warnings


BUILD = """
import sys, uuid
from pathlib import Path
from acceptance.runtimes.base import BuildSpec
from acceptance.runtimes.docker.runtime import DockerRuntime
context = Path(sys.argv[1])
spec = BuildSpec(context=context, dockerfile="Dockerfile", tag=f"acceptance-test-credentials:{uuid.uuid4().hex[:8]}", deadline_s=30,
                 log_path=context.parent / "build.log", run_id="t", owner="t")
image = DockerRuntime().build(spec, lambda line: None)
print(spec.tag)
print(*image.warnings, sep="\\n")
"""
