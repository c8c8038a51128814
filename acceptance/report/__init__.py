"""Shows a run: the report block, the summary on the terminal, the JUnit file, the text of a failure."""
