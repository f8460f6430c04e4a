"""Whether a text of the right shape is a national identifier, by its check digits and the date within."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from types import MappingProxyType


def digits_of(text: str) -> list[int]:
    """The digits of a text, in order."""
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


def is_bsn(text: str) -> bool:
    """Dutch burgerservicenummer."""
    d = digits_of(text)
    return len(d) == 9 and d[:2] != [0, 0] and _weighted(d, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_nif(text: str) -> bool:
    """Portuguese número de identificação fiscal."""
    d = digits_of(text)
    if len(d) != 9 or d[0] in (0, 4, 7):
        return False
    check = 11 - _weighted(d, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return d[8] == (0 if check >= 10 else check)


def is_personnummer(text: str) -> bool:
    """Swedish personnummer, also one of coordination, whose day is raised by 60."""
    d = digits_of(text)[-10:]
    day = d[4] * 10 + d[5] if len(d) == 10 else 0
    return len(d) == 10 and _luhn(d) and _two_digit_day(
        d[0] * 10 + d[1], d[2] * 10 + d[3], day - 60 if day > 60 else day)


def is_cpr_day(text: str) -> bool:
    """Danish CPR-nummer, by its date alone: numbers given since 2007 need not pass the check."""
    d = digits_of(text)
    return len(d) == 10 and _two_digit_day(d[4] * 10 + d[5], d[2] * 10 + d[3], d[0] * 10 + d[1])


def is_cpr(text: str) -> bool:
    """Danish CPR-nummer, by its date and its check digit."""
    return is_cpr_day(text) and _weighted(digits_of(text), (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def is_kennitala(text: str) -> bool:
    """Icelandic kennitala."""
    return (is_cpr_day(text) and digits_of(text)[9] in (0, 8, 9)
            and _weighted(digits_of(text), (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0)


def is_fodselsnummer(text: str) -> bool:
    """Norwegian fødselsnummer, also a D- or H-number, whose day or month is raised by 40."""
    d = digits_of(text)
    if len(d) != 11:
        return False
    day, month = d[0] * 10 + d[1], d[2] * 10 + d[3]
    return (_two_digit_day(d[4] * 10 + d[5], month - 40 if month > 40 else month, day - 40 if day > 40 else day)
            and _weighted(d, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
            and _weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0)


def is_hetu(text: str) -> bool:
    """Finnish henkilötunnus."""
    d = digits_of(text[:6]) + digits_of(text[7:10])
    number = int("".join(map(str, d)))
    return (_two_digit_day(d[4] * 10 + d[5], d[2] * 10 + d[3], d[0] * 10 + d[1])
            and "0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == text[10].upper())


def is_nir(text: str) -> bool:
    """French numéro de sécurité sociale, also of Corsica."""
    plain = re.sub(r"[ .]", "", text).upper().replace("2A", "19").replace("2B", "18")
    return plain.isdigit() and len(plain) == 15 and 97 - int(plain[:13]) % 97 == int(plain[13:])


def is_dni(text: str) -> bool:
    """Spanish DNI, or NIE of a foreigner."""
    plain = re.sub(r"[ .-]", "", text).upper()
    number = plain[:-1].replace("X", "0", 1).replace("Y", "1", 1).replace("Z", "2", 1)
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == plain[-1]


_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22,
    25, 24, 23), strict=True))


def is_codice_fiscale(text: str) -> bool:
    """Italian codice fiscale."""
    plain = text.upper()
    total = sum(_ODD[letter] if position % 2 == 0 else (int(letter) if letter.isdigit() else ord(letter) - 65)
                for position, letter in enumerate(plain[:15]))
    return chr(65 + total % 26) == plain[15]


def is_rodne_cislo(text: str) -> bool:
    """Czech or Slovak rodné číslo; nine digits are of before 1954 and have no check digit."""
    d = digits_of(text)
    month = d[2] * 10 + d[3]
    for shift in (70, 50, 20):
        if month > shift:
            month -= shift
            break
    day_fits = _two_digit_day(d[0] * 10 + d[1], month, d[4] * 10 + d[5])
    return day_fits and (len(d) == 9 or (len(d) == 10 and int("".join(map(str, d))) % 11 == 0))


def is_niss(text: str) -> bool:
    """Belgian NISS, of before or after 2000."""
    d = "".join(map(str, digits_of(text)))
    if len(d) != 11 or not int(d[2:4]) % 20 <= 12 or int(d[4:6]) > 31:
        return False
    return int(d[9:]) in (97 - int(d[:9]) % 97, 97 - int("2" + d[:9]) % 97)


def is_ahv(text: str) -> bool:
    """Swiss AHV-Nummer."""
    d = digits_of(text)
    return len(d) == 13 and d[:3] == [7, 5, 6] and (10 - _weighted(d, (1, 3) * 6) % 10) % 10 == d[12]


def is_svnr(text: str) -> bool:
    """Austrian Sozialversicherungsnummer; its month may be beyond twelve."""
    d = digits_of(text)
    if len(d) != 10 or d[0] == 0:
        return False
    check = _weighted([*d[:3], *d[4:]], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11
    month = d[6] * 10 + d[7]
    return check == d[3] and (month > 12 or _two_digit_day(d[8] * 10 + d[9], month, d[4] * 10 + d[5]))


def is_steuer_id(text: str) -> bool:
    """German Steuer-Identifikationsnummer."""
    d = digits_of(text)
    counts = [d[:10].count(digit) for digit in range(10)]
    # Exactly one digit of the first ten occurs twice or three times.
    if len(d) != 11 or d[0] == 0 or sum(count > 1 for count in counts) != 1 or max(counts) > 3:
        return False
    product = 10
    for digit in d[:10]:
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == d[10]


def is_kvnr(text: str) -> bool:
    """German Krankenversichertennummer."""
    plain = text.upper()
    digits = [*divmod(ord(plain[0]) - 64, 10), *digits_of(plain[1:9])]
    total = sum(product // 10 + product % 10 for product in
                (digit * (1 if position % 2 == 0 else 2) for position, digit in enumerate(digits)))
    return total % 10 == int(plain[9])


def is_baltic_code(text: str) -> bool:
    """Estonian isikukood or Lithuanian asmens kodas."""
    d = digits_of(text)
    if len(d) != 11 or not 1 <= d[0] <= 6 or not _two_digit_day(
            d[1] * 10 + d[2], d[3] * 10 + d[4], d[5] * 10 + d[6]):
        return False
    check = _weighted(d, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = _weighted(d, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return check == d[10]


def is_nhs(text: str) -> bool:
    """British NHS number."""
    d = digits_of(text)
    check = 11 - _weighted(d, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return len(d) == 10 and d[9] == (0 if check == 11 else check)


_IBAN_LENGTH = MappingProxyType({
    "AT": 20, "BE": 16, "CH": 21, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22,
    "IE": 22,
    "IS": 26, "IT": 27, "LT": 20, "LU": 20, "LV": 21, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "SE": 24, "SK": 24})


def is_iban(text: str) -> bool:
    """Whether the text starts with an IBAN; a word that follows it may have been read into it."""
    plain = text.replace(" ", "").upper()
    plain = plain[: _IBAN_LENGTH.get(plain[:2], 0)]
    if len(plain) != _IBAN_LENGTH.get(plain[:2]):
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1
