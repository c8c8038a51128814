"""Costs: what machines were used for, how long, and what it cost; from a log that crashes cannot spoil."""
