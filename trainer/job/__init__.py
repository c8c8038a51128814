"""Runs the container's job: settings from the environment, markers, status, stop signals."""
