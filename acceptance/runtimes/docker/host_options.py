"""Parts of a container's host configuration, as the SDK writes them."""

from __future__ import annotations

import docker.types


def bind(source: str, target: str, *, read_only: bool) -> docker.types.Mount:
    """A bind mount that fails on a missing source (and takes any character in a path)."""
    return docker.types.Mount(target=target, source=source, type="bind", read_only=read_only)


def volume(name: str, target: str, *, read_only: bool) -> docker.types.Mount:
    """A mount of a named volume; what the image has at `target` is not copied into it."""
    return docker.types.Mount(target=target, source=name, type="volume", read_only=read_only, no_copy=True)


def gpu_request(gpus: str) -> docker.types.DeviceRequest:
    """`all`, or a count."""
    return docker.types.DeviceRequest(count=-1 if gpus == "all" else int(gpus), capabilities=[["gpu"]])


def bounded_engine_log(max_bytes: int) -> docker.types.LogConfig:
    """The engine's own copy of the output, kept from filling its disk."""
    return docker.types.LogConfig(type="json-file", config={"max-size": str(max_bytes), "max-file": "1"})
