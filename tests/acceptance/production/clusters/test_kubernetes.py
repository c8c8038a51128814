"""Jobs for Kubernetes: valid by its schema, confined as the Docker runtime confines a container, retried by exit status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from acceptance.cli.main import voice
from acceptance.failure import HarnessError
from acceptance.objective import load
from acceptance.production.clusters.kubernetes import Pod, Storage, name_of
from acceptance.runtimes.base import ContainerSpec
from acceptance.runtimes.docker.container import host_config
from tests.acceptance.harness import environment
from tests.trainer.production import batches
from trainer.job.contract import ExitStatus, Variable

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="the set is not installed: make venv EXTRAS=tests"
)
VERSIONS = ("1.31", "1.34", "1.37")


def exported(output: Path, *arguments: str) -> list[dict[str, Any]]:
    ended = CliRunner().invoke(voice, ["export", "k8s", *arguments, "--output", str(output)])
    assert ended.exit_code == 0, ended.output
    documents = list(YAML(typ="safe").load_all(output))
    for document in documents:
        for version in VERSIONS:
            kubernetes_validate.validate(document, version, strict=True)
    return documents


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("clusters") / "Batch of March"
    place.mkdir()
    batches.make(place, shards=3)
    return place


@pytest.fixture(scope="module")
def shards(batch: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    output = tmp_path_factory.mktemp("k8s") / "job.yaml"
    options = ("--sub-path", "batches/march", "--image", "registry.example/voice@sha256:" + "0" * 64, "--memory", "3g")
    return exported(output, "--batch", str(batch), "--storage", "claim=voices", "--parallel", "2", *options)


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    output = tmp_path_factory.mktemp("k8s") / "job.yaml"
    return exported(
        output, "--objective", "auntie_dottie", "--storage", "nfs=files.example:/voices", "--namespace", "studio"
    )


def job_of(documents: list[dict[str, Any]]) -> dict[str, Any]:
    return next(document for document in documents if document["kind"] == "Job")


def container_of(documents: list[dict[str, Any]]) -> dict[str, Any]:
    return job_of(documents)["spec"]["template"]["spec"]["containers"][0]


def decided(documents: list[dict[str, Any]], status: int, *, disrupted: bool = False) -> str:
    """What the Job does after a pod that ended so: the action of the first rule that fits, as Kubernetes reads them."""
    for rule in job_of(documents)["spec"]["podFailurePolicy"]["rules"]:
        if disrupted and {"type": "DisruptionTarget", "status": "True"} in rule.get("onPodConditions", []):
            return rule["action"]
        if status in rule.get("onExitCodes", {"values": []})["values"]:
            return rule["action"]
    return "Count"


def test_a_batch_is_an_indexed_job_with_a_pod_for_each_shard(shards: list[dict[str, Any]]) -> None:
    spec = job_of(shards)["spec"]
    assert job_of(shards)["metadata"]["name"] == "batch-of-march"
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 2)
    shell, flag, script, *words = container_of(shards)["command"]
    assert (shell, flag, words) == ("/bin/sh", "-c", ["shard", "/batch"])
    assert script == 'exec python -m trainer shard "$1" "$((JOB_COMPLETION_INDEX + 1))"'
    assert {"name": "data", "mountPath": "/batch", "subPath": "batches/march", "readOnly": False} in container_of(
        shards
    )["volumeMounts"]


def test_the_exit_status_decides_what_is_tried_again(
    shards: list[dict[str, Any]], training: list[dict[str, Any]]
) -> None:
    assert decided(shards, ExitStatus.RUNTIME) == "FailJob"
    assert decided(shards, ExitStatus.DATA) == "FailIndex"
    assert decided(training, ExitStatus.RUNTIME) == decided(training, ExitStatus.DATA) == "FailJob"
    for documents in (shards, training):
        for status in (ExitStatus.TRAINING, 137, 143, 1):
            assert decided(documents, status) == "Count"
            assert decided(documents, status, disrupted=True) == "Ignore"
    assert job_of(shards)["spec"]["backoffLimitPerIndex"] == job_of(training)["spec"]["backoffLimit"] == 3


@pytest.mark.parametrize("kind", ["shards", "training"])
def test_a_pod_is_confined_as_a_container_of_the_docker_runtime(kind: str, request: pytest.FixtureRequest) -> None:
    documents = request.getfixturevalue(kind)
    pod, container = job_of(documents)["spec"]["template"]["spec"], container_of(documents)
    docker = host_config(_spec())
    assert container["securityContext"]["readOnlyRootFilesystem"] is docker["read_only"] is True
    assert container["securityContext"]["capabilities"]["drop"] == docker["cap_drop"] == ["ALL"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is (
        "no-new-privileges" not in docker["security_opt"]
    )
    assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] == 10001
    assert pod["automountServiceAccountToken"] is False
    assert {"cpu", "memory"} <= set(container["resources"]["limits"])
    assert docker["network_mode"] == "none"
    (silence,) = [document for document in documents if document["kind"] == "NetworkPolicy"]
    labels = job_of(documents)["spec"]["template"]["metadata"]["labels"]
    assert silence["spec"] == {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress", "Egress"]}
    assert set(docker["tmpfs"]) <= {mount["mountPath"] for mount in container["volumeMounts"]}


def _spec() -> ContainerSpec:
    from pathlib import PurePosixPath

    from acceptance.runtimes.base import Image

    return ContainerSpec(
        image=Image(id="sha256:0", tag="x", context_sha256="", seconds=0.0), run_id="x", owner="x", env={}, mounts=(),
        workdir=PurePosixPath("/"), user="1:1", memory_bytes=1, pids_limit=1, shm_bytes=1, deadline_s=1.0, log_path=Path("x"),
    )  # fmt: skip


@pytest.mark.long
def test_a_training_is_told_what_the_harness_would_tell_it(training: list[dict[str, Any]]) -> None:
    settings, job, container = load("auntie_dottie", environ=environment()), job_of(training), container_of(training)
    told = {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}
    by_choice = {name for name in Variable if "BACKBONE" in name or "RECOGNISER" in name}
    assert set(Variable) - by_choice <= set(told)
    assert told["VOICE_SOURCE_AUDIO"] == f"{settings.mount_point}/{settings.audio}"
    assert told["RUN_ID"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert (told["SEED"], told["NUM_THREADS"]) == (str(settings.seed), str(settings.threads))
    assert job["metadata"]["namespace"] == "studio"
    assert job["spec"]["activeDeadlineSeconds"] == settings.train_deadline_s
    assert container["resources"]["limits"] == {"cpu": str(settings.threads), "memory": "8192Mi"}
    mounts = {mount["mountPath"]: mount["readOnly"] for mount in container["volumeMounts"] if mount["name"] == "data"}
    root = settings.mount_point.rstrip("/")
    assert mounts == {settings.mount_point: True} | {f"{root}/{path}": False for path in settings.output_dirs()}


BAD = {
    "nothing to do": ((), "give either --batch DIR or --objective NAME"),
    "both": (("--batch", "x", "--objective", "demo"), "give either --batch DIR or --objective NAME"),
    "no volume": (("--objective", "demo", "--storage", "disk"), "write claim=NAME, nfs=SERVER:/PATH or host=/PATH"),
    "a claim that is no name": (("--objective", "demo", "--storage", "claim=A b"), "write claim=NAME"),
    "a sub path that leads out": (("--objective", "demo", "--sub-path", "../x"), "a sub path without .."),
    "a name that is none": (("--objective", "demo", "--name", "My Job"), "cannot be the name of a Kubernetes Job"),
    "an unknown objective": (("--objective", "nobody"), "known objectives"),
    "no batch": (("--batch", "/nonexistent"), "plan"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_exported_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    arguments, expected = BAD[name]
    storage = () if "--storage" in arguments else ("--storage", "claim=voices")
    ended = CliRunner().invoke(voice, ["export", "k8s", *arguments, *storage, "--output", str(tmp_path / "job.yaml")])
    assert (ended.exit_code, expected in ended.stderr) == (2, True), ended.stderr
    assert not list(tmp_path.iterdir())


def test_a_name_is_made_of_any_text_and_a_long_one_is_refused() -> None:
    assert name_of("Señor Übel_2 (new)") == "se-or-bel-2-new"
    with pytest.raises(HarnessError):
        Pod(name="a" * 51, image="x", storage=Storage.parse("host=/data"), cpus=1, memory_bytes=2**30)
