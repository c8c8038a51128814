"""The loop of a pretraining: it saves by the clock, tells how it goes, and has an average of the weights ready at any time."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.pretraining.team import Team
from trainer.training.loop import Hooks, Loop
from trainer.voice import shipped_files

_REPORT_EVERY = 50
LAG = (1, 20)
"""Of the running average (`Pace.lag`): it starts from weights that know nothing."""


@dataclass(kw_only=True)  # without slots: a class cannot have two bases with slots
class Pretraining(Loop):
    """One pretraining; `run` goes from wherever its state is to the last step."""

    kept: ClassVar[tuple[str, ...]] = ("step", "seconds")
    names: ClassVar[tuple[str, str]]
    """File names of the state and of the averaged weights."""
    form: ClassVar[str]
    """What the averaged weights call themselves."""

    config: Any
    save_minutes: float = 4.0
    folder: Path
    """Where the state and the averaged weights are written."""
    training: Sequence[Any] = ()
    log: Callable[[str], None] = print
    team: Team = field(default_factory=Team)
    seconds: float = 0.0
    """Wall time of training so far, over all runs."""
    sums: dict[str, float] = field(default_factory=dict)
    """Losses by name since the last report."""
    _saved: float = 0.0
    _reported: float = 0.0

    @abstractmethod
    def tell_held_out(self) -> None:
        """Tell the held-out losses of the averaged weights."""

    @property
    def evaluation_due(self) -> bool:
        """Every few steps; `run` has the last one."""
        return self.step % self.pace.evaluate_every == 0

    def evaluate(self) -> None:
        """Tell them."""
        self.tell_held_out()

    @property
    def save_due(self) -> bool:
        """Every few minutes."""
        return time.monotonic() - self._saved > 60.0 * self.save_minutes

    def run(self, stop_requested: Callable[[], bool] = lambda: False) -> None:
        """Train to the last step, saving every few minutes and at the end or when asked to stop."""
        self.restore_saved()
        self.prepare()
        self._saved = self._reported = time.monotonic()
        self.hooks = Hooks(
            on_step=lambda step, loss: self._report(),
            save_state=lambda state: self.save(),
            stop_requested=lambda: self.team.anyone(stop_requested()),
        )
        self.train()
        self.save()
        self.tell_held_out()

    def prepare(self) -> None:
        """Come from the saved state to the first step; most have nothing to do."""
        return

    def advance(self) -> float:
        """One update, timed."""
        started = time.monotonic()
        loss = Loop.advance(self)
        self.seconds += time.monotonic() - started
        return loss

    def count(self, losses: Mapping[str, float]) -> None:
        """Count losses for the next report."""
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def save(self) -> None:
        """Write the state and the averaged weights, each atomically; only the leader of a team does."""
        self._saved = time.monotonic()
        if self.team.leads:
            checkpoint.save(self.folder / self.names[0], self.state())
            checkpoint.save(self.folder / self.names[1], self.document())

    def state(self) -> dict[str, Any]:
        """Also the model's sizes."""
        return {**Loop.state(self), "config": self.config.as_dict()}

    def document(self) -> dict[str, Any]:
        """The averaged weights in half precision, as `trainer.voice.base` ships them."""
        return {
            "format": self.form,
            "version": shipped_files.VERSION,
            "config": self.config.as_dict(),
            "model": {name: value.half() for name, value in self.average.state_dict().items()},
            "training": {
                "steps": self.step,
                "minutes": round(self.seconds / 60.0, 1),
                "utterances": len(self.training),
            },
        }

    def restore_saved(self) -> None:
        """Continue from the saved state where there is one; raises CheckpointError where it does not fit."""
        try:
            state = checkpoint.read_container(self.folder / self.names[0])
        except CheckpointError as error:
            if error.cause == "missing":
                return
            raise
        if state["config"] != self.config.as_dict():
            raise CheckpointError(
                f"{self.names[0]} is the state of a model of other sizes; move it away", cause="wrong_format"
            )
        self.restore(state)
        self.log(f"continuing at step {self.step}")

    def _report(self) -> None:
        if self.step % _REPORT_EVERY:
            return
        rate = _REPORT_EVERY / (time.monotonic() - self._reported)
        self._reported = time.monotonic()
        line = " ".join(f"{name} {value / _REPORT_EVERY:.4f}" for name, value in self.sums.items())
        self.sums.clear()
        self.recent.clear()
        self.log(f"{time.strftime('%H:%M:%S')} step {self.step} ({rate:.2f}/s) {line}")
