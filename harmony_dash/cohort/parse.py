"""Filters as people type them: `sex=F,M` · `sex!=F` · `age_dx_years=1..10` · `wbc_dx=..<50` · `mrd_group=?`."""

from __future__ import annotations

import re

from harmony_dash.cohort.filters import Between, Filter, Missing, Not, OneOf
from harmony_dash.errors import QuestionError

_FORM = re.compile(r"^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(!?=)\s*(.*?)\s*$", re.DOTALL)
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"^({_NUMBER})?\.\.(<)?({_NUMBER})?$")


def parse_filter(text: str) -> Filter:
    """One filter from its typed form.

    `VAR=a,b` any of the values · `VAR=lo..hi` both ends included · `VAR=lo..<hi` upper end excluded · `VAR=?` not
    recorded · `!=` instead of `=` negates. Values may contain spaces and colons but no commas.

    Raises
    ------
    QuestionError showing the form expected.
    """
    found = _FORM.match(text)
    if not found or not found.group(3):
        raise QuestionError(f"'{text[:60]}' is not a filter", where="--where",
                            remedy='Write "VAR=a,b", "VAR=lo..hi" or "VAR=?".')
    variable, sign, rest = found.groups()
    bounds = _RANGE.match(rest)
    item: Filter
    if rest == "?":
        item = Missing(variable)
    elif bounds:
        lower, below, upper = bounds.groups()
        item = Between(variable, float(lower) if lower else None, float(upper) if upper else None, not below)
    else:
        item = OneOf(variable, tuple(value.strip() for value in rest.split(",") if value.strip()))
    return Not(item) if sign == "!=" else item
