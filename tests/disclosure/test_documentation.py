"""docs/disclosure.md gives the numbers of the scheme as they are. To write the table anew:

    python -m tests.disclosure.test_documentation
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from types import MappingProxyType

from harmony_dash.disclosure.closed_questions import LANDMARK_DAYS, MOST_CONDITIONS
from harmony_dash.disclosure.low_effect import WIDENED_FLOOR
from harmony_dash.disclosure.policy import RULES, Level, Rules
from harmony_dash.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "disclosure.md"
BEGIN = "<!-- parameters: begin, made by tests/disclosure/test_documentation.py -->\n"
END = "<!-- parameters: end -->"

WORDS = MappingProxyType({
    "minimum_cell": "smallest count shown, and smallest rest; k of the low-effect rule",
    "rounding_base": "counts are multiples of", "minimum_patients": "patients a curve needs",
    "minimum_events": "events a curve needs", "minimum_at_risk": "at risk where a curve ends",
    "minimum_events_for_test": "events a p-value needs", "patients_per_step": "step of a curve, in patients",
    "smallest_step": "smallest step of a curve", "quarters_per_year": "readings of a curve a year",
    "significant_digits": "significant digits of statistics and p-values", "smallest_p": "smallest p-value told",
    "one_decimal_from": "per cents have a decimal from a denominator of",
    "fewest_possible": "values a hidden count must keep"})


def write_table() -> str:
    """The parameters at the two levels that protect."""
    protected, public = RULES[Level.PROTECTED], RULES[Level.PUBLIC]
    rows = [(WORDS[one.name], getattr(protected, one.name), getattr(public, one.name)) for one in fields(Rules)]
    rows += [("conditions of a question, at most", MOST_CONDITIONS[Level.PROTECTED], MOST_CONDITIONS[Level.PUBLIC]),
             ("patients of a widened cohort, at least", WIDENED_FLOOR * protected.minimum_cell,
              WIDENED_FLOOR * public.minimum_cell),
             ("landmarks, in days", *(", ".join(map(str, LANDMARK_DAYS)),) * 2),
             ("questions a person and day", *(Settings.daily_questions,) * 2)]
    return "\n".join(["| | protected | public |", "|---|---:|---:|",
                      *(f"| {words} | {here} | {there} |" for words, here, there in rows)]) + "\n"


def test_every_number_of_the_rules_has_its_words() -> None:
    assert set(WORDS) == {one.name for one in fields(Rules)}


def test_the_page_gives_the_numbers_of_the_rules() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(BEGIN) + len(BEGIN):text.index(END)] == write_table()


def test_the_prose_agrees_with_the_numbers() -> None:
    text, rules = " ".join(PAGE.read_text(encoding="utf-8").split()), RULES[Level.PROTECTED]
    for words in (f"fewer than {rules.minimum_patients} patients or {rules.minimum_events} events",
                  f'"<{rules.minimum_cell}" is any number from 0 to {rules.minimum_cell - 1}',
                  f"fewer than {WIDENED_FLOOR * rules.minimum_cell} patients remain",
                  f"{Settings.daily_questions} different questions a person and day",
                  f"moved by {['no', 'one', 'two', 'three', 'four'][rules.most_error]} at most"):
        assert words in text, words


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page[:page.index(BEGIN) + len(BEGIN)] + write_table() + page[page.index(END):], encoding="utf-8")
