"""Six voices of which three are certified: the table, the files and the exit status say so, and a resumed fleet runs the others."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.acceptance.fleet import folders

pytestmark = pytest.mark.session

EXPECTED = {
    "amy": ("success", "none", "none"),
    "bob": ("success", "none", "none"),
    "cut": ("blocked", "data_blocked", "lfs_pointer"),
    "dull": ("blocked", "train_failed", "no_learning"),
    "ends": ("blocked", "train_failed", "trainer_exit_nonzero"),
    "fay": ("success", "none", "none"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    folder: Path
    output: Path
    process: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def ended(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    place = tmp_path_factory.mktemp("fleet")
    folder, output = place / "voices of today", place / "output"
    for name in ("amy", "bob", "fay"):
        folders.add(folder, name, kit)
    folders.add(folder, "cut", kit, audio=folders.POINTER)
    folders.add(folder, "dull", folders.learns_nothing(kit, place / "dull_kit"))
    folders.add(folder, "ends", kit, mode="fail")
    process = folders.fleet(folder, output, "--jobs", "2", env={"GITHUB_STEP_SUMMARY": str(place / "summary.md")})
    return Ended(folder=folder, output=output, process=process)


def test_every_line_of_the_table_is_right(ended: Ended) -> None:
    assert ended.process.returncode == 1, ended.process.stdout + ended.process.stderr
    table = [
        re.split(r" *\| *", line.strip("| ")) for line in ended.process.stdout.splitlines() if line.startswith("| ")
    ]
    assert table[0] == ["objective", "verdict", "class", "cause", "time", "checkpoint"]
    digest = hashlib.sha256((ended.output / "workspaces/amy/out/amy/checkpoints/voice.pt").read_bytes()).hexdigest()
    certified = {line[0]: line[5] for line in table[1:]}
    assert {line[0]: tuple(line[1:4]) for line in table[1:]} == EXPECTED
    assert [certified[name] for name in ("amy", "bob", "fay")] == [digest[:12]] * 3
    assert certified["cut"] == "-"
    assert all(re.fullmatch(r"\d+\.\d s", line[4]) for line in table[1:])


def test_the_document_says_the_same_with_run_and_action(ended: Ended) -> None:
    found = folders.rows(ended.output)
    assert {name: (row["verdict"], row["failure_class"], row["cause"]) for name, row in found.items()} == EXPECTED
    for name, row in found.items():
        report = json.loads((ended.output / row["run"] / "report.json").read_text())
        assert report["report"]["cause"] == row["cause"]
        assert report["session"]["workspace"] == str(ended.output / "workspaces" / name)
        assert row["exit_status"] == int(EXPECTED[name][0] != "success")
    workspace = ended.output / "workspaces/cut"
    assert found["cut"]["action"].endswith(f"git lfs pull --include={workspace}/data/cut.wav")
    assert f"- cut: {found['cut']['action']}" in ended.process.stdout


def test_a_junit_reader_sees_a_suite_for_each_voice_and_red_only_where_it_is(ended: Ended) -> None:
    suites = {suite.name: suite for suite in JUnitXml.fromfile(str(ended.output / "junit.xml"))}
    assert list(suites) == list(EXPECTED)
    for name, (verdict, failure_class, cause) in EXPECTED.items():
        suite = suites[name]
        failed = [result.message for case in suite for result in case.result if result._tag == "failure"]
        assert bool(failed) == (verdict == "blocked")
        assert all(message.startswith(f"{failure_class}/{cause}") for message in failed[:1])
        assert (suite.tests, suite.failures) == (len(list(suite)), len(failed))
        assert all(case.classname.startswith(f"{name}.") for case in suite)
        assert {item.name: item.value for item in suite.properties()}["cause"] == cause


def test_the_page_names_each_voice_and_links_to_its_report(ended: Ended) -> None:
    page = (ended.output / "fleet.html").read_text(encoding="utf-8")
    assert "3 of 6 voices certified" in page
    links = re.findall(r'href="\./(workspaces/[^"]+/report\.\w+)"', page)
    assert [link.split("/")[1] for link in links] == list(EXPECTED)
    assert all((ended.output / link).is_file() for link in links)
    assert page.count('data-copy="action-') == 3


def test_a_ci_system_gets_one_summary_of_the_fleet_and_none_of_each_session(ended: Ended) -> None:
    summary = (ended.output.parent / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("## ❌ Fleet: 3 of 6 voices certified\n\n| objective ")
    assert summary.count("## ") == 1
    assert all(f"| {name} " in summary for name in EXPECTED)


def test_a_resumed_fleet_runs_only_those_that_did_not_succeed(ended: Ended, kit: Path) -> None:
    refused = folders.fleet(ended.folder, ended.output)
    assert refused.returncode == 2
    assert f"voice fleet '{ended.folder}' --output {ended.output} --resume" in refused.stderr
    folders.add(ended.folder, "cut", kit)  # the real recording came
    (ended.folder / "data/fay.txt").write_text("Somebody wrote down what is said.")
    resumed = folders.fleet(ended.folder, ended.output, "--resume", "--jobs", "2")
    assert resumed.returncode == 1, resumed.stdout + resumed.stderr
    assert {name: row["cause"] for name, row in folders.rows(ended.output).items()} == {
        name: "none" if name == "cut" else cause for name, (_, _, cause) in EXPECTED.items()
    }
    assert folders.runs(ended.output, list(EXPECTED)) == [1, 1, 2, 2, 2, 2]
    suites = [suite.name for suite in JUnitXml.fromfile(str(ended.output / "junit.xml"))]
    assert suites == list(EXPECTED)
