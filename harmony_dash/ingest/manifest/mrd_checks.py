"""Whether the declaration of an MRD measurement says what its numbers mean."""

from __future__ import annotations

from harmony_dash.dictionary import Dictionary
from harmony_dash.dictionary.yaml_reader import LocatedDict
from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.blocks import fail
from harmony_dash.ingest.manifest.model import MRD_UNITS, FieldSpec
from harmony_dash.ingest.suggestions import suggest


def check_mrd(entry: LocatedDict, name: str, spec: FieldSpec, dictionary: Dictionary) -> None:
    """Raise unless unit, limits, day and method of the measurement are declared without contradiction."""
    if spec.transform != "mrd":
        raise SourceError(f"'{name}' needs the mrd transform", where=spec.where,
                          remedy="Write `transform: mrd` and the `unit`.")
    if spec.unit not in MRD_UNITS:
        problem = "the MRD unit is not declared" if spec.unit is None else f"the MRD unit '{spec.unit}' is not known"
        raise fail(entry, "unit" if "unit" in entry else None, f"'{name}': {problem}",
                   "Add `unit: fraction`, `unit: percent` or `unit: log10`; a wrong guess is a hundredfold error.")
    if spec.values is not None:
        raise fail(entry, "values", f"'{name}': MRD takes no value map",
                   "Use `negative`, `positive_not_quantifiable`, `not_done`, `failed` or `missing` for words.")
    if spec.below_limit not in (None, "undetectable", "pos_below_qr"):
        raise fail(entry, "below_limit", f"'{name}': below_limit is neither undetectable nor pos_below_qr",
                   "Write one of the two, or leave it out if the provider does not say.")
    for key in ("lod", "loq"):
        value = getattr(spec, key)
        if value is not None and not 0 < value < 1:
            raise fail(entry, key, f"'{name}': {key} is not a fraction between 0 and 1",
                       f"Write e.g. `{key}: 0.0001`.")
        if value is not None and getattr(spec, f"{key}_column") is not None:
            raise fail(entry, key, f"'{name}': both {key} and {key}_column are given", "Keep one of the two.")
    for key in ("day", "method"):
        if getattr(spec, key) is not None and getattr(spec, f"{key}_column") is not None:
            raise fail(entry, key, f"'{name}': both {key} and {key}_column are given", "Keep one of the two.")
    methods = tuple(dictionary[f"{name}_method"].values)
    for value in (() if spec.method is None else (spec.method,)):
        if value not in methods:
            raise fail(entry, "method", f"'{name}': the method '{value}' is not known", suggest(value, methods))
    if spec.method_values is not None and spec.method_column is None:
        raise fail(entry, "method_values", f"'{name}': method_values needs method_column", "Add it or remove the map.")
    for word, code in (spec.method_values or {}).items():
        if code not in methods:
            raise fail(entry["method_values"], word if word in entry["method_values"] else None,
                       f"'{name}': the method '{code}' is not known", suggest(code, methods))
