"""Columns that many deliveries share, differing only in heading and words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harmony_dash.synthetic.genetics import NAMES
from harmony_dash.synthetic.native import Words

LOCI = ("ikzf1", "cdkn2a", "cdkn2b", "pax5", "etv6", "btg1", "rb1", "ebf1", "par1", "erg")
MUTATIONS = ("mut_notch1", "mut_fbxw7", "mut_nras", "mut_kras", "mut_pten")
TRISOMIES = ("tri_4", "tri_5", "tri_10", "tri_17", "tri_18", "tri_20")


def yes_no(heading: str, variable: str, yes: str, no: str, blank: str = "") -> Words:
    """A yes-or-no column with a value map."""
    return Words(heading, variable, {"yes": yes, "no": no}, blank)


def spoken(heading: str, variable: str, yes: str, no: str, language: str, blank: str = "") -> Words:
    """A yes-or-no column read by the `yes_no` transform in its language."""
    return Words(heading, variable, {"yes": yes, "no": no}, blank, "yes_no", language, frozenset({yes, no}))


def markers(headings: Mapping[str, str], words: Sequence[str], blank: str = "") -> tuple[Words, ...]:
    """Fusions and ploidies; `words` for positive, negative, failed and not tested."""
    values = dict(zip(("pos", "neg", "failed", "not_done"), words, strict=True))
    return tuple(Words(heading, variable, values, blank) for variable, heading in headings.items())


def deletions(name: Callable[[str], str], words: Sequence[str], blank: str = "",
              loci: Sequence[str] = LOCI) -> tuple[Words, ...]:
    """Copy numbers; `words` for deleted, not deleted, failed and not tested (empty for blank)."""
    values = {code: word for code, word in zip(("del", "nodel", "failed", "not_done"), words, strict=True) if word}
    return tuple(Words(name(locus.upper()), f"cna_{locus}", values, blank) for locus in loci)


def mutations(name: Callable[[str], str], words: Sequence[str], blank: str = "") -> tuple[Words, ...]:
    """Mutations in T-ALL; `words` for mutated, wild type and not tested (empty for blank)."""
    values = {code: word for code, word in zip(("mut", "wt", "not_done"), words, strict=True) if word}
    return tuple(Words(name(variable.removeprefix("mut_").upper()), variable, values, blank)
                 for variable in MUTATIONS)


def trisomies(name: Callable[[str], str], yes: str, no: str, blank: str = "") -> tuple[Words, ...]:
    """Trisomies of high hyperdiploidy."""
    return tuple(yes_no(name(variable.removeprefix("tri_")), variable, yes, no, blank) for variable in TRISOMIES)


def subtypes(heading: str, special: Mapping[str, str | tuple[str, ...]], blank: str = "",
             known: frozenset[str] = frozenset()) -> Words:
    """The genetic subtype: the provider's words for some, the dictionary's code for the rest.

    With `known`, the column is read by the `subtype` transform, which knows those words and every code.
    """
    words: dict[str, str | tuple[str, ...]] = {str(name): special.get(str(name), str(name)) for name in NAMES}
    if not known:
        return Words(heading, "subtype", words, blank)
    return Words(heading, "subtype", words, blank, "subtype", "", known | frozenset(str(name) for name in NAMES))


def fraction_text(pattern: str, decimal: str = ".") -> Callable[[float], str]:
    """A fraction as text, e.g. `{:.0E}` for 3E-04."""
    return lambda value: pattern.format(value).replace(".", decimal)


def percent_text(decimal: str = ".", sign: str = "") -> Callable[[float], str]:
    """A fraction as per cent with two significant digits and never an exponent."""
    def write(value: float) -> str:
        text = f"{float(f'{value * 100:.2g}'):.6f}".rstrip("0").rstrip(".")
        return text.replace(".", decimal) + sign
    return write


def power_text(decimal: str = ".") -> Callable[[float], str]:
    """A fraction as 3x10^-4."""
    def write(value: float) -> str:
        mantissa, exponent = f"{value:.0e}".split("e")
        power = int(exponent)
        return f"{mantissa}x10^{power}" if power < 0 else mantissa.replace(".", decimal)
    return write
