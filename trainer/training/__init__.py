"""Trains whatever the backbone is: one loop, settings, resume, determinism, the proof of learning."""
