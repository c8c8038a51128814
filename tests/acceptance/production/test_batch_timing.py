"""The cost of a batch is told where it is known: the time of this machine alone, at the policy's price of an hour."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.policy import Policy
from acceptance.production import batch_timing
from tests.acceptance.production import batch_folders
from trainer.production import layout, plan

PRICES = replace(Policy().cost, currency="EUR", rate_per_hour=3.6, rates={})


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    batch_folders.make(tmp_path, 2)
    return tmp_path


def written(batch: Path, *engines: str, approved: int = 4) -> dict[str, object] | None:
    path = batch / layout.TIMING
    path.write_text(json.dumps({"schema": batch_timing.SCHEMA, "wall_s": 100.0, "engines": engines}))
    found = plan.loads((batch / layout.PLAN).read_bytes())
    return batch_timing.write(batch, found, PRICES, approved=approved)["cost"]


def test_the_time_of_this_machine_has_its_price(batch):
    cost = {"currency": "EUR", "rate_per_hour": 3_600_000, "total": 100_000, "per_approved_utterance": 25_000}
    assert written(batch, "local, 2 processes") == cost


def test_without_an_approved_take_none_has_a_cost(batch):
    cost = written(batch, "local, 1 process", approved=0)
    assert cost is not None
    assert cost["per_approved_utterance"] is None


@pytest.mark.parametrize("engines", [(), ("ray",), ("local, 1 process", "ray")])
def test_what_other_machines_cost_is_not_known(batch, engines):
    assert written(batch, *engines) is None
