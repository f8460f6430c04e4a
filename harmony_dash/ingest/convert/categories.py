"""Cells as codes of the dictionary."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np
import pandas as pd

from harmony_dash.dictionary import Dictionary, Variable
from harmony_dash.errors import SourceError
from harmony_dash.ingest import transforms
from harmony_dash.ingest.convert.reader import Converted, FieldReader, Objects, object_column
from harmony_dash.ingest.issues import Problem, Reason
from harmony_dash.ingest.manifest.model import FieldSpec
from harmony_dash.ingest.vocabulary import deletion_of, marker_of, subtype_of

# Codes such as a trial or an arm are names, not remarks: free text may identify a patient.
MAX_CODE_LENGTH = 64
_CODE = re.compile(rf"[^\x00-\x1f\x7f]{{1,{MAX_CODE_LENGTH}}}")

_WORD_TRANSFORMS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {"subtype": subtype_of, "marker": marker_of, "deletion": deletion_of})


def _word_function(spec: FieldSpec) -> Callable[[str], str | None]:
    """What a source word means: its value map first, then the named transform, else the word is the code."""
    by_transform: Callable[[str], str | None] | None
    if spec.transform is None:
        by_transform = None
    elif spec.transform == "yes_no":
        by_transform = partial(transforms.parse_yes_no, language=spec.language or "")
    elif spec.transform in _WORD_TRANSFORMS:
        by_transform = _WORD_TRANSFORMS[spec.transform]
    else:
        raise SourceError(f"the transform '{spec.transform}' does not make a category", where=spec.where,
                          remedy="Remove it or write a `values` map")
    values = spec.values or {}

    def read(cell: str) -> str | None:
        mapped = transforms.map_value(cell, values)
        if mapped is not None:
            return mapped
        if by_transform is not None:
            return by_transform(cell)
        return None if spec.values is not None else cell

    return read


def convert_category(variable: Variable, reader: FieldReader, dictionary: Dictionary) -> Converted:
    """The codes of a category."""
    codes, problems = read_codes(variable, reader, _code_check(variable, dictionary))
    return Converted({variable.name: object_column(codes, reader.table.index)}, problems)


def read_codes(variable: Variable, reader: FieldReader,
               is_code: Callable[[str], bool]) -> tuple[Objects, list[Problem]]:
    """Permissible codes, None for missing cells and for those with a problem."""
    tidy = reader.tidying((reader.spec.values or {}).__contains__)
    meaning = _word_function(reader.spec)
    rows, distinct = pd.factorize(reader.column(reader.main_column).to_numpy(dtype=object))
    codes, unknown = np.full(len(distinct), None, dtype=object), np.zeros(len(distinct), dtype=np.bool_)
    for position, cell in enumerate(map(tidy, distinct)):
        code = meaning(cell) if cell else None
        if code is not None and is_code(code):
            codes[position] = code
        else:
            unknown[position] = cell != ""
    return codes[rows], reader.problems(unknown[rows], variable, *explain_unknown(variable, reader.spec))


def _code_check(variable: Variable, dictionary: Dictionary) -> Callable[[str], bool]:
    if variable.name == "disease":
        return dictionary.diseases.__contains__
    if variable.values:
        return variable.values.__contains__
    return lambda code: _CODE.fullmatch(code) is not None


def explain_unknown(variable: Variable, spec: FieldSpec) -> tuple[Reason, str]:
    """Why a word is no code, with its reason code."""
    if spec.transform is not None:
        return Reason.VALUE_UNKNOWN, f"not a word the transform {spec.transform} knows, nor in the value map"
    if spec.values is not None:
        return Reason.VALUE_UNKNOWN, "a value that is neither in the value map nor a missing token"
    if variable.values or variable.name == "disease":
        return Reason.VALUE_UNKNOWN, f"not a code of '{variable.name}'; the source declares no value map"
    return Reason.TYPE, f"not a short code (1 to {MAX_CODE_LENGTH} characters on one line)"
