"""Dates as days since another date, or as years; the dates themselves are not kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harmony_dash.dictionary import Variable
from harmony_dash.errors import SourceError
from harmony_dash.ingest import transforms
from harmony_dash.ingest.convert.numbers import finish_number
from harmony_dash.ingest.convert.reader import Converted, FieldReader
from harmony_dash.ingest.issues import Problem, Reason
from harmony_dash.ingest.transforms import Floats


def convert_dates(variable: Variable, reader: FieldReader) -> Converted:
    """Days since the date of another column, or years; no absolute date is kept."""
    spec = reader.spec
    column = reader.main_column
    days, problems = _read_dates(variable, reader, column)
    if spec.transform == "year_of":
        return finish_number(variable, reader, transforms.year_of(days), problems)
    if spec.from_column is None:
        raise SourceError("days_between needs the column it counts from", where=spec.where, remedy="Add `from: COLUMN`")
    start, more = _read_dates(variable, reader, spec.from_column)
    # A date without the date to count from must not pass for "did not happen".
    blank = (reader.cells(spec.from_column) == "").to_numpy(dtype=bool)
    no_start = ~np.isnan(days) & blank
    problems += more + reader.problems(no_start, variable, Reason.DATE_INVALID,
                                       f"there is no date in '{spec.from_column}' to count the days from")
    return finish_number(variable, reader, transforms.days_between(start, days), problems)


def _read_dates(variable: Variable, reader: FieldReader, column: str) -> tuple[Floats, list[Problem]]:
    if reader.spec.date_format is None:
        raise SourceError("the format of the dates is not declared", where=reader.spec.where,
                          remedy='Add e.g. `date_format: "%d.%m.%Y"`')
    cells = reader.cells(column)
    days = transforms.parse_dates(cells, reader.spec.date_format)
    invalid = np.isnan(days) & (cells != "").to_numpy(dtype=bool)
    dates = replace(reader, spec=replace(reader.spec, column=column))
    return days, dates.problems(invalid, variable, Reason.DATE_INVALID, "not a possible date in the declared format")
