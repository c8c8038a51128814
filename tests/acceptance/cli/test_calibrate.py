"""`voice calibrate`, with measurements that are made up: what is measured has tests of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from acceptance.calibration import spread
from acceptance.cli.main import voice
from acceptance.policy import THRESHOLDS, Policy, load
from acceptance.scorecards import scorecard
from trainer.evaluation import evaluate, evaluation, judging, signal
from trainer.evaluation.evaluation import Evaluation
from trainer.evaluation.judging import Judged, Task
from trainer.evaluation.realism import Opinion

pytestmark = pytest.mark.session

RATE = 16_000
TEXT = "the quick brown fox jumps over the lazy dog"
HEARD = tuple(TEXT.split())


def fake(task: Task) -> Judged:
    """The target's voice is one direction, others lie around another; noise costs opinion and words."""
    sound = judging.read(task.item.path)
    generator = np.random.default_rng(int(sound.sha256[:8], 16))
    # A shorter clip says less of who speaks.
    direction = (
        np.array([1.0, 0.4 if len(sound.mono) == 2 * RATE else 0.0])
        if "target" in task.item.id
        else np.array([0.6, 0.8])
    )
    vector = direction + generator.normal(0, 0.05, 2)
    noisy = "in noise" in task.item.id
    opinion = (2.0 if noisy else 3.2) + generator.normal(0, 0.05)
    return Judged(
        item=task.item, audio_sha256=sound.sha256, sample_rate=RATE, channels=1, vector=(vector / np.linalg.norm(vector)).astype(np.float32),
        opinion=Opinion(overall=opinion, speech=opinion, background=opinion, p808=opinion), heard=HEARD[6 if noisy else generator.integers(3) :],
        signal=signal.measure(sound.mono, RATE), faults=(),
    )  # fmt: skip


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(judging, "judge", fake)
    (tmp_path / "rules.yaml").write_bytes(THRESHOLDS.read_bytes())
    clips(tmp_path / "target", "target", 24)
    clips(tmp_path / "others", "other", 60)
    (tmp_path / "target/metadata.csv").write_text(
        "id|text\n" + "".join(f"target_{index:02d}|{TEXT}\n" for index in range(24))
    )
    return tmp_path


