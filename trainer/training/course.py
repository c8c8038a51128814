"""How a training goes, as its listener hears it: steps, stages, evaluations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.training.session import Listener

Row = Sequence[float | int | None]
"""[step, training loss, held-out loss]."""


@dataclass(slots=True, kw_only=True)
class Course:
    """What a running adaptation tells, and what is known of its learning so far."""

    listener: Listener
    criterion: str
    """Whose losses the history's rows are: those by which it is trained, not the proof's."""
    stage_of: Callable[[int], str]
    """Whose loss a step has."""
    history: Callable[[], Sequence[Row]]
    last_loss: float = float("nan")
    stage: str = ""

    def step(self, step: int, loss: float) -> None:
        """One step; a stage that begins is told, because its loss is another."""
        stage = self.stage_of(step)
        if stage != self.stage:
            self.stage = stage
            self.listener.note(f"stage: {stage} from step {step}")
        self.last_loss = loss
        self.listener.step(step, loss, stage)

    def evaluated(self) -> None:
        """The history has a new row."""
        self.listener.evaluated(self.learning())

    def failed(self, counts: Mapping[str, Any]) -> None:
        """Training ends with a number that is not finite."""
        self.listener.failed({**self.learning(), **counts})

    def learning(self) -> dict[str, Any]:
        """The `learning` block as far as it is known: the proof's losses come at the end."""
        return {
            "criterion": self.criterion,
            "history": [list(row) for row in self.history()],
            "nonfinite_losses": 0,
            "nonfinite_gradients": 0,
        }
