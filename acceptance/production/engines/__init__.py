"""What runs the shards of a batch: processes of this machine, or tasks of a Ray cluster. The same shards, the same bytes."""
