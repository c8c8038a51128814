"""Kubernetes Jobs, confined as the Docker runtime confines a container: one for the shards of a batch, one for a training."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML

from acceptance.evidence import job
from acceptance.failure import HarnessError
from acceptance.objective import Settings, parse_size
from acceptance.production.clusters.retries import HOPELESS, HOPELESS_FOR_ALL, TRIES
from trainer.job.contract import Variable

USER = 10001
"""The image's own user; a claim's files get its group."""
BATCH = "/batch"
ENTRY = "/opt/voice-acceptance/run_voice_train.sh"
_SCRATCH = "4Gi"
_GRACE_S = 60
_LONGEST_NAME = 50
"""Kubernetes allows 63, and puts the index and a random word behind it."""
_SHARD = 'exec python -m trainer shard "$1" "$((JOB_COMPLETION_INDEX + 1))"'
"""Indices of Kubernetes begin with 0, shards with 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where the files lie that pods share: `source` is the volume as Kubernetes writes it, `sub_path` a folder in it."""

    source: Mapping[str, Any]
    sub_path: str = ""

    @classmethod
    def parse(cls, text: str, sub_path: str = "") -> Storage:
        """`claim=NAME`, `nfs=SERVER:/PATH` or `host=/PATH`; raises HarnessError(settings_invalid)."""
        kind, _, value = text.partition("=")
        server, _, path = value.partition(":")
        source: dict[str, Any] | None = None
        if kind == "claim" and _is_name(value):
            source = {"persistentVolumeClaim": {"claimName": value}}
        elif kind == "nfs" and server and path.startswith("/"):
            source = {"nfs": {"server": server, "path": path}}
        elif kind == "host" and value.startswith("/"):
            source = {"hostPath": {"path": value, "type": "Directory"}}
        parts = PurePosixPath(sub_path).parts
        if source is None or sub_path.startswith("/") or ".." in parts:
            raise HarnessError(
                f"--storage {text!r} {sub_path!r}: no volume; write claim=NAME, nfs=SERVER:/PATH or host=/PATH, and a sub path without ..",
                cause="settings_invalid",
            )
        return cls(source=source, sub_path=sub_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """What every Job of this module is told: its name, image, storage and limits."""

    name: str
    image: str
    storage: Storage
    cpus: int
    memory_bytes: int
    namespace: str | None = None
    tries: int = TRIES

    def __post_init__(self) -> None:
        if not _is_name(self.name) or len(self.name) > _LONGEST_NAME:
            raise HarnessError(
                f"{self.name!r} cannot be the name of a Kubernetes Job; give --name with at most {_LONGEST_NAME} small letters, digits and dashes",
                cause="settings_invalid",
            )


def name_of(text: str) -> str:
    """A name for a Job, made of a folder's or an objective's name; may be empty."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_NAME].strip("-")


def shards(pod: Pod, *, count: int, parallel: int) -> list[dict[str, Any]]:
    """An Indexed Job that makes `count` shards of the batch in the storage, `parallel` at a time, and its network policy."""
    container = {
        "command": ["/bin/sh", "-c", _SHARD, "shard", BATCH],
        "env": [{"name": "HOME", "value": "/tmp"}],
        "volumeMounts": [_mount(pod, BATCH, read_only=False)],
    }
    rules = {
        "completionMode": "Indexed",
        "completions": count,
        "parallelism": min(parallel, count),
        "backoffLimitPerIndex": pod.tries,
        "maxFailedIndexes": count,
    }
    hopeless: list[dict[str, Any]] = [_on(HOPELESS_FOR_ALL, "FailJob"), _on(HOPELESS, "FailIndex")]
    return _documents(pod, rules, hopeless, container, shm_bytes=64 * 2**20)


