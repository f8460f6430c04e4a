"""`python -m harmony_dash`."""

import os
import sys

from harmony_dash.cli import main

# Beside a running server people go first: an ingest would else take half of a small machine for minutes.
if sys.argv[1:2] == ["ingest"] and hasattr(os, "nice"):
    os.nice(10)
sys.exit(main(sys.argv[1:]))
