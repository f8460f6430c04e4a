"""The `variables` of a manifest: where each comes from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from harmony_dash.dictionary import Dictionary, Variable, VariableType
from harmony_dash.dictionary.yaml_reader import LocatedDict
from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.blocks import (
    fail,
    read_integer,
    read_map,
    read_number,
    read_optional,
    read_separators,
    read_text,
    read_words,
    refuse_unknown_keys,
)
from harmony_dash.ingest.manifest.field_checks import check_constant, check_transform, check_unit, check_values
from harmony_dash.ingest.manifest.model import (
    DEFAULT_NEGATIVE,
    DEFAULT_NOT_QUANTIFIABLE,
    MRD_PARTS,
    TRANSFORMS,
    FieldSpec,
)
from harmony_dash.ingest.manifest.mrd_checks import check_mrd
from harmony_dash.ingest.suggestions import suggest

_CONSTANT_KEYS = ("provider", "country", "trial", "disease")
_COMMON_KEYS = ("column", "constant", "unit", "values", "transform", "missing", "decimal", "thousands", "only_if")
_MRD_KEYS = ("lod", "loq", "lod_column", "loq_column", "day", "day_column", "method", "method_column", "method_values",
             "below_limit", "negative", "positive_not_quantifiable", "not_done", "failed")
# Keys that only mean something together with one of these transforms.
_KEYS_OF_TRANSFORM: Mapping[str, tuple[str, ...]] = {
    "from": ("days_between",), "date_format": ("days_between", "year_of"), "at": ("capped",),
    "language": ("yes_no", "marker", "deletion"), **dict.fromkeys(_MRD_KEYS, ("mrd",)),
}
_FIELD_KEYS = (*_COMMON_KEYS, *_KEYS_OF_TRANSFORM)


def find_composites(dictionary: Dictionary) -> tuple[str, ...]:
    """Stems such as `mrd_eoi` whose parts one transform fills together."""
    stems = (name.removesuffix("_value") for name in dictionary.variables if name.endswith("_value"))
    return tuple(stem for stem in stems if all(f"{stem}_{part}" in dictionary for part in MRD_PARTS))


def read_top_constants(document: LocatedDict, dictionary: Dictionary) -> dict[str, FieldSpec]:
    """The constants written at the top of the manifest because they hold for the whole source."""
    fields: dict[str, FieldSpec] = {}
    for name in _CONSTANT_KEYS:
        if name not in document or name not in dictionary:
            continue
        spec = FieldSpec(name, constant=read_text(document, name), where=document.where(name))
        check_constant(document, name, dictionary[name], spec, dictionary)
        fields[name] = spec
    return fields


def read_fields(document: LocatedDict, dictionary: Dictionary, composites: tuple[str, ...],
                missing: frozenset[str]) -> dict[str, FieldSpec]:
    """The fields under `variables`, each checked against the variable it fills."""
    block = document.get("variables")
    if not isinstance(block, LocatedDict) or not block:
        raise fail(document, "variables" if "variables" in document else None, "no variables are mapped",
                   "Add `variables:` with one `sex: {column: …}` line a variable.")
    fields: dict[str, FieldSpec] = {}
    for name, entry in block.items():
        where = block.where(name)
        variable = _find_variable(name, where, dictionary, composites)
        if not isinstance(entry, LocatedDict):
            raise SourceError(f"'{name}' has no column and no constant", where=where,
                              remedy=f"Write `{name}: {{column: …}}`.")
        refuse_unknown_keys(entry, _FIELD_KEYS, f"'{name}'")
        fields[name] = _read_field(name, variable, entry, where, dictionary, missing, composite=name in composites)
    for name, spec in fields.items():
        _check_only_if(name, spec, block[name], fields, dictionary)
    return fields


def _check_only_if(name: str, spec: FieldSpec, entry: LocatedDict, fields: Mapping[str, FieldSpec],
                   dictionary: Dictionary) -> None:
    if spec.only_if is None:
        return
    if name not in dictionary or dictionary[name].type is not VariableType.DAYS:
        raise fail(entry, "only_if", f"'{name}': `only_if` is for days", "Remove it.")
    says = dictionary.variables.get(spec.only_if)
    if spec.only_if not in fields or says is None or not (
            says.type is VariableType.YES_NO or says.name == "first_event"):
        raise fail(entry, "only_if", f"'{name}': `only_if: {spec.only_if}` is not a mapped yes/no variable",
                   "Name the variable that says whether the event happened, e.g. `only_if: relapse`.")


def _find_variable(name: str, where: str, dictionary: Dictionary, composites: tuple[str, ...]) -> Variable:
    if name in composites:
        return dictionary[f"{name}_value"]
    stem, _, part = name.rpartition("_")
    if stem in composites and part in MRD_PARTS:
        raise SourceError(f"'{name}' is filled together with the other parts of '{stem}'", where=where,
                          remedy=f"Map `{stem}: {{column: …, transform: mrd, unit: …}}`.")
    if name not in dictionary:
        choices = (*dictionary.variables, *composites)
        raise SourceError(f"'{name}' is not a variable of the dictionary", where=where, remedy=suggest(name, choices))
    variable = dictionary[name]
    if variable.derived:
        raise SourceError(f"'{name}' is derived at load and never taken from a source", where=where,
                          remedy=f"Remove it and put its column under `ignore`; {variable.label.lower()} is computed.")
    if variable.type is VariableType.IDENTIFIER:
        raise SourceError(f"'{name}' is taken from the `id` column of the files", where=where, remedy="Remove it.")
    return variable


def _read_field(name: str, variable: Variable, entry: LocatedDict, where: str, dictionary: Dictionary,
                missing: frozenset[str], *, composite: bool) -> FieldSpec:
    if ("column" in entry) == ("constant" in entry):
        both = "both `column` and `constant`" if "column" in entry else "neither `column` nor `constant`"
        raise SourceError(f"'{name}' has {both}", where=where, remedy="Give exactly one of the two.")
    transform = read_optional(entry, "transform")
    if transform is not None and transform not in TRANSFORMS:
        raise fail(entry, "transform", f"'{name}': the transform '{transform}' does not exist",
                   suggest(transform, TRANSFORMS))
    for key in entry:
        wanted = _KEYS_OF_TRANSFORM.get(key)
        if wanted and transform not in wanted:
            raise fail(entry, key, f"'{name}': `{key}` only means something with `transform: {' or '.join(wanted)}`",
                       "Remove it or add the transform.")
    spec = _build_spec(name, entry, where, missing)
    if spec.constant is not None:
        for key in ("transform", "values", "missing", "decimal", "thousands"):
            if key in entry:
                raise fail(entry, key, f"'{name}': a constant takes no `{key}`", f"Remove `{key}`.")
        if composite:
            raise SourceError(f"'{name}' cannot be a constant", where=where, remedy="Give its column.")
        check_unit(entry, name, variable, spec)
        check_constant(entry, "constant", variable, spec, dictionary)
        return spec
    if composite:
        check_mrd(entry, name, spec, dictionary)
    else:
        check_transform(entry, name, variable, spec)
        check_unit(entry, name, variable, spec)
        check_values(entry, name, variable, spec, dictionary)
    return spec


def _build_spec(name: str, entry: LocatedDict, where: str, missing: frozenset[str]) -> FieldSpec:
    decimal, thousands = read_separators(entry)
    return FieldSpec(
        variable=name, column=read_optional(entry, "column"), constant=_read_constant(entry),
        unit=read_optional(entry, "unit"), values=_freeze(read_map(entry, "values")),
        transform=read_optional(entry, "transform"), from_column=read_optional(entry, "from"),
        date_format=read_optional(entry, "date_format"), missing=missing | set(read_words(entry, "missing")),
        language=read_optional(entry, "language"), at_column=read_optional(entry, "at"), lod=read_number(entry, "lod"),
        loq=read_number(entry, "loq"), lod_column=read_optional(entry, "lod_column"),
        loq_column=read_optional(entry, "loq_column"),
        day=read_integer(entry, "day", 0, 0) if "day" in entry else None, day_column=read_optional(entry, "day_column"),
        method=read_optional(entry, "method"), method_column=read_optional(entry, "method_column"),
        method_values=_freeze(read_map(entry, "method_values")), below_limit=read_optional(entry, "below_limit"),
        negative=tuple(read_words(entry, "negative")) if "negative" in entry else DEFAULT_NEGATIVE,
        positive_not_quantifiable=(tuple(read_words(entry, "positive_not_quantifiable"))
                                   if "positive_not_quantifiable" in entry else DEFAULT_NOT_QUANTIFIABLE),
        not_done=tuple(read_words(entry, "not_done")), failed=tuple(read_words(entry, "failed")), decimal=decimal,
        thousands=thousands, only_if=read_optional(entry, "only_if"), where=where)


def _freeze(values: dict[str, str] | None) -> Mapping[str, str] | None:
    return None if values is None else MappingProxyType(values)


def _read_constant(entry: LocatedDict) -> str | None:
    """A constant may be a plain decimal number: it is not compared with a spelling in the file."""
    value = entry.get("constant")
    if isinstance(value, float):
        return repr(value)
    return read_optional(entry, "constant")
