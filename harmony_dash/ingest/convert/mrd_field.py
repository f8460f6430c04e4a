"""The parts of an MRD measurement, which one field fills together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from harmony_dash.dictionary import Dictionary, Variable
from harmony_dash.ingest.convert.categories import read_codes
from harmony_dash.ingest.convert.numbers import convert_number
from harmony_dash.ingest.convert.reader import Converted, FieldReader, Objects, nullable_column, object_column
from harmony_dash.ingest.issues import Problem
from harmony_dash.ingest.manifest.model import DEFAULT_NEGATIVE, DEFAULT_NOT_QUANTIFIABLE, FieldSpec
from harmony_dash.ingest.mrd import MrdStatus, build_mrd_rules, parse_mrd_cells
from harmony_dash.ingest.transforms import Floats


def convert_mrd(stem: str, reader: FieldReader, dictionary: Dictionary) -> Converted:
    """Value, operator, status, limits, method and day of a measurement."""
    spec = reader.spec
    rules = build_mrd_rules(
        unit=spec.unit or "", decimal=reader.decimal, thousands=reader.thousands, below_limit=spec.below_limit or "",
        negative=() if spec.negative == DEFAULT_NEGATIVE else spec.negative,
        positive_not_quantifiable=(() if spec.positive_not_quantifiable == DEFAULT_NOT_QUANTIFIABLE
                                   else spec.positive_not_quantifiable),
        not_done=spec.not_done, failed=spec.failed)
    cells = reader.cells(reader.main_column, keep=rules.is_declared)
    problems: list[Problem] = []
    lod, loq, day = (_mrd_number(dictionary[f"{stem}_{part}"], reader, column, constant, problems)
                     for part, column, constant in (("lod", spec.lod_column, spec.lod),
                                                    ("loq", spec.loq_column, spec.loq),
                                                    ("day", spec.day_column, spec.day)))
    method = _mrd_method(dictionary[f"{stem}_method"], reader, problems)
    parsed = parse_mrd_cells(cells, rules, lod, loq)
    for refusal, mask in parsed.refused.items():
        problems += reader.problems(mask, dictionary[f"{stem}_value"], refusal.reason, refusal.message)
    # The day and the method describe a test; where none was done they would describe nothing.
    untested = np.asarray(pd.isna(parsed.status) | (parsed.status == MrdStatus.NOT_DONE), dtype=np.bool_)
    method[untested] = None
    index = reader.table.index
    columns: dict[str, pd.Series[Any]] = {
        f"{stem}_value": nullable_column(parsed.value, index, whole=False),
        f"{stem}_op": object_column(parsed.op, index),
        f"{stem}_status": object_column(parsed.status, index),
        f"{stem}_lod": nullable_column(parsed.lod, index, whole=False),
        f"{stem}_loq": nullable_column(parsed.loq, index, whole=False),
        f"{stem}_method": object_column(method, index),
        f"{stem}_day": nullable_column(np.where(untested, np.nan, day), index, whole=True),
    }
    return Converted(columns, problems)


def _mrd_number(variable: Variable, reader: FieldReader, column: str | None, constant: float | None,
                problems: list[Problem]) -> Floats:
    if column is None:
        return np.full(len(reader.table), np.nan if constant is None else float(constant))
    part = replace(reader, spec=FieldSpec(variable.name, column=column, where=reader.spec.where))
    converted = convert_number(variable, part)
    problems += converted.problems
    return converted.columns[variable.name].to_numpy(dtype=np.float64, na_value=np.nan)


def _mrd_method(variable: Variable, reader: FieldReader, problems: list[Problem]) -> Objects:
    spec = reader.spec
    if spec.method_column is None:
        return np.full(len(reader.table), spec.method, dtype=object)
    part = replace(reader, spec=FieldSpec(variable.name, column=spec.method_column, values=spec.method_values,
                                          where=spec.where))
    codes, found = read_codes(variable, part, variable.values.__contains__)
    problems += found
    return codes
