"""The workspace of one voice: its objective, its recording with the texts beside it, and all that its runs leave."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.fleet import replacement
from acceptance.fleet.members import Member
from acceptance.fleet.session_options import SessionOptions
from acceptance.objective import SettingsError, check_folders
from acceptance.record import workspace as runs
from acceptance.record.record import RunRecord
from acceptance.verdict import ObjectiveStatus
from trainer.dataset.clip_names import folded, is_audio, stem
from trainer.files import plain_file, strict_json
from trainer.files.atomic_file import write_atomically

POLICY = "policy.yaml"
_ASKED = "artifacts/asked.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberWorkspace:
    """Where one voice is certified."""

    member: Member
    path: Path
    """Absolute."""

    @property
    def objective(self) -> Path:
        """Its copy of the objective."""
        return self.path / f"{self.member.name}.toml"

    @property
    def log(self) -> Path:
        """What the newest session printed."""
        return self.path / "artifacts/session.log"

    @property
    def junit(self) -> Path:
        """The JUnit file of the newest session."""
        return self.path / "artifacts/junit.xml"

    def fill(self, options: SessionOptions) -> None:
        """Give it objective, policy, recording and texts as the voice's folder has them now; raises HarnessError."""
        folder = self.member.source.parent
        try:
            replacement.recover(self.path)
            self.path.mkdir(parents=True, exist_ok=True)
            write_atomically(self.objective, self.member.objective)
            if options.policy is not None:
                write_atomically(self.path / POLICY, options.policy.read_bytes())
            wanted = _inputs(folder, self.member)
            for relative in set(_inputs(self.path, self.member)) - set(wanted):
                (self.path / relative).unlink()  # a text that is no longer there
            for relative in wanted:
                _place(folder / relative, self.path / relative, folder.resolve())
            check_folders(options.settings(self.objective), self.path)
        except SettingsError as error:
            raise HarnessError(
                f"{self.member.source.name}: {error}; correct it, then run again", cause="settings_invalid"
            ) from error
        except OSError as error:
            raise HarnessError(
                f"{self.path}: the workspace of {self.member.name} cannot be made: {error.strerror}; choose another --output",
                cause="output_not_writable",
            ) from error

    def newest_run(self) -> Path | None:
        """The directory of the newest run; None before the first."""
        try:
            return runs.find_run(self.path, None)
        except (FileNotFoundError, OSError):
            return None

    def ask(self, options: SessionOptions) -> None:
        """Write down what the session that starts now is asked, and after which run; raises TrainingError, SettingsError."""
        newest = self.newest_run()
        asked = {"after": None if newest is None else newest.name, "question": self._question(options)}
        write_atomically(self.path / _ASKED, strict_json.readable(asked))

    def certified(self, options: SessionOptions) -> RunRecord | None:
        """The run that answered this very question with success: the same recording, texts, settings and policy. Else None."""
        directory = self.newest_run()
        if directory is None:
            return None
        try:
            asked = strict_json.loads((self.path / _ASKED).read_bytes())
            record = runs.load_run(directory)
            same = asked["question"] == self._question(options) and asked["after"] != directory.name
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return record if same and record.verdict().status is ObjectiveStatus.SUCCESS else None

    def _question(self, options: SessionOptions) -> str:
        return strict_json.digest(
            {
                "settings": asdict(options.settings(self.objective)),
                "policy": options.loaded_policy().sha256,
                "inputs": {
                    file: _sha256(self.path / file)
                    for relative in _inputs(self.path, self.member)
                    for file in _files(self.path, relative)
                },
            }
        )


def _inputs(folder: Path, member: Member) -> list[str]:
    """Relative paths of the recording, of what is named after it in its folder, and of the weights."""
    audio = Path(member.audio)
    own = folded(stem(audio.name)) + "."
    beside = []
    with contextlib.suppress(OSError):
        beside = [
            str(audio.parent / path.name)
            for path in sorted((folder / audio.parent).iterdir())
            if folded(path.name).startswith(own) and not is_audio(path.name) and path.suffix.lower() != ".toml"
        ]
    found = [member.audio, *beside, *([member.weights] if member.weights else [])]
    return [relative for relative in found if os.path.lexists(folder / relative)]


def _place(source: Path, target: Path, root: Path, above: tuple[Path, ...] = ()) -> None:
    """Make `target` what `source` is: a hard link where the file system can, so that 200 recordings take no second space.

    `above` are the folders on the way to it; raises HarnessError for a folder that holds itself or the target.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    real = source.resolve()
    if real.is_dir() and real.is_relative_to(root):
        if any(each.is_relative_to(real) for each in (*above, target.parent.resolve())):
            raise HarnessError(
                f"{source} leads to {real}, which holds it or the fleet's output: a copy would have no end; remove the link, or move one",
                cause="settings_invalid",
            )
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for each in sorted(real.iterdir()):
            _place(each, target / each.name, root, (*above, real))
        return
    if os.path.lexists(target):
        if target.exists() and target.samefile(real) and not target.is_symlink():
            return
        target.unlink()
    if not real.is_relative_to(root) or not real.exists():
        target.symlink_to(real)  # the session says what is wrong with it
        return
    try:
        os.link(real, target)
    except OSError:
        shutil.copyfile(real, target)


def _files(path: Path, relative: str) -> list[str]:
    """The file, or every file of the folder."""
    below = sorted(each.relative_to(path).as_posix() for each in (path / relative).rglob("*") if not each.is_dir())
    return below or [relative]


def _sha256(path: Path) -> str | None:
    try:
        return plain_file.sha256_through_links(path)
    except OSError:
        return None
