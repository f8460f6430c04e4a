"""The identifier gate: a source that seems to hold direct identifiers is refused before anything is taken from it.

Every column is scanned, ignored ones too. A finding names file, first row, column and count, never the value. The gate
is a net under the provider's own pseudonymisation, not a replacement for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType

import numpy as np

from harmony_dash.dictionary import Dictionary
from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest import FieldSpec, FileSpec, Manifest
from harmony_dash.ingest.readers import RawTable

MAX_CODE_CHARACTERS = 40
MAX_DISTINCT_SHARE = 0.05
MAX_DISTINCT_PHRASES = 20
# Pure digits pass a check digit by chance (one in eleven for many), so most of a column has to pass.
MOST = 0.8
HALF = 0.5
MINIMUM_NAMES = 5
MINIMUM_SINGLE_NAMES = 20


class Role(Enum):
    """What the manifest says a column holds, which decides what may be in it."""

    ID = "identifier"
    DATE = "date"
    NUMBER = "number"
    LIST = "value list"
    CODE = "code"
    IGNORED = "ignored"


@dataclass(frozen=True)
class Finding:
    """What looks like an identifier: where it starts, how often, never the value."""

    file: str
    row: int | None
    column: str
    count: int
    kind: str

    def describe(self) -> str:
        """One line for the person who has to remove it."""
        place = self.file if self.row is None else f"{self.file}, row {self.row}"
        cells = "" if self.row is None else f" in {self.count:,} cell{'s' if self.count > 1 else ''}"
        return f"{place}, column '{self.column}': {self.kind}{cells}"


def check_identifiers(tables: Sequence[RawTable], manifest: Manifest, dictionary: Dictionary) -> None:
    """Refuse the source if anything in its files looks like a direct identifier.

    Raises
    ------
    SourceError listing every finding.
    """
    findings = find_identifiers(tables, manifest, dictionary)
    if findings:
        raise SourceError("the files seem to hold direct identifiers: " + "; ".join(f.describe() for f in findings),
                          where=manifest.source,
                          remedy="Remove these columns or cells at the provider and export again.")


def find_identifiers(tables: Sequence[RawTable], manifest: Manifest, dictionary: Dictionary) -> list[Finding]:
    """Everything in the files that looks like a direct identifier, in the order of files and columns."""
    findings: list[Finding] = []
    for table in tables:
        roles = _roles(table, manifest, dictionary)
        for column in table.columns:
            role, declared = roles[column]
            kind = suspicious_name(column)
            if kind and role is not Role.ID:
                findings.append(Finding(table.spec.label, None, column, len(table), kind))
            findings += _scan_column(table, column, role, declared)
    return findings


def _roles(table: RawTable, manifest: Manifest, dictionary: Dictionary) -> dict[str, tuple[Role, frozenset[str]]]:
    """Role of each column and the cells declared for it: words of value maps and missing tokens are no identifiers."""
    roles: dict[str, tuple[Role, frozenset[str]]] = {}
    for column in table.columns:
        names = {column, f"{table.spec.name}.{column}"}
        readers = [spec for spec in manifest.fields.values() if names & set(spec.columns)]
        declared = frozenset(manifest.missing).union(*(_declared_words(spec) for spec in readers))
        roles[column] = _role(column, names, readers, table.spec, dictionary), declared
    return roles


def _declared_words(spec: FieldSpec) -> Iterable[str]:
    return {*spec.missing, *(spec.values or ()), *(spec.method_values or ()), *spec.negative, *spec.failed,
            *spec.not_done, *spec.positive_not_quantifiable}


def _role(column: str, names: set[str], readers: Sequence[FieldSpec], file: FileSpec, dictionary: Dictionary) -> Role:
    if column == file.id:
        return Role.ID
    if any(names & set(spec.date_columns) for spec in readers):
        return Role.DATE
    if not readers:
        return Role.IGNORED
    for spec in readers:
        if spec.variable not in dictionary or not names & {spec.column}:
            continue  # a part of a composite, or a column another one is compared with
        variable = dictionary[spec.variable]
        if variable.is_numeric:
            return Role.NUMBER
        if not variable.values and spec.values is None and spec.variable != "disease":
            return Role.CODE
    return Role.LIST


# -- column names ---------------------------------------------------------------------------------------------------

# Words that name an identifier wherever they stand in a header.
_WORDS: Mapping[str, str] = MappingProxyType({
    **dict.fromkeys((
        "surname", "lastname", "firstname", "forename", "fullname", "patientname", "nachname", "vorname",
        "familienname",
        "geburtsname", "prenom", "apellido", "apellidos", "sobrenome", "apelido", "cognome", "voornaam", "achternaam",
        "fornavn", "efternavn", "etternavn", "fornamn", "efternamn", "etunimi", "sukunimi", "jmeno", "prijmeni",
        "priezvisko", "eesnimi", "perenimi", "vardas", "pavarde", "initials", "initialen", "initiales", "iniciales",
        "iniziali", "initialer", "patientenname", "maidenname", "nombreyapellidos"), "a column for names"),
    **dict.fromkeys(("email", "emailaddress", "courriel", "correoelectronico", "epost", "sahkoposti"),
                    "a column for e-mail addresses"),
    **dict.fromkeys((
        "phone", "telephone", "telefon", "telefono", "telefone", "telefoon", "handynummer", "mobilnummer",
        "mobiltelefon",
        "telefonnummer", "phonenumber", "puhelin", "puhelinnumero", "telephonenumber", "telefonnr"),
        "a column for telephone numbers"),
    **dict.fromkeys((
        "address", "adresse", "adress", "adres", "adresa", "direccion", "morada", "indirizzo", "osoite", "street",
        "strasse", "postcode", "zipcode", "plz", "postleitzahl", "codepostal", "codigopostal", "postnummer",
        "psc", "postinumero", "wohnort", "anschrift", "domicilio", "endereco"), "a column for addresses"),
    **dict.fromkeys((
        "mrn", "ssn", "bsn", "nhsnumber", "nhsno", "hetu", "henkilotunnus", "personnummer", "personnr", "fodselsnummer",
        "fnr", "cprnr", "cprnummer", "rodnecislo", "isikukood", "asmenskodas", "kennitala", "codicefiscale", "dni",
        "nif",
        "nss", "nir", "nhc", "numerosecu", "krankenversichertennummer", "versichertennummer",
        "sozialversicherungsnummer",
        "svnr", "ahvnr", "kvnr", "fallnummer", "aktenzeichen", "krankenaktennummer", "journalnummer", "passport",
        "passportnumber", "reisepass", "iban", "rijksregisternummer", "numeroutente", "burgerservicenummer",
        "hospitalnumber", "medicalrecordnumber", "insurancenumber"), "a column for national or hospital numbers"),
    **dict.fromkeys((
        "dob", "birthdate", "dateofbirth", "geburtsdatum", "geburtstag", "datedenaissance", "fechadenacimiento",
        "fechanacimiento", "datadinascita", "datanascita", "datadenascimento", "datanascimento", "geboortedatum",
        "fodselsdato", "fodelsedatum", "fodselsdag", "syntymaaika", "syntymapaiva", "datumnarozeni", "birthday",
        "datenaissance", "gebdatum", "gebdat"), "a column for dates of birth"),
})
# Words that are only an identifier when they are the whole header ("Name" is, "Drug name" is not).
_WHOLE: Mapping[str, str] = MappingProxyType({
    **dict.fromkeys(("name", "nom", "nome", "nombre", "naam", "navn", "namn", "nimi", "meno", "names"),
                    "a column for names"),
    **dict.fromkeys(("mail", "correo"), "a column for e-mail addresses"),
    **dict.fromkeys(("tel", "mobile", "handy", "gsm", "portable", "fax"), "a column for telephone numbers"),
    **dict.fromkeys(("zip", "postal", "ort", "ville", "city"), "a column for addresses"),
    **dict.fromkeys(("cpr", "nie", "nhs", "niss", "ipp", "pps", "ahv"), "a column for national or hospital numbers"),
})
_CAMEL = re.compile(r"(?<=[a-z0-9ß-ÿ])(?=[A-ZÀ-Þ])")
_PATIENT_WORDS = frozenset({"patient", "pat", "patients", "patienten", "paciente", "paziente", "patientens"})


def suspicious_name(column: str) -> str:
    """What a column name says it holds if that is an identifier, else an empty string."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", _CAMEL.sub(" ", column))
                    if not unicodedata.combining(letter)).casefold().replace("ø", "o")
    tokens = [token for token in re.split(r"[^a-z]+", plain) if token]
    # "date de naissance", "e-mail", "codice fiscale": neighbouring words are also read as one.
    joined = {"".join(tokens[start:end]) for start in range(len(tokens))
              for end in range(start + 1, min(start + 4, len(tokens)) + 1)}
    for token in sorted(joined):
        if token in _WORDS:
            return _WORDS[token]
    rest = [token for token in tokens if token not in _PATIENT_WORDS]
    return _WHOLE.get(rest[0], "") if len(rest) == 1 else ""


