"""Files appear whole or not at all, whoever else writes beside them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from trainer.audio import audio_file
from trainer.audio.audio_file import AudioFile
from trainer.files import atomic_file
from trainer.files.atomic_file import remove_leftovers, replacing, sweep, write_atomically


def write_audio(path: Path) -> None:
    with AudioFile(path.with_suffix(".wav"), sample_rate=22_050) as file:
        file.write(np.zeros(1_000, np.float32))


def write_bytes(path: Path) -> None:
    write_atomically(path.with_suffix(".wav"), b"x")


writers = pytest.mark.parametrize("write", [write_bytes, write_audio])


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


@writers
def test_a_link_under_a_guessed_temporary_name_leads_no_write_elsewhere(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f".a.wav.{os.getpid()}.tmp").symlink_to(victim)
    write(tmp_path / "a")
    assert victim.read_text() == "precious"
    assert (tmp_path / "a.wav").is_file() and not (tmp_path / "a.wav").is_symlink()


@writers
@pytest.mark.usefixtures("umask")
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "a")
    assert (tmp_path / "a.wav").stat().st_mode & 0o777 == 0o640


def test_two_threads_write_one_file_and_neither_fails_nor_mixes(tmp_path: Path) -> None:
    problems: list[str] = []

    def write(value: int) -> None:
        for _ in range(100):
            try:
                write_atomically(tmp_path / "f", bytes([value]) * 100_000)
                if len(set((tmp_path / "f").read_bytes())) != 1:
                    problems.append("mixed")
            except Exception as error:
                problems.append(repr(error))

    threads = [threading.Thread(target=write, args=(value,)) for value in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert os.listdir(tmp_path) == ["f"]


def test_two_recordings_are_written_to_one_name_and_the_last_is_whole(tmp_path: Path) -> None:
    with (
        AudioFile(tmp_path / "a.wav", sample_rate=22_050) as first,
        AudioFile(tmp_path / "a.wav", sample_rate=22_050) as second,
    ):
        first.write(np.zeros(1_000, np.float32))
        second.write(np.zeros(2_000, np.float32))
    assert os.listdir(tmp_path) == ["a.wav"]
    assert (tmp_path / "a.wav").stat().st_size == 44 + 2 * 1_000


def test_what_killed_writers_left_is_removed_under_old_names_and_new(tmp_path: Path) -> None:
    for name in (".f.4711.tmp", ".f.0123456789abcdef.tmp", ".other.4711.tmp"):
        (tmp_path / name).write_bytes(b"torn")
    remove_leftovers(tmp_path / "f")
    assert os.listdir(tmp_path) == [".other.4711.tmp"]


WRITER = "import sys; from pathlib import Path; from trainer.files.atomic_file import replacing, write_atomically\n"


def test_after_a_hundred_killed_writers_the_next_start_leaves_no_temporary_file(tmp_path: Path) -> None:
    """Each of four files is being written by 25 children that are killed while they hold it."""
    code = WRITER + (
        "import os\nfrom trainer.files import atomic_file\natomic_file._swept.add(Path(sys.argv[1]))\n"
        "for n in range(100):\n    if os.fork() == 0:\n        with replacing(Path(sys.argv[1], f'f{n % 4}')):\n"
        "            os.kill(os.getpid(), 9)\n    os.wait()"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    left = list(tmp_path.glob(".*.tmp"))
    assert len(left) == 100
    subprocess.run(
        [sys.executable, "-c", WRITER + "write_atomically(Path(sys.argv[1], 'other'), b'x')", tmp_path], check=True
    )
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_living_writers_temporary_file_is_not_swept(tmp_path: Path) -> None:
    foreign = tmp_path / ".notes.tmp"
    foreign.touch()
    (tmp_path / f".link.{'0' * 16}.tmp").symlink_to(foreign)
    with replacing(tmp_path / "f"):
        [temporary] = tmp_path.glob(".f.*.tmp")
        sweep(tmp_path)
        remove_leftovers(tmp_path / "f")
        assert temporary.exists() and foreign.exists()
    dead = temporary
    dead.touch()
    sweep(tmp_path)
    assert not dead.exists() and foreign.exists()


class Struck(BaseException):
    """What a signal's handler raises: between any two instructions, once."""


def struck_at(moment: int, write: Callable[[Path], None], path: Path) -> bool:
    """Write a file and be struck at so many instructions of our files; whether it was struck before the file was written."""
    left = moment

    def trace(frame: FrameType, event: str, argument: object) -> Callable[..., object] | None:
        nonlocal left
        if frame.f_code.co_filename not in WATCHED:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left == 0:
                sys.settrace(None)
                raise Struck
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        write(path)
    except Struck:
        return True
    finally:
        sys.settrace(before)
    return False


WATCHED = {atomic_file.__file__, audio_file.__file__, contextlib.__file__}


@writers
def test_whatever_moment_a_signal_comes_at_no_temporary_file_stays(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    moment = 1
    while struck_at(moment, write, tmp_path / "f"):
        assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == [], moment
        moment += 1
    assert moment > 100


def test_an_error_while_a_recording_is_written_still_names_the_line_that_raised_it(tmp_path: Path) -> None:
    def failing() -> None:
        raise ValueError("in the midst")

    with pytest.raises(ValueError, match="in the midst") as caught, AudioFile(tmp_path / "a.wav", sample_rate=22_050):
        failing()
    assert "failing" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
