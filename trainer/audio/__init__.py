"""Reads and describes sound: recordings, containers, channels, features, loudness, speech."""
