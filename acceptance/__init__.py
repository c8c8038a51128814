"""Acceptance harness: the tests are the pipeline, the plugin turns their results into one verdict and one report."""
