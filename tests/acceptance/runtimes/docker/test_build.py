"""Image builds on the machine's engine: identity, context, every way to fail, the deadline."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time

import pytest

from acceptance.failure import EnvironmentBlocked


def build(bench, dockerfile, **changes):
    lines = []
    return bench.runtime.build(bench.build_spec(dockerfile, **changes), lines.append), lines


def test_a_rebuild_gives_the_same_image_although_times_and_owners_changed(bench):
    spec = bench.build_spec("FROM BASE\nCOPY . /src\nRUN echo built >/made\n")
    (spec.context / "file").write_text("x")
    first = bench.runtime.build(spec, lambda line: None)
    os.utime(spec.context / "file", (1, 1))
    (spec.context / "file").chmod(0o600)
    second = bench.runtime.build(spec, lambda line: None)
    assert second.id == first.id
    assert second.context_sha256 == first.context_sha256 == bench.runtime.context_digest(spec)
    assert bench.docker("image", "inspect", "-f", "{{.Id}}", spec.tag) == first.id


def test_a_changed_file_gives_another_image_and_digest(bench):
    spec = bench.build_spec("FROM BASE\nCOPY . /src\n")
    (spec.context / "file").write_text("x")
    first = bench.runtime.build(spec, lambda line: None)
    (spec.context / "file").write_text("y")
    assert bench.runtime.context_digest(spec) != first.context_sha256
    assert bench.runtime.build(spec, lambda line: None).id != first.id


def test_dockerignore_keeps_files_out_of_image_and_digest(bench):
    spec = bench.build_spec("FROM BASE\nCOPY . /src\nRUN ls -a /src /src/keep\n")
    for name in ("secret.txt", "keep/kept.txt", "keep/dropped.log", "node/deep/file"):
        (spec.context / name).parent.mkdir(parents=True, exist_ok=True)
        (spec.context / name).write_text(name)
    (spec.context / ".dockerignore").write_text("# comment\nsecret.txt\n**/*.log\nnode\n!node/deep\n")
    lines = []
    image = bench.runtime.build(spec, lines.append)
    assert "secret.txt" not in lines
    assert "dropped.log" not in lines
    assert "kept.txt" in lines
    assert "node" in lines
    (spec.context / "secret.txt").write_text("changed")
    assert bench.runtime.context_digest(spec) == image.context_sha256


def test_every_line_reaches_the_log_and_the_sink(bench):
    _, lines = build(bench, "FROM BASE\nRUN seq 1 3000\n")
    written = (bench.directory / "build.log").read_text().splitlines()
    assert written == lines
    numbers = [line for line in lines if line.isdecimal()]
    assert numbers == [str(number) for number in range(1, 3001)]


def test_build_arguments_reach_the_dockerfile(bench):
    arguments = {"FROM_IMAGE": bench.base, "WORD": "hello"}
    _, lines = build(bench, "ARG FROM_IMAGE\nFROM ${FROM_IMAGE}\nARG WORD\nRUN echo said-$WORD\n", build_args=arguments)
    assert "said-hello" in lines


def test_a_failing_step_is_named_with_its_exit_code(bench):
    failure = bench.build_failure("FROM BASE\nRUN echo about to fail; exit 7\n")
    assert isinstance(failure, EnvironmentBlocked)
    assert failure.cause == "build_step_failed"
    assert failure.evidence["exit_code"] == "7"
    assert failure.evidence["step"] == "RUN echo about to fail; exit 7"
    assert "about to fail" in failure.evidence["output"]
    assert "RUN echo about to fail; exit 7" in failure.message
    assert "about to fail" in (bench.directory / "build.log").read_text()


@pytest.mark.parametrize(
    ("dockerfile", "cause"),
    [
        ("FROM BASE\nRUNN true\n", "dockerfile_invalid"),
        ("", "dockerfile_invalid"),
        ("FROM BASE\nCOPY\n", "dockerfile_invalid"),
        ("FROM BASE\nRUN --mount=type=cache,target=/c true\n", "dockerfile_invalid"),
        ("ARG NOTHING\nFROM ${NOTHING}\n", "dockerfile_invalid"),
        ("FROM BASE\nCOPY nope /nope\n", "build_context_missing_file"),
        ("FROM BASE\nADD nope* /nope/\n", "build_context_missing_file"),
        ("FROM BASE\nCOPY ../outside /nope\n", "build_context_missing_file"),
        ("FROM runtime-test-nowhere:never\n", "base_image_missing"),
        ("FROM registry.invalid/nowhere:never\n", "base_image_missing"),
        (
            "FROM BASE\nRUN echo 'ERROR: No matching distribution found for torch'; exit 1\n",
            "build_packages_unavailable",
        ),
        ("FROM BASE\nRUN echo 'No space left on device'; exit 1\n", "disk_full_engine"),
        ("FROM BASE\nRUN echo 'manifest unknown, COPY failed: denied'; exit 1\n", "build_step_failed"),
    ],
)
def test_a_build_error_has_its_cause(bench, dockerfile, cause):
    began = time.monotonic()
    assert bench.build_failure(dockerfile).cause == cause
    assert time.monotonic() - began < 30


def test_a_step_that_mentions_an_error_and_succeeds_is_no_failure(bench):
    _, lines = build(bench, "FROM BASE\nRUN echo 'No matching distribution found; no space left on device'\n")
    assert any(line.startswith("Successfully built") for line in lines)


def test_a_missing_dockerfile_is_named(bench):
    failure = bench.build_failure("FROM BASE\n", dockerfile="elsewhere/Dockerfile")
    assert (failure.cause, failure.evidence["dockerfile"]) == ("dockerfile_missing", "elsewhere/Dockerfile")


def test_a_dockerfile_in_a_subdirectory_that_is_ignored_is_still_found(bench):
    spec = bench.build_spec("unused", dockerfile="docker/Dockerfile")
    (spec.context / "docker").mkdir()
    (spec.context / "docker" / "Dockerfile").write_text(f"FROM {bench.base}\nCOPY file /file\n")
    (spec.context / "file").write_text("x")
    (spec.context / ".dockerignore").write_text("*\n!file\n")
    assert bench.runtime.build(spec, lambda line: None).id


def test_a_failed_build_leaves_the_tag_on_the_good_image(bench):
    good, _ = build(bench, "FROM BASE\nRUN echo good >/made\n")
    bench.build_failure("FROM BASE\nRUN exit 1\n")
    assert bench.docker("image", "inspect", "-f", "{{.Id}}", good.tag) == good.id


def test_a_hung_step_ends_at_the_deadline_without_a_container_left(bench):
    before = set(bench.docker("ps", "-aq").split())
    began = time.monotonic()
    failure = bench.build_failure("FROM BASE\nRUN echo waiting-$PPID; sleep 1000\n", deadline_s=3.0)
    took = time.monotonic() - began
    assert failure.cause == "build_deadline_exceeded"
    assert "sleep 1000" in failure.evidence["step"]
    assert "waiting-" in failure.evidence["output"]
    assert took < 12
    left = set(bench.docker("ps", "-aq", "--no-trunc", "--filter", f"ancestor={bench.base}").split()) - before
    assert left == set()


def test_an_interrupted_build_leaves_no_container(bench):
    threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        build(bench, "FROM BASE\nRUN sleep 1000\n")
    assert bench.docker("ps", "-aq", "--filter", f"ancestor={bench.base}") == ""


def test_a_display_that_raises_does_not_fail_the_build(bench):
    def broken(line):
        raise ValueError("display gone")

    with pytest.warns(RuntimeWarning, match="display gone"):
        image = bench.runtime.build(bench.build_spec("FROM BASE\nRUN echo one\n"), broken)
    assert image.id
    assert "Successfully built" in (bench.directory / "build.log").read_text()


def test_of_two_builds_of_one_tag_one_builds_and_the_other_finds_its_layers(bench):
    spec = bench.build_spec(f"FROM BASE\nRUN sleep 2; echo {bench.run_id} >/made\n")
    said: dict[int, list[str]] = {0: [], 1: []}
    images: dict[int, str] = {}

    def work(number: int) -> None:
        own = dataclasses.replace(spec, log_path=bench.directory / f"build{number}.log")
        images[number] = bench.runtime.build(own, said[number].append).id

    threads = [threading.Thread(target=work, args=(number,)) for number in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert images[0] == images[1]
    waited = [f"waiting for another build of {spec.tag}" in lines for lines in said.values()]
    cached = [any("Using cache" in line for line in lines) for lines in said.values()]
    assert sorted(waited) == [False, True]
    assert cached == waited


def test_who_cannot_take_turns_builds_all_the_same(bench, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/proc")
    image, _ = build(bench, "FROM BASE\nRUN echo built\n")
    assert image.id.startswith("sha256:")