def clips(folder: Path, name: str, count: int) -> None:
    folder.mkdir(exist_ok=True)
    for index in range(count):
        wave = np.random.default_rng([index, len(name)]).normal(0, 0.1, RATE // 2)
        soundfile.write(folder / f"{name}_{index:02d}.wav", wave, RATE)


def run(site: Path, *arguments: object) -> Result:
    return CliRunner().invoke(voice, ["calibrate", "--policy", str(site / "rules.yaml"), *map(str, arguments)])


def evidence(site: Path) -> tuple[object, ...]:
    return ("--reference", site / "target", "--impostors", site / "others")


def test_thresholds_and_their_provenance_are_written(site: Path) -> None:
    found = run(site, *evidence(site))
    assert found.exit_code == 0, found.output
    policy = load(site / "rules.yaml")
    similarity = policy.speaker_similarity
    assert 0.5 < similarity.floor < similarity.pass_ < similarity.warn < similarity.ceiling <= 1.0
    assert similarity.provenance["good_clips"] == 24 and similarity.provenance["bad_clips"] == 60
    assert similarity.pass_ == pytest.approx(
        (similarity.provenance["bad_p99"] + similarity.provenance["good_p5"]) / 2, abs=0.001
    )
    assert 2.0 < policy.speech_realism.pass_ < 3.2
    assert policy.speech_realism.provenance["noise_db"] == 5
    assert policy.intelligibility.floor == pytest.approx(6 / 9, abs=0.001)
    assert policy.intelligibility.ceiling == policy.intelligibility.warn < policy.intelligibility.pass_ < 2 / 9
    for section in ("speaker_similarity", "speech_realism", "intelligibility"):
        assert policy.origin(f"{section}.provenance").startswith("rules.yaml:")
        assert any(len(str(value)) == 64 for value in getattr(policy, section).provenance.values()), "a pin"


def test_the_same_evidence_gives_the_same_bytes(site: Path) -> None:
    assert run(site, *evidence(site)).exit_code == 0
    once = (site / "rules.yaml").read_bytes()
    again = run(site, *evidence(site))
    assert "nothing changes" in again.stdout
    assert (site / "rules.yaml").read_bytes() == once
    assert str(site).encode() not in once


def test_a_dry_run_shows_the_difference_and_writes_nothing(site: Path) -> None:
    before = (site / "rules.yaml").read_bytes()
    found = run(site, *evidence(site), "--dry-run")
    assert found.exit_code == 0
    assert "-  pass: 0." in found.stdout and "+  pass: 0." in found.stdout and "not written" in found.stdout
    document = json.loads(run(site, *evidence(site), "--dry-run", "--json").stdout)
    assert document["written"] is False
    assert (
        document["changes"]["speaker_similarity.pass"]["before"] == load(site / "rules.yaml").speaker_similarity.pass_
    )
    assert (site / "rules.yaml").read_bytes() == before


def test_without_texts_intelligibility_stays_as_it_is(site: Path) -> None:
    (site / "target/metadata.csv").unlink()
    assert run(site, *evidence(site)).exit_code == 2
    before = load(site / "rules.yaml").intelligibility
    assert run(site, *evidence(site), "--without-texts").exit_code == 0
    assert load(site / "rules.yaml").intelligibility == before


def test_voices_are_compared_at_the_length_that_will_be_judged(site: Path) -> None:
    for folder in ("target", "others"):
        for path in (site / folder).glob("*.wav"):
            wave, _ = soundfile.read(path)
            soundfile.write(path, np.tile(wave, 8), RATE)
    assert run(site, *evidence(site), "--clip-seconds", "2").exit_code == 0
    short = load(site / "rules.yaml").speaker_similarity
    assert short.provenance["clip_seconds"] == 2
    assert run(site, *evidence(site)).exit_code == 0
    whole = load(site / "rules.yaml").speaker_similarity
    assert whole.provenance["clip_seconds"] is None
    assert whole.provenance["good_sha256"] == short.provenance["good_sha256"]
    assert short.ceiling < whole.ceiling - 0.02


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda site: [path.unlink() for path in list((site / "others").iterdir())[:15]], "evidence_too_thin"),
        (lambda site: clips(site / "others", "target", 30), "evidence_overlaps"),
        (
            lambda site: (site / "others/other_00.wav").write_bytes((site / "target/target_00.wav").read_bytes()),
            "evidence_overlaps",
        ),
        (lambda site: (site / "rules.yaml").write_text("audio: {"), "policy_invalid"),
        (lambda site: (site / "rules.yaml").write_text("audio:\n  max_offset: true\n"), "policy_invalid"),
    ],
)
def test_evidence_that_says_too_little_is_refused_and_nothing_is_written(site: Path, spoil, cause: str) -> None:
    spoil(site)
    before = (site / "rules.yaml").read_bytes()
    found = run(site, *evidence(site))
    assert found.exit_code == 2
    assert f"[{cause}]" in found.stderr, found.stderr
    assert (site / "rules.yaml").read_bytes() == before


def evaluations(site: Path, opinions: Sequence[float]) -> list[Path]:
    """Documents of runs that differ in how natural they sound."""
    plan = evaluate.Plan(
        items=[
            judging.Item(id=f"target_{index}", path=site / f"target/target_{index:02d}.wav", prompt=TEXT)
            for index in range(3)
        ],
        reference={f"target_{index:02d}": site / f"target/target_{index:02d}.wav" for index in range(24)},
    )
    made = evaluate.evaluate(plan)
    return [write(site / f"run_{index}.json", made, index, opinion) for index, opinion in enumerate(opinions)]


def write(path: Path, made: Evaluation, seed: int, opinion: float) -> Path:
    rows = tuple(
        replace(row, overall=opinion, audio_sha256=hashlib.sha256(f"{seed} {row.id}".encode()).hexdigest())
        for row in made.rows
    )
    generated = evaluation.fingerprint({row.id: row.audio_sha256 for row in rows})
    path.write_bytes(evaluation.dumps(replace(made, rows=rows, generated=generated, summary=evaluate.summarise(rows))))
    return path


def test_repeated_runs_set_the_least_difference(site: Path) -> None:
    paths = evaluations(site, (2.5, 2.55, 2.6))
    found = run(site, "--runs", *paths)
    assert found.exit_code == 0, found.output
    policy = load(site / "rules.yaml")
    scores = [
        scorecard.score(scorecard.clips(one), one.similarity_metric, policy).score
        for one in map(evaluation.load, paths)
    ]
    assert policy.scorecard.min_difference == spread.measure([scores], confidence=0.95).least_difference
    assert policy.scorecard.provenance["runs"] == 3
    assert policy.scorecard.provenance["highest_score"] == round(max(scores), 3)
    assert [key for key, value in policy.changed().items() if value != load().values()[key]] == [
        "scorecard.min_difference",
        "scorecard.provenance",
    ]


