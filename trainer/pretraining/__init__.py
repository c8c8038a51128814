"""Training of the base that every voice starts from, on a corpus of synthetic and human speech."""
