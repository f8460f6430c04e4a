"""Names of persons, and what tells them from institutions and protocols."""

from __future__ import annotations

import re
import unicodedata

CAPITAL = r"[A-ZÀ-ÖØ-ÞČĎĚŇŘŠŤŮŽĽĹŔĀĒĪŪ]"
_SMALL = r"[a-zß-öø-ÿčďěňřšťůžľĺŕāēīū]"
NAME_WORD = rf"{CAPITAL}{_SMALL}+(?:[-'’]{CAPITAL}?{_SMALL}+)*"
_PARTICLE = r"(?:(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|ter|ten|zu|af|av|y|e) )*"

TITLED_NAME = re.compile(
    rf"\b(?:Dr\.?|Prof\.?|Mr\.?|Mrs\.?|Ms\.?|Herrn?|Frau|Mme|Mlle|Monsieur|Madame|Sr\.|Sra\.?|Señora?|Doña|"
    rf"Sig\.(?:ra)?|"
    rf"Signora?|Dhr\.?|Mevr\.?|Mevrouw|Meneer|Herra|Rouva|Fru|MUDr\.?|Pan[ií]) (?:Dr\.? |"
    rf"med\.? )*{_PARTICLE}{NAME_WORD}")
FULL_NAME = re.compile(rf"{NAME_WORD}(?: {NAME_WORD}| {CAPITAL}\.)? {_PARTICLE}{NAME_WORD}"
                       rf"|{_PARTICLE}{NAME_WORD}, ?{NAME_WORD}(?: {NAME_WORD})?"
                       rf"|{NAME_WORD} {CAPITAL}{{2,}}|{CAPITAL}{{2,}} {NAME_WORD}")
SINGLE_NAME = re.compile(rf"{NAME_WORD}")

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
INSTITUTIONS = re.compile(r"hospi|clin|klin|instit|univ|cent|zentrum|ziekenhuis|sygehus|sykehus|sjukhus|nemocnice|"
                          r"sairaala|school|stud|trial|group|protocol|arm\b|risk|dose|therap|registr|foundation|children")


def is_named_person(text: str) -> bool:
    """Whether a phrase holds a common first name and is no institution."""
    if INSTITUTIONS.search(text.casefold()):
        return False
    words = re.split(r"[ ,]+", text)
    plain = ("".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))
             .replace("ø", "o").casefold() for word in words)
    return any(part in _FIRST_NAMES for word in plain for part in word.split("-"))
