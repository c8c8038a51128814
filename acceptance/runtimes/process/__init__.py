"""Runs a job as a guarded process of this machine, without any container engine."""
