"""What every evaluated version of a voice was worth: scorecards, the history that keeps them, and the comparison of two of them.

    evaluation.json -> scorecard -> artifacts/eval_history.jsonl -> comparison

`log` keeps lines safe and knows nothing of scores; `scorecard` turns measurements into shares, a score and a grade; `promotion` says whether
that is good enough, `provenance` whether the thresholds belong to what measured; `runs` finds one in the history; `comparison` decides between
two; `tables` and `plot` show them.
"""
