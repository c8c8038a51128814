"""Fixtures of phase 7: a production with the voice that this session has just certified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from acceptance.session.run_session import RunSession

if TYPE_CHECKING:
    from acceptance.production.batch import Request
    from acceptance.production.engines.base import Engine
    from acceptance.production.voice_source import VoiceSource

BATCHES = "artifacts/production"
"""In the workspace; each run's batch has the run's name."""
_LINES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionBatch:
    """The batch of this run: what is asked for, with which voice, and what speaks it."""

    request: Request
    voice: Callable[[], VoiceSource]
    """Looked up when it is asked for, so that a file which changed is a failure of that step."""
    engine: Callable[[int], Engine]
    """So many processes of this machine."""
    tell: Callable[[str], None]

    def on_take(self, total: int) -> Callable[[], None]:
        """What is called after each of `total` takes: a line for every tenth."""
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            if done * _LINES // total > (done - 1) * _LINES // total:
                self.tell(f"  production: {done}/{total} clips")

        return step


@pytest.fixture(scope="session")
def batch(request: pytest.FixtureRequest, run: RunSession) -> Iterator[SessionBatch]:
    """The batch of this run, held until the session ends."""
    # What a production needs is imported where one is asked for.
    from acceptance.production import batch as batches
    from acceptance.production import batch_folder, cores, voice_source
    from acceptance.production.engines.local import Local
    from acceptance.production.planning import Wanted

    given = request.config.option.production
    asked = batches.Request(
        batch=run.workspace / BATCHES / run.record.run_id,
        policy=run.policy,
        workspace=run.workspace,
        prompts=request.config.invocation_params.dir / given if given else None,
        wanted=Wanted(takes=run.policy.production.takes),
        processes=cores.usable(),
        fewer=True,
    )
    with batch_folder.held(asked.batch):
        yield SessionBatch(
            request=asked,
            voice=lambda: voice_source.of_record(run.workspace, run.workspace / run.settings.checkpoint, run.record),
            engine=lambda processes: Local(processes=processes),
            tell=run.screen.line,
        )
