"""What this machine is called and what an hour of it costs."""

from __future__ import annotations

from pathlib import Path

from acceptance.costs import clock, money
from acceptance.costs.events import About
from acceptance.policy.sections import CostPolicy
from trainer.files.printable import printable

_GPUS = Path("/proc/driver/nvidia/gpus")


def about(
    activity: str,
    rules: CostPolicy,
    *,
    voice: str | None = None,
    run: str | None = None,
    gpu: str | None = None,
    rate: float | None = None,
) -> About:
    """A session of this machine; its rate is the one given, else the policy's for the GPU, the machine, or any other."""
    gpu = gpu or installed_gpu()
    names = [name for name in (gpu, clock.now().machine) if name]
    hour = (
        next((rules.rates[name] for name in names if name in rules.rates), rules.rate_per_hour)
        if rate is None
        else rate
    )
    return About(
        activity=activity, rate=money.micro(hour), heartbeat_s=rules.heartbeat_s, voice=voice, gpu=gpu, run=run
    )


def installed_gpu(place: Path = _GPUS) -> str | None:
    """The name of the first GPU that the NVIDIA driver lists; None where there is none."""
    for path in sorted(place.glob("*/information")):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("Model:")), "")
        if name:
            return printable(name, 100)
    return None
