"""`python -m tests.disclosure.attacks`: every attack at full size, in one table. About a quarter of an hour.

    python -m tests.disclosure.attacks            300 targets, 80 around the lattice, 400 curves a size, 500 questions
    python -m tests.disclosure.attacks --quick    what the tests run, about a minute

Ends with status 1 if an attack succeeds that the scheme promises to withstand.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.disclosure.attacks.campaign import FULL, QUICK, attack_all, question_at_random, tabulate_altered
from tests.disclosure.attacks.verdict import HEADER, write_row


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.disclosure.attacks")
    parser.add_argument("--quick", action="store_true", help="the size that tests run")
    size = QUICK if parser.parse_args().quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        print(HEADER, flush=True)
        passed = True
        for verdict in attack_all(Path(folder) / "attacked", size):
            print(write_row(verdict), flush=True)
            passed = passed and verdict.passed is not False
        print()
        problems, seen = question_at_random(Path(folder) / "samples", size.questions)
        print(f"D5: {size.questions} random questions, {dict(seen)}; problems found: {problems.total()}.")
        for problem, times in problems.most_common(20):
            print(f"    {times} × {problem}")
        print()
        print(tabulate_altered(Path(folder), size))
    return int(bool(problems) or not passed)


if __name__ == "__main__":
    sys.exit(main())
