"""`python -m twintown.cli`."""

from twintown.cli import main

main()
