"""`python -m harmony_dash`."""

import sys

from harmony_dash.cli import main

sys.exit(main(sys.argv[1:]))
