"""What an engine's error means: its text, translated to a cause by tables that are tried in order (first match wins).

    EngineProblem
    ├── EngineGone      no answer: not running, not permitted, or hung
    └── EngineRefused   an answer, and it is no

Pure: no engine is needed to translate. The order carries meaning: a policy's refusal may quote anything, a full disk shows as many errors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

FALLBACK_BUILD = "build_step_failed"
FALLBACK_RUN = "container_create_failed"


class EngineProblem(Exception):
    """Something between the harness and the engine."""


class EngineGone(EngineProblem):
    """The engine gave no answer; `cause` is docker_daemon_unreachable, docker_socket_denied or docker_daemon_hung."""

    def __init__(self, message: str, *, cause: str = "docker_daemon_unreachable") -> None:
        super().__init__(message)
        self.cause = cause


class EngineRefused(EngineProblem):
    """The engine answered with an error: its own words, and the HTTP status (0: told in the middle of a stream)."""

    def __init__(self, text: str, *, status: int = 0) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


_Table = Sequence[tuple[str, str]]

_POLICY: _Table = (
    (r"authorization denied by plugin|AuthZPlugin\.AuthZ(Req|Res)|plugin \S+ failed with error", "policy_denied"),
    (r"authorization plugin", "policy_denied"),
)
_DISK: _Table = ((r"no space left on device|disk quota exceeded", "disk_full_engine"),)

_CONNECT: _Table = (
    *_POLICY,
    (r"client version \S+ is too (new|old)|API versions below|^DOCKER_API_VERSION is ", "docker_api_version_refused"),
)
"""What an engine, or the SDK in its name, answers to the first question."""

_BUILD: _Table = (
    *_POLICY,
    (r"dockerfile parse error|unknown instruction|unknown flag", "dockerfile_invalid"),
    (r"file with no instructions|Dockerfile .* cannot be empty", "dockerfile_invalid"),
    (r"requires buildkit|requires (at least|exactly) \w+ argument", "dockerfile_invalid"),
    (r"should not be blank|invalid reference format", "dockerfile_invalid"),
    (r"no build stage in current context|invalid from flag value", "dockerfile_invalid"),
    (r"circular dependency|syntax error - can't find", "dockerfile_invalid"),
    (r"failed to reach build target|target stage .* could not be found", "dockerfile_invalid"),
    (r"cannot locate specified dockerfile|failed to read dockerfile", "dockerfile_missing"),
    *_DISK,
    (r"pull access denied|manifest (for \S+ not found|unknown)", "base_image_missing"),
    (r"no such image|repository \S+ not found", "base_image_missing"),
    (r"toomanyrequests|pull rate limit|no matching manifest for|unauthorized: ", "base_image_missing"),
    (
        r"(Get|Head) \S*https?://.*(no such host|timeout|connection re(fused|set)|unreachable|misbehaving)",
        "base_image_missing",
    ),
    (r"(Get|Head) \S*https?://.*(request canceled|certificate|proxyconnect|EOF)", "base_image_missing"),
    (r"dial tcp.*(lookup|connect|timeout)", "base_image_missing"),
    (r"(COPY|ADD) failed: ", "build_context_missing_file"),
    (r"file not found in build context", "build_context_missing_file"),
    (r"no source files were specified|outside the build context", "build_context_missing_file"),
    (r"failed to compute cache key", "build_context_missing_file"),
)
"""The engine's own words about a build; never what a step printed."""

_STEP_OUTPUT: _Table = (
    *_DISK,
    (r"No matching distribution found|Could not find a version that satisfies", "build_packages_unavailable"),
    (r"Unable to locate package|has no installation candidate|unsatisfiable constraints", "build_packages_unavailable"),
    (r"Temporary failure (in name resolution|resolving)", "build_packages_unavailable"),
    (r"Could not resolve( host|:)|Failed to fetch ", "build_packages_unavailable"),
    (r"NewConnectionError|Network is unreachable|temporary error \(try again later\)", "build_packages_unavailable"),
    (r"is invalid: it contains extra bytes|THESE PACKAGES DO NOT MATCH THE HASHES", "build_packages_unavailable"),
    (r"Location .* is ignored: it is either a non-existing path", "build_packages_unavailable"),
)
"""What a failed RUN step printed; only looked at when that step has failed."""

_RUN: _Table = (
    *_POLICY,
    (r"invalid mount config .*(source )?path does not exist|bind source path does not exist", "mount_source_missing"),
    (r"error while creating mount source path", "mount_source_missing"),
    (r"container name .* is already in use", "container_name_taken"),
    (r"could not select device driver|nvidia-container-(cli|runtime)", "gpu_unavailable"),
    (r"unknown or invalid runtime name: nvidia", "gpu_unavailable"),
    (r"unresolvable CDI devices|libnvidia-ml|nvml error", "gpu_unavailable"),
    *_DISK,
    (r"exec format error|exec user process caused|executable file not found in", "entrypoint_not_executable"),
    (r"exec: \"[^\"]*\": (permission denied|stat |is a directory)", "entrypoint_not_executable"),
    (r"exec \S+: (permission denied|no such file)", "entrypoint_not_executable"),
    (r"starting container process caused:? \"?exec: ", "entrypoint_not_executable"),
)
"""The engine's own words when it creates or starts a container."""

_INIT_EXEC_FAILED = re.compile(
    r"\[FATAL tini \(\d+\)\] exec .* failed|exec user process caused|^exec \S+: exec format error|^/\S+: (line )?1: \x7fELF"
)
"""What the engine's init (or an old runc) prints first when it cannot execute the entrypoint; the last one is a shell that it hands a
foreign binary to."""
_EXEC_CODES = (126, 127, 1)

_STEP_CODE = re.compile(r"returned a non-zero code: (\d+)")


def build_cause(error: str, step_output: Sequence[str] = (), *, step: str = "") -> str:
    """Cause of a failed build from the engine's error, the failing step's last lines and its instruction.

    The engine quotes a failed step's command in its error, so that error says no more than the exit code.
    """
    if failed_step_code(error) is not None:
        return _first(_STEP_OUTPUT, "\n".join(step_output)) or FALLBACK_BUILD
    cause = _first(_BUILD, error)
    if cause is None and step.upper().startswith("FROM "):
        return "base_image_missing"
    return cause or FALLBACK_BUILD


def failed_step_code(error: str) -> int | None:
    """Exit code of the failed RUN that the engine's error names."""
    found = _STEP_CODE.search(error)
    return int(found.group(1)) if found else None


def connect_cause(error: str) -> str:
    """Cause of an engine that refuses to be asked for its version."""
    return _first(_CONNECT, error) or "docker_daemon_unreachable"


def run_cause(error: str) -> str:
    """Cause of a container that could not be created or started, from the engine's error."""
    return _first(_RUN, error) or FALLBACK_RUN


def entrypoint_failed(exit_code: int | None, first_lines: Sequence[str]) -> bool:
    """Whether the container's init, not the job, ended it: the entrypoint could not be executed."""
    return exit_code in _EXEC_CODES and is_init_complaint(first_lines)


def is_init_complaint(first_lines: Sequence[str]) -> bool:
    """Whether the container's init says that it could not execute the entrypoint."""
    return any(_INIT_EXEC_FAILED.search(line) for line in first_lines[:1])


def _first(table: _Table, text: str) -> str | None:
    return next((cause for pattern, cause in table if re.search(pattern, text, flags=re.IGNORECASE)), None)
