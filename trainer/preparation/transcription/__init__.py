"""What is said in a recording: recognised offline, or found in a text of the whole."""
