"""Phases 1 to 5 where they cannot be imported (Windows, or an installation for the guardrails alone): their steps can be deselected, not run."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from acceptance.session.asked import PACKAGE
from acceptance.steps import OPTIONAL, STEPS, optional_steps

_NEEDED = ("fcntl", "resource", "docker", "requests", "numpy", "soundfile")
"""What the phases import; only looked for, not imported."""


def missing_module() -> str | None:
    """The first module that phases 1 to 5 need and this Python does not have."""
    for name in _NEEDED:
        try:
            found = find_spec(name)
            # A folder such as the project's own docker/ looks like a package too, of no file.
            if found is None or found.origin is None:
                return name
        except ImportError:
            return name
    return None


def stand_in(module_path: Path, parent: pytest.Collector) -> AbsentPhase | None:
    """A collector with the steps of a phase by name, for a module of the objective; None for any other."""
    steps = [
        step
        for step in (*STEPS, *optional_steps(OPTIONAL))
        if step.phase.replace("phase_", "test_", 1) == module_path.stem
    ]
    return AbsentPhase.from_parent(parent, path=module_path) if steps and module_path.parent == PACKAGE else None


class AbsentPhase(pytest.File):
    """A phase whose module is not imported."""

    def collect(self) -> Iterator[AbsentStep]:
        """Its steps."""
        phase = self.path.stem.replace("test_", "phase_", 1)
        for step in (*STEPS, *optional_steps(OPTIONAL)):
            if step.phase == phase:
                yield AbsentStep.from_parent(self, name=f"test_{step.check}")


class AbsentStep(pytest.Item):
    """A step that the plugin refuses to run."""

    def runtest(self) -> None:
        """Not reached: a session that selects such a step ends with a usage error."""
        pytest.fail(f"{self.name} needs the module {missing_module()}")

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where pytest says that the step lies, and its name."""
        return self.path, 0, self.name
