"""Values that no honest manifest has, links in a manifest's place, and thresholds that every command judges alike."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from acceptance import manifests, policy
from acceptance.failure import HarnessError
from acceptance.manifests import document
from acceptance.manifests.dataset import Layout
from tests.acceptance.manifests.clips import with_sidecars
from trainer.errors import DataError


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": "clip\u202egpj"}, "not seen"),
        ({"path": "a\u2066b.wav"}, "not seen"),
        ({"duration_s": 1e300}, "possible number"),
        ({"duration_s": 2e6}, "no clip has"),
        ({"sample_rate": 10**12}, "no clip has"),
    ],
)
def test_a_value_that_no_clip_has_is_refused(changes: dict[str, object], problem: str, tmp_path: Path) -> None:
    found = manifests.create(with_sidecars(tmp_path)).items[0]
    with pytest.raises(ValueError, match=problem):
        document.dumps(Layout.SIDECARS, [dataclasses.replace(found, **changes)], [])


def test_a_manifest_of_millions_of_keys_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("{" + ",".join(f'"{number:x}":0' for number in range(2_600_000)) + "}")
    with pytest.raises(HarnessError, match="holds more than 2500000 values"):
        manifests.load(tmp_path / "m.json")


@pytest.mark.parametrize(
    "text", ['{"schema": "clip_manifest/1", "KEY": 1}', '{"KEY": 1, "KEY": 2}'], ids=["unknown", "twice"]
)
def test_a_key_of_megabytes_is_named_in_80_letters(text: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(text.replace("KEY", "k\\n::error::\\u202e" + "x" * 5_000_000))
    with pytest.raises(HarnessError) as caught:
        manifests.load(tmp_path / "m.json")
    assert (
        len(str(caught.value)) < 400 + len(str(tmp_path))
        and str(caught.value).isprintable()
        and "::" not in str(caught.value)
    )


@pytest.mark.parametrize("named", [True, False], ids=["--output", "the default"])
def test_a_link_in_the_manifests_place_never_leads_into_a_foreign_file(named: bool, tmp_path: Path) -> None:
    folder, foreign = with_sidecars(tmp_path / "clips"), tmp_path / "foreign.json"
    foreign.write_text("foreign")
    link = tmp_path / "link.json" if named else folder / "clip_manifest.json"
    link.symlink_to(foreign)
    if named:
        with pytest.raises(DataError, match="is a link"):
            manifests.create(folder, link)
    else:
        manifests.create(folder)
    assert foreign.read_text() == "foreign"


def test_a_guardrail_that_does_not_exist_cannot_block_in_any_command() -> None:
    with pytest.raises(policy.PolicyError, match="there is no guardrail called nonsense"):
        policy.load(None, ["guardrails.blocking=[nonsense]"])
