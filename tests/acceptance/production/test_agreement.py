"""A batch is gone on with only under the settings of its plan: whatever option a person gives is compared with it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.cli.produce import FREE, produce
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.production import agreement
from tests.acceptance.production.made_plans import POLICY, planned
from tests.trainer.synthesis import untrained_voice
from trainer.dataset import manifest
from trainer.evaluation import evaluate
from trainer.files import plain_file
from trainer.production import reference
from trainer.production.plan import Plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a voice and three prompts."""
    untrained_voice.write(tmp_path / "voice.pt")
    (tmp_path / "prompts.txt").write_text("One.\nTwo.\nThree.\n")
    return tmp_path


@pytest.fixture
def made(folder: Path, small_manifest: Path) -> Plan:
    """The plan of a batch that is compared with the held-out clips of the small dataset."""
    document, digest = manifest.load_with_digest(small_manifest)
    clips = {name: plain_file.sha256(path) for name, path in evaluate.reference_of(small_manifest, document).items()}
    plan = planned(folder / "batch", folder / "prompts.txt")
    known = reference.digest(clips, speaker_encoder=plan.pins["speaker_encoder"])
    return replace(plan, manifest_sha256=digest, reference=replace(plan.reference, sha256=known, clips=len(clips)))


def refused(folder: Path, made: Plan, policy: Policy = POLICY, **asked: object) -> str:
    with pytest.raises(HarnessError) as caught:
        agreement.require_same(folder / "batch", made, asked, policy)
    assert caught.value.cause == "plan_changed" and str(folder / "batch/plan.json") in str(caught.value)
    return str(caught.value)


def test_every_option_is_compared_or_decides_no_byte() -> None:
    names = {option.name for option in produce.params} - {
        "shard"
    }  # it says what --shards says, and which one is made here
    assert names == (agreement.COMPARED.keys() - {"policy"}) | set(FREE)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"takes": 2}, "takes is 1, not 2"),
        ({"seed": 7}, "seed is 0, not 7"),
        ({"rate": 1.1}, "rate is 1.0, not 1.1"),
        ({"pitch": 2.0}, "pitch is 0.0, not 2.0"),
        ({"sample_rate": 16_000}, "sample_rate is 22050, not 16000"),
        ({"best_of": True}, "best_of is False, not True"),
        ({"shards": 4}, "shards is 1, not 4"),
    ],
)
def test_other_settings_are_refused(folder: Path, made: Plan, asked: dict[str, object], said: str) -> None:
    assert said in refused(folder, made, **asked)


def test_other_files_are_refused_each_by_name(folder: Path, made: Plan, small_manifest: Path) -> None:
    (folder / "other.txt").write_text("One.\nTwo.\n")
    (folder / "other.pt").write_bytes(b"another voice")
    assert "other.txt holds other prompts" in refused(folder, made, prompts=folder / "other.txt")
    assert f"and {folder / 'other.pt'} is " in refused(folder, made, checkpoint=folder / "other.pt")
    clips = Path(shutil.copytree(next(small_manifest.parent.rglob("*.flac")).parent, folder / "clips"))
    assert f"are not the {len(list(clips.iterdir()))} in {clips}" in refused(folder, made, reference=clips)
    without = replace(made, manifest_sha256=None)
    assert f"the dataset is none, and {small_manifest} is " in refused(folder, without, manifest=small_manifest)


def test_another_policy_is_refused_although_no_option_names_it(folder: Path, made: Plan) -> None:
    rules = replace(POLICY, production=replace(POLICY.production, min_similarity=0.1))
    assert "the policy is " in refused(folder, made, rules)


def test_a_policy_with_another_budget_judges_the_same(folder: Path, made: Plan) -> None:
    rules = replace(POLICY, cost=replace(POLICY.cost, total_budget=POLICY.cost.total_budget + 10))
    agreement.require_same(folder / "batch", made, {}, rules)


def test_the_same_settings_and_files_are_accepted_wherever_they_lie(
    folder: Path, made: Plan, small_manifest: Path
) -> None:
    document = manifest.load(small_manifest)
    clips = folder / "held_out"
    clips.mkdir()
    for name, path in evaluate.reference_of(small_manifest, document).items():
        shutil.copy(path, clips / f"{name}{path.suffix}")
    asked = {
        "takes": 1, "rate": 1.0, "prompts": folder / "prompts.txt", "checkpoint": folder / "voice.pt", "manifest": small_manifest,
        "reference": clips,
    }  # fmt: skip
    agreement.require_same(folder / "batch", made, asked, POLICY)
