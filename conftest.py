"""Loads the acceptance plugin; it stays silent in sessions that collect no phase."""

import pytest

pytest.register_assert_rewrite("acceptance.fixtures", "acceptance.plugin", "acceptance.entry")

pytest_plugins = ("acceptance.entry",)
