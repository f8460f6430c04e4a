"""`python -m tests.benchmarks`: the sizes and times the README claims, measured here and now.

    python -m tests.benchmarks                      everything up to 100,000 patients, about twenty minutes
    python -m tests.benchmarks question click       some of it
    python -m tests.benchmarks --large              questions over 1,000,000 and 10,000,000 patients as well
    python -m tests.benchmarks --write              and put the tables into the README

`python -m tests.benchmarks.load` is the long form of the load: all sessions for ten minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.benchmarks import (
    click,
    cold_start,
    coverage,
    disclosure,
    forest,
    ingest,
    load,
    quality,
    question,
    what_if,
)
from tests.benchmarks.stores import PROJECT_ROOT, real_store

PATIENTS: Final = 100_000
README: Final = PROJECT_ROOT / "README.md"
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"


@dataclass(frozen=True)
class Action:
    """A line of the table: what a person does, and how long it takes.

    Attributes
    ----------
    seconds : ours.
    naive : seconds of a naive peer on the same patients; None where there is none.
    peer : what the peer is.
    more : what stands in brackets behind our time.
    """

    words: str
    seconds: float
    naive: float | None = None
    peer: str = ""
    more: str = ""

    @property
    def row(self) -> str:
        """The line as Markdown."""
        ours = write_time(self.seconds) + (f" ({self.more})" if self.more else "")
        if self.naive is None:
            return f"| {self.words} | {ours} | – | – |"
        return f"| {self.words} | {ours} | {write_time(self.naive)}, {self.peer} | {self.naive / self.seconds:.1f}× |"


def write_time(seconds: float) -> str:
    """Milliseconds below one second."""
    if seconds < 1:
        return f"{1000 * seconds:,.0f} ms"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:,.0f} s"


def ask_click() -> list[Action]:
    """In Chromium."""
    found = []
    for patients, words in ((0, "sample data"), (PATIENTS, f"{PATIENTS:,} patients")):
        clicks = click.measure(patients)
        found.append(Action(f"Click → curve redrawn in the browser, {words}", clicks.median / 1000,
                            more=f"p90 {clicks.ninth:.0f} ms, {clicks.kilobytes:.0f} kB"))
    return found


def ask_cold_start() -> list[Action]:
    """From the command to the sign-in page."""
    start = cold_start.measure()
    return [Action("Start of the server → sign-in page in the browser", start.shown,
                   more=f"answers after {start.answers:.1f} s")]


def ask_coverage() -> list[Action]:
    """The coverage page."""
    cost = coverage.measure(PATIENTS)
    what = f"Coverage, {cost.variables} variables, {cost.sources} sources"
    return [Action(f"{what}: first protected answer", cost.first / 1000, more=f"again {cost.again:.0f} ms"),
            Action(f"{what}: without protection", cost.exact / 1000, cost.naive / 1000, "pandas")]


def ask_forest() -> list[Action]:
    """The table of subgroups."""
    timing = forest.measure(PATIENTS)
    what = f"Subgroups, {timing.variables} variables, {timing.rows} rows"
    return [Action(f"{what}: protected", timing.protected),
            Action(f"{what}: exact", timing.exact, timing.lifelines, "lifelines, hazard ratios alone")]


def ask_what_if() -> list[Action]:
    """The bootstrap behind a comparison of treatments."""
    found = []
    for patients in (5_000, PATIENTS):
        timing = what_if.measure(patients)
        found.append(Action(f"What if, {timing.replicates} replicates, {patients:,} patients", timing.two_threads,
                            timing.lifelines, "lifelines, scaled up"))
    return found


def ask_disclosure() -> list[Action]:
    """What protection adds to an answer."""
    cost = disclosure.measure(PATIENTS)
    return [Action(f"Protection of an answer of {cost.groups} groups, part of every question",
                   cost.together.median / 1000, more=f"p95 {cost.together.ninety_fifth:.0f} ms")]


def ask_ingest() -> list[Action]:
    """All sources, and the checks in it."""
    timing = ingest.measure(PATIENTS)
    return [Action("Ingest of 12 sources", timing.seconds, more=f"{timing.all_mb:,.0f} MB at most")]


def ask_quality() -> list[Action]:
    """The checks of data quality."""
    checks = quality.measure(PATIENTS)
    return [Action(f"{checks.checks} checks of every source, part of the ingest", checks.seconds)]


def ask_load() -> list[Action]:
    """Many people at once, for three minutes."""
    people = load.measure(real_store(PATIENTS), sessions=load.PROMISED_SESSIONS, think=load.PROMISED_THINK, minutes=3)
    p95, p99 = people.quantiles(0.95, 0.99)
    return [Action(f"{people.sessions} people, a click every {people.think:.0f} s: p95", p95,
                   more=f"p99 {write_time(p99)}, {len(people.errors)} errors, server {people.peak_mb:,.0f} MB")]


BENCHMARKS: Final[dict[str, Callable[[], list[Action]]]] = {
    "click": ask_click, "load": ask_load, "cold_start": ask_cold_start, "coverage": ask_coverage,
    "forest": ask_forest, "what_if": ask_what_if, "disclosure": ask_disclosure, "ingest": ask_ingest,
    "quality": ask_quality}
QUESTION: Final = "question"


def write_tables(names: Sequence[str], *, large: bool) -> tuple[str, list[str]]:
    """The tables of some benchmarks, as Markdown, and the names of those that failed."""
    parts: list[str] = []
    failed: list[str] = []
    if names != [QUESTION]:
        lines = [f"What people wait for, at {PATIENTS:,} patients where nothing else is said:\n",
                 "| action | here | naive peer | ratio |", "|---|---:|---:|---:|"]
        for name in names:
            if name in BENCHMARKS:
                begun = time.perf_counter()
                try:
                    lines += [action.row for action in BENCHMARKS[name]()]
                except Exception as error:  # the others took minutes, too, and are still wanted
                    traceback.print_exc()
                    failed.append(f"{name} ({type(error).__name__})")
                print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
        parts.append("\n".join(lines))
    if QUESTION in names:
        sizes = [PATIENTS, 1_000_000, 10_000_000] if large else [PATIENTS]
        parts.append(
            "Question to released result: four groups of a filtered cohort with 95 % intervals, risk table, medians,\n"
            "follow-up, log-rank and pairwise tests, restricted means. \"Same content\" is what people write with\n"
            "pandas and lifelines on rows in memory; \"least\" leaves out medians, follow-up, pairs and restricted\n"
            "means, which ours still computes. Hazard ratios, the test of their proportionality and protection, about\n"
            f"half of our time, are in ours alone.\n\n{question.table(sizes, naive_up_to=1_000_000)}")
    return "\n\n".join(parts), failed


def put_into(text: str, tables: str) -> str:
    """The README with these tables between its marks.

    Raises
    ------
    ValueError for a text that does not have each mark once, in their order.
    """
    if not (text.count(BEGIN) == text.count(END) == 1 and text.index(BEGIN) < text.index(END)):
        raise ValueError(f"the README needs {BEGIN} and {END} once each")
    return f"{text[:text.index(BEGIN)]}{BEGIN}\n{tables}\n{text[text.index(END):]}"


def main() -> None:
    """Print the tables, or write them."""
    every = [*BENCHMARKS, QUESTION]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(every)}")
    parser.add_argument("--large", action="store_true", help="questions over 1,000,000 and 10,000,000 patients, too")
    parser.add_argument("--write", action="store_true", help="put the tables into the README")
    options = parser.parse_args()
    if unknown := set(options.names) - set(every):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    if options.write and options.names:
        parser.error("the README has all of them: leave out the names")
    found, failed = write_tables(options.names or every, large=options.large)
    tables = f"{found}\n\nMeasured on {os.cpu_count()} cores."
    print(tables)
    if failed:
        sys.exit(f"failed, so that the README stays as it was: {', '.join(failed)}")
    if options.write:
        README.write_text(put_into(README.read_text("utf-8"), tables), "utf-8")


if __name__ == "__main__":
    main()
