"""How the program `flite` ended decides what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.errors import TrainerError
from trainer.teachers import flite


@pytest.mark.parametrize(
    ("script", "cause", "said"),
    [
        ("kill -KILL $$", "out_of_memory", "flite was killed"),
        ("kill -SEGV $$", "process_lost", "flite ended by SIGSEGV"),
        ("exec sleep 60", "settings_invalid", "flite did not finish in 0.5 s; give it less text"),
        ("echo 'no such voice' >&2; exit 1", "settings_invalid", "'slt': no such voice"),
        ("exit 0", "settings_invalid", "flite does not speak with the voice 'slt'"),
    ],
)
def test_the_way_it_ended_decides_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, cause: str, said: str
) -> None:
    program = tmp_path / "flite"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    if "sleep" in script:
        monkeypatch.setattr(flite, "_DEADLINE_S", 0.5)
    with pytest.raises(TrainerError, match=said) as caught:
        flite.speak("Hello.", "slt")
    assert caught.value.cause == cause


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TrainerError, match="apt-get install flite") as caught:
        flite.speak("Hello.", "slt")
    assert caught.value.cause == "missing_program"
