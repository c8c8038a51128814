"""Small networks learn on one thread: beside busy neighbours, two wait for each other longer than they compute."""

from __future__ import annotations

import pytest

from trainer.training import determinism


@pytest.fixture
def one_thread(fixed_threads: None) -> None:
    determinism.fix(1)
