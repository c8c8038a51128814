"""Speaks with foreign synthesizers, which teach the base and render the demonstration."""
