"""`python -m study` is the command `study`."""

from study.cli import main

main()
