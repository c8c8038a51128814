"""Keeps what happened: the journal of a run, its record, the workspace that holds runs, the append-only ledger."""
