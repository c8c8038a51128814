"""Makes a dataset from a recording: cut, take, transcribe, keep one speaker, write the manifest."""
