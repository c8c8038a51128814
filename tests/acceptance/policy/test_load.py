"""The file as a whole: missing, corrupted, extended, hostile; and what the values must be to each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.policy import THRESHOLDS, Policy, PolicyError, load, schema
from tests.acceptance.policy.samples import KEYS, others, yaml
from trainer.preparation.prepare_settings import PrepareSettings

BOMB = "a: &a [x]\nb: [*a, *a]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.yaml"


def refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(PolicyError) as caught:
        load(path, overrides)
    return str(caught.value)


def test_the_delivered_file_states_every_key_and_has_no_notice() -> None:
    found = load()
    assert found.notices == ()
    assert [key for key in KEYS if found.origin(key) == "built-in default"] == []
    assert THRESHOLDS == PROJECT_ROOT / "acceptance/thresholds.yaml"


def test_a_missing_file_gives_the_defaults_and_says_so(file: Path) -> None:
    found = load(file)
    assert found.values() == Policy().values()
    assert found.notices == ("rules.yaml does not exist: the built-in defaults are in force",)


def test_the_command_line_counts_without_a_file(file: Path) -> None:
    assert load(file, ["learning.min_improvement=0.1"]).learning.min_improvement == 0.1


def test_all_keys_together_win_over_the_defaults(file: Path) -> None:
    values = {key: others(key)[0] for key in KEYS}
    file.write_text(yaml(values))
    assert load(file).values() == values


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "rules.yaml:1: there is nothing in it"),
        (b"# only a comment\n\n", "there is nothing in it"),
        (b"---\n", "rules.yaml:2: not a mapping"),
        (b"- audio\n", "rules.yaml:1: not a mapping"),
        (b"audio\n", "rules.yaml:1: not a mapping"),
        (b"\n\nschema: threshold_policy/2\n", "rules.yaml:3: schema: 'threshold_policy/2'; this program reads threshold_policy/1"),
        (b"audio: {}\nschema: [1]\n", "rules.yaml:2: schema: "),
        (b"audoi:\n  max_offset: 0.1\n", "rules.yaml:1: audoi: unknown; did you mean audio?"),
        (b"audio:\n  max_ofset: 0.1\n", "rules.yaml:2: audio.max_ofset: unknown; did you mean max_offset?"),
        (b"audio:\n  max_offset: 0.1\n max_silence: 0.5\n", "rules.yaml:3: not YAML: "),
        (b"audio: {max_offset: 0.1\n", "not YAML: "),
        (b"audio:\n\tmax_offset: 0.1\n", "rules.yaml:2: not YAML: "),
        (b"audio:\n  max_offset: 0.1\x00\n", "not YAML: "),
        (b"audio:\n  max_offset: 0.1 # \xff\n", "rules.yaml:2: byte 0xff is not UTF-8"),
        ("audio: {}\n".encode("utf-16"), "is not UTF-8"),
        (b"# " + b"x" * 70_000, "rules.yaml: larger than 65536 bytes"),
        (b"audio: {}\n---\naudio: {}\n", "rules.yaml:2: a second document begins"),
        (b"%YAML 1.1\n---\naudio: {}\n", "%YAML 1.1; policies are YAML 1.2"),
        (BOMB.encode(), "rules.yaml:1: a: anchors and aliases"),
        (b"audio: *other\n", "rules.yaml:1: audio: anchors and aliases"),
        (b"audio:\n  <<: {max_offset: 0.1}\n", "rules.yaml:2: audio.<<: unknown"),
        (b"audio:\n  max_offset: !!float 0.1\n", "rules.yaml:2: audio.max_offset: tags"),
        (b"audio: !!python/object/apply:os.system [date]\n", "rules.yaml:1: audio: tags"),
        (b"? [audio]\n: 1\n", "a key is not a plain name"),
        (b"audio: " + b"[" * 20_000, "nested deeper"),
        (b"audio: " + b"{a: " * 5_000, "nested deeper"),
        (b"audio:\n  max_offset: " + b"1" * 5000 + b"\n", "rules.yaml:2: audio.max_offset: a number of 5000 digits"),
        (b"audio:\n  max_offset: yes\n", "rules.yaml:2: audio.max_offset: 'yes' should be a valid number"),
        (b"audio:\n  max_offset: 0.1dB\n", "rules.yaml:2: audio.max_offset: '0.1dB' should be"),
        (b"freshness:\n- path: a\n  max_age_days: 1\n  reason: r\n- path: b\n  max_age_days: 0\n  reason: r\n",
         "rules.yaml:6: freshness.1.max_age_days: 0 should be"),
        (b"freshness:\n- {path: a, max_age_days: 1}\n", "rules.yaml:2: freshness.0.reason: missing"),
        (b"freshness:\n- {path: a, max_age_days: 1, reason: r, since: 3}\n", "rules.yaml:2: freshness.0.since: unknown"),
        (b"freshness:\n- {path: /etc/passwd, max_age_days: 1, reason: r}\n", "freshness.0.path: '/etc/passwd' is not relative to the root"),
        (b"freshness:\n- {path: a/../../x, max_age_days: 1, reason: r}\n", "rules.yaml:2: freshness.0.path: 'a/../../x' holds '..'"),
        (b"freshness:\n- {path: 'docs/*.md', max_age_days: 1, reason: r}\n", "freshness.0.path: 'docs/*.md' holds one of * ? [, but names one file"),
        (b"freshness:\n- {path: 'a[b].md', max_age_days: 1, reason: r}\n", "freshness.0.path: 'a[b].md' holds one of * ? ["),
        (b"freshness:\n- {path: ':(top)a', max_age_days: 1, reason: r}\n", "freshness.0.path: ':(top)a' is no possible name on Windows"),
    ],
)  # fmt: skip
def test_a_corrupted_file_is_an_error_and_never_the_defaults(content: bytes, message: str, file: Path) -> None:
    file.write_bytes(content)
    assert message in refusal(file)


@pytest.mark.parametrize(
    ("overrides", "place", "message"),
    [
        (["scorecard.weights.signal=0.2"], "--threshold: scorecard.weights.signal", "sum to 1.1, not to 1"),
        (["scorecard.grades.B=90"], "--threshold: scorecard.grades.B", "A begins at 85, B at 90"),
        (
            ["speaker_similarity.warn=0.7"],
            "--threshold: speaker_similarity.warn",
            "warn (0.7) is not above pass (0.75)",
        ),
        (["intelligibility.warn=0.4"], "--threshold: intelligibility.warn", "warn (0.4) is not below pass (0.3)"),
        (["speech_realism.floor=3.5"], "--threshold: speech_realism.floor", "ceiling (3.3) is not above floor (3.5)"),
        (["intelligibility.ceiling=2"], "--threshold: intelligibility.ceiling", "ceiling (2) is not below floor (1)"),
        (
            ["speaker_similarity.floor=0.78"],
            "--threshold: speaker_similarity.floor",
            "pass (0.75) is not above floor (0.78)",
        ),
        (
            ["speaker_similarity.ceiling=0.78"],
            "--threshold: speaker_similarity.ceiling",
            "ceiling (0.78) is not above warn (0.8)",
        ),
        (["audio.min_loudness_lufs=-5"], "--threshold: audio.min_loudness_lufs", "not below max_loudness_lufs"),
        (
            ["audio.max_seconds_per_word=0.1"],
            "--threshold: audio.max_seconds_per_word",
            "not below max_seconds_per_word",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused_at_the_one_that_was_written(
    overrides: list[str], place: str, message: str, file: Path
) -> None:
    problem = refusal(file, *overrides)
    assert problem.startswith(place)
    assert message in problem


def test_a_contradiction_in_the_file_names_the_line(file: Path) -> None:
    file.write_text("speaker_similarity:\n  pass: 0.9\n")
    assert refusal(file).startswith("rules.yaml:2: speaker_similarity.pass: ")


@pytest.mark.parametrize(
    "text", ["", "learning", "=1", "learning=1", "learning.=1", ".min_improvement=1", "scorecard.grades={A: 1}"]
)
def test_an_override_that_names_no_key_is_refused(text: str, file: Path) -> None:
    assert refusal(file, text).startswith("--threshold")


@pytest.mark.parametrize(
    "text", ["audio.max_offset=[", "audio.max_offset=0.1\n---\n2", "audio.max_offset=&a 1", "audio.max_offset=0.1: 2"]
)
def test_a_malformed_override_is_refused(text: str, file: Path) -> None:
    assert refusal(file, text).startswith("--threshold audio.max_offset: ")


def test_one_name_of_a_mapping_can_be_overridden(file: Path) -> None:
    found = load(file, ["context_budget.max_file_lines..py=300"])
    assert found.context_budget.max_file_lines == {".py": 300, ".md": 500, ".sh": 350}
    assert found.origin("context_budget.max_file_lines") == "command line"


def test_a_mapping_of_own_names_is_replaced_as_a_whole_by_a_file(file: Path) -> None:
    file.write_text("context_budget:\n  max_file_lines: {.toml: 100}\n")
    assert load(file).context_budget.max_file_lines == {".toml": 100}


def test_grades_and_weights_are_merged_name_by_name(file: Path) -> None:
    file.write_text("scorecard:\n  grades:\n    A: 90\n")
    found = load(file)
    assert found.scorecard.grades == {"A": 90.0, "B": 75.0, "C": 65.0, "D": 50.0}
    assert found.origin("scorecard.grades.A") == "rules.yaml:3"
    assert found.origin("scorecard.grades.B") == "built-in default"


def test_a_file_may_be_reached_through_a_link_and_a_dangling_one_is_not_a_missing_file(file: Path) -> None:
    file.write_text("cost:\n  currency: EUR\n")
    link = file.with_name("link.yaml")
    link.symlink_to(file)
    assert load(link).cost.currency == "EUR"
    file.unlink()
    assert "link.yaml" in refusal(link)


def test_a_byte_order_mark_and_windows_line_ends_are_harmless(file: Path) -> None:
    file.write_bytes("\ufeffaudio:\r\n  max_offset: 0.02\r\n".encode())
    assert load(file).origin("audio.max_offset") == "rules.yaml:2"


def test_a_file_name_cannot_forge_a_line_of_output(file: Path) -> None:
    path = file.with_name("rules.yaml\nobjective_status: success")
    assert load(path).notices[0].isprintable()
    path.write_text("audio: {")
    assert refusal(path).isprintable()


def test_a_path_without_a_name_is_named_all_the_same(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert refusal(Path()).startswith(".: ")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "fifo"])
def test_what_is_no_regular_file_is_refused_without_waiting(make, file: Path) -> None:
    make(file)
    assert "not a regular file" in refusal(file)


def test_the_hash_is_the_same_in_another_process_with_another_order_of_keys(file: Path) -> None:
    file.write_text("learning: {min_control_gap: 0.07, min_improvement: 0.06}\ncost: {rate_per_hour: 3}\n")
    here = load(file).sha256
    file.write_text("cost:\n  rate_per_hour: 3.0\nlearning:\n  min_improvement: 0.060\n  min_control_gap: 7e-2\n")
    program = "import sys; from pathlib import Path; from acceptance import policy; print(policy.load(Path(sys.argv[1])).sha256)"
    found = subprocess.run(
        [sys.executable, "-c", program, file],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
    )
    assert found.stdout.strip() == here


def test_the_defaults_are_those_of_the_trainer() -> None:
    from trainer.evaluation.faults import SignalLimits

    assert Policy().audio.signal_limits() == SignalLimits()
    told = Policy().audio.preparation()
    assert told == {name: getattr(PrepareSettings(), name) for name in told}


def test_an_unknown_key_has_no_origin() -> None:
    with pytest.raises(KeyError):
        Policy().origin("audio.no_such")


@pytest.mark.parametrize(
    ("section", "value", "share", "verdict"),
    [
        ("speaker_similarity", 0.46, 0.0, "fail"),
        ("speaker_similarity", 0.75, 0.29 / 0.41, "warn"),
        ("speaker_similarity", 0.80, 0.34 / 0.41, "pass"),
        ("speaker_similarity", 0.95, 1.0, "pass"),
        ("intelligibility", 1.4, 0.0, "fail"),
        ("intelligibility", 0.30, 0.7 / 0.95, "warn"),
        ("intelligibility", 0.20, 0.8 / 0.95, "pass"),
        ("intelligibility", 0.0, 1.0, "pass"),
    ],
)
def test_a_value_becomes_a_share_and_a_verdict_in_both_directions(
    section: str, value: float, share: float, verdict: str
) -> None:
    metric = getattr(Policy(), section)
    assert metric.share(value) == pytest.approx(share)
    assert metric.verdict(value) == verdict


def test_a_value_that_is_no_number_fails() -> None:
    assert Policy().intelligibility.verdict(float("nan")) == "fail"


def test_the_sections_are_those_that_were_asked_for() -> None:
    asked = {
        "audio",
        "learning",
        "speaker_similarity",
        "speech_realism",
        "intelligibility",
        "scorecard",
        "context_budget",
        "freshness",
        "cost",
    }
    assert asked | {"production", "guardrails", "transcripts"} == {leaf.path[0] for leaf in schema.leaves().values()}
