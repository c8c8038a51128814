"""`python -m acceptance.cli`: the program `voice` where it is not installed."""

from acceptance.cli.main import main

main()
