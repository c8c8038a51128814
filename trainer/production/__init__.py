"""Production: a voice speaks many utterances, and each is judged; one shard of a batch at a time."""
