"""Column names that say a column holds identifiers, in the languages of the providers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

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
