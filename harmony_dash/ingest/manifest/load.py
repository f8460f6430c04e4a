"""From the text of `source.yaml` to a checked manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.dictionary import Dictionary, VariableType
from harmony_dash.dictionary.model import NAME
from harmony_dash.dictionary.yaml_reader import LocatedDict, read_yaml
from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.blocks import fail, read_text, read_words, refuse_unknown_keys
from harmony_dash.ingest.manifest.fields import find_composites, read_fields, read_top_constants
from harmony_dash.ingest.manifest.files import read_files
from harmony_dash.ingest.manifest.model import MANIFEST_NAME, FieldSpec, Manifest, Origin
from harmony_dash.ingest.suggestions import suggest

_TOP_KEYS = ("source", "title", "provider", "country", "trial", "disease", "licence", "synthetic", "description",
             "files", "missing", "variables", "ignore", "endpoints_not_recorded")


def read_manifest(folder: Path, dictionary: Dictionary) -> Manifest:
    """Read and check the manifest of a source folder; the data files are only checked to exist.

    Raises
    ------
    SourceError with file and line for anything that is unknown, contradictory, missing or outside the folder.
    """
    if not folder.is_dir():
        raise SourceError("the source folder does not exist", where=folder.name, remedy="Check the path.")
    document = read_yaml(folder / MANIFEST_NAME, error=SourceError, name=MANIFEST_NAME)
    refuse_unknown_keys(document, _TOP_KEYS, "")
    source = read_text(document, "source", required=True)
    if not NAME.match(source):
        raise fail(document, "source", "the source identifier is not lower-case letters, digits and underscores",
                   "Write e.g. `source: de_example`.")
    missing = frozenset({"", *read_words(document, "missing")})
    files = read_files(document, folder)
    composites = find_composites(dictionary)
    fields = read_top_constants(document, dictionary)
    for name, spec in read_fields(document, dictionary, composites, missing).items():
        if name in fields:
            raise SourceError(f"'{name}' is given twice: as `{name}:` at the top ({fields[name].where}) and under "
                              "`variables`", where=spec.where, remedy="Keep one of the two.")
        fields[name] = spec
    ignore = tuple(read_words(document, "ignore"))
    _check_ignored(document, ignore, fields)
    not_recorded = _read_not_recorded(document)
    _check_required(document, dictionary, fields, not_recorded)
    _check_diseases(fields, dictionary, composites)
    return Manifest(source=source, title=read_text(document, "title") or source,
                    description=read_text(document, "description"),
                    licence=read_text(document, "licence"), origin=_read_origin(document), files=files,
                    fields=MappingProxyType(fields), missing=missing, ignore=ignore,
                    endpoints_not_recorded=MappingProxyType(not_recorded))


def _read_origin(document: LocatedDict) -> Origin:
    value = document.get("synthetic", False)
    if isinstance(value, bool):
        return Origin.SYNTHETIC if value else Origin.PATIENTS
    if value == "public":
        return Origin.PUBLIC
    raise fail(document, "synthetic", "'synthetic' is not true, false or public",
               "Write `synthetic: true` for made-up data, `false` for patients, `public` for published data.")


def _check_ignored(document: LocatedDict, ignore: tuple[str, ...], fields: Mapping[str, FieldSpec]) -> None:
    for column in ignore:
        for spec in fields.values():
            if column in spec.columns:
                raise fail(document, "ignore", f"the column '{column}' is ignored and also read by '{spec.variable}'",
                           "Remove it from `ignore` or remove the mapping.")


def _read_not_recorded(document: LocatedDict) -> dict[str, str]:
    block = document.get("endpoints_not_recorded")
    if block is None:
        return {}
    if not isinstance(block, LocatedDict):
        raise fail(document, "endpoints_not_recorded", "'endpoints_not_recorded' is not a map of endpoint to reason",
                   "Write `os: why the files cannot answer it` under it.")
    for name in block:
        if name not in ENDPOINTS:
            raise fail(block, name, f"there is no endpoint '{name}'", suggest(name, tuple(ENDPOINTS)))
    return {name: read_text(block, name) for name in block}


def _check_required(document: LocatedDict, dictionary: Dictionary, fields: Mapping[str, FieldSpec],
                    not_recorded: Mapping[str, str]) -> None:
    """Every required variable is mapped, constant, or built from parts; parts may lack where no endpoint needs them."""
    needs_events = not set(ENDPOINTS) - {"os"} <= set(not_recorded)
    alternatives: dict[str, tuple[str, ...]] = {"death": ("death", "death_days", *(() if "os" not in not_recorded else
                                                                                      tuple(fields)))}
    alternatives["first_event"] = ("first_event", "relapse", "relapse_days") if needs_events else tuple(fields)
    absent = [variable for variable in dictionary.variables.values()
              if variable.required and not variable.derived and variable.type is not VariableType.IDENTIFIER
              and not any(name in fields for name in alternatives.get(variable.name, (variable.name,)))]
    if absent:
        names = ", ".join(f"'{variable.name}' ({variable.label.lower()})" for variable in absent)
        plural = "s are" if len(absent) > 1 else " is"
        raise fail(document, "variables", f"the required variable{plural} not mapped: {names}",
                   f"Add `{absent[0].name}: {{column: …}}` or `{{constant: …}}`.")


def _check_diseases(fields: Mapping[str, FieldSpec], dictionary: Dictionary, composites: tuple[str, ...]) -> None:
    disease = fields["disease"].constant
    if disease is None:
        return
    for name, spec in fields.items():
        variable = dictionary[f"{name}_value"] if name in composites else dictionary[name]
        if variable.diseases and disease not in variable.diseases:
            raise SourceError(f"'{name}' belongs to {', '.join(sorted(variable.diseases))}, the source to {disease}",
                              where=spec.where, remedy="Remove it or correct `disease`.")
