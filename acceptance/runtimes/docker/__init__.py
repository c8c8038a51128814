"""Runs a job in a container of the Docker engine; the only place that imports the docker SDK."""
