"""A real Ray cluster of three nodes on this machine: the same bytes as one process gives, also if a node is killed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acceptance.failure import HarnessError
from acceptance.production.engines import ray as ray_engine
from acceptance.production.engines.ray import Ray
from tests import shared
from tests.acceptance.production.engines.conftest import SHARDS
from tests.trainer.production import batches
from trainer.errors import RuntimeSetupError
from trainer.production import layout, merging, plan, timing, version

shared.skip_without("ray", reason="needs the package ray (make venv EXTRAS=distributed)")

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three nodes with one core each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield cluster
    finally:
        cluster.shutdown()


def contents(batch: Path) -> list[dict[str, bytes]]:
    return [batches.content(layout.shard_folder(batch, index, len(SHARDS))) for index in SHARDS]


def test_a_cluster_gives_the_bytes_of_local_processes_and_nothing_double_though_a_node_is_killed(
    spoken: Path, batch: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[int] = []
    start = ray_engine._Tasks.start

    def counted(self: Any, shard: Any) -> Any:
        starts.append(shard.index)
        return start(self, shard)

    monkeypatch.setattr(ray_engine._Tasks, "start", counted)
    takes: list[int] = []
    done: list[int] = []

    def kill_a_node() -> None:
        takes.append(1)
        if len(takes) == 2:
            cluster.remove_node(sorted(cluster.worker_nodes, key=str)[0], allow_graceful=False)

    Ray(address=cluster.address).run(batch, SHARDS, on_shard=done.append, on_take=kill_a_node)
    assert sorted(done) == list(SHARDS)
    assert len(takes) == 8
    assert len(starts) > len(SHARDS), "the node that was killed had no shard"
    merging.require_whole(batch, plan.read(batch))
    assert contents(batch) == contents(spoken)
    (layout.shard_folder(batch, 3, len(SHARDS)) / layout.DONE).unlink()
    starts.clear()
    Ray(address=cluster.address).run(batch, [3])
    assert not starts, "a shard that only lacks its last word was spoken again"
    assert contents(batch) == contents(spoken)
    assert timing.of(layout.shard_folder(batch, 1, len(SHARDS))).takes == 2


def test_a_cluster_with_another_version_of_the_project_is_refused(
    batch: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This machine and the plan agree on a version that the cluster does not have.
    monkeypatch.setattr(version, "version", lambda: "trainer 000000000000, torch 1.0")
    batches.make(batch, shards=1)
    with pytest.raises(
        RuntimeSetupError, match=r"another version of the project .*trainer 000000000000 and trainer"
    ) as caught:
        Ray(address=cluster.address).run(batch, [1])
    assert caught.value.cause == "version_differs"
    assert not (layout.shard_folder(batch, 1, 1) / layout.DONE).exists()


def test_tasks_that_need_more_cores_than_a_node_has_are_refused_at_once(batch: Path, cluster: Any) -> None:
    with pytest.raises(HarnessError, match=r"no node of the Ray cluster .* has 64 cores") as caught:
        Ray(address=cluster.address, num_cpus_per_task=64).run(batch, SHARDS)
    assert caught.value.cause == "cluster_too_small"


@pytest.mark.parametrize(
    ("address", "cause"),
    [("127.0.0.1:9", "cluster_unreachable"), ("ray://127.0.0.1:9", "settings_invalid"), ("here", "settings_invalid")],
)
def test_a_cluster_that_is_not_there_is_one_line_with_the_next_step(batch: Path, address: str, cause: str) -> None:
    with pytest.raises(HarnessError, match=r"Ray cluster") as caught:
        Ray(address=address).run(batch, SHARDS)
    assert caught.value.cause == cause
    assert "\n" not in str(caught.value)


def test_without_ray_the_line_says_what_to_install(batch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(HarnessError, match=r"pip install voice-acceptance\[distributed\]") as caught:
        Ray().run(batch, SHARDS)
    assert caught.value.cause == "missing_module"
