"""Whether a voice's grade crossed the least one for a promotion, and what people should read about it: a title and a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from acceptance.policy import Policy
from acceptance.scorecards import objections, scorecard, tables
from acceptance.scorecards.runs import Run, Runs

MOST_CHARACTERS = 60_000
"""Of a body: GitHub takes 65,536."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A run whose grade is on the other side of the threshold than that of the run before it."""

    before: Run | None
    """None for the first run of a voice."""
    after: Run
    grade_before: str | None
    grade: str
    least: str
    """The policy's `scorecard.promotion_minimum_grade`."""

    @property
    def upwards(self) -> bool:
        """Whether it may be promoted now as far as its grade goes."""
        return not scorecard.is_below(self.grade, self.least)

    def title(self) -> str:
        """One line, the same for the same runs and policy."""
        was = f" (was {self.grade_before})" if self.grade_before else ""
        verb = "reaches" if self.upwards else "falls to"
        return f"{self.after.run_id} {verb} grade {self.grade}{was}; a promotion needs {self.least}"

    def body(self, comparison: str) -> str:
        """Markdown: what happened, the next step, the comparison."""
        if self.upwards:
            next_step = f"Listen to it, then put it into use: `voice promote {self.after.run_id}`"
        else:
            next_step = "Find what changed, and keep the earlier version in use: `voice versions`"
        text = "\n\n".join((f"{self.title()} (`scorecard.promotion_minimum_grade`).", next_step, comparison))
        cut = "\n\n(cut here)"
        return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - len(cut)] + cut

    def scorecard(self, policy: Policy) -> str:
        """Markdown of the run alone, where there is no comparison."""
        card = scorecard.score(self.after.rows, self.after.similarity_metric, policy)
        refusals = objections.refusals(card, self.after, policy)
        return tables.run_markdown(self.after, refusals, (), policy, worst=10)


def find(history: Runs, policy: Policy, *, name: str | None = None, against: str | None = None) -> Crossing | None:
    """The crossing of a run, by default the newest, against the one before it of the same speaker's clips; None if there is none.

    Both are graded by today's policy. Raises HarnessError as `Runs.find`.
    """
    known = list(history.newest().values())
    after = known[-1] if known and name is None else history.find(name or "")
    before = history.find(against) if against is not None else _before(known, after)
    least = policy.scorecard.promotion_minimum_grade
    grades = [
        None if one is None else scorecard.score(one.rows, one.similarity_metric, policy).grade
        for one in (before, after)
    ]
    was_below = grades[0] is None or scorecard.is_below(grades[0], least)
    grade = str(grades[1])
    if was_below is scorecard.is_below(grade, least):
        return None
    return Crossing(before=before, after=after, grade_before=grades[0], grade=grade, least=least)


def _before(known: list[Run], after: Run) -> Run | None:
    """The newest run before this one that was measured on the same speaker's clips."""
    earlier = known[: [one.run_id for one in known].index(after.run_id)]
    same = [one for one in earlier if one.pins.get("reference") == after.pins.get("reference")]
    return same[-1] if same else None
