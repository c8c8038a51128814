"""A version names every package that can change a bit, and a machine without one of them still has a version."""

from importlib import metadata

import pytest

from trainer.production import version


def test_a_machine_without_the_pronunciations_of_natural_has_a_version_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = metadata.version

    def without(name: str) -> str:
        if name == "hibari-tts":
            raise metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(version.metadata, "version", without)
    found = version.version.__wrapped__()
    assert "hibari-tts missing" in found
