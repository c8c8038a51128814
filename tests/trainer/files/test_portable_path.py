"""Which paths mean the same file on every system."""

from __future__ import annotations

import pytest

from trainer.files import portable_path


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        *((path, "not relative") for path in ("", "/a", "c:a")),
        *((path, "empty part") for path in ("..", "../a", "a/../b", "a//b", "./a", "a/")),
        *(
            (path, "Windows")
            for path in (
                "what?.wav",
                "a*b",
                'a"b',
                "ab:c",
                "CON.wav",
                "con",
                "a/nul.tar.gz",
                "aux .txt",
                "COM\u00b9",
                "a./b",
                "a ",
            )
        ),
        *((path, "before its suffix") for path in ("x .wav", "x..wav", "a/x ..wav")),
        *(("a\\b", "backslash"), ("a\x01", "control character"), ("\udcff", "UTF-8")),
    ],
)
def test_a_path_that_some_system_takes_otherwise_is_refused(path: str, problem: str) -> None:
    assert problem in portable_path.problem(path)


@pytest.mark.parametrize(
    "path",
    [
        "a.wav",
        "wait...what.wav",
        "a/b c/d.e.flac",
        ".gitignore",
        "confirm.wav",
        "com10",
        "\u00e9/\u4f60.wav",
        "[x] (1), it's.wav",
    ],
)
def test_other_names_are_plain(path: str) -> None:
    assert portable_path.problem(path) is None
