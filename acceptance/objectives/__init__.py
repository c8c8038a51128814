"""Holds the objectives that ship with the harness, and the rules that every objective keeps."""
