"""Production: a batch is planned, spoken, judged, sorted by the policy, and reported."""
