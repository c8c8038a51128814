"""One acceptance run for each voice of a folder: who takes part, a workspace for each, sessions, and what they gave."""
