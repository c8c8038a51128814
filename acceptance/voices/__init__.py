"""Certified voices, kept for good: `artifacts/voices/<sha256>.pt` with its report beside it as `<sha256>.json`.

    run that ends in success -> settling -> store -> voice versions, rollback, prune

`certificate` makes the report from a run's record, `store` keeps the files, `settling` is called where a run's outputs are accepted, `makers`
finds the runs that made a checkpoint, `standing` says which version lies at a checkpoint path now. Only `voice prune` removes anything.
"""
