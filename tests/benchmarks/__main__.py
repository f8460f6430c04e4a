"""`python -m tests.benchmarks`: the sizes and times the README claims, measured here and now.

    python -m tests.benchmarks            everything, about fifteen minutes
    python -m tests.benchmarks --quick    100,000 patients at most, about two minutes
"""

from __future__ import annotations

import argparse
import os

from tests.benchmarks import click, coverage, disclosure, forest, ingest, quality, question


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--quick", action="store_true", help="100,000 patients at most")
    options = parser.parse_args()
    sizes = [100_000] if options.quick else [100_000, 1_000_000, 10_000_000]
    print(f"On {os.cpu_count()} cores.\n")
    print("Question to released result (4 groups, 95 % intervals, risk table, log-rank, restricted means):\n")
    print(question.table(sizes, naive_up_to=1_000_000))
    cost = disclosure.measure(100_000)
    print(f"\nRelease of a protected answer of {cost.groups} groups at {cost.patients:,} patients: "
          f"{cost.release:.0f} ms.")
    print()
    forest.main()
    timing = ingest.measure(100_000)
    print(f"\nIngest of {timing.patients:,} patients from 12 sources: {timing.seconds:.0f} s; peak memory "
          f"{timing.all_mb:,.0f} MB, for the largest source alone {timing.largest_mb:,.0f} MB.")
    checks = quality.measure(100_000)
    print(f"{checks.checks} checks of every source take {checks.seconds:.1f} s of it, {checks.share:.0%} on top of the "
          "rest.")
    print(f"\n{coverage.measure(100_000).words}")
    median, ninth, kilobytes = click.measure()
    print(f"\nClick to redrawn curve in Chromium, sample data: median {median:.0f} ms, 90th percentile {ninth:.0f} ms; "
          f"{kilobytes:.0f} kB travel for it.")


if __name__ == "__main__":
    main()
