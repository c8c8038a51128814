"""Keeps a voice in a file, and the base that every voice starts from."""
