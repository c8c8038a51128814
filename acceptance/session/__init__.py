"""Ties pytest's session to a run: entry point, options, selection, hooks, signals, screen."""
