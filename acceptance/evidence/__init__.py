"""What a job's container may have written, examined in a bounded process of its own: the report comes whatever is in it."""
