"""Loads the acceptance plugin; it stays silent in sessions that collect no phase."""

import pytest

pytest.register_assert_rewrite(
    "acceptance.session.objective_fixtures", "acceptance.session.plugin", "acceptance.session.entry"
)

pytest_plugins = ("acceptance.session.entry",)
