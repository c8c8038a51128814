"""The plan of a batch, `production_plan/1`: everything that decides the bytes of its takes, as one canonical file.

Equal plans give equal bytes on equal processors, and a plan's sha256 stands in everything that is made after it. `write` is the last step
of making a batch: a folder without a plan has nothing that anybody may speak.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.errors import DataError, TrainerError
from trainer.evaluation.faults import SignalLimits
from trainer.files import plain_file, strict_json, typed_json
from trainer.files.atomic_file import write_atomically
from trainer.files.json_lines import Listing
from trainer.files.plain_file import PlainFileError
from trainer.production import layout, prompts, reference
from trainer.synthesis.delivery import LARGEST_SEED, Delivery

SCHEMA = "production_plan/1"
MOST_TAKES, MOST_SHARDS = 1000, 100_000

_DIGEST = re.compile("[0-9a-f]{64}")
_MAX_BYTES = 2**20
_AGAIN = "make the batch again in an empty folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDelivery:
    """How every take is spoken; its seed follows from its number."""

    rate: float
    pitch: float
    pause: float
    liveliness: float
    sample_rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedReference:
    """The speaker's real clips that takes are compared with: how many, `reference.digest` of them, and what their similarity is called."""

    clips: int
    sha256: str
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One batch."""

    project_version: str
    """As `version.version()`."""
    checkpoint_sha256: str
    manifest_sha256: str | None
    certified_run: str | None
    prompts: Listing
    left_out: Listing
    takes: int
    seed: int
    """Of the first take; the next one has the next."""
    delivery: PlannedDelivery
    reference: PlannedReference
    signal_limits: SignalLimits
    policy_sha256: str
    pins: Mapping[str, str]
    """What the scores depend on: `evaluate.pins` and the speaker encoder."""
    shards: int
    best_of: bool

    @property
    def sha256(self) -> str:
        """Of the plan's file."""
        return hashlib.sha256(dumps(self)).hexdigest()

    def delivery_of(self, take: int) -> Delivery:
        """How take 1..`takes` is spoken."""
        return Delivery(**asdict(self.delivery), seed=self.seed + take - 1)

    def prompts_of(self, index: int) -> range:
        """Which prompts, counted from 0, shard `index` has."""
        return layout.shard_range(index, self.shards, self.prompts.count)

    def takes_of(self, index: int) -> int:
        """How many takes shard `index` has."""
        return len(self.prompts_of(index)) * self.takes


def dumps(plan: Plan) -> bytes:
    """The bytes of a plan's file."""
    document = {"schema": SCHEMA, **asdict(plan)}
    for part in ("delivery", "signal_limits"):  # 1 and 1.0 are one setting
        document[part] = {
            name: value if name == "sample_rate" else float(value) for name, value in document[part].items()
        }
    return strict_json.canonical(document).encode("ascii") + b"\n"


def write(batch: Path, plan: Plan) -> str:
    """Write plan.json after its inputs and return its sha256; raises DataError(plan_invalid) and TrainingError(disk_full | output_not_writable)."""
    path = batch / layout.PLAN
    try:
        check(plan)
    except ValueError as error:
        raise DataError(
            f"{path}: {error}; correct the settings and make the batch again", cause="plan_invalid"
        ) from error
    write_atomically(path, dumps(plan))
    return plan.sha256


def read(batch: Path) -> Plan:
    """The plan of a batch, its inputs compared with their hashes; the prompts are read in constant memory.

    Raises DataError: plan_missing, plan_invalid, plan_changed naming the file, checkpoint_changed.
    """
    path = batch / layout.PLAN
    try:
        data = plain_file.read(path, limit=_MAX_BYTES)
        plan = loads(data)
    except PlainFileError as error:
        cause = "plan_missing" if error.cause in ("missing", "no_directory") else "plan_invalid"
        raise DataError(f"{path}: {error}; give a folder that voice produce made", cause=cause) from error
    except ValueError as error:
        raise DataError(f"{path}: {error}; {_AGAIN}", cause="plan_invalid") from error
    _check_inputs(batch, plan)
    return plan


def loads(data: bytes) -> Plan:
    """The plan in these bytes; raises ValueError."""
    document = strict_json.loads(data)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"schema is not {SCHEMA!r}")
    plan: Plan = typed_json.build(Plan, {name: value for name, value in document.items() if name != "schema"})
    check(plan)
    if dumps(plan) != data:
        raise ValueError("not the canonical bytes of a plan")
    return plan


def check(plan: Plan) -> None:
    """Raises ValueError for a plan that no shard could follow."""
    digests: dict[str, Any] = {
        "checkpoint_sha256": plan.checkpoint_sha256, "manifest_sha256": plan.manifest_sha256, "policy_sha256": plan.policy_sha256,
        "prompts.sha256": plan.prompts.sha256, "left_out.sha256": plan.left_out.sha256, "reference.sha256": plan.reference.sha256,
    }  # fmt: skip
    for name, digest in digests.items():
        if digest is not None and not _DIGEST.fullmatch(digest):
            raise ValueError(f"{name} is not a sha256 in hex")
    if plan.prompts.count < 1:
        raise ValueError("no prompt is left to speak")
    if not 1 <= plan.takes <= MOST_TAKES:
        raise ValueError(f"takes={plan.takes} is outside 1..{MOST_TAKES}")
    if not 1 <= plan.shards <= min(plan.prompts.count, MOST_SHARDS):
        raise ValueError(
            f"shards={plan.shards} is outside 1..{min(plan.prompts.count, MOST_SHARDS)} (one prompt is the least for a shard)"
        )
    if not 0 <= plan.seed <= LARGEST_SEED - plan.takes + 1:
        raise ValueError(f"seed={plan.seed} is outside 0..{LARGEST_SEED - plan.takes + 1}")
    if plan.reference.clips < 1 or plan.left_out.count < 0:
        raise ValueError("a count has no possible value")
    try:
        plan.delivery_of(1)
    except TrainerError as error:
        raise ValueError(str(error)) from error


def _check_inputs(batch: Path, plan: Plan) -> None:
    for name, expected in ((layout.PROMPTS, plan.prompts), (layout.LEFT_OUT, plan.left_out)):
        path = batch / name
        _require(path, _found(path, prompts.listing) == expected)
    real = reference.read(batch)
    _require(batch / layout.REFERENCE, (real.sha256, len(real.clips)) == (plan.reference.sha256, plan.reference.clips))
    path = batch / layout.VOICE
    _require(path, _found(path, plain_file.sha256) == plan.checkpoint_sha256, "checkpoint_changed")


def _require(path: Path, same: bool, cause: str = "plan_changed") -> None:
    if not same:
        raise DataError(f"{path} is not the file that the plan was made with; put it back, or {_AGAIN}", cause=cause)


def _found(path: Path, look: Any) -> Any:
    try:
        return look(path)
    except PlainFileError as error:
        raise DataError(f"{path}: {error}; put it back, or {_AGAIN}", cause="plan_changed") from error