def test_recipes_of_their_own_means_pool_their_spread(site: Path) -> None:
    paths = evaluations(site, (2.5, 2.55, 2.6, 2.9, 2.95, 2.97))
    for name, chosen in (("short", paths[:3]), ("long", paths[3:])):
        (site / name).mkdir()
        for path in chosen:
            path.rename(site / name / path.name)
    found = run(site, "--recipe", site / "short", "--recipe", site / "long")
    assert found.exit_code == 0, found.output
    policy = load(site / "rules.yaml")
    read = [[evaluation.load(path) for path in sorted((site / name).iterdir())] for name in ("short", "long")]
    groups = [
        [scorecard.score(scorecard.clips(one), one.similarity_metric, policy).score for one in recipe]
        for recipe in read
    ]
    assert policy.scorecard.min_difference == spread.measure(groups, confidence=0.95).least_difference
    assert policy.scorecard.min_difference < spread.measure(groups[:1], confidence=0.95).least_difference
    assert (policy.scorecard.provenance["runs"], policy.scorecard.provenance["recipes"]) == (6, 2)


def test_a_recipe_without_an_evaluation_is_named(site: Path) -> None:
    (site / "empty").mkdir()
    found = run(site, "--recipe", site / "empty")
    assert found.exit_code == 2 and "empty has no EVAL.json" in found.output


def test_runs_are_scored_with_the_thresholds_of_the_same_command(site: Path) -> None:
    paths = evaluations(site, (2.5, 2.55, 2.6))
    assert run(site, *evidence(site), "--runs", *paths).exit_code == 0
    policy = load(site / "rules.yaml")
    scores = [
        scorecard.score(scorecard.clips(one), one.similarity_metric, policy).score
        for one in map(evaluation.load, paths)
    ]
    assert policy.scorecard.min_difference == spread.measure([scores], confidence=0.95).least_difference


def test_the_order_of_the_runs_does_not_matter(site: Path) -> None:
    paths = evaluations(site, (2.5, 2.55, 2.6))
    assert run(site, "--runs", *paths).exit_code == 0
    once = (site / "rules.yaml").read_bytes()
    assert run(site, "--runs", *reversed(paths)).exit_code == 0
    assert (site / "rules.yaml").read_bytes() == once


def test_runs_that_are_no_evidence_are_refused(site: Path) -> None:
    one, two, three = evaluations(site, (2.5, 2.55, 2.6))
    assert "[evidence_too_thin]" in run(site, "--runs", one, two).stderr
    assert "[evidence_overlaps]" in run(site, "--runs", one, two, one).stderr
    other = evaluation.load(three)
    three.write_bytes(evaluation.dumps(replace(other, pins={**other.pins, "recogniser": "0" * 64})))
    assert "[pins_differ]" in run(site, "--runs", one, two, three).stderr
    three.write_text("{}")
    assert "[evaluation_invalid]" in run(site, "--runs", one, two, three).stderr
    assert (site / "rules.yaml").read_bytes() == THRESHOLDS.read_bytes()


@pytest.mark.parametrize("arguments", [(), ("--reference", "target"), ("--impostors", "others")])
def test_half_of_the_evidence_is_a_usage_error(
    site: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site)
    assert run(site, *arguments).exit_code == 2


def test_a_missing_policy_file_is_made(site: Path) -> None:
    (site / "rules.yaml").unlink()
    assert run(site, *evidence(site)).exit_code == 0
    changed = load(site / "rules.yaml").changed()
    assert {key.partition(".")[0] for key in changed} <= {"speaker_similarity", "speech_realism", "intelligibility"}
    assert changed["speaker_similarity.pass"] != Policy().speaker_similarity.pass_


def test_a_policy_file_that_cannot_be_written_is_said_before_measuring(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "judge", lambda _: pytest.fail("something was measured"))
    found = run(site, *evidence(site), "--policy", site / ("x" * 245 + ".yaml"))
    assert found.exit_code == 2 and "[output_not_writable]" in found.stderr and "choose another place" in found.stderr


@pytest.mark.parametrize(("seconds", "silent_s"), [(3, 3), (3, 2.5)])
def test_a_clip_in_which_nothing_is_heard_is_named(
    site: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, silent_s: float
) -> None:
    monkeypatch.setattr(judging, "judge", lambda task: replace(fake(task), **({} if heard(task) else {"vector": None})))
    wave = np.zeros(seconds * RATE)
    wave[round(silent_s * RATE) :] = 0.1
    soundfile.write(site / "others" / "other_07.wav", wave, RATE)
    found = run(site, *evidence(site), "--clip-seconds", 1.6)
    assert found.exit_code == 2 and "other_07" in found.output and "[no_usable_speech]" in found.output


def heard(task: Task) -> bool:
    return bool(judging.read(task.item.path).mono.any())
