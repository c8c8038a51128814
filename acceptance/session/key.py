"""Where pytest's configuration keeps the session's run, its streams and its workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance import objective as settings_module

if TYPE_CHECKING:
    from acceptance.session.run_session import RunSession
    from acceptance.session.standard_streams import StandardStreams

run_key: pytest.StashKey[RunSession] = pytest.StashKey()
streams_key: pytest.StashKey[StandardStreams] = pytest.StashKey()
unasked_key: pytest.StashKey[int] = pytest.StashKey()
"""How many steps were collected that nobody asked for."""
needed_key: pytest.StashKey[list[str]] = pytest.StashKey()
"""The steps that were selected only because others need them."""


def workspace_of(config: pytest.Config) -> Path:
    """The workspace of the command line, default the rootdir; raises SettingsError."""
    given = config.option.workspace
    path = config.rootpath if given is None else config.invocation_params.dir / given
    if not path.is_dir():
        raise settings_module.SettingsError(
            f"--workspace {given}: {'a file, not a directory' if path.exists() else 'no such directory'}"
        )
    return path.resolve()
