"""The words and numbers that both pages of a batch say: what was counted, why takes were not approved, what the batch was made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acceptance.costs import money
from acceptance.production.batch_content import BatchContent, Counts

_KINDS = {
    "similarity": ("not enough like the speaker", "production.min_similarity"),
    "realism": ("does not sound real enough", "production.min_realism"),
    "words": ("other words were heard", "production.reject_wer"),
    "faults": ("faults in the signal", "production.max_faults"),
    "grade": ("the grade is too low", "production.min_grade"),
    "better_take": ("a better take of the prompt exists", "a better take exists"),
    "too_short": ("too short to judge", "production.min_judged_s"),
    "few_words": ("too few words to judge by", "production.min_judged_words"),
    "recogniser_unsure": ("the recogniser is unsure of the words", "production.max_wer"),
}
"""What a kind of reason means, and words that stand in its sentence and in no other kind's."""
_SECTION = "production."
_STAGES = ("load", "speak", "signal", "similarity", "realism", "intelligibility")
_MEANS = (("score", "Score", 1), ("similarity", "Similarity", 3), ("overall", "Realism", 2), ("wer", "Word error rate", 3),
          ("seconds", "Seconds", 2))  # fmt: skip

Fact = tuple[str, str]
"""A name and its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedReason:
    """How many takes have a reason of one kind; `words` find them in the table, `limit` is what they did not keep to."""

    meaning: str
    count: int
    words: str
    limit: str


def headline(counts: Counts) -> str:
    """The outcome in one line."""
    if counts.prompts_approved == counts.prompts:
        return (
            f"All {counts.prompts} prompts have an approved take"
            if counts.prompts > 1
            else "The prompt has an approved take"
        )
    return f"{counts.prompts_approved} of {counts.prompts} prompts have an approved take"


def next_step(counts: Counts) -> str:
    """What to do with the batch."""
    if counts.prompts_approved == counts.prompts:
        return "Listen to some of them, then deliver the folder approved; metadata.csv in it says what each clip says."
    return (
        "Listen to the takes of the prompts without an approved one. Write those prompts in other words, or ask for more takes of them: "
        "voice produce --takes."
    )


def reasons(content: BatchContent) -> list[CountedReason]:
    """Why takes are not approved, the most frequent reason first."""
    found = []
    for kind, count in sorted(content.summary.reasons.items(), key=lambda each: (-each[1], each[0])):
        meaning, words = _KINDS.get(kind, (f"not judged: {kind.replace('_', ' ')}", f"[{kind}]"))
        value = content.policy.get(words.removeprefix(_SECTION))
        limit = words if value is None else f"{words} = {_plain(value)}"
        found.append(CountedReason(meaning=meaning, count=count, words=words, limit=limit))
    return found


def means(content: BatchContent) -> list[Fact]:
    """Means of the approved takes; nothing if there is none."""
    found = content.summary.means or {}
    return [(title, f"{found[name]:.{digits}f}") for name, title, digits in _MEANS if name in found]


def settings(content: BatchContent) -> list[Fact]:
    """What decides every byte of the batch."""
    plan = content.plan
    how = plan.delivery
    last = plan.seed + plan.takes - 1
    seeds = f"seed {plan.seed}" if plan.takes == 1 else f"seeds {plan.seed} to {last}"
    found: list[tuple[str, object]] = [
        ("Plan SHA-256", plan.sha256),
        ("Voice (checkpoint) SHA-256", plan.checkpoint_sha256),
        ("Certified by run", plan.certified_run),
        ("Dataset manifest SHA-256", plan.manifest_sha256),
        ("Policy SHA-256 (what judges clips)", plan.policy_sha256),
        ("Prompts", f"{plan.prompts.count} (SHA-256 {plan.prompts.sha256})"),
        ("Takes of each prompt", f"{plan.takes} ({seeds})" + (", only the best is approved" if plan.best_of else "")),
        ("Rate", f"{how.rate:g}"),
        ("Pitch", f"{how.pitch:+g} semitones" if how.pitch else "0 semitones"),
        ("Pauses", f"{how.pause:g}"),
        ("Liveliness", f"{how.liveliness:g}"),
        ("Sample rate", f"{how.sample_rate} Hz"),
        ("Compared with", f"{plan.reference.clips} real clips ({plan.reference.metric})"),
        ("Shards", plan.shards),
        ("Project version", plan.project_version),
    ]
    return [(name, str(value)) for name, value in found if value is not None]


def limits(content: BatchContent) -> list[Fact]:
    """The policy's numbers under which the takes were sorted."""
    return [
        (f"{_SECTION}{name}", _plain(value))
        for name, value in sorted(content.policy.items())
        if not isinstance(value, Mapping)
    ]


def pins(content: BatchContent) -> list[Fact]:
    """The instruments that the scores depend on."""
    return sorted(content.plan.pins.items())


def times(content: BatchContent) -> list[Fact]:
    """What the batch took; it differs from run to run. Nothing where nobody measured."""
    timing = content.timing
    found = [
        _number(timing, "wall_s", "Time", "{:.1f} s"),
        _number(timing, "audio_s", "Speech made", "{:.1f} s"),
        _number(timing, "clips_per_minute", "Throughput", "{:.1f} clips a minute"),
        _number(timing, "real_time_factor", "Real-time factor", "{:.2f} seconds for each second of speech"),
        *_stages(timing),
    ]
    engines = timing.get("engines")
    if isinstance(engines, Sequence) and engines:
        found.insert(0, ("Engine", ", ".join(map(str, engines))))
    return [fact for fact in (*found, *cost(content.cost)) if fact is not None]


def _stages(timing: Mapping[str, Any]) -> list[Fact | None]:
    """CPU-seconds for each take, stage by stage."""
    stages, takes = timing.get("cpu_s"), timing.get("takes")
    if not isinstance(stages, Mapping) or not isinstance(takes, int) or not takes:
        return []
    stages = {name: value for name, value in stages.items() if isinstance(value, int | float)}
    names = [*(name for name in _STAGES if name in stages), *sorted(stages.keys() - set(_STAGES))]
    return [("CPU-seconds a take", ", ".join(f"{name} {stages[name] / takes:.3f}" for name in names))]


def cost(found: Mapping[str, Any] | None) -> list[Fact]:
    """The cost of a batch in millionths of the currency (`timing.json`), in words; nothing where it is not known."""
    if not found or not isinstance(found.get("total"), int):
        return []
    currency = str(found.get("currency", ""))
    said = money.text(found["total"], currency)
    if isinstance(rate := found.get("rate_per_hour"), int):
        said += f": the time of this machine at {money.text(rate, currency, decimals=2)} an hour (policy, section cost)"
    each = found.get("per_approved_utterance")
    return [
        ("Cost", said),
        *([("Cost of an approved take", money.text(each, currency, decimals=6))] if isinstance(each, int) else []),
    ]


def _number(timing: Mapping[str, Any], name: str, title: str, form: str) -> Fact | None:
    value = timing.get(name)
    return (title, form.format(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _plain(value: Any) -> str:
    return (
        ("yes" if value else "no")
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
