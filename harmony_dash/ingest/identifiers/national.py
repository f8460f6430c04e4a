"""National identifiers and bank accounts, by country."""

from __future__ import annotations

import re
from collections.abc import Callable

from harmony_dash.ingest.identifiers.check_digits import (
    is_ahv,
    is_baltic_code,
    is_bsn,
    is_codice_fiscale,
    is_cpr,
    is_cpr_day,
    is_dni,
    is_fodselsnummer,
    is_hetu,
    is_iban,
    is_kennitala,
    is_kvnr,
    is_nhs,
    is_nif,
    is_nir,
    is_niss,
    is_personnummer,
    is_rodne_cislo,
    is_steuer_id,
    is_svnr,
)
from harmony_dash.ingest.identifiers.pattern import HALF, MOST, Pattern, always


def _national(kind: str, shape: str, passes: Callable[[str], bool], share: float = 0.0, *,
              bare: bool = False) -> Pattern:
    return Pattern(kind, re.compile(shape), passes, share, bare)


NATIONAL = (
    _national("Dutch citizen service number", r"\d{4}\.\d{2}\.\d{3}", is_bsn, HALF),
    _national("Dutch citizen service number", r"\d{9}", is_bsn, MOST, bare=True),
    _national("Portuguese tax number", r"\d{3}[ .]\d{3}[ .]\d{3}", is_nif, HALF, bare=True),
    _national("Portuguese tax number", r"(?:PT)?\d{9}", is_nif, MOST, bare=True),
    _national("Swedish personal number", r"(?:\d{2})?\d{6}[-+]\d{4}", is_personnummer, HALF),
    _national("Swedish personal number", r"(?:19|20)?\d{10}", is_personnummer, MOST, bare=True),
    _national("Danish personal number", r"\d{6}-\d{4}", is_cpr_day, HALF),
    _national("Danish personal number", r"\d{10}", is_cpr, MOST, bare=True),
    _national("Icelandic personal number", r"\d{6}-?\d{4}", is_kennitala, MOST, bare=True),
    _national("Norwegian national number", r"\d{6} \d{5}", is_fodselsnummer, HALF),
    _national("Norwegian national number", r"\d{11}", is_fodselsnummer, HALF, bare=True),
    _national("Finnish personal code", r"\d{6}[-+A-FU-Ya-fu-y]\d{3}[0-9A-Za-z]", is_hetu, HALF),
    _national("French social security number",
              r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[ABab]) ?\d{3} ?\d{3} ?\d{2}", is_nir),
    _national("Spanish identity number", r"\d{2}\.?\d{3}\.?\d{3}[ -]?[A-Za-z]", is_dni, HALF),
    _national("Spanish foreigner number", r"[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]", is_dni, HALF),
    _national("Italian tax code",
              r"[A-Za-z]{6}[0-9LMNPQRSTUVlmnpqrstuv]{2}[A-EHLMPRSTa-ehlmprst][0-9LMNPQRSTUVlmnpqrstuv]{2}"
              r"[A-Za-z][0-9LMNPQRSTUVlmnpqrstuv]{3}[A-Za-z]", is_codice_fiscale),
    _national("Czech or Slovak birth number", r"\d{6}/\d{3,4}", is_rodne_cislo, HALF),
    _national("Czech or Slovak birth number", r"\d{10}", is_rodne_cislo, MOST, bare=True),
    _national("Belgian national number", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", is_niss, HALF),
    _national("Belgian national number", r"\d{6}[ -]?\d{3}[ .-]?\d{2}", is_niss, HALF, bare=True),
    _national("Swiss insurance number", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", is_ahv),
    _national("Austrian insurance number", r"\d{4}[ /-]\d{6}", is_svnr, HALF),
    _national("Austrian insurance number", r"\d{10}", is_svnr, MOST, bare=True),
    _national("German tax number", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", is_steuer_id, HALF, bare=True),
    _national("German insurance number", r"[A-Z]\d{9}", is_kvnr, HALF),
    _national("Estonian or Lithuanian personal code", r"\d{11}", is_baltic_code, HALF, bare=True),
    _national("British health service number", r"\d{3}[ -]\d{3}[ -]\d{4}", is_nhs, HALF),
    _national("British health service number", r"\d{10}", is_nhs, MOST, bare=True),
    # No check digit, and a usual shape of trial identifiers: not looked for in the id column.
    _national("United States social security number", r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", always,
              bare=True),
)
IBAN = Pattern("a bank account number", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b"), is_iban, HALF,
               search=True)
