"""Hypothesis without deadlines: a loaded machine is no counterexample."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("harness", deadline=None)
settings.load_profile("harness")
