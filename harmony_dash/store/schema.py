"""The columns of a snapshot, made from the dictionary and the endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from harmony_dash.cohort.endpoints import ENDPOINTS, EXCLUSIONS
from harmony_dash.dictionary.model import Dictionary, Variable, VariableType
from harmony_dash.store import record_keys

SCHEMA_VERSION = 6

_EXCLUSION_TYPE = "exclusion_reason"


def quote(identifier: str) -> str:
    """An identifier for SQL text; identifiers come from the dictionary alone, values are always bound."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text literal, for the values of an ENUM type, which cannot be bound."""
    return "'" + text.replace("'", "''") + "'"


def enum_name(variable: Variable) -> str:
    """Name of the ENUM type of a categorical variable."""
    return f"values_{variable.name}"


def stored_variables(dictionary: Dictionary) -> tuple[Variable, ...]:
    """The variables that are columns of `patient`, identifiers aside."""
    return tuple(v for v in dictionary.kept if v.type is not VariableType.IDENTIFIER)


def staging_schema(dictionary: Dictionary) -> pa.Schema:
    """Arrow schema of the rows a source hands over, all nullable, and the record key the writer adds to them."""
    fields = [pa.field("patient", pa.string()), pa.field(record_keys.COLUMN, pa.uint64(), nullable=False)]
    for variable in stored_variables(dictionary):
        fields.append(pa.field(variable.name, _arrow_type(variable)))
    for endpoint in ENDPOINTS:
        fields += [pa.field(f"{endpoint}_days", pa.int32()), pa.field(f"{endpoint}_cause", pa.int8()),
                   pa.field(f"{endpoint}_excluded", pa.string())]
    return pa.schema(fields)


def _arrow_type(variable: Variable) -> pa.DataType:
    if variable.is_categorical:
        return pa.string()
    return pa.float64() if variable.type is VariableType.NUMBER else pa.int32()


def enum_statements(dictionary: Dictionary, code_values: Mapping[str, Sequence[str]]) -> list[str]:
    """`CREATE TYPE` for every categorical variable; open codes take the values found in the data."""
    statements = [f"CREATE TYPE {_EXCLUSION_TYPE} AS ENUM ({', '.join(map(literal, EXCLUSIONS))})"]
    for variable in stored_variables(dictionary):
        if variable.is_categorical:
            values = list(variable.values) or list(code_values.get(variable.name, ())) or ["-"]
            statements.append(f"CREATE TYPE {enum_name(variable)} AS ENUM ({', '.join(map(literal, values))})")
    return statements


def patient_statement(dictionary: Dictionary) -> str:
    """`CREATE TABLE patient` from the staging rows, with ENUM columns, disease by disease."""
    columns = ['"patient"', record_keys.COLUMN]
    for variable in stored_variables(dictionary):
        name = quote(variable.name)
        columns.append(f"CAST({name} AS {enum_name(variable)}) AS {name}" if variable.is_categorical else name)
    for endpoint in ENDPOINTS:
        columns += [quote(f"{endpoint}_days"), quote(f"{endpoint}_cause"),
                    f"CAST({quote(f'{endpoint}_excluded')} AS {_EXCLUSION_TYPE}) AS {quote(f'{endpoint}_excluded')}"]
    return (f"CREATE TABLE patient AS SELECT {', '.join(columns)} FROM staging "
            f'ORDER BY "disease", "source", "patient"')


STATIC_TABLES = (
    """CREATE TABLE source (
        source VARCHAR PRIMARY KEY, title VARCHAR, provider VARCHAR, trial VARCHAR, licence VARCHAR,
        synthetic VARCHAR, description VARCHAR, files VARCHAR, read_count BIGINT, accepted_count BIGINT,
        quarantined_count BIGINT, quarantined_key UBIGINT)""",
    """CREATE TABLE issue (
        source VARCHAR, file VARCHAR, row_number BIGINT, column_name VARCHAR, variable VARCHAR, reason VARCHAR,
        severity VARCHAR, message VARCHAR)""",
    "CREATE TABLE meta (key VARCHAR PRIMARY KEY, value VARCHAR)",
)
