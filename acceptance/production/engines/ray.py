"""Shards as tasks of a Ray cluster that shares no disk with this machine.

Every take comes back as soon as it is made and is written here, by the same writer as on one machine. A lost node costs the takes that were not
here yet: the shard goes on elsewhere behind the last one that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from acceptance.production.engines.base import OnShard, OnTake
from acceptance.production.engines.incoming import IncomingShard
from acceptance.production.engines.ray_cluster import AUTO, connected, imported
from trainer.files.printable import last_line
from trainer.production import plan, remote

_WAIT_S = 1.0
_MOST_LOSSES = 3
"""So often in a row a shard may be lost without one more take; a fourth time it is not the machine's fault."""
_IN_FLIGHT = 8
"""Takes of one task that wait to be fetched; further ones are made when these were taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ray:
    """An existing cluster: `address` is `auto` or HOST:PORT of its head; every task is given `num_cpus_per_task` cores."""

    address: str = AUTO
    num_cpus_per_task: float = 1.0

    @property
    def name(self) -> str:
        """`ray auto, 1 core a task`."""
        return f"ray {self.address}, {self.num_cpus_per_task:g} core{'s' if self.num_cpus_per_task != 1 else ''} a task"

    def run(
        self, batch: Path, shards: Sequence[int], on_shard: OnShard | None = None, on_take: OnTake | None = None
    ) -> None:
        """As `Engine.run`; raises HarnessError(missing_module | cluster_unreachable | cluster_differs | node_lost | cluster_too_small)."""
        found = plan.read(batch)
        ray = imported()
        with connected(ray, self.address), ExitStack() as stack:
            tasks = _Tasks(ray=ray, engine=self, inputs=ray.put(remote.inputs_of(batch)), version=found.project_version)
            waiting = list(reversed(shards))
            busy: dict[Any, IncomingShard] = {}
            while waiting or busy:
                while waiting and len(busy) < tasks.at_once():
                    shard = IncomingShard.opened(stack, batch, found, waiting.pop(), on_take)
                    if shard.whole:  # killed before its last word
                        _finished(shard, on_shard)
                    else:
                        busy[tasks.start(shard)] = shard
                if not busy:
                    continue
                ready, _ = ray.wait(list(busy), num_returns=1, timeout=_WAIT_S)
                for stream in ready:
                    shard = busy.pop(stream)
                    following = tasks.advance(stream, shard)
                    if following is not None:
                        busy[following] = shard
                    else:
                        _finished(shard, on_shard)


def _finished(shard: IncomingShard, on_shard: OnShard | None) -> None:
    shard.finish()
    if on_shard:
        on_shard(shard.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tasks:
    """Starts the tasks of one batch and takes what they give."""

    ray: Any
    engine: Ray
    inputs: Any
    version: str

    def at_once(self) -> int:
        """How many tasks the cluster can run now, and one that waits; raises HarnessError(cluster_too_small)."""
        nodes = [node["Resources"].get("CPU", 0.0) for node in self.ray.nodes() if node["Alive"]]
        if not any(cores >= self.engine.num_cpus_per_task for cores in nodes):
            raise HarnessError(
                f"no node of the Ray cluster at {self.engine.address} has {self.engine.num_cpus_per_task:g} cores; ask for fewer cores a task, "
                "or add a larger node",
                cause="cluster_too_small",
            )
        return int(sum(nodes) / self.engine.num_cpus_per_task) + 1

    def start(self, shard: IncomingShard) -> Any:
        """The stream of the takes that the shard does not have yet."""
        # No retries by Ray: it would speak again what is here already.
        task = self.ray.remote(remote.speak).options(
            num_cpus=self.engine.num_cpus_per_task, max_retries=0, num_returns="streaming",
            _generator_backpressure_num_objects=_IN_FLIGHT, name=f"shard-{shard.index}",
        )  # fmt: skip
        return task.remote(self.inputs, shard.index, shard.kept, self.version)

    def advance(self, stream: Any, shard: IncomingShard) -> Any | None:
        """Write the next take of a stream; returns the stream that gives the rest, or None at its end."""
        errors = self.ray.exceptions
        try:
            found = self.ray.get(next(stream))
        except StopIteration:
            return None
        except errors.RayTaskError as error:
            raise _of_task(error, shard) from error
        except errors.RayError as error:
            shard.losses += 1
            if shard.losses > _MOST_LOSSES:
                raise _lost(error, shard, memory=isinstance(error, errors.OutOfMemoryError)) from error
            return self.start(shard)
        shard.add(found)
        return stream


def _of_task(error: Any, shard: IncomingShard) -> Exception:
    """What a task raised: the trainer's own error, or that the cluster has another project."""
    original = error.cause
    if getattr(original, "cause", None) and hasattr(original, "exit_code"):
        return original
    text = str(original)
    if (
        isinstance(original, ImportError | AttributeError)
        or "No module named" in text
        or "failed to be imported" in text
    ):
        reason = last_line(text)
        return HarnessError(
            f"{shard.name}: a machine of the cluster has not this version of the project ({reason}); install the same version on every machine",
            cause="cluster_differs",
        )
    return error


def _lost(error: Exception, shard: IncomingShard, *, memory: bool) -> HarnessError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    what = "for want of memory" if memory else f"({type(error).__name__}: {reason[:200]})"
    step = "give each task more cores, or the nodes more memory" if memory else "look at the nodes (ray status)"
    return HarnessError(
        f"{shard.name}: its task was lost {shard.losses} times in a row {what}; {step}, and run again with --resume",
        cause="out_of_memory" if memory else "node_lost",
    )
