"""Text from outside stays on one line and commands nobody, in every program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.objective import PROJECT_ROOT
from trainer.files import rows
from trainer.files.printable import error_line, masked, notice_line, printable, quoted

FORGED = "x\n::error::forged\r\x1b[31m##vso[task.complete]\u202egnp.\u2028::notice::y"


@given(st.text() | st.text(alphabet=":#[e\x1b m3\n\r\u2028\u202e\x9b\ud800'\""), st.integers(1, 200))
def test_any_text_becomes_one_harmless_line(text: str, width: int) -> None:
    for shown in (
        printable(text, width),
        quoted(text),
        error_line(text, "cause"),
        notice_line(text),
        rows.text([("name", text)]),
    ):
        assert shown.isprintable() and "::" not in shown and "##" not in shown
    assert len(printable(text, width)) <= width


def test_a_value_of_megabytes_is_cut_at_80_letters() -> None:
    assert len(quoted("x" * 5_000_000)) == 82


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "acceptance.cli", "say", "hello", "--checkpoint", FORGED, "-o", "x.wav"),
        ("-m", "acceptance.cli", "prepare", FORGED, "--output", "nowhere"),
        ("-m", "acceptance.cli", "manifest", "verify", FORGED),
        ("-m", "acceptance.cli", "calibrate", "--reference", FORGED),
        ("-m", "acceptance.cli", "train", FORGED, "--checkpoint", "x.pt"),
        ("-m", "acceptance.cli", "remeasure", FORGED, FORGED),
        ("-m", "trainer", FORGED),
    ],
    ids=lambda arguments: " ".join(arguments[1:4])[:40].split("\n")[0],
)
def test_a_file_name_starts_no_line_of_its_own(arguments: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=_environment())
    assert ended.returncode, ended.stdout
    for line in (ended.stdout + ended.stderr).split("\n"):
        assert line.isprintable() and not line.lstrip().startswith(("::", "##")), ended.stderr


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}


@given(st.text())
def test_a_masked_text_has_its_length_and_only_printable_signs(text: str) -> None:
    shown = masked(text)
    assert len(shown) == len(text) and shown.isprintable()
    assert all(one in (other, "?") for one, other in zip(shown, text, strict=True))
