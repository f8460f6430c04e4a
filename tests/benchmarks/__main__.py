"""`python -m tests.benchmarks`: the sizes and times the README claims, measured here and now.

    python -m tests.benchmarks            everything, about ten minutes
    python -m tests.benchmarks --quick    100,000 patients only
"""

from __future__ import annotations

import argparse
import os

from tests.benchmarks import question


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--quick", action="store_true", help="100,000 patients only")
    options = parser.parse_args()
    sizes = [100_000] if options.quick else [100_000, 1_000_000, 10_000_000]
    print(f"On {os.cpu_count()} cores.\n")
    print("Question to released result (4 groups, 95 % intervals, risk table, log-rank, restricted means):\n")
    print(question.table(sizes, naive_up_to=1_000_000))


if __name__ == "__main__":
    main()
