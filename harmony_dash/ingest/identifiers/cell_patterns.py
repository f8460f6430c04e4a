"""Telephone and hospital numbers, calendar dates, names and addresses inside cells."""

from __future__ import annotations

import re

from harmony_dash.ingest.identifiers.check_digits import digits_of
from harmony_dash.ingest.identifiers.pattern import HALF, MOST, Pattern, always, shaped_like
from harmony_dash.ingest.identifiers.person_names import CAPITAL, FULL_NAME, NAME_WORD, TITLED_NAME, is_named_person

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

_ADDRESS = re.compile(
    rf"{NAME_WORD}(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|straat|laan|gracht|plein|gatan|vägen|gade|vej|"
    rf"gata|veien|"
    rf"katu|tie|kuja) \d{{1,4}}\b"
    rf"|\b(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]alle|[Aa]venida|[Pp]laza|[Vv]ia|[Vv]iale|[Pp]iazza|[Rr]ua|"
    rf"[Uu]lice|[Uu]l\.) "
    rf"(?:de |del |della |di |da |do |des |du |la |le |l')*{CAPITAL}[\w' ]{{2,30}},? \d{{1,4}}\b"
    rf"|\b\d{{1,4}},? (?:rue|avenue|boulevard|chemin|place) (?:de |des |du |la |le |l')*\w{{3,}}"
    rf"|\b\d{{1,4}} {NAME_WORD} (?:Street|Road|Lane|Avenue|Drive)\b"
    rf"|\b(?:Große|Alte|Neue|Am|An der) {NAME_WORD}(?:straße|strasse|str\.)? \d{{1,4}}\b"
    rf"|(?:[A-Z]{{1,2}}-)?\d{{5}} {NAME_WORD}")

TEXT_PATTERNS = (
    Pattern("a telephone number", _INTERNATIONAL_PHONE, lambda text: 7 <= len(digits_of(text)) <= 15, search=True),
    Pattern("a name of a person", TITLED_NAME, always, search=True),
    Pattern("a name of a person", FULL_NAME, is_named_person),
    Pattern("an address", _ADDRESS, always, search=True),
)
# Not looked for in the id column, where pseudonyms such as 012-00045 or PatNr00012 are what is expected.
NUMBER_PATTERNS = (
    Pattern("a hospital number", _HOSPITAL_NUMBER, always, search=True),
    Pattern("a telephone number", _NATIONAL_PHONE, lambda text: 9 <= len(digits_of(text)) <= 13, search=True),
    Pattern("a telephone number", _GROUPED_PHONE, always, bare=True),
)
DATE_PATTERNS = (
    Pattern("a calendar date", _DATE, always, search=True),
    Pattern("a calendar date", re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{2}"), shaped_like(_SHORT_DATE), HALF, bare=True),
    Pattern("a calendar date", re.compile(r"\d{1,2}/\d{4}"), shaped_like(_MONTH_DATE), HALF, bare=True),
    Pattern("a calendar date", re.compile(r"\d{8}"), shaped_like(_COMPACT_DATE), MOST, bare=True),
)
