"""`python -m study` is the command `study`."""

import os
import sys

# Python puts the current folder first: a `random.py` there would be taken for its own. The command `study` has it not.
if sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(os.path.abspath(__file__))):
    del sys.path[0]

from study.cli.main import main

main()
