"""Runs the training job and watches it: in a container of the Docker engine, or as a process of this machine."""
