"""`voice`: one command line over everything beside pytest. `main.py` lists the commands, each in a file of its own."""