# -- national identifiers with check digits --------------------------------------------------------------------------

def _digits(text: str) -> list[int]:
    return [int(letter) for letter in text if letter.isdigit()]


def _weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _two_digit_day(year: int, month: int, day: int) -> bool:
    return _is_day(1900 + year, month, day) or _is_day(2000 + year, month, day)


def _luhn(digits: Sequence[int]) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if position % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _is_bsn(text: str) -> bool:
    d = _digits(text)
    return len(d) == 9 and d[:2] != [0, 0] and _weighted(d, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def _is_nif(text: str) -> bool:
    d = _digits(text)
    if len(d) != 9 or d[0] in (0, 4, 7):
        return False
    check = 11 - _weighted(d, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return d[8] == (0 if check >= 10 else check)


def _is_personnummer(text: str) -> bool:
    d = _digits(text)[-10:]
    day = d[4] * 10 + d[5] if len(d) == 10 else 0
    return len(d) == 10 and _luhn(d) and _two_digit_day(
        d[0] * 10 + d[1], d[2] * 10 + d[3], day - 60 if day > 60 else day)


def _is_cpr_day(text: str) -> bool:
    d = _digits(text)
    return len(d) == 10 and _two_digit_day(d[4] * 10 + d[5], d[2] * 10 + d[3], d[0] * 10 + d[1])


def _is_cpr(text: str) -> bool:
    return _is_cpr_day(text) and _weighted(_digits(text), (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _is_kennitala(text: str) -> bool:
    return (_is_cpr_day(text) and _digits(text)[9] in (0, 8, 9)
            and _weighted(_digits(text), (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0)


def _is_fodselsnummer(text: str) -> bool:
    d = _digits(text)
    if len(d) != 11:
        return False
    day, month = d[0] * 10 + d[1], d[2] * 10 + d[3]
    return (_two_digit_day(d[4] * 10 + d[5], month - 40 if month > 40 else month, day - 40 if day > 40 else day)
            and _weighted(d, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
            and _weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0)


def _is_hetu(text: str) -> bool:
    d = _digits(text[:6]) + _digits(text[7:10])
    number = int("".join(map(str, d)))
    return (_two_digit_day(d[4] * 10 + d[5], d[2] * 10 + d[3], d[0] * 10 + d[1])
            and "0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == text[10].upper())


def _is_nir(text: str) -> bool:
    plain = re.sub(r"[ .]", "", text).upper().replace("2A", "19").replace("2B", "18")
    return plain.isdigit() and len(plain) == 15 and 97 - int(plain[:13]) % 97 == int(plain[13:])


def _is_dni(text: str) -> bool:
    plain = re.sub(r"[ .-]", "", text).upper()
    number = plain[:-1].replace("X", "0", 1).replace("Y", "1", 1).replace("Z", "2", 1)
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == plain[-1]


_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22,
    25, 24, 23), strict=True))


def _is_codice_fiscale(text: str) -> bool:
    plain = text.upper()
    total = sum(_ODD[letter] if position % 2 == 0 else (int(letter) if letter.isdigit() else ord(letter) - 65)
                for position, letter in enumerate(plain[:15]))
    return chr(65 + total % 26) == plain[15]


def _is_rodne_cislo(text: str) -> bool:
    d = _digits(text)
    month = d[2] * 10 + d[3]
    for shift in (70, 50, 20):
        if month > shift:
            month -= shift
            break
    day_fits = _two_digit_day(d[0] * 10 + d[1], month, d[4] * 10 + d[5])
    return day_fits and (len(d) == 9 or (len(d) == 10 and int("".join(map(str, d))) % 11 == 0))


def _is_niss(text: str) -> bool:
    d = "".join(map(str, _digits(text)))
    if len(d) != 11 or not int(d[2:4]) % 20 <= 12 or int(d[4:6]) > 31:
        return False
    return int(d[9:]) in (97 - int(d[:9]) % 97, 97 - int("2" + d[:9]) % 97)


def _is_ahv(text: str) -> bool:
    d = _digits(text)
    return len(d) == 13 and d[:3] == [7, 5, 6] and (10 - _weighted(d, (1, 3) * 6) % 10) % 10 == d[12]


def _is_svnr(text: str) -> bool:
    d = _digits(text)
    if len(d) != 10 or d[0] == 0:
        return False
    check = _weighted([*d[:3], *d[4:]], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11
    month = d[6] * 10 + d[7]
    return check == d[3] and (month > 12 or _two_digit_day(d[8] * 10 + d[9], month, d[4] * 10 + d[5]))


def _is_steuer_id(text: str) -> bool:
    d = _digits(text)
    counts = [d[:10].count(digit) for digit in range(10)]
    # Exactly one digit of the first ten occurs twice or three times.
    if len(d) != 11 or d[0] == 0 or sum(count > 1 for count in counts) != 1 or max(counts) > 3:
        return False
    product = 10
    for digit in d[:10]:
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == d[10]


def _is_kvnr(text: str) -> bool:
    plain = text.upper()
    digits = [*divmod(ord(plain[0]) - 64, 10), *_digits(plain[1:9])]
    total = sum(product // 10 + product % 10 for product in
                (digit * (1 if position % 2 == 0 else 2) for position, digit in enumerate(digits)))
    return total % 10 == int(plain[9])


def _is_baltic_code(text: str) -> bool:
    d = _digits(text)
    if len(d) != 11 or not 1 <= d[0] <= 6 or not _two_digit_day(
            d[1] * 10 + d[2], d[3] * 10 + d[4], d[5] * 10 + d[6]):
        return False
    check = _weighted(d, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = _weighted(d, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return check == d[10]


def _is_nhs(text: str) -> bool:
    d = _digits(text)
    check = 11 - _weighted(d, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return len(d) == 10 and d[9] == (0 if check == 11 else check)


_IBAN_LENGTH = MappingProxyType({
    "AT": 20, "BE": 16, "CH": 21, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22,
    "IE": 22,
    "IS": 26, "IT": 27, "LT": 20, "LU": 20, "LV": 21, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "SE": 24, "SK": 24})


def _is_iban(text: str) -> bool:
    """Whether the text starts with an IBAN; a word that follows it may have been read into it."""
    plain = text.replace(" ", "").upper()
    plain = plain[: _IBAN_LENGTH.get(plain[:2], 0)]
    if len(plain) != _IBAN_LENGTH.get(plain[:2]):
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


@dataclass(frozen=True)
class _Pattern:
    """One kind of identifier.

    `share` of the distinct cells of this shape has to pass; 0 means that one cell is enough. Bare digits (`bare`) are
    not looked for in columns of numbers, where they are counts or days.
    """

    kind: str
    shape: re.Pattern[str]
    passes: Callable[[str], bool]
    share: float = 0.0
    bare: bool = False
    search: bool = False


def _always(_: str) -> bool:
    return True


def _shaped(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _national(kind: str, shape: str, passes: Callable[[str], bool], share: float = 0.0, *,
              bare: bool = False) -> _Pattern:
    return _Pattern(kind, re.compile(shape), passes, share, bare)


_NATIONAL = (
    _national("Dutch citizen service number", r"\d{4}\.\d{2}\.\d{3}", _is_bsn, HALF),
    _national("Dutch citizen service number", r"\d{9}", _is_bsn, MOST, bare=True),
    _national("Portuguese tax number", r"\d{3}[ .]\d{3}[ .]\d{3}", _is_nif, HALF, bare=True),
    _national("Portuguese tax number", r"(?:PT)?\d{9}", _is_nif, MOST, bare=True),
    _national("Swedish personal number", r"(?:\d{2})?\d{6}[-+]\d{4}", _is_personnummer, HALF),
    _national("Swedish personal number", r"(?:19|20)?\d{10}", _is_personnummer, MOST, bare=True),
    _national("Danish personal number", r"\d{6}-\d{4}", _is_cpr_day, HALF),
    _national("Danish personal number", r"\d{10}", _is_cpr, MOST, bare=True),
    _national("Icelandic personal number", r"\d{6}-?\d{4}", _is_kennitala, MOST, bare=True),
    _national("Norwegian national number", r"\d{6} \d{5}", _is_fodselsnummer, HALF),
    _national("Norwegian national number", r"\d{11}", _is_fodselsnummer, HALF, bare=True),
    _national("Finnish personal code", r"\d{6}[-+A-FU-Ya-fu-y]\d{3}[0-9A-Za-z]", _is_hetu, HALF),
    _national("French social security number",
              r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[ABab]) ?\d{3} ?\d{3} ?\d{2}", _is_nir),
    _national("Spanish identity number", r"\d{2}\.?\d{3}\.?\d{3}[ -]?[A-Za-z]", _is_dni, HALF),
    _national("Spanish foreigner number", r"[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]", _is_dni, HALF),
    _national("Italian tax code",
              r"[A-Za-z]{6}[0-9LMNPQRSTUVlmnpqrstuv]{2}[A-EHLMPRSTa-ehlmprst][0-9LMNPQRSTUVlmnpqrstuv]{2}"
              r"[A-Za-z][0-9LMNPQRSTUVlmnpqrstuv]{3}[A-Za-z]", _is_codice_fiscale),
    _national("Czech or Slovak birth number", r"\d{6}/\d{3,4}", _is_rodne_cislo, HALF),
    _national("Czech or Slovak birth number", r"\d{10}", _is_rodne_cislo, MOST, bare=True),
    _national("Belgian national number", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", _is_niss, HALF),
    _national("Belgian national number", r"\d{6}[ -]?\d{3}[ .-]?\d{2}", _is_niss, HALF, bare=True),
    _national("Swiss insurance number", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", _is_ahv),
    _national("Austrian insurance number", r"\d{4}[ /-]\d{6}", _is_svnr, HALF),
    _national("Austrian insurance number", r"\d{10}", _is_svnr, MOST, bare=True),
    _national("German tax number", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", _is_steuer_id, HALF, bare=True),
    _national("German insurance number", r"[A-Z]\d{9}", _is_kvnr, HALF),
    _national("Estonian or Lithuanian personal code", r"\d{11}", _is_baltic_code, HALF, bare=True),
    _national("British health service number", r"\d{3}[ -]\d{3}[ -]\d{4}", _is_nhs, HALF),
    _national("British health service number", r"\d{10}", _is_nhs, MOST, bare=True),
    # No check digit, and a usual shape of trial identifiers: not looked for in the id column.
    _national("United States social security number", r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", _always,
              bare=True),
)

_EMAIL = re.compile(r"[^\s@<>()]+@[^\s@<>()]+\.[A-Za-z]{2,}")
_IBAN_PATTERN = _Pattern("a bank account number", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b"), _is_iban, HALF,
                         search=True)
_INTERNATIONAL_PHONE = re.compile(
    r"(?<![\w.])(?:\+|00)[1-9]\d{0,2}[ ./-]?(?:\(0\))?[ ./-]?\(?\d(?:[ ./()-]{0,2}\d){6,12}(?![\w.,])"
    r"|\b(?:[Tt]el|[Pp]hone|[Mm]ob|[Ff]on|GSM)[a-z]*[.: ]{1,2}[+0-9][0-9 ()/-]{5,}")
_NATIONAL_PHONE = re.compile(r"(?<![\w.,-])\(?0[1-9]\d{0,4}\)?[ /-]{1,3}\d{2,4}(?:[ -]?\d{2,4}){1,4}(?![\w.,-])")
# A whole cell of grouped digits as telephone numbers are written in ES, PT, CZ (3-3-3), DK, NO and FR (pairs).
_GROUPED_PHONE = re.compile(
    r"[67923]\d{2} \d{3} \d{3}|[679]\d{2} \d{2} \d{2} \d{2}|[2-9]\d(?: \d{2}){3}|[49]\d{2} \d{2} \d{3}"
    r"|0[1-9](?:[ .-]\d{2}){4}|0[1-9]\d{8,9}")
_HOSPITAL_NUMBER = re.compile(
    r"\b(?:MRN|NHC|NHS|IPP|KIS|UHID|URN|SSN|BSN|CPR|DNI|NIF|[Ff]all-?[Nn]r|[Aa]kten?-?(?:[Nn]r|[Zz]eichen)|"
    r"[Pp]at(?:ient)?(?:en)?\.?[ -]?(?:[Nn]r|ID)|[Hh]osp(?:ital)?\.? ?(?:[Nn]o|[Nn]umber)|[Jj]ournal-?[Nn]r)"
    r"\.?[ :#_-]{0,3}[A-Z]?\d{5,}\b")

_MONTH = (r"(?:jan|feb|f[eé]v|m[aä]r|mrt|apr|avr|abr|ma[iyj]|maj|mag|jun|jui|giu|jul|lug|aug|ao[uû]|ago|sep|set|o[ck]t|"
          r"ott|nov|de[cz]|dic|des)[a-zéûç]{0,8}")
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20)\d{2}"
_DATE = re.compile(
    rf"(?<![\w.,/-]){_DAY}([./-])(?:0?[1-9]|1[0-2])\1{_YEAR}(?!\d)"
    rf"|(?<![\w.,/-])(?:0?[1-9]|1[0-2])/{_DAY}/{_YEAR}(?!\d)"
    rf"|(?<![\w.,/-]){_YEAR}([-/.])(?:0?[1-9]|1[0-2])\2{_DAY}(?!\d)"
    rf"|(?<![\w.,/-]){_DAY}\.?[ -]{_MONTH}\.?,?[ -]{_YEAR}\b|\b{_MONTH}\.? {_DAY}, ?{_YEAR}\b", re.IGNORECASE)
_SHORT_DATE = re.compile(rf"{_DAY}([./-])(?:0?[1-9]|1[0-2])\1\d{{2}}")
_MONTH_DATE = re.compile(rf"(?:0?[1-9]|1[0-2])/{_YEAR}")
_COMPACT_DATE = re.compile(rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_DATE_CELL = re.compile(r"[0-9./ :TZ+-]+")

_CAPITAL = r"[A-ZÀ-ÖØ-ÞČĎĚŇŘŠŤŮŽĽĹŔĀĒĪŪ]"
_SMALL = r"[a-zß-öø-ÿčďěňřšťůžľĺŕāēīū]"
_NAME_WORD = rf"{_CAPITAL}{_SMALL}+(?:[-'’]{_CAPITAL}?{_SMALL}+)*"
_PARTICLE = r"(?:(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|ter|ten|zu|af|av|y|e) )*"
_TITLED_NAME = re.compile(
    rf"\b(?:Dr\.?|Prof\.?|Mr\.?|Mrs\.?|Ms\.?|Herrn?|Frau|Mme|Mlle|Monsieur|Madame|Sr\.|Sra\.?|Señora?|Doña|"
    rf"Sig\.(?:ra)?|"
    rf"Signora?|Dhr\.?|Mevr\.?|Mevrouw|Meneer|Herra|Rouva|Fru|MUDr\.?|Pan[ií]) (?:Dr\.? |"
    rf"med\.? )*{_PARTICLE}{_NAME_WORD}")
_FULL_NAME = re.compile(rf"{_NAME_WORD}(?: {_NAME_WORD}| {_CAPITAL}\.)? {_PARTICLE}{_NAME_WORD}"
                        rf"|{_PARTICLE}{_NAME_WORD}, ?{_NAME_WORD}(?: {_NAME_WORD})?"
                        rf"|{_NAME_WORD} {_CAPITAL}{{2,}}|{_CAPITAL}{{2,}} {_NAME_WORD}")
_SINGLE_NAME = re.compile(rf"{_NAME_WORD}")
_ADDRESS = re.compile(
    rf"{_NAME_WORD}(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|straat|laan|gracht|plein|gatan|vägen|gade|vej|"
    rf"gata|veien|"
    rf"katu|tie|kuja) \d{{1,4}}\b"
    rf"|\b(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]alle|[Aa]venida|[Pp]laza|[Vv]ia|[Vv]iale|[Pp]iazza|[Rr]ua|"
    rf"[Uu]lice|[Uu]l\.) "
    rf"(?:de |del |della |di |da |do |des |du |la |le |l')*{_CAPITAL}[\w' ]{{2,30}},? \d{{1,4}}\b"
    rf"|\b\d{{1,4}},? (?:rue|avenue|boulevard|chemin|place) (?:de |des |du |la |le |l')*\w{{3,}}"
    rf"|\b\d{{1,4}} {_NAME_WORD} (?:Street|Road|Lane|Avenue|Drive)\b"
    rf"|\b(?:Große|Alte|Neue|Am|An der) {_NAME_WORD}(?:straße|strasse|str\.)? \d{{1,4}}\b"
    rf"|(?:[A-Z]{{1,2}}-)?\d{{5}} {_NAME_WORD}")
# First names that are common in the pool and are not also a place, a gene, a drug or a word of the data.
_FIRST_NAMES = frozenset("""
aino alejandro alessandro alexander alexandra alice ana anders andrea andreas andrej andres anna anne anneli annika
anton antonio antti arne barbara bart beatriz benjamin birgit bjorn brigitte camille carla carlos carmen caroline
catarina catherine celine charlotte chiara christian christiane christina christoph christophe claire claudia cristina
daan daniel daniela david denise diana diego dirk dominik dorothea eeva elena elisabeth elin emil emilia emilie emma
enrico erik erika eva eveline fabian fatima felix fernando filip florian francesca francesco franz frederik freja
gabriele georg gerhard giovanni giulia giuseppe grzegorz guillaume gunter gustav hanna hannah hans heike helena helga
henrik hugo ida ines ingrid isabel isabelle jakob jakub jan jana janne jaroslav javier jean jens jeroen jesper jiri
joao johan johanna johannes john jonas jorge jose josef joseph juan juha juhani julia julie juliette jurgen kaja kalle
karel karin karl karolina kasper katarina katharina kathrin kerstin kirsten klaus kristina lars laura lea lena leon
leonie liam lieke linda lisa lotte louise luca lucas lucia lucie ludwig luis luisa lukas maarten magdalena maija
manuel marc marco marcel margarida maria marie mario marja markus marta martin martina mathias mathilde matteo matti
maximilian mette michael michaela michal michel miguel mika mikael mikko miroslav monika mohammed mohamed morten nadia
nathalie nicolas niels nils nina noah olga oliver olivia ole olivier ondrej oscar pablo paola pascal patrick patricia
paul paula paulo pavel pedro peter petr petra philipp philippe pia pierre pieter pilar rafael rasmus rita robert
roberto rosa ruben ruth sabine sandra sanne sara sarah sebastian silke silvia simon simone sofia sofie sophie soren
stefan stefanie stephanie susanne sven svenja tereza teresa theo thomas tiago tim tobias tomas tuomas ulla ulrich
ulrike ursula vaclav veronika viktor vincent vladimir walter werner wilhelm wolfgang yvonne zdenek zuzana
""".split())  # noqa: SIM905
# Words that make a capitalised phrase an institution or a protocol.
_INSTITUTIONS = re.compile(r"hospi|clin|klin|instit|univ|cent|zentrum|ziekenhuis|sygehus|sykehus|sjukhus|nemocnice|"
                           r"sairaala|school|stud|trial|group|protocol|arm\b|risk|dose|therap|registr|foundation|children")
_ISCN = re.compile(r"\d{2}[~<>\d-]*,[XY?]")
_HEX = re.compile(r"[0-9a-fA-F]{32,128}")
# Cells that cannot be an identifier by themselves: short numbers and short words. Most cells of a source end here.
_HARMLESS = re.compile(r"[<>+-]{0,2}\d{0,7}(?:[.,]\d*(?:[eE][+-]?\d+)?)?\s?%?|[^\W\d_]{0,12}|[+-]")


def _is_named_person(text: str) -> bool:
    if _INSTITUTIONS.search(text.casefold()):
        return False
    words = re.split(r"[ ,]+", text)
    plain = ("".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))
             .replace("ø", "o").casefold() for word in words)
    return any(part in _FIRST_NAMES for word in plain for part in word.split("-"))


_TEXT_PATTERNS = (
    _Pattern("a telephone number", _INTERNATIONAL_PHONE, lambda text: 7 <= len(_digits(text)) <= 15, search=True),
    _Pattern("a name of a person", _TITLED_NAME, _always, search=True),
    _Pattern("a name of a person", _FULL_NAME, _is_named_person),
    _Pattern("an address", _ADDRESS, _always, search=True),
)
# Not looked for in the id column, where pseudonyms such as 012-00045 or PatNr00012 are what is expected.
_NUMBER_PATTERNS = (
    _Pattern("a hospital number", _HOSPITAL_NUMBER, _always, search=True),
    _Pattern("a telephone number", _NATIONAL_PHONE, lambda text: 9 <= len(_digits(text)) <= 13, search=True),
    _Pattern("a telephone number", _GROUPED_PHONE, _always, bare=True),
)
_DATE_PATTERNS = (
    _Pattern("a calendar date", _DATE, _always, search=True),
    _Pattern("a calendar date", re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{2}"), _shaped(_SHORT_DATE), HALF, bare=True),
    _Pattern("a calendar date", re.compile(r"\d{1,2}/\d{4}"), _shaped(_MONTH_DATE), HALF, bare=True),
    _Pattern("a calendar date", re.compile(r"\d{8}"), _shaped(_COMPACT_DATE), MOST, bare=True),
)


# -- scanning a column ------------------------------------------------------------------------------------------------

def _scan_column(table: RawTable, column: str, role: Role, declared: Collection[str]) -> list[Finding]:
    codes, values = table.distinct(column)
    suspects = [(position, value) for position, value in enumerate(values)
                if not _HARMLESS.fullmatch(value) and value not in declared]
    hits: dict[str, set[int]] = {}
    for kind, positions in _find_kinds(suspects, role):
        hits.setdefault(kind, set()).update(positions)
    if role in (Role.CODE, Role.IGNORED, Role.ID):
        for kind, positions in _find_text(codes, values, declared, role):
            hits.setdefault(kind, set()).update(positions)
    findings: list[Finding] = []
    for kind, found in hits.items():
        if not found:
            continue
        rows = np.flatnonzero(np.isin(codes, sorted(found)))
        findings.append(Finding(table.spec.label, int(table.row_numbers[rows[0]]), column, len(rows), kind))
    return findings


def _find_kinds(suspects: Sequence[tuple[int, str]], role: Role) -> Iterable[tuple[str, list[int]]]:
    """Kinds of identifiers among the distinct cells; cheap tests first, for most cells are codes."""
    with_at = [(position, value) for position, value in suspects if "@" in value]
    yield "an e-mail address", [position for position, value in with_at if _EMAIL.search(value)]
    if role is Role.DATE:
        suspects = [(position, value) for position, value in suspects if not _DATE_CELL.fullmatch(value)]
    numbered = [(position, value) for position, value in suspects if sum(map(str.isdigit, value)) >= 6]
    yield _IBAN_PATTERN.kind, _matches(_IBAN_PATTERN, numbered)
    no_bare = role in (Role.NUMBER, Role.DATE)
    for pattern in _NATIONAL:
        if not (pattern.bare and no_bare) and not (pattern.passes is _always and role is Role.ID):
            yield pattern.kind, _matches(pattern, numbered)
    for pattern in _TEXT_PATTERNS:
        yield pattern.kind, _matches(pattern, suspects)
    if role is not Role.ID:
        for pattern in _NUMBER_PATTERNS:
            if not (pattern.bare and no_bare):
                yield pattern.kind, _matches(pattern, numbered)
    if role is not Role.DATE:
        for pattern in _DATE_PATTERNS:
            # Eight digits are a pseudonym in the id column and a count among numbers, not a date.
            if not (pattern.bare and role in (Role.NUMBER, Role.ID)):
                yield pattern.kind, _matches(pattern, suspects)


def _matches(pattern: _Pattern, suspects: Sequence[tuple[int, str]]) -> list[int]:
    shaped = 0
    passed: list[int] = []
    for position, value in suspects:
        match = pattern.shape.search(value) if pattern.search else pattern.shape.fullmatch(value)
        if match:
            shaped += 1
            if pattern.passes(match.group()):
                passed.append(position)
    return passed if passed and len(passed) >= pattern.share * shaped else []


def _find_text(codes: np.ndarray[tuple[int], np.dtype[np.intp]], values: Sequence[str], declared: Collection[str],
               role: Role) -> Iterable[tuple[str, list[int]]]:
    """Free text, and columns that are mostly names."""
    words = [(position, value) for position, value in enumerate(values) if value and value not in declared]
    filled = int(np.isin(codes, [position for position, _ in words]).sum()) if words else 0
    if not filled:
        return
    if role is not Role.ID:
        yield "free text", [position for position, value in words if len(value) > MAX_CODE_CHARACTERS
                            and not _ISCN.match(value) and not _HEX.fullmatch(value)]
        phrases = [position for position, value in words
                   if " " in value and not _ISCN.match(value) and re.search(r"[^\W\d_]{2}", value)]
        if len(phrases) > MAX_DISTINCT_PHRASES and len(words) / filled >= MAX_DISTINCT_SHARE:
            yield "free text", phrases
    varied = len(words) / filled >= HALF
    full = [position for position, value in words
            if _FULL_NAME.fullmatch(value) and not _INSTITUTIONS.search(value.casefold())]
    if varied and len(full) >= MINIMUM_NAMES and len(full) >= HALF * len(words):
        yield "names of persons", full
    single = [position for position, value in words if _SINGLE_NAME.fullmatch(value) and len(value) > 2]
    if varied and len(single) >= MINIMUM_SINGLE_NAMES and len(single) >= MOST * len(words):
        yield "names of persons", single