def training(pod: Pod, settings: Settings, preparation: Mapping[str, float]) -> list[dict[str, Any]]:
    """A Job that trains the voice of an objective whose workspace is the storage, and its network policy. It certifies nothing."""
    root = PurePosixPath(settings.mount_point)
    told = {**job.environment(settings, root, ""), **job.preparation_environment(preparation)}
    env: list[dict[str, Any]] = [
        {"name": str(name), "value": str(value)} for name, value in told.items() if name != Variable.RUN_ID
    ]
    env.append({"name": str(Variable.RUN_ID), "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})
    outputs = [
        _mount(pod, str(root / path), sub_path=str(PurePosixPath(pod.storage.sub_path, path)), read_only=False)
        for path in settings.output_dirs()
    ]
    container: dict[str, Any] = {
        "command": list(settings.command) or [ENTRY],
        "workingDir": str(root),
        "env": sorted(env, key=lambda entry: str(entry["name"])),
        "volumeMounts": [_mount(pod, str(root), read_only=settings.mount != "workspace"), *outputs],
    }
    if settings.gpus:
        container["gpus"] = settings.gpus
    rules = {"backoffLimit": pod.tries, "activeDeadlineSeconds": round(settings.train_deadline_s)}
    hopeless: list[dict[str, Any]] = [_on((*HOPELESS, *HOPELESS_FOR_ALL), "FailJob")]
    return _documents(pod, rules, hopeless, container, shm_bytes=parse_size(settings.shm))


def dump(documents: Sequence[Mapping[str, Any]], comments: Sequence[str]) -> str:
    """YAML for `kubectl apply`, with comments above it."""
    yaml, out = YAML(), io.StringIO()
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump_all(documents, out)
    return "".join(f"# {line}\n" for line in comments) + out.getvalue()


def _documents(
    pod: Pod,
    rules: Mapping[str, Any],
    hopeless: Sequence[Mapping[str, Any]],
    container: Mapping[str, Any],
    *,
    shm_bytes: int,
) -> list[dict[str, Any]]:
    labels = {"app.kubernetes.io/name": "voice-acceptance", "app.kubernetes.io/instance": pod.name}
    about: dict[str, Any] = {"name": pod.name, "labels": dict(labels)}
    if pod.namespace is not None:
        about["namespace"] = pod.namespace
    # The first rule that matches decides: a node that goes away costs no try, whatever the container's last exit code was.
    policy = {
        "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}, *hopeless]
    }
    work = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": about,
        "spec": {
            **rules,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": policy,
            "template": {"metadata": {"labels": dict(labels)}, "spec": _pod_spec(pod, container, shm_bytes)},
        },
    }
    silence = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {**about, "labels": dict(labels)},
        "spec": {"podSelector": {"matchLabels": dict(labels)}, "policyTypes": ["Ingress", "Egress"]},
    }
    return [silence, work]


def _pod_spec(pod: Pod, container: Mapping[str, Any], shm_bytes: int) -> dict[str, Any]:
    """What `acceptance.runtimes.docker.container.host_config` is for Docker."""
    given = dict(container)
    limits: dict[str, Any] = {"cpu": str(pod.cpus), "memory": _mebibytes(pod.memory_bytes)}
    gpus = given.pop("gpus", "")
    mounts = [
        *given.pop("volumeMounts"),
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "shm", "mountPath": "/dev/shm"},
    ]
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_S,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "voice",
                "image": pod.image,
                **given,
                "resources": {
                    "requests": dict(limits),
                    "limits": limits | ({"nvidia.com/gpu": "1" if gpus == "all" else gpus} if gpus else {}),
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": mounts,
            }
        ],
        "volumes": [
            {"name": "data", **pod.storage.source},
            {"name": "tmp", "emptyDir": {"sizeLimit": _SCRATCH}},
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": _mebibytes(shm_bytes)}},
        ],
    }


def _on(statuses: Sequence[int], action: str) -> dict[str, Any]:
    values = sorted(int(status) for status in statuses)
    return {"action": action, "onExitCodes": {"containerName": "voice", "operator": "In", "values": values}}


def _mount(pod: Pod, path: str, *, read_only: bool, sub_path: str | None = None) -> dict[str, Any]:
    below = pod.storage.sub_path if sub_path is None else sub_path
    return {"name": "data", "mountPath": path, **({"subPath": below} if below else {}), "readOnly": read_only}


def _mebibytes(size: int) -> str:
    return f"{-(-size // 2**20)}Mi"


def _is_name(text: str) -> bool:
    """A label as RFC 1123 writes it."""
    return re.fullmatch("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", text) is not None
