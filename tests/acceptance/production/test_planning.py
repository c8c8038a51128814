"""A batch is planned in bounded memory, refuses what was planned otherwise, and equal inputs give equal plans."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.failure import HarnessError
from acceptance.objective import PROJECT_ROOT
from acceptance.production import batch as batches
from acceptance.production import planning
from acceptance.production.batch import Request
from acceptance.production.planning import Wanted
from acceptance.production.voice_source import VoiceSource
from tests.acceptance.production.made_plans import POLICY, planned
from tests.trainer.synthesis import untrained_voice
from trainer.errors import DataError
from trainer.production import layout, plan

PLANNING = """
import json, re, sys, time
from pathlib import Path
from tests.acceptance.production.made_plans import planned
from acceptance.production.planning import Wanted
from trainer.production import prompts, layout
folder = Path(sys.argv[1])
began = time.monotonic()
made = planned(folder / "batch", folder / "prompts.txt", Wanted(shards=64))
sizes = [sum(1 for _ in prompts.part(folder / "batch" / layout.PROMPTS, made.prompts_of(index))) for index in range(1, 65)]
peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])  # of this program alone
print(json.dumps([time.monotonic() - began, peak, sizes, "torch" in sys.modules]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a voice and three prompts."""
    untrained_voice.write(tmp_path / "voice.pt")
    (tmp_path / "prompts.txt").write_text("One.\nTwo.\nThree.\n")
    return tmp_path


def test_equal_inputs_give_equal_plans_in_any_folder(folder: Path) -> None:
    first, second = (planned(folder / name, folder / "prompts.txt") for name in ("a", "b"))
    assert first == second == plan.read(folder / "a")
    for name in layout.INPUTS:
        assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()


@pytest.mark.long
def test_a_hundred_thousand_prompts_are_planned_and_dealt_out_in_seconds_and_bounded_memory(folder: Path) -> None:
    lines = (f"This is sentence number {number} of a hundred thousand." for number in range(100_000))
    (folder / "prompts.txt").write_text("\n".join(lines))
    ran = subprocess.run(
        [sys.executable, "-c", PLANNING, str(folder)], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    seconds, memory, sizes, torch = json.loads(ran.stdout)
    assert sum(sizes) == 100_000 and max(sizes) - min(sizes) <= 1 and not torch
    assert seconds < 10 and memory < 300 * 10**6, (seconds, memory)


def test_a_voice_that_changed_after_the_plan_is_refused(folder: Path) -> None:
    planned(folder / "batch", folder / "prompts.txt")
    with (folder / "batch" / layout.VOICE).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(DataError) as refused:
        batches.planned(Request(batch=folder / "batch", policy=POLICY, resume=True))
    assert refused.value.cause == "checkpoint_changed"


def test_a_second_command_is_refused_without_resume(folder: Path) -> None:
    planned(folder / "batch", folder / "prompts.txt")
    with pytest.raises(HarnessError, match="--resume") as refused:
        batches.planned(Request(batch=folder / "batch", policy=POLICY))
    assert refused.value.cause == "output_exists"


def test_prompts_of_which_none_can_be_spoken_are_refused_with_the_first_reason(folder: Path) -> None:
    (folder / "prompts.txt").write_text("\U0001f600\n...\n", encoding="utf-8")
    with pytest.raises(DataError, match="none of 2 prompts can be spoken \\(line 1: ") as refused:
        planning.write_prompts(folder, folder / "prompts.txt", POLICY)
    assert refused.value.cause == "prompts_invalid"


def test_more_shards_than_prompts_are_refused(folder: Path) -> None:
    batch = folder / "batch"
    batch.mkdir()
    request = Request(batch=batch, policy=POLICY, prompts=folder / "prompts.txt", wanted=Wanted(shards=4))
    source = VoiceSource(checkpoint=folder / "voice.pt", sha256="0" * 64)
    with pytest.raises(HarnessError, match="4 shards are more than the 3 prompts"):
        batches.planned_anew(request, source, batches.read_prompts(request))
