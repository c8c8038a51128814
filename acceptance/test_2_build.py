"""Phase 2: the training image is built, from exactly the sources that lie here."""

from __future__ import annotations

import pytest

from acceptance.failure import EnvironmentBlocked
from acceptance.runtimes.base import BuildSpec, Image, Runtime

pytestmark = pytest.mark.order(2)


def test_image_built(image: Image) -> None:
    """The image exists and is known by its immutable id."""
    assert image.id


def test_sources_unchanged(image: Image, engine: Runtime, build_spec: BuildSpec) -> None:
    """The build context is still the one that the image was built from."""
    now = engine.context_digest(build_spec)
    if now != image.context_sha256:
        raise EnvironmentBlocked(
            "the build context changed during the build",
            cause="sources_changed",
            built_from=image.context_sha256,
            now=now,
        )
