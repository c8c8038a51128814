"""Thresholds from evidence: real clips of the target, clips of others, damaged clips, and repeated runs.

folders of clips -> evidence -> separation (pass, warn, floor, ceiling)
evaluations of repeated runs -> spread (the least difference that means something)
both -> proposal -> policy_file (the same YAML with other numbers, its comments kept)
"""
