"""Whether a command that goes on with a batch asks for what its plan has: nothing that a person says is passed over.

Every option that decides a byte has a row in `COMPARED`, under the name that the command line gives it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.production import prompt_file
from acceptance.production.prompt_file import Kept
from trainer.dataset import manifest
from trainer.files import json_lines, plain_file
from trainer.files.json_lines import Listing
from trainer.files.plain_file import PlainFileError
from trainer.production import layout, reference
from trainer.production.plan import Plan, PlannedDelivery

Difference = Callable[[Plan, Any, Policy], str | None]
"""(the plan, what the command says, the policy in force) -> how they differ; None if they agree."""


def require_same(batch: Path, made: Plan, asked: Mapping[str, object], policy: Policy) -> None:
    """Raises HarnessError(plan_changed) if a command asks for anything that is not in the plan of its batch.

    `asked` has what the command line says, by the names in `COMPARED`; the policy is compared always. Raises HarnessError or DataError for a
    file that cannot be read.
    """
    for name, value in {"policy": policy, **asked}.items():
        difference = COMPARED[name](made, value, policy)
        if difference is not None:
            raise HarnessError(
                f"{batch / layout.PLAN} was made with other settings: {difference}; go on with the same ones, or "
                "make a batch in another folder",
                cause="plan_changed",
            )


def _setting(name: str) -> Difference:
    def difference(made: Plan, value: Any, policy: Policy) -> str | None:
        planned = {**asdict(made), **asdict(made.delivery)}[name]
        return None if planned == value else f"{name} is {planned}, not {value}"

    return difference


def _policy(made: Plan, value: Policy, policy: Policy) -> str | None:
    return (
        None
        if value.judging_sha256 == made.policy_sha256
        else f"the policy is {made.policy_sha256[:12]}, not {value.judging_sha256[:12]}"
    )


def _voice(made: Plan, path: Path, policy: Policy) -> str | None:
    try:
        found = plain_file.sha256_through_links(path)
    except PlainFileError as error:
        raise HarnessError(
            f"{path}: {error}; leave --checkpoint out, the batch has its own copy", cause="checkpoint_missing"
        ) from error
    if found == made.checkpoint_sha256:
        return None
    return f"the voice is {made.checkpoint_sha256[:12]}, and {path} is {found[:12]}"


def _prompts(made: Plan, path: Path, policy: Policy) -> str | None:
    kept, left_out = _Unwritten(), _Unwritten()
    for each in prompt_file.read(path, most_characters=policy.production.max_prompt_characters):
        if isinstance(each, Kept):
            kept.add({"id": each.id, "text": each.text})
        else:
            left_out.add(each.document())
    same = (kept.listing, left_out.listing) == (made.prompts, made.left_out)
    return None if same else f"{path} holds other prompts"


def _manifest(made: Plan, path: Path, policy: Policy) -> str | None:
    _, found = manifest.load_with_digest(path)
    if found == made.manifest_sha256:
        return None
    return f"the dataset is {(made.manifest_sha256 or 'none')[:12]}, and {path} is {found[:12]}"


def _reference(made: Plan, folder: Path, policy: Policy) -> str | None:
    from trainer.evaluation import evaluate  # PyTorch comes with it

    clips = {name: evaluate.content(path) or "" for name, path in evaluate.reference_folder(folder).items()}
    found = reference.digest(clips, speaker_encoder=made.pins.get("speaker_encoder", ""))
    if found == made.reference.sha256:
        return None
    return f"the {made.reference.clips} real clips that takes are compared with are not the {len(clips)} in {folder}"


COMPARED: Mapping[str, Difference] = {
    **{name: _setting(name) for name in ("takes", "best_of", "shards", "seed")},
    **{each.name: _setting(each.name) for each in fields(PlannedDelivery)},
    "policy": _policy, "checkpoint": _voice, "prompts": _prompts, "manifest": _manifest, "reference": _reference,
}  # fmt: skip


class _Unwritten:
    """The listing of JSON lines that are not written anywhere."""

    def __init__(self) -> None:
        self._hash, self._count = hashlib.sha256(), 0

    def add(self, value: Mapping[str, object]) -> None:
        """Count one object as a line."""
        self._hash.update(json_lines.line(value))
        self._count += 1

    @property
    def listing(self) -> Listing:
        """Of the lines so far."""
        return Listing(count=self._count, sha256=self._hash.hexdigest())
